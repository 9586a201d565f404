// Package admission decides which shares the hub accepts and which origins may be wired.
package admission

import (
	"fmt"
	"slices"

	"github.com/originhub/originhub/pkg/origin"
)

// Policy is the part of the hub policy that decides which shares are accepted and which origins are wired. Package policy has
// checked it.
type Policy struct {
	Domain       string // every claimed host is under it
	Aliases      AliasMode
	Distribution Distribution
	Shares       Shares
	Limits       Limits
	Teams        []Team // sorted by name
}

// Distribution says which distributions the hub manages: existing ones that it adopts, or ones that it creates. Exactly one of
// its fields is set.
type Distribution struct {
	Adopt  []string // ids
	Create int      // how many the hub may create; it creates each when those before it have no capacity left
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

// AliasMode says which alternate domain names the distributions carry.
type AliasMode string

// Alias modes.
const (
	Wildcard AliasMode = "wildcard" // *.<domain> on the first one; every claimed host on others, since an alias is on one only
	PerHost  AliasMode = "per-host" // every claimed host
)

// Shares says what becomes of shares.
type Shares struct {
	External bool // accept invitations, which come from known accounts outside the organization
	Reject   bool // reject refused invitations instead of leaving them to expire
}

// Limits bounds what is wired, beside CloudFront's quotas. Zero is none.
type Limits struct {
	origin.Size    // of each distribution, foreign parts included
	OriginsPerTeam int
}

// Team is a team and what it may claim.
type Team struct {
	Name     string
	Accounts []string
	Spoke    bool // its accounts have the spoke role, so that tags can be read
	Grants   []Grant
	Claim    *origin.Claim // stands in for tags; set exactly when Spoke is false
}

// Grant permits paths on a host. Host may begin with "*.", which stands for exactly one label, as in a certificate.
type Grant struct {
	Host  string
	Paths []string
}

// TeamOf finds the team that an account belongs to.
func (p Policy) TeamOf(account string) (Team, bool) {
	for _, t := range p.Teams {
		if slices.Contains(t.Accounts, account) {
			return t, true
		}
	}
	return Team{}, false
}

// teamOf names the team that policy gives a record's account to now: the record may have been written before the team got
// another name, or the account another team.
func (p Policy) teamOf(r *origin.Record) string {
	if t, known := p.TeamOf(r.Account); known {
		return t.Name
	}
	return r.Team
}

// Accounts lists every account that policy knows, sorted.
func (p Policy) Accounts() []string {
	var all []string
	for _, t := range p.Teams {
		all = append(all, t.Accounts...)
	}
	slices.Sort(all)
	return all
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
