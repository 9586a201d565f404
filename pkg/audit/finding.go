package audit

import (
	"time"

	"github.com/originhub/originhub/pkg/origin"
)

// Finding is a fact that somebody should know, with the command that repairs it.
type Finding struct {
	Kind    Kind
	Subject string // the ARN of a VPC origin or of a VPC, the id of a distribution, or a host name
	Origin  string // VPC origin id
	Account string // of the owner
	Team    string
	By      string    // the caller according to CloudTrail; "" if the audit found it without an event
	Since   time.Time // when it began; zero if AWS does not report that
	Alarm   bool      // viewers get no answer, or reach an origin past the hub's isolation
	Risk    string    // what is so, why it matters, and what to do in which account
	Cost    string    // estimate per month, or "unknown"
	Repair  string    // command that repairs it, ready for a shell; "" if no command does
	In      string    // account in which to run Repair; "" without a command
	// Facts identify the finding's state by code and subject. A finding with the same facts is not reported again, even if its wording
	// has changed.
	Facts []origin.Reason
}

// Kind is the stable name of a finding.
type Kind string

// Kinds of drift, which a call triggers.
const (
	DistributionEdited  Kind = "distribution-edited"
	DistributionDeleted Kind = "distribution-deleted"
	ShareRevoked        Kind = "share-revoked"
	OriginDeleted       Kind = "origin-deleted"
	RecordChanged       Kind = "record-changed"
	InvitationRejected  Kind = "invitation-rejected"
	InvitationAccepted  Kind = "invitation-accepted"
	BalancerDeleted     Kind = "balancer-deleted"
)

// Kinds of leaks, which a sweep finds.
const (
	SharedNotWired       Kind = "shared-not-wired"
	WiredNotShared       Kind = "wired-not-shared"
	OriginUnused         Kind = "origin-unused"
	DistributionDisabled Kind = "distribution-disabled"
	HostElsewhere        Kind = "host-elsewhere"
	PathPublic           Kind = "path-public"
	TeardownUnresolved   Kind = "teardown-unresolved"
	TeardownForgotten    Kind = "teardown-forgotten"
	InterfacesLeft       Kind = "interfaces-left"
	SpokeOutdated        Kind = "spoke-outdated"
	AliasElsewhere       Kind = "alias-elsewhere"      // also drift
	SideDoor             Kind = "side-door"            // also drift
	FunctionChanged      Kind = origin.FunctionChanged // also drift
)

// Codes of facts, in addition to the codes of refusals.
const (
	teamIs         origin.Code = "team"         // the team of the origin
	shareIs        origin.Code = "share"        // the share that holds the origin
	distributionIs origin.Code = "distribution" // the distribution that holds the origin
	originIs       origin.Code = "origin"       // an origin that a distribution names
	managedBy      origin.Code = "managed-by"   // who may enable a distribution: the hub or people
	recordIs       origin.Code = "record"       // type and target of a DNS record
	pathIs         origin.Code = "path"         // a path that a team claims
	codeIs         origin.Code = "code"         // the code of a function, by its size
	aliasIs        origin.Code = "alias"        // the distribution that holds an alias
	interfaceIs    origin.Code = "interface"    // a network interface of CloudFront
	doorIs         origin.Code = "door"         // whether an unmanaged distribution is open to viewers
	targetIs       origin.Code = "target"       // domain name of the origin to which a behavior sends requests
)

func fact(code origin.Code, subject string) origin.Reason {
	return origin.Reason{Code: code, Subject: subject}
}

// facts returns what is remembered of a reported finding. That includes the team, because a finding has to be reported again to another
// team.
func (f Finding) facts() []origin.Reason {
	facts := []origin.Reason{fact(teamIs, f.Team)}
	for _, is := range f.Facts {
		facts = append(facts, fact(is.Code, is.Subject))
	}
	return facts
}

// sameness is what two findings have in common if they are the same. The origin is part of it, because origins of two teams may share a host.
type sameness struct{ kind, subject, origin string }

func (f Finding) key() sameness { return sameness{string(f.Kind), f.Subject, f.Origin} }

func keyOf(k origin.OpenFinding) sameness { return sameness{k.Kind, k.Subject, k.Origin} }

// alarms counts the findings for which somebody has to act now.
func alarms(found []Finding) (n int) {
	for _, f := range found {
		if f.Alarm {
			n++
		}
	}
	return n
}
