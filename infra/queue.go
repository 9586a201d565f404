package infra

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// deliveries is how often a message is tried before it goes to the dead letters.
const deliveries = 5

// newQueue makes an encrypted queue, and beside it a queue for the messages that no delivery got through.
func newQueue(scope constructs.Construct, id string, visibility time.Duration) awssqs.Queue {
	return awssqs.NewQueue(scope, jsii.String(id), &awssqs.QueueProps{
		Encryption:        awssqs.QueueEncryption_SQS_MANAGED,
		EnforceSSL:        jsii.Bool(true),
		VisibilityTimeout: seconds(visibility),
		DeadLetterQueue: &awssqs.DeadLetterQueue{
			Queue:           newDeadLetters(scope, id+"DeadLetters"),
			MaxReceiveCount: jsii.Number(deliveries),
		},
	})
}

// newDeadLetters makes a queue in which what could not be delivered or processed waits, as long as SQS can keep it, for
// somebody to look at it and send it again.
func newDeadLetters(scope constructs.Construct, id string) awssqs.Queue {
	return awssqs.NewQueue(scope, jsii.String(id), &awssqs.QueueProps{
		Encryption:      awssqs.QueueEncryption_SQS_MANAGED,
		EnforceSSL:      jsii.Bool(true),
		RetentionPeriod: seconds(14 * 24 * time.Hour),
	})
}

// sendFrom lets rules send to a queue.
func sendFrom(queue awssqs.Queue, ruleARNs []string) {
	queue.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:    jsii.Strings("sqs:SendMessage"),
		Resources:  &[]*string{queue.QueueArn()},
		Principals: &[]awsiam.IPrincipal{eventBridge()},
		Conditions: fromRules(ruleARNs),
	}))
}

func eventBridge() awsiam.IPrincipal {
	return awsiam.NewServicePrincipal(jsii.String("events.amazonaws.com"), nil)
}

// fromRules keeps AWS from acting on a queue or topic for anybody's rules or alarms but these.
func fromRules(arns []string) *map[string]any {
	return condition{"ArnEquals": {"aws:SourceArn": arns}}.props()
}

func seconds(d time.Duration) awscdk.Duration {
	return awscdk.Duration_Seconds(jsii.Number(d.Seconds()))
}
