package rehearsal

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/internal/built"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/rehearsal/inprocess"
	"github.com/originhub/originhub/pkg/sandbox"
)

var (
	soakDays = flag.Int("soak-days", 1, "virtual days of BenchmarkSoak")
	soakRate = flag.Int("soak-rate", 10, "onboardings, and teardowns, in an hour at work of the busiest day of BenchmarkSoak")
	soakLife = flag.Duration("soak-life", 4*time.Hour, "time from the share of an origin of BenchmarkSoak to its teardown tag")
	soakKeep = flag.Int("soak-keep", 2000, "how many entries each log of the sandbox keeps in BenchmarkSoak; 0 for all")
)

// soakPace returns how many origins arrive in an hour of a soak: all of the rate in the eight hours at work of the last day, the busiest, a
// tenth of that in its other hours, and on the days before a fifth of both. It is at least one.
func soakPace(day, hour int) int {
	pace := *soakRate
	if hour < 9 || hour >= 17 {
		pace /= 10
	}
	if day < *soakDays-1 {
		pace /= 5
	}
	return max(1, pace)
}

// What a run of a function takes on Lambda is computed: its calls, each with this latency, and its processor time on a function with 256 MB, which
// has a seventh of a processor. A processor is 1,769 MB: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
const (
	soakLatency = 50 * time.Millisecond
	soakShare   = 7
)

// BenchmarkSoak lets origins arrive and be torn down for virtual days. It fails if a run of a function takes more than a third of its
// timeout, if a dead-letter queue has a message, or if an origin does not end deleted. It prints the heap of the sandbox and the number of items in
// the registry, every six hours. With -processes, the functions run in processes, and it prints the memory of these instead of their runs.
func BenchmarkSoak(b *testing.B) {
	for b.Loop() {
		m := &longest{runs: map[string]run{}}
		o := storyOptions("")
		if o.Sandbox.Handlers = m.start; *allProcesses {
			o = storyOptions(built.Functions(b))
		}
		o.Sandbox.Keep = *soakKeep
		f, err := newFleet(0, fleetTeams(*soakRate*(int(*soakLife/time.Hour)+2)), o)
		if err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		if err := f.soak(); err != nil {
			b.Fatal(err)
		}
		fmt.Printf("%d origins in %d days, in %s\n", f.n, *soakDays, time.Since(began).Round(time.Second))
		for function, kb := range residentSets(b, f.assets) {
			fmt.Printf("%s: %d MB at most\n", function, kb/1024)
		}
		for _, late := range m.report(b) {
			b.Error(late)
		}
		closeWorld(b, f.World)
	}
}

// soak runs the days of a soak.
func (f *fleet) soak() error {
	if err := f.enableRule(nil, []string{"Sweep"}); err != nil {
		return err
	}
	due := map[int]time.Time{} // teardown tag of an origin
	for hour := range 24 * *soakDays {
		if hour%6 == 0 {
			if err := f.printLevel(hour); err != nil {
				return err
			}
		}
		pace := soakPace(hour/24, hour%24)
		for range pace {
			if err := f.oneArrives(due); err != nil {
				return err
			}
			f.Advance(time.Hour / time.Duration(pace))
			if err := f.tagDue(due); err != nil {
				return err
			}
		}
	}
	for len(due) > 0 {
		f.Advance(10 * time.Minute)
		if err := f.tagDue(due); err != nil {
			return err
		}
	}
	if err := f.WaitUntilIdle(); err != nil {
		return err
	}
	if err := f.checkAll(origin.Deleted); err != nil {
		return err
	}
	for name := range f.outputs {
		if strings.HasSuffix(name, "DeadLettersUrl") {
			if err := f.deadLetters(nil, []string{name, "0"}); err != nil {
				return err
			}
		}
	}
	return f.printLevel(24 * *soakDays)
}

// oneArrives creates an origin of the team whose turn it is, and shares it.
func (f *fleet) oneArrives(due map[int]time.Time) error {
	i := f.n
	f.n++
	if err := f.createOne(i); err != nil {
		return err
	}
	due[i] = f.Now().Add(*soakLife)
	return f.share(nil, []string{fleetName(i)})
}

// tagDue tags the origins that are due for teardown.
func (f *fleet) tagDue(due map[int]time.Time) error {
	for _, i := range slices.Sorted(maps.Keys(due)) {
		if due[i].After(f.Now()) {
			continue
		}
		delete(due, i)
		if err := f.tag(nil, []string{fleetName(i), "now"}); err != nil {
			return err
		}
	}
	return nil
}

// printLevel prints what a world holds after some hours.
func (f *fleet) printLevel(hours int) error {
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	table := f.outputs["RegistryTable"]
	items := 0
	pages := dynamodb.NewScanPaginator(dynamodb.NewFromConfig(f.Config(HubAccount, Region)), &dynamodb.ScanInput{TableName: &table, Select: "COUNT"})
	for pages.HasMorePages() {
		page, err := pages.NextPage(f.ctx)
		if err != nil {
			return err
		}
		items += int(page.Count)
	}
	fmt.Printf("after %3d h: %5d origins so far, %5d items in the registry, %4d MB of heap, %d calls kept\n", hours, f.n, items, memory.HeapAlloc>>20, len(f.Calls()))
	return nil
}

// run is a run of a function.
type run struct {
	calls     int
	processor time.Duration // with the sandbox's share in the calls, because both run in one process
}

func (r run) computed() time.Duration {
	return time.Duration(r.calls)*soakLatency + soakShare*r.processor
}

// longest keeps the longest run of each function.
type longest struct {
	mu   sync.Mutex
	runs map[string]run
}

// start is a value for sandbox.Options.Handlers.
func (l *longest) start(ctx context.Context, h sandbox.Hosting) (sandbox.Handler, error) {
	v := &watched{longest: l, function: functionOf(h), next: h.Transport}
	h.Transport = v
	var err error
	v.handler, err = inprocess.Start(ctx, h)
	return v, err
}

// report prints the longest runs, and returns those that take more than a third of the function's timeout.
func (l *longest) report(b *testing.B) (late []string) {
	limits := timeouts(b)
	for _, function := range slices.Sorted(maps.Keys(l.runs)) {
		r := l.runs[function]
		text := fmt.Sprintf("%s: the longest run has %d calls and %s of a processor, which is %s on Lambda; its timeout is %s",
			function, r.calls, r.processor.Round(time.Millisecond), r.computed().Round(100*time.Millisecond), limits[function])
		fmt.Println(text)
		if r.computed() > limits[function]/3 {
			late = append(late, text)
		}
	}
	return late
}

// watched is an instance of a function whose runs are measured.
type watched struct {
	*longest
	function string
	handler  sandbox.Handler
	next     http.RoundTripper
	mine     sync.Mutex
	calls    int // of the current run
}

// Invoke implements sandbox.Handler.
func (v *watched) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	v.calls = 0
	from := processTime()
	answer, err := v.handler.Invoke(ctx, payload)
	r := run{v.calls, processTime() - from}
	v.mu.Lock()
	defer v.mu.Unlock()
	if r.computed() > v.runs[v.function].computed() {
		v.runs[v.function] = r
	}
	return answer, err
}

// RoundTrip implements http.RoundTripper.
func (v *watched) RoundTrip(r *http.Request) (*http.Response, error) {
	v.mine.Lock()
	v.calls++
	v.mine.Unlock()
	return v.next.RoundTrip(r)
}

func processTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// timeouts returns the timeouts of the hub's functions.
func timeouts(b *testing.B) map[string]time.Duration {
	b.Helper()
	text, err := os.ReadFile("../../infra/testdata/hub.template.json")
	if err != nil {
		b.Fatal(err)
	}
	var template struct {
		Resources map[string]struct {
			Type       string
			Properties json.RawMessage
		}
	}
	if err := json.Unmarshal(text, &template); err != nil {
		b.Fatal(err)
	}
	all := map[string]time.Duration{}
	for _, r := range template.Resources {
		if r.Type != "AWS::Lambda::Function" {
			continue
		}
		var p struct {
			Timeout int
			Code    struct{ S3Key struct{ Ref string } }
		}
		if err := json.Unmarshal(r.Properties, &p); err != nil {
			b.Fatal(err)
		}
		for _, function := range contract.Functions() {
			if p.Code.S3Key.Ref == contract.CodeKey(function) {
				all[function] = time.Duration(p.Timeout) * time.Second
			}
		}
	}
	return all
}
