package wiring_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

// now of every run.
var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// adopts is a policy that puts distribution E1 there.
var adopts = wiring.Terms{Named: true, Adopt: "E1", CallerReference: "originhub-hub", Domain: "example.com", HostedZone: "Z1"}

// creates is a policy by which the hub makes its own.
var creates = wiring.Terms{
	Named: true, Base: &wiring.BaseSpec{Comment: "the hub's"}, CallerReference: "originhub-hub", Domain: "example.com", HostedZone: "Z1",
	NotFound: wiring.Function{Name: "not-found", ARN: "arn:not-found"},
}

// item is what the registry holds of a distribution that is as it was at the last observation.
func item(id string) origin.Distribution {
	d := origin.Distribution{Name: origin.Main, Identity: origin.Identity{ID: id}, Observation: origin.Observation{QuotaReadAt: now, ObservedAt: now.Add(-time.Hour), Examined: id}}
	if id != "" {
		d.Domain = id + ".cloudfront.net"
	}
	return d
}

func record(id string, intent origin.Intent, state origin.State) origin.Record {
	ref := origin.Ref{ID: id, ARN: "arn:" + id, Account: "111111111111"}
	return origin.Record{
		Ref: ref, Distribution: origin.Main, Intent: intent, State: state, Admitted: now.Add(-time.Hour),
		Claim: origin.Claim{Hosts: []string{id + ".example.com"}, Paths: []string{"/" + id}, Domain: "internal.example.com"},
	}
}

// configOf is a distribution that others have created, and that has these origins as they claim to be.
func configOf(t tb, records ...origin.Record) *wiring.Config {
	t.Helper()
	c := parse(t, document([]string{"/theirs"}, nil))
	wired := slices.Clone(records)
	for i := range wired {
		wired[i].Intent, wired[i].State = origin.Wire, origin.Live
	}
	next, _ := write(t, wiring.DesiredOf(wired, nil, wiring.Spec{Domain: "example.com"}), c)
	return next
}

func served(c *wiring.Config, deployed bool) wiring.Served {
	return wiring.Served{ID: "E1", Domain: "E1.cloudfront.net", ETag: "1", Deployed: deployed, Config: c}
}

func failed(class wiring.Class, code string) wiring.Answer {
	err := errors.New("call failed: " + code)
	return wiring.Answer{Class: class, Code: code, Err: err, Message: err.Error()}
}

// feed answers the actions of a run in order, with those of none in between, and returns the step for which no answer is left.
func feed(t tb, r wiring.Run, answers ...wiring.Answer) (wiring.Run, wiring.Step) {
	t.Helper()
	for range 100 {
		next, step := permit(r.Next())
		if step.Do != nil && len(answers) == 0 || step.Done {
			if len(answers) > 0 {
				t.Fatalf("over, and nobody asked for %+v", answers)
			}
			return next, step
		}
		var a wiring.Answer
		if step.Do != nil {
			a, answers = answers[0], answers[1:]
		}
		r = next.Learn(step, a)
	}
	t.Fatal("it never ends")
	return r, wiring.Step{}
}

// permit permits the update for which a step asks. The step that it returns contains both steps.
func permit(r wiring.Run, step wiring.Step) (wiring.Run, wiring.Step) {
	if _, asks := step.Do.(wiring.AskForUpdate); !asks {
		return r, step
	}
	r, next := r.Learn(step, wiring.Answer{}).Next()
	next.Outcome.Events = append(step.Outcome.Events, next.Outcome.Events...)
	next.Outcome.Metrics = append(step.Outcome.Metrics, next.Outcome.Metrics...)
	next.Outcome.Triggers = append(step.Outcome.Triggers, next.Outcome.Triggers...)
	next.Records, next.Refusals = append(step.Records, next.Records...), append(step.Refusals, next.Refusals...)
	return r, next
}

// told is what a step says, records and does, in words.
func told(s wiring.Step) string {
	var all []string
	for _, e := range s.Outcome.Events {
		all = append(all, strings.TrimSpace("say "+e.Type+" "+cmpOr(e.Detail.Origin, e.Detail.What)))
	}
	for _, w := range s.Records {
		all = append(all, fmt.Sprintf("%s is %s", w.ID, w.State))
		if w.Token != "" {
			all = append(all, "complete "+w.Token+": "+w.Fact)
		}
	}
	for _, w := range s.Refusals {
		all = append(all, "remember "+w.What)
	}
	if s.Save {
		all = append(all, "save")
	}
	switch do := s.Do.(type) {
	case nil:
	case wiring.ReadDistribution:
		all = append(all, "read "+do.ID)
	case wiring.Update:
		all = append(all, strings.TrimSpace("update "+strings.Join(managed(do.Config), " ")))
	case wiring.SendRecheck:
		all = append(all, "recheck after "+do.After.String())
	default:
		all = append(all, strings.TrimPrefix(fmt.Sprintf("%T", do), "wiring."))
	}
	if s.Done {
		all = append(all, "over")
	}
	return strings.Join(all, ", ")
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// managed are the origins of the hub in a configuration.
func managed(c *wiring.Config) (ids []string) {
	for _, id := range c.OriginIDs() {
		if wiring.Owned(id) {
			ids = append(ids, strings.TrimPrefix(id, "originhub-"))
		}
	}
	slices.Sort(ids)
	return ids
}

// script is all that a run says, records and does, if its actions are answered like this, and the run as it is then.
func script(t tb, r wiring.Run, answer func(wiring.Action) wiring.Answer) (wiring.Run, []string) {
	t.Helper()
	var all []string
	for range 300 {
		next, step := permit(r.Next())
		all = append(all, told(step))
		var a wiring.Answer
		if step.Do != nil {
			a = answer(step.Do)
		}
		if r = next.Learn(step, a); step.Done {
			return r, all
		}
	}
	t.Fatalf("it never ends: %q", all)
	return r, nil
}

func TestLease(t *testing.T) {
	for name, c := range map[string]struct {
		holder  string
		expires time.Time
		wait    time.Duration
	}{
		"nobody's":                 {"", time.Time{}, 0},
		"another's, long to go":    {"another", now.Add(3 * time.Minute), 16 * time.Second},
		"another's, soon over":     {"another", now.Add(5 * time.Second), 6 * time.Second},
		"another's, over just now": {"another", now, 0},
		"one's own, from a crash":  {"me", now.Add(time.Minute), 16 * time.Second},
	} {
		d, wait := wiring.Lease(origin.Distribution{Lease: origin.Lease{Holder: c.holder, Expires: c.expires}}, "me", now)
		want := origin.Distribution{Lease: origin.Lease{Holder: "me", Expires: now.Add(contract.WireLease)}}
		if c.wait > 0 {
			want = origin.Distribution{Lease: origin.Lease{Holder: c.holder, Expires: c.expires}}
		}
		if diff := cmp.Diff(want, d); diff != "" || wait != c.wait {
			t.Errorf("%s: wait %v\n%s", name, wait, diff)
		}
	}
}

func TestFleetKeepsWhatPolicyDropped(t *testing.T) {
	for state, want := range map[origin.State][]string{
		origin.Live: {origin.Main, "EDROPPED"}, origin.Detached: {origin.Main, "EDROPPED"}, origin.Deleted: {origin.Main},
	} {
		s := origin.Snapshot{
			Distributions: []origin.Distribution{{Name: "EDROPPED"}, {Name: origin.Main}},
			Records:       []origin.Record{{Distribution: "EDROPPED", State: state}},
		}
		if got := wiring.Fleet([]string{origin.Main}, s); !slices.Equal(got, want) {
			t.Errorf("with what is %s: %v", state, got)
		}
	}
}

func TestBeginKnowsTheOtherDistributions(t *testing.T) {
	here, there := record("vo_1", origin.Wire, origin.Live), record("vo_2", origin.Wire, origin.Live)
	there.Distribution = "main-2"
	s := origin.Snapshot{
		Now: now, Records: []origin.Record{here, there}, Refusals: map[string][]origin.Reason{"a A": nil},
		Distributions: []origin.Distribution{item("E1"), {Name: "main-2", Identity: origin.Identity{Domain: "d2", Former: []string{"d0"}}}},
	}
	r := wiring.Begin(s, origin.Main, adopts)
	if r.Item.ID != "E1" || !r.Now.Equal(now) || len(r.Records) != 1 || r.Records[0].ID != "vo_1" || len(r.Elsewhere) != 1 ||
		!slices.Equal(r.Domains, []string{"d2", "d0"}) || len(r.Refusals) != 1 || r.Terms.Adopt != "E1" {
		t.Errorf("%+v", r)
	}
	if r := wiring.Begin(s, "main-3", adopts); r.Item.Name != "main-3" || len(r.Records) != 0 || len(r.Elsewhere) != 2 {
		t.Errorf("of one that was never written: %+v", r)
	}
}

// Only the recheck message whose due time the item has sends the next one.
func TestRecheck(t *testing.T) {
	wired := record("vo_1", origin.Wire, origin.Wired)
	for name, c := range map[string]struct {
		look      time.Time
		triggered bool
		updated   time.Time
		want      string
	}{
		"none on its way":                    {time.Time{}, false, now, "recheck after 3m0s"},
		"one that was due":                   {now.Add(-time.Minute), false, now, "recheck after 3m0s"},
		"one that comes earlier":             {now.Add(time.Minute), false, now, "over"},
		"one that comes then":                {now.Add(3 * time.Minute), false, now, "over"},
		"one that comes later":               {now.Add(4 * time.Minute), false, now, "recheck after 3m0s"},
		"the one that triggered the run":     {now.Add(time.Minute), true, now, "recheck after 3m0s"},
		"after three minutes, one minute on": {time.Time{}, false, now.Add(-3 * time.Minute), "recheck after 1m0s"},
	} {
		r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: []origin.Record{wired}, Alone: true, Recheck: c.triggered}
		r.Item.RecheckDue, r.Item.UpdateSent = c.look, c.updated
		s := served(configOf(t, wired), false)
		r, step := feed(t, r, wiring.Answer{Served: s})
		if got := told(step); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
		if step.Do != nil {
			due := step.Do.(wiring.SendRecheck).Due
			if r = r.Learn(step, wiring.Answer{}); !r.Item.RecheckDue.Equal(due) {
				t.Errorf("%s: it is due at %v and announced for %v", name, due, r.Item.RecheckDue)
			}
			if _, step = r.Next(); !step.Done {
				t.Errorf("%s: sent, and then %s", name, told(step))
			}
		}
	}
	quiet := record("vo_1", origin.Wire, origin.Live)
	r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: []origin.Record{quiet}, Alone: true, Zone: wiring.Zone{Failed: true}}
	if _, step := feed(t, r, wiring.Answer{Served: served(configOf(t, quiet), true)}); told(step) != "over" {
		t.Errorf("with nothing under way: %s", told(step))
	}
}

// Quotas are asked for after a while, and what was known holds if they cannot be read.
func TestQuotas(t *testing.T) {
	waiting := record("vo_1", origin.Wire, origin.Deferred)
	for name, c := range map[string]struct {
		asked   time.Duration
		records []origin.Record
		answer  wiring.Answer
		asks    bool
		quota   int
		room    bool
	}{
		"a moment ago":                         {4 * time.Minute, []origin.Record{waiting}, wiring.Answer{}, false, 80, false},
		"a while ago, and more than was known": {5 * time.Minute, []origin.Record{waiting}, wiring.Answer{Quotas: origin.Size{Behaviors: 90}}, true, 90, true},
		"as many as were known":                {5 * time.Minute, []origin.Record{waiting}, wiring.Answer{Quotas: origin.Size{Behaviors: 80}}, true, 80, false},
		"more, and nobody waits":               {5 * time.Minute, nil, wiring.Answer{Quotas: origin.Size{Behaviors: 90}}, true, 90, false},
		"not to be read":                       {5 * time.Minute, []origin.Record{waiting}, failed(wiring.Refused, "AccessDenied"), true, 80, false},
	} {
		r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: c.records}
		r.Item.QuotaReadAt, r.Item.Quota = now.Add(-c.asked), origin.Size{Behaviors: 80}
		next, step := r.Next()
		if _, asks := step.Do.(wiring.ReadQuotas); asks != c.asks {
			t.Fatalf("%s: %s", name, told(step))
		}
		if c.asks {
			next = next.Learn(step, c.answer)
			_, step = next.Next()
		}
		if next.Item.Quota.Behaviors != c.quota || next.CapacityFreed != c.room || told(step) != "read E1" || next.Failed != nil {
			t.Errorf("%s: quota %+v, room %t, then %s", name, next.Item.Quota, next.CapacityFreed, told(step))
		}
	}
}

// Whatever the registry holds and whatever the distribution is, and whether it is the hub's own: a few runs write and settle it,
// and after that nothing is left to say, to record or to do.
func TestRunsComeToRest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hosts := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"h0.example.com", "h1.example.com", "h2.example.com"}), 0, 2, rapid.ID[string])
		var records, wired, elsewhere []origin.Record
		for i := range rapid.IntRange(0, 5).Draw(t, "origins") {
			o := record(fmt.Sprintf("vo_%02d", i), rapid.SampledFrom([]origin.Intent{origin.Wire, origin.Detach}).Draw(t, "intent"),
				rapid.SampledFrom(origin.States()).Draw(t, "state"))
			if o.Claim.Hosts = hosts.Draw(t, "hosts"); len(o.Claim.Hosts) == 0 {
				o.Claim.Hosts = []string{o.ID + ".example.com"}
			}
			o.ReleasedHosts = slices.DeleteFunc(hosts.Draw(t, "released"), func(h string) bool { return slices.Contains(o.Claim.Hosts, h) })
			if rapid.IntRange(0, 3).Draw(t, "path") == 0 {
				o.Claim.Paths = append(o.Claim.Paths, "/theirs")
			}
			o.Token = rapid.SampledFrom([]string{"", "token"}).Draw(t, "token")
			if rapid.Bool().Draw(t, "wired") {
				was := o
				was.Claim.Paths = []string{"/was/" + o.ID}
				wired = append(wired, was)
			}
			if rapid.IntRange(0, 5).Draw(t, "elsewhere") == 0 {
				o.Distribution = "main-2"
				elsewhere = append(elsewhere, o)
				continue
			}
			records = append(records, o)
		}
		c := &cloud{served: served(configOf(t, wired...), true)}
		if rapid.Bool().Draw(t, "a bad one") {
			c.bad = []string{"vo_01"}
		}
		r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: records, Elsewhere: elsewhere}
		r.Terms.Wildcard = rapid.Bool().Draw(t, "wildcard")
		r.Terms.Limits.Behaviors = rapid.IntRange(0, 5).Draw(t, "limit")
		if rapid.Bool().Draw(t, "the hub's own") {
			r.Terms.CallerReference = c.served.Config.CallerReference()
		}
		for i := range 5 {
			var says []string
			r, says = script(t, r, c.answer)
			if says = slices.DeleteFunc(says, func(s string) bool {
				return s == "" || s == "over" || s == "read E1" || s == "ReadZone" || s == "ListOrigins"
			}); i == 4 && len(says) > 0 && r.Failed == nil {
				t.Fatalf("the fifth run: %q", says)
			}
			c.served.Deployed = true
			r = wiring.Run{Terms: r.Terms, Now: r.Now.Add(time.Minute), Item: r.Item, Records: r.Records, Elsewhere: elsewhere, Refusals: r.Refusals}
		}
	})
}
