package cloudwatchlogs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/lambda"
	"github.com/originhub/originhub/pkg/sandbox/internal/wire/wiretest"
)

const (
	hub    = "100000000000"
	region = "us-east-1"
	group  = "/aws/lambda/wire"
	arn    = "arn:aws:logs:us-east-1:100000000000:log-group:" + group
)

// lines has one line a minute, in turns of the streams a and b.
func lines(texts ...string) []lambda.LogLine {
	var list []lambda.LogLine
	for i, text := range texts {
		list = append(list, lambda.LogLine{Time: cloud.DefaultStart.Add(time.Duration(i) * time.Minute), Stream: string("ab"[i%2]), Message: text})
	}
	return list
}

type lab struct {
	*testing.T
	w      *cloud.World
	groups []lambda.LogGroup
	client *client.Client
}

func newLab(t *testing.T, texts ...string) *lab {
	l := &lab{T: t, w: cloud.New(cloud.Options{}), groups: []lambda.LogGroup{
		{Region: region, Name: group, ARN: arn, RetentionInDays: 30, Key: "arn:key", Created: cloud.DefaultStart, Lines: lines(texts...)},
	}}
	l.w.Register(New(func(account string) []lambda.LogGroup {
		if account != hub {
			return nil
		}
		return slices.Clone(l.groups)
	}).API())
	l.client = client.NewFromConfig(wiretest.Config(t, l.w, "logs", hub, region))
	return l
}

// filter answers the messages of all pages.
func (l *lab) filter(in *client.FilterLogEventsInput) (messages []string) {
	l.Helper()
	if in.LogGroupIdentifier == nil {
		in.LogGroupName = aws.String(group)
	}
	seen := map[string]bool{}
	for pages := client.NewFilterLogEventsPaginator(l.client, in); pages.HasMorePages(); {
		out, err := pages.NextPage(context.Background())
		if err != nil {
			l.Fatal(err)
		}
		for _, e := range out.Events {
			messages = append(messages, aws.ToString(e.Message))
			if seen[aws.ToString(e.EventId)] {
				l.Errorf("two events have the id %s", aws.ToString(e.EventId))
			}
			seen[aws.ToString(e.EventId)] = true
		}
	}
	return messages
}

func code(err error) string {
	var api interface{ ErrorCode() string }
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

func TestPatterns(t *testing.T) {
	const (
		failed = `{"level":"ERROR","msg":"sweep failed"}`
		died   = `{"errorType":"Runtime.ExitError"}`
		found  = `{"level":"WARN","detail-type":"Out-Of-Band Change Found"}`
		fine   = `{"level":"INFO","msg":"Change of a hand"}`
	)
	l := newLab(t, failed, died, found, fine)
	for pattern, want := range map[string][]string{
		"":                               {failed, died, found, fine},
		`" "`:                            {failed, died, found, fine},
		"?ERROR ?errorType ?timeout":     {failed, died},
		`"Out-Of-Band Change Found"`:     {found},
		`?"sweep failed" ?"Out-Of-Band"`: {failed, found},
		"ERROR":                          {failed},
		"error":                          {died},
		"level  msg":                     {failed, fine},
		`"level" "Change Found"`:         {found},
		"nowhere":                        nil,
	} {
		if got := l.filter(&client.FilterLogEventsInput{FilterPattern: &pattern}); !slices.Equal(got, want) {
			t.Errorf("%s finds %q", pattern, got)
		}
	}
}

func TestWhatThePatternMayNotBe(t *testing.T) {
	l := newLab(t, "x")
	for pattern, want := range map[string]struct{ code, says string }{
		`{ $.level = "ERROR" }`: {"NotImplemented", "JSON patterns"},
		"[time, level]":         {"NotImplemented", "space-delimited patterns"},
		"%ERR.R%":               {"NotImplemented", "regular expressions"},
		"ERROR -sweep":          {"NotImplemented", "terms to exclude"},
		"?ERROR sweep":          {"NotImplemented", "question mark"},
		`"\"level\""`:           {"NotImplemented", `a \ in a phrase`},
		"Out-Of-Band":           {"InvalidParameterException", "Out-Of-Band"},
		"?":                     {"InvalidParameterException", "term"},
		`"Out-Of-Band`:          {"InvalidParameterException", "quotation mark"},
	} {
		_, err := l.client.FilterLogEvents(context.Background(), &client.FilterLogEventsInput{LogGroupName: aws.String(group), FilterPattern: &pattern})
		if code(err) != want.code || !strings.Contains(err.Error(), want.says) {
			t.Errorf("%s: %v", pattern, err)
		}
	}
}

// `aws logs tail` asks like this; the ARN is what DescribeLogGroups calls LogGroupArn.
func TestTimeStreamsAndIdentifier(t *testing.T) {
	l := newLab(t, "0", "1", "2", "3", "4")
	at := func(minutes int) *int64 {
		return aws.Int64(cloud.DefaultStart.Add(time.Duration(minutes) * time.Minute).UnixMilli())
	}
	for name, test := range map[string]struct {
		in   client.FilterLogEventsInput
		want string
	}{
		"since":          {client.FilterLogEventsInput{StartTime: at(3), Interleaved: aws.Bool(true)}, "3 4"},
		"between":        {client.FilterLogEventsInput{StartTime: at(1), EndTime: at(2)}, "1 2"},
		"at the start":   {client.FilterLogEventsInput{EndTime: aws.Int64(0)}, ""},
		"one stream":     {client.FilterLogEventsInput{LogStreamNames: []string{"b"}}, "1 3"},
		"streams so":     {client.FilterLogEventsInput{LogStreamNamePrefix: aws.String("a")}, "0 2 4"},
		"by name":        {client.FilterLogEventsInput{LogGroupIdentifier: aws.String(group), StartTime: at(4)}, "4"},
		"by ARN":         {client.FilterLogEventsInput{LogGroupIdentifier: aws.String(arn), StartTime: at(4)}, "4"},
		"in small pages": {client.FilterLogEventsInput{Limit: aws.Int32(2)}, "0 1 2 3 4"},
	} {
		if got := strings.Join(l.filter(&test.in), " "); got != test.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestATokenHoldsWhenLinesAreDropped(t *testing.T) {
	l := newLab(t, "0", "1", "2", "3", "4")
	in := &client.FilterLogEventsInput{LogGroupName: aws.String(group), Limit: aws.Int32(2)}
	first, err := l.client.FilterLogEvents(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	l.groups[0].Lines, l.groups[0].Dropped = l.groups[0].Lines[1:], 1
	in.NextToken, in.Limit = first.NextToken, nil
	if got := strings.Join(l.filter(in), " "); got != "2 3 4" {
		t.Errorf("%q", got)
	}
}

func TestAPageHoldsAMegabyte(t *testing.T) {
	half := strings.Repeat("x", 600_000)
	l := newLab(t, half, half, "end")
	out, err := l.client.FilterLogEvents(context.Background(), &client.FilterLogEventsInput{LogGroupName: aws.String(group)})
	if err != nil || len(out.Events) != 1 || out.NextToken == nil {
		t.Errorf("%d events, %v", len(out.Events), err)
	}
}

func TestRefusals(t *testing.T) {
	l := newLab(t, "x")
	here := aws.String(group)
	for name, test := range map[string]struct {
		in   client.FilterLogEventsInput
		want string
	}{
		"no group":                {client.FilterLogEventsInput{}, "InvalidParameterException"},
		"name and identifier":     {client.FilterLogEventsInput{LogGroupName: here, LogGroupIdentifier: here}, "InvalidParameterException"},
		"an unknown group":        {client.FilterLogEventsInput{LogGroupName: aws.String("/aws/lambda/other")}, "ResourceNotFoundException"},
		"names and a prefix":      {client.FilterLogEventsInput{LogGroupName: here, LogStreamNames: []string{"a"}, LogStreamNamePrefix: here}, "InvalidParameterException"},
		"an end before a start":   {client.FilterLogEventsInput{LogGroupName: here, StartTime: aws.Int64(2), EndTime: aws.Int64(1)}, "InvalidParameterException"},
		"too much":                {client.FilterLogEventsInput{LogGroupName: here, Limit: aws.Int32(10_001)}, "InvalidParameterException"},
		"another service's token": {client.FilterLogEventsInput{LogGroupName: here, NextToken: aws.String("2")}, "InvalidParameterException"},
	} {
		if _, err := l.client.FilterLogEvents(context.Background(), &test.in); code(err) != test.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLogGroups(t *testing.T) {
	l := newLab(t)
	l.groups = append(l.groups, lambda.LogGroup{Region: region, Name: "hub", ARN: "x"}, lambda.LogGroup{Region: "eu-west-1", Name: "far"})
	names := func(in *client.DescribeLogGroupsInput) (names string) {
		for pages := client.NewDescribeLogGroupsPaginator(l.client, in); pages.HasMorePages(); {
			out, err := pages.NextPage(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range out.LogGroups {
				names += aws.ToString(g.LogGroupName) + " "
			}
		}
		return names
	}
	for want, in := range map[string]*client.DescribeLogGroupsInput{
		"/aws/lambda/wire hub ": {Limit: aws.Int32(1)},
		"/aws/lambda/wire ":     {LogGroupNamePrefix: aws.String("/aws/lambda/")},
		"hub ":                  {LogGroupNamePattern: aws.String("UB")},
	} {
		if got := names(in); got != want {
			t.Errorf("%q instead of %q", got, want)
		}
	}
	out, err := l.client.DescribeLogGroups(context.Background(), &client.DescribeLogGroupsInput{})
	if err != nil {
		t.Fatal(err)
	}
	g := out.LogGroups[0]
	if aws.ToString(g.Arn) != arn+":*" || aws.ToString(g.LogGroupArn) != arn || aws.ToInt32(g.RetentionInDays) != 30 || aws.ToString(g.KmsKeyId) != "arn:key" ||
		g.LogGroupClass != types.LogGroupClassStandard || out.LogGroups[1].RetentionInDays != nil {
		t.Errorf("%+v", g)
	}
}

// reads lets a caller do what is on a resource, and nothing else.
type reads struct{ resource string }

func (r reads) Authorize(q cloud.Request) cloud.Decision {
	return cloud.Decision{Allowed: strings.HasPrefix(q.Action, "logs:") && q.Resource == r.resource}
}

func TestPolicies(t *testing.T) {
	l := newLab(t, "x")
	l.w.Authorizer = reads{arn + ":*"}
	if got := l.filter(&client.FilterLogEventsInput{}); len(got) != 1 {
		t.Errorf("%q", got)
	}
	_, err := l.client.FilterLogEvents(context.Background(), &client.FilterLogEventsInput{LogGroupName: aws.String("hub")})
	if code(err) != "AccessDeniedException" {
		t.Errorf("another log group: %v", err)
	}
}

func TestAssumption_LOGS_01_ALineCanBeReadAtOnce(t *testing.T) {
	l := newLab(t, "x")
	out, err := l.client.FilterLogEvents(context.Background(), &client.FilterLogEventsInput{LogGroupName: aws.String(group)})
	if err != nil || len(out.Events) != 1 || aws.ToInt64(out.Events[0].Timestamp) != cloud.DefaultStart.UnixMilli() ||
		aws.ToInt64(out.Events[0].IngestionTime) != cloud.DefaultStart.UnixMilli() {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestAssumption_LOGS_02_TermsMatchInsideOfWords(t *testing.T) {
	l := newLab(t, "Exiting with ERRORCODE: -1", "[ERROR] a", "error")
	if got := l.filter(&client.FilterLogEventsInput{FilterPattern: aws.String("ERROR")}); len(got) != 2 {
		t.Errorf("%q", got)
	}
}

func TestAssumption_LOGS_03_LogGroupsAreDescribedAsAWhole(t *testing.T) {
	l := newLab(t)
	for resource, want := range map[string]string{arn + ":*": "AccessDeniedException", "arn:aws:logs:us-east-1:100000000000:log-group::log-stream:": "<nil>"} {
		l.w.Authorizer = reads{resource}
		_, err := l.client.DescribeLogGroups(context.Background(), &client.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String(group)})
		if code(err) != want {
			t.Errorf("%s: %v", resource, err)
		}
	}
}
