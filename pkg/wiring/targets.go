package wiring

import "slices"

// TargetChange is the next change of a target group: at most one of its members is set.
type TargetChange struct {
	Register   []string // addresses
	Deregister []string
	Unknown    bool // the addresses are not known yet: change nothing
}

// Targets returns the next change that makes the targets of a team's load balancer the addresses of its interface endpoint, which
// AWS may replace. New ones come before old ones go, so that there is never a moment without a target.
//
//	addresses  targets                  change
//	none       -                        none yet: the endpoint is being made, or the answer is not complete
//	some       some address is missing  register what is missing
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

// except is what of all is not among others.
func except(all, others []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(one string) bool { return slices.Contains(others, one) })
}
