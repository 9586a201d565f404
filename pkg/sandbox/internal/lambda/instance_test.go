package lambda

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestAnInstanceIsWarmUntilItFails(t *testing.T) { eachWay(t, testAnInstanceIsWarmUntilItFails) }

func testAnInstanceIsWarmUntilItFails(t *testing.T, b *bench) {
	arn := b.function(`"Timeout": 20,`)
	first := b.served(arn)
	if second := b.served(arn); second.PID != first.PID || second.Calls != 2 {
		t.Fatalf("the second invocation ran in %+v, the first in %+v", second, first)
	}
	for _, failure := range []struct {
		name, payload, errorType, message string
		restarted                         bool
	}{
		{"an error of the function", `{"do":"error","text":"no luck"}`, "errorString", "no luck", false},
		{"an error with a type", `{"do":"typed error","text":"no luck"}`, "Reread", "no luck", false},
		{"a panic", `{"do":"panic"}`, "string", "as asked", true},
		{"exit with a status", `{"do":"exit","size":3}`, "Runtime.ExitError", "Runtime exited with error: exit status 3", true},
		{"exit with success", `{"do":"exit"}`, "Runtime.ExitError", "Runtime exited without providing a reason", true},
		{"an answer above 6 MiB", `{"do":"big","size":6300000}`, "Function.ResponseSizeTooLarge", "exceeded maximum allowed payload size (6291556 bytes)", true},
		{"a stream that breaks", `{"do":"stream"}`, "errorString", "the stream broke", false},
		{"an event that is not one", `[]`, "UnmarshalTypeError", "cannot unmarshal array", false},
	} {
		t.Run(failure.name, func(t *testing.T) {
			if b.lambda.starter != nil && strings.Contains(failure.payload, `"exit"`) {
				t.Skip("it would end the tests")
			}
			before := b.served(arn)
			r := b.invoke(arn, failure.payload)
			if r.FunctionError != "Unhandled" || r.ErrorType != failure.errorType || !strings.Contains(string(r.Payload), failure.message) {
				t.Errorf("got %s %s %s", r.FunctionError, r.ErrorType, r.Payload)
			}
			after := b.served(arn)
			if restarted := before.PID != after.PID; restarted != failure.restarted {
				t.Errorf("restarted: %v, want %v", restarted, failure.restarted)
			}
			if failure.restarted && running(before.PID) {
				t.Errorf("process %d is still there", before.PID)
			}
		})
	}
	last := b.served(arn)
	b.lambda.Close()
	if running(last.PID) {
		t.Errorf("process %d is still there after Close", last.PID)
	}
	if _, err := b.lambda.Invoke(arn, nil); err == nil {
		t.Error("a closed service runs functions")
	}
}

func TestATimeoutEndsTheProcess(t *testing.T) {
	b := newBench(t)
	arn := b.function(`"Timeout": 1,`)
	before := b.served(arn)
	r := b.invoke(arn, `{"do":"sleep"}`)
	if r.ErrorType != "Sandbox.Timedout" || !strings.Contains(string(r.Payload), "Task timed out after 1.00 seconds") {
		t.Errorf("got %s", r.Payload)
	}
	if running(before.PID) {
		t.Errorf("process %d is still there", before.PID)
	}
	if r := b.invoke(arn, `{"do":"wait for deadline"}`); !strings.Contains(string(r.Payload), "deadline") && r.ErrorType != "Sandbox.Timedout" {
		t.Errorf("the function did not see its deadline: %s", r.Payload)
	}
}

func TestWhatAProcessStartsEndsWithIt(t *testing.T) {
	b := newBench(t)
	arn := b.function("")
	var child int
	b.decode(b.invoke(arn, `{"do":"spawn"}`), &child)
	if !running(child) {
		t.Fatal("the child does not run")
	}
	b.invoke(arn, `{"do":"exit"}`)
	b.gone(child)
}

func TestKillIsACrashBetweenTwoCalls(t *testing.T) { eachWay(t, testKillIsACrashBetweenTwoCalls) }

func testKillIsACrashBetweenTwoCalls(t *testing.T, b *bench) {
	arn := b.function(`"Timeout": 20,`)
	var calls []string
	b.onCall = func(_ http.ResponseWriter, path string) {
		calls = append(calls, path)
		if path == "/fatal" {
			b.lambda.Kill("Fn", b.sessions.current())
		}
	}
	b.decode(b.invoke(arn, `{"do":"call","text":"harmless"}`), new(int))
	r := b.invoke(arn, `{"do":"call","text":"fatal"}`)
	if r.ErrorType != "Runtime.ExitError" || !strings.Contains(string(r.Payload), "signal: killed") {
		t.Errorf("got %s", r.Payload)
	}
	if !slices.Equal(calls, []string{"/harmless", "/fatal"}) {
		t.Errorf("calls: %v", calls)
	}
	if s := b.served(arn); s.Calls != 1 {
		t.Errorf("the next invocation ran in an old instance: %+v", s)
	}
}

func TestKillByAnEarlierInvocationOfTheSameInstance(t *testing.T) {
	eachWay(t, testKillByAnEarlierInvocationOfTheSameInstance)
}

func testKillByAnEarlierInvocationOfTheSameInstance(t *testing.T, b *bench) {
	arn := b.function(`"Timeout": 20,`)
	earlier := b.invoke(arn, `{}`).RequestID
	b.onCall = func(http.ResponseWriter, string) { b.lambda.Kill("Fn", earlier) }
	if r := b.invoke(arn, `{"do":"call"}`); r.ErrorType != "Runtime.ExitError" {
		t.Errorf("got %s", r.Payload)
	}
	b.lambda.Kill("Fn", "unknown")
	idle := b.invoke(arn, `{}`)
	b.lambda.Kill("Fn", idle.RequestID)
	if s := b.served(arn); s.Calls != 2 {
		t.Errorf("an idle instance was killed: %+v", s)
	}
}

func TestABusyFunctionGetsASecondInstance(t *testing.T) {
	eachWay(t, testABusyFunctionGetsASecondInstance)
}

func testABusyFunctionGetsASecondInstance(t *testing.T, b *bench) {
	arn := b.function(`"Timeout": 20,`)
	var inner served
	b.onCall = func(http.ResponseWriter, string) { inner = b.served(arn) }
	first := b.served(arn)
	b.decode(b.invoke(arn, `{"do":"call"}`), new(int))
	if inner.PID == first.PID || inner.Calls != 1 {
		t.Errorf("the inner invocation ran in %+v, the outer in %+v", inner, first)
	}
	if again := b.served(arn); again.PID != first.PID {
		t.Errorf("the oldest free instance is not used first: %+v", again)
	}
}

func TestReservedConcurrencyThrottles(t *testing.T) { eachWay(t, testReservedConcurrencyThrottles) }

func testReservedConcurrencyThrottles(t *testing.T, b *bench) {
	arn := b.function(`"Timeout": 20, "ReservedConcurrentExecutions": "1",`)
	var inner error
	b.onCall = func(http.ResponseWriter, string) { _, inner = b.lambda.Invoke(arn, nil) }
	b.decode(b.invoke(arn, `{"do":"call"}`), new(int))
	if inner == nil || !strings.Contains(inner.Error(), "TooManyRequestsException") {
		t.Errorf("got %v", inner)
	}
}

func TestManyInvocationsAtOnce(t *testing.T) { eachWay(t, testManyInvocationsAtOnce) }

func testManyInvocationsAtOnce(t *testing.T, b *bench) {
	arn := b.function(`"Timeout": 60,`)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				if r, err := b.lambda.Invoke(arn, nil); err != nil || r.FunctionError != "" {
					t.Errorf("%v %s", err, r.Payload)
				}
			}
		})
	}
	wg.Wait()
}

func TestEnvironmentIsCleanAndComplete(t *testing.T) {
	t.Setenv("AWS_CA_BUNDLE", "/nowhere")
	b := newBench(t)
	arn := b.function(`"MemorySize": "256", "Environment": {"Variables": {"TABLE": "registry"}}, "LoggingConfig": {"LogFormat": "JSON", "LogGroup": "hub"},
		"FunctionName": "admit",`)
	var env []string
	b.decode(b.invoke(arn, `{"do":"environment"}`), &env)
	got := map[string]string{}
	for _, line := range env {
		name, value, _ := strings.Cut(line, "=")
		got[name] = value
	}
	if got["AWS_LAMBDA_RUNTIME_API"] == "" || !strings.HasPrefix(got["AWS_LAMBDA_LOG_STREAM_NAME"], "2035/01/08/[$LATEST]") || got["_X_AMZN_TRACE_ID"] == "" {
		t.Errorf("incomplete: %v", got)
	}
	for _, name := range []string{"AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_LOG_STREAM_NAME", "_X_AMZN_TRACE_ID"} {
		delete(got, name)
	}
	dir := os.Getenv("LAMBDA_TEST_ASSET")
	want := map[string]string{
		"_HANDLER": "bootstrap", "LAMBDA_TASK_ROOT": dir, "TZ": ":UTC", "AWS_REGION": region, "AWS_DEFAULT_REGION": region,
		"AWS_ACCESS_KEY_ID": "ASIA0000000000000001", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token-admit",
		"AWS_ENDPOINT_URL": b.front.URL, "AWS_EC2_METADATA_DISABLED": "true", "AWS_LAMBDA_FUNCTION_NAME": "admit",
		"AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256", "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME": "hub", "AWS_LAMBDA_LOG_FORMAT": "JSON", "TABLE": "registry",
		// The runtime of aws-lambda-go may set what Lambda sets.
	}
	for name, value := range got {
		if want[name] != value {
			t.Errorf("%s=%s, want %q", name, value, want[name])
		}
	}
	for name := range want {
		if _, there := got[name]; !there {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestAnInvocationKnowsItself(t *testing.T) { eachWay(t, testAnInvocationKnowsItself) }

func testAnInvocationKnowsItself(t *testing.T, b *bench) {
	arn := b.function(`"Timeout": "7",`)
	r := b.invoke(arn, `{"do":"context"}`)
	var c struct {
		ID, ARN, Trace, Dir string
		Left                float64
	}
	b.decode(r, &c)
	if c.ID != r.RequestID || c.ARN != arn || !strings.HasPrefix(c.Trace, "Root=1-") || c.Left < 1 || c.Left > 7 {
		t.Errorf("%+v", c)
	}
	if b.lambda.starter == nil && c.Dir != os.Getenv("LAMBDA_TEST_ASSET") {
		t.Errorf("it runs in %s", c.Dir)
	}
	if got := b.sessions.current(); got != r.RequestID {
		t.Errorf("the keys act for invocation %s", got)
	}
}

func TestLogsAreCompleteWhenTheInvocationEnds(t *testing.T) {
	b := newBench(t)
	arn := b.function(`"FunctionName": "chatty",`)
	b.create("AWS::Logs::LogGroup", "Log", `{"LogGroupName": "/aws/lambda/other", "RetentionInDays": "30"}`)
	r := b.invoke(arn, `{"do":"log","text":"hello"}`)
	if r.Log != "hello\n" {
		t.Errorf("tail: %q", r.Log)
	}
	b.world.Clock.Advance(time.Minute)
	b.invoke(arn, `{"do":"exit"}`)
	groups := b.lambda.LogGroups(account)
	if len(groups) != 2 || groups[0].Name != "/aws/lambda/chatty" || groups[1].RetentionInDays != 30 {
		t.Fatalf("%+v", groups)
	}
	var lines []string
	for _, l := range groups[0].Lines {
		lines = append(lines, l.Message)
	}
	if len(lines) != 4 || lines[0] != "cold start" || lines[1] != "hello" || lines[2] != "and half a line" || !strings.Contains(lines[3], "Runtime.ExitError") {
		t.Errorf("%q", lines)
	}
	if first, last := groups[0].Lines[0], groups[0].Lines[3]; last.Time.Sub(first.Time) != time.Minute {
		t.Errorf("%v %v", first, last)
	}
}

func TestStartingFails(t *testing.T) {
	b := newBench(t)
	r := b.invoke(b.function(`"Environment": {"Variables": {"INIT": "exit"}}, "FunctionName": "stillborn",`), `{}`)
	if r.ErrorType != "Runtime.ExitError" || !strings.Contains(string(r.Payload), "exit status 7") {
		t.Errorf("got %s", r.Payload)
	}
	dir := t.TempDir()
	for name, file := range map[string]struct {
		content string
		mode    os.FileMode
		want    string
	}{
		"missing":        {"", 0, "bootstrap does not exist: build the function into a file of that name"},
		"not executable": {"#!/bin/sh\n", 0o644, "bootstrap is not an executable file"},
		"another machine": {
			"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xf3\x00\x01\x00\x00\x00" + strings.Repeat("\x00", 28) + "\x40\x00\x38\x00\x00\x00\x40\x00\x00\x00\x00\x00",
			0o755, "build it with GOOS=linux GOARCH=",
		},
	} {
		asset := filepath.Join(dir, name)
		if err := os.MkdirAll(asset, 0o755); err != nil {
			t.Fatal(err)
		}
		if file.mode != 0 {
			if err := os.WriteFile(filepath.Join(asset, "bootstrap"), []byte(file.content), file.mode); err != nil {
				t.Fatal(err)
			}
		}
		request := b.request("Broken", functionTemplate(""))
		request.Asset = func(string) (string, error) { return asset, nil }
		_, err := b.resourceType("AWS::Lambda::Function").Create(request)
		if err == nil || !strings.Contains(err.Error(), file.want) || !strings.Contains(err.Error(), asset) {
			t.Errorf("%s: %v", name, err)
		}
	}
	garbage := filepath.Join(dir, "garbage")
	if err := os.MkdirAll(garbage, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(garbage, "bootstrap"), []byte{1, 2, 3}, 0o755); err != nil {
		t.Fatal(err)
	}
	request := b.request("Garbage", functionTemplate(""))
	request.Asset = func(string) (string, error) { return garbage, nil }
	resource, err := b.resourceType("AWS::Lambda::Function").Create(request)
	if err != nil {
		t.Fatal(err)
	}
	if r := b.invoke(resource.Attributes["Arn"], `{}`); r.ErrorType != "Runtime.InvalidEntrypoint" || !strings.Contains(string(r.Payload), "GOARCH") {
		t.Errorf("got %s", r.Payload)
	}
}

func TestTheRuntimeAPIRefusesWhatIsOutOfTurn(t *testing.T) {
	b := newBench(t)
	arn := b.function("")
	b.served(arn)
	b.lambda.mu.Lock()
	address := b.lambda.instances[arn][0].runner.(*process).cmd.Env
	b.lambda.mu.Unlock()
	api := "http://" + strings.TrimPrefix(address[len(address)-1], "AWS_LAMBDA_RUNTIME_API=") + "/2018-06-01/runtime/"
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for path, want := range map[string]int{"invocation/unknown/response": 400, "invocation/unknown/error": 400, "init/error": 202, "elsewhere": 404} {
		response, err := client.Post(api+path, "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		var answer map[string]string
		_ = json.NewDecoder(response.Body).Decode(&answer)
		_ = response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s: %d %v", path, response.StatusCode, answer)
		}
	}
}
