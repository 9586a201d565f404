package cloud

import (
	"container/heap"
	"sync"
	"time"
)

// Clock is virtual time and the queue of what is still to happen. Time moves only when Advance or UntilIdle moves it;
// events due at the same instant run in the order in which they were scheduled.
type Clock struct {
	step sync.Mutex // held while events run, so that only one driver moves time

	mu     sync.Mutex
	now    time.Time
	seq    uint64
	events eventHeap
	busy   int // foreground events in the heap
}

// Timer is one scheduled event.
type Timer struct {
	due        time.Time
	seq        uint64
	name       string
	background bool
	run        func()
	index      int
	clock      *Clock
}

// NewClock returns a clock that stands still at start.
func NewClock(start time.Time) *Clock { return &Clock{now: start.UTC()} }

// Now is the current virtual time, in UTC.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// After schedules run at d from now. The world is not idle before it has run. A nil run marks the end of something
// that takes time, such as a deployment, for UntilIdle's sake. run is called without any lock held.
func (c *Clock) After(d time.Duration, name string, run func()) *Timer {
	return c.schedule(d, name, false, run)
}

// Background is After for what may be left pending in an idle world: schedules and expiries.
func (c *Clock) Background(d time.Duration, name string, run func()) *Timer {
	return c.schedule(d, name, true, run)
}

func (c *Clock) schedule(d time.Duration, name string, background bool, run func()) *Timer {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d < 0 {
		d = 0
	}
	c.seq++
	t := &Timer{due: c.now.Add(d), seq: c.seq, name: name, background: background, run: run, clock: c}
	heap.Push(&c.events, t)
	if !background {
		c.busy++
	}
	return t
}

// Stop removes the event if it has not run yet and tells whether it did.
func (t *Timer) Stop() bool {
	c := t.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.index < 0 {
		return false
	}
	heap.Remove(&c.events, t.index)
	if !t.background {
		c.busy--
	}
	return true
}

// Advance runs everything due within d, in order, and leaves the clock exactly d later.
func (c *Clock) Advance(d time.Duration) {
	c.step.Lock()
	defer c.step.Unlock()
	end := c.Now().Add(d)
	for c.next(end) {
	}
	c.mu.Lock()
	if c.now.Before(end) {
		c.now = end
	}
	c.mu.Unlock()
}

// UntilIdle runs events until only background ones are left, or until limit has passed, and tells whether the world
// is idle. Background events that come due on the way run too.
func (c *Clock) UntilIdle(limit time.Duration) bool {
	c.step.Lock()
	defer c.step.Unlock()
	end := c.Now().Add(limit)
	for c.Busy() {
		if !c.next(end) {
			return false
		}
	}
	return true
}

// Busy tells whether a foreground event is pending.
func (c *Clock) Busy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.busy > 0
}

// Pending names what is still to happen, soonest first, background events included.
func (c *Clock) Pending() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := make(eventHeap, len(c.events))
	for i, t := range c.events {
		copied := *t
		h[i] = &copied
	}
	var names []string
	for len(h) > 0 {
		t := heap.Pop(&h).(*Timer)
		names = append(names, t.due.Format(time.RFC3339)+" "+t.name)
	}
	return names
}

func (c *Clock) next(end time.Time) bool {
	c.mu.Lock()
	if len(c.events) == 0 || c.events[0].due.After(end) {
		c.mu.Unlock()
		return false
	}
	t := heap.Pop(&c.events).(*Timer)
	if !t.background {
		c.busy--
	}
	if t.due.After(c.now) {
		c.now = t.due
	}
	c.mu.Unlock()
	if t.run != nil {
		t.run()
	}
	return true
}

type eventHeap []*Timer

func (h eventHeap) Len() int { return len(h) }
func (h eventHeap) Less(i, j int) bool {
	if !h[i].due.Equal(h[j].due) {
		return h[i].due.Before(h[j].due)
	}
	return h[i].seq < h[j].seq
}

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
