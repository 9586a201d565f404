package teardown

import (
	"fmt"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// recordEnd adds to s what is recorded and reported if s ends the execution. What was reported before is not reported again, neither by a
// retry of the task nor after a redrive that ends in the same phase for the same reason.
//
//	outcome         record                                            event, metric               alarm
//	out of date     unchanged                                         none
//	any             unchanged, if deleted or of another generation    none
//	clean           deleted                                           Teardown Completed          no
//	cancelled       next generation, so that a later tag starts       Teardown Cancelled          see cancelled
//	                an execution of another name
//	dirty           ended                                             Teardown Ended Incomplete   yes
//	blocked         ended                                             Teardown Blocked            yes
//	dirty, blocked  ended, as before in this phase and for the same   none
//	                reason
//
// Function admit decides whether a cancelled origin is wired again: another team may have claimed its path meanwhile.
func (o Observed) recordEnd(s Step) Step {
	r := o.Record
	if s.Verdict != End || s.Outcome == OutOfDate || r.State == origin.Deleted || o.Generation != r.Generation {
		return s
	}
	detail := o.detail(s.Message)
	switch s.Outcome {
	case Clean:
		s.BeforeWrite.Inform(contract.TeardownCompleted, r.ARN, detail)
		s.BeforeWrite.Count(contract.MetricTeardownClean, 1)
		s.BeforeWrite.Seconds(contract.MetricTeardownDuration, o.Now.Sub(r.Teardown.Requested))
		s.Record.State, s.Record.Teardown, s.Record.Reasons = origin.Deleted, nil, nil
		s.Record.Remember(o.Now, origin.DecidedTeardownCompleted, nil, s.Message)
		return s
	case Cancelled:
		s.BeforeWrite.Add(cancelled(r, o.Has[Tag] && o.Tag == TagAbsent, detail))
		s.Record.Generation++
		s.Record.Teardown, s.Record.Token = nil, ""
		s.Record.Remember(o.Now, origin.DecidedTeardownCancelled, nil, s.Message)
		return s
	}
	s.Record = o.entered(s.Phase)
	said := recordFailure(&s.Record, o.Now, s.Outcome, s.Because, detail)
	if s.Outcome == Dirty && len(said.Events) > 0 {
		s.BeforeWrite.Count(contract.MetricOrphanENI, o.leftover(*s.Record.Teardown))
	}
	s.BeforeWrite.Add(said)
	return s
}

// cancelled returns what reports that the teardown of r was cancelled. Somebody who can write the registry or start an execution can begin a
// teardown for which no team asked.
//
//	the tag        the history of the record    severity
//	was not read   -                            info
//	is there       -                            info
//	is not there   may have a beginning         info
//	is not there   has no beginning             alarm
func cancelled(r origin.Record, untagged bool, d outcome.Detail) (o outcome.Outcome) {
	o.Count(contract.MetricTeardownCancelled, 1)
	if !untagged || r.MayRemember(origin.DecidedTeardownStarted) {
		o.Inform(contract.TeardownCancelled, r.ARN, d)
		return o
	}
	d.Codes = []origin.Code{notRequested}
	d.Why = fmt.Sprintf("VPC origin %s has no tag %s, and originhub has not recorded that one asked for this teardown, which ends here: find out who wrote to the registry or started the execution",
		r.ID, contract.TagTeardown)
	o.Alarm(contract.TeardownCancelled, r.ARN, d)
	return o
}

// recordFailure records in r that its teardown ended blocked or dirty, and returns what reports that: nothing, if the same was reported since
// the phase began. It changes r.Teardown, which must be a copy.
func recordFailure(r *origin.Record, now time.Time, how Outcome, because origin.Reason, d outcome.Detail) (said outcome.Outcome) {
	t, reasons := r.Teardown, []origin.Reason{because}
	if t.Outcome != string(how) || !origin.SameReasons([]origin.Reason{t.Because}, reasons) {
		event, metric, code := contract.TeardownBlocked, contract.MetricTeardownBlocked, origin.DecidedTeardownBlocked
		if how == Dirty {
			event, metric, code = contract.TeardownEndedIncomplete, contract.MetricTeardownDirty, origin.DecidedTeardownDirty
		}
		said.Alarm(event, r.ARN, d.Because(reasons))
		said.Count(metric, 1)
		r.Remember(now, code, reasons, "")
		t.Reported = now
	}
	t.Ended, t.Outcome, t.Because = true, string(how), because
	return said
}

// detail returns the detail of an event of this execution.
func (o Observed) detail(why string) outcome.Detail {
	d := outcome.About(o.Record, why)
	d.Execution = contract.TeardownExecution(o.Record.ID, o.Generation)
	return d
}

// Restart returns the record as an execution with that number of redrives finds it, and whether the execution was redriven since the record
// was written. If it was, the time limit of the phase begins again. Step Functions counts the redrives of an execution, and a retry of a
// task has the same count (https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html).
//
//	record                            redrives            redriven
//	none, or another generation       any                 no
//	any                               more than recorded  yes
//	ended without an outcome          any                 yes: an earlier version of originhub ended it
//	any                               as many             no
func Restart(r origin.Record, generation, redrives int, now time.Time) (origin.Record, bool) {
	if r.Teardown == nil || r.Generation != generation {
		return r, false
	}
	t := *r.Teardown
	if redrives <= t.Redrives && (!t.Ended || t.Outcome != "") {
		return r, false
	}
	t.Redrives, t.Ended, t.Since = max(redrives, t.Redrives), false, now
	r.Teardown = &t
	r.Remember(now, origin.DecidedTeardownStarted, nil, "its execution was redriven")
	return r, true
}
