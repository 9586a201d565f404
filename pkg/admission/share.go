package admission

import (
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/origin"
)

// VPCOrigin is RAM's name for the one resource type that the hub accepts
// (https://docs.aws.amazon.com/ram/latest/userguide/shareable.html).
const VPCOrigin = "cloudfront:VpcOrigin"

// Share is a RAM share as its receiver sees it.
type Share struct {
	ARN        string
	Name       string
	Owner      string     // account that shares
	Invitation bool       // waits for acceptance, so it came from outside the organization
	Resources  []Resource // everything in it
}

// Resource is something shared.
type Resource struct {
	ARN  string
	Type string
}

// ShareDecision is what becomes of a share.
type ShareDecision struct {
	Accept  bool
	Reasons []Reason     // every reason against it
	Origins []origin.Ref // what it brings when accepted, sorted by id
}

// Waits tells whether the share is to be looked at again instead of refused.
func (d ShareDecision) Waits() bool { return !d.Accept && allWait(d.Reasons) }

// DecideShare decides whether a share is permitted. A share without invitation is in force already: then the decision
// is whether its origins may be looked at.
//
//	sender     way in         holds                          verdict
//	unknown    any            anything                       refused
//	known      invitation     anything, shares.external deny refused
//	known      any            nothing                        waits
//	known      any            any other type                 refused
//	known      any            an origin of somebody else     refused
//	known      any            origins of the sender only     accepted
func DecideShare(s Share, p Policy) ShareDecision {
	var d ShareDecision
	refuse := func(c Code, subject, format string, args ...any) {
		d.Reasons = append(d.Reasons, because(c, subject, format, args...))
	}
	team, known := p.TeamOf(s.Owner)
	if !known {
		refuse(ShareUnknownAccount, s.Owner, "account %s belongs to no team: add it to a team in the hub policy if it should", s.Owner)
		return d // whatever it holds, which nobody has to look at
	}
	if s.Invitation && !p.Shares.External {
		refuse(ShareExternal, "", "%s (account %s) is outside the organization, and the hub policy denies external shares: "+
			"share within the organization, or set shares.external to allow", team.Name, s.Owner)
	}
	if len(s.Resources) == 0 {
		refuse(ShareEmpty, "", "the share holds nothing that can be seen yet: add a VPC origin to it")
	}
	resources := slices.Clone(s.Resources)
	slices.SortFunc(resources, func(a, b Resource) int { return strings.Compare(a.ARN, b.ARN) })
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
