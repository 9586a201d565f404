package admission

import (
	"slices"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// Stranger is an account that belongs to no team and sent an invitation, or has an open share with a VPC origin.
type Stranger struct {
	Account string
	At      time.Time // when the invitation was sent or the share was created
}

// Invited returns the sender of each invitation that comes from an account that belongs to no team.
func Invited(pending []origin.Invitation, p Policy) (strangers []Stranger) {
	for _, i := range pending {
		if _, known := p.TeamOf(i.Sender); !known {
			strangers = append(strangers, Stranger{i.Sender, i.Sent})
		}
	}
	return strangers
}

// between is the time from one sweep to the next, by their schedule: one of them is scheduled less than that after a full hour.
const between = 10 * time.Minute

// strangers reports what accounts that belong to no team offered, for information, as one event for each account and hour. Anybody can
// invite the hub any number of times, so nothing of it is written to the registry, raises an alarm, or is repeated in the event.
//
//	run                           offered in the hour before  then
//	no sweep, or a later one      any                         nothing
//	the first sweep of an hour    none                        nothing
//	the first sweep of an hour    some                        Share Refused, for each account with the number of its shares
func (r Round) strangers() outcome.Outcome {
	var o outcome.Outcome
	swept := r.Swept
	if swept.IsZero() {
		swept = r.Registry.Now
	}
	hour := swept.UTC().Truncate(time.Hour)
	if !r.Sweep || swept.Sub(hour) >= between {
		return o
	}
	shares := map[string]int{}
	var accounts []string
	for _, u := range slices.Concat(r.Invited, r.Strangers) {
		if u.At.Before(hour.Add(-time.Hour)) || !u.At.Before(hour) {
			continue
		}
		if shares[u.Account]++; shares[u.Account] == 1 {
			accounts = append(accounts, u.Account)
		}
	}
	slices.Sort(accounts)
	for _, account := range accounts {
		o.Count(contract.MetricRefusal, shares[account])
		o.Inform(contract.ShareRefused, "", outcome.Detail{Account: account}.Because([]Reason{because(ShareUnknownAccount, account,
			"account %s, which belongs to no team of the hub policy, offered %d shares to the hub between %s and %s UTC; the hub does not open or accept them: "+
				"add the account to a team if the hub may use its origins", account, shares[account], hour.Add(-time.Hour).Format("15:04"), hour.Format("15:04"))}))
	}
	return o
}
