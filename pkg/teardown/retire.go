package teardown

import (
	"encoding/json"
	"fmt"
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
	TagUnreadable TagState = "unreadable" // the owner's account lets nobody read it
	TagGone       TagState = "gone"       // the VPC origin is gone and took it along
)

// Execution is a fact that Retirement may ask for: the execution of the record's generation.
const Execution Fact = "execution"

// executionState is the state of the execution of a record's generation.
type executionState int

const (
	executionUnobserved executionState = iota
	executionMissing                   // nobody started it
	executionRunning
	executionEnded // as the record says
	executionDied  // without a word in the record
)

// execution returns the state of the execution.
//
//	observed  status                    record           started                         state
//	no        -                         -                -                               unobserved
//	yes       none                      -                -                               missing
//	yes       RUNNING, PENDING_REDRIVE  -                -                               running
//	yes       another                   says that it     -                               ended
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
	Readable bool // policy knows the owner's account and says that its tags can be read
	Hinted   bool // a message names the origin; else a sweep came by
	// Called is when the tag call was made that a message names. The tag itself does not show that it was set again, so the
	// time of the call counts: an event that comes twice, or late, carries a time before what it began.
	Called    time.Time
	Grace     Bounds
	Tag       TagState
	Value     string           // of a tag that is present
	Observed  bool             // the execution of the record's generation was observed
	Execution origin.Execution // zero if there is none
	Refused   []origin.Reason  // what of the tag was refused before
}

// Retirement is what follows from a request. Whoever commits it publishes Outcome, remembers Refuse, writes Record and then
// starts the execution, in this order.
type Retirement struct {
	Observe Fact           // if not empty, observe that and ask again; everything else is empty then
	Record  *origin.Record // to write; nil leaves it as it is
	Refuse  []origin.Reason
	// Start asks for the execution of the record's generation to be started. It may be running already.
	Start bool
	// Fresh says that the execution is a new one, so that if its name is taken the next generation is tried: a registry that
	// was lost counts generations from one again.
	Fresh   bool
	Outcome outcome.Outcome
}

// remainsEvery is how often the remains of an origin that is gone are looked for, and how long a sweep relies on a teardown
// under way to observe its tag itself.
const remainsEvery = 24 * time.Hour

// Retire decides what becomes of an origin's teardown, as its tag says now.
//
//	tag          teardown   intent   execution   decision
//	-            -          -        -           nothing, if the tag cannot be read or the origin is deleted
//	unobserved   entered    detach   missing     on a sweep: start its execution
//	unobserved   entered    detach   died        on a sweep: block, and say why
//	unobserved   entered    detach   other       on a sweep: nothing; the execution observes the tag itself
//	unobserved   any        any      -           observe the tag
//	unreadable   none       -        -           nothing; function admit reports it
//	unreadable   any        -        any         as unobserved and entered
//	gone         none       -        -           nothing
//	gone         any        -        ended       a day later: begin again, to find out what is left
//	gone         any        -        any         as unobserved and entered; resume it, as below
//	absent       any        wire     -           cancel
//	absent       any        detach   any         as unobserved and entered
//	absent       none       -        -           nothing
//	refused      any        wire     -           refuse, and cancel
//	refused      else                            refuse
//	present      none       -        -           begin
//	present      due later  wire     -           due is earlier now: begin again
//	present      any        wire     -           due is later now: move it, and as below
//	present      any        detach   -           another value: refuse, unless it begins again, and as below
//	present      any        -        missing     start its execution
//	present      any        -        any         ended, by its record too, and the tag was set again since: begin again
//	present      any        -        died        block, and say why
//	present      died       -        any         a while later: resume it, unless somebody stopped it
//	present      not begun  -        ended       begin again
//	present      any        -        other       nothing
//
// A sweep relies on an entered phase for a day, unless the record says that the teardown ended. "Begin again" and "resume" are a new
// generation, which supersedes whatever still runs.
func Retire(q Request) Retirement {
	r := q.Record
	switch {
	case !q.Readable || r.State == origin.Deleted:
		return Retirement{}
	case q.Tag == TagUnobserved && q.entered():
		return q.keepAlive()
	case q.Tag == TagUnobserved:
		return Retirement{Observe: Tag}
	case r.Teardown == nil && q.Tag != TagPresent:
		return Retirement{}
	case q.Tag == TagUnreadable, q.Tag == TagAbsent && r.Intent == origin.Detach:
		return q.keepAlive()
	case q.Tag == TagGone:
		return q.gone()
	case q.Tag == TagAbsent:
		return q.cancel("the tag " + contract.TagTeardown + " was removed in time: nothing happened")
	}
	requested := q.Now
	if r.Teardown != nil && r.Teardown.Value == q.Value {
		requested = r.Teardown.Requested // a new value counts from now, one that was seen before does not
	}
	due, err := ParseTag(q.Value, requested, q.Grace)
	if err != nil {
		refused, cancelled := q.refuse(TagReason(q.Value, err)), q.cancel(err.Error())
		cancelled.Refuse = refused.Refuse
		refused.Outcome.Add(cancelled.Outcome)
		cancelled.Outcome = refused.Outcome
		return cancelled
	}
	fresh := origin.Teardown{Value: q.Value, Requested: requested, Due: due}
	switch {
	case r.Teardown == nil:
		return q.begin(r.Generation, fresh, "tag "+contract.TagTeardown+" is "+q.Value)
	case r.Intent == origin.Wire && due.Before(r.Teardown.Due):
		// The execution sleeps until the old instant.
		return q.begin(r.Generation+1, fresh, "tag "+contract.TagTeardown+" is now "+q.Value)
	}
	return q.goOn(due)
}

// entered reports whether a sweep can rely on the teardown to observe its tag itself.
func (q Request) entered() bool {
	t := q.Record.Teardown
	return !q.Hinted && q.Record.Intent == origin.Detach && t != nil && t.Phase != "" && !t.Ended && q.Now.Sub(moved(*t)) < remainsEvery
}

// moved is when a teardown was last asked for, or entered another phase.
func moved(t origin.Teardown) time.Time {
	if t.Since.After(t.ExecutionAsked) {
		return t.Since
	}
	return t.ExecutionAsked
}

// keepAlive starts an execution that was recorded and that a crash kept from starting, and reports one that died.
func (q Request) keepAlive() Retirement {
	switch q.execution() {
	case executionUnobserved:
		return Retirement{Observe: Execution}
	case executionMissing:
		return Retirement{Start: true}
	case executionDied:
		return q.block()
	}
	return Retirement{}
}

// ExecutionDied is why a teardown is blocked whose execution ended without a word.
const ExecutionDied origin.Code = "execution-died"

// aborted is the status of an execution that somebody stopped.
const aborted = "ABORTED"

// block records that a teardown goes on no more, since its execution died. It is reported once for each phase and cause, also if the
// teardown was resumed in between.
func (q Request) block() (a Retirement) {
	r := q.Record
	t := *r.Teardown
	if t.Phase == "" {
		t.Phase = string(Warn)
	}
	is := origin.Reason{Code: ExecutionDied, Subject: q.Execution.Status + " " + q.Execution.Error}
	is.Message = fmt.Sprintf("execution %s ended with status %s in phase %s%s; nothing more happens in this teardown; %s",
		contract.TeardownExecution(r.ID, r.Generation), q.Execution.Status, t.Phase, causeOf(q.Execution), wayOn(q.Execution.Status, t))
	if reasons := []origin.Reason{is}; !origin.SameReasons([]origin.Reason{t.Because}, reasons) {
		d := outcome.About(r, "").Because(reasons)
		d.Execution = contract.TeardownExecution(r.ID, r.Generation)
		a.Outcome.Alarm(contract.TeardownBlocked, r.ARN, d)
		a.Outcome.Count(contract.MetricTeardownBlocked, 1)
		r.Remember(q.Now, origin.DecidedTeardownBlocked, reasons, "")
		t.Reported = q.Now
	}
	t.Ended, t.Outcome, t.Because = true, string(Blocked), is
	r.Teardown = &t
	a.Record = &r
	return a
}

// causeOf returns the error of an execution in parentheses. The cause of a function's error is a JSON object with its message.
func causeOf(e origin.Execution) string {
	says := struct{ ErrorMessage string }{e.Cause}
	_ = json.Unmarshal([]byte(e.Cause), &says) // else the cause is plain text
	switch {
	case e.Error == "" && says.ErrorMessage == "":
		return ""
	case says.ErrorMessage == "":
		return " (" + e.Error + ")"
	}
	return " (" + e.Error + ": " + origin.Brief(says.ErrorMessage) + ")"
}

// wayOn returns what to do about an execution that died.
func wayOn(status string, t origin.Teardown) string {
	back := "to keep the origin, remove the tag"
	if !t.Unshared.IsZero() {
		back = "to keep the origin, remove the tag and share the origin with the hub again"
	}
	if status == aborted {
		return "somebody stopped it: to go on, set the tag " + contract.TagTeardown + " again; " + back
	}
	return "fix the cause: originhub resumes the teardown within six hours, and at once if the tag " + contract.TagTeardown + " is set again; " + back
}

// resumable reports whether a teardown whose execution died is due to be resumed: an hour after its last execution was asked for, then
// after two, four, and every six hours.
func (q Request) resumable() bool {
	t := q.Record.Teardown
	if !t.Ended || t.Because.Code != ExecutionDied || strings.HasPrefix(t.Because.Subject, aborted) {
		return false
	}
	return q.Now.Sub(t.ExecutionAsked) >= min(time.Hour<<min(t.Resumed, 3), 6*time.Hour)
}

// resume begins a new generation of a teardown whose execution died. If that dies of the same cause, it is not reported again.
func (q Request) resume() Retirement {
	t := *q.Record.Teardown
	a := q.begin(q.Record.Generation+1, t, "its execution died, and the teardown goes on")
	is := a.Record.Teardown
	is.Outcome, is.Because, is.Reported, is.Resumed = t.Outcome, t.Because, t.Reported, t.Resumed+1
	return a
}

func (q Request) gone() Retirement {
	t := q.Record.Teardown
	switch {
	case q.resumable():
		return q.resume()
	case q.execution() == executionEnded && q.Now.Sub(moved(*t)) >= remainsEvery:
		return q.begin(q.Record.Generation+1, *t, "the origin is gone, and whether it left something is looked at again")
	}
	return q.keepAlive()
}

// goOn decides about a teardown that is due at an instant which is not earlier than before.
func (q Request) goOn(due time.Time) (a Retirement) {
	r := q.Record
	t := *r.Teardown
	state := q.execution()
	if state == executionUnobserved {
		return Retirement{Observe: Execution}
	}
	over := state == executionEnded || state == executionDied || t.Ended
	changed := r.Intent == origin.Detach && t.Value != "" && t.Value != q.Value
	// The record of a teardown that ended says which tag it ended with, so that no event is needed.
	setAgain := q.Called.After(t.ExecutionAsked) || t.Ended && (changed || t.Because.Code == tagRemoved)
	if changed && (!over || !setAgain) {
		a = q.refuse(origin.Reason{Code: TagLate, Subject: q.Value, Message: fmt.Sprintf("the tag %s is now %s, but the teardown has begun: "+
			"remove the tag to keep the origin, if it is still shared", contract.TagTeardown, q.Value)})
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
	case over && setAgain && r.Intent == origin.Wire:
		again, err := ParseTag(q.Value, q.Now, q.Grace)
		if err != nil {
			return q.refuse(TagReason(q.Value, err))
		}
		t.Due, t.Requested, t.Phase = again, q.Now, ""
		return a.and(q.begin(r.Generation+1, t, "the tag was set again"))
	case over && setAgain:
		t.Value = q.Value
		return a.and(q.begin(r.Generation+1, t, "the tag was set again"))
	case state == executionDied:
		return a.and(q.block())
	case q.resumable():
		return a.and(q.resume())
	case state == executionEnded && t.Phase == "":
		return a.and(q.begin(r.Generation+1, t, "its execution ended before its first step"))
	case state == executionMissing:
		a.Start = true
	}
	return a
}

// and adds what a says to a beginning.
func (a Retirement) and(begun Retirement) Retirement {
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
	d.Execution = contract.TeardownExecution(r.ID, r.Generation)
	a := Retirement{Record: &r, Start: true, Fresh: true}
	a.Outcome.Inform(contract.TeardownStarted, r.ARN, d)
	a.Outcome.Count(contract.MetricTeardownStarted, 1)
	r.Remember(q.Now, origin.DecidedTeardownStarted, nil, why)
	return a
}

// cancel ends a teardown that has not begun to change anything. Its execution finds the generation changed when it wakes.
func (q Request) cancel(why string) (a Retirement) {
	r := q.Record
	if r.Teardown == nil || r.Intent != origin.Wire {
		return a
	}
	a.Outcome.Count(contract.MetricTeardownCancelled, 1)
	a.Outcome.Inform(contract.TeardownCancelled, r.ARN, outcome.About(r, why))
	r.Remember(q.Now, origin.DecidedTeardownCancelled, nil, why)
	r.Generation++
	r.Teardown = nil
	a.Record = &r
	return a
}

// refuse reports a tag value that cannot be obeyed, once.
func (q Request) refuse(why origin.Reason) (a Retirement) {
	reasons := []origin.Reason{why}
	if origin.SameReasons(q.Refused, reasons) {
		return a
	}
	a.Refuse = reasons
	a.Outcome.Alarm(contract.TeardownTagRefused, q.Record.ARN, outcome.About(q.Record, "").Because(reasons))
	return a
}

// NameTaken returns the record of a fresh teardown under the next generation, since an execution of this one's name has run:
// names are taken for 90 days. https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
func NameTaken(r origin.Record) origin.Record {
	r.Generation++
	return r
}
