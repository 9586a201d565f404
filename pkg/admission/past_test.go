package admission_test

import (
	"slices"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/origin"
)

func TestOver(t *testing.T) {
	deleted := func(change func(*origin.Record)) origin.Record {
		o := live("team-a", accountA, "vo_1", "/team-a/x")
		o.Intent, o.State, o.Version = origin.Detach, origin.Deleted, 7
		o.Remember(start.Add(-time.Hour), origin.DecidedTeardownCompleted, nil, "")
		change(&o)
		return o
	}
	for name, c := range map[string]struct {
		record  origin.Record
		noSweep bool
		over    bool
	}{
		"clean, an hour ago":               {record: deleted(func(*origin.Record) {}), over: true},
		"clean, and no sweep":              {record: deleted(func(*origin.Record) {}), noSweep: true},
		"clean, just now":                  {record: deleted(func(o *origin.Record) { o.Remember(start.Add(-time.Minute), origin.DecidedTeardownCompleted, nil, "") })},
		"a host may still lead to the hub": {record: deleted(func(o *origin.Record) { o.ReleasedHosts = []string{"a.example.com"} })},
		"incomplete":                       {record: deleted(func(o *origin.Record) { o.Teardown = &origin.Teardown{Ended: true, Outcome: "dirty"} })},
		"recalled from the past":           {record: deleted(func(o *origin.Record) { o.Version = 0 })},
		"detached":                         {record: deleted(func(o *origin.Record) { o.State = origin.Detached })},
		"live":                             {record: deleted(func(o *origin.Record) { o.Intent, o.State = origin.Wire, origin.Live })},
	} {
		r := round(c.record)
		r.Sweep = !c.noSweep
		if got := r.Over(); (len(got) == 1) != c.over {
			t.Errorf("%s: over are %v", name, got)
		}
	}
	r := round(slices.Repeat([]origin.Record{deleted(func(*origin.Record) {})}, 300)...)
	r.Sweep = true
	if n := len(r.Over()); n != 200 {
		t.Errorf("one sweep takes %d records out", n)
	}
}

// A VPC origin that is offered again goes on with the generation after its last one.
func TestRoundWithRecalledRecords(t *testing.T) {
	r := round(live("team-a", accountA, "vo_2", "/team-a/x"))
	r.Registry.Damaged = []origin.Damaged{{Origin: "vo_3"}}
	for _, id := range []string{"vo_4", "vo_3", "vo_2", "vo_1"} {
		r.Offers = append(r.Offers, admission.Offer{Ref: origin.Ref{ID: id}})
	}
	if got := r.Unrecorded(); !slices.Equal(got, []string{"vo_1", "vo_4"}) {
		t.Errorf("unrecorded are %q", got)
	}
	r = r.With([]origin.Record{{Ref: origin.Ref{ID: "vo_1"}, Generation: 7, State: origin.Deleted}, {Ref: origin.Ref{ID: "vo_2"}, State: origin.Wired}})
	if o, known := r.Registry.Find("vo_1"); !known || o.Generation != 7 || r.Registry.Records[0].ID != "vo_1" || len(r.Registry.Records) != 2 || r.Registry.Records[1].State != origin.Wired {
		t.Errorf("%+v", r.Registry.Records)
	}
}
