package infra

import (
	"fmt"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/infra/internal/parts"
	"github.com/originhub/originhub/pkg/contract"
)

// alarm rings at the topic, with a description that says what happened, what it means, and the next command.
type alarm struct {
	id     string
	metric metric
	every  time.Duration // whole minutes: how long values gather before they are looked at
	// It rings when a value is atLeast; with silent, when for so many times in a row there was no value of one or more.
	atLeast float64
	silent  int

	means string
	next  string // a command that only looks
	then  string
}

func (a alarm) description() string {
	return fmt.Sprintf("%s\n\nNext, in account %s: %s\n\nThen: %s", a.means, parts.Account(), a.next, a.then)
}

// newAlarm answers the alarm's ARN.
func newAlarm(scope constructs.Construct, a alarm, topic awssns.Topic) string {
	props := &awscloudwatch.CfnAlarmProps{
		AlarmDescription: jsii.String(a.description()),
		AlarmActions:     &[]any{topic.TopicArn()},
		Namespace:        jsii.String(a.metric.namespace),
		MetricName:       jsii.String(a.metric.name),
		Statistic:        jsii.String(a.metric.statistic),
		Period:           jsii.Number(a.every.Seconds()),
		// A value is there only when something was looked at, and nothing to look at is no reason to ring.
		TreatMissingData:   jsii.String("notBreaching"),
		EvaluationPeriods:  jsii.Number(1),
		Threshold:          jsii.Number(a.atLeast),
		ComparisonOperator: jsii.String("GreaterThanOrEqualToThreshold"),
	}
	if a.silent > 0 {
		props.TreatMissingData, props.ComparisonOperator = jsii.String("breaching"), jsii.String("LessThanThreshold")
		props.EvaluationPeriods, props.Threshold = jsii.Number(float64(a.silent)), jsii.Number(1)
	}
	var dimensions []any
	for _, d := range a.metric.dimensions {
		dimensions = append(dimensions, &awscloudwatch.CfnAlarm_DimensionProperty{Name: jsii.String(d[0]), Value: jsii.String(d[1])})
	}
	props.Dimensions = &dimensions
	return *awscloudwatch.NewCfnAlarm(scope, jsii.String(a.id), props).AttrArn()
}

// deadLetters is a queue in which messages end, and what is to be known of them.
type deadLetters struct {
	id    string
	queue awssqs.Queue
	of    string             // whose messages they are
	log   awslambda.Function // whose log says why they failed; nil: the messages' own attributes do
	back  bool               // they can be sent back to where they came from
}

// alarm rings as soon as one message is there.
func (d deadLetters) alarm() alarm {
	a := alarm{
		id:     d.id,
		metric: queueMetric(d.queue, "ApproximateNumberOfMessagesVisible"), every: time.Minute, atLeast: 1,
		means: "Dead letters: " + d.of + ". They stay for 14 days. The sweep looks at everything all the same, so that nothing " +
			"is lost, but something is broken.",
		next: aws("sqs receive-message --queue-url %s --max-number-of-messages 10 --visibility-timeout 0 "+
			"--message-attribute-names All", *d.queue.QueueUrl()),
	}
	switch {
	case d.back:
		a.then = fmt.Sprintf("see why (%s), mend it, and send them back: %s", logs(d.log),
			aws("sqs start-message-move-task --source-arn %s", *d.queue.QueueArn()))
	case d.log != nil:
		a.then = fmt.Sprintf("see why (%s), mend it, and forget them, since the sweep has looked: %s", logs(d.log),
			aws("sqs purge-queue --queue-url %s", *d.queue.QueueUrl()))
	default:
		a.then = fmt.Sprintf("ERROR_CODE and TARGET_ARN say which permission or target is missing: make deploy brings it back. Forget "+
			"them, since the sweep has looked: %s", aws("sqs purge-queue --queue-url %s", *d.queue.QueueUrl()))
	}
	return a
}

// aws is a command line that can be pasted.
func aws(format string, args ...any) string {
	return fmt.Sprintf("aws --region "+parts.Region+" "+format, args...)
}

// logs shows what a function failed on: what it logged itself, and Lambda's reports of runs that crashed or took too long
// (https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html).
func logs(f awslambda.Function) string { return logged(f, "3h", "?ERROR ?errorType ?timeout") }

// logged shows the lines of a function that match a pattern
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html).
func logged(f awslambda.Function, since, pattern string) string {
	return aws("logs tail %s --since %s --filter-pattern '%s'", *f.LogGroup().LogGroupName(), since, pattern)
}

// quoted is a phrase as a filter pattern wants it.
func quoted(phrase string) string { return `"` + phrase + `"` }

// alarmsProps is what the alarms watch.
type alarmsProps struct {
	Hub         string
	Fullest     string // the distribution that is filled last
	Topic       awssns.Topic
	DeadLetters []deadLetters
	Machine     string // ARN

	Admit, Audit, Wire awslambda.Function
}

// newAlarms makes every alarm and lets it publish. It answers their ARNs.
func newAlarms(scope constructs.Construct, id string, p alarmsProps) []string {
	self := constructs.NewConstruct(scope, jsii.String(id))
	failed := aws("stepfunctions list-executions --state-machine-arn %s --status-filter FAILED --max-items 10", p.Machine)
	why := "the newest is the first; its cause: " + aws("stepfunctions describe-execution --query cause --output text --execution-arn ARN")
	redrive := aws("stepfunctions redrive-execution --execution-arn ARN")
	events := func(call string) string {
		return aws("cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=%s --max-items 20 "+
			"--query 'Events[].[EventTime,Username,EventId]' --output table", call)
	}
	alarms := []alarm{
		{
			id:     "SweepMissing",
			metric: own(p.Hub, contract.MetricSweepCompleted, sum), every: sweepEvery, silent: 3,
			means: "No sweep was completed in 30 minutes. Events still wake the hub, but what an event missed waits, and an invitation " +
				"dies after 12 h. After the first deployment this is so until the first sweep.",
			next: logs(p.Admit),
			then: "if there is no error, see that the rule with rate(10 minutes) is ENABLED: " + aws("events list-rules --name-prefix originhub-%s", p.Hub),
		},
		{
			id:     "PendingShareNearExpiry",
			metric: own(p.Hub, contract.MetricOldestPendingShare, maximum), every: sweepEvery, atLeast: (9 * time.Hour).Seconds(),
			means: "An invitation of a known team has been neither accepted nor refused for 9 h. It dies at 12 h, and the team must share again.",
			next:  aws("ram get-resource-share-invitations --query \"resourceShareInvitations[?status=='PENDING']\""),
			then:  "see why it is not accepted: " + logs(p.Admit),
		},
		{
			id:     "TeardownDirty",
			metric: own(p.Hub, contract.MetricTeardownDirty, sum), every: time.Minute, atLeast: 1,
			means: "A teardown left something behind: network interfaces that CloudFront has not released. They keep a VPC from being deleted.",
			next:  failed,
			then: why + ". It names interface, VPC and account. CloudFront may release them late: it is looked at again once a day. If they stay, " +
				"only AWS Support can remove them.",
		},
		{
			id:     "TeardownStuck",
			metric: machineMetric(p.Machine, "ExecutionsFailed"), every: time.Minute, atLeast: 1,
			means: "A teardown failed or was stopped because something stands in its way. Nothing later was begun; if TeardownDirty rings " +
				"too, follow that one.",
			next: failed,
			then: why + ". It says what stands in the way. Remove that; then the team sets its tag originhub:teardown again, or within 14 days you let " +
				"the execution go on from the task that failed: " + redrive + ".",
		},
		{
			id:     "DistributionEdited",
			metric: own(p.Hub, contract.MetricDriftFound, sum), every: time.Minute, atLeast: 1,
			means: "Somebody else than the hub changed what it relies on: the distribution, its DNS records, a share or an origin. The event " +
				contract.DriftFound + " on the same topic says who, what is at risk, and the command that mends it.",
			next: logged(p.Audit, "3h", quoted(contract.DriftFound)),
			then: "run the finding's repair in the account repairIn, if it is still so. What the hub wants of the distribution comes back with the next " +
				"sweep; what others want does not. Everything else that was done to it: " + events("UpdateDistribution"),
		},
		{
			id:     "SideDoorOpen",
			metric: own(p.Hub, contract.MetricSideDoorsOpen, maximum), every: auditEvery, atLeast: 1,
			means: "The last audit found what somebody can come in by past the distribution, or is off the air for: DNS that points past it, " +
				"a public origin under a claimed path, an origin that was wired and is not shared.",
			next: logged(p.Audit, "4w", quoted(contract.LeakFound)),
			then: "each finding is said once, and names its owner, the command that mends it, repair, and the account in which to run that, repairIn. " +
				"The next daily audit ends the alarm.",
		},
		{
			id:     "LeaseHeldTooLong",
			metric: own(p.Hub, contract.MetricLeaseHeld, maximum), every: time.Minute, atLeast: wireTimeout.Seconds(),
			means: "A run of wire holds the lease for longer than a run can last: it has died. Nothing is written until the lease ends, " +
				fmt.Sprintf("%.0f minutes after it began; then the next run takes over.", contract.WireLease.Minutes()),
			next: aws("logs tail %s --since 30m", *p.Wire.LogGroup().LogGroupName()),
			then: "once is a crash that was outlived. Again and again: look at maxMemoryUsedMB and at the status in the lines of type platform.report.",
		},
		{
			id:     "CapacityNearlyUsed",
			metric: own(p.Hub, contract.MetricQuotaUse, maximum, [2]string{contract.DimensionDistribution, p.Fullest}), every: sweepEvery,
			atLeast: 80,
			means: "The distribution that is filled last has used 80 % of a quota: origins, behaviors or aliases. When it is full, new " +
				"origins wait.",
			next: aws("service-quotas list-service-quotas --service-code cloudfront --query \"Quotas[?contains(QuotaName,'per distribution')]" +
				".[QuotaCode,QuotaName,Value]\" --output text"),
			then: "request an increase there, or let the policy have one more distribution, and deploy.",
		},
	}
	for _, d := range p.DeadLetters {
		alarms = append(alarms, d.alarm())
	}
	var arns []string
	for _, a := range alarms {
		arns = append(arns, newAlarm(self, a, p.Topic))
	}
	publishAlarms(p.Topic, arns)
	return arns
}
