package infra

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/infra/internal/parts"
	"github.com/originhub/originhub/pkg/contract"
)

// dashboardProps is what the dashboard shows.
type dashboardProps struct {
	Hub         string
	States      []string // of origins
	Fleet       []string // names of the distributions
	Queues      []awssqs.Queue
	DeadLetters []deadLetters
	Functions   []awslambda.Function
	Machine     string   // ARN
	Alarms      []string // ARNs
}

// series is a metric with a name for people.
type series struct {
	metric
	label string
}

// panel is one graph of a dashboard.
type panel struct {
	title   string
	stacked bool
	series  []series
}

// newDashboard makes the dashboard of a hub: alarms first, then one graph for each question that people ask.
func newDashboard(scope constructs.Construct, id string, p dashboardProps) {
	body := map[string]any{"widgets": layOut(p.Alarms, p.panels())}
	awscloudwatch.NewCfnDashboard(scope, jsii.String(id), &awscloudwatch.CfnDashboardProps{
		DashboardName: jsii.String(contract.DashboardName(p.Hub)),
		DashboardBody: awscdk.Stack_Of(scope).ToJsonString(body, nil),
	})
}

func (p dashboardProps) panels() []panel {
	ours := func(name, statistic, label string, by ...[2]string) series {
		return series{own(p.Hub, name, statistic, by...), label}
	}
	var origins, queues, letters, throttles, quota []series
	for _, state := range p.States {
		origins = append(origins, ours(contract.MetricOrigins, maximum, state, [2]string{contract.DimensionState, state}))
	}
	for _, q := range p.Queues {
		queues = append(queues, series{queueMetric(q, "ApproximateAgeOfOldestMessage"), *q.Node().Id()})
	}
	for _, d := range p.DeadLetters {
		letters = append(letters, series{queueMetric(d.queue, "ApproximateNumberOfMessagesVisible"), d.id})
	}
	throttles = append(throttles, ours(contract.MetricThrottle, sum, "calls that AWS throttled"))
	for _, f := range p.Functions {
		throttles = append(throttles, series{functionMetric(f, "Throttles"), "invocations of " + *f.Node().Scope().Node().Id()})
	}
	for _, name := range p.Fleet {
		quota = append(quota, ours(contract.MetricQuotaUse, maximum, name, [2]string{contract.DimensionDistribution, name}))
	}
	return []panel{
		{title: "Origins by state", stacked: true, series: origins},
		{title: "Shares", series: []series{
			ours(contract.MetricInvitationAccepted, sum, "invitations accepted"),
			ours(contract.MetricOriginAdmitted, sum, "origins admitted"),
			ours(contract.MetricOldestPendingShare, maximum, "oldest undecided invitation, seconds"),
		}},
		{title: "Queues: age of the oldest message, seconds", series: queues},
		{title: "Dead letters", stacked: true, series: letters},
		{title: "Deployments", series: []series{
			ours(contract.MetricDistributionUpdate, sum, "updates of the distribution"),
			ours(contract.MetricOnboardingLatency, maximum, "from admitted to live, seconds"),
		}},
		{title: "Conflicts", series: []series{
			ours(contract.MetricETagConflict, sum, "somebody else wrote in between"),
			ours(contract.MetricDriftFound, sum, "changes by hand"),
			ours(contract.MetricLeaseHeld, maximum, "lease of another run, seconds"),
		}},
		{title: "Throttles", stacked: true, series: throttles},
		{title: "Teardowns", series: []series{
			ours(contract.MetricTeardownStarted, sum, "started"), ours(contract.MetricTeardownClean, sum, "clean"),
			ours(contract.MetricTeardownCancelled, sum, "cancelled"), ours(contract.MetricTeardownDirty, sum, "dirty"),
			ours(contract.MetricTeardownBlocked, sum, "stopped"),
			{machineMetric(p.Machine, "ExecutionsFailed"), "executions failed"},
		}},
		{title: "Teardown: from the tag to clean, seconds", series: []series{ours(contract.MetricTeardownDuration, maximum, "longest")}},
		{title: "Orphans", series: []series{
			ours(contract.MetricOrphanENI, sum, "network interfaces that teardowns left"),
			ours(contract.MetricLeaksOpen, maximum, "leaks that the last audit found"),
		}},
		{title: "Isolation: kept out", series: []series{
			ours(contract.MetricRefusal, sum, "shares and claims refused"),
			ours(contract.MetricOriginQuarantined, sum, "origins quarantined"),
			ours(contract.MetricSideDoorsOpen, maximum, "side doors open"),
		}},
		{title: "Capacity: of the quota that is used most, percent", series: quota},
	}
}

// layOut fills the 24 columns of a dashboard: the alarms, then three graphs to a row.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
func layOut(alarms []string, panels []panel) []any {
	const columns, width, height, alarmHeight = 24, 8, 6, 3
	widgets := []any{map[string]any{
		"type": "alarm", "x": 0, "y": 0, "width": columns, "height": alarmHeight,
		"properties": map[string]any{"title": "Alarms: each description holds the next command", "alarms": alarms},
	}}
	for i, p := range panels {
		var metrics []any
		for _, s := range p.series {
			m := []any{s.namespace, s.name}
			for _, d := range s.dimensions {
				m = append(m, d[0], d[1])
			}
			metrics = append(metrics, append(m, map[string]any{"label": s.label, "stat": s.statistic}))
		}
		widgets = append(widgets, map[string]any{
			"type": "metric", "x": i * width % columns, "y": alarmHeight + i*width/columns*height, "width": width, "height": height,
			"properties": map[string]any{
				"title": p.title, "region": parts.Region, "view": "timeSeries", "stacked": p.stacked, "period": 300, "metrics": metrics,
			},
		})
	}
	return widgets
}
