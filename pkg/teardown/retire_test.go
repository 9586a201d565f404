package teardown

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
)

var retireNow = time.Date(2035, 1, 8, 9, 0, 0, 0, time.UTC)

// requested is a record that is to be wired and in grace, or, with detach, a teardown that has entered phase detach. It was asked
// for an hour ago.
func requestedRecord(change ...func(*origin.Record)) origin.Record {
	asked := retireNow.Add(-time.Hour)
	r := origin.Record{
		Ref: origin.Ref{ID: "vo_1", ARN: "arn:aws:cloudfront::222222222222:vpcorigin/vo_1", Account: "222222222222"}, Team: "team-b",
		Intent: origin.Wire, State: origin.Live, Generation: 3,
		Teardown: &origin.Teardown{Value: "2h", Requested: asked, Due: asked.Add(2 * time.Hour), ExecutionAsked: asked, Since: asked, Phase: string(Grace)},
	}
	for _, c := range change {
		c(&r)
	}
	return r
}

func detaching(r *origin.Record) {
	r.Intent, r.Teardown.Phase, r.Teardown.Due = origin.Detach, string(Detach), r.Teardown.Requested
}
func never(r *origin.Record)   { r.Teardown = nil }
func out(r *origin.Record)     { r.Intent, r.State = origin.Detach, origin.Detached }
func unbegun(r *origin.Record) { r.Teardown.Phase = "" }
func ended(r *origin.Record)   { r.Teardown.Ended = true }
func dead(r *origin.Record) {
	r.Teardown.Ended, r.Teardown.Outcome, r.Teardown.Because = true, string(Blocked), origin.Reason{Code: ExecutionDied, Subject: "FAILED GiveUp"}
}

func killed(r *origin.Record) {
	dead(r)
	r.Teardown.Because.Subject = "ABORTED "
}
func resumed(r *origin.Record) { r.Teardown.Resumed = 1 }
func untagged(r *origin.Record) {
	r.Teardown.Ended, r.Teardown.Because = true, origin.Reason{Code: tagRemoved}
}

func aged(r *origin.Record) {
	r.Teardown.ExecutionAsked, r.Teardown.Since = retireNow.Add(-25*time.Hour), retireNow.Add(-25*time.Hour)
}

var (
	runs   = origin.Execution{Status: "RUNNING"}
	failed = origin.Execution{Status: "FAILED", Error: "GiveUp", Cause: `{"errorMessage": "delete share: AccessDenied", "errorType": "GiveUp"}`}
)

// One row or more for each row of the table above Retire.
func TestRetire(t *testing.T) {
	again := retireNow.Add(-time.Minute) // after the teardown was asked for
	late := retireNow.Add(-2 * time.Hour)
	for name, c := range map[string]struct {
		request Request
		want    string
	}{
		"account that policy does not know":  {Request{Record: requestedRecord(never), Tag: TagPresent, Value: "now", Refused: nil, Readable: false}, "nothing"},
		"deleted":                            {Request{Readable: true, Record: requestedRecord(func(r *origin.Record) { r.State = origin.Deleted })}, "nothing"},
		"swept, entered":                     {Request{Readable: true, Record: requestedRecord(detaching)}, "observe execution"},
		"swept, entered, never started":      {Request{Readable: true, Record: requestedRecord(detaching), Observed: true}, "start 3"},
		"swept, entered, runs":               {Request{Readable: true, Record: requestedRecord(detaching), Observed: true, Execution: runs}, "nothing"},
		"swept, entered, died":               {Request{Readable: true, Record: requestedRecord(detaching), Observed: true, Execution: failed}, "block execution-died FAILED GiveUp"},
		"swept, entered, timed out":          {Request{Readable: true, Record: requestedRecord(detaching), Observed: true, Execution: origin.Execution{Status: "TIMED_OUT", Error: "States.Timeout"}}, "block execution-died TIMED_OUT States.Timeout"},
		"swept, entered, succeeded silently": {Request{Readable: true, Record: requestedRecord(detaching), Observed: true, Execution: origin.Execution{Status: "SUCCEEDED"}}, "block execution-died SUCCEEDED "},
		"swept, entered, is redriven":        {Request{Readable: true, Record: requestedRecord(detaching), Observed: true, Execution: origin.Execution{Status: "PENDING_REDRIVE"}}, "nothing"},
		"swept, entered a day ago":           {Request{Readable: true, Record: requestedRecord(detaching, aged)}, "observe tag"},
		"swept, blocked":                     {Request{Readable: true, Record: requestedRecord(detaching, ended)}, "observe tag"},
		"swept, in grace":                    {Request{Readable: true, Record: requestedRecord()}, "observe tag"},
		"named, entered":                     {Request{Readable: true, Hinted: true, Record: requestedRecord(detaching)}, "observe tag"},
		"unreadable, never asked for":        {Request{Readable: true, Record: requestedRecord(never), Tag: TagUnreadable}, "nothing"},
		"unreadable":                         {Request{Readable: true, Record: requestedRecord(), Tag: TagUnreadable}, "observe execution"},
		"unreadable, died":                   {Request{Readable: true, Record: requestedRecord(detaching), Tag: TagUnreadable, Observed: true, Execution: failed}, "block execution-died FAILED GiveUp"},
		"gone, never asked for":              {Request{Readable: true, Record: requestedRecord(never), Tag: TagGone}, "nothing"},
		"gone, never asked for, and out":     {Request{Readable: true, Record: requestedRecord(never, out), Tag: TagGone}, "deleted"},
		"gone, never asked for, leaving":     {Request{Readable: true, Record: requestedRecord(never, out, func(r *origin.Record) { r.State = origin.Detaching }), Tag: TagGone}, "nothing"},
		"gone":                               {Request{Readable: true, Record: requestedRecord(detaching), Tag: TagGone}, "observe execution"},
		"gone, never started":                {Request{Readable: true, Record: requestedRecord(detaching), Tag: TagGone, Observed: true}, "start 3"},
		"gone, runs":                         {Request{Readable: true, Record: requestedRecord(detaching), Tag: TagGone, Observed: true, Execution: runs}, "nothing"},
		"gone, died":                         {Request{Readable: true, Record: requestedRecord(detaching), Tag: TagGone, Observed: true, Execution: failed}, "block execution-died FAILED GiveUp"},
		"gone, died an hour ago":             {Request{Readable: true, Record: requestedRecord(detaching, dead), Tag: TagGone, Observed: true, Execution: failed}, "begin 4"},
		"gone, stopped an hour ago":          {Request{Readable: true, Record: requestedRecord(detaching, killed), Tag: TagGone, Observed: true, Execution: failed}, "begin 4"},
		"gone, ended an hour ago":            {Request{Readable: true, Record: requestedRecord(detaching, ended), Tag: TagGone, Observed: true, Execution: failed}, "nothing"},
		"gone, ended a day ago":              {Request{Readable: true, Record: requestedRecord(detaching, ended, aged), Tag: TagGone, Observed: true, Execution: failed}, "begin 4"},
		"absent, never asked for":            {Request{Readable: true, Record: requestedRecord(never), Tag: TagAbsent}, "nothing"},
		"absent, in grace":                   {Request{Readable: true, Record: requestedRecord(), Tag: TagAbsent}, "cancel 4"},
		"absent, detaching":                  {Request{Readable: true, Record: requestedRecord(detaching), Tag: TagAbsent}, "observe execution"},
		"absent, detaching, runs":            {Request{Readable: true, Record: requestedRecord(detaching), Tag: TagAbsent, Observed: true, Execution: runs}, "nothing"},
		"absent, detaching, died":            {Request{Readable: true, Record: requestedRecord(detaching), Tag: TagAbsent, Observed: true, Execution: failed}, "block execution-died FAILED GiveUp"},
		"absent, detaching, died and said":   {Request{Readable: true, Record: requestedRecord(detaching, dead), Tag: TagAbsent, Observed: true, Execution: failed}, "nothing"},
		"unconfirmed, never asked for":       {Request{Readable: true, Record: requestedRecord(never), Tag: TagUnconfirmed, Value: "now"}, "refuse " + string(TagNotConfirmed)},
		"unconfirmed, in grace":              {Request{Readable: true, Record: requestedRecord(), Tag: TagUnconfirmed, Value: "2h"}, "refuse " + string(TagNotConfirmed) + ", cancel 4"},
		"unconfirmed, withdrawn":             {Request{Readable: true, Record: requestedRecord(never, func(r *origin.Record) { r.Intent = origin.Detach }), Tag: TagUnconfirmed, Value: "now"}, "refuse " + string(TagNotConfirmed)},
		"unconfirmed, withdrawn in grace":    {Request{Readable: true, Record: requestedRecord(func(r *origin.Record) { r.Intent = origin.Detach }), Tag: TagUnconfirmed, Value: "2h"}, "refuse " + string(TagNotConfirmed)},
		"unconfirmed, refused before":        {Request{Readable: true, Record: requestedRecord(never), Tag: TagUnconfirmed, Value: "now", Refused: []origin.Reason{{Code: TagNotConfirmed, Subject: "now"}}}, "nothing"},
		"unconfirmed, as it leaves":          {Request{Readable: true, Hinted: true, Record: requestedRecord(detaching), Tag: TagUnconfirmed, Value: "2h", Observed: true, Execution: runs}, "nothing"},
		"mistyped, in grace":                 {Request{Readable: true, Record: requestedRecord(), Tag: TagPresent, Value: "tomorrow"}, "refuse " + string(TagInvalid) + ", cancel 4"},
		"mistyped, never asked for":          {Request{Readable: true, Record: requestedRecord(never), Tag: TagPresent, Value: "tomorrow"}, "refuse " + string(TagInvalid)},
		"mistyped, refused before":           {Request{Readable: true, Record: requestedRecord(never), Tag: TagPresent, Value: "tomorrow", Refused: []origin.Reason{{Code: TagInvalid, Subject: "tomorrow"}}}, "nothing"},
		"mistyped in another way":            {Request{Readable: true, Record: requestedRecord(never), Tag: TagPresent, Value: "soon", Refused: []origin.Reason{{Code: TagInvalid, Subject: "tomorrow"}}}, "refuse " + string(TagInvalid)},
		"too far":                            {Request{Readable: true, Record: requestedRecord(never), Tag: TagPresent, Value: "100d"}, "refuse " + string(TagTooFar)},
		"long over":                          {Request{Readable: true, Record: requestedRecord(never), Tag: TagPresent, Value: "2034-01-01T00:00:00Z"}, "refuse " + string(TagPast)},
		"present, never asked for":           {Request{Readable: true, Record: requestedRecord(never), Tag: TagPresent, Value: "now"}, "begin 3"},
		"present, earlier now":               {Request{Readable: true, Record: requestedRecord(), Tag: TagPresent, Value: "30m"}, "begin 4"},
		"present, later now":                 {Request{Readable: true, Record: requestedRecord(), Tag: TagPresent, Value: "5h", Observed: true, Execution: runs}, "move"},
		"present, later now, never started":  {Request{Readable: true, Record: requestedRecord(), Tag: TagPresent, Value: "5h", Observed: true}, "move, start 3"},
		"present, later now, set again":      {Request{Readable: true, Hinted: true, Called: again, Record: requestedRecord(), Tag: TagPresent, Value: "5h", Observed: true, Execution: failed}, "begin 4"},
		"present, another value while detaching": {
			Request{Readable: true, Hinted: true, Called: again, Record: requestedRecord(detaching), Tag: TagPresent, Value: "5h", Observed: true, Execution: runs}, "refuse " + string(TagLate),
		},
		"present, as it was":                       {Request{Readable: true, Record: requestedRecord(), Tag: TagPresent, Value: "2h"}, "observe execution"},
		"present, never started":                   {Request{Readable: true, Record: requestedRecord(), Tag: TagPresent, Value: "2h", Observed: true}, "start 3"},
		"present, runs, set again":                 {Request{Readable: true, Hinted: true, Called: again, Record: requestedRecord(detaching), Tag: TagPresent, Value: "2h", Observed: true, Execution: runs}, "nothing"},
		"present, ended, set again":                {Request{Readable: true, Hinted: true, Called: again, Record: requestedRecord(detaching), Tag: TagPresent, Value: "2h", Observed: true, Execution: failed}, "begin 4"},
		"present, ended by its record, set again":  {Request{Readable: true, Hinted: true, Called: again, Record: requestedRecord(detaching, ended), Tag: TagPresent, Value: "2h", Observed: true, Execution: runs}, "begin 4"},
		"present, ended, event twice or late":      {Request{Readable: true, Hinted: true, Called: late, Record: requestedRecord(detaching, ended), Tag: TagPresent, Value: "2h", Observed: true, Execution: failed}, "nothing"},
		"present, blocked, swept":                  {Request{Readable: true, Record: requestedRecord(detaching, ended), Tag: TagPresent, Value: "2h", Observed: true, Execution: failed}, "nothing"},
		"present, blocked since it was removed":    {Request{Readable: true, Record: requestedRecord(detaching, untagged), Tag: TagPresent, Value: "2h", Observed: true, Execution: failed}, "begin 4"},
		"present, blocked, another value":          {Request{Readable: true, Record: requestedRecord(detaching, ended), Tag: TagPresent, Value: "now", Observed: true, Execution: failed}, "begin 4"},
		"present, ended before its first step":     {Request{Readable: true, Record: requestedRecord(unbegun), Tag: TagPresent, Value: "2h", Observed: true, Execution: failed}, "begin 4"},
		"present, died a day ago":                  {Request{Readable: true, Record: requestedRecord(detaching, aged), Tag: TagPresent, Value: "2h", Observed: true, Execution: failed}, "block execution-died FAILED GiveUp"},
		"present, died in grace":                   {Request{Readable: true, Record: requestedRecord(), Tag: TagPresent, Value: "2h", Observed: true, Execution: failed}, "block execution-died FAILED GiveUp"},
		"present, died in its first step":          {Request{Readable: true, Record: requestedRecord(unbegun), Tag: TagPresent, Value: "2h", Observed: true, Execution: origin.Execution{Status: "FAILED", Started: retireNow}}, "block execution-died FAILED "},
		"present, died and said, an hour later":    {Request{Readable: true, Record: requestedRecord(detaching, dead), Tag: TagPresent, Value: "2h", Observed: true, Execution: failed}, "begin 4"},
		"present, died in grace, an hour later":    {Request{Readable: true, Record: requestedRecord(dead), Tag: TagPresent, Value: "2h", Observed: true, Execution: failed}, "begin 4"},
		"present, died again, an hour later":       {Request{Readable: true, Record: requestedRecord(detaching, dead, resumed), Tag: TagPresent, Value: "2h", Observed: true, Execution: failed}, "nothing"},
		"present, stopped by somebody":             {Request{Readable: true, Record: requestedRecord(detaching, killed), Tag: TagPresent, Value: "2h", Observed: true, Execution: failed}, "nothing"},
		"present, stopped by somebody, set again":  {Request{Readable: true, Hinted: true, Called: again, Record: requestedRecord(detaching, killed), Tag: TagPresent, Value: "2h", Observed: true, Execution: failed}, "begin 4"},
		"present, set again in grace, gets grace":  {Request{Readable: true, Hinted: true, Called: again, Record: requestedRecord(), Tag: TagPresent, Value: "2h", Observed: true, Execution: failed}, "begin 4"},
		"present, set again, but no longer lawful": {Request{Readable: true, Hinted: true, Called: again, Record: requestedRecord(func(r *origin.Record) { r.Teardown.Value = "2035-01-07T09:30:00Z"; r.Teardown.Due = retireNow }), Tag: TagPresent, Value: "2035-01-07T08:30:00Z", Observed: true, Execution: failed}, "refuse " + string(TagPast) + ", cancel 4"},
	} {
		t.Run(name, func(t *testing.T) {
			c.request.Now, c.request.Grace = retireNow, Bounds{Default: 15 * time.Minute, Maximum: 30 * 24 * time.Hour}
			if got := told(c.request, Retire(c.request)); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestRefusedTagIsForgotten(t *testing.T) {
	late := []origin.Reason{{Code: TagLate, Subject: "5h"}}
	invalid := []origin.Reason{{Code: TagInvalid, Subject: "tomorrow"}}
	for name, c := range map[string]struct {
		request Request
		want    bool
	}{
		"removed":                      {Request{Record: requestedRecord(never), Tag: TagAbsent, Refused: invalid}, true},
		"removed, nothing was refused": {Request{Record: requestedRecord(never), Tag: TagAbsent}, false},
		"valid now":                    {Request{Record: requestedRecord(never), Tag: TagPresent, Value: "now", Refused: invalid}, true},
		"still invalid":                {Request{Record: requestedRecord(never), Tag: TagPresent, Value: "tomorrow", Refused: invalid}, false},
		"not observed":                 {Request{Record: requestedRecord(never), Refused: invalid}, false},
		"unreadable":                   {Request{Record: requestedRecord(never), Tag: TagUnreadable, Refused: invalid}, false},
		"still too late":               {Request{Record: requestedRecord(detaching), Tag: TagPresent, Value: "5h", Refused: late, Observed: true, Execution: runs}, false},
		"blocked, its value counts now": {
			Request{Record: requestedRecord(detaching, ended), Tag: TagPresent, Value: "5h", Refused: late, Observed: true, Execution: failed}, true,
		},
	} {
		c.request.Now, c.request.Readable, c.request.Grace = retireNow, true, Bounds{Maximum: 30 * 24 * time.Hour}
		a := Retire(c.request)
		if got := a.Refuse != nil && len(a.Refuse) == 0; got != c.want {
			t.Errorf("%s: forgets %t, decides %s", name, got, told(c.request, a))
		}
	}
}

// told is a decision in the words of the table.
func told(q Request, a Retirement) string {
	var words []string
	if a.Observe != "" {
		words = append(words, "observe "+string(a.Observe))
	}
	for _, r := range a.Refuse {
		words = append(words, "refuse "+string(r.Code))
	}
	generation := q.Record.Generation
	if a.Record != nil {
		generation = a.Record.Generation
	}
	switch {
	case a.Record != nil && a.Record.State == origin.Deleted:
		words = append(words, "deleted")
	case a.Record != nil && a.Record.Teardown == nil:
		words = append(words, "cancel "+number(generation))
	case a.Record != nil && a.Record.Teardown.Ended:
		words = append(words, "block "+string(a.Record.Teardown.Because.Code)+" "+a.Record.Teardown.Because.Subject)
	case a.Record != nil && !a.Fresh:
		words = append(words, "move")
	}
	switch {
	case a.Fresh && a.Start:
		words = append(words, "begin "+number(generation))
	case a.Start:
		words = append(words, "start "+number(generation))
	}
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Join(words, ", ")
}

func number(n int) string { return string(rune('0' + n)) }

func TestBeginningIsSaidOnceAndRemembered(t *testing.T) {
	q := Request{Now: retireNow, Readable: true, Record: requestedRecord(never), Tag: TagPresent, Value: "now", Grace: Bounds{Default: time.Hour}}
	a := Retire(q)
	if len(a.Outcome.Events) != 1 || a.Outcome.Events[0].Type != contract.TeardownStarted || a.Outcome.Events[0].Detail.Execution != "teardown-vo_1-3" {
		t.Errorf("says %+v", a.Outcome.Events)
	}
	if h := a.Record.History; len(h) != 1 || h[0].Code != origin.DecidedTeardownStarted {
		t.Errorf("remembers %+v", h)
	}
	if !a.Record.Teardown.Due.Equal(retireNow.Add(time.Hour)) || !a.Record.Teardown.ExecutionAsked.Equal(retireNow) {
		t.Errorf("records %+v", a.Record.Teardown)
	}
	if q.Record.Teardown != nil || len(q.Record.History) != 0 {
		t.Error("what was observed changed")
	}
	if next := NameTaken(*a.Record); next.Generation != 4 || next.Teardown != a.Record.Teardown {
		t.Errorf("when the name is taken, the record is %+v", next)
	}
}

// Whatever is observed, what was decided is stable: once it is committed and its execution runs, the same observation asks for no
// new generation and says nothing twice.
func TestRetireSaidTwiceChangesNothingMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := Request{
			Now: retireNow, Readable: true, Hinted: rapid.Bool().Draw(t, "hinted"), Grace: Bounds{Default: 15 * time.Minute, Maximum: 10 * time.Hour},
			Tag:       rapid.SampledFrom([]TagState{TagPresent, TagUnconfirmed, TagAbsent, TagUnreadable, TagGone}).Draw(t, "tag"),
			Value:     rapid.SampledFrom([]string{"now", "2h", "30m", "5h", "tomorrow", "100d", "2035-01-08T12:00:00Z"}).Draw(t, "value"),
			Observed:  true,
			Execution: rapid.SampledFrom([]origin.Execution{{}, runs, failed, {Status: "ABORTED"}}).Draw(t, "execution"),
		}
		if q.Hinted {
			q.Called = retireNow.Add(time.Duration(rapid.IntRange(-7200, 0).Draw(t, "called")) * time.Second)
		}
		var changes []func(*origin.Record)
		for i, c := range []func(*origin.Record){detaching, unbegun, ended, untagged, aged, dead, resumed} {
			if rapid.Bool().Draw(t, []string{"detaching", "unbegun", "ended", "untagged", "aged", "dead", "resumed"}[i]) {
				changes = append(changes, c)
			}
		}
		if rapid.Bool().Draw(t, "never") {
			changes = []func(*origin.Record){never}
		}
		q.Record = requestedRecord(changes...)
		a := Retire(q)
		if a.Observe != "" {
			t.Fatalf("everything was observed, and it asks for %s", a.Observe)
		}
		if a.Record != nil {
			q.Record = *a.Record
		}
		if a.Start {
			q.Execution = runs
		}
		if a.Refuse != nil {
			q.Refused = a.Refuse
		}
		if b := Retire(q); b.Record != nil || b.Refuse != nil || len(b.Outcome.Events) > 0 || b.Fresh {
			t.Fatalf("first %s, then %s", told(q, a), told(q, b))
		}
	})
}

// A teardown whose execution died is reported once for each phase and cause, and says what to do. It is resumed after an hour, then
// after longer and longer.
func TestBlockedExecutionIsReportedOnceAndResumed(t *testing.T) {
	q := Request{
		Now: retireNow, Readable: true, Record: requestedRecord(detaching), Tag: TagPresent, Value: "2h", Observed: true, Execution: failed,
		Grace: Bounds{Maximum: 100 * time.Hour},
	}
	var said, started []time.Duration
	var first string
	for ; q.Now.Sub(retireNow) < 24*time.Hour; q.Now = q.Now.Add(10 * time.Minute) {
		a := Retire(q)
		if a.Record != nil {
			q.Record = *a.Record
		}
		for _, e := range a.Outcome.Events {
			if e.Type == contract.TeardownBlocked {
				first = e.Detail.Why
				said = append(said, q.Now.Sub(retireNow))
			}
		}
		if a.Start {
			started = append(started, q.Now.Sub(retireNow).Round(time.Hour))
		}
	}
	if len(said) != 1 || said[0] != 0 {
		t.Errorf("reported after %v", said)
	}
	want := "execution teardown-vo_1-3 ended with status FAILED in phase detach (GiveUp: delete share: AccessDenied); the " +
		"teardown is interrupted; fix the cause; originhub tries again within six hours, and at once if the tag originhub:teardown is set again; " +
		"to keep the origin, remove the tag"
	if first != want {
		t.Errorf("got %s", first)
	}
	if got := fmt.Sprint(started); got != "[1h0m0s 3h0m0s 7h0m0s 13h0m0s 19h0m0s]" {
		t.Errorf("resumed after %s", got)
	}
	q.Execution = origin.Execution{Status: aborted}
	q.Record = requestedRecord(detaching, func(r *origin.Record) { r.Teardown.Unshared = retireNow })
	a := Retire(q)
	if got := a.Record.Teardown.Because.Message; !strings.Contains(got, "somebody stopped the execution; to continue, set the tag") || !strings.HasSuffix(got, "and share the origin with the hub again") {
		t.Errorf("stopped: %s", got)
	}
	for phase, want := range map[Phase]string{
		Delete: "; if the VPC origin still exists and you want to keep it, remove the tag and share the origin with the hub again",
		Verify: "is set again",
	} {
		q := Request{Now: retireNow, Readable: true, Record: requestedRecord(detaching), Tag: TagPresent, Value: "2h", Observed: true, Execution: failed}
		q.Record.Teardown.Phase, q.Grace = string(phase), Bounds{Maximum: 100 * time.Hour}
		if got := Retire(q).Record.Teardown.Because.Message; !strings.HasSuffix(got, want) {
			t.Errorf("died in phase %s: %s", phase, got)
		}
	}
}

// In dry-run mode a tag starts no execution. What it would start is reported once for each value.
func TestRetireInDryRunMode(t *testing.T) {
	q := Request{Now: retireNow, Readable: true, DryRun: true, Record: requestedRecord(never), Tag: TagPresent, Value: "now", Grace: Bounds{Maximum: 720 * time.Hour}}
	first := Retire(q)
	if first.Start || first.Record != nil || len(first.Outcome.Events) != 1 || first.Outcome.Events[0].Type != contract.ChangePlanned {
		t.Fatalf("%+v", first)
	}
	q.Refused = first.Refuse
	if again := Retire(q); again.Start || again.Record != nil || len(again.Outcome.Events) > 0 {
		t.Errorf("reported again: %+v", again)
	}
	if q.Value = "2h"; len(Retire(q).Outcome.Events) != 1 {
		t.Error("another value is not reported")
	}
	if q.DryRun = false; !Retire(q).Start {
		t.Error("the teardown does not start in the other mode")
	}
	q.DryRun, q.Record = true, requestedRecord(detaching)
	if got := Retire(q); got.Start || got.Record != nil {
		t.Errorf("a teardown that began before is started: %+v", got)
	}
}

// Teardown Started names who made the call that set the tag, if the record of the call says so.
func TestTeardownStartedNamesWhoSetTheTag(t *testing.T) {
	for _, by := range []string{"", "arn:aws:sts::222222222222:assumed-role/developer/alice"} {
		a := Retire(Request{Now: retireNow, Readable: true, Hinted: true, Record: requestedRecord(never), Tag: TagPresent, Value: "now", By: by})
		if len(a.Outcome.Events) != 1 || a.Outcome.Events[0].Type != contract.TeardownStarted || a.Outcome.Events[0].Detail.Who != by {
			t.Errorf("by %q: %+v", by, a.Outcome.Events)
		}
	}
}
