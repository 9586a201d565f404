package sandbox

import (
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/front"
)

// tickInterval is the interval in which the real clock advances virtual time.
const tickInterval = 50 * time.Millisecond

// Advance moves virtual time forward by d and runs everything that is due on the way.
func (s *Sandbox) Advance(d time.Duration) { s.world.Clock.Advance(d) }

// UntilIdle advances virtual time until only schedules and expiries are pending, and reports whether it got there. It gives up
// after a month of virtual time, after retries at 200 instants, or after 100,000 events. Pending then names what is under way.
func (s *Sandbox) UntilIdle() bool { return s.world.Clock.UntilIdle(front.IdleLimit) }

// Pending returns the names of pending events, soonest first.
func (s *Sandbox) Pending() []string { return s.world.Clock.Pending() }

// tick advances virtual time with real time until Close.
func (s *Sandbox) tick() {
	defer close(s.ticking)
	ticker := time.NewTicker(tickInterval)
	defer ticker.Stop()
	last := time.Now()
	for {
		select {
		case <-s.stop:
			return
		case <-ticker.C:
			now := time.Now()
			s.world.Clock.Advance(now.Sub(last))
			last = now
		}
	}
}
