package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/hubpolicy"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/teardown"
)

type retireRegistry interface {
	Load(ctx context.Context) (origin.Snapshot, error)
	LoadOrigins(ctx context.Context, named, ids, refusals, tallies []string) (origin.Snapshot, error)
	PutRecord(ctx context.Context, r origin.Record) (origin.Record, error)
	PutRefusal(ctx context.Context, what string, reasons []origin.Reason, now time.Time) error
	PutTally(ctx context.Context, t origin.Tally, now time.Time) error
}

type executions interface {
	// Start returns a *fault.Exists if an execution of that name has ended.
	Start(ctx context.Context, machine, name, input string) error
	// Execution returns a *fault.Absent if there is no execution of that name.
	Execution(ctx context.Context, machine, name string) (origin.Execution, error)
}

// Retire starts the teardown of every origin that has the teardown tag. Cancelling needs no event: a teardown observes the tag itself before
// it unshares the origin, after which nobody can cancel.
type Retire struct {
	Policy     hubpolicy.Policy
	Registry   retireRegistry
	Spoke      func(account string) Spoke
	Executions executions
	Machine    string // state machine ARN
	Bus        bus
	Meter      meter
	Log        *slog.Logger
}

// Run observes the origin that the message names, or all of them on a sweep, and commits what package teardown decides. It ignores origins
// that the registry does not have.
func (t *Retire) Run(ctx context.Context, m inbound.Message) error {
	switch m.(type) {
	case inbound.TagHint, inbound.Sweep:
	default: // function admit gets the same events of the hub bus, and reports those that are refused
		return nil
	}
	s, err := t.load(ctx, m)
	if err != nil {
		return err
	}
	requests := t.requests(s, m)
	failed := t.observeTags(ctx, requests)
	for i := range requests {
		if failed[i] == nil {
			failed[i] = t.retire(ctx, requests[i], s.Tallies)
		}
	}
	return errors.Join(failed...)
}

// load reads the origins that a hint names, or everything.
func (t *Retire) load(ctx context.Context, m inbound.Message) (origin.Snapshot, error) {
	hint, hinted := m.(inbound.TagHint)
	if !hinted {
		return t.Registry.Load(ctx)
	}
	var ids, tags []string
	for _, o := range hint.Origins() {
		ids, tags = append(ids, o.ID), append(tags, tagOf(o))
	}
	return t.Registry.LoadOrigins(ctx, t.Policy.Distribution.Fleet(), ids, tags, []string{hint.Account, ""})
}

func (t *Retire) committer() committer {
	return committer{bus: t.Bus, meter: t.Meter, log: t.Log, mode: t.Policy.Distribution.Mode()}
}

func (t *Retire) requests(s origin.Snapshot, m inbound.Message) (requests []teardown.Request) {
	hint, hinted := m.(inbound.TagHint)
	for _, o := range s.Records {
		if hinted && !hint.Names(o.Ref) {
			continue
		}
		team, known := t.Policy.TeamOf(o.Account)
		requests = append(requests, teardown.Request{
			Now: s.Now, Record: o, Readable: known && team.Spoke, Hinted: hinted, Called: hint.Called, By: hint.By, Confirm: team.ConfirmTeardown,
			Grace: t.Policy.Grace, DryRun: t.Policy.Distribution.DryRun, Refused: s.Refusals[tagOf(o.Ref)],
		})
	}
	return requests
}

// tagOf returns the key of an origin's teardown tag among the registry's refusals.
func tagOf(o origin.Ref) string { return o.ARN + " " + contract.TagTeardown }

// observeTags reads the tags that decisions need, concurrently if there are many.
func (t *Retire) observeTags(ctx context.Context, requests []teardown.Request) []error {
	failed := make([]error, len(requests))
	var asked []int
	for i, q := range requests {
		if teardown.Retire(q).Observe == teardown.Tag {
			asked = append(asked, i)
		}
	}
	each(len(asked), accountsPerWorker, func(n int) {
		q := &requests[asked[n]]
		var err error
		q.Tag, q.Value, err = teardownTag(ctx, t.Spoke(q.Record.Account), q.Record.Ref, q.Confirm)
		if fault.Is[*fault.GiveUp](err) {
			t.Log.WarnContext(ctx, "tags cannot be read", "origin", q.Record.ID, "account", q.Record.Account, "error", err)
			q.Tag, err = teardown.TagUnreadable, nil
		}
		failed[asked[n]] = err
	})
	return failed
}

// retire observes the execution if the decision needs it, and commits the decision. It keeps tallies up to date.
func (t *Retire) retire(ctx context.Context, q teardown.Request, tallies map[string]origin.Tally) error {
	decided := teardown.Retire(q)
	if decided.Observe == teardown.Execution {
		execution, err := t.Executions.Execution(ctx, t.Machine, contract.TeardownExecution(q.Record.ID, q.Record.Generation))
		if fault.IgnoreAbsent(err) != nil {
			return err
		}
		q.Observed, q.Execution = true, execution
		decided = teardown.Retire(q)
	}
	record := q.Record
	o, changed, leftOut := decided.Outcome.Tallied(tallies, t.Policy.Member, q.Now)
	err := t.committer().commit(ctx, o, func() (err error) {
		for _, tally := range changed {
			if err := t.Registry.PutTally(ctx, tally, q.Now); err != nil {
				return err
			}
			tallies[tally.Account] = tally
		}
		if decided.Refuse != nil && !leftOut {
			if err := t.Registry.PutRefusal(ctx, tagOf(record.Ref), decided.Refuse, q.Now); err != nil {
				return err
			}
		}
		if decided.Record != nil {
			record, err = t.Registry.PutRecord(ctx, *decided.Record)
		}
		return err
	})
	if err != nil || !decided.Start {
		return err
	}
	return t.start(ctx, record, decided.Fresh)
}

// maxNames is how many names of executions one run tries, so that taken names do not use up its time.
const maxNames = 100

// start starts an execution. Its name and input are the same every time, so that repeating it after a crash is harmless.
func (t *Retire) start(ctx context.Context, o origin.Record, fresh bool) error {
	for range maxNames {
		input, err := json.Marshal(TeardownInput{Origin: o.ID, Generation: o.Generation})
		if err != nil {
			return &fault.GiveUp{Err: err}
		}
		err = t.Executions.Start(ctx, t.Machine, contract.TeardownExecution(o.ID, o.Generation), string(input))
		if !fresh {
			return fault.IgnoreExists(err)
		}
		if !fault.Is[*fault.Exists](err) {
			return err
		}
		t.Log.InfoContext(ctx, "the execution's name is taken, and the next generation takes over", "origin", o.ID, "generation", o.Generation)
		if o, err = t.Registry.PutRecord(ctx, teardown.NameTaken(o)); err != nil {
			return err
		}
	}
	return &fault.Retry{Err: fmt.Errorf("start the teardown of %s: %s is taken, as are the %d names before it; the next sweep tries the names after it",
		o.ID, contract.TeardownExecution(o.ID, o.Generation-1), maxNames-1)}
}
