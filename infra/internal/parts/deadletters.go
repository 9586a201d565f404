package parts

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// NewDeadLetters makes a queue in which what could not be delivered or processed waits, as long as SQS can keep it, for
// somebody to look at it and send it again. Without a key, SQS encrypts it with one of its own.
func NewDeadLetters(scope constructs.Construct, id string, key awskms.IKey) awssqs.Queue {
	props := &awssqs.QueueProps{
		Encryption:      awssqs.QueueEncryption_SQS_MANAGED,
		EnforceSSL:      jsii.Bool(true),
		RetentionPeriod: Seconds(14 * 24 * time.Hour),
	}
	if key != nil {
		props.Encryption, props.EncryptionMasterKey = awssqs.QueueEncryption_KMS, key
	}
	return awssqs.NewQueue(scope, jsii.String(id), props)
}

// SendFrom lets rules, or a bus, send to a queue.
func SendFrom(queue awssqs.Queue, arns []string) {
	queue.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:    jsii.Strings("sqs:SendMessage"),
		Resources:  &[]*string{queue.QueueArn()},
		Principals: &[]awsiam.IPrincipal{EventBridge()},
		Conditions: OnlyFrom(arns),
	}))
}

// EventBridge returns the principal that delivers for rules and buses.
func EventBridge() awsiam.IPrincipal {
	return awsiam.NewServicePrincipal(jsii.String("events.amazonaws.com"), nil)
}

// OnlyFrom is the condition that keeps AWS from acting on a queue or topic for anybody's rules or alarms but these.
func OnlyFrom(arns []string) *map[string]any {
	return Condition{"ArnEquals": {"aws:SourceArn": arns}}.Props()
}

// Seconds returns d in the form of CDK.
func Seconds(d time.Duration) awscdk.Duration {
	return awscdk.Duration_Seconds(jsii.Number(d.Seconds()))
}
