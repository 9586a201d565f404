package admission

import (
	"slices"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// withdraw returns the changes for origins that may no longer be wired, and the ids of these origins. A request counts with its new
// record, unless its origin stays as it is.
//
//	origin            offered or visible  policy and earlier claims  then
//	to be wired       yes                 permit it                  stays, unless it is denied
//	any               denied: only in shares of outsiders  any       withdrawn: its owner is outside the organization
//	to be wired       no                  any                        withdrawn: not shared
//	to be wired       yes                 do not permit it           withdrawn: the reasons of Settle
//	orphan            yes                 -                          stays: it is decided by its claim
//	orphan            no                  -                          withdrawn, unless a distribution is uncertain
//	cannot be read    any                 -                          the outcome of withdrawDamaged
//
// An origin counts as not shared only if both RAM and CloudFront do not return it, so that an empty response from one of them does
// not interrupt the service of a team. An orphan that is no longer shared has to be removed because CloudFront refuses every update
// of its distribution, for any team (CF-03). Its claim is unknown, so its alias and its DNS record stay.
func (r Round) withdraw(asking []request, stays map[string]bool) (changes []Change, withdrawn map[string]bool) {
	withdrawn = map[string]bool{}
	drop := func(o origin.Record, reasons ...Reason) {
		withdrawn[o.ID] = true
		o.Intent = origin.Detach
		o.SetReasons(reasons...)
		o.Remember(r.Registry.Now, origin.DecidedWithdrawn, reasons, "")
		c := Change{Record: &o}
		c.Alarm(contract.OriginWithdrawn, o.ARN, outcome.About(o, "").Because(reasons))
		changes = append(changes, c)
	}
	is := newClaims(r.Policy, r.Registry.Records)
	for _, q := range asking {
		if !stays[q.is.ID] {
			is.replace(q.is)
		}
	}
	records := is.records
	for _, o := range records {
		if reason, leaves := r.mayNotStay(o.ID); leaves && o.Intent == origin.Wire {
			drop(o, reason)
		}
	}
	if r.uncertain().Name == "" {
		for _, d := range r.Registry.Distributions {
			for _, s := range d.Orphans {
				reason, leaves := r.mayNotStay(s.ID)
				if _, known := r.Registry.Find(s.ID); leaves && !known && !r.Registry.IsDamaged(s.ID) && !withdrawn[s.ID] && s.ARN != "" {
					team, _ := r.Policy.TeamOf(s.Account)
					drop(origin.Record{Ref: s, Distribution: d.Name, Team: team.Name, State: origin.Wired, Generation: 1}, reason)
				}
			}
		}
	}
	records = slices.DeleteFunc(records, func(o origin.Record) bool { return withdrawn[o.ID] })
	for _, dropped := range Settle(records, r.Policy) {
		drop(dropped.Record, dropped.Reasons...)
	}
	return append(changes, r.withdrawDamaged()...), withdrawn
}

// mayNotStay returns why an origin may not stay wired, whatever it claims, and whether that is so.
func (r Round) mayNotStay(id string) (Reason, bool) {
	if reason, denied := r.denied(id); denied {
		return reason, true
	}
	return notShared(id), r.unshared(id)
}

// notShared returns the reason for which an unshared origin is withdrawn.
func notShared(id string) Reason {
	return because(OriginNotShared, "", "%s is no longer shared with the hub: share it again to have it wired again", id)
}

// unshared reports whether neither RAM nor CloudFront returns an origin as shared with the hub.
func (r Round) unshared(id string) bool {
	_, visible := r.shown(id)
	return !visible && !r.look().offered[id]
}
