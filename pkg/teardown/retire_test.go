package teardown

import (
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
func unbegun(r *origin.Record) { r.Teardown.Phase = "" }
func ended(r *origin.Record)   { r.Teardown.Ended = true }
func untagged(r *origin.Record) {
	r.Teardown.Ended, r.Teardown.Because = true, origin.Reason{Code: tagRemoved}
}

func aged(r *origin.Record) {
	r.Teardown.ExecutionAsked, r.Teardown.Since = retireNow.Add(-25*time.Hour), retireNow.Add(-25*time.Hour)
}

// One row or more for each row of the table above Retire.
func TestRetire(t *testing.T) {
	again := retireNow.Add(-time.Minute) // after the teardown was asked for
	late := retireNow.Add(-2 * time.Hour)
	for name, c := range map[string]struct {
		request Request
		want    string
	}{
		"account that policy does not know": {Request{Record: requestedRecord(never), Tag: TagPresent, Value: "now", Refused: nil, Readable: false}, "nothing"},
		"deleted":                           {Request{Readable: true, Record: requestedRecord(func(r *origin.Record) { r.State = origin.Deleted })}, "nothing"},
		"swept, entered":                    {Request{Readable: true, Record: requestedRecord(detaching)}, "observe execution"},
		"swept, entered, never started":     {Request{Readable: true, Record: requestedRecord(detaching), Execution: ExecutionNone}, "start 3"},
		"swept, entered, runs":              {Request{Readable: true, Record: requestedRecord(detaching), Execution: ExecutionRunning}, "nothing"},
		"swept, entered, ended":             {Request{Readable: true, Record: requestedRecord(detaching), Execution: ExecutionEnded}, "nothing"},
		"swept, entered a day ago":          {Request{Readable: true, Record: requestedRecord(detaching, aged)}, "observe tag"},
		"swept, blocked":                    {Request{Readable: true, Record: requestedRecord(detaching, ended)}, "observe tag"},
		"swept, in grace":                   {Request{Readable: true, Record: requestedRecord()}, "observe tag"},
		"named, entered":                    {Request{Readable: true, Hinted: true, Record: requestedRecord(detaching)}, "observe tag"},
		"unreadable":                        {Request{Readable: true, Record: requestedRecord(), Tag: TagUnreadable}, "nothing"},
		"gone, never asked for":             {Request{Readable: true, Record: requestedRecord(never), Tag: TagGone}, "nothing"},
		"gone":                              {Request{Readable: true, Record: requestedRecord(detaching), Tag: TagGone}, "observe execution"},
		"gone, never started":               {Request{Readable: true, Record: requestedRecord(detaching), Tag: TagGone, Execution: ExecutionNone}, "start 3"},
		"gone, runs":                        {Request{Readable: true, Record: requestedRecord(detaching), Tag: TagGone, Execution: ExecutionRunning}, "nothing"},
		"gone, ended an hour ago":           {Request{Readable: true, Record: requestedRecord(detaching), Tag: TagGone, Execution: ExecutionEnded}, "nothing"},
		"gone, ended a day ago":             {Request{Readable: true, Record: requestedRecord(detaching, aged), Tag: TagGone, Execution: ExecutionEnded}, "begin 4"},
		"absent, never asked for":           {Request{Readable: true, Record: requestedRecord(never), Tag: TagAbsent}, "nothing"},
		"absent, in grace":                  {Request{Readable: true, Record: requestedRecord(), Tag: TagAbsent}, "cancel 4"},
		"absent, detaching":                 {Request{Readable: true, Record: requestedRecord(detaching), Tag: TagAbsent}, "nothing"},
		"mistyped, in grace":                {Request{Readable: true, Record: requestedRecord(), Tag: TagPresent, Value: "tomorrow"}, "refuse " + string(TagInvalid) + ", cancel 4"},
		"mistyped, never asked for":         {Request{Readable: true, Record: requestedRecord(never), Tag: TagPresent, Value: "tomorrow"}, "refuse " + string(TagInvalid)},
		"mistyped, refused before":          {Request{Readable: true, Record: requestedRecord(never), Tag: TagPresent, Value: "tomorrow", Refused: []origin.Reason{{Code: TagInvalid, Subject: "tomorrow"}}}, "nothing"},
		"mistyped in another way":           {Request{Readable: true, Record: requestedRecord(never), Tag: TagPresent, Value: "soon", Refused: []origin.Reason{{Code: TagInvalid, Subject: "tomorrow"}}}, "refuse " + string(TagInvalid)},
		"too far":                           {Request{Readable: true, Record: requestedRecord(never), Tag: TagPresent, Value: "100d"}, "refuse " + string(TagTooFar)},
		"long over":                         {Request{Readable: true, Record: requestedRecord(never), Tag: TagPresent, Value: "2034-01-01T00:00:00Z"}, "refuse " + string(TagPast)},
		"present, never asked for":          {Request{Readable: true, Record: requestedRecord(never), Tag: TagPresent, Value: "now"}, "begin 3"},
		"present, earlier now":              {Request{Readable: true, Record: requestedRecord(), Tag: TagPresent, Value: "30m"}, "begin 4"},
		"present, later now":                {Request{Readable: true, Record: requestedRecord(), Tag: TagPresent, Value: "5h", Execution: ExecutionRunning}, "move"},
		"present, later now, never started": {Request{Readable: true, Record: requestedRecord(), Tag: TagPresent, Value: "5h", Execution: ExecutionNone}, "move, start 3"},
		"present, later now, set again":     {Request{Readable: true, Hinted: true, Called: again, Record: requestedRecord(), Tag: TagPresent, Value: "5h", Execution: ExecutionEnded}, "begin 4"},
		"present, another value while detaching": {
			Request{Readable: true, Hinted: true, Called: again, Record: requestedRecord(detaching), Tag: TagPresent, Value: "5h", Execution: ExecutionRunning}, "refuse " + string(TagLate),
		},
		"present, as it was":                       {Request{Readable: true, Record: requestedRecord(), Tag: TagPresent, Value: "2h"}, "observe execution"},
		"present, never started":                   {Request{Readable: true, Record: requestedRecord(), Tag: TagPresent, Value: "2h", Execution: ExecutionNone}, "start 3"},
		"present, runs, set again":                 {Request{Readable: true, Hinted: true, Called: again, Record: requestedRecord(detaching), Tag: TagPresent, Value: "2h", Execution: ExecutionRunning}, "nothing"},
		"present, ended, set again":                {Request{Readable: true, Hinted: true, Called: again, Record: requestedRecord(detaching), Tag: TagPresent, Value: "2h", Execution: ExecutionEnded}, "begin 4"},
		"present, ended by its record, set again":  {Request{Readable: true, Hinted: true, Called: again, Record: requestedRecord(detaching, ended), Tag: TagPresent, Value: "2h", Execution: ExecutionRunning}, "begin 4"},
		"present, ended, event twice or late":      {Request{Readable: true, Hinted: true, Called: late, Record: requestedRecord(detaching), Tag: TagPresent, Value: "2h", Execution: ExecutionEnded}, "nothing"},
		"present, blocked, swept":                  {Request{Readable: true, Record: requestedRecord(detaching, ended), Tag: TagPresent, Value: "2h", Execution: ExecutionEnded}, "nothing"},
		"present, blocked since it was removed":    {Request{Readable: true, Record: requestedRecord(detaching, untagged), Tag: TagPresent, Value: "2h", Execution: ExecutionEnded}, "begin 4"},
		"present, blocked, another value":          {Request{Readable: true, Record: requestedRecord(detaching, ended), Tag: TagPresent, Value: "now", Execution: ExecutionEnded}, "begin 4"},
		"present, ended before its first step":     {Request{Readable: true, Record: requestedRecord(unbegun), Tag: TagPresent, Value: "2h", Execution: ExecutionEnded}, "begin 4"},
		"present, ended, swept":                    {Request{Readable: true, Record: requestedRecord(detaching, aged), Tag: TagPresent, Value: "2h", Execution: ExecutionEnded}, "nothing"},
		"present, set again in grace, gets grace":  {Request{Readable: true, Hinted: true, Called: again, Record: requestedRecord(), Tag: TagPresent, Value: "2h", Execution: ExecutionEnded}, "begin 4"},
		"present, set again, but no longer lawful": {Request{Readable: true, Hinted: true, Called: again, Record: requestedRecord(func(r *origin.Record) { r.Teardown.Value = "2035-01-07T09:30:00Z"; r.Teardown.Due = retireNow }), Tag: TagPresent, Value: "2035-01-07T08:30:00Z", Execution: ExecutionEnded}, "refuse " + string(TagPast) + ", cancel 4"},
	} {
		t.Run(name, func(t *testing.T) {
			c.request.Now, c.request.Grace = retireNow, Bounds{Default: 15 * time.Minute, Maximum: 30 * 24 * time.Hour}
			if got := told(c.request, Retire(c.request)); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
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
	case a.Record != nil && a.Record.Teardown == nil:
		words = append(words, "cancel "+number(generation))
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
			Tag:       rapid.SampledFrom([]TagState{TagPresent, TagAbsent, TagUnreadable, TagGone}).Draw(t, "tag"),
			Value:     rapid.SampledFrom([]string{"now", "2h", "30m", "5h", "tomorrow", "100d", "2035-01-08T12:00:00Z"}).Draw(t, "value"),
			Execution: rapid.SampledFrom([]ExecutionState{ExecutionNone, ExecutionRunning, ExecutionEnded}).Draw(t, "execution"),
		}
		if q.Hinted {
			q.Called = retireNow.Add(time.Duration(rapid.IntRange(-7200, 0).Draw(t, "called")) * time.Second)
		}
		var changes []func(*origin.Record)
		for i, c := range []func(*origin.Record){detaching, unbegun, ended, untagged, aged} {
			if rapid.Bool().Draw(t, []string{"detaching", "unbegun", "ended", "untagged", "aged"}[i]) {
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
			q.Execution = ExecutionRunning
		}
		if a.Refuse != nil {
			q.Refused = a.Refuse
		}
		if b := Retire(q); b.Record != nil || b.Refuse != nil || len(b.Outcome.Events) > 0 || b.Fresh {
			t.Fatalf("first %s, then %s", told(q, a), told(q, b))
		}
	})
}
