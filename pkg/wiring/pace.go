package wiring

import (
	"time"

	"github.com/originhub/originhub/pkg/origin"
)

// propagating reports whether the hub's own last update is InProgress, and nobody else has written the distribution since. Another update
// now would begin a propagation for which everybody has to wait who waits for this one, so ordinary changes go together into the update
// after it. Updates of others are not waited for: they may never end.
func (r Run) propagating() bool {
	return !r.Served.Deployed && r.Item.UpdateETag != "" && r.Served.ETag == r.Item.UpdateETag
}

// maxAtOnce is how many times within an hour the withdrawal of an origin is written although an update is InProgress. One team that shares
// and unshares an origin in turn cannot keep the others waiting for longer.
const maxAtOnce = 3

// leavesAtOnce reports whether an origin has to leave the distribution without waiting for the propagation of the last update: policy does
// not permit it any more, or it is not shared any more, and CloudFront then refuses every update that keeps it (CF-03); or a person has
// suspended it.
//
//	intent  in the configuration  withdrawn                          at once
//	wire    any                   any                                no
//	detach  no                    any                                no
//	detach  yes                   any, and it is suspended           yes
//	detach  yes                   not since it was last admitted     no: its teardown waits
//	detach  yes                   up to maxAtOnce times in an hour   yes
//	detach  yes                   more often                         no
func (r Run) leavesAtOnce(o origin.Record) bool {
	if o.Intent != origin.Detach || o.State == origin.Deleted || !r.Served.Config.Uses(o.ID) {
		return false
	}
	if r.leavesSuspended(o) {
		return true
	}
	withdrawn, times := false, 0
	for _, d := range o.History {
		switch d.Code {
		case origin.DecidedAdmitted:
			withdrawn = false
		case origin.DecidedWithdrawn:
			withdrawn = true
			if r.Now.Sub(d.At) < time.Hour {
				times++
			}
		}
	}
	return withdrawn && times <= maxAtOnce
}
