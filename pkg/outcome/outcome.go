// Package outcome is what a decision asks of the shell beside writing its record: events to publish, metrics to record and
// functions to trigger. It is data; package workflow carries it out.
package outcome

import (
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
)

// Outcome is what a decision asks for. Events are published first, then whatever the decision writes is written, then functions
// are triggered, so that a crash in between repeats what was said and loses nothing.
type Outcome struct {
	Events   []Event
	Metrics  []Metric
	Triggers []Trigger
}

// Refused is what an event asks for that claims something for which its sender, an account, has no authority.
func Refused(account, why string) Outcome {
	var o Outcome
	o.Alarm(contract.EventRefused, "", Detail{Account: account, Why: why})
	return o
}

// Add appends what other asks for.
func (o *Outcome) Add(other Outcome) {
	o.Events = append(o.Events, other.Events...)
	o.Metrics = append(o.Metrics, other.Metrics...)
	o.Triggers = append(o.Triggers, other.Triggers...)
}

// Inform adds an event that needs nobody.
func (o *Outcome) Inform(what, resource string, d Detail) {
	o.say(what, resource, contract.SeverityInfo, d)
}

// Alarm adds an event that somebody has to act upon.
func (o *Outcome) Alarm(what, resource string, d Detail) {
	o.say(what, resource, contract.SeverityAlarm, d)
}

func (o *Outcome) say(what, resource, severity string, d Detail) {
	d.Version, d.Severity, d.Why = contract.EventVersion, severity, origin.Brief(d.Why)
	o.Events = append(o.Events, Event{Type: what, Resource: resource, Detail: d})
}

// Count adds a counter or gauge without a unit.
func (o *Outcome) Count(name string, n int, by ...contract.Dimension) {
	o.Metrics = append(o.Metrics, Metric{Name: name, Unit: Count, Value: float64(n), By: by})
}

// Seconds adds a duration.
func (o *Outcome) Seconds(name string, d time.Duration) {
	o.Metrics = append(o.Metrics, Metric{Name: name, Unit: Seconds, Value: d.Seconds()})
}

// Percent adds a share of a hundred.
func (o *Outcome) Percent(name string, share float64, by ...contract.Dimension) {
	o.Metrics = append(o.Metrics, Metric{Name: name, Unit: Percent, Value: share, By: by})
}

// Trigger asks for a run of a function after a while.
func (o *Outcome) Trigger(f Function, why string, after time.Duration) {
	o.Triggers = append(o.Triggers, Trigger{Function: f, Why: why, After: after})
}

// Event is what happened: a detail type of package contract, the resource it happened to, and the detail.
type Event struct {
	Type     string
	Resource string // ARN; may be empty
	Detail   Detail
}

// Detail is the detail of an event on the hub bus.
type Detail struct {
	Version    string `json:"version"`
	Severity   string `json:"severity"`
	Origin     string `json:"origin,omitempty"` // VPC origin id
	Account    string `json:"account,omitempty"`
	Team       string `json:"team,omitempty"`
	Generation int    `json:"generation,omitempty"`
	Execution  string `json:"execution,omitempty"`
	// What names whatever else the event is about: a share, a distribution.
	What string `json:"what,omitempty"`
	Why  string `json:"why,omitempty"`
	// Codes are the reasons in Why by their stable names.
	Codes []origin.Code `json:"codes,omitempty"`
	// Of a finding: its kind, who did it, since when (RFC 3339) and how long it has been so, the estimated cost per month, the
	// command that repairs it, and the account in which to run that.
	Kind     string `json:"kind,omitempty"`
	Who      string `json:"who,omitempty"`
	Since    string `json:"since,omitempty"`
	Age      string `json:"age,omitempty"`
	Cost     string `json:"cost,omitempty"`
	Repair   string `json:"repair,omitempty"`
	RepairIn string `json:"repairIn,omitempty"`
}

// About returns the detail of an event about a record.
func About(r origin.Record, why string) Detail {
	return Detail{Origin: r.ID, Account: r.Account, Team: r.Team, Generation: r.Generation, Why: why}
}

// Because adds reasons to a detail, as words and as codes.
func (d Detail) Because(reasons []origin.Reason) Detail {
	d.Why, d.Codes = origin.Why(reasons), origin.Codes(reasons)
	return d
}

// Unit is a metric's unit.
type Unit string

// Units.
const (
	Count   Unit = "Count"
	Seconds Unit = "Seconds"
	Percent Unit = "Percent"
)

// Metric is one value of a metric of package contract.
type Metric struct {
	Name  string
	Unit  Unit
	Value float64
	By    []contract.Dimension
}

// Function is one that can be triggered.
type Function string

// Functions.
const (
	Admit Function = "admit"
	Wire  Function = "wire"
)

// Trigger makes a function run. It says nothing that the function relies on.
type Trigger struct {
	Function Function
	Why      string
	After    time.Duration
}
