package pipeline

import (
	"slices"
	"strings"
)

// unknown stands in a text for a part that the audit could not resolve.
const unknown = "\uFFFC"

// Value is what is known of a word of a command, or of what a command prints.
type Value struct {
	Text  string    // with unknown for what could not be resolved
	Shown string    // Text as the file writes it, for messages
	Doc   *Document // what the value was made from; nil for a plain text
	From  *Position // the word of a call, if the value is an argument of a function
}

func text(s string) Value { return Value{Text: s, Shown: s} }

// Known reports whether the whole text is resolved.
func (v Value) Known() bool { return !strings.Contains(v.Text, unknown) }

// Document says where a text comes from, such as the file that update-distribution writes.
type Document struct {
	Reads  []*Act   // the calls whose answers are in it
	Kept   []string // files that nothing in the job wrote, and texts that stand in the script
	Opaque bool     // an unresolved command had a part in it
	Edits  []Edit
}

// merged returns a document made from both; either may be nil.
func merged(a, b *Document) *Document {
	if a == nil || a == b {
		return b
	}
	if b == nil {
		return a
	}
	d := &Document{Opaque: a.Opaque || b.Opaque, Reads: slices.Clone(a.Reads), Kept: slices.Clone(a.Kept), Edits: slices.Clone(a.Edits)}
	for _, r := range b.Reads {
		if !slices.Contains(d.Reads, r) {
			d.Reads = append(d.Reads, r)
		}
	}
	for _, k := range b.Kept {
		if !slices.Contains(d.Kept, k) {
			d.Kept = append(d.Kept, k)
		}
	}
	for _, e := range b.Edits {
		if !slices.ContainsFunc(d.Edits, func(x Edit) bool { return x.At == e.At && x.String() == e.String() }) {
			d.Edits = append(d.Edits, e)
		}
	}
	return d
}

// edited returns a document with further edits.
func (d *Document) edited(edits ...Edit) *Document {
	if len(edits) == 0 {
		return d
	}
	return merged(d, &Document{Edits: edits})
}

// Edit is one change of, or one access to, a part of a document.
type Edit struct {
	At     Position
	Path   []Step
	Op     EditOp
	Value  string // what is assigned, if it is a literal
	Source string // as the file writes it
}

// EditOp is what an Edit does with its path.
type EditOp int

// Operations.
const (
	Access EditOp = iota // reads it
	Assign               // replaces it
	Change               // changes it from what it was, or adds to it
	Delete
)

func (e Edit) String() string {
	var b strings.Builder
	for _, s := range e.Path {
		b.WriteString(s.String())
	}
	return [...]string{"", "= ", "|= ", "del "}[e.Op] + b.String() + e.Value
}

// Step is one step of a path into a document: a name, an index, each entry, or the entries that a condition selects.
type Step struct {
	Name     string
	Kind     StepKind
	Optional bool // an entry that is not there is no error
}

// StepKind is the kind of a Step.
type StepKind int

// Kinds of steps.
const (
	Named StepKind = iota
	Indexed
	Each
	Selected
)

func (s Step) String() string {
	switch s.Kind {
	case Indexed:
		return "[" + s.Name + "]"
	case Each:
		return "[]"
	case Selected:
		return "{}"
	}
	return "." + s.Name
}

// Act is one call that a job makes.
type Act struct {
	Service   string // "cloudfront", "ram", "cloudformation", "cdk", "terraform"
	Operation string // in the words of the AWS CLI: "update-distribution"
	Options   map[string]Value
	At        Position
	Sure      Confidence // that this call is made
	Looped    bool       // in a loop, or through a command that retries
	Program   bool       // made by a program through an SDK
	// Every says that the call is made for each item of this list, such as each share of the account.
	Every   *Act
	Account string   // id of the account whose role the job assumes; empty if unknown
	Runs    []string // where pipelines run the file with the call from
	Dir     string   // where a deployment runs, from the repository's root; unknown if it could not be resolved
	Other   bool     // the file speaks of resources other than VPC origins, and not of VPC origins
}

// Option returns the first of the options that the call has.
func (a *Act) Option(names ...string) (Value, bool) {
	for _, name := range names {
		if v, ok := a.Options[name]; ok {
			return v, true
		}
	}
	return Value{}, false
}

// Job is the calls of one run in order.
type Job struct {
	Root    string // the file whose reading found it
	Acts    []*Act
	Account string   // id of the account whose role the job assumes; empty if unknown
	Runs    []string // where pipelines run what is being read from
}

// Declaration is a resource that a template, a Terraform file or a program declares.
type Declaration struct {
	At       Position
	Type     string // CloudFormation's name: "AWS::CloudFront::Distribution"
	Name     string // logical id or address
	Language string // "template", "terraform", "cdk"
	Aliases  []string
	ID       string   // id of an existing resource that it takes over; empty if unknown
	Ignored  []string // properties that its owner leaves to others (ignore_changes); "all" for every one
	Wired    bool     // it has a VPC origin among its origins
	Maybe    bool     // only if a variable says so
	Other    bool     // its file speaks of resources other than VPC origins, and not of VPC origins
	Fix      *Fix
}

// add adds calls, with where they run.
func (j *Job) add(acts ...*Act) {
	for _, a := range acts {
		a.Account, a.Runs = j.Account, append([]string(nil), j.Runs...)
	}
	j.Acts = append(j.Acts, acts...)
}
