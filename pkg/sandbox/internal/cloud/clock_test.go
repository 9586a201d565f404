package cloud

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Events run in the order of their instants, those of one instant in the order of scheduling, each at its own instant.
func TestClockRunsEventsInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := DefaultStart
		c := NewClock(start)
		type event struct{ due, seq int }
		var want, got []event
		for seq, due := range rapid.SliceOfN(rapid.IntRange(0, 20), 0, 30).Draw(t, "due") {
			e := event{due, seq}
			want = append(want, e)
			c.After(time.Duration(due)*time.Second, "e", func() {
				if at := int(c.Now().Sub(start) / time.Second); at != e.due {
					t.Fatalf("event due at %d ran at %d", e.due, at)
				}
				got = append(got, e)
			})
		}
		slices.SortStableFunc(want, func(a, b event) int { return a.due - b.due })
		for range 5 {
			c.Advance(time.Duration(rapid.IntRange(0, 5).Draw(t, "step")) * time.Second)
		}
		elapsed := int(c.Now().Sub(start) / time.Second)
		want = slices.DeleteFunc(want, func(e event) bool { return e.due > elapsed })
		if !slices.Equal(got, want) {
			t.Fatalf("ran %v, want %v", got, want)
		}
	})
}

func TestUntilIdle(t *testing.T) {
	c := NewClock(DefaultStart)
	var ran []string
	c.Background(time.Minute, "sweep", func() { ran = append(ran, "sweep") })
	c.After(2*time.Minute, "first", func() {
		ran = append(ran, "first")
		c.After(time.Minute, "second", func() { ran = append(ran, "second") })
	})
	c.Background(time.Hour, "expiry", func() { ran = append(ran, "expiry") })
	stopped := c.After(time.Hour, "stopped", nil)
	if !stopped.Stop() || stopped.Stop() {
		t.Error("a timer can be stopped once")
	}
	if !c.UntilIdle(time.Hour) {
		t.Error("not idle")
	}
	if !slices.Equal(ran, []string{"sweep", "first", "second"}) {
		t.Errorf("ran %v", ran)
	}
	if got := c.Now().Sub(DefaultStart); got != 3*time.Minute {
		t.Errorf("idle after %s", got)
	}
	if got := c.Pending(); len(got) != 1 || got[0] != "2035-01-08T10:00:00Z expiry" {
		t.Errorf("pending %v", got)
	}
}

func TestUntilIdleGivesUp(t *testing.T) {
	endless := func(pause time.Duration, schedule func(*Clock, time.Duration, string, func()) *Timer) (*Clock, *int) {
		c, ran := NewClock(DefaultStart), new(int)
		c.Background(time.Hour, "expiry", nil)
		var follow func()
		follow = func() {
			*ran++
			schedule(c, pause, "endless", follow)
		}
		schedule(c, pause, "endless", follow)
		return c, ran
	}
	for name, test := range map[string]struct {
		pause    time.Duration
		schedule func(*Clock, time.Duration, string, func()) *Timer
		ran      int
	}{
		"at the limit of time":   {time.Minute, (*Clock).After, 60},
		"after so many retries":  {time.Second, (*Clock).Again, mostRetries + 1},
		"after so many events":   {0, (*Clock).After, mostEvents + 1},
		"retries at one instant": {0, (*Clock).Again, mostEvents + 1},
	} {
		t.Run(name, func(t *testing.T) {
			c, ran := endless(test.pause, test.schedule)
			if c.UntilIdle(time.Hour) {
				t.Error("idle, though something always follows")
			}
			if *ran != test.ran {
				t.Errorf("%d events ran, want %d", *ran, test.ran)
			}
			if got := c.Underway(); len(got) != 1 || !strings.HasSuffix(got[0], "Z endless") {
				t.Errorf("under way: %v", got)
			}
			*ran = 0
			if c.UntilIdle(time.Hour); *ran != test.ran {
				t.Errorf("the second time, %d events ran, want %d", *ran, test.ran)
			}
		})
	}
}

// What is retried together counts once, and what schedules set off counts as little as they do.
func TestUntilIdleIsPatient(t *testing.T) {
	c := NewClock(DefaultStart)
	for range 2 * mostRetries {
		c.Again(time.Minute, "message", nil)
	}
	c.After(24*time.Hour, "grace", nil)
	var sweep func()
	sweep = func() { c.Background(time.Second, "sweep", sweep) }
	sweep()
	if !c.UntilIdle(25 * time.Hour) {
		t.Errorf("not idle: %v", c.Pending())
	}
}
