// Package asl interprets state machines in the Amazon States Language with JSONata. A run is a pure value without clock and
// network: its driver performs the actions, and reports the time and the results of tasks.
//
// The interpreter is strict: a field, state type or resource that it does not know, and JSONPath, is a problem that names its
// place.
//
// The language: https://states-language.net and
// https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
package asl

import (
	"fmt"
	"regexp"
	"sort"
	"strings"
)

// Machine is a valid state machine.
type Machine struct {
	Comment string
	StartAt string
	// TimeoutSeconds limits an execution; 0 means no limit.
	TimeoutSeconds int

	states map[string]*state
}

// Problem is one thing that is wrong with a definition.
type Problem struct {
	Path    string // "/States/Detach/Next"
	Message string
}

// DefinitionError is the error of Parse. It has all problems, in the order of the definition's paths.
type DefinitionError struct{ Problems []Problem }

func (e *DefinitionError) Error() string {
	var parts []string
	for _, p := range e.Problems {
		parts = append(parts, p.Path+": "+p.Message)
	}
	return "invalid state machine definition: " + strings.Join(parts, "; ")
}

type state struct {
	name   string
	kind   string // "Task"
	next   string // empty: the machine ends here
	output *template
	assign *template
	do     behaviour
}

// behaviour is the part of a state that depends on its type.
type behaviour interface {
	// enter runs when the state is entered, and again when it is redriven.
	enter(r *Run) Action
	// targets returns the states that may follow besides Next, with the path of each mention.
	targets() []target
}

type target struct{ path, state string }

// Parse reads and validates a definition. Its error is a *DefinitionError.
func Parse(definition []byte) (*Machine, error) {
	rd := &reader{}
	m := rd.machine(definition)
	if len(rd.problems) > 0 {
		sort.SliceStable(rd.problems, func(i, j int) bool { return rd.problems[i].Path < rd.problems[j].Path })
		return nil, &DefinitionError{rd.problems}
	}
	return m, nil
}

// StateNames returns the names of the states, sorted.
func (m *Machine) StateNames() []string {
	names := make([]string, 0, len(m.states))
	for name := range m.states {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func (rd *reader) machine(definition []byte) *Machine {
	o := rd.object("", definition)
	if o == nil {
		return nil
	}
	m := &Machine{states: map[string]*state{}}
	m.Comment = o.text("Comment")
	if v := o.text("Version"); v != "" && v != "1.0" {
		o.complain("Version", "must be \"1.0\"")
	}
	o.queryLanguage(true)
	m.TimeoutSeconds = o.integer("TimeoutSeconds", 0, 1, maxSeconds)
	m.StartAt = o.required("StartAt")
	var order []string
	if states := o.child("States"); states != nil {
		order = states.names()
		for _, name := range order {
			states.take(name)
			if child := rd.object(states.path+"/"+name, states.fields[name]); child != nil {
				m.states[name] = child.state(name)
			}
			if len(name) > 80 {
				states.complain(name, "a state's name has at most 80 characters")
			}
		}
		if len(order) == 0 {
			o.complain("States", "there must be at least one state")
		}
	}
	o.close()
	if len(rd.problems) == 0 {
		rd.graph(m)
	}
	return m
}

// graph checks that every target exists, that every state can be reached, and that the machine can end.
func (rd *reader) graph(m *Machine) {
	if m.states[m.StartAt] == nil {
		rd.complain("/StartAt", "there is no state %q", m.StartAt)
		return
	}
	reached := map[string]bool{}
	queue := []string{m.StartAt}
	for len(queue) > 0 {
		name := queue[0]
		queue = queue[1:]
		if reached[name] {
			continue
		}
		reached[name] = true
		s := m.states[name]
		targets := s.do.targets()
		if s.next != "" {
			targets = append(targets, target{"/States/" + name + "/Next", s.next})
		}
		for _, t := range targets {
			if m.states[t.state] == nil {
				rd.complain(t.path, "there is no state %q", t.state)
				continue
			}
			queue = append(queue, t.state)
		}
	}
	for _, name := range m.StateNames() {
		if !reached[name] {
			rd.complain("/States/"+name, "no path from StartAt leads to this state")
		}
	}
}

func (o *object) state(name string) *state {
	s := &state{name: name, kind: o.required("Type")}
	o.text("Comment")
	o.queryLanguage(false)
	switch s.kind {
	case "Task":
		s.transition(o)
		s.shape(o, afterTask)
		s.do = parseTask(o, s)
	case "Choice":
		s.shape(o, anywhere)
		s.do = parseChoice(o, s)
	case "Wait":
		s.transition(o)
		s.shape(o, anywhere)
		s.do = parseWait(o, s)
	case "Pass":
		s.transition(o)
		s.shape(o, anywhere)
		s.do = parsePass(s)
	case "Succeed":
		s.output = o.template("Output", anywhere)
		s.do = parseSucceed(s)
	case "Fail":
		s.do = parseFail(o, s)
	case "":
		return s
	default:
		o.complain("Type", "the sandbox has no state type %q; it has Task, Choice, Wait, Pass, Succeed and Fail", s.kind)
		return s
	}
	o.close()
	return s
}

// transition reads Next or End. A state must have exactly one of them.
func (s *state) transition(o *object) {
	s.next = o.text("Next")
	end := o.boolean("End")
	switch {
	case s.next == "" && !end:
		o.complain("", "a %s state must have Next or \"End\": true", s.kind)
	case s.next != "" && end:
		o.complain("", "a state cannot have both Next and End")
	}
}

func (s *state) shape(o *object, refs references) {
	s.output = o.template("Output", refs)
	s.assign = o.assignments(refs)
}

func (o *object) assignments(refs references) *template {
	t := o.template("Assign", refs)
	if t == nil {
		return nil
	}
	if t.kind != objectTemplate {
		o.complain("Assign", "must be an object of variables")
		return nil
	}
	for _, name := range t.keys {
		if name == "states" {
			o.complain("Assign/"+name, "$states is reserved")
		} else if !variableName.MatchString(name) || len(name) > 80 {
			o.complain("Assign/"+name, "is not a variable name")
		}
	}
	return t
}

var variableName = regexp.MustCompile(`^[\p{L}_][\p{L}\p{N}_]*$`)

// maxSeconds is the largest number of seconds in a definition: https://states-language.net/#wait-state and AWS's quotas.
const maxSeconds = 99999999

func (rd *reader) complain(path, format string, args ...any) {
	if path == "" {
		path = "/"
	}
	rd.problems = append(rd.problems, Problem{path, fmt.Sprintf(format, args...)})
}
