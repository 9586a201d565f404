package states

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/originhub/originhub/pkg/sandbox/internal/asl"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

const (
	account = "100000000000"
	region  = "us-east-1"
	arn     = "arn:aws:states:us-east-1:100000000000:stateMachine:teardown"
)

// trusting lets every role be assumed, except one named "untrusting".
type trusting struct{}

func (trusting) Assume(caller cloud.Principal, role, session string) (cloud.Principal, error) {
	if caller.Service != "states.amazonaws.com" || strings.HasSuffix(role, "untrusting") {
		return cloud.Principal{}, errors.New("AccessDenied: the role does not trust the caller")
	}
	return cloud.AssumedRole(account, role, role[strings.LastIndex(role, "/")+1:], session), nil
}

// bench is a world with Step Functions and a scripted Lambda.
type bench struct {
	*testing.T
	w       *cloud.World
	s       *Service
	lambda  func(Invocation) (Answer, error)
	invoked []Invocation
	events  []cloud.Event
}

func newBench(t *testing.T) *bench {
	b := &bench{T: t, w: cloud.New(cloud.Options{Seed: 1})}
	b.lambda = func(Invocation) (Answer, error) {
		return Answer{Payload: []byte(`{}`), ExecutedVersion: "$LATEST"}, nil
	}
	b.s = New(b.w, trusting{}, func(in Invocation) (Answer, error) {
		b.invoked = append(b.invoked, in)
		return b.lambda(in)
	})
	b.w.Emit = func(e cloud.Event) { b.events = append(b.events, e) }
	b.w.Register(b.s.API())
	return b
}

func (b *bench) request(properties string) *cloud.ResourceRequest {
	return &cloud.ResourceRequest{
		World: b.w, Account: account, Region: region, Stack: "hub", LogicalID: "Machine", Properties: json.RawMessage(properties),
	}
}

func (b *bench) deploy(definition string) {
	b.Helper()
	properties, err := json.Marshal(map[string]any{
		"DefinitionString": definition, "RoleArn": "arn:aws:iam::" + account + ":role/machine", "StateMachineName": "teardown",
	})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := b.s.ResourceTypes()[0].Create(b.request(string(properties))); err != nil {
		b.Fatal(err)
	}
}

func call[O any](b *bench, operation string, in any) (*O, error) {
	out, err := b.w.Invoke(cloud.Root(account), region, "states", operation, in)
	if err != nil {
		return nil, err
	}
	return out.(*O), nil
}

func must[O any](b *bench, operation string, in any) *O {
	b.Helper()
	out, err := call[O](b, operation, in)
	if err != nil {
		b.Fatalf("%s: %v", operation, err)
	}
	return out
}

func (b *bench) start(name, input string) string {
	b.Helper()
	return must[StartExecutionOutput](b, "StartExecution", &StartExecutionInput{StateMachineARN: arn, Name: name, Input: &input}).ExecutionARN
}

func (b *bench) describe(execution string) *DescribeExecutionOutput {
	b.Helper()
	return must[DescribeExecutionOutput](b, "DescribeExecution", &DescribeExecutionInput{ExecutionARN: execution})
}

func (b *bench) history(execution string) []asl.Event {
	b.Helper()
	return must[GetExecutionHistoryOutput](b, "GetExecutionHistory", &GetExecutionHistoryInput{ExecutionARN: execution, MaxResults: 1000}).Events
}

func (b *bench) types(execution string) string {
	b.Helper()
	var types []string
	for _, e := range b.history(execution) {
		types = append(types, e.Type)
	}
	return strings.Join(types, " ")
}

func (b *bench) idle() {
	b.Helper()
	if !b.w.Clock.UntilIdle(365 * 24 * time.Hour) {
		b.Fatal("the world is not idle")
	}
}

func code(err error) string {
	if err == nil {
		return ""
	}
	return cloud.AsError(err).Code
}

const (
	top  = `{"QueryLanguage": "JSONata", "StartAt": "A", "States": {`
	task = top + `"A": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true,
		"Arguments": {"FunctionName": "f", "Payload": "{% $states.input %}"}, "Output": "{% $states.result.Payload %}"}}}`
	wait     = top + `"A": {"Type": "Wait", "Seconds": 3600, "Next": "B"}, "B": {"Type": "Succeed"}}}`
	callback = top + `"A": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "TimeoutSeconds": 600, "HeartbeatSeconds": 60, "Next": "B",
		"Arguments": {"FunctionName": "f", "Payload": {"token": "{% $states.context.Task.Token %}"}}}, "B": {"Type": "Succeed"}}}`
)

func TestExecution_LambdaTaskAsTheMachinesRole(t *testing.T) {
	b := newBench(t)
	b.deploy(task)
	b.lambda = func(in Invocation) (Answer, error) {
		return Answer{Payload: []byte(`{"phase": "grace"}`), ExecutedVersion: "$LATEST"}, nil
	}
	execution := b.start("one", `{"origin":"vo_1"}`)
	if got := b.describe(execution); got.Status != "RUNNING" || got.RedriveStatus != "NOT_REDRIVABLE" {
		t.Errorf("%+v", got)
	}
	b.idle()
	got := b.describe(execution)
	if got.Status != "SUCCEEDED" || *got.Output != `{"phase":"grace"}` || !got.StartDate.Equal(got.StopDate) {
		t.Errorf("%+v", got)
	}
	want := Invocation{
		Caller: cloud.AssumedRole(account, "arn:aws:iam::100000000000:role/machine", "machine", "one"), Region: region,
		Function: "f", Payload: []byte(`{"origin":"vo_1"}`),
	}
	if diff := cmp.Diff([]Invocation{want}, b.invoked); diff != "" {
		t.Error(diff)
	}
	result := b.history(execution)[4].TaskSucceeded.Output
	if result != `{"ExecutedVersion":"$LATEST","Payload":{"phase":"grace"},"SdkHttpMetadata":{"HttpStatusCode":200},"StatusCode":200}` {
		t.Errorf("result %s", result)
	}
	var statuses []string
	for _, e := range b.events {
		if e.Source == "aws.states" && e.DetailType == "Step Functions Execution Status Change" {
			statuses = append(statuses, e.Detail.(map[string]any)["status"].(string))
		}
	}
	if diff := cmp.Diff([]string{"RUNNING", "SUCCEEDED"}, statuses); diff != "" {
		t.Error(diff)
	}
}

func TestExecution_ErrorsOfLambdaByTheirNames(t *testing.T) {
	for _, c := range []struct {
		name, payload string
		err           error
		want          asl.Failure
	}{
		{name: "function's own", payload: `{"errorMessage":"again","errorType":"Retry"}`, want: asl.Failure{Error: "Retry", Cause: `{"errorMessage":"again","errorType":"Retry"}`}},
		{name: "timeout", payload: `{"errorType":"Sandbox.Timedout","errorMessage":"x"}`, want: asl.Failure{Error: "Sandbox.Timedout", Cause: `{"errorType":"Sandbox.Timedout","errorMessage":"x"}`}},
		{name: "no type", payload: `{"errorMessage":"x"}`, want: asl.Failure{Error: "Lambda.Unknown", Cause: `{"errorMessage":"x"}`}},
		{name: "throttled", err: cloud.Errorf(429, "TooManyRequestsException", "Rate Exceeded."), want: asl.Failure{Error: "Lambda.TooManyRequestsException", Cause: "Rate Exceeded. (Service: AWSLambda; Error Code: TooManyRequestsException)"}},
		{name: "denied", err: cloud.Errorf(403, "AccessDeniedException", "no"), want: asl.Failure{Error: "Lambda.AWSLambdaException", Cause: "no (Service: AWSLambda; Error Code: AccessDeniedException)"}},
		{name: "connection lost", err: cloud.ErrNoResponse, want: asl.Failure{Error: "Lambda.SdkClientException", Cause: "connection closed before the response"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.deploy(task)
			b.lambda = func(Invocation) (Answer, error) {
				if c.err != nil {
					return Answer{}, c.err
				}
				return Answer{Payload: []byte(c.payload), FunctionError: "Unhandled"}, nil
			}
			execution := b.start("one", `{}`)
			b.idle()
			got := b.describe(execution)
			if got.Status != "FAILED" || *got.Error != c.want.Error || *got.Cause != c.want.Cause || got.Output != nil || got.RedriveStatus != "REDRIVABLE" {
				t.Errorf("%+v %s %s", got, *got.Error, *got.Cause)
			}
		})
	}
}

func TestAssumption_SFN_03_AnEndedProcessIsLambdaUnknown(t *testing.T) {
	payload := `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: 1 Error: Runtime exited with error: exit status 2"}`
	if got := functionFailure([]byte(payload)); got.Error != "Lambda.Unknown" || got.Cause != payload {
		t.Error(got)
	}
}

func TestAssumption_SFN_05_OnlyWaitsTakeTime(t *testing.T) {
	b := newBench(t)
	b.deploy(task)
	execution := b.start("one", `{}`)
	b.idle()
	if got := b.describe(execution); !got.StopDate.Equal(cloud.DefaultStart) {
		t.Error(got.StopDate)
	}
}

func TestExecution_RoleThatDoesNotTrustStepFunctions(t *testing.T) {
	b := newBench(t)
	properties, _ := json.Marshal(map[string]any{"DefinitionString": task, "RoleArn": "arn:aws:iam::" + account + ":role/untrusting", "StateMachineName": "teardown"})
	if _, err := b.s.ResourceTypes()[0].Create(b.request(string(properties))); err != nil {
		t.Fatal(err)
	}
	execution := b.start("one", `{}`)
	b.idle()
	if got := b.describe(execution); got.Status != "FAILED" || *got.Error != "States.Runtime" || len(b.invoked) > 0 {
		t.Errorf("%+v", got)
	}
}

func TestExecution_WaitKeepsTheWorldBusy(t *testing.T) {
	b := newBench(t)
	b.deploy(wait)
	execution := b.start("one", `{"a":1}`)
	b.w.Clock.Advance(3599 * time.Second)
	if got := b.describe(execution); got.Status != "RUNNING" || !b.w.Clock.Busy() {
		t.Errorf("%+v", got)
	}
	b.idle()
	got := b.describe(execution)
	if got.Status != "SUCCEEDED" || got.StopDate.Sub(got.StartDate) != time.Hour || *got.Output != `{"a":1}` {
		t.Errorf("%+v", got)
	}
	b.w.Do(func() {
		list := b.s.Executions(account)
		if len(list) != 1 || strings.Join(list[0].Path, " ") != "A B" || list[0].Visits[0].Left.Sub(list[0].Visits[0].Entered) != time.Hour {
			t.Errorf("%+v", list)
		}
		if raw, err := json.Marshal(b.s.Snapshot(account)); err != nil || !strings.Contains(string(raw), `"path":["A","B"]`) {
			t.Errorf("%s %v", raw, err)
		}
	})
}

// https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
func TestStartExecution_NamesAreIdempotent(t *testing.T) {
	b := newBench(t)
	b.deploy(wait)
	execution := b.start("one", `{"a":1}`)
	b.w.Clock.Advance(time.Minute)
	again := must[StartExecutionOutput](b, "StartExecution", &StartExecutionInput{StateMachineARN: arn, Name: "one", Input: ptr(`{"a":1}`)})
	if again.ExecutionARN != execution || !again.StartDate.Equal(cloud.DefaultStart) {
		t.Errorf("%+v", again)
	}
	start := func(input string) string {
		_, err := call[StartExecutionOutput](b, "StartExecution", &StartExecutionInput{StateMachineARN: arn, Name: "one", Input: &input})
		return code(err)
	}
	if got := start(`{"a":2}`); got != "ExecutionAlreadyExists" {
		t.Errorf("other input: %s", got)
	}
	b.idle()
	if got := start(`{"a":1}`); got != "ExecutionAlreadyExists" {
		t.Errorf("closed: %s", got)
	}
	b.w.Clock.Advance(retention)
	if got := start(`{"a":1}`); got != "" {
		t.Errorf("after 90 days: %s", got)
	}
}

func ptr[T any](v T) *T { return &v }

func TestStartExecution_Refusals(t *testing.T) {
	b := newBench(t)
	b.deploy(wait)
	for _, c := range []struct {
		in   StartExecutionInput
		want string
	}{
		{StartExecutionInput{StateMachineARN: "teardown"}, "InvalidArn"},
		{StartExecutionInput{StateMachineARN: strings.Replace(arn, "teardown", "other", 1)}, "StateMachineDoesNotExist"},
		{StartExecutionInput{StateMachineARN: strings.Replace(arn, account, "999999999999", 1)}, "StateMachineDoesNotExist"},
		{StartExecutionInput{StateMachineARN: arn, Name: "a b"}, "InvalidName"},
		{StartExecutionInput{StateMachineARN: arn, Name: "a:b"}, "InvalidName"},
		{StartExecutionInput{StateMachineARN: arn, Name: strings.Repeat("a", 81)}, "InvalidName"},
		{StartExecutionInput{StateMachineARN: arn, Input: ptr(`{`)}, "InvalidExecutionInput"},
		{StartExecutionInput{StateMachineARN: arn, Input: ptr(`"` + strings.Repeat("a", maxInput) + `"`)}, "InvalidExecutionInput"},
	} {
		if _, err := call[StartExecutionOutput](b, "StartExecution", &c.in); code(err) != c.want {
			t.Errorf("%+v: %v, want %s", c.in.Name, err, c.want)
		}
	}
	for _, op := range []struct {
		name string
		in   any
	}{
		{"DescribeExecution", &DescribeExecutionInput{ExecutionARN: strings.Replace(arn, "stateMachine", "execution", 1) + ":none"}},
		{"StopExecution", &StopExecutionInput{ExecutionARN: strings.Replace(arn, "stateMachine", "execution", 1) + ":none"}},
	} {
		if _, err := b.w.Invoke(cloud.Root(account), region, "states", op.name, op.in); code(err) != "ExecutionDoesNotExist" {
			t.Errorf("%s: %v", op.name, err)
		}
	}
}

func TestToken_SuccessEndsTheTask(t *testing.T) {
	b := newBench(t)
	b.deploy(callback)
	execution := b.start("one", `{}`)
	b.w.Clock.Advance(time.Second)
	token := b.token()
	b.w.Do(func() {
		if x := b.s.Executions(account)[0]; !x.WaitsForTask {
			t.Errorf("%+v", x)
		}
	})
	must[Empty](b, "SendTaskSuccess", &SendTaskSuccessInput{TaskToken: token, Output: `{"done":true}`})
	b.idle()
	got := b.describe(execution)
	if got.Status != "SUCCEEDED" || *got.Output != `{"done":true}` || got.StopDate.Sub(got.StartDate) != time.Second {
		t.Errorf("%+v", got)
	}
	want := "ExecutionStarted TaskStateEntered TaskScheduled TaskStarted TaskSubmitted TaskSucceeded TaskStateExited SucceedStateEntered SucceedStateExited ExecutionSucceeded"
	if types := b.types(execution); types != want {
		t.Errorf("history %s", types)
	}
	if e := b.history(execution)[2].TaskScheduled; e.Resource != "invoke.waitForTaskToken" || e.TimeoutInSeconds != 600 || e.HeartbeatInSeconds != 60 {
		t.Errorf("%+v", e)
	}
}

// token is the one that the last invocation handed out.
func (b *bench) token() string {
	b.Helper()
	var payload struct{ Token string }
	if err := json.Unmarshal(b.invoked[len(b.invoked)-1].Payload, &payload); err != nil || payload.Token == "" {
		b.Fatalf("no token in %s", b.invoked[len(b.invoked)-1].Payload)
	}
	return payload.Token
}

func TestToken_FailureAndTimeouts(t *testing.T) {
	for _, c := range []struct {
		name, want string
		act        func(*bench)
		after      time.Duration
	}{
		{"failure", "Nope", func(b *bench) {
			must[Empty](b, "SendTaskFailure", &SendTaskFailureInput{TaskToken: b.token(), Error: "Nope", Cause: "why"})
		}, time.Second},
		{"no heartbeat", "States.HeartbeatTimeout", func(*bench) {}, time.Minute},
		{"heartbeats, but too long", "States.Timeout", func(b *bench) {
			for range 20 {
				b.w.Clock.Advance(29 * time.Second)
				must[Empty](b, "SendTaskHeartbeat", &SendTaskHeartbeatInput{TaskToken: b.token()})
			}
		}, 10 * time.Minute},
		{"heartbeats stop", "States.HeartbeatTimeout", func(b *bench) {
			b.w.Clock.Advance(49 * time.Second)
			must[Empty](b, "SendTaskHeartbeat", &SendTaskHeartbeatInput{TaskToken: b.token()})
		}, 110 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.deploy(callback)
			execution := b.start("one", `{}`)
			b.w.Clock.Advance(time.Second)
			c.act(b)
			b.idle()
			got := b.describe(execution)
			if got.Status != "FAILED" || *got.Error != c.want || got.StopDate.Sub(got.StartDate) != c.after {
				t.Errorf("%s %s after %v", got.Status, *got.Error, got.StopDate.Sub(got.StartDate))
			}
		})
	}
}

func TestToken_CompletedWhileTheFunctionStillRuns(t *testing.T) {
	b := newBench(t)
	b.deploy(callback)
	b.lambda = func(Invocation) (Answer, error) {
		must[Empty](b, "SendTaskSuccess", &SendTaskSuccessInput{TaskToken: b.token(), Output: `1`})
		return Answer{}, cloud.ErrNoResponse
	}
	execution := b.start("one", `{}`)
	b.idle()
	if got := b.describe(execution); got.Status != "SUCCEEDED" {
		t.Errorf("%+v", got)
	}
}

func TestAssumption_SFN_02_TokensThatNobodyWaitsFor(t *testing.T) {
	b := newBench(t)
	b.deploy(callback)
	b.start("one", `{}`)
	b.w.Clock.Advance(time.Second)
	token := b.token()
	if _, err := call[Empty](b, "SendTaskSuccess", &SendTaskSuccessInput{TaskToken: token, Output: `{`}); code(err) != "InvalidOutput" {
		t.Errorf("bad output: %v", err)
	}
	must[Empty](b, "SendTaskSuccess", &SendTaskSuccessInput{TaskToken: token, Output: `{}`})
	for token, want := range map[string]string{
		token: "TaskTimedOut", "AQC" + strings.Repeat("0", 48): "TaskDoesNotExist", "token": "InvalidToken",
	} {
		if _, err := call[Empty](b, "SendTaskSuccess", &SendTaskSuccessInput{TaskToken: token, Output: `{}`}); code(err) != want {
			t.Errorf("success: %v, want %s", err, want)
		}
		if _, err := call[Empty](b, "SendTaskFailure", &SendTaskFailureInput{TaskToken: token}); code(err) != want {
			t.Errorf("failure: %v, want %s", err, want)
		}
		if _, err := call[Empty](b, "SendTaskHeartbeat", &SendTaskHeartbeatInput{TaskToken: token}); code(err) != want {
			t.Errorf("heartbeat: %v, want %s", err, want)
		}
	}
}

func TestStopExecution(t *testing.T) {
	b := newBench(t)
	b.deploy(callback)
	execution := b.start("one", `{}`)
	b.w.Clock.Advance(time.Second)
	must[StopExecutionOutput](b, "StopExecution", &StopExecutionInput{ExecutionARN: execution, Error: "Stop", Cause: "enough"})
	if b.w.Clock.Busy() {
		t.Error("a stopped execution leaves timers: ", b.w.Clock.Pending())
	}
	b.w.Clock.Advance(time.Hour)
	got := b.describe(execution)
	if got.Status != "ABORTED" || *got.Error != "Stop" || *got.Cause != "enough" {
		t.Errorf("%+v", got)
	}
	again := must[StopExecutionOutput](b, "StopExecution", &StopExecutionInput{ExecutionARN: execution})
	if !again.StopDate.Equal(got.StopDate) {
		t.Error("stopping twice changed the date")
	}
	if _, err := call[Empty](b, "SendTaskSuccess", &SendTaskSuccessInput{TaskToken: b.token(), Output: `{}`}); code(err) != "TaskTimedOut" {
		t.Error(err)
	}
}

func TestMachineTimeout(t *testing.T) {
	b := newBench(t)
	b.deploy(strings.Replace(wait, `"StartAt"`, `"TimeoutSeconds": 60, "StartAt"`, 1))
	execution := b.start("one", `{}`)
	b.idle()
	got := b.describe(execution)
	if got.Status != "TIMED_OUT" || got.StopDate.Sub(got.StartDate) != time.Minute || b.w.Clock.Busy() {
		t.Errorf("%+v", got)
	}
	must[RedriveExecutionOutput](b, "RedriveExecution", &RedriveExecutionInput{ExecutionARN: execution})
	b.idle()
	if got = b.describe(execution); got.Status != "TIMED_OUT" || got.StopDate.Sub(got.RedriveDate) != time.Minute {
		t.Errorf("%+v", got)
	}
}

// Assumption SFN-06.
func TestRedriveExecution(t *testing.T) {
	healthy := false
	flaky := func(Invocation) (Answer, error) {
		if healthy {
			return Answer{Payload: []byte(`{}`)}, nil
		}
		return Answer{Payload: []byte(`{"errorType":"Oops"}`), FunctionError: "Unhandled"}, nil
	}
	for _, c := range []struct {
		name    string
		before  func(b *bench, execution string)
		heal    bool
		code    string
		outcome string
	}{
		{"failed", func(b *bench, _ string) { b.idle() }, true, "", "SUCCEEDED"},
		{"fails again", func(b *bench, _ string) { b.idle() }, false, "", "FAILED"},
		{"aborted", func(b *bench, x string) {
			must[StopExecutionOutput](b, "StopExecution", &StopExecutionInput{ExecutionARN: x})
		}, true, "", "SUCCEEDED"},
		{"within 14 days", func(b *bench, _ string) { b.idle(); b.w.Clock.Advance(redrivable) }, true, "", "SUCCEEDED"},
		{"after 14 days", func(b *bench, _ string) { b.idle(); b.w.Clock.Advance(redrivable + 1) }, true, "ExecutionNotRedrivable", "FAILED"},
		{"running", func(*bench, string) {}, true, "ExecutionNotRedrivable", "SUCCEEDED"},
		{"succeeded", func(b *bench, _ string) { healthy = true; b.idle() }, true, "ExecutionNotRedrivable", "SUCCEEDED"},
	} {
		t.Run(c.name, func(t *testing.T) {
			healthy = false
			b := newBench(t)
			b.deploy(task)
			b.lambda = flaky
			execution := b.start("one", `{}`)
			c.before(b, execution)
			healthy = c.heal
			_, err := call[RedriveExecutionOutput](b, "RedriveExecution", &RedriveExecutionInput{ExecutionARN: execution})
			if code(err) != c.code {
				t.Fatalf("%v, want %s", err, c.code)
			}
			b.idle()
			got := b.describe(execution)
			if got.Status != c.outcome {
				t.Errorf("%s", got.Status)
			}
			if c.code == "" && (got.RedriveCount != 1 || got.RedriveDate.IsZero() || !strings.Contains(b.types(execution), "ExecutionRedriven")) {
				t.Errorf("%+v", got)
			}
			if c.outcome == "SUCCEEDED" && got.Error != nil {
				t.Error("the old error is still there")
			}
		})
	}
	healthy = false
	b := newBench(t)
	b.deploy(task)
	b.lambda = flaky
	execution := b.start("one", `{}`)
	b.idle()
	first := must[RedriveExecutionOutput](b, "RedriveExecution", &RedriveExecutionInput{ExecutionARN: execution, ClientToken: "t"})
	b.w.Clock.Advance(time.Hour)
	second := must[RedriveExecutionOutput](b, "RedriveExecution", &RedriveExecutionInput{ExecutionARN: execution, ClientToken: "t"})
	if !first.RedriveDate.Equal(second.RedriveDate) || b.describe(execution).RedriveCount != 1 {
		t.Error("the same client token redrove twice")
	}
}

// Assumption SFN-06: a redriven execution keeps the definition that it began with.
func TestAssumption_SFN_06_RedriveKeepsTheDefinition(t *testing.T) {
	b := newBench(t)
	b.deploy(task)
	b.lambda = func(Invocation) (Answer, error) {
		return Answer{Payload: []byte(`{"errorType":"Oops"}`), FunctionError: "Unhandled"}, nil
	}
	execution := b.start("one", `{}`)
	b.idle()
	properties, err := json.Marshal(map[string]any{"DefinitionString": wait, "RoleArn": "arn:aws:iam::" + account + ":role/machine", "StateMachineName": "teardown"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.s.ResourceTypes()[0].Update(b.request(string(properties)), &cloud.Resource{Ref: arn}); err != nil {
		t.Fatal(err)
	}
	b.lambda = func(Invocation) (Answer, error) { return Answer{Payload: []byte(`{}`)}, nil }
	must[RedriveExecutionOutput](b, "RedriveExecution", &RedriveExecutionInput{ExecutionARN: execution})
	b.idle()
	if got := b.describe(execution); got.Status != "SUCCEEDED" || len(b.invoked) != 2 || strings.Contains(b.types(execution), "WaitStateEntered") {
		t.Errorf("%+v, %s", got, b.types(execution))
	}
	if kept := must[DescribeStateMachineForExecutionOutput](b, "DescribeStateMachineForExecution", &DescribeStateMachineForExecutionInput{ExecutionARN: execution}); kept.Definition != task {
		t.Errorf("its definition is %s", kept.Definition)
	}

	b = newBench(t)
	b.deploy(top + `"A": {"Type": "Pass", "Next": "A"}}}`)
	execution = b.start("one", `{}`)
	b.idle()
	_, err = call[RedriveExecutionOutput](b, "RedriveExecution", &RedriveExecutionInput{ExecutionARN: execution})
	if code(err) != "ExecutionNotRedrivable" || !strings.Contains(err.Error(), "history event limit exceeded") {
		t.Errorf("its history is full: %v", err)
	}
}

func TestLists_PagesAndOrder(t *testing.T) {
	b := newBench(t)
	b.deploy(wait)
	for i := range 5 {
		b.start(fmt.Sprint("x", i), `{}`)
		b.w.Clock.Advance(time.Second)
	}
	must[StopExecutionOutput](b, "StopExecution", &StopExecutionInput{ExecutionARN: strings.Replace(arn, "stateMachine", "execution", 1) + ":x2"})
	var names []string
	token := ""
	for {
		out := must[ListExecutionsOutput](b, "ListExecutions", &ListExecutionsInput{StateMachineARN: arn, StatusFilter: "RUNNING", MaxResults: 3, NextToken: token})
		for _, e := range out.Executions {
			names = append(names, e.Name)
		}
		if token = out.NextToken; token == "" {
			break
		}
	}
	if strings.Join(names, " ") != "x4 x3 x1 x0" {
		t.Error(names)
	}
	execution := strings.Replace(arn, "stateMachine", "execution", 1) + ":x2"
	page := must[GetExecutionHistoryOutput](b, "GetExecutionHistory", &GetExecutionHistoryInput{ExecutionARN: execution, MaxResults: 1, ReverseOrder: true})
	if page.Events[0].Type != "ExecutionAborted" || page.NextToken == "" {
		t.Errorf("%+v", page)
	}
	rest := must[GetExecutionHistoryOutput](b, "GetExecutionHistory", &GetExecutionHistoryInput{ExecutionARN: execution, ReverseOrder: true, NextToken: page.NextToken})
	if last := rest.Events[len(rest.Events)-1]; last.Type != "ExecutionStarted" || rest.NextToken != "" {
		t.Errorf("%+v", rest)
	}
	machines := must[ListStateMachinesOutput](b, "ListStateMachines", &ListStateMachinesInput{})
	if len(machines.StateMachines) != 1 || machines.StateMachines[0].StateMachineARN != arn {
		t.Errorf("%+v", machines)
	}
	if got := must[DescribeStateMachineOutput](b, "DescribeStateMachine", &DescribeStateMachineInput{StateMachineARN: arn}); got.Definition != wait || got.Status != "ACTIVE" {
		t.Errorf("%+v", got)
	}
	if got := must[DescribeStateMachineForExecutionOutput](b, "DescribeStateMachineForExecution", &DescribeStateMachineForExecutionInput{ExecutionARN: execution}); got.StateMachineARN != arn {
		t.Errorf("%+v", got)
	}
}

func TestValidateStateMachineDefinition(t *testing.T) {
	b := newBench(t)
	good := must[ValidateStateMachineDefinitionOutput](b, "ValidateStateMachineDefinition", &ValidateStateMachineDefinitionInput{Definition: wait})
	bad := must[ValidateStateMachineDefinitionOutput](b, "ValidateStateMachineDefinition", &ValidateStateMachineDefinitionInput{Definition: top + `"A": {"Type": "Map"}}}`})
	if good.Result != "OK" || len(good.Diagnostics) > 0 || bad.Result != "FAIL" || bad.Diagnostics[0].Location != "/States/A/Type" {
		t.Errorf("%+v %+v", good, bad)
	}
}

func TestStateMachineResource(t *testing.T) {
	b := newBench(t)
	typ := b.s.ResourceTypes()[0]
	role := `"RoleArn": "arn:aws:iam::100000000000:role/machine"`
	definition := func(s string) string { raw, _ := json.Marshal(s); return `"DefinitionString": ` + string(raw) }
	for _, c := range []struct{ name, properties, want string }{
		{"unknown property", `{` + role + `, ` + definition(wait) + `, "Foo": 1}`, `unknown field "Foo"`},
		{"express", `{` + role + `, ` + definition(wait) + `, "StateMachineType": "EXPRESS"}`, "EXPRESS"},
		{"no role", `{` + definition(wait) + `}`, "RoleArn"},
		{"no definition", `{` + role + `}`, "exactly one of Definition and DefinitionString"},
		{"bad definition", `{` + role + `, ` + definition(top+`"A": {"Type": "Pass"}}}`) + `}`, "/States/A: a Pass state must have Next"},
		{"placeholder without value", `{` + role + `, ` + definition(strings.Replace(wait, "3600", "${Seconds}", 1)) + `}`, "${Seconds} has no value"},
		{"unknown logging member", `{` + role + `, ` + definition(wait) + `, "LoggingConfiguration": {"Foo": 1}}`, `unknown field "Foo"`},
	} {
		if _, err := typ.Create(b.request(c.properties)); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "Machine") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	made, err := typ.Create(b.request(`{` + role + `, ` + definition(strings.Replace(wait, "3600", "${Seconds}", 1)) + `, "DefinitionSubstitutions": {"Seconds": "60"},
		"StateMachineType": "STANDARD", "TracingConfiguration": {"Enabled": "true"}, "Tags": [{"Key": "a", "Value": "b"}],
		"LoggingConfiguration": {"Level": "ALL", "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": "arn:aws:logs:us-east-1:100000000000:log-group:g:*"}}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	if made.Ref != made.Attributes["Arn"] || !strings.HasSuffix(made.Ref, ":stateMachine:"+made.Attributes["Name"]) || !strings.HasPrefix(made.Attributes["Name"], "hub-Machine-") {
		t.Errorf("%+v", made)
	}
	described := must[DescribeStateMachineOutput](b, "DescribeStateMachine", &DescribeStateMachineInput{StateMachineARN: made.Ref})
	if !described.TracingConfiguration.Enabled || described.LoggingConfiguration.Destinations[0].CloudWatchLogsLogGroup.LogGroupARN == "" {
		t.Errorf("%+v", described)
	}
	if tags := must[ListTagsForResourceOutput](b, "ListTagsForResource", &ListTagsForResourceInput{ResourceARN: made.Ref}); len(tags.Tags) != 1 {
		t.Errorf("%+v", tags)
	}
	input := `{}`
	execution := must[StartExecutionOutput](b, "StartExecution", &StartExecutionInput{StateMachineARN: made.Ref, Input: &input}).ExecutionARN
	b.w.Clock.Advance(time.Second)
	updated, err := typ.Update(b.request(`{`+role+`, "Definition": `+task+`}`), made)
	if err != nil || updated.Ref != made.Ref || updated.Attributes["StateMachineRevisionId"] == made.Attributes["StateMachineRevisionId"] {
		t.Fatal(updated, err)
	}
	b.idle()
	if got := b.describe(execution); got.Status != "SUCCEEDED" || len(b.invoked) > 0 {
		t.Errorf("an update changed a running execution: %+v", got)
	}
}

func TestAssumption_SFN_04_DeletingAMachineAbortsItsExecutions(t *testing.T) {
	b := newBench(t)
	b.deploy(wait)
	execution := b.start("one", `{}`)
	b.w.Clock.Advance(time.Second)
	if err := b.s.ResourceTypes()[0].Delete(b.request(`{}`), &cloud.Resource{Ref: arn}); err != nil {
		t.Fatal(err)
	}
	if got := b.describe(execution); got.Status != "ABORTED" || b.w.Clock.Busy() {
		t.Errorf("%+v", got)
	}
	if _, err := call[StartExecutionOutput](b, "StartExecution", &StartExecutionInput{StateMachineARN: arn}); code(err) != "StateMachineDoesNotExist" {
		t.Error(err)
	}
}

// asked records what was authorised and denies one action.
type asked struct {
	requests []string
	deny     string
}

func (a *asked) Authorize(r cloud.Request) cloud.Decision {
	a.requests = append(a.requests, r.Action+" "+r.Resource)
	return cloud.Decision{Allowed: r.Action != a.deny, Reason: "no identity-based policy allows it"}
}

func TestAuthorization_ActionsAndResources(t *testing.T) {
	b := newBench(t)
	b.deploy(callback)
	execution := b.start("one", `{}`)
	b.w.Clock.Advance(time.Second)
	for _, c := range []struct {
		operation, resource string
		in                  any
	}{
		{"StartExecution", arn, &StartExecutionInput{StateMachineARN: arn}},
		{"DescribeStateMachine", arn, &DescribeStateMachineInput{StateMachineARN: arn}},
		{"ListExecutions", arn, &ListExecutionsInput{StateMachineARN: arn}},
		{"ListStateMachines", "*", &ListStateMachinesInput{}},
		{"DescribeExecution", execution, &DescribeExecutionInput{ExecutionARN: execution}},
		{"GetExecutionHistory", execution, &GetExecutionHistoryInput{ExecutionARN: execution}},
		{"StopExecution", execution, &StopExecutionInput{ExecutionARN: execution}},
		{"RedriveExecution", execution, &RedriveExecutionInput{ExecutionARN: execution}},
	} {
		b.denied(c.operation, c.resource, c.in)
	}
}

func (b *bench) denied(operation, resource string, in any) {
	b.Helper()
	a := &asked{deny: "states:" + operation}
	b.w.Authorizer = a
	_, err := b.w.Invoke(cloud.Root(account), region, "states", operation, in)
	b.w.Authorizer = nil
	if code(err) != "AccessDeniedException" {
		b.Errorf("%s: %v", operation, err)
	}
	if diff := cmp.Diff([]string{"states:" + operation + " " + resource}, a.requests); diff != "" {
		b.Error(diff)
	}
}

func TestAssumption_SFN_01_TokensAreAuthorisedOnTheMachine(t *testing.T) {
	b := newBench(t)
	b.deploy(callback)
	b.start("one", `{}`)
	b.w.Clock.Advance(time.Second)
	b.denied("SendTaskSuccess", arn, &SendTaskSuccessInput{TaskToken: b.token(), Output: `{}`})
	b.denied("SendTaskFailure", arn, &SendTaskFailureInput{TaskToken: b.token()})
	b.denied("SendTaskHeartbeat", arn, &SendTaskHeartbeatInput{TaskToken: b.token()})
}
