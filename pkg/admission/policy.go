// Package admission decides which shares the hub accepts and which origins may be wired.
package admission

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/origin"
)

// Policy is the hub's policy as a value. Package policy reads it from YAML and has checked it.
type Policy struct {
	Hub          string // names the bus, the spoke role and the caller reference
	Organization string // "o-…", empty when the hub is in none
	Distribution Distribution
	Domain       string // every claimed host is under it
	HostedZone   string
	Certificate  string // ACM ARN in us-east-1
	Aliases      AliasMode
	Shares       Shares
	Grace        Grace
	Updates      Updates
	Limits       Limits
	ExternalID   string // of every spoke role
	Teams        []Team // sorted by name
}

// Account is the Networking account: a distribution takes certificates of its own account only
// (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cnames-and-https-requirements.html).
func (p Policy) Account() string {
	_, rest, _ := strings.Cut(p.Certificate, "arn:aws:acm:us-east-1:")
	account, _, _ := strings.Cut(rest, ":")
	return account
}

// Distribution says which distributions the hub manages: existing ones, or ones that it creates.
type Distribution struct {
	Adopt []string // ids; empty when Base is set
	Base  *Base
}

// Fleet names the hub's distributions, in the order in which they are filled. A name is for ever: it is the registry's
// partition.
func (d Distribution) Fleet() []string {
	fleet := []string{origin.Main}
	if d.Base != nil {
		for n := 2; n <= d.Base.Maximum; n++ {
			fleet = append(fleet, fmt.Sprintf("%s-%d", origin.Main, n))
		}
	} else {
		fleet = append(fleet, d.Adopt[1:]...)
	}
	return fleet
}

// Adopted is the id of an existing distribution, by its name.
func (d Distribution) Adopted(name string) string {
	if name == origin.Main {
		return d.Adopt[0]
	}
	return name
}

// Base is what distributions are created with.
type Base struct {
	Maximum     int // so many of them, each when those before it are full
	Comment     string
	PriceClass  string // empty: PriceClass_All
	HTTPVersion string // empty: http2and3
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

// Grace bounds the time between a teardown tag and the first change. It has the fields of teardown.Bounds.
type Grace struct {
	Default time.Duration // what "now" means, and the least that a tag can ask for: an earlier time becomes this one
	Maximum time.Duration // a tag that asks for more is refused
}

// Updates paces UpdateDistribution.
type Updates struct {
	Spacing time.Duration // the least time between two updates
	Window  time.Duration // how long changes gather before one
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
	// CIDR is what the team stack makes the team's VPC of: /16 to /26, apart from every other team's. Invalid when the team
	// has a network of its own making.
	CIDR   netip.Prefix
	Grants []Grant
	Claim  *origin.Claim // stands in for tags; set exactly when Spoke is false
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
