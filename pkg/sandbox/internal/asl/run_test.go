package asl

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func start() time.Time { return time.Date(2035, 1, 8, 9, 0, 0, 0, time.UTC) }

// reply is what the scripted world does with a call: succeed with a result, fail, or time out.
type reply struct {
	result    string
	fail      *Failure
	timeout   bool
	heartbeat bool
	takes     time.Duration
}

type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

// driven is a finished run.
type driven struct {
	*Run
	end   End
	now   time.Time
	calls []Call
	times []time.Time // of the calls
}

func parse(t fataler, definition string) *Machine {
	t.Helper()
	m, err := Parse([]byte(definition))
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	return m
}

// drive runs an execution to its end, or for 200 actions, answering calls from replies in order (the last one repeats).
func drive(t fataler, m *Machine, input string, replies []reply) *driven {
	t.Helper()
	r, action := Begin(m, Execution{
		ARN: "arn:aws:states:us-east-1:100000000000:execution:m:one", Name: "one", RoleARN: "arn:aws:iam::100000000000:role/r",
		MachineARN: "arn:aws:states:us-east-1:100000000000:stateMachine:m", MachineName: "m", Region: "us-east-1", Input: json.RawMessage(input),
	}, start())
	d := &driven{Run: r, now: start()}
	d.resume(t, action, replies)
	return d
}

func (d *driven) resume(t fataler, action Action, replies []reply) {
	t.Helper()
	for range 200 {
		switch a := action.(type) {
		case Advance:
			action = d.Continue(d.now)
		case Sleep:
			if a.Until.Before(d.now) {
				t.Fatalf("sleeps until %v, which has passed", a.Until)
			}
			d.now = a.Until
			action = d.Continue(d.now)
		case Call:
			d.calls, d.times = append(d.calls, a), append(d.times, d.now)
			if len(replies) == 0 {
				replies = []reply{{result: `{}`}}
			}
			next := replies[0]
			if len(replies) > 1 {
				replies = replies[1:]
			}
			d.now = d.now.Add(next.takes)
			switch {
			case next.fail != nil:
				action = d.Fail(d.now, *next.fail)
			case next.timeout || next.heartbeat:
				action = d.TimeOutTask(d.now, next.heartbeat)
			default:
				action = d.Succeed(d.now, json.RawMessage(next.result))
			}
		case End:
			d.end = a
			return
		default:
			t.Fatalf("no action after %v", d.History()[len(d.History())-1])
		}
	}
}

func (d *driven) types() string {
	var types []string
	for _, e := range d.History() {
		types = append(types, e.Type)
	}
	return strings.Join(types, " ")
}

func (d *driven) path() string {
	var names []string
	for _, v := range Visits(d.History()) {
		names = append(names, v.State)
	}
	return strings.Join(names, " ")
}

func sameJSON(t *testing.T, got json.RawMessage, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal(got, &g); err != nil {
		t.Fatalf("%q: %v", got, err)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(w, g); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestPass_OutputAndAssign(t *testing.T) {
	m := parse(t, head+`
		"A": {"Type": "Pass", "Assign": {"x": "{% $states.input.n + 1 %}", "y": ["{% $states.input.n %}", "text", null]}, "Next": "B"},
		"B": {"Type": "Pass", "Assign": {"x": 0}, "Output": {"x": "{% $x %}", "y": "{% $y %}", "name": "{% $states.context.State.Name %}", "html": "<&>"}, "Next": "C"},
		"C": {"Type": "Succeed", "Output": "{% $merge([$states.input, {'after': $x}]) %}"}}}`)
	d := drive(t, m, `{"n": 41}`, nil)
	if d.end.Status != "SUCCEEDED" {
		t.Fatal(d.end)
	}
	sameJSON(t, d.end.Output, `{"x": 42, "y": [41, "text", null], "name": "B", "html": "<&>", "after": 0}`)
	want := "ExecutionStarted PassStateEntered PassStateExited PassStateEntered PassStateExited SucceedStateEntered SucceedStateExited ExecutionSucceeded"
	if d.types() != want {
		t.Errorf("history %s", d.types())
	}
	if got := d.History()[2].StateExited.AssignedVariables; got["x"] != "42" {
		t.Errorf("assigned %v", got)
	}
}

func TestExpressions_WhatStepFunctionsAdds(t *testing.T) {
	for _, c := range []struct{ expression, want string }{
		{"$now()", `"2035-01-08T09:00:00.000Z"`},
		{"$toMillis($now()) = $millis()", `true`},
		{"$parse('{\"a\": [1, null]}')", `{"a": [1, null]}`},
		{"$range(0, 10, 5)", `[0, 5, 10]`},
		{"$partition([1, 2, 3], 2)", `[[1, 2], [3]]`},
		{"$hash('a', 'SHA-256')", `"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"`},
		{"$random(7) = $random(7)", `true`},
		{"$length($uuid())", `36`},
		{"$random() < 1", `true`},
		{"$states.context.Execution.Name & ' ' & $states.context.StateMachine.Name", `"one m"`},
		{"$states.context.Execution.Input.a", `1`},
		{"$states.context.Execution.StartTime", `"2035-01-08T09:00:00.000Z"`},
		{"$fromMillis(0)", `"1970-01-01T00:00:00.000Z"`},
		{"12345678901234567", `12345678901234567`},
		{"null", `null`},
	} {
		t.Run(c.expression, func(t *testing.T) {
			d := drive(t, parse(t, head+`"A": {"Type": "Succeed", "Output": `+string(encode("{% "+c.expression+" %}"))+`}}}`), `{"a": 1}`, nil)
			if d.end.Status != "SUCCEEDED" {
				t.Fatal(d.end)
			}
			sameJSON(t, d.end.Output, c.want)
		})
	}
}

func TestExpressions_ErrorsEndAnExecutionByName(t *testing.T) {
	for _, c := range []struct{ state, location, cause string }{
		{`"Type": "Succeed", "Output": {"a": "{% $states.input.missing %}"}`, "Output/a", "returned nothing (undefined)"},
		{`"Type": "Succeed", "Output": "{% $unknown %}"`, "Output", "returned nothing (undefined)"},
		{`"Type": "Succeed", "Output": "{% 1 + 'a' %}"`, "Output", "threw an error during evaluation"},
		{`"Type": "Succeed", "Output": "{% $eval('1') %}"`, "Output", "$parse"},
		{`"Type": "Succeed", "Output": "{% $shuffle([1,2]) %}"`, "Output", "$shuffle"},
		{`"Type": "Pass", "End": true, "Assign": {"x": "{% $states.input.missing %}"}`, "Assign/x", "undefined"},
		{`"Type": "Wait", "End": true, "Seconds": "{% 'x' %}"`, "Seconds", "Expected 'number'"},
		{`"Type": "Wait", "End": true, "Seconds": "{% -1 %}"`, "Seconds", "outside the allowed range"},
		{`"Type": "Wait", "End": true, "Seconds": "{% 1.5 %}"`, "Seconds", "outside the allowed range"},
		{`"Type": "Wait", "End": true, "Timestamp": "{% 'soon' %}"`, "Timestamp", "not a timestamp"},
		{`"Type": "Choice", "Choices": [{"Condition": "{% 'yes' %}", "Next": "A"}]`, "Choices/0/Condition", "Expected 'boolean'"},
		{`"Type": "Fail", "Error": "{% 1 %}"`, "Error", "Expected 'string'"},
	} {
		t.Run(c.state, func(t *testing.T) {
			d := drive(t, parse(t, head+`"A": {`+c.state+`}}}`), `{}`, nil)
			if d.end.Status != "FAILED" || d.end.Error != errQuery || !strings.Contains(d.end.Cause, c.cause) {
				t.Fatal(d.end)
			}
			var evaluation *EvaluationFailed
			for _, e := range d.History() {
				if e.EvaluationFailed != nil {
					evaluation = e.EvaluationFailed
				}
			}
			if evaluation == nil || evaluation.Location != c.location || evaluation.State != "A" {
				t.Errorf("event %+v", evaluation)
			}
		})
	}
}

func TestChoice_FirstRuleThatHoldsWithItsOwnOutput(t *testing.T) {
	m := parse(t, head+`
		"A": {"Type": "Choice", "Output": "default", "Assign": {"v": 3}, "Choices": [
			{"Condition": "{% $states.input.n > 10 %}", "Next": "B", "Output": "big", "Assign": {"v": 1}},
			{"Condition": "{% $states.input.n > 5 %}", "Next": "B", "Assign": {"v": 2}}], "Default": "B"},
		"B": {"Type": "Succeed", "Output": {"in": "{% $states.input %}", "v": "{% $v %}"}}}}`)
	for _, c := range []struct{ input, want string }{
		{`{"n": 11}`, `{"in": "big", "v": 1}`},
		{`{"n": 6}`, `{"in": {"n": 6}, "v": 2}`},
		{`{"n": 1}`, `{"in": "default", "v": 3}`},
	} {
		d := drive(t, m, c.input, nil)
		sameJSON(t, d.end.Output, c.want)
	}
	none := parse(t, head+`"A": {"Type": "Choice", "Choices": [{"Condition": "{% false %}", "Next": "B"}]}, "B": {"Type": "Succeed"}}}`)
	if d := drive(t, none, `{}`, nil); d.end.Error != "States.NoChoiceMatched" {
		t.Errorf("no rule: %+v", d.end)
	}
}

func TestWait_SecondsAndTimestamps(t *testing.T) {
	for _, c := range []struct {
		field string
		want  time.Duration
	}{
		{`"Seconds": 90`, 90 * time.Second},
		{`"Seconds": 0`, 0},
		{`"Seconds": "{% $states.input.s * 2 %}"`, 60 * time.Second},
		{`"Timestamp": "2035-01-08T10:00:00Z"`, time.Hour},
		{`"Timestamp": "2035-01-08T11:00:00+01:00"`, time.Hour},
		{`"Timestamp": "2030-01-08T10:00:00Z"`, 0},
		{`"Timestamp": "{% $fromMillis($millis() + 1500) %}"`, 1500 * time.Millisecond},
	} {
		d := drive(t, parse(t, head+`"A": {"Type": "Wait", "End": true, `+c.field+`}}}`), `{"s": 30}`, nil)
		if d.end.Status != "SUCCEEDED" || d.now.Sub(start()) != c.want {
			t.Errorf("%s: %s after %v", c.field, d.end.Status, d.now.Sub(start()))
		}
	}
}

func taskMachine(fields string) string {
	return head + `"A": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Arguments": {"FunctionName": "f", "Payload": "{% $states.input %}"}, "Next": "B"` +
		fields + `}, "B": {"Type": "Succeed"}, "C": {"Type": "Succeed"}}}`
}

func TestTask_HistoryAndResult(t *testing.T) {
	d := drive(t, parse(t, strings.Replace(taskMachine(`, "Output": "{% $states.result.Payload %}", "Assign": {"code": "{% $states.result.StatusCode %}"}`), `, "C": {"Type": "Succeed"}`, "", 1)),
		`{"a": 1}`, []reply{{result: `{"Payload": {"b": 2}, "StatusCode": 200}`}})
	sameJSON(t, d.end.Output, `{"b": 2}`)
	sameJSON(t, d.calls[0].Arguments, `{"FunctionName": "f", "Payload": {"a": 1}}`)
	want := "ExecutionStarted TaskStateEntered TaskScheduled TaskStarted TaskSucceeded TaskStateExited SucceedStateEntered SucceedStateExited ExecutionSucceeded"
	if d.types() != want {
		t.Errorf("history %s", d.types())
	}
	scheduled := d.History()[2].TaskScheduled
	if scheduled.Resource != "invoke" || scheduled.ResourceType != "lambda" || scheduled.Region != "us-east-1" {
		t.Errorf("%+v", scheduled)
	}
	for i, e := range d.History() {
		if e.ID != int64(i+1) || e.PreviousEventID != int64(i) {
			t.Errorf("event %d has id %d after %d", i, e.ID, e.PreviousEventID)
		}
	}
}

func TestTask_RetryThenCatch(t *testing.T) {
	catch := `, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "C", "Output": {"error": "{% $states.errorOutput %}", "in": "{% $states.input %}"}}]`
	oops := &Failure{"Oops", "because"}
	for _, c := range []struct {
		name, retry string
		replies     []reply
		waits       []time.Duration // between attempts
		path        string
	}{
		{"defaults", `{"ErrorEquals": ["Oops"]}`, []reply{{fail: oops}}, []time.Duration{1 * time.Second, 2 * time.Second, 4 * time.Second}, "A C"},
		{"succeeds at last", `{"ErrorEquals": ["States.ALL"]}`, []reply{{fail: oops}, {fail: oops}, {result: `{}`}}, []time.Duration{1 * time.Second, 2 * time.Second}, "A B"},
		{"interval, rate, cap", `{"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 2, "BackoffRate": 3, "MaxAttempts": 4, "MaxDelaySeconds": 10}`, []reply{{fail: oops}}, []time.Duration{2 * time.Second, 6 * time.Second, 10 * time.Second, 10 * time.Second}, "A C"},
		{"none", `{"ErrorEquals": ["Oops"], "MaxAttempts": 0}`, []reply{{fail: oops}}, nil, "A C"},
		{"other error", `{"ErrorEquals": ["Other"]}`, []reply{{fail: oops}}, nil, "A C"},
		{"counters are per retrier", `{"ErrorEquals": ["Oops"], "MaxAttempts": 1}, {"ErrorEquals": ["Lambda.Unknown"], "MaxAttempts": 1, "IntervalSeconds": 5}`, []reply{{fail: oops}, {fail: &Failure{Error: "Lambda.Unknown"}}, {fail: oops}}, []time.Duration{1 * time.Second, 5 * time.Second}, "A C"},
		{"timeout is not TaskFailed", `{"ErrorEquals": ["States.TaskFailed"]}`, []reply{{timeout: true}}, nil, "A C"},
		{"timeout", `{"ErrorEquals": ["States.Timeout"], "MaxAttempts": 1}`, []reply{{timeout: true}}, []time.Duration{1 * time.Second}, "A C"},
		{"heartbeat is a timeout", `{"ErrorEquals": ["States.Timeout"], "MaxAttempts": 1}`, []reply{{heartbeat: true}}, []time.Duration{1 * time.Second}, "A C"},
		{"heartbeat by name", `{"ErrorEquals": ["States.HeartbeatTimeout"], "MaxAttempts": 1}`, []reply{{heartbeat: true}}, []time.Duration{1 * time.Second}, "A C"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := drive(t, parse(t, taskMachine(`, "Retry": [`+c.retry+`]`+catch)), `{"a": 1}`, c.replies)
			if d.path() != c.path {
				t.Errorf("path %s", d.path())
			}
			var waits []time.Duration
			for i := 1; i < len(d.times); i++ {
				waits = append(waits, d.times[i].Sub(d.times[i-1]))
			}
			if diff := cmp.Diff(c.waits, waits); diff != "" {
				t.Error(diff)
			}
		})
	}
	d := drive(t, parse(t, taskMachine(catch)), `{"a": 1}`, []reply{{fail: oops}})
	sameJSON(t, d.end.Output, `{"error": {"Error": "Oops", "Cause": "because"}, "in": {"a": 1}}`)
}

func TestTask_UncaughtErrorEndsTheExecution(t *testing.T) {
	m := parse(t, strings.Replace(taskMachine(""), `, "C": {"Type": "Succeed"}`, "", 1))
	d := drive(t, m, `{}`, []reply{{fail: &Failure{"Oops", "because"}}})
	if d.end.Status != "FAILED" || d.end.Failure != (Failure{"Oops", "because"}) {
		t.Error(d.end)
	}
	if want := "ExecutionStarted TaskStateEntered TaskScheduled TaskStarted TaskFailed ExecutionFailed"; d.types() != want {
		t.Errorf("history %s", d.types())
	}
}

func TestTask_StatesALLDoesNotCoverTheTerminalErrors(t *testing.T) {
	for _, name := range []string{errRuntime, errDataLimit} {
		if matches([]string{errAll}, name) || matches([]string{errTaskFailed}, name) || !matches([]string{name}, name) {
			t.Error(name)
		}
	}
	huge := `"` + strings.Repeat("x", maxData) + `"`
	d := drive(t, parse(t, taskMachine(`, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "C"}]`)), `{}`, []reply{{result: huge}})
	if d.end.Error != errDataLimit {
		t.Error(d.end)
	}
}

func TestTask_EvaluationErrorsCanBeCaught(t *testing.T) {
	m := parse(t, taskMachine(`, "Output": "{% $states.result.missing %}", "Catch": [{"ErrorEquals": ["States.QueryEvaluationError"], "Next": "C"}]`))
	d := drive(t, m, `{}`, nil)
	if d.path() != "A C" {
		t.Errorf("path %s, %+v", d.path(), d.end)
	}
}

func TestTask_TokenIsNewForEachAttempt(t *testing.T) {
	m := parse(t, head+`"A": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "Next": "B", "TimeoutSeconds": 100, "HeartbeatSeconds": 10,
		"Arguments": {"FunctionName": "f", "Payload": {"token": "{% $states.context.Task.Token %}", "try": "{% $states.context.State.RetryCount %}"}},
		"Retry": [{"ErrorEquals": ["States.ALL"]}]}, "B": {"Type": "Succeed"}}}`)
	d := drive(t, m, `{}`, []reply{{timeout: true, takes: 100 * time.Second}, {result: `{"done": true}`}})
	if len(d.calls) != 2 || d.calls[0].Token == "" || d.calls[0].Token == d.calls[1].Token {
		t.Fatalf("calls %+v", d.calls)
	}
	sameJSON(t, d.calls[1].Arguments, fmt.Sprintf(`{"FunctionName": "f", "Payload": {"token": %q, "try": 1}}`, d.calls[1].Token))
	if d.calls[0].Timeout != 100*time.Second || d.calls[0].Heartbeat != 10*time.Second {
		t.Errorf("%+v", d.calls[0])
	}
	if d.Token() != "" {
		t.Error("the token outlived the task")
	}
	sameJSON(t, d.end.Output, `{"done": true}`)
}

func TestFail_CarriesErrorAndCause(t *testing.T) {
	d := drive(t, parse(t, head+`"A": {"Type": "Fail", "Error": "originhub.Dirty", "Cause": "{% $states.input.says %}"}}}`), `{"says": "eni left"}`, nil)
	if d.end.Status != "FAILED" || d.end.Failure != (Failure{"originhub.Dirty", "eni left"}) {
		t.Error(d.end)
	}
}

// Assumption SFN-06.
func TestRedrive_ContinuesWhereItEnded(t *testing.T) {
	m := parse(t, strings.Replace(head, `"StartAt": "A"`, `"StartAt": "P"`, 1)+`
		"P": {"Type": "Pass", "Next": "A"},
		"A": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Arguments": {"FunctionName": "f"}, "Next": "B", "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}]},
		"B": {"Type": "Succeed", "Output": "{% $states.context.Execution.RedriveCount %}"}}}`)
	d := drive(t, m, `{}`, []reply{{fail: &Failure{Error: "Oops"}}})
	if d.end.Status != "FAILED" || len(d.calls) != 2 {
		t.Fatal(d.end, len(d.calls))
	}
	d.now = d.now.Add(time.Hour)
	d.resume(t, d.Redrive(d.now), []reply{{fail: &Failure{Error: "Oops"}}, {result: `{}`}})
	if d.end.Status != "SUCCEEDED" || string(d.end.Output) != "1" {
		t.Fatal(d.end)
	}
	if d.path() != "P A B" {
		t.Errorf("path %s: the redriven task is not entered again", d.path())
	}
	if !strings.Contains(d.types(), "ExecutionFailed ExecutionRedriven TaskScheduled TaskStarted TaskFailed TaskScheduled") {
		t.Errorf("history %s", d.types())
	}
}

// Assumption ASL-02: a redriven execution enters a state that is not a Task again; a Fail state fails again.
func TestAssumption_ASL_02_RedriveEntersOtherStatesAgain(t *testing.T) {
	m := parse(t, head+`"A": {"Type": "Fail", "Error": "E"}}}`)
	d := drive(t, m, `{}`, nil)
	d.resume(t, d.Redrive(d.now), nil)
	if want := "ExecutionStarted FailStateEntered ExecutionFailed ExecutionRedriven FailStateEntered ExecutionFailed"; d.types() != want {
		t.Errorf("history %s", d.types())
	}
}

func TestAssumption_ASL_01_HeartbeatTimeoutIsATimeout(t *testing.T) {
	d := drive(t, parse(t, taskMachine(`, "Catch": [{"ErrorEquals": ["States.Timeout"], "Next": "C"}]`)), `{}`, []reply{{heartbeat: true}})
	if d.path() != "A C" {
		t.Error(d.path())
	}
	sameJSON(t, d.end.Output, `{"Error": "States.HeartbeatTimeout", "Cause": ""}`)
}

func TestAbortAndTimeOut(t *testing.T) {
	m := parse(t, head+`"A": {"Type": "Wait", "Seconds": 60, "End": true}}}`)
	for _, c := range []struct {
		end    func(*Run) Action
		status string
		last   string
	}{
		{func(r *Run) Action { return r.Abort(start(), Failure{"Stop", "enough"}) }, "ABORTED", "ExecutionAborted"},
		{func(r *Run) Action { return r.TimeOut(start()) }, "TIMED_OUT", "ExecutionTimedOut"},
	} {
		r, _ := Begin(m, Execution{ARN: "x", Input: json.RawMessage(`{}`)}, start())
		r.Continue(start())
		end, ok := c.end(r).(End)
		if !ok || end.Status != c.status || r.History()[len(r.History())-1].Type != c.last {
			t.Errorf("%+v %+v", end, r.History())
		}
	}
}

func TestRun_EndlessLoopReachesTheHistoryLimit(t *testing.T) {
	m := parse(t, head+`"A": {"Type": "Pass", "Next": "A"}}}`)
	r, action := Begin(m, Execution{ARN: "x", Input: json.RawMessage(`{}`)}, start())
	for range maxHistory {
		if end, ok := action.(End); ok {
			if end.Error != errRuntime || len(r.History()) > maxHistory {
				t.Errorf("%+v after %d events", end, len(r.History()))
			}
			return
		}
		action = r.Continue(start())
	}
	t.Error("never ended")
}

// TestRetry_JitterIsBoundedAndRepeatable: FULL jitter lies between zero and the plain delay, and the same execution has
// the same delays.
func TestRetry_JitterIsBoundedAndRepeatable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		interval := rapid.IntRange(1, 60).Draw(t, "interval")
		attempts := rapid.IntRange(0, 6).Draw(t, "attempts")
		retry := func(jitter string) *driven {
			m := parse(t, taskMachine(fmt.Sprintf(`, "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": %d, "MaxAttempts": %d, "JitterStrategy": %q}], "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "C"}]`, interval, attempts, jitter)))
			return drive(t, m, `{}`, []reply{{fail: &Failure{Error: "E"}}})
		}
		plain, first, second := retry("NONE"), retry("FULL"), retry("FULL")
		if len(plain.times) != attempts+1 || len(first.times) != attempts+1 {
			t.Fatalf("%d and %d attempts", len(plain.times), len(first.times))
		}
		for i := 1; i < len(first.times); i++ {
			d := first.times[i].Sub(first.times[i-1])
			if limit := plain.times[i].Sub(plain.times[i-1]); d < 0 || d > limit {
				t.Fatalf("delay %v, limit %v", d, limit)
			}
			if !first.times[i].Equal(second.times[i]) {
				t.Fatalf("attempt %d differs", i)
			}
		}
	})
}

func TestVisits(t *testing.T) {
	d := drive(t, parse(t, taskMachine(`, "Retry": [{"ErrorEquals": ["Oops"], "MaxAttempts": 1}], "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "C"}]`)), `{"a": 1}`,
		[]reply{{fail: &Failure{"Oops", "because"}, takes: time.Second}})
	visits := Visits(d.History())
	if len(visits) != 2 || visits[0].Attempts != 2 || visits[0].Error != "Oops" || visits[0].Left.Sub(visits[0].Entered) != 3*time.Second ||
		visits[1].State != "C" || visits[1].Type != "Succeed" {
		t.Errorf("%+v", visits)
	}
}
