package cloudtrail

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/wire/wiretest"
)

const (
	hub    = "100000000000"
	region = "us-east-1"
)

type lab struct {
	*testing.T
	w      *cloud.World
	client *client.Client
}

type nothing struct{ Name string }

// newLab has a service in which one can do, undo and look.
func newLab(t *testing.T) *lab {
	w := cloud.New(cloud.Options{Seed: 1})
	w.AddAccount(cloud.Account{ID: hub, NoTrail: true})
	handle := func(c *cloud.Call, _ *nothing) (*nothing, error) {
		return &nothing{}, c.Authorize("things:Do", "*", nil)
	}
	w.Register(New(w).API(), &cloud.Service{
		Name: "things", Protocol: cloud.JSON10, EventSource: "things.amazonaws.com", Operations: []cloud.Operation{
			cloud.Op(cloud.Operation{Name: "Do"}, handle), cloud.Op(cloud.Operation{Name: "Undo"}, handle),
			cloud.Op(cloud.Operation{Name: "Get", ReadOnly: true}, handle),
		},
	})
	return &lab{t, w, client.NewFromConfig(wiretest.Config(t, w, "cloudtrail", hub, region))}
}

func (l *lab) call(who cloud.Principal, region string, operations ...string) {
	l.Helper()
	for _, operation := range operations {
		if _, err := l.w.Invoke(who, region, "things", operation, &nothing{Name: "n"}); err != nil {
			l.Fatal(err)
		}
		l.w.Clock.Advance(time.Minute)
	}
}

func by(key types.LookupAttributeKey, value string) *client.LookupEventsInput {
	return &client.LookupEventsInput{LookupAttributes: []types.LookupAttribute{{AttributeKey: key, AttributeValue: &value}}}
}

// lookup answers the names of the events of all pages.
func (l *lab) lookup(in *client.LookupEventsInput) string {
	l.Helper()
	var names []string
	for pages := client.NewLookupEventsPaginator(l.client, in); pages.HasMorePages(); {
		out, err := pages.NextPage(context.Background())
		if err != nil {
			l.Fatal(err)
		}
		for _, e := range out.Events {
			names = append(names, aws.ToString(e.EventName))
		}
	}
	return strings.Join(names, " ")
}

func TestLookup(t *testing.T) {
	l := newLab(t)
	start := l.w.Clock.Now()
	l.call(cloud.Root(hub), region, "Do", "Undo", "Do")
	l.call(cloud.Root(hub), "eu-west-1", "Undo")
	l.call(cloud.Root("222222222222"), region, "Undo")
	one, err := l.client.LookupEvents(context.Background(), by(types.LookupAttributeKeyEventName, "Undo"))
	if err != nil || len(one.Events) != 1 {
		t.Fatalf("%+v, %v", one, err)
	}
	e := one.Events[0]
	var record map[string]any
	if err := json.Unmarshal([]byte(aws.ToString(e.CloudTrailEvent)), &record); err != nil {
		t.Fatal(err)
	}
	if aws.ToString(e.Username) != "root" || !e.EventTime.Equal(start.Add(time.Minute)) || aws.ToString(e.EventSource) != "things.amazonaws.com" ||
		aws.ToString(e.ReadOnly) != "false" || record["eventID"] != aws.ToString(e.EventId) || record["recipientAccountId"] != hub {
		t.Errorf("%+v", e)
	}
	at := func(minutes int) *time.Time { return aws.Time(start.Add(time.Duration(minutes) * time.Minute)) }
	for name, test := range map[string]struct {
		in   *client.LookupEventsInput
		want string
	}{
		"all":            {&client.LookupEventsInput{}, "Do Undo Do"},
		"in small pages": {&client.LookupEventsInput{MaxResults: aws.Int32(1)}, "Do Undo Do"},
		"by name":        {by(types.LookupAttributeKeyEventName, "Do"), "Do Do"},
		"by id":          {by(types.LookupAttributeKeyEventId, aws.ToString(e.EventId)), "Undo"},
		"by source":      {by(types.LookupAttributeKeyEventSource, "other.amazonaws.com"), ""},
		"by user":        {by(types.LookupAttributeKeyUsername, "root"), "Do Undo Do"},
		"since":          {&client.LookupEventsInput{StartTime: at(1)}, "Do Undo"},
		"until":          {&client.LookupEventsInput{EndTime: at(1)}, "Undo Do"},
	} {
		if got := l.lookup(test.in); got != test.want {
			t.Errorf("%s: %q", name, got)
		}
	}
	l.w.Clock.Advance(history - 4*time.Minute)
	if got := l.lookup(&client.LookupEventsInput{}); got != "Do Undo" {
		t.Errorf("after 90 days: %q", got)
	}
}

func TestNewEventsShiftNoPage(t *testing.T) {
	l := newLab(t)
	l.call(cloud.Root(hub), region, "Do", "Undo")
	first, err := l.client.LookupEvents(context.Background(), &client.LookupEventsInput{MaxResults: aws.Int32(1)})
	if err != nil {
		t.Fatal(err)
	}
	l.call(cloud.Root(hub), region, "Undo")
	if got := l.lookup(&client.LookupEventsInput{NextToken: first.NextToken}); got != "Do" {
		t.Errorf("%q", got)
	}
}

func TestRefusals(t *testing.T) {
	l := newLab(t)
	two := by(types.LookupAttributeKeyEventName, "Do")
	two.LookupAttributes = append(two.LookupAttributes, two.LookupAttributes[0])
	for name, test := range map[string]struct {
		in   *client.LookupEventsInput
		want string
	}{
		"two attributes":         {two, "InvalidLookupAttributesException"},
		"no attribute of theirs": {by("Colour", "red"), "InvalidLookupAttributesException"},
		"unsupported attribute":  {by(types.LookupAttributeKeyResourceName, "x"), "NotImplemented"},
		"an end before a start": {
			&client.LookupEventsInput{StartTime: aws.Time(cloud.DefaultStart), EndTime: aws.Time(cloud.DefaultStart.Add(-time.Second))},
			"InvalidTimeRangeException",
		},
		"too many":                {&client.LookupEventsInput{MaxResults: aws.Int32(51)}, "InvalidMaxResultsException"},
		"another service's token": {&client.LookupEventsInput{NextToken: aws.String("1")}, "InvalidNextTokenException"},
	} {
		_, err := l.client.LookupEvents(context.Background(), test.in)
		var api interface{ ErrorCode() string }
		if !errors.As(err, &api) || api.ErrorCode() != test.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type nobody struct{}

func (nobody) Authorize(cloud.Request) cloud.Decision { return cloud.Decision{} }

func TestItNeedsPermission(t *testing.T) {
	l := newLab(t)
	l.w.Authorizer = nobody{}
	_, err := l.client.LookupEvents(context.Background(), &client.LookupEventsInput{})
	if err == nil || !strings.Contains(err.Error(), "cloudtrail:LookupEvents on resource: *") {
		t.Error(err)
	}
}

func TestAssumption_TRAIL_02_ReadsAreNotInTheHistory(t *testing.T) {
	l := newLab(t)
	l.call(cloud.Root(hub), region, "Get", "Do")
	if got := l.lookup(&client.LookupEventsInput{}); got != "Do" {
		t.Errorf("%q", got)
	}
}

func TestAssumption_TRAIL_03_EventsTakeHalfAMinute(t *testing.T) {
	l := newLab(t)
	if _, err := l.w.Invoke(cloud.Root(hub), region, "things", "Do", &nothing{}); err != nil {
		t.Fatal(err)
	}
	l.w.Clock.Advance(cloud.TrailDelay - time.Second)
	if got := l.lookup(&client.LookupEventsInput{}); got != "" {
		t.Errorf("too early: %q", got)
	}
	l.w.Clock.Advance(time.Second)
	if got := l.lookup(&client.LookupEventsInput{}); got != "Do" {
		t.Errorf("%q", got)
	}
}

func TestAssumption_TRAIL_04_ARoleIsNamedByItsSession(t *testing.T) {
	l := newLab(t)
	l.call(cloud.AssumedRole(hub, "arn:aws:iam::"+hub+":role/app/wire", "wire", "wire-function"), region, "Do")
	if got := l.lookup(by(types.LookupAttributeKeyUsername, "wire-function")); got != "Do" {
		t.Errorf("%q", got)
	}
}
