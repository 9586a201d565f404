package lambda

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/sqs"
)

// batch is one invocation from a queue: when, and with which bodies.
type batch struct {
	At     time.Duration
	Bodies []string
}

func (b *bench) batches() []batch {
	b.t.Helper()
	var list []batch
	for _, g := range b.lambda.LogGroups(account) {
		for _, l := range g.Lines {
			text, found := strings.CutPrefix(l.Message, "event ")
			if !found {
				continue
			}
			var e struct{ Records []struct{ Body string } }
			if err := json.Unmarshal([]byte(text), &e); err != nil {
				b.t.Fatal(err)
			}
			one := batch{At: l.Time.Sub(cloud.DefaultStart)}
			for _, r := range e.Records {
				one.Bodies = append(one.Bodies, r.Body)
			}
			list = append(list, one)
		}
	}
	return list
}

// mapped makes a queue that feeds the function; extra are properties of the mapping, each ending with a comma.
func (b *bench) mapped(extra string) string {
	b.t.Helper()
	queue := b.queueNamed("wire", `"VisibilityTimeout": 120,`)
	b.function(`"FunctionName": "wire", "Timeout": 20,`)
	b.create("AWS::Lambda::EventSourceMapping", "Mapping", fmt.Sprintf(
		`{%s "EventSourceArn": %q, "FunctionName": "wire", "FunctionResponseTypes": ["ReportBatchItemFailures"]}`, extra, queue))
	b.world.Clock.UntilIdle(time.Hour)
	return queue
}

func (b *bench) depth(queueARN string) map[string]any {
	var entry map[string]any
	b.world.Do(func() {
		for _, q := range b.sqs.Snapshot(account)["queues"].([]any) {
			if q.(map[string]any)["arn"] == queueARN {
				entry = q.(map[string]any)
			}
		}
	})
	return entry
}

func TestMessagesComeInBatches(t *testing.T) {
	for name, test := range map[string]struct {
		extra string
		sends []string
		want  []batch
	}{
		"at once":               {"", []string{"a"}, []batch{{0, []string{"a"}}}},
		"one batch per instant": {"", []string{"a", "b", "c"}, []batch{{0, []string{"a", "b", "c"}}}},
		"in batches of two":     {`"BatchSize": "2",`, []string{"a", "b", "c"}, []batch{{0, []string{"a", "b"}}, {0, []string{"c"}}}},
		"after the window":      {`"MaximumBatchingWindowInSeconds": 5,`, []string{"a", "b"}, []batch{{5 * time.Second, []string{"a", "b"}}}},
		"full before the window ends": {
			`"BatchSize": 2, "MaximumBatchingWindowInSeconds": 5,`,
			[]string{"a", "b", "c"},
			[]batch{{0, []string{"a", "b"}}, {5 * time.Second, []string{"c"}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			queue := b.mapped(test.extra)
			for _, body := range test.sends {
				b.send(queue, body)
			}
			if !b.world.Clock.UntilIdle(time.Hour) {
				t.Error(b.world.Clock.Pending())
			}
			if diff := cmp.Diff(test.want, b.batches()); diff != "" {
				t.Error(diff)
			}
			if left := b.depth(queue)["messages"].([]any); len(left) > 0 {
				t.Errorf("left in the queue: %v", left)
			}
		})
	}
}

func TestManyMessagesMakeOneBatch(t *testing.T) {
	b := newBench(t)
	queue := b.mapped(`"BatchSize": 1000, "MaximumBatchingWindowInSeconds": 5, "ScalingConfig": {"MaximumConcurrency": 2},`)
	for i := range 53 {
		b.send(queue, fmt.Sprint(i))
	}
	b.world.Clock.UntilIdle(time.Hour)
	got := b.batches()
	if len(got) != 1 || len(got[0].Bodies) != 53 {
		t.Errorf("%v", got)
	}
	if left := b.depth(queue)["messages"].([]any); len(left) > 0 {
		t.Errorf("left in the queue: %v", left)
	}
}

func TestTheEventIsThatOfAWS(t *testing.T) {
	b := newBench(t)
	queue := b.mapped("")
	attributes := map[string]sqs.Attribute{"team": sqs.StringAttribute("team-a"), "blob": {DataType: "Binary", BinaryValue: []byte("x")}}
	if _, err := b.world.Invoke(cloud.Root(account), region, "sqs", "SendMessage", sqs.NewMessage(queue, "hello", attributes)); err != nil {
		t.Fatal(err)
	}
	b.world.Clock.UntilIdle(time.Hour)
	var event map[string]any
	for _, g := range b.lambda.LogGroups(account) {
		for _, l := range g.Lines {
			if text, found := strings.CutPrefix(l.Message, "event "); found {
				if err := json.Unmarshal([]byte(text), &event); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	record := event["Records"].([]any)[0].(map[string]any)
	sent := fmt.Sprint(cloud.DefaultStart.UnixMilli())
	want := map[string]any{
		"messageId": record["messageId"], "receiptHandle": record["receiptHandle"], "body": "hello", "md5OfBody": "5d41402abc4b2a76b9719d911017c592",
		"attributes": map[string]any{
			"ApproximateReceiveCount": "1", "SentTimestamp": sent, "ApproximateFirstReceiveTimestamp": sent,
			"SenderId": record["attributes"].(map[string]any)["SenderId"],
		},
		"messageAttributes": map[string]any{
			"team": map[string]any{"stringValue": "team-a", "stringListValues": []any{}, "binaryListValues": []any{}, "dataType": "String"},
			"blob": map[string]any{"binaryValue": "eA==", "stringListValues": []any{}, "binaryListValues": []any{}, "dataType": "Binary"},
		},
		"eventSource": "aws:sqs", "eventSourceARN": queue, "awsRegion": region,
	}
	if diff := cmp.Diff(want, record); diff != "" || record["messageId"] == "" || record["receiptHandle"] == "" {
		t.Error(diff)
	}
}

func TestFailuresComeBackAfterTheVisibilityTimeout(t *testing.T) {
	for name, test := range map[string]struct {
		sends []string
		again []string // bodies of the second batch
	}{
		"all of an error":   {[]string{"good", "fail all"}, []string{"good", "fail all"}},
		"part of a partial": {[]string{"good", "fail", "fine"}, []string{"fail"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			queue := b.mapped("")
			for _, body := range test.sends {
				b.send(queue, body)
			}
			b.world.Clock.Advance(130 * time.Second)
			want := []batch{{0, test.sends}, {120 * time.Second, test.again}}
			if diff := cmp.Diff(want, b.batches()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPoisonReachesTheDeadLetterQueue(t *testing.T) {
	b := newBench(t)
	dead := b.queueNamed("dead", "")
	queue := b.queueNamed("admit", fmt.Sprintf(`"VisibilityTimeout": 60, "RedrivePolicy": {"deadLetterTargetArn": %q, "maxReceiveCount": 3},`, dead))
	b.function(`"FunctionName": "admit", "Timeout": 20,`)
	b.create("AWS::Lambda::EventSourceMapping", "Mapping", fmt.Sprintf(`{"EventSourceArn": %q, "FunctionName": "admit"}`, queue))
	b.send(queue, "fail all")
	if !b.world.Clock.UntilIdle(time.Hour) {
		t.Error(b.world.Clock.Pending())
	}
	if got := len(b.batches()); got != 3 {
		t.Errorf("%d attempts", got)
	}
	if letters := b.letters(dead); len(letters) != 1 || letters[0].Body != "fail all" {
		t.Errorf("%+v", letters)
	}
}

func TestACrashLosesNoMessage(t *testing.T) {
	b := newBench(t)
	queue := b.mapped("")
	first := true
	b.world.Faults.OnCall(func(c *cloud.Call) *cloud.Fault {
		if c.Operation.Name == "DeleteMessageBatch" && first {
			first = false
			return &cloud.Fault{Name: "lost", Err: cloud.Errorf(503, "ServiceUnavailable", "as asked")}
		}
		return nil
	})
	b.send(queue, "a")
	b.world.Clock.Advance(130 * time.Second)
	if diff := cmp.Diff([]batch{{0, []string{"a"}}, {120 * time.Second, []string{"a"}}}, b.batches()); diff != "" {
		t.Error(diff)
	}
}

func TestMappingsAreChecked(t *testing.T) {
	b := newBench(t)
	queue := b.queueNamed("short", `"VisibilityTimeout": 10,`)
	b.function(`"FunctionName": "wire", "Timeout": 20,`)
	for properties, want := range map[string]string{
		`"EventSourceArn": "` + queue + `"`:                                                     "Queue visibility timeout: 10 seconds is less than Function timeout: 20 seconds",
		`"EventSourceArn": "arn:aws:sqs:us-east-1:100000000000:nobody"`:                         "map EventSourceArn",
		`"EventSourceArn": "arn:aws:kinesis:us-east-1:1:stream/x"`:                              "not a standard SQS queue",
		`"EventSourceArn": "` + queue + `", "BatchSize": 11`:                                    "MaximumBatchingWindowInSeconds must be at least 1",
		`"EventSourceArn": "` + queue + `", "BatchSize": 0`:                                     "BatchSize is 0",
		`"EventSourceArn": "` + queue + `", "MaximumBatchingWindowInSeconds": 301`:              "from 0 to 300",
		`"EventSourceArn": "` + queue + `", "FunctionResponseTypes": ["X"]`:                     "only ReportBatchItemFailures",
		`"EventSourceArn": "` + queue + `", "ScalingConfig": {"MaximumConcurrency": 1}`:         "from 2 to 1000",
		`"EventSourceArn": "` + queue + `", "FilterCriteria": {"Filters": [{"Pattern": "{}"}]}`: `unknown field "FilterCriteria"`,
	} {
		_, err := b.resourceType("AWS::Lambda::EventSourceMapping").Create(b.request("Mapping", `{"FunctionName": "wire", `+properties+`}`))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", properties, err, want)
		}
	}
}

func TestMappingsCanBeChangedListedAndDeleted(t *testing.T) {
	b := newBench(t)
	queue := b.mapped("")
	mapping := &cloud.Resource{}
	list := func() []EventSourceMapping {
		out, err := b.world.Invoke(cloud.Root(account), region, "lambda", "ListEventSourceMappings", &ListEventSourceMappingsInput{FunctionName: "wire"})
		if err != nil {
			t.Fatal(err)
		}
		return out.(*ListEventSourceMappingsOutput).EventSourceMappings
	}
	mapping.Ref = list()[0].UUID
	_, err := b.resourceType("AWS::Lambda::EventSourceMapping").Update(
		b.request("Mapping", fmt.Sprintf(`{"EventSourceArn": %q, "FunctionName": "wire", "Enabled": "false", "BatchSize": 3}`, queue)), mapping)
	if err != nil {
		t.Fatal(err)
	}
	if m := list()[0]; m.State != "Disabled" || m.BatchSize != 3 || m.EventSourceArn != queue || len(m.FunctionResponseTypes) > 0 {
		t.Errorf("%+v", m)
	}
	b.send(queue, "a")
	b.world.Clock.UntilIdle(time.Hour)
	if len(b.batches()) > 0 {
		t.Error("a disabled mapping works")
	}
	if err := b.resourceType("AWS::Lambda::EventSourceMapping").Delete(b.request("Mapping", ""), mapping); err != nil {
		t.Fatal(err)
	}
	b.send(queue, "b")
	b.world.Clock.UntilIdle(time.Hour)
	if len(list()) > 0 || len(b.batches()) > 0 {
		t.Error("a deleted mapping is still there")
	}
}

func TestAssumption_LAMBDA_07_AMappingThatMayNotReadLooksAgain(t *testing.T) {
	for name, test := range map[string]struct {
		err  *cloud.Error
		idle bool
		at   time.Duration
	}{
		"denied":    {cloud.Errorf(403, "AccessDenied", "as asked"), true, time.Minute},
		"throttled": {cloud.Errorf(400, "RequestThrottled", "as asked"), false, 10 * time.Second},
		"broken":    {cloud.Errorf(500, "InternalFailure", "as asked"), false, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			queue := b.mapped("")
			failing := true
			b.world.Faults.OnCall(func(c *cloud.Call) *cloud.Fault {
				if c.Operation.Name == "ReceiveMessage" && failing {
					return &cloud.Fault{Err: test.err}
				}
				return nil
			})
			b.send(queue, "a")
			b.send(queue, "b")
			b.world.Clock.Advance(0)
			b.world.Do(func() {
				if m := fmt.Sprint(b.lambda.Snapshot(account)["eventSourceMappings"]); !strings.Contains(m, "PROBLEM: "+test.err.Code) {
					t.Error(m)
				}
			})
			if idle := !b.world.Clock.Busy(); idle != test.idle {
				t.Errorf("idle: %v, pending %v", idle, b.world.Clock.Pending())
			}
			failing = false
			b.world.Clock.Advance(2 * time.Minute)
			if diff := cmp.Diff([]batch{{test.at, []string{"a", "b"}}}, b.batches()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAssumption_LAMBDA_09_TheWindowBeginsWithTheFirstMessage(t *testing.T) {
	b := newBench(t)
	queue := b.mapped(`"MaximumBatchingWindowInSeconds": 5,`)
	b.world.Clock.Advance(time.Hour)
	b.send(queue, "a")
	b.world.Clock.Advance(3 * time.Second)
	if d := b.depth(queue); d["inFlight"] != 1 {
		t.Errorf("a message that waits for the window is not in flight: %v", d)
	}
	b.send(queue, "b")
	b.world.Clock.Advance(time.Minute)
	b.send(queue, "c")
	b.world.Clock.UntilIdle(time.Hour)
	want := []batch{{time.Hour + 5*time.Second, []string{"a", "b"}}, {time.Hour + 68*time.Second, []string{"c"}}}
	if diff := cmp.Diff(want, b.batches()); diff != "" {
		t.Error(diff)
	}
}

func TestAssumption_LAMBDA_10_OneBatchAtATime(t *testing.T) {
	b := newBench(t)
	queue := b.mapped(`"BatchSize": 1, "ScalingConfig": {"MaximumConcurrency": 5},`)
	for i := range 5 {
		b.send(queue, fmt.Sprint(i))
	}
	b.world.Clock.UntilIdle(time.Hour)
	var order []string
	for _, one := range b.batches() {
		order = append(order, one.Bodies...)
	}
	if !slices.Equal(order, []string{"0", "1", "2", "3", "4"}) || b.sessions.minted != 1 {
		t.Errorf("%v by %d instances", order, b.sessions.minted)
	}
}

func TestAssumption_LAMBDA_13_AnUnreadablePartialResponseFailsTheBatch(t *testing.T) {
	messages := []sqs.Message{{MessageId: "1"}, {MessageId: "2"}}
	for payload, want := range map[string]int{
		``: 2, `null`: 2, `{}`: 2, `{"batchItemFailures": []}`: 2, `{"batchItemFailures": null}`: 2,
		`{"batchItemFailures": [{"itemIdentifier": "2"}]}`:                          1,
		`{"batchItemFailures": [{"itemIdentifier": "1"}, {"itemIdentifier": "2"}]}`: 0,
		`{"batchItemFailures": [{"itemIdentifier": ""}]}`:                           -1,
		`{"batchItemFailures": [{"itemIdentifier": "3"}]}`:                          -1,
		`{"batchItemFailures": [{}]}`:                                               -1,
		`{"batchItemFailures": "all"}`:                                              -1,
		`"text"`:                                                                    -1,
	} {
		done, err := succeeded(messages, []byte(payload))
		if (err != nil) != (want < 0) || err == nil && len(done) != want {
			t.Errorf("%s: %v %v, want %d", payload, done, err, want)
		}
	}
	b := newBench(t)
	queue := b.mapped("")
	b.send(queue, "good")
	b.send(queue, "name another")
	b.world.Clock.Advance(time.Second)
	if d := b.depth(queue); d["inFlight"] != 2 {
		t.Errorf("%v", d)
	}
}
