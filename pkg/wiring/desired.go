package wiring

import (
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/origin"
)

// prefix begins the id of every origin in a distribution that is ours.
const prefix = "originhub-"

// OriginID is the id of a VPC origin within a distribution: the same for ever.
func OriginID(vpcOrigin string) string { return prefix + vpcOrigin }

// Owned tells whether the origin with that id is ours.
func Owned(originID string) bool { return strings.HasPrefix(originID, prefix) }

// Spec is what DesiredOf needs of policy.
type Spec struct {
	Domain       string
	Wildcard     bool        // one alias *.<Domain>; else one per host of what is wired here
	Created      bool        // the distribution is ours, so it is enabled exactly while something is wired
	NotFound     string      // ARN of the function behind the default behavior of one that is Created
	OwnedAliases []string    // aliases that the hub added: of a distribution that is not Created, it takes no others away
	Limits       origin.Size // foreign parts count too; zero is none
}

// Desired is what our part of a distribution should be. The order of nothing in it matters.
type Desired struct {
	Origins  []Origin
	Removed  []string // VPC origins to take out, wherever they are still in
	Released []string // aliases to take away, unless an origin needs them or they are Kept
	Kept     []string // aliases of origins that stay as they are
	Toggle   bool     // enable with the first origin, disable with the last
	NotFound string   // ARN of the function that answers what no behavior matches; empty: that is not the hub's to say
	Limits   origin.Size
}

// Origin is one VPC origin to wire.
type Origin struct {
	VPCOrigin string
	Account   string // owner
	Domain    string
	Paths     []string
	Aliases   []string
	Released  []string // aliases that it needs no more: released with the update that brings the rest
}

// DesiredOf is what the registry wants. Conflicts between records were settled before (admission.Settle).
//
// With per-host aliases the host names of an origin that is not to be wired any more, or has left them, are released. A
// wildcard alias is never taken away again: it belongs to the distribution, not to an origin. The origins that are held stay
// as they are.
func DesiredOf(records []origin.Record, held []string, s Spec) Desired {
	d := Desired{Toggle: s.Created, Limits: s.Limits}
	for _, r := range records {
		switch {
		case slices.Contains(held, r.ID):
			d.Kept = append(d.Kept, r.BoundHosts()...)
		case r.State == origin.Deleted, // what it held is anybody's
			r.Intent == origin.Wire && r.State == origin.Deferred: // it has no place
			d.Released = append(d.Released, r.ReleasedHosts...)
		case r.Intent == origin.Wire:
			o := Origin{VPCOrigin: r.ID, Account: r.Account, Domain: r.Claim.Domain, Paths: r.Claim.Paths, Aliases: r.Claim.Hosts, Released: r.ReleasedHosts}
			if s.Wildcard {
				o.Aliases = []string{"*." + s.Domain}
			}
			d.Origins = append(d.Origins, o)
		default:
			d.Removed = append(d.Removed, r.ID)
			d.Released = append(d.Released, r.ReleasedHosts...)
			if r.State != origin.Detached { // since then, who adds what it claimed means it for something else
				d.Released = append(d.Released, r.Claim.Hosts...)
			}
		}
	}
	d.Released = s.Releasable(d.Released)
	for i := range d.Origins {
		d.Origins[i].Released = s.Releasable(d.Origins[i].Released)
	}
	if s.Wildcard {
		d.Kept = nil
	}
	if s.Created {
		d.NotFound = s.NotFound
	}
	slices.SortFunc(d.Origins, byID)
	slices.Sort(d.Removed)
	slices.Sort(d.Released)
	slices.Sort(d.Kept)
	return d
}

// Releasable are those of the aliases that an origin may take along when it leaves: none of a wildcard's, and on a distribution
// that is not the hub's own only what the hub added, since what was there before an origin claimed it is somebody else's.
func (s Spec) Releasable(aliases []string) []string {
	switch {
	case s.Wildcard:
		return nil
	case s.Created:
		return aliases
	}
	return slices.DeleteFunc(slices.Clone(aliases), func(a string) bool { return !slices.Contains(s.OwnedAliases, a) })
}

func byID(a, b Origin) int { return strings.Compare(a.VPCOrigin, b.VPCOrigin) }
