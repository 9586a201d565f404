package infra

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/infra/internal/parts"
)

// visibilityFor is how long a message that a function is working on stays hidden: AWS asks for six times the function's
// timeout plus the window (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html).
func visibilityFor(timeout, window time.Duration) time.Duration { return 6*timeout + window }

// consume feeds a queue to a function. Messages gather for the window, so that many hints cause one look; the function
// names the messages that it could not handle.
func consume(function awslambda.Function, queue awssqs.Queue, window time.Duration) {
	batch := 1000.0
	if window < time.Second {
		batch = 10 // more needs a window
	}
	function.AddEventSourceMapping(jsii.String("Queue"), &awslambda.EventSourceMappingOptions{
		EventSourceArn:          queue.QueueArn(),
		BatchSize:               jsii.Number(batch),
		MaxBatchingWindow:       parts.Seconds(window),
		ReportBatchItemFailures: jsii.Bool(true),
		// A second consumer only meets the first one's lease. Two is the least that Lambda takes.
		MaxConcurrency: jsii.Number(2),
	})
}

// consumeQueue is what a function needs to be fed from a queue.
func consumeQueue(queue awssqs.Queue) parts.Permission {
	return parts.Allow([]string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}, *queue.QueueArn())
}

// keepFailures sends what an asynchronous invocation could not do, after two retries, to the dead letters. The function's
// role needs sendMessages on them.
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
