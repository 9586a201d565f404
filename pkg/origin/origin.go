// Package origin is the vocabulary of the core: a shared VPC origin, what its team claims, and what the registry knows of it.
package origin

import (
	"fmt"
	"regexp"
	"slices"
	"time"
)

// Ref names a VPC origin and its owner.
type Ref struct {
	ID      string // "vo_…"
	ARN     string // "arn:aws:cloudfront::<owner>:vpcorigin/<id>"
	Account string // the owner
}

// arnForm: facts/aws.md section 4.
var arnForm = regexp.MustCompile(`^arn:(aws|aws-cn|aws-us-gov):cloudfront::(\d{12}):vpcorigin/(vo_[A-Za-z0-9]+)$`)

// ParseARN reads a VPC origin's ARN.
func ParseARN(arn string) (Ref, error) {
	m := arnForm.FindStringSubmatch(arn)
	if m == nil {
		return Ref{}, fmt.Errorf("%q is not the ARN of a VPC origin (arn:aws:cloudfront::<account>:vpcorigin/<id>)", arn)
	}
	return Ref{ID: m[3], ARN: arn, Account: m[2]}, nil
}

// Claim is what an origin asks for. Hosts are lower case; Paths are path patterns as in a cache behavior.
type Claim struct {
	Hosts  []string
	Paths  []string
	Domain string // origin domain name
}

// Intent is what should become of an origin.
type Intent string

// Intents.
const (
	Wire   Intent = "wire"
	Detach Intent = "detach"
)

// State is what was last seen of an origin in its distribution.
type State string

// States, in the order of a life.
const (
	Deferred    State = "deferred"    // no distribution has capacity for it; Reasons say what is missing
	Pending     State = "pending"     // has its place in a distribution, and is not in it yet
	Wired       State = "wired"       // in the configuration, not yet Deployed
	Live        State = "live"        // Deployed, DNS written unless a record that is not the hub's stands there
	Quarantined State = "quarantined" // kept out because it makes an update invalid; Reasons say why
	Detaching   State = "detaching"   // out of the configuration, not yet Deployed
	Detached    State = "detached"    // out and Deployed
	Deleted     State = "deleted"     // the VPC origin is gone and nothing was left behind
)

// States lists all states, in the order of a life.
func States() []State {
	return []State{Deferred, Pending, Wired, Live, Quarantined, Detaching, Detached, Deleted}
}

// Record is the registry's item for one origin.
type Record struct {
	Ref
	// Distribution is the name of the one that it is, or is to be, wired into: the registry's partition.
	Distribution    string
	Team            string
	Share           string // ARN of the RAM share it came by
	Claim           Claim
	ReleasedHosts   []string `json:"Left"` // hosts that it no longer claims, until their alias and DNS record are observed to be gone
	Intent          Intent
	State           State
	Reasons         []Reason  // why it is Deferred, Quarantined or withdrawn
	ReasonsReported time.Time `json:"Said"` // when function wire last reported Reasons; a quarantined origin is retried an hour later
	WasLive         time.Time // when it was first live since Admitted, or before that
	Generation      int       // counts changes of intent; part of every execution name
	Admitted        time.Time // when its claim was first permitted: of two overlapping claims the earlier one stands
	Token           string    // Step Functions task token to complete when Detached
	Teardown        *Teardown
	History         []Decision // newest last
	Version         int        // of the item; writes are conditional on it
}

// Reserves tells whether the record's claim keeps others away from the same hosts and paths.
func (r Record) Reserves() bool { return r.Intent == Wire }

// Placed reports whether the record's distribution has the origin, or is to have it.
func (r Record) Placed() bool {
	return r.State != Deferred && r.State != Detached && r.State != Deleted
}

// BoundHosts lists the hosts that are bound to the record's distribution: alias or DNS record lead there, or will.
func (r Record) BoundHosts() []string {
	if !r.Placed() {
		return slices.Clone(r.ReleasedHosts)
	}
	return slices.Concat(r.Claim.Hosts, r.ReleasedHosts)
}

// WithClaim is the record with another claim. The distribution has what the old one brought until somebody takes it out, and
// only the registry tells it from what is somebody else's.
func (r Record) WithClaim(c Claim) Record {
	left := r.BoundHosts()
	slices.Sort(left)
	r.Claim = c
	r.ReleasedHosts = slices.DeleteFunc(slices.Compact(left), func(h string) bool { return slices.Contains(c.Hosts, h) })
	return r
}

// Teardown is what a teardown must remember between looks.
type Teardown struct {
	Value          string    // of the tag
	Requested      time.Time // when the tag was first seen with that value
	Due            time.Time // end of grace
	ExecutionAsked time.Time `json:"Asked"` // when its latest execution was asked for
	Region         string    // of the VPC
	VPC            string
	ENIs           []string  // recorded before the delete
	ETag           string    // of the VPC origin when its ENIs were recorded
	Recorded       bool      // ENIs were recorded (there may be none)
	SharesLeft     []string  `json:"Left"` // ARNs of shares that it was taken out of while they held other resources
	Phase          string    // the phase of package teardown that is under way
	Since          time.Time // when Phase began, so that no wait is endless
	Ended          bool      // it was blocked or left something, until it is tried again
	Outcome        string    // how it last ended in Phase, if it did, which was said
	Because        Reason    // likewise
	Redrives       int       // of its latest execution, as far as they were noticed
	Unshared       time.Time // when it was last taken out of a share
}

// Decision is one entry of a record's history.
type Decision struct {
	At      time.Time
	Code    Code     // what was decided
	Reasons []Reason // why, by codes and subjects; their messages are in Why
	Why     string
}

// historyKept bounds a record's history, since an item holds at most 400 KB.
const historyKept = 50

// Remember appends a decision to the record's history, with the reasons for it, or else with why in words.
func (r *Record) Remember(at time.Time, code Code, reasons []Reason, why string) {
	d := Decision{At: at, Code: code, Why: Brief(why)}
	if len(reasons) > 0 {
		d.Why = Brief(Why(reasons))
	}
	for _, reason := range reasons[:min(len(reasons), historyKept)] {
		d.Reasons = append(d.Reasons, Reason{Code: reason.Code, Subject: reason.Subject})
	}
	history := append(slices.Clone(r.History), d)
	r.History = history[max(0, len(history)-historyKept):]
}

// SetReasons sets why the record is in its state; nothing takes that away.
func (r *Record) SetReasons(reasons ...Reason) {
	r.Reasons = nil
	for _, reason := range reasons[:min(len(reasons), historyKept)] {
		reason.Message = Brief(reason.Message)
		r.Reasons = append(r.Reasons, reason)
	}
}
