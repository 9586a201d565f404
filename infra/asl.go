package infra

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

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

const (
	// functionSubstitution stands for the ARN of function teardown. CloudFormation replaces it.
	functionSubstitution = "TeardownFunction"

	// taskSeconds is the time limit of a task. It exceeds the function's own timeout, so that Lambda ends a run that hangs.
	taskSeconds = 90
	// detachSeconds is how long wire may take until the origin is out and the distribution is Deployed. CloudFront's own waiter
	// allows 35 minutes for one update. Six hours suffice for several updates, and for somebody to fix what holds them up.
	detachSeconds = 6 * 60 * 60
)

// teardownMachine returns the state machine that takes one origin out. Package teardown defines its states and edges. The input of
// an execution is {"origin", "generation"}. A task returns
//
//	{"phase": "unshare", "wait": 20, "outcome": "", "says": "…", "resume": "2026-11-22T09:00:00Z"}
//
// that is, the phase to continue with after wait seconds, or the outcome of the teardown.
//
// There is no Catch. A task that is blocked, dirty or out of retries ends the execution with its own error, so that a redriven
// execution continues with this task. https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
func teardownMachine() machine {
	states := map[string]state{}
	for _, s := range teardown.States() {
		states[s.Name] = stateOf(s)
	}
	return machine{
		Comment:       "originhub: take a VPC origin out of its distribution, delete it, and verify that nothing is left behind",
		QueryLanguage: "JSONata",
		StartAt:       teardown.StartAt,
		States:        states,
	}
}

func stateOf(s teardown.State) state {
	is := state{Type: string(s.Kind), Comment: s.Comment}
	out := teardown.Out(s.Name)
	switch s.Kind {
	case teardown.Task:
		is = task(s)
	case teardown.Choice:
		for _, e := range out {
			if e.On.Else {
				is.Default = e.To
				continue
			}
			is.Choices = append(is.Choices, choice{taken(e), e.To})
		}
		return is
	case teardown.Pause:
		is.Seconds = jsonata("$states.input.wait")
		if s.Until {
			is.Seconds, is.Timestamp = "", jsonata("$states.input.resume")
		}
	case teardown.Fail:
		is.Error = "originhub." + s.Name
		is.Cause = jsonata("'the function answered ' & $string($states.input)")
	}
	if len(out) > 0 {
		is.Next = out[0].To
	}
	return is
}

// taken returns the condition for an edge out of a Choice. An answer that ends the execution names no phase.
func taken(e teardown.Edge) string {
	if e.On.Outcome != "" {
		return jsonata(fmt.Sprintf("$states.input.outcome = '%s'", e.On.Outcome))
	}
	var phases []string
	for _, p := range teardown.PhasesOf(e) {
		phases = append(phases, "'"+string(p)+"'")
	}
	if len(phases) == 1 {
		return jsonata("$states.input.phase = " + phases[0])
	}
	return jsonata("$states.input.phase in [" + strings.Join(phases, ", ") + "]")
}

// task returns the Task state that works on a phase.
func task(of teardown.State) state {
	payload := map[string]any{
		"phase":      of.Phase,
		"origin":     jsonata("$states.context.Execution.Input.origin"),
		"generation": jsonata("$states.context.Execution.Input.generation"),
		// 0 in an execution that was not redriven: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html
		"redrives": jsonata("$states.context.Execution.RedriveCount"),
	}
	s := state{
		Type:           "Task",
		Comment:        of.Comment,
		Resource:       "arn:aws:states:::lambda:invoke",
		Arguments:      map[string]any{"FunctionName": "${" + functionSubstitution + "}", "Payload": payload},
		TimeoutSeconds: taskSeconds,
		Retry: []retrier{
			{ErrorEquals: []string{"GiveUp", "Blocked", "Dirty"}, MaxAttempts: 0}, // classes of package fault that a retry cannot fix
			{
				ErrorEquals: []string{"States.ALL"}, IntervalSeconds: 2, BackoffRate: 2, MaxDelaySeconds: 300,
				JitterStrategy: "FULL", MaxAttempts: 12, // about half an hour
			},
		},
		Output: jsonata("$states.result.Payload"),
	}
	if of.Phase == teardown.Detach {
		s.Resource += ".waitForTaskToken"
		payload["token"] = jsonata("$states.context.Task.Token")
		// A timeout means that the token was lost, or that wire is held up. One more attempt serves the first case.
		s.Retry = append([]retrier{{ErrorEquals: []string{"States.Timeout"}, MaxAttempts: 1}}, s.Retry...)
		s.TimeoutSeconds = detachSeconds
		s.Output = jsonata("$states.result")
	}
	return s
}

func jsonata(expression string) string { return "{% " + expression + " %}" }

// json returns the machine as JSON. The encoder's default would escape >, which JSONata uses.
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
