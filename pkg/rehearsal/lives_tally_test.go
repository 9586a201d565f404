package rehearsal

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/originhub/originhub/pkg/contract"
)

// tally counts, over all lives, the operations, the faults and their hits, and where origins were found.
type tally struct {
	began                         time.Time
	mu                            sync.Mutex
	lives, transitions            int
	applied, inForce, hits, found map[string]int
	resolved, boundaries          map[string]int
}

func newTally() *tally {
	return &tally{began: time.Now(), applied: map[string]int{}, inForce: map[string]int{}, hits: map[string]int{}, found: map[string]int{}, resolved: map[string]int{}, boundaries: map[string]int{}}
}

func (c *tally) add(l *life) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lives++
	c.transitions += l.transitions
	for into, from := range map[*map[string]int]map[string]int{&c.applied: l.applied, &c.inForce: l.inForce, &c.hits: l.hits, &c.found: l.found, &c.resolved: l.resolved, &c.boundaries: l.boundaries} {
		for name, n := range from {
			(*into)[name] += n
		}
	}
}

// livesForCoverage is the number of lives in which everything in the tables happens. The rarest entries happen about once in ten lives, so
// the probability that one is missing in a hundred lives is below 1 in 20,000.
const livesForCoverage = 100

// String returns the counts, one a line.
func (c *tally) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%d lives\n", c.lives)
	for _, o := range operations() {
		fmt.Fprintf(&text, "%6d × %s\n", c.applied[o.name], o.name)
	}
	for _, h := range faultKinds() {
		fmt.Fprintf(&text, "%6d × %s, %d hits\n", c.inForce[h.name], h.name, c.hits[h.name])
	}
	for _, end := range slices.Sorted(maps.Keys(c.found)) {
		fmt.Fprintf(&text, "%6d × found %s\n", c.found[end], end)
	}
	for _, what := range resolutions() {
		fmt.Fprintf(&text, "%6d × resolved as its event advises: %s\n", c.resolved[what], what)
	}
	for _, name := range betweenCallsOf() {
		fmt.Fprintf(&text, "%6d × %s between two calls\n", c.hits[betweenCalls+": "+name], name)
	}
	fmt.Fprintf(&text, "%6d different boundaries between two calls: %v\n", len(c.boundaries), slices.Sorted(maps.Keys(c.boundaries)))
	return text.String()
}

// missing returns the operations that never happened, the faults that never hit, and the places where no origin was found.
func (c *tally) missing() (names []string) {
	for _, o := range operations() {
		if c.applied[o.name] == 0 && o.weight > 0 {
			names = append(names, o.name)
		}
	}
	for _, h := range faultKinds() {
		if c.hits[h.name] == 0 {
			names = append(names, h.name)
		}
	}
	for _, end := range foundPlaces() {
		if c.found[end] == 0 {
			names = append(names, "found "+end)
		}
	}
	for _, name := range betweenCallsOf() {
		if c.hits[betweenCalls+": "+name] == 0 {
			names = append(names, name+" between two calls")
		}
	}
	for _, what := range resolutions() {
		if c.resolved[what] == 0 {
			names = append(names, what)
		}
	}
	return names
}

// report logs the counts, and fails the test if something is missing in enough lives.
func (c *tally) report(t *testing.T) {
	t.Helper()
	where, took := "in this process", time.Since(c.began).Seconds()
	if *allProcesses {
		where = "in processes of their own"
	}
	t.Logf("functions %s: %.2f lives and %.0f state transitions a second\n%s", where, float64(c.lives)/took, float64(c.transitions)/took, c)
	if never := c.missing(); c.lives >= livesForCoverage && len(never) > 0 {
		t.Errorf("in %d lives, these are missing: %s", c.lives, strings.Join(never, ", "))
	}
}

func TestTallyNamesWhatIsMissing(t *testing.T) {
	l := &life{
		applied: map[string]int{emptyRegistry: 1}, inForce: map[string]int{}, hits: map[string]int{}, found: map[string]int{},
		resolved: map[string]int{},
	}
	for _, name := range betweenCallsOf() {
		l.hits[betweenCalls+": "+name]++
	}
	for _, what := range resolutions() {
		l.resolved[what]++
	}
	for _, o := range operations() {
		l.applied[o.name]++
	}
	for _, h := range faultKinds() {
		l.inForce[h.name]++
		l.hits[h.name]++
	}
	for _, end := range foundPlaces() {
		l.found[end]++
	}
	all := newTally()
	all.add(l)
	if never := all.missing(); len(never) > 0 {
		t.Errorf("everything happened, and these are reported as missing: %v", never)
	}
	delete(l.applied, unshare)
	delete(l.hits, editsBeforeUpdates) // although there was a rule
	delete(l.found, foundLive)
	delete(l.hits, betweenCalls+": "+tag)
	delete(l.resolved, itemRestored)
	some := newTally()
	some.add(l)
	if never := some.missing(); !slices.Equal(never, []string{unshare, editsBeforeUpdates, "found " + foundLive, tag + " between two calls", itemRestored}) {
		t.Errorf("missing are %v", never)
	}
}

// Each check of a life can fail: leftovers, and what nothing explains, are found.
func TestLeftoversOfALifeAreFound(t *testing.T) {
	t.Parallel()
	l := &life{rnd: rand.New(rand.NewPCG(1, 1)), kind: []string{"host=*.example.com", "adopt=first", "aliases=per-host"}}
	l.start(t)
	checks := map[string]func() error{
		"hosts": l.leftoverHosts, "parts": l.leftoverParts, "letters": l.unexplainedLetters, "executions": l.unexplainedExecutions, "alarms": l.unexplainedAlarms,
	}
	expect := func(when string, failing map[string]string) {
		t.Helper()
		for name, check := range checks {
			err := check()
			if message := failing[name]; (err == nil) != (message == "") || err != nil && !strings.Contains(err.Error(), message) {
				t.Errorf("%s: the check of %s returns %v, want %q", when, name, err, message)
			}
		}
	}
	expect("at first", nil)
	letter := func(output string) error {
		_, err := l.queues.SendMessage(l.ctx, &sqs.SendMessageInput{QueueUrl: aws.String(l.outputs[output]), MessageBody: aws.String("?")})
		return err
	}
	for _, happens := range []func() error{
		func() error { return l.createOrigin("o0", "team-a", "host=one.example.com", "paths=/team-a/0/") },
		func() error { return l.share(nil, []string{"o0"}) },
		func() error { l.waitForSweeps(t, 2); return nil },
		func() error { return l.state(nil, []string{"o0", "live"}) },
		func() error { return letter("AdmitDeadLettersUrl") },
		func() error { return letter("WireDeadLettersUrl") },
		func() error { return letter("RetireDeadLettersUrl") },
		func() error { return letter("AuditDeadLettersUrl") },
		func() error { return letter("UndeliveredEventsUrl") },
		func() error { l.HoldENIs(l.origins["o0"].ID); return l.tag(nil, []string{"o0", "now"}) },
		func() error { l.waitForSweeps(t, 12); return nil },
	} {
		if err := happens(); err != nil {
			t.Fatal(err)
		}
	}
	expect("after a dirty teardown", map[string]string{
		"letters": "UndeliveredEvents", "executions": "Verify: Dirty", "alarms": contract.TeardownEndedIncomplete,
	})
	for name := range deliveries() {
		if err := l.unexplainedLetters(); !strings.Contains(fmt.Sprint(err), name) {
			t.Errorf("a message in %s is not reported: %v", name, err)
		}
	}
	for _, happens := range []func() error{
		func() error { return l.createOrigin("o1", "team-b", "host=two.example.com", "paths=/team-b/1/") },
		func() error { return l.share(nil, []string{"o1"}) },
		func() error { l.waitForSweeps(t, 2); return nil },
		func() error { return l.editComment(nil, []string{"by hand"}) },
	} {
		if err := happens(); err != nil {
			t.Fatal(err)
		}
	}
	expect("with an origin live", map[string]string{
		"letters": "UndeliveredEvents", "executions": "Verify: Dirty", "alarms": contract.TeardownEndedIncomplete,
		"hosts": "alias two.example.com is left", "parts": "the configuration changed",
	})
}

// Each operation of the table is possible in a suitable life, and takes effect.
func TestEachOperationOfALifeTakesEffect(t *testing.T) {
	t.Parallel()
	const rest, soon = "rest", "soon"
	l := &life{rnd: rand.New(rand.NewPCG(1, 1)), kind: []string{"host=*.example.com", "aliases=per-host"}}
	l.start(t)
	story := []string{
		create, rest, moveOrigin, rest, share, rest, comment, rest, dropBehaviors, rest, removeDNS, rest, changeHost, changePaths, rest, tag, untag, rest,
		tag, soon, stopExecution, damageItem, unshare, emptyRegistry, injectFault, betweenCalls, deleteDistribution,
	}
	table := map[string]operation{}
	for _, o := range operations() {
		table[o.name] = o
		if !slices.Contains(story, o.name) {
			t.Errorf("%s is not in this test", o.name)
		}
	}
	for _, step := range story {
		if step == rest {
			l.waitForSweeps(t, 2)
			continue
		}
		if step == soon {
			l.Advance(time.Minute)
			continue
		}
		if !l.apply(t, table[step]) {
			t.Fatalf("%s is not possible", step)
		}
	}
}

// Each fault of the table takes effect in a life in which one origin goes live and is torn down, at the last call from which it may start.
// The origin goes live and is torn down nevertheless.
func TestEachFaultOfALifeTakesEffect(t *testing.T) {
	t.Parallel()
	l := &life{rnd: rand.New(rand.NewPCG(1, 1)), kind: []string{"host=*.example.com"}}
	l.start(t)
	for i, h := range faultKinds() {
		n := "o" + strconv.Itoa(i)
		if err := l.inject(h, h.among); err != nil {
			t.Fatalf("%s: %v", h.name, err)
		}
		sweeps := 2
		if h.name == distributionUnreadable {
			sweeps = 8
		}
		for _, happens := range []func() error{
			func() error { return l.createOrigin(n, "team-a", "paths=/team-a/"+n+"/") },
			func() error { return l.share(nil, []string{n}) },
			func() error { l.waitForSweeps(t, sweeps); return nil },
			func() error { return l.state(nil, []string{n, "live"}) },
			func() error { return l.editComment(nil, []string{n}) },
			func() error { return l.tag(nil, []string{n, "now"}) },
			func() error { l.waitForSweeps(t, 2); return nil },
		} {
			if err := happens(); err != nil {
				t.Fatalf("%s: %v", h.name, err)
			}
		}
		l.clearFaults(t)
		if l.hits[h.name] == 0 {
			t.Errorf("%s has hit nothing", h.name)
		}
		l.waitForSweeps(t, 1)
		if h.name == teardownDenied || h.name == distributionUnreadable {
			l.waitForSweeps(t, 8) // the hub resumes it after an hour
		}
		if err := errors.Join(l.state(nil, []string{n, "deleted"}), l.nothingLeft(nil, []string{n})); err != nil {
			t.Errorf("%s: %v", h.name, err)
		}
	}
}
