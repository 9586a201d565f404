package rehearsal

import (
	"fmt"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/sandbox"
)

// overBudget returns an error if a function has called UpdateDistribution more often within some minute than the hub's policy says. Calls that
// CloudFront refused count, too.
func (w *World) overBudget() error { return overBudget(w.Calls(), w.policy.Updates.PerMinute) }

func overBudget(calls []sandbox.Call, perMinute int) error {
	sent := map[string][]time.Time{} // by function, of which each hub has its own
	for _, c := range calls {
		if c.Operation != "UpdateDistribution" || c.Function == "" {
			continue
		}
		of := sent[c.Function]
		if first := len(of) - perMinute; first >= 0 && c.Time.Sub(of[first]) < time.Minute {
			return fmt.Errorf("%s called UpdateDistribution %d times from %v to %v, and the policy says %d a minute", c.Function, perMinute+1, of[first], c.Time, perMinute)
		}
		sent[c.Function] = append(of, c.Time)
	}
	return nil
}

func TestCallsBeyondTheBudgetAreFound(t *testing.T) {
	at := func(function string, seconds ...int) (calls []sandbox.Call) {
		for _, s := range seconds {
			calls = append(calls, sandbox.Call{Function: function, Operation: "UpdateDistribution", Time: time.Unix(int64(s), 0), Error: "InvalidArgument"})
		}
		return calls
	}
	for name, test := range map[string]struct {
		calls []sandbox.Call
		found bool
	}{
		"two":                  {at("wire", 0, 0), false},
		"the third in time":    {at("wire", 0, 59, 60), false},
		"the third too early":  {at("wire", 0, 59, 59), true},
		"another hub's":        {append(at("wire", 0, 1), at("other", 2, 3)...), false},
		"somebody else's":      {append(at("wire", 0, 1), at("", 2, 3)...), false},
		"later, and too often": {at("wire", 0, 100, 130, 159), true},
	} {
		if err := overBudget(test.calls, 2); (err != nil) != test.found {
			t.Errorf("%s: %v", name, err)
		}
	}
}
