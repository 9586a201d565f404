package wiring

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/origin"
)

const (
	// budgetWindow is the time in which no more updates are permitted than the policy says for a minute. It is longer than a minute, because
	// the registry's time is in whole seconds, and some time passes between the permission and the call.
	budgetWindow = 65 * time.Second
	// throttlePause is how long no update is permitted after CloudFront has throttled one.
	throttlePause = time.Minute
	// slowFor is how long after that the window is twice as long.
	slowFor = 5 * time.Minute
	// longestWait is the longest time after which a distribution asks again: the longest delay of a message
	// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html).
	longestWait = 15 * time.Minute
)

// Pace limits the updates of all distributions together.
type Pace struct {
	PerMinute int           // updates in a minute at most
	Late      time.Duration // how long after its time a waiting distribution keeps its place
}

// Permit decides whether a distribution may be updated now, and returns u as it is then. If not, wait is how long the distribution waits
// until it asks again. As many updates as the budget permits are permitted within budgetWindow, whatever became of them.
//
//	                                                         next is
//	an urgent update waits, and the last max(budget - 1, 1)
//	updates that were sent were all urgent                   the ordinary update that has waited longest, if there is one
//	an urgent update waits                                   the urgent one that has waited longest
//	no urgent update waits                                   the ordinary one that has waited longest
//
//	CloudFront throttled an update                           then
//	less than throttlePause ago                              none is permitted
//	less than slowFor ago                                    the window is twice as long
//
// A distribution that does not ask again loses its place when it is later than p.Late.
func (p Pace) Permit(u origin.Updates, ask AskForUpdate, now time.Time) (_ origin.Updates, wait time.Duration) {
	u.Sent, u.Waiting = slices.Clone(u.Sent), slices.Clone(u.Waiting)
	if n := len(u.Sent); n > 0 {
		now = later(now, u.Sent[n-1].At) // the clocks of DynamoDB's servers differ
	}
	if ask.Throttled {
		u.Throttled = now
	}
	own := origin.WaitingUpdate{Distribution: ask.Distribution, Urgent: ask.Urgent, Since: now}
	u.Waiting = slices.DeleteFunc(u.Waiting, func(w origin.WaitingUpdate) bool {
		late := now.Sub(w.Due) > p.Late
		if w.Distribution == own.Distribution && !late {
			own.Since = w.Since
		}
		return late || w.Distribution == own.Distribution
	})
	at := p.turn(slices.Clone(u.Sent), append(slices.Clone(u.Waiting), own), own.Distribution, now, u.Throttled)
	if !at.After(now) {
		u.Sent = append(u.Sent, origin.SentUpdate{Distribution: own.Distribution, Urgent: own.Urgent, At: now})
		u.Sent = u.Sent[max(0, len(u.Sent)-p.most()):]
		return u, 0
	}
	wait = min(at.Sub(now), longestWait)
	own.Due = now.Add(wait)
	u.Waiting = append(u.Waiting, own)
	return u, wait
}

// most returns how many updates are permitted within the window.
func (p Pace) most() int { return max(p.PerMinute, 1) }

// turn returns when the update of a distribution is permitted, if each one of those before it is permitted as early as the budget allows.
func (p Pace) turn(sent []origin.SentUpdate, waiting []origin.WaitingUpdate, distribution string, now, throttled time.Time) (at time.Time) {
	slices.SortFunc(waiting, func(a, b origin.WaitingUpdate) int {
		return cmp.Or(a.Since.Compare(b.Since), strings.Compare(a.Distribution, b.Distribution)) // every distribution computes the same order
	})
	for at = now; ; {
		i := p.next(sent, waiting)
		next := waiting[i]
		if at = p.earliest(sent, at, throttled); next.Distribution == distribution {
			return at
		}
		sent = append(sent, origin.SentUpdate{Urgent: next.Urgent, At: at})
		waiting = slices.Delete(waiting, i, i+1)
	}
}

// next returns the index of the update that is permitted next; see Permit. waiting is sorted by Since.
func (p Pace) next(sent []origin.SentUpdate, waiting []origin.WaitingUpdate) int {
	reserve := max(p.most()-1, 1)
	last := sent[max(0, len(sent)-reserve):]
	exhausted := len(last) == reserve && !slices.ContainsFunc(last, func(s origin.SentUpdate) bool { return !s.Urgent })
	urgent := slices.IndexFunc(waiting, func(w origin.WaitingUpdate) bool { return w.Urgent })
	ordinary := slices.IndexFunc(waiting, func(w origin.WaitingUpdate) bool { return !w.Urgent })
	if urgent < 0 || exhausted && ordinary >= 0 {
		return ordinary
	}
	return urgent
}

// earliest returns when the update after those that were sent is permitted at the earliest, and not before at.
func (p Pace) earliest(sent []origin.SentUpdate, at, throttled time.Time) time.Time {
	at = later(at, throttled.Add(throttlePause))
	n := len(sent) - p.most()
	if n < 0 {
		return at
	}
	oldest := sent[n].At
	free := later(at, oldest.Add(budgetWindow))
	until := throttled.Add(slowFor)
	if !free.Before(until) {
		return free
	}
	if slow := later(at, oldest.Add(2*budgetWindow)); slow.Before(until) {
		return slow
	}
	return until
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
