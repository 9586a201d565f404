// Package teardown decides the next step in taking an origin out, from what was just seen.
package teardown

import (
	"time"

	"github.com/originhub/originhub/pkg/origin"
)

// Phase is a state of the machine.
type Phase string

// Phases of a teardown.
const (
	Warn    Phase = "warn"
	Grace   Phase = "grace"
	Detach  Phase = "detach"
	Confirm Phase = "confirm"
	Record  Phase = "record"
	Unshare Phase = "unshare"
	Delete  Phase = "delete"
	Verify  Phase = "verify"
	Report  Phase = "report"
)

// Phases lists the phases in the one legal order.
func Phases() []Phase {
	return []Phase{Warn, Grace, Detach, Confirm, Record, Unshare, Delete, Verify, Report}
}

// Verdict is what a look asks for.
type Verdict string

// Verdicts.
const (
	Act   Verdict = "act"   // do what the phase does
	Wait  Verdict = "wait"  // look again after Step.Wait
	Done  Verdict = "done"  // over; Step.Outcome says how
	Stuck Verdict = "stuck" // over, and somebody has to do something; Step.Outcome says how
)

// Outcome is how a teardown ended.
type Outcome string

// Outcomes.
const (
	Clean     Outcome = "clean"     // nothing was left behind, and that was seen
	Dirty     Outcome = "dirty"     // something was left behind
	Cancelled Outcome = "cancelled" // the team changed its mind in time
	Stopped   Outcome = "stopped"   // something stands in the way of the next step
)

// Step is the next step.
type Step struct {
	Phase   Phase
	Verdict Verdict
	Wait    time.Duration // before the next look
	Outcome Outcome       // empty until it is over
	Says    string
}

// Observed is everything that a decision rests on.
type Observed struct {
	Now        time.Time
	Generation int // of the execution
	Record     origin.Record
	Tagged     bool // the VPC origin carries the teardown tag now
	Named      bool // the configuration of the hub's distribution names the origin
	Users      []User
	Shares     []Share
	Exists     bool   // the VPC origin
	Status     string // of the VPC origin
	Looked     bool   // at the interfaces; they are seen only from Verify on
	ENIs       []ENI  // interfaces in the VPC that CloudFront manages
	Needed     int    // interfaces that the other VPC origins in the VPC need
}

// User is a distribution that uses the origin.
type User struct{ Distribution, Account string }

// Share is a share that the origin is or was in.
type Share struct {
	ARN    string
	Status string // of the origin's association
	Alone  bool   // it holds nothing else
}

// ENI is a network interface.
type ENI struct{ ID, Subnet string }

// Next decides the next step.
func Next(o Observed) Step { return Step{} }

// Bounds are the least and the longest time between tag and first change.
type Bounds struct {
	Default time.Duration
	Maximum time.Duration
}

// ParseTag reads the value of the teardown tag.
func ParseTag(value string, requested time.Time, g Bounds) (due time.Time, err error) {
	return requested, nil
}
