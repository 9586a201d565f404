package cloudwatch

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	client "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/front"
	"github.com/originhub/originhub/pkg/sandbox/internal/sns"
)

const (
	hub    = "100000000000"
	region = "us-east-1"
	topic  = "arn:aws:sns:us-east-1:100000000000:alarms"
)

type lab struct {
	*testing.T
	w       *cloud.World
	watch   *Service
	topics  *sns.Service
	client  *client.Client
	url     string
	samples []cloud.Sample
}

func newLab(t *testing.T) *lab {
	l := &lab{T: t, w: cloud.New(cloud.Options{})}
	l.watch = New(l.w, func(measure func(cloud.Sample)) {
		for _, v := range l.samples {
			measure(v)
		}
	})
	l.topics = sns.New(l.w)
	l.w.Register(l.watch.API(), l.topics.API())
	door, err := front.New(front.Options{World: l.w})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(door)
	l.url = server.URL
	t.Cleanup(server.Close)
	l.client = client.New(client.Options{
		Region: region, BaseEndpoint: aws.String(server.URL), Credentials: credentials.NewStaticCredentialsProvider(hub, "s", ""),
		RetryMaxAttempts: 1,
	})
	if _, err := l.w.Invoke(cloud.Root(hub), region, "sns", "CreateTopic", &sns.CreateTopicInput{Name: "alarms"}); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *lab) alarm(change func(*client.PutMetricAlarmInput)) {
	l.Helper()
	in := &client.PutMetricAlarmInput{
		AlarmName: aws.String("deep"), AlarmDescription: aws.String("run this"), AlarmActions: []string{topic},
		Namespace: aws.String("AWS/SQS"), MetricName: aws.String("ApproximateNumberOfMessagesVisible"), Statistic: types.StatisticMaximum,
		Dimensions: []types.Dimension{{Name: aws.String("QueueName"), Value: aws.String("q")}}, Period: aws.Int32(60),
		EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(0.5), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
		TreatMissingData: aws.String("notBreaching"),
	}
	if change != nil {
		change(in)
	}
	if _, err := l.client.PutMetricAlarm(context.Background(), in); err != nil {
		l.Fatal(err)
	}
}

func (l *lab) depth(n float64) {
	l.samples = []cloud.Sample{{
		Account: hub, Region: region, Namespace: "AWS/SQS", Name: "ApproximateNumberOfMessagesVisible",
		Dimensions: map[string]string{"QueueName": "q"}, Value: n,
	}}
}

func (l *lab) state() string {
	l.Helper()
	out, err := l.client.DescribeAlarms(context.Background(), &client.DescribeAlarmsInput{AlarmNames: []string{"deep"}})
	if err != nil || len(out.MetricAlarms) != 1 {
		l.Fatalf("%+v, %v", out, err)
	}
	return string(out.MetricAlarms[0].StateValue)
}

func (l *lab) messages() []sns.Message {
	var list []sns.Message
	l.w.Do(func() {
		list = l.topics.Snapshot(hub)["topics"].([]any)[0].(map[string]any)["messages"].([]sns.Message)
	})
	return list
}

func TestAssumption_MON_03_QueueDepthRaisesAnAlarmAndClearsIt(t *testing.T) {
	l := newLab(t)
	l.alarm(nil)
	if got := l.state(); got != "INSUFFICIENT_DATA" {
		t.Errorf("a new alarm is %s", got)
	}
	l.depth(0)
	l.w.Clock.Advance(2 * time.Minute)
	if got := l.state(); got != "OK" {
		t.Errorf("over an empty queue it is %s", got)
	}
	l.depth(1)
	l.w.Clock.Advance(2 * time.Minute)
	if got := l.state(); got != "ALARM" {
		t.Errorf("over a message it is %s", got)
	}
	l.depth(0)
	l.w.Clock.Advance(2 * time.Minute)
	if got := l.state(); got != "OK" {
		t.Errorf("after it, it is %s", got)
	}
	if got := len(l.messages()); got != 1 {
		t.Errorf("%d messages, want one for one alarm", got)
	}
}

func TestAssumption_MON_04_MessageHoldsTheDescription(t *testing.T) {
	l := newLab(t)
	l.alarm(nil)
	l.depth(3)
	l.w.Clock.Advance(2 * time.Minute)
	messages := l.messages()
	if len(messages) != 1 || messages[0].Subject != `ALARM: "deep" in us-east-1` || messages[0].By != "cloudwatch.amazonaws.com" {
		t.Fatalf("messages %+v", messages)
	}
	var m map[string]any
	if err := json.Unmarshal([]byte(messages[0].Body), &m); err != nil {
		t.Fatal(err)
	}
	if m["AlarmDescription"] != "run this" || m["NewStateValue"] != "ALARM" || !strings.Contains(m["NewStateReason"].(string), "[3 (09:0") {
		t.Errorf("message %v", m)
	}
}

func TestAssumption_MON_01_EmbeddedMetricCountsWhenItsLineArrives(t *testing.T) {
	l := newLab(t)
	line := `{"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"n","Dimensions":[["Hub"],["Hub","Absent"]],` +
		`"Metrics":[{"Name":"M","Unit":"Count"}]}]},"Hub":"first","M":2}`
	l.watch.Line(hub, region, line)
	l.watch.Line(hub, region, line)
	l.watch.Line(hub, region, `{"message":"no metric, \"_aws\""}`)
	l.watch.Line(hub, region, `{"_aws": broken`)
	ctx := context.Background()
	list, err := l.client.ListMetrics(ctx, &client.ListMetricsInput{Namespace: aws.String("n")})
	if err != nil || len(list.Metrics) != 1 || len(list.Metrics[0].Dimensions) != 1 {
		t.Fatalf("metrics %+v, %v", list, err)
	}
	now := l.w.Clock.Now()
	data, err := l.client.GetMetricData(ctx, &client.GetMetricDataInput{
		StartTime: aws.Time(now.Add(-time.Hour)), EndTime: aws.Time(now.Add(time.Minute)),
		MetricDataQueries: []types.MetricDataQuery{{Id: aws.String("m"), MetricStat: &types.MetricStat{
			Metric: &list.Metrics[0], Period: aws.Int32(60), Stat: aws.String("Sum"),
		}}},
	})
	if err != nil || !slices.Equal(data.MetricDataResults[0].Values, []float64{4}) || !data.MetricDataResults[0].Timestamps[0].Equal(now.Truncate(time.Minute)) {
		t.Errorf("data %+v, %v", data, err)
	}
}

func TestAssumption_MON_02_MissingData(t *testing.T) {
	for treated, want := range map[string]string{
		"missing": "INSUFFICIENT_DATA", "ignore": "INSUFFICIENT_DATA", "breaching": "ALARM", "notBreaching": "OK",
	} {
		l := newLab(t)
		l.alarm(func(in *client.PutMetricAlarmInput) {
			in.TreatMissingData, in.EvaluationPeriods, in.DatapointsToAlarm = &treated, aws.Int32(3), aws.Int32(2)
		})
		l.w.Clock.Advance(5 * time.Minute)
		if got := l.state(); got != want {
			t.Errorf("%s: %s, want %s", treated, got, want)
		}
	}
}

func TestTwoOutOfThree(t *testing.T) {
	l := newLab(t)
	l.alarm(func(in *client.PutMetricAlarmInput) {
		in.EvaluationPeriods, in.DatapointsToAlarm = aws.Int32(3), aws.Int32(2)
	})
	for _, step := range []struct {
		depth float64
		want  string // of what was measured in the minutes before
	}{{1, "OK"}, {0, "OK"}, {1, "OK"}, {0, "ALARM"}, {0, "OK"}, {0, "OK"}} {
		l.depth(step.depth)
		l.w.Clock.Advance(time.Minute)
		if got := l.state(); got != step.want {
			t.Errorf("at %s it is %s, want %s", l.w.Clock.Now(), got, step.want)
		}
	}
}

func TestAlarmsKeepNobodyBusy(t *testing.T) {
	l := newLab(t)
	l.alarm(nil)
	if !l.w.Clock.UntilIdle(time.Hour) || l.w.Clock.Now().Sub(cloud.DefaultStart) > time.Minute {
		t.Error("an idle world waits for its alarms")
	}
}

func TestWhatIsRefused(t *testing.T) {
	l := newLab(t)
	ctx := context.Background()
	var invalid *types.InvalidParameterValueException
	for name, change := range map[string]func(*client.PutMetricAlarmInput){
		"a metric that AWS does not have": func(in *client.PutMetricAlarmInput) { in.MetricName = aws.String("Depth") },
		"an action that is no topic":      func(in *client.PutMetricAlarmInput) { in.AlarmActions = []string{"arn:aws:lambda:x"} },
		"a period of a second":            func(in *client.PutMetricAlarmInput) { in.Period = aws.Int32(1) },
		"more than a day":                 func(in *client.PutMetricAlarmInput) { in.EvaluationPeriods = aws.Int32(1500) },
		"a description that is too long":  func(in *client.PutMetricAlarmInput) { in.AlarmDescription = aws.String(strings.Repeat("x", 1025)) },
		"no threshold":                    func(in *client.PutMetricAlarmInput) { in.Threshold = nil },
	} {
		in := &client.PutMetricAlarmInput{
			AlarmName: aws.String("a"), Namespace: aws.String("AWS/SQS"), MetricName: aws.String("ApproximateAgeOfOldestMessage"),
			Statistic: types.StatisticMaximum, Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(1),
			ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
		}
		change(in)
		if _, err := l.client.PutMetricAlarm(ctx, in); !errors.As(err, &invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, body := range map[string]string{
		"no JSON":        `{`,
		"unknown metric": `{"widgets":[{"type":"metric","x":0,"y":0,"width":6,"height":6,"properties":{"region":"r","metrics":[["AWS/SQS","Depth"]]}}]}`,
		"unknown property": `{"widgets":[{"type":"metric","x":0,"y":0,"width":6,"height":6,"properties":{"region":"r","color":"red",` +
			`"metrics":[["n","m"]]}}]}`,
		"unknown expression": `{"widgets":[{"type":"metric","x":0,"y":0,"width":6,"height":6,"properties":{"region":"r","metrics":[[{"expression":"m1+m2"}]]}}]}`,
		"search for an unknown metric": `{"widgets":[{"type":"metric","x":0,"y":0,"width":6,"height":6,"properties":{"region":"r",` +
			`"metrics":[[{"expression":"SEARCH('{AWS/SQS,QueueName} MetricName=\"Depth\"', 'Maximum')"}]]}}]}`,
		"too wide": `{"widgets":[{"type":"text","x":20,"y":0,"width":6,"height":6,"properties":{"markdown":"a"}}]}`,
	} {
		_, err := l.client.PutDashboard(ctx, &client.PutDashboardInput{DashboardName: aws.String("d"), DashboardBody: aws.String(body)})
		var refused *types.DashboardInvalidInputError
		if !errors.As(err, &refused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDashboard(t *testing.T) {
	l := newLab(t)
	ctx := context.Background()
	body := `{"widgets":[{"type":"metric","x":0,"y":0,"width":12,"height":6,"properties":{"title":"t","region":"us-east-1","view":"timeSeries",` +
		`"stat":"Sum","period":300,"metrics":[["n","m","Hub","h",{"label":"l"}],["AWS/Lambda","Throttles","FunctionName","f"],` +
		`[{"expression":"SEARCH('{n,Hub,D} MetricName=\"m\" Hub=\"h\"', 'Maximum', 300)","label":"l"}]]}}]}`
	name := aws.String("d")
	if _, err := l.client.PutDashboard(ctx, &client.PutDashboardInput{DashboardName: name, DashboardBody: &body}); err != nil {
		t.Fatal(err)
	}
	got, err := l.client.GetDashboard(ctx, &client.GetDashboardInput{DashboardName: name})
	if err != nil || aws.ToString(got.DashboardBody) != body {
		t.Errorf("%+v, %v", got, err)
	}
	for prefix, want := range map[string]int{"": 1, "d": 1, "e": 0} {
		list, err := l.client.ListDashboards(ctx, &client.ListDashboardsInput{DashboardNamePrefix: &prefix})
		if err != nil || len(list.DashboardEntries) != want {
			t.Fatalf("%q: %+v, %v", prefix, list, err)
		}
		for _, e := range list.DashboardEntries {
			if aws.ToString(e.DashboardName) != "d" || aws.ToString(e.DashboardArn) != "arn:aws:cloudwatch::100000000000:dashboard/d" ||
				aws.ToInt64(e.Size) != int64(len(body)) || !e.LastModified.Equal(l.w.Clock.Now()) {
				t.Errorf("%+v", e)
			}
		}
	}
	if _, err := l.client.DeleteDashboards(ctx, &client.DeleteDashboardsInput{DashboardNames: []string{"d"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.client.GetDashboard(ctx, &client.GetDashboardInput{DashboardName: name}); err == nil {
		t.Error("it is there after it was deleted")
	}
	l.alarm(nil)
	if _, err := l.client.DeleteAlarms(ctx, &client.DeleteAlarmsInput{AlarmNames: []string{"deep"}}); err != nil {
		t.Error(err)
	}
}

// The AWS CLI and botocore have not learned CBOR.
func TestClientsWithoutCBORAreAnsweredInJSON(t *testing.T) {
	l := newLab(t)
	r, err := http.NewRequest(http.MethodPost, l.url, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "GraniteServiceVersion20100801.DescribeAlarms")
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+hub+"/20350108/us-east-1/monitoring/aws4_request, SignedHeaders=host, Signature=0")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var out struct{ MetricAlarms []any }
	if err := json.NewDecoder(answer.Body).Decode(&out); err != nil || out.MetricAlarms == nil || answer.StatusCode != http.StatusOK {
		t.Errorf("%s: %v, %v", answer.Status, out, err)
	}
}

// TestErrorCodes: a client reads both the error's type, and the code of the Query protocol that CloudWatch spoke before.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetDashboard.html
func TestErrorCodes(t *testing.T) {
	l := newLab(t)
	ctx := context.Background()
	_, err := l.client.GetDashboard(ctx, &client.GetDashboardInput{DashboardName: aws.String("none")})
	var noDashboard *types.DashboardNotFoundError
	if !errors.As(err, &noDashboard) || noDashboard.ErrorCode() != "ResourceNotFound" {
		t.Errorf("no dashboard: %v", err)
	}
	_, err = l.client.DeleteDashboards(ctx, &client.DeleteDashboardsInput{DashboardNames: []string{"none"}})
	if !errors.As(err, &noDashboard) {
		t.Errorf("deletion of no dashboard: %v", err)
	}
	_, err = l.client.PutDashboard(ctx, &client.PutDashboardInput{DashboardName: aws.String("d"), DashboardBody: aws.String("{")})
	var badDashboard *types.DashboardInvalidInputError
	if !errors.As(err, &badDashboard) || badDashboard.ErrorCode() != "InvalidParameterInput" {
		t.Errorf("invalid dashboard: %v", err)
	}
	_, err = l.client.DeleteAlarms(ctx, &client.DeleteAlarmsInput{AlarmNames: []string{"none"}})
	var noAlarm *types.ResourceNotFound
	if !errors.As(err, &noAlarm) || noAlarm.ErrorCode() != "ResourceNotFound" {
		t.Errorf("no alarm: %v", err)
	}
	_, err = l.client.GetMetricData(ctx, &client.GetMetricDataInput{
		StartTime: aws.Time(l.w.Clock.Now()), EndTime: aws.Time(l.w.Clock.Now()), MetricDataQueries: []types.MetricDataQuery{},
	})
	var invalid *types.InvalidParameterValueException
	if !errors.As(err, &invalid) || invalid.ErrorCode() != "InvalidParameterValue" || invalid.ErrorFault() != smithy.FaultClient {
		t.Errorf("no time range: %v", err)
	}
}
