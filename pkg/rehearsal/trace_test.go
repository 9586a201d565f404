package rehearsal

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/originhub/originhub/pkg/internal/built"
	"github.com/originhub/originhub/pkg/sandbox"
)

// trace is everything observable about a run: the calls, the state of all accounts, and the log of the functions.
type trace struct {
	Calls []sandbox.Call
	State string
	Logs  string
}

// realTimes matches what a process reads from the real clock: the times of its log lines and metrics.
var realTimes = regexp.MustCompile(`"timestamp":"[^"]*"|"Timestamp":\d+|\d{4}/\d\d/\d\d \d\d:\d\d:\d\d`)

func traceOf(t *testing.T, s *story) trace {
	t.Helper()
	calls := s.Calls()
	for i := range calls {
		calls[i].SDKCall = "" // the SDK draws it at random
	}
	state, err := json.MarshalIndent(s.State(), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return trace{calls, string(state), realTimes.ReplaceAllString(s.logs.String(), "<time>")}
}

var same = flag.Uint64("same", 3, "how many random lives run twice")

// Two random lives with the same seed have the same trace.
func TestSameSeedGivesSameLife(t *testing.T) {
	t.Parallel()
	for seed := *lifeSeed; seed < *lifeSeed+*same; seed++ {
		live := func() trace {
			l := newLife(t, seed)
			l.live(t)
			return traceOf(t, l.story)
		}
		if diff := cmp.Diff(live(), live()); diff != "" {
			t.Errorf("life %d has another trace the second time:\n%s", seed, diff)
		}
	}
}

// Two runs with the same seed have the same trace, whether the functions run in this process or in processes of their own.
func TestSameSeedGivesSameTrace(t *testing.T) {
	t.Parallel()
	live := func(functions string) trace {
		s := &story{ctx: context.Background(), actors: map[string]*Actor{}, origins: map[string]VPCOrigin{}, shares: map[string]string{}}
		o := storyOptions(functions)
		o.Sandbox.LogWriter = func(string) io.Writer { return &s.logs }
		w, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = w.Close() }()
		s.Stage = NewStage(w)
		s.actors = map[string]*Actor{"team-a": s.TeamA, "team-b": s.TeamB}
		for _, rule := range []string{
			`{"fault": "throttle", "operation": "GetVpcOrigin", "times": 2}`,
			`{"fault": "crash", "function": "*Wire*", "operation": "UpdateDistribution", "nth": 1}`,
			`{"fault": "timeout-after-success", "function": "*Teardown*", "nth": 5}`,
			`{"fault": "error", "operation": "DeleteVpcOrigin", "times": 1, "error": {"code": "PreconditionFailed", "status": 412}}`,
		} {
			if err := s.fault(nil, []string{rule}); err != nil {
				t.Fatal(err)
			}
		}
		for _, happens := range []func() error{
			func() error { return s.createAndShare(nil, []string{"3"}) },
			func() error { return s.waitUntilIdle(nil, nil) },
			func() error { return s.tag(nil, []string{"o01", "now"}) },
			func() error { return s.waitUntilIdle(nil, nil) },
			func() error { return s.waitForSweep(nil, nil) },
		} {
			if err := happens(); err != nil {
				t.Fatal(err)
			}
		}
		for _, rule := range s.Faults().Rules() {
			if rule.Hits == 0 {
				t.Errorf("fault %s has hit nothing", rule.Fault)
			}
		}
		return traceOf(t, s)
	}
	first := live("")
	for name, again := range map[string]trace{"in this process": live(""), "in processes": live(built.Functions(t))} {
		if diff := cmp.Diff(first, again); diff != "" {
			t.Errorf("a second run, %s, has another trace:\n%s", name, diff)
		}
	}
	if !bytes.Contains([]byte(first.State), []byte(`"states"`)) || len(first.Calls) < 100 {
		t.Errorf("%d calls, state %s", len(first.Calls), first.State)
	}
}
