package origin

import (
	"slices"
	"strings"
)

// Code is the stable name of a reason or a decision. Records, refusals and events carry codes, so that no rule, query or
// deduplication reads words.
type Code string

// Reason says why something is as it is, and what to do about it.
type Reason struct {
	Code    Code
	Subject string // what in particular, such as a host or another origin; "" if the code says it all
	Message string // for people; it may be worded differently in another version
}

// AnySubject is the subject of a reason that was stored before reasons had subjects.
const AnySubject = "*"

// Codes lists the codes of reasons in their order, each once.
func Codes(reasons []Reason) []Code {
	var codes []Code
	for _, r := range reasons {
		if !slices.Contains(codes, r.Code) {
			codes = append(codes, r.Code)
		}
	}
	return codes
}

// Why joins the messages of reasons.
func Why(reasons []Reason) string {
	words := make([]string, len(reasons))
	for i, r := range reasons {
		words[i] = r.Message
	}
	return strings.Join(words, "; ")
}

// Brief returns words within what an event and an item can hold, whatever a team wrote into its tags.
func Brief(words string) string {
	const most = 2000
	if len(words) <= most {
		return words
	}
	return strings.ToValidUTF8(words[:most], "") + " … and more"
}

// SameReasons reports whether a and b name the same things, in whatever order and words: whoever was told a need not be told b.
// A reason whose subject is AnySubject matches every reason of its code.
func SameReasons(a, b []Reason) bool {
	return within(a, b) && within(b, a)
}

func within(a, b []Reason) bool {
	return !slices.ContainsFunc(a, func(r Reason) bool {
		return !slices.ContainsFunc(b, func(other Reason) bool {
			any := r.Subject == AnySubject || other.Subject == AnySubject
			return r.Code == other.Code && (any || r.Subject == other.Subject)
		})
	})
}

// HasCode reports whether one of the reasons has the code.
func HasCode(reasons []Reason, code Code) bool {
	return slices.ContainsFunc(reasons, func(r Reason) bool { return r.Code == code })
}

// Codes of decisions, as a record's history keeps them.
const (
	DecidedAdmitted     Code = "admitted"
	DecidedDeferred     Code = "deferred" // no distribution has capacity for it
	DecidedLive         Code = "live"
	DecidedQuarantined  Code = "quarantined"
	DecidedWithdrawn    Code = "withdrawn"
	DecidedDetached     Code = "detached"
	DecidedWriteRefused Code = "write-refused" // it cannot be taken out of its distribution

	DecidedTeardownStarted   Code = "teardown-started"
	DecidedTeardownCancelled Code = "teardown-cancelled"
	DecidedTeardownCompleted Code = "teardown-completed" // clean
	DecidedTeardownDirty     Code = "teardown-dirty"
	DecidedTeardownBlocked   Code = "teardown-blocked"
)

// Codes of reasons that more than one package gives.
const (
	DoesNotFit      Code = "does-not-fit"      // no capacity: waits until another origin leaves or a limit is raised
	OriginNotShared Code = "origin-not-shared" // was shared, and is no longer
)
