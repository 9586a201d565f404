package sandbox_test

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/originhub/originhub/pkg/sandbox"
)

// A template is deployed into an account, and a client of the SDK uses what is in it.
func Example() {
	const account, region = "111111111111", "us-east-1"
	s, err := sandbox.New(sandbox.Options{Accounts: []sandbox.Account{{ID: account, Name: "orders"}}})
	if err != nil {
		panic(err)
	}
	defer func() { _ = s.Close() }()

	outputs, err := s.Deploy(account, region, "orders", []byte(`{
		"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 60}}},
		"Outputs":   {"QueueUrl": {"Value": {"Ref": "Queue"}}}
	}`), nil)
	if err != nil {
		panic(err)
	}

	ctx := context.Background()
	queues := sqs.NewFromConfig(s.Config(account, region))
	url := aws.String(outputs["QueueUrl"])
	if _, err := queues.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("order 1")}); err != nil {
		panic(err)
	}
	receive := func() {
		out, err := queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url})
		if err != nil {
			panic(err)
		}
		fmt.Println(len(out.Messages), "message(s)")
	}
	receive()
	receive()              // it is hidden now
	s.Advance(time.Minute) // of virtual time: the machine does not wait
	receive()
	// Output:
	// 1 message(s)
	// 0 message(s)
	// 1 message(s)
}
