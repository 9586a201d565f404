package rehearsal

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	lives     = flag.Int("lives", 2, "how many random lives run")
	lifeSeed  = flag.Uint64("life", 1, "seed of the first random life")
	forgetful = flag.Bool("forgetful", false, "random lives lose the registry, too")
)

// A random life is a world in which teams and others do what the table operations lists, in random order and with random faults. At its
// end, every origin is where its tags and its shares say, and nothing is left of those that are torn down.
func TestRandomLives(t *testing.T) {
	t.Parallel()
	seen := newTally()
	t.Cleanup(func() { seen.report(t) })
	for i := range *lives {
		seed := *lifeSeed + uint64(i)
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			l := newLife(t, seed)
			l.live(t)
			if !t.Failed() {
				seen.add(l)
			}
		})
	}
}

// life is one random life: its world, and what happened in it.
type life struct {
	*story
	rnd      *rand.Rand
	kind     []string // options of the world
	names    []string // of the origins, in the order of their creation
	teams    map[string]string
	log      []line
	applied  map[string]int // number of operations, by name
	injected []string       // names of the current fault rules, in their order
	hits     map[string]int // number of hits, by fault
	inForce  map[string]int // number of rules, by fault
	found    map[string]int // number of origins, by where they were found
	ending   bool           // all origins are tagged for teardown, even those that were never wired

	transitions int            // of the state machine
	resolved    map[string]int // number of findings that were resolved as their event advises, by kind

	before     map[string]item // items of the registry before they were damaged, by key
	boundaries map[string]int  // number of changes between two calls, by function and the call that they preceded
	failed     error           // of changes between two calls
}

// longPropagations is the kind of a world in which a propagation may take longer than the hub expects.
const longPropagations = "propagation=1m..35m"

func newLife(t *testing.T, seed uint64) *life {
	t.Helper()
	l := &life{rnd: rand.New(rand.NewPCG(seed, 1)), kind: []string{"host=*.example.com"}}
	if l.rnd.IntN(2) == 0 {
		l.kind = append(l.kind, "adopt=first")
	}
	if l.rnd.IntN(2) == 0 {
		l.kind = append(l.kind, "aliases=per-host")
	}
	if rand.New(rand.NewPCG(seed, 2)).IntN(2) == 0 {
		l.kind = append(l.kind, longPropagations)
	}
	l.start(t)
	return l
}

// start creates the world with the options in kind.
func (l *life) start(t *testing.T) {
	t.Helper()
	l.story = &story{
		functions: functionsFor(t, ""),
		actors:    map[string]*Actor{}, origins: map[string]VPCOrigin{}, shares: map[string]string{}, certificates: map[string]string{},
		ctx: context.Background(),
	}
	l.resolved, l.before, l.boundaries = map[string]int{}, map[string]item{}, map[string]int{}
	l.teams, l.applied, l.hits, l.inForce, l.found = map[string]string{}, map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	if err := l.deployHub(nil, l.kind); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Errorf("close world: %v", err)
		}
	})
	t.Cleanup(func() {
		if t.Failed() {
			l.print(t)
		}
	})
}

// line is a line of the log of a life.
type line struct {
	at   time.Time
	what string
}

func (l *life) note(format string, a ...any) {
	l.log = append(l.log, line{l.Now(), fmt.Sprintf(format, a...)})
}

// print logs in order what happened, with the events that the hub published.
func (l *life) print(t *testing.T) {
	t.Helper()
	if err := l.receiveEvents(); err != nil {
		t.Error(err)
	}
	for _, h := range l.received {
		l.log = append(l.log, line{h.Time, l.withNames(fmt.Sprintf("     %s %s %s %s", h.Type, h.Detail.Origin, h.Detail.What, h.Detail.Why))})
	}
	slices.SortStableFunc(l.log, func(a, b line) int { return a.at.Compare(b.at) })
	var text strings.Builder
	for _, line := range l.log {
		fmt.Fprintf(&text, "%s %s\n", l.Elapsed(line.at), line.what)
	}
	t.Logf("world %v\n%s", l.kind, &text)
}

// live applies random operations, removes the faults, and checks where every origin is. Then it tears down all origins, partly with new
// faults, and checks that nothing is left.
func (l *life) live(t *testing.T) {
	for range 6 + l.rnd.IntN(16) {
		l.applyRandom(t)
		l.Advance(2 * time.Duration(l.rnd.IntN(10)*l.rnd.IntN(10)*l.rnd.IntN(10)) * time.Second)
	}
	l.clearFaults(t)
	l.waitForSweeps(t, 12)
	l.resolve(t, false)
	l.checkEveryOrigin(t)
	if t.Failed() {
		return
	}
	for range l.rnd.IntN(3) {
		l.apply(t, operationOf(injectFault))
	}
	l.note("all origins are tagged for teardown")
	l.ending = true
	for _, n := range l.names {
		l.tagForTeardown(t, n)
	}
	l.waitForSweeps(t, 6)
	l.clearFaults(t)
	l.waitForSweeps(t, 18) // a teardown whose execution died is resumed after an hour
	l.resolve(t, true)
	l.checkEveryOrigin(t)
	l.checkLeftovers(t)
	for _, x := range l.Executions(HubAccount) {
		l.transitions += len(x.Path)
	}
}

// applyRandom draws operations until one is possible, and applies it. It shares three of four origins soon after their creation.
func (l *life) applyRandom(t *testing.T) {
	t.Helper()
	table := operations()
	all := 0
	for _, o := range table {
		all += o.weight
	}
	for {
		draw := l.rnd.IntN(all)
		o := table[slices.IndexFunc(table, func(o operation) bool {
			draw -= o.weight
			return draw < 0
		})]
		possible := l.apply(t, o)
		if possible && o.name == create && l.rnd.IntN(4) > 0 {
			l.Advance(time.Duration(l.rnd.IntN(400)) * time.Second)
			l.apply(t, operationOf(share))
		}
		if possible {
			return
		}
	}
}

// apply applies an operation if it is possible now, and counts it. It ends the test if a possible operation fails.
func (l *life) apply(t *testing.T, o operation) (possible bool) {
	t.Helper()
	what, do, err := o.plan(l)
	if err == nil && do == nil {
		return false
	}
	l.note("%s %s", o.name, what)
	if err == nil {
		err = do()
	}
	if err != nil {
		t.Fatalf("%s %s: %v", o.name, what, err)
	}
	l.applied[o.name]++
	return true
}

// audits is how long the daily audit takes to run at least once.
const audits = 25 * time.Hour

// waitForSweeps lets n sweeps run, and waits until nothing is under way.
func (l *life) waitForSweeps(t *testing.T, n int) {
	t.Helper()
	for range n {
		l.Advance(10 * time.Minute)
	}
	if err := errors.Join(l.WaitUntilIdle(), l.failed); err != nil {
		t.Error(err)
	}
}
