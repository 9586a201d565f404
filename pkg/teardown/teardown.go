// Package teardown decides the next step in taking an origin out, from what was just seen.
package teardown

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/origin"
)

// Phase is a state of the machine.
type Phase string

// Phases of a teardown.
const (
	Warn    Phase = "warn"    // say what is going to happen, and when
	Grace   Phase = "grace"   // leave time to change one's mind
	Detach  Phase = "detach"  // out of the hub's distribution, and that Deployed
	Record  Phase = "record"  // note the network interfaces that have to go
	Confirm Phase = "confirm" // wait until no distribution anywhere uses the origin; entered only if one does
	Unshare Phase = "unshare" // out of every RAM share
	Delete  Phase = "delete"  // the VPC origin is gone
	Verify  Phase = "verify"  // its network interfaces are gone
	Report  Phase = "report"  // it is over; no state of the machine, since the step that sees it says so
)

// Phases lists the phases in the one legal order. Unsharing earlier would leave the distribution serving but closed to
// every team's changes (facts/aws.md section 0).
func Phases() []Phase {
	return []Phase{Warn, Grace, Detach, Record, Confirm, Unshare, Delete, Verify}
}

// Fact is what a decision can rest on and has to be looked at for. Each costs a call or two, in each step that needs it.
type Fact string

// Facts.
const (
	Tag        Fact = "tag"        // the teardown tag on the VPC origin
	Naming     Fact = "naming"     // the configuration of the hub's distribution
	Usage      Fact = "usage"      // the distributions that use the origin
	Sharing    Fact = "sharing"    // the shares of the origin
	Existence  Fact = "existence"  // the VPC origin itself
	Interfaces Fact = "interfaces" // the network interfaces in its VPC
)

// Verdict is what a look asks for.
type Verdict string

// Verdicts.
const (
	Look  Verdict = "look"  // see Step.Look, and ask again
	Act   Verdict = "act"   // do what the phase does
	Wait  Verdict = "wait"  // look again after Step.Wait
	Done  Verdict = "done"  // over: clean or cancelled
	Stuck Verdict = "stuck" // over until somebody does what Step.Says: dirty or stopped
)

// Outcome is how a teardown ended.
type Outcome string

// Outcomes.
const (
	Clean     Outcome = "clean"     // nothing was left behind, and that was seen
	Dirty     Outcome = "dirty"     // something was left behind
	Cancelled Outcome = "cancelled" // the tag was removed in time, or the execution is out of date
	Stopped   Outcome = "stopped"   // something stands in the way of the next step
)

// Step is the next step. One with an outcome is always in phase Report, so that there is one place that reports.
type Step struct {
	Phase   Phase
	Verdict Verdict
	Look    Fact          // set exactly when Verdict is Look: what the phase needs to see
	Wait    time.Duration // before the next look; positive exactly when Verdict is Wait
	Outcome Outcome       // empty until it is over
	Says    string
}

// Observed is what was looked at in this step, and what the registry says. A field whose Fact is not in Seen means nothing:
// what nobody looked at is never taken for absent.
type Observed struct {
	Now        time.Time
	Phase      Phase         // that the machine is in
	Generation int           // of the execution
	Record     origin.Record // from the registry
	Seen       map[Fact]bool

	Tagged bool    // Tag: the VPC origin carries the teardown tag, or is gone and took it along
	Named  bool    // Naming: it names the origin
	Users  []User  // Usage: in any account, as the origin's owner sees them
	Shares []Share // Sharing
	Exists bool    // Existence
	Status string  // Existence
	ENIs   []ENI   // Interfaces: in the VPC, managed by CloudFront for VPC origins, and no others
	Needed int     // Interfaces: how many of them the other VPC origins in that VPC need
}

// User is a distribution that uses the origin.
type User struct{ Distribution, Account string }

// Share is a share that the origin is in, with the status of its association.
type Share struct{ ARN, Status string }

// ENI is a network interface.
type ENI struct{ ID, Subnet string }

// How long each wait lasts before somebody is called, and how long between two looks.
const (
	// The owner's list of users may lag behind the deployment that has just been seen; and whoever runs a foreign
	// distribution may be at it. Nothing is irreversible yet, so neither is worth an hour.
	confirmLimit, confirmPace = 10 * time.Minute, time.Minute
	unshareLimit, unsharePace = 30 * time.Minute, 15 * time.Second
	// Terraform gives a deletion 15 minutes; cycles of 40 have been seen (facts/aws.md section 3).
	deleteLimit, deletePace = time.Hour, 2 * time.Minute
	// AWS names no bound for the release of the interfaces; observed are minutes.
	verifyLimit, verifyPace = 45 * time.Minute, time.Minute
)

// moment is how long a tag that was just seen need not be looked at again, for what can still be undone.
const moment = time.Minute

// Next decides the next step, or what has to be seen for that. It goes through the phases from the first one, and stops at
// the first whose end it cannot rest on. What can be undone, or can only come true once, it takes from the registry: the
// intent, Detached, and that phase delete or verify was entered. What the two steps that cannot be undone rest on has to be
// seen in the very step: no distribution names the origin and its tag is there (unshare), it is in no share (delete).
//
//	phase    its end                                  looks at                     until then
//	(any)    the execution's generation is current                                 done: cancelled
//	warn     the registry names a later phase                                      act
//	grace    due                                      tag                          wait until then; untagged, done: cancelled
//	detach   Detached in the registry                 tag                          act (the machine waits for the token)
//	record   interfaces recorded                      existence                    act
//	confirm  no distribution uses the origin          usage                        wait, then stuck: stopped, naming them
//	unshare  in no share                              sharing, tag, naming, usage  act, or wait while it is on its way, then
//	                                                                               stuck: stopped; untagged, done: cancelled;
//	                                                                               named, back to detach; used, to confirm
//	delete   the origin gone                          sharing, existence, tag      act, or wait while Deploying, then stuck:
//	                                                                               dirty; untagged, stuck: stopped
//	verify   no interface of its own is left          interfaces                   wait, then stuck: dirty, naming them
//
// Whoever asks looks only for the phase that the machine is in, and enters another one first.
func Next(o Observed) Step {
	r := o.Record
	t := origin.Teardown{}
	if r.Teardown != nil {
		t = *r.Teardown
	}
	begun := r.Intent == origin.Detach
	switch {
	case r.State == origin.Deleted:
		return over(Done, Clean, "%s was torn down, and nothing was left behind", r.ID)
	case o.Generation != r.Generation:
		return over(Done, Cancelled, "generation %d of %s is out of date: the registry has generation %d", o.Generation, r.ID, r.Generation)
	case t.Phase == "" || t.Phase == string(Warn):
		return act(Warn, "teardown of %s was requested", r.ID)
	case t.Due.After(o.Now):
		return Step{
			Phase: Grace, Verdict: Wait, Wait: t.Due.Sub(o.Now),
			Says: fmt.Sprintf("grace until %s: removing the tag cancels", t.Due.UTC().Format(time.RFC3339)),
		}
	case !begun || r.State != origin.Detached:
		return o.leave(t, begun)
	case o.Phase == Detach && !o.Seen[Naming]:
		return look(Detach, Naming)
	case o.Seen[Naming] && o.Named:
		return act(Detach, "somebody put %s back into the hub's distribution", r.ID)
	case t.Phase == string(Delete) || t.Phase == string(Verify):
		return o.remove(t)
	}
	if !t.Recorded {
		if !o.Seen[Existence] {
			return look(Record, Existence)
		}
		return act(Record, "%s is out of the hub's distribution", r.ID)
	}
	if o.Phase == Confirm {
		if step, used := o.confirm(t, Confirm); used {
			return step
		}
	}
	return o.unshare(t)
}

// leave takes the origin out of the hub's distribution, if it is still tagged.
func (o Observed) leave(t origin.Teardown, begun bool) Step {
	at := Detach
	if t.Phase == string(Grace) && t.Due.After(t.Requested) {
		at = Grace
	}
	switch seen := o.Seen[Tag]; {
	case !seen && (begun || o.Now.Sub(t.Requested) >= moment):
		return look(at, Tag)
	case seen && !o.Tagged && begun:
		return over(Done, Cancelled, "the tag %s was removed before anything was unshared: the origin is wired again", origin.TagTeardown)
	case seen && !o.Tagged:
		return over(Done, Cancelled, "the tag %s was removed in time: nothing happened", origin.TagTeardown)
	}
	return act(Detach, "%s has to leave the hub's distribution", o.Record.ID)
}

// confirm looks who uses the origin, and waits until nobody does.
func (o Observed) confirm(t origin.Teardown, at Phase) (step Step, used bool) {
	if !o.Seen[Usage] {
		return look(at, Usage), true
	}
	if len(o.Users) == 0 {
		return Step{}, false
	}
	says := "still used by " + join(o.Users, func(u User) string {
		return fmt.Sprintf("distribution %s in account %s", u.Distribution, u.Account)
	})
	return o.wait(t, Confirm, confirmPace, confirmLimit, says,
		Stopped, says+": remove the origin there, wait until that is Deployed, and set the tag again; nothing was unshared"), true
}

// unshare takes the origin out of its shares, and goes on to delete once it is in none. It is where what cannot be undone
// begins.
func (o Observed) unshare(t origin.Teardown) Step {
	at := Unshare
	if o.Phase == Delete {
		at = Delete // unsharing was asked for, and is probably over
	}
	if !o.Seen[Sharing] {
		return look(at, Sharing)
	}
	open := slices.SortedFunc(slices.Values(o.Shares), func(a, b Share) int { return strings.Compare(a.ARN, b.ARN) })
	if len(open) == 0 {
		if at == Unshare { // somebody else unshared it, or RAM was slow: nobody has looked who uses it, or not just now
			if step, used := o.confirm(t, Unshare); used {
				return step
			}
		}
		return o.delete(t)
	}
	says := "still in " + join(open, func(s Share) string { return fmt.Sprintf("share %s (%s)", s.ARN, s.Status) })
	switch ending := func(s Share) bool { return s.Status == disassociating }; {
	case !slices.ContainsFunc(open, func(s Share) bool { return !ending(s) }):
		return o.wait(t, Unshare, unsharePace, unshareLimit, says,
			Stopped, says+": RAM does not finish; disassociate it by hand in account "+o.Record.Account+", and set the tag again")
	case !o.Seen[Tag]:
		return look(Unshare, Tag)
	case !o.Tagged && slices.ContainsFunc(open, ending):
		return o.untagged()
	case !o.Tagged:
		return over(Done, Cancelled, "the tag %s was removed before anything was unshared: the origin is wired again", origin.TagTeardown)
	case !o.Seen[Naming]:
		return look(Unshare, Naming)
	}
	if step, used := o.confirm(t, Unshare); used {
		return step
	}
	if o.long(t, Unshare, unshareLimit) {
		return over(Stuck, Stopped, "%s: RAM does not let it go; disassociate it by hand in account %s, and set the tag again", says, o.Record.Account)
	}
	return act(Unshare, "%s", says)
}

// delete deletes the origin, which is in no share. CloudFront refuses that as long as any distribution uses it, or if it is
// another version of the origin than the one whose interfaces were recorded; IAM refuses it without the tag. So right after
// unsharing, which has just looked, the call itself is the look at both; refused, the next step looks.
func (o Observed) delete(t origin.Teardown) Step {
	just := t.Phase == string(Unshare) && !t.Ended && o.Now.Sub(t.Since) < moment && t.ETag != ""
	switch {
	case !o.Seen[Existence] && !just:
		return look(Delete, Existence)
	case o.Seen[Existence] && !o.Exists:
		return o.verify(t)
	case o.Seen[Existence] && o.Status != "Deployed":
		says := fmt.Sprintf("%s is %s: CloudFront has not finished with it", o.Record.ID, o.Status)
		return o.wait(t, Delete, deletePace, deleteLimit, says, Dirty, o.Record.ID+" is still there: CloudFront does not finish; if it "+
			"stays so, ask AWS Support from account "+o.Record.Account+"; set the tag again to try again")
	case o.long(t, Delete, deleteLimit):
		return over(Stuck, Dirty, "%s is still there: CloudFront does not delete it; delete it by hand in account %s, or set the tag again to try again",
			o.Record.ID, o.Record.Account)
	case !o.Seen[Tag] && !just:
		return look(Delete, Tag)
	case o.Seen[Tag] && !o.Tagged:
		return o.untagged()
	}
	return act(Delete, "%s is in no share any more", o.Record.ID)
}

// remove goes on after the origin was in no share. One that is gone stays gone, and CloudFront finishes a deletion that it
// has begun, whatever the tag says now. One that is still there may have been shared again.
func (o Observed) remove(t origin.Teardown) Step {
	switch {
	case t.Phase == string(Verify):
		return o.verify(t)
	case !o.Seen[Existence]:
		return look(Delete, Existence)
	case o.Exists && o.Status == "Deployed":
		return o.unshare(t)
	}
	return o.delete(t)
}

func (o Observed) untagged() Step {
	return over(Stuck, Stopped, "the tag %s was removed when %s was no longer shared: to go on, set it "+
		"again; to keep the origin, share it with the hub again", origin.TagTeardown, o.Record.ID)
}

// verify asks for proof. Interfaces do not name their VPC origin. So with no other origin in the VPC every interface that
// CloudFront manages there has to go; with others, as many may stay as these need, or all that were not there before.
func (o Observed) verify(t origin.Teardown) Step {
	if t.VPC == "" {
		return over(Stuck, Dirty, "it was not seen in which VPC %s had its network interfaces, so nobody can tell whether they are gone: "+
			"look for interfaces tagged aws.cloudfront.vpcorigin in account %s", o.Record.ID, o.Record.Account)
	}
	if !o.Seen[Interfaces] {
		return look(Verify, Interfaces)
	}
	place := fmt.Sprintf("%s (%s) of account %s", t.VPC, t.Region, o.Record.Account)
	left, allowed := o.ENIs, ""
	if o.Needed > 0 {
		left = slices.DeleteFunc(slices.Clone(o.ENIs), func(e ENI) bool { return !slices.Contains(t.ENIs, e.ID) })
		allowed = fmt.Sprintf("; there are %d interfaces, of which other VPC origins need %d", len(o.ENIs), o.Needed)
	}
	if len(left) == 0 || len(o.ENIs) <= o.Needed {
		return over(Done, Clean, "%s is out of every distribution and share, deleted, and none of its network interfaces is left in %s",
			o.Record.ID, place)
	}
	says := fmt.Sprintf("%s is deleted; network interfaces left in %s: %s%s", o.Record.ID, place, join(left, func(e ENI) string { return e.ID }), allowed)
	return o.wait(t, Verify, verifyPace, verifyLimit, says,
		Dirty, says+"; only CloudFront can remove them, so open a case with AWS Support; the hub looks again every day")
}

// disassociating is the status of a RAM association that ends (facts/aws.md section 2).
const disassociating = "DISASSOCIATING"

func look(p Phase, f Fact) Step {
	says := fmt.Sprintf("whether to %s depends on its %s", p, f)
	if p == Verify {
		says = "it is deleted; its network interfaces have to be gone, too"
	}
	return Step{Phase: p, Verdict: Look, Look: f, Says: says}
}

func act(p Phase, format string, args ...any) Step {
	return Step{Phase: p, Verdict: Act, Says: fmt.Sprintf(format, args...)}
}

func over(v Verdict, outcome Outcome, format string, args ...any) Step {
	return Step{Phase: Report, Verdict: v, Outcome: outcome, Says: fmt.Sprintf(format, args...)}
}

// wait waits in a phase up to its limit, which begins when the registry first names the phase.
func (o Observed) wait(t origin.Teardown, p Phase, pace, limit time.Duration, says string, then Outcome, thenSays string) Step {
	if o.long(t, p, limit) {
		return over(Stuck, then, "%s", thenSays)
	}
	return Step{Phase: p, Verdict: Wait, Wait: pace, Says: says}
}

// long tells whether a phase has lasted too long, counted from when the registry first named it.
func (o Observed) long(t origin.Teardown, p Phase, limit time.Duration) bool {
	return t.Phase == string(p) && o.Now.Sub(t.Since) >= limit
}

func join[T any](all []T, words func(T) string) string {
	var out []string
	for _, v := range all {
		out = append(out, words(v))
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), ", ")
}
