package teardown

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
)

// Next returns the next step, or the fact that has to be observed before it can be decided. It goes through the phases in order and stops
// at the first one whose end is not established. The registry is enough for what can be undone or what stays true: the intent, Detached,
// and that phase delete or verify was entered. The two irreversible acts need facts that were observed in the same step: unshare needs the
// tag and that no distribution names or uses the origin, delete needs that the origin is in no share.
//
//	phase    ends when                               observes                     until then
//	any      the registry has the origin and its     -                            out of date
//	         teardown
//	any      the execution's generation is current   -                            cancelled
//	any      it did not end here before              -                            ends as before
//	warn     the registry names a later phase        -                            act
//	grace    due                                     tag                          wait until then; untagged: cancelled
//	later    due; if not, the registry was lost      -                            cancelled
//	detach   Detached in the registry                tag; naming, if the          act, then await the token; adopted, and an
//	                                                 distribution is adopted,     unmanaged part uses it: blocked, naming it
//	                                                 or the phase was entered
//	                                                 before
//	record   interfaces recorded                     existence, placement,        act; not Detached: back to detach, or
//	                                                 interfaces; tag, if not      untagged: cancelled
//	                                                 Detached
//	confirm  no distribution uses the origin         usage                        wait, then blocked, naming them
//	unshare  in no share                             sharing, tag, naming, usage  act for each share, or wait while RAM is at
//	                                                                              work, then blocked; untagged: cancelled; named:
//	                                                                              back to detach; used: to confirm
//	delete   the origin does not exist               sharing, existence, tag      act, or wait while Deploying, then dirty;
//	                                                                              untagged: blocked
//	verify   no interface of its own is left         interfaces, other origins    wait, then dirty, naming them
//
// A task observes facts for its own phase only, and an outcome counts in its own phase only. If another phase is required, the step is a
// Move along an edge of the machine, so that no task returns an answer that the machine has no edge for. A phase that the registry has
// passed is left without observing anything. In dry-run mode a teardown is blocked before it acts.
func Next(o Observed) Step {
	if o.Record.Teardown != nil && o.Generation == o.Record.Generation && o.Has[Tag] {
		o.Record, o.wanted = consent(o)
	}
	if o.Generation == o.Record.Generation {
		o.Record = outdated(o)
	}
	s := o.adapt(o.required())
	if o.DryRun && s.Verdict == Act {
		return o.recordEnd(o.fails(o.Phase, Blocked, plannedOnly, "", "VPC origin %s stays as it is, because the hub is in dry-run mode and changes nothing; "+
			"it would continue with phase %s; set distribution.mode to manage in the hub policy, and then set the tag %s again",
			o.Record.ID, s.Phase, contract.TagTeardown))
	}
	return s
}

// outdated returns the record without its recorded interfaces if they were recorded for another version of the VPC origin than the one that
// was observed: its team may have moved it to another VPC meanwhile, so its interfaces have to be recorded again before it is deleted. While
// CloudFront deploys the new version, its interfaces are not all there yet.
//
//	interfaces    VPC origin                      then
//	not recorded  any                             as it is
//	any           deleted, and to be verified     as it is
//	recorded      not observed, or gone           as it is
//	recorded      the recorded ETag               as it is
//	recorded      another ETag, not Deployed      as it is; delete waits until it is Deployed
//	recorded      another ETag, Deployed          to be recorded again
func outdated(o Observed) origin.Record {
	r := o.Record
	if r.Teardown == nil || !r.Teardown.Recorded || !o.Has[Existence] || !o.Exists || !o.Deployed || o.ETag == r.Teardown.ETag || r.Teardown.ETag == "" ||
		r.Teardown.Phase == string(Verify) {
		return r
	}
	t := *r.Teardown
	t.Recorded = false
	r.Teardown = &t
	return r
}

// consent returns the record as the tag requests it, and whether the tag asks for the teardown. Once detaching has begun, a new value
// neither moves the date nor cancels.
//
//	tag                      intent wire                                    intent detach
//	absent                   no                                             no
//	gone with its origin     yes                                            yes
//	the recorded value       yes; due by policy's current bounds            yes
//	another value            yes; due by that value, counted from now       yes
//	unreadable value         no                                             yes
//	without the second tag   no                                             yes, if the origin leaves already
func consent(o Observed) (origin.Record, bool) {
	r := o.Record
	if o.Tag == TagUnconfirmed && !leaves(r) {
		return r, false
	}
	if o.Tag == TagAbsent || o.Tag == TagGone || r.Intent != origin.Wire {
		return r, o.Tag != TagAbsent
	}
	moved := *r.Teardown
	if moved.Value != o.Value {
		moved.Value, moved.Requested = o.Value, o.Now
	}
	due, err := ParseTag(o.Value, moved.Requested, o.Grace)
	if err != nil {
		return r, false
	}
	if !due.Equal(moved.Due) {
		moved.Due = due
	}
	r.Teardown = &moved
	return r, true
}

// required returns the step that the registry and the observed facts require, in whatever phase.
func (o Observed) required() Step {
	r := o.Record
	t := origin.Teardown{}
	if r.Teardown != nil {
		t = *r.Teardown
	}
	begun := r.Intent == origin.Detach
	grace := o.Phase == Warn || o.Phase == Grace
	switch {
	case !slices.Contains(Phases(), o.Phase):
		return o.endWith(o.Phase, OutOfDate, "phase %q does not exist in this version; the execution changes nothing more", o.Phase)
	case !o.Known:
		return o.endWith(o.Phase, OutOfDate, "the VPC origin is not in the registry; the next sweep restores it if it is still shared and has no teardown tag")
	case r.State == origin.Deleted && (o.Phase == Verify || o.Generation == r.Generation):
		return o.endWith(Verify, Clean, "VPC origin %s was torn down and nothing was left behind", r.ID)
	case o.Generation != r.Generation:
		return o.endWith(o.Phase, Cancelled, "generation %d of the teardown of %s is superseded by generation %d; this execution changes nothing more", o.Generation, r.ID, r.Generation)
	case r.Teardown == nil: // the registry was lost, and with it the grace that the team was given
		return o.endWith(o.Phase, OutOfDate, "the registry has no teardown of VPC origin %s; set the tag %s again to tear it down", r.ID, contract.TagTeardown)
	case t.Ended && t.Outcome != "" && t.Phase == string(o.Phase): // a retry of the task that ended it
		return o.fails(o.Phase, Outcome(t.Outcome), t.Because.Code, t.Because.Subject, "%s", t.Because.Message)
	case o.ActDone && o.Phase == Detach:
		return Step{Phase: Detach, Verdict: Await, Message: "VPC origin " + r.ID + " is being removed from the distribution; waiting until function wire observes that it is Deployed without it", Record: r}
	case o.ActDone && o.Phase == Delete:
		return Step{Phase: Delete, Verdict: Wait, Wait: deleteDelay, Message: "VPC origin " + r.ID + " is being deleted by CloudFront; waiting until that is done", Record: r}
	case o.Phase == Warn && (t.Phase == "" || t.Phase == string(Warn)):
		return o.warn(t)
	case t.Due.After(o.Now) && grace:
		return o.waits(Grace, t.Due.Sub(o.Now), "VPC origin %s keeps serving until %s; remove the tag %s before then to cancel the teardown",
			r.ID, t.Due.UTC().Format(time.RFC3339), contract.TagTeardown)
	case t.Due.After(o.Now):
		return o.endWith(o.Phase, Cancelled, "the teardown of VPC origin %s is now due at %s; the next sweep starts it again from the tag %s",
			r.ID, t.Due.UTC().Format(time.RFC3339), contract.TagTeardown)
	case !begun || r.State != origin.Detached:
		return o.startDetach(t, begun)
	case o.Phase == Detach && t.Phase == string(Detach) && !o.Has[Naming]:
		return o.observe(Detach, Naming)
	case o.Has[Naming] && o.Named:
		return o.detach()
	case !t.Recorded && o.Has[Existence] && o.Exists && o.Deployed:
		return o.record(t)
	case t.Phase == string(Delete) || t.Phase == string(Verify):
		return o.resumeRemoval(t)
	case !t.Recorded:
		return o.record(t)
	}
	if o.Phase == Confirm {
		if step, used := o.confirm(t, Confirm); used {
			return step
		}
	}
	return o.unshare(t)
}

// observe returns the step that observes f for phase p of the teardown of a VPC origin.
func (o Observed) observe(p Phase, f Fact) Step {
	message := fmt.Sprintf("VPC origin %s is in phase %s; observing its %s before the next step", o.Record.ID, p, f)
	if p == Verify {
		message = "VPC origin " + o.Record.ID + " is deleted; waiting for its network interfaces to be released"
	}
	return Step{Phase: p, Verdict: Observe, Fact: f, Message: message}
}

func (o Observed) act(p Phase, format string, args ...any) Step {
	s := Step{Phase: p, Verdict: Act, Message: fmt.Sprintf(format, args...), Record: o.entered(p)}
	s.AfterAct.Inform(contract.TeardownAdvanced, o.Record.ARN, o.detail(string(p)+": "+s.Message))
	return s
}

func (o Observed) waits(p Phase, d time.Duration, format string, args ...any) Step {
	return Step{Phase: p, Verdict: Wait, Wait: d, Message: fmt.Sprintf(format, args...), Record: o.entered(p)}
}

func (o Observed) endWith(p Phase, how Outcome, format string, args ...any) Step {
	return Step{Phase: p, Verdict: End, Outcome: how, Message: fmt.Sprintf(format, args...), Record: o.Record}
}

// fails ends the execution with an error. Its reason is identified by code and subject.
func (o Observed) fails(p Phase, how Outcome, code origin.Code, subject, format string, args ...any) Step {
	s := o.endWith(p, how, format, args...)
	s.Because = origin.Reason{Code: code, Subject: subject, Message: s.Message}
	return s
}

// wait waits in phase p until its limit, which counts from when the registry first named the phase, and then returns the step then.
func (o Observed) wait(t origin.Teardown, p Phase, pace, limit time.Duration, message string, then Step) Step {
	if o.tooLong(t, p, limit) {
		return then
	}
	return o.waits(p, pace, "%s", message)
}

// tooLong reports whether the teardown has been in phase p for limit or longer.
func (o Observed) tooLong(t origin.Teardown, p Phase, limit time.Duration) bool {
	return t.Phase == string(p) && o.Now.Sub(t.Since) >= limit
}

// entered returns the record with the teardown in phase p and the time when that phase began, so that every wait has a limit. From phase
// unshare on, function admit does not place the origin again.
func (o Observed) entered(p Phase) origin.Record {
	r := o.Record
	t := *r.Teardown
	if t.Phase != string(p) {
		t.Phase, t.Since, t.Outcome, t.Because, t.Reported = string(p), o.Now, "", origin.Reason{}, time.Time{}
	}
	t.Ended = false
	r.Teardown = &t
	return r
}

// adapt turns the required step into one that the machine has an edge for in the task's phase.
func (o Observed) adapt(s Step) Step {
	if s.Phase == o.Phase && (s.Verdict != End || s.Fails() || ends(o.Phase, s.Outcome)) {
		return o.recordEnd(s)
	}
	wanted := func(p Phase) bool { return p == s.Phase }
	if s.Phase == o.Phase { // nearest phase where the outcome counts
		wanted = func(p Phase) bool { return ends(p, s.Outcome) }
	}
	to, ok := toward(o.Phase, wanted)
	if !ok {
		return o.endWith(o.Phase, OutOfDate, "%s; the machine has no way from phase %s to that, so this execution changes nothing more; if no other execution is "+
			"running, set the tag %s again", s.Message, o.Phase, contract.TagTeardown)
	}
	m := Step{Phase: to, Verdict: Move, Wait: s.Wait, Message: s.Message, Record: o.Record}
	// The next task enters the phase that follows an act. An outdated execution enters no phase, because the record belongs to another.
	if to == s.Phase && (s.Verdict != End || s.Fails()) && !o.ActDone {
		m.Record = o.entered(to)
	}
	return m
}

// join returns the distinct words for all, sorted and separated by commas.
func join[T any](all []T, words func(T) string) string {
	var out []string
	for _, v := range all {
		out = append(out, words(v))
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), ", ")
}
