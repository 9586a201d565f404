package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// newTopic makes the topic that people and chat integrations subscribe to.
func newTopic(scope constructs.Construct, id string) awssns.Topic {
	return awssns.NewTopic(scope, jsii.String(id), &awssns.TopicProps{
		DisplayName: jsii.String("originhub alarms"),
		EnforceSSL:  jsii.Bool(true),
	})
}

// publishFrom lets rules publish to a topic.
func publishFrom(topic awssns.Topic, ruleARNs []string) {
	topic.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:    jsii.Strings("sns:Publish"),
		Resources:  &[]*string{topic.TopicArn()},
		Principals: &[]awsiam.IPrincipal{eventBridge()},
		Conditions: fromRules(ruleARNs),
	}))
}
