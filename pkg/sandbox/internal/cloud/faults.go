package cloud

import (
	"sync"
	"time"
)

// Fault is what goes wrong with one call.
type Fault struct {
	Name       string
	Before     func(*Call) // runs before the handler, without the world locked
	Err        *Error      // answered instead of the handler's answer; the call has no effect
	NoResponse bool        // the call has its effect, the answer is lost
	Crash      bool        // the call has its effect, then the calling function's process dies
}

// Faults decides what goes wrong. The zero value lets everything pass.
type Faults struct {
	mu     sync.Mutex
	calls  []func(*Call) *Fault
	events []func(Event, int) []time.Duration
	seen   int
}

// OnCall adds a rule. Rules are asked in the order in which they were added, for every call; the first fault wins.
// A rule must not use the world.
func (f *Faults) OnCall(rule func(*Call) *Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, rule)
}

// OnEvent adds a rule for the delivery of events from a bus to the world behind it: it is given the event and its ordinal,
// and answers the extra delay of each delivery: none drops the event, two deliver it twice, nil leaves it to the next rule.
func (f *Faults) OnEvent(rule func(e Event, ordinal int) []time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.events = append(f.events, rule)
}

// Reset removes all rules.
func (f *Faults) Reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls, f.events, f.seen = nil, nil, 0
}

func (f *Faults) onCall(c *Call) *Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, rule := range f.calls {
		if fault := rule(c); fault != nil {
			return fault
		}
	}
	return nil
}

// Deliveries answers the extra delay of each delivery of an event.
func (f *Faults) Deliveries(e Event) []time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen++
	for _, rule := range f.events {
		if d := rule(e, f.seen); d != nil {
			return d
		}
	}
	return []time.Duration{0}
}
