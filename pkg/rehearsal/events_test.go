package rehearsal

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"github.com/originhub/originhub/pkg/hubpolicy"
	"github.com/originhub/originhub/pkg/sandbox"
)

// TestSampleEventsMatchTheRules checks, for every file of events/, which rules of the synthesized templates match it.
// The tests of pkg/inbound check what the functions read from the file.
func TestSampleEventsMatchTheRules(t *testing.T) {
	client := patternClient(t)

	hub := readTemplate(t, "hub", "team")
	forward := readTemplate(t, "spoke").rules(nil)
	if len(forward) != 1 {
		t.Fatalf("a spoke has %d rules, want the one that forwards events", len(forward))
	}
	feeds := hub.feeds()
	rules := hub.rules(feeds)
	matched := map[string]bool{}
	samples := hub.samples(t)
	for function, files := range samples {
		for _, file := range files {
			t.Run(function+"/"+filepath.Base(file), func(t *testing.T) {
				event, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				matches := func(r templateRule) bool {
					if r.pattern == "" {
						return false
					}
					out, err := client.TestEventPattern(context.Background(), &eventbridge.TestEventPatternInput{
						EventPattern: &r.pattern, Event: aws.String(string(event)),
					})
					if err != nil {
						t.Fatalf("test the pattern of rule %s: %v", r.name, err)
					}
					return out.Result
				}
				if strings.HasPrefix(filepath.Base(file), "input-") {
					if why := hub.unfed(function, event, rules, feeds); why != "" {
						t.Error(why)
					}
					return
				}

				// A spoke forwards the events of its own account, and the hub's account is none.
				var from struct{ Account string }
				if err := json.Unmarshal(event, &from); err != nil {
					t.Fatal(err)
				}
				ofSpoke := from.Account != HubAccount
				var reaches, onBus []string
				for _, r := range rules {
					if len(r.feeds) == 0 || r.bus != "" && !ofSpoke || !matches(r) {
						continue
					}
					if slices.Contains(r.feeds, function) {
						reaches = append(reaches, r.name)
						matched[r.name] = true
					}
					if r.bus != "" {
						onBus = append(onBus, r.name)
					}
				}
				if hit := strings.HasPrefix(filepath.Base(file), "hit-"); hit != (len(reaches) > 0) {
					t.Errorf("function %s gets the event by the rules %v", function, reaches)
				}
				if forwarded := ofSpoke && matches(forward[0]); forwarded != (len(onBus) > 0) {
					t.Errorf("a spoke forwards the event: %v; rules of the hub's bus that match it: %v", forwarded, onBus)
				}
			})
		}
	}

	for _, r := range rules {
		if r.pattern != "" && len(r.feeds) > 0 && !matched[r.name] {
			t.Errorf("no sample event of %v matches rule %s", r.feeds, r.name)
		}
	}
	for _, function := range hub.functions() {
		if len(samples[function]) == 0 {
			t.Errorf("function %s has no sample events", function)
		}
	}
}

// patternClient returns a client with which the sandbox tests patterns of rules.
func patternClient(t *testing.T) *eventbridge.Client {
	t.Helper()
	s, err := sandbox.New(sandbox.Options{Accounts: []sandbox.Account{{ID: HubAccount, Name: "networking"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return eventbridge.NewFromConfig(s.Config(HubAccount, Region))
}

// Changes to the hub's own roles and functions reach people, unless a deployment makes them.
func TestChangesOfTheHubItselfRing(t *testing.T) {
	client := patternClient(t)
	hub := readTemplate(t, "hub")
	var rule templateRule
	for _, r := range hub.rules(nil) {
		if strings.HasPrefix(r.name, "OwnChanges") {
			rule = r
		}
	}
	if targets := hub.Resources[rule.name].Properties.Targets; len(targets) != 1 || hub.Resources[targets[0].Arn.id()].Type != "AWS::SNS::Topic" && targets[0].Arn.Ref == "" {
		t.Fatalf("rule %q has the targets %+v", rule.name, targets)
	}
	for name, c := range map[string]struct {
		source, call, parameters, address, failure string
		want                                       bool
	}{
		"a policy of a role":                   {"aws.iam", "PutRolePolicy", `{"roleName":"originhub-networking-WireRole1-2"}`, "192.0.2.1", "", true},
		"the trust of a role":                  {"aws.iam", "UpdateAssumeRolePolicy", `{"roleName":"originhub-networking-AdmitRole1-2"}`, "192.0.2.1", "", true},
		"a new role that the spokes trust":     {"aws.iam", "CreateRole", `{"roleName":"x","path":"/originhub/networking/"}`, "192.0.2.1", "", true},
		"the code of a function":               {"aws.lambda", "UpdateFunctionCode20150331v2", `{"functionName":"originhub-networking-Wire1-2"}`, "192.0.2.1", "", true},
		"the code of a function, by its ARN":   {"aws.lambda", "UpdateFunctionCode20150331v2", `{"functionName":"arn:aws:lambda:us-east-1:100000000000:function:originhub-networking-Wire1-2"}`, "192.0.2.1", "", true},
		"a deployment":                         {"aws.lambda", "UpdateFunctionCode20150331v2", `{"functionName":"originhub-networking-Wire1-2"}`, "cloudformation.amazonaws.com", "", false},
		"a call that failed":                   {"aws.iam", "PutRolePolicy", `{"roleName":"originhub-networking-WireRole1-2"}`, "192.0.2.1", "AccessDenied", false},
		"another role":                         {"aws.iam", "PutRolePolicy", `{"roleName":"website"}`, "192.0.2.1", "", false},
		"another function":                     {"aws.lambda", "UpdateFunctionCode20150331v2", `{"functionName":"website"}`, "192.0.2.1", "", false},
		"a role of another hub":                {"aws.iam", "PutRolePolicy", `{"roleName":"originhub-second-WireRole1-2"}`, "192.0.2.1", "", false},
		"a call that reads, on the hub's role": {"aws.iam", "GetRolePolicy", `{"roleName":"originhub-networking-WireRole1-2"}`, "192.0.2.1", "", false},
	} {
		failure := ""
		if c.failure != "" {
			failure = `,"errorCode":"` + c.failure + `"`
		}
		event := `{"id":"1","account":"` + HubAccount + `","region":"us-east-1","time":"2035-01-08T09:00:00Z","resources":[],"source":"` + c.source +
			`","detail-type":"AWS API Call via CloudTrail","detail":{"eventName":"` + c.call + `","sourceIPAddress":"` + c.address + `","requestParameters":` + c.parameters + failure + `}}`
		out, err := client.TestEventPattern(context.Background(), &eventbridge.TestEventPatternInput{EventPattern: &rule.pattern, Event: &event})
		if err != nil || out.Result != c.want {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
}

// template is the part of a synthesized CloudFormation template that says what triggers which function.
type template struct {
	Resources map[string]struct {
		Type       string
		Properties struct {
			Code                         struct{ S3Key string }
			EventSourceArn, FunctionName reference
			EventBusName                 reference
			EventPattern                 json.RawMessage
			Principal                    any
			ScheduleExpression           string
			Targets                      []struct{ Arn reference }
			DefinitionSubstitutions      map[string]reference
		}
	}
}

// reference is a value that may refer to another resource of the template.
type reference struct {
	Ref    string
	GetAtt []string `json:"Fn::GetAtt"`
}

// id returns the logical id of the resource that the value refers to, or "".
func (r reference) id() string {
	if len(r.GetAtt) > 0 {
		return r.GetAtt[0]
	}
	return r.Ref
}

// templateRule is an EventBridge rule of a template.
type templateRule struct {
	name    string
	bus     string   // logical id; empty for the account's default bus
	pattern string   // empty for a schedule
	feeds   []string // functions
}

// readTemplate reads the templates of several stacks into one, since their resources have different logical ids.
func readTemplate(t *testing.T, stacks ...string) (c template) {
	t.Helper()
	parameters := hubParameters(hubpolicy.Policy{Hub: "networking"}, func(function string) string { return function + ".zip" })
	for _, stack := range stacks {
		text, err := os.ReadFile("../../infra/testdata/" + stack + ".template.json")
		if err != nil {
			t.Fatal(err)
		}
		var whole any
		if err := json.Unmarshal(text, &whole); err != nil {
			t.Fatalf("read template %s: %v", stack, err)
		}
		if text, err = json.Marshal(plain(whole, parameters)); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &c); err != nil {
			t.Fatalf("read template %s: %v", stack, err)
		}
	}
	return c
}

// plain replaces the parameters in a part of a template by their values, and joins texts that have no other references.
func plain(part any, parameters map[string]string) any {
	switch part := part.(type) {
	case []any:
		for i := range part {
			part[i] = plain(part[i], parameters)
		}
	case map[string]any:
		for key := range part {
			part[key] = plain(part[key], parameters)
		}
		if name, is := part["Ref"].(string); is {
			if value, given := parameters[name]; given {
				return value
			}
		}
		if join, is := part["Fn::Join"].([]any); is {
			list, _ := join[1].([]any)
			var text strings.Builder
			for _, piece := range list {
				words, whole := piece.(string)
				if !whole {
					return part
				}
				text.WriteString(words)
			}
			return text.String()
		}
	}
	return part
}

// function returns the name of the function with a logical id, or "".
func (c template) function(id string) string {
	return strings.TrimSuffix(c.Resources[id].Properties.Code.S3Key, ".zip")
}

// functions returns the names of all functions.
func (c template) functions() (names []string) {
	for id := range c.Resources {
		if name := c.function(id); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// feeds returns the function that receives what is sent to a target, by the logical id of the target: a function, or a function's queue.
func (c template) feeds() map[string]string {
	feeds := map[string]string{}
	for id, r := range c.Resources {
		if name := c.function(id); name != "" {
			feeds[id] = name
		}
		if r.Type == "AWS::Lambda::EventSourceMapping" {
			feeds[r.Properties.EventSourceArn.id()] = c.function(r.Properties.FunctionName.id())
		}
	}
	return feeds
}

// rules returns the EventBridge rules, with the functions that their targets feed.
func (c template) rules(feeds map[string]string) (rules []templateRule) {
	for id, r := range c.Resources {
		if r.Type != "AWS::Events::Rule" {
			continue
		}
		rule := templateRule{name: id, bus: r.Properties.EventBusName.id(), pattern: string(r.Properties.EventPattern)}
		for _, target := range r.Properties.Targets {
			if function := feeds[target.Arn.id()]; function != "" {
				rule.feeds = append(rule.feeds, function)
			}
		}
		rules = append(rules, rule)
	}
	return rules
}

// samples returns the files of events/ by function. It fails the test on a file that is no sample event of a function of the template.
func (c template) samples(t *testing.T) map[string][]string {
	t.Helper()
	const root = "../../events"
	samples := map[string][]string{}
	folders, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		function := folder.Name()
		if function == "README.md" {
			continue
		}
		if !slices.Contains(c.functions(), function) {
			t.Errorf("events/%s: no stack has a function of that name", function)
			continue
		}
		files, err := os.ReadDir(filepath.Join(root, function))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			kind, _, _ := strings.Cut(f.Name(), "-")
			if !slices.Contains([]string{"hit", "miss", "input"}, kind) || filepath.Ext(f.Name()) != ".json" {
				t.Errorf("events/%s/%s: the name is none of hit-*.json, miss-*.json and input-*.json", function, f.Name())
				continue
			}
			samples[function] = append(samples[function], filepath.Join(root, function, f.Name()))
		}
	}
	return samples
}

// unfed returns why an input without an event pattern cannot reach a function by a schedule, its queue, the state machine or API Gateway,
// or "" if it can.
func (c template) unfed(function string, event []byte, rules []templateRule, feeds map[string]string) string {
	var e struct{ Source, Phase, HTTPMethod string }
	if err := json.Unmarshal(event, &e); err != nil {
		return err.Error()
	}
	switch {
	case e.Source == "aws.events":
		if slices.ContainsFunc(rules, func(r templateRule) bool { return r.pattern == "" && slices.Contains(r.feeds, function) }) {
			return ""
		}
		return "no schedule triggers function " + function
	case e.Phase != "":
		for _, r := range c.Resources {
			for _, to := range r.Properties.DefinitionSubstitutions {
				if c.function(to.id()) == function {
					return ""
				}
			}
		}
		return "no state machine calls function " + function
	case e.HTTPMethod != "":
		for _, r := range c.Resources {
			if r.Type == "AWS::Lambda::Permission" && r.Properties.Principal == "apigateway.amazonaws.com" &&
				c.function(r.Properties.FunctionName.id()) == function {
				return ""
			}
		}
		return "API Gateway may not call function " + function
	}
	for id, to := range feeds {
		if to == function && c.Resources[id].Type == "AWS::SQS::Queue" {
			return ""
		}
	}
	return "function " + function + " consumes no queue"
}
