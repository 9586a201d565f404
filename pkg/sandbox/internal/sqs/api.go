package sqs

import "github.com/originhub/originhub/pkg/sandbox/internal/cloud"

// API returns the operations that the sandbox implements.
func (s *Service) API() *cloud.Service {
	read, data := cloud.Operation{ReadOnly: true}, cloud.Operation{DataPlane: true}
	named := func(o cloud.Operation, name string) cloud.Operation {
		o.Name = name
		return o
	}
	return &cloud.Service{
		Name: "sqs", Protocol: cloud.JSON10, EventSource: "sqs.amazonaws.com", TargetPrefix: "AmazonSQS",
		Operations: []cloud.Operation{
			cloud.Op(cloud.Operation{Name: "CreateQueue"}, s.createQueue),
			cloud.Op(cloud.Operation{Name: "SetQueueAttributes"}, s.setQueueAttributes),
			cloud.Op(named(read, "GetQueueAttributes"), s.getQueueAttributes),
			cloud.Op(named(read, "GetQueueUrl"), s.getQueueURL),
			cloud.Op(named(read, "ListQueues"), s.listQueues),
			cloud.Op(named(read, "ListDeadLetterSourceQueues"), s.listDeadLetterSourceQueues),
			cloud.Op(named(read, "ListQueueTags"), s.listQueueTags),
			cloud.Op(named(data, "SendMessage"), s.sendMessage),
			cloud.Op(named(data, "SendMessageBatch"), s.sendMessageBatch),
			cloud.Op(named(data, "ReceiveMessage"), s.receiveMessage),
			cloud.Op(named(data, "ChangeMessageVisibility"), s.changeMessageVisibility),
			cloud.Op(named(data, "ChangeMessageVisibilityBatch"), s.changeMessageVisibilityBatch),
			cloud.Op(named(data, "DeleteMessage"), s.deleteMessage),
			cloud.Op(named(data, "DeleteMessageBatch"), s.deleteMessageBatch),
			cloud.Op(cloud.Operation{Name: "StartMessageMoveTask"}, s.startMessageMoveTask),
			cloud.Op(named(read, "ListMessageMoveTasks"), s.listMessageMoveTasks),
			cloud.Op(cloud.Operation{Name: "PurgeQueue"}, s.purgeQueue),
			cloud.Op(cloud.Operation{Name: "DeleteQueue"}, s.deleteQueue),
		},
	}
}
