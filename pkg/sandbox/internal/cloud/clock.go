package cloud

import (
	"cmp"
	"container/heap"
	"slices"
	"sync"
	"time"
)

// Clock is virtual time with a queue of pending events. Time moves only in Advance and UntilIdle. Events that are due at the same
// instant run in the order in which they were scheduled.
type Clock struct {
	step sync.Mutex // held while events run, so that only one caller moves time

	mu     sync.Mutex
	now    time.Time
	seq    uint64
	events eventHeap
	busy   int // foreground events in the heap
}

// Timer is one scheduled event.
type Timer struct {
	due   time.Time
	seq   uint64
	name  string
	kind  kind
	run   func()
	index int
	clock *Clock
}

// kind says how UntilIdle treats an event.
type kind int

const (
	foreground kind = iota
	background      // may be pending in an idle world
	again           // foreground; retries something that failed
)

// These are the limits of one UntilIdle, besides time. A scheduled function that always fails, and whose retries last until its
// next schedule, would keep the world busy forever, and each retry takes real time. mostRetries is above the 185 retries of one
// event that EventBridge cannot deliver. mostEvents ends loops of events.
const (
	mostRetries = 200
	mostEvents  = 100_000
)

// NewClock returns a clock that stands at start.
func NewClock(start time.Time) *Clock { return &Clock{now: start.UTC()} }

// Now returns the current virtual time, in UTC.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// After schedules run at d from now, as a foreground event: the world is not idle before it has run. A nil run marks the end of
// something that takes time, such as a deployment. run is called without any lock held.
func (c *Clock) After(d time.Duration, name string, run func()) *Timer {
	return c.schedule(d, name, foreground, run)
}

// Again is like After, for a retry of something that failed.
func (c *Clock) Again(d time.Duration, name string, run func()) *Timer {
	return c.schedule(d, name, again, run)
}

// Background is like After, for an event that may be pending in an idle world, such as a schedule or an expiry.
func (c *Clock) Background(d time.Duration, name string, run func()) *Timer {
	return c.schedule(d, name, background, run)
}

func (c *Clock) schedule(d time.Duration, name string, k kind, run func()) *Timer {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d < 0 {
		d = 0
	}
	c.seq++
	t := &Timer{due: c.now.Add(d), seq: c.seq, name: name, kind: k, run: run, clock: c}
	heap.Push(&c.events, t)
	if k != background {
		c.busy++
	}
	return t
}

// Stop removes the event if it has not run yet, and reports whether it did so.
func (t *Timer) Stop() bool {
	c := t.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.index < 0 {
		return false
	}
	heap.Remove(&c.events, t.index)
	if t.kind != background {
		c.busy--
	}
	return true
}

// Advance runs everything that is due within d, in order, and leaves the clock exactly d later.
func (c *Clock) Advance(d time.Duration) {
	c.step.Lock()
	defer c.step.Unlock()
	end := c.Now().Add(d)
	for c.next(end) != nil {
	}
	c.mu.Lock()
	if c.now.Before(end) {
		c.now = end
	}
	c.mu.Unlock()
}

// UntilIdle runs events until only background events are pending. It gives up after limit, after retries at more than mostRetries
// instants, or after more than mostEvents events that are not background, and reports whether only background events are pending.
// Background events that are due on the way run too.
func (c *Clock) UntilIdle(limit time.Duration) bool {
	c.step.Lock()
	defer c.step.Unlock()
	end := c.Now().Add(limit)
	var last time.Time // of the last retry
	for retries, events := 0, 0; c.Busy() && retries <= mostRetries && events <= mostEvents; {
		t := c.next(end)
		switch {
		case t == nil:
			return false
		case t.kind == again && !t.due.Equal(last):
			retries, last = retries+1, t.due
		}
		if t.kind != background {
			events++
		}
	}
	return !c.Busy()
}

// Busy reports whether a foreground event is pending.
func (c *Clock) Busy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.busy > 0
}

// Pending returns the names of all pending events, soonest first.
func (c *Clock) Pending() []string { return c.names(func(*Timer) bool { return true }) }

// Underway returns the names of the events that keep the world from being idle, soonest first.
func (c *Clock) Underway() []string {
	return c.names(func(t *Timer) bool { return t.kind != background })
}

func (c *Clock) names(of func(*Timer) bool) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := slices.DeleteFunc(slices.Clone(c.events), func(t *Timer) bool { return !of(t) })
	slices.SortFunc(list, compare)
	names := []string{}
	for _, t := range list {
		names = append(names, t.due.Format(time.RFC3339)+" "+t.name)
	}
	return names
}

// next runs the next event that is due at end or before and returns it, or nil if there is none.
func (c *Clock) next(end time.Time) *Timer {
	c.mu.Lock()
	if len(c.events) == 0 || c.events[0].due.After(end) {
		c.mu.Unlock()
		return nil
	}
	t := heap.Pop(&c.events).(*Timer)
	if t.kind != background {
		c.busy--
	}
	if t.due.After(c.now) {
		c.now = t.due
	}
	c.mu.Unlock()
	if t.run != nil {
		t.run()
	}
	return t
}

func compare(a, b *Timer) int {
	return cmp.Or(a.due.Compare(b.due), cmp.Compare(a.seq, b.seq))
}

type eventHeap []*Timer

func (h eventHeap) Len() int           { return len(h) }
func (h eventHeap) Less(i, j int) bool { return compare(h[i], h[j]) < 0 }

func (h eventHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *eventHeap) Push(x any) {
	t := x.(*Timer)
	t.index = len(*h)
	*h = append(*h, t)
}

func (h *eventHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.index = -1
	return t
}
