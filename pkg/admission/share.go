package admission

import (
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/origin"
)

// VPCOrigin is RAM's name for the one resource type that the hub accepts
// (https://docs.aws.amazon.com/ram/latest/userguide/shareable.html).
const VPCOrigin = "cloudfront:VpcOrigin"

// ShareDecision is what becomes of a share.
type ShareDecision struct {
	Accept  bool
	Reasons []Reason     // every reason against it
	Origins []origin.Ref // what it brings when accepted, sorted by id
}

// Waits tells whether the share is to be looked at again instead of refused.
func (d ShareDecision) Waits() bool { return !d.Accept && allWait(d.Reasons) }

// DecideShare decides whether share s is permitted, whose resources are given. Invited means that s is an invitation, and so came
// from outside the organization; a share without an invitation is in force already, and the decision is whether its origins are
// considered.
//
//	sender     way in         resources                      verdict
//	unknown    any            any                            refused
//	known      invitation     any, shares.external deny      refused
//	known      any            none                           waits
//	known      any            any other type                 refused
//	known      any            an origin of another account   refused
//	known      any            origins of the sender only     accepted
func DecideShare(s origin.Share, invited bool, resources []origin.Resource, p Policy) ShareDecision {
	var d ShareDecision
	refuse := func(c Code, subject, format string, args ...any) {
		d.Reasons = append(d.Reasons, because(c, subject, format, args...))
	}
	team, known := p.TeamOf(s.Owner)
	if !known {
		refuse(ShareUnknownAccount, s.Owner, "account %s belongs to no team: add it to a team in the hub policy if it should", s.Owner)
		return d // whatever it holds, which nobody has to look at
	}
	if invited && !p.Shares.External {
		refuse(ShareExternal, "", "%s (account %s) is outside the organization, and the hub policy denies external shares: "+
			"share within the organization, or set shares.external to allow", team.Name, s.Owner)
	}
	if len(resources) == 0 {
		refuse(ShareEmpty, "", "the share holds nothing that can be seen yet: add a VPC origin to it")
	}
	resources = slices.Clone(resources)
	slices.SortFunc(resources, func(a, b origin.Resource) int { return strings.Compare(a.ARN, b.ARN) })
	for _, r := range slices.Compact(resources) {
		if r.Type != VPCOrigin {
			refuse(ShareOtherType, r.ARN, "the share also holds %s (%s): share VPC origins with the hub in a share of their own",
				r.ARN, r.Type)
			continue
		}
		ref, err := origin.ParseARN(r.ARN)
		switch {
		case err != nil:
			refuse(ShareBadARN, r.ARN, "the share holds a VPC origin that cannot be read: %v", err)
		case ref.Account != s.Owner:
			refuse(ShareOtherOwner, ref.ID, "%s belongs to account %s, not to the sender %s: let its owner share it",
				ref.ID, ref.Account, s.Owner)
		default:
			d.Origins = append(d.Origins, ref)
		}
	}
	if d.Accept = len(d.Reasons) == 0; !d.Accept {
		d.Origins = nil
	}
	return d
}
