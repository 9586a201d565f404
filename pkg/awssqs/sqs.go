// Package awssqs is the adapter of SQS: it sends messages to one queue.
package awssqs

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/originhub/originhub/pkg/fault"
)

// Queue is one queue.
type Queue struct {
	api *sqs.Client
	url string
}

// New returns the queue at url.
func New(cfg aws.Config, url string) *Queue { return &Queue{sqs.NewFromConfig(cfg), url} }

// longest is the maximum delay of a message.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
const longest = 15 * time.Minute

// Send sends body, to be received after delay. It cuts a delay to 15 minutes, the maximum of SQS: a receiver that is early sends
// the message again.
func (q *Queue) Send(ctx context.Context, body string, delay time.Duration) error {
	delay = min(max(delay, 0), longest)
	_, err := q.api.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: &q.url, MessageBody: aws.String(body), DelaySeconds: int32(delay.Round(time.Second).Seconds()),
	})
	return fault.Codes{}.Wrap(err, "send message to %s", q.url)
}
