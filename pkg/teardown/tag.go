package teardown

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
)

// Bounds are the shortest and the longest permitted grace. The grace is the time between the tag and the first change.
type Bounds struct {
	Default time.Duration // the shortest grace, and that of the value now
	Maximum time.Duration // the longest grace; 0: no limit
}

// ParseTag parses the value of the teardown tag. It returns when the first change is due, for a tag that was first observed at requested.
//
//	value                          due
//	now                            the shortest grace after requested
//	a duration: 72h, 90m, 3d       that duration after requested, and at least the shortest grace after requested
//	a time: RFC 3339               at that time, and at least the shortest grace after requested
//
// A time more than a day in the past is an error: it is probably a mistake and must not count as now. A time beyond the longest grace is
// an error, too, because the teardown must not happen earlier than its team expects.
func ParseTag(value string, requested time.Time, b Bounds) (due time.Time, err error) {
	value = strings.TrimSpace(value)
	least := requested.Add(b.Default)
	if value == "now" {
		return least, nil
	}
	if after, ok := duration(value); ok {
		due = requested.Add(after)
	} else if due, err = time.Parse(time.RFC3339, value); err != nil {
		return time.Time{}, tagError(TagInvalid, "the teardown tag is %q, which is not a valid value; set it to now, to a duration such as 72h or 3d, "+
			"or to a time such as 2026-12-01T08:00:00Z", value)
	}
	if due.Before(requested.Add(-pastTolerance)) {
		return time.Time{}, tagError(TagPast, "the teardown tag is %q, which is more than a day in the past; set it to now or to a time in the future", value)
	}
	// The message does not depend on the current time, so that it is reported once.
	if b.Maximum > 0 && due.After(requested.Add(b.Maximum)) {
		return time.Time{}, tagError(TagTooFar, "the teardown tag is %q, but the hub policy permits at most %[2]s between the tag and the teardown; set the tag to %[2]s or less",
			value, readable(b.Maximum))
	}
	if due.Before(least) {
		due = least
	}
	return due.UTC(), nil
}

// ReadTag returns the state of the teardown tag among the tags of a VPC origin, and its value. confirm reports whether the hub policy requires
// the second tag for the owner's team.
//
//	teardown tag  confirm  second tag             state
//	none          any      any                    absent
//	some          no       any                    present
//	some          yes      the VPC origin id      present
//	some          yes      none, or another value unconfirmed
func ReadTag(tags map[string]string, id string, confirm bool) (TagState, string) {
	value, present := tags[contract.TagTeardown]
	switch {
	case !present:
		return TagAbsent, ""
	case confirm && tags[contract.TagConfirm] != id:
		return TagUnconfirmed, value
	}
	return TagPresent, value
}

// leaves reports whether the teardown of an origin has begun to take it out. From then on it needs no second tag any more.
func leaves(r origin.Record) bool {
	return r.Intent == origin.Detach && r.Teardown != nil && !slices.Contains([]string{"", string(Warn), string(Grace)}, r.Teardown.Phase)
}

// unconfirmed returns the reason for which a teardown tag without the second tag is refused.
func unconfirmed(id, value string) origin.Reason {
	return origin.Reason{Code: TagNotConfirmed, Subject: value, Message: fmt.Sprintf("the hub policy requires a second tag for the teardown of VPC origin %[1]s, which has the "+
		"tag %[2]s only; set the tag %[3]s to %[1]s as well, or remove the tag %[2]s", id, contract.TagTeardown, contract.TagConfirm)}
}

// Codes of a teardown tag that is refused.
const (
	TagInvalid origin.Code = "teardown-tag-invalid" // neither now, nor a duration, nor a time
	TagPast    origin.Code = "teardown-tag-over"    // a time more than a day ago
	TagTooFar  origin.Code = "teardown-tag-too-far" // beyond the longest grace
	TagLate    origin.Code = "teardown-tag-late"    // changed after the teardown had begun
	// TagNotConfirmed means that the second tag is missing, or does not have the id of the VPC origin.
	TagNotConfirmed origin.Code = "teardown-tag-unconfirmed"
)

type tagRefusedError origin.Reason

func (e *tagRefusedError) Error() string { return e.Message }

func tagError(code origin.Code, format string, args ...any) error {
	return &tagRefusedError{Code: code, Message: fmt.Sprintf(format, args...)}
}

// TagReason returns the reason for which ParseTag refused a value.
func TagReason(value string, err error) origin.Reason {
	reason := origin.Reason{Code: TagInvalid, Message: err.Error()}
	if bad := (*tagRefusedError)(nil); errors.As(err, &bad) {
		reason = origin.Reason(*bad)
	}
	reason.Subject = value
	return reason
}

// pastTolerance is how far in the past a time may be when it is first observed: the tag event may be lost, and a sweep late.
const pastTolerance = 24 * time.Hour

// readable returns a duration in a form that duration parses: whole days or hours if possible, such as 30d or 36h, or else as 1h30m0s.
func readable(d time.Duration) string {
	switch {
	case d%(24*time.Hour) == 0:
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return d.String()
}

// duration parses a positive duration. Besides the units of time.ParseDuration, it accepts whole days.
func duration(value string) (time.Duration, bool) {
	if days, ok := strings.CutSuffix(value, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err == nil && n > 0
	}
	d, err := time.ParseDuration(value)
	return d, err == nil && d > 0
}
