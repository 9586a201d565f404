package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	Load(ctx context.Context) (origin.Snapshot, error)
	PutRecord(ctx context.Context, r origin.Record) (origin.Record, error)
	PutRefusal(ctx context.Context, what string, reasons []origin.Reason, now time.Time) error
}

type starter interface {
	// Start returns a *fault.Exists if an execution of that name has ended.
	Start(ctx context.Context, machine, name, input string) error
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
	s, err := t.Registry.Load(ctx)
	if err != nil {
		return err
	}
	hint, hinted := m.(inbound.TagHint)
	var failed []error
	var due []origin.Record
	for _, o := range s.Records {
		team, known := t.Policy.TeamOf(o.Account)
		switch {
		case !known || !team.Spoke || o.State == origin.Deleted:
		case hinted && (hint.ARN != o.ARN || hint.Account != o.Account):
		case !hinted && o.Intent == origin.Detach && o.Teardown != nil && o.Teardown.Phase != "" && s.Now.Sub(since(o)) < daily:
			// It has begun, and looks at its tag itself. A crash may have kept an execution that was recorded from starting.
			failed = append(failed, fault.IgnoreExists(t.start(ctx, o)))
		default:
			due = append(due, o)
		}
	}
	tags := make([]map[string]string, len(due))
	unread := make([]error, len(due))
	each(len(due), func(i int) { tags[i], unread[i] = t.Spoke(due[i].Account).Tags(ctx, due[i].ARN) })
	for i, o := range due {
		failed = append(failed, t.look(ctx, &say, s, o, tags[i], unread[i], hint.Called))
	}
	return errors.Join(failed...)
}

// look starts, moves or calls off the teardown of an origin, as its tag says now. A team that sets the tag again asks to try
// again what has failed; a sweep does so only once a day and only for what is left of an origin that is gone, since that
// carries no tag any more. The tag does not tell that it was set again, and so the time of the call counts, zero on a sweep:
// an event that comes twice, or late, has a time before what it began. Were it wrong, that would cost no more than a try.
func (t *Retire) look(
	ctx context.Context, say *announcer, s origin.Snapshot, o origin.Record, tags map[string]string, err error, called time.Time,
) error {
	switch {
	case fault.Is[*fault.Absent](err):
		if o.Teardown == nil {
			return nil
		}
		err := t.start(ctx, o) // it was recorded, and a crash may have kept it from starting
		if !fault.Is[*fault.Exists](err) || s.Now.Sub(since(o)) < daily {
			return fault.IgnoreExists(err)
		}
		o.Generation++
		return t.begin(ctx, say, s, o, *o.Teardown, "the origin is gone, and whether it left something is looked at again")
	case fault.Is[*fault.GiveUp](err):
		// Admit reports what it cannot read; here it only means that no wish to tear down can be seen.
		t.Log.WarnContext(ctx, "tags cannot be read", "origin", o.ID, "account", o.Account, "error", err)
		return nil
	case err != nil:
		return err
	}
	value, tagged := tags[contract.TagTeardown]
	if !tagged {
		return t.callOff(ctx, say, s, o, "the tag "+contract.TagTeardown+" was removed in time: nothing happened")
	}
	requested := s.Now
	if o.Teardown != nil && o.Teardown.Value == value {
		requested = o.Teardown.Requested // a new value counts from now, one that was seen before does not
	}
	due, err := teardown.ParseTag(value, requested, teardown.Bounds(t.Policy.Grace))
	if err != nil {
		if err := t.refuse(ctx, say, s, o, teardown.TagReason(value, err)); err != nil {
			return err
		}
		return t.callOff(ctx, say, s, o, err.Error())
	}
	fresh := origin.Teardown{Value: value, Requested: requested, Due: due}
	switch {
	case o.Teardown == nil:
		return t.begin(ctx, say, s, o, fresh, "tag "+contract.TagTeardown+" is "+value)
	case o.Intent == origin.Wire && due.Before(o.Teardown.Due):
		// The execution sleeps until the old instant; one of a new generation takes over.
		o.Generation++
		return t.begin(ctx, say, s, o, fresh, "tag "+contract.TagTeardown+" is now "+value)
	}
	if o.Intent == origin.Wire && !due.Equal(o.Teardown.Due) {
		moved := *o.Teardown
		moved.Value, moved.Requested, moved.Due = value, requested, due
		o.Teardown = &moved
		if o, err = t.Registry.PutRecord(ctx, o); err != nil {
			return err
		}
	}
	if o.Intent == origin.Detach && o.Teardown.Value != "" && o.Teardown.Value != value {
		late := fmt.Sprintf("the tag %s is now %s, but the teardown has begun: remove the tag to keep the origin, if it is still shared",
			contract.TagTeardown, value)
		if err := t.refuse(ctx, say, s, o, origin.Reason{Code: teardown.TagLate, Subject: value, Message: late}); err != nil {
			return err
		}
	}
	err = t.start(ctx, o)
	again, idle := called.After(o.Teardown.Asked), o.Teardown.Phase == ""
	if !fault.Is[*fault.Exists](err) || !again && !idle {
		return fault.IgnoreExists(err)
	}
	next, why := *o.Teardown, "its execution ended before its first step"
	if again {
		why = "the tag was set again"
	}
	if again && o.Intent == origin.Wire {
		if next.Due, err = teardown.ParseTag(value, s.Now, teardown.Bounds(t.Policy.Grace)); err != nil {
			return t.refuse(ctx, say, s, o, teardown.TagReason(value, err))
		}
		next.Requested, next.Phase = s.Now, ""
	}
	o.Generation++
	return t.begin(ctx, say, s, o, next, why)
}

// daily is how often the remains of an origin that is gone are looked at.
const daily = 24 * time.Hour

// refuse reports a tag value that cannot be read, once.
func (t *Retire) refuse(ctx context.Context, say *announcer, s origin.Snapshot, o origin.Record, why origin.Reason) error {
	what := o.ARN + " " + contract.TagTeardown
	reasons := []origin.Reason{why}
	if origin.SameReasons(s.Refusals[what], reasons) {
		return nil
	}
	say.alarm(contract.OriginRefused, o.ARN, about(o, "").Because(reasons))
	if err := say.publish(ctx); err != nil {
		return err
	}
	return t.Registry.PutRefusal(ctx, what, reasons, s.Now)
}

// callOff ends a teardown that has not begun to change anything. Its execution finds the generation changed when it wakes.
func (t *Retire) callOff(ctx context.Context, say *announcer, s origin.Snapshot, o origin.Record, why string) error {
	if o.Teardown == nil || o.Intent != origin.Wire {
		return nil
	}
	t.Meter.Count(contract.MetricTeardownCancelled, 1)
	say.say(contract.TeardownCancelled, o.ARN, about(o, why))
	if err := say.publish(ctx); err != nil {
		return err
	}
	remember(&o, s.Now, origin.DecidedTeardownCancelled, why)
	o.Generation++
	o.Teardown = nil
	_, err := t.Registry.PutRecord(ctx, o)
	return err
}

// namesTried is how many names of executions one run tries. All that are taken would cost it its time.
const namesTried = 100

// begin records a teardown and starts its execution, under the next generation if the name of this one is taken: a registry
// that was lost counts generations from one again, and names are taken for 90 days.
func (t *Retire) begin(ctx context.Context, say *announcer, s origin.Snapshot, o origin.Record, next origin.Teardown, why string) error {
	next.Since, next.Asked, next.Ended = s.Now, s.Now, false
	o.Teardown = &next
	d := about(o, why)
	d.Execution = contract.TeardownExecution(o.ID, o.Generation)
	say.say(contract.TeardownStarted, o.ARN, d)
	t.Meter.Count(contract.MetricTeardownStarted, 1)
	if err := say.publish(ctx); err != nil {
		return err
	}
	remember(&o, s.Now, origin.DecidedTeardownStarted, why)
	for range namesTried {
		var err error
		if o, err = t.Registry.PutRecord(ctx, o); err != nil {
			return err
		}
		if err := t.start(ctx, o); !fault.Is[*fault.Exists](err) {
			return err
		}
		t.Log.InfoContext(ctx, "it ran before the registry was lost; the next generation takes over", "origin", o.ID, "generation", o.Generation)
		o.Generation++
	}
	return &fault.Retry{Err: fmt.Errorf("start the teardown of %s: %s is taken, as are the %d names before it; the next sweep goes on behind it",
		o.ID, contract.TeardownExecution(o.ID, o.Generation-1), namesTried-1)}
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
