package admission

import (
	"fmt"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
	"github.com/originhub/originhub/pkg/wiring"
)

// request is an origin that is to be wired with its claim, and needs a place in a distribution.
type request struct {
	was      origin.Record   // the record in the registry
	known    bool            // the registry has a record
	is       origin.Record   // the new record
	refused  []Reason        // what was refused of the origin before, and is permitted now
	earlier  outcome.Outcome // what was decided before the place
	bound    string          // the distribution that the origin cannot leave; "" for none
	orphaned bool            // bound contains the origin, and there is no record
}

// stays reports whether an origin stays as it is, since the distribution that it cannot leave has no capacity for the request.
func (q request) stays(place wiring.Place) bool { return place.Distribution == "" && q.bound != "" }

// bound returns the distribution that an origin cannot leave, and whether that distribution contains it without a record.
//
//	record                                                      bound to
//	none, and a distribution contains the origin                that one
//	placed in a distribution                                    that one
//	not placed, with released hosts in a distribution that the
//	hub policy names                                            that one
//	else                                                        none
func (r Round) bound(was origin.Record, known bool, is origin.Record) (distribution string, orphaned bool) {
	switch {
	case !known:
		distribution = r.holder(is.ID)
		return distribution, distribution != ""
	case was.Placed(), len(was.ReleasedHosts) > 0 && r.look().inFleet[was.Distribution]:
		return was.Distribution, false
	}
	return "", false
}

// holder returns the distribution that contains an origin without a record, because the registry was lost; "" if none does.
func (r Round) holder(id string) string { return r.look().holders[id] }

// waiting returns requests for the origins that were deferred before this round.
func (r Round) waiting(asking []request, withdrawn map[string]bool) []request {
	asks := map[string]bool{}
	for _, q := range asking {
		asks[q.is.ID] = true
	}
	var out []request
	for _, o := range r.Registry.Records {
		if o.WaitsForCapacity() && !asks[o.ID] && !withdrawn[o.ID] && !r.suspends(o.Ref) {
			q := request{known: true, was: o, is: o}
			q.bound, q.orphaned = r.bound(o, true, o)
			out = append(out, q)
		}
	}
	return out
}

// places returns the place of each request, by the id of its origin.
func (r Round) places(asking []request) map[string]wiring.Place {
	if len(asking) == 0 {
		return nil
	}
	requests := make([]wiring.Request, len(asking))
	for i, q := range asking {
		requests[i] = wiring.Request{Record: q.is, Only: q.bound, Orphaned: q.orphaned}
	}
	return wiring.Places(requests, r.capacities())
}

// capacities returns the capacities of the distributions in the registry: first those that the hub policy names, in the order in which
// they are filled, and then others that have or had origins.
func (r Round) capacities() []wiring.Capacity {
	inFleet, names := r.look().inFleet, slices.Clone(r.look().fleet)
	// Quotas are those of the account. The latest ones count for each distribution, since one that does not exist yet has none.
	var asked origin.Distribution
	for _, d := range r.Registry.Distributions {
		if !inFleet[d.Name] {
			names = append(names, d.Name)
		}
		if d.QuotaReadAt.After(asked.QuotaReadAt) {
			asked = d
		}
	}
	list := make([]wiring.Capacity, len(names))
	for i, name := range names {
		d := r.Registry.Distribution(name)
		list[i] = wiring.Capacity{
			Name: name, Title: d.Title(), Limits: r.Policy.Limits.Within(asked.Quotas()), Others: d.Others, Closed: !inFleet[name],
			Wildcard: r.Policy.HasWildcard(name), Aliases: d.OtherAliases, Records: r.Registry.In(name),
		}
		if !list[i].Closed {
			list[i].Unavailable = d.Unavailable.Message
		}
		if d.ObservedAt.IsZero() && r.Policy.Distribution.Create > 0 {
			list[i].Others = wiring.BaseSize()
		}
	}
	return list
}

// settle returns the changes for a request by its place.
//
//	place  bound  record                          then
//	none   yes    any                             Origin Deferred, once; the record stays as it is
//	none   no     deferred for the same reasons   nothing, or only the new share
//	none   no     other                           deferred; Origin Deferred
//	some   any    any                             pending, or the same state if only the team's name has changed; Origin Admitted
//
// A record in another distribution than its place moves there. What was refused before and is permitted now is forgotten unless the record
// stays, and Origin Admitted says what it was.
func (r Round) settle(q request, place wiring.Place) []Change {
	changes := r.place(q, place)
	if len(q.refused) > 0 && !q.stays(place) {
		changes = append(changes, forget(r.Registry.Refusals, q.is.ARN)...)
	}
	return changes
}

// place returns the change of a request's record according to the table of settle.
func (r Round) place(q request, place wiring.Place) []Change {
	is, reasons := q.is, []Reason{place.Why}
	switch {
	case q.stays(place):
		return refuse(r.Registry.Refusals, contract.OriginDeferred, is.ARN, outcome.Detail{Origin: is.ID, Account: is.Account, Team: is.Team}, reasons)
	case place.Distribution == "" && q.known && q.was.State == origin.Deferred && origin.SameReasons(q.was.Reasons, reasons) && sameClaim(q.was.Claim, is.Claim):
		if is.Share == q.was.Share {
			return nil
		}
		return []Change{{Record: &is}}
	case place.Distribution == "":
		c := Change{Outcome: q.earlier}
		if !q.known {
			is.Distribution = r.look().fleet[0]
		}
		is.State = origin.Deferred
		is.SetReasons(reasons...)
		c.Alarm(contract.OriginDeferred, is.ARN, outcome.About(is, "").Because(reasons))
		is.Remember(r.Registry.Now, origin.DecidedDeferred, reasons, "")
		c.Record = &is
		return []Change{c}
	}
	why := fmt.Sprintf("%s claims %s on %s", is.ID, strings.Join(is.Claim.Paths, ", "), strings.Join(is.Claim.Hosts, ", "))
	if len(r.look().fleet) > 1 {
		why += "; its place is in " + r.Registry.Distribution(place.Distribution).Title()
		if place.Distribution != q.bound && !r.Policy.Distribution.DryRun {
			why += ", and function wire adds it next"
		}
	}
	why += r.before(q)
	if len(q.refused) > 0 {
		why += "; the earlier refusal no longer applies (" + facts(q.refused) + ")"
	}
	if is.State == origin.Deferred {
		is.State, is.Reasons = origin.Pending, nil
	}
	c := Change{Outcome: q.earlier}
	c.Count(contract.MetricOriginAdmitted, 1)
	c.Inform(contract.OriginAdmitted, is.ARN, outcome.About(is, why))
	is.Remember(r.Registry.Now, origin.DecidedAdmitted, nil, why)
	is.Distribution = place.Distribution
	if q.known && q.was.Distribution != place.Distribution {
		c.From = q.was.Distribution
	}
	c.Record = &is
	return []Change{c}
}

// before returns what Origin Admitted adds about the claim that the record of a wired origin had until now.
//
//	record       claim until now           adds
//	none         -                         nothing
//	not wired    any                       nothing
//	to be wired  the same                  nothing
//	to be wired  another, permitted        that claim
//	to be wired  another, not permitted    that claim, and that the registry may have been changed
func (r Round) before(q request) string {
	if !q.known || q.was.Intent != origin.Wire || sameClaim(q.was.Claim, q.is.Claim) {
		return ""
	}
	says := fmt.Sprintf("; until now its record had the claim to %s on %s", strings.Join(q.was.Claim.Paths, ", "), strings.Join(q.was.Claim.Hosts, ", "))
	if team, known := r.Policy.TeamOf(q.was.Account); known && len(permitted(q.was.ID, q.was.Claim, team, r.Policy)) > 0 {
		says += ", which the hub policy does not permit; if neither the policy nor a tag was changed, find out who wrote to the registry"
	}
	return says
}

// facts returns the messages of reasons without their advice, which follows a colon.
func facts(reasons []Reason) string {
	out := make([]string, len(reasons))
	for i, r := range reasons {
		out[i], _, _ = strings.Cut(r.Message, ": ")
	}
	return strings.Join(out, "; ")
}
