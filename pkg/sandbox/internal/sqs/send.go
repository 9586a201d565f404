package sqs

import (
	"cmp"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// message is one message of a queue.
type message struct {
	id, body   string
	attributes map[string]Attribute
	sender     string
	source     string // for a dead letter, the queue that it came from
	sentAt     time.Time
	visibleAt  time.Time
	firstAt    time.Time // of the first receive
	receives   int
	handle     string       // of the last receive
	visible    *cloud.Timer // notifies event sources; nil if there are none
}

// Attribute is one message attribute.
type Attribute struct {
	DataType         string
	StringValue      *string  `json:",omitempty"`
	BinaryValue      []byte   `json:",omitempty"`
	StringListValues []string `json:",omitempty"`
	BinaryListValues [][]byte `json:",omitempty"`
}

// StringAttribute returns an attribute of type String.
func StringAttribute(value string) Attribute {
	return Attribute{DataType: "String", StringValue: &value}
}

// SendMessageInput is the input of SendMessage.
type SendMessageInput struct {
	QueueUrl string
	outgoing
}

// outgoing is a message to send, alone or in a batch.
type outgoing struct {
	MessageBody             string
	DelaySeconds            *int                 `json:",omitempty"`
	MessageAttributes       map[string]Attribute `json:",omitempty"`
	MessageSystemAttributes map[string]Attribute `json:",omitempty"`
	MessageDeduplicationId  string               `json:",omitempty"`
	MessageGroupId          string               `json:",omitempty"`
}

// NewMessage returns the input that sends body with attributes to a queue.
func NewMessage(queueARN, body string, attributes map[string]Attribute) *SendMessageInput {
	return &SendMessageInput{QueueUrl: URL(queueARN), outgoing: outgoing{MessageBody: body, MessageAttributes: attributes}}
}

// SendMessageOutput is the output of SendMessage.
type SendMessageOutput struct {
	MD5OfMessageBody       string
	MD5OfMessageAttributes string `json:",omitempty"`
	MessageId              string
}

// sendMessage implements SendMessage.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
func (s *Service) sendMessage(c *cloud.Call, in *SendMessageInput) (*SendMessageOutput, error) {
	q, err := s.find(c, in.QueueUrl, "SendMessage")
	if err != nil {
		return nil, err
	}
	m, err := q.accept(c, &in.outgoing)
	if err != nil {
		return nil, err
	}
	if err := q.unlock(c, encrypt, decrypt); err != nil {
		return nil, err
	}
	s.add(q, m)
	return m.sent(), nil
}

func (m *message) sent() *SendMessageOutput {
	return &SendMessageOutput{
		MD5OfMessageBody: md5Hex([]byte(m.body)), MD5OfMessageAttributes: md5OfAttributes(m.attributes), MessageId: m.id,
	}
}

// SendMessageBatchInput is the input of SendMessageBatch.
type SendMessageBatchInput struct {
	QueueUrl string
	Entries  []SendMessageBatchEntry
}

// SendMessageBatchEntry is one message of a batch.
type SendMessageBatchEntry struct {
	Id string
	outgoing
}

// SendMessageBatchOutput is the output of SendMessageBatch.
type SendMessageBatchOutput struct {
	Successful []SendMessageBatchResult `json:",omitempty"`
	Failed     []BatchError             `json:",omitempty"`
}

// SendMessageBatchResult is one sent message of a batch.
type SendMessageBatchResult struct {
	Id string
	SendMessageOutput
}

// BatchError is one failed entry of a batch.
type BatchError struct {
	Id          string
	Code        string
	Message     string
	SenderFault bool
}

// sendMessageBatch implements SendMessageBatch.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
func (s *Service) sendMessageBatch(c *cloud.Call, in *SendMessageBatchInput) (*SendMessageBatchOutput, error) {
	q, err := s.find(c, in.QueueUrl, "SendMessage")
	if err != nil {
		return nil, err
	}
	size := 0
	var ids []string
	for _, e := range in.Entries {
		ids = append(ids, e.Id)
		size += e.size()
	}
	if err := checkBatch(ids); err != nil {
		return nil, err
	}
	if size > 1<<20 {
		return nil, cloud.Errorf(400, "BatchRequestTooLong",
			"Batch requests cannot be longer than %d bytes. You have sent %d bytes.", 1<<20, size)
	}
	if err := q.unlock(c, encrypt, decrypt); err != nil {
		return nil, err
	}
	out := &SendMessageBatchOutput{}
	for i := range in.Entries {
		e := &in.Entries[i]
		m, err := q.accept(c, &e.outgoing)
		if err != nil {
			out.Failed = append(out.Failed, batchError(e.Id, err))
			continue
		}
		s.add(q, m)
		out.Successful = append(out.Successful, SendMessageBatchResult{Id: e.Id, SendMessageOutput: *m.sent()})
	}
	return out, nil
}

var batchID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// checkBatch checks what all batch operations have in common.
func checkBatch(ids []string) error {
	switch {
	case len(ids) == 0:
		return cloud.Errorf(400, "EmptyBatchRequest", "There should be at least one entry in the request.")
	case len(ids) > 10:
		return cloud.Errorf(400, "TooManyEntriesInBatchRequest",
			"Maximum number of entries per request are 10. You have sent %d.", len(ids))
	}
	for i, id := range ids {
		if !batchID.MatchString(id) {
			return cloud.Errorf(400, "InvalidBatchEntryId",
				"A batch entry id consists of at most 80 alphanumeric characters, hyphens and underscores.")
		}
		if slices.Contains(ids[:i], id) {
			return cloud.Errorf(400, "BatchEntryIdsNotDistinct", "Id %s repeated.", id)
		}
	}
	return nil
}

func batchError(id string, err error) BatchError {
	e := cloud.AsError(err)
	return BatchError{Id: id, Code: e.Code, Message: e.Message, SenderFault: e.Status < 500}
}

// accept checks a message and returns it. It does not add the message to the queue.
func (q *queue) accept(c *cloud.Call, in *outgoing) (*message, error) {
	delay := q.numbers["DelaySeconds"]
	if in.DelaySeconds != nil {
		delay = *in.DelaySeconds
	}
	switch {
	case in.MessageGroupId != "" || in.MessageDeduplicationId != "":
		return nil, errFIFO("MessageGroupId, MessageDeduplicationId")
	case len(in.MessageSystemAttributes) > 0:
		return nil, cloud.Errorf(501, "NotImplemented", "the sandbox does not implement MessageSystemAttributes")
	case in.MessageBody == "":
		return nil, errMissing("MessageBody")
	case strings.ContainsFunc(in.MessageBody, forbidden):
		return nil, cloud.Errorf(400, "InvalidMessageContents", "Invalid characters found in message body.")
	case delay < 0 || delay > 900:
		return nil, errValue(delay, "DelaySeconds", "DelaySeconds must be >= 0 and <= 900.")
	case in.size() > q.numbers["MaximumMessageSize"]:
		return nil, errValue("of the message", "MessageBody", "Message must be shorter than the queue's MaximumMessageSize.")
	}
	if err := checkAttributes(in.MessageAttributes); err != nil {
		return nil, err
	}
	return &message{
		id: c.World.IDs.UUID(), body: in.MessageBody, attributes: maps.Clone(in.MessageAttributes), sender: c.Caller.ARN,
		sentAt: c.Now(), visibleAt: c.Now().Add(time.Duration(delay) * time.Second),
	}, nil
}

// forbidden reports whether a body must not contain a character, because XML 1.0 does not allow it.
func forbidden(r rune) bool {
	return r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
}

func checkAttributes(attributes map[string]Attribute) error {
	if len(attributes) > 10 {
		return errValue(len(attributes), "MessageAttributes", "Number of message attributes exceeds the allowed maximum [10].")
	}
	for name, a := range attributes {
		kind, _, _ := strings.Cut(a.DataType, ".")
		text := a.StringValue != nil && *a.StringValue != ""
		switch {
		case len(a.StringListValues) > 0 || len(a.BinaryListValues) > 0:
			return cloud.Errorf(400, "UnsupportedOperation", "Message attribute list values are not supported.")
		case kind == "Binary" && len(a.BinaryValue) > 0:
		case (kind == "String" || kind == "Number") && text:
		default:
			return errValue(a.DataType, "MessageAttributes."+name, "It must contain a non-empty value of a valid type.")
		}
	}
	return nil
}

func (in *outgoing) size() int {
	n := len(in.MessageBody)
	for name, a := range in.MessageAttributes {
		n += len(name) + len(a.DataType) + len(a.BinaryValue)
		if a.StringValue != nil {
			n += len(*a.StringValue)
		}
	}
	return n
}

func md5Hex(b []byte) string {
	sum := md5.Sum(b)
	return hex.EncodeToString(sum[:])
}

// md5OfAttributes returns the MD5 digest of attributes, or "" if there are none.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation
func md5OfAttributes(attributes map[string]Attribute) string {
	if len(attributes) == 0 {
		return ""
	}
	var b []byte
	add := func(part []byte) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	for _, name := range slices.SortedFunc(maps.Keys(attributes), cmp.Compare[string]) {
		a := attributes[name]
		add([]byte(name))
		add([]byte(a.DataType))
		if a.StringValue != nil {
			b = append(b, 1)
			add([]byte(*a.StringValue))
			continue
		}
		b = append(b, 2)
		add(a.BinaryValue)
	}
	return md5Hex(b)
}
