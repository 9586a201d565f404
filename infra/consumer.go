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

// consume makes a function process a queue. Lambda collects messages for the duration of window, so that many messages cause one
// run. The function reports which messages it could not process.
func consume(function awslambda.Function, queue awssqs.Queue, window time.Duration) {
	batch := 1000.0
	if window < time.Second {
		batch = 10 // a larger batch requires a window of at least one second
	}
	function.AddEventSourceMapping(jsii.String("Queue"), &awslambda.EventSourceMappingOptions{
		EventSourceArn:          queue.QueueArn(),
		BatchSize:               jsii.Number(batch),
		MaxBatchingWindow:       parts.Seconds(window),
		ReportBatchItemFailures: jsii.Bool(true),
		// A second run only finds the lease of the first. Two is the minimum that Lambda accepts.
		MaxConcurrency: jsii.Number(2),
	})
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
