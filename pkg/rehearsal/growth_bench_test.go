package rehearsal

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/rehearsal/inprocess"
	"github.com/originhub/originhub/pkg/sandbox"
)

var growthSizes = flag.String("growth", "100,200,400,800", "numbers of origins in the worlds of BenchmarkGrowth")

// growthSpan is the virtual time over which the origins of a world are shared, and over which they are tagged for teardown.
const growthSpan = time.Hour

// ceiling is the highest exponent that a count or a number of bytes may have as a function of the number of origins.
const ceiling = 1.1

// BenchmarkGrowth measures what the functions do in worlds of more and more origins: in the hour of their arrival, in one sweep, in one audit
// and in the hour of their teardown. It fits a power of the number of origins to each figure, and fails if an exponent is above the
// ceiling. It judges no time. The functions run in the process of the benchmark.
func BenchmarkGrowth(b *testing.B) {
	var sizes []int
	for _, text := range strings.Split(*growthSizes, ",") {
		n, err := strconv.Atoi(text)
		if err != nil {
			b.Fatalf("-growth: %v", err)
		}
		sizes = append(sizes, n)
	}
	for b.Loop() {
		var measured []growth
		for _, n := range sizes {
			measured = append(measured, measureGrowth(b, n))
		}
		fmt.Printf("figures of the functions with %v origins, and the exponents x of N^x; of single operations, only those that grow fast:\n%s", sizes, growthTable(sizes, measured)) // b.Log prints ten lines
		for _, tooFast := range aboveCeiling(sizes, measured, growthExceptions()) {
			b.Error(tooFast)
		}
	}
}

// aboveCeiling returns a message for each judged figure that grows faster than the ceiling, or than its exception.
func aboveCeiling(sizes []int, measured []growth, exceptions map[figure]float64) (all []string) {
	for _, name := range growthNames(measured) {
		most := ceiling
		if known, listed := exceptions[name]; listed {
			most = known
		}
		if x := exponent(sizes, name.of(measured)); name.judged() && x > most {
			all = append(all, fmt.Sprintf("%s grow like N^%.2f, and may grow like N^%.2f; with %v origins they are %.0f", name, x, most, sizes, name.of(measured)))
		}
	}
	return all
}

func TestFiguresAboveTheCeilingAreFound(t *testing.T) {
	measured := []growth{{"a: calls": 10, "b: calls": 10, "c: calls": 10, "d ms": 10}, {"a: calls": 20, "b: calls": 40, "c: calls": 40, "d ms": 40}}
	found := aboveCeiling([]int{1, 2}, measured, map[figure]float64{"c: calls": 2.1})
	if len(found) != 1 || !strings.HasPrefix(found[0], "b: calls grow like N^2.00") {
		t.Error(found)
	}
}

// figure names a figure of a phase, such as "arrival: dynamodb calls".
type figure string

// by separates an operation from the function that calls it, in the name of a figure.
const by = " by "

// judged reports whether the figure is a count or a number of bytes, not a time, and not of a single operation.
func (f figure) judged() bool {
	return !strings.HasSuffix(string(f), " ms") && !strings.Contains(string(f), by)
}

// of returns the figure of each world.
func (f figure) of(measured []growth) []float64 {
	var values []float64
	for _, m := range measured {
		values = append(values, m[f])
	}
	return values
}

// growth has the figures of one world.
type growth map[figure]float64

// measureGrowth measures a world of n origins.
func measureGrowth(b *testing.B, n int) growth {
	b.Helper()
	began, m := time.Now(), &meter{counts: map[string]int{}}
	o := storyOptions("")
	o.Sandbox.Handlers = m.start
	f, err := newFleet(n, fleetTeams(n), o)
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := f.Close(); err != nil {
			b.Error(err)
		}
	}()
	found := growth{}
	for _, phase := range []struct {
		name string
		run  func() error
	}{
		{"arrival", f.shareAll},
		{"sweep", f.sweep},
		{"audit", func() error { f.Advance(24 * time.Hour); return f.WaitUntilIdle() }},
		{"teardown", f.tearDownAll},
	} {
		from := len(f.Calls())
		m.reset()
		took, err := profile(phase.run)
		if err != nil {
			b.Fatalf("%d origins, %s: %v", n, phase.name, err)
		}
		m.report(phase.name, f.Calls()[from:], found)
		for part, ms := range took {
			found[figure(phase.name+": "+part+" ms")] = ms
		}
	}
	took := time.Since(began)
	found["all: real ms"] = float64(took.Milliseconds())
	fmt.Printf("%d origins: %s\n", n, took.Round(time.Second))
	return found
}

// fleet is a world with a number of origins, two for each team, on as many distributions as they need.
type fleet struct {
	*story
	n, teams int
}

// fleetTeams returns how many teams n origins have, two each.
func fleetTeams(n int) int { return (n + 1) / 2 }

// newFleet returns a world whose origins are created, and not yet shared. Two origins after another belong to
// one team. The sweep is disabled.
func newFleet(n, teams int, o Options) (*fleet, error) {
	var err error
	if o.Policy, err = fleetPolicy(teams); err != nil {
		return nil, err
	}
	o.OwnAccounts = true
	w, err := New(o)
	if err != nil {
		return nil, err
	}
	f := &fleet{newStory(w), n, teams}
	if err := f.disableRule(nil, []string{"Sweep"}); err != nil {
		return nil, err
	}
	for i := range n {
		if err := f.createOne(i); err != nil {
			return nil, err
		}
	}
	return f, f.WaitUntilIdle()
}

// createOne creates origin i.
func (f *fleet) createOne(i int) error {
	team := f.team(i)
	if f.actors[team] == nil {
		f.actors[team] = NewActor(f.Sandbox, team, fleetAccount(i/2%f.teams))
	}
	return f.createOrigin(fleetName(i), team, "paths="+f.path(i), "host="+f.host(i))
}

// team returns the team of origin i, and path the path that the origin claims.
func (f *fleet) team(i int) string { return fleetTeam(i / 2 % f.teams) }

// host returns the host that the origin claims. Each origin has its own, since a host is on one distribution only, which may be full when the
// second origin of a team comes.
func (f *fleet) host(i int) string { return fmt.Sprintf("%s-%d.example.com", f.team(i), i%2) }

func (f *fleet) path(i int) string { return fmt.Sprintf("/%s/%d/", f.team(i), i) }

func fleetTeam(i int) string { return fmt.Sprintf("t%d", i) }

func fleetAccount(i int) string { return fmt.Sprintf("2%011d", i) }

// fleetPolicy returns the policy of the rehearsal with a number of teams, and with distributions enough for two origins of each.
func fleetPolicy(teams int) ([]byte, error) {
	golden, err := os.ReadFile("../../infra/testdata/" + contract.PolicyFile)
	if err != nil {
		return nil, err
	}
	head, _, _ := bytes.Cut(golden, []byte("teams:\n"))
	head = bytes.Replace(head, []byte("priceClass: PriceClass_100"), fmt.Appendf(nil, "maximum: %d", teams/25+2), 1)
	head = append(head, "teams:\n"...)
	for i := range teams {
		head = fmt.Appendf(head, "- {name: %[1]s, accounts: ['%[2]s'], grants: [{host: %[1]s-0.example.com, paths: [/%[1]s/*]}, {host: %[1]s-1.example.com, paths: [/%[1]s/*]}]}\n", fleetTeam(i), fleetAccount(i))
	}
	return head, nil
}

// shareAll shares the origins, evenly over the span, and checks that all go live.
func (f *fleet) shareAll() error {
	for i := range f.n {
		if err := f.share(nil, []string{fleetName(i)}); err != nil {
			return err
		}
		f.Advance(growthSpan / time.Duration(f.n))
	}
	if err := f.WaitUntilIdle(); err != nil {
		return err
	}
	return f.checkAll(origin.Live)
}

// sweep lets one sweep run.
func (f *fleet) sweep() error {
	if err := f.enableRule(nil, []string{"Sweep"}); err != nil {
		return err
	}
	f.Advance(10 * time.Minute)
	if err := f.disableRule(nil, []string{"Sweep"}); err != nil {
		return err
	}
	return f.WaitUntilIdle()
}

// tearDownAll tags the origins for teardown, evenly over the span, and checks that nothing is left of them.
func (f *fleet) tearDownAll() error {
	for i := range f.n {
		if err := f.tag(nil, []string{fleetName(i), "now"}); err != nil {
			return err
		}
		f.Advance(growthSpan / time.Duration(f.n))
	}
	if err := f.WaitUntilIdle(); err != nil {
		return err
	}
	return f.checkAll(origin.Deleted)
}

// checkAll checks the states of all origins.
func (f *fleet) checkAll(state origin.State) error {
	known, err := f.snapshot()
	if err != nil {
		return err
	}
	for i := range f.n {
		r, _ := known.Find(f.origins[fleetName(i)].ID)
		if r.State != state {
			return fmt.Errorf("%s is %s (%s), want %s", fleetName(i), r.State, origin.Why(r.Reasons), state)
		}
	}
	return nil
}

// meter measures the functions of a world that run in this process.
type meter struct {
	mu     sync.Mutex
	counts map[string]int // invocations by function, and calls and bytes of answers by service and by operation
}

func (m *meter) count(name string, n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts[name] += n
}

func (m *meter) reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.counts)
}

// report adds the figures of a phase.
func (m *meter) report(phase string, calls []sandbox.Call, to growth) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range calls {
		if c.Function == "" {
			continue
		}
		to[figure(phase+": items read")] += float64(c.ItemsRead)
		to[figure(phase+": bytes read")] += float64(c.BytesRead)
		if c.Operation == "UpdateDistribution" {
			to[figure(phase+": updates")]++
		}
	}
	for name, n := range m.counts {
		to[figure(phase+": "+name)] += float64(n)
	}
}

// start is a value for sandbox.Options.Handlers.
func (m *meter) start(ctx context.Context, h sandbox.Hosting) (sandbox.Handler, error) {
	v := &metered{meter: m, function: functionOf(h), next: h.Transport}
	h.Transport = v
	var err error
	v.handler, err = inprocess.Start(ctx, h)
	return v, err
}

// functionOf returns the name of a function, which is that of its asset.
func functionOf(h sandbox.Hosting) string {
	name, _, _ := strings.Cut(filepath.Base(h.Asset), ".")
	return name
}

// metered is an instance of a function. Profiles have the label cpu: the name of the function, or sandbox in a call of the sandbox.
type metered struct {
	*meter
	function string
	handler  sandbox.Handler
	next     http.RoundTripper
}

// Invoke implements sandbox.Handler.
func (v *metered) Invoke(ctx context.Context, payload []byte) (answer []byte, err error) {
	v.count(v.function+" runs", 1)
	pprof.Do(ctx, pprof.Labels("cpu", v.function), func(ctx context.Context) { answer, err = v.handler.Invoke(ctx, payload) })
	return answer, err
}

// RoundTrip implements http.RoundTripper.
func (v *metered) RoundTrip(r *http.Request) (*http.Response, error) {
	pprof.SetGoroutineLabels(pprof.WithLabels(r.Context(), pprof.Labels("cpu", "sandbox")))
	defer pprof.SetGoroutineLabels(r.Context())
	response, err := v.next.RoundTrip(r)
	if err == nil {
		operation := awsmiddleware.GetOperationName(r.Context())
		for _, of := range []string{awsmiddleware.GetServiceID(r.Context()), operation + by + v.function} {
			v.count(of+" calls", 1)
			v.count(of+" bytes", int(response.ContentLength))
		}
	}
	return response, err
}

// profile runs f and returns the processor time of what ran with the label cpu, by its value, in ms.
func profile(f func() error) (map[string]float64, error) {
	file, err := os.CreateTemp("", "growth-*.pprof")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(file.Name()) }()
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, err
	}
	err = f()
	pprof.StopCPUProfile()
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	text, err := exec.Command("go", "tool", "pprof", "-tags", "-unit=ms", file.Name()).Output()
	if err != nil {
		return nil, err
	}
	took := map[string]float64{}
	for _, line := range labelled.FindAllStringSubmatch(string(text), -1) {
		if took[line[2]], err = strconv.ParseFloat(line[1], 64); err != nil {
			return nil, err
		}
	}
	return took, nil
}

var labelled = regexp.MustCompile(`(?m)^ *([0-9.]+)ms \([^)]*\): (\S+)$`)

// exponent returns the exponent of the power of n that fits values best: the slope of the least squares of their logarithms. A value below 1
// counts as 1.
func exponent(n []int, values []float64) float64 {
	var sx, sy, sxx, sxy float64
	for i, value := range values {
		x, y := math.Log(float64(n[i])), math.Log(max(value, 1))
		sx, sy, sxx, sxy = sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	count := float64(len(values))
	return (count*sxy - sx*sy) / (count*sxx - sx*sx)
}

func TestExponent(t *testing.T) {
	n := []int{100, 200, 400, 800}
	for want, of := range map[float64]func(n float64) float64{
		0:   func(float64) float64 { return 7 },
		1:   func(n float64) float64 { return 3 * n },
		1.5: func(n float64) float64 { return n * math.Sqrt(n) },
		2:   func(n float64) float64 { return n * n / 10 },
	} {
		var values []float64
		for _, one := range n {
			values = append(values, of(float64(one)))
		}
		if got := exponent(n, values); math.Abs(got-want) > 1e-9 {
			t.Errorf("exponent of %v is %v, want %v", values, got, want)
		}
	}
}

func growthNames(measured []growth) []figure {
	all := map[figure]bool{}
	for _, m := range measured {
		for name := range m {
			all[name] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

func growthTable(sizes []int, measured []growth) string {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, name := range growthNames(measured) {
		if strings.Contains(string(name), by) && exponent(sizes, name.of(measured)) <= ceiling {
			continue
		}
		fmt.Fprintf(table, "%s\t", name)
		for _, value := range name.of(measured) {
			fmt.Fprintf(table, "%.0f\t", value)
		}
		fmt.Fprintf(table, "%.2f\t\n", exponent(sizes, name.of(measured)))
	}
	_ = table.Flush()
	return text.String()
}

// growthExceptions has the exponents of figures that grow faster than the ceiling, measured with 100 and 200 origins. An exponent here may
// only be lowered.
func growthExceptions() map[figure]float64 {
	return map[figure]float64{
		// Each run of admit lists all shares. Its window grows with the accounts, but only from 100 accounts on.
		"teardown: RAM bytes": 1.2,
	}
}
