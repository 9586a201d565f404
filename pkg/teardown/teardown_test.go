package teardown_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/teardown"
)

var start = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

const owner = "222222222222"

// detached is a teardown that has got as far as a phase, with nothing in the way of the phases before.
func detached(phase teardown.Phase) teardown.Observed {
	return teardown.Observed{
		Now: start.Add(time.Hour), Phase: phase, Generation: 3, Tagged: true, Exists: true, Status: "Deployed",
		Shares: []teardown.Share{{ARN: "share-1", Status: "ASSOCIATED"}},
		Record: origin.Record{
			Ref: origin.Ref{ID: "vo_b", Account: owner}, Generation: 3, Intent: origin.Detach, State: origin.Detached,
			Teardown: &origin.Teardown{
				Requested: start, Due: start, Phase: string(phase), Since: start.Add(time.Hour),
				Region: "eu-west-1", VPC: "vpc-1", ENIs: []string{"eni-1", "eni-2"}, Recorded: phaseIndex(phase) > phaseIndex(teardown.Record),
			},
		},
	}
}

// gone is a teardown whose VPC origin is deleted.
func gone(enis ...string) teardown.Observed {
	o := detached(teardown.Verify)
	o.Exists, o.Status, o.Shares = false, "", nil
	for _, id := range enis {
		o.ENIs = append(o.ENIs, teardown.ENI{ID: id})
	}
	return o
}

var facts = []teardown.Fact{
	teardown.Tag, teardown.Naming, teardown.Usage, teardown.Sharing, teardown.Existence, teardown.Interfaces,
}

// decide looks at whatever Next wants to see, and answers what it says then and what was looked at.
func decide(t interface{ Fatalf(string, ...any) }, o teardown.Observed) (teardown.Step, []teardown.Fact) {
	var looked []teardown.Fact
	o.Seen = map[teardown.Fact]bool{}
	for {
		s := teardown.Next(o)
		if s.Verdict != teardown.Look {
			return s, looked
		}
		if !slices.Contains(facts, s.Look) || o.Seen[s.Look] {
			t.Fatalf("wants to look at %q again: %+v", s.Look, s)
		}
		o.Seen[s.Look] = true
		looked = append(looked, s.Look)
	}
}

func phaseIndex(p teardown.Phase) int { return slices.Index(teardown.Phases(), p) }

func TestNext(t *testing.T) {
	for name, c := range map[string]struct {
		seen    teardown.Observed
		change  func(*teardown.Observed)
		phase   teardown.Phase
		verdict teardown.Verdict
		outcome teardown.Outcome
		says    []string
	}{
		"just requested": {
			seen:   detached(""),
			change: func(o *teardown.Observed) { o.Record.Intent, o.Record.State = origin.Wire, origin.Live },
			phase:  teardown.Warn, verdict: teardown.Act,
		},
		"grace": {
			seen: detached(teardown.Grace),
			change: func(o *teardown.Observed) {
				o.Record.Intent, o.Record.State, o.Record.Teardown.Due = origin.Wire, origin.Live, o.Now.Add(time.Second)
			},
			phase: teardown.Grace, verdict: teardown.Wait, says: []string{"2026-11-22T09:00:01Z"},
		},
		"tag removed during grace": {
			seen: detached(teardown.Grace),
			change: func(o *teardown.Observed) {
				o.Record.Intent, o.Record.State, o.Tagged = origin.Wire, origin.Live, false
			},
			phase: teardown.Report, verdict: teardown.Done, outcome: teardown.Cancelled, says: []string{"nothing happened"},
		},
		"tag removed while detaching, shares not looked at": {
			seen:   detached(teardown.Detach),
			change: func(o *teardown.Observed) { o.Record.State, o.Tagged, o.Shares = origin.Detaching, false, nil },
			phase:  teardown.Report, verdict: teardown.Done, outcome: teardown.Cancelled, says: []string{"wired again"},
		},
		"tag removed before unsharing": {
			seen:   detached(teardown.Unshare),
			change: func(o *teardown.Observed) { o.Tagged = false },
			phase:  teardown.Report, verdict: teardown.Done, outcome: teardown.Cancelled, says: []string{"wired again"},
		},
		"tag removed while unsharing": {
			seen:   detached(teardown.Unshare),
			change: func(o *teardown.Observed) { o.Tagged, o.Shares[0].Status = false, "DISASSOCIATING" },
			phase:  teardown.Unshare, verdict: teardown.Wait,
		},
		"tag removed when one of two shares is ending": {
			seen: detached(teardown.Unshare),
			change: func(o *teardown.Observed) {
				o.Tagged = false
				o.Shares = append(o.Shares, teardown.Share{ARN: "share-2", Status: "DISASSOCIATING"})
			},
			phase: teardown.Report, verdict: teardown.Stuck, outcome: teardown.Stopped, says: []string{"share it with the hub again"},
		},
		"tag removed after unsharing": {
			seen:   detached(teardown.Delete),
			change: func(o *teardown.Observed) { o.Tagged, o.Shares = false, nil },
			phase:  teardown.Report, verdict: teardown.Stuck, outcome: teardown.Stopped, says: []string{"no longer shared"},
		},
		"out of date": {
			seen:   detached(teardown.Confirm),
			change: func(o *teardown.Observed) { o.Generation = 2 },
			phase:  teardown.Report, verdict: teardown.Done, outcome: teardown.Cancelled, says: []string{"generation 2", "generation 3"},
		},
		"reported before": {
			seen:   gone(),
			change: func(o *teardown.Observed) { o.Record.State, o.Record.Teardown = origin.Deleted, nil },
			phase:  teardown.Report, verdict: teardown.Done, outcome: teardown.Clean,
		},
		"due": {
			seen:   detached(teardown.Grace),
			change: func(o *teardown.Observed) { o.Record.Intent, o.Record.State = origin.Wire, origin.Live },
			phase:  teardown.Detach, verdict: teardown.Act,
		},
		"out of the configuration, not Deployed": {
			seen:   detached(teardown.Detach),
			change: func(o *teardown.Observed) { o.Record.State = origin.Detaching },
			phase:  teardown.Detach, verdict: teardown.Act,
		},
		"somebody put it back": {
			seen:   detached(teardown.Unshare),
			change: func(o *teardown.Observed) { o.Named = true },
			phase:  teardown.Detach, verdict: teardown.Act,
		},
		"used elsewhere": {
			seen: detached(teardown.Confirm),
			change: func(o *teardown.Observed) {
				o.Users = []teardown.User{{Distribution: "E2", Account: "444444444444"}}
			},
			phase: teardown.Confirm, verdict: teardown.Wait,
		},
		"used elsewhere for too long": {
			seen: detached(teardown.Confirm),
			change: func(o *teardown.Observed) {
				o.Users = []teardown.User{{Distribution: "E2", Account: "444444444444"}}
				o.Now = o.Now.Add(10 * time.Minute)
			},
			phase: teardown.Report, verdict: teardown.Stuck, outcome: teardown.Stopped,
			says: []string{"distribution E2 in account 444444444444", "nothing was unshared", "set the tag again"},
		},
		"not recorded": {seen: detached(teardown.Record), phase: teardown.Record, verdict: teardown.Act},
		"unused":       {seen: detached(teardown.Confirm), phase: teardown.Unshare, verdict: teardown.Act},
		"recorded": {
			seen: detached(teardown.Unshare), phase: teardown.Unshare, verdict: teardown.Act, says: []string{"share-1"},
		},
		"unsharing": {
			seen:   detached(teardown.Unshare),
			change: func(o *teardown.Observed) { o.Shares[0].Status = "DISASSOCIATING" },
			phase:  teardown.Unshare, verdict: teardown.Wait,
		},
		"one of two shares left": {
			seen: detached(teardown.Unshare),
			change: func(o *teardown.Observed) {
				o.Shares = []teardown.Share{{ARN: "share-2", Status: "ASSOCIATED"}, {ARN: "share-1", Status: "DISASSOCIATING"}}
			},
			phase: teardown.Unshare, verdict: teardown.Act, says: []string{"share-2"},
		},
		"RAM never finishes": {
			seen: detached(teardown.Unshare),
			change: func(o *teardown.Observed) {
				o.Shares[0].Status, o.Now = "DISASSOCIATING", o.Now.Add(30*time.Minute)
			},
			phase: teardown.Report, verdict: teardown.Stuck, outcome: teardown.Stopped, says: []string{"share-1"},
		},
		"unshared": {
			seen:   detached(teardown.Unshare),
			change: func(o *teardown.Observed) { o.Shares = nil },
			phase:  teardown.Delete, verdict: teardown.Act,
		},
		"being deleted": {
			seen:   detached(teardown.Delete),
			change: func(o *teardown.Observed) { o.Shares, o.Status = nil, "Deploying" },
			phase:  teardown.Delete, verdict: teardown.Wait,
		},
		"deletion never ends": {
			seen: detached(teardown.Delete),
			change: func(o *teardown.Observed) {
				o.Shares, o.Status, o.Now = nil, "Deploying", o.Now.Add(time.Hour)
			},
			phase: teardown.Report, verdict: teardown.Stuck, outcome: teardown.Dirty, says: []string{"vo_b is still there", owner},
		},
		"deleted by hand while shared": {
			seen:   detached(teardown.Unshare),
			change: func(o *teardown.Observed) { o.Exists, o.Status = false, "" },
			phase:  teardown.Unshare, verdict: teardown.Act,
		},
		"deleted by hand when it was no longer shared": {
			seen:   detached(teardown.Unshare),
			change: func(o *teardown.Observed) { o.Exists, o.Status, o.Shares = false, "", nil },
			phase:  teardown.Report, verdict: teardown.Done, outcome: teardown.Clean,
		},
		"shared again before the deletion": {
			seen: detached(teardown.Delete), phase: teardown.Unshare, verdict: teardown.Act, says: []string{"share-1"},
		},
		"deleted by hand before anything was recorded": {
			seen:   gone(),
			change: func(o *teardown.Observed) { o.Record.Teardown.VPC, o.Record.Teardown.Recorded = "", false },
			phase:  teardown.Report, verdict: teardown.Stuck, outcome: teardown.Dirty, says: []string{"nobody can tell", owner},
		},
		"interfaces left": {seen: gone("eni-2"), phase: teardown.Verify, verdict: teardown.Wait, says: []string{"eni-2"}},
		"interfaces left that nobody recorded": {
			seen: gone("eni-9"), phase: teardown.Verify, verdict: teardown.Wait, says: []string{"eni-9"},
		},
		"an interface never goes": {
			seen:   gone("eni-2", "eni-1"),
			change: func(o *teardown.Observed) { o.Now = o.Now.Add(45 * time.Minute) },
			phase:  teardown.Report, verdict: teardown.Stuck, outcome: teardown.Dirty, says: []string{"eni-1, eni-2", "vpc-1", "eu-west-1", owner},
		},
		"no interface left": {seen: gone(), phase: teardown.Report, verdict: teardown.Done, outcome: teardown.Clean, says: []string{"vpc-1"}},
		"another origin in the VPC needs them": {
			seen:   gone("eni-1", "eni-2"),
			change: func(o *teardown.Observed) { o.Needed = 2 },
			phase:  teardown.Report, verdict: teardown.Done, outcome: teardown.Clean,
		},
		"another origin in the VPC came with more": {
			seen:   gone("eni-8", "eni-9"),
			change: func(o *teardown.Observed) { o.Needed = 1 },
			phase:  teardown.Report, verdict: teardown.Done, outcome: teardown.Clean,
		},
		"more than another origin in the VPC needs": {
			seen:   gone("eni-1", "eni-2", "eni-3"),
			change: func(o *teardown.Observed) { o.Needed = 2 },
			phase:  teardown.Verify, verdict: teardown.Wait, says: []string{"there are 3 interfaces, of which other VPC origins need 2"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if c.change != nil {
				c.change(&c.seen)
			}
			got, _ := decide(t, c.seen)
			if got.Phase != c.phase || got.Verdict != c.verdict || got.Outcome != c.outcome {
				t.Errorf("got %+v", got)
			}
			for _, words := range c.says {
				if !strings.Contains(got.Says, words) {
					t.Errorf("says %q, without %q", got.Says, words)
				}
			}
		})
	}
}

// What a step costs: each fact is a call or two, and every origin pays for it.
func TestPhaseLooksOnlyAtWhatItRestsOn(t *testing.T) {
	for name, c := range map[string]struct {
		seen   teardown.Observed
		change func(*teardown.Observed)
		looks  []teardown.Fact
	}{
		"warning": {seen: detached(teardown.Warn)},
		"a tag that was seen a moment ago": {
			seen: detached(teardown.Grace),
			change: func(o *teardown.Observed) {
				o.Record.Intent, o.Record.State, o.Record.Teardown.Requested = origin.Wire, origin.Live, o.Now.Add(-time.Second)
			},
		},
		"end of grace": {
			seen:   detached(teardown.Grace),
			change: func(o *teardown.Observed) { o.Record.Intent, o.Record.State = origin.Wire, origin.Live },
			looks:  []teardown.Fact{teardown.Tag},
		},
		"recording": {seen: detached(teardown.Record), looks: []teardown.Fact{teardown.Existence}},
		"unsharing": {
			seen: detached(teardown.Unshare), looks: []teardown.Fact{teardown.Sharing, teardown.Tag, teardown.Naming, teardown.Usage},
		},
		"waiting for RAM": {
			seen:   detached(teardown.Unshare),
			change: func(o *teardown.Observed) { o.Shares[0].Status = "DISASSOCIATING" },
			looks:  []teardown.Fact{teardown.Sharing},
		},
		"deleting": {
			seen:   detached(teardown.Delete),
			change: func(o *teardown.Observed) { o.Shares = nil },
			looks:  []teardown.Fact{teardown.Existence, teardown.Sharing, teardown.Tag},
		},
		"deleting right after unsharing": {
			seen: detached(teardown.Delete),
			change: func(o *teardown.Observed) {
				o.Shares, o.Record.Teardown.Phase, o.Record.Teardown.ETag = nil, string(teardown.Unshare), "E1"
			},
			looks: []teardown.Fact{teardown.Sharing},
		},
		"deleting when unsharing took long": {
			seen: detached(teardown.Delete),
			change: func(o *teardown.Observed) {
				o.Shares, o.Record.Teardown.Phase, o.Record.Teardown.ETag = nil, string(teardown.Unshare), "E1"
				o.Now = o.Now.Add(time.Minute)
			},
			looks: []teardown.Fact{teardown.Sharing, teardown.Existence, teardown.Tag},
		},
		"waiting for the deletion": {
			seen:   detached(teardown.Delete),
			change: func(o *teardown.Observed) { o.Status = "Deploying" },
			looks:  []teardown.Fact{teardown.Existence},
		},
		"verifying": {seen: gone(), looks: []teardown.Fact{teardown.Interfaces}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.change != nil {
				c.change(&c.seen)
			}
			if step, looked := decide(t, c.seen); !slices.Equal(looked, c.looks) {
				t.Errorf("%s looks at %v, want %v", step.Phase, looked, c.looks)
			}
		})
	}
}

// anything draws an observation, possible or not.
func anything(t *rapid.T) teardown.Observed {
	phases := append([]teardown.Phase{"", "nonsense"}, teardown.Phases()...)
	instant := rapid.Custom(func(t *rapid.T) time.Time {
		return start.Add(time.Duration(rapid.IntRange(-3, 3).Draw(t, "hours")) * time.Hour)
	})
	word := func(label string, words ...string) string { return rapid.SampledFrom(words).Draw(t, label) }
	o := teardown.Observed{
		Now: instant.Draw(t, "now"), Phase: rapid.SampledFrom(phases).Draw(t, "asked"), Generation: rapid.IntRange(0, 1).Draw(t, "generation"),
		Tagged: rapid.Bool().Draw(t, "tagged"), Named: rapid.Bool().Draw(t, "named"), Exists: rapid.Bool().Draw(t, "exists"),
		Status: word("status", "", "Deploying", "Deployed"), Needed: rapid.IntRange(0, 3).Draw(t, "needed"), Seen: map[teardown.Fact]bool{},
		Record: origin.Record{
			Intent:     origin.Intent(word("intent", "", "wire", "detach")),
			State:      origin.State(word("state", "", "pending", "live", "quarantined", "detaching", "detached", "deleted")),
			Generation: rapid.IntRange(0, 1).Draw(t, "current"),
		},
	}
	for _, f := range facts {
		o.Seen[f] = rapid.Bool().Draw(t, string(f))
	}
	if rapid.Bool().Draw(t, "begun") {
		o.Record.Teardown = &origin.Teardown{
			Requested: instant.Draw(t, "requested"), Due: instant.Draw(t, "due"), VPC: word("vpc", "", "vpc-1"),
			ENIs: []string{"eni-1"}, ETag: word("etag", "", "E1"), Ended: rapid.Bool().Draw(t, "ended"), Recorded: rapid.Bool().Draw(t, "recorded"),
			Phase: string(rapid.SampledFrom(phases).Draw(t, "phase")), Since: instant.Draw(t, "since"),
		}
	}
	for range rapid.IntRange(0, 2).Draw(t, "users") {
		o.Users = append(o.Users, teardown.User{Distribution: "E1", Account: owner})
	}
	for range rapid.IntRange(0, 2).Draw(t, "shares") {
		o.Shares = append(o.Shares, teardown.Share{ARN: "share", Status: word("share", "", "ASSOCIATED", "DISASSOCIATING", "SUSPENDED")})
	}
	for range rapid.IntRange(0, 3).Draw(t, "enis") {
		o.ENIs = append(o.ENIs, teardown.ENI{ID: word("eni", "eni-1", "eni-2")})
	}
	return o
}

func TestNextIsSafeWhateverWasSeen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := anything(t)
		s := teardown.Next(o)
		if again := teardown.Next(o); again != s {
			t.Fatalf("a second look decides otherwise: %+v, %+v", s, again)
		}
		if s.Phase != teardown.Report && !slices.Contains(teardown.Phases(), s.Phase) || s.Says == "" {
			t.Fatalf("incomplete: %+v", s)
		}
		over := s.Verdict == teardown.Done || s.Verdict == teardown.Stuck
		if (s.Outcome != "") != over || (s.Phase == teardown.Report) != over || (s.Wait > 0) != (s.Verdict == teardown.Wait) ||
			(s.Look != "") != (s.Verdict == teardown.Look) || o.Seen[s.Look] {
			t.Fatalf("inconsistent: %+v", s)
		}
		acts := func(p teardown.Phase) bool { return s.Phase == p && s.Verdict == teardown.Act }
		saw := func(what ...teardown.Fact) bool {
			return !slices.ContainsFunc(what, func(f teardown.Fact) bool { return !o.Seen[f] })
		}
		unnamed := saw(teardown.Naming, teardown.Usage) && !o.Named && len(o.Users) == 0 && o.Record.State == origin.Detached
		tagged := saw(teardown.Tag) && o.Tagged
		if acts(teardown.Unshare) && (!unnamed || !tagged) {
			t.Fatalf("unshares while a distribution may name the origin, or its tag may be gone: %+v", s)
		}
		open := len(o.Shares) > 0
		entered, just := teardown.Phase(""), false
		if td := o.Record.Teardown; td != nil {
			entered = teardown.Phase(td.Phase)
			just = entered == teardown.Unshare && !td.Ended && o.Now.Sub(td.Since) < time.Minute && td.ETag != ""
		}
		if acts(teardown.Delete) && (!saw(teardown.Sharing) || open || o.Record.State != origin.Detached) {
			t.Fatalf("deletes what may be shared: %+v", s)
		}
		if acts(teardown.Delete) && !just && (!saw(teardown.Existence) || !o.Exists || !tagged) {
			t.Fatalf("deletes without its team's consent: %+v", s)
		}
		gone := entered == teardown.Verify || saw(teardown.Existence) && !o.Exists
		unshared := entered == teardown.Delete || entered == teardown.Verify || saw(teardown.Sharing) && !open
		if s.Outcome == teardown.Clean && o.Record.State != origin.Deleted &&
			(!gone || !unshared || !saw(teardown.Interfaces) || o.Record.State != origin.Detached) {
			t.Fatalf("clean without proof: %+v", s)
		}
		// What is entered is remembered, and the two last phases are proof of what comes before them.
		if s.Phase == teardown.Delete && entered != teardown.Delete && s.Verdict != teardown.Look && (!saw(teardown.Sharing) || open) {
			t.Fatalf("enters delete while it may be shared: %+v", s)
		}
		if s.Phase == teardown.Verify && (!gone || !unshared) {
			t.Fatalf("enters verify while it may be there, or shared: %+v", s)
		}
	})
}

// world is just enough of AWS and of the shell for a teardown to run through.
type world struct {
	now     time.Time
	asked   teardown.Phase
	record  origin.Record
	tagged  bool
	named   bool
	exists  bool
	users   []teardown.User
	shares  []teardown.Share
	enis    []teardown.ENI
	deleted bool // deletion was asked for

	settles, unshared, vanishes, released time.Time // when what was asked for is done
}

// look is one step's look: as the function does, it sees only what the phase needs that it was asked for.
func (w *world) look() teardown.Step {
	done := func(due time.Time) bool { return !due.IsZero() && !w.now.Before(due) }
	if done(w.settles) && w.record.Intent == origin.Detach {
		w.named, w.record.State = false, origin.Detached
	}
	if done(w.unshared) {
		w.shares = nil
	}
	if done(w.vanishes) {
		w.exists = false
	}
	if done(w.released) {
		w.enis = nil
	}
	o := teardown.Observed{Now: w.now, Phase: w.asked, Generation: 1, Record: w.record, Seen: map[teardown.Fact]bool{}}
	for {
		s := teardown.Next(o)
		if s.Verdict != teardown.Look || s.Phase != w.asked {
			return s
		}
		o.Seen[s.Look] = true
		switch s.Look {
		case teardown.Tag:
			o.Tagged = w.tagged
		case teardown.Naming:
			o.Named = w.named
		case teardown.Usage:
			o.Users = w.users
		case teardown.Sharing:
			o.Shares = w.shares
		case teardown.Existence:
			o.Exists, o.Status = w.exists, "Deployed"
			if w.deleted {
				o.Status = "Deploying"
			}
		case teardown.Interfaces:
			o.ENIs = w.enis
		}
	}
}

func (w *world) do(t *rapid.T, p teardown.Phase) {
	later := func(label string, most time.Duration) time.Time {
		return w.now.Add(time.Duration(rapid.Int64Range(0, int64(most)).Draw(t, label)))
	}
	td := w.record.Teardown
	switch p {
	case teardown.Warn:
		td.Phase, td.Since = string(teardown.Grace), w.now
	case teardown.Detach:
		if w.record.Intent != origin.Detach {
			w.record.Intent = origin.Detach
			w.settles = later("deployment", 20*time.Minute)
		}
		w.now = w.now.Add(time.Minute)
	case teardown.Record:
		td.Recorded, td.VPC, td.ETag = true, "vpc-1", "E1"
		for _, e := range w.enis {
			td.ENIs = append(td.ENIs, e.ID)
		}
	case teardown.Unshare:
		if w.named || len(w.users) > 0 {
			t.Fatal("unshared while in use")
		}
		for i := range w.shares {
			w.shares[i].Status = "DISASSOCIATING"
		}
		w.unshared = later("unsharing", 10*time.Minute)
		w.asked = teardown.Delete
	case teardown.Delete:
		if len(w.shares) > 0 || w.named || len(w.users) > 0 {
			t.Fatal("deleted while shared or in use")
		}
		w.deleted = true
		w.vanishes = later("deletion", 50*time.Minute)
		w.released = w.vanishes.Add(30 * time.Minute)
	default:
		t.Fatalf("nothing to do in phase %s", p)
	}
}

func TestEveryTeardownEndsClean(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{
			now: start, asked: teardown.Warn, tagged: true, named: true, exists: true,
			record: origin.Record{
				Ref: origin.Ref{ID: "vo_b", Account: owner}, Generation: 1, Intent: origin.Wire, State: origin.Live,
				Teardown: &origin.Teardown{Requested: start, Due: start.Add(time.Duration(rapid.IntRange(0, 48).Draw(t, "grace")) * time.Hour)},
			},
			shares: slices.Repeat([]teardown.Share{{ARN: "share", Status: "ASSOCIATED"}}, rapid.IntRange(0, 2).Draw(t, "shares")),
			enis:   slices.Repeat([]teardown.ENI{{ID: "eni-1"}}, rapid.IntRange(0, 3).Draw(t, "enis")),
		}
		usedUntil := start
		if rapid.Bool().Draw(t, "used elsewhere") {
			usedUntil = w.record.Teardown.Due.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "minutes")) * time.Minute)
			w.users = []teardown.User{{Distribution: "E2", Account: "444444444444"}}
		}
		for range 1000 {
			if !w.now.Before(usedUntil) {
				w.users = nil
			}
			s := w.look()
			if td := w.record.Teardown; s.Phase != teardown.Report && td.Phase != string(s.Phase) {
				td.Phase, td.Since = string(s.Phase), w.now
			}
			switch {
			case s.Outcome == teardown.Clean:
				if w.exists || w.named || len(w.shares)+len(w.enis)+len(w.users) > 0 {
					t.Fatalf("called clean: %+v", w)
				}
				return
			case s.Outcome != "":
				t.Fatalf("ended %s: %s", s.Outcome, s.Says)
			case s.Phase != w.asked: // another state of the machine, which may have to wait first
				w.asked, w.now = s.Phase, w.now.Add(s.Wait)
			case s.Verdict == teardown.Wait:
				w.now = w.now.Add(s.Wait)
			case rapid.IntRange(0, 3).Draw(t, "crash") > 0: // else the step is lost, and looked for again
				w.do(t, s.Phase)
			}
		}
		t.Fatalf("never ended: %+v", w)
	})
}

func TestParseTag(t *testing.T) {
	bounds := teardown.Bounds{Default: time.Hour, Maximum: 720 * time.Hour}
	for value, want := range map[string]time.Duration{
		"now": time.Hour, " now ": time.Hour, "1s": time.Hour, "30m": time.Hour, "72h": 72 * time.Hour, "3d": 72 * time.Hour, "30d": 720 * time.Hour,
		"2026-11-22T08:30:00Z": time.Hour, "2026-11-21T08:00:00Z": time.Hour, "2026-11-23T09:00:00+01:00": 24 * time.Hour,
	} {
		if due, err := teardown.ParseTag(value, start, bounds); err != nil || !due.Equal(start.Add(want)) {
			t.Errorf("%q is due at %v: %v", value, due, err)
		}
	}
	for _, bad := range []string{
		"", "yes", "-1h", "31d", "721h", "d", "-3d", "3.5d", "2026-11-23", "2036-11-22T08:00:00Z", "99999d",
		"2026-11-21T07:59:59Z", "2020-01-01T00:00:00Z", "0", "0s", "0d",
	} {
		if due, err := teardown.ParseTag(bad, start, bounds); err == nil {
			t.Errorf("%q is due at %v", bad, due)
		}
	}
	_, early := teardown.ParseTag("31d", start, bounds)
	if _, late := teardown.ParseTag("31d", start.Add(time.Hour), bounds); early.Error() != late.Error() {
		t.Errorf("said twice: %v; %v", early, late)
	}
	if due, err := teardown.ParseTag("900d", start, teardown.Bounds{}); err != nil || !due.Equal(start.Add(900*24*time.Hour)) {
		t.Errorf("without bounds: %v, %v", due, err)
	}
}
