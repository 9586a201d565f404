package workflow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

// asking is an origin that needs a place: its record as it was, nothing if it had none, and as it is to become.
type asking struct {
	at      int // in the run's records
	was, is origin.Record
	wiring.Request
}

// blind tells whether wire has not yet looked at a distribution of several: what it holds may be the very origins that are
// asked about, if the registry was lost.
func (r *admitRun) blind() bool {
	return r.unseen(func(d origin.Distribution) bool { return d.Unavailable.Code == "" }).Name != ""
}

// hides is a distribution of several that wire never could read, and that may hold the origins that are asked about: a
// registry without any origin may have been lost. The first record since then is written when all were seen, so that one
// with records knows what each of them holds.
func (r *admitRun) hides() origin.Distribution {
	if !r.empty {
		return origin.Distribution{}
	}
	return r.unseen(func(d origin.Distribution) bool { return d.Unavailable.Code != "" })
}

func (r *admitRun) unseen(such func(origin.Distribution) bool) origin.Distribution {
	if len(r.fleet) > 1 {
		for _, name := range r.fleet {
			if d := r.distribution(name); d.Seen.IsZero() && such(d) {
				return d
			}
		}
	}
	return origin.Distribution{}
}

func (r *admitRun) distribution(name string) origin.Distribution {
	return origin.Snapshot{Distributions: r.known}.Distribution(name)
}

// holder is the distribution that holds an origin which the registry, since it was lost, does not know; "" if none does.
func (r *admitRun) holder(id string) string {
	name := ""
	for _, d := range r.known {
		if slices.ContainsFunc(d.Strays, func(s origin.Ref) bool { return s.ID == id }) {
			name = d.Name
		}
	}
	return name
}

func (r *admitRun) ask(at int, was, is origin.Record) {
	a := asking{at: at, was: was, is: is, Request: wiring.Request{Record: is}}
	switch {
	case was.ID == "":
		a.Only = r.holder(is.ID)
		a.Seen = a.Only != ""
	case was.Placed(), len(was.Left) > 0 && slices.Contains(r.fleet, was.Distribution):
		a.Only = was.Distribution
	}
	r.asking = append(r.asking, a)
}

// place gives a place to what asks for one and to what has waited for one.
func (r *admitRun) place(ctx context.Context) error {
	for at, o := range r.records {
		asks := slices.ContainsFunc(r.asking, func(a asking) bool { return a.at == at })
		if o.Intent == origin.Wire && o.State == origin.Waiting && !asks {
			r.ask(at, o, o)
		}
	}
	if len(r.asking) == 0 {
		return nil
	}
	requests := make([]wiring.Request, len(r.asking))
	for i, a := range r.asking {
		requests[i] = a.Request
		if a.was.ID != "" {
			r.records[a.at] = a.was // what it holds now
		}
	}
	places := wiring.Places(requests, r.rooms())
	var failed []error
	for _, a := range r.asking {
		failed = append(failed, r.takePlace(ctx, a, places[a.is.ID]))
	}
	r.records = slices.DeleteFunc(r.records, unwritten) // they are nobody's state
	return errors.Join(failed...)
}

// unwritten tells whether the registry does not have the record.
func unwritten(o origin.Record) bool { return o.Version == 0 }

// rooms are the distributions as the registry knows them.
func (r *admitRun) rooms() []wiring.Room {
	names := slices.Clone(r.fleet)
	for _, d := range r.known {
		if !slices.Contains(names, d.Name) {
			names = append(names, d.Name)
		}
	}
	written := slices.DeleteFunc(slices.Clone(r.records), unwritten)
	var asked origin.Distribution // last: quotas are the account's, and one that is not made yet is not looked at
	for _, d := range r.known {
		if d.Asked.After(asked.Asked) {
			asked = d
		}
	}
	var rooms []wiring.Room
	for _, name := range names {
		d := r.distribution(name)
		room := wiring.Room{
			Name: name, Limits: r.Policy.Limits.Within(asked.Quotas()), Others: d.Others, Closed: !slices.Contains(r.fleet, name),
			Wildcard: wildcard(r.Policy, name), Aliases: d.Aliases,
			Records: origin.Snapshot{Records: written}.In(name),
		}
		if !room.Closed {
			room.Unavailable = d.Unavailable.Message
		}
		if d.Seen.IsZero() && r.Policy.Distribution.Base != nil {
			room.Others = wiring.Made()
		}
		rooms = append(rooms, room)
	}
	return rooms
}

// takePlace records an origin's place, or that it waits and why. What is wired already stays as it is if there is no room
// for what it claims now.
func (r *admitRun) takePlace(ctx context.Context, a asking, place wiring.Place) error {
	is, reasons := a.is, []origin.Reason{place.Why}
	switch {
	case place.Room == "" && a.Only != "":
		return r.refuse(ctx, contract.OriginWaits, is.ARN, Detail{Origin: is.ID, Account: is.Account, Team: is.Team},
			reasons)
	case place.Room == "":
		if a.was.State == origin.Waiting && origin.SameReasons(a.was.Reasons, reasons) && equal(a.was.Claim, is.Claim) {
			return nil
		}
		is.State = origin.Waiting
		is.Because(reasons...)
		r.alarm(contract.OriginWaits, is.ARN, about(is, "").Because(reasons))
		is.Remember(r.now, origin.DecidedDeferred, reasons, "")
		return r.put(ctx, a.at, is)
	}
	why := fmt.Sprintf("claims %s on %s", strings.Join(is.Claim.Hosts, ", "), strings.Join(is.Claim.Paths, ", "))
	if len(r.fleet) > 1 {
		why += "; its place is distribution " + place.Room
	}
	if is.State == origin.Waiting {
		is.State, is.Reasons = origin.Pending, nil
	}
	r.Meter.Count(contract.MetricOriginAdmitted, 1)
	r.say(contract.OriginAdmitted, is.ARN, about(is, why))
	remember(&is, r.now, origin.DecidedAdmitted, why)
	from := is.Distribution
	is.Distribution = place.Room
	if from == is.Distribution || is.Version == 0 {
		return r.put(ctx, a.at, is)
	}
	if err := r.publish(ctx); err != nil {
		return err
	}
	moved, err := r.Registry.MoveRecord(ctx, from, is)
	if err == nil {
		r.records[a.at] = moved
	}
	return err
}
