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
	"github.com/originhub/originhub/pkg/sandbox/internal/sns"
	"github.com/originhub/originhub/pkg/sandbox/internal/sqs"
)

// queueNamed makes a queue and returns its ARN.
func (b *bench) queueNamed(name, extra string) string {
	b.t.Helper()
	return b.create("AWS::SQS::Queue", name, fmt.Sprintf(`{%s "QueueName": %q}`, extra, name)).Attributes["Arn"]
}

// send puts a message on a queue.
func (b *bench) send(queueARN, body string) {
	b.t.Helper()
	if _, err := b.world.Invoke(cloud.Root(account), region, "sqs", "SendMessage", sqs.NewMessage(queueARN, body, nil)); err != nil {
		b.t.Fatal(err)
	}
}

// letters takes what a queue holds.
func (b *bench) letters(queueARN string) []sqs.Message {
	b.t.Helper()
	ten := 10
	out, err := b.world.Invoke(cloud.Root(account), region, "sqs", "ReceiveMessage", &sqs.ReceiveMessageInput{
		QueueUrl: sqs.URL(queueARN), MaxNumberOfMessages: &ten, MessageAttributeNames: []string{"All"},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return out.(*sqs.ReceiveMessageOutput).Messages
}

func (b *bench) api(caller cloud.Principal, in *InvokeInput) (*InvokeOutput, error) {
	out, err := b.world.Invoke(caller, region, "lambda", "Invoke", in)
	if err != nil {
		return nil, err
	}
	return out.(*InvokeOutput), nil
}

// attempts are the virtual times, since the world began, at which the functions wrote text.
func (b *bench) attempts(text string) []time.Duration {
	var at []time.Duration
	for _, g := range b.lambda.LogGroups(account) {
		for _, l := range g.Lines {
			if strings.Contains(l.Message, text) {
				at = append(at, l.Time.Sub(cloud.DefaultStart))
			}
		}
	}
	return at
}

func TestInvokeThroughTheAPI(t *testing.T) {
	b := newBench(t)
	arn := b.function(`"FunctionName": "admit", "Timeout": 20,`)
	for _, name := range []string{"admit", arn, account + ":function:admit", arn + ":$LATEST"} {
		out, err := b.api(cloud.Root(account), &InvokeInput{FunctionName: name, Payload: []byte(`{"do":"log","text":"hi"}`), LogType: "Tail"})
		if err != nil || out.StatusCode != 200 || out.ExecutedVersion != "$LATEST" || out.LogResult == "" {
			t.Errorf("%s: %+v %v", name, out, err)
		}
	}
	for name, test := range map[string]struct {
		in   InvokeInput
		want string
	}{
		"unknown function":   {InvokeInput{FunctionName: "nobody"}, "ResourceNotFoundException: Function not found: arn:aws:lambda:us-east-1:100000000000:function:nobody"},
		"unknown type":       {InvokeInput{FunctionName: "admit", InvocationType: "Later"}, "InvalidParameterValueException"},
		"not JSON":           {InvokeInput{FunctionName: "admit", Payload: []byte("{")}, "InvalidRequestContentException"},
		"too large":          {InvokeInput{FunctionName: "admit", Payload: []byte(`"` + strings.Repeat("x", 6<<20) + `"`)}, "RequestTooLargeException"},
		"too large an event": {InvokeInput{FunctionName: "admit", InvocationType: "Event", Payload: []byte(`"` + strings.Repeat("x", 1<<20) + `"`)}, "RequestTooLargeException"},
	} {
		if _, err := b.api(cloud.Root(account), &test.in); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
	out, err := b.api(cloud.Root(account), &InvokeInput{FunctionName: "admit", InvocationType: "DryRun"})
	if err != nil || out.StatusCode != 204 {
		t.Errorf("dry run: %+v %v", out, err)
	}
	calls := b.world.Calls()
	if last := calls[len(calls)-1]; last.Operation != "Invoke" || last.Resource != arn {
		t.Errorf("%+v", last)
	}
}

// judge records what it is asked, and allows all but what is denied.
type judge struct {
	asked []cloud.Request
	deny  string
}

func (j *judge) Authorize(r cloud.Request) cloud.Decision {
	j.asked = append(j.asked, r)
	return cloud.Decision{Allowed: r.Action != j.deny, Reason: "no statement allows it"}
}

func TestAPermissionIsTheFunctionsResourcePolicy(t *testing.T) {
	b := newBench(t)
	j := &judge{}
	b.world.Authorizer = j
	arn := b.function(`"FunctionName": "retire", "Timeout": 20,`)
	rule := "arn:aws:events:us-east-1:100000000000:rule/tags"
	first := b.create("AWS::Lambda::Permission", "FromRule", fmt.Sprintf(
		`{"Action": "lambda:InvokeFunction", "FunctionName": %q, "Principal": "events.amazonaws.com", "SourceArn": %q, "SourceAccount": %q}`, arn, rule, account))
	b.create("AWS::Lambda::Permission", "FromAccount", `{"Action": "lambda:InvokeFunction", "FunctionName": "retire", "Principal": "111111111111"}`)
	caller := cloud.ServicePrincipal("events.amazonaws.com")
	caller.SourceARN = rule
	if _, err := b.api(caller, &InvokeInput{FunctionName: arn, InvocationType: "Event"}); err != nil {
		t.Fatal(err)
	}
	asked := j.asked[len(j.asked)-1]
	if asked.Action != "lambda:InvokeFunction" || asked.Resource != arn || asked.ResourceAccount != account || asked.Principal.SourceARN != rule {
		t.Errorf("%+v", asked)
	}
	var policy struct{ Statement []permission }
	if err := json.Unmarshal([]byte(asked.ResourcePolicy), &policy); err != nil {
		t.Fatal(err)
	}
	want := []permission{
		{
			Sid: first.Ref, Effect: "Allow", Principal: map[string]any{"Service": "events.amazonaws.com"}, Action: "lambda:InvokeFunction", Resource: arn,
			Condition: map[string]map[string]string{"ArnLike": {"AWS:SourceArn": rule}, "StringEquals": {"AWS:SourceAccount": account}},
		},
		{
			Sid: policy.Statement[1].Sid, Effect: "Allow", Principal: map[string]any{"AWS": "arn:aws:iam::111111111111:root"},
			Action: "lambda:InvokeFunction", Resource: arn,
		},
	}
	if diff := cmp.Diff(want, policy.Statement); diff != "" {
		t.Error(diff)
	}
	if err := b.resourceType("AWS::Lambda::Permission").Delete(b.request("FromRule", ""), first); err != nil {
		t.Fatal(err)
	}
	out, err := b.world.Invoke(cloud.Root(account), region, "lambda", "GetPolicy", &FunctionInput{FunctionName: "retire"})
	if err != nil || strings.Contains(out.(*GetPolicyOutput).Policy, "events.amazonaws.com") {
		t.Errorf("%v %v", out, err)
	}
	j.deny = "lambda:InvokeFunction"
	if _, err := b.api(caller, &InvokeInput{FunctionName: arn}); err == nil || !strings.Contains(err.Error(), "AccessDeniedException") {
		t.Error(err)
	}
}

func TestAnEventThatSucceedsIsHandledOnce(t *testing.T) {
	b := newBench(t)
	done := b.queueNamed("done", "")
	arn := b.function(`"FunctionName": "retire",`)
	b.create("AWS::Lambda::EventInvokeConfig", "Config", fmt.Sprintf(
		`{"FunctionName": "retire", "Qualifier": "$LATEST", "DestinationConfig": {"OnSuccess": {"Destination": %q}}}`, done))
	out, err := b.api(cloud.Root(account), &InvokeInput{FunctionName: arn, InvocationType: "Event", Payload: []byte(`{"do":"log","text":"attempt"}`)})
	if err != nil || out.StatusCode != 202 || len(out.Payload) > 0 {
		t.Fatalf("%+v %v", out, err)
	}
	if at := b.attempts("attempt"); len(at) > 0 {
		t.Error("the event was handled before the call was over")
	}
	b.world.Clock.UntilIdle(time.Hour)
	if at := b.attempts("attempt"); !slices.Equal(at, []time.Duration{0}) {
		t.Errorf("%v", at)
	}
	letters := b.letters(done)
	if len(letters) != 1 || !strings.Contains(letters[0].Body, `"condition":"Success"`) {
		t.Errorf("%+v", letters)
	}
}

func TestEventsThatCannotBeReported(t *testing.T) {
	b := newBench(t)
	b.function(`"FunctionName": "retire", "DeadLetterConfig": {"TargetArn": "arn:aws:sqs:us-east-1:100000000000:nowhere"},`)
	if _, err := b.api(cloud.Root(account), &InvokeInput{FunctionName: "retire", InvocationType: "Event", Payload: []byte(`{"do":"error"}`)}); err != nil {
		t.Fatal(err)
	}
	if !b.world.Clock.UntilIdle(time.Hour) {
		t.Error(b.world.Clock.Pending())
	}
	b.world.Do(func() {
		lost := b.lambda.Snapshot(account)["undelivered"].([]any)
		if len(lost) != 1 || !strings.Contains(fmt.Sprint(lost[0]), "nowhere") {
			t.Errorf("%v", lost)
		}
	})
}

func TestEventsGrowTooOld(t *testing.T) {
	b := newBench(t)
	dead := b.queueNamed("dead", "")
	b.function(`"FunctionName": "retire",`)
	b.create("AWS::Lambda::EventInvokeConfig", "Config", fmt.Sprintf(
		`{"FunctionName": "retire", "MaximumEventAgeInSeconds": "90", "DestinationConfig": {"OnFailure": {"Destination": %q}}}`, dead))
	if _, err := b.api(cloud.Root(account), &InvokeInput{FunctionName: "retire", InvocationType: "Event", Payload: []byte(`{"do":"error","text":"attempt"}`)}); err != nil {
		t.Fatal(err)
	}
	b.world.Clock.UntilIdle(time.Hour)
	if at := b.attempts("attempt"); !slices.Equal(at, []time.Duration{0, time.Minute}) {
		t.Errorf("%v", at)
	}
	letters := b.letters(dead)
	if len(letters) != 1 || !strings.Contains(letters[0].Body, `"condition":"EventAgeExceeded"`) {
		t.Errorf("%+v", letters)
	}
}

func TestAssumption_LAMBDA_05_AFailedEventIsTriedThreeTimes(t *testing.T) {
	b := newBench(t)
	dead, failed := b.queueNamed("dead", ""), b.queueNamed("failed", "")
	arn := b.function(fmt.Sprintf(`"FunctionName": "retire", "DeadLetterConfig": {"TargetArn": %q},`, dead))
	b.create("AWS::Lambda::EventInvokeConfig", "Config", fmt.Sprintf(
		`{"FunctionName": "retire", "DestinationConfig": {"OnFailure": {"Destination": %q}}}`, failed))
	payload := `{"do":"typed error","text":"attempt"}`
	if _, err := b.api(cloud.Root(account), &InvokeInput{FunctionName: arn, InvocationType: "Event", Payload: []byte(payload)}); err != nil {
		t.Fatal(err)
	}
	b.world.Clock.UntilIdle(time.Hour)
	if at := b.attempts("attempt"); !slices.Equal(at, []time.Duration{0, time.Minute, 3 * time.Minute}) {
		t.Errorf("%v", at)
	}
	records := b.letters(failed)
	if len(records) != 1 {
		t.Fatalf("%+v", records)
	}
	var record map[string]any
	if err := json.Unmarshal([]byte(records[0].Body), &record); err != nil {
		t.Fatal(err)
	}
	id := record["requestContext"].(map[string]any)["requestId"].(string)
	want := map[string]any{
		"version": "1.0", "timestamp": "2035-01-08T09:03:00.000Z",
		"requestContext":  map[string]any{"requestId": id, "functionArn": arn + ":$LATEST", "condition": "RetriesExhausted", "approximateInvokeCount": 3.0},
		"requestPayload":  map[string]any{"do": "typed error", "text": "attempt"},
		"responseContext": map[string]any{"statusCode": 200.0, "executedVersion": "$LATEST", "functionError": "Unhandled"},
		"responsePayload": map[string]any{"errorType": "Reread", "errorMessage": "attempt"},
	}
	if diff := cmp.Diff(want, record); diff != "" {
		t.Error(diff)
	}
	letters := b.letters(dead)
	if len(letters) != 1 || letters[0].Body != payload || *letters[0].MessageAttributes["RequestID"].StringValue != id ||
		*letters[0].MessageAttributes["ErrorMessage"].StringValue != "attempt" || *letters[0].MessageAttributes["ErrorCode"].StringValue != "200" {
		t.Errorf("%+v", letters)
	}
	calls := b.world.Calls()
	if sender := calls[len(calls)-3].Principal; sender != "arn:aws:sts::100000000000:assumed-role/function-role/retire" {
		t.Errorf("the record was sent as %s", sender)
	}
}

func TestAssumption_LAMBDA_06_ThrottlesAreNoAttempts(t *testing.T) {
	b := newBench(t)
	dead := b.queueNamed("dead", "")
	b.function(`"FunctionName": "retire", "ReservedConcurrentExecutions": 0,`)
	b.create("AWS::Lambda::EventInvokeConfig", "Config", fmt.Sprintf(
		`{"FunctionName": "retire", "MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0, "DestinationConfig": {"OnFailure": {"Destination": %q}}}`, dead))
	if _, err := b.api(cloud.Root(account), &InvokeInput{FunctionName: "retire", InvocationType: "Event"}); err != nil {
		t.Fatal(err)
	}
	// Tried after 1, 2, 4, 8 and 16 seconds; the next 32 seconds would be too late.
	b.world.Clock.UntilIdle(time.Hour)
	if now := b.world.Clock.Now().Sub(cloud.DefaultStart); now != 31*time.Second {
		t.Errorf("given up after %v", now)
	}
	letters := b.letters(dead)
	if len(letters) != 1 || !strings.Contains(letters[0].Body, `"approximateInvokeCount":0,"condition":"EventAgeExceeded"`) {
		t.Errorf("%+v", letters)
	}
}

func TestAssumption_LAMBDA_12_DeadLettersOnATopic(t *testing.T) {
	b := newBench(t)
	var published []sns.PublishInput
	b.world.Register(&cloud.Service{Name: "sns", Protocol: cloud.Query, Operations: []cloud.Operation{
		cloud.Op(cloud.Operation{Name: "Publish", DataPlane: true}, func(c *cloud.Call, in *sns.PublishInput) (*struct{}, error) {
			published = append(published, *in)
			return &struct{}{}, c.Authorize("sns:Publish", in.TopicArn, nil)
		}),
	}})
	topic := "arn:aws:sns:us-east-1:100000000000:alarms"
	b.function(fmt.Sprintf(`"FunctionName": "retire", "DeadLetterConfig": {"TargetArn": %q},`, topic))
	payload := fmt.Sprintf(`{"do":"error","text":%q}`, strings.Repeat("x", 2000))
	if _, err := b.api(cloud.Root(account), &InvokeInput{FunctionName: "retire", InvocationType: "Event", Payload: []byte(payload)}); err != nil {
		t.Fatal(err)
	}
	b.world.Clock.UntilIdle(time.Hour)
	if len(published) != 1 || published[0].TopicArn != topic || published[0].Message != payload {
		t.Fatalf("%+v", published)
	}
	got := map[string]string{}
	for _, a := range published[0].MessageAttributes {
		got[a.Name] = a.Value.DataType + " " + a.Value.StringValue
	}
	if got["ErrorCode"] != "Number 200" || got["ErrorMessage"] != "String "+strings.Repeat("x", 1024) || !strings.HasPrefix(got["RequestID"], "String ") {
		t.Errorf("%v", got)
	}
}
