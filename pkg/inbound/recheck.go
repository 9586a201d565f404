package inbound

import (
	"slices"
	"time"
)

// Distributions returns the names of the distributions that the messages ask to observe, in order, or all if one of them asks for every
// distribution:
//
//	message                       asks for
//	Recheck                       its distribution
//	Trigger with a distribution   its distribution
//	any other                     every distribution
func Distributions(messages []Message) (names []string, all bool) {
	for _, m := range messages {
		switch m := m.(type) {
		case Recheck:
			names = append(names, m.Distribution)
		case Trigger:
			names, all = append(names, m.Distribution), all || m.Distribution == ""
		default:
			all = true
		}
	}
	slices.Sort(names)
	return slices.Compact(names), all
}

// For returns the messages that concern the distribution of that name.
func For(messages []Message, distribution string) []Message {
	return slices.DeleteFunc(slices.Clone(messages), func(m Message) bool {
		names, all := Distributions([]Message{m})
		return !all && !slices.Contains(names, distribution)
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
