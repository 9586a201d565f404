package sqs

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// ReceiveMessageInput is the input of ReceiveMessage.
type ReceiveMessageInput struct {
	QueueUrl                    string
	MaxNumberOfMessages         *int
	VisibilityTimeout           *int
	WaitTimeSeconds             int
	AttributeNames              []string
	MessageSystemAttributeNames []string
	MessageAttributeNames       []string
	ReceiveRequestAttemptId     string
}

// ReceiveMessageOutput is the output of ReceiveMessage.
type ReceiveMessageOutput struct {
	Messages []Message `json:",omitempty"`
}

// Message is one received message.
type Message struct {
	MessageId              string
	ReceiptHandle          string
	Body                   string
	MD5OfBody              string
	Attributes             map[string]string    `json:",omitempty"`
	MessageAttributes      map[string]Attribute `json:",omitempty"`
	MD5OfMessageAttributes string               `json:",omitempty"`
}

// receiveMessage implements ReceiveMessage. It returns the visible messages, oldest first. It does not wait for WaitTimeSeconds,
// because virtual time stands still during a call (assumption SQS-01).
// receiveMessage implements ReceiveMessage.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
func (s *Service) receiveMessage(c *cloud.Call, in *ReceiveMessageInput) (*ReceiveMessageOutput, error) {
	q, err := s.find(c, in.QueueUrl, "ReceiveMessage")
	if err != nil {
		return nil, err
	}
	limit, timeout := 1, q.numbers["VisibilityTimeout"]
	if in.MaxNumberOfMessages != nil {
		limit = *in.MaxNumberOfMessages
	}
	if in.VisibilityTimeout != nil {
		timeout = *in.VisibilityTimeout
	}
	switch {
	case in.ReceiveRequestAttemptId != "":
		return nil, errFIFO("ReceiveRequestAttemptId")
	case limit < 1 || limit > 10:
		return nil, errValue(limit, "MaxNumberOfMessages", "Must be between 1 and 10, if provided.")
	case timeout < 0 || timeout > 43200:
		return nil, errValue(timeout, "VisibilityTimeout", "Must be between 0 and 43200, if provided.")
	case in.WaitTimeSeconds < 0 || in.WaitTimeSeconds > 20:
		return nil, errValue(in.WaitTimeSeconds, "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided.")
	}
	if err := q.unlock(c, decrypt); err != nil {
		return nil, err
	}
	s.expire(q)
	out := &ReceiveMessageOutput{}
	for _, m := range slices.Clone(q.messages) {
		if len(out.Messages) == limit {
			break
		}
		if m.visibleAt.After(c.Now()) || s.dies(q, m) {
			continue
		}
		m.receives++
		if m.receives == 1 {
			m.firstAt = c.Now()
		}
		m.handle = "AQEB" + c.World.IDs.Mixed(60)
		q.handles[m.handle] = m
		s.hide(q, m, time.Duration(timeout)*time.Second)
		out.Messages = append(out.Messages, m.received(in))
	}
	return out, nil
}

// dies moves a message that was received too often to the dead-letter queue (assumption SQS-03). The message keeps the time at
// which it was first sent, and so its expiry (assumption SQS-04).
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
func (s *Service) dies(q *queue, m *message) bool {
	dlq := s.queues[q.redrive.Target]
	if dlq == nil || m.receives < int(q.redrive.Max) {
		return false
	}
	q.remove(m)
	m.source, m.visibleAt = q.arn, s.world.Clock.Now()
	s.add(dlq, m)
	return true
}

func (m *message) received(in *ReceiveMessageInput) Message {
	out := Message{MessageId: m.id, ReceiptHandle: m.handle, Body: m.body, MD5OfBody: md5Hex([]byte(m.body))}
	for name, value := range m.systemAttributes() {
		if wanted(name, in.AttributeNames) || wanted(name, in.MessageSystemAttributeNames) {
			if out.Attributes == nil {
				out.Attributes = map[string]string{}
			}
			out.Attributes[name] = value
		}
	}
	for name, a := range m.attributes {
		if wanted(name, in.MessageAttributeNames) {
			if out.MessageAttributes == nil {
				out.MessageAttributes = map[string]Attribute{}
			}
			out.MessageAttributes[name] = a
		}
	}
	out.MD5OfMessageAttributes = md5OfAttributes(out.MessageAttributes)
	return out
}

func (m *message) systemAttributes() map[string]string {
	attributes := map[string]string{
		"SenderId": m.sender, "SentTimestamp": milliseconds(m.sentAt),
		"ApproximateFirstReceiveTimestamp": milliseconds(m.firstAt), "ApproximateReceiveCount": strconv.Itoa(m.receives),
	}
	if m.source != "" {
		attributes["DeadLetterQueueSourceArn"] = m.source
	}
	return attributes
}

func milliseconds(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// wanted reports whether names include name: as itself, as All or .*, or by a prefix such as bar.*.
func wanted(name string, names []string) bool {
	for _, n := range names {
		prefix, isPrefix := strings.CutSuffix(n, ".*")
		if n == name || n == "All" || isPrefix && strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// DeleteMessageInput is the input of DeleteMessage.
type DeleteMessageInput struct {
	QueueUrl      string
	ReceiptHandle string
}

// deleteMessage implements DeleteMessage.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
func (s *Service) deleteMessage(c *cloud.Call, in *DeleteMessageInput) (*Empty, error) {
	q, err := s.find(c, in.QueueUrl, "DeleteMessage")
	if err != nil {
		return nil, err
	}
	return &Empty{}, q.discard(in.ReceiptHandle)
}

// discard deletes a message by its receipt handle. A handle that a later receive has replaced, or whose message is deleted,
// succeeds without effect.
func (q *queue) discard(handle string) error {
	m := q.handles[handle]
	if m == nil {
		return errHandle(handle)
	}
	if m.handle == handle {
		q.remove(m)
	}
	return nil
}

// BatchEntry is one entry of a batch. VisibilityTimeout is for ChangeMessageVisibilityBatch.
type BatchEntry struct {
	Id                string
	ReceiptHandle     string
	VisibilityTimeout int `json:",omitempty"`
}

// BatchInput is the input of DeleteMessageBatch and ChangeMessageVisibilityBatch.
type BatchInput struct {
	QueueUrl string
	Entries  []BatchEntry
}

// BatchOutput is the output of DeleteMessageBatch and ChangeMessageVisibilityBatch.
type BatchOutput struct {
	Successful []BatchResult `json:",omitempty"`
	Failed     []BatchError  `json:",omitempty"`
}

// BatchResult is one successful entry.
type BatchResult struct {
	Id string
}

// deleteMessageBatch implements DeleteMessageBatch.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html
func (s *Service) deleteMessageBatch(c *cloud.Call, in *BatchInput) (*BatchOutput, error) {
	return s.batch(c, in, "DeleteMessage", func(q *queue, e BatchEntry) error { return q.discard(e.ReceiptHandle) })
}

func (s *Service) batch(
	c *cloud.Call, in *BatchInput, action string, do func(*queue, BatchEntry) error,
) (*BatchOutput, error) {
	q, err := s.find(c, in.QueueUrl, action)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, e := range in.Entries {
		ids = append(ids, e.Id)
	}
	if err := checkBatch(ids); err != nil {
		return nil, err
	}
	out := &BatchOutput{}
	for _, e := range in.Entries {
		if err := do(q, e); err != nil {
			out.Failed = append(out.Failed, batchError(e.Id, err))
			continue
		}
		out.Successful = append(out.Successful, BatchResult{Id: e.Id})
	}
	return out, nil
}

// ChangeMessageVisibilityInput is the input of ChangeMessageVisibility.
type ChangeMessageVisibilityInput struct {
	QueueUrl          string
	ReceiptHandle     string
	VisibilityTimeout int
}

// changeMessageVisibility implements ChangeMessageVisibility.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
func (s *Service) changeMessageVisibility(c *cloud.Call, in *ChangeMessageVisibilityInput) (*Empty, error) {
	q, err := s.find(c, in.QueueUrl, "ChangeMessageVisibility")
	if err != nil {
		return nil, err
	}
	return &Empty{}, s.changeVisibility(q, in.ReceiptHandle, in.VisibilityTimeout)
}

// changeMessageVisibilityBatch implements ChangeMessageVisibilityBatch.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html
func (s *Service) changeMessageVisibilityBatch(c *cloud.Call, in *BatchInput) (*BatchOutput, error) {
	return s.batch(c, in, "ChangeMessageVisibility", func(q *queue, e BatchEntry) error {
		return s.changeVisibility(q, e.ReceiptHandle, e.VisibilityTimeout)
	})
}

func (s *Service) changeVisibility(q *queue, handle string, timeout int) error {
	if timeout < 0 || timeout > 43200 {
		return errValue(timeout, "VisibilityTimeout", "Must be between 0 and 43200.")
	}
	m := q.handles[handle]
	if m == nil {
		return errHandle(handle)
	}
	if m.handle != handle || !m.visibleAt.After(s.world.Clock.Now()) || !slices.Contains(q.messages, m) {
		return errNotInFlight()
	}
	s.hide(q, m, time.Duration(timeout)*time.Second)
	return nil
}
