package sandbox

import (
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/front"
)

// tickInterval is how often the real clock moves virtual time.
const tickInterval = 50 * time.Millisecond

// Advance moves virtual time on by d, and everything that is due happens on the way.
func (s *Sandbox) Advance(d time.Duration) { s.world.Clock.Advance(d) }

// UntilIdle lets time pass until nothing is under way: only schedules and expiries are pending. It gives up, and Pending
// names what is under way, after a month of virtual time, when something that failed was tried again at 200 instants, or
// after 100,000 events.
func (s *Sandbox) UntilIdle() bool { return s.world.Clock.UntilIdle(front.IdleLimit) }

// Pending names what is still to happen, soonest first.
func (s *Sandbox) Pending() []string { return s.world.Clock.Pending() }

// tick moves virtual time along with real time until Close.
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
