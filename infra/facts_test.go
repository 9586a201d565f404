package infra

import (
	"slices"
	"testing"
)

// An alarm on a fact holds as long as the fact does, so it watches a gauge. The alarms on counters are about acts that end at once, each with
// the alarm that holds as long as what they cause, and about a sweep that does not come.
func TestAlarmsOnFactsWatchGauges(t *testing.T) {
	acts := map[string]string{
		"ExecutionsFailed":  "TeardownsUnresolved",
		"ExecutionsAborted": "TeardownsUnresolved",
		"SweepCompleted":    "", // breaching as long as it is missing
	}
	hub := templates(t).hub
	var gauges, counters []string
	for id, r := range hub.Resources {
		if r.Type != "AWS::CloudWatch::Alarm" {
			continue
		}
		name := text(r.Properties["MetricName"])
		if r.Properties["Statistic"] == maximum {
			gauges = append(gauges, name)
			continue
		}
		counters = append(counters, name)
		switch fact, act := acts[name]; {
		case !act:
			t.Errorf("%s watches the counter %s: it ends although its fact may still hold", id, name)
		case fact == "" && r.Properties["TreatMissingData"] != "breaching":
			t.Errorf("%s ends although nothing was measured", id)
		}
	}
	for act, fact := range acts {
		if !slices.Contains(counters, act) || fact != "" && !slices.Contains(gauges, fact) {
			t.Errorf("no alarm watches %s, or the gauge %s", act, fact)
		}
	}
	for _, want := range []string{"DriftOpen", "MembershipsUnknown", "SideDoorsOpen", "Holds", "LongestPropagation", "TeardownsUnresolved"} {
		if !slices.Contains(gauges, want) {
			t.Errorf("no alarm watches the gauge %s", want)
		}
	}
}
