package wiring

import (
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/origin"
)

// proves reports whether the observed distribution proves something that the registry does not have yet.
func (r Run) proves() bool {
	if r.proved || r.writing.attempted || r.Terms.DryRun || !r.Served.Deployed {
		return false
	}
	_, advanced := r.advances()
	return len(advanced) > 0
}

// prove records which origins the observed distribution proves to be live or detached. It does so before the run changes the distribution:
// CloudFront's status describes only the newest configuration, so an update that one origin needs would hide what the others wait for. What
// is repaired stays live meanwhile; Settle decides about everything else.
func (r Run) prove() (Run, Step) {
	is, advanced := r.advances()
	hosts := r.concerned(is, advanced)
	switch z := r.Zone; {
	case z.Failed, z.Planned:
	case !z.covers(hosts):
		return r, Step{Do: ReadZone{Hosts: hosts}}
	default:
		return r.changeDNS(is, Run.prove)
	}
	var step Step
	r.reportRefusedRecords(&step)
	r, step = r.recordStates(step, is, advanced)
	r.proved, r.Zone.Planned = true, false // Settle plans again, from what is in the zone now
	return r, step
}

// advances returns the records with the states that the observed distribution proves, and the indexes of those that it changes:
//
//	intent  was      becomes
//	wire    wired    live, unless DNS cannot be changed
//	detach  any      detached
//	any     another  unchanged here
func (r Run) advances() (is []origin.Record, advanced []int) {
	is, changed := r.states()
	for _, i := range changed {
		was := r.Records[i].State
		if is[i].State == origin.Live && was == origin.Wired && !r.Zone.Failed || is[i].State == origin.Detached && was != origin.Detached {
			advanced = append(advanced, i)
		}
	}
	for i := range is {
		if !slices.Contains(advanced, i) {
			is[i] = r.Records[i]
		}
	}
	return is, advanced
}

// extent is how much of an origin a configuration holds.
type extent int

const (
	absent   extent = iota
	partial         // an update has to change something for the origin
	complete        // no update has to
)

// extent returns how much of an origin the observed configuration holds:
//
//	intent  the configuration                                                     extent
//	detach  has a part that uses the VPC origin                                   complete
//	wire    lacks the managed origin                                              absent
//	wire    has the managed origin, and all that the record claims                complete
//	wire    has the managed origin, and something of it is not as it is claimed   partial
//	any     any other                                                             absent
func (r Run) extent(o origin.Record) extent {
	c := r.Served.Config
	switch spec := r.Terms.Spec(r.Item, c); {
	case o.Intent == origin.Detach && c.Uses(o.ID):
		return complete
	case o.Intent == origin.Detach, !c.has(OriginID(o.ID)):
		return absent
	case spec.Created && !c.Enabled(), !c.carries(spec.origin(o)):
		return partial
	}
	return complete
}

// carries reports whether Diff finds nothing to change for an origin: its settings, its paths, their order, and its aliases are as desired.
func (c *Config) carries(o Origin) bool {
	id := OriginID(o.VPCOrigin)
	if n := find(c.root().child("Origins"), "Id", id); n == nil || !n.isOrigin(o) {
		return false
	}
	var paths, inFront []string
	for _, n := range c.root().child("CacheBehaviors").items() {
		path := n.get("PathPattern")
		if n.get("TargetOriginId") == id {
			dead := slices.ContainsFunc(inFront, func(early string) bool { return origin.Covers(early, path) })
			if dead || !n.hasPolicies() {
				return false
			}
			paths = append(paths, path)
		}
		inFront = append(inFront, path)
	}
	aliases := c.Aliases()
	lacks := func(alias string) bool {
		return !slices.ContainsFunc(aliases, func(a string) bool { return strings.EqualFold(a, alias) })
	}
	return slices.Equal(sortedSet(paths), sortedSet(o.Paths)) && !slices.ContainsFunc(o.Aliases, lacks)
}

// isOrigin reports whether an Origin element is as o desires.
func (n *node) isOrigin(o Origin) bool {
	vpc := n.child("VpcOriginConfig")
	return n.get("DomainName") == o.Domain && vpc.get("OwnerAccountId") == o.Account && vpc.get("VpcOriginId") == o.VPCOrigin && n.hasSettings(o.Settings)
}

// hasPolicies reports whether a behavior has the policies of every managed one.
func (n *node) hasPolicies() bool {
	return n.get("CachePolicyId") == CachingDisabled && n.get("OriginRequestPolicyId") == AllViewer
}
