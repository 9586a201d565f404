package wiring

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// Codes of the reasons why a distribution cannot be used.
const (
	DistributionMissing  origin.Code = "distribution-missing"  // policy names an id that does not exist
	DistributionReplaced origin.Code = "distribution-replaced" // policy names another id while origins are in the old distribution
	DistributionKind     origin.Code = "distribution-kind"     // policy names a staging or multi-tenant distribution
	DistributionGone     origin.Code = "distribution-gone"     // somebody deleted the distribution
	unavailable          origin.Code = "unavailable"           // the error has no code of AWS's
)

// functionComment is the comment of the function that answers 404.
const functionComment = "originhub: answers 404 for paths that no team claims"

// identity is the progress of Locate.
type identity struct {
	assigned string  // id that the item got in this run
	absent   string  // id of a distribution that does not exist
	refused  *Answer // why the distribution cannot be found, created or read
	done     bool    // Locate has nothing left to do
	searched bool    // CloudFront was asked for the distribution with the caller reference
	function string  // ARN of the function that answers 404
	restored bool    // the function's code was published again, or that failed
	exists   bool    // CloudFront reports that a distribution with the caller reference exists
	created  bool    // this run created the distribution and has not reported that yet
}

// Locate determines which distribution the item stands for, and observes it.
//
//	item   observed   policy                                  then
//	no id  -          no origin is recorded for it            end, if an earlier run found the same
//	any    -          quotas were read too long ago           read them
//	any    refused    any                                     unavailable, with AWS's reason
//	id     not yet    any                                     observe it
//	id     absent     id was taken from policy in this run    unavailable: policy names an id that does not exist
//	id     absent     created or found in this run            fail: CloudFront will show it later
//	id     absent     any other                               deleted by somebody: continue without an id
//	id     exists     creates it, other code was published    publish the hub's code in its function again, once in a run; then as below
//	id     exists     created it, and names it no longer      go on to Write
//	id     exists     adopts it, and it is of another kind    unavailable: it accepts no alias
//	id     exists     adopts it                               go on to Write
//	id     exists     adopts another, origins are in this     unavailable: the origins would be wired twice
//	id     exists     adopts another, no origin is in this    use the other id
//	no id  -          names it no longer                      end: origins to be removed are detached
//	no id  -          adopts one                              use that id
//	no id  -          creates it, and no origin is wanted     find it; end if there is none
//	no id  -          creates it, in dry-run mode             end: nothing is created
//	no id  -          creates it                              publish its function and create it; if it exists, find it; fail if
//	                                                          CloudFront does not list it yet
func (r Run) Locate() (Run, Step) {
	d, t, id := r.Item, r.Terms, r.id
	wanted := slices.ContainsFunc(r.Records, func(o origin.Record) bool { return o.State != origin.Deleted })
	switch {
	case id.done, !wanted && d.ID == "" && id.absent == "" && d.Unavailable.Code == "" && !d.ObservedAt.IsZero():
		return r.end()
	case r.Now.Sub(d.QuotaReadAt) >= quotaValidity:
		return r, Step{Do: ReadQuotas{}}
	case id.refused != nil:
		return r.refusedByAWS(*id.refused)
	case d.ID == "":
		return r.identify(wanted)
	case d.ID == id.absent && d.ID != id.assigned:
		return r.deletedOutside()
	case d.ID == id.absent && t.Base == nil:
		return r.missing()
	case d.ID == id.absent:
		return r.fail(fmt.Errorf("read distribution %s: CloudFront does not show it yet", d.ID))
	case id.created:
		r.id.created = false
		var o outcome.Outcome
		o.Inform(contract.DistributionCreated, "", outcome.Detail{What: d.ID, Why: "distribution " + d.ID + " was created, because the hub policy has distribution.base"})
		return r, Step{Outcome: o, Save: true}
	case r.Served == nil || r.Served.ID != d.ID:
		return r, Step{Do: ReadDistribution{ID: d.ID}}
	case r.Republish && !r.id.restored:
		return r, Step{Do: RestoreFunction{Name: t.NotFound.Name, Comment: functionComment, Code: NotFoundFunction}}
	case t.Base == nil && d.ID == t.Adopt && r.Served.Config.kind() != "":
		return r.cannotAdopt(DistributionKind, "it is a "+r.Served.Config.kind()+", which accepts no alias; put the id of a standard distribution in distribution.adopt of the hub policy instead")
	case t.Base != nil || !t.Named || d.ID == t.Adopt:
		return r.Write()
	case slices.ContainsFunc(r.Records, func(o origin.Record) bool { return o.Placed() || len(o.ReleasedHosts) > 0 }):
		return r.cannotAdopt(DistributionReplaced, fmt.Sprintf("distribution %s is adopted as %q and still serves origins; put %s back at its old position in "+
			"distribution.adopt of the hub policy, and add %s after it", d.ID, d.Name, d.ID, t.Adopt))
	}
	return r.assign(t.Adopt).Locate()
}

// identify determines the id of an item that has none.
func (r Run) identify(wanted bool) (Run, Step) {
	t := r.Terms
	switch find := (FindDistribution{CallerReference: t.CallerReference}); {
	case !t.Named:
		return r.noDistribution()
	case t.Base == nil:
		return r.assign(t.Adopt).Locate()
	case !r.id.searched && (!wanted || t.DryRun || r.id.exists):
		find.Comment = t.Base.Comment
		return r, Step{Do: find}
	case !wanted, t.DryRun:
		return r.noDistribution()
	case r.id.exists:
		return r.fail(fmt.Errorf("find the distribution with caller reference %s: CloudFront reports that it exists, but does not list it yet",
			t.CallerReference))
	case r.id.function == "":
		return r, Step{Do: EnsureFunction{Name: t.NotFound.Name, Comment: functionComment, Code: NotFoundFunction}}
	}
	base := *t.Base
	base.CallerReference, base.NotFound = t.CallerReference, r.id.function
	return r, Step{Do: Create{Config: Base(base)}}
}

// assign returns the run with id as the distribution's id.
func (r Run) assign(id string) Run {
	r.Item.ID, r.id.assigned = id, id
	return r
}

// noDistribution ends a run for which no distribution exists. Origins to be removed become detached, so that no teardown waits for them.
func (r Run) noDistribution() (Run, Step) {
	r.id.done = true
	r = r.recordContents(BaseSize(), nil, nil)
	step := Step{Records: r.detachedRecords(false)}
	if step.empty() {
		return r.end()
	}
	return r, step
}

// detachedRecords returns the records of the origins to be removed, as detached: they are in no distribution. If another distribution will
// take the place of theirs, their hosts are released, so that their DNS records are removed then.
func (r Run) detachedRecords(release bool) []Observation {
	var out []Observation
	for _, was := range r.Records {
		if is := was; was.Intent == origin.Detach && was.State != origin.Deleted {
			is.State = origin.Detached
			if release {
				is.ReleasedHosts = was.BoundHosts()
			}
			if is.State != was.State || taskWaits(is) {
				out = append(out, r.observation(was, is))
			}
		}
	}
	return out
}

// missing ends a run for which policy names a distribution that does not exist. Origins to be removed become detached, so that no teardown
// waits until somebody corrects the policy.
func (r Run) missing() (Run, Step) {
	id := r.Item.ID
	r.Item.ID = ""
	detached := r.detachedRecords(true)
	r.Item.ID = id
	r, step := r.cannotAdopt(DistributionMissing, "it does not exist; create a distribution and put its id in distribution.adopt of the hub policy instead")
	if len(detached) > 0 {
		step.Records, step.Do, step.Done = detached, nil, false
	}
	return r, step
}

// fail ends a run that cannot go on.
func (r Run) fail(err error) (Run, Step) {
	r.id.done, r.Failed = true, errors.Join(r.Failed, err)
	return r.end()
}

// located takes in the result of an action of Locate.
func (r Run) located(do Action, a Answer) Run {
	observed := r.Served != nil && r.Served.ID == r.Item.ID
	switch do := do.(type) {
	case ReadDistribution:
		switch {
		case a.Class == OK:
			r.Served, r.writing.stale = &a.Served, false
			return r
		case observed: // the earlier observation still holds, but does not show the result of the last update
			r.writing.resultUnknown = true
			return r.failWrite(a.Err)
		case a.Class == Absent:
			r.id.absent = do.ID
			return r
		}
	case FindDistribution:
		r.id.searched = true
		if a.ID != "" {
			r = r.assign(a.ID)
		}
	case EnsureFunction:
		r.id.function = a.ARN
	case RestoreFunction: // the distribution does not wait for its function
		r.id.restored, r.Failed = true, errors.Join(r.Failed, a.Err)
		return r
	case Create:
		r.id.exists = a.Class == Exists
		if a.Class == OK {
			r = r.assign(a.ID)
			r.id.created = true
		}
	}
	switch a.Class {
	case OK, Exists:
	case Refused:
		r.id.refused = &a
	default:
		r.id.done, r.Failed = true, errors.Join(r.Failed, a.Err)
	}
	return r
}

// refusedByAWS ends a run whose request AWS refuses. AWS's message differs from call to call, so the reason holds its code instead.
func (r Run) refusedByAWS(a Answer) (Run, Step) {
	why := origin.Reason{Code: origin.Code(cmp.Or(a.Code, string(unavailable))), Subject: cmp.Or(r.Item.ID, r.Item.Name), Message: a.Err.Error()}
	message := why.Message
	if a.Code != "" {
		why.Message = fmt.Sprintf("AWS refuses the hub's calls for distribution %[2]s with error %[1]s", why.Code, why.Subject)
	}
	return r.unavailable(why, message+"; correct what this error names, such as the id in the hub policy or a permission; the next sweep tries again")
}

// cannotAdopt ends a run for which policy names a distribution that cannot be adopted.
func (r Run) cannotAdopt(code origin.Code, why string) (Run, Step) {
	message := "distribution " + r.Terms.Adopt + " cannot be adopted: " + why
	return r.unavailable(origin.Reason{Code: code, Subject: r.Item.ID, Message: message}, message)
}

// unavailable ends a run whose distribution cannot be used until somebody acts. Each reason is reported once. Function admit places no
// further origin there, and the next sweep observes the distribution again.
func (r Run) unavailable(why origin.Reason, message string) (Run, Step) {
	r.id.done = true
	if origin.SameReasons([]origin.Reason{r.Item.Unavailable}, []origin.Reason{why}) {
		return r.end()
	}
	var o outcome.Outcome
	o.Alarm(contract.DistributionUnavailable, "", outcome.Detail{What: cmp.Or(r.Item.ID, r.Item.Name), Why: message, Codes: []origin.Code{why.Code}})
	r.Item.Unavailable, r.CapacityFreed = why, true
	return r, Step{Outcome: o}
}

// deletedOutside handles a distribution that somebody deleted. If policy still names it, its replacement gets the origins. If not,
// function admit finds another place for each origin.
//
//	policy        intent  state              becomes
//	names it      wire    wired, live        pending
//	creates it    detach  any                unchanged: detached once the replacement is Deployed without it
//	adopts it     detach  any but deleted    detached; its hosts are released, for the replacement to remove their DNS records
//	names it not  wire    any                deferred, until it has another place
//	names it not  detach  any but deleted    detached
//
// Before it unshares an origin, a teardown observes that no distribution uses it, so a replacement that is a copy loses nothing.
// Once policy no longer names the distribution, no run changes DNS for it any more, so the records keep no released hosts.
func (r Run) deletedOutside() (Run, Step) {
	d := r.Item
	why := origin.Reason{Code: DistributionGone, Subject: d.ID, Message: "distribution " + d.ID + " does not exist any more: somebody deleted it"}
	var step Step
	for _, was := range r.Records {
		o := was
		switch named := r.Terms.Named; {
		case o.Intent == origin.Wire && !named:
			o.State = origin.Deferred
		case o.Intent == origin.Wire && (o.State == origin.Wired || o.State == origin.Live):
			o.State = origin.Pending
		case o.Intent == origin.Detach && o.State != origin.Deleted && r.Terms.Base == nil:
			o.State, o.ReleasedHosts = origin.Detached, was.BoundHosts()
		}
		if o.State == was.State && (o.State != origin.Detached || !taskWaits(o)) {
			continue
		}
		if o.State == origin.Deferred {
			o.SetReasons(why)
			r.CapacityFreed = true
		}
		if !r.Terms.Named {
			o.ReleasedHosts = nil
		}
		step.Records = append(step.Records, r.observation(was, o))
	}
	r.CapacityFreed = r.CapacityFreed || !r.Terms.Named && r.originWaits()
	if d.Domain != "" { // it existed, and its deletion was not reported yet
		next := "originhub moves its origins to another distribution"
		switch {
		case r.Terms.Base != nil:
			next = "originhub creates another, and its origins are live again once that is Deployed"
		case r.Terms.Named:
			next = "create another distribution, put its id in place of " + d.ID + " in distribution.adopt of the hub policy, and deploy the hub"
		}
		step.Outcome.Alarm(contract.DriftFound, "", outcome.Detail{What: d.ID, Why: why.Message + "; " + next, Codes: []origin.Code{why.Code}})
		r.Item.Former = append(slices.Clone(d.Former), d.Domain)
	}
	r.Item.ID, r.Item.Domain, step.Save = "", "", true
	return r, step
}
