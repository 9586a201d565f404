package admission_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

func TestReceive(t *testing.T) {
	hint := inbound.TagHint{Account: accountA, ARNs: []string{"arn"}, Called: start}
	refused := outcome.Outcome{}
	refused.Alarm(contract.EventRefused, "", outcome.Detail{Account: stranger, Why: "forged"})
	for name, c := range map[string]struct {
		messages []inbound.Message
		want     admission.Received
	}{
		"nothing":           {},
		"only from itself":  {messages: []inbound.Message{inbound.Trigger{Why: "observe again"}, inbound.Trigger{}}},
		"a sweep":           {messages: []inbound.Message{inbound.Trigger{}, inbound.Sweep{}}, want: admission.Received{Sweep: true, Triggered: true}},
		"a scheduled sweep": {messages: []inbound.Message{inbound.Sweep{Due: start}}, want: admission.Received{Sweep: true, Swept: start, Triggered: true}},
		"shares":            {messages: []inbound.Message{inbound.ShareHint{Account: accountA}}, want: admission.Received{Triggered: true}},
		"tags":              {messages: []inbound.Message{hint, hint}, want: admission.Received{Hints: []inbound.TagHint{hint, hint}, Triggered: true}},
		"a refused event": {
			messages: []inbound.Message{inbound.Refused{Why: "forged", Account: stranger}}, want: admission.Received{Triggered: true, Outcome: refused},
		},
	} {
		if diff := cmp.Diff(c.want, admission.Receive(c.messages)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestAfter(t *testing.T) {
	record := func(intent origin.Intent, state origin.State) []origin.Record {
		o := live("team-a", accountA, "vo_1", "/team-a/x")
		o.Intent, o.State = intent, state
		return []origin.Record{o}
	}
	wire := func(after time.Duration) outcome.Trigger {
		return outcome.Trigger{Function: outcome.Wire, Why: "registry changed", After: after}
	}
	wireMain := func(after time.Duration) outcome.Trigger {
		return outcome.Trigger{Function: outcome.Wire, Distribution: origin.Main, Why: "registry changed", After: after}
	}
	admit := func(after time.Duration) outcome.Trigger {
		return outcome.Trigger{Function: outcome.Admit, Why: "observe again", After: after}
	}
	suspended := admission.Run{Round: admission.Round{Suspended: origin.Suspended{Accounts: map[string]origin.Hold{accountA: {Key: "suspend#team-a"}}}}}
	for name, c := range map[string]struct {
		run     admission.Run
		records []origin.Record
		fleet   []string
		want    []outcome.Trigger
	}{
		"nothing":                       {records: record(origin.Wire, origin.Live)},
		"pending":                       {records: record(origin.Wire, origin.Pending), want: []outcome.Trigger{wireMain(0)}},
		"pending, after a failure":      {run: admission.Run{Failed: true}, records: record(origin.Wire, origin.Pending), want: []outcome.Trigger{wireMain(0)}},
		"waiting":                       {records: record(origin.Wire, origin.Deferred)},
		"wired":                         {records: record(origin.Wire, origin.Wired)},
		"quarantined":                   {records: record(origin.Wire, origin.Quarantined)},
		"withdrawn while live":          {records: record(origin.Detach, origin.Live), want: []outcome.Trigger{wireMain(0)}},
		"withdrawn while pending":       {records: record(origin.Detach, origin.Pending), want: []outcome.Trigger{wireMain(0)}},
		"detaching":                     {records: record(origin.Detach, origin.Detaching)},
		"detached":                      {records: record(origin.Detach, origin.Detached)},
		"deleted":                       {records: record(origin.Detach, origin.Deleted)},
		"a sweep":                       {run: admission.Run{Round: admission.Round{Sweep: true}}, want: []outcome.Trigger{wire(0)}},
		"a sweep that failed":           {run: admission.Run{Round: admission.Round{Sweep: true}, Failed: true}, want: []outcome.Trigger{wire(0)}},
		"one of two to be observed":     {fleet: []string{"E1", "E2"}, want: []outcome.Trigger{wire(0)}},
		"more is about to appear":       {run: admission.Run{Triggered: true, Recheck: admission.Soon}, want: []outcome.Trigger{admit(15 * time.Second)}},
		"something deploys":             {run: admission.Run{Triggered: true, Recheck: admission.Later}, want: []outcome.Trigger{admit(2 * time.Minute)}},
		"something deploys, pending":    {run: admission.Run{Triggered: true, Recheck: admission.Later}, records: record(origin.Wire, origin.Pending), want: []outcome.Trigger{wireMain(0), admit(2 * time.Minute)}},
		"more, and pending":             {run: admission.Run{Triggered: true, Recheck: admission.Soon}, records: record(origin.Wire, origin.Pending), want: []outcome.Trigger{wireMain(30 * time.Second), admit(15 * time.Second)}},
		"more, and failed":              {run: admission.Run{Triggered: true, Recheck: admission.Soon, Failed: true}, records: record(origin.Wire, origin.Pending), want: []outcome.Trigger{wireMain(30 * time.Second)}},
		"a hold began or ended":         {run: admission.Run{Held: true, Recheck: admission.Soon}, want: []outcome.Trigger{wire(0)}},
		"a hold began, more to appear":  {run: admission.Run{Held: true, Triggered: true, Recheck: admission.Soon}, want: []outcome.Trigger{wire(0), admit(15 * time.Second)}},
		"suspended, and not withdrawn":  {run: suspended, records: record(origin.Wire, origin.Live), want: []outcome.Trigger{wire(0)}},
		"suspended, and withdrawn":      {run: suspended, records: record(origin.Detach, origin.Detached)},
		"more, but asked for by itself": {run: admission.Run{Recheck: admission.Soon}, records: record(origin.Wire, origin.Pending), want: []outcome.Trigger{wireMain(0)}},
	} {
		t.Run(name, func(t *testing.T) {
			sweep, suspends := c.run.Sweep, c.run.Suspended
			c.run.Round = round(c.records...)
			c.run.Sweep, c.run.Suspended = sweep, suspends
			if c.fleet != nil {
				c.run.Policy = fleetOf(c.fleet...)
			}
			if diff := cmp.Diff(c.want, c.run.After().Triggers); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSweepMetrics(t *testing.T) {
	run := admission.Run{Round: round(live("team-a", accountA, "vo_1", "/team-a/x"), live("team-a", accountA, "vo_2", "/team-a/y"))}
	if metrics := run.After().Metrics; metrics != nil {
		t.Errorf("counted without a sweep: %v", metrics)
	}
	for i, state := range []origin.State{origin.Live, origin.Detached, origin.Deleted} { // the teardown of a deleted origin is over
		r := live("team-b", accountB, "vo_b"+strconv.Itoa(i), "/team-b/"+strconv.Itoa(i))
		r.State, r.Teardown = state, &origin.Teardown{Reported: time.Unix(1, 0)}
		run.Registry.Records = append(run.Registry.Records, r)
	}
	run.Registry.Findings.Drift, run.Unknown = 3, []string{accountA}
	run.Sweep, run.Registry.Holds = true, []origin.Hold{{Key: "pause#hub"}, {Key: "suspend#team-x"}}
	for i, state := range []origin.State{origin.Wired, origin.Detaching, origin.Wired, origin.Pending} { // the third is of a version that did not record it
		r := live("team-b", accountB, "vo_w"+strconv.Itoa(i), "/team-b/w"+strconv.Itoa(i))
		if r.State = state; i != 2 {
			r.Written = start.Add(-time.Duration(i+1) * time.Minute)
		}
		run.Registry.Records = append(run.Registry.Records, r)
	}
	for _, failed := range []bool{false, true} {
		run.Failed = failed
		got := map[string]float64{}
		for _, m := range run.After().Metrics {
			name := m.Name
			for _, d := range m.By {
				name += " " + d.Value
			}
			got[name] = m.Value
		}
		want := map[string]float64{
			"SweepCompleted": 1, "Origins deferred": 0, "Origins pending": 1, "Origins wired": 2, "Origins live": 3, "Origins quarantined": 0,
			"Origins detaching": 1, "Origins detached": 1, "Origins deleted": 1, "TeardownsUnresolved": 2, "LongestPropagation": 120, "Holds": 2,
			"DriftOpen": 3, "MembershipsUnknown": 1,
		}
		if failed {
			delete(want, "SweepCompleted")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	run.Registry.Holds[0] = origin.Hold{Key: "pause#hub", Kind: origin.Pause, Subject: origin.WholeHub}
	for _, m := range run.After().Metrics {
		if m.Name == "LongestPropagation" && m.Value != 0 {
			t.Errorf("the hub is paused, and the longest wait is %v", m.Value)
		}
	}
}
