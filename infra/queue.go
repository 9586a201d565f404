package infra

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// deliveries is how often a message is tried before it goes to the dead letters.
const deliveries = 5

// newQueue makes a queue, and beside it a queue for the messages that no delivery got through.
func newQueue(scope constructs.Construct, id string, visibility time.Duration, key awskms.IKey) awssqs.Queue {
	return awssqs.NewQueue(scope, jsii.String(id), &awssqs.QueueProps{
		Encryption:          awssqs.QueueEncryption_KMS,
		EncryptionMasterKey: key,
		EnforceSSL:          jsii.Bool(true),
		VisibilityTimeout:   seconds(visibility),
		DeadLetterQueue: &awssqs.DeadLetterQueue{
			Queue:           newDeadLetters(scope, id+"DeadLetters", key),
			MaxReceiveCount: jsii.Number(deliveries),
		},
	})
}

// newDeadLetters makes a queue in which what could not be delivered or processed waits, as long as SQS can keep it, for
// somebody to look at it and send it again. Without a key, SQS encrypts it with one of its own.
func newDeadLetters(scope constructs.Construct, id string, key awskms.IKey) awssqs.Queue {
	props := &awssqs.QueueProps{
		Encryption:      awssqs.QueueEncryption_SQS_MANAGED,
		EnforceSSL:      jsii.Bool(true),
		RetentionPeriod: seconds(14 * 24 * time.Hour),
	}
	if key != nil {
		props.Encryption, props.EncryptionMasterKey = awssqs.QueueEncryption_KMS, key
	}
	return awssqs.NewQueue(scope, jsii.String(id), props)
}

// sendFrom lets rules, or a bus, send to a queue.
func sendFrom(queue awssqs.Queue, arns []string) {
	queue.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:    jsii.Strings("sqs:SendMessage"),
		Resources:  &[]*string{queue.QueueArn()},
		Principals: &[]awsiam.IPrincipal{eventBridge()},
		Conditions: onlyFrom(arns),
	}))
}

func eventBridge() awsiam.IPrincipal {
	return awsiam.NewServicePrincipal(jsii.String("events.amazonaws.com"), nil)
}

// onlyFrom keeps AWS from acting on a queue or topic for anybody's rules or alarms but these.
func onlyFrom(arns []string) *map[string]any {
	return condition{"ArnEquals": {"aws:SourceArn": arns}}.props()
}

func seconds(d time.Duration) awscdk.Duration {
	return awscdk.Duration_Seconds(jsii.Number(d.Seconds()))
}
