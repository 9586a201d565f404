package workflow

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/teardown"
)

type retireRegistry interface {
	Load(ctx context.Context, distribution string) (origin.Snapshot, error)
	PutRecord(ctx context.Context, distribution string, r origin.Record) (origin.Record, error)
	PutRefusal(ctx context.Context, distribution, what, reasons string, now time.Time) error
}

type starter interface {
	Start(ctx context.Context, machine, name, input string) error
	Failed(ctx context.Context, machine, name string) (bool, error)
}

// Retire starts the teardown of every origin that carries the teardown tag. Taking the tag away needs no event: the
// teardown looks at the tag itself before each step that could not be undone.
type Retire struct {
	Policy     admission.Policy
	Registry   retireRegistry
	Spoke      func(account string) Spoke
	Executions starter
	Machine    string // state machine ARN
	Bus        bus
	Meter      meter
	Log        *slog.Logger
}

// Run looks at the origin that the message names, or on a sweep at all. An origin that the registry does not know is left
// alone.
func (t *Retire) Run(ctx context.Context, m inbound.Message) error {
	say := announcer{bus: t.Bus, log: t.Log}
	switch m := m.(type) {
	case inbound.Refused:
		say.alarm(contract.EventRefused, "", Detail{Account: m.Account, Why: m.Why})
		return say.publish(ctx)
	case inbound.TagHint, inbound.Sweep:
	default:
		return nil
	}
	s, err := t.Registry.Load(ctx, origin.Main)
	if err != nil {
		return err
	}
	for _, o := range s.Records {
		if hint, ok := m.(inbound.TagHint); ok && (hint.ARN != o.ARN || hint.Account != o.Account) {
			continue
		}
		if o.State == origin.Deleted {
			continue
		}
		_, hinted := m.(inbound.TagHint)
		if err := t.look(ctx, &say, s, o, hinted); err != nil {
			return err
		}
	}
	return nil
}

// look starts the teardown of an origin that is tagged. A team that sets the tag again asks to try again what has failed;
// a sweep does not, or what needs a person would fail every ten minutes.
func (t *Retire) look(ctx context.Context, say *announcer, s origin.Snapshot, o origin.Record, again bool) error {
	team, known := t.Policy.TeamOf(o.Account)
	if !known || !team.Spoke {
		return nil
	}
	tags, err := t.Spoke(o.Account).Tags(ctx, o.ARN)
	if fault.Is[*fault.Done](err) || fault.Is[*fault.GiveUp](err) {
		// Admit reports what it cannot read; here it only means that no wish to tear down can be seen.
		t.Log.WarnContext(ctx, "tags cannot be read", "origin", o.ID, "account", o.Account, "error", err)
		return nil
	}
	if err != nil {
		return err
	}
	value, tagged := tags[contract.TagTeardown]
	if !tagged {
		return nil
	}
	requested := s.Now
	if o.Teardown != nil {
		requested = o.Teardown.Requested
	}
	due, err := teardown.ParseTag(value, requested, teardown.Bounds(t.Policy.Grace))
	if err != nil {
		what := o.ARN + " " + contract.TagTeardown
		if s.Refusals[what] == err.Error() {
			return nil
		}
		say.alarm(contract.OriginRefused, o.ARN, about(o, err.Error()))
		if err := say.publish(ctx); err != nil {
			return err
		}
		return t.Registry.PutRefusal(ctx, origin.Main, what, err.Error(), s.Now)
	}
	if o.Teardown == nil {
		o.Teardown = &origin.Teardown{Requested: requested, Due: due}
		d := about(o, "tag "+contract.TagTeardown+" is "+value)
		d.Execution = contract.TeardownExecution(o.ID, o.Generation)
		say.say(contract.TeardownStarted, o.ARN, d)
		t.Meter.Count("TeardownsStarted", 1)
		if err := say.publish(ctx); err != nil {
			return err
		}
		remember(&o, s.Now, contract.TeardownStarted, d.Why)
		if o, err = t.Registry.PutRecord(ctx, origin.Main, o); err != nil {
			return err
		}
	}
	err = t.start(ctx, o)
	if !again || !fault.Is[*fault.Done](err) {
		return fault.IgnoreDone(err)
	}
	failed, err := t.Executions.Failed(ctx, t.Machine, contract.TeardownExecution(o.ID, o.Generation))
	if err != nil || !failed {
		return err
	}
	o.Generation++
	o.Teardown.Since = s.Now
	remember(&o, s.Now, contract.TeardownStarted, "the tag was set again")
	if o, err = t.Registry.PutRecord(ctx, origin.Main, o); err != nil {
		return err
	}
	return t.start(ctx, o)
}

// start starts the execution. Its name and input are the same however often this is said, so a crash before it costs
// nothing.
func (t *Retire) start(ctx context.Context, o origin.Record) error {
	input, err := json.Marshal(TeardownInput{Origin: o.ID, Generation: o.Generation})
	if err != nil {
		return &fault.GiveUp{Err: err}
	}
	return t.Executions.Start(ctx, t.Machine, contract.TeardownExecution(o.ID, o.Generation), string(input))
}
