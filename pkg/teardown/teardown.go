// Package teardown decides the steps of a teardown: the way of an origin out of the hub, from its team's tag to the proof that nothing is
// left. It also defines the state machine that performs these steps.
package teardown

import (
	"slices"
	"time"

	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// Phase is what a task of the state machine works on.
type Phase string

// Phases of a teardown.
const (
	Warn    Phase = "warn"    // announce the teardown and its time
	Grace   Phase = "grace"   // give the team time to cancel
	Detach  Phase = "detach"  // remove the origin from the hub's distribution and wait until that is Deployed
	Record  Phase = "record"  // record the network interfaces that have to be gone in the end
	Confirm Phase = "confirm" // wait until no distribution in any account uses the origin; entered only if one does
	Unshare Phase = "unshare" // remove the origin from every RAM share
	Delete  Phase = "delete"  // delete the VPC origin
	Verify  Phase = "verify"  // verify that its network interfaces are gone
)

// Phases returns the phases in the only permitted order. If an origin is unshared while a distribution still uses it, CloudFront refuses
// every update of that distribution that keeps it (CF-03,
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/sharing-resources.html).
func Phases() []Phase {
	return []Phase{Warn, Grace, Detach, Record, Confirm, Unshare, Delete, Verify}
}

// Fact is something that a decision rests on and that has to be observed. Each costs a call or two in each step that needs it.
type Fact string

// Facts.
const (
	Tag          Fact = "tag"        // the teardown tag on the VPC origin
	Naming       Fact = "naming"     // whether the hub's distribution names the origin
	Usage        Fact = "usage"      // the distributions that use the origin, in any account
	Sharing      Fact = "sharing"    // the resources in the shares of the origin's owner
	Existence    Fact = "existence"  // the VPC origin itself
	Placement    Fact = "placement"  // VPC and subnets of the load balancer or instance behind the origin
	Interfaces   Fact = "interfaces" // the network interfaces in that VPC
	OtherOrigins Fact = "neighbours" // VPC and subnets of the owner's other VPC origins
)

// Verdict is what the shell has to do next.
type Verdict string

// Verdicts.
const (
	Observe Verdict = "observe" // observe Step.Fact, and call Next again
	Act     Verdict = "act"     // do what the step describes, and call Next again
	Wait    Verdict = "wait"    // observe again after Step.Wait
	Await   Verdict = "await"   // end the call; the holder of the task's token completes the task
	Move    Verdict = "move"    // go on with Step.Phase, after Step.Wait
	End     Verdict = "end"     // end the execution with Step.Outcome
)

// Outcome is how an execution of a teardown ends.
type Outcome string

// Outcomes. Dirty, Blocked and OutOfDate fail the task, so that a redriven execution goes on from there.
const (
	Clean     Outcome = "clean"       // it was observed that nothing is left
	Cancelled Outcome = "cancelled"   // the tag was removed in time, or another execution has taken over
	Dirty     Outcome = "dirty"       // it ended with something left
	Blocked   Outcome = "stopped"     // it cannot go on until somebody acts
	OutOfDate Outcome = "out-of-date" // the registry has nothing for this execution to do
)

// Step is the next step of an execution.
type Step struct {
	Phase   Phase // of the task; of a Move, the phase to go on with
	Verdict Verdict
	Fact    Fact           // set exactly when Verdict is Observe
	In      []origin.Place // the VPCs to observe, if Fact is Interfaces
	Wait    time.Duration  // positive when Verdict is Wait
	Outcome Outcome        // set exactly when Verdict is End
	Message string         // for people: the state, or what an Act does

	Because origin.Reason // set exactly when Outcome is Dirty or Blocked; its Message is the step's

	// Record is what the registry has to hold. It is written after BeforeWrite is published, and before anything is done.
	Record      origin.Record
	BeforeWrite outcome.Outcome
	AfterAct    outcome.Outcome // published once an Act is done

	Share       string // ARN of the share from which an Act removes the origin
	Whole       bool   // the share is deleted
	ETag        string // of the VPC origin that an Act deletes
	Unconfirmed bool   // if AWS refuses the Act, observe the facts that it rests on and call Next again
	Optional    bool   // a failure of the Act or observation changes nothing
}

// Neighbor is another VPC origin of the same owner.
type Neighbor struct {
	origin.Endpoint
	Deployed bool
}

// Observed is what the registry holds and what was observed in this step. A field has a meaning only if Has contains its Fact: what was not
// observed never counts as absent.
type Observed struct {
	Now        time.Time
	Phase      Phase         // of the task
	Generation int           // of the execution
	Token      string        // of the task, in phase detach
	Known      bool          // the registry has the origin
	Record     origin.Record // from the registry
	Grace      Bounds
	ActDone    bool // the phase's act was done in this step

	Has    map[Fact]bool
	Unread map[Fact]bool // optional facts that could not be observed

	Tag          TagState             // Tag: present, absent, or gone with the VPC origin
	Value        string               // Tag: its value, if present
	DryRun       bool                 // the hub decides and writes nothing
	Named        bool                 // Naming: the hub's distribution names the origin
	Unmanaged    []string             // Naming: unmanaged parts of the hub's distribution that use the origin, in words
	Distribution string               // id of the hub's distribution
	Adopted      bool                 // the hub adopted it, so it serves others, too
	Users        []origin.User        // Usage: as the origin's owner sees them
	Shares       []origin.Association // Sharing: of every resource of the owner
	Exists       bool                 // Existence
	Deployed     bool                 // Existence
	OtherStatus  string               // Existence: status that is neither Deploying nor Deployed, if it is
	ETag         string               // Existence
	Endpoint     string               // Existence: ARN of the load balancer or instance behind the VPC origin
	Place        origin.Endpoint      // Placement: zero if the endpoint does not exist any more
	ENIs         []origin.ENI         // Interfaces: only those that CloudFront manages for VPC origins
	OtherOrigins []Neighbor           // OtherOrigins: of the same owner

	wanted bool // Tag: it asks for the teardown (see consent)
}

// After returns o after the act of s was done.
func (o Observed) After(s Step) Observed {
	o.ActDone, o.Record = true, s.Record
	if s.Share == "" {
		return o
	}
	if s.Phase == Verify {
		t := *o.Record.Teardown
		t.SharesLeft = without(t.SharesLeft, s.Share)
		o.Record.Teardown = &t
		return o
	}
	o.Shares = slices.Clone(o.Shares)
	for i, a := range o.Shares {
		if a.Share == s.Share && a.Resource == o.Record.ARN {
			o.Shares[i].Status = disassociating
		}
	}
	return o
}

// AfterFailure returns o after the optional act of s failed: the share stays.
func (o Observed) AfterFailure(s Step) Observed {
	o = o.After(s)
	t := *o.Record.Teardown
	t.SharesKept = with(t.SharesKept, s.Share)
	o.Record.Teardown = &t
	return o
}

func with(all []string, one string) []string {
	if slices.Contains(all, one) {
		return all
	}
	return append(slices.Clone(all), one)
}

func without(all []string, one string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return s == one })
}

// Answer is the result of a task: the phase to go on with and after how many seconds, or how the execution ended. Its JSON form must not
// change, because running executions keep their definition when a new version is deployed.
type Answer struct {
	Phase   string `json:"phase"`
	Wait    int    `json:"wait"`
	Outcome string `json:"outcome"`
	Message string `json:"says"`
	Resume  string `json:"resume,omitempty"` // end of grace, RFC 3339
}

// Report returns the result with which function wire completes a task in phase Detach. It states a fact, from which phase Record derives
// what follows.
func Report(fact string) Answer { return Answer{Phase: string(Record), Message: fact} }

// endPhase is the phase in the answer of an execution that ended.
const endPhase = "report"

// Answer returns the result of the task.
func (s Step) Answer() Answer {
	a := Answer{Phase: string(s.Phase), Wait: int(s.Wait.Round(time.Second).Seconds()), Outcome: string(s.Outcome), Message: s.Message}
	switch {
	case s.Verdict == End:
		a.Phase, a.Wait = endPhase, 0
	case s.Phase == Grace:
		// A Wait state has whole seconds, and the task after it must not begin too early.
		due := s.Record.Teardown.Due.Add(time.Second - time.Nanosecond).Truncate(time.Second)
		a.Wait, a.Resume = 0, due.UTC().Format(time.RFC3339)
	}
	return a
}

// Fails reports whether the step ends its task with an error.
func (s Step) Fails() bool {
	return s.Outcome == Dirty || s.Outcome == Blocked || s.Outcome == OutOfDate
}

// FailsTask reports whether the task ends with an error. tellsRedrives is false for an execution with an older definition, which does not
// pass the number of its redrives. Such an execution expects the outcomes Dirty and Blocked in the answer.
func (s Step) FailsTask(tellsRedrives bool) bool {
	return s.Outcome == OutOfDate || tellsRedrives && s.Fails()
}
