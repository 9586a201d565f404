package infra

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/teardown"
)

func TestEveryTaskRetriesAndCatches(t *testing.T) {
	giveUp := reflect.TypeFor[fault.GiveUp]().Name() // the error name that Lambda reports
	for name, s := range teardownMachine().States {
		if s.Type != "Task" {
			continue
		}
		retries := func(errorName string) int {
			for _, r := range s.Retry {
				if slices.Contains(r.ErrorEquals, errorName) || slices.Contains(r.ErrorEquals, "States.ALL") {
					return r.MaxAttempts
				}
			}
			return 0
		}
		if retries(giveUp) != 0 {
			t.Errorf("%s repeats what no repetition mends", name)
		}
		for _, passing := range []string{
			reflect.TypeFor[fault.Retry]().Name(), reflect.TypeFor[fault.Reread]().Name(), "Lambda.ServiceException",
			"Lambda.TooManyRequestsException", "Lambda.Unknown", "Runtime.ExitError", "Sandbox.Timedout", "States.Timeout",
		} {
			if retries(passing) == 0 {
				t.Errorf("%s does not retry %s", name, passing)
			}
		}
		if last := s.Catch[len(s.Catch)-1]; !slices.Equal(last.ErrorEquals, []string{"States.ALL"}) {
			t.Errorf("%s catches only %v", name, last.ErrorEquals)
		}
		if s.TimeoutSeconds == 0 {
			t.Errorf("%s may wait for ever", name)
		}
	}
}

func TestEveryPhaseHasATaskThatCanBeEntered(t *testing.T) {
	m := teardownMachine()
	for _, phase := range teardown.Phases() {
		s, ok := m.States[taskName(phase)]
		if !ok || s.Type != "Task" {
			t.Errorf("phase %s: state %s is a %q", phase, taskName(phase), s.Type)
			continue
		}
		arguments, _ := json.Marshal(s.Arguments)
		if !strings.Contains(string(arguments), `"phase":"`+string(phase)+`"`) {
			t.Errorf("phase %s: its task says %s", phase, arguments)
		}
		if !slices.ContainsFunc(m.States["Enter"].Choices, func(c choice) bool { return c.Next == taskName(phase) }) {
			t.Errorf("phase %s: no way leads to its task", phase)
		}
	}
}

func TestEveryOutcomeEndsTheMachine(t *testing.T) {
	m := teardownMachine()
	for _, outcome := range []teardown.Outcome{teardown.Clean, teardown.Dirty, teardown.Cancelled, teardown.Blocked} {
		i := slices.IndexFunc(m.States["Route"].Choices, func(c choice) bool { return strings.Contains(c.Condition, "'"+string(outcome)+"'") })
		if i < 0 {
			t.Errorf("outcome %s goes nowhere", outcome)
			continue
		}
		end := m.States[m.States["Route"].Choices[i].Next]
		if good := outcome == teardown.Clean || outcome == teardown.Cancelled; good != (end.Type == "Succeed") || !good && end.Type != "Fail" {
			t.Errorf("outcome %s ends in a %s", outcome, end.Type)
		}
	}
}

func TestEveryTransitionLeadsSomewhere(t *testing.T) {
	m := teardownMachine()
	for name, s := range m.States {
		next := []string{s.Next, s.Default}
		for _, c := range s.Choices {
			next = append(next, c.Next)
		}
		for _, c := range s.Catch {
			next = append(next, c.Next)
		}
		for _, n := range next {
			if _, ok := m.States[n]; n != "" && !ok {
				t.Errorf("%s leads to %s, which does not exist", name, n)
			}
		}
	}
}
