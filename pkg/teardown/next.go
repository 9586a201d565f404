package teardown

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
)

// Next decides the next step, or what has to be observed for that. It goes through the phases from the first one, and stops
// at the first whose end it cannot rest on. What can be undone, or can only come true once, it takes from the registry: the
// intent, Detached, and that phase delete or verify was entered. What the two steps that cannot be undone rest on has to be
// observed in the very step: no distribution names the origin and its tag is there (unshare), it is in no share (delete).
//
//	phase    its end                                 observes                     until then
//	any      the registry knows the origin and that  -                            out of date
//	         its teardown was asked for
//	any      the execution's generation is current   -                            cancelled
//	any      it did not end here before              -                            ends as it did
//	warn     the registry names a later phase        -                            act
//	grace    due                                     tag                          wait until then; untagged: cancelled
//	later    due: else the registry was lost         -                            cancelled
//	detach   Detached in the registry                tag; naming, if entered      act, then await the token
//	                                                 before
//	record   interfaces recorded                     existence, placement,        act; not Detached: back to detach, or
//	                                                 interfaces; tag, if not      untagged: cancelled
//	                                                 Detached
//	confirm  no distribution uses the origin         usage                        wait, then blocked, naming them
//	unshare  in no share                             sharing, tag, naming, usage  act for each share, or wait while it is on its
//	                                                                              way, then blocked; untagged: cancelled; named:
//	                                                                              back to detach; used: to confirm
//	delete   the origin gone                         sharing, existence, tag      act, or wait while Deploying, then dirty;
//	                                                                              untagged: blocked
//	verify   no interface of its own is left         interfaces, neighbours       wait, then dirty, naming them
//
// A task observes only for its own phase, and an outcome counts only in its own: what is called for in another one is a Move.
// It goes where the machine has an edge to, so that a task never answers what the machine does not know. A phase that the
// registry has passed is passed through without observing anything.
func Next(o Observed) Step {
	if o.Record.Teardown != nil && o.Generation == o.Record.Generation && o.Has[Tag] {
		o.Record, o.wanted = consent(o)
	}
	return o.fit(o.called())
}

// consent returns the record as the tag wants it, and whether the tag asks for the teardown. Once something has begun, a
// value neither moves nor revokes it.
//
//	tag                      intent wire                                    intent detach
//	absent                   no                                             no
//	gone with its origin     yes                                            yes
//	the value that was seen  yes; due as policy has it now                  yes
//	another value            yes; due by that value, counted from now       yes
//	unreadable value         no                                             yes
func consent(o Observed) (origin.Record, bool) {
	r := o.Record
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

// called is the step that the registry and what was observed call for, in whatever phase.
func (o Observed) called() Step {
	r := o.Record
	t := origin.Teardown{}
	if r.Teardown != nil {
		t = *r.Teardown
	}
	begun := r.Intent == origin.Detach
	grace := o.Phase == Warn || o.Phase == Grace
	switch {
	case !slices.Contains(Phases(), o.Phase):
		return o.over(o.Phase, OutOfDate, "there is no phase %q", o.Phase)
	case !o.Known:
		return o.over(o.Phase, OutOfDate, "the registry does not know it; a sweep brings back what is still shared and carries no teardown tag")
	case r.State == origin.Deleted && (o.Phase == Verify || o.Generation == r.Generation):
		return o.over(Verify, Clean, "%s was torn down, and nothing was left behind", r.ID)
	case o.Generation != r.Generation:
		return o.over(o.Phase, Cancelled, "generation %d of %s is out of date: the registry has generation %d", o.Generation, r.ID, r.Generation)
	case r.Teardown == nil: // the registry was lost meanwhile, and with it the grace that the team was given
		return o.over(o.Phase, OutOfDate, "the registry does not know that anybody asked for it; set the tag %s again", contract.TagTeardown)
	case t.Ended && t.Outcome != "" && t.Phase == string(o.Phase): // a retry of the task that said so
		return o.fails(o.Phase, Outcome(t.Outcome), t.Because.Code, t.Because.Subject, "%s", t.Because.Message)
	case o.Did && o.Phase == Detach:
		return Step{Phase: Detach, Verdict: Await, Says: "function wire takes " + r.ID + " out of the distribution", Record: r}
	case o.Did && o.Phase == Delete:
		return Step{Phase: Delete, Verdict: Wait, Wait: deleting, Says: "deletion of " + r.ID + " began", Record: r}
	case o.Phase == Warn && (t.Phase == "" || t.Phase == string(Warn)):
		return o.warn(t)
	case t.Due.After(o.Now) && grace:
		return o.waits(Grace, t.Due.Sub(o.Now), "grace until %s: removing the tag cancels", t.Due.UTC().Format(time.RFC3339))
	case t.Due.After(o.Now):
		return o.over(o.Phase, Cancelled, "grace is until %s by what the registry knows now: the teardown starts again from its tag",
			t.Due.UTC().Format(time.RFC3339))
	case !begun || r.State != origin.Detached:
		return o.leave(t, begun)
	case o.Phase == Detach && t.Phase == string(Detach) && !o.Has[Naming]:
		return observe(Detach, Naming)
	case o.Has[Naming] && o.Named:
		return o.detach()
	case t.Phase == string(Delete) || t.Phase == string(Verify):
		return o.remove(t)
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

func observe(p Phase, f Fact) Step {
	says := fmt.Sprintf("whether to %s depends on its %s", p, f)
	if p == Verify {
		says = "it is deleted; its network interfaces have to be gone, too"
	}
	return Step{Phase: p, Verdict: Observe, Fact: f, Says: says}
}

func (o Observed) act(p Phase, format string, args ...any) Step {
	s := Step{Phase: p, Verdict: Act, Says: fmt.Sprintf(format, args...), Record: o.entered(p)}
	s.AfterAct.Inform(contract.TeardownAdvanced, o.Record.ARN, o.detail(string(p)+": "+s.Says))
	return s
}

func (o Observed) waits(p Phase, d time.Duration, format string, args ...any) Step {
	return Step{Phase: p, Verdict: Wait, Wait: d, Says: fmt.Sprintf(format, args...), Record: o.entered(p)}
}

func (o Observed) over(p Phase, how Outcome, format string, args ...any) Step {
	return Step{Phase: p, Verdict: End, Outcome: how, Says: fmt.Sprintf(format, args...), Record: o.Record}
}

// fails ends the execution with an error, for a reason that is told from others by its code and subject.
func (o Observed) fails(p Phase, how Outcome, code origin.Code, subject, format string, args ...any) Step {
	s := o.over(p, how, format, args...)
	s.Because = origin.Reason{Code: code, Subject: subject, Message: s.Says}
	return s
}

// wait waits in a phase up to its limit, which begins when the registry first names the phase.
func (o Observed) wait(t origin.Teardown, p Phase, pace, limit time.Duration, says string, then Step) Step {
	if o.long(t, p, limit) {
		return then
	}
	return o.waits(p, pace, "%s", says)
}

// long reports whether a phase has lasted too long, counted from when the registry first named it.
func (o Observed) long(t origin.Teardown, p Phase, limit time.Duration) bool {
	return t.Phase == string(p) && o.Now.Sub(t.Since) >= limit
}

// entered returns the record of a teardown that is in phase p, so that no wait in it is endless. From unsharing on, admit
// leaves the origin alone.
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

// fit makes of what is called for what the machine can do next in this phase.
func (o Observed) fit(s Step) Step {
	if s.Phase == o.Phase && (s.Verdict != End || s.Fails() || ends(o.Phase, s.Outcome)) {
		return o.finish(s)
	}
	wanted := func(p Phase) bool { return p == s.Phase }
	if s.Phase == o.Phase { // nearest phase where the outcome counts
		wanted = func(p Phase) bool { return ends(p, s.Outcome) }
	}
	to, ok := toward(o.Phase, wanted)
	if !ok {
		return o.over(o.Phase, OutOfDate, "%s; no way leads from phase %s to that, and so this execution changes nothing more: if no other is under way, "+
			"set the tag %s again", s.Says, o.Phase, contract.TagTeardown)
	}
	m := Step{Phase: to, Verdict: Move, Wait: s.Wait, Says: s.Says, Record: o.Record}
	// What follows an act is entered by its own task. An execution that is out of date enters nothing: the record is another's.
	if to == s.Phase && (s.Verdict != End || s.Fails()) && !o.Did {
		m.Record = o.entered(to)
	}
	return m
}

func join[T any](all []T, words func(T) string) string {
	var out []string
	for _, v := range all {
		out = append(out, words(v))
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), ", ")
}
