package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
	"github.com/originhub/originhub/pkg/teardown"
	"github.com/originhub/originhub/pkg/wiring"
)

// wireRun is a run of function wire for one distribution.
type wireRun struct {
	*Wire
	account
	run wiring.Run
}

// underLease takes the lease, performs the run, and releases the lease in any case.
func (r *wireRun) underLease(ctx context.Context) error {
	item, wait := wiring.Lease(r.run.Item, r.Holder, r.run.Now)
	if wait > 0 {
		r.Log.InfoContext(ctx, "another run holds the lease", "distribution", item.Name, "holder", item.Holder, "expires", item.Expires)
		r.Meter.Record(outcome.Metric{
			Name: contract.MetricLeaseHeld, Unit: outcome.Seconds, Value: (contract.WireLease - item.Expires.Sub(r.run.Now)).Seconds(),
		})
		return r.recheck(ctx, wiring.SendRecheck{Distribution: item.Name, Due: r.run.Now.Add(wait), After: wait})
	}
	var err error
	if r.run.Item, err = r.Registry.PutDistribution(ctx, item); err != nil {
		return err
	}
	err = r.steps(ctx)
	released := r.run.Item
	released.Holder, released.Expires = "", time.Time{}
	_, kept := r.Registry.PutDistribution(ctx, released)
	return errors.Join(err, kept)
}

// steps commits each step of the run and performs its action, until the run is done.
func (r *wireRun) steps(ctx context.Context) error {
	for {
		next, step := r.run.Next()
		if err := r.commit(ctx, &next, &step); err != nil {
			return errors.Join(r.run.Failed, err)
		}
		var answer wiring.Answer
		if step.Do != nil {
			answer = r.do(ctx, step.Do)
		}
		r.run = next.Learn(step, answer)
		if step.Done {
			return errors.Join(r.run.Failed, giveUp(r.run.Broken))
		}
	}
}

// commit publishes what a step reports and writes its records, which get new versions.
func (r *wireRun) commit(ctx context.Context, next *wiring.Run, step *wiring.Step) error {
	return r.committer().commit(ctx, step.Outcome, func() (err error) {
		var failed []error
		for i, s := range step.Records {
			completed := r.complete(ctx, s)
			if completed != nil {
				s.Record.Token = s.Token // so that the next observation completes it, and what was said is not said again
			}
			if step.Records[i].Record, err = r.Registry.PutRecord(ctx, s.Record); err != nil {
				return errors.Join(completed, err)
			}
			failed = append(failed, completed)
		}
		if err := errors.Join(failed...); err != nil {
			return err
		}
		for _, refusal := range step.Refusals {
			if err := r.Registry.PutReported(ctx, next.Item.Name, refusal.What, refusal.Reasons, next.Now); err != nil {
				return err
			}
		}
		if !step.Save {
			return nil
		}
		if next.Item, err = r.Registry.PutDistribution(ctx, next.Item); err != nil {
			// Whoever changed the item has the lease by now; to read it again at once would not bring it back.
			return fmt.Errorf("record what happens to %s: %w", next.Item.Name, &fault.Retry{Err: err})
		}
		return nil
	})
}

// complete completes the task that waits for the state of an origin, if any.
func (r *wireRun) complete(ctx context.Context, s wiring.Observation) error {
	if s.Token == "" {
		return nil
	}
	output, err := json.Marshal(teardown.Report(s.Fact))
	if err != nil {
		return &fault.GiveUp{Err: err}
	}
	return fault.IgnoreFinished(r.Executions.Complete(ctx, s.Token, string(output)))
}

// do performs an action.
func (r *wireRun) do(ctx context.Context, action wiring.Action) (a wiring.Answer) {
	var err error
	switch do := action.(type) {
	case wiring.ReadQuotas:
		if a.Quotas, err = r.quotas(); err != nil {
			r.Log.WarnContext(ctx, "quotas cannot be read; the last known or the documented ones stay in force", "error", err)
		}
	case wiring.ReadDistribution:
		a.Served, err = r.read(ctx, do.ID)
	case wiring.FindDistribution:
		a.ID, err = r.CloudFront.Find(ctx, do.CallerReference, do.Comment)
	case wiring.ListOrigins:
		a.Origins, err = r.listed(ctx, do.IDs)
	case wiring.FindRecords:
		a.Found, err = r.Registry.LoadOrigins(ctx, r.Policy.Distribution.Fleet(), do.IDs, nil, nil)
	case wiring.FindAlias:
		a.Holders, err = r.CloudFront.ConflictingAliases(ctx, do.Distribution, do.Alias)
	case wiring.ReadZone:
		a.Zone, err = r.zone.Records(ctx, do.Hosts)
	case wiring.EnsureFunction:
		a.ARN, err = r.CloudFront.EnsureFunction(ctx, do.Name, do.Comment, do.Code)
	case wiring.RestoreFunction:
		err = r.CloudFront.RestoreFunction(ctx, do.Name, do.Comment, do.Code)
	case wiring.Create:
		var served origin.Served
		served, err = r.CloudFront.Create(ctx, do.Config.Bytes())
		a.ID = served.ID
	case wiring.AskForUpdate:
		a.Wait, err = r.permit(ctx, do)
	case wiring.Update:
		a.ETag, err = r.CloudFront.Update(ctx, do.ID, do.ETag, do.Config.Bytes())
	case wiring.ChangeZone:
		err = r.zone.Change(ctx, do.Plan.Upsert, do.Plan.Delete)
	case wiring.SendRecheck:
		err = r.recheck(ctx, do)
	}
	if err != nil {
		return wiring.Answer{Class: classOf(err), Err: err, Code: fault.Code(err), Message: fault.Answer(err)}
	}
	return a
}

// maxBudgetConflicts is how many times a run decides again because another run has changed the budget of updates meanwhile.
const maxBudgetConflicts = 10

// permit returns how long the distribution waits until it asks again, or 0 if its update is permitted now.
func (w *Wire) permit(ctx context.Context, ask wiring.AskForUpdate) (wait time.Duration, err error) {
	for range maxBudgetConflicts {
		before, now, err := w.Registry.Updates(ctx)
		if err != nil {
			return 0, err
		}
		after, wait := w.Policy.Pace().Permit(before, ask, now)
		if err := w.Registry.PutUpdates(ctx, after); !fault.Is[*fault.Reread](err) {
			return wait, err
		}
	}
	return time.Minute, nil
}

// read reads a distribution and parses its configuration.
func (r *wireRun) read(ctx context.Context, id string) (wiring.Served, error) {
	s, err := r.CloudFront.Distribution(ctx, id)
	if err != nil {
		return wiring.Served{}, err
	}
	config, err := wiring.ParseConfig(s.Config)
	if err != nil {
		return wiring.Served{}, giveUp(fmt.Errorf("read distribution %s: %w", id, err))
	}
	return wiring.Served{ID: s.ID, Domain: s.Domain, Deployed: s.Deployed, ETag: s.ETag, Config: config}, nil
}

func (r *wireRun) recheck(ctx context.Context, m wiring.SendRecheck) error {
	return r.Queue.Send(ctx, string(inbound.Recheck{Distribution: m.Distribution, Due: m.Due}.JSON()), m.After)
}

// classOf returns the class of a call's error.
func classOf(err error) wiring.Class {
	switch {
	case fault.Is[*fault.Absent](err):
		return wiring.Absent
	case fault.Is[*fault.Exists](err):
		return wiring.Exists
	case fault.Is[*fault.Reread](err):
		return wiring.Stale
	case fault.Is[*fault.GiveUp](err):
		return wiring.Refused
	}
	return wiring.Failed
}

// giveUp classifies err as one that repeating the call does not fix.
func giveUp(err error) error {
	if err == nil {
		return nil
	}
	return &fault.GiveUp{Err: err}
}
