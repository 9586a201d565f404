package audit

import (
	"slices"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
)

// unrelated reports whether function admit opened an invitation and found no VPC origin.
func (o Observed) unrelated(invitation string) bool {
	return origin.HasCode(o.Refusals[invitation], origin.ShareUnrelated)
}

// guardRejection judges the rejection of an invitation. A call of another account than the hub's is forged.
//
//	contents of its share         RAM lists it as rejected  sender      finding
//	no VPC origin, as admit saw   -                         -           none
//	any other                     no                        -           none
//	any other                     yes                       unknown     none
//	any other                     yes                       of a team   invitation-rejected
func (o Observed) guardRejection(c inbound.CallHint) Judgement {
	i := o.Invitation
	team := o.team(i.Sender)
	switch {
	case c.Account != o.Account:
		return forged("account %s cannot reject an invitation to the hub", c.Account)
	case o.unrelated(c.Target):
		return harmless("the share of invitation %s contains no VPC origin", c.Target)
	case i.ARN == "":
		return harmless("RAM does not list invitation %q as rejected", c.Target)
	case team == "":
		return harmless("account %s, which sent the invitation, belongs to no team", i.Sender)
	}
	return Judgement{Verdict: Found, Findings: []Finding{{
		Kind: InvitationRejected, Subject: i.Share, Account: i.Sender, Team: team, Alarm: true,
		Risk: "the invitation of account " + i.Sender + " to share " + i.Share + " was rejected by hand, so that the hub cannot wire what the share contains; if it contains " +
			"VPC origins, share them with account " + o.Account + " again, in a new share in account " + i.Sender,
	}}}
}

// guardAcceptance judges an acceptance of an invitation that function admit did not make. A call of another account than the hub's is
// forged. What is in the share is decided as for any other share, so that nobody gets in without a grant of the policy.
//
//	contents of its share         RAM lists it as accepted  sender      finding
//	no VPC origin                 -                         -           none
//	a VPC origin                  no                        -           none
//	a VPC origin                  yes                       unknown     invitation-accepted, without an alarm: the hub wires nothing
//	a VPC origin                  yes                       of a team   invitation-accepted, without an alarm
func (o Observed) guardAcceptance(c inbound.CallHint) Judgement {
	i := o.Invitation
	switch {
	case c.Account != o.Account:
		return forged("account %s cannot accept an invitation to the hub", c.Account)
	case i.ARN == "":
		return harmless("RAM does not list invitation %q as accepted, or its share contains no VPC origin", c.Target)
	case !slices.ContainsFunc(o.Offered, func(r origin.Resource) bool { return r.Share == i.Share && r.Type == admission.VPCOrigin }):
		return harmless("share %s contains no VPC origin", i.Share)
	}
	f := Finding{Kind: InvitationAccepted, Subject: i.Share, Account: i.Sender, Team: o.team(i.Sender)}
	f.Risk = "the invitation of account " + i.Sender + " to share " + i.Share + " was accepted by hand; "
	if f.Team == "" {
		f.Risk += "the account belongs to no team of the hub policy, so that the hub wires nothing of the share: if nobody needs it, have account " + i.Sender +
			" remove account " + o.Account + " from the share"
	} else {
		f.Risk += "the hub wires what the policy grants to " + f.Team
	}
	return Judgement{Verdict: Found, Findings: []Finding{f}}
}
