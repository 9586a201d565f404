package infra

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/teardown"
)

// machine is a state machine in the Amazon States Language with JSONata throughout: https://states-language.net
type machine struct {
	Comment       string
	QueryLanguage string
	StartAt       string
	States        map[string]state
}

type state struct {
	Type           string
	Comment        string    `json:",omitempty"`
	Resource       string    `json:",omitempty"`
	Arguments      any       `json:",omitempty"`
	TimeoutSeconds int       `json:",omitempty"`
	Seconds        string    `json:",omitempty"`
	Timestamp      string    `json:",omitempty"`
	Choices        []choice  `json:",omitempty"`
	Default        string    `json:",omitempty"`
	Retry          []retrier `json:",omitempty"`
	Catch          []catcher `json:",omitempty"`
	Error          string    `json:",omitempty"`
	Cause          string    `json:",omitempty"`
	Output         any       `json:",omitempty"`
	Next           string    `json:",omitempty"`
}

type choice struct {
	Condition string
	Next      string
}

type retrier struct {
	ErrorEquals     []string
	IntervalSeconds int     `json:",omitempty"`
	BackoffRate     float64 `json:",omitempty"`
	MaxDelaySeconds int     `json:",omitempty"`
	JitterStrategy  string  `json:",omitempty"`
	MaxAttempts     int
}

type catcher struct {
	ErrorEquals []string
	Output      any `json:",omitempty"`
	Next        string
}

const (
	// functionSubstitution stands for the ARN of the function teardown until CloudFormation puts it in.
	functionSubstitution = "TeardownFunction"

	// taskSeconds is more than the function's own timeout, which therefore ends a task that hangs.
	taskSeconds = 90
	// detachSeconds is how long wire may take to get the origin out and Deployed. CloudFront's own waiter allows 35 minutes
	// for one deployment; this leaves room for a queue of them, and for somebody to mend what holds them up.
	detachSeconds = 6 * 60 * 60
)

// teardownMachine takes one origin out: one task per phase. The function looks, acts at most once, and answers
//
//	{"phase": "unshare", "wait": 20, "outcome": "", "says": "…", "resume": "2026-11-22T09:00:00Z"}
//
// the phase to enter next, after so many seconds; or how the teardown ended. Input: {"origin", "generation"}.
func teardownMachine() machine {
	states := map[string]state{
		"Route": {
			Type:    "Choice",
			Comment: "Is it over, is it too early, or does the next phase begin?",
			Choices: []choice{
				{outcomeIs(teardown.Clean), "Clean"},
				{outcomeIs(teardown.Cancelled), "Cancelled"},
				{outcomeIs(teardown.Dirty), "Dirty"},
				{outcomeIs(teardown.Blocked), "Stopped"},
				{jsonata("$states.input.wait > 0"), "Pause"},
			},
			Default: "Enter",
		},
		"Pause": {Type: "Wait", Seconds: jsonata("$states.input.wait"), Next: "Enter"},
		"Enter": {Type: "Choice", Choices: entrances(), Default: "UnknownPhase"},
		"Grace": {
			Type:      "Wait",
			Comment:   "The team may still change its mind.",
			Timestamp: jsonata("$states.input.resume"),
			Next:      taskName(teardown.Grace),
		},
		"Clean":     {Type: "Succeed", Comment: "Nothing was left behind."},
		"Cancelled": {Type: "Succeed", Comment: "The team took the tag off in time, or the teardown is out of date."},
		"Dirty":     ends(contract.TeardownDirty, "Something was left behind."),
		"Stopped":   ends("originhub.Stopped", "Something stands in the way of the next step; whatever was done before it stays done."),
		"Stuck":     ends("originhub.Stuck", "The function gave up, or failed too often."),
		"UnknownPhase": {
			Type:  "Fail",
			Error: "originhub.UnknownPhase",
			Cause: jsonata("'there is no state for phase ' & $string($states.input.phase)"),
		},
	}
	for _, phase := range teardown.Phases() {
		states[taskName(phase)] = task(phase)
	}
	return machine{
		Comment:       "originhub: take a VPC origin out of the central distribution, and prove that nothing was left behind",
		QueryLanguage: "JSONata",
		StartAt:       taskName(teardown.Warn),
		States:        states,
	}
}

// task is the state that works on a phase.
func task(phase teardown.Phase) state {
	payload := map[string]any{
		"phase":      phase,
		"origin":     jsonata("$states.context.Execution.Input.origin"),
		"generation": jsonata("$states.context.Execution.Input.generation"),
	}
	s := state{
		Type:           "Task",
		Resource:       "arn:aws:states:::lambda:invoke",
		Arguments:      map[string]any{"FunctionName": "${" + functionSubstitution + "}", "Payload": payload},
		TimeoutSeconds: taskSeconds,
		Retry: []retrier{
			{ErrorEquals: []string{"GiveUp"}, MaxAttempts: 0}, // package fault: no repetition mends it
			{
				ErrorEquals: []string{"States.ALL"}, IntervalSeconds: 2, BackoffRate: 2, MaxDelaySeconds: 300,
				JitterStrategy: "FULL", MaxAttempts: 12, // half an hour or so
			},
		},
		Catch: []catcher{{
			ErrorEquals: []string{"States.ALL"},
			Output:      map[string]any{"says": jsonata("$states.errorOutput.Error & ': ' & $states.errorOutput.Cause")},
			Next:        "Stuck",
		}},
		Output: jsonata("$states.result.Payload"),
		Next:   "Route",
	}
	if phase == teardown.Detach {
		s.Comment = "The function records that the origin must go; wire completes the token once it is gone and Deployed."
		s.Resource += ".waitForTaskToken"
		payload["token"] = jsonata("$states.context.Task.Token")
		// A token that got lost is worth a second one, not twelve.
		s.Retry = append([]retrier{{ErrorEquals: []string{"States.Timeout"}, MaxAttempts: 1}}, s.Retry...)
		s.TimeoutSeconds = detachSeconds
		s.Output = jsonata("$states.result")
	}
	return s
}

// taskName is the state of a phase's task. That of grace comes after its wait, which has the phase's name.
func taskName(phase teardown.Phase) string {
	if phase == teardown.Grace {
		return "StillWanted"
	}
	return strings.ToUpper(string(phase[:1])) + string(phase[1:])
}

func entrances() []choice {
	choices := []choice{{
		Condition: jsonata(fmt.Sprintf("$states.input.phase = '%s' and $states.input.resume", teardown.Grace)),
		Next:      "Grace",
	}}
	for _, phase := range teardown.Phases() {
		choices = append(choices, choice{
			Condition: jsonata(fmt.Sprintf("$states.input.phase = '%s'", phase)),
			Next:      taskName(phase),
		})
	}
	return choices
}

func outcomeIs(o teardown.Outcome) string {
	return jsonata(fmt.Sprintf("$states.input.outcome = '%s'", o))
}

func ends(name, comment string) state {
	return state{Type: "Fail", Comment: comment, Error: name, Cause: jsonata("$states.input.says")}
}

func jsonata(expression string) string { return "{% " + expression + " %}" }

// json renders the machine; indented, for people to read. The encoder's default would turn > into an escape.
func (m machine) json(indent string) string {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(m); err != nil {
		panic(fmt.Sprintf("encode the teardown machine: %v", err)) // only strings, numbers, maps
	}
	return string(bytes.TrimRight(out.Bytes(), "\n"))
}
