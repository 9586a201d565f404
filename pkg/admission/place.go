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

// request is an origin that is to be wired as it is, and needs a place for that.
type request struct {
	was   origin.Record // as the registry has it
	known bool          // the registry has it
	is    origin.Record
	said  outcome.Outcome // what else is said once it has its place, or waits for one
	Only  string          // the distribution that it cannot leave; "" for none
	Seen  bool            // Only holds it without a record
}

// stays reports whether there is no place for what an origin asks for where it cannot leave.
func (q request) stays(place wiring.Place) bool { return place.Distribution == "" && q.Only != "" }

// bound returns the distribution that an origin cannot leave, and whether it is there without a record.
//
//	record                                             bound to
//	none, and a distribution holds the origin          that one
//	in a distribution, or on its way there             that one
//	in none, but hosts that it gave up still lead to   that one
//	one that policy names
//	else                                               none
func (r Round) bound(was origin.Record, known bool, is origin.Record) (only string, seen bool) {
	switch {
	case !known:
		only = r.holder(is.ID)
		return only, only != ""
	case was.Placed(), len(was.ReleasedHosts) > 0 && slices.Contains(r.Policy.Distribution.Fleet(), was.Distribution):
		return was.Distribution, false
	}
	return "", false
}

// holder returns the distribution that holds an origin which the registry, since it was lost, does not know; "" if none does.
func (r Round) holder(id string) string {
	name := ""
	for _, d := range r.Registry.Distributions {
		if slices.ContainsFunc(d.Orphans, func(s origin.Ref) bool { return s.ID == id }) {
			name = d.Name
		}
	}
	return name
}

// waiting returns requests for what waited for a place before this round.
func (r Round) waiting(asking []request, withdrawn map[string]bool) []request {
	var out []request
	for _, o := range r.Registry.Records {
		asks := slices.ContainsFunc(asking, func(q request) bool { return q.is.ID == o.ID })
		if o.Intent == origin.Wire && o.State == origin.Deferred && !asks && !withdrawn[o.ID] {
			q := request{known: true, was: o, is: o}
			q.Only, q.Seen = r.bound(o, true, o)
			out = append(out, q)
		}
	}
	return out
}

// places gives each request a place, by origin.
func (r Round) places(asking []request) map[string]wiring.Place {
	if len(asking) == 0 {
		return nil
	}
	requests := make([]wiring.Request, len(asking))
	for i, q := range asking {
		requests[i] = wiring.Request{Record: q.is, Only: q.Only, Orphaned: q.Seen}
	}
	return wiring.Places(requests, r.rooms())
}

// rooms returns the distributions as the registry knows them: those that policy names in the order in which they are filled,
// and then others that have or had origins.
func (r Round) rooms() []wiring.Capacity {
	fleet := r.Policy.Distribution.Fleet()
	names := slices.Clone(fleet)
	var asked origin.Distribution // last: quotas are the account's, and one that is not made yet is not observed
	for _, d := range r.Registry.Distributions {
		if !slices.Contains(names, d.Name) {
			names = append(names, d.Name)
		}
		if d.QuotaReadAt.After(asked.QuotaReadAt) {
			asked = d
		}
	}
	rooms := make([]wiring.Capacity, len(names))
	for i, name := range names {
		d := r.Registry.Distribution(name)
		rooms[i] = wiring.Capacity{
			Name: name, Limits: r.Policy.Limits.Within(asked.Quotas()), Others: d.Others, Closed: !slices.Contains(fleet, name),
			Wildcard: r.Policy.HasWildcard(name), Aliases: d.OtherAliases, Records: r.Registry.In(name),
		}
		if !rooms[i].Closed {
			rooms[i].Unavailable = d.Unavailable.Message
		}
		if d.ObservedAt.IsZero() && r.Policy.Distribution.Create > 0 {
			rooms[i].Others = wiring.BaseSize()
		}
	}
	return rooms
}

// settle decides what becomes of a request by its place.
//
//	place  bound  record                          then
//	none   yes    any                             Origin Deferred, once; the record stays as it is
//	none   no     waits for the same reasons      nothing; its share, if that has changed
//	none   no     other                           waiting; Origin Deferred
//	some   any    any                             pending, or as it was if nothing but its team's name has changed; Origin Admitted
//
// A record of another distribution than the place moves there.
func (r Round) settle(q request, place wiring.Place) []Change {
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
		c := Change{Outcome: q.said}
		if !q.known {
			is.Distribution = r.Policy.Distribution.Fleet()[0]
		}
		is.State = origin.Deferred
		is.SetReasons(reasons...)
		c.Alarm(contract.OriginDeferred, is.ARN, outcome.About(is, "").Because(reasons))
		is.Remember(r.Registry.Now, origin.DecidedDeferred, reasons, "")
		c.Record = &is
		return []Change{c}
	}
	why := fmt.Sprintf("claims %s on %s", strings.Join(is.Claim.Hosts, ", "), strings.Join(is.Claim.Paths, ", "))
	if len(r.Policy.Distribution.Fleet()) > 1 {
		why += "; its place is distribution " + place.Distribution
	}
	if is.State == origin.Deferred {
		is.State, is.Reasons = origin.Pending, nil
	}
	c := Change{Outcome: q.said}
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
