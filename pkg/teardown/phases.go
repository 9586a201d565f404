package teardown

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// How long each wait lasts before somebody is called, and how long between two observations.
const (
	// The owner's list of users may lag behind the update that has just been Deployed; and whoever runs another
	// distribution may be at it. Nothing is irreversible yet, so neither is worth an hour.
	confirmLimit, confirmPace = 10 * time.Minute, time.Minute
	unshareLimit, unsharePace = 30 * time.Minute, 15 * time.Second
	// Terraform gives a deletion 15 minutes; a creation and deletion together have been seen to take 40.
	deleteLimit, deletePace = time.Hour, 2 * time.Minute
	// AWS names no bound for the release of the interfaces; observed are minutes.
	verifyLimit, verifyPace = 45 * time.Minute, time.Minute
)

const (
	// unsharing is how long RAM takes to let a resource go.
	unsharing = 15 * time.Second
	// deleting is how long to wait before observing for the first time whether CloudFront has deleted an origin. Seven minutes have been
	// seen (assumption CF-12); its interfaces go then, too.
	deleting = 8 * time.Minute
	// moment is how long what was just observed need not be observed again.
	moment = time.Minute
)

// Codes of why a teardown is blocked or left something.
const (
	usedElsewhere     origin.Code = "used-elsewhere"     // a distribution uses the origin
	shareStays        origin.Code = "share-stays"        // RAM does not let it go
	tagRemoved        origin.Code = "tag-removed"        // when the origin was shared no more
	originStays       origin.Code = "origin-stays"       // CloudFront does not delete it
	interfacesLeft    origin.Code = "interfaces-left"    // CloudFront does not release them
	interfacesUnknown origin.Code = "interfaces-unknown" // nobody knows where to look for them
)

// disassociating is the status of a RAM association that ends:
// https://docs.aws.amazon.com/ram/latest/APIReference/API_ResourceShareAssociation.html
const disassociating = "DISASSOCIATING"

// warn announces the teardown. An execution that is past this phase has done so.
func (o Observed) warn(t origin.Teardown) Step {
	s := o.act(Warn, "its team asked for teardown; it begins at %s, and removing the tag %s until then calls it off",
		t.Due.UTC().Format(time.RFC3339), contract.TagTeardown)
	s.Record = o.entered(Grace)
	s.BeforeWrite.Inform(contract.TeardownAnnounced, o.Record.ARN, o.detail(s.Says))
	return s
}

// leave takes the origin out of the hub's distribution, if it is still tagged. The task that records is told by the token
// that it is out: it observes the tag if the registry says otherwise, since that is so when somebody cancelled.
func (o Observed) leave(t origin.Teardown, begun bool) Step {
	at := Detach
	switch {
	case o.Phase == Record:
		at = Record
	case (o.Phase == Warn || o.Phase == Grace) && t.Phase == string(Grace) && t.Due.After(t.Requested):
		at = Grace
	}
	switch seen := o.Has[Tag]; {
	case !seen && (begun || at == Record || o.Now.Sub(t.Requested) >= moment):
		return observe(at, Tag)
	case seen && !o.wanted && begun:
		return o.over(o.Phase, Cancelled, "the tag %s was removed before anything was unshared: the origin is wired again", contract.TagTeardown)
	case seen && !o.wanted:
		return o.over(o.Phase, Cancelled, "the tag %s was removed in time: nothing happened", contract.TagTeardown)
	}
	return o.detach()
}

// detach records that the origin must go, with the token that wire completes once it is gone and Deployed. One that somebody
// put back is detached no more: else the token would be completed before it is out.
func (o Observed) detach() Step {
	s := o.act(Detach, "asked wire to take %s out of the distribution", o.Record.ID)
	s.Record.Intent, s.Record.Token = origin.Detach, o.Token
	s.BeforeWrite.Trigger(outcome.Wire, "teardown of "+o.Record.ID, 0)
	if o.Has[Naming] && o.Named {
		s.Record.State = origin.Detaching
	}
	return s
}

// record keeps which interfaces must be gone afterwards. An endpoint that is gone already leaves none to record, and so nobody
// can be told later that it is clean.
func (o Observed) record(t origin.Teardown) Step {
	keep := func(format string, args ...any) Step {
		t.Recorded = true
		s := o.act(Record, format, args...)
		t.Phase, t.Since = s.Record.Teardown.Phase, s.Record.Teardown.Since
		s.Record.Teardown = &t
		return s
	}
	switch {
	case !o.Has[Existence]:
		return observe(Record, Existence)
	case !o.Exists:
		return keep("it is gone already, so its interfaces cannot be recorded")
	case !o.Has[Placement]:
		return observe(Record, Placement)
	case o.Place.VPC == "":
		return keep("what stood behind it is gone, so its interfaces cannot be recorded")
	case !o.Has[Interfaces]:
		s := observe(Record, Interfaces)
		s.In = o.Place
		return s
	}
	t.Region, t.VPC, t.ENIs, t.ETag = o.Place.Region, o.Place.VPC, nil, o.ETag
	for _, e := range o.ENIs {
		if slices.Contains(o.Place.Subnets, e.Subnet) {
			t.ENIs = append(t.ENIs, e.ID)
		}
	}
	return keep("interfaces %s in %s must go", strings.Join(t.ENIs, ", "), t.VPC)
}

// confirm observes who uses the origin, and waits until nobody does.
func (o Observed) confirm(t origin.Teardown, at Phase) (step Step, used bool) {
	if !o.Has[Usage] {
		return observe(at, Usage), true
	}
	if len(o.Users) == 0 {
		return Step{}, false
	}
	says := "still used by " + join(o.Users, func(u origin.User) string {
		return fmt.Sprintf("distribution %s in account %s", u.Distribution, u.Account)
	})
	ids := join(o.Users, func(u origin.User) string { return u.Distribution })
	return o.wait(t, Confirm, confirmPace, confirmLimit, says, o.fails(Confirm, Blocked, usedElsewhere, ids,
		"%s: remove the origin there, wait until that is Deployed, and set the tag again; nothing was unshared", says)), true
}

// unshare takes the origin out of its shares, one after the other, and goes on to delete once it is in none. It is where what
// cannot be undone begins.
func (o Observed) unshare(t origin.Teardown) Step {
	at := Unshare
	if o.Phase == Delete {
		at = Delete // unsharing was asked for, and is probably over
	}
	if !o.Has[Sharing] {
		return observe(at, Sharing)
	}
	var open []origin.Association
	for _, a := range o.Shares {
		if a.Resource == o.Record.ARN {
			open = append(open, a)
		}
	}
	slices.SortStableFunc(open, func(a, b origin.Association) int { return strings.Compare(a.Share, b.Share) })
	if len(open) == 0 {
		if at == Unshare { // somebody else unshared it, or RAM was slow: nobody has observed who uses it, or not just now
			if step, used := o.confirm(t, Unshare); used {
				return step
			}
		}
		return o.delete(t)
	}
	says := "still in " + join(open, func(a origin.Association) string { return fmt.Sprintf("share %s (%s)", a.Share, a.Status) })
	ids := join(open, func(a origin.Association) string { return a.Share })
	ending := func(a origin.Association) bool { return a.Status == disassociating }
	next := slices.IndexFunc(open, func(a origin.Association) bool { return !ending(a) })
	switch {
	case next < 0 && o.Did:
		return o.waits(Delete, unsharing, "%s", says)
	case next < 0:
		return o.wait(t, Unshare, unsharePace, unshareLimit, says, o.fails(Unshare, Blocked, shareStays, ids,
			"%s: RAM does not finish; disassociate it by hand in account %s, and set the tag again", says, o.Record.Account))
	case !o.Has[Tag]:
		return observe(Unshare, Tag)
	case !o.wanted && slices.ContainsFunc(open, ending):
		return o.untagged(Unshare)
	case !o.wanted:
		return o.over(Unshare, Cancelled, "the tag %s was removed before anything was unshared: the origin is wired again", contract.TagTeardown)
	case !o.Has[Naming]:
		return observe(Unshare, Naming)
	}
	if step, used := o.confirm(t, Unshare); used {
		return step
	}
	if o.long(t, Unshare, unshareLimit) {
		return o.fails(Unshare, Blocked, shareStays, ids, "%s: RAM does not let it go; disassociate it by hand in account %s, and set the tag again", says, o.Record.Account)
	}
	return o.takeOut(open[next].Share)
}

// takeOut takes the origin out of one share. One that holds nothing else goes as a whole; one that others are in is
// remembered, to observe at the end whether they left, too. That the record is written first keeps admit from bringing the
// origin back meanwhile: its write or this one fails.
func (o Observed) takeOut(share string) Step {
	whole := !slices.ContainsFunc(o.Shares, func(a origin.Association) bool { return a.Share == share && a.Resource != o.Record.ARN })
	what := "took it out of share "
	if whole {
		what = "deleted share "
	}
	s := o.act(Unshare, "confirmed that no distribution uses it any more; %s", what+share)
	t := *s.Record.Teardown
	t.Unshared = o.Now
	if !whole && !slices.Contains(t.SharesLeft, share) {
		t.SharesLeft = append(slices.Clone(t.SharesLeft), share)
	}
	s.Record.Teardown = &t
	s.Share, s.Whole = share, whole
	return s
}

// delete deletes the origin, which is in no share. CloudFront refuses that as long as any distribution uses it, or if it is
// another version of the origin than the one whose interfaces were recorded; IAM refuses it without the tag. So right after
// unsharing, which has just observed both, the call itself does; if it is refused, the step observes them after all.
func (o Observed) delete(t origin.Teardown) Step {
	just := t.Phase == string(Unshare) && !t.Unshared.IsZero() && o.Now.Sub(t.Unshared) < moment && t.ETag != ""
	switch {
	case !o.Has[Existence] && !just:
		return observe(Delete, Existence)
	case o.Has[Existence] && !o.Exists:
		return o.verify(t)
	case o.Has[Existence] && !o.Deployed:
		says := o.Record.ID + " is Deploying: CloudFront has not finished with it"
		return o.wait(t, Delete, deletePace, deleteLimit, says, o.fails(Delete, Dirty, originStays, "", "%s is still there: CloudFront does not "+
			"finish; if it stays so, ask AWS Support from account %s; set the tag again to try again", o.Record.ID, o.Record.Account))
	case o.long(t, Delete, deleteLimit):
		return o.fails(Delete, Dirty, originStays, "", "%s is still there: CloudFront does not delete it; delete it by hand in account %s, or set the tag again to try again",
			o.Record.ID, o.Record.Account)
	case !o.Has[Tag] && !just:
		return observe(Delete, Tag)
	case o.Has[Tag] && !o.wanted:
		return o.untagged(Delete)
	}
	s := o.act(Delete, "deletion of %s began", o.Record.ID)
	s.ETag, s.Unconfirmed = t.ETag, !o.Has[Tag]
	if o.Has[Existence] {
		s.ETag = o.ETag
	}
	return s
}

// remove goes on after the origin was in no share. One that is gone stays gone, and CloudFront finishes a deletion that it
// has begun, whatever the tag says now. One that is still there may have been shared again.
func (o Observed) remove(t origin.Teardown) Step {
	switch {
	case t.Phase == string(Verify):
		return o.verify(t)
	case !o.Has[Existence]:
		return observe(Delete, Existence)
	case o.Exists && o.Deployed:
		return o.unshare(t)
	}
	return o.delete(t)
}

func (o Observed) untagged(p Phase) Step {
	return o.fails(p, Blocked, tagRemoved, "", "the tag %s was removed when %s was no longer shared: to go on, set it "+
		"again; to keep the origin, share it with the hub again", contract.TagTeardown, o.Record.ID)
}

// verify asks for proof. Interfaces do not name their VPC origin. So with no other origin in the VPC every interface that
// CloudFront manages there has to go; with others, as many may stay as these need, or all that were not there before.
func (o Observed) verify(t origin.Teardown) Step {
	place := origin.Endpoint{Region: t.Region, VPC: t.VPC}
	switch {
	case t.VPC == "":
		return o.fails(Verify, Dirty, interfacesUnknown, "", "it was not seen in which VPC %s had its network interfaces, so nobody can tell whether they are gone: "+
			"look for interfaces tagged aws.cloudfront.vpcorigin in account %s", o.Record.ID, o.Record.Account)
	case !o.Has[Interfaces]:
		s := observe(Verify, Interfaces)
		s.In = place
		return s
	case len(o.ENIs) > 0 && !o.Has[OtherOrigins]:
		return observe(Verify, OtherOrigins)
	}
	where := fmt.Sprintf("%s (%s) of account %s", t.VPC, t.Region, o.Record.Account)
	needed := o.needed(place)
	left, allowed := o.ENIs, ""
	if needed > 0 {
		left = slices.DeleteFunc(slices.Clone(o.ENIs), func(e origin.ENI) bool { return !slices.Contains(t.ENIs, e.ID) })
		allowed = fmt.Sprintf("; there are %d interfaces, of which other VPC origins need %d", len(o.ENIs), needed)
	}
	if len(left) == 0 || len(o.ENIs) <= needed {
		return o.clean(t, where)
	}
	ids := join(left, func(e origin.ENI) string { return e.ID })
	says := fmt.Sprintf("%s is deleted; network interfaces left in %s: %s%s", o.Record.ID, where, ids, allowed)
	return o.wait(t, Verify, verifyPace, verifyLimit, says, o.fails(Verify, Dirty, interfacesLeft, ids,
		"%s; only CloudFront can remove them, so open a case with AWS Support; the hub looks again every day", says))
}

// needed counts the interfaces that the other VPC origins in a VPC need: one in each subnet of theirs.
func (o Observed) needed(in origin.Endpoint) (n int) {
	for _, other := range o.OtherOrigins {
		if other.Region == in.Region && other.VPC == in.VPC {
			n += len(other.Subnets)
		}
	}
	return n
}

// clean ends the teardown, after it removed the shares that the last two origins left at the same time, so that neither was
// alone in them. They cost nothing to stay, so that a failure does not spoil the outcome.
func (o Observed) clean(t origin.Teardown, where string) Step {
	if len(t.SharesLeft) > 0 && !o.Has[Sharing] && !o.Unread[Sharing] {
		s := observe(Verify, Sharing)
		s.Optional = true
		return s
	}
	for _, share := range t.SharesLeft {
		held := slices.ContainsFunc(o.Shares, func(a origin.Association) bool { return a.Share == share })
		if held || o.Unread[Sharing] {
			continue
		}
		s := o.act(Verify, "deleted the empty share %s", share)
		s.Share, s.Whole, s.Optional = share, true, true
		return s
	}
	return o.over(Verify, Clean, "%s is out of every distribution and share, deleted, and none of its network interfaces is left in %s",
		o.Record.ID, where)
}
