package wiring

import (
	"fmt"
	"slices"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
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
	if r.leavesNow(o) {
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

// urgent reports whether the next update goes before the ordinary ones of other distributions: an origin has to leave at once, or one that is
// live is not in the distribution as it is claimed, because somebody else changed it.
func (r Run) urgent() bool {
	return slices.ContainsFunc(slices.Concat(r.Records, r.leavingOrphans()), r.leavesAtOnce) || slices.ContainsFunc(r.Records, func(o origin.Record) bool {
		return o.Intent == origin.Wire && o.State == origin.Live && !r.unpermitted(o) && r.extent(o) != complete
	})
}

// askForUpdate asks for the permission to send the next update.
func (r Run) askForUpdate(step Step) (Run, Step) {
	if r.writing.throttled {
		step.Outcome.Count(contract.MetricThrottle, 1)
	}
	step.Do = AskForUpdate{Distribution: r.Item.Name, Urgent: r.urgent(), Throttled: r.writing.throttled}
	return r, step
}

// permitted takes in whether the next update may be sent. If it may not, a later run sends it, and what changes until then goes with it.
func (r Run) permitted(a Answer) Run {
	w := &r.writing
	throttled := w.throttled
	w.throttled = false
	switch {
	case a.Class != OK:
		return r.failWrite(a.Err)
	case a.Wait == 0:
		w.permitted = true
		return r
	}
	if w.invalid != nil {
		r.Item.Search = r.saved(*w.invalid)
	}
	if w.failed != nil && !throttled {
		return r.failWrite(w.failed)
	}
	return r.postpone(a.Wait)
}

// isThrottle reports whether an error code means that the account sends too many requests. The model of CloudFront has no such error.
func isThrottle(code string) bool {
	return code == "Throttling" || code == "ThrottlingException" || code == "TooManyRequestsException" || code == "RequestLimitExceeded"
}

// PropagationDelayed is the code of an origin that has waited for status Deployed for longer than contract.LongPropagation.
const PropagationDelayed origin.Code = "propagation-delayed"

// reportDelay reports which origins have waited for long until the update that contains their change is Deployed. It does so once for each wait
// of an origin, whoever keeps the distribution InProgress. A long wait proves nothing, so no state follows from it.
func (r Run) reportDelay(step *Step, is []origin.Record) {
	var reasons []origin.Reason
	for _, o := range is {
		waits := o.State == origin.Wired || o.State == origin.Detaching
		if !waits || r.Served.Deployed || o.Written.IsZero() || r.Now.Sub(o.Written) <= contract.LongPropagation {
			continue
		}
		since := o.Written.UTC().Format(time.RFC3339)
		reasons = append(reasons, origin.Reason{
			Code: PropagationDelayed, Subject: o.ID + " " + since, Message: fmt.Sprintf("origin %s of %s has waited since %s", o.ID, o.Team, since),
		})
	}
	what := r.Item.ID + " propagation"
	reported := r.Refusals[what]
	if origin.SameReasons(reported, reasons) {
		return
	}
	step.Refusals = append(step.Refusals, Refusal{What: what, Reasons: append([]origin.Reason{}, reasons...)})
	fresh := slices.DeleteFunc(slices.Clone(reasons), func(reason origin.Reason) bool {
		return slices.ContainsFunc(reported, func(old origin.Reason) bool { return old.Subject == reason.Subject })
	})
	if len(fresh) == 0 {
		return
	}
	writer := "the hub wrote the distribution last"
	if r.Served.ETag != r.Item.UpdateETag {
		writer = "somebody other than the hub wrote the distribution last, and CloudTrail's records of UpdateDistribution name who"
	}
	d := outcome.Detail{What: r.Item.ID}.Because(fresh)
	d.Why = fmt.Sprintf("distribution %s is not Deployed: %s; %s; stop writers that keep it InProgress, or ask AWS Support if nobody writes it; "+
		"originhub goes on as soon as the distribution is Deployed", r.Item.ID, d.Why, writer)
	step.Outcome.Alarm(contract.PropagationDelayed, "", d)
}
