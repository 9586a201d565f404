package infra

import (
	"slices"
	"strings"
	"testing"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/hubpolicy"
)

// Each target has dead letters, and a policy that permits the rule.
func TestEveryRuleReachesItsTargets(t *testing.T) {
	for stack, template := range stacks(t) {
		var rules int
		for id, r := range template.Resources {
			if r.Type != "AWS::Events::Rule" {
				continue
			}
			rules++
			targets, _ := r.Properties["Targets"].([]any)
			if len(targets) == 0 {
				t.Errorf("%s: rule %s has no target", stack, id)
			}
			for _, target := range targets {
				target := target.(map[string]any)
				dead, _ := target["DeadLetterConfig"].(map[string]any)
				if !template.admits(text(dead["Arn"]), id) {
					t.Errorf("%s: rule %s, target %v: no dead letters that permit the rule", stack, id, target["Id"])
				}
				if target["RoleArn"] == nil && !template.admits(text(target["Arn"]), id) {
					t.Errorf("%s: rule %s may not reach its target %v", stack, id, target["Id"])
				}
			}
		}
		if rules == 0 {
			t.Errorf("%s has no rules", stack)
		}
	}
}

// admits reports whether a policy or permission lets a rule reach a target.
func (t template) admits(target, rule string) bool {
	source := "${" + rule + ".Arn}"
	for _, s := range t.statements() {
		arns, _ := s.condition["ArnEquals"].(map[string]any)
		if s.effect == "Allow" && slices.Contains(s.resources, target) && slices.Contains(list(arns["aws:SourceArn"]), source) {
			return true
		}
	}
	for _, r := range t.Resources {
		if r.Type == "AWS::Lambda::Permission" && text(r.Properties["FunctionName"]) == target && text(r.Properties["SourceArn"]) == source {
			return true
		}
	}
	return false
}

// A queue that a function processes has dead letters, and hides a message for at least six times the function's timeout.
func TestEveryQueueThatIsConsumedKeepsItsFailures(t *testing.T) {
	hub := templates(t).hub
	var mappings int
	for id, r := range hub.Resources {
		if r.Type != "AWS::Lambda::EventSourceMapping" {
			continue
		}
		mappings++
		queue := hub.resource(text(r.Properties["EventSourceArn"]))
		function := hub.resource(text(r.Properties["FunctionName"]))
		if redrive, _ := queue.Properties["RedrivePolicy"].(map[string]any); redrive["maxReceiveCount"] != float64(deliveries) {
			t.Errorf("%s: the queue's redrive policy is %v", id, redrive)
		}
		timeout, visibility := function.Properties["Timeout"].(float64), queue.Properties["VisibilityTimeout"].(float64)
		if visibility < 6*timeout {
			t.Errorf("%s: visibility %v s is less than six times %v s", id, visibility, timeout)
		}
		if got := list(r.Properties["FunctionResponseTypes"]); !slices.Equal(got, []string{"ReportBatchItemFailures"}) {
			t.Errorf("%s: response types %v", id, got)
		}
	}
	if mappings != 2 {
		t.Errorf("%d event source mappings, want 2: admit and wire", mappings)
	}
}

// The lease lasts longer than a run of wire can, so that no other run takes it over from a slow one.
func TestLeaseOutlivesItsHolder(t *testing.T) {
	var wires int
	for id, r := range templates(t).hub.Resources {
		if r.Type != "AWS::Lambda::Function" || !strings.HasPrefix(id, "Wire") {
			continue
		}
		wires++
		if timeout := r.Properties["Timeout"].(float64); contract.WireLease.Seconds() <= timeout {
			t.Errorf("%s runs for up to %v s, and its lease lasts %s", id, timeout, contract.WireLease)
		}
	}
	if wires != 1 {
		t.Errorf("%d functions are wire, want 1", wires)
	}
}

// TestAsynchronousInvocationsKeepTheirFailures covers each function that EventBridge invokes.
func TestAsynchronousInvocationsKeepTheirFailures(t *testing.T) {
	hub := templates(t).hub
	kept := map[string]bool{}
	for _, r := range hub.Resources {
		if r.Type == "AWS::Lambda::EventInvokeConfig" {
			destination, _ := r.Properties["DestinationConfig"].(map[string]any)
			kept[refOf(text(r.Properties["FunctionName"]))] = destination["OnFailure"] != nil
		}
	}
	for id, r := range hub.Resources {
		if r.Type == "AWS::Lambda::Permission" && !kept[refOf(text(r.Properties["FunctionName"]))] {
			t.Errorf("%s: events that the function fails to process are lost", id)
		}
	}
}

// resource returns the resource that "${Id}" or "${Id.Attribute}" refers to.
func (t template) resource(reference string) resource { return t.Resources[refOf(reference)] }

func refOf(reference string) string {
	id, _, _ := strings.Cut(strings.Trim(reference, "${}"), ".")
	return id
}

func TestStateOutlivesTheStack(t *testing.T) {
	hub := templates(t).hub
	if says := hub.Description; !strings.Contains(says, "keeps the registry, the bus with its archive, the response headers policy, and the key") {
		t.Errorf("the stack's description does not say what stays when it is deleted: %q", says)
	}
	for id, r := range hub.Resources {
		// The bus stays with its archive, see newArchive, and the key with the data that it encrypts.
		stays := slices.Contains([]string{"AWS::DynamoDB::Table", "AWS::Events::Archive", "AWS::Events::EventBus", "AWS::KMS::Key"}, r.Type)
		kept := "RetainExceptOnCreate"
		if r.Type == "AWS::DynamoDB::Table" {
			kept = "Retain" // CloudFormation cannot delete a protected table, not even in a rollback
			if r.Properties["DeletionProtectionEnabled"] != true {
				t.Errorf("%s can be deleted with one call", id)
			}
		}
		if stays && (r.DeletionPolicy != kept || r.UpdateReplacePolicy != "Retain") {
			t.Errorf("%s is deleted with the stack, or when it is replaced", id)
		}
		if r.Type != "AWS::DynamoDB::Table" {
			continue
		}
		recovery, _ := r.Properties["PointInTimeRecoverySpecification"].(map[string]any)
		if recovery["PointInTimeRecoveryEnabled"] != true {
			t.Errorf("%s cannot be restored to a point in time", id)
		}
	}
}

// TestRetentionComesFromThePolicy covers everything that keeps what happened for some time: log groups and the archive.
func TestRetentionComesFromThePolicy(t *testing.T) {
	hub, found := specialized(t, templates(t).anyHub, hubParameters(hubpolicy.Policy{
		Policy: admission.Policy{Distribution: admission.Distribution{Create: 1}}, Retention: 731,
	})), 0
	for id, r := range hub.Resources {
		for property, value := range r.Properties {
			if property != "RetentionInDays" && property != "RetentionDays" {
				continue
			}
			if found++; value != "731" {
				t.Errorf("%s keeps what it gets for %v days, want those of the policy, 731", id, value)
			}
		}
	}
	if found != 6 {
		t.Errorf("%d resources have a retention, want 6: five log groups and the archive", found)
	}
}

// TestResourceTypes limits the templates to types that anybody can deploy and read: no custom resources and no nested stacks.
func TestResourceTypes(t *testing.T) {
	plain := []string{
		"AWS::ApiGateway::BasePathMappingV2", "AWS::ApiGateway::Deployment", "AWS::ApiGateway::DomainNameAccessAssociation",
		"AWS::ApiGateway::DomainNameV2", "AWS::ApiGateway::Method", "AWS::ApiGateway::Resource", "AWS::ApiGateway::RestApi", "AWS::ApiGateway::Stage",
		"AWS::CloudFront::ResponseHeadersPolicy", "AWS::CloudFront::VpcOrigin",
		"AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard",
		"AWS::DynamoDB::Table",
		"AWS::EC2::InternetGateway", "AWS::EC2::SecurityGroup", "AWS::EC2::Subnet", "AWS::EC2::VPC", "AWS::EC2::VPCEndpoint", "AWS::EC2::VPCGatewayAttachment",
		"AWS::ElasticLoadBalancingV2::Listener", "AWS::ElasticLoadBalancingV2::ListenerRule", "AWS::ElasticLoadBalancingV2::LoadBalancer",
		"AWS::ElasticLoadBalancingV2::TargetGroup",
		"AWS::Events::Archive", "AWS::Events::EventBus", "AWS::Events::EventBusPolicy", "AWS::Events::Rule",
		"AWS::IAM::Role",
		"AWS::KMS::Key",
		"AWS::Lambda::EventInvokeConfig", "AWS::Lambda::EventSourceMapping", "AWS::Lambda::Function", "AWS::Lambda::Permission",
		"AWS::Logs::LogGroup",
		"AWS::RAM::ResourceShare",
		"AWS::SNS::Topic", "AWS::SNS::TopicPolicy",
		"AWS::SQS::Queue", "AWS::SQS::QueuePolicy",
		"AWS::StepFunctions::StateMachine",
	}
	for stack, template := range stacks(t) {
		for id, r := range template.Resources {
			if !slices.Contains(plain, r.Type) {
				t.Errorf("%s: %s is a %s", stack, id, r.Type)
			}
		}
	}
}
