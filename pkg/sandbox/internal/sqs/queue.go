package sqs

import (
	"maps"
	"regexp"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// queue is one standard queue.
type queue struct {
	name, arn, account, region string
	created, modified          time.Time
	tags                       map[string]string
	settings
	messages []*message          // in the order in which they were sent
	handles  map[string]*message // all receipt handles ever issued; the message may be deleted
	moves    []*MoveTask         // redrives of this queue, newest first
}

type depth struct{ visible, inFlight, delayed int }

func (q *queue) depth(now time.Time) depth {
	var d depth
	for _, m := range q.messages {
		switch {
		case !m.visibleAt.After(now):
			d.visible++
		case m.receives > 0:
			d.inFlight++
		default:
			d.delayed++
		}
	}
	return d
}

// CreateQueueInput is the input of CreateQueue.
type CreateQueueInput struct {
	QueueName  string
	Attributes map[string]string
	Tags       map[string]string `json:"tags"`
}

// QueueURL is the output of CreateQueue and GetQueueUrl.
type QueueURL struct {
	QueueUrl string
}

var queueName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// createQueue implements CreateQueue.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
func (s *Service) createQueue(c *cloud.Call, in *CreateQueueInput) (*QueueURL, error) {
	arn := queueARN(c.Region, c.Account(), in.QueueName)
	if err := c.Authorize("sqs:CreateQueue", arn, nil); err != nil {
		return nil, err
	}
	if strings.HasSuffix(in.QueueName, ".fifo") {
		return nil, errFIFO("queue " + in.QueueName)
	}
	if !queueName.MatchString(in.QueueName) {
		return nil, errValue(in.QueueName, "QueueName",
			"Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.")
	}
	q := &queue{
		name: in.QueueName, arn: arn, account: c.Account(), region: c.Region, created: c.Now(), modified: c.Now(),
		settings: defaults(), tags: maps.Clone(in.Tags), handles: map[string]*message{},
	}
	if err := s.configure(q, in.Attributes); err != nil {
		return nil, err
	}
	if existing := s.queues[arn]; existing == nil {
		s.queues[arn] = q
	} else if !existing.equal(q.settings) {
		return nil, errQueueExists()
	}
	return &QueueURL{QueueUrl: URL(arn)}, nil
}

// SetQueueAttributesInput is the input of SetQueueAttributes.
type SetQueueAttributesInput struct {
	QueueUrl   string
	Attributes map[string]string
}

// Empty is an output without members.
type Empty struct{}

// setQueueAttributes implements SetQueueAttributes.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
func (s *Service) setQueueAttributes(c *cloud.Call, in *SetQueueAttributesInput) (*Empty, error) {
	q, err := s.find(c, in.QueueUrl, "SetQueueAttributes")
	if err != nil {
		return nil, err
	}
	if err := s.configure(q, in.Attributes); err != nil {
		return nil, err
	}
	q.modified = c.Now()
	return &Empty{}, nil
}

// GetQueueAttributesInput is the input of GetQueueAttributes.
type GetQueueAttributesInput struct {
	QueueUrl       string
	AttributeNames []string
}

// GetQueueAttributesOutput is the output of GetQueueAttributes.
type GetQueueAttributesOutput struct {
	Attributes map[string]string `json:",omitempty"`
}

// getQueueAttributes implements GetQueueAttributes.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
func (s *Service) getQueueAttributes(c *cloud.Call, in *GetQueueAttributesInput) (*GetQueueAttributesOutput, error) {
	q, err := s.find(c, in.QueueUrl, "GetQueueAttributes")
	if err != nil {
		return nil, err
	}
	s.expire(q)
	all := q.attributes(c.Now())
	out := map[string]string{}
	for _, name := range in.AttributeNames {
		if name == "All" {
			return &GetQueueAttributesOutput{Attributes: all}, nil
		}
		if !known(name) {
			return nil, errAttributeName(name)
		}
		if value, ok := all[name]; ok {
			out[name] = value
		}
	}
	return &GetQueueAttributesOutput{Attributes: out}, nil
}

// GetQueueUrlInput is the input of GetQueueUrl.
type GetQueueUrlInput struct {
	QueueName              string
	QueueOwnerAWSAccountId string
}

// getQueueURL implements GetQueueUrl.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueUrl.html
func (s *Service) getQueueURL(c *cloud.Call, in *GetQueueUrlInput) (*QueueURL, error) {
	owner := in.QueueOwnerAWSAccountId
	if owner == "" {
		owner = c.Account()
	}
	url := URL(queueARN(c.Region, owner, in.QueueName))
	if _, err := s.find(c, url, "GetQueueUrl"); err != nil {
		return nil, err
	}
	return &QueueURL{QueueUrl: url}, nil
}

// ListQueuesInput is the input of ListQueues.
type ListQueuesInput struct {
	QueueNamePrefix string
	MaxResults      int
	NextToken       string
}

// ListQueuesOutput is the output of ListQueues.
type ListQueuesOutput struct {
	QueueUrls []string `json:",omitempty"`
	NextToken string   `json:",omitempty"`
}

// page returns one page of queues. A token is returned only if the caller asks for a page size.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListQueues.html
func page(urls []string, token string, size int) (list []string, next string, err error) {
	const most = 1000
	asked := size != 0
	if !asked {
		size = most
	}
	if size < 1 || size > most {
		return nil, "", errValue(size, "MaxResults", "Must be from 1 to 1000.")
	}
	list, next, ok := cloud.Page(urls, token, size)
	if !ok {
		return nil, "", errValue(token, "NextToken", "It is not valid.")
	}
	if !asked {
		next = ""
	}
	return list, next, nil
}

// listQueues implements ListQueues.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListQueues.html
func (s *Service) listQueues(c *cloud.Call, in *ListQueuesInput) (*ListQueuesOutput, error) {
	if err := c.Authorize("sqs:ListQueues", queueARN(c.Region, c.Account(), "*"), nil); err != nil {
		return nil, err
	}
	out := &ListQueuesOutput{}
	for _, q := range s.sorted(c.Account()) {
		if q.region == c.Region && strings.HasPrefix(q.name, in.QueueNamePrefix) {
			out.QueueUrls = append(out.QueueUrls, URL(q.arn))
		}
	}
	var err error
	out.QueueUrls, out.NextToken, err = page(out.QueueUrls, in.NextToken, in.MaxResults)
	return out, err
}

// ListDeadLetterSourceQueuesInput is the input of ListDeadLetterSourceQueues.
type ListDeadLetterSourceQueuesInput struct {
	QueueUrl   string
	MaxResults int
	NextToken  string
}

// ListDeadLetterSourceQueuesOutput is the output of ListDeadLetterSourceQueues.
type ListDeadLetterSourceQueuesOutput struct {
	QueueUrls []string `json:"queueUrls"`
	NextToken string   `json:",omitempty"`
}

// listDeadLetterSourceQueues implements ListDeadLetterSourceQueues.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListDeadLetterSourceQueues.html
func (s *Service) listDeadLetterSourceQueues(
	c *cloud.Call, in *ListDeadLetterSourceQueuesInput,
) (*ListDeadLetterSourceQueuesOutput, error) {
	dlq, err := s.find(c, in.QueueUrl, "ListDeadLetterSourceQueues")
	if err != nil {
		return nil, err
	}
	out := &ListDeadLetterSourceQueuesOutput{QueueUrls: []string{}}
	for _, q := range s.sorted(dlq.account) {
		if q.redrive.Target == dlq.arn {
			out.QueueUrls = append(out.QueueUrls, URL(q.arn))
		}
	}
	out.QueueUrls, out.NextToken, err = page(out.QueueUrls, in.NextToken, in.MaxResults)
	return out, err
}

// QueueInput is the input of the operations on one queue.
type QueueInput struct {
	QueueUrl string
}

// ListQueueTagsOutput is the output of ListQueueTags.
type ListQueueTagsOutput struct {
	Tags map[string]string `json:",omitempty"`
}

// listQueueTags implements ListQueueTags.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListQueueTags.html
func (s *Service) listQueueTags(c *cloud.Call, in *QueueInput) (*ListQueueTagsOutput, error) {
	q, err := s.find(c, in.QueueUrl, "ListQueueTags")
	if err != nil {
		return nil, err
	}
	return &ListQueueTagsOutput{Tags: q.tags}, nil
}

// purgeQueue implements PurgeQueue.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_PurgeQueue.html
func (s *Service) purgeQueue(c *cloud.Call, in *QueueInput) (*Empty, error) {
	q, err := s.find(c, in.QueueUrl, "PurgeQueue")
	if err != nil {
		return nil, err
	}
	q.clear()
	return &Empty{}, nil
}

// deleteQueue implements DeleteQueue.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteQueue.html
func (s *Service) deleteQueue(c *cloud.Call, in *QueueInput) (*Empty, error) {
	q, err := s.find(c, in.QueueUrl, "DeleteQueue")
	if err != nil {
		return nil, err
	}
	q.clear()
	delete(s.queues, q.arn)
	return &Empty{}, nil
}
