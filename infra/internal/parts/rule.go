package parts

import (
	"fmt"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// A Rule is an EventBridge rule: what starts it, and its targets. Exactly one of Pattern and Every is set.
type Rule struct {
	ID          string
	Description string
	Bus         awsevents.IEventBus // nil: the account's default bus
	Pattern     Pattern
	Every       time.Duration // whole minutes
	Targets     []*Target
}

// A Target is a target of rules. Several rules may have the same target.
type Target struct {
	ID      string // unique among a rule's targets
	ARN     string
	RoleARN string                  // the role that EventBridge assumes for the target; empty: it needs none
	Permit  func(ruleARNs []string) // lets rules reach it; nil when RoleARN does
}

// ToFunction returns a function as the target of rules.
func ToFunction(id string, f awslambda.Function) *Target {
	return &Target{ID: id, ARN: *f.FunctionArn(), Permit: func(rules []string) {
		for i, arn := range rules {
			f.AddPermission(jsii.String(fmt.Sprintf("Rule%d", i+1)), &awslambda.Permission{
				Principal: EventBridge(),
				SourceArn: jsii.String(arn),
			})
		}
	}}
}

// NewRules makes rules. Each target gets the dead-letter queue undelivered, and permits exactly the rules that send to it.
func NewRules(scope constructs.Construct, deadLetters awssqs.Queue, rules ...Rule) {
	var all []string
	var order []*Target
	users := map[*Target][]string{}
	for _, r := range rules {
		arn := *newRule(scope, r, deadLetters).AttrArn()
		all = append(all, arn)
		for _, t := range r.Targets {
			if users[t] == nil {
				order = append(order, t)
			}
			users[t] = append(users[t], arn)
		}
	}
	for _, t := range order {
		if t.Permit != nil {
			t.Permit(users[t])
		}
	}
	SendFrom(deadLetters, all)
}

func newRule(scope constructs.Construct, r Rule, deadLetters awssqs.Queue) awsevents.CfnRule {
	props := &awsevents.CfnRuleProps{Description: jsii.String(r.Description), State: jsii.String("ENABLED")}
	if r.Bus != nil {
		props.EventBusName = r.Bus.EventBusName()
	}
	if r.Pattern != nil {
		props.EventPattern = map[string]any(r.Pattern)
	}
	if r.Every != 0 {
		props.ScheduleExpression = jsii.String(fmt.Sprintf("rate(%d minutes)", int(r.Every.Minutes())))
	}
	targets := make([]any, len(r.Targets))
	for i, t := range r.Targets {
		p := &awsevents.CfnRule_TargetProperty{
			Id:               jsii.String(t.ID),
			Arn:              jsii.String(t.ARN),
			DeadLetterConfig: &awsevents.CfnRule_DeadLetterConfigProperty{Arn: deadLetters.QueueArn()},
		}
		if t.RoleARN != "" {
			p.RoleArn = jsii.String(t.RoleARN)
		}
		targets[i] = p
	}
	props.Targets = &targets
	return awsevents.NewCfnRule(scope, jsii.String(r.ID), props)
}
