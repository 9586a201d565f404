package sns

import (
	"slices"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// Subscription is a subscription to a topic. It stays pending, because nobody confirms it.
type Subscription struct {
	SubscriptionArn string
	Owner           string
	Protocol        string
	Endpoint        string
	TopicArn        string
}

const pendingConfirmation = "PendingConfirmation"

// SubscribeInput is the input of Subscribe, for subscriptions of people.
type SubscribeInput struct {
	TopicArn              string
	Protocol              string
	Endpoint              string
	ReturnSubscriptionArn bool
}

// SubscribeOutput has the ARN of the subscription, or says that it is pending.
type SubscribeOutput struct{ SubscriptionArn string }

// subscribe implements Subscribe.
// https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
func (s *Service) subscribe(c *cloud.Call, in *SubscribeInput) (*SubscribeOutput, error) {
	t, err := s.open(c, in.TopicArn)
	if err != nil {
		return nil, err
	}
	switch in.Protocol {
	case "email", "email-json", "sms":
	default:
		return nil, invalid("the sandbox delivers no messages and does not support subscriptions of protocol " + in.Protocol)
	}
	if in.Endpoint == "" {
		return nil, invalid("Endpoint")
	}
	at := slices.IndexFunc(t.subscriptions, func(sub *Subscription) bool {
		return sub.Protocol == in.Protocol && sub.Endpoint == in.Endpoint
	})
	if at < 0 {
		at = len(t.subscriptions)
		t.subscriptions = append(t.subscriptions, &Subscription{
			SubscriptionArn: t.arn + ":" + s.w.IDs.UUID(), Owner: c.Account(), Protocol: in.Protocol,
			Endpoint: in.Endpoint, TopicArn: t.arn,
		})
	}
	if in.ReturnSubscriptionArn {
		return &SubscribeOutput{t.subscriptions[at].SubscriptionArn}, nil
	}
	return &SubscribeOutput{"pending confirmation"}, nil
}

// ListSubscriptionsInput is the input of ListSubscriptions.
type ListSubscriptionsInput struct{ NextToken string }

// ListSubscriptionsOutput is a page of subscriptions.
type ListSubscriptionsOutput struct {
	Subscriptions []Subscription `xml:"Subscriptions>member"`
	NextToken     string         `xml:",omitempty"`
}

// listSubscriptions implements ListSubscriptions.
// https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptions.html
func (s *Service) listSubscriptions(c *cloud.Call, in *ListSubscriptionsInput) (*ListSubscriptionsOutput, error) {
	if err := c.Authorize("sns:ListSubscriptions", "*", nil); err != nil {
		return nil, refusal(err)
	}
	var all []Subscription
	for _, t := range s.topics {
		if t.account == c.Account() && t.region == c.Region {
			all = append(all, t.show()...)
		}
	}
	list, next, err := page(all, in.NextToken)
	return &ListSubscriptionsOutput{list, next}, err
}

// show returns a topic's subscriptions. The ARN of a pending subscription is hidden.
func (t *topic) show() []Subscription {
	var list []Subscription
	for _, sub := range t.subscriptions {
		shown := *sub
		shown.SubscriptionArn = pendingConfirmation
		list = append(list, shown)
	}
	return list
}

// ListSubscriptionsByTopicInput is the input of ListSubscriptionsByTopic.
type ListSubscriptionsByTopicInput struct{ TopicArn, NextToken string }

// ListSubscriptionsByTopicOutput is a page of subscriptions.
type ListSubscriptionsByTopicOutput struct {
	Subscriptions []Subscription `xml:"Subscriptions>member"`
	NextToken     string         `xml:",omitempty"`
}

// listSubscriptionsByTopic implements ListSubscriptionsByTopic.
// https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html
func (s *Service) listSubscriptionsByTopic(
	c *cloud.Call, in *ListSubscriptionsByTopicInput,
) (*ListSubscriptionsByTopicOutput, error) {
	t, err := s.open(c, in.TopicArn)
	if err != nil {
		return nil, err
	}
	list, next, err := page(t.show(), in.NextToken)
	return &ListSubscriptionsByTopicOutput{list, next}, err
}

// UnsubscribeInput is the input of Unsubscribe.
type UnsubscribeInput struct{ SubscriptionArn string }

// UnsubscribeOutput is empty.
type UnsubscribeOutput struct{}

// unsubscribe implements Unsubscribe.
// https://docs.aws.amazon.com/sns/latest/api/API_Unsubscribe.html
func (s *Service) unsubscribe(c *cloud.Call, in *UnsubscribeInput) (*UnsubscribeOutput, error) {
	if err := c.Authorize("sns:Unsubscribe", in.SubscriptionArn, nil); err != nil {
		return nil, refusal(err)
	}
	for _, t := range s.topics {
		if t.account == c.Account() {
			t.subscriptions = slices.DeleteFunc(t.subscriptions,
				func(sub *Subscription) bool { return sub.SubscriptionArn == in.SubscriptionArn })
		}
	}
	return &UnsubscribeOutput{}, nil
}
