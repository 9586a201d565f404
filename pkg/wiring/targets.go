package wiring

import "slices"

// TargetChange is the next change to a target group. At most one of its fields is set.
type TargetChange struct {
	Register   []string // addresses
	Deregister []string
	Unknown    bool // the addresses are not known yet, so nothing changes
}

// Targets returns the next change after which the targets of a team's load balancer are the addresses of its interface endpoint. AWS may
// replace those addresses. New ones are registered before old ones are deregistered, so that the load balancer always has a target.
//
//	addresses  targets                  change
//	none       -                        unknown: the endpoint is being created, or the answer is incomplete
//	some       some address is missing  register the missing ones
//	some       all of them, and others  deregister the others
//	some       exactly these            none
func Targets(addresses, targets []string) TargetChange {
	if len(addresses) == 0 {
		return TargetChange{Unknown: true}
	}
	if missing := except(addresses, targets); len(missing) > 0 {
		return TargetChange{Register: missing}
	}
	return TargetChange{Deregister: except(targets, addresses)}
}

// except returns the elements of all that are not in others.
func except(all, others []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(one string) bool { return slices.Contains(others, one) })
}
