package admission

import (
	"github.com/originhub/originhub/pkg/origin"
)

// Candidate is an origin that came by a permitted share.
type Candidate struct {
	origin.Ref
	Claim  origin.Claim
	Tagged bool   // carries the teardown tag
	Status string // of the VPC origin; empty when unknown
}

// Decision is what becomes of an origin.
type Decision struct {
	Admit   bool
	Team    string   // empty when policy knows none
	Reasons []Reason // every reason against it
}

// Waits tells whether the origin is to be looked at again although nothing about it changed.
func (d Decision) Waits() bool { return !d.Admit && allWait(d.Reasons) }

// Decide decides whether an origin may be wired, given the registry.
func Decide(c Candidate, p Policy, registry []origin.Record) Decision { return Decision{} }

// Dropped is a record that may not be wired any more.
type Dropped struct {
	Record  origin.Record
	Reasons []Reason
}

// Settle decides again about every record that is to be wired, in the order in which they were admitted. Two admissions
// that ran at the same time can both have missed the other; and policy may have changed since.
func Settle(registry []origin.Record, p Policy) []Dropped { return nil }
