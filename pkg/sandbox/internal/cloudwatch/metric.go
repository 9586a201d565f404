package cloudwatch

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// kept is the time for which values are kept. It is also the longest evaluation range of an alarm: the sandbox has no multi-day
// alarms.
const kept = 24 * time.Hour

// Dimension is one dimension of a metric.
type Dimension struct {
	Name  string
	Value string
}

// metric is one series of values.
type metric struct {
	account, region string
	namespace, name string
	dimensions      []Dimension // by name
	key             key
	minutes         []summary // oldest first
}

// summary is what the service keeps of one minute's values.
type summary struct {
	at                 time.Time
	count              int
	sum, least, utmost float64
}

// key is the identity of a metric. Another set of dimensions is another metric.
type key struct {
	account, region, namespace, name string
	dimension, value                 string // the only one, or the names and values of several
}

func (a key) compare(b key) int {
	return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.region, b.region), cmp.Compare(a.namespace, b.namespace),
		cmp.Compare(a.name, b.name), cmp.Compare(a.dimension, b.dimension), cmp.Compare(a.value, b.value))
}

// of returns the key of a metric with these dimensions.
func (a key) of(dimensions map[string]string) key {
	if len(dimensions) == 1 { // the usual case
		for a.dimension, a.value = range dimensions {
			return a
		}
	}
	var names, values []string
	for _, name := range slices.Sorted(maps.Keys(dimensions)) {
		names, values = append(names, name), append(values, dimensions[name])
	}
	a.dimension, a.value = strings.Join(names, "\x00"), strings.Join(values, "\x00")
	return a
}

// Measure adds one value. It may be called with or without the world locked.
func (s *Service) Measure(v cloud.Sample) {
	at := s.world.Clock.Now().Truncate(minute)
	s.mu.Lock()
	defer s.mu.Unlock()
	k := key{account: v.Account, region: v.Region, namespace: v.Namespace, name: v.Name}.of(v.Dimensions)
	m := s.metrics[k]
	if m == nil {
		m = &metric{account: v.Account, region: v.Region, namespace: v.Namespace, name: v.Name, key: k}
		for _, name := range slices.Sorted(maps.Keys(v.Dimensions)) {
			m.dimensions = append(m.dimensions, Dimension{name, v.Dimensions[name]})
		}
		s.metrics[k] = m
	}
	m.add(at, v.Value)
}

func (m *metric) add(at time.Time, value float64) {
	last := len(m.minutes) - 1
	if last < 0 || !m.minutes[last].at.Equal(at) {
		if len(m.minutes) > 0 && at.Sub(m.minutes[0].at) > 2*kept {
			old, _ := slices.BinarySearchFunc(m.minutes, at.Add(-kept), func(s summary, t time.Time) int { return s.at.Compare(t) })
			m.minutes = slices.Clone(m.minutes[old:])
		}
		m.minutes = append(m.minutes, summary{at: at, count: 1, sum: value, least: value, utmost: value})
		return
	}
	s := &m.minutes[last]
	s.count++
	s.sum += value
	s.least, s.utmost = min(s.least, value), max(s.utmost, value)
}

// over returns the summary of the values between two times. It may be empty.
func (m *metric) over(from, to time.Time) (all summary, any bool) {
	if m == nil {
		return all, false
	}
	i, _ := slices.BinarySearchFunc(m.minutes, from, func(s summary, t time.Time) int { return s.at.Compare(t) })
	for ; i < len(m.minutes) && m.minutes[i].at.Before(to); i++ {
		s := m.minutes[i]
		if !any {
			all, any = s, true
			continue
		}
		all.count += s.count
		all.sum += s.sum
		all.least, all.utmost = min(all.least, s.least), max(all.utmost, s.utmost)
	}
	return all, any
}

// statistic returns the value of a statistic, and false for a statistic that the sandbox does not know.
func (s summary) statistic(name string) (float64, bool) {
	switch name {
	case "Sum":
		return s.sum, true
	case "Average":
		return s.sum / float64(max(1, s.count)), true
	case "Minimum":
		return s.least, true
	case "Maximum":
		return s.utmost, true
	case "SampleCount":
		return float64(s.count), true
	}
	return 0, false
}

// find returns a metric, or nil if it has no values. Call with s.mu locked.
func (s *Service) find(account, region string, of MetricID) *metric {
	dimensions := make(map[string]string, len(of.Dimensions))
	for _, d := range of.Dimensions {
		dimensions[d.Name] = d.Value
	}
	return s.metrics[key{account: account, region: region, namespace: of.Namespace, name: of.MetricName}.of(dimensions)]
}

func (s *Service) of(account, region string) []*metric {
	var list []*metric
	for _, m := range s.metrics {
		if m.account == account && (region == "" || m.region == region) {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b *metric) int { return a.key.compare(b.key) })
	return list
}

// names returns an account's metrics, each once, whatever its dimensions.
func (s *Service) names(account string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := []string{}
	for _, m := range s.of(account, "") {
		names = append(names, m.namespace+"/"+m.name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// embedded is a log line in embedded metric format.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
type embedded struct {
	AWS *struct {
		Timestamp         int64
		CloudWatchMetrics []struct {
			Namespace  string
			Dimensions [][]string
			Metrics    []struct{ Name, Unit string }
		}
	} `json:"_aws"`
}

// Line adds the values of a function's log line, if the line is in embedded metric format. As at AWS, a malformed line is only a
// log line. Assumption MON-01.
func (s *Service) Line(account, region, text string) {
	if !strings.HasPrefix(text, "{") || !strings.Contains(text, `"_aws"`) {
		return
	}
	var format embedded
	var members map[string]any
	if json.Unmarshal([]byte(text), &format) != nil || json.Unmarshal([]byte(text), &members) != nil || format.AWS == nil {
		return
	}
	for _, directive := range format.AWS.CloudWatchMetrics {
		for _, names := range directive.Dimensions {
			dimensions := map[string]string{}
			for _, name := range names {
				if value, ok := members[name].(string); ok {
					dimensions[name] = value
				}
			}
			if len(dimensions) != len(names) {
				continue
			}
			for _, m := range directive.Metrics {
				if value, ok := members[m.Name].(float64); ok {
					s.Measure(cloud.Sample{
						Account: account, Region: region, Namespace: directive.Namespace, Name: m.Name, Dimensions: dimensions, Value: value,
					})
				}
			}
		}
	}
}

// MetricID names a metric.
type MetricID struct {
	Namespace  string      `json:",omitempty"`
	MetricName string      `json:",omitempty"`
	Dimensions []Dimension `json:",omitempty"`
}

// ListMetricsInput is the input of ListMetrics. A dimension without a value matches any.
type ListMetricsInput struct {
	Namespace  string
	MetricName string
	Dimensions []Dimension
	NextToken  string
}

// ListMetricsOutput is the output of ListMetrics.
type ListMetricsOutput struct {
	Metrics   []MetricID
	NextToken string `json:",omitempty"`
}

// listMetrics implements ListMetrics.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html
func (s *Service) listMetrics(c *cloud.Call, in *ListMetricsInput) (*ListMetricsOutput, error) {
	if err := c.Authorize("cloudwatch:ListMetrics", "*", nil); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := &ListMetricsOutput{}
	for _, m := range s.of(c.Account(), c.Region) {
		if in.Namespace != "" && in.Namespace != m.namespace || in.MetricName != "" && in.MetricName != m.name {
			continue
		}
		if slices.ContainsFunc(in.Dimensions, func(want Dimension) bool {
			return !slices.ContainsFunc(m.dimensions, func(d Dimension) bool {
				return d.Name == want.Name && (want.Value == "" || d.Value == want.Value)
			})
		}) {
			continue
		}
		out.Metrics = append(out.Metrics, MetricID{m.namespace, m.name, m.dimensions})
	}
	var ok bool
	if out.Metrics, out.NextToken, ok = cloud.Page(out.Metrics, in.NextToken, 500); !ok {
		return nil, invalid("The parameter NextToken is not valid.")
	}
	return out, nil
}

// GetMetricDataInput is the input of GetMetricData. The sandbox knows queries for statistics only, and returns one page.
type GetMetricDataInput struct {
	StartTime         time.Time
	EndTime           time.Time
	ScanBy            string
	MaxDatapoints     int
	NextToken         string
	MetricDataQueries []MetricDataQuery
}

// MetricDataQuery asks for one metric.
type MetricDataQuery struct {
	Id         string
	Label      string
	ReturnData *bool
	MetricStat *MetricStat
}

// MetricStat is a metric, a period in seconds, and a statistic.
type MetricStat struct {
	Metric *MetricID
	Period int
	Stat   string
	Unit   string
}

// GetMetricDataOutput is the output of GetMetricData.
type GetMetricDataOutput struct{ MetricDataResults []MetricDataResult }

// MetricDataResult holds the values of one query.
type MetricDataResult struct {
	Id         string
	Label      string
	StatusCode string
	Timestamps []time.Time
	Values     []float64
}

// getMetricData implements GetMetricData.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
func (s *Service) getMetricData(c *cloud.Call, in *GetMetricDataInput) (*GetMetricDataOutput, error) {
	if err := c.Authorize("cloudwatch:GetMetricData", "*", nil); err != nil {
		return nil, err
	}
	if !in.StartTime.Before(in.EndTime) {
		return nil, invalid("The parameter StartTime must be less than the parameter EndTime.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := &GetMetricDataOutput{}
	for _, q := range in.MetricDataQueries {
		if q.MetricStat == nil || q.MetricStat.Metric == nil {
			return nil, invalid("query %q has no MetricStat; the sandbox does not support expressions", q.Id)
		}
		if _, ok := (summary{}).statistic(q.MetricStat.Stat); !ok || q.MetricStat.Period < 60 || q.MetricStat.Period%60 != 0 {
			return nil, invalid("the sandbox does not know statistic %q over %d seconds", q.MetricStat.Stat, q.MetricStat.Period)
		}
		m, period := s.find(c.Account(), c.Region, *q.MetricStat.Metric), time.Duration(q.MetricStat.Period)*time.Second
		result := MetricDataResult{Id: q.Id, Label: cmp.Or(q.Label, q.MetricStat.Metric.MetricName), StatusCode: "Complete"}
		for at := in.StartTime.Truncate(period); at.Before(in.EndTime); at = at.Add(period) {
			if values, any := m.over(at, at.Add(period)); any {
				value, _ := values.statistic(q.MetricStat.Stat)
				result.Timestamps, result.Values = append(result.Timestamps, at), append(result.Values, value)
			}
		}
		if in.ScanBy != "TimestampAscending" {
			slices.Reverse(result.Timestamps)
			slices.Reverse(result.Values)
		}
		out.MetricDataResults = append(out.MetricDataResults, result)
	}
	return out, nil
}

func invalid(format string, args ...any) error {
	return cloud.Errorf(400, "InvalidParameterValueException", format, args...)
}
