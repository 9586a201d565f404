package sqs

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/iam"
)

const (
	owner  = "111111111111"
	region = "us-east-1"
)

type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

type lab struct {
	t failer
	w *cloud.World
	s *Service
}

func newLab(t failer) *lab {
	w := cloud.New(cloud.Options{Seed: 1})
	s := New(w)
	w.Authorizer = iam.New(w)
	w.Register(s.API())
	return &lab{t: t, w: w, s: s}
}

func (l *lab) try(op string, in any) (any, error) {
	return l.w.Invoke(cloud.Root(owner), region, "sqs", op, in)
}

func do[O any](l *lab, op string, in any) *O {
	l.t.Helper()
	out, err := l.try(op, in)
	if err != nil {
		l.t.Fatalf("%s: %v", op, err)
	}
	return out.(*O)
}

func (l *lab) queue(name string, attributes map[string]string) (arn string) {
	l.t.Helper()
	do[QueueURL](l, "CreateQueue", &CreateQueueInput{QueueName: name, Attributes: attributes})
	return queueARN(region, owner, name)
}

func (l *lab) send(arn, body string) *SendMessageOutput {
	l.t.Helper()
	return do[SendMessageOutput](l, "SendMessage", NewMessage(arn, body, nil))
}

func (l *lab) receive(arn string) []Message {
	l.t.Helper()
	ten := 10
	return do[ReceiveMessageOutput](l, "ReceiveMessage", &ReceiveMessageInput{
		QueueUrl: URL(arn), MaxNumberOfMessages: &ten, AttributeNames: []string{"All"}, MessageAttributeNames: []string{"All"},
	}).Messages
}

func (l *lab) depth(arn string) string {
	l.t.Helper()
	a := do[GetQueueAttributesOutput](l, "GetQueueAttributes", &GetQueueAttributesInput{QueueUrl: URL(arn), AttributeNames: []string{"All"}}).Attributes
	return fmt.Sprintf("%s visible, %s in flight, %s delayed", a["ApproximateNumberOfMessages"],
		a["ApproximateNumberOfMessagesNotVisible"], a["ApproximateNumberOfMessagesDelayed"])
}

func bodies(messages []Message) string {
	var list []string
	for _, m := range messages {
		list = append(list, m.Body)
	}
	return strings.Join(list, " ")
}

func expect[T comparable](t failer, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

func code(err error) string {
	var e *cloud.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func TestLifeOfAMessage(t *testing.T) {
	l := newLab(t)
	q := l.queue("q", map[string]string{"VisibilityTimeout": "60"})
	expect(t, "MD5", l.send(q, "hello").MD5OfMessageBody, "5d41402abc4b2a76b9719d911017c592")
	l.send(q, "later")
	expect(t, "sent", l.depth(q), "2 visible, 0 in flight, 0 delayed")
	first := l.receive(q)
	expect(t, "received", bodies(first), "hello later")
	expect(t, "count", first[0].Attributes["ApproximateReceiveCount"], "1")
	expect(t, "hidden", bodies(l.receive(q)), "")
	expect(t, "in flight", l.depth(q), "0 visible, 2 in flight, 0 delayed")
	do[Empty](l, "DeleteMessage", &DeleteMessageInput{QueueUrl: URL(q), ReceiptHandle: first[0].ReceiptHandle})
	do[Empty](l, "DeleteMessage", &DeleteMessageInput{QueueUrl: URL(q), ReceiptHandle: first[0].ReceiptHandle})
	l.w.Clock.Advance(time.Minute)
	again := l.receive(q)
	expect(t, "visible again", bodies(again), "later")
	do[Empty](l, "DeleteMessage", &DeleteMessageInput{QueueUrl: URL(q), ReceiptHandle: first[1].ReceiptHandle})
	expect(t, "an old handle deletes nothing", l.depth(q), "0 visible, 1 in flight, 0 delayed")
	do[Empty](l, "ChangeMessageVisibility", &ChangeMessageVisibilityInput{QueueUrl: URL(q), ReceiptHandle: again[0].ReceiptHandle})
	expect(t, "given back", bodies(l.receive(q)), "later")
	l.w.Clock.Advance(4 * 24 * time.Hour)
	expect(t, "expired", l.depth(q), "0 visible, 0 in flight, 0 delayed")
}

func TestDelays(t *testing.T) {
	l := newLab(t)
	q := l.queue("q", map[string]string{"DelaySeconds": "5"})
	l.send(q, "default")
	zero := 0
	do[SendMessageOutput](l, "SendMessage", &SendMessageInput{QueueUrl: URL(q), outgoing: outgoing{MessageBody: "now", DelaySeconds: &zero}})
	expect(t, "delayed", l.depth(q), "1 visible, 0 in flight, 1 delayed")
	l.w.Clock.Advance(5 * time.Second)
	expect(t, "all", bodies(l.receive(q)), "default now")
}

func TestRefusals(t *testing.T) {
	l := newLab(t)
	q := l.queue("q", nil)
	url, eleven, long := URL(q), 11, strings.Repeat("x", 1<<20+1)
	same := []SendMessageBatchEntry{{Id: "a", outgoing: outgoing{MessageBody: "x"}}, {Id: "a", outgoing: outgoing{MessageBody: "x"}}}
	cases := []struct {
		name, op string
		in       any
		want     string
	}{
		{"no queue", "SendMessage", NewMessage(q+"x", "x", nil), "QueueDoesNotExist"},
		{"empty body", "SendMessage", NewMessage(q, "", nil), "MissingParameter"},
		{"too long", "SendMessage", NewMessage(q, long, nil), "InvalidParameterValue"},
		{"control character", "SendMessage", NewMessage(q, "\x00", nil), "InvalidMessageContents"},
		{"attribute without value", "SendMessage", NewMessage(q, "x", map[string]Attribute{"a": {DataType: "String"}}), "InvalidParameterValue"},
		{"FIFO member", "SendMessage", &SendMessageInput{QueueUrl: url, outgoing: outgoing{MessageBody: "x", MessageGroupId: "g"}}, "NotImplemented"},
		{"FIFO queue", "CreateQueue", &CreateQueueInput{QueueName: "q.fifo"}, "NotImplemented"},
		{"bad name", "CreateQueue", &CreateQueueInput{QueueName: "q q"}, "InvalidParameterValue"},
		{"same name, other attributes", "CreateQueue", &CreateQueueInput{QueueName: "q", Attributes: map[string]string{"DelaySeconds": "1"}}, "QueueNameExists"},
		{"unknown attribute", "SetQueueAttributes", &SetQueueAttributesInput{QueueUrl: url, Attributes: map[string]string{"Colour": "red"}}, "InvalidAttributeName"},
		{"attribute out of range", "SetQueueAttributes", &SetQueueAttributesInput{QueueUrl: url, Attributes: map[string]string{"DelaySeconds": "901"}}, "InvalidAttributeValue"},
		{"reuse of data keys", "SetQueueAttributes", &SetQueueAttributesInput{QueueUrl: url, Attributes: map[string]string{"KmsDataKeyReusePeriodSeconds": "60"}}, "NotImplemented"},
		{
			"redrive to nowhere", "SetQueueAttributes",
			&SetQueueAttributesInput{QueueUrl: url, Attributes: map[string]string{"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:111111111111:none","maxReceiveCount":"3"}`}},
			"InvalidParameterValue",
		},
		{"unknown attribute to read", "GetQueueAttributes", &GetQueueAttributesInput{QueueUrl: url, AttributeNames: []string{"Colour"}}, "InvalidAttributeName"},
		{"eleven at once", "ReceiveMessage", &ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: &eleven}, "InvalidParameterValue"},
		{"forged handle", "DeleteMessage", &DeleteMessageInput{QueueUrl: url, ReceiptHandle: "x"}, "ReceiptHandleIsInvalid"},
		{"empty batch", "SendMessageBatch", &SendMessageBatchInput{QueueUrl: url}, "EmptyBatchRequest"},
		{"ids twice", "SendMessageBatch", &SendMessageBatchInput{QueueUrl: url, Entries: same}, "BatchEntryIdsNotDistinct"},
		{"not a dead-letter queue", "StartMessageMoveTask", &StartMessageMoveTaskInput{SourceArn: q}, "InvalidParameterValue"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := l.try(c.op, c.in)
			expect(t, fmt.Sprint(err), code(err), c.want)
		})
	}
	expect(t, "nothing got in", l.depth(q), "0 visible, 0 in flight, 0 delayed")
}

func TestBatches(t *testing.T) {
	l := newLab(t)
	q := l.queue("q", nil)
	sent := do[SendMessageBatchOutput](l, "SendMessageBatch", &SendMessageBatchInput{QueueUrl: URL(q), Entries: []SendMessageBatchEntry{
		{Id: "a", outgoing: outgoing{MessageBody: "x"}}, {Id: "b", outgoing: outgoing{MessageBody: ""}}, {Id: "c", outgoing: outgoing{MessageBody: "y"}},
	}})
	expect(t, "sent", len(sent.Successful), 2)
	expect(t, "failed", sent.Failed[0].Id+" "+sent.Failed[0].Code, "b MissingParameter")
	got := l.receive(q)
	back := do[BatchOutput](l, "ChangeMessageVisibilityBatch", &BatchInput{QueueUrl: URL(q), Entries: []BatchEntry{{Id: "1", ReceiptHandle: got[1].ReceiptHandle}}})
	expect(t, "given back", len(back.Successful), 1)
	gone := do[BatchOutput](l, "DeleteMessageBatch", &BatchInput{QueueUrl: URL(q), Entries: []BatchEntry{
		{Id: "1", ReceiptHandle: got[0].ReceiptHandle}, {Id: "2", ReceiptHandle: "forged"},
	}})
	expect(t, "deleted", len(gone.Successful), 1)
	expect(t, "not deleted", gone.Failed[0].Code, "ReceiptHandleIsInvalid")
	expect(t, "left", bodies(l.receive(q)), "y")
}

// TestAttributeDigest pins the digest of one attribute of each kind, as computed by the documented steps.
func TestAttributeDigest(t *testing.T) {
	l := newLab(t)
	q := l.queue("q", nil)
	attributes := map[string]Attribute{"b": {DataType: "Binary", BinaryValue: []byte{1, 2}}, "a": StringAttribute("v")}
	out := do[SendMessageOutput](l, "SendMessage", NewMessage(q, "x", attributes))
	encoded := "\x00\x00\x00\x01a\x00\x00\x00\x06String\x01\x00\x00\x00\x01v" + "\x00\x00\x00\x01b\x00\x00\x00\x06Binary\x02\x00\x00\x00\x02\x01\x02"
	expect(t, "digest", out.MD5OfMessageAttributes, md5Hex([]byte(encoded)))
	got := l.receive(q)[0]
	expect(t, "received digest", got.MD5OfMessageAttributes, out.MD5OfMessageAttributes)
	expect(t, "value", *got.MessageAttributes["a"].StringValue, "v")
}

func (l *lab) withDeadLetters(receives int) (q, dlq string) {
	dlq = l.queue("dlq", nil)
	return l.queue("q", map[string]string{"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, dlq, receives)}), dlq
}

func TestAssumption_SQS_03_DeadLetterAfterMaxReceives(t *testing.T) {
	l := newLab(t)
	q, dlq := l.withDeadLetters(2)
	l.send(q, "poison")
	for range 2 {
		expect(t, "received", bodies(l.receive(q)), "poison")
		expect(t, "still here", l.depth(dlq), "0 visible, 0 in flight, 0 delayed")
		l.w.Clock.Advance(30 * time.Second)
	}
	expect(t, "dead", bodies(l.receive(q)), "")
	expect(t, "letter", l.depth(dlq), "1 visible, 0 in flight, 0 delayed")
	expect(t, "source", l.receive(dlq)[0].Attributes["DeadLetterQueueSourceArn"], q)
}

func TestAssumption_SQS_04_DeadLetterKeepsItsAge(t *testing.T) {
	l := newLab(t)
	q, dlq := l.withDeadLetters(1)
	l.send(q, "poison")
	l.receive(q)
	l.w.Clock.Advance(3 * 24 * time.Hour)
	l.receive(q)
	expect(t, "letter", l.depth(dlq), "1 visible, 0 in flight, 0 delayed")
	l.w.Clock.Advance(24 * time.Hour)
	expect(t, "letter", l.depth(dlq), "0 visible, 0 in flight, 0 delayed")
}

func TestAssumption_SQS_02_RedriveIsImmediate(t *testing.T) {
	l := newLab(t)
	q, dlq := l.withDeadLetters(1)
	sent := l.send(q, "poison")
	l.receive(q)
	l.w.Clock.Advance(30 * time.Second)
	l.receive(q)
	do[StartMessageMoveTaskOutput](l, "StartMessageMoveTask", &StartMessageMoveTaskInput{SourceArn: dlq})
	expect(t, "letters", l.depth(dlq), "0 visible, 0 in flight, 0 delayed")
	got := l.receive(q)
	expect(t, "back", bodies(got), "poison")
	expect(t, "a new message", got[0].MessageId != sent.MessageId && got[0].Attributes["ApproximateReceiveCount"] == "1", true)
	tasks := do[ListMessageMoveTasksOutput](l, "ListMessageMoveTasks", &ListMessageMoveTasksInput{SourceArn: dlq}).Results
	expect(t, "task", fmt.Sprint(tasks[0].Status, tasks[0].ApproximateNumberOfMessagesMoved), "COMPLETED1")
}

func TestAssumption_SQS_01_ReceiveDoesNotWait(t *testing.T) {
	l := newLab(t)
	q := l.queue("q", nil)
	before := l.w.Clock.Now()
	out := do[ReceiveMessageOutput](l, "ReceiveMessage", &ReceiveMessageInput{QueueUrl: URL(q), WaitTimeSeconds: 20})
	expect(t, "messages", len(out.Messages), 0)
	expect(t, "time", l.w.Clock.Now(), before)
}

func TestAssumption_SQS_05_MissingQueueBeforePermission(t *testing.T) {
	l := newLab(t)
	_, err := l.w.Invoke(cloud.ServicePrincipal("events.amazonaws.com"), region, "sqs", "SendMessage", NewMessage(queueARN(region, owner, "none"), "x", nil))
	expect(t, fmt.Sprint(err), code(err), "QueueDoesNotExist")
}

func TestQueuePolicyAdmitsAService(t *testing.T) {
	l := newLab(t)
	q := l.queue("q", nil)
	rule := "arn:aws:events:us-east-1:111111111111:rule/r"
	service := cloud.Principal{Service: "events.amazonaws.com", ARN: "events.amazonaws.com", SourceARN: rule}
	send := func() string {
		_, err := l.w.Invoke(service, region, "sqs", "SendMessage", NewMessage(q, "x", nil))
		return code(err)
	}
	expect(t, "without a policy", send(), "AccessDeniedException")
	policy := func(source string) json.RawMessage {
		return json.RawMessage(fmt.Sprintf(`{"Queues":[%q],"PolicyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
			"Principal":{"Service":"events.amazonaws.com"},"Action":"sqs:SendMessage","Resource":%q,
			"Condition":{"ArnEquals":{"aws:SourceArn":%q}}}]}}`, URL(q), q, source))
	}
	kind := l.s.ResourceTypes()[1]
	request := &cloud.ResourceRequest{World: l.w, Account: owner, Region: region, Stack: "hub", LogicalID: "Policy", Properties: policy("arn:aws:events:x")}
	made, err := kind.Create(request)
	expect(t, "create", err, nil)
	expect(t, "policy for another rule", send(), "AccessDeniedException")
	request.Properties = policy(rule)
	made, err = kind.Update(request, made)
	expect(t, "update", err, nil)
	expect(t, "policy for this rule", send(), "")
	expect(t, "delete", kind.Delete(request, made), nil)
	expect(t, "policy gone", send(), "AccessDeniedException")
}

func TestQueueFromATemplate(t *testing.T) {
	l := newLab(t)
	dlq := l.queue("dlq", nil)
	kind := l.s.ResourceTypes()[0]
	request := &cloud.ResourceRequest{World: l.w, Account: owner, Region: region, Stack: "hub", LogicalID: "Work", Properties: json.RawMessage(
		fmt.Sprintf(`{"VisibilityTimeout":"90","RedrivePolicy":{"deadLetterTargetArn":%q,"maxReceiveCount":5},"Tags":[{"Key":"a","Value":"b"}]}`, dlq))}
	made, err := kind.Create(request)
	expect(t, "create", err, nil)
	expect(t, "url", made.Ref, URL(made.Attributes["Arn"]))
	expect(t, "name", strings.HasPrefix(made.Attributes["QueueName"], "hub-Work-"), true)
	read := func() map[string]string {
		return do[GetQueueAttributesOutput](l, "GetQueueAttributes", &GetQueueAttributesInput{QueueUrl: made.Ref, AttributeNames: []string{"All"}}).Attributes
	}
	expect(t, "visibility", read()["VisibilityTimeout"], "90")
	expect(t, "redrive", read()["RedrivePolicy"], fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":5}`, dlq))
	sources := do[ListDeadLetterSourceQueuesOutput](l, "ListDeadLetterSourceQueues", &ListDeadLetterSourceQueuesInput{QueueUrl: URL(dlq)})
	expect(t, "sources", slices.Equal(sources.QueueUrls, []string{made.Ref}), true)

	request.Properties = json.RawMessage(`{"DelaySeconds":3}`)
	_, err = kind.Update(request, made)
	expect(t, "update", err, nil)
	expect(t, "what the template no longer says is the default", read()["VisibilityTimeout"]+read()["RedrivePolicy"]+read()["DelaySeconds"], "303")

	request.Properties = json.RawMessage(`{"Colour":"red"}`)
	_, err = kind.Create(request)
	expect(t, "unknown property named", err != nil && strings.Contains(err.Error(), "Colour"), true)
	request.Properties = json.RawMessage(`{"FifoQueue":true}`)
	_, err = kind.Create(request)
	expect(t, "FIFO named", err != nil && strings.Contains(err.Error(), "FIFO"), true)
	expect(t, "delete", kind.Delete(request, made), nil)
	expect(t, "delete again", kind.Delete(request, made), nil)
}

func TestEventSourceKeepsTheWorldBusy(t *testing.T) {
	l := newLab(t)
	q, dlq := l.withDeadLetters(2)
	l.send(q, "early")
	called := 0
	l.s.OnMessage(q, func() {
		called++
		for _, m := range l.receive(q) {
			if m.Body != "poison" {
				do[Empty](l, "DeleteMessage", &DeleteMessageInput{QueueUrl: URL(q), ReceiptHandle: m.ReceiptHandle})
			}
		}
	})
	expect(t, "idle", l.w.Clock.UntilIdle(time.Hour), true)
	expect(t, "a message from before is seen", called, 1)
	delay := 10
	do[SendMessageOutput](l, "SendMessage", &SendMessageInput{QueueUrl: URL(q), outgoing: outgoing{MessageBody: "good", DelaySeconds: &delay}})
	start := l.w.Clock.Now()
	expect(t, "idle", l.w.Clock.UntilIdle(time.Hour), true)
	expect(t, "waited for the delay, not for a visibility timeout", l.w.Clock.Now().Sub(start), 10*time.Second)
	l.send(q, "poison")
	start = l.w.Clock.Now()
	expect(t, "idle", l.w.Clock.UntilIdle(time.Hour), true)
	expect(t, "received twice, dead at the third", l.w.Clock.Now().Sub(start), time.Minute)
	expect(t, "a dead letter is no activity", l.depth(dlq), "1 visible, 0 in flight, 0 delayed")
	do[Empty](l, "DeleteQueue", &QueueInput{QueueUrl: URL(q)})
	expect(t, "idle", l.w.Clock.Busy(), false)
}

func TestSnapshotShowsBodies(t *testing.T) {
	l := newLab(t)
	l.send(l.queue("b", nil), "x")
	l.queue("a", nil)
	var got struct {
		Queues []struct {
			Name     string
			Visible  int
			Messages []struct{ Body string }
		}
	}
	var text []byte
	l.w.Do(func() { text, _ = json.Marshal(l.s.Snapshot(owner)) })
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	expect(t, "order", got.Queues[0].Name+got.Queues[1].Name, "ab")
	expect(t, "body", got.Queues[1].Messages[0].Body, "x")
}

// TestNoMessageIsLost: whatever is sent is deleted, or is still in the queue or its dead-letter queue.
func TestNoMessageIsLost(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l := newLab(rt)
		q, dlq := l.withDeadLetters(3)
		sent, deleted := 0, 0
		var handles []string
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			switch rapid.IntRange(0, 4).Draw(rt, "step") {
			case 0:
				l.send(q, "x")
				sent++
			case 1:
				for _, m := range l.receive(q) {
					handles = append(handles, m.ReceiptHandle)
				}
			case 2:
				if len(handles) > 0 {
					before := len(l.s.queues[q].messages)
					handle := rapid.SampledFrom(handles).Draw(rt, "handle")
					do[Empty](l, "DeleteMessage", &DeleteMessageInput{QueueUrl: URL(q), ReceiptHandle: handle})
					deleted += before - len(l.s.queues[q].messages)
				}
			case 3:
				if len(handles) > 0 {
					handle := rapid.SampledFrom(handles).Draw(rt, "handle")
					_, err := l.try("ChangeMessageVisibility", &ChangeMessageVisibilityInput{QueueUrl: URL(q), ReceiptHandle: handle, VisibilityTimeout: 7})
					if err != nil {
						expect(rt, "refusal", code(err), "MessageNotInflight")
					}
				}
			default:
				l.w.Clock.Advance(time.Duration(rapid.IntRange(0, 40).Draw(rt, "seconds")) * time.Second)
			}
			expect(rt, "messages", deleted+len(l.s.queues[q].messages)+len(l.s.queues[dlq].messages), sent)
		}
	})
}
