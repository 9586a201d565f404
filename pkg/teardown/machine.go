package teardown

import (
	"slices"
	"strings"
)

// Kind is a type of state in the Amazon States Language.
type Kind string

// Kinds of states.
const (
	Task    Kind = "Task"
	Choice  Kind = "Choice"
	Pause   Kind = "Wait"
	Succeed Kind = "Succeed"
	Fail    Kind = "Fail"
)

// State is a state of the machine.
type State struct {
	Name    string
	Kind    Kind
	Phase   Phase // that a Task works on
	Until   bool  // of a Pause: until the answer's instant, not for its seconds
	Comment string
}

// Edge is a way from one state to another. Out of a Choice it is taken if the answer of the task before is as On says, by the
// first edge of which that is so; out of any other state always.
type Edge struct {
	From, To string
	On       On
}

// On says which answers take an edge out of a Choice. Exactly one of its fields is set.
type On struct {
	Outcome Outcome // the execution ended so
	Phase   Phase   // to go on with
	Later   bool    // a phase behind that of the task which no other edge names: the machine moves one state down
	Else    bool    // whatever no other edge takes
}

func (on On) String() string {
	switch {
	case on.Outcome != "":
		return string(on.Outcome)
	case on.Later:
		return "later"
	case on.Else:
		return "else"
	}
	return string(on.Phase)
}

// Names of states that others must know.
const (
	StartAt    = "Warn"
	Unexpected = "UnexpectedAnswer"
)

// States lists the states of the machine, in the order of a teardown.
func States() []State {
	return []State{
		{Name: "Warn", Kind: Task, Phase: Warn},
		{Name: "Warned", Kind: Choice},
		{Name: "Grace", Kind: Pause, Until: true, Comment: "Until then the team may cancel by removing the tag."},
		{Name: "Due", Kind: Task, Phase: Grace},
		{Name: "DueChoice", Kind: Choice},
		{
			Name: "Detach", Kind: Task, Phase: Detach,
			Comment: "The function records that the origin must go; wire completes the token once it is out and Deployed.",
		},
		{Name: "Record", Kind: Task, Phase: Record},
		{Name: "RecordChoice", Kind: Choice},
		{Name: "Unshare", Kind: Task, Phase: Unshare, Comment: "From here on the team cannot cancel."},
		{Name: "UnshareChoice", Kind: Choice},
		{Name: "UnshareWait", Kind: Pause},
		{Name: "ConfirmWait", Kind: Pause},
		{Name: "Confirm", Kind: Task, Phase: Confirm, Comment: "Entered only if a distribution still uses the origin."},
		{Name: "ConfirmChoice", Kind: Choice},
		{Name: "ReleaseWait", Kind: Pause},
		{Name: "Delete", Kind: Task, Phase: Delete},
		{Name: "DeleteChoice", Kind: Choice},
		{Name: "DeleteWait", Kind: Pause},
		{Name: "Verify", Kind: Task, Phase: Verify},
		{Name: "VerifyChoice", Kind: Choice},
		{Name: "VerifyWait", Kind: Pause},
		{Name: "Clean", Kind: Succeed, Comment: "Nothing was left behind."},
		{Name: "Cancelled", Kind: Succeed, Comment: "The team removed the tag in time, or the execution is out of date."},
		{Name: Unexpected, Kind: Fail, Comment: "The function answered what the state before has no edge for."},
	}
}

// Edges lists the only ways through the machine. Its graph is the legal order: whatever a task answers, the machine cannot
// leave out a state that comes before what cannot be undone.
func Edges() []Edge {
	always, later := On{}, On{Later: true}
	phase := func(p Phase) On { return On{Phase: p} }
	cancelled, clean := On{Outcome: Cancelled}, On{Outcome: Clean}
	edges := []Edge{
		{"Warn", "Warned", always},
		{"Warned", "Cancelled", cancelled},
		{"Warned", "Grace", phase(Grace)},
		{"Warned", "Detach", later},
		{"Grace", "Due", always},
		{"Due", "DueChoice", always},
		{"DueChoice", "Cancelled", cancelled},
		{"DueChoice", "Grace", phase(Grace)}, // the tag moved it
		{"DueChoice", "Detach", later},
		{"Detach", "Record", always},
		{"Record", "RecordChoice", always},
		{"RecordChoice", "Cancelled", cancelled},
		{"RecordChoice", "Detach", phase(Detach)}, // it is not out after all
		{"RecordChoice", "Unshare", later},
		{"Unshare", "UnshareChoice", always},
		{"UnshareChoice", "Cancelled", cancelled},
		{"UnshareChoice", "UnshareWait", phase(Unshare)},
		{"UnshareChoice", "ConfirmWait", phase(Confirm)},
		{"UnshareChoice", "Detach", phase(Detach)}, // somebody put it back
		{"UnshareChoice", "Record", phase(Record)},
		{"UnshareChoice", "ReleaseWait", later},
		{"UnshareWait", "Unshare", always},
		{"ConfirmWait", "Confirm", always},
		{"Confirm", "ConfirmChoice", always},
		{"ConfirmChoice", "Cancelled", cancelled},
		{"ConfirmChoice", "ConfirmWait", phase(Confirm)},
		{"ConfirmChoice", "Unshare", later},
		{"ConfirmChoice", "Detach", phase(Detach)},
		{"ReleaseWait", "Delete", always},
		{"Delete", "DeleteChoice", always},
		{"DeleteChoice", "DeleteWait", phase(Delete)},
		{"DeleteChoice", "Unshare", phase(Unshare)}, // it is shared again, or still
		{"DeleteChoice", "Record", phase(Record)},
		{"DeleteChoice", "Verify", later},
		{"DeleteWait", "Delete", always},
		{"Verify", "VerifyChoice", always},
		{"VerifyChoice", "Clean", clean},
		{"VerifyChoice", "VerifyWait", phase(Verify)},
		{"VerifyWait", "Verify", always},
	}
	for _, s := range States() {
		if s.Kind == Choice {
			edges = append(edges, Edge{s.Name, Unexpected, On{Else: true}})
		}
	}
	return edges
}

// Out lists the edges out of a state, in the order in which a Choice tries them.
func Out(state string) []Edge {
	return slices.DeleteFunc(Edges(), func(e Edge) bool { return e.From != state })
}

// Named lists the phases whose naming takes an edge out of a Choice.
func Named(e Edge) []Phase {
	switch {
	case e.On.Phase != "":
		return []Phase{e.On.Phase}
	case !e.On.Later:
		return nil
	}
	own := before(e.From)
	later := Phases()[slices.Index(Phases(), own)+1:]
	for _, other := range Out(e.From) {
		later = slices.DeleteFunc(later, func(p Phase) bool { return p == other.On.Phase })
	}
	return later
}

// Follow returns the state that a Choice goes to when the task before it gave that answer.
func Follow(choice string, a Answer) string {
	for _, e := range Out(choice) {
		if e.On.Else || e.On.Outcome != "" && string(e.On.Outcome) == a.Outcome || slices.Contains(Named(e), Phase(a.Phase)) {
			return e.To
		}
	}
	return ""
}

// before is the phase of the task before a Choice.
func before(choice string) Phase {
	for _, s := range States() {
		if s.Kind == Task && next(s.Name) == choice {
			return s.Phase
		}
	}
	return ""
}

// next is the state after one that is no Choice.
func next(state string) string {
	if out := Out(state); len(out) == 1 {
		return out[0].To
	}
	return ""
}

func find(match func(State) bool) State {
	states := States()
	if i := slices.IndexFunc(states, match); i >= 0 {
		return states[i]
	}
	return State{}
}

func named(name string) State { return find(func(s State) bool { return s.Name == name }) }

// TaskOf returns the state that works on a phase.
func TaskOf(p Phase) State { return find(func(s State) bool { return s.Kind == Task && s.Phase == p }) }

// ends reports whether the machine ends with an outcome after the task of a phase.
func ends(p Phase, outcome Outcome) bool {
	return slices.ContainsFunc(Out(next(TaskOf(p).Name)), func(e Edge) bool { return e.On.Outcome == outcome && outcome != "" })
}

// toward returns the phase that a task has to name so that the machine comes nearer to one that is wanted: that one itself if
// an edge takes it, else the first on the shortest way there.
func toward(from Phase, wanted func(Phase) bool) (to Phase, ok bool) {
	type hop struct{ first, at Phase }
	var queue []hop
	for _, p := range names(from) {
		if wanted(p) {
			return p, true
		}
	}
	for _, p := range follows(from) {
		queue = append(queue, hop{p, p})
	}
	seen := map[Phase]bool{from: true}
	for len(queue) > 0 {
		h := queue[0]
		queue = queue[1:]
		if wanted(h.at) {
			return h.first, true
		}
		if seen[h.at] {
			continue
		}
		seen[h.at] = true
		for _, p := range follows(h.at) {
			queue = append(queue, hop{h.first, p})
		}
	}
	return "", false
}

// names lists the phases that a task may name.
func names(from Phase) []Phase {
	choice := next(TaskOf(from).Name)
	var list []Phase
	for _, e := range Out(choice) {
		list = append(list, Named(e)...)
	}
	return list
}

// follows lists the phases whose tasks come next after that of a phase, its own among them if it may be repeated.
func follows(from Phase) []Phase {
	var list []Phase
	after := next(TaskOf(from).Name)
	out := Out(after)
	if named(after).Kind != Choice {
		out = Out(TaskOf(from).Name)
	}
	for _, e := range out {
		s := named(e.To)
		for s.Kind == Pause {
			s = named(next(s.Name))
		}
		if s.Kind == Task {
			list = append(list, s.Phase)
		}
	}
	return list
}

// Mermaid draws the machine: https://mermaid.js.org/syntax/flowchart.html
func Mermaid() string {
	shapes := map[Kind][2]string{
		Task: {"[", "]"}, Choice: {"{", "}"}, Pause: {"([", "])"}, Succeed: {"(((", ")))"}, Fail: {"[[", "]]"},
	}
	var b strings.Builder
	b.WriteString("flowchart TD\n")
	for _, s := range States() {
		if s.Kind != Fail {
			b.WriteString("    " + s.Name + shapes[s.Kind][0] + s.Name + shapes[s.Kind][1] + "\n")
		}
	}
	for _, e := range Edges() {
		switch {
		case e.On.Else:
		case e.On == On{}:
			b.WriteString("    " + e.From + " --> " + e.To + "\n")
		default:
			b.WriteString("    " + e.From + " -- " + e.On.String() + " --> " + e.To + "\n")
		}
	}
	return b.String()
}
