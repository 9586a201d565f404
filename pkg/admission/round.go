package admission

import (
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// Reading is the result of reading the tags of an origin.
type Reading struct {
	Offer
	Tags       map[string]string // nil if the claim is in the hub policy
	Unreadable bool              // and a retry does not help
	Code       string            // error code of AWS, if Unreadable
}

// Decide returns all changes of a round: for the origins whose tags were read, for deferred origins, and for origins that may no longer
// be wired. It writes each record at most once.
//
// Claims are decided in the order of the origins' ids, and each counts for the next. If a permitted claim has no capacity in the
// distribution that its origin cannot leave, the origin stays as it is. Then Decide starts over with both the old and the new claim of
// that origin reserved, until no other such origin is found.
func (r Round) Decide(read []Reading) ([]Change, Recheck) {
	r = r.indexed()
	read = slices.SortedFunc(slices.Values(read), func(a, b Reading) int { return strings.Compare(a.ID, b.ID) })
	stays := map[string]bool{}
	for {
		a := r.attempt(read, stays)
		known := len(stays)
		for _, id := range a.unplaced {
			stays[id] = true
		}
		if len(stays) == known {
			return slices.Concat(a.claims, a.places, a.withdrawals), a.recheck
		}
	}
}

// attempt is the decisions of a round under the assumption that some origins stay as they are.
type attempt struct {
	claims, places, withdrawals []Change
	recheck                     Recheck
	unplaced                    []string // ids of the origins that stay as they are
}

func (r Round) attempt(read []Reading, stays map[string]bool) attempt {
	var a attempt
	standing := newClaims(r.Policy, r.standing())
	reported := map[string]bool{}
	var asking []request
	for _, o := range read {
		c := r.claim(o, standing)
		c.changes = append(c.changes, r.untagged(o)...)
		a.claims, a.recheck, reported[o.ID] = append(a.claims, c.changes...), max(a.recheck, c.recheck), c.reported
		if c.request == nil {
			continue
		}
		asking = append(asking, *c.request)
		if stays[o.ID] {
			standing.add(c.request.is)
		} else {
			standing.replace(c.request.is)
		}
	}
	var withdrawn map[string]bool
	a.withdrawals, withdrawn = r.withdraw(asking, stays)
	asking = append(asking, r.waiting(asking, withdrawn)...)
	places := r.places(asking)
	for _, q := range asking {
		place := places[q.is.ID]
		changes := r.settle(q, place)
		if q.stays(place) {
			a.unplaced = append(a.unplaced, q.is.ID)
		}
		if q.stays(place) && reported[q.is.ID] {
			continue // two reasons in turn would each count as new
		}
		a.places = append(a.places, changes...)
	}
	return a
}

// claim is the decision about one origin by its claim.
type claim struct {
	changes  []Change
	reported bool     // it is refused or waits, and this is reported in changes or was reported before
	request  *request // for a place, if it is to be wired
	recheck  Recheck
}

// claim decides about one origin by its tags, or by the error of reading them.
//
//	registry                           teardown tag  Decide    then
//	any, and in no permitted share     any           -         the outcome of tagsOnly
//	any                                unreadable    -         Origin Refused
//	to be detached                     any, and a tag is unknown  as below
//	any other                          any, and a tag is unknown  Origin Refused
//	no record, main not observed yet   yes           -         nothing: wire triggers admit if a distribution contains it
//	no record, wired nevertheless      yes           as below, since the teardown of a wired origin needs a record
//	no record                          yes           -         the outcome of neverWired
//	to be wired, or in grace           yes           as below: until the teardown is due, the claim may change
//	to be detached                     yes           refused   nothing: the team asked for it
//	any                                no            admitted  the outcome of mayAsk, if it was refused before and has to wait
//	to be wired, changed too often     no            admitted  Origin Deferred, once; the origin stays live with its old claim
//	any other                          no            admitted  a request for a place, or nothing if nothing has changed but its refusal
//	any                                no            waits     Origin Deferred; observed again later
//	any                                no            refused   Origin Refused; what is wired stays wired with its old claim
func (r Round) claim(o Reading, standing *claims) claim {
	team, _ := r.Policy.TeamOf(o.Account)
	report := func(event string, reasons []Reason) []Change {
		return refuse(r.Registry.Refusals, event, o.ARN, outcome.Detail{Origin: o.ID, Account: o.Account, Team: team.Name}, reasons)
	}
	if len(o.Shares) == 0 {
		return r.tagsOnly(o, team)
	}
	if o.Unreadable {
		return claim{reported: true, changes: report(contract.OriginRefused, []Reason{because(ClaimUnreadable, "",
			"AWS does not let the hub read the tags of %s (%s): deploy the spoke stack in account %s with the externalId of the hub policy, "+
				"or set spoke: false for %s and write its claim in the hub policy", o.ID, o.Code, o.Account, team.Name)})}
	}
	record, known := r.Registry.Find(o.ID)
	_, tagged := o.Tags[contract.TagTeardown]
	switch {
	case !tagged:
	case record.Intent == origin.Wire || r.inGrace(record):
		tagged = false
	case !known && r.Registry.Distribution(origin.Main).ObservedAt.IsZero():
		return claim{}
	case !known && r.holder(o.ID) == "":
		return claim{reported: true, changes: r.neverWired(o, team)}
	case !known:
		tagged = false
	}
	if reasons := unknownTags(o.ID, o.Tags); len(reasons) > 0 && (!known || record.Intent == origin.Wire || r.inGrace(record)) {
		return claim{reported: true, changes: report(contract.OriginRefused, reasons)}
	}
	is := ParseClaim(o.Tags, team)
	switch d := standing.decide(Candidate{Ref: o.Ref, Claim: is, Tagged: tagged}); {
	case d.Admit && len(r.mayAsk(o, team, is)) > 0:
		return claim{reported: true, changes: r.keepWaiting(o, r.mayAsk(o, team, is), report)}
	case d.Admit && r.changesTooOften(record, team, is):
		why := changedTooOften(record)
		return claim{reported: true, changes: refuseAs((*outcome.Outcome).Inform, r.Registry.Refusals, contract.OriginDeferred, o.ARN,
			outcome.Detail{Origin: o.ID, Account: o.Account, Team: team.Name}, []Reason{why})}
	case d.Admit:
		changes, request := r.admit(record, known, o.Offer, team, is)
		if request == nil {
			changes = append(changes, forget(r.Registry.Refusals, o.ARN)...)
		} else {
			request.refused = r.Registry.Refusals[o.ARN]
		}
		return claim{changes: changes, request: request}
	case d.Waits():
		return claim{reported: true, changes: report(contract.OriginDeferred, d.Reasons), recheck: Later}
	case tagged && known:
		return claim{}
	default:
		return claim{reported: true, changes: report(contract.OriginRefused, d.Reasons)}
	}
}

// untagged returns the change that forgets the refusal of a teardown tag that was removed from an origin without a record. Function retire does
// that for the others.
func (r Round) untagged(o Reading) []Change {
	_, known := r.Registry.Find(o.ID)
	if _, tagged := o.Tags[contract.TagTeardown]; known || tagged || o.Unreadable {
		return nil
	}
	return forget(r.Registry.Refusals, o.ARN+" "+contract.TagTeardown)
}

// admit returns the change of the record, or the request for a place, of an origin whose claim is permitted.
//
//	record                               claim    then
//	none                                 any      pending, generation 1, admitted now
//	to be wired                          same     nothing, or the new share if the origin has left its share
//	to be wired, team has another name   same     admitted with the new name
//	to be wired                          another  pending; hosts that are no longer claimed become released hosts
//	to be detached, in grace             any      pending, admitted now; the teardown continues
//	to be detached, teardown not ended   any      pending, admitted now, next generation; Teardown Cancelled
//	to be detached, teardown ended/none  any      pending, admitted now, next generation
func (r Round) admit(was origin.Record, known bool, o Offer, team Team, c origin.Claim) ([]Change, *request) {
	is := was.WithClaim(c)
	is.Ref, is.Team, is.Intent = o.Ref, team.Name, origin.Wire
	if !slices.Contains(o.Shares, was.Share) {
		is.Share = o.Shares[0]
	}
	wanted, same := was.Intent == origin.Wire, sameClaim(was.Claim, c)
	if wanted && same && was.Team == is.Team && was.State != origin.Deferred {
		if was.Share == is.Share {
			return nil, nil
		}
		return []Change{{Record: &is}}, nil
	}
	q := request{known: known, was: was}
	if !wanted {
		is.Admitted = r.Registry.Now
		if !r.inGrace(was) { // a teardown in grace observes the tag itself when it is due
			if was.Teardown != nil && !was.Teardown.Ended {
				q.earlier.Count(contract.MetricTeardownCancelled, 1)
				q.earlier.Inform(contract.TeardownCancelled, is.ARN, outcome.About(was,
					"the tag "+contract.TagTeardown+" of "+is.ID+" was removed before the origin was unshared: the origin is wired again"))
			}
			is.Generation++
			is.Teardown = nil // wire completes the task token, if there is one
		}
	}
	if !wanted || !same {
		is.State, is.Reasons = origin.Pending, nil
	}
	q.is = is
	q.bound, q.orphaned = r.bound(was, known, is)
	return nil, &q
}

func sameClaim(a, b origin.Claim) bool {
	return a.Domain == b.Domain && a.Settings == b.Settings && slices.Equal(a.Hosts, b.Hosts) && slices.Equal(a.Paths, b.Paths)
}
