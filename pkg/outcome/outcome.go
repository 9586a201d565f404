// Package outcome holds what a decision asks of the shell in addition to writing records: events to publish, metrics to record and
// functions to trigger. An outcome is data; package workflow carries it out.
package outcome

import (
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
)

// Outcome is what a decision asks for. The shell publishes the events, then writes the records of the decision, then triggers the
// functions. A crash in between can repeat an event, but it loses nothing.
type Outcome struct {
	Events   []Event
	Metrics  []Metric
	Triggers []Trigger
}

// Refused returns the outcome of an event that is refused: account sent it, and has no authority for what it claims.
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

// Inform adds an event of severity info: nobody has to act on it.
func (o *Outcome) Inform(what, resource string, d Detail) {
	o.event(what, resource, contract.SeverityInfo, d)
}

// Alarm adds an event of severity alarm: somebody has to act on it.
func (o *Outcome) Alarm(what, resource string, d Detail) {
	o.event(what, resource, contract.SeverityAlarm, d)
}

func (o *Outcome) event(what, resource, severity string, d Detail) {
	d.Version, d.Severity, d.Why = contract.EventVersion, severity, origin.Brief(d.Why)
	o.Events = append(o.Events, Event{Type: what, Resource: resource, Detail: d})
}

// Count adds a value of a counter or of a gauge without a unit.
func (o *Outcome) Count(name string, n int, by ...contract.Dimension) {
	o.Metrics = append(o.Metrics, Metric{Name: name, Unit: Count, Value: float64(n), By: by})
}

// Seconds adds a value of a metric in seconds.
func (o *Outcome) Seconds(name string, d time.Duration) {
	o.Metrics = append(o.Metrics, Metric{Name: name, Unit: Seconds, Value: d.Seconds()})
}

// Percent adds a value of a metric in percent.
func (o *Outcome) Percent(name string, percent float64, by ...contract.Dimension) {
	o.Metrics = append(o.Metrics, Metric{Name: name, Unit: Percent, Value: percent, By: by})
}

// Trigger asks for a run of function f after a delay.
func (o *Outcome) Trigger(f Function, why string, after time.Duration) {
	o.Triggers = append(o.Triggers, Trigger{Function: f, Why: why, After: after})
}

// TriggerWire asks for a run of function wire for one distribution, or for all of them if its name is "", after a delay.
func (o *Outcome) TriggerWire(distribution, why string, after time.Duration) {
	o.Triggers = append(o.Triggers, Trigger{Function: Wire, Distribution: distribution, Why: why, After: after})
}

// Event is an event for the hub bus.
type Event struct {
	Type     string // a detail type of package contract
	Resource string // ARN of the resource that it is about; may be empty
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
	// What names what the event is about if it is not an origin, such as a share or a distribution.
	What string `json:"what,omitempty"`
	Why  string `json:"why,omitempty"`
	// Codes are the stable names of the reasons in Why.
	Codes []origin.Code `json:"codes,omitempty"`
	// Mode is "dry-run" in an event of a hub that decides and writes nothing, and else empty.
	Mode string `json:"mode,omitempty"`
	// Plan is what the hub would change, in Change Planned.
	Plan []PlannedChange `json:"plan,omitempty"`
	// The fields below are set for findings of the audit, and Who and Since also for what a person did: the kind of finding, who caused it, since when it stands (RFC 3339) and
	// how long that is, the estimated cost per month, the command that repairs it, and the account in which to run the command.
	Kind     string `json:"kind,omitempty"`
	Who      string `json:"who,omitempty"`
	Since    string `json:"since,omitempty"`
	Age      string `json:"age,omitempty"`
	Cost     string `json:"cost,omitempty"`
	Repair   string `json:"repair,omitempty"`
	RepairIn string `json:"repairIn,omitempty"`
}

// PlannedChange is one change that the hub would make, in dry-run mode.
type PlannedChange struct {
	Op     string `json:"op"`               // add, change, move, remove, enable, disable, write, delete
	Kind   string `json:"kind"`             // origin, behavior, alias, default behavior, distribution, record
	ID     string `json:"id,omitempty"`     // origin id, path pattern, alias, or the name of a DNS record
	Target string `json:"target,omitempty"` // id of the origin that a behavior leads to, or what a DNS record leads to
	Before string `json:"before,omitempty"` // path pattern of the behavior before which this one is inserted
	From   string `json:"from,omitempty"`   // id of the unmanaged origin that is taken over
	Domain string `json:"domain,omitempty"` // domain name of an origin
}

// About returns the detail of an event about the origin of record r.
func About(r origin.Record, why string) Detail {
	return Detail{Origin: r.ID, Account: r.Account, Team: r.Team, Generation: r.Generation, Why: why}
}

// Because returns d with reasons, as messages in Why and as codes in Codes.
func (d Detail) Because(reasons []origin.Reason) Detail {
	d.Why, d.Codes = origin.Why(reasons), origin.Codes(reasons)
	return d
}

// Unit is the unit of a metric, as CloudWatch names it.
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

// Function is a function of the hub that can be triggered.
type Function string

// Functions.
const (
	Admit Function = "admit"
	Wire  Function = "wire"
)

// Trigger makes a function run. It carries no information that the function relies on.
type Trigger struct {
	Function     Function
	Distribution string        // that function wire is to observe, by name; "" for all of them
	Why          string        // for the log
	After        time.Duration // delay
}
