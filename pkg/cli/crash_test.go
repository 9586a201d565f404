package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/sandbox"
)

var stride = flag.Int("stride", 0, "x")
var workers = flag.Int("workers", 4, "x")
var only = flag.String("only", "", "x")

// patience is how much virtual time the story may take, several times what it takes undisturbed. A world that is not at
// rest by then is taken to turn in circles.
const tooLong = 4 * time.Hour

// ending is what must come of the story, whatever went wrong on the way.
type ending struct {
	Edge         map[string]int // status by host
	Records      map[string]string
	Held         map[string]inventory
	Executions   map[string]string
	Distribution string
	Queues       map[string]int // messages left, in queues that are not empty
	Denied       []string
}

type hit struct {
	n    int
	call sandbox.Call
}

func (h hit) String() string {
	return fmt.Sprintf("%d %s %s.%s", h.n, functionOf(h.call), h.call.Service, h.call.Operation)
}

func functionOf(c sandbox.Call) string {
	for _, f := range []string{"admit", "retire", "teardown", "wire"} {
		if strings.Contains(strings.ToLower(c.Function), "-"+f) {
			return f
		}
	}
	return c.Function
}

// rehearse ...
func rehearse(goesWrong func(n int, c sandbox.Call) *sandbox.Fault) (e ending, hits []hit, calls []sandbox.Call, err error) {
	w, err := newWorld(worldOptions{Templates: "../../infra/testdata", Functions: functions, Sandbox: sandbox.Options{Seed: 7}})
	if err != nil {
		return e, nil, nil, err
	}
	defer func() { _ = w.Close() }()
	s := &tale{demo: newDemo(w, io.Discard), ctx: context.Background(), origins: map[string]vpcOrigin{}, shares: map[string]string{}}
	s.actors = map[string]*actor{"team-a": s.teamA, "team-b": s.teamB}
	var mu sync.Mutex
	n, stuck := 0, false
	limit := w.Now().Add(tooLong)
	w.OnCall(func(c sandbox.Call) *sandbox.Fault {
		if c.Function == "" {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		if c.Time.After(limit) {
			stuck = true
			return &sandbox.Fault{Error: &sandbox.RuleError{Code: "AccessDenied", Message: "the story has taken too long", Status: 403}}
		}
		n++
		f := goesWrong(n, c)
		if f != nil {
			hits = append(hits, hit{n, c})
		}
		return f
	})
	err = s.live2(func() error {
		mu.Lock()
		defer mu.Unlock()
		return want(!stuck, "the world does not come to rest within %v", tooLong)
	})
	if err != nil {
		return e, hits, w.Calls(), err
	}
	e, err = s.ending()
	return e, hits, w.Calls(), err
}

func (s *tale) live2(fine func() error) error {
	steps := []func() error{
		func() error { return s.begin("a", "team-a") },
		func() error { return s.begin("b", "team-b") },
		func() error { return s.idle(nil, nil) },
		func() error { return s.shareIt(nil, []string{"a"}) },
		func() error { return s.shareIt(nil, []string{"b"}) },
		func() error { return s.idle(nil, nil) },
		fine,
		func() error { return s.eventually([]string{"a", "live"}) },
		func() error { return s.eventually([]string{"b", "live"}) },
		func() error { return s.tagIt(nil, []string{"b", "now"}) },
		func() error { return s.idle(nil, nil) },
		fine,
		func() error { return s.eventually([]string{"b", "deleted"}) },
		fine,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// eventually is...
func (s *tale) eventually(args []string) error {
	err := s.is(nil, args)
	if err == nil {
		return nil
	}
	if err := s.sweep(nil, nil); err != nil {
		return err
	}
	fmt.Println("needed a sweep:", err)
	if err = s.is(nil, args); err == nil {
		return nil
	}
	return err
}

func (s *tale) ending() (ending, error) {
	e := ending{
		Edge: map[string]int{}, Records: map[string]string{}, Held: map[string]inventory{}, Executions: map[string]string{},
		Queues: map[string]int{},
	}
	for _, team := range []string{"team-a", "team-b"} {
		status, _, err := get(s.ctx, s.Edge(), team+".example.com", "/"+team+"/customers/123")
		if err != nil {
			return e, err
		}
		e.Edge[team] = status
		if e.Held[team], err = holdings(s.Sandbox, s.actors[team].account); err != nil {
			return e, err
		}
	}
	for _, name := range []string{"a", "b"} {
		r, _, err := s.record(name)
		if err != nil {
			return e, err
		}
		e.Records[name] = fmt.Sprintf("%s %s %d", r.Intent, r.State, r.Generation)
	}
	for _, x := range s.Executions(hubAccount) {
		e.Executions[strings.ReplaceAll(x.Name, s.origins["b"].id, "b")] = x.Status
	}
	_, config, err := s.distribution(s.ctx)
	if err != nil {
		return e, err
	}
	e.Distribution = string(config)
	for _, c := range s.Calls() {
		if c.Function != "" && !c.Allowed {
			e.Denied = append(e.Denied, c.Operation)
		}
	}
	return e, nil
}

func TestWalk(t *testing.T) {
	reference, _, calls, err := rehearse(func(int, sandbox.Call) *sandbox.Fault { return nil })
	if err != nil {
		t.Fatal(err)
	}
	calls = slices.DeleteFunc(calls, func(c sandbox.Call) bool { return c.Function == "" })
	t.Logf("%d calls %+v", len(calls), reference)
	var wg sync.WaitGroup
	sem := make(chan struct{}, *workers)
	var mu sync.Mutex
	one := func(name string, rule func(n int, c sandbox.Call) *sandbox.Fault) {
		sem <- struct{}{}
		wg.Go(func() {
			defer func() { <-sem }()
			t0 := time.Now()
			e, hits, all, err := rehearse(rule)
			mu.Lock()
			defer mu.Unlock()
			t.Logf("%s: %v hits, %d calls, ends %v, %v", name, len(hits), len(all), all[len(all)-1].Time.Format("15:04:05"), time.Since(t0))
			if err != nil {
				t.Errorf("%s: %v: %v", name, hits, err)
				return
			}
			if d := cmp.Diff(reference, e); d != "" {
				t.Errorf("%s: %v\n%s", name, hits, d)
			}
		})
	}
	t0 := time.Now()
	if *stride == 0 {
		if *only != "lost" {
			for i := range calls {
				one(fmt.Sprintf("kill %d", i+1), func(n int, _ sandbox.Call) *sandbox.Fault {
					if n == i+1 {
						return &sandbox.Fault{Crash: true}
					}
					return nil
				})
			}
		}
		if *only != "kill" {
			for i, c := range calls {
				if c.ReadOnly {
					continue
				}
				one(fmt.Sprintf("lose %d", i+1), func(n int, _ sandbox.Call) *sandbox.Fault {
					if n == i+1 {
						return &sandbox.Fault{NoResponse: true}
					}
					return nil
				})
			}
		}
	} else {
		for r := range *stride {
			k := map[string]int{}
			one(fmt.Sprintf("kill mod %d", r), func(n int, c sandbox.Call) *sandbox.Fault {
				f := functionOf(c)
				k[f]++
				if k[f]%*stride == r {
					return &sandbox.Fault{Crash: true}
				}
				return nil
			})
		}
	}
	wg.Wait()
	t.Log(time.Since(t0), contract.TagTeardown)
}
