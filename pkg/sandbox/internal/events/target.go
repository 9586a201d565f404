package events

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// maxTargets is the quota of targets per rule.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
const maxTargets = 5

// Target is a target of a rule.
type Target struct {
	Id               string            `json:",omitempty"`
	Arn              string            `json:",omitempty"`
	RoleArn          string            `json:",omitempty"`
	Input            *string           `json:",omitempty"`
	InputPath        *string           `json:",omitempty"`
	RetryPolicy      *RetryPolicy      `json:",omitempty"`
	DeadLetterConfig *DeadLetterConfig `json:",omitempty"`
}

// RetryPolicy has the limits of retries.
type RetryPolicy struct {
	MaximumRetryAttempts     *cloud.Int `json:",omitempty"`
	MaximumEventAgeInSeconds *cloud.Int `json:",omitempty"`
}

// DeadLetterConfig names the queue for events that could not be delivered.
type DeadLetterConfig struct {
	Arn string `json:",omitempty"`
}

// PutTargetsInput is the input of PutTargets.
type PutTargetsInput struct {
	Rule         string
	EventBusName string `json:",omitempty"`
	Targets      []*Target
}

// TargetsOutput is the output of PutTargets and RemoveTargets. In the sandbox, they succeed or fail as a whole.
type TargetsOutput struct {
	FailedEntryCount int
	FailedEntries    []string
}

// putTargets implements PutTargets.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html
func (s *Service) putTargets(c *cloud.Call, in *PutTargetsInput) (*TargetsOutput, error) {
	r, err := s.rule(c, in.EventBusName, in.Rule, "PutTargets")
	if err != nil {
		return nil, err
	}
	if len(in.Targets) == 0 {
		return nil, errInvalid("Parameter Targets must hold at least one target.")
	}
	targets := slices.Clone(r.targets)
	for _, t := range in.Targets {
		if err := t.check(); err != nil {
			return nil, err
		}
		if t.RoleArn != "" {
			to := map[string][]string{"iam:PassedToService": {principal}}
			if err := c.Authorize("iam:PassRole", t.RoleArn, to); err != nil {
				return nil, err
			}
		}
		i := slices.IndexFunc(targets, func(old *Target) bool { return old.Id == t.Id })
		if i < 0 {
			targets = append(targets, t)
		} else {
			targets[i] = t
		}
	}
	if len(targets) > maxTargets {
		return nil, cloud.Errorf(400, "LimitExceededException", "A rule has at most %d targets.", maxTargets)
	}
	r.targets = targets
	return &TargetsOutput{FailedEntries: []string{}}, nil
}

func (t *Target) check() error {
	service := serviceOf(t.Arn)
	needsRole := service == "states" || service == "events"
	switch {
	case !ruleName.MatchString(t.Id):
		return errInvalid("Target Id %q is not valid.", t.Id)
	case !supported(service) || service == "events" && !strings.Contains(t.Arn, ":event-bus/"):
		return errUnsupported("the target %s: only queues, functions, topics, state machines and event buses", t.Arn)
	case needsRole && t.RoleArn == "":
		return errInvalid("RoleArn is required for target %s.", t.Arn)
	case t.Input != nil && t.InputPath != nil:
		return errInvalid("Only one of Input, InputPath, or InputTransformer must be provided for target %s.", t.Id)
	case service == "events" && (t.Input != nil || t.InputPath != nil):
		return errInvalid("Modifying the input for target %s is not supported.", t.Id)
	case t.Input != nil && !json.Valid([]byte(*t.Input)):
		return errInvalid("Parameter Input of target %s is not valid JSON.", t.Id)
	case t.DeadLetterConfig != nil && serviceOf(t.DeadLetterConfig.Arn) != "sqs":
		return errInvalid("Parameter DeadLetterConfig of target %s is not valid: not the ARN of a queue.", t.Id)
	}
	if t.InputPath != nil {
		if _, err := parsePath(*t.InputPath); err != nil {
			return err
		}
	}
	if p := t.RetryPolicy; p != nil {
		if n := p.MaximumRetryAttempts; n != nil && (*n < 0 || *n > 185) {
			return errInvalid("MaximumRetryAttempts of target %s must be from 0 to 185.", t.Id)
		}
		if n := p.MaximumEventAgeInSeconds; n != nil && (*n < 60 || *n > 86400) {
			return errInvalid("MaximumEventAgeInSeconds of target %s must be from 60 to 86400.", t.Id)
		}
	}
	return nil
}

func supported(service string) bool {
	return slices.Contains([]string{"sqs", "lambda", "sns", "states", "events"}, service)
}

func regionOf(arn string) string { return strings.SplitN(arn, ":", 6)[3] }

func serviceOf(arn string) string {
	p := strings.SplitN(arn, ":", 6)
	if len(p) != 6 || p[0] != "arn" {
		return ""
	}
	return p[2]
}

// ListTargetsByRuleInput is the input of ListTargetsByRule.
type ListTargetsByRuleInput struct {
	Rule         string
	EventBusName string
	Limit        int
	NextToken    string
}

// ListTargetsByRuleOutput is the output of ListTargetsByRule.
type ListTargetsByRuleOutput struct {
	Targets   []*Target
	NextToken string `json:",omitempty"`
}

// listTargetsByRule implements ListTargetsByRule.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListTargetsByRule.html
func (s *Service) listTargetsByRule(c *cloud.Call, in *ListTargetsByRuleInput) (*ListTargetsByRuleOutput, error) {
	r, err := s.rule(c, in.EventBusName, in.Rule, "ListTargetsByRule")
	if err != nil {
		return nil, err
	}
	out := &ListTargetsByRuleOutput{}
	out.Targets, out.NextToken, err = page(r.targets, in.NextToken, in.Limit)
	return out, err
}

// ListRuleNamesByTargetInput is the input of ListRuleNamesByTarget.
type ListRuleNamesByTargetInput struct {
	TargetArn    string
	EventBusName string
	Limit        int
	NextToken    string
}

// ListRuleNamesByTargetOutput is the output of ListRuleNamesByTarget.
type ListRuleNamesByTargetOutput struct {
	RuleNames []string
	NextToken string `json:",omitempty"`
}

// listRuleNamesByTarget implements ListRuleNamesByTarget.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListRuleNamesByTarget.html
func (s *Service) listRuleNamesByTarget(c *cloud.Call, in *ListRuleNamesByTargetInput) (*ListRuleNamesByTargetOutput, error) {
	b, err := s.ruleBus(c, in.EventBusName, "*", "ListRuleNamesByTarget")
	if err != nil {
		return nil, err
	}
	out := &ListRuleNamesByTargetOutput{}
	for _, r := range b.sorted() {
		if slices.ContainsFunc(r.targets, func(t *Target) bool { return t.Arn == in.TargetArn }) {
			out.RuleNames = append(out.RuleNames, r.name)
		}
	}
	out.RuleNames, out.NextToken, err = page(out.RuleNames, in.NextToken, in.Limit)
	return out, err
}

// RemoveTargetsInput is the input of RemoveTargets.
type RemoveTargetsInput struct {
	Rule         string
	EventBusName string `json:",omitempty"`
	Ids          []string
	Force        bool `json:",omitempty"` // for managed rules, of which there are none
}

// removeTargets implements RemoveTargets.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_RemoveTargets.html
func (s *Service) removeTargets(c *cloud.Call, in *RemoveTargetsInput) (*TargetsOutput, error) {
	r, err := s.rule(c, in.EventBusName, in.Rule, "RemoveTargets")
	if err != nil {
		return nil, err
	}
	named := func(t *Target) bool { return slices.Contains(in.Ids, t.Id) }
	r.targets = slices.DeleteFunc(slices.Clone(r.targets), named)
	return &TargetsOutput{FailedEntries: []string{}}, nil
}

// payload returns what a target receives for an event.
func (t *Target) payload(event []byte) ([]byte, error) {
	switch {
	case t.Input != nil:
		return []byte(*t.Input), nil
	case t.InputPath != nil:
		path, err := parsePath(*t.InputPath)
		if err != nil {
			return nil, err
		}
		return pick(event, path)
	}
	return event, nil
}

// parsePath reads the common part of JSONPath in an InputPath: $, .name and [index].
func parsePath(path string) ([]string, error) {
	parts := strings.Split(strings.ReplaceAll(path, "[", ".["), ".")
	if parts[0] != "$" {
		return nil, errInvalid("InputPath %q is not a JSON path.", path)
	}
	var steps []string
	for _, part := range parts[1:] {
		open, shut := strings.HasPrefix(part, "["), strings.HasSuffix(part, "]")
		if part == "" || open != shut || strings.ContainsAny(part, "*?'\"@()") {
			return nil, errUnsupported("the InputPath %q: only names and indexes", path)
		}
		steps = append(steps, part)
	}
	return steps, nil
}

// pick follows a path. A value that does not exist is null (assumption EV-10).
func pick(event []byte, path []string) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(event))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	for _, step := range path {
		switch at := v.(type) {
		case map[string]any:
			v = at[step]
		case []any:
			i, err := strconv.Atoi(strings.Trim(step, "[]"))
			v = nil
			if err == nil && i >= 0 && i < len(at) {
				v = at[i]
			}
		default:
			v = nil
		}
	}
	return marshal(v)
}
