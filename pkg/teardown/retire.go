package teardown

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// TagState is what was observed of an origin's teardown tag.
type TagState string

// Tag states.
const (
	TagUnobserved TagState = ""
	TagPresent    TagState = "present"
	TagAbsent     TagState = "absent"
	// TagUnconfirmed means that the tag is present, and that the second tag is not, which the hub policy requires for this team.
	TagUnconfirmed TagState = "unconfirmed"
	TagUnreadable  TagState = "unreadable" // the hub's role in the owner's account may not read it
	TagGone        TagState = "gone"       // the VPC origin does not exist any more, and neither does its tag
)

// Execution is a Fact that Retirement may ask for: the execution for the record's generation.
const Execution Fact = "execution"

// executionState is the state of the execution for a record's generation.
type executionState int

const (
	executionUnobserved executionState = iota
	executionMissing                   // it was not started
	executionRunning
	executionEnded // as the record shows
	executionDied  // without recording an outcome
)

// execution returns the state of the execution.
//
//	observed  status                    record           started                         state
//	no        -                         -                -                               unobserved
//	yes       none                      -                -                               missing
//	yes       RUNNING, PENDING_REDRIVE  -                -                               running
//	yes       another                   shows that it    -                               ended
//	                                    ended
//	yes       another                   names no phase   before it was asked for: its    ended
//	                                                     name was taken
//	yes       another                   any other        any other                       died
func (q Request) execution() executionState {
	t := q.Record.Teardown
	switch {
	case !q.Observed:
		return executionUnobserved
	case q.Execution.Status == "":
		return executionMissing
	case q.Execution.Status == "RUNNING" || q.Execution.Status == "PENDING_REDRIVE":
		return executionRunning
	case t == nil || t.Ended || t.Phase == "" && q.Execution.Started.Before(t.ExecutionAsked):
		return executionEnded
	}
	return executionDied
}

// Request is what function retire has observed of one origin.
type Request struct {
	Now      time.Time
	Record   origin.Record
	Readable bool // the hub may read tags in the owner's account, according to policy
	Hinted   bool // a message names the origin; otherwise a sweep runs
	// Called is the time of the tagging call that triggered the run. The tag itself does not show that it was set again, so this time
	// decides. A duplicate or late event carries a time before that of the teardown which its call started.
	Called    time.Time
	By        string // who made that call, as far as its record says; else ""
	Confirm   bool   // the hub policy requires a second tag for the owner's team
	Grace     Bounds
	DryRun    bool // the hub decides and writes nothing
	Tag       TagState
	Value     string           // of a tag that is present
	Observed  bool             // the execution for the record's generation was observed
	Execution origin.Execution // zero if there is none
	Refused   []origin.Reason  // the reasons for which the tag was refused before
}

// Retirement is what follows from a request. The shell publishes Outcome, remembers Refuse, writes Record and then starts the execution,
// in this order.
type Retirement struct {
	Observe Fact            // if set, observe this and call Retire again; all other fields are empty then
	Record  *origin.Record  // to write; nil: unchanged
	Refuse  []origin.Reason // empty but not nil: forget the refusal, so that the same value is reported again later
	// Start requests the start of the execution for the record's generation. It may be running already.
	Start bool
	// Fresh reports that the execution is a new one. If its name is taken, the next generation is tried: a lost registry counts
	// generations from one again.
	Fresh   bool
	Outcome outcome.Outcome
}

// remainsInterval is how long after the end of an execution a sweep observes what a missing origin has left, and how long a sweep
// relies on a running teardown to observe its tag itself.
const remainsInterval = 24 * time.Hour

// Retire decides what follows from the tag of an origin.
//
//	tag          teardown   intent   execution   decision
//	-            -          -        -           nothing, if the tag cannot be read or the origin is deleted
//	unobserved   entered    detach   missing     on a sweep: start its execution
//	unobserved   entered    detach   died        on a sweep: block, and report why
//	unobserved   entered    detach   other       on a sweep: nothing; the execution observes the tag itself
//	unobserved   any        any      -           observe the tag
//	unreadable   none       -        -           nothing; function admit reports it
//	unreadable   any        -        any         as unobserved and entered
//	gone         none       detach   -           the record is deleted, if the origin has left the distribution
//	gone         none       wire     -           nothing
//	gone         any        -        ended       a day later: begin again, to observe what is left
//	gone         any        -        any         as unobserved and entered; resume it, as below
//	absent       any        wire     -           cancel
//	absent       any        detach   any         as unobserved and entered
//	absent       none       -        -           nothing
//	unconfirmed  any        any      -           refuse, and cancel; as present once the origin leaves
//	refused      any        wire     -           refuse, and cancel
//	refused      any other                       refuse
//	present      none       -        -           begin
//	present      due later  wire     -           the tag asks for an earlier time: begin again
//	present      any        wire     -           the tag asks for a later time: move it, and as below
//	present      any        detach   -           another value: refuse, unless it begins again, and as below
//	present      any        -        missing     start its execution
//	present      any        -        any         ended, or recorded as ended, and the tag was set again since: begin again
//	present      any        -        died        block, and report why
//	present      died       -        any         after resumable's delay: resume it, unless somebody stopped it
//	present      not begun  -        ended       begin again
//	present      any        -        other       nothing
//
// A sweep relies on an entered phase for a day, unless the record shows that the teardown ended. "Begin again" and "resume" mean a new
// generation, which supersedes a running execution. A refusal is forgotten when the tag is removed, or has a value that begins a teardown.
//
// In dry-run mode, no execution is started: what would start one is reported once as Change Planned.
func Retire(q Request) Retirement {
	a := q.retire()
	if q.DryRun && a.Start {
		return q.plan()
	}
	if len(q.Refused) > 0 && a.Refuse == nil && a.Observe == "" && (q.Tag == TagAbsent || a.Fresh) {
		a.Refuse = []origin.Reason{}
	}
	return a
}

// plan reports, once for each value of the tag, that the hub would start a teardown.
func (q Request) plan() (a Retirement) {
	reasons := []origin.Reason{{Code: plannedOnly, Subject: q.Value, Message: "originhub would start the teardown of VPC origin " + q.Record.ID +
		", because its tag " + contract.TagTeardown + " has the value " + strconv.Quote(q.Value) + ". In dry-run mode it tears nothing down; set distribution.mode to manage in the hub policy to start it"}}
	if origin.SameReasons(q.Refused, reasons) {
		return a
	}
	a.Refuse = reasons
	a.Outcome.Inform(contract.ChangePlanned, q.Record.ARN, outcome.About(q.Record, "").Because(reasons))
	return a
}

// deleted records that an origin which had left before was deleted by its owner. Nobody has to know; the record is over now.
func (q Request) deleted() Retirement {
	r := q.Record
	r.State, r.Reasons = origin.Deleted, nil
	r.Remember(q.Now, origin.DecidedDeleted, nil, "its owner deleted the VPC origin")
	return Retirement{Record: &r}
}

// retire decides everything but which refusal is forgotten, in the mode in which the hub manages its distributions.
func (q Request) retire() Retirement {
	r := q.Record
	switch {
	case !q.Readable || r.State == origin.Deleted:
		return Retirement{}
	case q.Tag == TagUnobserved && q.observesItself():
		return q.keepAlive()
	case q.Tag == TagUnobserved:
		return Retirement{Observe: Tag}
	case q.Tag == TagUnconfirmed && !leaves(r):
		return q.refuseAndCancel(unconfirmed(r.ID, q.Value))
	case q.Tag == TagGone && r.Teardown == nil && r.State == origin.Detached && r.Intent == origin.Detach:
		return q.deleted()
	case r.Teardown == nil && q.Tag != TagPresent:
		return Retirement{}
	case q.Tag == TagUnreadable, q.Tag == TagAbsent && r.Intent == origin.Detach:
		return q.keepAlive()
	case q.Tag == TagGone:
		return q.gone()
	case q.Tag == TagAbsent:
		return q.cancel("the tag " + contract.TagTeardown + " was removed in time; VPC origin " + r.ID + " stays as it is")
	}
	requested := q.Now
	if r.Teardown != nil && r.Teardown.Value == q.Value {
		requested = r.Teardown.Requested // only a new value counts from now
	}
	due, err := ParseTag(q.Value, requested, q.Grace)
	if err != nil {
		return q.refuseAndCancel(TagReason(q.Value, err))
	}
	fresh := origin.Teardown{Value: q.Value, Requested: requested, Due: due}
	switch {
	case r.Teardown == nil:
		return q.begin(r.Generation, fresh, fmt.Sprintf("the tag %s of VPC origin %s has the value %q; the teardown begins at %s",
			contract.TagTeardown, r.ID, q.Value, due.UTC().Format(time.RFC3339)))
	case r.Intent == origin.Wire && due.Before(r.Teardown.Due):
		// The running execution waits until the later time.
		return q.begin(r.Generation+1, fresh, fmt.Sprintf("the tag %s of VPC origin %s was changed to %q; the teardown now begins at %s, earlier than before",
			contract.TagTeardown, r.ID, q.Value, due.UTC().Format(time.RFC3339)))
	}
	return q.continueTeardown(due)
}

// observesItself reports whether a sweep can rely on the running teardown to observe its tag.
func (q Request) observesItself() bool {
	t := q.Record.Teardown
	return !q.Hinted && q.Record.Intent == origin.Detach && t != nil && t.Phase != "" && !t.Ended && q.Now.Sub(lastProgress(*t)) < remainsInterval
}

// lastProgress returns when the execution was last asked for, or entered another phase, whichever is later.
func lastProgress(t origin.Teardown) time.Time { return latest(t.ExecutionAsked, t.Since) }

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// keepAlive starts an execution that was recorded but not started because a run crashed in between, and reports one that died.
func (q Request) keepAlive() Retirement {
	switch q.execution() {
	case executionUnobserved:
		return Retirement{Observe: Execution}
	case executionMissing:
		return Retirement{Start: true}
	case executionDied:
		return q.block(*q.Record.Teardown)
	}
	return Retirement{}
}

// ExecutionDied is the code of a teardown that is blocked because its execution ended without recording an outcome.
const ExecutionDied origin.Code = "execution-died"

// aborted is the status of an execution that somebody stopped.
const aborted = "ABORTED"

// block records that the execution of a teardown died. It reports that once for each phase and cause, even if the teardown was resumed in
// between.
func (q Request) block(t origin.Teardown) (a Retirement) {
	r := q.Record
	if t.Phase == "" {
		t.Phase = string(Warn)
	}
	execution := contract.TeardownExecution(r.ID, r.Generation)
	is := origin.Reason{Code: ExecutionDied, Subject: q.Execution.Status + " " + q.Execution.Error}
	is.Message = fmt.Sprintf("execution %s ended with status %s in phase %s%s; the teardown is interrupted; %s",
		execution, q.Execution.Status, t.Phase, causeOf(q.Execution), wayOn(q.Execution.Status, t))
	r.Teardown = &t
	d := outcome.About(r, "")
	d.Execution = execution
	a.Outcome = recordFailure(&r, q.Now, Blocked, is, d)
	a.Record = &r
	return a
}

// causeOf returns the error of an execution in parentheses. The cause of a function's error is a JSON object with its message.
func causeOf(e origin.Execution) string {
	output := struct{ ErrorMessage string }{e.Cause}
	_ = json.Unmarshal([]byte(e.Cause), &output) // otherwise the cause is plain text
	switch {
	case e.Error == "" && output.ErrorMessage == "":
		return ""
	case output.ErrorMessage == "":
		return " (" + e.Error + ")"
	}
	return " (" + e.Error + ": " + origin.Brief(output.ErrorMessage) + ")"
}

// wayOn returns the advice about an execution that died.
func wayOn(status string, t origin.Teardown) string {
	back := "; to keep the origin, remove the tag"
	switch {
	case t.Phase == string(Verify): // the origin does not exist any more
		back = ""
	case t.Phase == string(Delete):
		back = "; if the VPC origin still exists and you want to keep it, remove the tag and share the origin with the hub again"
	case !t.Unshared.IsZero():
		back = "; to keep the origin, remove the tag and share the origin with the hub again"
	}
	if status == aborted && (t.Phase == string(Delete) || t.Phase == string(Verify)) {
		return "somebody stopped the execution; if the VPC origin is deleted already, originhub resumes the teardown within six hours; if it still exists, set the tag " +
			contract.TagTeardown + " again to go on" + back
	}
	if status == aborted {
		return "somebody stopped the execution; to continue, set the tag " + contract.TagTeardown + " again" + back
	}
	return "fix the cause; originhub tries again within six hours, and at once if the tag " + contract.TagTeardown + " is set again" + back
}

// resumable reports whether a teardown whose execution died is due to be resumed: an hour after that was reported, then two, four, and every
// six hours after it was resumed last. A teardown whose execution somebody stopped waits for its team to set the tag again, which it cannot do
// once the VPC origin does not exist any more.
func (q Request) resumable() bool {
	t := q.Record.Teardown
	if !t.Ended || t.Because.Code != ExecutionDied || q.Tag != TagGone && strings.HasPrefix(t.Because.Subject, aborted) {
		return false
	}
	return q.Now.Sub(latest(t.ExecutionAsked, t.Reported)) >= min(time.Hour<<min(t.Resumed, 3), 6*time.Hour)
}

// resume begins a new generation of a teardown whose execution died. If that dies of the same cause, it is not reported again.
func (q Request) resume(t origin.Teardown) Retirement {
	a := q.begin(q.Record.Generation+1, t, "the execution for VPC origin "+q.Record.ID+" ended without a result; the teardown is resumed")
	is := a.Record.Teardown
	is.Outcome, is.Because, is.Reported, is.Resumed = t.Outcome, t.Because, t.Reported, t.Resumed+1
	return a
}

// gone decides about an origin that does not exist any more.
func (q Request) gone() Retirement {
	t := q.Record.Teardown
	switch {
	case q.resumable():
		return q.resume(*t)
	case q.execution() == executionEnded && q.Now.Sub(latest(lastProgress(*t), t.Reported)) >= remainsInterval:
		return q.begin(q.Record.Generation+1, *t, "VPC origin "+q.Record.ID+" does not exist any more; the teardown starts again to observe what is left")
	}
	return q.keepAlive()
}

// continueTeardown decides about a recorded teardown whose tag does not ask for an earlier time.
func (q Request) continueTeardown(due time.Time) (a Retirement) {
	r := q.Record
	t := *r.Teardown
	state := q.execution()
	if state == executionUnobserved {
		return Retirement{Observe: Execution}
	}
	ended := state == executionEnded || state == executionDied || t.Ended
	changed := r.Intent == origin.Detach && t.Value != "" && t.Value != q.Value
	// The record of an ended teardown has the value of its tag, so a changed value shows without an event that the tag was set again.
	setAgain := q.Called.After(t.ExecutionAsked) || ended && (changed || t.Ended && t.Because.Code == tagRemoved)
	if changed && (!ended || !setAgain) {
		a = q.refuse(origin.Reason{Code: TagLate, Subject: q.Value, Message: fmt.Sprintf("the tag %s of VPC origin %s was changed to %q, but the teardown "+
			"has begun, and the new value has no effect; to keep the origin, remove the tag while the origin is still shared", contract.TagTeardown, r.ID, q.Value)})
	}
	if r.Intent == origin.Wire && !due.Equal(t.Due) {
		t.Value, t.Due = q.Value, due
		if r.Teardown.Value != q.Value {
			t.Requested = q.Now
		}
		r.Teardown = &t
		a.Record = &r
	}
	switch {
	case ended && setAgain && r.Intent == origin.Wire:
		again, err := ParseTag(q.Value, q.Now, q.Grace)
		if err != nil {
			return q.refuse(TagReason(q.Value, err))
		}
		t.Due, t.Requested, t.Phase = again, q.Now, ""
		return a.withBegin(q.begin(r.Generation+1, t, setAgainWhy(r)))
	case ended && setAgain:
		t.Value = q.Value
		return a.withBegin(q.begin(r.Generation+1, t, setAgainWhy(r)))
	case state == executionDied:
		return a.withBegin(q.block(t))
	case q.resumable():
		return a.withBegin(q.resume(t))
	case state == executionEnded && t.Phase == "":
		return a.withBegin(q.begin(r.Generation+1, t, "the execution for VPC origin "+r.ID+" ended before its first step; the teardown starts again"))
	case state == executionMissing:
		a.Start = true
	}
	return a
}

func setAgainWhy(r origin.Record) string {
	return "the tag " + contract.TagTeardown + " of VPC origin " + r.ID + " was set again; the teardown starts again"
}

// withBegin returns begun with the outcome and refusals of a added.
func (a Retirement) withBegin(begun Retirement) Retirement {
	a.Outcome.Add(begun.Outcome)
	begun.Outcome, begun.Refuse = a.Outcome, a.Refuse
	return begun
}

// begin records a teardown and starts its execution.
func (q Request) begin(generation int, t origin.Teardown, why string) Retirement {
	r := q.Record
	r.Generation = generation
	t.Since, t.ExecutionAsked, t.Ended, t.Outcome, t.Because, t.Reported, t.Redrives, t.Resumed = q.Now, q.Now, false, "", origin.Reason{}, time.Time{}, 0, 0
	r.Teardown = &t
	d := outcome.About(r, why)
	d.Execution, d.Who = contract.TeardownExecution(r.ID, r.Generation), q.By
	a := Retirement{Record: &r, Start: true, Fresh: true}
	a.Outcome.Inform(contract.TeardownStarted, r.ARN, d)
	a.Outcome.Count(contract.MetricTeardownStarted, 1)
	r.Remember(q.Now, origin.DecidedTeardownStarted, nil, why)
	return a
}

// cancel ends a teardown that has not changed anything yet. Its execution finds another generation after its wait and ends.
func (q Request) cancel(why string) (a Retirement) {
	r := q.Record
	if r.Teardown == nil || r.Intent != origin.Wire {
		return a
	}
	a.Outcome = cancelled(r, q.Tag == TagAbsent, outcome.About(r, why))
	r.Remember(q.Now, origin.DecidedTeardownCancelled, nil, why)
	r.Generation++
	r.Teardown = nil
	a.Record = &r
	return a
}

// refuseAndCancel reports a tag that is not acceptable, once, and ends a teardown that has not changed anything yet.
func (q Request) refuseAndCancel(why origin.Reason) Retirement {
	refused, cancelled := q.refuse(why), q.cancel(why.Message+"; until then the teardown is cancelled, and the origin stays as it is")
	cancelled.Refuse = refused.Refuse
	refused.Outcome.Add(cancelled.Outcome)
	cancelled.Outcome = refused.Outcome
	return cancelled
}

// refuse reports a tag value that is not acceptable, once.
func (q Request) refuse(why origin.Reason) (a Retirement) {
	reasons := []origin.Reason{why}
	if origin.SameReasons(q.Refused, reasons) {
		return a
	}
	a.Refuse = reasons
	a.Outcome.Alarm(contract.TeardownTagRefused, q.Record.ARN, outcome.About(q.Record, "").Because(reasons))
	return a
}

// NameTaken returns the record with the next generation, for a fresh teardown whose execution name is taken. Names are taken for 90 days
// (https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html).
func NameTaken(r origin.Record) origin.Record {
	r.Generation++
	return r
}
