package admission

import (
	"slices"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// permitsOutside reports whether the accounts of a team may share from outside the organization of the hub.
func (p Policy) permitsOutside(t Team) bool { return p.Shares.External && t.Outside }

func outside(account string, t Team) Reason {
	return because(ShareOutside, account, "account %s of %s is outside the organization of the hub, as RAM reports it: if it may share with the hub nevertheless, write "+
		"shares.external: allow, and external: true for %s, in the hub policy; otherwise remove the account from the hub policy", account, t.Name, t.Name)
}

func unknownMembership(account string, t Team) Reason {
	return because(MembershipUnknown, account, "RAM does not report reliably whether account %s of %s is still in the organization of the hub, so what the hub "+
		"admitted from it stays, and nothing new is admitted: run aws ram list-principals --resource-owner OTHER-ACCOUNTS in the account of the hub; if the account left the "+
		"organization, remove it from the hub policy, or write shares.external: allow, and external: true for %s", account, t.Name, t.Name)
}

// Members returns the open shares with what RAM reports about their owners, by ARN of the share. AWS documents the answer in two ways, which
// contradict each other (RAM-15). So answers that contradict the policy for every account, and for more than one, count for nothing: more
// likely the answer means something else than all teams having left at once.
//
//	accounts for which answer and policy agree  accounts for which they do not  then
//	one or more                                 any                             answers count
//	none                                        none or one                     answers count
//	none                                        several                         all are unknown
func Members(open []origin.Share, reported map[string]origin.Membership, p Policy) []origin.Share {
	agree, contradict := map[string]bool{}, map[string]bool{}
	members := slices.Clone(open)
	for i := range members {
		s := &members[i]
		s.Membership = reported[s.ARN]
		team, known := p.TeamOf(s.Owner)
		switch {
		case !known || s.Membership == origin.MembershipUnknown:
		case p.permitsOutside(team) == (s.Membership == origin.Outside):
			agree[s.Owner] = true
		default:
			contradict[s.Owner] = true
		}
	}
	if len(agree) == 0 && len(contradict) > 1 {
		for i := range members {
			members[i].Membership = origin.MembershipUnknown
		}
	}
	return members
}

// denied returns why an origin may not stay, because each share that contains it is refused for the membership of its owner, and whether that
// is so. A share with another defect denies nothing: what was admitted through it stays.
func (r Round) denied(id string) (Reason, bool) {
	reason, denied := r.Denied[id]
	return reason, denied && !r.look().offered[id]
}

// members returns the changes that report, once, the accounts of which a sweep does not know whether they may stay.
func (r Round) members() []Change {
	const what = "membership"
	switch {
	case !r.Sweep:
		return nil
	case len(r.Unknown) == 0:
		return forget(r.Registry.Refusals, what)
	}
	var reasons []Reason
	for _, account := range r.Unknown {
		team, _ := r.Policy.TeamOf(account)
		reasons = append(reasons, unknownMembership(account, team))
	}
	return refuse(r.Registry.Refusals, contract.MembershipUnknown, what, outcome.Detail{}, reasons)
}
