// Package teardown decides the next step in taking an origin out, from what was observed, and draws the state machine that
// such a step moves.
package teardown

import (
	"slices"
	"time"

	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// Phase is what a task of the machine works on.
type Phase string

// Phases of a teardown.
const (
	Warn    Phase = "warn"    // say what is going to happen, and when
	Grace   Phase = "grace"   // leave time to cancel
	Detach  Phase = "detach"  // out of the hub's distribution, and that Deployed
	Record  Phase = "record"  // note the network interfaces that have to go
	Confirm Phase = "confirm" // wait until no distribution anywhere uses the origin; entered only if one does
	Unshare Phase = "unshare" // out of every RAM share
	Delete  Phase = "delete"  // the VPC origin is gone
	Verify  Phase = "verify"  // its network interfaces are gone
)

// Phases lists the phases in the one legal order. Unsharing earlier would leave the distribution serving but closed to every
// team's changes: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/sharing-resources.html
func Phases() []Phase {
	return []Phase{Warn, Grace, Detach, Record, Confirm, Unshare, Delete, Verify}
}

// Fact is what a decision can rest on and has to be observed for. Each costs a call or two, in each step that needs it.
type Fact string

// Facts.
const (
	Tag          Fact = "tag"        // the teardown tag on the VPC origin
	Naming       Fact = "naming"     // the configuration of the hub's distribution
	Usage        Fact = "usage"      // the distributions that use the origin
	Sharing      Fact = "sharing"    // what the shares of the origin's owner hold
	Existence    Fact = "existence"  // the VPC origin itself
	Placement    Fact = "placement"  // where the load balancer or instance behind it stands
	Interfaces   Fact = "interfaces" // the network interfaces in its VPC
	OtherOrigins Fact = "neighbours" // where the owner's other VPC origins stand
)

// Verdict is what a step asks for.
type Verdict string

// Verdicts.
const (
	Observe Verdict = "observe" // observe Step.Fact, and ask again
	Act     Verdict = "act"     // do what the phase does, and ask again
	Wait    Verdict = "wait"    // observe again after Step.Wait
	Await   Verdict = "await"   // whoever holds the task's token completes the task
	Move    Verdict = "move"    // go on with Step.Phase, after Step.Wait
	End     Verdict = "end"     // over: see Step.Outcome
)

// Outcome is how a teardown, or one execution of it, ended.
type Outcome string

// Outcomes. Dirty, Blocked and OutOfDate are errors of the task, so that a redriven execution goes on from there.
const (
	Clean     Outcome = "clean"       // nothing was left behind, and that was observed
	Cancelled Outcome = "cancelled"   // the tag was removed in time, or another execution has taken over
	Dirty     Outcome = "dirty"       // something was left behind
	Blocked   Outcome = "stopped"     // it cannot go on until somebody acts
	OutOfDate Outcome = "out-of-date" // the registry has nothing for this execution to do
)

// Step is the next step.
type Step struct {
	Phase   Phase // of the task; of a Move, the phase to name so that the machine goes there
	Verdict Verdict
	Fact    Fact            // set exactly when Verdict is Observe
	In      origin.Endpoint // of Interfaces: the VPC to look in
	Wait    time.Duration   // positive when Verdict is Wait
	Outcome Outcome         // set exactly when Verdict is End
	Says    string          // what is so; of an Act, what is done

	Because origin.Reason // set exactly when Outcome is Dirty or Blocked; its message is Says

	// Record is what the registry holds from now on. What Asks asks for is said before it is written, and nothing is done
	// before it is written.
	Record      origin.Record
	BeforeWrite outcome.Outcome
	AfterAct    outcome.Outcome // once an Act is done

	Share       string // ARN of the share that an Act takes the origin out of
	Whole       bool   // the share holds nothing else, and goes as a whole
	ETag        string // of the VPC origin that an Act deletes
	Unconfirmed bool   // an Act whose refusal is a reason to observe what it rests on, and ask again
	Optional    bool   // a failure of what it asks for changes nothing
}

// Observed is what was observed in this step, and what the registry says. A field whose Fact is not in Seen means nothing:
// what nobody observed is never taken for absent.
type Observed struct {
	Now        time.Time
	Phase      Phase         // of the task
	Generation int           // of the execution
	Token      string        // of the task, in phase detach
	Known      bool          // the registry knows the origin
	Record     origin.Record // from the registry
	Grace      Bounds
	Did        bool // the phase's act was done in this step

	Has    map[Fact]bool
	Unread map[Fact]bool // what could not be observed and was optional

	Tag          TagState             // Tag: present, absent, or gone with the VPC origin
	Value        string               // Tag: of one that is present
	Named        bool                 // Naming: it names the origin
	Users        []origin.User        // Usage: in any account, as the origin's owner sees them
	Shares       []origin.Association // Sharing: of every resource
	Exists       bool                 // Existence
	Deployed     bool                 // Existence
	ETag         string               // Existence
	Endpoint     string               // Existence: ARN of what stands behind the VPC origin
	Place        origin.Endpoint      // Placement; zero if the endpoint is gone
	ENIs         []origin.ENI         // Interfaces: those that CloudFront manages for VPC origins, and no others
	OtherOrigins []origin.Endpoint    // Neighbours

	wanted bool // Tag: it asks for the teardown, see consent
}

// After returns o once s was done: what was asked for is under way.
func (o Observed) After(s Step) Observed {
	o.Did, o.Record = true, s.Record
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

func without(all []string, one string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return s == one })
}

// Answer is what a task answers to the machine: the phase to go on with and after how many seconds, or how the execution
// ended. Its form stays as it is, since executions under way keep their definition when a new version is deployed.
type Answer struct {
	Phase   string `json:"phase"`
	Wait    int    `json:"wait"`
	Outcome string `json:"outcome"`
	Says    string `json:"says"`
	Resume  string `json:"resume,omitempty"` // end of grace, RFC 3339
}

// Report returns what function wire answers for a task in phase Detach. It reports a fact; phase Record derives what follows from it.
func Report(fact string) Answer { return Answer{Phase: string(Record), Says: fact} }

// over is the phase in the answer of an execution that ended.
const over = "report"

// Answer returns what the task answers.
func (s Step) Answer() Answer {
	a := Answer{Phase: string(s.Phase), Wait: int(s.Wait.Round(time.Second).Seconds()), Outcome: string(s.Outcome), Says: s.Says}
	switch {
	case s.Verdict == End:
		a.Phase, a.Wait = over, 0
	case s.Phase == Grace:
		// A Wait state knows whole seconds, and the task after it must not come too early.
		due := s.Record.Teardown.Due.Add(time.Second - time.Nanosecond).Truncate(time.Second)
		a.Wait, a.Resume = 0, due.UTC().Format(time.RFC3339)
	}
	return a
}

// Fails reports whether the step ends its task with an error.
func (s Step) Fails() bool {
	return s.Outcome == Dirty || s.Outcome == Blocked || s.Outcome == OutOfDate
}

// FailsTask reports whether the task ends with an error. An execution whose definition is older, and does not tell how often it
// was redriven, knows the outcomes Dirty and Blocked as answers.
func (s Step) FailsTask(tellsRedrives bool) bool {
	return s.Outcome == OutOfDate || tellsRedrives && s.Fails()
}
