package admission

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/origin"
)

// over is how long a record stays in the registry after its origin was deleted. The last task of a teardown may be repeated for about half an
// hour, and looks for the record.
const over = time.Hour

// mostOver is how many records one sweep takes out of the registry. An earlier version of originhub never moved them, so there may be many.
const mostOver = 200

// Over returns the records that nothing in the registry needs any more.
//
//	state    teardown                       hosts that may still lead to the hub  the last decision is  over
//	deleted  none: it ended clean           none                                  an hour old           yes
//	deleted  none                           none                                  newer                 no
//	deleted  none                           some                                  any                   no: only the record says that the hub added them
//	deleted  ended blocked or incomplete    any                                   any                   no: it is an open finding
//	other    any                            any                                   any                   no
func (r Round) Over() []origin.Record {
	if !r.Sweep {
		return nil
	}
	var out []origin.Record
	for _, o := range r.Registry.Records {
		recalled := o.Version == 0
		if o.State == origin.Deleted && o.Teardown == nil && len(o.ReleasedHosts) == 0 && !recalled && r.Registry.Now.Sub(lastDecision(o)) >= over && len(out) < mostOver {
			out = append(out, o)
		}
	}
	return out
}

func lastDecision(o origin.Record) time.Time {
	if len(o.History) == 0 {
		return time.Time{}
	}
	return o.History[len(o.History)-1].At
}

// Unrecorded returns the VPC origin ids of the offers for which the registry has no record, in order. Their records may be among the past
// ones.
func (r Round) Unrecorded() (ids []string) {
	for _, o := range r.Offers {
		if _, known := r.Registry.Find(o.ID); !known && !r.Registry.IsDamaged(o.ID) {
			ids = append(ids, o.ID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// With returns the round with records that were written since the registry was read, or that were recalled from the past origins. A
// recalled record keeps its generation, so that its next teardown gets a new execution name.
func (r Round) With(records []origin.Record) Round {
	byID := map[string]origin.Record{}
	for _, o := range slices.Concat(r.Registry.Records, records) {
		byID[o.ID] = o
	}
	r.Registry.Records = slices.SortedFunc(maps.Values(byID), func(a, b origin.Record) int { return strings.Compare(a.ID, b.ID) })
	return r
}
