package admission_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
)

// holding returns a round about records with these holds.
func holding(records []origin.Record, keys ...string) admission.Round {
	r := round(records...)
	for _, key := range keys {
		r.Registry.Holds = append(r.Registry.Holds, origin.ParseHold(key, "alice", "attack", "2026-11-01T00:00:00Z"))
	}
	r.Suspended = admission.Suspended(r.Registry, r.Policy)
	return r
}

func TestSuspended(t *testing.T) {
	is, renamed, moved := live("team-a", accountA, "vo_1", "/team-a/x"), live("old-name", accountA, "vo_2", "/team-a/y"), live("team-a", accountB, "vo_3", "/team-b/x")
	all := []origin.Record{is, renamed, moved}
	for key, want := range map[string][]string{
		"suspend#team-a":   {"vo_1", "vo_2", "vo_3"}, // vo_3 was admitted when its account belonged to team-a
		"suspend#team-b":   {"vo_3"},
		"suspend#old-name": {"vo_2"},
		"suspend#vo_1":     {"vo_1"},
		"suspend#team-x":   nil,
		"suspend#":         nil,
		"pause#team-a":     nil,
	} {
		s := holding(all, key).Suspended
		var got []string
		for _, o := range all {
			if by, suspended := s.Of(o.Ref); suspended {
				got = append(got, o.ID)
				if by.Key != key {
					t.Errorf("%s: %s is suspended by %s", key, o.ID, by.Key)
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", key, diff)
		}
	}
	if _, suspended := holding(nil, "suspend#team-a").Suspended.Of(ref(accountA, "vo_9")); !suspended {
		t.Error("an origin without a record is not suspended with its team")
	}
}

// One row for each of the table of Holds, and each is said once.
func TestHolds(t *testing.T) {
	is := live("team-a", accountA, "vo_1", "/team-a/x")
	for key, c := range map[string]struct{ event, ended, why string }{
		"suspend#team-a": {contract.SuspensionBegan, contract.SuspensionEnded, "alice has suspended team team-a since 2026-11-01T00:00:00Z (attack); " +
			"originhub admits no origin that this concerns, and takes out of its distribution and DNS: vo_1; to end this, delete item suspend#team-a in partition hold of the registry"},
		"suspend#team-b": {contract.SuspensionBegan, contract.SuspensionEnded, "out of its distribution and DNS: none; "},
		"suspend#vo_9":   {contract.SuspensionBegan, contract.SuspensionEnded, "out of its distribution and DNS: none; "},
		"suspend#team-x": {contract.RegistryItemDamaged, "", "item suspend#team-x in partition hold of the registry has no effect"},
		"stop#team-a":    {contract.RegistryItemDamaged, "", "item stop#team-a in partition hold of the registry has no effect"},
		"pause#hub":      {contract.PauseBegan, contract.PauseEnded, "alice has paused the hub since"},
		"pause#main":     {contract.PauseBegan, contract.PauseEnded, "alice has paused distribution main since"},
		"pause#E-main":   {contract.PauseBegan, contract.PauseEnded, "alice has paused distribution E-main since"},
		"pause#E1":       {contract.PauseBegan, contract.PauseEnded, "alice has paused distribution E1 since"}, // adopted, and not observed yet
		"pause#E9":       {contract.RegistryItemDamaged, "", "item pause#E9 in partition hold of the registry has no effect"},
	} {
		t.Run(key, func(t *testing.T) {
			r := holding([]origin.Record{is}, key)
			began := r.Holds()
			if len(began) != 1 || len(began[0].Events) != 1 {
				t.Fatalf("got %+v", began)
			}
			e := began[0].Events[0]
			if e.Type != c.event || !strings.Contains(e.Detail.Why, c.why) || e.Detail.Severity != contract.SeverityAlarm || e.Detail.Who != "alice" {
				t.Errorf("got %s %+v", e.Type, e.Detail)
			}
			r.Registry.Refusals[began[0].Refusal.What] = began[0].Refusal.Reasons
			if again := r.Holds(); len(again) != 0 {
				t.Errorf("a second time: %+v", again)
			}
			rewritten := r
			rewritten.Registry.Holds = []origin.Hold{origin.ParseHold(key, "", "attack", "2026-11-01T00:00:00Z")}
			if again := rewritten.Holds(); c.ended != "" && (len(again) != 1 || !strings.Contains(again[0].Events[0].Detail.Why, "lacks a valid value of who, and has its effect nevertheless")) {
				t.Errorf("written again without who: %+v", again)
			}
			r.Registry.Holds = nil
			ended := r.Holds()
			if len(ended) != 1 || len(ended[0].Refusal.Reasons) != 0 || (c.ended == "") != (len(ended[0].Events) == 0) {
				t.Fatalf("deleted: %+v", ended)
			}
			if c.ended != "" && (ended[0].Events[0].Type != c.ended || ended[0].Events[0].Detail.Severity != contract.SeverityInfo) {
				t.Errorf("deleted: %+v", ended[0].Events)
			}
			r.Registry.Refusals[ended[0].Refusal.What] = ended[0].Refusal.Reasons
			if again := r.Holds(); len(again) != 0 {
				t.Errorf("deleted, a second time: %+v", again)
			}
		})
	}
}

// A suspension says that an origin leaves although its record cannot be read.
func TestSuspensionOfAnOrphan(t *testing.T) {
	r := holding(nil, "suspend#team-a")
	r.Registry.Distributions[0].Orphans = []origin.Ref{ref(accountA, "vo_1"), ref(accountB, "vo_2")}
	if why := r.Holds()[0].Events[0].Detail.Why; !strings.Contains(why, "out of its distribution and DNS: vo_1; ") {
		t.Error(why)
	}
	r = holding(nil, "pause#main", "suspend#team-a")
	r.Registry.Distributions[0].Orphans = []origin.Ref{ref(accountA, "vo_1")}
	if why := r.Holds()[1].Events[0].Detail.Why; !strings.Contains(why, "DNS: none; these stay, because their distribution is paused: vo_1 (pause#main)") {
		t.Error(why)
	}
}

// A suspension does not say that an origin leaves a distribution that is paused.
func TestSuspensionInAPausedDistribution(t *testing.T) {
	r := holding([]origin.Record{live("team-a", accountA, "vo_1", "/team-a/x")}, "pause#main", "suspend#team-a")
	why := r.Holds()[1].Events[0].Detail.Why
	if !strings.Contains(why, "out of its distribution and DNS: none; these stay, because their distribution is paused: vo_1 (pause#main); ") {
		t.Error(why)
	}
}

// Whatever a suspended origin is or claims, no round changes its record, and nobody reads its tags. It keeps its claim while it is out.
func TestSuspendedOriginStaysOut(t *testing.T) {
	out := live("team-a", accountA, "vo_1", "/shared/*")
	out.Intent, out.State, out.Reasons = origin.Detach, origin.Detached, []origin.Reason{{Code: origin.OriginSuspended}}
	waits := live("team-a", accountA, "vo_1", "/shared/*")
	waits.State = origin.Deferred
	for name, o := range map[string]origin.Record{"detached": out, "deferred": waits, "live": live("team-a", accountA, "vo_1", "/shared/*")} {
		r := holding([]origin.Record{o}, "suspend#team-a")
		r.Sweep, r.Offers = true, []admission.Offer{offered(o)}
		due := r.Due()
		changes, _ := r.Decide(nil)
		if len(due.Read)+len(due.Stated)+len(due.Changes)+len(changes) != 0 {
			t.Errorf("%s: due %+v, changes %+v", name, due, changes)
		}
	}
	unknown := holding(nil, "suspend#team-a")
	unknown.Sweep, unknown.Offers, unknown.Visible = true, []admission.Offer{offered(out)}, []origin.VpcOrigin{{Ref: out.Ref, Deployed: true}}
	due := unknown.Due()
	if len(due.Read) != 0 || len(due.Changes) != 1 || due.Changes[0].Record != nil || due.Changes[0].Events[0].Type != contract.OriginRefused ||
		due.Changes[0].Events[0].Detail.Severity != contract.SeverityInfo {
		t.Errorf("without a record: due %+v", due)
	}
	unknown.Registry.Refusals = map[string][]origin.Reason{out.ARN: due.Changes[0].Refusal.Reasons}
	if again := unknown.Due(); len(again.Changes) != 0 {
		t.Errorf("without a record, and reported: %+v", again.Changes)
	}

	rival := admission.Reading{Offer: admission.Offer{Ref: ref(accountB, "vo_0"), Shares: []string{"share"}}, Tags: map[string]string{
		contract.TagHost: "team-b.example.com", contract.TagPaths: "/shared/x/", contract.TagDomain: "internal.example.com",
	}}
	deleted, refused := out, claiming(out, "/team-b/*", "/shared/*")
	deleted.State = origin.Deleted
	for name, c := range map[string]struct {
		record   origin.Record
		holds    []string
		unshared bool
		want     string
	}{
		"suspended":                                {out, []string{"suspend#team-a"}, false, "Origin Refused claim-taken"},
		"suspended, and not shared":                {out, []string{"suspend#team-a"}, true, "Origin Refused claim-taken"},
		"the suspension has ended":                 {out, nil, false, "Origin Refused claim-taken"},
		"the suspension has ended, and not shared": {out, nil, true, "Origin Admitted"},
		"the policy does not permit the claim":     {refused, []string{"suspend#team-a"}, false, "Origin Admitted"},
		"deleted":                                  {deleted, []string{"suspend#team-a"}, false, "Origin Admitted"},
	} {
		r := holding([]origin.Record{c.record}, c.holds...)
		if c.unshared {
			r.Visible = nil
		}
		r.Visible = append(r.Visible, origin.VpcOrigin{Ref: rival.Ref, Deployed: true})
		changes, _ := r.Decide([]admission.Reading{rival})
		if got := what(changes); !slices.Equal(got, []string{c.want}) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// When the suspension has ended, the origin comes back by its tags.
func TestSuspendedOriginComesBack(t *testing.T) {
	out := live("team-a", accountA, "vo_1", "/team-a/*")
	out.Intent, out.State, out.Reasons = origin.Detach, origin.Detached, []origin.Reason{{Code: origin.OriginSuspended}}
	r := holding([]origin.Record{out})
	r.Sweep, r.Offers = true, []admission.Offer{offered(out)}
	due := r.Due()
	if len(due.Read) != 1 {
		t.Fatalf("due %+v", due)
	}
	tags := map[string]string{contract.TagHost: "team-a.example.com", contract.TagPaths: "/team-a/", contract.TagDomain: "internal.example.com"}
	changes, _ := r.Decide([]admission.Reading{{Offer: due.Read[0], Tags: maps.Clone(tags)}})
	if got := records(changes); len(got) != 1 || got[0].Intent != origin.Wire || got[0].State != origin.Pending || len(got[0].Reasons) != 0 {
		t.Errorf("got %+v", changes)
	}
}
