package infra

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/infra/internal/parts"
	"github.com/originhub/originhub/pkg/contract"
)

// dashboardProps names what the dashboard shows.
type dashboardProps struct {
	Hub         string
	States      []string // of origins
	Queues      []awssqs.Queue
	DeadLetters []deadLetters
	Functions   []awslambda.Function
	Machine     string   // ARN
	Alarms      []string // ARNs
}

// series is a metric with the label that the dashboard shows.
type series struct {
	metric
	label string
}

// panel is one graph of a dashboard.
type panel struct {
	title   string
	stacked bool
	series  []series
	search  string // instead of series: an expression that finds them
}

// search returns the expression that finds a gauge of the hub for every value of a dimension.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
func search(hub, metric, dimension string) string {
	return fmt.Sprintf(`SEARCH('{%s,%s,%s} MetricName="%s" %s="%s"', '%s', 300)`,
		contract.MetricNamespace, contract.DimensionHub, dimension, metric, contract.DimensionHub, hub, maximum)
}

// newDashboard makes the dashboard of a hub: alarms first, then one graph for each question that an operator asks.
func newDashboard(scope constructs.Construct, id string, p dashboardProps) {
	body := map[string]any{"widgets": layOut(p.Alarms, p.panels())}
	awscloudwatch.NewCfnDashboard(scope, jsii.String(id), &awscloudwatch.CfnDashboardProps{
		DashboardName: jsii.String(contract.DashboardName(p.Hub)),
		DashboardBody: awscdk.Stack_Of(scope).ToJsonString(body, nil),
	})
}

func (p dashboardProps) panels() []panel {
	ownSeries := func(name, statistic, label string, by ...[2]string) series {
		return series{own(p.Hub, name, statistic, by...), label}
	}
	var origins, queues, letters, throttles []series
	for _, state := range p.States {
		origins = append(origins, ownSeries(contract.MetricOrigins, maximum, state, [2]string{contract.DimensionState, state}))
	}
	for _, q := range p.Queues {
		queues = append(queues, series{queueMetric(q, "ApproximateAgeOfOldestMessage"), *q.Node().Id()})
	}
	for _, d := range p.DeadLetters {
		letters = append(letters, series{queueMetric(d.queue, "ApproximateNumberOfMessagesVisible"), d.id})
	}
	throttles = append(throttles, ownSeries(contract.MetricThrottle, sum, "calls that AWS throttled"))
	for _, f := range p.Functions {
		throttles = append(throttles, series{functionMetric(f, "Throttles"), "invocations of " + *f.Node().Scope().Node().Id()})
	}
	return []panel{
		{title: "Origins by state", stacked: true, series: origins},
		{title: "Shares", series: []series{
			ownSeries(contract.MetricInvitationAccepted, sum, "invitations accepted"),
			ownSeries(contract.MetricOriginAdmitted, sum, "origins admitted"),
			ownSeries(contract.MetricOldestPendingShare, maximum, "age of the oldest pending invitation, seconds"),
		}},
		{title: "Queues: age of the oldest message, seconds", series: queues},
		{title: "Dead letters", stacked: true, series: letters},
		{title: "Updates", series: []series{
			ownSeries(contract.MetricDistributionUpdate, sum, "updates of distributions"),
			ownSeries(contract.MetricOnboardingLatency, maximum, "from admitted to live, seconds"),
		}},
		{title: "Conflicts", series: []series{
			ownSeries(contract.MetricETagConflict, sum, "somebody else wrote first"),
			ownSeries(contract.MetricDriftOpen, maximum, "drift since the last audit"),
			ownSeries(contract.MetricLeaseHeld, maximum, "age of another run's lease, seconds"),
		}},
		{title: "Throttles", stacked: true, series: throttles},
		{title: "Teardowns", series: []series{
			ownSeries(contract.MetricTeardownStarted, sum, "started"), ownSeries(contract.MetricTeardownClean, sum, "clean"),
			ownSeries(contract.MetricTeardownCancelled, sum, "cancelled"), ownSeries(contract.MetricTeardownDirty, sum, "dirty"),
			ownSeries(contract.MetricTeardownBlocked, sum, "blocked"),
			ownSeries(contract.MetricTeardownsUnresolved, maximum, "unresolved"),
			{machineMetric(p.Machine, "ExecutionsFailed"), "executions failed"},
			{machineMetric(p.Machine, "ExecutionsAborted"), "executions aborted"},
		}},
		{title: "Teardowns: from the tag to clean, seconds", series: []series{ownSeries(contract.MetricTeardownDuration, maximum, "longest")}},
		{title: "Left over", series: []series{
			ownSeries(contract.MetricOrphanENI, sum, "network interfaces left by teardowns"),
			ownSeries(contract.MetricLeaksOpen, maximum, "leaks found by the last audit"),
		}},
		{title: "Isolation", series: []series{
			ownSeries(contract.MetricRefusal, sum, "shares and claims refused"),
			ownSeries(contract.MetricOriginQuarantined, sum, "origins quarantined"),
			ownSeries(contract.MetricSideDoorsOpen, maximum, "side doors open"),
		}},
		{title: "Capacity: percent of the quota that is used most", search: search(p.Hub, contract.MetricQuotaUse, contract.DimensionDistribution)},
	}
}

// layOut arranges the widgets in the 24 columns of a dashboard: the alarms, then three graphs in each row.
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
		if p.search != "" {
			metrics = append(metrics, []any{map[string]any{"expression": p.search, "label": "${PROP('Dim." + contract.DimensionDistribution + "')}"}})
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
