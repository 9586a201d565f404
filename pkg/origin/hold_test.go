package origin_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/origin"
)

// What a hold does is in its key: whatever else of the item is damaged, it has its effect.
func TestParseHold(t *testing.T) {
	at := time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)
	const since = "2026-12-01T09:00:00+01:00"
	for key, c := range map[string]struct {
		who, why, since string
		want            origin.Hold
		says            string
	}{
		"suspend#team-b": {
			"alice", "attack", since,
			origin.Hold{Kind: origin.Suspend, Subject: "team-b", Who: "alice", Why: "attack", Since: at},
			"alice has suspended team team-b since 2026-12-01T08:00:00Z (attack)",
		},
		"suspend#vo_1": {
			"", "", "yesterday",
			origin.Hold{Kind: origin.Suspend, Subject: "vo_1", Lacks: []string{"who", "why", "since"}},
			"somebody has suspended VPC origin vo_1 (no reason is given)",
		},
		"pause#hub": {
			"alice", "by hand", "",
			origin.Hold{Kind: origin.Pause, Subject: "hub", Who: "alice", Why: "by hand", Lacks: []string{"since"}},
			"alice has paused the hub (by hand)",
		},
		"pause#E1#2": {
			"alice", "x", since,
			origin.Hold{Kind: origin.Pause, Subject: "E1#2", Who: "alice", Why: "x", Since: at},
			"alice has paused distribution E1#2 since 2026-12-01T08:00:00Z (x)",
		},
		"suspend#": {"alice", "x", since, origin.Hold{Who: "alice", Why: "x", Since: at}, ""},
		"suspend":  {"alice", "x", since, origin.Hold{Who: "alice", Why: "x", Since: at}, ""},
		"Pause#E1": {"alice", "x", since, origin.Hold{Who: "alice", Why: "x", Since: at}, ""},
		"":         {"alice", "x", since, origin.Hold{Who: "alice", Why: "x", Since: at}, ""},
	} {
		c.want.Key = key
		got := origin.ParseHold(key, c.who, c.why, c.since)
		if !reflect.DeepEqual(got, c.want) || c.says != "" && got.String() != c.says {
			t.Errorf("%q: got %+v, in words %q", key, got, got)
		}
	}
}

func TestPaused(t *testing.T) {
	d := origin.Distribution{Name: origin.Main, Identity: origin.Identity{ID: "E1"}}
	created := origin.Distribution{Name: "main-2"} // it does not exist yet
	for key, c := range map[string]struct{ d, created bool }{
		"pause#hub": {true, true}, "pause#E1": {true, false}, "pause#main": {true, false}, "pause#main-2": {false, true}, "pause#": {}, "pause#E2": {}, "suspend#hub": {}, "suspend#E1": {},
	} {
		s := origin.Snapshot{Holds: []origin.Hold{origin.ParseHold("pause#E9", "", "", ""), origin.ParseHold(key, "", "", "")}}
		by, paused := s.Paused(d)
		if _, other := s.Paused(created); paused != c.d || other != c.created || paused && by.Key != key {
			t.Errorf("%s: %v by %q, %v", key, paused, by.Key, other)
		}
	}
}
