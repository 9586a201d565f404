package infra

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/recolabs/gnata"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/teardown"
)

// An execution ends with the error of the task that failed, so that a redriven execution continues with that task.
func TestEveryTaskRetriesWhatMayPass(t *testing.T) {
	final := []string{
		reflect.TypeFor[fault.GiveUp]().Name(), reflect.TypeFor[fault.Blocked]().Name(), reflect.TypeFor[fault.Dirty]().Name(), // as Lambda reports them
	}
	if !slices.Contains(final, contract.TeardownDirty) {
		t.Errorf("contract says that a dirty teardown is %s", contract.TeardownDirty)
	}
	tasks := 0
	for name, s := range teardownMachine().States {
		if s.Type != "Task" {
			continue
		}
		tasks++
		retries := func(errorName string) int {
			for _, r := range s.Retry {
				if slices.Contains(r.ErrorEquals, errorName) || slices.Contains(r.ErrorEquals, "States.ALL") {
					return r.MaxAttempts
				}
			}
			return 0
		}
		for _, e := range final {
			if retries(e) != 0 {
				t.Errorf("%s retries %s, which a retry cannot fix", name, e)
			}
		}
		for _, passing := range []string{
			reflect.TypeFor[fault.Retry]().Name(), reflect.TypeFor[fault.Reread]().Name(), "Lambda.ServiceException",
			"Lambda.TooManyRequestsException", "Lambda.Unknown", "Runtime.ExitError", "Sandbox.Timedout", "States.Timeout",
		} {
			if retries(passing) == 0 {
				t.Errorf("%s does not retry %s", name, passing)
			}
		}
		if s.TimeoutSeconds == 0 {
			t.Errorf("%s has no time limit", name)
		}
	}
	if tasks != len(teardown.Phases()) {
		t.Errorf("%d tasks for %d phases", tasks, len(teardown.Phases()))
	}
}

func TestEveryTaskSaysItsPhase(t *testing.T) {
	m := teardownMachine()
	for _, phase := range teardown.Phases() {
		name := teardown.TaskOf(phase).Name
		arguments, _ := json.Marshal(m.States[name].Arguments)
		for _, says := range []string{`"phase":"` + string(phase) + `"`, `"redrives":"{% $states.context.Execution.RedriveCount %}"`} {
			if m.States[name].Type != "Task" || !strings.Contains(string(arguments), says) {
				t.Errorf("phase %s: its task %s says %s", phase, name, arguments)
			}
		}
		if (phase == teardown.Detach) != strings.Contains(string(arguments), "Task.Token") {
			t.Errorf("phase %s: its task %s says %s", phase, name, arguments)
		}
	}
}

// ways maps each state of a definition to the states that it leads to.
type ways map[string][]string

// synthesized returns the ways of the definition that the hub stack deploys.
func synthesized(t *testing.T) (startAt string, w ways, kinds map[string]string) {
	t.Helper()
	var raw []byte
	for _, r := range templates(t).hub.Resources {
		if r.Type == "AWS::StepFunctions::StateMachine" {
			raw = []byte(r.Properties["DefinitionString"].(string))
		}
	}
	var m struct {
		StartAt string
		States  map[string]struct {
			Type, Next, Default string
			Choices             []struct{ Next string }
			Catch               []any
		}
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	w, kinds = ways{}, map[string]string{}
	for name, s := range m.States {
		kinds[name] = s.Type
		for _, to := range []string{s.Next, s.Default} {
			if to != "" {
				w[name] = append(w[name], to)
			}
		}
		for _, c := range s.Choices {
			w[name] = append(w[name], c.Next)
		}
		if len(s.Catch) > 0 {
			t.Errorf("%s catches its errors: a redriven execution would not continue with it", name)
		}
	}
	return m.StartAt, w, kinds
}

// reach returns the states that a machine can reach without passing through some of them.
func (w ways) reach(from string, without ...string) map[string]bool {
	reached := map[string]bool{}
	queue := []string{from}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		if reached[at] || slices.Contains(without, at) {
			continue
		}
		reached[at] = true
		queue = append(queue, w[at]...)
	}
	return reached
}

// The graph is the legal order: no execution reaches an irreversible state without the states that have to come before it.
func TestNoWayLeadsPastWhatComesFirst(t *testing.T) {
	start, w, kinds := synthesized(t)
	if reached := w.reach(start); len(reached) != len(kinds) {
		t.Errorf("%d states, of which %d can be reached", len(kinds), len(reached))
	}
	for _, c := range []struct{ without, to string }{
		{"Warn", "Detach"},
		{"Detach", "Delete"},
		{"Record", "Delete"},
		{"Unshare", "Delete"},
		{"Detach", "Unshare"},
		{"Record", "Unshare"},
		{"Delete", "Clean"},
		{"Verify", "Clean"},
	} {
		if reached := w.reach(start, c.without); reached[c.to] {
			t.Errorf("%s can be reached without %s", c.to, c.without)
		}
	}
	for name, kind := range kinds {
		if kind == "Succeed" || kind == "Fail" {
			continue
		}
		if reached := w.reach(name); !reached["Clean"] && name != teardown.Unexpected {
			t.Errorf("from %s no way leads to Clean", name)
		}
	}
}

func TestTheDefinitionHasTheEdgesAndNoOther(t *testing.T) {
	_, w, kinds := synthesized(t)
	var has, want []string
	for from, all := range w {
		for _, to := range all {
			has = append(has, from+" "+to)
		}
	}
	for _, e := range teardown.Edges() {
		want = append(want, e.From+" "+e.To)
	}
	slices.Sort(has)
	slices.Sort(want)
	if !slices.Equal(has, want) {
		t.Errorf("the definition leads\n%v\nwant\n%v", has, want)
	}
	for _, s := range teardown.States() {
		if kinds[s.Name] != string(s.Kind) {
			t.Errorf("%s is a %s, want a %s", s.Name, kinds[s.Name], s.Kind)
		}
	}
}

// Whatever the answer is, a Choice goes to the state that package teardown defines. The conditions are evaluated as JSONata.
func TestEveryChoiceGoesWhereTheEdgesSay(t *testing.T) {
	var answers []teardown.Answer
	for _, p := range append(teardown.Phases(), "report", "nonsense", "") {
		for _, o := range []teardown.Outcome{"", teardown.Clean, teardown.Cancelled, teardown.Dirty, teardown.Blocked} {
			if (o == "") != (p == "report") { // an answer with an outcome names no phase
				answers = append(answers, teardown.Answer{Phase: string(p), Outcome: string(o)})
			}
		}
	}
	choices := 0
	for name, s := range teardownMachine().States {
		if s.Type != "Choice" {
			continue
		}
		choices++
		for _, a := range answers {
			to := s.Default
			for _, c := range s.Choices {
				if holds(t, c.Condition, a) {
					to = c.Next
					break
				}
			}
			if want := teardown.Follow(name, a); to != want {
				t.Errorf("%s with %+v leads to %s, want %s", name, a, to, want)
			}
		}
	}
	if choices == 0 {
		t.Error("there is no Choice")
	}
}

func holds(t *testing.T, condition string, a teardown.Answer) bool {
	t.Helper()
	source := strings.TrimSuffix(strings.TrimPrefix(condition, "{%"), "%}")
	expression, err := gnata.Compile(source)
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	raw, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	input, err := gnata.DecodeJSON(raw)
	if err != nil {
		t.Fatal(err)
	}
	got, err := expression.EvalWithVars(t.Context(), nil, map[string]any{"states": map[string]any{"input": input}})
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	is, ok := got.(bool)
	if !ok {
		t.Fatalf("%s is %v", source, got)
	}
	return is
}

// A running execution keeps its definition when a new version is deployed. testdata/old has the definition of the version before the
// edges. Each phase that a task can answer leads to a state in it, and so does each outcome that it knows.
func TestAnOlderDefinitionKnowsWhatTasksAnswer(t *testing.T) {
	raw, err := os.ReadFile("testdata/old/teardown.asl.json")
	if err != nil {
		t.Fatal(err)
	}
	var old struct {
		States map[string]struct {
			Type    string
			Choices []struct{ Condition, Next string }
		}
	}
	if err := json.Unmarshal(raw, &old); err != nil {
		t.Fatal(err)
	}
	leads := func(state, to string, a teardown.Answer) {
		for _, c := range old.States[state].Choices {
			if holds(t, c.Condition, a) {
				if c.Next != to {
					t.Errorf("%+v leads from %s to %s, want %s", a, state, c.Next, to)
				}
				return
			}
		}
		t.Errorf("%+v leads from %s to no state", a, state)
	}
	for _, p := range teardown.Phases() {
		a, to := teardown.Answer{Phase: string(p)}, teardown.TaskOf(p).Name
		if p == teardown.Grace {
			a.Resume, to = "2026-11-22T09:00:00Z", "Grace"
		}
		leads("Enter", to, a)
		a.Wait = 60
		leads("Route", "Pause", a)
	}
	for o, to := range map[teardown.Outcome]string{
		teardown.Clean: "Clean", teardown.Cancelled: "Cancelled", teardown.Dirty: "Dirty", teardown.Blocked: "Stopped",
	} {
		leads("Route", to, teardown.Answer{Phase: "report", Outcome: string(o)})
	}
}
