package sandbox

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// One call of the real client through the whole door.
func BenchmarkCall(b *testing.B) {
	s := start(b, Options{})
	client := sqs.NewFromConfig(s.Config(hub, region))
	ok[*sqs.CreateQueueOutput](b)(client.CreateQueue(context.Background(), &sqs.CreateQueueInput{QueueName: aws.String("wire")}))
	for b.Loop() {
		ok[*sqs.GetQueueUrlOutput](b)(client.GetQueueUrl(context.Background(), &sqs.GetQueueUrlInput{QueueName: aws.String("wire")}))
	}
}
