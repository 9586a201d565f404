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
	Confirm Phase = "confirm" // no distribution anywhere uses the origin
	Record  Phase = "record"  // note the network interfaces that have to go
	Unshare Phase = "unshare" // out of every RAM share
	Delete  Phase = "delete"  // the VPC origin is gone
	Verify  Phase = "verify"  // its network interfaces are gone
	Report  Phase = "report"  // say how it ended
)

// Phases lists the phases in the one legal order. Unsharing earlier would leave the distribution serving but closed to
// every team's changes (facts/aws.md section 0).
func Phases() []Phase {
	return []Phase{Warn, Grace, Detach, Confirm, Record, Unshare, Delete, Verify, Report}
}

// Verdict is what a look asks for.
type Verdict string

// Verdicts.
const (
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
	Wait    time.Duration // before the next look; positive exactly when Verdict is Wait
	Outcome Outcome       // empty until it is over
	Says    string
}

// Observed is everything that a decision rests on. Users, Shares and Named count only once the registry says that the
// origin is Detached, ENIs and Needed only when Looked.
type Observed struct {
	Now        time.Time
	Generation int           // of the execution
	Record     origin.Record // from the registry
	Tagged     bool          // the VPC origin carries the teardown tag
	Named      bool          // the configuration of the hub's distribution names the origin
	Users      []User        // distributions that use the origin, in any account, as its owner sees them
	Shares     []Share
	Exists     bool   // the VPC origin
	Status     string // of the VPC origin
	Looked     bool   // at the network interfaces
	ENIs       []ENI  // interfaces in the VPC that CloudFront manages for VPC origins, and no others
	Needed     int    // how many interfaces the other VPC origins in that VPC need
}

// User is a distribution that uses the origin.
type User struct{ Distribution, Account string }

// Share is a share that the origin is or was in.
type Share struct {
	ARN    string
	Status string // of the origin's association
	Alone  bool   // it holds nothing else
}

// ENI is a network interface.
type ENI struct{ ID, Subnet string }

// How long each wait lasts before somebody is called, and how long between two looks.
const (
	// The owner's list of users may lag behind the deployment that has just been seen; and whoever runs a foreign
	// distribution may be at it. Nothing is irreversible yet, so neither is worth an hour.
	confirmLimit, confirmPace = 10 * time.Minute, time.Minute
	unshareLimit, unsharePace = 30 * time.Minute, 15 * time.Second
	// Terraform gives a deletion 15 minutes; cycles of 40 have been seen (facts/aws.md section 3).
	deleteLimit, deletePace = time.Hour, time.Minute
	// AWS names no bound for the release of the interfaces; observed are minutes.
	verifyLimit, verifyPace = 45 * time.Minute, time.Minute
)

// Next decides the next step. It trusts no earlier decision: it goes through the phases from the first one, and stops at
// the first whose end cannot be seen.
//
//	phase    its end                                    until then
//	(any)    the execution's generation is current      done: cancelled
//	(tag)    the origin is tagged, or gone              before unsharing done: cancelled; later stuck: stopped
//	warn     the registry names a later phase           act
//	grace    due                                        wait until then
//	detach   not named, and Detached in the registry    act (the machine waits for the token)
//	confirm  no distribution uses the origin            wait, then stuck: stopped, naming distribution and account
//	record   interfaces recorded, or the origin gone    act
//	unshare  in no share                                act, or wait while it is on its way, then stuck: stopped
//	delete   the origin gone                            act, or wait while Deploying, then stuck: dirty
//	verify   no interface of its own is left            wait, then stuck: dirty, naming them
//	report   done: clean
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
	case o.deleting(t):
		// CloudFront finishes what it has begun, whatever the tag says now.
	case !o.Tagged && o.Exists && !begun:
		return over(Done, Cancelled, "the tag %s was removed in time: nothing happened", origin.TagTeardown)
	case !o.Tagged && o.Exists && !o.unsharing(t):
		return over(Done, Cancelled, "the tag %s was removed before anything was unshared: the origin is wired again", origin.TagTeardown)
	case !o.Tagged && o.Exists:
		return over(Stuck, Stopped, "the tag %s was removed when %s was no longer shared: to go on, set it "+
			"again; to keep the origin, share it with the hub again", origin.TagTeardown, r.ID)
	}

	if t.Phase == "" || t.Phase == string(Warn) {
		return act(Warn, "teardown of %s was requested", r.ID)
	}
	if left := t.Due.Sub(o.Now); left > 0 {
		return Step{
			Phase: Grace, Verdict: Wait, Wait: left,
			Says: fmt.Sprintf("grace until %s: removing the tag cancels", t.Due.UTC().Format(time.RFC3339)),
		}
	}
	if !begun || o.Named || r.State != origin.Detached {
		return act(Detach, "%s has to leave the hub's distribution", r.ID)
	}
	if len(o.Users) > 0 {
		says := "still used by " + join(o.Users, func(u User) string {
			return fmt.Sprintf("distribution %s in account %s", u.Distribution, u.Account)
		})
		return o.wait(t, Confirm, confirmPace, confirmLimit, says,
			Stopped, says+": remove the origin there, wait until that is Deployed, and set the tag again; nothing was unshared")
	}
	if !t.Recorded && o.Exists {
		return act(Record, "no distribution uses %s any more", r.ID)
	}
	if open := shared(o.Shares); len(open) > 0 {
		says := "still in " + join(open, func(s Share) string { return fmt.Sprintf("share %s (%s)", s.ARN, s.Status) })
		if !slices.ContainsFunc(open, func(s Share) bool { return s.Status != disassociating }) {
			return o.wait(t, Unshare, unsharePace, unshareLimit, says,
				Stopped, says+": RAM does not finish; disassociate it by hand in account "+r.Account+", and set the tag again")
		}
		if o.long(t, Unshare, unshareLimit) {
			return over(Stuck, Stopped, "%s: RAM does not let it go; disassociate it by hand in account %s, and set the tag again", says, r.Account)
		}
		return act(Unshare, "%s", says)
	}
	if o.Exists {
		if o.Status != "Deployed" {
			says := fmt.Sprintf("%s is %s: CloudFront has not finished with it", r.ID, o.Status)
			return o.wait(t, Delete, deletePace, deleteLimit, says,
				Dirty, r.ID+" is still there: CloudFront does not finish; if it stays so, ask AWS Support from account "+r.Account+"; set the tag again to try again")
		}
		if o.long(t, Delete, deleteLimit) {
			return over(Stuck, Dirty, "%s is still there: CloudFront does not delete it; delete it by hand in account %s, or set the tag again to try again", r.ID, r.Account)
		}
		return act(Delete, "%s is in no share any more", r.ID)
	}
	return o.verify(t)
}

// verify asks for proof. Interfaces do not name their VPC origin. So with no other origin in the VPC every interface that
// CloudFront manages there has to go; with others, as many may stay as these need, or all that were not there before.
func (o Observed) verify(t origin.Teardown) Step {
	if t.VPC == "" {
		return over(Stuck, Dirty, "it was not seen in which VPC %s had its network interfaces, so nobody can tell whether they are gone: "+
			"look for interfaces tagged aws.cloudfront.vpcorigin in account %s", o.Record.ID, o.Record.Account)
	}
	place := fmt.Sprintf("%s (%s) of account %s", t.VPC, t.Region, o.Record.Account)
	left, allowed := o.ENIs, ""
	if o.Needed > 0 {
		left = slices.DeleteFunc(slices.Clone(o.ENIs), func(e ENI) bool { return !slices.Contains(t.ENIs, e.ID) })
		allowed = fmt.Sprintf("; there are %d interfaces, of which other VPC origins need %d", len(o.ENIs), o.Needed)
	}
	if o.Looked && (len(left) == 0 || len(o.ENIs) <= o.Needed) {
		return over(Done, Clean, "%s is out of every distribution and share, deleted, and none of its network interfaces is left in %s",
			o.Record.ID, place)
	}
	says := fmt.Sprintf("%s is deleted; network interfaces left in %s: %s%s", o.Record.ID, place, join(left, func(e ENI) string { return e.ID }), allowed)
	if !o.Looked {
		says = o.Record.ID + " is deleted; the network interfaces in " + place + " have not been seen"
	}
	return o.wait(t, Verify, verifyPace, verifyLimit, says,
		Dirty, says+"; only CloudFront can remove them, so open a case with AWS Support; the hub looks again every day")
}

// The statuses of a RAM association that matter here (facts/aws.md section 2).
const (
	disassociating = "DISASSOCIATING"
	disassociated  = "DISASSOCIATED"
)

// shared are the shares that the origin is still in.
func shared(all []Share) []Share {
	open := slices.DeleteFunc(slices.Clone(all), func(s Share) bool { return s.Status == disassociated })
	slices.SortFunc(open, func(a, b Share) int { return strings.Compare(a.ARN, b.ARN) })
	return open
}

// unsharing tells whether the origin has begun to leave its shares. RAM forgets ended associations after a while, so that
// none at all means that too, once unsharing was entered.
func (o Observed) unsharing(t origin.Teardown) bool {
	ending := func(s Share) bool { return s.Status == disassociating || s.Status == disassociated }
	entered := slices.Index(Phases(), Phase(t.Phase)) >= slices.Index(Phases(), Unshare)
	return slices.ContainsFunc(o.Shares, ending) || (entered && len(o.Shares) == 0)
}

// deleting tells whether CloudFront is at work on the deletion.
func (o Observed) deleting(t origin.Teardown) bool {
	return t.Phase == string(Delete) && o.Exists && o.Status != "Deployed" && len(shared(o.Shares)) == 0
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
