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

	"github.com/originhub/originhub/pkg/sandbox"
)

// TestSamplesMeetTheRules asks EventBridge, for every file of events/, which rules of the synthesized templates match it.
// What the file means to its function is the business of pkg/inbound.
func TestSamplesMeetTheRules(t *testing.T) {
	s, err := sandbox.New(sandbox.Options{Accounts: []sandbox.Account{{ID: HubAccount, Name: "networking"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	client := eventbridge.NewFromConfig(s.Config(HubAccount, Region))

	hub := readTemplate(t, "hub", "team")
	forward := readTemplate(t, "spoke").rules(nil)
	if len(forward) != 1 {
		t.Fatalf("a spoke has %d rules, want the one that forwards", len(forward))
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
						t.Fatalf("ask for rule %s: %v", r.name, err)
					}
					return out.Result
				}
				if strings.HasPrefix(filepath.Base(file), "input-") {
					if why := hub.unfed(function, event, rules, feeds); why != "" {
						t.Error(why)
					}
					return
				}

				var reaches, onBus []string
				for _, r := range rules {
					if len(r.feeds) == 0 || !matches(r) {
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
					t.Errorf("function %s is reached by the rules %v", function, reaches)
				}
				if forwarded := matches(forward[0]); forwarded != (len(onBus) > 0) {
					t.Errorf("a spoke forwards it: %v; the rules of the hub's bus that wait for it: %v", forwarded, onBus)
				}
			})
		}
	}

	for _, r := range rules {
		if r.pattern != "" && len(r.feeds) > 0 && !matched[r.name] {
			t.Errorf("no sample of %v hits rule %s", r.feeds, r.name)
		}
	}
	for _, function := range hub.functions() {
		if len(samples[function]) == 0 {
			t.Errorf("function %s has no samples", function)
		}
	}
}

// template is a synthesized CloudFormation template, as far as it says what wakes which function.
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

// reference is a value that may point to another resource of the template.
type reference struct {
	Ref    string
	GetAtt []string `json:"Fn::GetAtt"`
}

// id is the logical id of the resource, if the value is a reference to one.
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

// readTemplate reads stacks as if they were one: their resources have different names.
func readTemplate(t *testing.T, stacks ...string) (c template) {
	t.Helper()
	for _, stack := range stacks {
		text, err := os.ReadFile("../../infra/testdata/" + stack + ".template.json")
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &c); err != nil {
			t.Fatalf("read template %s: %v", stack, err)
		}
	}
	return c
}

// function is the name of the function with that logical id, or "".
func (c template) function(id string) string {
	return strings.TrimSuffix(c.Resources[id].Properties.Code.S3Key, ".zip")
}

func (c template) functions() (names []string) {
	for id := range c.Resources {
		if name := c.function(id); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// feeds tells, by the logical id of a function or of a queue that one consumes, the function that gets what is sent there.
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

// samples are the files of events/ by function. Whatever is there must be a sample of a function of this template.
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
			t.Errorf("events/%s: no stack has such a function", function)
			continue
		}
		files, err := os.ReadDir(filepath.Join(root, function))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			kind, _, _ := strings.Cut(f.Name(), "-")
			if !slices.Contains([]string{"hit", "miss", "input"}, kind) || filepath.Ext(f.Name()) != ".json" {
				t.Errorf("events/%s/%s: neither hit-*.json nor miss-*.json nor input-*.json", function, f.Name())
				continue
			}
			samples[function] = append(samples[function], filepath.Join(root, function, f.Name()))
		}
	}
	return samples
}

// unfed says why an event cannot reach a function without a pattern: by schedule, through its queue, from the state machine
// or from API Gateway.
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
		return "no schedule wakes function " + function
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
