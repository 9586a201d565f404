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

// NewDeadLetters makes a queue for messages that could not be delivered or processed. It keeps them for 14 days, the longest time that
// SQS offers. Without a key, SQS encrypts the queue with its own key.
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

// EventBridge returns the service principal that delivers for rules and buses.
func EventBridge() awsiam.IPrincipal {
	return awsiam.NewServicePrincipal(jsii.String("events.amazonaws.com"), nil)
}

// OnlyFrom returns the condition that a request is made for one of the given rules, buses or alarms.
func OnlyFrom(arns []string) *map[string]any {
	return Condition{"ArnEquals": {"aws:SourceArn": arns}}.Props()
}

// Seconds returns d in the form of CDK.
func Seconds(d time.Duration) awscdk.Duration {
	return awscdk.Duration_Seconds(jsii.Number(d.Seconds()))
}
