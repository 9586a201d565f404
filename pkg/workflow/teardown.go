package workflow

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"

	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/hubpolicy"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
	"github.com/originhub/originhub/pkg/teardown"
)

// TeardownInput is the input of an execution.
type TeardownInput struct {
	Origin     string `json:"origin"`
	Generation int    `json:"generation"`
}

// TaskOutput is the result of a task of the state machine.
type TaskOutput = teardown.Answer

type teardownRegistry interface {
	LoadOrigins(ctx context.Context, named, ids, refusals, tallies []string) (origin.Snapshot, error)
	PutRecord(ctx context.Context, r origin.Record) (origin.Record, error)
}

type distributionReader interface {
	Distribution(ctx context.Context, id string) (origin.Served, error)
}

// Owner is a team's account as far as a teardown uses it.
type Owner interface {
	Spoke
	VpcOrigin(ctx context.Context, id string) (origin.VpcOrigin, error)
	VpcOrigins(ctx context.Context) ([]origin.VpcOrigin, error)
	UsersOf(ctx context.Context, arn string) ([]origin.User, error)
	DeleteVpcOrigin(ctx context.Context, id, etag string) error
}

// OwnerShares is RAM in a team's account.
type OwnerShares interface {
	Associations(ctx context.Context) ([]origin.Association, error)
	Disassociate(ctx context.Context, share, resource string) error
	DeleteShare(ctx context.Context, share string) error
}

// OwnerNetwork is the network of a team's account.
type OwnerNetwork interface {
	Endpoint(ctx context.Context, endpoint string) (origin.Endpoint, error)
	ManagedENIs(ctx context.Context, region, vpc string) ([]origin.ENI, error)
}

// Teardown performs one task of a teardown's state machine: it observes what package teardown asks for, and commits what that decides.
type Teardown struct {
	Policy     hubpolicy.Policy
	Registry   teardownRegistry
	CloudFront distributionReader
	Owner      func(account string) Owner
	Shares     func(account string) OwnerShares
	Network    func(account string) OwnerNetwork
	Executions completer
	WireQueue  queue
	Bus        bus
	Meter      meter
	Log        *slog.Logger
}

type teardownRun struct {
	*Teardown
	committer
	task     inbound.Task
	observed teardown.Observed
	// written is the record as the registry has it.
	written origin.Record
	// distribution is the id of the hub's distribution that the origin is or was in.
	distribution string
	done         []string
}

// Step performs one task.
func (t *Teardown) Step(ctx context.Context, task inbound.Task) (TaskOutput, error) {
	s, err := t.Registry.LoadOrigins(ctx, t.Policy.Distribution.Fleet(), []string{task.Origin}, nil, nil)
	if err != nil {
		return TaskOutput{}, err
	}
	o, known := s.Find(task.Origin)
	r := &teardownRun{
		Teardown: t, task: task, written: o, distribution: s.Distribution(o.Distribution).ID,
		committer: committer{bus: t.Bus, meter: t.Meter, log: t.Log, mode: t.Policy.Distribution.Mode(), queues: map[outcome.Function]queue{outcome.Wire: t.WireQueue}},
		observed: teardown.Observed{
			Now: s.Now, Phase: teardown.Phase(task.Phase), Generation: task.Generation, Token: task.Token, Known: known,
			Grace: t.Policy.Grace, DryRun: t.Policy.Distribution.DryRun, Adopted: len(t.Policy.Distribution.Adopt) > 0,
			Has: map[teardown.Fact]bool{}, Unread: map[teardown.Fact]bool{},
		},
	}
	r.observed.Record, _ = teardown.Restart(o, task.Generation, task.Redriven(), s.Now)
	for {
		step := teardown.Next(r.observed)
		switch step.Verdict {
		case teardown.Observe:
			err = r.observe(ctx, step)
		case teardown.Act:
			err = r.act(ctx, step)
		default:
			return r.conclude(ctx, step)
		}
		if err != nil {
			return TaskOutput{}, err
		}
	}
}

// act writes the record, makes the change, and publishes that it was made.
func (r *teardownRun) act(ctx context.Context, step teardown.Step) error {
	if err := r.commit(ctx, &step); err != nil {
		return err
	}
	err := r.do(ctx, step)
	switch {
	case step.Unconfirmed && fault.Is[*fault.GiveUp](err):
		r.observed.Record = step.Record
		return nil
	case err != nil && !step.Optional:
		return err
	case err != nil:
		r.Log.WarnContext(ctx, "optional act failed", "phase", step.Phase, "share", step.Share, "error", err)
		r.observed = r.observed.AfterFailure(step)
		return nil
	default:
		r.done = append(r.done, step.Message)
		if err := r.committer.commit(ctx, step.AfterAct, nil); err != nil {
			return err
		}
	}
	r.observed = r.observed.After(step)
	return nil
}

// do makes the change to AWS that a step asks for. Repeating it changes nothing.
func (r *teardownRun) do(ctx context.Context, step teardown.Step) error {
	switch owner := r.written.Account; step.Phase {
	case teardown.Unshare, teardown.Verify:
		if step.Whole {
			return r.Shares(owner).DeleteShare(ctx, step.Share)
		}
		return r.Shares(owner).Disassociate(ctx, step.Share, r.written.ARN)
	case teardown.Delete:
		return r.Owner(owner).DeleteVpcOrigin(ctx, r.written.ID, step.ETag)
	}
	return nil
}

// commit carries out what a step asks for and writes its record. It fails if somebody else has written the record since it was read, and
// the task is repeated then.
func (r *teardownRun) commit(ctx context.Context, step *teardown.Step) error {
	return r.committer.commit(ctx, step.BeforeWrite, func() error {
		if reflect.DeepEqual(step.Record, r.written) {
			return nil
		}
		written, err := r.Registry.PutRecord(ctx, step.Record)
		if err == nil {
			r.written, step.Record = written, written
		}
		return err
	})
}

// conclude writes the record of the last step, and returns the result of the task.
func (r *teardownRun) conclude(ctx context.Context, step teardown.Step) (TaskOutput, error) {
	if err := r.commit(ctx, &step); err != nil {
		return TaskOutput{}, err
	}
	if step.FailsTask(r.task.Redrives != nil) {
		return TaskOutput{}, failure(step.Outcome, fmt.Errorf("tear down %s: %s", r.task.Origin, step.Message))
	}
	answer := step.Answer()
	if len(r.done) > 0 && step.Verdict != teardown.End {
		answer.Message = strings.Join(r.done, "; ")
	}
	if r.task.Token == "" || step.Verdict == teardown.Await {
		return answer, nil
	}
	// Function wire has nothing to do, so it would never complete the task: the task was retried after a crash, or the origin was
	// detached meanwhile.
	output, err := json.Marshal(answer)
	if err != nil {
		return TaskOutput{}, &fault.GiveUp{Err: err}
	}
	return answer, fault.IgnoreFinished(r.Executions.Complete(ctx, r.task.Token, string(output)))
}

// failure returns the error of a task that ended with an outcome.
func failure(how teardown.Outcome, err error) error {
	switch how {
	case teardown.Dirty:
		return &fault.Dirty{Err: err}
	case teardown.Blocked:
		return &fault.Blocked{Err: err}
	}
	return &fault.GiveUp{Err: err}
}
