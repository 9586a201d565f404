package workflow

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
	"github.com/originhub/originhub/pkg/teardown"
)

type admitRegistry interface {
	Load(ctx context.Context) (origin.Snapshot, error)
	PutRecord(ctx context.Context, r origin.Record) (origin.Record, error)
	MoveRecord(ctx context.Context, from string, r origin.Record) (origin.Record, error)
	PutRefusal(ctx context.Context, what string, reasons []origin.Reason, now time.Time) error
	PutFleet(ctx context.Context, f origin.Fleet) error
	PutTally(ctx context.Context, t origin.Tally, now time.Time) error
}

type past interface {
	Move(ctx context.Context, r origin.Record, now time.Time) error
	Find(ctx context.Context, ids []string) ([]origin.Record, error)
}

type shares interface {
	Invitations(ctx context.Context) ([]origin.Invitation, error)
	Open(ctx context.Context, invitation string) ([]origin.Resource, error)
	Accept(ctx context.Context, invitation string) error
	Reject(ctx context.Context, invitation string) error
	Shares(ctx context.Context) ([]origin.Share, error)
	Memberships(ctx context.Context) (map[string]origin.Membership, error)
	Resources(ctx context.Context) ([]origin.Resource, error)
}

type origins interface {
	VpcOrigins(ctx context.Context) ([]origin.VpcOrigin, error)
	VpcOrigin(ctx context.Context, id string) (origin.VpcOrigin, error)
}

// Admit brings permitted shares into the registry: it opens and accepts invitations, reads claims, and records what package admission
// decides. Invitations, organization shares, events and sweeps are all handled in the same way.
type Admit struct {
	Policy     admission.Policy
	Grace      teardown.Bounds
	Registry   admitRegistry
	Past       past
	Shares     shares
	CloudFront origins
	Spoke      func(account string) Spoke
	Queue      queue // of function admit
	WireQueue  queue
	Bus        bus
	Meter      meter
	Log        *slog.Logger
}

// admitRun is one run of Admit.
type admitRun struct {
	*Admit
	committer
	run      admission.Run   // what was observed and decided
	reported []outcome.Event // events about calls that were made; they are published with the next change
	written  []origin.Record // since the registry was read
	tallied  map[string]bool // accounts whose tallies have changed
}

// Run observes everything once, and commits what is decided. A failure for one invitation or origin does not affect the others.
func (a *Admit) Run(ctx context.Context, messages []inbound.Message) error {
	s, err := a.Registry.Load(ctx)
	if err != nil {
		return err
	}
	received := admission.Receive(messages)
	r := &admitRun{
		Admit: a,
		committer: committer{
			bus: a.Bus, meter: a.Meter, log: a.Log, mode: a.Policy.Distribution.Mode(),
			queues: map[outcome.Function]queue{outcome.Admit: a.Queue, outcome.Wire: a.WireQueue},
		},
		run:     admission.Run{Round: admission.Round{Policy: a.Policy, Grace: a.Grace, Registry: s, Sweep: received.Sweep, Swept: received.Swept, Hints: received.Hints, Suspended: admission.Suspended(s, a.Policy)}, Triggered: received.Triggered},
		tallied: map[string]bool{},
	}
	// Holds come first, so that they have their effect even if calls to RAM or CloudFront fail.
	holds := r.run.Holds()
	r.run.Held = len(holds) > 0
	err = errors.Join(r.changes(ctx, holds), r.change(ctx, admission.Change{Outcome: received.Outcome}), r.invitations(ctx), r.origins(ctx))
	err = errors.Join(err, r.change(ctx, admission.Change{}), r.forget(ctx))
	if fleet, changed := r.run.Fleet(); changed {
		err = errors.Join(err, r.Registry.PutFleet(ctx, fleet))
	}
	r.run.Failed = err != nil
	return errors.Join(err, r.after(ctx))
}

// after ends the run, and writes the tallies that it has changed.
func (r *admitRun) after(ctx context.Context) error {
	after := r.run.After()
	if r.run.Sweep {
		told, changed := outcome.Tell(r.run.Registry.Tallies, r.run.Registry.Now)
		after.Add(told)
		r.tally(changed)
	}
	return r.commit(ctx, after, func() error {
		for _, account := range slices.Sorted(maps.Keys(r.tallied)) {
			if err := r.Registry.PutTally(ctx, r.run.Registry.Tallies[account], r.run.Registry.Now); err != nil {
				return err
			}
		}
		return nil
	})
}

// tally keeps tallies for the end of the run.
func (r *admitRun) tally(changed []origin.Tally) {
	for _, t := range changed {
		r.run.Registry.Tallies[t.Account], r.tallied[t.Account] = t, true
	}
}

// invitations accepts, rejects or refuses the pending invitations.
func (r *admitRun) invitations(ctx context.Context) error {
	pending, err := r.Shares.Invitations(ctx)
	if err != nil {
		return err
	}
	var failed []error
	r.run.Invited = admission.Invited(pending, r.Policy)
	answered := make([]admission.Invitation, len(pending))
	for n, i := range pending {
		r.run.Shares = append(r.run.Shares, i.Share)
		answered[n], err = r.invitation(ctx, admission.Invitation{Invitation: i})
		failed = append(failed, err)
	}
	failed = append(failed, r.commit(ctx, admission.Pending(answered, r.Policy, r.run.Registry.Refusals, r.run.Registry.Now), nil))
	return errors.Join(failed...)
}

// invitation handles one invitation, and returns how far it has come.
func (r *admitRun) invitation(ctx context.Context, i admission.Invitation) (admission.Invitation, error) {
	for {
		step := admission.DecideInvitation(i, r.Policy, r.run.Registry.Refusals)
		r.keep(step.Happened)
		r.run.Triggered, r.run.Recheck = r.run.Triggered || step.Triggered, max(r.run.Recheck, step.Recheck)
		err := r.changes(ctx, step.Changes)
		if err == nil && step.Call == admission.NoCall {
			return i, nil
		}
		if err == nil {
			i, err = r.call(ctx, i, step.Call)
		}
		if err != nil {
			i.Stage = admission.Failed
			return i, err
		}
	}
}

// call makes a call about an invitation, and returns the invitation with the result.
func (r *admitRun) call(ctx context.Context, i admission.Invitation, call admission.InvitationCall) (admission.Invitation, error) {
	var err error
	switch call {
	case admission.Open:
		i.Stage = admission.Opened
		i.Contents, err = r.Shares.Open(ctx, i.ARN)
		if fault.Is[*fault.GiveUp](err) {
			i.Stage, i.Error = admission.Unreadable, fault.Answer(err)
			return i, nil
		}
	case admission.Accept:
		i.Stage = admission.Accepted
		err = r.Shares.Accept(ctx, i.ARN)
	case admission.Reject:
		i.Stage = admission.Answered
		err = r.Shares.Reject(ctx, i.ARN)
	}
	if fault.Is[*fault.Finished](err) || fault.Is[*fault.Absent](err) {
		i.Stage = admission.Answered
		return i, nil
	}
	return i, err
}

// origins decides about all origins that are or were shared.
func (r *admitRun) origins(ctx context.Context) error {
	open, err := r.Shares.Shares(ctx)
	if err != nil {
		return err
	}
	for _, s := range open {
		r.run.Shares = append(r.run.Shares, s.ARN)
	}
	var contents []origin.Resource
	if len(open) > 0 {
		if contents, err = r.Shares.Resources(ctx); err != nil {
			return err
		}
		memberships, err := r.Shares.Memberships(ctx)
		if err != nil && !fault.Is[*fault.GiveUp](err) {
			return err
		}
		if err != nil {
			r.log.WarnContext(ctx, "memberships of accounts cannot be listed", "error", err)
		}
		open = admission.Members(open, memberships, r.Policy)
	}
	var refused []admission.Change
	r.run.Shared, refused = admission.Share(open, contents, r.Policy, r.run.Registry.Refusals)
	failed := r.changes(ctx, refused)
	if err := r.recall(ctx); err != nil {
		return errors.Join(failed, err)
	}
	if r.run.Visible, err = r.CloudFront.VpcOrigins(ctx); err != nil {
		return errors.Join(failed, err)
	}
	failed = errors.Join(failed, r.unlisted(ctx))
	due := r.run.Due()
	readings, unread := r.read(ctx, due)
	changes, recheck := r.run.Decide(readings)
	r.run.Recheck = max(r.run.Recheck, due.Recheck, recheck)
	return errors.Join(failed, unread, r.changes(ctx, slices.Concat(due.Changes, changes)))
}

// recall finds the past records of origins that are offered again.
func (r *admitRun) recall(ctx context.Context) error {
	ids := r.run.Unrecorded()
	if len(ids) == 0 {
		return nil
	}
	past, err := r.Past.Find(ctx, ids)
	r.run.Round = r.run.With(past)
	return err
}

// forget moves the records that are over to the past ones.
func (r *admitRun) forget(ctx context.Context) error {
	var failed []error
	for _, o := range r.run.Over() {
		failed = append(failed, r.Past.Move(ctx, o, r.run.Registry.Now))
	}
	return errors.Join(failed...)
}

// read reads tags. A temporary failure is returned as an error and yields no reading.
func (r *admitRun) read(ctx context.Context, due admission.Due) ([]admission.Reading, error) {
	tags := make([]map[string]string, len(due.Read))
	unread := make([]error, len(due.Read))
	each(len(due.Read), accountsPerWorker, func(i int) { tags[i], unread[i] = r.Spoke(due.Read[i].Account).Tags(ctx, due.Read[i].ARN) })
	var readings []admission.Reading
	var failed []error
	for _, o := range due.Stated {
		readings = append(readings, admission.Reading{Offer: o})
	}
	for i, o := range due.Read {
		if fault.Is[*fault.Retry](unread[i]) {
			failed = append(failed, unread[i])
			continue
		}
		readings = append(readings, admission.Reading{Offer: o, Tags: tags[i], Unreadable: unread[i] != nil, Code: fault.Code(unread[i])})
	}
	return readings, errors.Join(failed...)
}

// keep records the metrics of calls that were made, and keeps their events for the next change.
func (r *admitRun) keep(o outcome.Outcome) {
	r.reported = append(r.reported, o.Events...)
	for _, m := range o.Metrics {
		r.meter.Record(m)
	}
}

func (r *admitRun) changes(ctx context.Context, changes []admission.Change) error {
	var failed []error
	for _, c := range changes {
		failed = append(failed, r.change(ctx, c))
	}
	if len(r.written) > 0 {
		r.run.Round, r.written = r.run.With(r.written), nil
	}
	return errors.Join(failed...)
}

// change publishes a decision and writes it.
func (r *admitRun) change(ctx context.Context, c admission.Change) error {
	o, changed, leftOut := c.Tallied(r.run.Registry.Tallies, r.Policy.Member, r.run.Registry.Now)
	if leftOut {
		c.Refusal = nil
	}
	o.Events = slices.Concat(r.reported, o.Events)
	return r.commit(ctx, o, func() error {
		r.reported = nil // they are published
		r.tally(changed)
		if c.Record != nil {
			if err := r.putRecord(ctx, *c.Record, c.From); err != nil {
				return err
			}
		}
		if c.Refusal != nil {
			return r.refuse(ctx, *c.Refusal)
		}
		return nil
	})
}

func (r *admitRun) refuse(ctx context.Context, refusal admission.Refusal) error {
	err := r.Registry.PutRefusal(ctx, refusal.What, refusal.Reasons, r.run.Registry.Now)
	if err == nil {
		r.run.Registry.Refusals[refusal.What] = refusal.Reasons
	}
	return err
}

func (r *admitRun) putRecord(ctx context.Context, o origin.Record, from string) (err error) {
	if from == "" {
		o, err = r.Registry.PutRecord(ctx, o)
	} else {
		o, err = r.Registry.MoveRecord(ctx, from, o)
	}
	if err != nil {
		return err
	}
	r.written = append(r.written, o)
	return nil
}
