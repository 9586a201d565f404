package admission

import (
	"slices"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// Received is what the messages of one run say.
type Received struct {
	Sweep     bool
	Swept     time.Time // when the sweep was scheduled; zero if that is not known
	Hints     []inbound.TagHint
	Triggered bool            // by anything other than originhub itself
	Outcome   outcome.Outcome // of refused events
}

// Receive returns what the messages of one run say.
func Receive(messages []inbound.Message) Received {
	var r Received
	for _, m := range messages {
		switch m := m.(type) {
		case inbound.Trigger:
			continue
		case inbound.Sweep:
			r.Sweep, r.Swept = true, m.Due
		case inbound.TagHint:
			r.Hints = append(r.Hints, m)
		case inbound.Refused:
			r.Outcome.Add(outcome.Refused(m.Account, m.Why))
		}
		r.Triggered = true
	}
	return r
}

// Run is the result of one run of function admit.
type Run struct {
	Round          // with the registry after the run
	Failed    bool // completely or in part
	Triggered bool // by anything other than originhub itself, or it accepted an invitation
	Held      bool // a hold began or ended
	Recheck   Recheck
}

// After returns the outcome of a run: which functions it triggers, the metrics of a sweep, and what accounts that belong to no team offered.
//
//	function  triggered                                                  after
//	wire      for each distribution for which the registry wants         0, or 30 s if Recheck is Soon, so that what the next run
//	          something that wire has not begun                          admits goes into the same update
//	wire      for all distributions on a sweep, or if wire has to        the same
//	          observe one
//	wire      for all distributions if a hold began or ended, or an      0
//	          origin is suspended that wire has not withdrawn
//	admit     if nothing failed, Triggered, and Recheck is not Never     15 s or 2 min
//
// Wire is triggered after a failure too, since what was recorded before has to be wired. A sweep always triggers wire, since messages
// may be lost. A run that only originhub itself triggered does not trigger admit again, which would never end; the next sweep runs
// anyway.
func (r Run) After() outcome.Outcome {
	r.Round = r.indexed()
	var o outcome.Outcome
	if r.Sweep {
		o = r.count()
		o.Add(r.strangers())
	}
	recheck := Never
	if r.Triggered {
		recheck = r.Recheck
	}
	d := r.uncertain()
	urgent := r.Held || slices.ContainsFunc(r.Registry.Records, func(o origin.Record) bool { return o.Intent == origin.Wire && r.suspends(o.Ref) })
	concerned := []string{""}
	if !urgent && !r.Sweep && (d.Name == "" || d.Unavailable.Code != "") {
		concerned = r.unwired()
	}
	var after time.Duration
	if recheck == Soon && !urgent {
		after = 2 * appearing
	}
	for _, distribution := range concerned {
		o.TriggerWire(distribution, "registry changed", after)
	}
	if recheck != Never && !r.Failed {
		o.Trigger(outcome.Admit, "observe again", recheck.After())
	}
	return o
}

// count returns the metrics of a sweep.
func (r Run) count() outcome.Outcome {
	var o outcome.Outcome
	if !r.Failed {
		o.Count(contract.MetricSweepCompleted, 1)
	}
	in := map[origin.State]int{}
	unresolved := 0
	var longest time.Duration
	for _, record := range r.Registry.Records {
		in[record.State]++
		if waits := record.State == origin.Wired || record.State == origin.Detaching; waits && !record.Written.IsZero() {
			if _, paused := r.Registry.Paused(r.Registry.Distribution(record.Distribution)); !paused {
				longest = max(longest, r.Registry.Now.Sub(record.Written))
			}
		}
		if record.Unresolved() {
			unresolved++
		}
	}
	o.Count(contract.MetricTeardownsUnresolved, unresolved)
	o.Count(contract.MetricHolds, len(r.Registry.Holds))
	o.Count(contract.MetricDriftOpen, r.Registry.Findings.Drift)
	o.Count(contract.MetricMembershipsUnknown, len(r.Unknown))
	o.Seconds(contract.MetricLongestPropagation, longest)
	for _, state := range origin.States() {
		o.Count(contract.MetricOrigins, in[state], contract.Dimension{Name: contract.DimensionState, Value: string(state)})
	}
	return o
}

// unwired returns the names of the distributions for which the registry wants something that wire has not begun, in order.
func (r Run) unwired() (names []string) {
	for _, o := range r.Registry.Records {
		if unwired(o) {
			names = append(names, o.Distribution)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// unwired reports whether the registry wants something for an origin that wire has not begun. If a run ended after it recorded this and
// before it triggered wire, the record is the only evidence.
//
//	intent  state                        unwired
//	wire    pending                      yes
//	wire    other                        no
//	detach  detaching, detached, deleted no
//	detach  other                        yes
func unwired(o origin.Record) bool {
	if o.Intent == origin.Wire {
		return o.State == origin.Pending
	}
	return !slices.Contains([]origin.State{origin.Detaching, origin.Detached, origin.Deleted}, o.State)
}
