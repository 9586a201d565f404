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
	"github.com/originhub/originhub/pkg/sandbox"
)

var each = flag.Bool("each", false, "in walks, harm one call per story: minutes instead of seconds")

const (
	// killStories and lossStories are among how many stories a walk shares out its calls. Fewer are cheaper; but with too
	// few, one message may meet harm in each of its five deliveries, and ends as a dead letter, as it should.
	killStories, lossStories = 11, 8
	// worldsAtOnce is more than there are processors: worlds wait for processes, and processes before they try again.
	worldsAtOnce = 12
	// tooLong is several times what the story takes undisturbed, in virtual time. A world that is not at rest by then turns
	// in circles.
	tooLong = 4 * time.Hour
)

// A function may die after any of its calls has had its effect: redelivery and redrive bring about the same ending.
func TestFunctionMayBeKilledBetweenAnyTwoCalls(t *testing.T) {
	t.Parallel()
	w := walk{harm: sandbox.Fault{Crash: true}, stories: killStories, about: func(sandbox.Call) bool { return true }}
	w.run(t)
}

// The answer to a call that changes something may be lost, although the change was made.
func TestAnswerToAnyChangeMayBeLost(t *testing.T) {
	t.Parallel()
	w := walk{harm: sandbox.Fault{NoResponse: true}, stories: lossStories, about: func(c sandbox.Call) bool { return !c.ReadOnly }}
	w.run(t)
}

// Admit dies when it has recorded an origin and not yet woken wire. Its redelivery finds nothing to record, and no other
// message helps; still nothing waits for a sweep.
func TestOriginGoesLiveThoughAdmitDiedBeforeItWokeWire(t *testing.T) {
	t.Parallel()
	w, err := storyWorld(built.Functions(t))
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
		t.Errorf("admit was killed %d times", rules[0].Hits)
	}
}

// walk does the same harm to every call of functions that the undisturbed story has, and wants the same ending each time.
// A story costs as much as twenty kills, so each gets many: the calls of one story are as many apart as there are stories.
// A call that a story does not come to, since harm led it another way, gets another story. With -each, every story has one
// call harmed, and nothing else can make up for it.
type walk struct {
	harm    sandbox.Fault
	stories int
	about   func(sandbox.Call) bool // which calls

	functions   string // directory of their binaries
	undisturbed ending
	todo        []place // in the story's order
}

// place is where in the story a call stands.
type place struct {
	chapter  int
	function string
	path     string // what the function has called in the same run, this call last
	nth      int    // how often it had come there in the chapter, with this time
}

func (p place) String() string {
	return fmt.Sprintf("chapter %d, %s,%s, time %d", p.chapter, p.function, p.path, p.nth)
}

func (w *walk) run(t *testing.T) {
	w.functions = built.Functions(t)
	w.undisturbed, w.todo = w.undisturbedStory(t)
	w.undisturbed.check(t)
	if len(w.todo) == 0 {
		t.Fatal("the undisturbed story has no call that this walk is about")
	}
	places, apart := len(w.todo), 1
	if !*each {
		apart = len(w.todo) / w.stories
	}
	told := 0
	for before := 0; len(w.todo) > 0 && len(w.todo) != before; {
		before = len(w.todo)
		stories := (before + apart - 1) / apart
		// Lambda gives an event up after three failures, and retire has a few calls only.
		retiring := 0
		for _, p := range w.todo {
			if strings.Contains(p.function, "Retire") {
				retiring++
			}
		}
		stories = max(stories, (retiring+1)/2)
		shares := make([][]place, stories)
		// Function by function, so that one share holds few calls of each.
		dealt := slices.Clone(w.todo)
		slices.SortStableFunc(dealt, func(a, b place) int { return strings.Compare(a.function, b.function) })
		for i, p := range dealt {
			shares[i%stories] = append(shares[i%stories], p)
		}
		w.tellAll(t, shares)
		told += stories
	}
	if len(w.todo) > 0 {
		// When the machine stalls, the SDK tries a call again; another undisturbed story does not have that.
		_, again := w.undisturbedStory(t)
		w.todo = slices.DeleteFunc(w.todo, func(p place) bool { return !slices.Contains(again, p) })
	}
	if len(w.todo) > 0 {
		t.Errorf("no story comes to these calls: %v", w.todo)
	}
	t.Logf("%d calls walked in %d stories", places, told)
}

func (w *walk) undisturbedStory(t *testing.T) (ending, []place) {
	t.Helper()
	var places []place
	e, err := tell(w.functions, w.about, func(p place) *sandbox.Fault {
		places = append(places, p)
		return nil
	})
	if err != nil {
		t.Fatalf("undisturbed: %v", err)
	}
	return e, places
}

// tellAll tells one story for each share of harm, and takes the calls that were harmed off the list.
func (w *walk) tellAll(t *testing.T, shares [][]place) {
	t.Helper()
	var worlds sync.WaitGroup
	var mu sync.Mutex
	room := make(chan struct{}, worldsAtOnce)
	for _, share := range shares {
		room <- struct{}{}
		worlds.Go(func() {
			defer func() { <-room }()
			var harmed []place
			got, err := tell(w.functions, w.about, func(p place) *sandbox.Fault {
				if !slices.Contains(share, p) {
					return nil
				}
				harmed = append(harmed, p)
				return &w.harm
			})
			if diff := cmp.Diff(w.undisturbed, got); err == nil && diff != "" {
				err = fmt.Errorf("the story ends otherwise (-undisturbed +this):\n%s", diff)
			}
			mu.Lock()
			defer mu.Unlock()
			w.todo = slices.DeleteFunc(w.todo, func(p place) bool { return slices.Contains(harmed, p) })
			if err != nil {
				var after strings.Builder
				for _, p := range harmed {
					fmt.Fprintf(&after, "\n   %v", p)
				}
				t.Errorf("%v\nafter harm to these calls (with -each it is one):%s", err, &after)
			}
		})
	}
	worlds.Wait()
}

// ending is what becomes of the story, in all that must not depend on how it came about.
type ending struct {
	Edge         map[string]int       // status that each team's host answers
	Records      map[string]string    // what the registry says, by origin
	Held         map[string]Inventory // by team
	Names        []string             // in the hosted zone
	Distribution string               // its configuration, as CloudFront serves it
	Executions   map[string]string    // status by name
	Letters      map[string]int       // messages by queue, of all queues that are not empty
	Denied       []string             // calls that IAM denied a function
}

// check checks the one ending that all others are compared with.
func (e ending) check(t *testing.T) {
	t.Helper()
	want := ending{
		Edge:    map[string]int{"team-a": 200, "team-b": 403}, // its alias is gone too
		Records: map[string]string{"a": "wire live", "b": "detach deleted"},
		Held:    map[string]Inventory{"team-a": e.Held["team-a"], "team-b": {}},
		Names:   []string{"example.com. NS", "example.com. SOA", "team-a.example.com. A", "team-a.example.com. AAAA"},
	}
	if diff := cmp.Diff(want, ending{Edge: e.Edge, Records: e.Records, Held: e.Held, Names: e.Names}); diff != "" {
		t.Fatalf("undisturbed, the story ends otherwise (-want +got):\n%s", diff)
	}
	if len(e.Letters) != 0 || len(e.Denied) != 0 || len(e.Executions) != 1 || e.Held["team-a"].VPCOrigins != 1 ||
		strings.Count(e.Distribution, "<VpcOriginId>") != 1 || strings.Count(e.Distribution, "<CNAME>") != 1 {
		t.Fatalf("undisturbed, the story ends otherwise: %+v", e)
	}
	for name, status := range e.Executions {
		if status != "SUCCEEDED" {
			t.Fatalf("undisturbed, execution %s ends %s", name, status)
		}
	}
}

// tell tells the story of two origins that go live and of which one moves to another host and one is torn down, in a world
// of its own. Faults are asked for by the place of each call that the walk is about.
func tell(functions string, about func(sandbox.Call) bool, fault func(place) *sandbox.Fault) (e ending, err error) {
	o := storyOptions(functions)
	for key, value := range map[string]string{"aliases": "per-host", "host": "*.example.com"} {
		if err := o.rewrite(key, value); err != nil {
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
	chapter, paths, times := 1, map[string]string{}, map[place]int{}
	circling := make(chan struct{})
	circles := sync.OnceFunc(func() { close(circling) })
	limit := w.Now().Add(tooLong)
	w.OnCall(func(c sandbox.Call) *sandbox.Fault {
		mu.Lock()
		defer mu.Unlock()
		if c.Time.After(limit) {
			circles()
		}
		if c.Function == "" {
			return nil
		}
		if c.Operation == "Scan" { // each run of a function begins with a look at the registry
			paths[c.Function] = ""
		}
		paths[c.Function] += " " + c.Operation
		p := place{chapter: chapter, function: c.Function, path: paths[c.Function]}
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
		case <-circling:
			return fmt.Errorf("the world does not come to rest within %v: %v", tooLong, s.Pending())
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

// storyWorld is a world whose functions run as binaries, in processes of their own.
func storyWorld(functions string) (*World, error) { return New(storyOptions(functions)) }

func storyOptions(functions string) Options {
	return Options{Templates: "../../infra/testdata", Functions: functions, Sandbox: sandbox.Options{Seed: 7}}
}

// newTale is the command world, for tests in Go, without a queue that hears what the hub says.
func newStory(w *World) *story {
	s := &story{Stage: NewStage(w), ctx: context.Background(), origins: map[string]VPCOrigin{}, shares: map[string]string{}}
	s.actors = map[string]*Actor{"team-a": s.TeamA, "team-b": s.TeamB}
	return s
}

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
		if e.Held[team], err = Holdings(s.Sandbox, s.actors[team].Account); err != nil {
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

// readState reads what only a snapshot tells.
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
