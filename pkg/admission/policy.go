// Package admission decides which shares the hub accepts and which origins are wired.
package admission

import (
	"fmt"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
)

// Policy is the part of the hub policy that decides which shares are accepted and which origins are wired. Package policy has
// checked it.
type Policy struct {
	Domain       string   // every claimed host is under it
	Reserved     []string // hosts that no team may claim, each a name or "*." and a domain, for any one label in front of it; sorted
	Aliases      AliasMode
	Distribution Distribution
	Shares       Shares
	Claims       Claims
	Limits       Limits
	Teams        []Team // sorted by name

	teams map[string]int // indexes in Teams by account; nil: see Indexed
}

// Distribution says which distributions the hub manages: existing ones that it adopts, or ones that it creates. Exactly one of
// Adopt and Create is set.
type Distribution struct {
	Adopt  []string // ids
	Create int      // how many the hub may create; it creates each when those before it have no capacity left
	// DryRun makes the hub decide and report what it would do, and write nothing to CloudFront, RAM and Route 53.
	DryRun bool
}

// Fleet returns the names of the hub's distributions, in the order in which they are filled. A name never changes, since it is
// the registry's partition.
func (d Distribution) Fleet() []string {
	fleet := []string{origin.Main}
	for n := 2; n <= d.Create; n++ {
		fleet = append(fleet, fmt.Sprintf("%s-%d", origin.Main, n))
	}
	return append(fleet, d.Adopt[min(1, len(d.Adopt)):]...)
}

// Modes of a hub.
const (
	ModeManage = "manage"
	ModeDryRun = contract.ModeDryRun // decide and report, and write nothing
)

// Mode returns the mode of the hub's events: contract.ModeDryRun, or "" for a hub that manages its distributions.
func (d Distribution) Mode() string {
	if d.DryRun {
		return contract.ModeDryRun
	}
	return ""
}

// AliasMode is which aliases (alternate domain names) the distributions have.
type AliasMode string

// Alias modes.
const (
	Wildcard AliasMode = "wildcard" // *.<domain> on the first distribution; each claimed host on the others
	PerHost  AliasMode = "per-host" // each claimed host
)

// Shares is how the hub handles invitations.
type Shares struct {
	External bool // accept invitations of known accounts, which are outside the organization
	Reject   bool // reject refused invitations of known accounts, instead of letting them expire
}

// Claims is how the hub handles claims that it refused.
type Claims struct {
	Wait bool // a claim that was refused because another origin had its paths waits until its team asks again
}

// Limits limits what is wired, in addition to CloudFront's quotas. Zero means no limit.
type Limits struct {
	origin.Size // of each distribution, including what others added to it
	// PerTeam limits what one team has in all distributions. A behavior is a claimed path, and an alias is a claimed host, also where a
	// wildcard alias covers it. A claim that the hub policy itself states counts, but only its origin is limited.
	PerTeam  origin.Size
	Settings origin.Settings // the largest values that a claim may ask for; zero: those of CloudFront
}

// Team is a team and what it may claim.
type Team struct {
	Name     string
	Accounts []string
	Outside  bool // its accounts are outside the organization of the hub, or the hub policy names no organization
	Spoke    bool // its accounts have the spoke role, so that the hub can read tags
	Grants   []Grant
	Claim    *origin.Claim // instead of tags; set if and only if Spoke is false
	// ConfirmTeardown requires a second tag, contract.TagConfirm, for the teardown of the team's origins.
	ConfirmTeardown bool
}

// Grant permits a team to claim paths on a host. Host may begin with "*.", which matches exactly one label, as in a certificate.
type Grant struct {
	Host  string
	Paths []string
}

// Indexed returns p with an index of its accounts, with which TeamOf walks over no teams. The index does not follow changes of p.Teams.
func (p Policy) Indexed() Policy {
	if p.teams != nil {
		return p
	}
	p.teams = map[string]int{}
	for i, t := range p.Teams {
		for _, account := range t.Accounts {
			if _, known := p.teams[account]; !known {
				p.teams[account] = i
			}
		}
	}
	return p
}

// Member reports whether an account belongs to a team.
func (p Policy) Member(account string) bool {
	_, member := p.TeamOf(account)
	return member
}

// TeamOf returns the team of an account, and whether there is one.
func (p Policy) TeamOf(account string) (Team, bool) {
	if p.teams != nil {
		i, known := p.teams[account]
		if !known {
			return Team{}, false
		}
		return p.Teams[i], true
	}
	for _, t := range p.Teams {
		if slices.Contains(t.Accounts, account) {
			return t, true
		}
	}
	return Team{}, false
}

// teamOf returns the name of the team that the account of a record belongs to. The team in the record may be out of date: a team can get
// another name, and an account another team.
func (p Policy) teamOf(r *origin.Record) string {
	if t, known := p.TeamOf(r.Account); known {
		return t.Name
	}
	return r.Team
}

// Accounts returns the accounts of all teams, sorted.
func (p Policy) Accounts() []string {
	var all []string
	for _, t := range p.Teams {
		all = append(all, t.Accounts...)
	}
	slices.Sort(all)
	return all
}

// reserved returns the entry of Reserved that covers a host, or "".
func (p Policy) reserved(host string) string {
	if i := strings.Index(host, "."); i > 0 {
		if r := "*" + host[i:]; isIn(p.Reserved, r) {
			return r
		}
	}
	if isIn(p.Reserved, host) {
		return host
	}
	return ""
}

// isIn reports whether a sorted list has a value.
func isIn(sorted []string, value string) bool {
	_, found := slices.BinarySearch(sorted, value)
	return found
}

// CheckGranted returns why no team may be granted a host, as a predicate without its subject, or "". A wildcard may be granted although it
// covers a reserved host: only the claim of that host is refused.
//
//	granted           reserved          then
//	a.example.com     a.example.com     refused
//	a.example.com     *.example.com     refused
//	*.example.com     *.example.com     refused
//	*.example.com     a.example.com     permitted
func (p Policy) CheckGranted(host string) string {
	if r := p.reserved(host); r != "" {
		return "is reserved by " + r + " in reservedHosts"
	}
	return ""
}

// HasWildcard reports whether the distribution of that name has the alias for all hosts. CloudFront permits an alias on one
// distribution only, and of two aliases that match a host the more specific one applies
// (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/CNAMEs.html#alternate-domain-names-restrictions).
//
//	aliases   distribution  has the wildcard
//	wildcard  the first     yes
//	wildcard  another       no, but an alias for each of its hosts
//	per-host  any           no
func (p Policy) HasWildcard(distribution string) bool {
	return p.Aliases == Wildcard && distribution == origin.Main
}
