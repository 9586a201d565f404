package admission_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/origin"
)

// two returns a round with two observed distributions, each with capacity for that many behaviors.
func two(behaviors int, records ...origin.Record) admission.Round {
	r := round(records...)
	r.Policy.Distribution.Adopt = []string{"E1", "E2"}
	r.Policy.Limits.Behaviors = behaviors
	r.Registry.Distributions = append(r.Registry.Distributions, observed("E2"))
	return r
}

func on(distribution string, o origin.Record) origin.Record {
	o.Distribution = distribution
	return o
}

func TestPlace(t *testing.T) {
	is := live("team-a", accountA, "vo_1", "/team-a/x")
	full := live("team-b", accountB, "vo_2", "/team-b/x")
	waits := is
	waits.State = origin.Deferred
	waits.SetReasons(origin.Reason{
		Code: origin.DoesNotFit, Subject: "behaviors", Message: "another message",
	})
	waitsForOther := waits
	waitsForOther.SetReasons(origin.Reason{Code: origin.DoesNotFit, Subject: "aliases"})
	waitsInOther := on("E2", waits)
	otherShare := waits
	otherShare.Share = "share-closed"
	moved := claiming(waits, "/team-a/y")
	detached := is
	detached.Intent, detached.State = origin.Detach, origin.Detached
	detachedElsewhere := on("E3", detached)
	boundByHost := on("E2", detached)
	boundByHost.ReleasedHosts = []string{"old.example.com"}
	boundToNone := boundByHost
	boundToNone.Distribution = "E3"
	begun := detached
	begun.Teardown = &origin.Teardown{Value: "now", Requested: start, Due: start, Ended: false}
	detaching := begun
	detaching.State = origin.Detaching
	held := func(r *admission.Round) { r.Registry.Distributions[1].Orphans = []origin.Ref{is.Ref} }
	for name, c := range map[string]struct {
		round  admission.Round
		read   []admission.Reading
		change func(*admission.Round)
		events []string
		state  origin.State // of the record of vo_1 that is written, if one is
		place  string       // its distribution
		from   string
	}{
		"new": {
			round: two(1), read: []admission.Reading{tagged(is)}, events: []string{"Origin Admitted"}, state: origin.Pending, place: "main",
		},
		"new, and the first one is full": {
			round: two(1, full), read: []admission.Reading{tagged(is)}, events: []string{"Origin Admitted"}, state: origin.Pending, place: "E2",
		},
		"new, and all are full": {
			round: round(full), read: []admission.Reading{tagged(is)}, change: func(r *admission.Round) { r.Policy.Limits.Behaviors = 1 },
			events: []string{"Origin Deferred does-not-fit"}, state: origin.Deferred, place: "main",
		},
		"new, and a distribution holds it": {
			round: two(1, full), read: []admission.Reading{tagged(is)}, change: held,
			events: []string{"Origin Admitted"}, state: origin.Pending, place: "E2",
		},
		"new, and a full distribution holds it already": {
			round: two(1), read: []admission.Reading{tagged(is)},
			change: func(r *admission.Round) {
				held(r)
				r.Registry.Distributions[1].Others = origin.Size{Behaviors: 1}
			},
			events: []string{"Origin Admitted"}, state: origin.Pending, place: "E2",
		},
		"new, and the first one is unavailable": {
			round: two(2, full), read: []admission.Reading{tagged(is)},
			change: func(r *admission.Round) {
				r.Registry.Distributions[0].Unavailable = origin.Reason{Code: "denied", Message: "denied"}
			},
			events: []string{"Origin Admitted"}, state: origin.Pending, place: "E2",
		},
		"new, and a distribution holds it but another has its host": {
			round: two(3, live("team-a", accountA, "vo_2", "/team-a/2")), read: []admission.Reading{tagged(is)}, change: held,
			events: []string{"Origin Deferred does-not-fit"},
		},
		"waits for the same": {
			round: round(waits, full), change: func(r *admission.Round) { r.Policy.Limits.Behaviors = 1 },
		},
		"waits for the same, of another share": {
			round: round(otherShare, full), read: []admission.Reading{tagged(is)}, change: func(r *admission.Round) { r.Policy.Limits.Behaviors = 1 },
			state: origin.Deferred, place: "main",
		},
		"waits for the same, with another claim": {
			round: round(moved, full), read: []admission.Reading{tagged(is)}, change: func(r *admission.Round) { r.Policy.Limits.Behaviors = 1 },
			events: []string{"Origin Deferred does-not-fit"}, state: origin.Deferred, place: "main",
		},
		"waits for something else": {
			round: round(waitsForOther, full), change: func(r *admission.Round) { r.Policy.Limits.Behaviors = 1 },
			events: []string{"Origin Deferred does-not-fit"}, state: origin.Deferred, place: "main",
		},
		"has waited": {round: round(waits, full), events: []string{"Origin Admitted"}, state: origin.Pending, place: "main"},
		"has waited in another one": {
			round: two(1, waitsInOther), events: []string{"Origin Admitted"}, state: origin.Pending, place: "main", from: "E2",
		},
		"live, and its distribution has no capacity": {
			round: two(1, is), read: []admission.Reading{tagged(claiming(is, "/team-a/x", "/team-a/y"))}, events: []string{"Origin Deferred does-not-fit"},
		},
		"live, in one that policy no longer names": {
			round: two(2, on("E3", is)), read: []admission.Reading{tagged(claiming(is, "/team-a/y"))},
			change: func(r *admission.Round) { r.Registry.Distributions = append(r.Registry.Distributions, observed("E3")) },
			events: []string{"Origin Admitted"}, state: origin.Pending, place: "E3",
		},
		"back, elsewhere": {
			round: two(1, detachedElsewhere), read: []admission.Reading{tagged(is)}, events: []string{"Origin Admitted"}, state: origin.Pending, place: "main", from: "E3",
		},
		"back, where an old host leads": {
			round: two(1, boundByHost), read: []admission.Reading{tagged(is)}, events: []string{"Origin Admitted"}, state: origin.Pending, place: "E2",
		},
		"back, where an old host leads to one that policy no longer names": {
			round: two(1, boundToNone), read: []admission.Reading{tagged(is)}, events: []string{"Origin Admitted"}, state: origin.Pending, place: "main", from: "E3",
		},
		"back from its teardown": {
			round: two(1, begun), read: []admission.Reading{tagged(is)},
			events: []string{"Teardown Cancelled", "Origin Admitted"}, state: origin.Pending, place: "main",
		},
		"back from its teardown, and waits": {
			round: round(begun, full), read: []admission.Reading{tagged(is)}, change: func(r *admission.Round) { r.Policy.Limits.Behaviors = 1 },
			events: []string{"Teardown Cancelled", "Origin Deferred does-not-fit"}, state: origin.Deferred, place: "main",
		},
		"back from its teardown, and stays as it is": {
			round: two(1, detaching, full), read: []admission.Reading{tagged(is)}, events: []string{"Origin Deferred does-not-fit"},
		},
		"waits where an old host leads, and its new claim is refused": {
			round: func() admission.Round {
				o := on("E2", waits)
				o.ReleasedHosts = []string{"old.example.com"}
				return two(1, o, on("E2", full))
			}(),
			read: []admission.Reading{tagged(claiming(is, "/team-b/y"))}, events: []string{"Origin Refused claim-not-granted"},
		},
		"waits where an old host leads, and its tags cannot be read": {
			round: func() admission.Round {
				o := on("E2", waits)
				o.ReleasedHosts = []string{"old.example.com"}
				return two(1, o, on("E2", full))
			}(),
			read: []admission.Reading{{Offer: offered(is), Unreadable: true}}, events: []string{"Origin Refused claim-unreadable"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := with(c.round, c.read...)
			if c.change != nil {
				c.change(&r)
			}
			changes, _ := r.Decide(c.read)
			if diff := cmp.Diff(c.events, what(changes)); diff != "" {
				t.Error(diff)
			}
			var state origin.State
			place, from := "", ""
			for _, change := range changes {
				if change.Record != nil && change.Record.ID == is.ID {
					state, place, from = change.Record.State, change.Record.Distribution, change.From
				}
			}
			if state != c.state || place != c.place || from != c.from {
				t.Errorf("%s in %s, from %q", state, place, from)
			}
		})
	}
}

func TestAdmittedNamesTheDistributionOfAFleet(t *testing.T) {
	is := live("team-a", accountA, "vo_1", "/team-a/x")
	for want, r := range map[string]admission.Round{
		"vo_1 claims /team-a/x on team-a.example.com": round(),
		"vo_1 claims /team-a/x on team-a.example.com; its place is in distribution E-main, and function wire adds it next": two(0),
	} {
		changes, _ := with(r, tagged(is)).Decide([]admission.Reading{tagged(is)})
		o, event := *changes[0].Record, changes[0].Events[0]
		if event.Detail.Why != want || o.History[0].Why != want || event.Detail.Generation != 1 || event.Resource != is.ARN {
			t.Errorf("%q in its history, and %+v", o.History[0].Why, event)
		}
	}
}

// A distribution that does not exist yet needs capacity for what it is created with. Quotas are those of the account: the latest ones
// count for all distributions.
func TestCapacities(t *testing.T) {
	base := func(distributions ...origin.Distribution) admission.Round {
		r := round()
		r.Policy.Distribution = admission.Distribution{Create: max(1, len(distributions))}
		r.Registry.Distributions = distributions
		return r
	}
	asked := func(d origin.Distribution, origins int, others int) origin.Distribution {
		d.Quota, d.QuotaReadAt, d.Others = origin.Size{Origins: origins}, start, origin.Size{Origins: others}
		return d
	}
	limited := base()
	limited.Policy.Limits.Origins = 2
	read := []admission.Reading{tagged(live("team-a", accountA, "vo_1", "/team-a/x")), tagged(live("team-a", accountA, "vo_2", "/team-a/y"))}
	for name, c := range map[string]struct {
		round admission.Round
		want  []string // distributions, "" for none
	}{
		"exists, capacity for two":           {base(asked(observed("main"), 3, 1)), []string{"main", "main"}},
		"exists, capacity for one":           {base(asked(observed("main"), 3, 2)), []string{"main", ""}},
		"does not exist, the limit is two":   {limited, []string{"main", ""}},
		"the quota was read for another one": {base(asked(observed("main"), 1, 1), observed("main-2")), []string{"main-2", ""}},
	} {
		changes, _ := with(c.round, read...).Decide(read)
		var got []string
		for _, o := range records(changes) {
			if o.State == origin.Deferred {
				o.Distribution = ""
			}
			got = append(got, o.Distribution)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
