package wiring_test

import (
	"strings"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

// Ordinary changes wait only for an update of the hub's own.
func TestChangesWaitForTheHubsOwnUpdate(t *testing.T) {
	live, added := record("vo_1", origin.Wire, origin.Live), record("vo_2", origin.Wire, origin.Pending)
	config := configOf(t, live)
	for name, c := range map[string]struct {
		updated  string // ETag of the hub's last update
		deployed bool
		waits    bool
	}{
		"the hub's own is InProgress":   {"1", false, true},
		"the hub's own is Deployed":     {"1", true, false},
		"somebody else's is InProgress": {"0", false, false},
		"nobody knows whose it is":      {"", false, false},
	} {
		r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: []origin.Record{live, added}, Visible: map[string]bool{"vo_2": true}}
		r.Item.UpdateETag, r.Item.UpdateSent = c.updated, now.Add(-time.Minute)
		r, step := feed(t, r, wiring.Answer{Served: served(config, c.deployed)})
		if _, sent := step.Do.(wiring.Update); sent == c.waits || r.Deferred != c.waits || c.waits && r.Wait != 2*time.Minute {
			t.Errorf("%s: %s, deferred %t, wait %v", name, told(step), r.Deferred, r.Wait)
		}
	}
}

// The ETag of an update whose answer was lost is known again when the update is observed by its content.
func TestUpdateIsTheHubsOwnAlthoughItsAnswerWasLost(t *testing.T) {
	for name, lost := range map[string]bool{"answered": false, "lost": true} {
		cloud := &cloud{served: served(configOf(t), true)}
		r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: []origin.Record{record("vo_01", origin.Wire, origin.Pending)}}
		r, _ = script(t, r, func(do wiring.Action) wiring.Answer {
			a := cloud.answer(do)
			if _, update := do.(wiring.Update); update && lost {
				return failed(wiring.Failed, "RequestTimeout")
			}
			return a
		})
		records := []origin.Record{r.Records[0], record("vo_02", origin.Wire, origin.Pending)}
		r = wiring.Run{Terms: adopts, Now: now.Add(time.Minute), Item: r.Item, Records: records}
		if r, _ = script(t, r, cloud.answer); cloud.accepted != 1 || r.Item.UpdateETag != cloud.served.ETag {
			t.Errorf("%s: %d updates; the last has ETag %s, and the hub knows %s", name, cloud.accepted, cloud.served.ETag, r.Item.UpdateETag)
		}
		cloud.served.ETag += "*" // somebody else writes
		r = wiring.Run{Terms: adopts, Now: now.Add(2 * time.Minute), Item: r.Item, Records: r.Records}
		if script(t, r, cloud.answer); cloud.accepted != 2 {
			t.Errorf("%s: %d updates after somebody else's", name, cloud.accepted)
		}
	}
}

// One row for each of leavesAtOnce's table.
func TestWithdrawalsDoNotWait(t *testing.T) {
	const admitted, withdrawn, started = origin.DecidedAdmitted, origin.DecidedWithdrawn, origin.DecidedTeardownStarted
	for name, c := range map[string]struct {
		intent  origin.Intent
		in      bool
		history []origin.Code // one a minute, the last one now
		before  time.Duration // and the others that much earlier
		writes  bool
	}{
		"to be wired":                           {origin.Wire, true, []origin.Code{admitted, withdrawn}, 0, false},
		"withdrawn":                             {origin.Detach, true, []origin.Code{admitted, withdrawn}, 0, true},
		"withdrawn, and out":                    {origin.Detach, false, []origin.Code{admitted, withdrawn}, 0, false},
		"withdrawn, and then tagged":            {origin.Detach, true, []origin.Code{admitted, withdrawn, started}, 0, true},
		"torn down":                             {origin.Detach, true, []origin.Code{admitted, started}, 0, false},
		"torn down after an earlier withdrawal": {origin.Detach, true, []origin.Code{withdrawn, admitted, started}, 0, false},
		"three times within an hour":            {origin.Detach, true, []origin.Code{withdrawn, admitted, withdrawn, admitted, withdrawn}, 0, true},
		"four times within an hour":             {origin.Detach, true, []origin.Code{withdrawn, admitted, withdrawn, admitted, withdrawn, admitted, withdrawn}, 0, false},
		"four times, three an hour ago":         {origin.Detach, true, []origin.Code{withdrawn, admitted, withdrawn, admitted, withdrawn, admitted, withdrawn}, time.Hour, true},
		"of a version that kept no history":     {origin.Detach, true, nil, 0, false},
	} {
		o := record("vo_1", c.intent, origin.Live)
		for i, code := range c.history {
			at := now.Add(time.Duration(i+1-len(c.history)) * time.Minute)
			if i+1 < len(c.history) {
				at = at.Add(-c.before)
			}
			o.Remember(at, code, nil, "")
		}
		config, waiting := configOf(t), record("vo_2", origin.Wire, origin.Pending)
		if c.in {
			config = configOf(t, o)
		}
		r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: []origin.Record{o, waiting}, Visible: map[string]bool{"vo_1": true, "vo_2": true}}
		r.Item.UpdateETag, r.Item.UpdateSent = "1", now.Add(-time.Minute)
		if _, step := feed(t, r, wiring.Answer{Served: served(config, false)}); strings.Contains(told(step), "update vo_2") != c.writes {
			t.Errorf("%s: %s", name, told(step))
		}
	}
}

// A wait for status Deployed is reported once, whoever wrote last, and it is over when the distribution is Deployed. No state follows from it.
func TestLongWaitsForAPropagationAreReportedOnce(t *testing.T) {
	cloud := &cloud{served: served(configOf(t), true), zone: onAir(record("vo_01", origin.Wire, origin.Live), record("vo_02", origin.Wire, origin.Live))}
	records := []origin.Record{record("vo_01", origin.Wire, origin.Pending)}
	d, refusals := item("E1"), map[string][]origin.Reason(nil)
	for i, c := range []struct {
		at       time.Duration
		arrives  string // an origin that is shared meanwhile
		foreign  bool   // somebody else has written
		deployed bool
		says     string
	}{
		{at: 0},
		{at: 30 * time.Minute},
		{at: 31 * time.Minute, says: "origin vo_01 of team-x has waited since 2026-01-02T03:04:05Z; the hub wrote the distribution last"},
		{at: 32 * time.Minute},
		{at: 33 * time.Minute, arrives: "vo_02", foreign: true},
		{at: 34 * time.Minute},
		{at: 64 * time.Minute, foreign: true, says: "origin vo_02 of team-x has waited since 2026-01-02T03:37:05Z; somebody other than the hub"},
		{at: 65 * time.Minute},
		{at: 66 * time.Minute, deployed: true},
	} {
		if c.arrives != "" {
			records = append(records, record(c.arrives, origin.Wire, origin.Pending))
		}
		for i := range records {
			records[i].Team = "team-x"
		}
		if c.foreign {
			cloud.served.ETag += "*"
		}
		cloud.served.Deployed = cloud.served.Deployed || c.deployed
		r := wiring.Run{Terms: adopts, Now: now.Add(c.at), Item: d, Records: records, Refusals: refusals}
		says := ""
		r = cloud.perform(t, r, func(step wiring.Step) {
			for _, e := range step.Outcome.Events {
				if e.Type == contract.PropagationDelayed {
					says += e.Detail.Why
				}
			}
		})
		d, records, refusals = r.Item, r.Records, r.Refusals
		if (says == "") != (c.says == "") || !strings.Contains(says, c.says) {
			t.Errorf("step %d: %q, want %q", i, says, c.says)
		}
		for _, o := range records {
			if (o.State == origin.Live) != c.deployed || o.Written.IsZero() != c.deployed {
				t.Errorf("step %d: %s is %s, written %v", i, o.ID, o.State, o.Written)
			}
		}
	}
	if len(refusals["E1 propagation"]) > 0 {
		t.Errorf("over, and still remembered: %v", refusals)
	}
}

// A wait begins with the update that contains the change, however long ago an earlier change of the origin was written.
func TestWaitBeginsWithTheUpdateOfTheChange(t *testing.T) {
	leaves := record("vo_01", origin.Detach, origin.Wired)
	leaves.Written = now.Add(-2 * time.Hour)
	cloud := &cloud{served: served(configOf(t, record("vo_01", origin.Wire, origin.Live)), true), zone: onAir(record("vo_01", origin.Wire, origin.Live))}
	r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: []origin.Record{leaves}}
	r = cloud.perform(t, r, func(step wiring.Step) {
		for _, e := range step.Outcome.Events {
			if e.Type == contract.PropagationDelayed {
				t.Error(e.Detail.Why)
			}
		}
	})
	if o := r.Records[0]; o.State != origin.Detaching || !o.Written.Equal(now) {
		t.Errorf("%s, written %v", o.State, o.Written)
	}
}
