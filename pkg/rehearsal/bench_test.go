package rehearsal

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/internal/built"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/sandbox"
)

// All benchmarks run the functions' binaries in processes of their own. TestRandomLives prints how fast random lives are with the handlers
// in the process of the test.

// BenchmarkShares measures shares that arrive at one virtual instant, half of them with an invitation. It counts the API calls of the hub's
// functions, including those that poll a propagation.
func BenchmarkShares(b *testing.B) {
	for _, n := range []int{1, 5, 20, 50} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				w := benchWorld(b)
				s := newStory(w)
				from, at := s.benchFleet(b, n)
				if err := s.waitUntilIdle(nil, nil); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(s.latest(b, n, origin.DecidedLive).Sub(at).Seconds(), "virtual-s-to-live")
				reportCalls(b, s.Calls()[from:], n)
				closeWorld(b, w)
			}
		})
	}
}

// BenchmarkTeardown measures the teardown of origins that are tagged at one virtual instant.
func BenchmarkTeardown(b *testing.B) {
	for _, n := range []int{1, 5, 20} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				w := benchWorld(b)
				s := newStory(w)
				s.benchFleet(b, n)
				if err := s.waitUntilIdle(nil, nil); err != nil {
					b.Fatal(err)
				}
				from, at := len(s.Calls()), s.Now()
				for i := range n {
					if err := s.tag(nil, []string{fleetName(i), "now"}); err != nil {
						b.Fatal(err)
					}
				}
				if err := s.waitUntilIdle(nil, nil); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(s.latest(b, n, origin.DecidedTeardownCompleted).Sub(at).Seconds(), "virtual-s-to-gone")
				reportCalls(b, s.Calls()[from:], n)
				closeWorld(b, w)
			}
		})
	}
}

// BenchmarkFunctionStart measures the time from the start of a function's process until it asks the Runtime API for its first event. This
// is less than Lambda's init duration, which includes the start of the execution environment.
func BenchmarkFunctionStart(b *testing.B) {
	const starts = 20 // the benchmark reports the median
	for _, name := range []string{"admit", "retire", "teardown", "wire"} {
		b.Run(name, func(b *testing.B) {
			asked := make(chan time.Time)
			runtime := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				asked <- time.Now()
				<-r.Context().Done() // there is no event
			}))
			defer runtime.Close()
			bootstrap, err := filepath.Abs(filepath.Join(built.Functions(b), name))
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				var took []time.Duration
				for range starts {
					cmd := exec.Command(bootstrap)
					cmd.Dir = "../../infra/testdata" // contains the policy
					cmd.Env = []string{
						"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(runtime.URL, "http://"), "LAMBDA_TASK_ROOT=.",
						"AWS_REGION=" + Region, "AWS_ACCESS_KEY_ID=bench", "AWS_SECRET_ACCESS_KEY=bench",
					}
					for _, env := range []string{
						contract.EnvTable, contract.EnvBus, contract.EnvAdmitQueue, contract.EnvWireQueue, contract.EnvStateMachine, contract.EnvPastTable,
					} {
						cmd.Env = append(cmd.Env, env+"=bench")
					}
					began := time.Now()
					if err := cmd.Start(); err != nil {
						b.Fatal(err)
					}
					ended := make(chan error, 1)
					go func() { ended <- cmd.Wait() }()
					select {
					case at := <-asked:
						took = append(took, at.Sub(began))
					case err := <-ended:
						b.Fatalf("function %s ends before it asks for an event: %v", name, err)
					}
					if err := cmd.Process.Kill(); err != nil {
						b.Fatal(err)
					}
					<-ended
				}
				slices.Sort(took)
				b.ReportMetric(float64(took[starts/2].Microseconds())/1000, "ms/start")
			}
		})
	}
}

func benchWorld(b *testing.B) *World {
	b.Helper()
	w, err := newBinaryWorld(built.Functions(b))
	if err != nil {
		b.Fatal(err)
	}
	return w
}

func closeWorld(b *testing.B, w *World) {
	b.Helper()
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
}

func fleetName(i int) string { return fmt.Sprintf("o%02d", i) }

// benchFleet creates n origins and shares them. It returns how many calls were made by then, and when that was.
func (s *story) benchFleet(b *testing.B, n int) (calls int, at time.Time) {
	b.Helper()
	if err := s.createAndShare(nil, []string{fmt.Sprint(n)}); err != nil {
		b.Fatal(err)
	}
	return len(s.Calls()), s.Now()
}

// latest returns when the last of n origins reached a decision. It fails if one of them did not.
func (s *story) latest(b *testing.B, n int, what origin.Code) time.Time {
	b.Helper()
	var last time.Time
	for i := range n {
		r, _, err := s.record(fleetName(i))
		if err != nil {
			b.Fatal(err)
		}
		found := false
		for _, d := range r.History {
			if d.Code == what {
				found = true
				if d.At.After(last) {
					last = d.At
				}
			}
		}
		if !found {
			b.Fatalf("%s is %s (%s), and has not reached %q", fleetName(i), r.State, origin.Why(r.Reasons), what)
		}
	}
	return last
}

// reportCalls reports the calls of the functions per origin. Calls of the hub's own registry, queues, bus and state machine are counted
// apart, as own. A poll is a read of what the same function has read before, at an earlier time. Calls of sweeps are counted, too.
func reportCalls(b *testing.B, calls []sandbox.Call, origins int) {
	b.Helper()
	counts := map[string]int{}
	first := map[[4]string]time.Time{}
	for _, c := range calls {
		what := [4]string{c.Function, c.Account, c.Operation, c.Resource}
		if first[what].IsZero() {
			first[what] = c.Time
		}
		kind := "mutate"
		switch {
		case c.Function == "":
			continue
		case slices.Contains([]string{"dynamodb", "sqs", "events", "states"}, c.Service):
			kind = "own"
		case c.ReadOnly && c.Time.After(first[what]):
			kind = "poll"
		case c.ReadOnly || c.Operation == "AssumeRole":
			kind = "read"
		}
		counts[kind]++
		if kind != "own" {
			counts["calls"]++
		}
		if c.Operation == "UpdateDistribution" && c.Error == "" {
			counts["updates"]++
		}
	}
	for _, kind := range []string{"calls", "mutate", "read", "poll", "own"} {
		b.ReportMetric(float64(counts[kind])/float64(origins), kind+"/origin")
	}
	b.ReportMetric(float64(counts["updates"]), "updates")
}

// BenchmarkFunctions measures the memory of the functions' processes while 50 shares go live and 20 origins are torn down: the peak of any
// process of a function. It reads /proc, so it needs Linux.
func BenchmarkFunctions(b *testing.B) {
	for b.Loop() {
		w := benchWorld(b)
		s := newStory(w)
		s.benchFleet(b, 50)
		if err := s.waitUntilIdle(nil, nil); err != nil {
			b.Fatal(err)
		}
		for i := range 20 {
			if err := s.tag(nil, []string{fleetName(i), "now"}); err != nil {
				b.Fatal(err)
			}
		}
		if err := s.waitUntilIdle(nil, nil); err != nil {
			b.Fatal(err)
		}
		for function, kb := range residentSets(b, w.assets) {
			b.ReportMetric(float64(kb)/1024, "MB-"+function)
		}
		closeWorld(b, w)
	}
}

// residentSets returns the peak of the resident sets of the processes whose working directory is below a directory, in KB, by function.
func residentSets(b *testing.B, below string) map[string]int {
	b.Helper()
	processes, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		b.Fatal(err)
	}
	peak := map[string]int{}
	for _, link := range processes {
		dir, err := os.Readlink(link)
		if err != nil || !strings.HasPrefix(dir, below) {
			continue // the process has ended, or belongs to another program
		}
		status, err := os.ReadFile(filepath.Join(filepath.Dir(link), "status"))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(status)) {
			var kb int
			if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kb); n == 1 {
				peak[filepath.Base(dir)] = max(peak[filepath.Base(dir)], kb)
			}
		}
	}
	return peak
}
