package wiring_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
	"github.com/originhub/originhub/pkg/wiring"
)

// Whatever the registry wants and the distribution and the zone hold, a run in dry-run mode changes nothing in AWS, takes no state from its
// plan, and reports the plan once. A run in the other mode with the same observations then makes exactly the planned changes.
func TestDryRunWritesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var records []origin.Record
		var wired []origin.Record
		for i, o := range fleet(rapid.IntRange(0, 6).Draw(t, "origins")) {
			o.State = rapid.SampledFrom(origin.States()).Draw(t, "state")
			o.Intent = rapid.SampledFrom([]origin.Intent{origin.Wire, origin.Detach}).Draw(t, "intent")
			if i == 0 && rapid.Bool().Draw(t, "taken") {
				o.Claim.Paths = []string{"/theirs"}
			}
			if o.State == origin.Live || o.State == origin.Wired {
				wired = append(wired, o)
			}
			records = append(records, o)
		}
		c := &cloud{served: served(configOf(t, wired...), rapid.Bool().Draw(t, "deployed"))}
		for _, o := range wired {
			c.zone = append(c.zone, origin.DNSRecord{Name: o.Claim.Hosts[0], Type: "A", Target: rapid.SampledFrom([]string{"E1.cloudfront.net", "elsewhere"}).Draw(t, "target")})
		}
		terms := adopts
		if rapid.IntRange(0, 4).Draw(t, "terms") == 0 {
			terms = creates
		}
		terms.DryRun = true
		d := item("E1")
		if terms.Base != nil && rapid.Bool().Draw(t, "missing") {
			d = origin.Distribution{Name: origin.Main}
		}
		begin := wiring.Run{Terms: terms, Now: now, Item: d, Records: records}
		plans := 0
		run := func(r wiring.Run) wiring.Run {
			return c.perform(t, r, func(step wiring.Step) {
				switch step.Do.(type) {
				case wiring.Update, wiring.Create, wiring.EnsureFunction, wiring.ChangeZone:
					t.Fatalf("a run in dry-run mode asks for %T", step.Do)
				}
				for _, e := range step.Outcome.Events {
					if e.Type == contract.ChangePlanned {
						plans++
					}
				}
			})
		}
		after := run(begin)
		if after.Failed != nil || after.Broken != nil {
			t.Fatalf("%v, %v", after.Failed, after.Broken)
		}
		if planned := after.Served != nil && after.Zone.Planned; plans > 1 || planned != (plans == 1) {
			t.Fatalf("%d plans were reported", plans)
		}
		if !reflect.DeepEqual(after.Item.OwnedAliases, d.OwnedAliases) || after.Item.PendingUpdate != nil || !after.Item.UpdateSent.IsZero() {
			t.Fatalf("the item says that something was written: %+v", after.Item)
		}
		again := wiring.Run{Terms: terms, Now: now, Item: after.Item, Records: after.Records}
		again.Refusals = begin.Refusals
		first := plans
		if run(again); plans != first && reflect.DeepEqual(after.Records, records) {
			t.Fatalf("the plan was reported again")
		}
	})
}

// The plan is published in words and as data, with what it would do to DNS, and again only when it changes.
func TestPlanIsReported(t *testing.T) {
	dry := adopts
	dry.DryRun = true
	c := &cloud{served: served(configOf(t), true)}
	events := func(r wiring.Run) (_ wiring.Run, plans []outcome.Detail) {
		for {
			next, step := permit(r.Next())
			for _, e := range step.Outcome.Events {
				if e.Type == contract.ChangePlanned {
					plans = append(plans, e.Detail)
				}
			}
			var a wiring.Answer
			if step.Do != nil {
				a = c.answer(step.Do)
			}
			if r = next.Learn(step, a); step.Done {
				return r, plans
			}
		}
	}
	r, plans := events(wiring.Run{Terms: dry, Now: now, Item: item("E1"), Records: fleet(1)})
	want := []outcome.PlannedChange{
		{Op: "add", Kind: "origin", ID: "originhub-vo_00", Domain: "internal.example.com"},
		{Op: "add", Kind: "behavior", ID: "/vo_00", Target: "originhub-vo_00", Before: "/theirs"},
		{Op: "add", Kind: "alias", ID: "vo_00.example.com"},
		{Op: "write", Kind: "record", ID: "vo_00.example.com A", Target: "E1.cloudfront.net"},
		{Op: "write", Kind: "record", ID: "vo_00.example.com AAAA", Target: "E1.cloudfront.net"},
	}
	if len(plans) != 1 || !slices.Equal(plans[0].Plan, want) || !strings.Contains(plans[0].Why, "originhub would add origin originhub-vo_00") {
		t.Fatalf("plans %+v\nwant %+v", plans, want)
	}
	if r.Records[0].State != origin.Pending {
		t.Errorf("the origin is %s", r.Records[0].State)
	}
	if _, plans = events(wiring.Run{Terms: dry, Now: now, Item: r.Item, Records: r.Records}); len(plans) != 0 {
		t.Errorf("the plan was reported again: %+v", plans)
	}
	leaving := r.Records[0]
	leaving.Intent = origin.Detach
	if r, plans = events(wiring.Run{Terms: dry, Now: now, Item: r.Item, Records: []origin.Record{leaving}}); len(plans) != 1 || len(plans[0].Plan) != 0 ||
		!strings.Contains(plans[0].Why, "would change nothing") {
		t.Errorf("an empty plan: %+v", plans)
	}
	manages := r.Terms
	manages.DryRun = false
	if r, _ = events(wiring.Run{Terms: manages, Now: now, Item: r.Item, Records: fleet(1)}); r.Item.PlanReported != "" || !r.Served.Config.Uses("vo_00") {
		t.Errorf("after the switch: plan reported %q, wired %t", r.Item.PlanReported, r.Served.Config.Uses("vo_00"))
	}
}
