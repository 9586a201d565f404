// Package cloudtrail emulates CloudTrail's event history, in which an operator looks up who did what.
package cloudtrail

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// Service emulates CloudTrail. It has no state of its own, because the world keeps the event history.
type Service struct{ world *cloud.World }

// New returns the service.
func New(w *cloud.World) *Service { return &Service{world: w} }

// API returns the operations that the sandbox implements.
func (s *Service) API() *cloud.Service {
	return &cloud.Service{
		Name: "cloudtrail", Protocol: cloud.JSON11, EventSource: "cloudtrail.amazonaws.com", TargetPrefix: "CloudTrail_20131101",
		Operations: []cloud.Operation{cloud.Op(cloud.Operation{Name: "LookupEvents", ReadOnly: true}, s.lookupEvents)},
	}
}

// ResourceTypes returns nothing, because the sandbox's options say whether an account has a trail.
func (s *Service) ResourceTypes() []cloud.ResourceType { return nil }

// Snapshot returns how many records of all accounts were dropped, and no records, because the call log shows the calls.
func (s *Service) Snapshot(string) map[string]any {
	_, dropped := s.world.History()
	return map[string]any{"dropped": dropped}
}

// LookupEventsInput is the input of LookupEvents.
type LookupEventsInput struct {
	LookupAttributes []LookupAttribute
	StartTime        time.Time
	EndTime          time.Time
	MaxResults       *int
	NextToken        string
}

// LookupAttribute is a condition on events.
type LookupAttribute struct{ AttributeKey, AttributeValue string }

// LookupEventsOutput is one page of events, newest first.
type LookupEventsOutput struct {
	Events    []Event
	NextToken string `json:",omitempty"`
}

// Event is an event with its whole record as JSON.
type Event struct {
	EventID         string `json:"EventId"`
	EventName       string
	ReadOnly        string
	EventTime       time.Time
	EventSource     string
	Username        string
	Resources       []Resource
	CloudTrailEvent string
}

// Resource is a resource of an event. The sandbox never names one.
type Resource struct{ ResourceType, ResourceName string }

const (
	history  = 90 * 24 * time.Hour
	mostPage = 50 // events, also without MaxResults
)

// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
// Assumptions TRAIL-02 to TRAIL-04.
func (s *Service) lookupEvents(c *cloud.Call, in *LookupEventsInput) (*LookupEventsOutput, error) {
	if err := c.Authorize("cloudtrail:LookupEvents", "*", nil); err != nil {
		return nil, err
	}
	wanted, err := in.events()
	if err != nil {
		return nil, err
	}
	size := mostPage
	if in.MaxResults != nil {
		if size = *in.MaxResults; size < 1 || size > mostPage {
			return nil, cloud.Errorf(400, "InvalidMaxResultsException", "MaxResults must be from 1 to %d, not %d.", mostPage, size)
		}
	}
	all, dropped := s.world.History()
	// A token counts the older records that remain, so that new records do not shift the pages.
	rest := len(all)
	if in.NextToken != "" {
		if rest, err = strconv.Atoi(in.NextToken); err != nil || rest < 0 || rest > dropped+len(all) {
			return nil, cloud.Errorf(400, "InvalidNextTokenException", "Invalid token %s.", in.NextToken)
		}
		rest = max(0, rest-dropped)
	}
	out := &LookupEventsOutput{}
	for i, r := range slices.Backward(all[:rest]) {
		age := c.Now().Sub(r.Time)
		if r.Account != c.Account() || r.Region != c.Region || age < cloud.TrailDelay || age > history {
			continue
		}
		e, err := event(r)
		if err != nil {
			return nil, err
		}
		if !wanted(e) {
			continue
		}
		if len(out.Events) == size {
			out.NextToken = strconv.Itoa(dropped + i + 1)
			break
		}
		out.Events = append(out.Events, e)
	}
	return out, nil
}

// events returns the condition of the input on an event.
func (in *LookupEventsInput) events() (func(Event) bool, error) {
	if !in.StartTime.IsZero() && !in.EndTime.IsZero() && in.EndTime.Before(in.StartTime) {
		return nil, cloud.Errorf(400, "InvalidTimeRangeException", "The end time is before the start time.")
	}
	if len(in.LookupAttributes) > 1 {
		return nil, cloud.Errorf(400, "InvalidLookupAttributesException", "You can only specify one lookup attribute.")
	}
	attribute := func(Event) bool { return true }
	for _, a := range in.LookupAttributes {
		switch a.AttributeKey {
		case "EventId":
			attribute = func(e Event) bool { return e.EventID == a.AttributeValue }
		case "EventName":
			attribute = func(e Event) bool { return e.EventName == a.AttributeValue }
		case "EventSource":
			attribute = func(e Event) bool { return e.EventSource == a.AttributeValue }
		case "Username":
			attribute = func(e Event) bool { return e.Username == a.AttributeValue }
		case "AccessKeyId", "ReadOnly", "ResourceName", "ResourceType":
			return nil, cloud.Errorf(http.StatusNotImplemented, "NotImplemented", "the sandbox does not know the lookup attribute %s", a.AttributeKey)
		default:
			return nil, cloud.Errorf(400, "InvalidLookupAttributesException", "%q is no lookup attribute.", a.AttributeKey)
		}
	}
	return func(e Event) bool {
		return (in.StartTime.IsZero() || !e.EventTime.Before(in.StartTime)) && (in.EndTime.IsZero() || !e.EventTime.After(in.EndTime)) && attribute(e)
	}, nil
}

func event(r cloud.TrailRecord) (Event, error) {
	record, err := json.Marshal(r.Detail)
	if err != nil {
		return Event{}, fmt.Errorf("write CloudTrail record: %w", err)
	}
	var d struct {
		EventID      string `json:"eventID"`
		EventName    string `json:"eventName"`
		EventSource  string `json:"eventSource"`
		ReadOnly     bool   `json:"readOnly"`
		UserIdentity struct {
			ARN string `json:"arn"`
		} `json:"userIdentity"`
	}
	if err := json.Unmarshal(record, &d); err != nil {
		return Event{}, fmt.Errorf("read CloudTrail record: %w", err)
	}
	arn := d.UserIdentity.ARN
	return Event{
		EventID: d.EventID, EventName: d.EventName, EventSource: d.EventSource, ReadOnly: strconv.FormatBool(d.ReadOnly),
		// A record's time has whole seconds.
		EventTime: r.Time.Truncate(time.Second), Username: arn[strings.LastIndexAny(arn, ":/")+1:], CloudTrailEvent: string(record),
	}, nil
}
