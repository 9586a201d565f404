package sqs

import "github.com/originhub/originhub/pkg/sandbox/internal/cloud"

// Assumptions are what this package supposes about SQS.
func Assumptions() []cloud.Assumption {
	return []cloud.Assumption{
		{
			ID: "SQS-01", Mark: "inferred",
			Claim:  "ReceiveMessage answers at once, however long WaitTimeSeconds allows it to wait, with what is visible, oldest first.",
			Source: "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html",
		},
		{
			ID: "SQS-02", Mark: "inferred",
			Claim:  "StartMessageMoveTask moves all visible messages at the instant of the call, as new messages.",
			Source: "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html",
		},
		{
			ID: "SQS-03", Mark: "documented",
			Claim:  "A message goes to the dead-letter queue when it would be received once more than maxReceiveCount times.",
			Source: "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html",
		},
		{
			ID: "SQS-04", Mark: "documented",
			Claim:  "A dead letter keeps the time at which it was first sent, so that it expires as the original would have.",
			Source: "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html",
		},
		{
			ID: "SQS-05", Mark: "inferred",
			Claim:  "A call on a queue that does not exist is QueueDoesNotExist, whatever the caller may do.",
			Source: "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html",
		},
	}
}
