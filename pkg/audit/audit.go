// Package audit finds what was done behind the hub's back, and what is left over: what is at risk, or costs money for
// nothing, or lets somebody in by a side door. It decides what of that is to be said, and remembered as said.
package audit

import (
	"cmp"
	"slices"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// Decision is what a call or a sweep asks for.
type Decision struct {
	outcome.Outcome
	Remember *origin.Findings // to be written; nil if nothing is
	Why      string           // nothing is said
}

// remember has what was said written, as much of it as an item holds.
func (d *Decision) remember(f origin.Findings) {
	f = bounded(f)
	d.Remember = &f
}

// Audit lists what is left over, side doors first.
func Audit(o Observed) []Finding {
	found := slices.Concat(o.unwired(), o.unused(), o.wired(), o.disabled(), o.hosts(), o.publicPaths(), o.unresolved())
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

// DecideSweep decides what is to be said of everything that was observed, and remembers what stands now.
func DecideSweep(o Observed) Decision {
	var d Decision
	found := Audit(o)
	known := o.Findings
	known.Open, d.Outcome = compare(found, o.Findings.Open, o.Unreadable, o.Now)
	d.Count(contract.MetricLeaksOpen, len(found))
	d.Count(contract.MetricSideDoorsOpen, alarms(found))
	d.remember(known)
	return d
}
