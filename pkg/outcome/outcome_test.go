package outcome_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// The rule behind the alarm topic matches the severity. The length of Why is bounded, because EventBridge limits the size of an event
// and teams choose the text of their tags.
func TestEventHasSeverityAndBoundedWhy(t *testing.T) {
	var o outcome.Outcome
	o.Inform(contract.OriginWentLive, "arn", outcome.Detail{Origin: "vo_a", Why: "short"})
	o.Alarm(contract.OriginWithdrawn, "arn", outcome.Detail{Origin: "vo_a", Why: strings.Repeat("long ", 1000)})
	o.Add(outcome.Refused("111111111111", "forged"))
	want := []outcome.Event{
		{Type: contract.OriginWentLive, Resource: "arn", Detail: outcome.Detail{Version: contract.EventVersion, Severity: contract.SeverityInfo, Origin: "vo_a", Why: "short"}},
		{Type: contract.OriginWithdrawn, Resource: "arn", Detail: outcome.Detail{
			Version: contract.EventVersion, Severity: contract.SeverityAlarm, Origin: "vo_a", Why: origin.Brief(strings.Repeat("long ", 1000)),
		}},
		{Type: contract.EventRefused, Detail: outcome.Detail{Version: contract.EventVersion, Severity: contract.SeverityAlarm, Account: "111111111111", Why: "forged"}},
	}
	if !reflect.DeepEqual(o.Events, want) {
		t.Errorf("got %+v\nwant %+v", o.Events, want)
	}
}

func TestAddKeepsOrder(t *testing.T) {
	part := func(name string) outcome.Outcome {
		var o outcome.Outcome
		o.Inform(name, "", outcome.Detail{})
		o.Count(name, 1)
		o.Seconds(name, 90*time.Second)
		o.Trigger(outcome.Wire, name, time.Second)
		return o
	}
	sum := part("a")
	sum.Add(part("b"))
	a, b := part("a"), part("b")
	want := outcome.Outcome{Events: append(a.Events, b.Events...), Metrics: append(a.Metrics, b.Metrics...), Triggers: append(a.Triggers, b.Triggers...)}
	if !reflect.DeepEqual(sum, want) || len(sum.Metrics) != 4 || sum.Metrics[1].Value != 90 {
		t.Errorf("got %+v\nwant %+v", sum, want)
	}
}

func TestBecauseSetsWhyAndCodes(t *testing.T) {
	d := outcome.About(origin.Record{Ref: origin.Ref{ID: "vo_a", Account: "111111111111"}, Team: "team-a", Generation: 2}, "").Because(
		[]origin.Reason{{Code: "a", Subject: "1", Message: "first"}, {Code: "b", Message: "second"}, {Code: "a", Subject: "2", Message: "third"}})
	want := outcome.Detail{
		Origin: "vo_a", Account: "111111111111", Team: "team-a", Generation: 2, Why: "first; second; third", Codes: []origin.Code{"a", "b"},
	}
	if !reflect.DeepEqual(d, want) {
		t.Errorf("got %+v\nwant %+v", d, want)
	}
}
