package workflow

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/hubpolicy"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

// disputed is a registry whose budget of updates other runs change, so many times.
type disputed struct {
	fixedRegistry
	budget  origin.Updates
	others  int
	failure error // of each write
}

func (d *disputed) Updates(context.Context) (origin.Updates, time.Time, error) {
	return d.budget, now, nil
}

func (d *disputed) PutUpdates(_ context.Context, u origin.Updates) error {
	if d.others--; d.others >= 0 { // another run has taken the permission
		d.budget.Sent = append(d.budget.Sent, origin.SentUpdate{Distribution: "another", At: now})
		return &fault.Reread{Err: errors.New("stale")}
	}
	d.budget = u
	return d.failure
}

// A run decides again when another one has changed the budget meanwhile, so that both together keep it.
func TestPermissionIsDecidedAgainWhenAnotherRunWasFaster(t *testing.T) {
	failure := &fault.Retry{Err: errors.New("unreachable")}
	for name, c := range map[string]struct {
		others  int
		failure error
		wait    time.Duration
		own     bool
	}{
		"nobody else":        {own: true},
		"one other":          {others: 1, own: true},
		"two others":         {others: 2, wait: 65 * time.Second},
		"others all along":   {others: maxBudgetConflicts, wait: time.Minute},
		"it cannot be saved": {failure: failure, own: true},
	} {
		registry := &disputed{others: c.others, failure: c.failure}
		w := &Wire{Registry: registry, Policy: hubpolicy.Policy{Updates: hubpolicy.Updates{PerMinute: 2}}}
		wait, err := w.permit(context.Background(), wiring.AskForUpdate{Distribution: "main"})
		if wait != c.wait || !errors.Is(err, c.failure) || (err == nil) != (c.failure == nil) {
			t.Errorf("%s: waits %v, %v", name, wait, err)
		}
		own := false
		for _, s := range registry.budget.Sent {
			own = own || s.Distribution == "main"
		}
		if own != c.own {
			t.Errorf("%s: %+v", name, registry.budget)
		}
	}
}
