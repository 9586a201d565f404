// Package sns emulates Simple Notification Service. It keeps the messages of topics for inspection and delivers none. It records
// subscriptions.
package sns

import (
	"errors"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// Service holds all topics. The world lock guards its state.
type Service struct {
	w      *cloud.World
	topics []*topic // in order of creation
}

// New returns the service.
func New(w *cloud.World) *Service { return &Service{w: w} }

// API returns the operations that the sandbox implements.
func (s *Service) API() *cloud.Service {
	read := func(name string) cloud.Operation { return cloud.Operation{Name: name, ReadOnly: true} }
	write := func(name string) cloud.Operation { return cloud.Operation{Name: name} }
	return &cloud.Service{
		Name: "sns", Protocol: cloud.Query, EventSource: "sns.amazonaws.com",
		Version: "2010-03-31", Namespace: "http://sns.amazonaws.com/doc/2010-03-31/",
		Operations: []cloud.Operation{
			cloud.Op(write("CreateTopic"), s.createTopic),
			cloud.Op(read("ListTopics"), s.listTopics),
			cloud.Op(read("GetTopicAttributes"), s.getTopicAttributes),
			cloud.Op(write("SetTopicAttributes"), s.setTopicAttributes),
			cloud.Op(write("Subscribe"), s.subscribe),
			cloud.Op(read("ListSubscriptions"), s.listSubscriptions),
			cloud.Op(read("ListSubscriptionsByTopic"), s.listSubscriptionsByTopic),
			cloud.Op(write("Unsubscribe"), s.unsubscribe),
			cloud.Op(cloud.Operation{Name: "Publish", DataPlane: true}, s.publish),
			cloud.Op(write("DeleteTopic"), s.deleteTopic),
		},
	}
}

// Message is a published message.
type Message struct {
	ID      string    `json:"id"`
	Time    time.Time `json:"time"`
	By      string    `json:"by"`
	Subject string    `json:"subject,omitempty"`
	Body    string    `json:"message"`
}

// Snapshot returns an account's topics with all messages. Call with the world locked.
func (s *Service) Snapshot(account string) map[string]any {
	topics := []any{}
	for _, t := range s.topics {
		if t.account != account {
			continue
		}
		subscriptions := []any{}
		for _, sub := range t.subscriptions {
			subscriptions = append(subscriptions, map[string]any{"protocol": sub.Protocol, "endpoint": sub.Endpoint})
		}
		topics = append(topics, map[string]any{
			"arn": t.arn, "messages": append([]Message{}, t.messages...), "subscriptions": subscriptions,
		})
	}
	return map[string]any{"topics": topics}
}

// authorize checks the permission, with the topic's policy. SNS has an error code of its own.
// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
func authorize(c *cloud.Call, arn string, t *topic) error {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[2] != "sns" || parts[3] != c.Region {
		return invalid("TopicArn")
	}
	policy := ""
	if t != nil {
		policy = t.attributes["Policy"]
	}
	err := c.AuthorizeWithResourcePolicy("sns:"+c.Operation.Name, arn, parts[4], policy, nil)
	return refusal(err)
}

func refusal(err error) error {
	var e *cloud.Error
	if errors.As(err, &e) {
		return cloud.Errorf(403, "AuthorizationError", "%s", e.Message)
	}
	return err
}

func invalid(what string) error {
	return cloud.Errorf(400, "InvalidParameter", "Invalid parameter: %s", what)
}
