// Package pipeline finds steps of CI/CD pipelines, scripts, templates and programs that fight originhub: that disable or rewrite
// distributions, edit behaviors by index, overwrite the live configuration with a saved one, revoke shares, answer invitations, delete VPC
// origins or move aliases.
//
// Readers turn files into jobs. A Job is the calls that one run makes, in order, with what is known of their arguments and of the
// documents that they write. Rules decide about jobs and declarations; they read no file.
package pipeline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Severity says how bad the effect of a finding is, with originhub in place.
type Severity int

// Severities, from the least.
const (
	Informational Severity = iota
	Low
	Medium
	High
)

// Severities returns the names of severities, from the least.
func Severities() []string { return []string{"informational", "low", "medium", "high"} }

func (s Severity) String() string { return Severities()[s] }

// MarshalText returns the name.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// ParseSeverity returns the severity of that name.
func ParseSeverity(name string) (Severity, error) {
	i := slices.Index(Severities(), name)
	if i < 0 {
		return 0, fmt.Errorf("%q is not a severity: write one of %s", name, strings.Join(Severities(), ", "))
	}
	return Severity(i), nil
}

// Confidence says how certain it is that the step does what a finding says, to something that originhub manages.
type Confidence int

// Confidences, from the least.
const (
	Unsure  Confidence = iota // "low": a command or a document could not be resolved
	Likely                    // "medium": the target could not be resolved
	Certain                   // "high": everything that the rule asks for is written there
)

// Confidences returns the names of confidences, from the least.
func Confidences() []string { return []string{"low", "medium", "high"} }

func (c Confidence) String() string { return Confidences()[c] }

// MarshalText returns the name.
func (c Confidence) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// ParseConfidence returns the confidence of that name.
func ParseConfidence(name string) (Confidence, error) {
	i := slices.Index(Confidences(), name)
	if i < 0 {
		return 0, fmt.Errorf("%q is not a confidence: write one of %s", name, strings.Join(Confidences(), ", "))
	}
	return Confidence(i), nil
}

// Position is a place in a file. Line and Column count from 1; Column counts bytes.
type Position struct {
	File   string `json:"file"` // slash-separated, relative to the audited directory
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

func (p Position) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

func comparePositions(a, b Position) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}

// Finding is one step that fights originhub.
type Finding struct {
	Rule       string     `json:"rule"`
	Severity   Severity   `json:"severity"`
	Confidence Confidence `json:"confidence"`
	Position
	Does    string   `json:"does"`              // what the step does
	Wrong   string   `json:"wrong"`             // what goes wrong with originhub in place
	Instead string   `json:"instead"`           // what replaces the step
	Assumed []string `json:"assumed,omitempty"` // what the audit could not resolve and took for granted
	Runs    []string `json:"runs,omitempty"`    // where pipelines run this step from: file:line
	Page    string   `json:"page"`              // address of the rule's page
	Fix     *Fix     `json:"-"`                 // nil if no mechanical fix exists
}

// Fix replaces a part of one line, or inserts lines after it.
type Fix struct {
	File     string
	Line     int
	Old, New string // a part of the line, and what replaces it; with Old empty, New is inserted as lines after Line
}

// Note is about a file, or a part of a file, that the audit could not read.
type Note struct {
	Position
	Message string `json:"message"`
}

// Report is the result of an audit.
type Report struct {
	Findings []Finding // sorted by position
	Notes    []Note
	Files    int // files that could hold a step
	Hidden   int // findings below the least severity or confidence that was asked for
}

func sortFindings(findings []Finding) {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(comparePositions(a.Position, b.Position), cmp.Compare(b.Severity, a.Severity), cmp.Compare(a.Rule, b.Rule))
	})
}

// Select hides findings below a severity or a confidence, and counts them.
func (r Report) Select(severity Severity, confidence Confidence) Report {
	all := r.Findings
	r.Findings = slices.DeleteFunc(slices.Clone(all), func(f Finding) bool { return f.Severity < severity || f.Confidence < confidence })
	r.Hidden += len(all) - len(r.Findings)
	return r
}

// Fails reports whether a finding has at least that severity.
func (r Report) Fails(severity Severity) bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Severity >= severity })
}
