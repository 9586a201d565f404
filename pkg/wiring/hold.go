package wiring

import (
	"fmt"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// suspend withdraws the origins of the distribution that a person has suspended. Nobody has to act on that, since the suspension itself is
// reported as an alarm.
func (r Run) suspend() (step Step) {
	for _, o := range r.Records {
		by, suspended := r.Suspended.Of(o.Ref)
		if !suspended || o.Intent != origin.Wire || o.State == origin.Deleted {
			continue
		}
		reasons := []origin.Reason{{Code: origin.OriginSuspended, Subject: by.Key, Message: fmt.Sprintf("%s; originhub admits %s again when item %s in partition %s "+
			"of the registry is deleted", by, o.ID, by.Key, contract.RegistryHolds)}}
		o.Intent, o.ReasonsReported = origin.Detach, r.Now
		o.SetReasons(reasons...)
		o.Remember(r.Now, origin.DecidedWithdrawn, reasons, "")
		step.Outcome.Inform(contract.OriginWithdrawn, o.ARN, outcome.About(o, "").Because(reasons))
		step.Records = append(step.Records, Observation{Record: o})
	}
	return step
}

// leavesNow reports whether an origin is in the configuration and has to leave because a person suspended it, or because it is withdrawn and
// its record cannot be read. The update that removes it waits for nothing.
func (r Run) leavesNow(o origin.Record) bool {
	_, suspended := r.Suspended.Of(o.Ref)
	return (suspended || r.Withdrawn[o.ID]) && o.Intent == origin.Detach && o.State != origin.Deleted && r.Served.Config.Uses(o.ID)
}

// leavingOrphans returns records of the suspended and the withdrawn origins in the distribution for which the registry has none that can be
// read, so that an update removes them, too. Their claims are unknown, so their aliases and DNS records stay.
func (r Run) leavingOrphans() (leaving []origin.Record) {
	for _, ref := range r.Served.Config.Orphans(r.allRecords()) {
		if _, suspended := r.Suspended.Of(ref); suspended || r.Withdrawn[ref.ID] {
			leaving = append(leaving, origin.Record{Ref: ref, Intent: origin.Detach, State: origin.Live})
		}
	}
	return leaving
}
