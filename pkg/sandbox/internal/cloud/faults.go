package cloud

import (
	"sync"
	"time"
)

// Fault is what goes wrong with one call.
type Fault struct {
	Name       string
	Before     func(*Call) // runs before the handler, without the world locked
	Err        *Error      // returned instead of the handler's response; the call has no effect
	NoResponse bool        // the call has its effect, and the response is lost
	Crash      bool        // the call has its effect, then the process of the calling function is killed
}

// Faults decides what goes wrong. The zero value lets everything pass.
type Faults struct {
	mu     sync.Mutex
	calls  []func(*Call) *Fault
	events []func(Event, int) []time.Duration
	seen   int
}

// OnCall adds a rule. Every call is passed to the rules in the order in which they were added; the first fault wins. A rule must
// not use the world.
func (f *Faults) OnCall(rule func(*Call) *Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, rule)
}

// OnEvent adds a rule for the events that buses receive. The rule gets the event and its ordinal, and returns the extra delay of
// each delivery: an empty list drops the event, two delays deliver it twice, and nil leaves it to the next rule.
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

// Deliveries returns the extra delay of each delivery of an event.
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
