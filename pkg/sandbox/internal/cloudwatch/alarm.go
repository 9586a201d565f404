package cloudwatch

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// States of an alarm.
const (
	stateOK      = "OK"
	stateAlarm   = "ALARM"
	stateUnknown = "INSUFFICIENT_DATA"
)

// alarm is a metric alarm.
type alarm struct {
	account, region string
	name, arn       string
	in              PutMetricAlarmInput

	state, reason string
	changed       time.Time
	history       []string // states, oldest first
	lastError     string   // error of the last action that failed
}

func (a *alarm) snapshot() map[string]any {
	entry := map[string]any{
		"name": a.name, "description": a.in.AlarmDescription, "state": a.state, "reason": a.reason, "since": a.changed,
		"metric": a.in.Namespace + "/" + a.in.MetricName, "history": slices.Clone(a.history),
	}
	if a.lastError != "" {
		entry["lastError"] = a.lastError
	}
	return entry
}

// PutMetricAlarmInput is the input of PutMetricAlarm, for one metric.
type PutMetricAlarmInput struct {
	AlarmName               string
	AlarmDescription        string
	ActionsEnabled          *bool
	AlarmActions            []string
	OKActions               []string
	InsufficientDataActions []string

	Namespace  string
	MetricName string
	Dimensions []Dimension
	Statistic  string
	Unit       string
	Period     int

	EvaluationPeriods  int
	DatapointsToAlarm  int
	Threshold          *float64
	ComparisonOperator string
	TreatMissingData   string
	Tags               []cloud.Tag
}

// Empty is an output without members.
type Empty struct{}

var alarmName = regexp.MustCompile(`^[^\x00-\x1f]{1,255}$`)

// longestDescription is the maximum length of a description.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
const longestDescription = 1024

// putMetricAlarm implements PutMetricAlarm.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
func (s *Service) putMetricAlarm(c *cloud.Call, in *PutMetricAlarmInput) (*Empty, error) {
	arn := "arn:aws:cloudwatch:" + c.Region + ":" + c.Account() + ":alarm:" + in.AlarmName
	if err := c.Authorize("cloudwatch:PutMetricAlarm", arn, nil); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	a := s.alarm(c.Account(), c.Region, in.AlarmName)
	if a == nil {
		a = &alarm{
			account: c.Account(), region: c.Region, name: in.AlarmName, arn: arn,
			state: stateUnknown, reason: "Unchecked: Initial alarm creation", changed: c.Now(),
		}
		s.alarms = append(s.alarms, a)
	}
	a.in = *in
	s.arm()
	return &Empty{}, nil
}

func (in *PutMetricAlarmInput) check() error {
	if in.DatapointsToAlarm == 0 {
		in.DatapointsToAlarm = in.EvaluationPeriods
	}
	if in.TreatMissingData == "" {
		in.TreatMissingData = "missing"
	}
	_, known := (summary{}).statistic(in.Statistic)
	_, compared := breaches(in.ComparisonOperator, 0, 0)
	actions := slices.Concat(in.AlarmActions, in.OKActions, in.InsufficientDataActions)
	switch {
	case !alarmName.MatchString(in.AlarmName):
		return invalid("AlarmName %q is not valid.", in.AlarmName)
	case len(in.AlarmDescription) > longestDescription:
		return invalid("AlarmDescription of %s has %d characters; the maximum is %d.", in.AlarmName, len(in.AlarmDescription), longestDescription)
	case in.Namespace == "" || in.MetricName == "":
		return invalid("Alarm %s has no metric; the sandbox does not support metric math.", in.AlarmName)
	case unknownMetric(in.Namespace, in.MetricName) != "":
		return invalid("Alarm %s: %s", in.AlarmName, unknownMetric(in.Namespace, in.MetricName))
	case !known:
		return invalid("The sandbox does not know statistic %q of alarm %s.", in.Statistic, in.AlarmName)
	case in.Period < 60 || in.Period%60 != 0:
		return invalid("Period %d of alarm %s is not a multiple of 60 seconds.", in.Period, in.AlarmName)
	case in.EvaluationPeriods < 1 || time.Duration(in.EvaluationPeriods*in.Period)*time.Second > kept:
		return invalid("Alarm %s evaluates %d periods of %d seconds; the sandbox supports an evaluation range of at most one day.", in.AlarmName, in.EvaluationPeriods, in.Period)
	case in.DatapointsToAlarm < 1 || in.DatapointsToAlarm > in.EvaluationPeriods:
		return invalid("DatapointsToAlarm of alarm %s must be from 1 to EvaluationPeriods.", in.AlarmName)
	case in.Threshold == nil:
		return invalid("Threshold of alarm %s is missing.", in.AlarmName)
	case !compared:
		return invalid("ComparisonOperator %q of alarm %s is not valid.", in.ComparisonOperator, in.AlarmName)
	case !slices.Contains([]string{"missing", "ignore", "breaching", "notBreaching"}, in.TreatMissingData):
		return invalid("TreatMissingData %q of alarm %s is not valid.", in.TreatMissingData, in.AlarmName)
	}
	for _, action := range actions {
		if !strings.HasPrefix(action, "arn:aws:sns:") {
			return invalid("Action %s of alarm %s is not a topic; the sandbox supports only topics.", action, in.AlarmName)
		}
	}
	return nil
}

func (s *Service) alarm(account, region, name string) *alarm {
	for _, a := range s.alarms {
		if a.account == account && a.region == region && a.name == name {
			return a
		}
	}
	return nil
}

// DescribeAlarmsInput is the input of DescribeAlarms.
type DescribeAlarmsInput struct {
	AlarmNames      []string
	AlarmNamePrefix string
	AlarmTypes      []string
	StateValue      string
	MaxRecords      int
	NextToken       string
}

// DescribeAlarmsOutput is the output of DescribeAlarms.
type DescribeAlarmsOutput struct {
	MetricAlarms []MetricAlarm
	NextToken    string `json:",omitempty"`
}

// MetricAlarm is an alarm in the output of DescribeAlarms.
type MetricAlarm struct {
	AlarmName        string
	AlarmArn         string
	AlarmDescription string
	ActionsEnabled   bool
	AlarmActions     []string
	OKActions        []string

	Namespace  string
	MetricName string
	Dimensions []Dimension
	Statistic  string
	Period     int

	EvaluationPeriods  int
	DatapointsToAlarm  int
	Threshold          float64
	ComparisonOperator string
	TreatMissingData   string

	StateValue            string
	StateReason           string
	StateUpdatedTimestamp time.Time
}

// describeAlarms implements DescribeAlarms.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
func (s *Service) describeAlarms(c *cloud.Call, in *DescribeAlarmsInput) (*DescribeAlarmsOutput, error) {
	if err := c.Authorize("cloudwatch:DescribeAlarms", "arn:aws:cloudwatch:"+c.Region+":"+c.Account()+":alarm:*", nil); err != nil {
		return nil, err
	}
	out := &DescribeAlarmsOutput{}
	for _, a := range s.alarms {
		if a.account != c.Account() || a.region != c.Region || !strings.HasPrefix(a.name, in.AlarmNamePrefix) ||
			len(in.AlarmNames) > 0 && !slices.Contains(in.AlarmNames, a.name) || in.StateValue != "" && in.StateValue != a.state ||
			len(in.AlarmTypes) > 0 && !slices.Contains(in.AlarmTypes, "MetricAlarm") {
			continue
		}
		out.MetricAlarms = append(out.MetricAlarms, MetricAlarm{
			AlarmName: a.name, AlarmArn: a.arn, AlarmDescription: a.in.AlarmDescription, ActionsEnabled: a.enabled(),
			AlarmActions: a.in.AlarmActions, OKActions: a.in.OKActions,
			Namespace: a.in.Namespace, MetricName: a.in.MetricName, Dimensions: a.in.Dimensions, Statistic: a.in.Statistic, Period: a.in.Period,
			EvaluationPeriods: a.in.EvaluationPeriods, DatapointsToAlarm: a.in.DatapointsToAlarm, Threshold: *a.in.Threshold,
			ComparisonOperator: a.in.ComparisonOperator, TreatMissingData: a.in.TreatMissingData,
			StateValue: a.state, StateReason: a.reason, StateUpdatedTimestamp: a.changed,
		})
	}
	size := cmp.Or(in.MaxRecords, 50)
	if size < 1 || size > 100 {
		return nil, invalid("The value %d for parameter MaxRecords is not valid: it must be from 1 to 100.", size)
	}
	var ok bool
	if out.MetricAlarms, out.NextToken, ok = cloud.Page(out.MetricAlarms, in.NextToken, size); !ok {
		return nil, cloud.Errorf(400, "InvalidNextToken", "The next token specified is invalid.")
	}
	return out, nil
}

// DeleteAlarmsInput is the input of DeleteAlarms.
type DeleteAlarmsInput struct{ AlarmNames []string }

// deleteAlarms implements DeleteAlarms.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DeleteAlarms.html
func (s *Service) deleteAlarms(c *cloud.Call, in *DeleteAlarmsInput) (*Empty, error) {
	for _, name := range in.AlarmNames {
		arn := "arn:aws:cloudwatch:" + c.Region + ":" + c.Account() + ":alarm:" + name
		if err := c.Authorize("cloudwatch:DeleteAlarms", arn, nil); err != nil {
			return nil, err
		}
		if s.alarm(c.Account(), c.Region, name) == nil {
			return nil, cloud.Errorf(404, "ResourceNotFound", "Alarm %s does not exist.", name)
		}
	}
	if len(in.AlarmNames) == 0 {
		return nil, invalid("AlarmNames names no alarm.")
	}
	s.alarms = slices.DeleteFunc(s.alarms, func(a *alarm) bool {
		return a.account == c.Account() && a.region == c.Region && slices.Contains(in.AlarmNames, a.name)
	})
	return &Empty{}, nil
}

func (a *alarm) enabled() bool { return a.in.ActionsEnabled == nil || *a.in.ActionsEnabled }

// breaches compares a value with a threshold.
func breaches(operator string, value, threshold float64) (yes, known bool) {
	switch operator {
	case "GreaterThanOrEqualToThreshold":
		return value >= threshold, true
	case "GreaterThanThreshold":
		return value > threshold, true
	case "LessThanOrEqualToThreshold":
		return value <= threshold, true
	case "LessThanThreshold":
		return value < threshold, true
	}
	return false, false
}

// unknownMetric returns what is wrong with the name of one of AWS's own metrics, or "". Other metrics may have any name.
func unknownMetric(namespace, name string) string {
	known := map[string][]string{
		"AWS/SQS": {
			"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesNotVisible",
			"ApproximateNumberOfMessagesDelayed",
		},
		"AWS/States": {"ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"},
		"AWS/Lambda": {"Invocations", "Errors", "Throttles"},
	}
	if strings.HasPrefix(namespace, "AWS/") && !slices.Contains(known[namespace], name) {
		return fmt.Sprintf("the sandbox measures no %s/%s", namespace, name)
	}
	return ""
}
