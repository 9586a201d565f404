package wiring

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

const (
	// rereads bounds how often one run observes a distribution again that somebody else writes, before it leaves the rest to the
	// next run.
	rereads = 5
	// visibility is how long to wait for an origin that was accepted and cannot be seen yet.
	visibility = time.Minute
	// patience is how long an origin that was kept out stays out before it is tried again unasked, and how long an alarm about
	// what CloudFront refuses holds before it is repeated.
	patience = time.Hour
)

// writing is how far Write is.
type writing struct {
	over      bool  // it has nothing to do any more
	attempted bool  // an update was sent
	unsure    bool  // nobody knows whether that came through
	stale     bool  // what was observed has no ETag, or one that is not current
	late      bool  // an update came too late, since somebody else wrote, and that is not counted yet
	conflicts int   // updates that did
	hunt      *hunt // for the origins that make an update invalid
}

// Write decides what the next update contains: what the registry wants of the distribution, but for the origins that are held or
// refused, as far as it is not there yet.
//
//	observed                                      then
//	somebody else wrote it meanwhile              observe it again
//	whether the last update is in it              say so if it is
//	somebody else wrote it five times             leave it to a later run
//	CloudFront refused an update                  narrow down why
//	an origin to add, and not which are visible   observe which are
//	nothing differs                               on to Settle
//	it differs, and the spacing is not over       leave it to a later run, when that is over
//	it differs                                    update it
//
// What was refused is said and recorded in the step in which it was decided.
func (r Run) Write() (Run, Step) {
	switch {
	case r.writing.stale:
		step := Step{Do: ReadDistribution{ID: r.Item.ID}}
		if r.writing.late {
			step.Outcome.Count(contract.MetricETagConflict, 1)
		}
		r.writing.late = false
		return r, step
	case r.Item.PendingUpdate != nil && !r.writing.unsure:
		return r.sent()
	case r.writing.over:
		return r.Settle()
	case r.writing.conflicts >= rereads:
		return r.later(max(r.Terms.Spacing, time.Second)).Settle()
	case r.writing.hunt != nil:
		return r.narrow()
	case r.Visible == nil && slices.ContainsFunc(r.Records, r.joins):
		return r, Step{Do: ListOrigins{}}
	}
	held, appears := r.hold()
	if appears {
		r = r.wait(visibility)
	}
	problems := Apart(r.Records, r.all())
	for _, p := range problems {
		held = append(held, p.VPCOrigin)
	}
	plan, err := r.plan(held)
	if err != nil {
		return r.breaks(err)
	}
	for _, p := range plan.Refused {
		held = append(held, p.VPCOrigin)
	}
	r.Held = held
	step := r.refuse(append(problems, plan.Refused...))
	spacing := r.Terms.Spacing - r.Now.Sub(r.Item.UpdateSent)
	switch {
	case plan.Empty():
		r.writing.over = true
	case spacing > 0 && !r.writing.attempted:
		r = r.later(spacing)
	default:
		return r.update(step, plan)
	}
	if step.empty() {
		return r.Settle()
	}
	return r, step
}

// hold lists the origins that stay as they are for now, and reports whether one of them has to appear first.
//
//	intent  state                        in the configuration  visible to the hub's account  held
//	detach  any                          -                     -                             no
//	wire    waiting                      -                     -                             no: it has no place to be added to
//	wire    quarantined within the hour  -                     -                             yes
//	wire    any other                    yes                   -                             no
//	wire    any other                    no                    and Deployed                  no
//	wire    any other                    no                    not, or not Deployed          yes, until it appears
func (r Run) hold() (held []string, appears bool) {
	for _, o := range r.Records {
		hidden := r.joins(o) && !r.Visible[o.ID]
		if hidden || r.cools(o) {
			held = append(held, o.ID)
		}
		appears = appears || hidden
	}
	return held, appears
}

// joins reports whether an origin is to be added.
func (r Run) joins(o origin.Record) bool {
	return o.Intent == origin.Wire && o.State != origin.Deferred && !r.cools(o) && !r.Served.Config.Uses(o.ID)
}

// cools reports whether an origin was quarantined too short a time ago to be tried again.
func (r Run) cools(o origin.Record) bool {
	return o.Intent == origin.Wire && o.State == origin.Quarantined && r.Now.Sub(o.ReasonsReported) < patience
}

// plan is what to change, but for the origins that are left out. An origin that the registry has in another distribution goes from
// this one: whoever put it here wrote before the registry did, and died.
func (r Run) plan(but []string) (Plan, error) {
	c := r.Served.Config
	wanted := slices.Clone(r.Records)
	for _, o := range r.Elsewhere {
		if o.State != origin.Deleted && c.Uses(o.ID) {
			o.Intent, o.ReleasedHosts = origin.Detach, nil
			wanted = append(wanted, o)
		}
	}
	plan, err := Diff(DesiredOf(wanted, but, r.Terms.Spec(r.Item, c)), c)
	if err != nil {
		return Plan{}, fmt.Errorf("plan distribution %s: %w", r.Item.ID, err)
	}
	return plan, nil
}

// update sends a plan. When that was is recorded first, so that a crash cannot shorten the spacing, and so are the aliases that it
// adds, or nobody could tell them from somebody else's.
func (r Run) update(step Step, plan Plan) (Run, Step) {
	next, err := Apply(plan, r.Served.Config)
	if err != nil {
		return r.breaks(fmt.Errorf("apply plan to distribution %s: %w", r.Item.ID, err))
	}
	r.Item.OwnedAliases = slices.Clone(r.Item.OwnedAliases)
	for _, change := range plan.Changes {
		if change.Op == Add && change.Kind == KindAlias && !slices.Contains(r.Item.OwnedAliases, change.ID) {
			r.Item.OwnedAliases = append(r.Item.OwnedAliases, change.ID)
		}
	}
	r.Item.UpdateSent, r.writing.attempted = r.Now, true
	r.Item.PendingUpdate = &origin.Update{ETag: r.Served.ETag, Fingerprint: next.print(), Why: origin.Brief(strings.ReplaceAll(plan.String(), "\n", "; "))}
	step.Save, step.Do = true, Update{ID: r.Item.ID, ETag: r.Served.ETag, Config: next}
	return r, step
}

// updated takes in what CloudFront says to an update.
func (r Run) updated(sent Update, a Answer) Run {
	w := &r.writing
	switch {
	case a.Class == OK:
		r.Served = &Served{ID: sent.ID, Domain: r.Served.Domain, Config: sent.Config}
		r.Item.Refused = ""
	case a.Class == Stale:
		w.stale, w.late = true, true
		w.conflicts++
		return r
	case a.Class != Refused:
		w.unsure = true
		return r.unwritten(a.Err)
	case w.hunt == nil:
		w.hunt = r.suspect(a)
		return r
	}
	if w.hunt == nil {
		w.over = true
		return r
	}
	w.hunt = w.hunt.learn(a)
	w.stale = a.Class == OK && !w.hunt.ended() // the next update needs an ETag
	return r
}

// sent concludes from the distribution whether the last update reached it, in this run or in one that died before it said so.
//
//	ETag              managed part     said
//	as it was before  -                -
//	another           as it was sent   Distribution Updated
//	another           another          -: somebody else's update came first
func (r Run) sent() (Run, Step) {
	sent := *r.Item.PendingUpdate
	r.Item.PendingUpdate = nil
	var step Step
	if r.Served.ETag != sent.ETag && r.Served.Config.print() == sent.Fingerprint {
		step.Outcome.Inform(contract.DistributionUpdated, "", outcome.Detail{What: r.Item.ID, Why: sent.Why})
		step.Outcome.Count(contract.MetricDistributionUpdate, 1)
	}
	if step.empty() {
		return r.Write()
	}
	return r, step
}

// originsListed takes in which VPC origins the hub's account sees.
func (r Run) originsListed(a Answer) Run {
	if a.Class != OK {
		return r.unwritten(a.Err)
	}
	r.Visible = map[string]bool{}
	for _, o := range a.Origins {
		r.Visible[o.ID] = o.Deployed
	}
	return r
}

// later leaves what is to be written to another run.
func (r Run) later(after time.Duration) Run {
	r.writing.over, r.Deferred = true, true
	return r.wait(after)
}

// unwritten is a run that could not write. What has become true is settled all the same.
func (r Run) unwritten(err error) Run {
	r.writing.over, r.Deferred, r.writing.stale, r.Failed = true, true, false, errors.Join(r.Failed, err)
	return r
}

// breaks is unwritten for a fault of ours.
func (r Run) breaks(err error) (Run, Step) {
	r.writing.over, r.Deferred, r.Broken = true, true, errors.Join(r.Broken, err)
	return r.Settle()
}

// refuse says and records why origins are left out, or left in:
//
//	intent  reason                             in the configuration  said                        becomes
//	detach  something unmanaged uses it        yes                   Distribution Write Refused  as it was
//	wire    it fits into no place, or others   no                    Origin Deferred                waiting: admit finds another place
//	wire    the same                           yes                   Origin Deferred                as it was
//	wire    any other                          -                     Origin Quarantined          quarantined
func (r Run) refuse(problems []Problem) (step Step) {
	why := map[string][]Problem{}
	for _, p := range problems {
		why[p.VPCOrigin] = append(why[p.VPCOrigin], p)
	}
	for _, o := range r.Records {
		of := why[o.ID]
		if len(of) == 0 {
			continue
		}
		reasons := make([]origin.Reason, len(of))
		for i, p := range of {
			reasons[i] = p.Reason
		}
		waits := !slices.ContainsFunc(of, func(p Problem) bool { return !p.Waits() })
		switch {
		case o.Intent == origin.Detach:
			r.keep(&step, o, o.State, contract.DistributionWriteRefused, reasons...)
		case waits && r.Served.Config.Uses(o.ID):
			r.keep(&step, o, o.State, contract.OriginDeferred, reasons...)
		case waits:
			r.keep(&step, o, origin.Deferred, contract.OriginDeferred, reasons...)
		default:
			r.keep(&step, o, origin.Quarantined, contract.OriginQuarantined, reasons...)
		}
	}
	return step
}

// keep says why an origin is kept out or in, and records it, once for the same reasons and hour.
func (r Run) keep(step *Step, o origin.Record, state origin.State, what string, reasons ...origin.Reason) {
	if o.State == state && origin.SameReasons(o.Reasons, reasons) && r.Now.Sub(o.ReasonsReported) < patience {
		return
	}
	if what == contract.OriginQuarantined {
		step.Outcome.Count(contract.MetricOriginQuarantined, 1)
	}
	o.State, o.ReasonsReported = state, r.Now
	o.SetReasons(reasons...)
	step.Outcome.Alarm(what, o.ARN, outcome.About(o, "").Because(reasons))
	o.Remember(r.Now, decided[what], reasons, "")
	step.Records = append(step.Records, Observation{Record: o})
}

var decided = map[string]origin.Code{
	contract.OriginQuarantined: origin.DecidedQuarantined, contract.OriginDeferred: origin.DecidedDeferred,
	contract.DistributionWriteRefused: origin.DecidedWriteRefused,
}
