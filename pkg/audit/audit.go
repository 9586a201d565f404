// Package audit finds drift, which is what somebody other than originhub changed, and leaks, which are resources that cost money for nothing or
// let requests past the hub's isolation. It decides which findings are reported, and what is remembered as reported.
package audit

import (
	"cmp"
	"maps"
	"slices"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// Decision is what follows from a call or a sweep.
type Decision struct {
	outcome.Outcome
	Remember *origin.Findings // to be written; nil: unchanged
	Why      string           // why nothing is reported
}

// remember sets what is written as reported: all open findings, and the newest calls.
func (d *Decision) remember(f origin.Findings) {
	f.Calls = f.Calls[max(0, len(f.Calls)-maxCalls):]
	d.Remember = &f
}

// Audit returns all leaks, those with an alarm first.
func Audit(o Observed) []Finding {
	o = o.indexed()
	found := slices.Concat(o.unwired(), o.unused(), o.wired(), o.disabled(), o.hosts(), o.publicPaths(), o.sideDoors(), o.aliases(), o.claimedElsewhere(), o.changedFunction(), o.unresolved(), o.forgotten(), o.interfacesLeft(), o.outdated())
	slices.SortFunc(found, func(a, b Finding) int {
		return cmp.Or(compareBool(b.Alarm, a.Alarm), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Subject, b.Subject))
	})
	return found
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	default:
		return -1
	}
}

// DecideSweep decides what to report after a sweep observed everything, and remembers the open findings. What is left of earlier drift is among
// them, so drift counts from here again.
func DecideSweep(o Observed) Decision {
	var d Decision
	o = o.indexed()
	found := Audit(o)
	known := o.Findings
	known.Drift = 0
	known.Open, d.Outcome = compare(found, o.Findings.Open, o.hides, o.Now)
	d.Count(contract.MetricLeaksOpen, len(found))
	d.Count(contract.MetricSideDoorsOpen, alarms(found))
	told, changed := outcome.Tell(known.Refused, o.Now)
	d.Add(told)
	known.Refused = maps.Clone(known.Refused)
	for _, t := range changed {
		known.Refused[t.Account] = t
	}
	d.remember(known)
	return d
}
