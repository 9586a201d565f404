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
	"regexp"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

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
		fmt.Printf("figures of the functions with %v origins, and the exponents x of N^x:\n%s", sizes, growthTable(sizes, measured)) // b.Log prints ten lines
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

// judged reports whether the figure is a count or a number of bytes, not a time.
func (f figure) judged() bool { return !strings.HasSuffix(string(f), " ms") }

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
	f, err := newFleet(n, m)
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
	n int
}

const originsPerFleetTeam = 2

// newFleet returns a world whose origins are created, and not yet shared. Its sweep is disabled.
func newFleet(n int, m *meter) (*fleet, error) {
	text, err := fleetPolicy(n)
	if err != nil {
		return nil, err
	}
	o := storyOptions("")
	o.Policy, o.OwnAccounts, o.Sandbox.Handlers = text, true, m.start
	w, err := New(o)
	if err != nil {
		return nil, err
	}
	f := &fleet{newStory(w), n}
	if err := f.disableRule(nil, []string{"Sweep"}); err != nil {
		return nil, err
	}
	for i := range n {
		team := fleetTeam(i / originsPerFleetTeam)
		if f.actors[team] == nil {
			f.actors[team] = NewActor(w.Sandbox, team, fleetAccount(i/originsPerFleetTeam))
		}
		if err := f.createOrigin(fleetName(i), team, fmt.Sprintf("paths=/%s/%d/", team, i)); err != nil {
			return nil, err
		}
	}
	return f, f.WaitUntilIdle()
}

func fleetTeam(i int) string { return fmt.Sprintf("t%d", i) }

func fleetAccount(i int) string { return fmt.Sprintf("2%011d", i) }

// fleetPolicy returns the policy of the rehearsal with the teams of n origins, and with distributions enough for them.
func fleetPolicy(n int) ([]byte, error) {
	golden, err := os.ReadFile("../../infra/testdata/" + contract.PolicyFile)
	if err != nil {
		return nil, err
	}
	head, _, _ := bytes.Cut(golden, []byte("teams:\n"))
	head = bytes.Replace(head, []byte("priceClass: PriceClass_100"), fmt.Appendf(nil, "maximum: %d", n/50+2), 1)
	head = bytes.Replace(head, []byte("behaviors: 75"), []byte("behaviors: 74"), 1) // all origins of a team fit, or none
	for i := range (n + originsPerFleetTeam - 1) / originsPerFleetTeam {
		if i == 0 {
			head = append(head, "teams:\n"...)
		}
		head = fmt.Appendf(head, "- {name: %[1]s, accounts: ['%[2]s'], grants: [{host: %[1]s.example.com, paths: [/%[1]s/*]}]}\n", fleetTeam(i), fleetAccount(i))
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
	counts map[string]int // invocations by function, and bytes of the sandbox's answers by service
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
		to[figure(phase+": "+c.Service+" calls")]++
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
	function, _, _ := strings.Cut(h.Asset[strings.LastIndex(h.Asset, "/")+1:], ".")
	v := &metered{meter: m, function: function, next: h.Transport}
	h.Transport = v
	var err error
	v.handler, err = inprocess.Start(ctx, h)
	return v, err
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

var signedService = regexp.MustCompile(`Credential=[^/]+/[^/]+/[^/]+/([^/]+)/`)

// RoundTrip implements http.RoundTripper.
func (v *metered) RoundTrip(r *http.Request) (response *http.Response, err error) {
	pprof.Do(r.Context(), pprof.Labels("cpu", "sandbox"), func(context.Context) { response, err = v.next.RoundTrip(r) })
	if service := signedService.FindStringSubmatch(r.Header.Get("Authorization")); err == nil && service != nil {
		v.count(service[1]+" bytes", int(response.ContentLength))
	}
	return response, err
}

// profile runs f and returns the processor time of what ran with the label cpu, by its value, in ms.
func profile(f func() error) (map[string]float64, error) {
	file, err := os.CreateTemp("", "growth-*.pprof")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())
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
		fmt.Fprintf(table, "%s\t", name)
		for _, value := range name.of(measured) {
			fmt.Fprintf(table, "%.0f\t", value)
		}
		fmt.Fprintf(table, "%.2f\t\n", exponent(sizes, name.of(measured)))
	}
	_ = table.Flush()
	return text.String()
}

// growthExceptions has the exponents of figures that grow faster than the ceiling, measured with 25 and 50 origins. An exponent here may only
// be lowered.
func growthExceptions() map[figure]float64 {
	return map[figure]float64{
		// Each run of admit and wire reads all records, or all those of a distribution.
		"arrival: bytes read": 1.8, "arrival: items read": 1.75, "arrival: dynamodb bytes": 1.8,
		"teardown: bytes read": 1.6, "teardown: items read": 1.55, "teardown: dynamodb bytes": 1.6,
		// Each run of wire reads the configuration of a distribution, and each run of wire and admit lists all VPC origins.
		"arrival: cloudfront bytes": 1.6, "teardown: cloudfront bytes": 1.55,
		// Each run lists all shares.
		"arrival: ram bytes": 2, "teardown: ram bytes": 1.6,
		// Each run of wire reads the whole hosted zone.
		"arrival: route53 bytes": 1.75, "teardown: route53 bytes": 1.7,
	}
}
