package inbound

import (
	"slices"
	"time"
)

// Concerns reports whether one of the messages asks to observe the distribution of that name. Every message does, except a Recheck of
// another distribution.
func Concerns(messages []Message, distribution string) bool {
	return slices.ContainsFunc(messages, func(m Message) bool {
		recheck, is := m.(Recheck)
		return !is || recheck.Distribution == distribution
	})
}

// OnlyRechecks reports whether all messages are Rechecks, so that only function wire itself asked for the run.
func OnlyRechecks(messages []Message) bool {
	return !slices.ContainsFunc(messages, func(m Message) bool {
		_, is := m.(Recheck)
		return !is
	})
}

// Rechecks reports whether one of the messages is the Recheck of the distribution that is due at that time.
func Rechecks(messages []Message, distribution string, due time.Time) bool {
	return slices.ContainsFunc(messages, func(m Message) bool {
		recheck, is := m.(Recheck)
		return is && recheck.Distribution == distribution && recheck.Due.Equal(due)
	})
}
