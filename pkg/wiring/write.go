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
	// maxConflicts is how many updates of one run may conflict with somebody else's before the run leaves the rest to the
	// next run.
	maxConflicts = 5
	// visibilityDelay is how long to wait for an origin whose share was accepted but which CloudFront does not list yet.
	visibilityDelay = time.Minute
	// retryAfter is how long a quarantined origin stays out before it is tried again without a change of its claim, and how long
	// an alarm about a refused update holds before it is repeated.
	retryAfter = time.Hour
)

// writing is the progress of Write.
type writing struct {
	done              bool           // Write has nothing left to do
	attempted         bool           // an update was sent
	permitted         bool           // the next update may be sent
	throttled         bool           // CloudFront throttled the last update
	failed            error          // why the last update failed, if its result is not known and the update is tried once more
	resultUnknown     bool           // the result of the last update is not known
	stale             bool           // the ETag that was observed is not current any more, or is missing
	conflictUncounted bool           // an update was refused because somebody else wrote first, and the metric does not count it yet
	conflicts         int            // updates that were refused because somebody else wrote first
	invalid           *invalidUpdate // the search for the origins that make the update invalid; nil if there is none
}

// Write decides what the next update contains: all that the registry wants and the distribution lacks, without the origins that are
// excluded or refused.
//
//	observed                                            then
//	somebody else wrote the distribution meanwhile      observe it again
//	the last update is in the distribution              report it
//	it has a managed origin without a known record      look for the record in the other distributions
//	it proves that origins are live or detached         report that before an update makes the distribution InProgress
//	somebody else wrote it maxConflicts times           leave the update to a later run
//	CloudFront refused the update as invalid            search for the origins that make it invalid
//	an origin to add, but not which origins are listed  list them
//	dry-run mode                                        keep the plan for Settle, which reports it
//	nothing differs                                     go on to Settle
//	it differs, and the last update is too recent       leave the update to a later run
//	it differs, the last update is InProgress, and no
//	origin has to leave at once                         leave the update to the run that observes status Deployed
//	it differs, and the hub has sent its updates of
//	this minute, or others waited longer                leave the update to a later run: see Pace.Permit
//	it differs                                          update it
//
// A refusal is reported and recorded in the step in which it was decided.
func (r Run) Write() (Run, Step) {
	switch {
	case r.writing.stale:
		step := Step{Do: ReadDistribution{ID: r.Item.ID}}
		if r.writing.conflictUncounted {
			step.Outcome.Count(contract.MetricETagConflict, 1)
		}
		r.writing.conflictUncounted = false
		return r, step
	case r.Item.PendingUpdate != nil && !r.writing.resultUnknown:
		return r.confirmUpdate()
	case len(r.unknown()) > 0:
		return r, Step{Do: FindRecords{IDs: r.unknown()}}
	case r.proves():
		return r.prove()
	case r.writing.done:
		return r.Settle()
	case r.writing.conflicts >= maxConflicts:
		return r.postpone(max(r.Terms.Spacing, time.Second)).Settle()
	case r.writing.invalid != nil:
		return r.searchInvalid()
	case r.Visible == nil && slices.ContainsFunc(r.Records, r.toAdd):
		return r, Step{Do: ListOrigins{IDs: r.idsToAdd()}}
	}
	excluded, awaitsListing := r.excluded()
	if awaitsListing {
		r = r.recheckWithin(visibilityDelay)
	}
	problems := HostConflicts(r.Records, slices.DeleteFunc(r.allRecords(), r.unpermitted))
	for _, p := range problems {
		excluded = append(excluded, p.VPCOrigin)
	}
	plan, err := r.plan(excluded)
	if err != nil {
		return r.failInternal(err)
	}
	for _, p := range plan.Refused {
		excluded = append(excluded, p.VPCOrigin)
	}
	r.Excluded = excluded
	step := r.reportProblems(append(problems, plan.Refused...))
	r.reportUnpermitted(&step)
	if r = r.resumeSearch(); r.writing.invalid != nil && step.empty() {
		return r.searchInvalid()
	}
	return r.send(step, plan)
}

// send sends a plan, or leaves it to a later run: the last rows of Write's table.
func (r Run) send(step Step, plan Plan) (Run, Step) {
	spacing, all := r.Terms.Spacing-r.Now.Sub(r.Item.UpdateSent), slices.Concat(r.Records, r.leavingOrphans())
	switch {
	case r.writing.invalid != nil: // the search goes on once the step is committed
	case r.Terms.DryRun:
		r.writing.done, r.Deferred, r.Planned = true, !plan.Empty(), &plan
	case plan.Empty():
		r.writing.done = true
	case spacing > 0 && !r.writing.attempted && !slices.ContainsFunc(all, r.leavesNow):
		r = r.postpone(spacing)
	case r.propagating() && !r.writing.attempted && !slices.ContainsFunc(all, r.leavesAtOnce):
		r = r.postpone(NextRecheck(r.Now.Sub(r.Item.UpdateSent)))
	case !r.writing.permitted:
		return r.askForUpdate(step)
	default:
		return r.update(step, plan)
	}
	if step.empty() {
		return r.Settle()
	}
	return r, step
}

// excluded returns the origins that this update leaves as they are, and reports whether one of them waits until CloudFront lists it.
//
//	intent  state                                in the configuration  listed for the hub's account  excluded
//	detach  any                                  -                     -                             no
//	wire    any; policy does not permit it       -                     -                             yes, until function admit has corrected it
//	wire    deferred                             -                     -                             no: it has no place to be added to
//	wire    quarantined less than retryAfter ago -                     -                             yes, if CloudFront refused it
//	wire    any other                            yes                   -                             no
//	wire    any other                            no                    yes, and Deployed             no
//	wire    any other                            no                    no, or not Deployed           yes, until it is
func (r Run) excluded() (ids []string, awaitsListing bool) {
	for _, o := range r.Records {
		unlisted := r.toAdd(o) && !r.Visible[o.ID]
		if unlisted || r.coolingDown(o) || r.unpermitted(o) {
			ids = append(ids, o.ID)
		}
		awaitsListing = awaitsListing || unlisted
	}
	return ids, awaitsListing
}

// idsToAdd returns the origins that have to be added to the distribution.
func (r Run) idsToAdd() (ids []string) {
	for _, o := range r.Records {
		if r.toAdd(o) {
			ids = append(ids, o.ID)
		}
	}
	return ids
}

// toAdd reports whether an origin has to be added to the distribution.
func (r Run) toAdd(o origin.Record) bool {
	return o.Intent == origin.Wire && o.State != origin.Deferred && !r.coolingDown(o) && !r.unpermitted(o) && !r.Served.Config.Uses(o.ID)
}

// coolingDown reports whether an origin was quarantined less than retryAfter ago because CloudFront refused it. A reason that was read from
// the configuration is read again with every plan, so that the quarantine ends when the distribution has changed.
func (r Run) coolingDown(o origin.Record) bool {
	return o.Intent == origin.Wire && o.State == origin.Quarantined && !readFromConfig(o.Reasons) && r.Now.Sub(o.ReasonsReported) < retryAfter
}

// readFromConfig reports whether all reasons of a quarantine were read from the configuration.
func readFromConfig(reasons []origin.Reason) bool {
	return len(reasons) > 0 && !slices.ContainsFunc(reasons, func(reason origin.Reason) bool {
		return reason.Code != PathTaken && reason.Code != PathTwice && !(Problem{Reason: reason}).Waits()
	})
}

// plan returns the changes that the distribution needs, without those to the excluded origins. It removes an origin that the registry has
// in another distribution: the run that added it here stopped before it updated the registry. It removes a suspended or withdrawn origin without a record.
func (r Run) plan(excluded []string) (Plan, error) {
	c := r.Served.Config
	wanted := slices.Clone(r.Records)
	for _, o := range r.Elsewhere {
		if o.State != origin.Deleted && c.Uses(o.ID) {
			o.Intent, o.ReleasedHosts = origin.Detach, nil
			wanted = append(wanted, o)
		}
	}
	wanted = append(wanted, r.leavingOrphans()...)
	plan, err := Diff(DesiredOf(wanted, excluded, r.Terms.Spec(r.Item, c)), c)
	if err != nil {
		return Plan{}, fmt.Errorf("plan distribution %s: %w", r.Item.ID, err)
	}
	return plan, nil
}

// update sends a plan. The item is written first. It holds the time at which the run read the registry, so that a crash cannot shorten the spacing, and the
// aliases that the update adds, so that originhub later knows which aliases it may remove.
func (r Run) update(step Step, plan Plan) (Run, Step) {
	next, err := Apply(plan, r.Served.Config)
	if err != nil {
		return r.failInternal(fmt.Errorf("apply plan to distribution %s: %w", r.Item.ID, err))
	}
	r.Item.OwnedAliases = slices.Clone(r.Item.OwnedAliases)
	for _, change := range plan.Changes {
		if change.Op == Add && change.Kind == KindAlias && !slices.Contains(r.Item.OwnedAliases, change.ID) {
			r.Item.OwnedAliases = append(r.Item.OwnedAliases, change.ID)
		}
	}
	r.Item.UpdateSent, r.writing.attempted, r.writing.permitted = r.Now, true, false
	r.Item.PendingUpdate = &origin.Update{ETag: r.Served.ETag, Fingerprint: next.fingerprint(), Why: origin.Brief(strings.ReplaceAll(plan.String(), "\n", "; "))}
	step.Save, step.Do = true, Update{ID: r.Item.ID, ETag: r.Served.ETag, Config: next}
	return r, step
}

// updated takes in CloudFront's answer to an update.
func (r Run) updated(sent Update, a Answer) Run {
	w := &r.writing
	failed := w.failed
	w.failed = nil
	switch {
	case a.Class == OK:
		r.Served = &Served{ID: sent.ID, Domain: r.Served.Domain, ETag: a.ETag, Config: sent.Config}
		if w.invalid == nil || w.invalid.removals == removalsDone { // otherwise CloudFront still refuses what the update left out
			r.Item.Refused = ""
		}
	case a.Class == Stale:
		w.stale, w.conflictUncounted = true, true
		w.conflicts++
		return r
	case isThrottle(a.Code):
		w.throttled, r.Item.PendingUpdate = true, nil
		return r
	case a.Class != Refused && failed == nil:
		w.failed, w.stale = a.Err, true // the client repeats no update, since each call counts
		return r
	case a.Class != Refused:
		w.resultUnknown = true
		return r.failWrite(a.Err)
	case w.invalid == nil:
		w.invalid = r.startSearch(a)
		return r
	}
	if w.invalid == nil {
		w.done = true
		return r
	}
	w.invalid = w.invalid.learn(a)
	w.stale = a.Class == OK && !w.invalid.ended() // the next update needs the new ETag
	return r
}

// confirmUpdate determines from the observed distribution whether the last update reached it. That update may be one of an earlier run
// that stopped before it reported the result.
//
//	ETag                 managed part          reported
//	as before the update -                     -
//	another              as the update set it  Distribution Updated
//	another              another               -: somebody else's update came first
func (r Run) confirmUpdate() (Run, Step) {
	sent := *r.Item.PendingUpdate
	r.Item.PendingUpdate = nil
	var step Step
	if r.Served.ETag != sent.ETag && r.Served.Config.fingerprint() == sent.Fingerprint {
		r.Item.UpdateETag = r.Served.ETag
		step.Outcome.Inform(contract.DistributionUpdated, "", outcome.Detail{What: r.Item.ID, Why: "originhub made these changes: " + sent.Why})
		step.Outcome.Count(contract.MetricDistributionUpdate, 1)
	}
	if step.empty() {
		return r.Write()
	}
	return r, step
}

// unknown returns the managed VPC origins in the configuration whose records were not read. If the hub has one distribution, its records are all
// there are.
func (r Run) unknown() (ids []string) {
	if r.Alone {
		return nil
	}
	for _, o := range r.Served.Config.Orphans(r.allRecords()) {
		if !slices.Contains(r.sought, o.ID) {
			ids = append(ids, o.ID)
		}
	}
	return ids
}

// recordsFound takes in the records of origins that are in the configuration.
func (r Run) recordsFound(do FindRecords, a Answer) Run {
	if r.sought = slices.Concat(r.sought, do.IDs); a.Class != OK {
		return r.failWrite(a.Err)
	}
	for _, o := range a.Found.Records {
		if o.Distribution != r.Item.Name {
			r.Elsewhere = append(slices.Clone(r.Elsewhere), o)
		}
	}
	return r
}

// originsListed takes in which VPC origins the hub's account can use.
func (r Run) originsListed(a Answer) Run {
	if a.Class != OK {
		return r.failWrite(a.Err)
	}
	r.Visible = map[string]bool{}
	for _, o := range a.Origins {
		r.Visible[o.ID] = o.Deployed
	}
	return r
}

// postpone leaves the update to a run that begins after the given time.
func (r Run) postpone(after time.Duration) Run {
	r.writing.done, r.Deferred = true, true
	return r.recheckWithin(after)
}

// failWrite ends Write with an error. The run still settles what it has observed.
func (r Run) failWrite(err error) Run {
	r.writing.done, r.Deferred, r.writing.stale, r.Failed = true, true, false, errors.Join(r.Failed, err)
	return r
}

// failInternal ends Write because of a defect in originhub.
func (r Run) failInternal(err error) (Run, Step) {
	r.writing.done, r.Deferred, r.Broken = true, true, errors.Join(r.Broken, err)
	return r.Settle()
}

// reportProblems reports and records why origins are not wired, or not removed, as the registry wants:
//
//	intent  reason                            in the configuration  reported                    becomes
//	detach  an unmanaged part uses it         yes                   Distribution Write Refused  unchanged
//	wire    no capacity, or host elsewhere    no                    Origin Deferred             deferred: admit finds another place
//	wire    the same                          yes                   Origin Deferred             unchanged
//	wire    any other                         -                     Origin Quarantined          quarantined
func (r Run) reportProblems(problems []Problem) (step Step) {
	byOrigin := map[string][]Problem{}
	for _, p := range problems {
		byOrigin[p.VPCOrigin] = append(byOrigin[p.VPCOrigin], p)
	}
	for _, o := range r.Records {
		of := byOrigin[o.ID]
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
			r.reportProblem(&step, o, o.State, contract.DistributionWriteRefused, reasons...)
		case waits && r.Served.Config.Uses(o.ID):
			r.reportProblem(&step, o, o.State, contract.OriginDeferred, reasons...)
		case waits:
			r.reportProblem(&step, o, origin.Deferred, contract.OriginDeferred, reasons...)
		default:
			r.reportProblem(&step, o, origin.Quarantined, contract.OriginQuarantined, reasons...)
		}
	}
	return step
}

// reportProblem reports and records why an origin is not as the registry wants it. It does so once per retryAfter for the same reasons.
func (r Run) reportProblem(step *Step, o origin.Record, state origin.State, what string, reasons ...origin.Reason) {
	if o.State == state && origin.SameReasons(o.Reasons, reasons) && r.Now.Sub(o.ReasonsReported) < retryAfter {
		return
	}
	if what == contract.OriginQuarantined {
		step.Outcome.Count(contract.MetricOriginQuarantined, 1)
	}
	o.State, o.ReasonsReported = state, r.Now
	o.SetReasons(reasons...)
	step.Outcome.Alarm(what, o.ARN, outcome.About(o, "").Because(reasons))
	o.Remember(r.Now, decisionCodes[what], reasons, "")
	step.Records = append(step.Records, Observation{Record: o})
}

// decisionCodes maps the event that is reported to the decision that the record remembers.
var decisionCodes = map[string]origin.Code{
	contract.OriginQuarantined: origin.DecidedQuarantined, contract.OriginDeferred: origin.DecidedDeferred,
	contract.DistributionWriteRefused: origin.DecidedWriteRefused,
}
