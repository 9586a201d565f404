package events

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// ResourceTypes returns the CloudFormation types that this package deploys.
func (s *Service) ResourceTypes() []cloud.ResourceType {
	return []cloud.ResourceType{
		{Name: "AWS::Events::EventBus", Create: s.createBus, Update: s.updateBus, Delete: deleteBus},
		{
			Name:   "AWS::Events::EventBusPolicy",
			Create: s.createBusPolicy, Update: s.updateBusPolicy, Delete: s.deleteBusPolicy,
		},
		{Name: "AWS::Events::Rule", Create: createRule, Update: updateRule, Delete: deleteRule},
		archiveType(),
	}
}

func call(r *cloud.ResourceRequest, operation string, in any) (any, error) {
	out, err := r.World.Invoke(cloud.Root(r.Account), r.Region, "events", operation, in)
	if err != nil {
		return nil, fmt.Errorf("stack %s, resource %s: %w", r.Stack, r.LogicalID, err)
	}
	return out, nil
}

type busProperties struct {
	Name        string
	Description string
	Policy      json.RawMessage
	Tags        []Tag

	KmsKeyIdentifier string
	DeadLetterConfig *DeadLetterConfig
}

func (s *Service) createBus(r *cloud.ResourceRequest) (*cloud.Resource, error) {
	var p busProperties
	if err := r.DecodeProperties("AWS::Events::EventBus", &p); err != nil {
		return nil, err
	}
	in := &CreateEventBusInput{
		Name: p.Name, Description: p.Description, Tags: p.Tags, KmsKeyIdentifier: p.KmsKeyIdentifier, DeadLetterConfig: p.DeadLetterConfig,
	}
	out, err := call(r, "CreateEventBus", in)
	if err != nil {
		return nil, err
	}
	arn := out.(*CreateEventBusOutput).EventBusArn
	made := &cloud.Resource{Ref: p.Name, Attributes: map[string]string{"Name": p.Name, "Arn": arn}}
	return made, s.configureBus(r, made, p)
}

func (s *Service) updateBus(r *cloud.ResourceRequest, old *cloud.Resource) (*cloud.Resource, error) {
	var p busProperties
	if err := r.DecodeProperties("AWS::Events::EventBus", &p); err != nil {
		return nil, err
	}
	if p.Name != old.Ref {
		return nil, fmt.Errorf("update event bus %s: the sandbox does not replace buses", old.Ref)
	}
	return old, s.configureBus(r, old, p)
}

// inline is the name of the statement for the Policy property of a bus.
const inline = "AWS::Events::EventBus Policy"

func (s *Service) configureBus(r *cloud.ResourceRequest, made *cloud.Resource, p busProperties) error {
	statements, err := statementsOf(p.Policy)
	if err != nil {
		return fmt.Errorf("stack %s, resource %s: read Policy: %w", r.Stack, r.LogicalID, err)
	}
	s.world.Do(func() {
		b := s.buses[made.Attributes["Arn"]]
		if err = s.protect(b, p.KmsKeyIdentifier, p.DeadLetterConfig); err != nil {
			return
		}
		b.description = p.Description
		b.forbid(inline)
		for _, st := range statements {
			b.policy = append(b.policy, statement{id: inline, text: st})
		}
	})
	return err
}

// statementsOf returns the statements of a policy document.
func statementsOf(policy json.RawMessage) ([]json.RawMessage, error) {
	if len(policy) == 0 {
		return nil, nil
	}
	var document struct{ Statement []json.RawMessage }
	err := json.Unmarshal(policy, &document)
	return document.Statement, err
}

func deleteBus(r *cloud.ResourceRequest, old *cloud.Resource) error {
	_, err := call(r, "DeleteEventBus", &DeleteEventBusInput{Name: old.Ref})
	return err
}

type busPolicyProperties struct {
	EventBusName string
	StatementId  string
	Statement    json.RawMessage
}

func (s *Service) createBusPolicy(r *cloud.ResourceRequest) (*cloud.Resource, error) {
	var p busPolicyProperties
	if err := r.DecodeProperties("AWS::Events::EventBusPolicy", &p); err != nil {
		return nil, err
	}
	if p.StatementId == "" || len(p.Statement) == 0 {
		return nil, fmt.Errorf("stack %s, resource %s: StatementId and Statement are required", r.Stack, r.LogicalID)
	}
	arn, err := busARN(r.Account, r.Region, p.EventBusName), error(nil)
	s.world.Do(func() {
		b := s.find(r.Account, r.Region, p.EventBusName)
		if b == nil {
			err = errNoBus(p.EventBusName)
			return
		}
		err = b.permit(p.StatementId, p.Statement)
	})
	if err != nil {
		return nil, fmt.Errorf("stack %s, resource %s: %w", r.Stack, r.LogicalID, err)
	}
	return &cloud.Resource{
		Ref: arn + "|" + p.StatementId, Attributes: map[string]string{"bus": arn, "statement": p.StatementId},
	}, nil
}

func (s *Service) updateBusPolicy(r *cloud.ResourceRequest, old *cloud.Resource) (*cloud.Resource, error) {
	made, err := s.createBusPolicy(r)
	if err == nil && made.Ref != old.Ref {
		err = s.deleteBusPolicy(r, old)
	}
	return made, err
}

func (s *Service) deleteBusPolicy(_ *cloud.ResourceRequest, old *cloud.Resource) error {
	s.world.Do(func() {
		if b := s.buses[old.Attributes["bus"]]; b != nil {
			b.forbid(old.Attributes["statement"])
		}
	})
	return nil
}

type ruleProperties struct {
	Name               string
	Description        string
	EventBusName       string
	EventPattern       json.RawMessage
	ScheduleExpression string
	State              string
	RoleArn            string
	Targets            []*Target
	Tags               []Tag
}

func createRule(r *cloud.ResourceRequest) (*cloud.Resource, error) {
	var p ruleProperties
	if err := r.DecodeProperties("AWS::Events::Rule", &p); err != nil {
		return nil, err
	}
	if p.Name == "" {
		p.Name = r.Name(64)
	}
	return putRule(r, &p)
}

// putRule creates or updates a rule. Its Ref is the rule's name, after the name of its bus if that is not the default one.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-rule.html
func putRule(r *cloud.ResourceRequest, p *ruleProperties) (*cloud.Resource, error) {
	out, err := call(r, "PutRule", &PutRuleInput{
		Name: p.Name, EventBusName: p.EventBusName, Description: p.Description, EventPattern: string(p.EventPattern),
		ScheduleExpression: p.ScheduleExpression, State: p.State, RoleArn: p.RoleArn, Tags: p.Tags,
	})
	if err != nil {
		return nil, err
	}
	if len(p.Targets) > 0 {
		in := &PutTargetsInput{Rule: p.Name, EventBusName: p.EventBusName, Targets: p.Targets}
		if _, err := call(r, "PutTargets", in); err != nil {
			return nil, err
		}
	}
	ref := p.Name
	if bus := busARN(r.Account, r.Region, p.EventBusName); !strings.HasSuffix(bus, "/"+defaultBus) {
		ref = bus[strings.LastIndex(bus, ":event-bus/")+len(":event-bus/"):] + "|" + p.Name
	}
	return &cloud.Resource{Ref: ref, Attributes: map[string]string{"Arn": out.(*PutRuleOutput).RuleArn}}, nil
}

// ruleOf returns the bus and the rule name of a Ref.
func ruleOf(ref string) (bus, name string) {
	if bus, name, found := strings.Cut(ref, "|"); found {
		return bus, name
	}
	return defaultBus, ref
}

func updateRule(r *cloud.ResourceRequest, old *cloud.Resource) (*cloud.Resource, error) {
	var p ruleProperties
	if err := r.DecodeProperties("AWS::Events::Rule", &p); err != nil {
		return nil, err
	}
	bus, name := ruleOf(old.Ref)
	moved := busARN(r.Account, r.Region, p.EventBusName) != busARN(r.Account, r.Region, bus)
	if moved || p.Name != "" && p.Name != name {
		return nil, fmt.Errorf("update rule %s: the sandbox does not replace rules", old.Ref)
	}
	p.Name = name
	stale, err := targetIDs(r, bus, name)
	if err != nil {
		return nil, err
	}
	stale = slices.DeleteFunc(stale, func(id string) bool {
		return slices.ContainsFunc(p.Targets, func(t *Target) bool { return t.Id == id })
	})
	if len(stale) > 0 {
		in := &RemoveTargetsInput{Rule: name, EventBusName: bus, Ids: stale}
		if _, err := call(r, "RemoveTargets", in); err != nil {
			return nil, err
		}
	}
	return putRule(r, &p)
}

func deleteRule(r *cloud.ResourceRequest, old *cloud.Resource) error {
	bus, name := ruleOf(old.Ref)
	ids, err := targetIDs(r, bus, name)
	if err != nil {
		if cloud.AsError(err).Code == "ResourceNotFoundException" {
			return nil
		}
		return err
	}
	if _, err := call(r, "RemoveTargets", &RemoveTargetsInput{Rule: name, EventBusName: bus, Ids: ids}); err != nil {
		return err
	}
	_, err = call(r, "DeleteRule", &RuleInput{Name: name, EventBusName: bus})
	return err
}

func targetIDs(r *cloud.ResourceRequest, bus, name string) ([]string, error) {
	out, err := call(r, "ListTargetsByRule", &ListTargetsByRuleInput{Rule: name, EventBusName: bus})
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, t := range out.(*ListTargetsByRuleOutput).Targets {
		ids = append(ids, t.Id)
	}
	return ids, nil
}
