package wiring_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

// However few updates each run may send, the search for the origins that make an update invalid ends: these are quarantined, and no others. What has to
// leave leaves with the first updates, and what arrives during the search is added after it.
func TestSearchGoesOnInTheNextRun(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "origins")
		records := fleet(n)
		leaving := record("vo_80", origin.Wire, origin.Live)
		late := record("vo_90", origin.Wire, origin.Pending)
		cloud := &cloud{served: served(configOf(t, leaving), true), zone: onAir(leaving), names: rapid.Bool().Draw(t, "CloudFront names it")}
		for _, o := range records {
			if rapid.IntRange(0, 3).Draw(t, "is bad") == 0 {
				cloud.bad = append(cloud.bad, o.ID)
			}
		}
		if len(cloud.bad) == n && n > 1 { // else the distribution itself seems to be the cause
			cloud.bad = cloud.bad[1:]
		}
		records = append(records, leaving)
		arrives, leaves := rapid.IntRange(1, 4).Draw(t, "another arrives"), rapid.IntRange(1, 4).Draw(t, "one leaves")
		item := item("E1")
		for i := range 60 {
			if i == arrives {
				records = append(records, late)
			}
			if i == leaves {
				at := slices.IndexFunc(records, func(o origin.Record) bool { return o.ID == leaving.ID })
				records[at].Intent = origin.Detach
			}
			stored, err := json.Marshal(item) // as in the registry
			if err != nil {
				t.Fatal(err)
			}
			item = origin.Distribution{}
			if err := json.Unmarshal(stored, &item); err != nil {
				t.Fatal(err)
			}
			r := wiring.Run{Terms: adopts, Now: now.Add(time.Duration(i) * time.Minute), Item: item, Records: records}
			permits := rapid.IntRange(0, 2).Draw(t, "updates in this run")
			r, sent := ask(t, r, cloud, &permits)
			item, records = r.Item, r.Records
			cloud.served.Deployed = true
			if i > max(arrives, leaves)+1 && sent == 0 && !r.Deferred {
				break
			}
		}
		for _, o := range records {
			bad, in := slices.Contains(cloud.bad, o.ID), cloud.served.Config.Uses(o.ID)
			switch {
			case o.ID == leaving.ID && (in || o.State != origin.Detached):
				t.Fatalf("%s is %s, and in the distribution: %t", o.ID, o.State, in)
			case o.ID != leaving.ID && (in == bad || (o.State == origin.Quarantined) != bad || !bad && o.State != origin.Live):
				t.Fatalf("%s is %s, and in the distribution: %t; bad are %v", o.ID, o.State, in, cloud.bad)
			}
		}
		if item.Search != nil {
			t.Fatalf("the search never ends: %+v", item.Search)
		}
	})
}

// ask performs a run in which so many updates are permitted. It returns how many were sent.
func ask(t tb, r wiring.Run, c *cloud, permits *int) (wiring.Run, int) {
	t.Helper()
	before := c.calls
	for range 300 {
		next, step := r.Next()
		var a wiring.Answer
		switch do := step.Do.(type) {
		case nil:
		case wiring.AskForUpdate:
			if *permits--; *permits < 0 {
				a.Wait = time.Minute
			}
		default:
			a = c.answer(do)
		}
		if r = next.Learn(step, a); step.Done {
			return r, c.calls - before
		}
	}
	t.Fatal("the run never ends")
	return r, 0
}

// A search is given up when one of its origins claims something else: what was learned may be wrong now.
func TestSearchIsGivenUpWhenAClaimChanges(t *testing.T) {
	for name, c := range map[string]struct {
		change func(r *wiring.Run)
		goesOn bool
	}{
		"nothing changes":            {func(*wiring.Run) {}, true},
		"one claims something else":  {func(r *wiring.Run) { r.Records[1].Claim.Paths = []string{"/other"} }, false},
		"one leaves":                 {func(r *wiring.Run) { r.Records[1].Intent = origin.Detach }, false},
		"it began an hour ago":       {func(r *wiring.Run) { r.Now = now.Add(time.Hour) }, false},
		"another arrives":            {func(r *wiring.Run) { r.Records = append(r.Records, record("vo_90", origin.Wire, origin.Pending)) }, true},
		"it was read by a later run": {func(r *wiring.Run) { r.Now = now.Add(time.Minute) }, true},
	} {
		cloud := &cloud{served: served(configOf(t), true), bad: []string{"vo_02"}}
		permits := 1
		r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: fleet(4)}
		r, sent := ask(t, r, cloud, &permits)
		if s := r.Item.Search; sent != 1 || s == nil || len(s.Rest) != 4 || s.Answer.Code != "InvalidArgument" {
			t.Fatalf("%s: sent %d, and the search is %+v", name, sent, s)
		}
		r = wiring.Run{Terms: adopts, Now: now, Item: r.Item, Records: r.Records}
		c.change(&r)
		var first []string
		_, _ = script(t, r, func(do wiring.Action) wiring.Answer {
			if update, is := do.(wiring.Update); is && first == nil {
				first = managed(update.Config)
			}
			return cloud.answer(do)
		})
		wanted := len(slices.DeleteFunc(slices.Clone(r.Records), func(o origin.Record) bool { return o.Intent != origin.Wire }))
		if goesOn := len(first) < wanted; goesOn != c.goesOn {
			t.Errorf("%s: the first update has %v", name, fmt.Sprint(first))
		}
	}
}
