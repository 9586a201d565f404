package wiring

import (
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/origin"
)

// prefix begins the id of every managed origin in a distribution.
const prefix = "originhub-"

// OriginID returns the id that a VPC origin has within a distribution. It never changes.
func OriginID(vpcOrigin string) string { return prefix + vpcOrigin }

// Owned reports whether the origin with that id is managed.
func Owned(originID string) bool { return strings.HasPrefix(originID, prefix) }

// Spec is what DesiredOf needs to know about policy and about the distribution.
type Spec struct {
	Domain   string
	Wildcard bool   // the only alias is *.<Domain>; otherwise every host of a wired origin is an alias
	Created  bool   // the hub created the distribution, and enables it exactly while an origin is wired
	NotFound string // ARN of the function of the default behavior, if Created
	// ResponseHeaders is the id of the response headers policy of each behavior that has none, if Created; empty: none.
	ResponseHeaders string
	OwnedAliases    []string    // aliases that the hub added; if not Created, it removes no others
	Limits          origin.Size // on managed and unmanaged parts together; zero: no limit
}

// Desired is the managed part of a distribution as it should be. The order of its elements does not matter.
type Desired struct {
	Origins         []Origin
	Removed         []string // VPC origins to remove
	ReleasedAliases []string // aliases to remove, unless an origin needs them or KeptAliases has them
	KeptAliases     []string // aliases of origins that stay as they are
	Toggle          bool     // enable the distribution with the first origin, disable it with the last
	NotFound        string   // ARN of the default behavior's function; empty: leave the default behavior as it is
	// ResponseHeaders is the id of the response headers policy of the default behavior and of each managed one that has none; empty: leave them as they are.
	ResponseHeaders string
	Limits          origin.Size
}

// Origin is one VPC origin to wire.
type Origin struct {
	VPCOrigin string
	Account   string // owner
	Domain    string
	Paths     []string
	Aliases   []string
	Settings  origin.Settings
	Released  []string // aliases that the origin needs no longer, to be removed in the update that wires it
}

// DesiredOf returns what the registry wants of a distribution. Package admission has resolved conflicts between records before.
//
// Origins in excluded stay as they are. Without a wildcard, the hosts that an origin releases are removed from the aliases. A wildcard
// alias is never removed, because it belongs to the distribution and not to an origin.
func DesiredOf(records []origin.Record, excluded []string, s Spec) Desired {
	d := Desired{Toggle: s.Created, Limits: s.Limits}
	for _, r := range records {
		switch {
		case slices.Contains(excluded, r.ID):
			d.KeptAliases = append(d.KeptAliases, r.BoundHosts()...)
		case r.State == origin.Deleted, // other origins may have claimed its hosts since
			r.WaitsForCapacity(): // it has no place
			d.ReleasedAliases = append(d.ReleasedAliases, r.ReleasedHosts...)
		case r.Intent == origin.Wire:
			d.Origins = append(d.Origins, s.origin(r))
		default:
			d.Removed = append(d.Removed, r.ID)
			d.ReleasedAliases = append(d.ReleasedAliases, r.ReleasedHosts...)
			if r.State != origin.Detached { // an alias that was added after that is somebody else's
				d.ReleasedAliases = append(d.ReleasedAliases, r.Claim.Hosts...)
			}
		}
	}
	d.ReleasedAliases = s.Releasable(d.ReleasedAliases)
	for i := range d.Origins {
		d.Origins[i].Released = s.Releasable(d.Origins[i].Released)
	}
	if s.Wildcard {
		d.KeptAliases = nil
	}
	if s.Created {
		d.NotFound, d.ResponseHeaders = s.NotFound, s.ResponseHeaders
	}
	slices.SortFunc(d.Origins, byID)
	slices.Sort(d.Removed)
	slices.Sort(d.ReleasedAliases)
	slices.Sort(d.KeptAliases)
	return d
}

// origin returns the origin that r wants.
func (s Spec) origin(r origin.Record) Origin {
	o := Origin{VPCOrigin: r.ID, Account: r.Account, Domain: r.Claim.Domain, Paths: r.Claim.Paths, Aliases: r.Claim.Hosts, Settings: r.Settings(), Released: r.ReleasedHosts}
	if s.Wildcard {
		o.Aliases = []string{"*." + s.Domain}
	}
	return o
}

// Releasable returns the aliases that originhub may remove when no origin needs them: all of a distribution that it created, only the
// ones that it added to an adopted one, and none if the alias is a wildcard or not under the domain of the policy.
func (s Spec) Releasable(aliases []string) []string {
	if s.Wildcard {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(aliases), func(a string) bool {
		return !under(s.Domain, a) || !s.Created && !slices.Contains(s.OwnedAliases, a)
	})
}

// under reports whether a host is domain or below it.
func under(domain, host string) bool {
	host = strings.ToLower(host)
	return host == domain || strings.HasSuffix(host, "."+domain)
}

func byID(a, b Origin) int { return strings.Compare(a.VPCOrigin, b.VPCOrigin) }
