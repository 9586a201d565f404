package audit

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

const person = "arn:aws:sts::111111111111:assumed-role/Admin/ann"

// judged is one row of a table of judgements.
type judged struct {
	name   string
	call   inbound.CallHint
	change func(*Observed)
	want   Verdict
	kind   Kind
	says   string // in the finding's words or command
}

// guards holds Guard to the rows of a table. Whoever did it is named, and there is a command or no account to run it in.
func guards(t *testing.T, rows []judged) {
	t.Helper()
	for _, c := range rows {
		o := orderly()
		if c.change != nil {
			c.change(&o)
		}
		c.call.By = person
		j, err := Guard(c.call, o)
		if err != nil || j.Verdict != c.want {
			t.Errorf("%s: %+v, %v, want verdict %v", c.name, j, err, c.want)
			continue
		}
		if c.want != Found {
			if j.Why == "" || len(j.Findings) > 0 {
				t.Errorf("%s: %+v gives no reason, or findings", c.name, j)
			}
			continue
		}
		f := j.Findings[0]
		if len(j.Findings) != 1 || f.Kind != c.kind || f.By != person || f.Cost != unknown || !strings.Contains(f.Risk+" "+f.Repair, c.says) {
			t.Errorf("%s: found %+v, want %s that says %q", c.name, j.Findings, c.kind, c.says)
		}
		if f.Repair != "" {
			repairs(t, f)
		} else if f.In != "" {
			t.Errorf("%s: there is no command for account %s", c.name, f.In)
		}
	}
}

func TestGuard(t *testing.T) {
	guards(t, []judged{
		{"any other", inbound.CallHint{Account: hub, Call: "CreateHostedZone"}, nil, Harmless, "", ""},
	})
}

func TestDecideCall(t *testing.T) {
	edit := inbound.CallHint{ID: "2", Account: hub, Call: inbound.UpdateDistribution, Target: distribution, By: person}
	anonymous, again, forgery := edit, edit, edit
	anonymous.ID, again.ID, forgery.Account = "", "1", teamA
	wire := []outcome.Trigger{{Function: outcome.Wire, Why: "UpdateDistribution was called by hand"}}
	found := []string{"Drift Found distribution-edited!"}
	for _, c := range []struct {
		name       string
		call       inbound.CallHint
		change     func(*Observed)
		said       []string
		remembered []string // nil: nothing is written
		triggered  []outcome.Trigger
	}{
		{"reported before", again, off1, nil, nil, wire},
		{"harmless", inbound.CallHint{ID: "2", Account: hub, Call: inbound.UpdateDistribution}, nil, nil, nil, nil},
		{"forged", forgery, nil, []string{"Event Refused !"}, []string{"1", "2"}, nil},
		{"found", edit, off1, found, []string{"1", "2"}, wire},
		{"found, without an id", anonymous, off1, found, []string{"1"}, wire},
	} {
		o := orderly()
		o.Findings = origin.Findings{Calls: []string{"1"}, Version: 3, Open: []origin.OpenFinding{{Kind: "k"}}}
		if c.change != nil {
			c.change(&o)
		}
		d, err := DecideCall(c.call, o)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := said(d.Outcome); !slices.Equal(got, c.said) || (d.Why == "") != (len(c.said) > 0) {
			t.Errorf("%s: said %q, or else %q; want %q", c.name, got, d.Why, c.said)
		}
		if !reflect.DeepEqual(d.Triggers, c.triggered) {
			t.Errorf("%s: triggered %+v, want %+v", c.name, d.Triggers, c.triggered)
		}
		switch {
		case c.remembered == nil && d.Remember == nil:
		case c.remembered == nil, d.Remember == nil, !slices.Equal(d.Remember.Calls, c.remembered), d.Remember.Version != 3, len(d.Remember.Open) != 1:
			t.Errorf("%s: remembers %+v, want %v", c.name, d.Remember, c.remembered)
		}
		if len(o.Findings.Calls) != 1 {
			t.Errorf("%s: changed what it was given", c.name)
		}
	}
}

// Drift that is a risk is counted until the next daily audit, which reports what is left of it.
func TestDriftThatRingsIsCounted(t *testing.T) {
	for _, c := range []struct {
		change func(*Observed)
		want   float64
	}{{nil, 1}, {adopted, 0}, {all(off1, public("/team-a/old/*", 0)), 2}} {
		o := orderly()
		o.Findings.Drift = 1
		if c.change != nil {
			c.change(&o)
		}
		d, err := DecideCall(inbound.CallHint{Account: hub, Call: inbound.UpdateDistribution, Target: distribution}, o)
		want := []outcome.Metric{{Name: contract.MetricDriftOpen, Unit: outcome.Count, Value: 1 + c.want}}
		if c.want > 0 {
			if d.Remember == nil || float64(d.Remember.Drift) != 1+c.want {
				t.Errorf("remembers %+v", d.Remember)
			} else if o.Findings = *d.Remember; DecideSweep(o).Remember.Drift != 0 {
				t.Error("the daily audit goes on counting")
			}
		}
		if err != nil || !reflect.DeepEqual(d.Metrics, want) {
			t.Errorf("counted %+v, %v, want %v", d.Metrics, err, want)
		}
	}
}

func TestWhatACallTriggers(t *testing.T) {
	for account, want := range map[string]outcome.Function{hub: outcome.Wire, teamA: outcome.Admit} {
		var d Decision
		d.trigger(inbound.CallHint{Account: account}, orderly().Hub)
		if len(d.Triggers) != 1 || d.Triggers[0].Function != want {
			t.Errorf("%s: triggered %+v, want %s", account, d.Triggers, want)
		}
	}
}

// From the third edit of a distribution within a month of the one before, a finding says what probably causes them.
func TestEditsThatHappenOftenHaveAProbableCause(t *testing.T) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	edit := func() []Finding { return []Finding{{Kind: DistributionEdited, Subject: "E1", Alarm: true}} }
	var edits []origin.Edits
	for i, c := range []struct {
		after time.Duration
		found []Finding
		times int
		hint  bool
	}{
		{0, edit(), 1, false},
		{time.Hour, []Finding{{Kind: DistributionEdited, Subject: "E1"}}, 1, false}, // of the unmanaged part
		{time.Hour, []Finding{{Kind: ShareRevoked, Subject: "E1", Alarm: true}}, 1, false},
		{time.Hour, edit(), 2, false},
		{29 * 24 * time.Hour, edit(), 3, true},
		{time.Minute, edit(), 4, true},
		{time.Minute, []Finding{{Kind: DistributionEdited, Subject: "E2", Alarm: true}}, 1, false},
		{30 * 24 * time.Hour, edit(), 1, false},
	} {
		now = now.Add(c.after)
		before := slices.Clone(edits)
		after := editsWith(edits, c.found, now)
		if !slices.Equal(edits, before) {
			t.Errorf("%d: changed what it was given", i)
		}
		edits = after
		if last := edits[len(edits)-1]; last.Times != c.times || strings.Contains(c.found[0].Risk, "pipeline") != c.hint {
			t.Errorf("%d: %+v, %s", i, edits, c.found[0].Risk)
		}
	}
	if len(edits) != 1 {
		t.Errorf("remembers edits of long ago: %+v", edits)
	}
}
