package inbound

import (
	"slices"
	"time"
)

// Concerns reports whether any of the messages is about the distribution of that name. All are, but for a Look at another one.
func Concerns(messages []Message, distribution string) bool {
	return slices.ContainsFunc(messages, func(m Message) bool {
		look, is := m.(Recheck)
		return !is || look.Distribution == distribution
	})
}

// OnlyRechecks reports whether all of the messages are Looks, so that nothing but function wire itself asked for a run.
func OnlyRechecks(messages []Message) bool {
	return !slices.ContainsFunc(messages, func(m Message) bool {
		_, is := m.(Recheck)
		return !is
	})
}

// Rechecks reports whether one of the messages is the Look at the distribution that was announced for that time.
func Rechecks(messages []Message, distribution string, due time.Time) bool {
	return slices.ContainsFunc(messages, func(m Message) bool {
		look, is := m.(Recheck)
		return is && look.Distribution == distribution && look.Due.Equal(due)
	})
}
