package sqs

import "github.com/originhub/originhub/pkg/sandbox/internal/cloud"

// Assumptions are what this package supposes about SQS.
func Assumptions() []cloud.Assumption {
	return []cloud.Assumption{
		{
			ID: "SQS-01", Claim: "ReceiveMessage answers at once, however long WaitTimeSeconds allows it to wait, with what is visible, oldest first.",
			Source: "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html", Mark: "inferred",
		},
		{
			ID: "SQS-02", Claim: "StartMessageMoveTask moves all visible messages at the instant of the call, as new messages.",
			Source: "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html", Mark: "inferred",
		},
		{
			ID: "SQS-03", Claim: "A message goes to the dead-letter queue when it would be received once more than maxReceiveCount times.",
			Source: "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html", Mark: "documented",
		},
		{
			ID: "SQS-04", Claim: "A dead letter keeps the time at which it was first sent, so that it expires as the original would have.",
			Source: "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html", Mark: "documented",
		},
		{
			ID: "SQS-05", Claim: "A call on a queue that does not exist is QueueDoesNotExist, whatever the caller may do.",
			Source: "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html", Mark: "inferred",
		},
	}
}
