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

// alarm publishes to the topic. Its description says what happened, what that means, and which command to run next.
type alarm struct {
	id     string
	metric metric
	every  time.Duration // whole minutes: the period over which values are aggregated
	// The alarm goes off when a value is at least atLeast. With silent, it goes off when that many periods in a row had no value
	// of one or more.
	atLeast float64
	silent  int

	means string
	next  string // a command that changes nothing
	then  string
}

func (a alarm) description() string {
	return fmt.Sprintf("%s\n\nNext, in account %s: %s\n\nThen: %s", a.means, parts.Account(), a.next, a.then)
}

// newAlarm makes an alarm and returns its ARN.
func newAlarm(scope constructs.Construct, a alarm, topic awssns.Topic) string {
	props := &awscloudwatch.CfnAlarmProps{
		AlarmDescription: jsii.String(a.description()),
		AlarmActions:     &[]any{topic.TopicArn()},
		OkActions:        &[]any{topic.TopicArn()}, // says that the fact no longer holds
		Namespace:        jsii.String(a.metric.namespace),
		MetricName:       jsii.String(a.metric.name),
		Statistic:        jsii.String(a.metric.statistic),
		Period:           jsii.Number(a.every.Seconds()),
		// A metric has values only when something was measured. No measurement is no reason for an alarm.
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

// deadLetters is a queue for messages that could not be processed or delivered, with what its alarm says about them.
type deadLetters struct {
	id    string
	queue awssqs.Queue
	of    string             // which messages they are
	log   awslambda.Function // the function whose log says why the messages failed; nil if their attributes say so
	back  bool               // whether the messages can be sent back to the queue that they came from
}

// alarm returns the alarm that goes off as soon as one message is in the queue.
func (d deadLetters) alarm() alarm {
	a := alarm{
		id:     d.id,
		metric: queueMetric(d.queue, "ApproximateNumberOfMessagesVisible"), every: time.Minute, atLeast: 1,
		means: "Dead letters: " + d.of + ". SQS keeps them for 14 days. Nothing is lost: the next sweep or daily audit " +
			"reads the same from AWS.",
		next: aws("sqs receive-message --queue-url %s --max-number-of-messages 10 --visibility-timeout 0 "+
			"--message-attribute-names All", *d.queue.QueueUrl()),
	}
	switch {
	case d.back:
		a.then = fmt.Sprintf("find the reason (%s), fix it, and send the messages back: %s", logs(d.log),
			aws("sqs start-message-move-task --source-arn %s", *d.queue.QueueArn()))
	case d.log != nil:
		a.then = fmt.Sprintf("find the reason (%s) and fix it. After the next sweep, delete the messages: %s", logs(d.log),
			aws("sqs purge-queue --queue-url %s", *d.queue.QueueUrl()))
	default:
		a.then = fmt.Sprintf("the attributes ERROR_CODE and TARGET_ARN name the missing permission or target; make deploy restores it. "+
			"After the next sweep, delete the messages: %s", aws("sqs purge-queue --queue-url %s", *d.queue.QueueUrl()))
	}
	return a
}

// aws returns a command line that can be pasted into a shell.
func aws(format string, args ...any) string {
	return fmt.Sprintf("aws --region "+parts.Region+" "+format, args...)
}

// logs returns a command that shows why a function failed: its own errors, and Lambda's reports of runs that crashed or timed out
// (https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html).
func logs(f awslambda.Function) string { return logged(f, "3h", "?ERROR ?errorType ?timeout") }

// logged returns a command that shows the log lines of a function that match a pattern
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html).
func logged(f awslambda.Function, since, pattern string) string {
	return aws("logs tail %s --since %s --filter-pattern '%s'", *f.LogGroup().LogGroupName(), since, pattern)
}

// quoted returns a phrase in the form of a filter pattern.
func quoted(phrase string) string { return `"` + phrase + `"` }

// alarmsProps names what the alarms watch.
type alarmsProps struct {
	Hub         string
	Fullest     string // the name of the distribution that is filled last
	Topic       awssns.Topic
	DeadLetters []deadLetters
	Machine     string // ARN
	Registry    string // name of the table

	Admit, Audit, Wire, Retire, Step awslambda.Function
}

// newAlarms makes all alarms, lets them publish to the topic, and returns their ARNs.
func newAlarms(scope constructs.Construct, id string, p alarmsProps) []string {
	self := constructs.NewConstruct(scope, jsii.String(id))
	cause := "the newest execution is the first in the list. Read its cause: " + aws("stepfunctions describe-execution --query cause --output text --execution-arn ARN")
	redrive := aws("stepfunctions redrive-execution --execution-arn ARN")
	events := func(call string) string {
		return aws("cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=%s --max-items 20 "+
			"--query 'Events[].[EventTime,Username,EventId]' --output table", call)
	}
	// died returns the alarm on executions that ended in a status. There is none for TIMED_OUT: the state machine has no time limit of its own, and
	// that of Step Functions is a year. The rule FailedTeardowns reports such an execution, too.
	died := func(id, metric, status, means string) alarm {
		return alarm{
			id:     id,
			metric: machineMetric(p.Machine, metric), every: time.Minute, atLeast: 1,
			means: means,
			next:  aws("stepfunctions list-executions --state-machine-arn %s --status-filter %s --max-items 10", p.Machine, status),
			then: cause + ". Fix that. Then the team sets the tag originhub:teardown again; or, within 14 days, you redrive the execution from the " +
				"task that failed: " + redrive + ".",
		}
	}
	alarms := []alarm{
		{
			id:     "SweepMissing",
			metric: own(p.Hub, contract.MetricSweepCompleted, sum), every: sweepEvery, silent: 3,
			means: "No sweep was completed in 30 minutes. Events still trigger the hub, but a change that no event reported is not noticed, and an " +
				"invitation expires after 12 hours. After the first deployment, this alarm stays on until the first sweep.",
			next: logs(p.Admit),
			then: "fix the error that the log shows. If it shows none, check that the rule with rate(10 minutes) is ENABLED: " + aws("events list-rules --name-prefix originhub-%s", p.Hub),
		},
		{
			id:     "PendingShareNearExpiry",
			metric: own(p.Hub, contract.MetricOldestPendingShare, maximum), every: sweepEvery, atLeast: (9 * time.Hour).Seconds(),
			means: "An invitation from a known team has been pending for 9 hours. It expires after 12 hours; then the team has to share again.",
			next:  aws("ram get-resource-share-invitations --query \"resourceShareInvitations[?status=='PENDING']\""),
			then:  "find out why the hub has not accepted it: " + logs(p.Admit),
		},
		died("TeardownFailed", "ExecutionsFailed", "FAILED",
			"An execution of the state machine failed: its teardown is blocked or ended dirty, or one of its tasks failed after all retries. No later "+
				"step was begun. The alarm TeardownUnresolved holds as long as the teardown is not resolved."),
		died("TeardownAborted", "ExecutionsAborted", "ABORTED",
			"Somebody stopped an execution of the state machine, or deleted the machine. Its teardown does not continue by itself."),
		{
			id:     "TeardownUnresolved",
			metric: own(p.Hub, contract.MetricTeardownsUnresolved, maximum), every: sweepEvery, atLeast: 1,
			means: "A teardown is blocked or ended dirty, and that has not changed since it was reported. If network interfaces are left, the team's VPC cannot be " +
				"deleted. The alarm ends when no such teardown is left.",
			next: logged(p.Step, "4w", "?"+quoted(contract.TeardownBlocked)+" ?"+quoted(contract.TeardownEndedIncomplete)),
			then: "each line names the origin, its team, the phase and what to do. An execution that died is in the log of function retire: " +
				logged(p.Retire, "4w", quoted(contract.TeardownBlocked)),
		},
		{
			id:     "HoldActive",
			metric: own(p.Hub, contract.MetricHolds, maximum), every: sweepEvery, atLeast: 1,
			means: "An item in the registry suspends or pauses something: origins of a team stay off the air, or a distribution is not written. " +
				"The alarm ends when no such item is left.",
			next: aws("dynamodb query --table-name %s --key-condition-expression pk=:h --expression-attribute-values '{\":h\":{\"S\":\"%s\"}}'", p.Registry, contract.RegistryHolds),
			then: "each item says in its key what it suspends or pauses, and who wrote it, why and since when. When it is not needed any more, delete it: " +
				aws("dynamodb delete-item --table-name %s --key '{\"pk\":{\"S\":\"%s\"},\"sk\":{\"S\":\"KEY\"}}'", p.Registry, contract.RegistryHolds),
		},
		{
			id:     "PropagationDelayed",
			metric: own(p.Hub, contract.MetricLongestPropagation, maximum), every: sweepEvery, atLeast: contract.LongPropagation.Seconds(),
			means: "An origin has waited for more than 30 minutes until the update that contains its change is Deployed. Until then it is neither live " +
				"nor detached. The event " + contract.PropagationDelayed + " on the same topic names the distribution, the origin and who wrote last.",
			next: logged(p.Wire, "3h", quoted(contract.PropagationDelayed)),
			then: "stop writers that keep the distribution InProgress, or ask AWS Support if nobody writes it. To see all edits: " + events("UpdateDistribution"),
		},
		{
			id:     "MembershipUnknown",
			metric: own(p.Hub, contract.MetricMembershipsUnknown, maximum), every: sweepEvery, atLeast: 1,
			means: "RAM does not report whether accounts that the hub policy says are in the organization still are. What the hub admitted from them stays, " +
				"and nothing new is admitted. The event " + contract.MembershipUnknown + " on the same topic names the accounts.",
			next: aws("ram list-principals --resource-owner OTHER-ACCOUNTS"),
			then: "do what the event says for each account. The alarm ends with the first sweep that knows all of them.",
		},
		{
			id:     "DriftFound",
			metric: own(p.Hub, contract.MetricDriftOpen, maximum), every: sweepEvery, atLeast: 1,
			means: "Somebody other than the hub changed a distribution, a DNS record, a share or a VPC origin that the hub relies on. The event " +
				contract.DriftFound + " on the same topic says who did it, what is at risk, and which command repairs it.",
			next: logged(p.Audit, "3h", quoted(contract.DriftFound)),
			then: "run the command in its field repair in account repairIn. The next sweep restores what the hub manages in the distribution, and " +
				"nothing else. The alarm ends with the next daily audit, which reports what is left. To see all edits: " + events("UpdateDistribution"),
		},
		{
			id:     "SideDoorOpen",
			metric: own(p.Hub, contract.MetricSideDoorsOpen, maximum), every: auditEvery, atLeast: 1,
			means: "The last audit found a way past the distribution, or a team that is off the air: a DNS record that points elsewhere, a public " +
				"origin under a claimed path, another distribution with an origin of a team, or a wired VPC origin that is no longer shared.",
			next: logged(p.Audit, "4w", quoted(contract.LeakFound)),
			then: "each finding is logged once, with its team, the command that repairs it (repair) and the account in which to run that command " +
				"(repairIn). The alarm ends with the first daily audit that finds nothing any more.",
		},
		{
			id:     "LeaseHeldTooLong",
			metric: own(p.Hub, contract.MetricLeaseHeld, maximum), every: time.Minute, atLeast: wireTimeout.Seconds(),
			means: "A run of function wire has died: it holds the lease of a distribution for longer than a run can last. Nothing is written to " +
				fmt.Sprintf("this distribution until the lease ends, %.0f minutes after it began. Then the next run takes over.", contract.WireLease.Minutes()),
			next: aws("logs tail %s --since 30m", *p.Wire.LogGroup().LogGroupName()),
			then: "if it happened once, do nothing. If it happens again, check maxMemoryUsedMB and status in the lines of type platform.report.",
		},
		{
			id:     "CapacityNearlyUsed",
			metric: own(p.Hub, contract.MetricQuotaUse, maximum, [2]string{contract.DimensionDistribution, p.Fullest}), every: sweepEvery,
			atLeast: 80,
			means: "The distribution that is filled last has used 80 % of a quota: origins, behaviors or aliases. When it is full, new " +
				"origins are deferred.",
			next: aws("service-quotas list-service-quotas --service-code cloudfront --query \"Quotas[?contains(QuotaName,'per distribution')]" +
				".[QuotaCode,QuotaName,Value]\" --output text"),
			then: "request a higher quota with the CLI or in the Service Quotas console, or add a distribution to the hub policy and deploy.",
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
