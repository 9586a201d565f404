package wiring_test

import (
	"slices"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

// suspending suspends VPC origins by their ids.
func suspending(ids ...string) origin.Suspended {
	s := origin.Suspended{Origins: map[string]origin.Hold{}}
	for _, id := range ids {
		s.Origins[id] = origin.ParseHold("suspend#"+id, "alice", "attack", "")
	}
	return s
}

// A suspended origin that is to be wired is withdrawn, in whatever state it is; the others are not.
func TestSuspend(t *testing.T) {
	for _, state := range origin.States() {
		for _, intent := range []origin.Intent{origin.Wire, origin.Detach} {
			o, other := record("vo_1", intent, state), record("vo_2", origin.Wire, origin.Live)
			r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: []origin.Record{o, other}, Suspended: suspending("vo_1")}
			_, step := r.Next()
			withdrawn := intent == origin.Wire && state != origin.Deleted
			if withdrawn != (len(step.Records) == 1) {
				t.Fatalf("%s, %s: %s", intent, state, told(step))
			}
			if !withdrawn {
				continue
			}
			got, e := step.Records[0], step.Outcome.Events[0]
			if got.ID != "vo_1" || got.Intent != origin.Detach || got.State != state || !origin.HasCode(got.Reasons, origin.OriginSuspended) ||
				got.History[0].Code != origin.DecidedWithdrawn || step.Do != nil {
				t.Errorf("%s: %+v", state, got)
			}
			if e.Type != contract.OriginWithdrawn || e.Detail.Severity != contract.SeverityInfo {
				t.Errorf("%s: %+v", state, e)
			}
			if _, again := r.Learn(step, wiring.Answer{}).Next(); len(again.Records) != 0 {
				t.Errorf("%s: a second time: %s", state, told(again))
			}
		}
	}
	byAccount := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: []origin.Record{record("vo_1", origin.Wire, origin.Live)}, Suspended: origin.Suspended{
		Accounts: map[string]origin.Hold{"111111111111": origin.ParseHold("suspend#team-a", "", "", "")},
	}}
	if _, step := byAccount.Next(); len(step.Records) != 1 {
		t.Errorf("by its account: %s", told(step))
	}
}

// An update removes a suspended origin that has no record, or one that cannot be read, and no other orphan.
func TestSuspendedOrphanLeaves(t *testing.T) {
	both := configOf(t, record("vo_1", origin.Wire, origin.Live), record("vo_2", origin.Wire, origin.Live))
	for name, c := range map[string]struct {
		suspended []string
		want      []string
	}{"none": {nil, nil}, "one": {[]string{"vo_1"}, []string{"vo_2"}}, "both": {[]string{"vo_1", "vo_2"}, []string{}}} {
		t.Run(name, func(t *testing.T) {
			r := wiring.Run{Terms: adopts, Now: now, Alone: true, Item: item("E1"), Suspended: suspending(c.suspended...)}
			_, step := feed(t, r, wiring.Answer{Served: served(both, true)})
			update, updates := step.Do.(wiring.Update)
			if updates != (c.want != nil) || updates && !slices.Equal(managed(update.Config), c.want) {
				t.Errorf("%s", told(step))
			}
		})
	}
}

// A run for a paused distribution does nothing at all, whatever the registry wants.
func TestPausedRunDoesNothing(t *testing.T) {
	s := origin.Snapshot{
		Now: now, Distributions: []origin.Distribution{item("E1")}, Records: []origin.Record{record("vo_1", origin.Wire, origin.Pending), record("vo_2", origin.Detach, origin.Live)},
		Refusals: map[string][]origin.Reason{},
	}
	for key, paused := range map[string]bool{"pause#hub": true, "pause#E1": true, "pause#main": true, "pause#E2": false} {
		s.Holds = []origin.Hold{origin.ParseHold(key, "alice", "by hand", "")}
		r := wiring.Begin(s, origin.Main, adopts)
		r.Suspended = suspending("vo_1")
		if _, step := r.Next(); paused != (told(step) == "over") {
			t.Errorf("%s: %s", key, told(step))
		}
	}
}

// What a person suspended leaves without waiting for anything: neither for the spacing of updates, nor for the propagation of the last one, nor
// for its teardown, nor because it was withdrawn too often.
func TestSuspendedOriginLeavesAtOnce(t *testing.T) {
	terms := adopts
	terms.Spacing = time.Hour
	wired, torn, orphan := record("vo_1", origin.Wire, origin.Live), record("vo_1", origin.Detach, origin.Live), record("vo_1", origin.Wire, origin.Live)
	torn.Remember(now, origin.DecidedTeardownStarted, nil, "")
	for range 5 {
		wired.Remember(now, origin.DecidedWithdrawn, nil, "")
	}
	for name, records := range map[string][]origin.Record{"wired": {wired}, "torn down": {torn}, "an orphan": nil} {
		for _, suspended := range []bool{true, false} {
			r := wiring.Run{Terms: terms, Now: now, Alone: true, Item: item("E1"), Records: records}
			if suspended {
				r.Suspended = suspending("vo_1")
			}
			r.Item.UpdateETag, r.Item.UpdateSent = "1", now.Add(-time.Minute)
			if _, step := feed(t, r, wiring.Answer{Served: served(configOf(t, orphan), false)}); (told(step) == "save, update") != suspended {
				t.Errorf("%s, suspended %v: %s", name, suspended, told(step))
			}
		}
	}
}

// An update removes an origin that is withdrawn and whose record cannot be read, and it waits for nothing, since CloudFront refuses every other
// update of the distribution. A damaged record alone removes nothing.
func TestWithdrawnOrphanLeavesAtOnce(t *testing.T) {
	both := configOf(t, record("vo_1", origin.Wire, origin.Live), record("vo_2", origin.Wire, origin.Live))
	terms := adopts
	terms.Spacing = time.Hour
	for name, reasons := range map[string][]origin.Reason{"damaged": nil, "withdrawn": {{Code: origin.OriginNotShared}}} {
		t.Run(name, func(t *testing.T) {
			is := item("E1")
			is.Orphans = []origin.Ref{record("vo_1", origin.Wire, origin.Live).Ref, record("vo_2", origin.Wire, origin.Live).Ref}
			is.UpdateETag, is.UpdateSent = "1", now.Add(-time.Minute)
			r := wiring.Begin(origin.Snapshot{
				Now: now, Distributions: []origin.Distribution{is}, Refusals: map[string][]origin.Reason{origin.WithdrawalOf("vo_1"): reasons},
			}, is.Name, terms)
			r.Alone = true
			_, step := feed(t, r, wiring.Answer{Served: served(both, false)})
			update, updates := step.Do.(wiring.Update)
			if updates != (reasons != nil) || updates && !slices.Equal(managed(update.Config), []string{"vo_2"}) {
				t.Errorf("%s", told(step))
			}
		})
	}
}
