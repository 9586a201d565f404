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

// Codes of why a distribution cannot be used.
const (
	DistributionMissing  origin.Code = "distribution-missing"  // policy names an id that does not exist
	DistributionReplaced origin.Code = "distribution-replaced" // policy names another id although origins are in the old one
	DistributionGone     origin.Code = "distribution-gone"     // somebody deleted it
	unavailable          origin.Code = "unavailable"           // AWS gave no code
)

// identity is what Locate found out.
type identity struct {
	fresh    string  // id that the item got in this run
	absent   string  // id of a distribution that does not exist
	refusal  *Answer // why the distribution cannot be found, made or read
	over     bool    // nothing is left to find out
	searched bool    // CloudFront was asked which one was created from the caller reference
	function string  // ARN of the one that answers 404
	exists   bool    // CloudFront says that one was created from the caller reference before
	created  bool    // in this run, and that is not said yet
}

// Locate finds out which distribution the item stands for, and observes it.
//
//	item   observed   policy                           then
//	no id  -          nothing is to be in it           over, if an earlier run found it like that
//	any    -          quotas were asked a while ago    observe them
//	any    refused    any                              unavailable, as AWS says
//	id     not yet    any                              observe it
//	id     absent     took its place in this run       unavailable: policy names one that does not exist
//	id     absent     created or found in this run     failed: it will appear
//	id     absent     any                              gone: on without an id
//	id     there      created it, names it no more     on to Write
//	id     there      adopts it                        on to Write
//	id     there      adopts another, origins inside   unavailable: they would be wired twice
//	id     there      adopts another, none inside      that one's id
//	no id  -          names it no more                 over: there is none, and what is to go is detached
//	no id  -          adopts one                       that one's id
//	no id  -          creates it, nothing wanted       find it; over if there is none
//	no id  -          creates it                       publish its function, create it; if it exists, find it; failed if it is not
//	                                                   listed yet
func (r Run) Locate() (Run, Step) {
	d, t, id := r.Item, r.Terms, r.id
	wanted := slices.ContainsFunc(r.Records, func(o origin.Record) bool { return o.State != origin.Deleted })
	switch {
	case id.over, !wanted && d.ID == "" && id.absent == "" && d.Unavailable.Code == "" && !d.ObservedAt.IsZero():
		return r.end()
	case r.Now.Sub(d.QuotaReadAt) >= quotaLasts:
		return r, Step{Do: ReadQuotas{}}
	case id.refusal != nil:
		return r.refused(*id.refusal)
	case d.ID == "":
		return r.identify(wanted)
	case d.ID == id.absent && d.ID != id.fresh:
		return r.gone()
	case d.ID == id.absent && t.Base == nil:
		return r.misnamed(DistributionMissing, "there is none; create one and put its id in that one's place in distribution.adopt")
	case d.ID == id.absent:
		return r.fail(fmt.Errorf("read distribution %s: CloudFront does not show it yet", d.ID))
	case id.created:
		r.id.created = false
		var o outcome.Outcome
		o.Inform(contract.DistributionCreated, "", outcome.Detail{What: d.ID, Why: "policy asks for one of the hub's own"})
		return r, Step{Outcome: o, Save: true}
	case r.Served == nil || r.Served.ID != d.ID:
		return r, Step{Do: ReadDistribution{ID: d.ID}}
	case t.Base != nil || !t.Named || d.ID == t.Adopt:
		return r.Write()
	case slices.ContainsFunc(r.Records, func(o origin.Record) bool { return o.Placed() || len(o.ReleasedHosts) > 0 }):
		return r.misnamed(DistributionReplaced, fmt.Sprintf("%s has been the one named %s, and origins are in it; put %s back to its place in "+
			"distribution.adopt, and add %s behind it", d.ID, d.Name, d.ID, t.Adopt))
	}
	return r.take(t.Adopt).Locate()
}

// identify gives an id to an item that has none.
func (r Run) identify(wanted bool) (Run, Step) {
	t := r.Terms
	switch find := (FindDistribution{CallerReference: t.CallerReference}); {
	case !t.Named:
		return r.none()
	case t.Base == nil:
		return r.take(t.Adopt).Locate()
	case !r.id.searched && (!wanted || r.id.exists):
		find.Comment = t.Base.Comment
		return r, Step{Do: find}
	case !wanted:
		return r.none()
	case r.id.exists:
		return r.fail(fmt.Errorf("find the distribution with caller reference %s: CloudFront says that it exists, and does not list it yet",
			t.CallerReference))
	case r.id.function == "":
		return r, Step{Do: EnsureFunction{Name: t.NotFound.Name, Comment: "originhub: answers 404 for what no team claims", Code: NotFoundFunction}}
	}
	base := *t.Base
	base.CallerReference, base.NotFound = t.CallerReference, r.id.function
	return r, Step{Do: Create{Config: Base(base)}}
}

func (r Run) take(id string) Run {
	r.Item.ID, r.id.fresh = id, id
	return r
}

// none is the end of a run that found no distribution. An origin that is to go is in none, so that no teardown waits for it.
func (r Run) none() (Run, Step) {
	r.id.over = true
	r = r.holds(BaseSize(), nil, nil)
	var step Step
	for _, was := range r.Records {
		if is := was; was.Intent == origin.Detach && was.State != origin.Deleted {
			is.State = origin.Detached
			if is.State != was.State || awaits(is) {
				step.Records = append(step.Records, r.finish(was, is))
			}
		}
	}
	if step.empty() {
		return r.end()
	}
	return r, step
}

// fail is the end of a run that cannot go on.
func (r Run) fail(err error) (Run, Step) {
	r.id.over, r.Failed = true, errors.Join(r.Failed, err)
	return r.end()
}

// identified takes in an answer of Locate's.
func (r Run) identified(do Action, a Answer) Run {
	again := r.Served != nil && r.Served.ID == r.Item.ID
	switch do := do.(type) {
	case ReadDistribution:
		switch {
		case a.Class == OK:
			r.Served, r.writing.stale = &a.Served, false
			return r
		case again: // what was observed before still holds, but says nothing about the last update
			r.writing.unsure = true
			return r.unwritten(a.Err)
		case a.Class == Absent:
			r.id.absent = do.ID
			return r
		}
	case FindDistribution:
		r.id.searched = true
		if a.ID != "" {
			r = r.take(a.ID)
		}
	case EnsureFunction:
		r.id.function = a.ARN
	case Create:
		r.id.exists = a.Class == Exists
		if a.Class == OK {
			r = r.take(a.ID)
			r.id.created = true
		}
	}
	switch a.Class {
	case OK, Exists:
	case Refused:
		r.id.refusal = &a
	default:
		r.id.over, r.Failed = true, errors.Join(r.Failed, a.Err)
	}
	return r
}

// refused ends a run for which AWS refuses something. Its words differ from call to call, and so its code stands for them.
func (r Run) refused(a Answer) (Run, Step) {
	why := origin.Reason{Code: origin.Code(cmp.Or(a.Code, string(unavailable))), Subject: cmp.Or(r.Item.ID, r.Item.Name), Message: a.Err.Error()}
	said := why.Message
	if a.Code != "" {
		why.Message = fmt.Sprintf("AWS answers %s for %s", why.Code, why.Subject)
	}
	return r.unavailable(why, said)
}

// misnamed ends a run for which policy names a distribution that cannot be adopted.
func (r Run) misnamed(code origin.Code, why string) (Run, Step) {
	says := "adopt distribution " + r.Terms.Adopt + ": " + why
	return r.unavailable(origin.Reason{Code: code, Subject: r.Item.ID, Message: says}, says)
}

// unavailable ends a run whose distribution cannot be used, if that does not pass by itself. It is said once for each reason. Admit
// gives it no further origin, and a sweep observes it again.
func (r Run) unavailable(why origin.Reason, said string) (Run, Step) {
	r.id.over = true
	if origin.SameReasons([]origin.Reason{r.Item.Unavailable}, []origin.Reason{why}) {
		return r.end()
	}
	var o outcome.Outcome
	o.Alarm(contract.DistributionUnavailable, "", outcome.Detail{What: cmp.Or(r.Item.ID, r.Item.Name), Why: said, Codes: []origin.Code{why.Code}})
	r.Item.Unavailable, r.CapacityFreed = why, true
	return r, Step{Outcome: o}
}

// gone forgets a distribution that somebody deleted. What was in it is in none now: the one that takes its place gets it, or else,
// if policy no longer names it, admit finds each origin another place.
//
//	policy       intent  state          becomes
//	names it     wire    wired, live    pending
//	names it     detach  any            as it was: out as soon as the next one is Deployed without it
//	not          wire    any            waiting, for another place
//	not          detach  not deleted    detached
//
// Where policy no longer names it, nobody writes to DNS for it any more either, and no alias is left.
func (r Run) gone() (Run, Step) {
	d := r.Item
	why := origin.Reason{Code: DistributionGone, Subject: d.ID, Message: "distribution " + d.ID + " is gone: somebody deleted it"}
	var step Step
	for _, was := range r.Records {
		o := was
		switch named := r.Terms.Named; {
		case o.Intent == origin.Wire && !named:
			o.State = origin.Deferred
		case o.Intent == origin.Wire && (o.State == origin.Wired || o.State == origin.Live):
			o.State = origin.Pending
		case o.Intent == origin.Detach && o.State != origin.Deleted && !named:
			o.State = origin.Detached
		}
		if o.State == was.State {
			continue
		}
		if o.State == origin.Deferred {
			o.SetReasons(why)
			r.CapacityFreed = true
		}
		if !r.Terms.Named {
			o.ReleasedHosts = nil
		}
		step.Records = append(step.Records, r.finish(was, o))
	}
	r.CapacityFreed = r.CapacityFreed || !r.Terms.Named && r.awaited()
	if d.Domain != "" { // it was there once, and that it is gone was not said yet
		next := "its origins get a place in another one"
		switch {
		case r.Terms.Base != nil:
			next = "the hub makes another, and its teams are back when that is Deployed"
		case r.Terms.Named:
			next = "create another, put its id in its place under distribution.adopt in the hub policy, and deploy the hub"
		}
		step.Outcome.Alarm(contract.DriftFound, "", outcome.Detail{What: d.ID, Why: why.Message + "; " + next, Codes: []origin.Code{why.Code}})
		r.Item.Former = append(slices.Clone(d.Former), d.Domain)
	}
	r.Item.ID, r.Item.Domain, step.Save = "", "", true
	return r, step
}
