package admission

import (
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/origin"
)

// VPCOrigin is the resource type of VPC origins in RAM, the only type that the hub accepts
// (https://docs.aws.amazon.com/ram/latest/userguide/shareable.html).
const VPCOrigin = "cloudfront:VpcOrigin"

// ShareDecision is the decision about a share.
type ShareDecision struct {
	Accept    bool
	Unrelated bool         // contains resources, but no VPC origin; it is neither accepted nor refused
	Reasons   []Reason     // every reason against it
	Origins   []origin.Ref // the origins in an accepted share, sorted by id
}

// Waits reports whether the share has to be observed again before it can be decided.
func (d ShareDecision) Waits() bool { return !d.Accept && allWait(d.Reasons) }

// DecideShare decides whether share s is permitted, whose resources are given. Invited means that s is an invitation, and so came
// from outside the organization; a share without an invitation is in force already, and the decision is whether its origins are
// considered.
//
//	sender     way in         resources                               verdict
//	any        any            some, and no VPC origin                 unrelated
//	unknown    any            any                                     refused
//	known      any            none                                    waits
//	known      invitation     a VPC origin, shares.external deny      refused
//	known      any            a VPC origin, and another type          refused
//	known      any            an origin of another account            refused
//	known      any            origins of the sender only              accepted
//
// and a share that is in force, of a known sender:
//
//	the policy permits it outside the organization  RAM reports it  then
//	yes                                             any             as above
//	no                                              inside          as above
//	no                                              outside         refused
//	no                                              unknown         waits: what was admitted stays, and nothing new is admitted
//
// An unrelated share has nothing to do with the hub: other people share transit gateways, subnets and parameters with the same account.
func DecideShare(s origin.Share, invited bool, resources []origin.Resource, p Policy) ShareDecision {
	var d ShareDecision
	refuse := func(c Code, subject, format string, args ...any) {
		d.Reasons = append(d.Reasons, because(c, subject, format, args...))
	}
	if d.Unrelated = len(resources) > 0 && !slices.ContainsFunc(resources, isVPCOrigin); d.Unrelated {
		return d
	}
	team, known := p.TeamOf(s.Owner)
	if !known {
		refuse(ShareUnknownAccount, s.Owner, "account %s belongs to no team of the hub policy: add the account to a team if the hub may use its origins", s.Owner)
		return d // the resources make no difference
	}
	if len(resources) == 0 {
		refuse(ShareEmpty, "", "the share contains no resource that the hub can observe yet: add a VPC origin to the share")
		return d // it may become unrelated
	}
	if invited && !p.Shares.External {
		refuse(ShareExternal, "", "the share of account %s (%s) arrived as an invitation, and the hub policy denies external shares: "+
			"if account %s is in your organization, run aws ram enable-sharing-with-aws-organization in the management account, and let the team "+
			"share again; otherwise set shares.external to allow in the hub policy", s.Owner, team.Name, s.Owner)
	}
	if !invited && !p.permitsOutside(team) {
		switch s.Membership {
		case origin.Outside:
			d.Reasons = append(d.Reasons, outside(s.Owner, team))
		case origin.MembershipUnknown:
			d.Reasons = append(d.Reasons, unknownMembership(s.Owner, team))
		case origin.Inside:
		}
	}
	resources = slices.Clone(resources)
	slices.SortFunc(resources, func(a, b origin.Resource) int { return strings.Compare(a.ARN, b.ARN) })
	for _, r := range slices.Compact(resources) {
		if !isVPCOrigin(r) {
			refuse(ShareOtherType, r.ARN, "the share also contains %s (%s): share VPC origins with the hub in a share that contains nothing else",
				r.ARN, r.Type)
			continue
		}
		ref, err := origin.ParseARN(r.ARN)
		switch {
		case err != nil:
			refuse(ShareBadARN, r.ARN, "the share contains a VPC origin whose ARN is invalid: %v; remove it from the share", err)
		case ref.Account != s.Owner:
			refuse(ShareOtherOwner, ref.ID, "%s belongs to account %s, and account %s shares it: have account %s share it",
				ref.ID, ref.Account, s.Owner, ref.Account)
		default:
			d.Origins = append(d.Origins, ref)
		}
	}
	if d.Accept = len(d.Reasons) == 0; !d.Accept {
		d.Origins = nil
	}
	return d
}

func isVPCOrigin(r origin.Resource) bool { return r.Type == VPCOrigin }
