package sns

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// ResourceTypes returns the types of topics, topic policies and subscriptions.
func (s *Service) ResourceTypes() []cloud.ResourceType {
	return []cloud.ResourceType{
		{Name: "AWS::SNS::Topic", Create: createTopic, Update: updateTopic, Delete: deleteTopic},
		{Name: "AWS::SNS::TopicPolicy", Create: createPolicy, Update: updatePolicy, Delete: deletePolicy},
		{Name: "AWS::SNS::Subscription", Create: createSubscription, Delete: deleteSubscription},
	}
}

// topicProperties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-topic.html
type topicProperties struct {
	TopicName      string
	DisplayName    string
	KmsMasterKeyId string
	Subscription   []subscriptionProperties
	Tags           []cloud.Tag
}

// subscriptionProperties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-subscription.html
type subscriptionProperties struct {
	TopicArn string
	Protocol string
	Endpoint string
}

// policyProperties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-topicpolicy.html
type policyProperties struct {
	PolicyDocument json.RawMessage
	Topics         []string
}

func call[O any](r *cloud.ResourceRequest, operation string, in any) (*O, error) {
	out, err := r.World.Invoke(cloud.Root(r.Account), r.Region, "sns", operation, in)
	if err != nil {
		return nil, fmt.Errorf("stack %s, resource %s: %w", r.Stack, r.LogicalID, err)
	}
	return out.(*O), nil
}

func (p topicProperties) attributes() map[string]string {
	attributes := map[string]string{}
	for name, value := range map[string]string{"DisplayName": p.DisplayName, "KmsMasterKeyId": p.KmsMasterKeyId} {
		if value != "" {
			attributes[name] = value
		}
	}
	return attributes
}

func createTopic(r *cloud.ResourceRequest) (*cloud.Resource, error) {
	var p topicProperties
	if err := r.DecodeProperties("AWS::SNS::Topic", &p); err != nil {
		return nil, err
	}
	name := p.TopicName
	if name == "" {
		name = r.Name(256)
	}
	in := &CreateTopicInput{Name: name, Attributes: p.attributes()}
	for _, t := range p.Tags {
		in.Tags = append(in.Tags, Tag(t))
	}
	out, err := call[CreateTopicOutput](r, "CreateTopic", in)
	if err != nil {
		return nil, err
	}
	if err := subscribeAll(r, out.TopicArn, p.Subscription); err != nil {
		return nil, err
	}
	return &cloud.Resource{Ref: out.TopicArn, Attributes: map[string]string{
		"TopicArn":  out.TopicArn,
		"TopicName": name,
	}}, nil
}

func subscribeAll(r *cloud.ResourceRequest, topic string, list []subscriptionProperties) error {
	for _, sub := range list {
		if _, err := call[SubscribeOutput](r, "Subscribe", &SubscribeInput{
			TopicArn: topic, Protocol: sub.Protocol,
			Endpoint: sub.Endpoint,
		}); err != nil {
			return err
		}
	}
	return nil
}

func updateTopic(r *cloud.ResourceRequest, old *cloud.Resource) (*cloud.Resource, error) {
	var p topicProperties
	if err := r.DecodeProperties("AWS::SNS::Topic", &p); err != nil {
		return nil, err
	}
	if p.TopicName != "" && p.TopicName != old.Attributes["TopicName"] {
		return nil, fmt.Errorf("stack %s, resource %s: the sandbox cannot rename a topic", r.Stack, r.LogicalID)
	}
	for _, name := range []string{"DisplayName", "KmsMasterKeyId"} {
		in := &SetTopicAttributesInput{TopicArn: old.Ref, AttributeName: name, AttributeValue: p.attributes()[name]}
		if _, err := call[SetTopicAttributesOutput](r, "SetTopicAttributes", in); err != nil {
			return nil, err
		}
	}
	return old, subscribeAll(r, old.Ref, p.Subscription)
}

func deleteTopic(r *cloud.ResourceRequest, old *cloud.Resource) error {
	_, err := call[DeleteTopicOutput](r, "DeleteTopic", &DeleteTopicInput{old.Ref})
	return err
}

func createPolicy(r *cloud.ResourceRequest) (*cloud.Resource, error) {
	var p policyProperties
	if err := r.DecodeProperties("AWS::SNS::TopicPolicy", &p); err != nil {
		return nil, err
	}
	for _, topic := range p.Topics {
		in := &SetTopicAttributesInput{TopicArn: topic, AttributeName: "Policy", AttributeValue: string(p.PolicyDocument)}
		if _, err := call[SetTopicAttributesOutput](r, "SetTopicAttributes", in); err != nil {
			return nil, err
		}
	}
	return &cloud.Resource{Ref: r.Name(128), Attributes: map[string]string{"Topics": strings.Join(p.Topics, " ")}}, nil
}

func updatePolicy(r *cloud.ResourceRequest, old *cloud.Resource) (*cloud.Resource, error) {
	if err := deletePolicy(r, old); err != nil {
		return nil, err
	}
	return createPolicy(r)
}

func deletePolicy(r *cloud.ResourceRequest, old *cloud.Resource) error {
	for topic := range strings.FieldsSeq(old.Attributes["Topics"]) {
		in := &SetTopicAttributesInput{TopicArn: topic, AttributeName: "Policy"}
		if _, err := call[SetTopicAttributesOutput](r, "SetTopicAttributes", in); err != nil &&
			!strings.Contains(err.Error(), "NotFound") {
			return err
		}
	}
	return nil
}

func createSubscription(r *cloud.ResourceRequest) (*cloud.Resource, error) {
	var p subscriptionProperties
	if err := r.DecodeProperties("AWS::SNS::Subscription", &p); err != nil {
		return nil, err
	}
	out, err := call[SubscribeOutput](r, "Subscribe", &SubscribeInput{
		TopicArn: p.TopicArn, Protocol: p.Protocol, Endpoint: p.Endpoint, ReturnSubscriptionArn: true,
	})
	if err != nil {
		return nil, err
	}
	return &cloud.Resource{Ref: out.SubscriptionArn, Attributes: map[string]string{"Arn": out.SubscriptionArn}}, nil
}

func deleteSubscription(r *cloud.ResourceRequest, old *cloud.Resource) error {
	_, err := call[UnsubscribeOutput](r, "Unsubscribe", &UnsubscribeInput{old.Ref})
	return err
}
