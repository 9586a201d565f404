package infra

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/infra/internal/parts"
)

// visibilityFor returns how long a message stays hidden while a function works on it. AWS recommends six times the function's
// timeout plus the batching window (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html).
func visibilityFor(timeout, window time.Duration) time.Duration { return 6*timeout + window }

// Lambda processes at most so many messages in one run. More than ten require a window of at least one second.
const (
	largestBatch       = 1000
	largestBatchAtOnce = 10
)

// consume makes a function process a queue. Lambda collects messages for the duration of window, in seconds, so that many messages cause
// one run. The function reports which messages it could not process.
func consume(function awslambda.Function, queue awssqs.Queue, window, batch *float64) {
	mapping := function.AddEventSourceMapping(jsii.String("Queue"), &awslambda.EventSourceMappingOptions{
		EventSourceArn:          queue.QueueArn(),
		ReportBatchItemFailures: jsii.Bool(true),
		// A second run only finds the lease of the first. Two is the minimum that Lambda accepts.
		MaxConcurrency: jsii.Number(2),
	})
	resource := mapping.Node().DefaultChild().(awslambda.CfnEventSourceMapping) //nolint:errcheck // AddEventSourceMapping made it
	resource.SetBatchSize(batch)
	resource.SetMaximumBatchingWindowInSeconds(window)
}

// consumeQueue returns the permission that a function needs to process a queue.
func consumeQueue(queue awssqs.Queue) parts.Permission {
	return parts.Allow([]string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}, *queue.QueueArn())
}

// keepFailures sends the event of an asynchronous invocation that failed three times to the dead letters. The function's role needs
// the permission sendMessages on that queue.
func keepFailures(function awslambda.Function, deadLetters awssqs.Queue) {
	awslambda.NewCfnEventInvokeConfig(function, jsii.String("Failures"), &awslambda.CfnEventInvokeConfigProps{
		FunctionName:         function.FunctionName(),
		Qualifier:            jsii.String("$LATEST"),
		MaximumRetryAttempts: jsii.Number(2),
		DestinationConfig: &awslambda.CfnEventInvokeConfig_DestinationConfigProperty{
			OnFailure: &awslambda.CfnEventInvokeConfig_OnFailureProperty{Destination: deadLetters.QueueArn()},
		},
	})
}
