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

// State is a state of the state machine.
type State struct {
	Name    string
	Kind    Kind
	Phase   Phase // of a Task: what it works on
	Until   bool  // of a Pause: wait until the answer's time, not for its seconds
	Comment string
}

// Edge is a transition between two states. Out of a Choice, the first edge whose On matches the answer of the preceding task is taken.
// Out of any other state, there is one edge.
type Edge struct {
	From, To string
	On       On
}

// On is the condition of an edge out of a Choice. Exactly one of its fields is set.
type On struct {
	Outcome Outcome // the execution ended with this outcome
	Phase   Phase   // the answer names this phase
	Later   bool    // the answer names a later phase that no other edge has; the machine moves one state on
	Else    bool    // no other edge matches
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

// Names of states that other packages use.
const (
	StartAt    = "Warn"
	Unexpected = "UnexpectedAnswer"
)

// States returns the states of the machine, in the order of a teardown.
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

// Edges returns the transitions of the machine. The graph enforces the permitted order: whatever a task answers, the machine cannot skip
// a state that precedes an irreversible act.
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
		{"DueChoice", "Grace", phase(Grace)}, // the tag was changed to a later time
		{"DueChoice", "Detach", later},
		{"Detach", "Record", always},
		{"Record", "RecordChoice", always},
		{"RecordChoice", "Cancelled", cancelled},
		{"RecordChoice", "Detach", phase(Detach)}, // the origin is not detached
		{"RecordChoice", "Unshare", later},
		{"Unshare", "UnshareChoice", always},
		{"UnshareChoice", "Cancelled", cancelled},
		{"UnshareChoice", "UnshareWait", phase(Unshare)},
		{"UnshareChoice", "ConfirmWait", phase(Confirm)},
		{"UnshareChoice", "Detach", phase(Detach)}, // somebody added the origin to the distribution again
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
		{"DeleteChoice", "Unshare", phase(Unshare)}, // the origin is still shared, or shared again
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

// Out returns the edges out of a state, in the order in which a Choice tries them.
func Out(state string) []Edge {
	return slices.DeleteFunc(Edges(), func(e Edge) bool { return e.From != state })
}

// PhasesOf returns the phases in an answer for which an edge out of a Choice is taken.
func PhasesOf(e Edge) []Phase {
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

// Follow returns the state to which a Choice goes after the answer a.
func Follow(choice string, a Answer) string {
	for _, e := range Out(choice) {
		if e.On.Else || e.On.Outcome != "" && string(e.On.Outcome) == a.Outcome || slices.Contains(PhasesOf(e), Phase(a.Phase)) {
			return e.To
		}
	}
	return ""
}

// before returns the phase of the task that precedes a Choice.
func before(choice string) Phase {
	for _, s := range States() {
		if s.Kind == Task && next(s.Name) == choice {
			return s.Phase
		}
	}
	return ""
}

// next returns the state that follows a state that is not a Choice.
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

func stateNamed(name string) State { return find(func(s State) bool { return s.Name == name }) }

// TaskOf returns the task that works on a phase.
func TaskOf(p Phase) State { return find(func(s State) bool { return s.Kind == Task && s.Phase == p }) }

// ends reports whether the machine ends with that outcome after the task of phase p.
func ends(p Phase, outcome Outcome) bool {
	return slices.ContainsFunc(Out(next(TaskOf(p).Name)), func(e Edge) bool { return e.On.Outcome == outcome && outcome != "" })
}

// toward returns the phase that a task has to name so that the machine gets to a wanted phase: that phase itself if an edge leads there,
// or else the first phase on the shortest path.
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
	visited := map[Phase]bool{from: true}
	for len(queue) > 0 {
		h := queue[0]
		queue = queue[1:]
		if wanted(h.at) {
			return h.first, true
		}
		if visited[h.at] {
			continue
		}
		visited[h.at] = true
		for _, p := range follows(h.at) {
			queue = append(queue, hop{h.first, p})
		}
	}
	return "", false
}

// names returns the phases that a task may name in its answer.
func names(from Phase) []Phase {
	choice := next(TaskOf(from).Name)
	var list []Phase
	for _, e := range Out(choice) {
		list = append(list, PhasesOf(e)...)
	}
	return list
}

// follows returns the phases whose tasks may come next after the task of a phase, including its own if it may be repeated.
func follows(from Phase) []Phase {
	var list []Phase
	after := next(TaskOf(from).Name)
	out := Out(after)
	if stateNamed(after).Kind != Choice {
		out = Out(TaskOf(from).Name)
	}
	for _, e := range out {
		s := stateNamed(e.To)
		for s.Kind == Pause {
			s = stateNamed(next(s.Name))
		}
		if s.Kind == Task {
			list = append(list, s.Phase)
		}
	}
	return list
}

// Mermaid returns a flowchart of the machine (https://mermaid.js.org/syntax/flowchart.html).
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
