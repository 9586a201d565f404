package infra

import (
	"fmt"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// rule says when EventBridge sends something, and where. Exactly one of Pattern and Every is set.
type rule struct {
	ID          string
	Description string
	Bus         awsevents.IEventBus // nil: the account's default bus
	Pattern     pattern
	Every       time.Duration // whole minutes
	Targets     []*target
}

// target is where rules send to. The same target may serve several rules.
type target struct {
	ID      string // unique among a rule's targets
	ARN     string
	RoleARN string                  // of a target in another account
	Permit  func(ruleARNs []string) // lets rules reach it; nil when RoleARN does
}

func toQueue(id string, q awssqs.Queue) *target {
	return &target{ID: id, ARN: *q.QueueArn(), Permit: func(rules []string) { sendFrom(q, rules) }}
}

func toTopic(id string, t awssns.Topic) *target {
	return &target{ID: id, ARN: *t.TopicArn(), Permit: func(rules []string) { publishFrom(t, rules) }}
}

func toFunction(id string, f awslambda.Function) *target {
	return &target{ID: id, ARN: *f.FunctionArn(), Permit: func(rules []string) {
		for i, arn := range rules {
			f.AddPermission(jsii.String(fmt.Sprintf("Rule%d", i+1)), &awslambda.Permission{
				Principal: eventBridge(),
				SourceArn: jsii.String(arn),
			})
		}
	}}
}

// newRules makes rules, gives every hop the dead letters to fall back on, and lets exactly these rules reach their targets.
func newRules(scope constructs.Construct, deadLetters awssqs.Queue, rules ...rule) {
	var all []string
	var order []*target
	users := map[*target][]string{}
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
	sendFrom(deadLetters, all)
}

func newRule(scope constructs.Construct, r rule, deadLetters awssqs.Queue) awsevents.CfnRule {
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
