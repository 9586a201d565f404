package teardown_test

import (
	"cmp"
	"encoding/json"
	"maps"
	"reflect"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
	"github.com/originhub/originhub/pkg/teardown"
)

func TestWhatAnOutcomeRecordsAndSays(t *testing.T) {
	long := func(o *teardown.Observed) { o.Now = o.Now.Add(45 * time.Minute) }
	blocked := but(at(teardown.Delete), func(o *teardown.Observed) { o.Shares, o.Tag = nil, teardown.TagAbsent })
	for name, c := range map[string]struct {
		seen    teardown.Observed
		change  func(*teardown.Observed)
		outcome teardown.Outcome
		event   string // none, if nothing is said
		alarm   bool
		codes   []origin.Code
		why     string // if it is not the message
		metrics map[string]float64
		record  func(was, is origin.Record) bool
	}{
		"out of date": {
			seen: at(teardown.Verify), change: func(o *teardown.Observed) { o.Generation = 2 }, outcome: teardown.OutOfDate, record: unchanged,
		},
		"of another generation": {
			seen: at(teardown.Record), change: func(o *teardown.Observed) { o.Generation = 2 }, outcome: teardown.Cancelled, record: unchanged,
		},
		"deleted before": {
			seen: gone(), change: func(o *teardown.Observed) { o.Record.State, o.Record.Teardown = origin.Deleted, nil }, outcome: teardown.Clean,
			record: unchanged,
		},
		"clean": {
			seen: gone(), outcome: teardown.Clean, event: "Teardown Completed",
			metrics: map[string]float64{"TeardownsClean": 1, "TeardownDuration": 3600},
			record:  func(_, is origin.Record) bool { return is.State == origin.Deleted && is.Teardown == nil },
		},
		"cancelled, and no tag asked for it": {
			seen: at(teardown.Unshare), change: func(o *teardown.Observed) { o.Tag = teardown.TagAbsent }, outcome: teardown.Cancelled,
			event: "Teardown Cancelled", alarm: true, codes: []origin.Code{"teardown-not-requested"}, metrics: map[string]float64{"TeardownsCancelled": 1},
			why: "VPC origin vo_b has no tag originhub:teardown, and originhub has not recorded that one asked for this teardown, which ends here: find out who wrote to " +
				"the registry or started the execution",
			record: func(was, is origin.Record) bool { return is.Generation == was.Generation+1 && is.Teardown == nil },
		},
		"cancelled": {
			seen: at(teardown.Unshare), change: func(o *teardown.Observed) {
				o.Tag = teardown.TagAbsent
				o.Record.Remember(o.Now, origin.DecidedTeardownStarted, nil, "")
			}, outcome: teardown.Cancelled,
			event: "Teardown Cancelled", metrics: map[string]float64{"TeardownsCancelled": 1},
			record: func(was, is origin.Record) bool {
				return is.Generation == was.Generation+1 && is.Teardown == nil && is.Token == "" && is.Intent == was.Intent
			},
		},
		"dirty": {
			seen: gone("eni-1", "eni-2"), change: long, outcome: teardown.Dirty, event: "Teardown Ended Incomplete", alarm: true,
			codes: []origin.Code{"interfaces-left"}, metrics: map[string]float64{"TeardownsDirty": 1, "OrphanENIs": 2}, record: endedIn("verify", "dirty"),
		},
		"dirty, said before": {
			seen: gone("eni-1"), change: func(o *teardown.Observed) { long(o); said(o, "dirty", "interfaces-left", "eni-1") }, outcome: teardown.Dirty,
			record: endedIn("verify", "dirty"),
		},
		"blocked": {
			seen: blocked, outcome: teardown.Blocked, event: "Teardown Blocked", alarm: true, codes: []origin.Code{"tag-removed"},
			metrics: map[string]float64{"TeardownsBlocked": 1}, record: endedIn("delete", "stopped"),
		},
		"blocked, said before": {
			seen: blocked, change: func(o *teardown.Observed) { said(o, "stopped", "tag-removed", "") }, outcome: teardown.Blocked,
			record: endedIn("delete", "stopped"),
		},
		"dirty, by another interface than before": {
			seen: gone("eni-1"), change: func(o *teardown.Observed) { long(o); said(o, "dirty", "interfaces-left", "eni-2") }, outcome: teardown.Dirty,
			event: "Teardown Ended Incomplete", alarm: true, codes: []origin.Code{"interfaces-left"},
			metrics: map[string]float64{"TeardownsDirty": 1, "OrphanENIs": 1}, record: endedIn("verify", "dirty"),
		},
		"blocked, said before in another phase": {
			seen: blocked, change: func(o *teardown.Observed) {
				said(o, "stopped", "tag-removed", "")
				o.Record.Teardown.Phase = string(teardown.Unshare)
			},
			outcome: teardown.Blocked, event: "Teardown Blocked", alarm: true, codes: []origin.Code{"tag-removed"},
			metrics: map[string]float64{"TeardownsBlocked": 1}, record: endedIn("delete", "stopped"),
		},
		"a retry of the task": {seen: ended(blocked, teardown.Blocked, "why"), outcome: teardown.Blocked, record: unchanged},
	} {
		t.Run(name, func(t *testing.T) {
			if c.change != nil {
				c.seen = but(c.seen, c.change)
			}
			s, _ := decide(t, c.seen)
			want := outcome.Outcome{}
			if detail := (outcome.Detail{
				Origin: "vo_b", Account: owner, Generation: 3, Execution: "teardown-vo_b-3", Why: cmp.Or(c.why, s.Message), Codes: c.codes,
			}); c.alarm {
				want.Alarm(c.event, arn, detail)
			} else if c.event != "" {
				want.Inform(c.event, arn, detail)
			}
			counted := map[string]float64{}
			for _, m := range s.BeforeWrite.Metrics {
				counted[m.Name] = m.Value
			}
			if s.Outcome != c.outcome || !reflect.DeepEqual(s.BeforeWrite.Events, want.Events) || !maps.Equal(counted, c.metrics) {
				t.Errorf("got %+v, counts %v", s, counted)
			}
			if !c.record(c.seen.Record, s.Record) {
				t.Errorf("records %+v, %+v", s.Record, s.Record.Teardown)
			}
		})
	}
}

func said(o *teardown.Observed, how string, code origin.Code, subject string) {
	o.Record.Teardown.Outcome, o.Record.Teardown.Because = how, origin.Reason{Code: code, Subject: subject, Message: "in other words"}
}

func unchanged(was, is origin.Record) bool {
	a, _ := json.Marshal(was)
	b, _ := json.Marshal(is)
	return string(a) == string(b)
}

func endedIn(phase, outcome string) func(was, is origin.Record) bool {
	return func(was, is origin.Record) bool {
		t := is.Teardown
		return t.Ended && t.Phase == phase && t.Outcome == outcome && t.Because.Code != "" && t.Because.Message != "" && is.Generation == was.Generation && is.State == was.State
	}
}

func TestRestart(t *testing.T) {
	now := start.Add(5 * time.Hour)
	for name, c := range map[string]struct {
		td                   *origin.Teardown
		generation, redrives int
		restarts             bool
	}{
		"nothing is under way":                  {nil, 1, 1, false},
		"another generation's":                  {&origin.Teardown{}, 2, 1, false},
		"a task like any other":                 {&origin.Teardown{}, 1, 0, false},
		"redriven after somebody stopped it":    {&origin.Teardown{}, 1, 1, true},
		"a retry after that":                    {&origin.Teardown{Redrives: 1}, 1, 1, false},
		"redriven twice":                        {&origin.Teardown{Redrives: 1}, 1, 2, true},
		"a retry of the task that ended it":     {&origin.Teardown{Ended: true, Outcome: "dirty"}, 1, 0, false},
		"redriven after it had ended":           {&origin.Teardown{Ended: true, Outcome: "dirty"}, 1, 1, true},
		"ended, by a version that did not tell": {&origin.Teardown{Ended: true}, 1, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			was := origin.Record{Generation: 1, Teardown: c.td}
			is, restarts := teardown.Restart(was, c.generation, c.redrives, now)
			if restarts != c.restarts {
				t.Fatalf("restarts %t", restarts)
			}
			if !restarts && is.Teardown != c.td {
				t.Errorf("records %+v", is.Teardown)
			}
			if restarts && (is.Teardown.Redrives != c.redrives || is.Teardown.Ended || !is.Teardown.Since.Equal(now) || is.Teardown.Outcome != c.td.Outcome || len(is.History) != 1 || c.td.Since.Equal(now)) {
				t.Errorf("records %+v", is.Teardown)
			}
		})
	}
}

// A teardown that a version before 2026-12 recorded as ended says neither how nor why: it goes on, and is said once more.
func TestEndedTeardownOfAnOlderVersionGoesOn(t *testing.T) {
	var r origin.Record
	old := `{"ID":"vo_b","ARN":"` + arn + `","Account":"222222222222","Intent":"detach","State":"detached","Generation":3,
		"Teardown":{"Value":"now","Requested":"2026-11-22T08:00:00Z","Due":"2026-11-22T08:00:00Z","VPC":"vpc-1","Recorded":true,
		"Phase":"delete","Since":"2026-11-22T08:30:00Z","Ended":true}}`
	if err := json.Unmarshal([]byte(old), &r); err != nil {
		t.Fatal(err)
	}
	o := but(at(teardown.Delete), func(o *teardown.Observed) {
		o.Record, _ = teardown.Restart(r, 3, 0, o.Now)
		o.Shares, o.Tag = nil, teardown.TagAbsent
	})
	if s, _ := decide(t, o); s.Outcome != teardown.Blocked || len(s.BeforeWrite.Events) != 1 || !s.Record.Teardown.Ended {
		t.Errorf("got %+v, %+v", s, s.Record.Teardown)
	}
}

func TestFailsTask(t *testing.T) {
	for _, c := range []struct {
		how           teardown.Outcome
		tellsRedrives bool
		fails         bool
	}{
		{teardown.Dirty, true, true},
		{teardown.Blocked, true, true},
		{teardown.OutOfDate, true, true},
		{teardown.Dirty, false, false},
		{teardown.Blocked, false, false},
		{teardown.OutOfDate, false, true},
		{teardown.Clean, true, false},
		{teardown.Cancelled, true, false},
	} {
		if got := (teardown.Step{Outcome: c.how}).FailsTask(c.tellsRedrives); got != c.fails {
			t.Errorf("%s, redrives told %v: fails %v", c.how, c.tellsRedrives, got)
		}
	}
}
