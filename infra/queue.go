package infra

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/infra/internal/parts"
)

// deliveries is how often SQS delivers a message before it moves the message to the dead letters.
const deliveries = 5

// newQueue makes a queue, and a second queue for its dead letters.
func newQueue(scope constructs.Construct, id string, visibility time.Duration, key awskms.IKey) awssqs.Queue {
	return awssqs.NewQueue(scope, jsii.String(id), &awssqs.QueueProps{
		Encryption:          awssqs.QueueEncryption_KMS,
		EncryptionMasterKey: key,
		EnforceSSL:          jsii.Bool(true),
		VisibilityTimeout:   parts.Seconds(visibility),
		DeadLetterQueue: &awssqs.DeadLetterQueue{
			Queue:           parts.NewDeadLetters(scope, id+"DeadLetters", key),
			MaxReceiveCount: jsii.Number(deliveries),
		},
	})
}

func toQueue(id string, q awssqs.Queue) *parts.Target {
	return &parts.Target{ID: id, ARN: *q.QueueArn(), Permit: func(rules []string) { parts.SendFrom(q, rules) }}
}
