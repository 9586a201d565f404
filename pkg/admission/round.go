package admission

import (
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// Reading is what reading an origin's tags came to.
type Reading struct {
	Offer
	Tags       map[string]string // none if the claim is in policy
	Unreadable bool              // and repeating the call does not help
	Code       string            // AWS's, if Unreadable
}

// Decide decides everything that a round decides: about the origins whose tags were read, about those that wait for a place, and
// about those that may not be wired any longer. Each record is written once at most.
//
// Claims are decided in the order of the origins' ids, and each counts for the next. One that is permitted, and has no place
// where its origin is wired now, leaves the origin as it is; so everything is decided again with the old claim and the new one
// both taken, until all that has no place is known.
func (r Round) Decide(read []Reading) ([]Change, Recheck) {
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

// attempt is what a round decides if some origins stay as they are.
type attempt struct {
	claims, places, withdrawals []Change
	recheck                     Recheck
	unplaced                    []string // origins that stay as they are
}

func (r Round) attempt(read []Reading, stays map[string]bool) attempt {
	var a attempt
	standing := slices.Clone(r.Registry.Records) // what keeps others away
	told := map[string]bool{}
	var asking []request
	for _, o := range read {
		c := r.claim(o, standing)
		a.claims, a.recheck, told[o.ID] = append(a.claims, c.changes...), max(a.recheck, c.recheck), c.told
		if c.request == nil {
			continue
		}
		asking = append(asking, *c.request)
		standing = replace(standing, c.request.is, stays[o.ID])
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
		if q.stays(place) && told[q.is.ID] {
			continue // one reason at a time, or each would be news after the other
		}
		a.places = append(a.places, changes...)
	}
	return a
}

// replace returns records with one in its place, or behind them if it has none there or if what stands there is to stay.
func replace(records []origin.Record, is origin.Record, stays bool) []origin.Record {
	at := slices.IndexFunc(records, func(o origin.Record) bool { return o.ID == is.ID })
	if at < 0 || stays {
		return append(records, is)
	}
	records[at] = is
	return records
}

// claim is what was decided about one origin by its claim.
type claim struct {
	changes []Change
	told    bool     // it is refused or waits, whether that is said now or was before
	request *request // for a place, if it is to be wired
	recheck Recheck
}

// claim decides about one origin by its tags, or by why they could not be read.
//
//	registry                           teardown tag  Decide    then
//	any                                unreadable    -         Origin Refused
//	no record, main not observed yet   yes           -         left: wire triggers admit if a distribution holds it
//	no record, a distribution holds it yes           as below, since no teardown of what is wired can begin without a record
//	no record                          yes           refused   Origin Refused
//	to be wired, or in grace           yes           as below: the teardown takes it when it is due, and until then its claim may change
//	to be detached                     yes           refused   nothing: on its way out, as its team asked
//	any                                no            admitted  a request for a place, or nothing if nothing has changed
//	any                                no            waits     Origin Deferred; observed again later
//	any                                no            refused   Origin Refused; what is wired stays wired with its old claim
func (r Round) claim(o Reading, standing []origin.Record) claim {
	team, _ := r.Policy.TeamOf(o.Account)
	tell := func(event string, reasons []Reason) []Change {
		return refuse(r.Registry.Refusals, event, o.ARN, outcome.Detail{Origin: o.ID, Account: o.Account, Team: team.Name}, reasons)
	}
	if o.Unreadable {
		return claim{told: true, changes: tell(contract.OriginRefused, []Reason{because(ClaimUnreadable, "",
			"its tags cannot be read (%s): deploy the spoke stack in account %s, with the ExternalId of the hub's policy, "+
				"or set spoke: false for %s and state the claim in the policy", o.Code, o.Account, team.Name)})}
	}
	record, known := r.Registry.Find(o.ID)
	_, tagged := o.Tags[contract.TagTeardown]
	switch {
	case !tagged:
	case record.Intent == origin.Wire || r.inGrace(record):
		tagged = false
	case !known && r.Registry.Distribution(origin.Main).ObservedAt.IsZero():
		return claim{}
	case !known:
		tagged = r.holder(o.ID) == ""
	}
	is := ParseClaim(o.Tags, team)
	switch d := Decide(Candidate{Ref: o.Ref, Claim: is, Tagged: tagged}, r.Policy, standing); {
	case d.Admit:
		changes, request := r.admit(record, known, o.Offer, team, is)
		return claim{changes: changes, request: request}
	case d.Waits():
		return claim{told: true, changes: tell(contract.OriginDeferred, d.Reasons), recheck: Later}
	case tagged && known:
		return claim{}
	default:
		return claim{told: true, changes: tell(contract.OriginRefused, d.Reasons)}
	}
}

// admit decides what becomes of the record of an origin whose claim is permitted.
//
//	record                             claim    then
//	none                               any      new: pending, of generation 1, admitted now
//	to be wired                        same     nothing; of another share, if it has left its own
//	to be wired                        same, and its team has another name: admitted under that
//	to be wired                        another  pending; hosts that it gives up stay until they are seen to be gone
//	to be detached, in grace           any      pending, admitted now; its teardown goes on
//	to be detached, teardown not over  any      pending, admitted now, of the next generation; Teardown Cancelled
//	to be detached, over or none       any      pending, admitted now, of the next generation
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
		if !r.inGrace(was) { // one in grace observes its tag itself when it is due
			if was.Teardown != nil && !was.Teardown.Ended {
				q.said.Count(contract.MetricTeardownCancelled, 1)
				q.said.Inform(contract.TeardownCancelled, is.ARN, outcome.About(was,
					"the tag "+contract.TagTeardown+" was removed before anything was unshared: the origin is wired again"))
			}
			is.Generation++
			is.Teardown = nil // a token that waits is completed by wire
		}
	}
	if !wanted || !same {
		is.State, is.Reasons = origin.Pending, nil
	}
	q.is = is
	q.Only, q.Seen = r.bound(was, known, is)
	return nil, &q
}

func sameClaim(a, b origin.Claim) bool {
	return a.Domain == b.Domain && slices.Equal(a.Hosts, b.Hosts) && slices.Equal(a.Paths, b.Paths)
}
