package outcome_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

var now = time.Date(2026, 12, 1, 10, 0, 0, 0, time.UTC)

func member(account string) bool { return strings.HasPrefix(account, "team-") }

// refusal returns the outcome of one refusal.
func refusal(event, account, why string) (o outcome.Outcome) {
	o.Count(contract.MetricRefusal, 1)
	o.Alarm(event, "arn", outcome.Detail{Account: account, Why: why})
	return o
}

func TestTallied(t *testing.T) {
	full := origin.Tally{Account: "team-a", Since: now.Add(-30 * time.Minute), Reported: 5}
	_, once, _ := refusal(contract.OriginRefused, "team-a", "paths").Tallied(map[string]origin.Tally{"team-a": full}, member, now)
	counted, told := once[0], once[0]
	told.Told = told.Counted
	for name, c := range map[string]struct {
		known     origin.Tally
		o         outcome.Outcome
		published []string // types of events
		refusals  float64  // value of the metric
		tally     *origin.Tally
		leftOut   bool
	}{
		"no refusal":                     {full, refusal(contract.OriginWithdrawn, "team-a", ""), []string{contract.OriginWithdrawn}, 1, nil, false},
		"the first":                      {origin.Tally{}, refusal(contract.OriginRefused, "team-a", "paths"), []string{contract.OriginRefused}, 1, &origin.Tally{Account: "team-a", Since: now, Reported: 1}, false},
		"the fifth":                      {origin.Tally{Since: now, Reported: 4}, refusal(contract.ShareRefused, "team-a", ""), []string{contract.ShareRefused}, 1, &origin.Tally{Account: "team-a", Since: now, Reported: 5}, false},
		"the sixth":                      {full, refusal(contract.OriginRefused, "team-a", "paths"), nil, 1, &counted, true},
		"the sixth again":                {counted, refusal(contract.OriginRefused, "team-a", "paths"), nil, 0, nil, true},
		"a new hour":                     {origin.Tally{Since: now.Add(-time.Hour), Reported: 5}, refusal(contract.OriginRefused, "team-a", "paths"), []string{contract.OriginRefused}, 1, &origin.Tally{Account: "team-a", Since: now, Reported: 1}, false},
		"a new hour, something not told": {origin.Tally{Account: "team-a", Since: now.Add(-time.Hour), Reported: 5, Counted: 2}, refusal(contract.OriginRefused, "team-a", "paths"), []string{contract.RefusalsCounted, contract.OriginRefused}, 1, &origin.Tally{Account: "team-a", Since: now, Reported: 1}, false},
	} {
		is, changed, leftOut := c.o.Tallied(map[string]origin.Tally{"team-a": c.known}, member, now)
		var want []origin.Tally
		if c.tally != nil {
			want = []origin.Tally{*c.tally}
		}
		if diff := cmp.Diff(want, changed); diff != "" {
			t.Errorf("%s: tally: %s", name, diff)
		}
		if got := types(is); !slices.Equal(got, c.published) || leftOut != c.leftOut {
			t.Errorf("%s: published %q, left out %t", name, got, leftOut)
		}
		for _, m := range is.Metrics {
			if m.Value != c.refusals {
				t.Errorf("%s: %v refusals counted", name, m.Value)
			}
		}
	}
	if counted.Counted != 1 || len(counted.Seen) != 1 {
		t.Errorf("the tally after the sixth is %+v", counted)
	}
}

func types(o outcome.Outcome) (types []string) {
	for _, e := range o.Events {
		types = append(types, e.Type)
	}
	return types
}

// A flood of one account, also of one that belongs to no team, takes nothing from another account.
func TestFloodOfOneAccountHidesNoOther(t *testing.T) {
	known := map[string]origin.Tally{}
	published := func(event, account, why string) bool {
		is, changed, _ := refusal(event, account, why).Tallied(known, member, now)
		for _, one := range changed {
			known[one.Account] = one
		}
		return len(is.Events) == 1
	}
	for flooder, event := range map[string]string{"team-a": contract.ShareRefused, "999999999999": contract.EventRefused} {
		count := 0
		for i := range 1000 {
			if published(event, flooder, fmt.Sprint(i)) {
				count++
			}
		}
		if count != 5 {
			t.Errorf("%d of 1,000 refusals of %s are published", count, flooder)
		}
	}
	if !published(contract.ShareRefused, "team-b", "") {
		t.Error("the first refusal of team-b is not published")
	}
	if len(known) != 3 || len(known["team-a"].Seen) > 200 {
		t.Errorf("%d tallies, one with %d names", len(known), len(known["team-a"].Seen))
	}
}

func TestTell(t *testing.T) {
	for name, c := range map[string]struct {
		tally origin.Tally
		want  string // in the event; "": none
	}{
		"nothing counted":            {origin.Tally{Since: now, Reported: 5}, ""},
		"some":                       {origin.Tally{Since: now, Reported: 5, Counted: 3}, "has refused 8 shares"},
		"some told, some new":        {origin.Tally{Since: now.Add(-59 * time.Minute), Reported: 5, Counted: 3, Told: 1}, ""},
		"some told, the hour over":   {origin.Tally{Since: now.Add(-time.Hour), Reported: 5, Counted: 3, Told: 1}, "has refused 8 shares"},
		"all told, the hour over":    {origin.Tally{Since: now.Add(-time.Hour), Reported: 5, Counted: 3, Told: 3}, ""},
		"more than are told apart":   {origin.Tally{Since: now, Reported: 5, Counted: 200, Seen: make([]string, 200)}, "has refused at least 205 shares"},
		"accounts that are no teams": {origin.Tally{Since: now, Reported: 5, Counted: 1}, "events of account"},
	} {
		if c.tally.Account = "team-a"; name == "accounts that are no teams" {
			c.tally.Account, c.want = "", "events of accounts that belong to no team"
		}
		o, changed := outcome.Tell(map[string]origin.Tally{c.tally.Account: c.tally}, now)
		if c.want == "" {
			if len(o.Events)+len(changed) > 0 {
				t.Errorf("%s: %+v", name, o)
			}
			continue
		}
		if len(o.Events) != 1 || len(changed) != 1 {
			t.Fatalf("%s: %d events, %d tallies", name, len(o.Events), len(changed))
		}
		if e := o.Events[0]; e.Type != contract.RefusalsCounted || e.Detail.Severity != contract.SeverityInfo || !strings.Contains(e.Detail.Why, c.want) {
			t.Errorf("%s: %+v", name, e)
		}
		if changed[0].Told != c.tally.Counted {
			t.Errorf("%s: told %d", name, changed[0].Told)
		}
	}
}
