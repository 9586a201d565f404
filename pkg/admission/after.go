package admission

import (
	"slices"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// Received is what a run was started by.
type Received struct {
	Sweep     bool
	Hints     []inbound.TagHint
	Triggered bool            // by anything but originhub itself
	Outcome   outcome.Outcome // of events that are refused
}

// Receive reads the messages of one run.
func Receive(messages []inbound.Message) Received {
	var h Received
	for _, m := range messages {
		switch m := m.(type) {
		case inbound.Trigger:
			continue
		case inbound.Sweep:
			h.Sweep = true
		case inbound.TagHint:
			h.Hints = append(h.Hints, m)
		case inbound.Refused:
			h.Outcome.Add(outcome.Refused(m.Account, m.Why))
		}
		h.Triggered = true
	}
	return h
}

// Run is how a run of admit went.
type Run struct {
	Round          // with the registry as the run left it
	Failed    bool // in part or as a whole
	Triggered bool // by anything but originhub itself, or it accepted an invitation
	Recheck   Recheck
}

// After decides what follows a run.
//
//	function  triggered if                                               after
//	wire      the registry wants something that wire has not begun,      0, or 30 s if RAM or CloudFront is about to show more: the
//	          on a sweep, or if it has yet to observe a distribution     next run comes first, and what it finds goes into the same update
//	admit     nothing failed, it was woken, and Recheck says when        15 s or 2 min
//
// Wire is triggered after a failure, too: what was recorded before has to be wired. A sweep triggers it in any case, since messages
// may be lost. A run that only originhub itself asked for asks for none, or there would be no end to it: the sweep comes anyway.
func (r Run) After() outcome.Outcome {
	var o outcome.Outcome
	if r.Sweep {
		o = r.count()
	}
	recheck := Never
	if r.Triggered {
		recheck = r.Recheck
	}
	d := r.uncertain()
	if r.Sweep || d.Name != "" && d.Unavailable.Code == "" || slices.ContainsFunc(r.Registry.Records, unwired) {
		var after time.Duration
		if recheck == Soon {
			after = 2 * appearing
		}
		o.Trigger(outcome.Wire, "registry changed", after)
	}
	if recheck != Never && !r.Failed {
		o.Trigger(outcome.Admit, "look again", recheck.After())
	}
	return o
}

// count says how a sweep went and what it found.
func (r Run) count() outcome.Outcome {
	var o outcome.Outcome
	if !r.Failed {
		o.Count(contract.MetricSweepCompleted, 1)
	}
	in := map[origin.State]int{}
	for _, record := range r.Registry.Records {
		in[record.State]++
	}
	for _, state := range origin.States() {
		o.Count(contract.MetricOrigins, in[state], contract.Dimension{Name: contract.DimensionState, Value: string(state)})
	}
	return o
}

// unwired reports whether the registry wants something of an origin that wire has not begun. A run that ended between recording
// that and triggering wire left no other trace.
//
//	intent  state                        unwired
//	wire    pending                      yes
//	wire    any other                    no
//	detach  detaching, detached, deleted no
//	detach  any other                    yes
func unwired(o origin.Record) bool {
	if o.Intent == origin.Wire {
		return o.State == origin.Pending
	}
	return !slices.Contains([]origin.State{origin.Detaching, origin.Detached, origin.Deleted}, o.State)
}
