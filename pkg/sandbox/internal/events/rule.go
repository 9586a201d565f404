package events

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/pattern"
)

// rule is one rule of a bus.
type rule struct {
	name, arn, description string
	bus                    *bus
	state, role            string
	pattern                string
	compiled               *pattern.Pattern // nil without a pattern
	schedule               string
	next                   *cloud.Timer // of the schedule
	targets                []*Target    // in the order in which they were added
	tally                  tally
}

// tally counts the results of a rule's events, by target.
type tally struct {
	Matched      int    `json:"matched"`
	Delivered    int    `json:"delivered"`
	Retried      int    `json:"retried"`
	DeadLettered int    `json:"deadLettered"`
	Lost         int    `json:"lost"`
	LastError    string `json:"lastError,omitempty"`
}

const (
	enabled    = "ENABLED"
	disabled   = "DISABLED"
	enabledAll = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
)

func (r *rule) enabled() bool { return r.state != disabled }

func (r *rule) snapshot() map[string]any {
	entry := map[string]any{"name": r.name, "arn": r.arn, "state": r.state, "targets": r.targets, "events": r.tally}
	if r.pattern != "" {
		entry["pattern"] = json.RawMessage(r.pattern)
	}
	if r.schedule != "" {
		entry["schedule"] = r.schedule
	}
	return entry
}

// ruleARN returns the rule's ARN. It has the name of the bus unless the bus is the default one.
func ruleARN(b *bus, name string) string {
	if b.name != defaultBus {
		name = b.name + "/" + name
	}
	return "arn:aws:events:" + b.region + ":" + b.account + ":rule/" + name
}

// PutRuleInput is the input of PutRule.
type PutRuleInput struct {
	Name               string
	EventBusName       string `json:",omitempty"`
	Description        string `json:",omitempty"`
	EventPattern       string `json:",omitempty"`
	ScheduleExpression string `json:",omitempty"`
	State              string `json:",omitempty"`
	RoleArn            string `json:",omitempty"`
	Tags               []Tag  `json:",omitempty"`
}

// PutRuleOutput is the output of PutRule.
type PutRuleOutput struct{ RuleArn string }

var ruleName = regexp.MustCompile(`^[.\-_A-Za-z0-9]{1,64}$`)

// putRule implements PutRule.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
func (s *Service) putRule(c *cloud.Call, in *PutRuleInput) (*PutRuleOutput, error) {
	b, err := s.ruleBus(c, in.EventBusName, in.Name, "PutRule")
	if err != nil {
		return nil, err
	}
	if in.State == "" {
		in.State = enabled
	}
	switch {
	case !ruleName.MatchString(in.Name):
		return nil, errInvalid("Parameter Name %q is not valid.", in.Name)
	case in.EventPattern == "" && in.ScheduleExpression == "":
		return nil, errInvalid("Parameter(s) EventPattern or ScheduleExpression must be specified.")
	case in.ScheduleExpression != "" && b.name != defaultBus:
		return nil, errInvalid("ScheduleExpression is supported only on the default event bus.")
	case in.State != enabled && in.State != disabled && in.State != enabledAll:
		return nil, errInvalid("State %q is not valid.", in.State)
	}
	var compiled *pattern.Pattern
	if in.EventPattern != "" {
		if compiled, err = pattern.Compile([]byte(in.EventPattern)); err != nil {
			return nil, errPattern(err)
		}
	}
	if in.ScheduleExpression != "" {
		if _, err := rate(in.ScheduleExpression); err != nil {
			return nil, err
		}
	}
	r := b.rules[in.Name]
	if r == nil {
		r = &rule{name: in.Name, arn: ruleARN(b, in.Name), bus: b}
		b.rules[in.Name] = r
	}
	r.description, r.state, r.role = in.Description, in.State, in.RoleArn
	r.pattern, r.compiled, r.schedule = in.EventPattern, compiled, in.ScheduleExpression
	s.arm(r)
	return &PutRuleOutput{RuleArn: r.arn}, nil
}

// ruleBus authorizes action on a rule and finds the rule's bus.
func (s *Service) ruleBus(c *cloud.Call, bus, name, action string) (*bus, error) {
	b := s.find(c.Account(), c.Region, bus)
	if b == nil {
		b = newBus(busARN(c.Account(), c.Region, bus), c.Now())
	}
	if err := c.Authorize("events:"+action, ruleARN(b, name), nil); err != nil {
		return nil, err
	}
	return s.own(c, bus)
}

// rule authorizes action on a rule and finds the rule.
func (s *Service) rule(c *cloud.Call, bus, name, action string) (*rule, error) {
	b, err := s.ruleBus(c, bus, name, action)
	if err != nil {
		return nil, err
	}
	if r := b.rules[name]; r != nil {
		return r, nil
	}
	return nil, errNoRule(name, b.name)
}

// RuleInput is the input of the operations on one rule.
type RuleInput struct {
	Name         string
	EventBusName string `json:",omitempty"`
	Force        bool   `json:",omitempty"` // of DeleteRule; for managed rules, of which there are none
}

// Rule is the output of DescribeRule and an element of ListRules.
type Rule struct {
	Name               string
	Arn                string
	EventBusName       string
	Description        string `json:",omitempty"`
	EventPattern       string `json:",omitempty"`
	ScheduleExpression string `json:",omitempty"`
	State              string
	RoleArn            string `json:",omitempty"`
}

func (r *rule) wire() *Rule {
	return &Rule{
		Name: r.name, Arn: r.arn, EventBusName: r.bus.name, Description: r.description, EventPattern: r.pattern,
		ScheduleExpression: r.schedule, State: r.state, RoleArn: r.role,
	}
}

// describeRule implements DescribeRule.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeRule.html
func (s *Service) describeRule(c *cloud.Call, in *RuleInput) (*Rule, error) {
	r, err := s.rule(c, in.EventBusName, in.Name, "DescribeRule")
	if err != nil {
		return nil, err
	}
	return r.wire(), nil
}

// ListRulesInput is the input of ListRules.
type ListRulesInput struct {
	EventBusName string
	NamePrefix   string
	Limit        int
	NextToken    string
}

// ListRulesOutput is the output of ListRules.
type ListRulesOutput struct {
	Rules     []*Rule
	NextToken string `json:",omitempty"`
}

// listRules implements ListRules.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListRules.html
func (s *Service) listRules(c *cloud.Call, in *ListRulesInput) (*ListRulesOutput, error) {
	b, err := s.ruleBus(c, in.EventBusName, "*", "ListRules")
	if err != nil {
		return nil, err
	}
	out := &ListRulesOutput{}
	for _, r := range b.sorted() {
		if strings.HasPrefix(r.name, in.NamePrefix) {
			out.Rules = append(out.Rules, r.wire())
		}
	}
	out.Rules, out.NextToken, err = page(out.Rules, in.NextToken, in.Limit)
	return out, err
}

// enableRule implements EnableRule.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_EnableRule.html
func (s *Service) enableRule(c *cloud.Call, in *RuleInput) (*Empty, error) {
	return s.setState(c, in, "EnableRule", enabled)
}

// disableRule implements DisableRule.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DisableRule.html
func (s *Service) disableRule(c *cloud.Call, in *RuleInput) (*Empty, error) {
	return s.setState(c, in, "DisableRule", disabled)
}

func (s *Service) setState(c *cloud.Call, in *RuleInput, action, state string) (*Empty, error) {
	r, err := s.rule(c, in.EventBusName, in.Name, action)
	if err != nil {
		return nil, err
	}
	r.state = state
	s.arm(r)
	return &Empty{}, nil
}

// deleteRule implements DeleteRule. It succeeds for a rule that does not exist.
// deleteRule implements DeleteRule.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteRule.html
func (s *Service) deleteRule(c *cloud.Call, in *RuleInput) (*Empty, error) {
	b, err := s.ruleBus(c, in.EventBusName, in.Name, "DeleteRule")
	if err != nil {
		return nil, err
	}
	r := b.rules[in.Name]
	if r == nil {
		return &Empty{}, nil
	}
	if len(r.targets) > 0 {
		return nil, errInvalid("Rule can't be deleted since it has targets.")
	}
	r.disarm()
	delete(b.rules, in.Name)
	return &Empty{}, nil
}

// TestEventPatternInput is the input of TestEventPattern.
type TestEventPatternInput struct{ EventPattern, Event string }

// TestEventPatternOutput is the output of TestEventPattern.
type TestEventPatternOutput struct{ Result bool }

// testEventPattern implements TestEventPattern. The event must have the fields of every event, except resources: the page
// requires it, and AWS does not.
// testEventPattern implements TestEventPattern.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TestEventPattern.html
func (s *Service) testEventPattern(c *cloud.Call, in *TestEventPatternInput) (*TestEventPatternOutput, error) {
	if err := c.Authorize("events:TestEventPattern", "*", nil); err != nil {
		return nil, err
	}
	p, err := pattern.Compile([]byte(in.EventPattern))
	if err != nil {
		return nil, errPattern(err)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(in.Event), &fields); err != nil {
		return nil, errInvalid("Parameter Event is not valid: %v", err)
	}
	for _, name := range []string{"id", "account", "source", "time", "region", "detail-type"} {
		if fields[name] == nil {
			return nil, errInvalid("Parameter Event is not valid: it has no %q.", name)
		}
	}
	matched, err := p.Match([]byte(in.Event))
	if err != nil {
		return nil, errInvalid("Parameter Event is not valid: %v", err)
	}
	return &TestEventPatternOutput{Result: matched}, nil
}
