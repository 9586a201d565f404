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

// publishAlarms lets alarms publish to a topic.
func publishAlarms(topic awssns.Topic, alarmARNs []string) {
	publish(topic, cloudWatch(), parts.OnlyFrom(alarmARNs))
}

func cloudWatch() awsiam.IPrincipal {
	return awsiam.NewServicePrincipal(jsii.String("cloudwatch.amazonaws.com"), nil)
}

func publish(topic awssns.Topic, by awsiam.IPrincipal, when *map[string]any) {
	topic.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:    jsii.Strings("sns:Publish"),
		Resources:  &[]*string{topic.TopicArn()},
		Principals: &[]awsiam.IPrincipal{by},
		Conditions: when,
	}))
}

// toTopic returns a topic as the target of rules, which publish with a role of their own. The service principal of EventBridge may not
// publish: AWS supports no condition on the rule for a topic that is encrypted with a customer managed key, and a service principal without
// a condition acts for the rules of every account.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
// https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
func toTopic(scope constructs.Construct, id string, topic awssns.Topic, key awskms.IKey, rolePath string) *parts.Target {
	role := awsiam.NewRole(scope, jsii.String(id+"Publisher"), &awsiam.RoleProps{AssumedBy: parts.EventBridge(), Path: jsii.String(rolePath)})
	parts.Inline(role, "publish", []parts.Permission{
		parts.Allow([]string{"sns:Publish"}, *topic.TopicArn()),
		parts.Allow([]string{"kms:GenerateDataKey", "kms:Decrypt"}, *key.KeyArn()).
			When(parts.Condition{"StringEquals": {"kms:ViaService": "sns." + parts.Region + ".amazonaws.com"}}),
	})
	publish(topic, role, nil)
	return &parts.Target{ID: id, ARN: *topic.TopicArn(), RoleARN: *role.RoleArn()}
}
