package wiring_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
	"github.com/originhub/originhub/pkg/wiring"
)

// sees is that the hub's account sees these VPC origins, all Deployed.
func sees(ids ...string) wiring.Answer {
	var a wiring.Answer
	for _, id := range ids {
		a.Origins = append(a.Origins, origin.VpcOrigin{Ref: origin.Ref{ID: id}, Deployed: true})
	}
	return a
}

// One row for each of Write's table.
func TestWrite(t *testing.T) {
	live, added := record("vo_1", origin.Wire, origin.Live), record("vo_2", origin.Wire, origin.Pending)
	leaving := record("vo_1", origin.Detach, origin.Live)
	empty, one := served(configOf(t), true), served(configOf(t, live), true)
	reread := wiring.Answer{Served: empty}
	stale, lost := failed(wiring.Stale, "PreconditionFailed"), failed(wiring.Failed, "")
	twice := func(a, b wiring.Answer, n int) (all []wiring.Answer) {
		for range n {
			all = append(all, a, b)
		}
		return all
	}
	spaced := adopts
	spaced.Spacing = time.Minute
	for name, c := range map[string]struct {
		terms    wiring.Terms
		updated  time.Duration // ago
		records  []origin.Record
		served   wiring.Served
		answers  []wiring.Answer
		want     string
		deferred bool
		wait     time.Duration
		fails    bool
	}{
		"nothing differs":                         {adopts, time.Hour, []origin.Record{live}, one, nil, "ReadZone", false, 0, false},
		"something to add, not known to be there": {adopts, time.Hour, []origin.Record{added}, empty, nil, "ListOrigins", false, 0, false},
		"something to add":                        {adopts, time.Hour, []origin.Record{added}, empty, []wiring.Answer{sees("vo_2")}, "save, update vo_2", false, 0, false},
		"and that cannot be listed now":           {adopts, time.Hour, []origin.Record{added}, empty, []wiring.Answer{failed(wiring.Failed, "")}, "over", true, 0, true},
		"something to take out":                   {adopts, time.Hour, []origin.Record{leaving}, one, nil, "save, update", false, 0, false},
		"too early":                               {spaced, 20 * time.Second, []origin.Record{leaving}, one, nil, "ReadZone", true, 40 * time.Second, false},
		"just in time":                            {spaced, time.Minute, []origin.Record{leaving}, one, nil, "save, update", false, 0, false},
		"accepted":                                {adopts, time.Hour, []origin.Record{added}, empty, []wiring.Answer{sees("vo_2"), {}}, "recheck after 3m0s", false, 3 * time.Minute, false},
		"somebody else wrote meanwhile":           {spaced, time.Hour, []origin.Record{added}, empty, []wiring.Answer{sees("vo_2"), stale}, "read E1", false, 0, false},
		"… and it is tried again at once":         {spaced, time.Hour, []origin.Record{added}, empty, []wiring.Answer{sees("vo_2"), stale, reread}, "save, update vo_2", false, 0, false},
		"… and cannot be read now":                {adopts, time.Hour, []origin.Record{added}, empty, []wiring.Answer{sees("vo_2"), stale, failed(wiring.Failed, "")}, "over", true, 0, true},
		"… and is gone":                           {adopts, time.Hour, []origin.Record{added}, empty, []wiring.Answer{sees("vo_2"), stale, failed(wiring.Absent, "")}, "over", true, 0, true},
		"… four times":                            {spaced, time.Hour, []origin.Record{added}, empty, slices.Concat([]wiring.Answer{sees("vo_2")}, twice(stale, reread, 4)), "save, update vo_2", false, 0, false},
		"… five times":                            {spaced, time.Hour, []origin.Record{added}, empty, slices.Concat([]wiring.Answer{sees("vo_2")}, twice(stale, reread, 5)), "recheck after 1m0s", true, time.Minute, false},
		"no answer, and it is sent once more":     {adopts, time.Hour, []origin.Record{added}, empty, []wiring.Answer{sees("vo_2"), lost, reread}, "save, update vo_2", false, 0, false},
		"nobody knows whether it came through":    {adopts, time.Hour, []origin.Record{added}, empty, []wiring.Answer{sees("vo_2"), lost, reread, lost}, "over", true, 0, true},
		"refused, and no origin is the cause":     {adopts, time.Hour, []origin.Record{leaving}, one, []wiring.Answer{failed(wiring.Refused, "InvalidArgument"), {}}, "over", true, 0, true},
	} {
		r := wiring.Run{Terms: c.terms, Now: now, Item: item("E1"), Records: c.records, Alone: true}
		r.Item.UpdateSent = now.Add(-c.updated)
		r, step := feed(t, r, append([]wiring.Answer{{Served: c.served}}, c.answers...)...)
		if got := told(step); got != c.want || r.Deferred != c.deferred || r.Wait != c.wait || (r.Failed != nil) != c.fails || r.Broken != nil {
			t.Errorf("%s: %s, deferred %t, wait %v, %v %v", name, got, r.Deferred, r.Wait, r.Failed, r.Broken)
		}
		counted := slices.ContainsFunc(step.Outcome.Metrics, func(m outcome.Metric) bool { return m.Name == contract.MetricETagConflict })
		if counted != (c.want == "read E1") {
			t.Errorf("%s: a conflict is counted: %t", name, counted)
		}
		if update, is := step.Do.(wiring.Update); is {
			if update.ETag != "1" || !r.Item.UpdateSent.Equal(now) || r.Item.PendingUpdate == nil {
				t.Errorf("%s: sends %s, and the item is %+v", name, update.ETag, r.Item)
			}
		}
	}
}

// An update is recorded before it is sent, and with it the aliases that it brings, or nobody could tell them from somebody else's.
func TestWriteRecordsTheAliasesThatItBrings(t *testing.T) {
	r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: []origin.Record{record("vo_1", origin.Wire, origin.Pending)}}
	before := make([]string, 1, 2)
	before[0], r.Item.OwnedAliases, r.Item.Refused = "before.example.com", before, "InvalidArgument"
	r, step := feed(t, r, wiring.Answer{Served: served(configOf(t), true)}, sees("vo_1"))
	if before[:2][1] != "" {
		t.Error("a run changes what it was given")
	}
	if want := []string{"before.example.com", "vo_1.example.com"}; !step.Save || !slices.Equal(r.Item.OwnedAliases, want) {
		t.Errorf("owned aliases %v", r.Item.OwnedAliases)
	}
	if r = r.Learn(step, wiring.Answer{}); r.Item.Refused != "" {
		t.Errorf("it was accepted, and is still called %s", r.Item.Refused)
	}
}

// Whether an update came through is not known when its answer is lost, or when the distribution cannot be read after an answer that
// it came too late. Until it is known, the aliases that it brings stay the hub's.
func TestAliasesOfAnUpdateWhoseAnswerIsLostStayTheHubs(t *testing.T) {
	for name, lost := range map[string][]wiring.Answer{
		"no answer":                         {failed(wiring.Failed, "")},
		"too late, and nothing can be read": {failed(wiring.Stale, "PreconditionFailed"), failed(wiring.Failed, "")},
	} {
		r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: []origin.Record{record("vo_1", origin.Wire, origin.Pending)}}
		r.Zone.Failed = true
		answers := append([]wiring.Answer{{Served: served(configOf(t), true)}, sees("vo_1")}, lost...)
		r, _ = script(t, r, func(wiring.Action) wiring.Answer {
			a := failed(wiring.Failed, "")
			if len(answers) > 0 {
				a, answers = answers[0], answers[1:]
			}
			return a
		})
		if len(answers) > 0 || !slices.Contains(r.Item.OwnedAliases, "vo_1.example.com") || r.Item.PendingUpdate == nil {
			t.Errorf("%s: owned aliases %v, sent %+v; not asked for: %d", name, r.Item.OwnedAliases, r.Item.PendingUpdate, len(answers))
		}
	}
}

// An origin that the registry has in another distribution goes: whoever put it here wrote before the registry did, and died.
// A run reads only the records of its own distribution. It looks in the others for the origins that it does not know.
func TestWriteFindsTheRecordsOfUnknownOrigins(t *testing.T) {
	elsewhere := record("vo_2", origin.Wire, origin.Live)
	elsewhere.Distribution = "main-2"
	both := configOf(t, record("vo_1", origin.Wire, origin.Live), record("vo_2", origin.Wire, origin.Live))
	for name, c := range map[string]struct {
		alone  bool
		answer wiring.Answer
		want   string
	}{
		"of another distribution":  {answer: wiring.Answer{Found: origin.Snapshot{Records: []origin.Record{elsewhere}}}, want: "save, update vo_1"},
		"without a record":         {want: "nothing is written"},
		"unreadable":               {answer: wiring.Answer{Class: wiring.Failed, Err: errors.New("throttled")}, want: "nothing is written"},
		"of the only distribution": {alone: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := wiring.Run{Terms: adopts, Now: now, Alone: c.alone, Item: item("E1"), Records: []origin.Record{record("vo_1", origin.Wire, origin.Live)}}
			next, step := feed(t, r, wiring.Answer{Served: served(both, true)})
			find, finds := step.Do.(wiring.FindRecords)
			if finds == c.alone || finds && !slices.Equal(find.IDs, []string{"vo_2"}) {
				t.Fatalf("%s", told(step))
			}
			if c.alone {
				return
			}
			next, step = feed(t, next.Learn(step, c.answer))
			if _, again := step.Do.(wiring.FindRecords); again || (told(step) == "save, update vo_1") != (c.want == "save, update vo_1") {
				t.Errorf("%s", told(step))
			}
			if (next.Failed != nil) != (c.answer.Err != nil) {
				t.Errorf("failed: %v", next.Failed)
			}
		})
	}
}

func TestWriteTakesOutWhatIsElsewhere(t *testing.T) {
	elsewhere := record("vo_1", origin.Wire, origin.Live)
	c := configOf(t, elsewhere)
	elsewhere.Distribution = "main-2"
	for state, want := range map[origin.State]string{origin.Live: "save, update", origin.Deleted: "over"} {
		elsewhere.State = state
		r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Elsewhere: []origin.Record{elsewhere}}
		if r, step := feed(t, r, wiring.Answer{Served: served(c, true)}); told(step) != want {
			t.Errorf("%s: %s, %v", state, told(step), r.Failed)
		}
	}
	// An alias that has the host of one that is not here is none of its leavings.
	elsewhere.State = origin.Live
	alias := parse(t, document(nil, []string{"vo_1.example.com"}))
	r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Elsewhere: []origin.Record{elsewhere}}
	r.Item.OwnedAliases = []string{"vo_1.example.com"}
	if _, step := feed(t, r, wiring.Answer{Served: served(alias, true)}); told(step) != "over" {
		t.Errorf("of one that is not here: %s", told(step))
	}
}

func TestWriteOfARecordThatCannotBeWiredIsAFaultOfOurs(t *testing.T) {
	broken := record("vo_1", origin.Wire, origin.Pending)
	broken.Claim.Domain = ""
	r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: []origin.Record{broken}}
	if r, step := feed(t, r, wiring.Answer{Served: served(configOf(t), true)}, sees("vo_1")); told(step) != "over" || r.Broken == nil || strings.Contains(r.Broken.Error(), "\n") || r.Failed != nil || !r.Deferred {
		t.Errorf("%s: %v, %v", told(step), r.Broken, r.Failed)
	}
}

// One row for each of hold's table.
func TestHold(t *testing.T) {
	quarantined := func(ago time.Duration) origin.Record {
		r := record("vo_1", origin.Wire, origin.Quarantined)
		r.ReasonsReported = now.Add(-ago)
		return r
	}
	there := origin.VpcOrigin{Ref: origin.Ref{ID: "vo_1"}, Deployed: true}
	deploying := origin.VpcOrigin{Ref: origin.Ref{ID: "vo_1"}}
	for name, c := range map[string]struct {
		record  origin.Record
		wired   bool
		visible []origin.VpcOrigin
		asks    bool
		held    bool
		waits   bool
	}{
		"detach":                          {record("vo_1", origin.Detach, origin.Live), true, nil, false, false, false},
		"waiting":                         {record("vo_1", origin.Wire, origin.Deferred), false, nil, false, false, false},
		"quarantined a while ago":         {quarantined(59 * time.Minute), false, nil, false, true, false},
		"quarantined a while ago, wired":  {quarantined(59 * time.Minute), true, nil, false, true, false},
		"quarantined an hour ago":         {quarantined(time.Hour), false, []origin.VpcOrigin{there}, true, false, false},
		"quarantined an hour ago, wired":  {quarantined(time.Hour), true, nil, false, false, false},
		"wired":                           {record("vo_1", origin.Wire, origin.Live), true, nil, false, false, false},
		"not wired, visible and Deployed": {record("vo_1", origin.Wire, origin.Pending), false, []origin.VpcOrigin{there}, true, false, false},
		"not wired, visible":              {record("vo_1", origin.Wire, origin.Pending), false, []origin.VpcOrigin{deploying}, true, true, true},
		"not wired, not visible":          {record("vo_1", origin.Wire, origin.Pending), false, nil, true, true, true},
	} {
		config := configOf(t)
		if c.wired {
			config = configOf(t, c.record)
		}
		r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: []origin.Record{c.record}, Zone: wiring.Zone{Failed: true}}
		r, step := feed(t, r, wiring.Answer{Served: served(config, true)})
		list, asks := step.Do.(wiring.ListOrigins)
		if asks != c.asks || asks && !slices.Equal(list.IDs, []string{"vo_1"}) {
			t.Errorf("%s: %s", name, told(step))
		}
		if asks {
			r, step = feed(t, r.Learn(step, wiring.Answer{Origins: c.visible}))
		}
		if held := slices.Contains(r.Excluded, "vo_1"); held != c.held || (r.Wait == time.Minute) != c.waits {
			t.Errorf("%s: held %t, wait %v, then %s", name, held, r.Wait, told(step))
		}
	}
}

// One row for each of refuse's table: what is said and recorded, once an hour.
func TestRefuse(t *testing.T) {
	group := func(c *wiring.Config) *wiring.Config { // somebody uses the origin for something of his own
		return parse(t, []byte(strings.Replace(string(c.Bytes()), "<DefaultCacheBehavior><TargetOriginId>s3<",
			"<DefaultCacheBehavior><TargetOriginId>originhub-vo_1<", 1)))
	}
	live, pending := record("vo_1", origin.Wire, origin.Live), record("vo_1", origin.Wire, origin.Pending)
	more := live
	more.State, more.Claim.Paths = origin.Pending, []string{"/vo_1", "/another"}
	theirs := pending
	theirs.Claim.Paths = []string{"/theirs"}
	both := live
	both.State, both.Claim.Paths = origin.Pending, []string{"/vo_1", "/another", "/theirs"}
	elsewhere := record("vo_2", origin.Wire, origin.Live)
	elsewhere.Distribution, elsewhere.Claim.Hosts = "main-2", pending.Claim.Hosts
	full := adopts
	full.Limits.Behaviors = 2
	for name, c := range map[string]struct {
		terms     wiring.Terms
		record    origin.Record
		elsewhere []origin.Record
		config    *wiring.Config
		want      string
		state     origin.State
		codes     []origin.Code
		decided   origin.Code
	}{
		"detach, but used": {
			adopts, record("vo_1", origin.Detach, origin.Live), nil, group(configOf(t, live)),
			contract.DistributionWriteRefused, origin.Live,
			[]origin.Code{wiring.StillUsed},
			origin.DecidedWriteRefused,
		},
		"does not fit": {
			full, func() origin.Record { r := more; r.State = origin.Pending; return r }(), nil, configOf(t),
			contract.OriginDeferred, origin.Deferred,
			[]origin.Code{wiring.DoesNotFit},
			origin.DecidedDeferred,
		},
		"a host of it is elsewhere": {
			adopts, pending,
			[]origin.Record{elsewhere},
			configOf(t),
			contract.OriginDeferred, origin.Deferred,
			[]origin.Code{wiring.HostApart},
			origin.DecidedDeferred,
		},
		"wired, and what it claims now does not fit": {
			full, more, nil, configOf(t, live),
			contract.OriginDeferred, origin.Pending,
			[]origin.Code{wiring.DoesNotFit},
			origin.DecidedDeferred,
		},
		"a path of it is somebody else's": {
			adopts, theirs, nil, configOf(t),
			contract.OriginQuarantined, origin.Quarantined,
			[]origin.Code{wiring.PathTaken},
			origin.DecidedQuarantined,
		},
		"wired, does not fit, and a path is somebody else's": {
			full, both, nil, configOf(t, live),
			contract.OriginQuarantined, origin.Quarantined,
			[]origin.Code{wiring.PathTaken, wiring.DoesNotFit},
			origin.DecidedQuarantined,
		},
	} {
		begin := func(o origin.Record, at time.Time) (wiring.Run, wiring.Step) {
			r := wiring.Run{Terms: c.terms, Now: at, Item: item("E1"), Records: []origin.Record{o}, Elsewhere: c.elsewhere, Visible: map[string]bool{"vo_1": true}}
			r.Item.QuotaReadAt = at
			next, step := permit(r.Next())
			return permit(next.Learn(step, wiring.Answer{Served: served(c.config, true)}).Next())
		}
		_, step := begin(c.record, now)
		if len(step.Outcome.Events) != 1 || len(step.Records) != 1 {
			t.Errorf("%s: %s", name, told(step))
			continue
		}
		said, is := step.Outcome.Events[0], step.Records[0].Record
		if said.Type != c.want || said.Detail.Severity != contract.SeverityAlarm || !slices.Equal(said.Detail.Codes, c.codes) || said.Resource != "arn:vo_1" {
			t.Errorf("%s: said %+v", name, said)
		}
		if last := is.History[len(is.History)-1]; is.State != c.state || !slices.Equal(origin.Codes(is.Reasons), c.codes) || last.Code != c.decided || !is.ReasonsReported.Equal(now) {
			t.Errorf("%s: recorded %+v", name, is)
		}
		counted := slices.ContainsFunc(step.Outcome.Metrics, func(m outcome.Metric) bool { return m.Name == contract.MetricOriginQuarantined })
		if counted != (c.state == origin.Quarantined) {
			t.Errorf("%s: counted as quarantined: %t", name, counted)
		}
		if _, step := begin(is, now.Add(59*time.Minute)); len(step.Outcome.Events) > 0 {
			t.Errorf("%s: says it again: %s", name, told(step))
		}
		if is.State == origin.Deferred {
			continue // admit's from now on
		}
		if _, step := begin(is, now.Add(time.Hour)); len(step.Outcome.Events) != 1 {
			t.Errorf("%s: never says it again: %s", name, told(step))
		}
	}
}

// A live origin of whose paths somebody else has one goes on without that one, in the update of the run that finds it out.
func TestWhatIsRefusedInPartIsWrittenInPart(t *testing.T) {
	was := record("vo_1", origin.Wire, origin.Live)
	is := was
	is.State, is.Claim.Paths = origin.Pending, []string{"/vo_1/new", "/theirs"}
	r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: []origin.Record{is}}
	_, step := feed(t, r, wiring.Answer{Served: served(configOf(t, was), true)})
	if got := told(step); got != "say Origin Quarantined vo_1, vo_1 is quarantined, save, update vo_1" {
		t.Fatal(got)
	}
	if got := paths(step.Do.(wiring.Update).Config); !slices.Equal(got, []string{"/theirs", "/vo_1/new"}) && !slices.Equal(got, []string{"/vo_1/new", "/theirs"}) {
		t.Errorf("it has %v", got)
	}
}

// One row for each of sent's table: what an earlier run, which died, has said nothing about.
func TestSent(t *testing.T) {
	was, is := record("vo_1", origin.Wire, origin.Live), record("vo_2", origin.Wire, origin.Pending)
	before := served(configOf(t, was), true)
	r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: []origin.Record{was, is}}
	died, step := feed(t, r, wiring.Answer{Served: before}, sees("vo_2"))
	sent := step.Do.(wiring.Update)
	other := served(configOf(t, was, is, record("vo_3", origin.Wire, origin.Live)), true)
	after := served(sent.Config, true)
	other.ETag, after.ETag = "2", "2"
	for name, c := range map[string]struct {
		served wiring.Served
		said   bool
	}{"it never came": {before, false}, "it came": {after, true}, "somebody else's came": {other, false}} {
		again := wiring.Run{Terms: adopts, Now: now.Add(time.Hour), Item: died.Item, Records: died.Records, Zone: wiring.Zone{Failed: true}}
		again.Item.QuotaReadAt = again.Now
		var says []string
		again, says = script(t, again, func(do wiring.Action) wiring.Answer {
			switch do.(type) {
			case wiring.ReadDistribution:
				return wiring.Answer{Served: c.served}
			case wiring.ListOrigins:
				return sees("vo_2")
			}
			return failed(wiring.Failed, "")
		})
		said := slices.ContainsFunc(says, func(s string) bool { return strings.Contains(s, "say Distribution Updated E1") })
		if said != c.said {
			t.Errorf("%s: said %t: %q", name, said, says)
		}
	}
	// Of one that was refused, or that came too late, nothing is said.
	for name, a := range map[string]wiring.Answer{"accepted": {}, "stale": failed(wiring.Stale, ""), "lost": failed(wiring.Failed, "")} {
		next, step := permit(died.Learn(step, a).Next())
		counted := slices.ContainsFunc(step.Outcome.Metrics, func(m outcome.Metric) bool { return m.Name == contract.MetricDistributionUpdate })
		if said := told(step) == "say Distribution Updated E1"; said != (a.Err == nil) || counted != said {
			t.Errorf("%s: %s", name, told(step))
		}
		if known := next.Item.PendingUpdate == nil; known != (a.Err == nil) {
			t.Errorf("%s: what became of it is known: %t", name, known)
		}
	}
}
