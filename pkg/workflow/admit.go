package workflow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/teardown"
)

type admitRegistry interface {
	Load(ctx context.Context) (origin.Snapshot, error)
	PutRecord(ctx context.Context, r origin.Record) (origin.Record, error)
	MoveRecord(ctx context.Context, from string, r origin.Record) (origin.Record, error)
	PutRefusal(ctx context.Context, what string, reasons []origin.Reason, now time.Time) error
}

type shares interface {
	Invitations(ctx context.Context) ([]origin.Invitation, error)
	Open(ctx context.Context, invitation string) ([]origin.Shared, error)
	Accept(ctx context.Context, invitation string) error
	Reject(ctx context.Context, invitation string) error
	Shares(ctx context.Context) ([]origin.Share, error)
	Resources(ctx context.Context) ([]origin.Shared, error)
}

type origins interface {
	VpcOrigins(ctx context.Context) ([]origin.VpcOrigin, error)
}

// Admit brings permitted shares into the registry: it opens and accepts invitations, reads claims, gives each origin its
// place in a distribution, and records what is to be wired or withdrawn. Invitations and organization shares, events and the
// sweep all take this one way.
type Admit struct {
	Policy     admission.Policy
	Registry   admitRegistry
	Shares     shares
	CloudFront origins
	Spoke      func(account string) Spoke
	Queue      queue // its own
	WireQueue  queue
	Bus        bus
	Meter      meter
	Log        *slog.Logger
}

const (
	// appearing is how long RAM takes to show what was just accepted ("a slight delay", performance.md B6).
	appearing = 15 * time.Second
	// deploying is how long to wait before looking again at an origin that is not Deployed yet.
	deploying = 2 * time.Minute
)

type admitRun struct {
	*Admit
	announcer
	now      time.Time
	records  []origin.Record
	fleet    []string              // names of the distributions, in the order in which they are filled
	empty    bool                  // the registry had no origin, not even one that is gone
	known    []origin.Distribution // what the registry knows of them, and of others that policy no longer names
	asking   []asking
	refusals map[string][]origin.Reason
	oldest   time.Duration // age of the oldest invitation that is neither accepted nor refused
	woken    bool          // something new woke this run, or it accepted something
	appears  bool          // RAM or CloudFront is about to show more
	next     time.Duration // until the next look that this run needs; 0 for none
}

// Run does one full look. Claims are read of origins that are new, that a message names, and, on a sweep, of all.
func (a *Admit) Run(ctx context.Context, messages []inbound.Message) error {
	s, err := a.Registry.Load(ctx)
	if err != nil {
		return err
	}
	r := &admitRun{
		Admit: a, announcer: announcer{bus: a.Bus, log: a.Log}, now: s.Now, records: s.Records, refusals: s.Refusals,
		fleet: a.Policy.Distribution.Fleet(), known: s.Distributions, empty: len(s.Records) == 0,
	}
	for _, m := range messages {
		if _, poked := m.(inbound.Poke); !poked {
			r.woken = true
		}
		if refused, ok := m.(inbound.Refused); ok {
			r.alarm(contract.EventRefused, "", Detail{Account: refused.Account, Why: refused.Why})
		}
	}
	err = r.look(ctx, messages)
	err = errors.Join(err, r.publish(ctx))
	sweep := slices.Contains(messages, inbound.Message(inbound.Sweep{}))
	if sweep {
		r.count(err == nil)
	}
	// What was recorded before a failure must still be wired. What was accepted a moment ago shall be wired in the same
	// update. A sweep wakes wire in any case: its own messages may be lost too.
	if r.unwired() || sweep || r.blind() {
		delay := time.Duration(0)
		if r.appears {
			delay = 2 * appearing // the next look comes first, and wakes wire again
		}
		err = errors.Join(err, a.WireQueue.Send(ctx, string(inbound.Poke{Why: "registry changed"}.JSON()), delay))
	}
	if err == nil && r.next > 0 {
		err = a.Queue.Send(ctx, string(inbound.Poke{Why: "look again"}.JSON()), r.next)
	}
	return err
}

// count says how a sweep went and what it found.
func (r *admitRun) count(completed bool) {
	if completed {
		r.Meter.Count(contract.MetricSweepCompleted, 1)
	}
	in := map[origin.State]int{}
	for _, o := range r.records {
		in[o.State]++
	}
	for _, state := range origin.States() {
		r.Meter.Count(contract.MetricOrigins, in[state], contract.Dimension{Name: contract.DimensionState, Value: string(state)})
	}
}

// unwired tells whether the registry wants something that wire has not begun. A run that ended between recording that and
// waking wire left no other trace.
func (r *admitRun) unwired() bool {
	return slices.ContainsFunc(r.records, func(o origin.Record) bool {
		switch o.Intent {
		case origin.Wire:
			return o.State == origin.Pending
		case origin.Detach:
			return o.State != origin.Detaching && o.State != origin.Detached && o.State != origin.Deleted
		}
		return false
	})
}

func (r *admitRun) look(ctx context.Context, messages []inbound.Message) error {
	invited := r.invitations(ctx)
	permitted, err := r.permitted(ctx)
	if err != nil {
		return errors.Join(invited, err)
	}
	seen, err := r.CloudFront.VpcOrigins(ctx)
	if err != nil {
		return errors.Join(invited, err)
	}
	deployed := map[string]bool{}
	for _, o := range seen {
		deployed[o.ID] = o.Deployed
	}
	all := slices.Contains(messages, inbound.Message(inbound.Sweep{}))
	failed := []error{invited}
	var due []offer
	for _, offer := range permitted {
		if _, known := r.find(offer.ID); known.ID == "" && r.blind() {
			continue // wire calls again once it has looked
		} else if d := r.hides(); known.ID == "" && d.Name != "" {
			failed = append(failed, r.hidden(ctx, offer, d))
			continue
		}
		is, visible := deployed[offer.ID]
		if !visible {
			r.soon()
			continue
		}
		var hinted time.Time // the last call that changed its tags; zero for none
		for _, m := range messages {
			if hint, ok := m.(inbound.TagHint); ok && hint.Account == offer.Account && hint.ARN == offer.ARN && hint.Called.After(hinted) {
				hinted = hint.Called
			}
		}
		if r.due(offer, is, all, hinted) {
			due = append(due, offer)
		}
	}
	tags := make([]map[string]string, len(due))
	unread := make([]error, len(due))
	each(len(due), func(i int) {
		if team, _ := r.Policy.TeamOf(due[i].Account); team.Spoke {
			tags[i], unread[i] = r.Spoke(due[i].Account).Tags(ctx, due[i].ARN)
		}
	})
	for i, offer := range due {
		failed = append(failed, r.offer(ctx, offer, tags[i], unread[i]))
	}
	failed = append(failed, r.place(ctx), r.withdraw(ctx, permitted, deployed), r.dropStrays(ctx, permitted, deployed), r.dropForbidden(ctx))
	return errors.Join(failed...)
}

// hidden says of an origin that a distribution may hold it which is not available. Wired into another one, it would be in both.
func (r *admitRun) hidden(ctx context.Context, o offer, d origin.Distribution) error {
	team, _ := r.Policy.TeamOf(o.Account)
	return r.refuse(ctx, contract.OriginWaits, o.ARN, Detail{Origin: o.ID, Account: o.Account, Team: team.Name}, []admission.Reason{{
		Code: admission.DoesNotFit, Subject: "unavailable " + d.Name,
		Message: fmt.Sprintf("the registry knows no origin, as if it had been lost, so distribution %s may hold this one already; but that "+
			"is not available: %s. Mend that, or take it out of the hub policy", d.Name, d.Unavailable.Message),
	}})
}

// again asks for another look. One that was only asked for by the last look asks for none, or there would be no end to it:
// the sweep comes anyway.
func (r *admitRun) again(after time.Duration) {
	if !r.woken {
		return
	}
	if r.next == 0 || after < r.next {
		r.next = after
	}
}

// soon asks for another look because RAM or CloudFront does not show yet what it is about to show.
func (r *admitRun) soon() {
	r.appears = r.appears || r.woken
	r.again(appearing)
}

// invitations decides about every pending invitation: it accepts none that it has not opened.
func (r *admitRun) invitations(ctx context.Context) error {
	pending, err := r.Shares.Invitations(ctx)
	if err != nil {
		return err
	}
	// Anybody can invite the hub: what goes wrong with one invitation must not keep the others waiting.
	var failed []error
	for _, i := range pending {
		err := r.invitation(ctx, i)
		if err != nil {
			r.undecided(i)
		}
		failed = append(failed, err)
	}
	r.Meter.Seconds(contract.MetricOldestPendingShare, r.oldest)
	return errors.Join(failed...)
}

func (r *admitRun) undecided(i origin.Invitation) { r.oldest = max(r.oldest, r.now.Sub(i.Sent)) }

func (r *admitRun) invitation(ctx context.Context, i origin.Invitation) error {
	var contents []origin.Shared
	var err error
	// Whom policy does not know is refused whatever the share holds. Anybody can invite the hub, so that must not cost a call.
	_, known := r.Policy.TeamOf(i.Sender)
	if known {
		contents, err = r.Shares.Open(ctx, i.ARN)
	}
	switch {
	case answered(err):
		return nil
	case fault.Is[*fault.GiveUp](err):
		return r.refuse(ctx, contract.ShareRefused, i.Share, Detail{Account: i.Sender, What: i.Name}, []admission.Reason{{
			Code: admission.ShareUnreadable, Message: "its invitation cannot be opened (" + fault.Said(err) + "): see that nothing denies the hub ram:ListPendingInvitationResources, " +
				"or have the sender share again; every sweep tries again",
		}})
	case err != nil:
		return err
	}
	share := shareOf(origin.Share{ARN: i.Share, Name: i.Name, Owner: i.Sender}, contents)
	share.Invitation = true
	switch decision := admission.DecideShare(share, r.Policy); {
	case decision.Accept:
		err = r.Shares.Accept(ctx, i.ARN)
		if answered(err) {
			return nil
		}
		if err == nil {
			r.woken = true
			r.Meter.Count(contract.MetricInvitationAccepted, 1)
			r.say(contract.ShareAccepted, i.Share, Detail{Account: i.Sender, What: i.Name, Why: "holds " + names(decision.Origins)})
			r.soon()
		}
	case decision.Waits():
		r.undecided(i)
		r.soon()
	default:
		err = r.refuse(ctx, contract.ShareRefused, i.Share, Detail{Account: i.Sender, What: i.Name}, decision.Reasons)
		// Whom policy does not know may mean somebody else in this account, such as another hub.
		if err == nil && known && r.Policy.Shares.Reject {
			if err = r.Shares.Reject(ctx, i.ARN); answered(err) {
				err = nil
			}
		}
	}
	return err
}

// answered reports whether an invitation is no longer pending: somebody answered it, or it has expired or is gone.
func answered(err error) bool { return fault.Is[*fault.Finished](err) || fault.Is[*fault.Absent](err) }

func names(refs []origin.Ref) string {
	var ids []string
	for _, r := range refs {
		ids = append(ids, r.ID)
	}
	return strings.Join(ids, ", ")
}

func shareOf(s origin.Share, contents []origin.Shared) admission.Share {
	share := admission.Share{ARN: s.ARN, Name: s.Name, Owner: s.Owner}
	for _, c := range contents {
		share.Resources = append(share.Resources, admission.Resource{ARN: c.ARN, Type: c.Type})
	}
	return share
}

// offer is an origin that came by permitted shares.
type offer struct {
	origin.Ref
	shares []string // ARNs, sorted
}

// permitted lists the origins of permitted shares that are open to this account now.
func (r *admitRun) permitted(ctx context.Context) ([]offer, error) {
	open, err := r.Shares.Shares(ctx)
	if err != nil {
		return nil, err
	}
	if len(open) == 0 {
		return nil, nil
	}
	resources, err := r.Shares.Resources(ctx)
	if err != nil {
		return nil, err
	}
	contents := map[string][]origin.Shared{}
	for _, c := range resources {
		contents[c.Share] = append(contents[c.Share], c)
	}
	shares := map[origin.Ref][]string{}
	for _, s := range open {
		decision := admission.DecideShare(shareOf(s, contents[s.ARN]), r.Policy)
		for _, o := range decision.Origins {
			if decision.Accept {
				shares[o] = append(shares[o], s.ARN)
			}
		}
		if !decision.Accept && !decision.Waits() {
			if err := r.refuse(ctx, contract.ShareRefused, s.ARN, Detail{Account: s.Owner, What: s.Name}, decision.Reasons); err != nil {
				return nil, err
			}
		}
	}
	var offers []offer
	for o, arns := range shares {
		slices.Sort(arns)
		offers = append(offers, offer{o, arns})
	}
	slices.SortFunc(offers, func(a, b offer) int { return strings.Compare(a.ID, b.ID) })
	return offers, nil
}

// refuse reports a refusal, once for the same reasons.
func (r *admitRun) refuse(ctx context.Context, event, what string, d Detail, reasons []admission.Reason) error {
	if origin.SameReasons(r.refusals[what], reasons) {
		return nil
	}
	d = d.Because(reasons)
	r.Meter.Count(contract.MetricRefusal, 1)
	r.alarm(event, what, d)
	if err := r.publish(ctx); err != nil {
		return err
	}
	r.refusals[what] = reasons
	return r.Registry.PutRefusal(ctx, what, reasons, r.now)
}

func (r *admitRun) find(id string) (int, origin.Record) {
	for i, o := range r.records {
		if o.ID == id {
			return i, o
		}
	}
	return -1, origin.Record{}
}

// due tells whether an origin is to be decided about. One that is wired already is looked at again only on a sweep, or when
// a message names it.
func (r *admitRun) due(o offer, deployed, sweep bool, hinted time.Time) bool {
	at, record := r.find(o.ID)
	wanted := at >= 0 && record.Intent == origin.Wire
	if _, known := r.Policy.TeamOf(o.Account); !known { // a share from an unknown account is refused as a whole
		return false
	}
	if leaving(record) || r.underWay(record, hinted) || wanted && !sweep && hinted.IsZero() {
		return false
	}
	if !deployed {
		r.again(deploying)
		return false
	}
	return true
}

// underWay tells whether the record's teardown has begun and moved on a moment ago. It looks at the tag itself before it
// takes the share away, and the call that began it is told here, too; one that hangs leaves the origin to the next sweep.
func (r *admitRun) underWay(o origin.Record, hinted time.Time) bool {
	if o.Intent != origin.Detach || o.Teardown == nil || o.Teardown.Ended || r.inGrace(o) {
		return false
	}
	if !hinted.IsZero() {
		return !hinted.After(o.Teardown.Requested)
	}
	return r.now.Sub(o.Teardown.Since) < 10*time.Minute
}

// inGrace tells whether the record's teardown has not begun yet. If the origin is off the air all the same, it was withdrawn.
func (r *admitRun) inGrace(o origin.Record) bool {
	return o.Teardown != nil && o.Teardown.Due.After(r.now)
}

// offer decides about one origin, by the tags that it has or by why they could not be read.
func (r *admitRun) offer(ctx context.Context, o offer, tags map[string]string, unread error) error {
	at, record := r.find(o.ID)
	wanted := at >= 0 && record.Intent == origin.Wire
	team, _ := r.Policy.TeamOf(o.Account)
	if unread != nil {
		return r.unreadable(ctx, o, team, unread)
	}
	_, tagged := tags[contract.TagTeardown]
	if wanted || r.inGrace(record) {
		tagged = false // the teardown takes it when its time has come, and until then its team may change what it claims
	}
	if tagged && at < 0 {
		if r.distribution(r.fleet[0]).Seen.IsZero() {
			return nil // wire looks at the next sweep, and calls again if the distribution holds what the registry has lost
		}
		tagged = r.holder(o.ID) == "" // no teardown of what is wired can begin without a record
	}
	claim := admission.ParseClaim(tags, team)
	decision := admission.Decide(admission.Candidate{Ref: o.Ref, Claim: claim, Tagged: tagged}, r.Policy, r.others(o.ID))
	if decision.Admit {
		return r.admit(ctx, at, record, o, team, claim)
	}
	if decision.Waits() {
		r.again(deploying)
	}
	if tagged && at >= 0 {
		return nil // on its way out, as its team asked
	}
	event := contract.OriginRefused
	if decision.Waits() {
		event = contract.OriginWaits
	}
	// What is wired stays wired with the claim that was permitted: a slip in a tag takes nobody off the air.
	return r.refuse(ctx, event, o.ARN, Detail{Origin: o.ID, Account: o.Account, Team: team.Name}, decision.Reasons)
}

// leaving tells whether a teardown is past the point where the origin could be wired again: from unsharing on, until it has
// stopped.
func leaving(o origin.Record) bool {
	return o.Intent == origin.Detach && o.State != origin.Deleted && o.Teardown != nil && !o.Teardown.Ended &&
		slices.Contains([]teardown.Phase{teardown.Unshare, teardown.Delete, teardown.Verify}, teardown.Phase(o.Teardown.Phase))
}

// unreadable handles a claim that cannot be read. Without the role there is no claim; what is wired stays wired.
func (r *admitRun) unreadable(ctx context.Context, o offer, team admission.Team, err error) error {
	if fault.Is[*fault.Retry](err) {
		return err
	}
	return r.refuse(ctx, contract.OriginRefused, o.ARN, Detail{Origin: o.ID, Account: o.Account, Team: team.Name}, []admission.Reason{{
		Code: admission.ClaimUnreadable,
		Message: fmt.Sprintf("its tags cannot be read (%s): deploy the spoke stack in account %s, with the ExternalId of the hub's policy, "+
			"or set spoke: false for %s and state the claim in the policy", fault.Code(err), o.Account, team.Name),
	}})
}

// others are the records that an origin's claim must not collide with.
func (r *admitRun) others(id string) []origin.Record {
	var others []origin.Record
	for _, o := range r.records {
		if o.ID != id {
			others = append(others, o)
		}
	}
	return others
}

// admit asks for a place for an origin that is to be wired. One that is to be wired already with the same claim is left
// alone.
func (r *admitRun) admit(ctx context.Context, at int, was origin.Record, o offer, team admission.Team, claim origin.Claim) error {
	is := was.Reclaim(claim)
	is.Ref, is.Team, is.Intent = o.Ref, team.Name, origin.Wire
	if !slices.Contains(o.shares, was.Share) {
		is.Share = o.shares[0]
	}
	if at >= 0 && was.Intent == origin.Wire && was.Team == is.Team && equal(was.Claim, claim) {
		if was.Share == is.Share {
			return nil
		}
		return r.put(ctx, at, is)
	}
	if was.Intent != origin.Wire {
		is.Admitted = r.now
		if !r.inGrace(was) { // one in grace looks at the tag itself when its time has come
			if was.Teardown != nil && !was.Teardown.Ended {
				why := "the tag " + contract.TagTeardown + " was removed before anything was unshared: the origin is wired again"
				r.Meter.Count(contract.MetricTeardownCancelled, 1)
				r.say(contract.TeardownCancelled, is.ARN, about(was, why))
			}
			is.Generation++
			is.Teardown = nil // a token that waits is completed by wire
		}
	}
	if was.Intent != origin.Wire || !equal(was.Claim, claim) {
		is.State, is.Reasons = origin.Pending, nil
	}
	if at < 0 {
		at = len(r.records)
		is.Distribution = r.fleet[0]
		r.records = append(r.records, is)
	}
	r.ask(at, was, is)
	r.records[at] = is // so that claims that are decided about next know of it
	return nil
}

func equal(a, b origin.Claim) bool {
	return a.Domain == b.Domain && slices.Equal(a.Hosts, b.Hosts) && slices.Equal(a.Paths, b.Paths)
}

// put publishes what was decided and records it.
func (r *admitRun) put(ctx context.Context, at int, is origin.Record) error {
	if err := r.publish(ctx); err != nil {
		return err
	}
	written, err := r.Registry.PutRecord(ctx, is)
	if err == nil {
		r.records[at] = written
	}
	return err
}

// drop takes an origin out that may not be wired any more.
func (r *admitRun) drop(ctx context.Context, at int, is origin.Record, reasons ...origin.Reason) error {
	is.Intent = origin.Detach
	is.Because(reasons...)
	r.alarm(contract.OriginWithdrawn, is.ARN, about(is, "").Because(reasons))
	is.Remember(r.now, origin.DecidedWithdrawn, reasons, "")
	return r.put(ctx, at, is)
}

// notShared is why an origin is withdrawn that its team took away.
var notShared = origin.Reason{
	Code: origin.OriginNotShared, Message: "it is no longer shared with the hub: share it again to bring it back",
}

// withdraw drops what is to be wired and is shared no more. Both RAM and CloudFront must miss it: an empty answer from one
// of them must not take every team off the air.
func (r *admitRun) withdraw(ctx context.Context, permitted []offer, deployed map[string]bool) error {
	for at, o := range r.records {
		offered := slices.ContainsFunc(permitted, func(p offer) bool { return p.ID == o.ID })
		_, visible := deployed[o.ID]
		if o.Intent != origin.Wire || offered || visible {
			continue
		}
		if err := r.drop(ctx, at, o, notShared); err != nil {
			return err
		}
	}
	return nil
}

// dropStrays drops what a distribution holds without a record, since the registry was lost, and what is shared no more: CloudFront
// takes no update of a distribution that holds such an origin, whichever team it is for. What it claimed is lost with the
// registry, and so its alias and its DNS record stay: nobody can tell any more whose they are.
func (r *admitRun) dropStrays(ctx context.Context, permitted []offer, deployed map[string]bool) error {
	if r.blind() || r.hides().Name != "" {
		return nil // a first record says that all distributions were seen
	}
	for _, d := range r.known {
		for _, s := range d.Strays {
			offered := slices.ContainsFunc(permitted, func(p offer) bool { return p.ID == s.ID })
			_, visible := deployed[s.ID]
			if _, known := r.find(s.ID); known.ID != "" || s.ARN == "" || offered || visible {
				continue
			}
			team, _ := r.Policy.TeamOf(s.Account)
			r.records = append(r.records, origin.Record{Ref: s, Distribution: d.Name, Team: team.Name, State: origin.Wired, Generation: 1})
			at := len(r.records) - 1
			if err := r.drop(ctx, at, r.records[at], notShared); err != nil {
				return err
			}
		}
	}
	return nil
}

// dropForbidden drops what policy or an earlier claim no longer permits.
func (r *admitRun) dropForbidden(ctx context.Context) error {
	for _, dropped := range admission.Settle(r.records, r.Policy) {
		at, record := r.find(dropped.Record.ID)
		if err := r.drop(ctx, at, record, dropped.Reasons...); err != nil {
			return err
		}
	}
	return nil
}
