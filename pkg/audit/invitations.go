package audit

import (
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
)

// unrelated reports whether function admit opened an invitation and found no VPC origin.
func (o Observed) unrelated(invitation string) bool {
	return origin.HasCode(o.Refusals[invitation], origin.ShareUnrelated)
}

// guardInvitation judges the rejection of an invitation. A call of another account than the hub's is forged.
//
//	contents of its share         RAM lists it as rejected  sender      finding
//	no VPC origin, as admit saw   -                         -           none
//	any other                     no                        -           none
//	any other                     yes                       unknown     none
//	any other                     yes                       of a team   invitation-rejected
func (o Observed) guardInvitation(c inbound.CallHint) Judgement {
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
		Risk: "the invitation of account " + i.Sender + " to share " + i.Name + " was rejected by hand, so that the hub cannot wire what the share contains; if it contains " +
			"VPC origins, share them with account " + o.Account + " again, in a new share in account " + i.Sender,
	}}}
}
