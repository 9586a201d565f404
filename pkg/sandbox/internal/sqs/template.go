package sqs

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// ResourceTypes returns the CloudFormation types that this package deploys.
func (s *Service) ResourceTypes() []cloud.ResourceType {
	return []cloud.ResourceType{
		{Name: "AWS::SQS::Queue", Create: s.createResource, Update: s.updateResource, Delete: deleteResource},
		{Name: "AWS::SQS::QueuePolicy", Create: putPolicies, Update: updatePolicies, Delete: deletePolicies},
	}
}

// queueProperties are the properties of AWS::SQS::Queue that the sandbox knows.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queue.html
type queueProperties struct {
	QueueName                     string
	FifoQueue                     cloud.Bool
	DelaySeconds                  *cloud.Int
	KmsMasterKeyId                string
	MaximumMessageSize            *cloud.Int
	MessageRetentionPeriod        *cloud.Int
	ReceiveMessageWaitTimeSeconds *cloud.Int
	VisibilityTimeout             *cloud.Int
	RedrivePolicy                 json.RawMessage
	SqsManagedSseEnabled          *cloud.Bool
	Tags                          []cloud.Tag
}

// attributes returns all attributes that a template can set. Those that it does not set have their defaults.
func (p *queueProperties) attributes() map[string]string {
	attributes := map[string]string{
		"RedrivePolicy": string(p.RedrivePolicy), "KmsMasterKeyId": p.KmsMasterKeyId,
		"SqsManagedSseEnabled": strconv.FormatBool(p.KmsMasterKeyId == ""),
	}
	given := map[string]*cloud.Int{
		"DelaySeconds": p.DelaySeconds, "MaximumMessageSize": p.MaximumMessageSize,
		"MessageRetentionPeriod": p.MessageRetentionPeriod, "VisibilityTimeout": p.VisibilityTimeout,
		"ReceiveMessageWaitTimeSeconds": p.ReceiveMessageWaitTimeSeconds,
	}
	for name, n := range given {
		_, _, initial, _ := ranges(name)
		if n != nil {
			initial = int(*n)
		}
		attributes[name] = strconv.Itoa(initial)
	}
	if p.SqsManagedSseEnabled != nil {
		attributes["SqsManagedSseEnabled"] = strconv.FormatBool(bool(*p.SqsManagedSseEnabled))
	}
	return attributes
}

func (s *Service) createResource(r *cloud.ResourceRequest) (*cloud.Resource, error) {
	var p queueProperties
	if err := r.DecodeProperties("AWS::SQS::Queue", &p); err != nil {
		return nil, err
	}
	if p.FifoQueue {
		return nil, errFIFO("property FifoQueue of " + r.LogicalID)
	}
	name := p.QueueName
	if name == "" {
		name = r.Name(80)
	}
	tags := map[string]string{}
	for _, tag := range p.Tags {
		tags[tag.Key] = tag.Value
	}
	in := &CreateQueueInput{QueueName: name, Attributes: p.attributes(), Tags: tags}
	if _, err := r.World.Invoke(cloud.Root(r.Account), r.Region, "sqs", "CreateQueue", in); err != nil {
		return nil, fmt.Errorf("create queue %s: %w", name, err)
	}
	arn := queueARN(r.Region, r.Account, name)
	return &cloud.Resource{
		Ref:        URL(arn),
		Attributes: map[string]string{"Arn": arn, "QueueName": name, "QueueUrl": URL(arn)},
	}, nil
}

func (s *Service) updateResource(r *cloud.ResourceRequest, old *cloud.Resource) (*cloud.Resource, error) {
	var p queueProperties
	if err := r.DecodeProperties("AWS::SQS::Queue", &p); err != nil {
		return nil, err
	}
	name := old.Attributes["QueueName"]
	if p.FifoQueue || p.QueueName != "" && p.QueueName != name {
		return nil, fmt.Errorf("update queue %s: the sandbox does not replace queues", name)
	}
	in := &SetQueueAttributesInput{QueueUrl: old.Ref, Attributes: p.attributes()}
	if _, err := r.World.Invoke(cloud.Root(r.Account), r.Region, "sqs", "SetQueueAttributes", in); err != nil {
		return nil, fmt.Errorf("update queue %s: %w", name, err)
	}
	return old, nil
}

func deleteResource(r *cloud.ResourceRequest, old *cloud.Resource) error {
	_, err := r.World.Invoke(cloud.Root(r.Account), r.Region, "sqs", "DeleteQueue", &QueueInput{QueueUrl: old.Ref})
	if err != nil && cloud.AsError(err).Code != "QueueDoesNotExist" {
		return fmt.Errorf("delete queue %s: %w", old.Ref, err)
	}
	return nil
}

type policyProperties struct {
	PolicyDocument json.RawMessage
	Queues         []string
}

func putPolicies(r *cloud.ResourceRequest) (*cloud.Resource, error) {
	var p policyProperties
	if err := r.DecodeProperties("AWS::SQS::QueuePolicy", &p); err != nil {
		return nil, err
	}
	if len(p.Queues) == 0 || len(p.PolicyDocument) == 0 {
		return nil, fmt.Errorf("stack %s, resource %s: PolicyDocument and Queues are required", r.Stack, r.LogicalID)
	}
	if err := setPolicy(r, p.Queues, string(p.PolicyDocument)); err != nil {
		return nil, err
	}
	// Ref is what CloudFormation returns. Attributes also keeps the queues, for the deletion.
	queues, err := json.Marshal(p.Queues)
	if err != nil {
		return nil, fmt.Errorf("write queues of %s: %w", r.LogicalID, err)
	}
	return &cloud.Resource{
		Ref: r.Name(80), Attributes: map[string]string{"Id": r.LogicalID, "Queues": string(queues)},
	}, nil
}

func updatePolicies(r *cloud.ResourceRequest, old *cloud.Resource) (*cloud.Resource, error) {
	if err := deletePolicies(r, old); err != nil {
		return nil, err
	}
	changed, err := putPolicies(r)
	if err != nil {
		return nil, err
	}
	changed.Ref = old.Ref
	return changed, nil
}

func deletePolicies(r *cloud.ResourceRequest, old *cloud.Resource) error {
	var queues []string
	if err := json.Unmarshal([]byte(old.Attributes["Queues"]), &queues); err != nil {
		return fmt.Errorf("read queues of %s: %w", r.LogicalID, err)
	}
	return setPolicy(r, queues, "")
}

func setPolicy(r *cloud.ResourceRequest, queues []string, policy string) error {
	for _, url := range queues {
		in := &SetQueueAttributesInput{QueueUrl: url, Attributes: map[string]string{"Policy": policy}}
		_, err := r.World.Invoke(cloud.Root(r.Account), r.Region, "sqs", "SetQueueAttributes", in)
		if err != nil && (policy != "" || cloud.AsError(err).Code != "QueueDoesNotExist") {
			return fmt.Errorf("set policy of queue %s: %w", url, err)
		}
	}
	return nil
}
