package wiring_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
	"github.com/originhub/originhub/pkg/wiring"
)

func ago(d time.Duration) time.Time { return now.Add(-d) }

// One case for each row of Permit's tables.
func TestPermit(t *testing.T) {
	const s = time.Second
	sent := func(urgent bool, before ...time.Duration) (all []origin.SentUpdate) {
		for _, d := range before {
			all = append(all, origin.SentUpdate{Distribution: "other", Urgent: urgent, At: ago(d)})
		}
		return all
	}
	waits := func(name string, urgent bool, since, due time.Duration) origin.WaitingUpdate {
		return origin.WaitingUpdate{Distribution: name, Urgent: urgent, Since: ago(since), Due: now.Add(due)}
	}
	type waiting = []origin.WaitingUpdate
	for name, c := range map[string]struct {
		budget    int
		sent      []origin.SentUpdate
		waiting   waiting
		throttled time.Duration // ago; 0 if never
		urgent    bool
		again     bool // CloudFront has just throttled the update
		wait      time.Duration
	}{
		"the first":                                    {budget: 2},
		"the second":                                   {budget: 2, sent: sent(false, 0)},
		"the third in the window":                      {budget: 2, sent: sent(false, 60*s, 10*s), wait: 5 * s},
		"the third after it":                           {budget: 2, sent: sent(false, 65*s, 10*s)},
		"a lower budget than before":                   {budget: 1, sent: sent(false, 65*s, 10*s), wait: 55 * s},
		"behind one that waits":                        {budget: 2, sent: sent(false, 40*s, 10*s), waiting: waiting{waits("a", false, 9*s, 25*s)}, wait: 55 * s},
		"room for both":                                {budget: 2, waiting: waiting{waits("a", false, 9*s, 25*s)}},
		"longest waiting of all":                       {budget: 2, sent: sent(false, 65*s, 10*s), waiting: waiting{waits("own", false, 9*s, 0), waits("a", false, 8*s, 0)}},
		"behind one that is late":                      {budget: 2, sent: sent(false, 65*s, 10*s), waiting: waiting{waits("a", false, 90*s, -60*s)}, wait: 55 * s},
		"behind one that never came":                   {budget: 2, sent: sent(false, 65*s, 10*s), waiting: waiting{waits("a", false, 90*s, -61*s)}},
		"late itself":                                  {budget: 2, sent: sent(false, 65*s, 10*s), waiting: waiting{waits("own", false, 99*s, -61*s), waits("a", false, 8*s, 0)}, wait: 55 * s},
		"urgent goes before ordinary":                  {budget: 2, sent: sent(false, 65*s, 10*s), waiting: waiting{waits("a", false, 90*s, 0)}, urgent: true},
		"ordinary waits for urgent":                    {budget: 2, sent: sent(false, 65*s, 10*s), waiting: waiting{waits("a", true, 0, 0)}, wait: 55 * s},
		"urgent waits for longer urgent":               {budget: 2, sent: sent(false, 65*s, 10*s), waiting: waiting{waits("a", true, 8*s, 0)}, urgent: true, wait: 55 * s},
		"urgent, but the last was, too":                {budget: 2, sent: sent(true, 65*s, 10*s), waiting: waiting{waits("a", false, 8*s, 0)}, urgent: true, wait: 55 * s},
		"the last was urgent, and nobody else waits":   {budget: 2, sent: sent(true, 65*s, 10*s), urgent: true},
		"ordinary, after one urgent":                   {budget: 2, sent: sent(true, 65*s, 10*s), waiting: waiting{waits("a", true, 8*s, 0)}},
		"ordinary, after one urgent of three":          {budget: 3, sent: append(sent(false, 65*s, 11*s), sent(true, 10*s)...), waiting: waiting{waits("a", true, 8*s, 0)}, wait: 54 * s},
		"ordinary, after two urgent of three":          {budget: 3, sent: append(sent(false, 65*s), sent(true, 11*s, 10*s)...), waiting: waiting{waits("a", true, 8*s, 0)}},
		"a budget of one takes turns":                  {budget: 1, sent: sent(true, 65*s), waiting: waiting{waits("a", true, 8*s, 0)}},
		"throttled just now":                           {budget: 2, sent: sent(false, 0), again: true, wait: 60 * s},
		"throttled half a minute ago":                  {budget: 2, sent: sent(false, 200*s, 30*s), throttled: 30 * s, wait: 30 * s},
		"throttled two minutes ago, window twice":      {budget: 2, sent: sent(false, 120*s, 60*s), throttled: 120 * s, wait: 10 * s},
		"throttled two minutes ago, and few were sent": {budget: 2, sent: sent(false, 120*s), throttled: 120 * s},
		"the slow time ends":                           {budget: 2, sent: sent(false, 70*s, 60*s), throttled: 290 * s, wait: 10 * s},
		"the slow time is over":                        {budget: 2, sent: sent(false, 70*s, 60*s), throttled: 300 * s},
		"a clock that is behind":                       {budget: 1, sent: sent(false, -2*s), wait: 65 * s},
		"no sooner than a message can come":            {budget: 1, sent: sent(false, 0), waiting: queueOf(20), wait: 15 * time.Minute},
	} {
		u := origin.Updates{Sent: c.sent, Waiting: c.waiting, Version: 7}
		if c.throttled > 0 {
			u.Throttled = ago(c.throttled)
		}
		pace := wiring.Pace{PerMinute: c.budget, Late: time.Minute}
		after, wait := pace.Permit(u, wiring.AskForUpdate{Distribution: "own", Urgent: c.urgent, Throttled: c.again}, now)
		if wait != c.wait || after.Version != 7 || after.Throttled.Equal(now) != c.again {
			t.Errorf("%s: waits %v, want %v; %+v", name, wait, c.wait, after)
		}
		in := slices.ContainsFunc(after.Waiting, func(w origin.WaitingUpdate) bool { return w.Distribution == "own" })
		last := append([]origin.SentUpdate{{}}, after.Sent...)[len(after.Sent)]
		if counted := last.Distribution == "own" && !last.At.Before(now); in != (wait > 0) || counted != (wait == 0) || len(after.Sent) > max(c.budget, len(c.sent)) {
			t.Errorf("%s: %+v", name, after)
		}
	}
}

// queueOf is so many distributions that wait.
func queueOf(n int) (all []origin.WaitingUpdate) {
	for i := range n {
		all = append(all, origin.WaitingUpdate{Distribution: fmt.Sprint(i), Since: ago(time.Minute), Due: now})
	}
	return all
}

// traffic simulates distributions that ask for updates, through Permit alone. Times are since the beginning.
type traffic struct {
	pace    wiring.Pace
	state   origin.Updates
	asks    []asking             // what is due, in no order
	jitter  func() time.Duration // between the time when a distribution should ask again and when it does
	latency func() time.Duration // between the permission and the call
	sent    []time.Duration      // calls of UpdateDistribution
	end     func(a asking, at time.Duration) (again *asking)
}

// asking is a distribution that asks.
type asking struct {
	at, since    time.Duration
	distribution string
	urgent       bool
	throttled    bool
	dies         bool // when it has been permitted, or does not ask again
	throttle     bool // CloudFront throttles the update
	ahead        int  // how many waited when it asked first
}

// run lets the distributions ask until nobody asks any more, or until the time is over.
func (f *traffic) run(until time.Duration) {
	for len(f.asks) > 0 {
		next := 0
		for i, a := range f.asks {
			if a.at < f.asks[next].at {
				next = i
			}
		}
		a := f.asks[next]
		f.asks = slices.Delete(f.asks, next, next+1)
		if a.at > until {
			return
		}
		if a.at == a.since {
			a.ahead = len(f.state.Waiting)
		}
		var wait time.Duration
		f.state, wait = f.pace.Permit(f.state, wiring.AskForUpdate{Distribution: a.distribution, Urgent: a.urgent, Throttled: a.throttled}, now.Add(a.at).Truncate(time.Second))
		a.throttled = false
		switch {
		case wait > 0 && !a.dies:
			a.at += wait + f.jitter()
			f.asks = append(f.asks, a)
		case wait > 0, a.dies: // the slot is taken, and the run ended before the call
		default:
			at := a.at + f.latency()
			f.sent = append(f.sent, at)
			if a.throttle {
				a.throttle, a.throttled, a.at = false, true, at
				f.asks = append(f.asks, a)
			} else if again := f.end(a, at); again != nil {
				f.asks = append(f.asks, *again)
			}
		}
	}
}

// Whatever asks when, dies or is throttled: no minute has more updates than the budget, and everybody who goes on asking is permitted in time,
// ordinary updates among urgent ones that never end included.
func TestNoMinuteHasMoreUpdatesThanTheBudget(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		milliseconds := func(most int) func() time.Duration {
			return func() time.Duration { return time.Duration(rapid.IntRange(0, most).Draw(t, "ms")) * time.Millisecond }
		}
		const late = 65 * time.Second
		f := &traffic{pace: wiring.Pace{PerMinute: rapid.IntRange(1, 4).Draw(t, "budget"), Late: late}, jitter: milliseconds(15_000), latency: milliseconds(4_000)}
		dead, throttles, served := 0, 0, 0
		n := rapid.IntRange(1, 25).Draw(t, "distributions")
		for i := range n {
			at := time.Duration(rapid.IntRange(0, 600_000).Draw(t, "at")) * time.Millisecond
			kind := rapid.IntRange(0, 19).Draw(t, "kind")
			a := asking{at: at, since: at, distribution: fmt.Sprint(i), urgent: kind < 5, dies: kind > 16, throttle: kind == 16}
			if a.dies {
				dead++
			}
			if a.throttle {
				throttles++
			}
			f.asks = append(f.asks, a)
		}
		restless := rapid.Bool().Draw(t, "one is urgent again and again")
		if restless {
			f.asks = append(f.asks, asking{distribution: "restless", urgent: true})
		}
		f.end = func(a asking, at time.Duration) *asking {
			if a.distribution == "restless" {
				if at > time.Hour {
					return nil
				}
				return &asking{at: at, since: at, distribution: a.distribution, urgent: true}
			}
			served++
			// Of the updates before it, those that are not permitted yet, at most as many of the other class, and those that came later and are urgent
			// take their turns with it.
			turns := 2*(n+1)/f.pace.PerMinute + 2
			most := time.Duration(turns)*(budgetWindow+late+15*time.Second) + time.Duration(throttles)*6*time.Minute
			if wait := at - a.since; wait > most {
				t.Fatalf("distribution %s waited %v, more than %v, behind %d", a.distribution, wait, most, a.ahead)
			}
			return nil
		}
		f.run(12 * time.Hour)
		if want := n - dead; served != want {
			t.Fatalf("%d of %d were permitted", served, want)
		}
		slices.Sort(f.sent)
		for i := range f.sent {
			if last := i + f.pace.PerMinute; last < len(f.sent) && f.sent[last]-f.sent[i] < time.Minute {
				t.Fatalf("%d updates within %v, and the budget is %d", f.pace.PerMinute+1, f.sent[last]-f.sent[i], f.pace.PerMinute)
			}
		}
	})
}

// budgetWindow is how far as many updates as the budget permits are apart.
const budgetWindow = 65 * time.Second

// Updates of one kind are permitted in the order in which they began to wait, if all come when they should.
func TestLongestWaitingGoesFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		none := func() time.Duration { return 0 }
		f := &traffic{pace: wiring.Pace{PerMinute: rapid.IntRange(1, 4).Draw(t, "budget"), Late: time.Minute}, jitter: none, latency: none}
		since := map[time.Duration][]time.Duration{} // of those that were permitted at one time
		f.end = func(a asking, at time.Duration) *asking {
			since[at] = append(since[at], a.since)
			return nil
		}
		urgent := rapid.Bool().Draw(t, "urgent")
		for i := range rapid.IntRange(1, 30).Draw(t, "distributions") {
			at := time.Duration(i) * time.Duration(rapid.IntRange(1, 30).Draw(t, "gap")) * time.Second
			f.asks = append(f.asks, asking{at: at, since: at, distribution: fmt.Sprint(i), urgent: urgent})
		}
		f.run(12 * time.Hour)
		longest := time.Duration(0)
		for _, at := range slices.Sorted(maps.Keys(since)) {
			if slices.Min(since[at]) < longest {
				t.Fatalf("after one that waited since %v: %v", longest, since[at])
			}
			longest = slices.Max(since[at])
		}
	})
}

// An update that is not permitted is left to a later run, and what waits stays as it is. One that CloudFront throttles is, too, and says so.
func TestUpdateThatIsNotPermittedIsLeftToALaterRun(t *testing.T) {
	for name, c := range map[string]struct {
		answers []wiring.Answer // to the updates that are sent
		waits   []time.Duration // answers to the questions for permission
		asked   []wiring.AskForUpdate
		sent    int
		wait    time.Duration
		fails   bool
		counted int
	}{
		"not permitted": {waits: []time.Duration{40 * time.Second}, asked: []wiring.AskForUpdate{{Distribution: "main"}}, wait: 40 * time.Second},
		"throttled": {
			answers: []wiring.Answer{failed(wiring.Failed, "Throttling")}, waits: []time.Duration{0, time.Minute},
			asked: []wiring.AskForUpdate{{Distribution: "main"}, {Distribution: "main", Throttled: true}}, sent: 1, wait: time.Minute, counted: 1,
		},
		"no answer, and no second try": {
			answers: []wiring.Answer{failed(wiring.Failed, "")}, waits: []time.Duration{0, time.Minute},
			asked: []wiring.AskForUpdate{{Distribution: "main"}, {Distribution: "main"}}, sent: 1, fails: true,
		},
		"somebody else wrote, and no second try": {
			answers: []wiring.Answer{failed(wiring.Stale, "PreconditionFailed")}, waits: []time.Duration{0, time.Minute},
			asked: []wiring.AskForUpdate{{Distribution: "main"}, {Distribution: "main"}}, sent: 1, wait: time.Minute,
		},
	} {
		r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: []origin.Record{record("vo_01", origin.Wire, origin.Pending)}}
		var asked []wiring.AskForUpdate
		sent, counted, answers, waits := 0, 0, c.answers, c.waits
		cloud := &cloud{served: served(configOf(t), true)}
		for {
			next, step := r.Next()
			for _, m := range step.Outcome.Metrics {
				if m.Name == contract.MetricThrottle && m.Unit == outcome.Count {
					counted++
				}
			}
			var a wiring.Answer
			switch do := step.Do.(type) {
			case wiring.AskForUpdate:
				asked = append(asked, do)
				a.Wait, waits = waits[0], waits[1:]
			case wiring.Update:
				sent++
				a, answers = answers[0], answers[1:]
			default:
				a = cloud.answer(do)
			}
			if r = next.Learn(step, a); step.Done {
				break
			}
		}
		if !slices.Equal(asked, c.asked) || sent != c.sent || r.Wait != c.wait || (r.Failed != nil) != c.fails || counted != c.counted || !r.Deferred {
			t.Errorf("%s: asked %+v, sent %d, waits %v, %v, counted %d", name, asked, sent, r.Wait, r.Failed, counted)
		}
		if o := r.Records[0]; o.State != origin.Pending {
			t.Errorf("%s: it is %s", name, o.State)
		}
	}
}
