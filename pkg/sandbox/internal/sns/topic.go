package sns

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/iam"
	"github.com/originhub/originhub/pkg/sandbox/internal/kms"
)

type topic struct {
	arn, account, region, name string
	attributes                 map[string]string
	subscriptions              []*Subscription
	messages                   []Message
}

var nameForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)

// find returns a topic of the Region of the call, whoever owns it.
func (s *Service) find(c *cloud.Call, arn string) *topic {
	for _, t := range s.topics {
		if t.arn == arn && t.region == c.Region {
			return t
		}
	}
	return nil
}

// open authorizes a call on a topic and returns the topic.
func (s *Service) open(c *cloud.Call, arn string) (*topic, error) {
	t := s.find(c, arn)
	if err := authorize(c, arn, t); err != nil {
		return nil, err
	}
	if t == nil {
		return nil, cloud.Errorf(404, "NotFound", "Topic does not exist")
	}
	return t, nil
}

// Tag is one tag.
type Tag struct{ Key, Value string }

// CreateTopicInput is the input of CreateTopic, for a standard topic.
type CreateTopicInput struct {
	Name       string
	Attributes map[string]string `query:"Attributes.entry"`
	Tags       []Tag             `query:"Tags.member"`
}

// CreateTopicOutput has the ARN of the topic.
type CreateTopicOutput struct{ TopicArn string }

// createTopic implements CreateTopic. It returns an existing topic with the same attributes.
// createTopic implements CreateTopic.
// https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
func (s *Service) createTopic(c *cloud.Call, in *CreateTopicInput) (*CreateTopicOutput, error) {
	arn := "arn:aws:sns:" + c.Region + ":" + c.Account() + ":" + in.Name
	if err := c.Authorize("sns:CreateTopic", arn, nil); err != nil {
		return nil, refusal(err)
	}
	if !nameForm.MatchString(in.Name) {
		return nil, invalid("Topic Name")
	}
	for name, value := range in.Attributes {
		if err := checkAttribute(name, value); err != nil {
			return nil, err
		}
	}
	if t := s.find(c, arn); t != nil {
		for name, value := range in.Attributes {
			if t.attributes[name] != value {
				return nil, invalid("Attributes Reason: Topic already exists with different attributes")
			}
		}
		return &CreateTopicOutput{arn}, nil
	}
	attributes := maps.Clone(in.Attributes)
	if attributes == nil {
		attributes = map[string]string{}
	}
	s.topics = append(s.topics, &topic{
		arn: arn, account: c.Account(), region: c.Region, name: in.Name,
		attributes: attributes,
	})
	return &CreateTopicOutput{arn}, nil
}

// checkAttribute returns an error for an attribute that the sandbox does not support.
func checkAttribute(name, value string) error {
	switch name {
	case "DisplayName", "KmsMasterKeyId":
		return nil
	case "Policy":
		if value == "" {
			return nil
		}
		if _, err := iam.Parse(iam.Resource, []byte(value)); err != nil {
			return invalid("Policy Error: " + err.Error())
		}
		return nil
	}
	return invalid("AttributeName Reason: the sandbox does not know " + name)
}

// ListTopicsInput is the input of ListTopics.
type ListTopicsInput struct{ NextToken string }

// ListTopicsOutput is a page of topics.
type ListTopicsOutput struct {
	Topics    []TopicItem `xml:"Topics>member"`
	NextToken string      `xml:",omitempty"`
}

// TopicItem is one topic of a list.
type TopicItem struct{ TopicArn string }

// listTopics implements ListTopics.
// https://docs.aws.amazon.com/sns/latest/api/API_ListTopics.html
func (s *Service) listTopics(c *cloud.Call, in *ListTopicsInput) (*ListTopicsOutput, error) {
	if err := c.Authorize("sns:ListTopics", "*", nil); err != nil {
		return nil, refusal(err)
	}
	var all []TopicItem
	for _, t := range s.topics {
		if t.account == c.Account() && t.region == c.Region {
			all = append(all, TopicItem{t.arn})
		}
	}
	list, next, err := page(all, in.NextToken)
	return &ListTopicsOutput{list, next}, err
}

// GetTopicAttributesInput is the input of GetTopicAttributes.
type GetTopicAttributesInput struct{ TopicArn string }

// GetTopicAttributesOutput has the attributes of a topic.
type GetTopicAttributesOutput struct {
	Attributes map[string]string `xml:"Attributes>entry"`
}

// getTopicAttributes implements GetTopicAttributes.
// https://docs.aws.amazon.com/sns/latest/api/API_GetTopicAttributes.html
func (s *Service) getTopicAttributes(c *cloud.Call, in *GetTopicAttributesInput) (*GetTopicAttributesOutput, error) {
	t, err := s.open(c, in.TopicArn)
	if err != nil {
		return nil, err
	}
	out := maps.Clone(t.attributes)
	out["TopicArn"], out["Owner"] = t.arn, t.account
	out["SubscriptionsPending"], out["SubscriptionsConfirmed"],
		out["SubscriptionsDeleted"] = strconv.Itoa(len(t.subscriptions)), "0", "0"
	return &GetTopicAttributesOutput{out}, nil
}

// SetTopicAttributesInput is the input of SetTopicAttributes.
type SetTopicAttributesInput struct{ TopicArn, AttributeName, AttributeValue string }

// SetTopicAttributesOutput is empty.
type SetTopicAttributesOutput struct{}

// setTopicAttributes implements SetTopicAttributes.
// https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html
func (s *Service) setTopicAttributes(c *cloud.Call, in *SetTopicAttributesInput) (*SetTopicAttributesOutput, error) {
	t, err := s.open(c, in.TopicArn)
	if err != nil {
		return nil, err
	}
	if err := checkAttribute(in.AttributeName, in.AttributeValue); err != nil {
		return nil, err
	}
	t.attributes[in.AttributeName] = in.AttributeValue
	return &SetTopicAttributesOutput{}, nil
}

// PublishInput is the input of Publish. The sandbox publishes to topics only.
type PublishInput struct {
	TopicArn          string
	Message           string
	Subject           string
	MessageAttributes []MessageAttribute `query:"MessageAttributes.entry"`
}

// MessageAttribute is an attribute of a message. The sandbox has no filter policies.
type MessageAttribute struct {
	Name  string
	Value struct{ DataType, StringValue, BinaryValue string }
}

// PublishOutput has the id of the message.
type PublishOutput struct {
	MessageID string `xml:"MessageId"`
}

// largest is the maximum size of a message in bytes.
// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
const largest = 256 << 10

// publish implements Publish.
// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
func (s *Service) publish(c *cloud.Call, in *PublishInput) (*PublishOutput, error) {
	t, err := s.open(c, in.TopicArn)
	if err != nil {
		return nil, err
	}
	switch {
	case in.Message == "":
		return nil, invalid("Empty message")
	case len(in.Message) > largest:
		return nil, invalid("Message too long")
	case len(in.Subject) > 100 || strings.ContainsAny(in.Subject, "\n\r"):
		return nil, invalid("Subject")
	}
	// https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
	context := map[string]string{"aws:sns:topicArn": t.arn}
	if e := c.UseKey(t.attributes["KmsMasterKeyId"], t.account, context, "kms:GenerateDataKey", "kms:Decrypt"); e != nil {
		return nil, kms.Refusal("KMS", e)
	}
	m := Message{ID: s.w.IDs.UUID(), Time: c.Now(), By: c.Caller.ARN, Subject: in.Subject, Body: in.Message}
	t.messages = append(t.messages, m)
	return &PublishOutput{m.ID}, nil
}

// DeleteTopicInput is the input of DeleteTopic.
type DeleteTopicInput struct{ TopicArn string }

// DeleteTopicOutput is empty.
type DeleteTopicOutput struct{}

// deleteTopic implements DeleteTopic. Deleting a topic that does not exist succeeds.
// deleteTopic implements DeleteTopic.
// https://docs.aws.amazon.com/sns/latest/api/API_DeleteTopic.html
func (s *Service) deleteTopic(c *cloud.Call, in *DeleteTopicInput) (*DeleteTopicOutput, error) {
	t := s.find(c, in.TopicArn)
	if err := authorize(c, in.TopicArn, t); err != nil {
		return nil, err
	}
	s.topics = slices.DeleteFunc(s.topics, func(other *topic) bool { return other == t })
	return &DeleteTopicOutput{}, nil
}

// pageSize is the number of items in a page.
// https://docs.aws.amazon.com/sns/latest/api/API_ListTopics.html
const pageSize = 100

func page[T any](all []T, token string) ([]T, string, error) {
	start := 0
	if token != "" {
		var err error
		if start, err = strconv.Atoi(token); err != nil || start < 0 || start > len(all) {
			return nil, "", invalid("NextToken")
		}
	}
	end := min(start+pageSize, len(all))
	if end == len(all) {
		return all[start:], "", nil
	}
	return all[start:end], strconv.Itoa(end), nil
}
