package infra

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/hubpolicy"
)

func TestEveryAlarmNamesTheNextCommand(t *testing.T) {
	hub := templates(t).hub
	alarms := 0
	for id, r := range hub.Resources {
		if r.Type != "AWS::CloudWatch::Alarm" {
			continue
		}
		alarms++
		description := strings.ReplaceAll(text(r.Properties["AlarmDescription"]), "${AWS::AccountId}", "100000000000")
		if !strings.Contains(description, "\n\nNext, in account 100000000000: aws --region us-east-1 ") || !strings.Contains(description, "\n\nThen: ") {
			t.Errorf("%s does not say what to do: %s", id, description)
		}
		// A reference becomes a URL or an ARN. The limit of CloudWatch is 1,024 characters:
		// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
		const longest, reference = 1024, 120
		if n := len(description) + reference*strings.Count(description, "${"); n > longest {
			t.Errorf("the description of %s may get %d characters long", id, n)
		}
		actions := list(r.Properties["AlarmActions"])
		if len(actions) != 1 || hub.resource(actions[0]).Type != "AWS::SNS::Topic" {
			t.Errorf("%s notifies %v, want the topic", id, actions)
		}
		if !slices.Equal(list(r.Properties["OKActions"]), actions) {
			t.Errorf("%s does not say when it ends: %v", id, r.Properties["OKActions"])
		}
		if !slices.ContainsFunc(hub.allowing("sns:Publish"), func(s statement) bool {
			arns, _ := s.condition["ArnEquals"].(map[string]any)
			return s.principal["Service"] == "cloudwatch.amazonaws.com" && slices.Contains(list(arns["aws:SourceArn"]), "${"+id+".Arn}")
		}) {
			t.Errorf("%s may not publish to the topic", id)
		}
	}
	if alarms < 10 {
		t.Errorf("%d alarms", alarms)
	}
}

// No service principal publishes to the topic without a condition on whom it acts for: alarms by their ARNs, and rules by a role of this stack.
func TestTopicAdmitsNoBareServicePrincipal(t *testing.T) {
	hub := templates(t).hub
	var roles int
	for _, s := range hub.allowing("sns:Publish") {
		if s.principal == nil {
			continue // a role's own policy
		}
		if role := text(s.principal["AWS"]); s.principal["AWS"] != nil && hub.resource(role).Type == "AWS::IAM::Role" {
			roles++
			continue
		}
		if arns, _ := s.condition["ArnEquals"].(map[string]any); len(list(arns["aws:SourceArn"])) == 0 {
			t.Errorf("%v may publish if %v", s.principal, s.condition)
		}
	}
	for _, id := range hub.all("AWS::Events::Rule") {
		for _, target := range hub.Resources[id].Properties["Targets"].([]any) {
			target := target.(map[string]any)
			to := hub.resource(text(target["Arn"])).Type == "AWS::SNS::Topic"
			if to && hub.resource(text(target["RoleArn"])).Type != "AWS::IAM::Role" {
				t.Errorf("%s publishes without a role", id)
			}
		}
	}
	if roles != 1 {
		t.Errorf("%d roles may publish, want that of the rules", roles)
	}
}

// A message in dead letters is not retried, so each such queue has an alarm.
func TestEveryQueueOfDeadLettersHasAnAlarm(t *testing.T) {
	hub := templates(t).hub
	watched := map[string]bool{}
	for _, r := range hub.Resources {
		if r.Type != "AWS::CloudWatch::Alarm" || r.Properties["MetricName"] != "ApproximateNumberOfMessagesVisible" {
			continue
		}
		for _, d := range r.Properties["Dimensions"].([]any) {
			watched[refOf(text(d.(map[string]any)["Value"]))] = true
		}
	}
	for id, r := range hub.Resources {
		if r.Type == "AWS::SQS::Queue" && r.Properties["RedrivePolicy"] == nil && !watched[id] {
			t.Errorf("no alarm watches messages in %s", id)
		}
	}
}

// A resource with another logical id is another resource, and the state of the old one is lost to the stack. Each id here has what would
// be lost.
func TestWhatCarriesStateKeepsItsLogicalID(t *testing.T) {
	pinned := map[string]string{
		"Registry4DB9CCA5":              "the registry: claims, generations, and the history of decisions",
		"PastOrigins47196A32":           "the generations of origins that are over, so that executions could have the names of earlier ones",
		"Archive":                       "the events of a year",
		"Key961B73FD":                   "the key: data that was encrypted with it can be read with no other key",
		"BusEA82B648":                   "the bus: the spokes forward to it by its name, and two buses cannot have one name",
		"AdmitQueueF2A8D52A":            "messages to admit",
		"AdmitQueueDeadLetters0C3E4E00": "dead letters of admit",
		"WireQueue49BA6C2D":             "messages to wire",
		"WireQueueDeadLetters532BC7B1":  "dead letters of wire",
		"RetireDeadLetters88259E30":     "dead letters of retire",
		"AuditDeadLetters6C49BBA3":      "dead letters of audit",
		"UndeliveredEvents0A4241A7":     "events that could not be delivered",
		"Alarms04B5A0BF":                "subscriptions, which people made",
		"TeardownMachine82F14E6B":       "running executions, which may wait for weeks, and the history of all",
	}
	hub := templates(t).hub
	for id, what := range pinned {
		if _, ok := hub.Resources[id]; !ok {
			t.Errorf("%s is not in the template: %s would be lost", id, what)
		}
	}
	stateful := []string{
		"AWS::DynamoDB::Table", "AWS::Events::Archive", "AWS::Events::EventBus", "AWS::KMS::Key", "AWS::SQS::Queue", "AWS::SNS::Topic",
		"AWS::StepFunctions::StateMachine",
	}
	for id, r := range hub.Resources {
		if slices.Contains(stateful, r.Type) && pinned[id] == "" {
			t.Errorf("%s (%s) carries state: pin its logical id here, with what would be lost", id, r.Type)
		}
	}
}

// Two hubs can be in one account. Each name in the template contains the hub's name; CloudFormation generates all other names from the
// stack's name.
func TestTwoHubsShareNoName(t *testing.T) {
	named := func(hub string) map[string]string {
		p := hubpolicy.Policy{Hub: hub, HostedZone: "Z0EXAMPLE", Policy: admission.Policy{
			Domain: "example.com", Distribution: admission.Distribution{Create: 1},
			Teams: []admission.Team{{Name: "team-a", Accounts: []string{"111111111111"}, Spoke: true}},
		}}
		names := map[string]string{}
		for id, r := range hubOf(t, p).Resources {
			for _, property := range []string{
				"AlarmName", "ArchiveName", "DashboardName", "FunctionName", "LogGroupName", "Name", "Path", "QueueName", "RoleName",
				"StateMachineName", "TableName", "TopicName",
			} {
				if name, ok := r.Properties[property].(string); ok {
					names[r.Type+" "+property+" of "+id] = name
				}
			}
		}
		return names
	}
	first, second := named("networking"), named("second")
	if len(first) == 0 {
		t.Error("nothing has a name")
	}
	for what, name := range first {
		if second[what] == name || !strings.Contains(name, "networking") {
			t.Errorf("%s: the name %s does not contain the hub's name", what, name)
		}
	}
	for _, what := range slices.Sorted(maps.Keys(second)) {
		if slices.Contains(slices.Collect(maps.Values(first)), second[what]) {
			t.Errorf("%s: both hubs have a %s", what, second[what])
		}
	}
}

// Tracing is off unless the context says tracing=on.
func TestTracingIsOffUntilItIsAskedFor(t *testing.T) {
	p := hubpolicy.Policy{Hub: "first", HostedZone: "Z0EXAMPLE", Policy: admission.Policy{Domain: "example.com", Distribution: admission.Distribution{Create: 1}}}
	traced := traced(t, p)
	for id, r := range traced.Resources {
		switch r.Type {
		case "AWS::Lambda::Function":
			if mode, _ := r.Properties["TracingConfig"].(map[string]any); mode["Mode"] != "Active" {
				t.Errorf("%s is not traced: %v", id, mode)
			}
			role := refOf(text(r.Properties["Role"]))
			if !slices.ContainsFunc(traced.allowing("xray:PutTraceSegments"), func(s statement) bool { return s.place == role }) {
				t.Errorf("%s may not write traces", id)
			}
		case "AWS::StepFunctions::StateMachine":
			if on, _ := r.Properties["TracingConfiguration"].(map[string]any); on["Enabled"] != true {
				t.Errorf("%s is not traced: %v", id, on)
			}
		}
	}
	for id, r := range templates(t).hub.Resources {
		if r.Properties["TracingConfig"] != nil || r.Properties["TracingConfiguration"] != nil {
			t.Errorf("%s is traced though tracing is off", id)
		}
	}
	if len(templates(t).hub.allowing("xray:PutTraceSegments")) > 0 {
		t.Error("somebody may write traces though tracing is off")
	}
}
