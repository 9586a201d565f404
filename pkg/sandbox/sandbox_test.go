package sandbox

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

const region = "us-east-1"

// code is the API error code of err, or what it says if it is none.
func code(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode()
	}
	if err == nil {
		return ""
	}
	return err.Error()
}

func ok[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestSTSWithTheRealClient(t *testing.T) {
	s := start(t, Options{})
	client := sts.NewFromConfig(s.Config(team, region))
	who := ok[*sts.GetCallerIdentityOutput](t)(client.GetCallerIdentity(context.Background(), &sts.GetCallerIdentityInput{}))
	if aws.ToString(who.Account) != team || aws.ToString(who.Arn) != "arn:aws:iam::"+team+":root" {
		t.Errorf("caller %s %s", aws.ToString(who.Account), aws.ToString(who.Arn))
	}
	_, err := client.AssumeRole(context.Background(), &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::" + team + ":role/none"), RoleSessionName: aws.String("session"),
	})
	if code(err) != "AccessDenied" {
		t.Errorf("assume an absent role: %v", err)
	}
}

func TestSQSWithTheRealClient(t *testing.T) {
	s := start(t, Options{})
	ctx := context.Background()
	client := sqs.NewFromConfig(s.Config(hub, region))
	queue := ok[*sqs.CreateQueueOutput](t)(client.CreateQueue(ctx, &sqs.CreateQueueInput{
		QueueName: aws.String("wire"), Attributes: map[string]string{"VisibilityTimeout": "30"},
	})).QueueUrl
	sent := ok[*sqs.SendMessageOutput](t)(client.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: queue, MessageBody: aws.String(`{"poke":true}`), DelaySeconds: 10,
		MessageAttributes: map[string]sqstypes.MessageAttributeValue{"kind": {DataType: aws.String("String"), StringValue: aws.String("poke")}},
	}))
	receive := func() []sqstypes.Message {
		return ok[*sqs.ReceiveMessageOutput](t)(client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: queue, MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"},
		})).Messages
	}
	if got := receive(); len(got) != 0 {
		t.Fatalf("received a delayed message: %v", got)
	}
	s.Advance(10 * time.Second)
	got := receive()
	if len(got) != 1 || aws.ToString(got[0].MessageId) != aws.ToString(sent.MessageId) ||
		aws.ToString(got[0].MessageAttributes["kind"].StringValue) != "poke" {
		t.Fatalf("received %+v", got)
	}
	ok[*sqs.DeleteMessageOutput](t)(client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: queue, ReceiptHandle: got[0].ReceiptHandle}))

	_, err := client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("none")})
	var absent *sqstypes.QueueDoesNotExist
	if !errors.As(err, &absent) || absent.ErrorCode() != "AWS.SimpleQueueService.NonExistentQueue" {
		t.Errorf("absent queue: %v", err)
	}
}

func TestFaultsInGo(t *testing.T) {
	s := start(t, Options{})
	ctx := context.Background()
	client := sqs.NewFromConfig(s.Config(hub, region))
	before, calls := 0, 0
	s.OnCall(func(c Call) *Fault {
		if c.Operation != "CreateQueue" {
			return nil
		}
		calls++
		switch calls {
		case 1:
			return &Fault{Name: "lost", NoResponse: true}
		case 2:
			return &Fault{Name: "refused", Error: &RuleError{Code: "Refused", Message: "no", Status: 400}, Before: func() { before++ }}
		}
		return nil
	})
	// The SDK repeats the call whose answer was lost.
	_, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("wire")})
	if code(err) != "Refused" || before != 1 {
		t.Fatalf("%v, edits %d", err, before)
	}
	if got := ok[*sqs.ListQueuesOutput](t)(client.ListQueues(ctx, &sqs.ListQueuesInput{})).QueueUrls; len(got) != 1 {
		t.Errorf("the lost call made %v", got)
	}
	log := s.Calls()
	if log[0].Fault != "lost" || log[1].Fault != "refused" || log[1].Error != "Refused: no" || log[2].Fault != "" {
		t.Errorf("log %+v", log)
	}
	if log[0].Attempt != 1 || log[1].Attempt != 2 || log[0].SDKCall != log[1].SDKCall || log[2].Attempt != 1 || log[2].SDKCall == log[1].SDKCall {
		t.Errorf("attempts in %+v", log)
	}
	s.Faults().Reset()
	ok[*sqs.CreateQueueOutput](t)(client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("wire")}))
}

func TestNewRefusesAccountsWithoutID(t *testing.T) {
	if _, err := New(Options{Accounts: []Account{{ID: "12345", Name: "short"}}}); err == nil {
		t.Error("accepted account 12345")
	}
}

func TestRealClockRuns(t *testing.T) {
	s := start(t, Options{RealClock: true})
	ran := make(chan struct{})
	s.world.Clock.After(time.Millisecond, "test", func() { close(ran) })
	<-ran
}
