package wiring_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

// A fleet under load, second by second: what the times below are made of.
const (
	onboardings, teardowns = 200, 200 // an hour, at random
	propagation            = 320      // seconds from an update until wire observes status Deployed: 300, and the next recheck
	collected              = 5        // seconds for which Lambda collects messages
	fills                  = 65       // origins that a distribution takes before the next one
)

// waits returns how long changes wait from the registry to their update, in seconds and sorted, with and without the limit of the budget.
func waits(distributions, perMinute int) (onboarding, teardown []int) {
	type change struct{ at, teardown int }
	random := rand.New(rand.NewPCG(1, 2))
	pace := wiring.Pace{PerMinute: perMinute, Late: time.Minute + collected*time.Second}
	var budget origin.Updates
	pending, asks, deployed, admitted := make([][]change, distributions), make([]int, distributions), make([]int, distributions), 0
	const warm, end = 4 * 3600, 24 * 3600
	for t := range end {
		arrive := func(d int, c change) {
			if pending[d] = append(pending[d], c); len(pending[d]) == 1 {
				asks[d] = max(t+collected, deployed[d])
			}
		}
		if random.Float64() < onboardings/3600. {
			arrive(admitted/fills%distributions, change{at: t})
			admitted++
		}
		if random.Float64() < teardowns/3600. {
			arrive(random.IntN(distributions), change{t, 1})
		}
		for d := range distributions {
			if len(pending[d]) == 0 || asks[d] > t {
				continue
			}
			var wait time.Duration
			budget, wait = pace.Permit(budget, wiring.AskForUpdate{Distribution: fmt.Sprint(d)}, now.Add(time.Duration(t)*time.Second))
			if wait > 0 {
				asks[d] = t + int(wait/time.Second) + collected
				continue
			}
			for _, c := range pending[d] {
				switch {
				case c.at < warm:
				case c.teardown == 0:
					onboarding = append(onboarding, t-c.at)
				default:
					teardown = append(teardown, t-c.at)
				}
			}
			pending[d], deployed[d] = nil, t+propagation
		}
	}
	slices.Sort(onboarding)
	slices.Sort(teardown)
	return onboarding, teardown
}

// The table in infra/README.md is what a simulation of the rule says.
func TestWaitsUnderLoad(t *testing.T) {
	readme, err := os.ReadFile("../../infra/README.md")
	if err != nil {
		t.Fatal(err)
	}
	of := func(sorted []int, percent int) float64 { return float64(sorted[len(sorted)*percent/100]) / 60 }
	for _, distributions := range []int{1, 5, 20, 137} {
		row := fmt.Sprintf("| %d |", distributions)
		for _, perMinute := range []int{2, 1000} {
			onboarding, teardown := waits(distributions, perMinute)
			row += fmt.Sprintf(" %.1f / %.1f | %.1f / %.1f |", of(onboarding, 50), of(onboarding, 99), of(teardown, 50), of(teardown, 99))
		}
		if t.Log(row); !strings.Contains(string(readme), row+"\n") {
			t.Errorf("infra/README.md lacks the row %s", row)
		}
	}
}
