package origin

import (
	"slices"
	"strings"
)

// Code is the stable name of a reason or a decision. Records, refusals and events contain codes, so that rules, queries and
// deduplication do not depend on the wording of messages.
type Code string

// Reason is why something is in its state, and what to do about it.
type Reason struct {
	Code    Code
	Subject string // what the reason is about, such as a host or another origin; "" if Code is enough
	Message string // for people; the wording may change with a version
}

// AnySubject is the subject of reasons that were stored before reasons had subjects.
const AnySubject = "*"

// Codes returns the codes of reasons in their order, each once.
func Codes(reasons []Reason) []Code {
	var codes []Code
	for _, r := range reasons {
		if !slices.Contains(codes, r.Code) {
			codes = append(codes, r.Code)
		}
	}
	return codes
}

// Why returns the messages of reasons, joined by semicolons.
func Why(reasons []Reason) string {
	messages := make([]string, len(reasons))
	for i, r := range reasons {
		messages[i] = r.Message
	}
	return strings.Join(messages, "; ")
}

// Brief returns text, cut after 2,000 bytes. The sizes of events and items are limited, and text may contain the tags of a team.
func Brief(text string) string {
	const most = 2000
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + " … and more"
}

// SameReasons reports whether a and b have the same codes and subjects, whatever their order and messages: if a was reported, b need not
// be reported. A reason whose subject is AnySubject equals every reason of its code.
func SameReasons(a, b []Reason) bool {
	return within(a, b) && within(b, a)
}

func within(a, b []Reason) bool {
	return !slices.ContainsFunc(a, func(r Reason) bool {
		return !slices.ContainsFunc(b, func(other Reason) bool {
			unknown := r.Subject == AnySubject || other.Subject == AnySubject
			return r.Code == other.Code && (unknown || r.Subject == other.Subject)
		})
	})
}

// HasCode reports whether one of the reasons has the code.
func HasCode(reasons []Reason, code Code) bool {
	return slices.ContainsFunc(reasons, func(r Reason) bool { return r.Code == code })
}

// Codes of decisions in the history of a record.
const (
	DecidedAdmitted     Code = "admitted"
	DecidedDeferred     Code = "deferred" // no distribution has capacity for it
	DecidedLive         Code = "live"
	DecidedQuarantined  Code = "quarantined"
	DecidedWithdrawn    Code = "withdrawn"
	DecidedDetached     Code = "detached"
	DecidedDeleted      Code = "deleted"       // by its owner, after it had left
	DecidedWriteRefused Code = "write-refused" // CloudFront refuses the update that removes it from its distribution

	DecidedTeardownStarted   Code = "teardown-started"
	DecidedTeardownCancelled Code = "teardown-cancelled"
	DecidedTeardownCompleted Code = "teardown-completed" // clean
	DecidedTeardownDirty     Code = "teardown-dirty"
	DecidedTeardownBlocked   Code = "teardown-blocked"
)

// Codes of reasons that more than one package gives.
const (
	DoesNotFit      Code = "does-not-fit"      // no capacity until another origin leaves or a limit is raised
	OriginNotShared Code = "origin-not-shared" // no longer shared with the hub
	OriginSuspended Code = "origin-suspended"  // a person has suspended the origin or its team
	ItemDamaged     Code = "item-damaged"      // an item of the registry cannot be read and is set aside
	ShareUnrelated  Code = "share-unrelated"   // contains no VPC origin; remembered of an invitation, and never reported
)
