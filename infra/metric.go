package infra

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"

	"github.com/originhub/originhub/pkg/contract"
)

// metric is one CloudWatch metric, with the statistic in which its values are read.
type metric struct {
	namespace, name, statistic string
	dimensions                 [][2]string // name, value
}

// Statistics: the sum of a counter, the maximum of a gauge.
const (
	sum     = "Sum"
	maximum = "Maximum"
)

// own returns a metric that the hub's functions write.
func own(hub, name, statistic string, by ...[2]string) metric {
	return metric{contract.MetricNamespace, name, statistic, append([][2]string{{contract.DimensionHub, hub}}, by...)}
}

func queueMetric(q awssqs.Queue, name string) metric {
	return metric{"AWS/SQS", name, maximum, [][2]string{{"QueueName", *q.QueueName()}}}
}

func functionMetric(f awslambda.Function, name string) metric {
	return metric{"AWS/Lambda", name, sum, [][2]string{{"FunctionName", *f.FunctionName()}}}
}

func machineMetric(arn, name string) metric {
	return metric{"AWS/States", name, sum, [][2]string{{"StateMachineArn", arn}}}
}
