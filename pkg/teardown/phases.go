package teardown

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
)

// Limits of the waits, after which an alarm is raised, and the time between two observations.
const (
	// The list of distributions that use the origin may lag behind the update that was just Deployed, and somebody may be removing
	// the origin from another distribution. Nothing irreversible has happened yet, so the limit is short.
	confirmLimit, confirmPace = 10 * time.Minute, time.Minute
	unshareLimit, unsharePace = 30 * time.Minute, 15 * time.Second
	// Terraform allows 15 minutes for a deletion; a creation and a deletion together were observed to take 40 minutes.
	deleteLimit, deletePace = time.Hour, 2 * time.Minute
	// AWS documents no limit for the release of the interfaces; it was observed to take minutes.
	verifyLimit, verifyPace = 45 * time.Minute, time.Minute
)

const (
	// unshareDelay is how long RAM usually takes to disassociate a resource.
	unshareDelay = 15 * time.Second
	// deleteDelay is how long to wait before the first observation of whether CloudFront has deleted an origin and released its
	// interfaces. A deletion was observed to take seven minutes (CF-12).
	deleteDelay = 8 * time.Minute
	// factValidity is how long a fact that was just observed need not be observed again.
	factValidity = time.Minute
)

// Codes of the reasons why a teardown is blocked or dirty.
const (
	usedElsewhere     origin.Code = "used-elsewhere"         // a distribution still uses the origin
	usedUnmanaged     origin.Code = "used-unmanaged"         // an unmanaged part of the hub's distribution uses the origin
	plannedOnly       origin.Code = "planned-only"           // the hub is in dry-run mode
	shareStays        origin.Code = "share-stays"            // RAM does not disassociate the origin from a share
	notRequested      origin.Code = "teardown-not-requested" // a teardown without a tag, whose beginning is not recorded
	tagRemoved        origin.Code = "tag-removed"            // the tag was removed after the origin was unshared
	originStays       origin.Code = "origin-stays"           // CloudFront does not delete the origin
	interfacesLeft    origin.Code = "interfaces-left"        // CloudFront does not release network interfaces
	interfacesUnknown origin.Code = "interfaces-unknown"     // it is not known in which VPC the interfaces are
)

// disassociating is the status of a RAM association that is being removed
// (https://docs.aws.amazon.com/ram/latest/APIReference/API_ResourceShareAssociation.html).
const disassociating = "DISASSOCIATING"

// warn announces the teardown. A teardown whose record names a later phase was announced before.
func (o Observed) warn(t origin.Teardown) Step {
	s := o.act(Warn, "teardown of VPC origin %s begins now; until the origin is unshared, its team can still cancel the teardown by removing the tag %s",
		o.Record.ID, contract.TagTeardown)
	if t.Due.After(t.Requested) {
		s = o.act(Warn, "teardown of VPC origin %s begins at %s; its team can cancel it by removing the tag %s before then",
			o.Record.ID, t.Due.UTC().Format(time.RFC3339), contract.TagTeardown)
	}
	s.Record = o.entered(Grace)
	s.BeforeWrite.Inform(contract.TeardownAnnounced, o.Record.ARN, o.detail(s.Message))
	return s
}

// startDetach removes the origin from the hub's distribution if it is still tagged. Task Record runs after the token was completed, so the
// origin should be detached by then. If the registry says otherwise, somebody cancelled; task Record therefore observes the tag.
//
// An unmanaged part of an adopted distribution that uses the origin may be intended, so nothing is removed before somebody decided. In a
// distribution that the hub created such a part is drift: function wire removes the managed parts and reports it, and the teardown goes on
// once it is gone.
func (o Observed) startDetach(t origin.Teardown, begun bool) Step {
	at := Detach
	switch {
	case o.Phase == Record:
		at = Record
	case (o.Phase == Warn || o.Phase == Grace) && t.Phase == string(Grace) && t.Due.After(t.Requested):
		at = Grace
	}
	switch observed := o.Has[Tag]; {
	case !observed && (begun || at == Record || o.Now.Sub(t.Requested) >= factValidity):
		return o.observe(at, Tag)
	case observed && !o.wanted && begun:
		return o.endWith(o.Phase, Cancelled, "the tag %s was removed before VPC origin %s was unshared; originhub wires the origin again", contract.TagTeardown, o.Record.ID)
	case observed && !o.wanted:
		return o.endWith(o.Phase, Cancelled, "the tag %s was removed in time; VPC origin %s stays as it is", contract.TagTeardown, o.Record.ID)
	}
	if at == Detach && o.Phase == Detach && o.Adopted {
		switch {
		case !o.Has[Naming]:
			return o.observe(Detach, Naming)
		case len(o.Unmanaged) > 0:
			users := strings.Join(o.Unmanaged, ", ")
			return o.fails(Detach, Blocked, usedUnmanaged, users, "VPC origin %s cannot leave distribution %s, because unmanaged parts of it use the "+
				"origin: %s; remove them from the distribution, and then set the tag %s again; originhub has changed nothing",
				o.Record.ID, o.Distribution, users, contract.TagTeardown)
		}
	}
	return o.detach()
}

// detach records that the origin has to be removed, with the token that function wire completes once the distribution is Deployed without
// it. If somebody added the origin to the distribution again, the state goes back to Detaching, so that wire does not complete the token too early.
func (o Observed) detach() Step {
	s := o.act(Detach, "VPC origin %s has to leave the distribution; function wire was asked to remove it", o.Record.ID)
	s.Record.Intent, s.Record.Token = origin.Detach, o.Token
	s.BeforeWrite.TriggerWire(o.Record.Distribution, "teardown of "+o.Record.ID, 0)
	if o.Has[Naming] && o.Named && o.Record.State == origin.Detached {
		s.Record.State = origin.Detaching
	}
	return s
}

// record records which interfaces have to be gone in the end. If the origin or its endpoint does not exist any more, nobody can verify
// that later.
func (o Observed) record(t origin.Teardown) Step {
	recorded := func(format string, args ...any) Step {
		t.Recorded = true
		s := o.act(Record, format, args...)
		t.Phase, t.Since = s.Record.Teardown.Phase, s.Record.Teardown.Since
		s.Record.Teardown = &t
		return s
	}
	switch {
	case !o.Has[Existence]:
		return o.observe(Record, Existence)
	case !o.Exists:
		return recorded("VPC origin %s does not exist any more, so its network interfaces cannot be recorded", o.Record.ID)
	case !o.Has[Placement]:
		return o.observe(Record, Placement)
	case o.Place.VPC == "":
		return recorded("the endpoint of VPC origin %s does not exist any more, so its network interfaces cannot be recorded", o.Record.ID)
	case !o.Has[Interfaces]:
		s := o.observe(Record, Interfaces)
		s.In = []origin.Place{{Region: o.Place.Region, VPC: o.Place.VPC}}
		return s
	}
	if t.VPC != "" && (t.Region != o.Place.Region || t.VPC != o.Place.VPC) {
		t.Earlier = slices.DeleteFunc(t.Places(), func(p origin.Place) bool { return p.Region == o.Place.Region && p.VPC == o.Place.VPC })
	}
	t.Region, t.VPC, t.ENIs, t.ETag = o.Place.Region, o.Place.VPC, nil, o.ETag
	for _, e := range o.ENIs {
		if slices.Contains(o.Place.Subnets, e.Subnet) {
			t.ENIs = append(t.ENIs, e.ID)
		}
	}
	if len(t.ENIs) == 0 {
		return recorded("VPC origin %s has no network interfaces in %s", o.Record.ID, t.VPC)
	}
	return recorded("VPC origin %s has network interfaces %s in %s; they were recorded, so that phase verify can check that they are gone", o.Record.ID, strings.Join(t.ENIs, ", "), t.VPC)
}

// confirm observes which distributions use the origin, and waits until none does.
func (o Observed) confirm(t origin.Teardown, at Phase) (step Step, used bool) {
	if !o.Has[Usage] {
		return o.observe(at, Usage), true
	}
	if len(o.Users) == 0 {
		return Step{}, false
	}
	message := "VPC origin " + o.Record.ID + " is still used by " + join(o.Users, func(u origin.User) string {
		return fmt.Sprintf("distribution %s in account %s", u.Distribution, u.Account)
	})
	ids := join(o.Users, func(u origin.User) string { return u.Distribution })
	return o.wait(t, Confirm, confirmPace, confirmLimit, message, o.fails(Confirm, Blocked, usedElsewhere, ids,
		"%s, and was not unshared; the owner of each of these distributions has to remove the origin and wait until the distribution is Deployed; then set the tag %s again", message, contract.TagTeardown)), true
}

// unshare removes the origin from its shares, one after the other, and goes on to delete once it is in none. This is the first
// irreversible phase.
func (o Observed) unshare(t origin.Teardown) Step {
	at := Unshare
	if o.Phase == Delete {
		at = Delete // unsharing was requested, and has probably ended
	}
	if !o.Has[Sharing] {
		return o.observe(at, Sharing)
	}
	var open []origin.Association
	for _, a := range o.Shares {
		if a.Resource == o.Record.ARN {
			open = append(open, a)
		}
	}
	slices.SortStableFunc(open, func(a, b origin.Association) int { return strings.Compare(a.Share, b.Share) })
	if len(open) == 0 {
		if at == Unshare { // somebody else unshared it, or RAM was slow, so its users have to be observed again
			if step, used := o.confirm(t, Unshare); used {
				return step
			}
		}
		return o.delete(t)
	}
	message := "VPC origin " + o.Record.ID + " is still in " + join(open, func(a origin.Association) string { return fmt.Sprintf("share %s (%s)", a.Share, a.Status) })
	ids := join(open, func(a origin.Association) string { return a.Share })
	ending := func(a origin.Association) bool { return a.Status == disassociating }
	next := slices.IndexFunc(open, func(a origin.Association) bool { return !ending(a) })
	switch {
	case next < 0 && o.ActDone:
		return o.waits(Delete, unshareDelay, "%s", message)
	case next < 0:
		return o.wait(t, Unshare, unsharePace, unshareLimit, message, o.fails(Unshare, Blocked, shareStays, ids,
			"%s, and RAM does not finish; disassociate it by hand in account %s, and then set the tag %s again", message, o.Record.Account, contract.TagTeardown))
	case !o.Has[Tag]:
		return o.observe(Unshare, Tag)
	case !o.wanted && slices.ContainsFunc(open, ending):
		return o.tagRemovedLate(Unshare)
	case !o.wanted:
		return o.endWith(Unshare, Cancelled, "the tag %s was removed before VPC origin %s was unshared; originhub wires the origin again", contract.TagTeardown, o.Record.ID)
	case !o.Has[Naming]:
		return o.observe(Unshare, Naming)
	}
	if step, used := o.confirm(t, Unshare); used {
		return step
	}
	if o.tooLong(t, Unshare, unshareLimit) {
		return o.fails(Unshare, Blocked, shareStays, ids, "%s, and RAM does not disassociate it; disassociate it by hand in account %s, and then set the tag %s again",
			message, o.Record.Account, contract.TagTeardown)
	}
	return o.unshareFrom(open[next])
}

// unshareFrom removes the origin from one share.
//
//	name of the share        holds more   the share is
//	begins with originhub-   no           deleted
//	begins with originhub-   yes          remembered, to be deleted at the end if it is empty by then
//	other                    any          remembered, to be reported at the end if it is empty by then
//
// The record is written before the act, so that a concurrent run of function admit cannot place
// the origin again: its write or this one fails.
func (o Observed) unshareFrom(from origin.Association) Step {
	share, permitted := from.Share, strings.HasPrefix(from.Name, contract.SharePrefix)
	whole := permitted && !slices.ContainsFunc(o.Shares, func(a origin.Association) bool { return a.Share == share && a.Resource != o.Record.ARN })
	did := "the hub removed it from share "
	if whole {
		did = "the hub deleted share "
	}
	s := o.act(Unshare, "VPC origin %s is used by no distribution; %s", o.Record.ID, did+share)
	t := *s.Record.Teardown
	t.Unshared = o.Now
	switch {
	case permitted && !whole:
		t.SharesLeft = with(t.SharesLeft, share)
	case !permitted:
		t.SharesKept = with(t.SharesKept, share)
	}
	s.Record.Teardown = &t
	s.Share, s.Whole = share, whole
	return s
}

// delete deletes the origin, which is in no share. CloudFront refuses that if a distribution uses the origin, or if its ETag is not the
// recorded one. IAM refuses it without the tag. Unsharing has just observed the tag and that no distribution uses the origin. So right
// after unsharing, delete calls CloudFront without observing the origin and its tag. If the call is refused, delete observes them and decides again.
// AWS does not document which other statuses than Deploying and Deployed there are, nor whether CloudFront deletes an origin with such a status:
// delete tries, and names the status if CloudFront does not.
func (o Observed) delete(t origin.Teardown) Step {
	justUnshared := t.Phase == string(Unshare) && !t.Unshared.IsZero() && o.Now.Sub(t.Unshared) < factValidity && t.ETag != ""
	switch {
	case !o.Has[Existence] && !justUnshared:
		return o.observe(Delete, Existence)
	case o.Has[Existence] && !o.Exists:
		return o.verify(t)
	case o.Has[Existence] && !o.Deployed && o.OtherStatus == "":
		message := "VPC origin " + o.Record.ID + " is Deploying; waiting for CloudFront"
		return o.wait(t, Delete, deletePace, deleteLimit, message, o.fails(Delete, Dirty, originStays, "", "VPC origin %s still exists, because CloudFront "+
			"keeps it in status Deploying; open a case with AWS Support from account %s, or set the tag %s again to retry",
			o.Record.ID, o.Record.Account, contract.TagTeardown))
	case o.tooLong(t, Delete, deleteLimit) && o.OtherStatus != "":
		return o.fails(Delete, Dirty, originStays, o.OtherStatus, "VPC origin %s still exists with status %s, because CloudFront does not delete it; open a case with AWS Support "+
			"from account %s, or set the tag %s again to retry", o.Record.ID, o.OtherStatus, o.Record.Account, contract.TagTeardown)
	case o.tooLong(t, Delete, deleteLimit):
		return o.fails(Delete, Dirty, originStays, "", "VPC origin %s still exists, because CloudFront does not delete it; delete it by hand in account %s, or set the tag %s again to retry",
			o.Record.ID, o.Record.Account, contract.TagTeardown)
	case !o.Has[Tag] && !justUnshared:
		return o.observe(Delete, Tag)
	case o.Has[Tag] && !o.wanted:
		return o.tagRemovedLate(Delete)
	}
	s := o.act(Delete, "VPC origin %s is being deleted", o.Record.ID)
	s.ETag, s.Unconfirmed = t.ETag, !o.Has[Tag]
	if o.Has[Existence] {
		s.ETag = o.ETag
	}
	return s
}

// resumeRemoval goes on after the origin was in no share. An origin that does not exist, or that CloudFront is deleting, needs no further
// permission, whatever the tag says now. One that still exists may have been shared again.
func (o Observed) resumeRemoval(t origin.Teardown) Step {
	switch {
	case t.Phase == string(Verify):
		return o.verify(t)
	case !o.Has[Existence]:
		return o.observe(Delete, Existence)
	case o.Exists && o.Deployed:
		return o.unshare(t)
	}
	return o.delete(t)
}

// tagRemovedLate ends the execution because the tag was removed after the origin was unshared.
func (o Observed) tagRemovedLate(p Phase) Step {
	return o.fails(p, Blocked, tagRemoved, "", "the tag %s of VPC origin %s was removed after the origin was unshared; set the tag "+
		"again to delete the origin, or share the origin with the hub again to keep it", contract.TagTeardown, o.Record.ID)
}

// verify observes that the network interfaces are gone, in every VPC in which the origin had some. Interfaces do not name their VPC origin
// (NET-03). In a subnet that no other Deployed VPC origin needs, every interface that CloudFront manages has to be gone. In other subnets,
// verify accepts as many interfaces as the other origins need (NET-02), and any that was not recorded.
func (o Observed) verify(t origin.Teardown) Step {
	places := t.Places()
	switch {
	case len(places) == 0:
		return o.fails(Verify, Dirty, interfacesUnknown, "", "VPC origin %s is deleted, but the VPC of its network interfaces was not recorded, so the hub cannot verify that they are gone; "+
			"check account %s for interfaces with the tag aws.cloudfront.vpcorigin", o.Record.ID, o.Record.Account)
	case !o.Has[Interfaces]:
		s := o.observe(Verify, Interfaces)
		s.In = places
		return s
	case len(o.ENIs) > 0 && !o.Has[OtherOrigins]:
		return o.observe(Verify, OtherOrigins)
	}
	var where, left, ids []string
	for _, p := range places {
		at := fmt.Sprintf("%s (%s) of account %s", p.VPC, p.Region, o.Record.Account)
		where = append(where, at)
		sure, some, n := o.left(p)
		ids = append(ids, slices.Concat(sure, some)...)
		if len(sure) > 0 {
			left = append(left, strings.Join(sure, ", ")+" in "+at)
		}
		if n > 0 {
			left = append(left, fmt.Sprintf("%d of the interfaces %s in %s (other VPC origins use the rest)", n, strings.Join(some, ", "), at))
		}
	}
	if len(left) == 0 {
		return o.clean(t, strings.Join(where, ", "))
	}
	message := fmt.Sprintf("VPC origin %s is deleted, but network interfaces are left: %s", o.Record.ID, strings.Join(left, "; "))
	return o.wait(t, Verify, verifyPace, verifyLimit, message, o.fails(Verify, Dirty, interfacesLeft, strings.Join(ids, ", "),
		"%s; only CloudFront can remove them, so open a case with AWS Support from account %s; the hub observes them again every day", message, o.Record.Account))
}

// left returns the interfaces that are left in a VPC: those that are surely left, and those of which n are left while other VPC origins need
// the rest. Ids are sorted.
//
//	other origins in the subnet   interfaces there        recorded ones there   left
//	none                          any                     any                   all of them, surely
//	need k                        at most k               any                   none
//	need k                        k and n more            none                  none: they came with other origins
//	need k                        k and n more            m                     n of the m, or m if that is less
func (o Observed) left(p origin.Place) (sure, some []string, n int) {
	there := map[string][]string{}
	for _, e := range o.ENIs {
		if e.VPC == p.VPC {
			there[e.Subnet] = append(there[e.Subnet], e.ID)
		}
	}
	for subnet, enis := range there {
		needed := o.needed(p, subnet)
		if needed == 0 {
			sure = append(sure, enis...)
			continue
		}
		recorded := slices.DeleteFunc(slices.Clone(enis), func(id string) bool { return !slices.Contains(p.ENIs, id) })
		if more := min(len(enis)-needed, len(recorded)); more > 0 {
			some, n = append(some, recorded...), n+more
		}
	}
	slices.Sort(sure)
	slices.Sort(some)
	return sure, some, n
}

// leftover counts the interfaces that are left in all VPCs.
func (o Observed) leftover(t origin.Teardown) (total int) {
	for _, p := range t.Places() {
		sure, _, n := o.left(p)
		total += len(sure) + n
	}
	return total
}

// needed counts the interfaces that other VPC origins need in a subnet: one each (NET-02). An origin that is not Deployed, because CloudFront
// creates it or failed to, accounts for none.
func (o Observed) needed(p origin.Place, subnet string) (n int) {
	for _, other := range o.OtherOrigins {
		if other.Deployed && other.Region == p.Region && other.VPC == p.VPC && slices.Contains(other.Subnets, subnet) {
			n++
		}
	}
	return n
}

// clean ends the teardown. Before that it deletes empty shares: if the last two origins leave a share at the same time, neither is alone in
// it. An empty share costs nothing, so one that stays does not change the outcome. It is reported with the command that deletes it.
func (o Observed) clean(t origin.Teardown, where string) Step {
	if len(t.SharesLeft)+len(t.SharesKept) > 0 && !o.Has[Sharing] && !o.Unread[Sharing] {
		s := o.observe(Verify, Sharing)
		s.Optional = true
		return s
	}
	empty := func(share string) bool {
		return !o.Unread[Sharing] && !slices.ContainsFunc(o.Shares, func(a origin.Association) bool { return a.Share == share })
	}
	for _, share := range t.SharesLeft {
		if !empty(share) {
			continue
		}
		s := o.act(Verify, "VPC origin %s left share %s empty; the hub deleted that share", o.Record.ID, share)
		s.Share, s.Whole, s.Optional = share, true, true
		return s
	}
	var stay string
	for _, share := range t.SharesKept {
		if empty(share) {
			stay += fmt.Sprintf("; share %s is empty, and its team can delete it in account %s: aws ram delete-resource-share --region us-east-1 --resource-share-arn %s",
				share, o.Record.Account, share)
		}
	}
	return o.endWith(Verify, Clean, "VPC origin %s is torn down: it is in no distribution and no share, it is deleted, and none of its network interfaces is left in %s%s",
		o.Record.ID, where, stay)
}
