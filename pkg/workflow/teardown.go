package workflow

import (
	"cmp"
	"context"
	"encoding/json"
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
	"github.com/originhub/originhub/pkg/wiring"
)

// TeardownInput is the input of an execution.
type TeardownInput struct {
	Origin     string `json:"origin"`
	Generation int    `json:"generation"`
}

// TaskOutput is what a step answers to the state machine: the phase to enter next and after how many seconds, or how the
// teardown ended.
type TaskOutput struct {
	Phase   string `json:"phase"`
	Wait    int    `json:"wait"`
	Outcome string `json:"outcome"`
	Says    string `json:"says"`
	Resume  string `json:"resume,omitempty"` // end of grace, RFC 3339
}

type teardownRegistry interface {
	Load(ctx context.Context) (origin.Snapshot, error)
	PutRecord(ctx context.Context, r origin.Record) (origin.Record, error)
}

type distributionReader interface {
	Distribution(ctx context.Context, id string) (origin.Served, error)
}

// Owner is a team's account as far as a teardown needs it.
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

// Teardown performs one step of taking an origin out: it looks, and acts if the phase it was asked for is the one that
// what it saw calls for. Otherwise it answers which phase is.
type Teardown struct {
	Policy     admission.Policy
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
	announcer
	now  time.Time
	task inbound.Task
	o    origin.Record
	seen teardown.Observed
	// distribution is the id of the hub's distribution that the origin is or was in.
	distribution string
	// associations are what the shares of the origin's owner hold.
	associations []origin.Association
	etag         string // of the VPC origin
	// endpoint is the load balancer or instance behind the VPC origin.
	endpoint string
}

// Step performs one step.
func (t *Teardown) Step(ctx context.Context, task inbound.Task) (TaskOutput, error) {
	s, err := t.Registry.Load(ctx)
	if err != nil {
		return TaskOutput{}, err
	}
	o, found := s.Find(task.Origin)
	if !found {
		return TaskOutput{}, &fault.GiveUp{Err: fmt.Errorf("tear down %s: the registry does not know it; a sweep brings back what is still shared", task.Origin)}
	}
	if o.Teardown == nil && o.Generation == task.Generation && o.State != origin.Deleted {
		// The registry was lost meanwhile, and with it the grace that the team was given.
		return TaskOutput{}, &fault.GiveUp{Err: fmt.Errorf("tear down %s: the registry does not know that anybody asked for it; set the tag %s again",
			task.Origin, contract.TagTeardown)}
	}
	r := &teardownRun{
		Teardown: t, announcer: announcer{bus: t.Bus, log: t.Log},
		now: s.Now, task: task, o: o, distribution: s.Distribution(o.Distribution).ID,
	}
	step, err := r.see(ctx)
	if err != nil {
		return TaskOutput{}, err
	}
	if err := r.enter(ctx, step.Phase); err != nil {
		return TaskOutput{}, err
	}
	switch {
	case step.Outcome != "":
		if err := r.finish(ctx, step); err != nil {
			return TaskOutput{}, err
		}
		return r.answer(step), r.giveBack(ctx, step)
	case string(step.Phase) != task.Phase:
		return r.answer(step), r.giveBack(ctx, step)
	case step.Verdict == teardown.Act:
		return r.act(ctx, step)
	}
	return r.answer(step), nil
}

// giveBack completes the token of a task that waits for wire although there is nothing for wire to do: it was retried
// after a crash, or what it waits for came about meanwhile.
func (r *teardownRun) giveBack(ctx context.Context, next teardown.Step) error {
	if r.task.Token == "" {
		return nil
	}
	output, err := json.Marshal(r.answer(next))
	if err != nil {
		return &fault.GiveUp{Err: err}
	}
	return fault.IgnoreFinished(r.Executions.Complete(ctx, r.task.Token, string(output)))
}

// answer tells the state machine what the next step is.
func (r *teardownRun) answer(next teardown.Step) TaskOutput {
	out := TaskOutput{
		Phase: string(next.Phase), Wait: int(next.Wait.Round(time.Second).Seconds()), Outcome: string(next.Outcome), Says: next.Says,
	}
	if next.Phase == teardown.Grace && next.Verdict == teardown.Wait {
		out.Wait, out.Resume = 0, r.o.Teardown.Due.UTC().Format(time.RFC3339)
	}
	return out
}

// enter remembers when a phase began, so that no wait in it is endless, and that a stopped teardown goes on when somebody
// has redriven its execution. From then on admit leaves the origin alone (see leaving); if it brought it back since this
// step's look, the write fails. So what cannot be undone happens to no origin that is to be wired.
func (r *teardownRun) enter(ctx context.Context, phase teardown.Phase) error {
	if phase == teardown.Report {
		return nil
	}
	t := r.o.Teardown
	if t.Phase == string(phase) && !t.Ended {
		return nil
	}
	if t.Ended {
		t.Ended = false
		remember(&r.o, r.now, origin.DecidedTeardownStarted, "its execution was redriven")
	}
	if t.Phase != string(phase) {
		t.Phase, t.Since = string(phase), r.now
	}
	return r.put(ctx)
}

func (r *teardownRun) put(ctx context.Context) (err error) {
	r.o, err = r.Registry.PutRecord(ctx, r.o)
	return err
}

// see looks at what the decision rests on, as far as it is about the phase that the machine is in. Another phase is entered
// first, and looks for itself.
func (r *teardownRun) see(ctx context.Context) (teardown.Step, error) {
	r.seen = teardown.Observed{
		Now: r.now, Phase: teardown.Phase(r.task.Phase), Generation: r.task.Generation, Record: r.o, Seen: map[teardown.Fact]bool{},
	}
	for {
		step := teardown.Next(r.seen)
		if step.Verdict != teardown.Look || string(step.Phase) != r.task.Phase {
			return step, nil
		}
		if err := r.look(ctx, step.Look); err != nil {
			return step, err
		}
		r.seen.Seen[step.Look] = true
	}
}

func (r *teardownRun) look(ctx context.Context, fact teardown.Fact) (err error) {
	switch fact {
	case teardown.Tag:
		tags, err := r.Owner(r.o.Account).Tags(ctx, r.o.ARN)
		if fault.Is[*fault.Absent](err) {
			// A VPC origin that is gone took its tags along; who deleted it meant it.
			r.seen.Tagged = true
			return nil
		}
		if err != nil {
			return err
		}
		r.readTag(tags)
	case teardown.Naming:
		r.seen.Named, err = r.named(ctx)
	case teardown.Usage:
		users, err := r.Owner(r.o.Account).UsersOf(ctx, r.o.ARN)
		for _, u := range users {
			r.seen.Users = append(r.seen.Users, teardown.User(u))
		}
		return fault.IgnoreAbsent(err)
	case teardown.Sharing:
		r.associations, err = r.Shares(r.o.Account).Associations(ctx)
		for _, a := range r.associations {
			if a.Resource == r.o.ARN {
				r.seen.Shares = append(r.seen.Shares, teardown.Share{ARN: a.Share, Status: a.Status})
			}
		}
	case teardown.Existence:
		seen, err := r.Owner(r.o.Account).VpcOrigin(ctx, r.o.ID)
		if err != nil {
			return fault.IgnoreAbsent(err)
		}
		r.seen.Exists, r.seen.Status = true, "Deploying"
		if seen.Deployed {
			r.seen.Status = deployedStatus
		}
		r.etag, r.endpoint = seen.ETag, seen.Endpoint
	case teardown.Interfaces:
		return r.interfaces(ctx)
	}
	return err
}

// readTag takes in what the tag says now. As long as nothing has begun, a value that was changed moves the end of grace, and
// one that cannot be read asks for nothing.
func (r *teardownRun) readTag(tags map[string]string) {
	value, tagged := tags[contract.TagTeardown]
	r.seen.Tagged = tagged
	if !tagged || r.o.Intent != origin.Wire {
		return
	}
	moved := *r.o.Teardown
	if moved.Value != value {
		moved.Value, moved.Requested = value, r.now
	}
	due, err := teardown.ParseTag(value, moved.Requested, teardown.Bounds(r.Policy.Grace))
	if err != nil {
		r.seen.Tagged = false
		return
	}
	moved.Due = due
	r.o.Teardown = &moved
	r.seen.Record = r.o
}

// named tells whether the distribution's configuration has the origin. One that somebody deleted has nothing.
func (r *teardownRun) named(ctx context.Context) (bool, error) {
	if r.distribution == "" {
		return false, nil
	}
	served, err := r.CloudFront.Distribution(ctx, r.distribution)
	if err != nil {
		return false, fault.IgnoreAbsent(err)
	}
	config, err := wiring.ParseConfig(served.Config)
	if err != nil {
		return false, &fault.GiveUp{Err: fmt.Errorf("read distribution %s: %w", r.distribution, err)}
	}
	return config.Uses(r.o.ID), nil
}

// interfaces looks for what the origin left in its VPC, and at what the other VPC origins there need.
func (r *teardownRun) interfaces(ctx context.Context) error {
	owner, t, network := r.Owner(r.o.Account), r.o.Teardown, r.Network(r.o.Account)
	enis, err := network.ManagedENIs(ctx, t.Region, t.VPC)
	if err != nil && !fault.Is[*fault.Absent](err) {
		return err
	}
	for _, e := range enis {
		r.seen.ENIs = append(r.seen.ENIs, teardown.ENI{ID: e.ID, Subnet: e.Subnet})
	}
	if len(enis) == 0 {
		return nil
	}
	others, err := owner.VpcOrigins(ctx)
	if err != nil {
		return err
	}
	for _, other := range others {
		if other.ID == r.o.ID || other.Account != r.o.Account {
			continue
		}
		place, err := network.Endpoint(ctx, other.Endpoint)
		if fault.Is[*fault.Absent](err) {
			continue
		}
		if err != nil {
			return err
		}
		if place.VPC == t.VPC && place.Region == t.Region {
			r.seen.Needed += len(place.Subnets)
		}
	}
	return nil
}

// act does what the phase does, and answers what comes next. Acting again changes nothing.
func (r *teardownRun) act(ctx context.Context, step teardown.Step) (TaskOutput, error) {
	var err error
	var did string
	var pause time.Duration // until what was begun can be seen
	next := step.Phase      // after the pause
	switch step.Phase {
	case teardown.Warn:
		did, err = r.warn(ctx)
	case teardown.Detach:
		did, err = r.detach(ctx)
	case teardown.Record:
		did, err = r.record(ctx)
	case teardown.Unshare:
		pause, next = unsharing, teardown.Delete // which looks whether it is unshared, and comes back if not
		did, err = r.unshare(ctx)
	case teardown.Delete:
		pause = deleting
		did = "deletion of " + r.o.ID + " began"
		err = r.Owner(r.o.Account).DeleteVpcOrigin(ctx, r.o.ID, cmp.Or(r.etag, r.o.Teardown.ETag))
		if fault.Is[*fault.GiveUp](err) && !r.seen.Seen[teardown.Tag] {
			err = &fault.Reread{Err: err} // the tag may be gone: with the phase entered, the next try looks at it
		}
	default:
		err = &fault.GiveUp{Err: fmt.Errorf("tear down %s: phase %s has nothing to do", r.o.ID, step.Phase)}
	}
	if err != nil {
		return TaskOutput{}, err
	}
	r.say(contract.TeardownStepped, r.o.ARN, r.detail(string(step.Phase)+": "+did))
	if err := r.publish(ctx); err != nil {
		return TaskOutput{}, err
	}
	if pause > 0 || step.Phase == teardown.Detach {
		return TaskOutput{Phase: string(next), Wait: int(pause.Seconds()), Says: did}, nil
	}
	// What was recorded is all that changed: what was seen of AWS still holds.
	r.seen.Record = r.o
	out := r.answer(teardown.Next(r.seen))
	out.Says = did
	return out, nil
}

const (
	// unsharing is how long RAM takes to let a resource go.
	unsharing = 15 * time.Second
	// deleting is how long to wait before the first look whether CloudFront has deleted an origin. Seven minutes have been
	// seen (assumption CF-12); its interfaces go then, too.
	deleting = 8 * time.Minute
)

func (r *teardownRun) detail(why string) Detail {
	d := about(r.o, why)
	d.Execution = contract.TeardownExecution(r.task.Origin, r.task.Generation)
	return d
}

func (r *teardownRun) warn(ctx context.Context) (string, error) {
	did := fmt.Sprintf("its team asked for teardown; it begins at %s, and removing the tag %s until then calls it off",
		r.o.Teardown.Due.UTC().Format(time.RFC3339), contract.TagTeardown)
	r.say(contract.TeardownWarned, r.o.ARN, r.detail(did))
	if err := r.publish(ctx); err != nil {
		return "", err
	}
	return did, r.enter(ctx, teardown.Grace)
}

// detach records that the origin must go, with the token that wire completes once it is gone and Deployed.
func (r *teardownRun) detach(ctx context.Context) (string, error) {
	if r.o.Intent != origin.Detach || r.o.Token != r.task.Token {
		r.o.Intent, r.o.Token = origin.Detach, r.task.Token
		if err := r.put(ctx); err != nil {
			return "", err
		}
	}
	return "asked wire to take " + r.o.ID + " out of the distribution",
		r.WireQueue.Send(ctx, string(inbound.Poke{Why: "teardown of " + r.o.ID}.JSON()), 0)
}

// record keeps which interfaces must be gone afterwards. An endpoint that is gone already leaves none to record.
func (r *teardownRun) record(ctx context.Context) (string, error) {
	t, network := r.o.Teardown, r.Network(r.o.Account)
	if !r.seen.Exists {
		t.Recorded = true // in no VPC, so that nobody can be told that it is clean
		return "it is gone already, so its interfaces cannot be recorded", r.put(ctx)
	}
	place, err := network.Endpoint(ctx, r.endpoint)
	if fault.Is[*fault.Absent](err) {
		t.Recorded = true // likewise
		return "what stood behind it is gone, so its interfaces cannot be recorded", r.put(ctx)
	}
	if err != nil {
		return "", err
	}
	enis, err := network.ManagedENIs(ctx, place.Region, place.VPC)
	if err != nil {
		return "", err
	}
	t.Region, t.VPC, t.ENIs, t.ETag, t.Recorded = place.Region, place.VPC, nil, r.etag, true
	for _, e := range enis {
		if slices.Contains(place.Subnets, e.Subnet) {
			t.ENIs = append(t.ENIs, e.ID)
		}
	}
	return fmt.Sprintf("interfaces %s in %s must go", strings.Join(t.ENIs, ", "), t.VPC), r.put(ctx)
}

// unshare takes the origin out of every share of it; a share that held nothing else goes as a whole.
func (r *teardownRun) unshare(ctx context.Context) (string, error) {
	ram := r.Shares(r.o.Account)
	var did []string
	var failed []error
	for _, s := range r.seen.Shares {
		var err error
		if slices.ContainsFunc(r.associations, func(a origin.Association) bool { return a.Share == s.ARN && a.Resource != r.o.ARN }) {
			did = append(did, "took it out of share "+s.ARN)
			err = r.leave(ctx, s.ARN)
		} else {
			did = append(did, "deleted share "+s.ARN)
			err = ram.DeleteShare(ctx, s.ARN)
		}
		failed = append(failed, err)
	}
	return "confirmed that no distribution uses it any more; " + strings.Join(did, ", "), errors.Join(failed...)
}

// leave takes the origin out of a share that others are in, and remembers to look at the end whether they went, too.
func (r *teardownRun) leave(ctx context.Context, share string) error {
	if !slices.Contains(r.o.Teardown.Left, share) {
		r.o.Teardown.Left = append(r.o.Teardown.Left, share)
		if err := r.put(ctx); err != nil {
			return err
		}
	}
	return r.Shares(r.o.Account).Disassociate(ctx, share, r.o.ARN)
}

var outcomes = map[teardown.Outcome]struct {
	event, metric string
	decided       origin.Code
	alarm         bool
}{
	teardown.Clean:     {contract.TeardownFinished, contract.MetricTeardownClean, origin.DecidedTeardownCompleted, false},
	teardown.Dirty:     {contract.TeardownLeftSomething, contract.MetricTeardownDirty, origin.DecidedTeardownDirty, true},
	teardown.Cancelled: {contract.TeardownCancelled, contract.MetricTeardownCancelled, origin.DecidedTeardownCancelled, false},
	teardown.Stopped:   {contract.TeardownStopped, contract.MetricTeardownStopped, origin.DecidedTeardownBlocked, true},
}

// finish reports how the teardown ended. An origin whose teardown was called off may be wired again, under a new
// generation, so that a later tag starts an execution of a new name.
func (r *teardownRun) finish(ctx context.Context, step teardown.Step) error {
	if r.o.Generation != r.task.Generation {
		return nil // somebody else's teardown by now, and reported as such
	}
	if step.Outcome == teardown.Clean {
		r.removeEmptyShares(ctx)
	}
	how := outcomes[step.Outcome]
	r.Meter.Count(how.metric, 1)
	if how.alarm {
		r.alarm(how.event, r.o.ARN, r.detail(step.Says))
	} else {
		r.say(how.event, r.o.ARN, r.detail(step.Says))
	}
	if err := r.publish(ctx); err != nil {
		return err
	}
	if r.o.State == origin.Deleted {
		return nil // recorded before
	}
	remember(&r.o, r.now, how.decided, step.Says)
	switch step.Outcome {
	case teardown.Clean:
		r.Meter.Seconds(contract.MetricTeardownDuration, r.now.Sub(r.o.Teardown.Requested))
		r.o.State, r.o.Teardown, r.o.Reasons = origin.Deleted, nil, nil
	case teardown.Cancelled:
		r.o.Generation++
		r.o.Teardown, r.o.Token = nil, ""
		// Whether it may be wired again is for admit to decide: meanwhile another team may have got the path.
	case teardown.Dirty:
		r.Meter.Count(contract.MetricOrphanENI, len(r.seen.ENIs)-r.seen.Needed)
		r.o.Teardown.Ended = true
	case teardown.Stopped:
		r.o.Teardown.Ended = true
	}
	return r.put(ctx)
}

// removeEmptyShares removes the shares that the last two origins left at the same time, so that neither was alone in them.
// They cost nothing to stay, so that a failure does not spoil the verdict.
func (r *teardownRun) removeEmptyShares(ctx context.Context) {
	if r.o.Teardown == nil || len(r.o.Teardown.Left) == 0 {
		return
	}
	ram := r.Shares(r.o.Account)
	held, err := ram.Associations(ctx)
	for _, share := range r.o.Teardown.Left {
		if err == nil && !slices.ContainsFunc(held, func(a origin.Association) bool { return a.Share == share }) {
			err = ram.DeleteShare(ctx, share)
		}
		if err != nil {
			r.Log.WarnContext(ctx, "an empty share may be left", "share", share, "error", err)
		}
	}
}
