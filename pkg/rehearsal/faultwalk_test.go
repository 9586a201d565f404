package rehearsal

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/internal/built"
	"github.com/originhub/originhub/pkg/rehearsal/inprocess"
	"github.com/originhub/originhub/pkg/sandbox"
)

var oneFaultEach = flag.Bool("each", false, "in fault walks, inject one fault per story, which takes minutes instead of seconds")

const (
	// crashStories and lossStories are the numbers of stories over which a walk distributes its faults. Fewer stories take less time. With
	// too few, all five deliveries of one message may fail, and it ends as a dead letter.
	crashStories, lossStories = 11, 8
	// worldsAtOnce may exceed the number of processors, because worlds wait for processes, and processes wait before they retry.
	worldsAtOnce = 12
	// virtualTimeLimit is several times what the story takes without faults. A world that is not idle by then never will be.
	virtualTimeLimit = 4 * time.Hour
)

// A function may crash after any of its calls has taken effect. Redelivery and redrive lead to the same ending.
func TestFunctionMayCrashAfterAnyCall(t *testing.T) {
	t.Parallel()
	w := faultWalk{
		fault: sandbox.Fault{Crash: true}, stories: crashStories, selects: func(sandbox.Call) bool { return true }, functions: built.Functions(t),
	}
	w.run(t)
}

// The response to any call that changes something may be lost, although the change was made.
func TestAnswerToAnyChangeMayBeLost(t *testing.T) {
	t.Parallel()
	w := faultWalk{
		fault: sandbox.Fault{NoResponse: true}, stories: lossStories, selects: func(c sandbox.Call) bool { return !c.ReadOnly },
		functions: functionsFor(t, ""),
	}
	w.run(t)
}

// Function admit crashes when it has recorded an origin and has not yet triggered wire. The redelivered message finds nothing to record,
// and no other message follows. The origin still goes live without a sweep.
func TestOriginGoesLiveAlthoughAdmitCrashesBeforeItTriggersWire(t *testing.T) {
	t.Parallel()
	w, err := newBinaryWorld(built.Functions(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := w.Faults().Add(sandbox.Rule{Fault: "crash", Function: "*Admit*", Operation: "PutItem", Nth: 1}); err != nil {
		t.Fatal(err)
	}
	s := newStory(w)
	for _, happens := range []func() error{
		func() error { return s.createOrigin("b", "team-b") },
		func() error { return s.waitUntilIdle(nil, nil) },
		func() error { return s.share(nil, []string{"b"}) },
		func() error { return s.waitUntilIdle(nil, nil) },
		func() error { return s.state(nil, []string{"b", "live"}) },
	} {
		if err := happens(); err != nil {
			t.Fatal(err)
		}
	}
	if rules := w.Faults().Rules(); rules[0].Hits != 1 {
		t.Errorf("admit crashed %d times, want 1", rules[0].Hits)
	}
}

// faultWalk injects the same fault into every call that the functions make in one story, and checks that the story always has the same
// ending. Running the story costs about twenty times what handling one fault costs, so each run gets many faults. A call that a run does
// not reach, because earlier faults changed its course, gets another run. With -each, every run has one fault, so that no other fault can hide its effect.
type faultWalk struct {
	fault   sandbox.Fault
	stories int
	selects func(sandbox.Call) bool // whether a call gets the fault

	functions string // directory of the functions' binaries; "" to run the handlers in the process of the test

	reference ending
	remaining []callPosition // calls without a fault so far, in the story's order
}

// callPosition identifies a call in the story, so that it can be found in another run.
type callPosition struct {
	chapter  int
	function string
	path     string // what the function has called in the same invocation, this call last
	nth      int    // how often the path has occurred in the chapter, this time included
}

func (p callPosition) String() string {
	return fmt.Sprintf("chapter %d, %s,%s, occurrence %d", p.chapter, p.function, p.path, p.nth)
}

func (w *faultWalk) run(t *testing.T) {
	w.reference, w.remaining = w.runWithoutFaults(t)
	w.reference.check(t)
	if len(w.remaining) == 0 {
		t.Fatal("the story has no call that this walk selects")
	}
	places, apart := len(w.remaining), 1
	if !*oneFaultEach {
		apart = len(w.remaining) / w.stories
	}
	runs := 0
	for before := 0; len(w.remaining) > 0 && len(w.remaining) != before; {
		before = len(w.remaining)
		stories := (before + apart - 1) / apart
		// Lambda drops an event after three failures, so one run may crash function retire at most twice.
		retiring := 0
		for _, p := range w.remaining {
			if strings.Contains(p.function, "Retire") {
				retiring++
			}
		}
		stories = max(stories, (retiring+1)/2)
		shares := make([][]callPosition, stories)
		// Sorted by function, so that each share has few calls of each function.
		dealt := slices.Clone(w.remaining)
		slices.SortStableFunc(dealt, func(a, b callPosition) int { return strings.Compare(a.function, b.function) })
		for i, p := range dealt {
			shares[i%stories] = append(shares[i%stories], p)
		}
		w.runStories(t, shares)
		runs += stories
	}
	if len(w.remaining) > 0 {
		// On a slow machine the SDK may have retried a call in the first run. Another run without faults does not have that call.
		_, again := w.runWithoutFaults(t)
		w.remaining = slices.DeleteFunc(w.remaining, func(p callPosition) bool { return !slices.Contains(again, p) })
	}
	if len(w.remaining) > 0 {
		t.Errorf("no run reaches these calls: %v", w.remaining)
	}
	t.Logf("%d calls got a fault, in %d runs of the story", places, runs)
}

func (w *faultWalk) runWithoutFaults(t *testing.T) (ending, []callPosition) {
	t.Helper()
	var places []callPosition
	e, err := runWalkStory(w.functions, w.selects, func(p callPosition) *sandbox.Fault {
		places = append(places, p)
		return nil
	})
	if err != nil {
		t.Fatalf("without faults: %v", err)
	}
	return e, places
}

// runStories runs the story once for each share of the calls, and removes the calls that got a fault from remaining.
func (w *faultWalk) runStories(t *testing.T, shares [][]callPosition) {
	t.Helper()
	var worlds sync.WaitGroup
	var mu sync.Mutex
	room := make(chan struct{}, worldsAtOnce)
	for _, share := range shares {
		room <- struct{}{}
		worlds.Go(func() {
			defer func() { <-room }()
			var hit []callPosition
			got, err := runWalkStory(w.functions, w.selects, func(p callPosition) *sandbox.Fault {
				if !slices.Contains(share, p) {
					return nil
				}
				hit = append(hit, p)
				return &w.fault
			})
			if diff := cmp.Diff(w.reference, got); err == nil && diff != "" {
				err = fmt.Errorf("the story has another ending (-without faults +this):\n%s", diff)
			}
			mu.Lock()
			defer mu.Unlock()
			w.remaining = slices.DeleteFunc(w.remaining, func(p callPosition) bool { return slices.Contains(hit, p) })
			if err != nil {
				var after strings.Builder
				for _, p := range hit {
					fmt.Fprintf(&after, "\n   %v", p)
				}
				t.Errorf("%v\nafter faults in these calls (with -each it is one):%s", err, &after)
			}
		})
	}
	worlds.Wait()
}

// ending is the final state of the story, without what may depend on its course.
type ending struct {
	Edge         map[string]int       // HTTP status, by team
	Records      map[string]string    // intent and state in the registry, by origin
	Held         map[string]Inventory // by team
	Names        []string             // records of the hosted zone
	Distribution string               // configuration of the hub's distribution
	Executions   map[string]string    // status, by name
	Letters      map[string]int       // number of messages, by queue that is not empty
	Denied       []string             // calls that IAM denied a function
}

// check checks the ending that all others are compared with.
func (e ending) check(t *testing.T) {
	t.Helper()
	want := ending{
		Edge:    map[string]int{"team-a": 200, "team-b": 403}, // its alias is removed, too
		Records: map[string]string{"a": "wire live", "b": "detach deleted"},
		Held:    map[string]Inventory{"team-a": e.Held["team-a"], "team-b": {}},
		Names:   []string{"example.com. NS", "example.com. SOA", "team-a.example.com. A", "team-a.example.com. AAAA"},
	}
	if diff := cmp.Diff(want, ending{Edge: e.Edge, Records: e.Records, Held: e.Held, Names: e.Names}); diff != "" {
		t.Fatalf("without faults, the story has another ending (-want +got):\n%s", diff)
	}
	if len(e.Letters) != 0 || len(e.Denied) != 0 || len(e.Executions) != 1 || e.Held["team-a"].VPCOrigins != 1 ||
		strings.Count(e.Distribution, "<VpcOriginId>") != 1 || strings.Count(e.Distribution, "<CNAME>") != 1 {
		t.Fatalf("without faults, the story has another ending: %+v", e)
	}
	for name, status := range e.Executions {
		if status != "SUCCEEDED" {
			t.Fatalf("without faults, execution %s ends %s", name, status)
		}
	}
}

// runWalkStory runs, in a new world, the story of two origins: both go live, one moves to another host, and the other is torn down. For
// each call that the walk selects, fault returns the fault to inject, or nil.
func runWalkStory(functions string, about func(sandbox.Call) bool, fault func(callPosition) *sandbox.Fault) (e ending, err error) {
	o := storyOptions(functions)
	for key, value := range map[string]string{"aliases": "per-host", "host": "*.example.com"} {
		if err := o.setPolicyKey(key, value); err != nil {
			return ending{}, err
		}
	}
	w, err := New(o)
	if err != nil {
		return ending{}, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	s := newStory(w)

	var mu sync.Mutex
	chapter, paths, times := 1, map[string]string{}, map[callPosition]int{}
	overdue := make(chan struct{})
	expire := sync.OnceFunc(func() { close(overdue) })
	limit := w.Now().Add(virtualTimeLimit)
	w.OnCall(func(c sandbox.Call) *sandbox.Fault {
		mu.Lock()
		defer mu.Unlock()
		if c.Time.After(limit) {
			expire()
		}
		if c.Function == "" {
			return nil
		}
		if c.Operation == "Scan" { // each invocation begins by reading the registry
			paths[c.Function] = ""
		}
		paths[c.Function] += " " + c.Operation
		p := callPosition{chapter: chapter, function: c.Function, path: paths[c.Function]}
		times[p]++
		p.nth = times[p]
		if !about(c) {
			return nil
		}
		return fault(p)
	})
	rest := func() error {
		idle := make(chan error, 1)
		go func() { idle <- s.waitUntilIdle(nil, nil) }()
		select {
		case err := <-idle:
			mu.Lock()
			defer mu.Unlock()
			chapter++
			return err
		case <-overdue:
			return fmt.Errorf("the world is not idle after %v; still under way: %v", virtualTimeLimit, s.Pending())
		}
	}
	for _, happens := range []func() error{
		func() error { return s.createOrigin("a", "team-a", "host=old.example.com") },
		func() error { return s.createOrigin("b", "team-b") },
		rest,
		func() error { return s.share(nil, []string{"a"}) },
		func() error { return s.share(nil, []string{"b"}) },
		rest,
		func() error { return s.state(nil, []string{"a", "live"}) },
		func() error { return s.state(nil, []string{"b", "live"}) },
		func() error { return s.tag(nil, []string{"a", "team-a.example.com", contract.TagHost}) },
		rest,
		func() error { return s.tag(nil, []string{"b", "now"}) },
		rest,
	} {
		if err := happens(); err != nil {
			return ending{}, err
		}
	}
	return s.ending()
}

// newBinaryWorld returns a world whose functions run as binaries in processes of their own.
func newBinaryWorld(functions string) (*World, error) { return New(storyOptions(functions)) }

// storyOptions returns the options of a world that runs the binaries in the directory functions, or, if that is "", the handlers in the
// process of the test.
func storyOptions(functions string) Options {
	o := Options{Templates: "../../infra/testdata", Functions: functions, Sandbox: sandbox.Options{Seed: 7}}
	if functions == "" {
		o.Sandbox.Handlers = inprocess.Start
	}
	return o
}

// newStory returns a story for tests in Go. It receives no events of the hub.
func newStory(w *World) *story {
	s := &story{Stage: NewStage(w), ctx: context.Background(), origins: map[string]VPCOrigin{}, shares: map[string]string{}}
	s.actors = map[string]*Actor{"team-a": s.TeamA, "team-b": s.TeamB}
	return s
}

// ending returns the final state of the world.
func (s *story) ending() (ending, error) {
	e := ending{
		Edge: map[string]int{}, Records: map[string]string{}, Held: map[string]Inventory{}, Executions: map[string]string{},
		Letters: map[string]int{},
	}
	for name, team := range map[string]string{"a": "team-a", "b": "team-b"} {
		var err error
		if e.Edge[team], _, err = Get(s.ctx, s.Edge(), team+".example.com", "/"+team+"/customers/123"); err != nil {
			return e, err
		}
		if e.Held[team], err = ReadInventory(s.Sandbox, s.actors[team].Account); err != nil {
			return e, err
		}
		r, _, err := s.record(name)
		if err != nil {
			return e, err
		}
		e.Records[name] = strings.Join(append([]string{string(r.Intent), string(r.State)}, r.ReleasedHosts...), " ")
	}
	_, config, err := s.Distribution(s.ctx)
	if err != nil {
		return e, err
	}
	e.Distribution = string(config)
	if err := s.overBudget(); err != nil {
		return e, err
	}
	for _, x := range s.Executions(HubAccount) {
		e.Executions[x.Name] = x.Status
	}
	for _, c := range s.Calls() {
		if c.Function != "" && !c.Allowed {
			e.Denied = append(e.Denied, c.Service+"."+c.Operation)
		}
	}
	return e, s.readState(&e)
}

// readState reads the part of the ending that only a snapshot of the sandbox has.
func (s *story) readState(e *ending) error {
	raw, err := json.Marshal(s.State())
	if err != nil {
		return err
	}
	var state struct {
		Accounts map[string]struct {
			Queues struct {
				Queues []struct {
					Name                       string
					Visible, InFlight, Delayed int
				}
			} `json:"sqs"`
			Zones struct {
				HostedZones []struct{ Records []struct{ Name, Type string } }
			} `json:"route53"`
		}
	}
	if err := json.Unmarshal(raw, &state); err != nil {
		return err
	}
	for _, account := range state.Accounts {
		for _, q := range account.Queues.Queues {
			if n := q.Visible + q.InFlight + q.Delayed; n > 0 {
				e.Letters[q.Name] = n
			}
		}
		for _, z := range account.Zones.HostedZones {
			for _, r := range z.Records {
				e.Names = append(e.Names, r.Name+" "+r.Type)
			}
		}
	}
	slices.Sort(e.Names)
	return nil
}
