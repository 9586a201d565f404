package admission

import (
	"slices"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
	"github.com/originhub/originhub/pkg/teardown"
)

// Round is what was observed before anything was decided about origins. Deciding changes nothing of it.
type Round struct {
	Policy   Policy
	Registry origin.Snapshot
	Offers   []Offer
	Visible  []origin.VpcOrigin // that CloudFront shows the hub
	Sweep    bool
	Hints    []inbound.TagHint
}

// Due is what to observe further.
type Due struct {
	Read    []Offer  // their tags have to be read
	Stated  []Offer  // their claims are in policy
	Changes []Change // of origins that have to wait whatever their tags say
	Recheck Recheck
}

// Due lists the origins that are decided about in this round.
func (r Round) Due() Due {
	due := Due{Changes: r.damaged()}
	for _, o := range r.Offers {
		switch team, _ := r.Policy.TeamOf(o.Account); r.turn(o) {
		case decided:
			if team.Spoke {
				due.Read = append(due.Read, o)
			} else {
				due.Stated = append(due.Stated, o)
			}
		case refused:
			due.Changes = append(due.Changes, r.hidden(o, team)...)
		case appears:
			due.Recheck = max(due.Recheck, Soon)
		case deploys:
			due.Recheck = max(due.Recheck, Later)
		case left:
		}
	}
	return due
}

// turn is what a round does with an offered origin.
type turn string

const (
	decided turn = "decided" // by what it claims
	refused turn = "refused" // it waits for the reason in hidden
	appears turn = "appears" // left; observed again soon
	deploys turn = "deploys" // left; observed again later
	left    turn = "left"    // left to another message, to the next sweep, or to function teardown
)

// turn decides whether it is an origin's turn in this round, without its tags.
//
//	registry                                         in CloudFront  turn
//	the record cannot be read                        any            left
//	no record, a distribution was never observed     any            left: wire triggers admit when it has observed it
//	no record at all, a distribution is unreadable   any            refused
//	any                                              not shown      appears
//	its teardown has begun to unshare it             shown          left
//	its teardown moved on a moment ago               shown          left
//	to be wired; no sweep, and no message names it   shown          left
//	else                                             not Deployed   deploys
//	else                                             Deployed       decided
func (r Round) turn(o Offer) turn {
	record, known := r.Registry.Find(o.ID)
	if r.Registry.IsDamaged(o.ID) {
		return left
	}
	if !known {
		switch d := r.uncertain(); {
		case d.Name == "":
		case d.Unavailable.Code == "":
			return left
		default:
			return refused
		}
	}
	shown, visible := r.shown(o.ID)
	hinted := r.hinted(o)
	switch {
	case !visible:
		return appears
	case unsharing(record), r.underWay(record, hinted):
		return left
	case record.Intent == origin.Wire && !r.Sweep && hinted.IsZero():
		return left
	case !shown.Deployed:
		return deploys
	}
	return decided
}

func (r Round) shown(id string) (origin.VpcOrigin, bool) {
	i := slices.IndexFunc(r.Visible, func(v origin.VpcOrigin) bool { return v.ID == id })
	if i < 0 {
		return origin.VpcOrigin{}, false
	}
	return r.Visible[i], true
}

// hinted returns when the last call was made that changed an origin's tags, as far as this round's messages name it; else zero.
func (r Round) hinted(o Offer) time.Time {
	var last time.Time
	for _, h := range r.Hints {
		if h.Account == o.Account && h.ARN == o.ARN && h.Called.After(last) {
			last = h.Called
		}
	}
	return last
}

// uncertain returns a distribution that may hold origins which the registry does not know, since the registry may have been
// lost: an origin that is wired into another one meanwhile would be in both.
//
//	fleet    a distribution that was never observed       registry  uncertain
//	one      any                                          any       none: everything goes there
//	several  none                                         any       none
//	several  one that wire has yet to observe             any       that one
//	several  one that is unavailable                      no record that one
//	several  one that is unavailable                      records   none: the first record since was written when all were observed
func (r Round) uncertain() origin.Distribution {
	fleet := r.Policy.Distribution.Fleet()
	if len(fleet) == 1 {
		return origin.Distribution{}
	}
	var unavailable origin.Distribution
	for _, name := range fleet {
		switch d := r.Registry.Distribution(name); {
		case !d.ObservedAt.IsZero():
		case d.Unavailable.Code == "":
			return d
		case unavailable.Name == "" && len(r.Registry.Records) == 0:
			unavailable = d
		}
	}
	return unavailable
}

// hidden tells who waits for an unavailable distribution.
func (r Round) hidden(o Offer, team Team) []Change {
	d := r.uncertain()
	return refuse(r.Registry.Refusals, contract.OriginDeferred, o.ARN, outcome.Detail{Origin: o.ID, Account: o.Account, Team: team.Name}, []Reason{
		because(DoesNotFit, "unavailable "+d.Name, "the registry knows no origin, as if it had been lost, so distribution %s may hold this one already; but that "+
			"is not available: %s. Mend that, or take it out of the hub policy", d.Name, d.Unavailable.Message),
	})
}

// unsharing reports whether a teardown is past the point where the origin could be wired again: from unsharing on, until it has
// ended.
func unsharing(r origin.Record) bool {
	return r.Intent == origin.Detach && r.State != origin.Deleted && r.Teardown != nil && !r.Teardown.Ended &&
		slices.Contains([]teardown.Phase{teardown.Unshare, teardown.Delete, teardown.Verify}, teardown.Phase(r.Teardown.Phase))
}

// hangs is how long a teardown may stay in a phase until admit observes its origin itself.
const hangs = 10 * time.Minute

// underWay reports whether the record's teardown has begun and is at work. It observes the tag itself before it unshares, and the
// call that it began with is known here, too. One that hangs leaves the origin to the next sweep.
//
//	teardown                        last call to its tags           under way
//	none, over, or in grace         any                             no
//	begun                           unknown                         until its phase has lasted for 10 minutes
//	begun                           not after the one it began with yes
//	begun                           later                           no
func (r Round) underWay(o origin.Record, hinted time.Time) bool {
	switch {
	case o.Intent != origin.Detach || o.Teardown == nil || o.Teardown.Ended || r.inGrace(o):
		return false
	case hinted.IsZero():
		return r.Registry.Now.Sub(o.Teardown.Since) < hangs
	}
	return !hinted.After(o.Teardown.Requested)
}

// inGrace reports whether the record's teardown has not begun yet. If the origin is off the air all the same, it was withdrawn.
func (r Round) inGrace(o origin.Record) bool {
	return o.Teardown != nil && o.Teardown.Due.After(r.Registry.Now)
}
