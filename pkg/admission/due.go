package admission

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
	"github.com/originhub/originhub/pkg/teardown"
)

// Round is what one run observed before it decides about origins. Decisions do not change it.
type Round struct {
	Policy   Policy
	Grace    teardown.Bounds
	Registry origin.Snapshot
	Shares   []string // ARNs of the shares that are open to the hub, and of those whose invitations are pending
	Shared
	Invited []Stranger         // that sent an invitation
	Visible []origin.VpcOrigin // VPC origins that CloudFront returns to the hub, its own and shared ones
	Unseen  map[string]string  // of those that Unlisted returned and CloudFront does not return by id, its error codes, by VPC origin id
	Sweep   bool
	Swept   time.Time // when the sweep was scheduled; zero if that is not known
	Hints   []inbound.TagHint
	// Suspended says which origins people have suspended. A round decides about none of them, so that they stay out.
	Suspended origin.Suspended

	lookup *lookup // nil: see indexed
}

// Due is what a round has to observe next, and what it has decided before.
type Due struct {
	Read    []Offer  // origins whose tags have to be read, and first of them those in no permitted share
	Stated  []Offer  // origins whose claims are in the hub policy
	Changes []Change // of origins that are deferred whatever their tags are
	Recheck Recheck
}

// Due returns which origins the round decides about.
func (r Round) Due() Due {
	r = r.indexed()
	due := Due{Changes: slices.Concat(r.damaged(), r.gone(), r.members())}
	due.Read = r.unoffered()
	unpermitted := r.unpermitted()
	for _, o := range r.Offers {
		switch team, _ := r.Policy.TeamOf(o.Account); r.turn(o, unpermitted[o.ID] != nil) {
		case decided:
			if team.Spoke {
				due.Read = append(due.Read, o)
			} else {
				due.Stated = append(due.Stated, o)
			}
		case refused:
			due.Changes = append(due.Changes, r.unavailable(o, team)...)
		case appears:
			due.Recheck = max(due.Recheck, Soon)
			due.Changes = append(due.Changes, r.unseenForLong(o, team)...)
		case deploys:
			due.Recheck = max(due.Recheck, Later)
			due.Changes = append(due.Changes, r.deploysForLong(o, team)...)
		case left:
			due.Changes = append(due.Changes, r.suspendedOffer(o, team)...)
		}
	}
	return due
}

// turn is how a round handles an offered origin.
type turn string

const (
	decided turn = "decided" // by its claim
	refused turn = "refused" // deferred; function unavailable returns the reason
	appears turn = "appears" // skipped; observed again soon
	deploys turn = "deploys" // skipped; observed again later
	left    turn = "left"    // skipped; another message, the next sweep or function teardown handles it
)

// turn returns how this round handles an origin, which does not depend on its tags.
//
//	registry                                         in CloudFront  turn
//	the record cannot be read                        any            left
//	any, and it is suspended                         any            left: it stays out until the suspension ends
//	no record; a distribution was never observed     any            left: wire observes it and then triggers admit
//	empty; a distribution is unavailable             any            refused
//	its teardown has begun to unshare it             any            left
//	its teardown made progress recently              any            left
//	to be wired; policy permits its claim, no
//	sweep, and no message names it                   any            left
//	else                                             not visible    appears
//	else                                             not Deployed   deploys
//	else                                             Deployed       decided
func (r Round) turn(o Offer, unpermitted bool) turn {
	record, known := r.Registry.Find(o.ID)
	if r.Registry.IsDamaged(o.ID) || r.suspends(o.Ref) {
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
	case unsharing(record), r.underWay(record, hinted):
		return left
	case record.Intent == origin.Wire && !r.Sweep && hinted.IsZero() && !unpermitted:
		return left
	case !visible:
		return appears
	case !shown.Deployed:
		return deploys
	}
	return decided
}

// Unlisted returns the ids of the origins that RAM lists, that CloudFront's list lacks, and that this round would otherwise decide about. AWS does not
// document whether ListVpcOrigins returns shared origins (CF-42), so the shell asks for each of these by id.
func (r Round) Unlisted() (ids []string) {
	r = r.indexed()
	unpermitted := r.unpermitted()
	for _, o := range r.Offers {
		if r.turn(o, unpermitted[o.ID] != nil) == appears {
			ids = append(ids, o.ID)
		}
	}
	return ids
}

func (r Round) shown(id string) (origin.VpcOrigin, bool) {
	i, visible := r.look().visible[id]
	if !visible {
		return origin.VpcOrigin{}, false
	}
	return r.Visible[i], true
}

// hinted returns the time of the latest call that changed the tags of an origin, by the messages of this round; zero if none names it.
func (r Round) hinted(o Offer) time.Time {
	var last time.Time
	for _, h := range r.Hints {
		if h.Names(o.Ref) && h.Called.After(last) {
			last = h.Called
		}
	}
	return last
}

// uncertain returns a distribution that may contain origins without a record, since the registry may have been lost. If such an origin
// were wired into another distribution, it would be in both. The result has no name if there is no such distribution.
//
//	fleet    a distribution that was never observed       registry  uncertain
//	one      any                                          any       none: every origin goes there
//	several  none                                         any       none
//	several  one that wire has not observed yet           any       that one
//	several  one that is unavailable                      empty     that one
//	several  one that is unavailable                      records   none: the first record is written when all are observed
func (r Round) uncertain() origin.Distribution { return r.look().uncertain }

// findUncertain returns what uncertain returns.
func (r Round) findUncertain() origin.Distribution {
	fleet := r.look().fleet
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

// unavailable returns the change that defers an origin because a distribution is unavailable.
func (r Round) unavailable(o Offer, team Team) []Change {
	d := r.uncertain()
	return refuse(r.Registry.Refusals, contract.OriginDeferred, o.ARN, outcome.Detail{Origin: o.ID, Account: o.Account, Team: team.Name}, []Reason{
		because(DoesNotFit, "unavailable "+d.Name, "the registry is empty, so it may have been lost; %s may already contain %s, but the distribution "+
			"cannot be read: %s. Make the distribution available, or remove it from the hub policy", d.Title(), o.ID, d.Unavailable.Message),
	})
}

// deploysFor is how long an origin may be not Deployed after its owner created or updated it before that is reported. A deployment takes up to 15 minutes
// (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-vpc-origins.html).
const deploysFor = time.Hour

// deploysForLong reports an origin that was shared before it is Deployed, once, and only if that lasts: sharing an origin at once is
// ordinary.
//
//	record  created or updated    reported
//	any     -                     no: the origin stays as it is
//	none    less than 1 hour ago  no
//	none    before                Origin Deferred
func (r Round) deploysForLong(o Offer, team Team) []Change {
	shown, _ := r.shown(o.ID)
	if _, known := r.Registry.Find(o.ID); known || shown.Modified.IsZero() || r.Registry.Now.Sub(shown.Modified) < deploysFor {
		return nil
	}
	return refuse(r.Registry.Refusals, contract.OriginDeferred, o.ARN, outcome.Detail{Origin: o.ID, Account: o.Account, Team: team.Name}, []Reason{
		because(OriginNotDeployed, "", "%s is shared, but its status is %s, not Deployed, and its owner created or updated it more than an hour ago: find out in account %s why CloudFront "+
			"does not deploy it; originhub observes it again and admits it when it is Deployed", o.ID, cmp.Or(shown.OtherStatus, "Deploying"), o.Account),
	})
}

// unseenFor is how long CloudFront may neither list nor return an origin that is shared with the hub before that is reported.
const unseenFor = time.Hour

// unseenForLong reports, once, an origin that RAM lists as shared and that CloudFront does not return to the hub.
//
//	record           CloudFront was asked by id  shared, and admitted if it has a record  reported
//	wired, or live   -                           -                                        no: function audit reports it
//	any other        no                          -                                        no
//	any other, none  yes                         less than 1 hour ago, or unknown         no
//	any other, none  yes                         before                                   Origin Deferred
func (r Round) unseenForLong(o Offer, team Team) []Change {
	record, _ := r.Registry.Find(o.ID)
	code, asked := r.Unseen[o.ID]
	since := o.Since
	if record.Admitted.After(since) {
		since = record.Admitted
	}
	if record.State == origin.Wired || record.State == origin.Live || !asked || o.Since.IsZero() || r.Registry.Now.Sub(since) < unseenFor {
		return nil
	}
	return refuse(r.Registry.Refusals, contract.OriginDeferred, o.ARN, outcome.Detail{Origin: o.ID, Account: o.Account, Team: team.Name}, []Reason{
		because(OriginNotVisible, code, "RAM lists %s as shared with the hub, but CloudFront neither lists it (ListVpcOrigins) nor returns it (GetVpcOrigin: %s), and it was "+
			"shared more than an hour ago: find out in account %s whether the origin exists, then share it again, or ask AWS Support; originhub observes it again "+
			"and admits it when CloudFront returns it", o.ID, cmp.Or(code, "no error code"), o.Account),
	})
}

// gone returns the changes that forget refusals whose subject is gone, so that the same refusal is reported again when it comes back. Only a
// sweep does that, since a list of RAM may lack something new for a moment.
//
//	refusal of                             forgotten if
//	a share                                it is neither open to the hub nor are its invitations pending
//	an origin                              neither RAM nor CloudFront returns it
//	a teardown tag of an origin            the same, and there is no record, whose tag function retire reads
//	an item of the registry                the item can be read
//	a hold                                 never here: see Holds
//	an invitation, a DNS record            never: it expires
//	the memberships                        method members does that
func (r Round) gone() (changes []Change) {
	if !r.Sweep {
		return nil
	}
	shares, damaged := map[string]bool{}, map[string]bool{}
	for _, arn := range r.Shares {
		shares[arn] = true
	}
	for _, d := range r.Registry.Damaged {
		damaged[d.Refusal()], damaged[origin.WithdrawalOf(d.Origin)] = true, true
	}
	for _, what := range slices.Sorted(maps.Keys(r.Registry.Refusals)) {
		subject, tag, _ := strings.Cut(what, " ")
		over := false
		switch ref, err := origin.ParseARN(subject); {
		case err == nil:
			_, known := r.Registry.Find(ref.ID)
			over = r.unshared(ref.ID) && (tag == "" || !known)
		case strings.Contains(subject, ":resource-share/"):
			over = !shares[what]
		case subject == "registry":
			over = !damaged[what]
		}
		if over {
			changes = append(changes, forget(r.Registry.Refusals, what)...)
		}
	}
	return changes
}

// unsharing reports whether a teardown can no longer be cancelled: from the phase unshare until the teardown has ended.
func unsharing(r origin.Record) bool {
	return r.Intent == origin.Detach && r.State != origin.Deleted && r.Teardown != nil && !r.Teardown.Ended &&
		slices.Contains([]teardown.Phase{teardown.Unshare, teardown.Delete, teardown.Verify}, teardown.Phase(r.Teardown.Phase))
}

// hangs is the time in one phase after which admit observes the origin of a teardown itself.
const hangs = 10 * time.Minute

// underWay reports whether the teardown of a record has begun and makes progress, so that the teardown handles a change of the tags:
// it observes the teardown tag itself before it unshares. If a teardown makes no progress, the next sweep decides about its origin.
//
//	teardown                  latest call on the tags         under way
//	none, ended, or in grace  any                             no
//	begun                     unknown                         until its phase has lasted for 10 minutes
//	begun                     not after the one that began it yes
//	begun                     after it                        no
func (r Round) underWay(o origin.Record, hinted time.Time) bool {
	switch {
	case o.Intent != origin.Detach || o.Teardown == nil || o.Teardown.Ended || r.inGrace(o):
		return false
	case hinted.IsZero():
		return r.Registry.Now.Sub(o.Teardown.Since) < hangs
	}
	return !hinted.After(o.Teardown.Requested)
}

// inGrace reports whether the grace of a record's teardown has not ended. If the origin is not wired nevertheless, it was withdrawn.
func (r Round) inGrace(o origin.Record) bool {
	return o.Teardown != nil && o.Teardown.Due.After(r.Registry.Now)
}
