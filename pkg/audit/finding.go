package audit

import (
	"time"

	"github.com/originhub/originhub/pkg/origin"
)

// Finding is one thing that somebody should know, with what to do about it.
type Finding struct {
	Kind    Kind
	Subject string // what it is about: the ARN of a VPC origin, the id of a distribution, a host name
	Origin  string // VPC origin id
	Account string // of the owner
	Team    string
	By      string    // who did it, as CloudTrail says; "" of what was found without an event
	Since   time.Time // when it came about; zero if AWS does not tell
	Alarm   bool      // somebody is off the air, or can come in by a side door
	Risk    string    // why it matters, and in which account to mend it
	Cost    string    // estimate per month, or "unknown"
	Repair  string    // command that mends it, as it can be pasted into a shell; "" if nothing or no command does
	In      string    // account in which to run it; "" without a command
	// Facts are what the words rest on, by code and subject. A finding whose facts are as they were reported is not reported
	// again, however it is worded now.
	Facts []origin.Reason
}

// Kind is the stable name of what was found.
type Kind string

// Kinds of changes that somebody made by hand.
const (
	DistributionEdited  Kind = "distribution-edited"
	DistributionDeleted Kind = "distribution-deleted"
	ShareRevoked        Kind = "share-revoked"
	OriginDeleted       Kind = "origin-deleted"
	RecordChanged       Kind = "record-changed"
)

// Kinds of what the audit finds without any event.
const (
	SharedNotWired       Kind = "shared-not-wired"
	WiredNotShared       Kind = "wired-not-shared"
	OriginUnused         Kind = "origin-unused"
	DistributionDisabled Kind = "distribution-disabled"
	HostElsewhere        Kind = "host-elsewhere"
	PathPublic           Kind = "path-public"
	TeardownUnresolved   Kind = "teardown-unresolved"
)

// Codes of facts, besides those of the reasons for which an origin was refused.
const (
	teamIs         origin.Code = "team"         // that it is of
	shareIs        origin.Code = "share"        // that it came by
	distributionIs origin.Code = "distribution" // that has it
	originIs       origin.Code = "origin"       // that a distribution names
	managedBy      origin.Code = "managed-by"   // whom it is for to enable a distribution: the hub or people
	recordIs       origin.Code = "record"       // type and target of a DNS record
	pathIs         origin.Code = "path"         // that a team claims
	targetIs       origin.Code = "target"       // domain name of the origin that a behavior leads to
)

func fact(code origin.Code, subject string) origin.Reason {
	return origin.Reason{Code: code, Subject: subject}
}

// facts returns what is to be remembered of a reported finding. The team is one of them, since another one has to be told.
func (f Finding) facts() []origin.Reason {
	facts := []origin.Reason{fact(teamIs, f.Team)}
	for _, is := range f.Facts {
		facts = append(facts, fact(is.Code, is.Subject))
	}
	return facts
}

// same reports whether f is the finding that is known as k. Origins of two teams may share a host.
func (f Finding) same(k origin.OpenFinding) bool {
	return k.Kind == string(f.Kind) && k.Subject == f.Subject && k.Origin == f.Origin
}

// alarms counts the findings that somebody has to act upon now.
func alarms(found []Finding) (n int) {
	for _, f := range found {
		if f.Alarm {
			n++
		}
	}
	return n
}
