package admission_test

import (
	"slices"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/origin"
)

// One row for each of changesTooOften's table.
func TestClaimChangesAreBounded(t *testing.T) {
	const minute = time.Minute
	six := []time.Duration{55 * minute, 50 * minute, 40 * minute, 30 * minute, 20 * minute, 10 * minute} // ago
	admitted, waits := []string{"Origin Admitted"}, []string{"Origin Deferred claim-changes-often"}
	for name, c := range map[string]struct {
		ago    []time.Duration // when claims were admitted
		paths  string
		change func(*admission.Round)
		events []string
	}{
		"five times within an hour":      {six[1:], "/team-a/y", nil, admitted},
		"six times within an hour":       {six, "/team-a/y", nil, waits},
		"six times, the first before it": {append([]time.Duration{time.Hour}, six[1:]...), "/team-a/y", nil, admitted},
		"six times, and the same claim":  {six, "/team-a/x", nil, nil},
		"six times, and not wired":       {six, "/team-a/y", func(r *admission.Round) { r.Registry.Records[0].Intent = origin.Detach }, admitted},
		"six times, and policy tightens": {six, "/team-a/y", func(r *admission.Round) { r.Policy.Teams[0].Grants[0].Paths = []string{"/team-a/y"} }, admitted},
		"six times, stated in policy": {six, "/team-a/y", func(r *admission.Round) {
			r.Policy.Teams[0].Spoke, r.Policy.Teams[0].Claim = false, &origin.Claim{
				Hosts: []string{"team-a.example.com"}, Paths: []string{"/team-a/y"}, Domain: r.Registry.Records[0].Claim.Domain,
			}
		}, admitted},
		"a version that kept no history": {nil, "/team-a/y", nil, admitted},
	} {
		is := live("team-a", accountA, "vo_1", "/team-a/x")
		for _, ago := range c.ago {
			is.Remember(start.Add(-ago), origin.DecidedAdmitted, nil, "")
		}
		reading := tagged(claiming(is, c.paths))
		r := with(round(is), reading)
		if c.change != nil {
			c.change(&r)
		}
		changes, _ := r.Decide([]admission.Reading{reading})
		if got := what(changes); !slices.Equal(got, c.events) {
			t.Errorf("%s: %q, want %q", name, got, c.events)
		}
		r.Registry.Refusals = remembered(changes)
		if again, _ := r.Decide([]admission.Reading{reading}); len(c.events) > 0 && c.events[0] == waits[0] && len(again) > 0 {
			t.Errorf("%s: reported again: %q", name, what(again))
		}
	}
}
