// Package cloudwatchlogs emulates the part of CloudWatch Logs with which an operator reads the log lines of functions.
package cloudwatchlogs

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/lambda"
)

// Service emulates CloudWatch Logs. It has no state of its own, because package lambda keeps the log groups.
type Service struct {
	groups func(account string) []lambda.LogGroup
}

// New returns the service. groups returns an account's log groups by Region and name. It is called with the world locked.
func New(groups func(account string) []lambda.LogGroup) *Service { return &Service{groups: groups} }

// API returns the operations that the sandbox implements.
func (s *Service) API() *cloud.Service {
	return &cloud.Service{
		Name: "logs", Protocol: cloud.JSON11, EventSource: "logs.amazonaws.com", TargetPrefix: "Logs_20140328",
		Operations: []cloud.Operation{
			cloud.Op(cloud.Operation{Name: "DescribeLogGroups", ReadOnly: true}, s.describeLogGroups),
			cloud.Op(cloud.Operation{Name: "FilterLogEvents", ReadOnly: true, DataPlane: true}, s.filterLogEvents),
		},
	}
}

// ResourceTypes returns nothing, because package lambda deploys log groups.
func (s *Service) ResourceTypes() []cloud.ResourceType { return nil }

// Snapshot returns nothing, because package lambda shows the log groups.
func (s *Service) Snapshot(string) map[string]any { return map[string]any{} }

// of returns the log groups of the call's account and Region.
func (s *Service) of(c *cloud.Call) []lambda.LogGroup {
	return slices.DeleteFunc(s.groups(c.Account()), func(g lambda.LogGroup) bool { return g.Region != c.Region })
}

// DescribeLogGroupsInput is the input of DescribeLogGroups.
type DescribeLogGroupsInput struct {
	LogGroupNamePrefix  string `json:"logGroupNamePrefix"`
	LogGroupNamePattern string `json:"logGroupNamePattern"`
	NextToken           string `json:"nextToken"`
	Limit               *int   `json:"limit"`
}

// DescribeLogGroupsOutput is one page.
type DescribeLogGroupsOutput struct {
	LogGroups []LogGroup `json:"logGroups"`
	NextToken string     `json:"nextToken,omitempty"`
}

// LogGroup is a log group in the output of DescribeLogGroups. Its Arn ends in ":*", LogGroupArn does not.
type LogGroup struct {
	LogGroupName      string `json:"logGroupName"`
	CreationTime      int64  `json:"creationTime"`
	RetentionInDays   int    `json:"retentionInDays,omitempty"`
	MetricFilterCount int    `json:"metricFilterCount"`
	Arn               string `json:"arn"`
	LogGroupArn       string `json:"logGroupArn"`
	LogGroupClass     string `json:"logGroupClass"`
	StoredBytes       int    `json:"storedBytes"`
	KmsKeyID          string `json:"kmsKeyId,omitempty"`
}

const mostGroups = 50 // the maximum and default of a page

// describeLogGroups implements DescribeLogGroups. It is authorized on no particular log group (assumption LOGS-03).
// describeLogGroups implements DescribeLogGroups.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogGroups.html
func (s *Service) describeLogGroups(c *cloud.Call, in *DescribeLogGroupsInput) (*DescribeLogGroupsOutput, error) {
	anything := "arn:aws:logs:" + c.Region + ":" + c.Account() + ":log-group::log-stream:"
	if err := c.Authorize("logs:DescribeLogGroups", anything, nil); err != nil {
		return nil, err
	}
	if in.LogGroupNamePrefix != "" && in.LogGroupNamePattern != "" {
		return nil, invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
	}
	size, err := limit(in.Limit, mostGroups)
	if err != nil {
		return nil, err
	}
	all := slices.DeleteFunc(s.of(c), func(g lambda.LogGroup) bool {
		return !strings.HasPrefix(g.Name, in.LogGroupNamePrefix) ||
			!strings.Contains(strings.ToLower(g.Name), strings.ToLower(in.LogGroupNamePattern))
	})
	from, err := position(in.NextToken, len(all))
	if err != nil {
		return nil, err
	}
	to := min(from+size, len(all))
	out := &DescribeLogGroupsOutput{}
	for _, g := range all[from:to] {
		out.LogGroups = append(out.LogGroups, LogGroup{
			LogGroupName: g.Name, CreationTime: g.Created.UnixMilli(), RetentionInDays: g.RetentionInDays, Arn: g.ARN + ":*", LogGroupArn: g.ARN,
			LogGroupClass: "STANDARD", StoredBytes: g.Bytes, KmsKeyID: g.Key,
		})
	}
	if to < len(all) {
		out.NextToken = strconv.Itoa(to)
	}
	return out, nil
}

// FilterLogEventsInput is the input of FilterLogEvents. Interleaved has no effect, as at AWS.
type FilterLogEventsInput struct {
	LogGroupName        string   `json:"logGroupName"`
	LogGroupIdentifier  string   `json:"logGroupIdentifier"` // name or ARN
	LogStreamNames      []string `json:"logStreamNames"`
	LogStreamNamePrefix string   `json:"logStreamNamePrefix"`
	StartTime           *int64   `json:"startTime"` // milliseconds since 1970
	EndTime             *int64   `json:"endTime"`
	FilterPattern       string   `json:"filterPattern"`
	NextToken           string   `json:"nextToken"`
	Limit               *int     `json:"limit"`
	Interleaved         bool     `json:"interleaved"`
}

// FilterLogEventsOutput is one page of lines. Like AWS, it does not list the searched streams.
type FilterLogEventsOutput struct {
	Events             []FilteredLogEvent `json:"events"`
	SearchedLogStreams []string           `json:"searchedLogStreams"`
	NextToken          string             `json:"nextToken,omitempty"`
}

// FilteredLogEvent is one line.
type FilteredLogEvent struct {
	LogStreamName string `json:"logStreamName"`
	Timestamp     int64  `json:"timestamp"`
	Message       string `json:"message"`
	IngestionTime int64  `json:"ingestionTime"`
	EventID       string `json:"eventId"`
}

// These are the limits of a page.
const (
	mostEvents = 10_000
	mostBytes  = 1 << 20
)

// filterLogEvents implements FilterLogEvents.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
func (s *Service) filterLogEvents(c *cloud.Call, in *FilterLogEventsInput) (*FilterLogEventsOutput, error) {
	if (in.LogGroupName == "") == (in.LogGroupIdentifier == "") {
		return nil, invalid("Exactly one of logGroupName and logGroupIdentifier has to be specified.")
	}
	prefix := "arn:aws:logs:" + c.Region + ":" + c.Account() + ":log-group:"
	name := strings.TrimPrefix(cmp.Or(in.LogGroupName, in.LogGroupIdentifier), prefix)
	// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html#CWL_ARN_Format
	if err := c.Authorize("logs:FilterLogEvents", prefix+name+":*", nil); err != nil {
		return nil, err
	}
	wanted, err := in.lines()
	if err != nil {
		return nil, err
	}
	size, err := limit(in.Limit, mostEvents)
	if err != nil {
		return nil, err
	}
	groups := s.of(c)
	i := slices.IndexFunc(groups, func(g lambda.LogGroup) bool { return g.Name == name })
	if i < 0 {
		return nil, cloud.Errorf(400, "ResourceNotFoundException", "The specified log group does not exist.")
	}
	return page(groups[i], in.NextToken, wanted, size)
}

// lines returns the condition of the input on a line.
func (in *FilterLogEventsInput) lines() (func(lambda.LogLine) bool, error) {
	if len(in.LogStreamNames) > 0 && in.LogStreamNamePrefix != "" {
		return nil, invalid("Only one of logStreamNames and logStreamNamePrefix can be specified.")
	}
	if in.StartTime != nil && in.EndTime != nil && *in.StartTime > *in.EndTime {
		return nil, invalid("endTime is before startTime.")
	}
	matches, err := parsePattern(in.FilterPattern)
	if err != nil {
		return nil, err
	}
	return func(l lambda.LogLine) bool {
		at := l.Time.UnixMilli()
		return (in.StartTime == nil || at >= *in.StartTime) && (in.EndTime == nil || at <= *in.EndTime) &&
			(len(in.LogStreamNames) == 0 || slices.Contains(in.LogStreamNames, l.Stream)) &&
			strings.HasPrefix(l.Stream, in.LogStreamNamePrefix) && matches(l.Message)
	}, nil
}

// page returns the matching lines of a log group from a token on. A token counts all lines that were ever written, so it stays
// valid when old lines are dropped and new lines arrive.
func page(g lambda.LogGroup, token string, wanted func(lambda.LogLine) bool, size int) (*FilterLogEventsOutput, error) {
	from, err := position(token, g.Dropped+len(g.Lines))
	if err != nil {
		return nil, err
	}
	out := &FilterLogEventsOutput{}
	bytes := 0
	for i := max(from-g.Dropped, 0); i < len(g.Lines); i++ {
		l := g.Lines[i]
		if !wanted(l) {
			continue
		}
		if bytes += len(l.Message); len(out.Events) == size || bytes > mostBytes && len(out.Events) > 0 {
			out.NextToken = strconv.Itoa(g.Dropped + i)
			break
		}
		at := l.Time.UnixMilli()
		out.Events = append(out.Events, FilteredLogEvent{
			LogStreamName: l.Stream, Timestamp: at, IngestionTime: at, Message: l.Message, EventID: fmt.Sprintf("%056d", g.Dropped+i),
		})
	}
	return out, nil
}

// limit returns the number of lines in a page.
func limit(given *int, most int) (int, error) {
	if given == nil {
		return most, nil
	}
	if *given < 1 || *given > most {
		return 0, invalid("limit must be from 1 to %d, not %d.", most, *given)
	}
	return *given, nil
}

// position reads a page's token.
func position(token string, most int) (int, error) {
	if token == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(token)
	if err != nil || n < 0 || n > most {
		return 0, invalid("The specified nextToken is invalid.")
	}
	return n, nil
}

func invalid(format string, args ...any) error {
	return cloud.Errorf(400, "InvalidParameterException", format, args...)
}
