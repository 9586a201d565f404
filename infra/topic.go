package infra

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/infra/internal/parts"
)

// newTopic makes the topic for alarms, to which people and chat integrations subscribe.
func newTopic(scope constructs.Construct, id string, key awskms.IKey) awssns.Topic {
	return awssns.NewTopic(scope, jsii.String(id), &awssns.TopicProps{
		DisplayName: jsii.String("originhub alarms"),
		EnforceSSL:  jsii.Bool(true),
		MasterKey:   key,
	})
}

// publishFrom lets rules publish to a topic.
func publishFrom(topic awssns.Topic, ruleARNs []string) {
	publish(topic, parts.EventBridge(), ruleARNs)
}

// publishAlarms lets alarms publish to a topic.
func publishAlarms(topic awssns.Topic, alarmARNs []string) {
	publish(topic, cloudWatch(), alarmARNs)
}

func cloudWatch() awsiam.IPrincipal {
	return awsiam.NewServicePrincipal(jsii.String("cloudwatch.amazonaws.com"), nil)
}

func publish(topic awssns.Topic, by awsiam.IPrincipal, sources []string) {
	topic.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:    jsii.Strings("sns:Publish"),
		Resources:  &[]*string{topic.TopicArn()},
		Principals: &[]awsiam.IPrincipal{by},
		Conditions: parts.OnlyFrom(sources),
	}))
}

func toTopic(id string, t awssns.Topic) *parts.Target {
	return &parts.Target{ID: id, ARN: *t.TopicArn(), Permit: func(rules []string) { publishFrom(t, rules) }}
}
