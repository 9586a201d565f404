package sqs

import (
	"slices"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// MoveTask is one redrive of a dead-letter queue, in the form of ListMessageMoveTasks.
type MoveTask struct {
	SourceArn                         string
	DestinationArn                    string `json:",omitempty"`
	Status                            string
	StartedTimestamp                  int64
	ApproximateNumberOfMessagesMoved  int
	ApproximateNumberOfMessagesToMove int
}

// StartMessageMoveTaskInput is the input of StartMessageMoveTask.
type StartMessageMoveTaskInput struct {
	SourceArn                    string
	DestinationArn               string
	MaxNumberOfMessagesPerSecond *int
}

// StartMessageMoveTaskOutput is the output of StartMessageMoveTask.
type StartMessageMoveTaskOutput struct{ TaskHandle string }

// startMessageMoveTask implements StartMessageMoveTask. It sends the messages of a dead-letter queue to the given destination, or
// else to the queues that they came from. It takes no time, whatever MaxNumberOfMessagesPerSecond says (assumption SQS-02).
// startMessageMoveTask implements StartMessageMoveTask.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
func (s *Service) startMessageMoveTask(c *cloud.Call, in *StartMessageMoveTaskInput) (*StartMessageMoveTaskOutput, error) {
	dlq := s.queues[in.SourceArn]
	if dlq == nil {
		return nil, errNoResource(in.SourceArn, "SourceArn")
	}
	for _, action := range []string{"StartMessageMoveTask", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes"} {
		if err := s.allow(c, dlq, action); err != nil {
			return nil, err
		}
	}
	if err := dlq.unlock(c, decrypt); err != nil {
		return nil, err
	}
	feeds := func(q *queue) bool { return q.redrive.Target == dlq.arn }
	if !slices.ContainsFunc(s.sorted(dlq.account), feeds) {
		return nil, errValue(in.SourceArn, "SourceArn", "Source queue must be configured as a Dead Letter Queue.")
	}
	s.expire(dlq)
	type move struct {
		m  *message
		to *queue
	}
	var moves []move
	for _, m := range dlq.messages {
		if m.visibleAt.After(c.Now()) {
			continue
		}
		target := in.DestinationArn
		if target == "" {
			target = m.source
		}
		to := s.queues[target]
		if to == nil {
			return nil, errNoResource(target, "destination of message "+m.id)
		}
		if err := s.allow(c, to, "SendMessage"); err != nil {
			return nil, err
		}
		if err := to.unlock(c, encrypt, decrypt); err != nil {
			return nil, err
		}
		moves = append(moves, move{m, to})
	}
	for _, mv := range moves {
		dlq.remove(mv.m)
		s.add(mv.to, &message{
			id: c.World.IDs.UUID(), body: mv.m.body, attributes: mv.m.attributes, sender: mv.m.sender,
			sentAt: c.Now(), visibleAt: c.Now(),
		})
	}
	task := &MoveTask{
		SourceArn: dlq.arn, DestinationArn: in.DestinationArn, Status: "COMPLETED", StartedTimestamp: c.Now().UnixMilli(),
		ApproximateNumberOfMessagesMoved: len(moves), ApproximateNumberOfMessagesToMove: len(moves),
	}
	dlq.moves = append([]*MoveTask{task}, dlq.moves...)
	return &StartMessageMoveTaskOutput{TaskHandle: c.World.IDs.Mixed(60)}, nil
}

// ListMessageMoveTasksInput is the input of ListMessageMoveTasks.
type ListMessageMoveTasksInput struct {
	SourceArn  string
	MaxResults *int
}

// ListMessageMoveTasksOutput is the output of ListMessageMoveTasks, newest task first.
type ListMessageMoveTasksOutput struct{ Results []*MoveTask }

// listMessageMoveTasks implements ListMessageMoveTasks.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListMessageMoveTasks.html
func (s *Service) listMessageMoveTasks(c *cloud.Call, in *ListMessageMoveTasksInput) (*ListMessageMoveTasksOutput, error) {
	dlq := s.queues[in.SourceArn]
	if dlq == nil {
		return nil, errNoResource(in.SourceArn, "SourceArn")
	}
	if err := s.allow(c, dlq, "ListMessageMoveTasks"); err != nil {
		return nil, err
	}
	limit := 1
	if in.MaxResults != nil {
		limit = *in.MaxResults
	}
	if limit < 1 || limit > 10 {
		return nil, errValue(limit, "MaxResults", "Must be from 1 to 10.")
	}
	return &ListMessageMoveTasksOutput{Results: dlq.moves[:min(limit, len(dlq.moves))]}, nil
}
