package rehearsal

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/rogpeppe/go-internal/testscript"
)

// deployKey deploys the hub with its KMS key. If there is an argument, the key policy lacks that statement.
func (s *story) deployKey(_ *testscript.TestScript, args []string) error {
	return s.deployTemplate(func(resources map[string]any) error {
		if len(args) == 0 {
			return nil
		}
		for _, r := range resources {
			r := r.(map[string]any)
			if r["Type"] != "AWS::KMS::Key" {
				continue
			}
			policy := r["Properties"].(map[string]any)["KeyPolicy"].(map[string]any)
			all := policy["Statement"].([]any)
			left := slices.DeleteFunc(slices.Clone(all), func(st any) bool { return st.(map[string]any)["Sid"] == args[0] })
			policy["Statement"] = left
			return want(len(left) < len(all), "the key's policy has no statement %s", args[0])
		}
		return fmt.Errorf("the hub has no key")
	})
}

// deployWithoutKey deploys the hub as it was before it had a KMS key.
func (s *story) deployWithoutKey(*testscript.TestScript, []string) error {
	return s.deployTemplate(func(resources map[string]any) error {
		keys := 0
		for id, r := range resources {
			r := r.(map[string]any)
			if r["Type"] == "AWS::KMS::Key" {
				delete(resources, id)
				keys++
			}
			properties, _ := r["Properties"].(map[string]any)
			for name := range properties {
				if name == "SSESpecification" || strings.HasPrefix(name, "Kms") || name == "DeadLetterConfig" {
					delete(properties, name)
				}
			}
			policies, _ := properties["Policies"].([]any)
			for _, p := range policies {
				document := p.(map[string]any)["PolicyDocument"].(map[string]any)
				document["Statement"] = slices.DeleteFunc(document["Statement"].([]any), func(st any) bool {
					return strings.Contains(fmt.Sprint(st.(map[string]any)["Action"]), "kms:")
				})
			}
		}
		if keys != 1 {
			return fmt.Errorf("the hub has %d keys, want 1", keys)
		}
		return nil
	})
}

// undeliveredEvent checks that EventBridge could not deliver an event to a target, for a reason that contains a text.
func (s *story) undeliveredEvent(_ *testscript.TestScript, args []string) error {
	out, err := s.queues.ReceiveMessage(s.ctx, &sqs.ReceiveMessageInput{
		QueueUrl: aws.String(s.outputs["UndeliveredEventsUrl"]), MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"},
	})
	if err != nil {
		return err
	}
	var seen []string
	for _, m := range out.Messages {
		line := aws.ToString(m.MessageAttributes["TARGET_ARN"].StringValue) + " " + aws.ToString(m.MessageAttributes["ERROR_MESSAGE"].StringValue)
		if strings.Contains(line, args[0]) && strings.Contains(line, args[1]) {
			return nil
		}
		seen = append(seen, line)
	}
	return fmt.Errorf("no undelivered event to %s with the error %s in:\n%s", args[0], args[1], strings.Join(seen, "\n"))
}

// deployTemplate deploys the hub from the golden template with a change. It fails if an output other than the key's changes, because then
// the deployment has replaced a resource.
func (s *story) deployTemplate(change func(resources map[string]any) error) error {
	text, err := readBeside("../../infra/testdata", "hub.template.json")
	if err != nil {
		return err
	}
	var template map[string]any
	if err := json.Unmarshal(text, &template); err != nil {
		return err
	}
	if err := change(template["Resources"].(map[string]any)); err != nil {
		return err
	}
	// Without the key, its output would refer to a resource that does not exist.
	if outputs := template["Outputs"].(map[string]any); !strings.Contains(fmt.Sprint(template["Resources"]), "AWS::KMS::Key") {
		delete(outputs, "KeyArn")
	}
	if text, err = json.Marshal(template); err != nil {
		return err
	}
	before := s.outputs
	if s.outputs, err = s.Deploy(HubAccount, Region, "originhub-"+s.policy.Hub, text, nil); err != nil {
		return err
	}
	for name, value := range before {
		if now, there := s.outputs[name]; name != "KeyArn" && (!there || now != value) {
			return fmt.Errorf("the deployment replaced %s: %s became %s", name, value, now)
		}
	}
	return s.waitUntilIdle(nil, nil)
}
