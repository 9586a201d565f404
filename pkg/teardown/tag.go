package teardown

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/origin"
)

// Bounds are the least and the longest time between the tag and the first change.
type Bounds struct {
	Default time.Duration
	Maximum time.Duration
}

// ParseTag reads the value of the teardown tag: when the first change is due, for a tag that was first seen at requested.
//
//	value                          due
//	now                            after the least grace
//	a duration: 72h, 90m, 3d       after it, but not before the least grace
//	an instant: RFC 3339           then, but not before the least grace
//
// An instant that was over a day ago is an error: nobody means it who writes it today, and it must not be taken for now.
// What lies beyond the longest grace is an error: better to ask again than to do it earlier than its team expects.
func ParseTag(value string, requested time.Time, b Bounds) (due time.Time, err error) {
	value = strings.TrimSpace(value)
	least := requested.Add(b.Default)
	if value == "now" {
		return least, nil
	}
	if after, ok := duration(value); ok {
		due = requested.Add(after)
	} else if due, err = time.Parse(time.RFC3339, value); err != nil {
		return time.Time{}, tagError(TagInvalid, "the teardown tag is %q: set it to now, to a duration such as 72h or 3d, "+
			"or to an instant such as 2026-12-01T08:00:00Z", value)
	}
	if due.Before(requested.Add(-stale)) {
		return time.Time{}, tagError(TagPast, "the teardown tag is %q, which is long over: set it to now, or to an instant to come", value)
	}
	// The text is the same at every look, so that it is said once.
	if b.Maximum > 0 && due.After(requested.Add(b.Maximum)) {
		return time.Time{}, tagError(TagTooFar, "the teardown tag is %q, and the hub policy permits at most %s of grace: set it to that or less",
			value, b.Maximum)
	}
	if due.Before(least) {
		due = least
	}
	return due.UTC(), nil
}

// Codes of a teardown tag that is refused.
const (
	TagInvalid origin.Code = "teardown-tag-invalid" // neither now, nor a duration, nor an instant
	TagPast    origin.Code = "teardown-tag-over"    // an instant more than a day ago
	TagTooFar  origin.Code = "teardown-tag-too-far" // beyond the longest grace
	TagLate    origin.Code = "teardown-tag-late"    // changed after the teardown had begun
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

// stale is how far back an instant may lie when it is first seen: the tag event may be lost, and a sweep be late.
const stale = 24 * time.Hour

// duration is time.ParseDuration with whole days, without a sign, and more than nothing, which is spelled now.
func duration(value string) (time.Duration, bool) {
	if days, ok := strings.CutSuffix(value, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err == nil && n > 0
	}
	d, err := time.ParseDuration(value)
	return d, err == nil && d > 0
}
