package asl

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// Execution identifies an execution in $states.context.
type Execution struct {
	ARN, Name               string
	RoleARN                 string
	MachineARN, MachineName string
	Region                  string
	Input                   json.RawMessage
}

// Run is one execution in progress. Its driver calls Begin, performs the Action, and reports the result with its time. Nothing
// else changes a Run. The same machine, execution and reports give the same history.
type Run struct {
	machine   *Machine
	execution Execution
	started   time.Time
	redrives  int
	redriven  time.Time
	rng       *rand.Rand
	evaluate  evaluator

	now       time.Time // of the current report
	variables map[string]json.RawMessage
	at        *state
	input     json.RawMessage // of the state
	entered   time.Time
	phase     phase
	token     string
	tries     map[int]int // number of tries by index of Retry
	retries   int

	history []Event
}

type phase int

const (
	entering phase = iota
	waiting        // in a Wait state
	calling        // a task is in progress
	retrying       // a task waits for its next attempt
	ended
)

// Action is what the driver must do next.
type Action interface{ isAction() }

// Advance says that a state is to be entered. The driver calls Continue.
type Advance struct{}

// Sleep says that nothing happens until a time. The driver calls Continue at that time.
type Sleep struct {
	Until time.Time
	Why   string // "wait" or "retry"
}

// Call says that an API is to be called. The driver reports with Succeed or Fail. If Token is set, it reports with Submitted, and
// the task ends when somebody completes the token or by TimeOutTask.
type Call struct {
	Service, API string // "lambda", "invoke"
	Arguments    json.RawMessage
	Token        string
	Timeout      time.Duration // 0 means none
	Heartbeat    time.Duration // 0 means none
}

// End says that the execution has ended.
type End struct {
	Status string // SUCCEEDED, FAILED, ABORTED or TIMED_OUT
	Output json.RawMessage
	Failure
}

// Failure is an error name of the States Language with a cause. The name may be empty.
type Failure struct{ Error, Cause string }

func (Advance) isAction() {}
func (Sleep) isAction()   {}
func (Call) isAction()    {}
func (End) isAction()     {}

// These are the error names that the interpreter itself reports.
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
const (
	errAll              = "States.ALL"
	errTaskFailed       = "States.TaskFailed"
	errTimeout          = "States.Timeout"
	errHeartbeatTimeout = "States.HeartbeatTimeout"
	errQuery            = "States.QueryEvaluationError"
	errNoChoice         = "States.NoChoiceMatched"
	errRuntime          = "States.Runtime"
	errDataLimit        = "States.DataLimitExceeded"
)

const (
	// maxHistory is AWS's quota of history events. maxData is the quota of a state's output in bytes.
	// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
	maxHistory = 25000
	maxData    = 256 * 1024
)

// Begin starts an execution of m.
func Begin(m *Machine, x Execution, now time.Time) (*Run, Action) {
	h := fnv.New64a()
	h.Write([]byte(x.ARN))
	r := &Run{
		machine: m, execution: x, started: now, now: now, rng: rand.New(rand.NewPCG(h.Sum64(), uint64(now.UnixNano()))),
		variables: map[string]json.RawMessage{}, input: x.Input, at: m.states[m.StartAt], evaluate: newEvaluator(),
	}
	r.record(Event{Type: "ExecutionStarted", ExecutionStarted: &ExecutionStarted{
		Input: string(x.Input), InputDetails: &DataDetails{}, RoleARN: x.RoleARN,
	}})
	return r, Advance{}
}

// History returns the events so far. The slice only grows.
func (r *Run) History() []Event { return r.history }

// State returns the name of the state where the execution is or ended.
func (r *Run) State() string { return r.at.name }

// Token returns the task token that the execution waits for, or "".
func (r *Run) Token() string {
	if r.phase != calling {
		return ""
	}
	return r.token
}

// Continue enters the next state, ends a wait, or starts the next attempt of a task.
func (r *Run) Continue(now time.Time) Action {
	r.now = now
	if len(r.history) >= maxHistory-2 {
		cause := fmt.Sprintf("The execution reached the maximum number of history events (%d).", maxHistory)
		return r.end("FAILED", Failure{errRuntime, cause})
	}
	switch r.phase {
	case entering:
		r.entered, r.tries, r.retries, r.token = now, map[int]int{}, 0, ""
		r.record(Event{Type: r.at.kind + "StateEntered", StateEntered: &StateEntered{
			Name: r.at.name, Input: string(r.input), InputDetails: &DataDetails{},
		}})
		return r.at.do.enter(r)
	case retrying:
		return r.at.do.enter(r)
	case waiting:
		return r.leave(r.at.output, r.at.assign, r.scope(), r.input, r.at.next)
	}
	return nil
}

// Redrive resumes an unsuccessful execution in the state where it ended. Retries start from zero.
func (r *Run) Redrive(now time.Time) Action {
	r.now, r.redriven = now, now
	r.redrives++
	r.record(Event{Type: "ExecutionRedriven", ExecutionRedriven: &Redriven{r.redrives}})
	r.phase = entering
	if r.at.kind == "Task" {
		r.tries, r.retries, r.phase = map[int]int{}, 0, retrying
	}
	return Advance{}
}

// Abort ends the execution because somebody stopped it.
func (r *Run) Abort(now time.Time, f Failure) Action {
	r.now = now
	return r.end("ABORTED", f)
}

// TimeOut ends the execution because it took longer than its machine allows.
func (r *Run) TimeOut(now time.Time) Action {
	r.now = now
	return r.end("TIMED_OUT", Failure{errTimeout, ""})
}

// leave assigns variables, computes the output and goes to next. It ends the execution if next is empty.
func (r *Run) leave(output, assign *template, s *scope, otherwise json.RawMessage, next string) Action {
	out, assigned, err := r.shape(output, assign, s, otherwise)
	if err != nil {
		return r.evaluationFailed(err)
	}
	return r.exit(out, assigned, next)
}

func (r *Run) shape(
	output, assign *template, s *scope, otherwise json.RawMessage,
) (out json.RawMessage, assigned map[string]json.RawMessage, err error) {
	assigned = map[string]json.RawMessage{}
	if assign != nil {
		for i, name := range assign.keys {
			v, err := assign.parts[i].eval(s)
			if err != nil {
				return nil, nil, err
			}
			assigned[name] = v
		}
	}
	if output == nil {
		return otherwise, assigned, nil
	}
	if out, err = output.eval(s); err != nil {
		return nil, nil, err
	}
	return out, assigned, nil
}

func (r *Run) tooMuchData() Failure {
	return Failure{errDataLimit, fmt.Sprintf(
		"The state/task '%s' returned a result with a size exceeding the maximum number of bytes service limit.", r.at.name)}
}

func (r *Run) exit(out json.RawMessage, assigned map[string]json.RawMessage, next string) Action {
	if len(out) > maxData {
		return r.end("FAILED", r.tooMuchData())
	}
	e := &StateExited{Name: r.at.name, Output: string(out), OutputDetails: &DataDetails{}}
	for name, v := range assigned {
		if e.AssignedVariables == nil {
			e.AssignedVariables, e.AssignedVariablesDetails = map[string]string{}, &DataDetails{}
		}
		e.AssignedVariables[name] = string(v)
		r.variables[name] = v
	}
	r.record(Event{Type: r.at.kind + "StateExited", StateExited: e})
	if next == "" {
		r.phase = ended
		r.record(Event{Type: "ExecutionSucceeded", ExecutionSucceeded: &Output{Output: string(out), OutputDetails: &DataDetails{}}})
		return End{Status: "SUCCEEDED", Output: out}
	}
	r.at, r.input, r.phase = r.machine.states[next], out, entering
	return Advance{}
}

// evaluationFailed ends the execution. A Task may retry or catch the error.
func (r *Run) evaluationFailed(err error) Action {
	f := r.recordEvaluation(err)
	if t, ok := r.at.do.(*task); ok {
		return t.failed(r, f)
	}
	return r.end("FAILED", f)
}

func (r *Run) recordEvaluation(err error) Failure {
	f := Failure{errQuery, err.Error()}
	e := &EvaluationFailed{State: r.at.name, Error: f.Error, Cause: f.Cause}
	var where *evaluationError
	if errors.As(err, &where) {
		e.Location = where.location
	}
	r.record(Event{Type: "EvaluationFailed", EvaluationFailed: e})
	return f
}

func (r *Run) end(status string, f Failure) Action {
	r.phase = ended
	c := &Cause{f.Error, f.Cause}
	switch status {
	case "ABORTED":
		r.record(Event{Type: "ExecutionAborted", ExecutionAborted: c})
	case "TIMED_OUT":
		r.record(Event{Type: "ExecutionTimedOut", ExecutionTimedOut: c})
	default:
		r.record(Event{Type: "ExecutionFailed", ExecutionFailed: c})
	}
	return End{Status: status, Failure: f}
}

func (r *Run) record(e Event) {
	e.ID = int64(len(r.history) + 1)
	e.PreviousEventID = e.ID - 1
	e.Timestamp = r.now
	r.history = append(r.history, e)
}

func (r *Run) scope() *scope {
	return &scope{now: r.now, rng: r.rng, variables: r.variables, input: r.input, context: r.context(), evaluate: r.evaluate}
}

// context returns the context object.
// https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html
func (r *Run) context() json.RawMessage {
	execution := map[string]any{
		"Id": r.execution.ARN, "Name": r.execution.Name, "RoleArn": r.execution.RoleARN, "Input": r.execution.Input,
		"StartTime": instant(r.started), "RedriveCount": r.redrives,
	}
	if r.redrives > 0 {
		execution["RedriveTime"] = instant(r.redriven)
	}
	c := map[string]any{
		"Execution":    execution,
		"State":        map[string]any{"Name": r.at.name, "EnteredTime": instant(r.entered), "RetryCount": r.retries},
		"StateMachine": map[string]any{"Id": r.execution.MachineARN, "Name": r.execution.MachineName},
	}
	if r.token != "" {
		c["Task"] = map[string]any{"Token": r.token}
	}
	return encode(c)
}

func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
