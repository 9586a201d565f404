package admission_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/teardown"
)

// drawRound draws a round with any registry, and the result of reading the tags that are due.
func drawRound(t *rapid.T) (admission.Round, []admission.Reading) {
	fleet := []string{"E1", "E2", "E3"}[:rapid.IntRange(1, 3).Draw(t, "fleet")]
	r := admission.Round{Policy: fleetOf(fleet...), Sweep: true}
	r.Policy.Limits.PerTeam.Origins = rapid.IntRange(0, 4).Draw(t, "per team")
	r.Policy.Limits.Behaviors = rapid.IntRange(0, 5).Draw(t, "behaviors")
	if rapid.Bool().Draw(t, "per host") {
		r.Policy.Aliases = admission.PerHost
	}
	for i := range r.Policy.Teams {
		grants := r.Policy.Teams[i].Grants
		grants[0].Host, grants[0].Paths = "*.example.com", append(grants[0].Paths, "/shared/*")
	}
	r.Registry = origin.Snapshot{Now: start, Refusals: map[string][]origin.Reason{}}
	names := append([]string{origin.Main}, fleet[1:]...)
	for _, name := range append(names, "E9") { // which policy no longer names
		d := origin.Distribution{Name: name}
		switch rapid.IntRange(0, 9).Draw(t, "state of "+name) {
		case 0: // never observed
		case 1:
			d.Unavailable = origin.Reason{Code: "denied", Message: "AWS answers AccessDenied"}
		default:
			d.ObservedAt = start
		}
		r.Registry.Distributions = append(r.Registry.Distributions, d)
	}
	var tags []map[string]string
	for i := range rapid.IntRange(0, 7).Draw(t, "origins") {
		team, account := "team-a", accountA
		if rapid.Bool().Draw(t, "of team-b") {
			team, account = "team-b", accountB
		}
		o := drawRecord(t, fmt.Sprintf("vo_%d", i), team, account, append(names, "E9"))
		known := rapid.IntRange(0, 2).Draw(t, "known") > 0
		if known {
			r.Registry.Records = append(r.Registry.Records, o)
		} else if rapid.Bool().Draw(t, "held") {
			d := &r.Registry.Distributions[rapid.IntRange(0, len(names)-1).Draw(t, "where")]
			d.Orphans = append(d.Orphans, o.Ref)
		}
		if rapid.IntRange(0, 4).Draw(t, "offered") > 0 {
			r.Offers = append(r.Offers, offered(o))
			r.Visible = append(r.Visible, origin.VpcOrigin{Ref: o.Ref, Deployed: true})
		}
		claim := o.Claim
		if rapid.Bool().Draw(t, "claims something else") {
			claim = drawClaim(t, team)
		}
		o.Claim = claim
		tags = append(tags, tagged(o, []string{contract.TagTeardown, "Name"}[min(1, rapid.IntRange(0, 4).Draw(t, "tagged"))]).Tags)
	}
	var read []admission.Reading
	for _, o := range r.Due().Read {
		var i int
		if _, err := fmt.Sscanf(o.ID, "vo_%d", &i); err != nil {
			t.Fatal(err)
		}
		switch rapid.IntRange(0, 9).Draw(t, "reading") {
		case 0: // it may be readable later
		case 1:
			read = append(read, admission.Reading{Offer: o, Unreadable: true, Code: "AccessDenied"})
		default:
			read = append(read, admission.Reading{Offer: o, Tags: tags[i]})
		}
	}
	return r, read
}

func drawClaim(t *rapid.T, team string) origin.Claim {
	return origin.Claim{
		Hosts:  []string{rapid.SampledFrom([]string{"a.example.com", "b.example.com", "c.example.com"}).Draw(t, "host")},
		Paths:  []string{rapid.SampledFrom([]string{"/shared/*", "/shared/x/*", "/shared/x/y", "/" + team + "/*", "/" + team + "/x", "/unmanaged"}).Draw(t, "path")},
		Domain: "alb.example.com",
	}
}

func drawRecord(t *rapid.T, id, team, account string, distributions []string) origin.Record {
	o := live(team, account, id)
	o.Claim = drawClaim(t, team)
	o.Distribution = rapid.SampledFrom(distributions).Draw(t, "distribution")
	o.State = rapid.SampledFrom([]origin.State{
		origin.Deferred, origin.Pending, origin.Wired, origin.Live, origin.Quarantined, origin.Live,
	}).Draw(t, "state")
	o.Admitted = start.Add(-time.Duration(rapid.IntRange(0, 3).Draw(t, "admitted")) * time.Minute)
	if rapid.IntRange(0, 3).Draw(t, "left") == 0 {
		o.ReleasedHosts = []string{"d.example.com"}
	}
	if rapid.IntRange(0, 2).Draw(t, "leaves") == 0 {
		o.Intent = origin.Detach
		o.State = rapid.SampledFrom([]origin.State{origin.Live, origin.Detaching, origin.Detached, origin.Deleted}).Draw(t, "state")
	}
	if rapid.IntRange(0, 2).Draw(t, "teardown") == 0 {
		o.Teardown = &origin.Teardown{
			Value: "now", Requested: start.Add(-time.Hour), Since: start.Add(-time.Hour), Due: start.Add(rapid.SampledFrom([]time.Duration{-time.Hour, time.Hour}).Draw(t, "due")),
			Phase: string(rapid.SampledFrom(teardown.Phases()).Draw(t, "phase")), Ended: rapid.Bool().Draw(t, "ended"),
		}
	}
	return o
}

// after returns the registry after changes, with the reported refusals.
func after(s origin.Snapshot, changes []admission.Change) origin.Snapshot {
	out := origin.Snapshot{Now: s.Now, Distributions: s.Distributions, Records: slices.Clone(s.Records), Refusals: map[string][]origin.Reason{}}
	for what, reasons := range s.Refusals {
		out.Refusals[what] = reasons
	}
	for what, reasons := range remembered(changes) {
		out.Refusals[what] = reasons
	}
	for _, o := range records(changes) {
		out.Records = slices.DeleteFunc(out.Records, func(other origin.Record) bool { return other.ID == o.ID })
		o.Version++
		out.Records = append(out.Records, o)
	}
	slices.SortFunc(out.Records, func(a, b origin.Record) int { return strings.Compare(a.ID, b.ID) })
	return out
}

func TestRoundIsPureAndIndependentOfOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, read := drawRound(t)
		before := fmt.Sprintf("%+v %+v", r, read)
		changes, recheck := r.Decide(read)
		if now := fmt.Sprintf("%+v %+v", r, read); now != before {
			t.Fatalf("Decide changed its input: %s\nwas %s", now, before)
		}
		r.Offers = rapid.Permutation(r.Offers).Draw(t, "offers")
		r.Visible = rapid.Permutation(r.Visible).Draw(t, "visible")
		again, recheckAgain := r.Decide(rapid.Permutation(read).Draw(t, "readings"))
		if diff := cmp.Diff(changes, again); diff != "" || recheck != recheckAgain {
			t.Fatal(diff)
		}
	})
}

// A record is written once, since a second write in the same round would have an outdated version. A refusal is reported once.
func TestRoundWritesEachRecordOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, read := drawRound(t)
		changes, _ := r.Decide(read)
		written := map[string]bool{}
		for _, c := range changes {
			if c.Record != nil && c.Refusal != nil || c.Record == nil && c.Refusal == nil {
				t.Fatalf("a change writes two items or none: %+v", c)
			}
			var key string
			if c.Record != nil {
				key = c.Record.ID
				was, known := r.Registry.Find(key)
				if known != (c.Record.Version > 0) || known && c.Record.Version != was.Version {
					t.Fatalf("%s was read with version %d, and is written with version %d", key, was.Version, c.Record.Version)
				}
				if moved := known && was.Distribution != c.Record.Distribution; moved != (c.From != "") || moved && c.From != was.Distribution {
					t.Fatalf("%s was in %s, is written to %s, and moves from %q", key, was.Distribution, c.Record.Distribution, c.From)
				}
			} else {
				key = c.Refusal.What
			}
			if written[key] {
				t.Fatalf("%s is written twice: %v", key, what(changes))
			}
			written[key] = true
		}
	})
}

// Only an admission or a withdrawal changes the record of an origin in a distribution. A refusal does not.
func TestRefusedClaimChangesNoRecordInADistribution(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, read := drawRound(t)
		changes, _ := r.Decide(read)
		refused := remembered(changes)
		for _, o := range records(changes) {
			was, known := r.Registry.Find(o.ID)
			if !known || refused[o.ARN] == nil || o.Intent == origin.Detach {
				continue
			}
			if was.Placed() || !cmp.Equal(was.Claim, o.Claim) {
				t.Fatalf("it was refused for %v, and its record became %+v\nfrom %+v", refused[o.ARN], o, was)
			}
		}
	})
}

// After a round, every claim that is not withdrawn is permitted by the hub policy and by earlier claims. No origin is both admitted and
// withdrawn.
func TestRoundAgreesWithSettle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, read := drawRound(t)
		changes, _ := r.Decide(read)
		if dropped := admission.Settle(after(r.Registry, changes).Records, r.Policy); len(dropped) > 0 {
			t.Fatalf("after %v, Settle drops %+v", what(changes), dropped)
		}
	})
}

// A second round with the same tags writes no record, unless the first one made capacity or paths available. It may report more reasons
// for a refusal, since other origins were admitted after it. After some rounds nothing is reported.
func TestRoundIsIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, read := drawRound(t)
		for range 20 {
			changes, _ := r.Decide(read)
			if len(changes) == 0 {
				return
			}
			freed := slices.ContainsFunc(records(changes), func(o origin.Record) bool {
				was, _ := r.Registry.Find(o.ID)
				return o.Intent == origin.Detach || was.Reserves() && (!cmp.Equal(was.Claim, o.Claim) || was.Distribution != o.Distribution)
			})
			r.Registry = after(r.Registry, changes)
			if again, _ := r.Decide(read); !freed && len(records(again)) > 0 {
				t.Fatalf("first %v, then %v\n%s", what(changes), what(again), cmp.Diff(changes, again))
			}
		}
		t.Fatal("each round has changes")
	})
}
