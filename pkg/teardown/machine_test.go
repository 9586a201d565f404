package teardown_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/teardown"
)

// Every way through the machine is there for a case, and no case asks for another one.
func TestEveryEdgeIsTaken(t *testing.T) {
	outOfDate := func(o *teardown.Observed) { o.Generation = 2 }
	detaching := func(o *teardown.Observed) { o.Record.State = origin.Detaching }
	used := func(o *teardown.Observed) { o.Users = []origin.User{{Distribution: "E2", Account: "444444444444"}} }
	unshared := func(o *teardown.Observed) { o.Shares = nil }
	unrecorded := func(o *teardown.Observed) { o.Record.Teardown.Recorded = false }
	grace := func(o *teardown.Observed) {
		o.Record.Teardown.Phase, o.Record.Teardown.Due = string(teardown.Grace), o.Now.Add(time.Hour)
	}
	same := func(*teardown.Observed) {}
	cases := map[teardown.Edge]teardown.Observed{}
	add := func(from, to string, o teardown.Observed, change func(*teardown.Observed)) {
		for _, e := range teardown.Out(from) {
			if e.To == to {
				cases[e] = but(o, change)
			}
		}
	}
	add("Warned", "Cancelled", live(teardown.Warn), outOfDate)
	add("Warned", "Grace", live(teardown.Warn), grace)
	add("Warned", "Detach", live(teardown.Warn), func(o *teardown.Observed) { o.Record.Teardown.Phase = string(teardown.Detach) })
	add("DueChoice", "Cancelled", live(teardown.Grace), outOfDate)
	add("DueChoice", "Grace", live(teardown.Grace), grace)
	add("DueChoice", "Detach", live(teardown.Grace), same)
	add("RecordChoice", "Cancelled", at(teardown.Record), outOfDate)
	add("RecordChoice", "Detach", at(teardown.Record), detaching)
	add("RecordChoice", "Unshare", at(teardown.Record), func(o *teardown.Observed) { o.Record.Teardown.Recorded = true })
	add("UnshareChoice", "Cancelled", at(teardown.Unshare), func(o *teardown.Observed) { o.Tag = teardown.TagAbsent })
	add("UnshareChoice", "UnshareWait", at(teardown.Unshare), func(o *teardown.Observed) { o.Shares[0].Status = "DISASSOCIATING" })
	add("UnshareChoice", "ConfirmWait", at(teardown.Unshare), used)
	add("UnshareChoice", "Detach", at(teardown.Unshare), detaching)
	add("UnshareChoice", "Record", at(teardown.Unshare), unrecorded)
	add("UnshareChoice", "ReleaseWait", at(teardown.Unshare), unshared)
	add("ConfirmChoice", "Cancelled", at(teardown.Confirm), outOfDate)
	add("ConfirmChoice", "ConfirmWait", at(teardown.Confirm), used)
	add("ConfirmChoice", "Detach", at(teardown.Confirm), detaching)
	add("ConfirmChoice", "Unshare", at(teardown.Confirm), same)
	add("DeleteChoice", "DeleteWait", at(teardown.Delete), func(o *teardown.Observed) { o.Shares, o.Deployed = nil, false })
	add("DeleteChoice", "Unshare", at(teardown.Delete), same)
	add("DeleteChoice", "Record", at(teardown.Delete), func(o *teardown.Observed) {
		unrecorded(o)
		o.Record.Teardown.Phase = string(teardown.Unshare)
	})
	add("DeleteChoice", "Verify", at(teardown.Delete), func(o *teardown.Observed) { o.Exists = false })
	add("VerifyChoice", "VerifyWait", gone("eni-1"), same)
	add("VerifyChoice", "Clean", gone(), same)
	for _, e := range teardown.Edges() {
		switch o, has := cases[e]; {
		case e.On == teardown.On{} || e.On.Else: // taken always; never taken
		case !has:
			t.Errorf("nothing takes the edge %s, %s, %s", e.From, e.On, e.To)
		default:
			s, _ := decide(t, o)
			if got := teardown.Follow(e.From, s.Answer()); got != e.To || s.Verdict == teardown.Act {
				t.Errorf("%s: %+v leads to %s, want %s", e.From, s, got, e.To)
			}
		}
	}
}

func TestEveryStateIsWhole(t *testing.T) {
	kinds := map[string]teardown.Kind{}
	for _, s := range teardown.States() {
		kinds[s.Name] = s.Kind
	}
	for _, e := range teardown.Edges() {
		if kinds[e.From] == "" || kinds[e.To] == "" {
			t.Errorf("%s leads to %s: one of them is no state", e.From, e.To)
		}
		if (kinds[e.From] == teardown.Choice) == (e.On == teardown.On{}) {
			t.Errorf("%s, a %s, leads to %s on %q", e.From, kinds[e.From], e.To, e.On)
		}
	}
	for name, kind := range kinds {
		out := teardown.Out(name)
		switch {
		case kind == teardown.Succeed || kind == teardown.Fail:
			if len(out) > 0 {
				t.Errorf("%s does not end", name)
			}
		case kind == teardown.Choice:
			if last := out[len(out)-1]; !last.On.Else || last.To != teardown.Unexpected {
				t.Errorf("%s has no default", name)
			}
		case len(out) != 1:
			t.Errorf("%s leads to %v", name, out)
		}
	}
	for _, p := range teardown.Phases() {
		if teardown.TaskOf(p).Kind != teardown.Task {
			t.Errorf("no task works on phase %s", p)
		}
	}
}

// An answer that ends the execution is no phase: an end that the machine does not know is not taken for a wait.
func TestAnUnknownEndIsUnexpected(t *testing.T) {
	for _, s := range teardown.States() {
		if s.Kind != teardown.Choice {
			continue
		}
		for _, a := range []teardown.Answer{{Phase: "report", Outcome: "stopped"}, {Phase: "report", Outcome: "dirty"}, {Phase: "nonsense"}, {}} {
			if got := teardown.Follow(s.Name, a); got != teardown.Unexpected {
				t.Errorf("%s goes to %s with %+v", s.Name, got, a)
			}
		}
	}
}

// In dry-run mode no task acts, whatever it observes.
func TestNoTaskActsInDryRunMode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := anything(t)
		o.DryRun = true
		if s := teardown.Next(o); s.Verdict == teardown.Act || s.Verdict == teardown.Await && !o.ActDone {
			t.Fatalf("phase %s: %s %s", s.Phase, s.Verdict, s.Message)
		}
	})
}

// anything draws an observation, possible or not.
func anything(t *rapid.T) teardown.Observed {
	phases := append([]teardown.Phase{"", "nonsense"}, teardown.Phases()...)
	instant := rapid.Custom(func(t *rapid.T) time.Time {
		return start.Add(time.Duration(rapid.IntRange(-3, 3).Draw(t, "hours")) * time.Hour)
	})
	word := func(label string, words ...string) string { return rapid.SampledFrom(words).Draw(t, label) }
	yes := func(label string) bool { return rapid.Bool().Draw(t, label) }
	o := teardown.Observed{
		Now: instant.Draw(t, "now"), Phase: rapid.SampledFrom(phases).Draw(t, "asked"), Generation: rapid.IntRange(0, 1).Draw(t, "generation"),
		Token: word("token", "", "t"), Known: rapid.IntRange(0, 9).Draw(t, "known") > 0, ActDone: yes("did"),
		Tag: teardown.TagState(word("tag", "present", "absent", "gone")), Value: word("value", "", "now", "1h", "soon"), Named: yes("named"), Exists: yes("exists"), Deployed: yes("deployed"),
		Adopted:  yes("adopted"),
		Endpoint: "alb", Place: origin.Endpoint{VPC: word("place", "", "vpc-1"), Subnets: []string{"subnet-1"}},
		Has: map[teardown.Fact]bool{}, Unread: map[teardown.Fact]bool{teardown.Sharing: yes("unread")},
		Record: origin.Record{
			Ref: origin.Ref{ID: "vo_b", ARN: arn, Account: owner}, Intent: origin.Intent(word("intent", "", "wire", "detach")),
			State:      origin.State(word("state", "", "pending", "live", "quarantined", "detaching", "detached", "deleted")),
			Generation: rapid.IntRange(0, 1).Draw(t, "current"),
		},
	}
	for _, f := range facts {
		o.Has[f] = yes(string(f))
	}
	if yes("begun") {
		o.Record.Teardown = &origin.Teardown{
			Value: "now", Requested: instant.Draw(t, "requested"), Due: instant.Draw(t, "due"), VPC: word("vpc", "", "vpc-1"),
			ENIs: []string{"eni-1"}, ETag: word("etag", "", "E1"), Ended: yes("ended"), Recorded: yes("recorded"),
			Outcome: word("outcome", "", "dirty", "stopped"), Because: origin.Reason{Code: "c", Message: "why"},
			Phase: string(rapid.SampledFrom(phases).Draw(t, "phase")), Since: instant.Draw(t, "since"), Unshared: instant.Draw(t, "unshared"),
		}
		if yes("left") {
			o.Record.Teardown.SharesLeft = []string{"share-1"}
		}
	}
	for range rapid.IntRange(0, 2).Draw(t, "users") {
		o.Users = append(o.Users, origin.User{Distribution: "E1", Account: owner})
	}
	for range rapid.IntRange(0, 2).Draw(t, "shares") {
		o.Shares = append(o.Shares, origin.Association{
			Share: word("share", "share-1", "share-2"), Name: word("name", "originhub-b", "orders"), Resource: word("resource", arn, other), Status: word("status", "ASSOCIATED", "DISASSOCIATING", "SUSPENDED"),
		})
	}
	for range rapid.IntRange(0, 3).Draw(t, "enis") {
		o.ENIs = append(o.ENIs, origin.ENI{ID: word("eni", "eni-1", "eni-2"), VPC: "vpc-1", Subnet: "subnet-1"})
	}
	if n := rapid.IntRange(0, 3).Draw(t, "needed"); n > 0 {
		o.OtherOrigins = slices.Repeat([]teardown.Neighbor{{Endpoint: origin.Endpoint{VPC: "vpc-1", Subnets: []string{"subnet-1"}}, Deployed: true}}, n)
	}
	return o
}

func TestNextIsSafeWhateverWasSeen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := anything(t)
		s := teardown.Next(o)
		if again := teardown.Next(o); !reflect.DeepEqual(again, s) {
			t.Fatalf("a second look decides otherwise: %+v, %+v", s, again)
		}
		over := s.Verdict == teardown.End
		if s.Message == "" || (s.Outcome != "") != over || s.Wait > 0 && s.Verdict != teardown.Wait && s.Verdict != teardown.Move ||
			s.Verdict == teardown.Wait && s.Wait <= 0 || (s.Fact != "") != (s.Verdict == teardown.Observe) || o.Has[s.Fact] ||
			(s.Phase == o.Phase) != (s.Verdict != teardown.Move) {
			t.Fatalf("inconsistent: %+v", s)
		}
		if teardown.TaskOf(o.Phase).Kind == teardown.Task && o.Phase != teardown.Detach && s.Verdict != teardown.Observe && s.Verdict != teardown.Act &&
			!s.Fails() && teardown.Follow(choiceAfter(o.Phase), s.Answer()) == teardown.Unexpected {
			t.Fatalf("the machine has no edge for %+v", s.Answer())
		}
		acts := func(p teardown.Phase) bool { return s.Phase == p && s.Verdict == teardown.Act }
		saw := func(what ...teardown.Fact) bool {
			return !slices.ContainsFunc(what, func(f teardown.Fact) bool { return !o.Has[f] })
		}
		own := func(a origin.Association) bool { return a.Resource == arn }
		open := slices.ContainsFunc(o.Shares, own)
		unnamed := saw(teardown.Naming, teardown.Usage) && !o.Named && len(o.Users) == 0 && o.Record.State == origin.Detached
		tagged := saw(teardown.Tag) && o.Tag != teardown.TagAbsent
		if acts(teardown.Unshare) && (!unnamed || !tagged) {
			t.Fatalf("unshares while a distribution may name the origin, or its tag may be gone: %+v", s)
		}
		entered, just := teardown.Phase(""), false
		if td := o.Record.Teardown; td != nil {
			entered = teardown.Phase(td.Phase)
			just = entered == teardown.Unshare && o.Now.Sub(td.Unshared) < time.Minute && td.ETag != ""
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
			(!gone || !unshared || !saw(teardown.Interfaces) || o.Record.State != origin.Detached || o.Phase != teardown.Verify) {
			t.Fatalf("clean without proof: %+v", s)
		}
		if acts(teardown.Verify) && slices.ContainsFunc(o.Shares, func(a origin.Association) bool { return a.Share == s.Share }) {
			t.Fatalf("deletes a share that is not empty: %+v", s)
		}
		// What is entered is remembered, and the two last phases are proof of what comes before them.
		is := teardown.Phase("")
		if s.Record.Teardown != nil {
			is = teardown.Phase(s.Record.Teardown.Phase)
		}
		if is == teardown.Delete && entered != teardown.Delete && (!saw(teardown.Sharing) || open) {
			t.Fatalf("enters delete while it may be shared: %+v", s)
		}
		if is == teardown.Verify && entered != teardown.Verify && (!gone || !unshared) {
			t.Fatalf("enters verify while it may be there, or shared: %+v", s)
		}
		if o.Generation != o.Record.Generation && s.Verdict != teardown.Observe && !reflect.DeepEqual(s.Record, o.Record) {
			t.Fatalf("writes to another generation's record: %+v", s.Record)
		}
	})
}

func choiceAfter(p teardown.Phase) string { return teardown.Out(teardown.TaskOf(p).Name)[0].To }

// world is just enough of AWS and of the shell for a teardown to run through the machine.
type world struct {
	now     time.Time
	state   string // of the machine
	record  origin.Record
	tagged  bool
	named   bool
	exists  bool
	users   []origin.User
	shares  []origin.Association
	enis    []origin.ENI
	deleted bool // deletion was asked for

	settles, unshared, vanishes, released time.Time // when what was asked for is done
}

func (w *world) settle() {
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
}

func (w *world) tag() teardown.TagState {
	if w.tagged {
		return teardown.TagPresent
	}
	return teardown.TagAbsent
}

// task runs one task as the function does. A crash loses what follows an effect, and Step Functions repeats the task.
func (w *world) task(t *rapid.T, p teardown.Phase) (a teardown.Answer, awaits, fails bool) {
	for {
		w.settle()
		o := teardown.Observed{
			Now: w.now, Phase: p, Generation: 1, Token: "t", Known: true, Record: w.record, Has: map[teardown.Fact]bool{},
			Tag: w.tag(), Value: "now", Named: w.named, Users: w.users, Shares: w.shares, Exists: w.exists, Deployed: !w.deleted, ETag: "E1",
			Endpoint: "alb", Place: origin.Endpoint{VPC: "vpc-1", Subnets: []string{"subnet-1"}}, ENIs: w.enis,
		}
		crashed := false
		for !crashed {
			s := teardown.Next(o)
			if s.Verdict == teardown.Observe {
				o.Has[s.Fact] = true
				continue
			}
			w.record = s.Record
			if s.Verdict != teardown.Act {
				return s.Answer(), s.Verdict == teardown.Await, s.Fails()
			}
			if crashed = rapid.IntRange(0, 3).Draw(t, "crash") == 0; !crashed {
				w.do(t, s)
				o = o.After(s)
			}
		}
	}
}

func (w *world) do(t *rapid.T, s teardown.Step) {
	later := func(label string, most time.Duration) time.Time {
		return w.now.Add(time.Duration(rapid.Int64Range(0, int64(most)).Draw(t, label)))
	}
	switch s.Phase {
	case teardown.Detach:
		if w.settles.IsZero() {
			w.settles = later("deployment", 20*time.Minute)
		}
	case teardown.Unshare:
		if w.named || len(w.users) > 0 {
			t.Fatal("unshared while in use")
		}
		w.shares = slices.Clone(w.shares)
		for i := range w.shares {
			if w.shares[i].Share == s.Share {
				w.shares[i].Status = "DISASSOCIATING"
			}
		}
		w.unshared = later("unsharing", 10*time.Minute)
	case teardown.Delete:
		if len(w.shares) > 0 || w.named || len(w.users) > 0 {
			t.Fatal("deleted while shared or in use")
		}
		w.deleted = true
		w.vanishes = later("deletion", 50*time.Minute)
		w.released = w.vanishes.Add(30 * time.Minute)
	}
}

func TestEveryTeardownEndsClean(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{
			now: start, state: teardown.StartAt, tagged: true, named: true, exists: true,
			record: origin.Record{
				Ref: origin.Ref{ID: "vo_b", ARN: arn, Account: owner}, Generation: 1, Intent: origin.Wire, State: origin.Live,
				Teardown: &origin.Teardown{
					Value: "now", Requested: start, Due: start.Add(time.Duration(rapid.IntRange(0, 48).Draw(t, "grace")) * time.Hour),
				},
			},
		}
		for i := range rapid.IntRange(0, 2).Draw(t, "shares") {
			w.shares = append(w.shares, origin.Association{Share: []string{"share-1", "share-2"}[i], Name: []string{"originhub-b", "orders"}[i], Resource: arn, Status: "ASSOCIATED"})
		}
		for range rapid.IntRange(0, 3).Draw(t, "enis") {
			w.enis = append(w.enis, origin.ENI{ID: "eni-1", VPC: "vpc-1", Subnet: "subnet-1"})
		}
		usedUntil := start
		if rapid.Bool().Draw(t, "used elsewhere") {
			usedUntil = w.record.Teardown.Due.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "minutes")) * time.Minute)
			w.users = []origin.User{{Distribution: "E2", Account: "444444444444"}}
		}
		var answer teardown.Answer
		for range 1000 {
			if !w.now.Before(usedUntil) {
				w.users = nil
			}
			at := find(w.state)
			switch at.Kind {
			case teardown.Task:
				var awaits, fails bool
				if answer, awaits, fails = w.task(t, at.Phase); fails {
					t.Fatalf("%s fails: %s", w.state, answer.Message)
				}
				if awaits && w.settles.After(w.now) { // wire completes the token
					w.now = w.settles
				}
				w.state = teardown.Out(w.state)[0].To
			case teardown.Choice:
				w.state = teardown.Follow(w.state, answer)
			case teardown.Pause:
				w.now = w.now.Add(time.Duration(answer.Wait) * time.Second)
				if at.Until {
					w.now, _ = time.Parse(time.RFC3339, answer.Resume)
				}
				w.state = teardown.Out(w.state)[0].To
			case teardown.Succeed:
				if w.state != "Clean" || w.exists || w.named || len(w.shares)+len(w.enis)+len(w.users) > 0 || w.record.State != origin.Deleted {
					t.Fatalf("ended in %s: %+v", w.state, w)
				}
				return
			default:
				t.Fatalf("ended in %s, with %+v", w.state, answer)
			}
		}
		t.Fatalf("never ended: %+v", w)
	})
}

func find(name string) teardown.State {
	states := teardown.States()
	return states[slices.IndexFunc(states, func(s teardown.State) bool { return s.Name == name })]
}
