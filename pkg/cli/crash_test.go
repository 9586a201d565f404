package cli

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/originhub/originhub/pkg/sandbox"
)

var each = flag.Bool("each", false, "in walks, harm one call per story: minutes instead of seconds")

const (
	// killStories and lossStories are among how many stories a walk shares out its calls. Fewer are cheaper; but with too
	// few, one message may meet harm in each of its five deliveries, and ends as a dead letter, as it should.
	killStories, lossStories = 12, 6
	// worldsAtOnce is more than there are processors: worlds wait for processes, and processes before they try again.
	worldsAtOnce = 6
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

// walk does the same harm to every call of functions that the undisturbed story has, and wants the same ending each time.
// A story costs as much as twenty kills. So each gets many, and those that hit one function are as many calls apart as
// there are stories. With -each, every story gets one.
type walk struct {
	harm    sandbox.Fault
	stories int
	about   func(sandbox.Call) bool // which calls

	undisturbed ending
	todo        map[place]bool
}

// place is where in the story a call stands: it is the nth one of a function among those that a walk is about.
type place struct {
	function string
	nth      int
}

func (w *walk) run(t *testing.T) {
	w.todo = map[place]bool{}
	var err error
	w.undisturbed, err = tell(w.about, func(p place, _ sandbox.Call) *sandbox.Fault {
		w.todo[p] = true
		return nil
	})
	if err != nil {
		t.Fatalf("undisturbed: %v", err)
	}
	w.undisturbed.check(t)
	places := len(w.todo)
	if !*each {
		shares := make([]map[place]bool, w.stories)
		for i := range shares {
			shares[i] = maps.Clone(w.todo)
			maps.DeleteFunc(shares[i], func(p place, _ bool) bool { return p.nth%w.stories != i })
		}
		w.tellAll(t, shares)
	}
	// Harm may lead a story past calls that the undisturbed one has. Alone, they are met for certain.
	var alone []map[place]bool
	for p := range w.todo {
		alone = append(alone, map[place]bool{p: true})
	}
	w.tellAll(t, alone)
	if len(w.todo) > 0 {
		t.Errorf("these calls were never made: %v", w.todo)
	}
	t.Logf("%d calls walked, %d of them alone", places, len(alone))
}

// tellAll tells one story for each share of harm, and takes the calls that were harmed off the list.
func (w *walk) tellAll(t *testing.T, shares []map[place]bool) {
	t.Helper()
	var worlds sync.WaitGroup
	var mu sync.Mutex
	room := make(chan struct{}, worldsAtOnce)
	for _, share := range shares {
		room <- struct{}{}
		worlds.Go(func() {
			defer func() { <-room }()
			var met []place
			var harmed []string
			got, err := tell(w.about, func(p place, c sandbox.Call) *sandbox.Fault {
				if !share[p] {
					return nil
				}
				met = append(met, p)
				harmed = append(harmed, fmt.Sprintf("%s call %d, %s.%s", p.function, p.nth, c.Service, c.Operation))
				return &w.harm
			})
			if diff := cmp.Diff(w.undisturbed, got); err == nil && diff != "" {
				err = fmt.Errorf("the story ends otherwise (-undisturbed +this):\n%s", diff)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, p := range met {
				delete(w.todo, p)
			}
			if err != nil {
				t.Errorf("%v\nafter harm to these calls (-each says which one does it alone):\n%s", err, strings.Join(harmed, "\n"))
			}
		})
	}
	worlds.Wait()
}

// ending is what becomes of the story, in all that must not depend on how it came about.
type ending struct {
	Edge         map[string]int       // status that each team's host answers
	Records      map[string]string    // what the registry says, by origin
	Held         map[string]inventory // by team
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
		Edge:    map[string]int{"team-a": 200, "team-b": 404},
		Records: map[string]string{"a": "wire live", "b": "detach deleted"},
		Held:    map[string]inventory{"team-a": e.Held["team-a"], "team-b": {}},
		Names:   []string{"example.com. NS", "example.com. SOA", "team-a.example.com. A", "team-a.example.com. AAAA"},
	}
	if diff := cmp.Diff(want, ending{Edge: e.Edge, Records: e.Records, Held: e.Held, Names: e.Names}); diff != "" {
		t.Fatalf("undisturbed, the story ends otherwise (-want +got):\n%s", diff)
	}
	if len(e.Letters) != 0 || len(e.Denied) != 0 || len(e.Executions) != 1 || e.Held["team-a"].VPCOrigins != 1 ||
		strings.Count(e.Distribution, "<VpcOriginId>") != 1 {
		t.Fatalf("undisturbed, the story ends otherwise: %+v", e)
	}
	for name, status := range e.Executions {
		if status != "SUCCEEDED" {
			t.Fatalf("undisturbed, execution %s ends %s", name, status)
		}
	}
}

// tell tells the story of two origins that go live and of which one is torn down, in a world of its own. Faults are asked
// for by the place of each call that the walk is about.
func tell(about func(sandbox.Call) bool, fault func(place, sandbox.Call) *sandbox.Fault) (e ending, err error) {
	w, err := storyWorld()
	if err != nil {
		return ending{}, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	s := newTale(w)

	var mu sync.Mutex
	made := map[string]int{}
	circling := false
	limit := w.Now().Add(tooLong)
	w.OnCall(func(c sandbox.Call) *sandbox.Fault {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case c.Function == "":
			return nil
		case c.Time.After(limit):
			circling = true // with nothing to be had, everything ends soon, and the world comes to rest
			return &sandbox.Fault{Error: &sandbox.RuleError{Code: "AccessDenied", Message: "this takes too long", Status: 403}}
		case !about(c):
			return nil
		}
		made[c.Function]++
		return fault(place{c.Function, made[c.Function]}, c)
	})
	rest := func() error {
		err := s.idle(nil, nil)
		mu.Lock()
		defer mu.Unlock()
		return errors.Join(err, want(!circling, "the world does not come to rest within %v", tooLong))
	}
	for _, happens := range []func() error{
		func() error { return s.begin("a", "team-a") },
		func() error { return s.begin("b", "team-b") },
		rest,
		func() error { return s.shareIt(nil, []string{"a"}) },
		func() error { return s.shareIt(nil, []string{"b"}) },
		rest,
		func() error { return s.is(nil, []string{"a", "live"}) },
		func() error { return s.is(nil, []string{"b", "live"}) },
		func() error { return s.tagIt(nil, []string{"b", "now"}) },
		rest,
	} {
		if err := happens(); err != nil {
			return ending{}, err
		}
	}
	return s.ending()
}

func storyWorld() (*world, error) {
	return newWorld(worldOptions{Templates: "../../infra/testdata", Functions: functions, Sandbox: sandbox.Options{Seed: 7}})
}

// newTale is the command world, for tests in Go, without a queue that hears what the hub says.
func newTale(w *world) *tale {
	s := &tale{demo: newDemo(w, io.Discard), ctx: context.Background(), origins: map[string]vpcOrigin{}, shares: map[string]string{}}
	s.actors = map[string]*actor{"team-a": s.teamA, "team-b": s.teamB}
	return s
}

func (s *tale) ending() (ending, error) {
	e := ending{
		Edge: map[string]int{}, Records: map[string]string{}, Held: map[string]inventory{}, Executions: map[string]string{},
		Letters: map[string]int{},
	}
	for name, team := range map[string]string{"a": "team-a", "b": "team-b"} {
		var err error
		if e.Edge[team], _, err = get(s.ctx, s.Edge(), team+".example.com", "/"+team+"/customers/123"); err != nil {
			return e, err
		}
		if e.Held[team], err = holdings(s.Sandbox, s.actors[team].account); err != nil {
			return e, err
		}
		r, _, err := s.record(name)
		if err != nil {
			return e, err
		}
		e.Records[name] = string(r.Intent) + " " + string(r.State)
	}
	_, config, err := s.distribution(s.ctx)
	if err != nil {
		return e, err
	}
	e.Distribution = string(config)
	for _, x := range s.Executions(hubAccount) {
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
func (s *tale) readState(e *ending) error {
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
