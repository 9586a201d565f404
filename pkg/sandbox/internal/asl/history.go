package asl

import (
	"encoding/json"
	"time"
)

// Event is one event of an execution's history, in the form of AWS's HistoryEvent. Only the details of its type are set.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
type Event struct {
	ID              int64     `json:"id"`
	PreviousEventID int64     `json:"previousEventId"`
	Timestamp       time.Time `json:"timestamp"`
	Type            string    `json:"type"`

	ExecutionStarted   *ExecutionStarted `json:"executionStartedEventDetails,omitempty"`
	ExecutionSucceeded *Output           `json:"executionSucceededEventDetails,omitempty"`
	ExecutionFailed    *Cause            `json:"executionFailedEventDetails,omitempty"`
	ExecutionAborted   *Cause            `json:"executionAbortedEventDetails,omitempty"`
	ExecutionTimedOut  *Cause            `json:"executionTimedOutEventDetails,omitempty"`
	ExecutionRedriven  *Redriven         `json:"executionRedrivenEventDetails,omitempty"`
	StateEntered       *StateEntered     `json:"stateEnteredEventDetails,omitempty"`
	StateExited        *StateExited      `json:"stateExitedEventDetails,omitempty"`
	TaskScheduled      *TaskScheduled    `json:"taskScheduledEventDetails,omitempty"`
	TaskStarted        *TaskEvent        `json:"taskStartedEventDetails,omitempty"`
	TaskSubmitted      *TaskEvent        `json:"taskSubmittedEventDetails,omitempty"`
	TaskSucceeded      *TaskEvent        `json:"taskSucceededEventDetails,omitempty"`
	TaskFailed         *TaskEvent        `json:"taskFailedEventDetails,omitempty"`
	TaskTimedOut       *TaskEvent        `json:"taskTimedOutEventDetails,omitempty"`
	EvaluationFailed   *EvaluationFailed `json:"evaluationFailedEventDetails,omitempty"`
}

// DataDetails says whether a value was truncated. The sandbox truncates nothing.
type DataDetails struct {
	Truncated bool `json:"truncated"`
}

// ExecutionStarted has the execution's input and role.
type ExecutionStarted struct {
	Input        string       `json:"input"`
	InputDetails *DataDetails `json:"inputDetails,omitempty"`
	RoleARN      string       `json:"roleArn"`
}

// Output has an execution's output.
type Output struct {
	Output        string       `json:"output"`
	OutputDetails *DataDetails `json:"outputDetails,omitempty"`
}

// Cause has an error and its cause.
type Cause struct {
	Error string `json:"error,omitempty"`
	Cause string `json:"cause,omitempty"`
}

// Redriven has the number of redrives.
type Redriven struct {
	RedriveCount int `json:"redriveCount"`
}

// StateEntered has the state's name and input.
type StateEntered struct {
	Name         string       `json:"name"`
	Input        string       `json:"input"`
	InputDetails *DataDetails `json:"inputDetails,omitempty"`
}

// StateExited has the state's name, its output, and the variables that it assigned, each as JSON.
type StateExited struct {
	Name                     string            `json:"name"`
	Output                   string            `json:"output"`
	OutputDetails            *DataDetails      `json:"outputDetails,omitempty"`
	AssignedVariables        map[string]string `json:"assignedVariables,omitempty"`
	AssignedVariablesDetails *DataDetails      `json:"assignedVariablesDetails,omitempty"`
}

// TaskScheduled has the API that the task calls, and its arguments.
type TaskScheduled struct {
	ResourceType       string `json:"resourceType"`
	Resource           string `json:"resource"`
	Region             string `json:"region"`
	Parameters         string `json:"parameters"`
	TimeoutInSeconds   int    `json:"timeoutInSeconds,omitempty"`
	HeartbeatInSeconds int    `json:"heartbeatInSeconds,omitempty"`
}

// TaskEvent is any later event of a task.
type TaskEvent struct {
	ResourceType  string       `json:"resourceType"`
	Resource      string       `json:"resource"`
	Output        string       `json:"output,omitempty"`
	OutputDetails *DataDetails `json:"outputDetails,omitempty"`
	Error         string       `json:"error,omitempty"`
	Cause         string       `json:"cause,omitempty"`
}

// EvaluationFailed has the expression that failed, and its state.
type EvaluationFailed struct {
	State    string `json:"state"`
	Error    string `json:"error,omitempty"`
	Cause    string `json:"cause,omitempty"`
	Location string `json:"location,omitempty"`
}

// Visit is one stay of an execution in a state.
type Visit struct {
	State   string
	Type    string // "Task"
	Entered time.Time
	Left    time.Time // zero while the execution is in the state, or if it ended there
	Input   json.RawMessage
	Output  json.RawMessage
	// Attempts is the number of times that a task was scheduled.
	Attempts int
	// Error and Cause are those of the last failure during the visit, whether retried, caught or final.
	Error, Cause string
}

// Visits returns the path of an execution from its history.
func Visits(history []Event) []Visit {
	var visits []Visit
	for _, e := range history {
		var last *Visit
		if len(visits) > 0 {
			last = &visits[len(visits)-1]
		}
		switch {
		case e.StateEntered != nil:
			visits = append(visits, Visit{
				State: e.StateEntered.Name, Type: e.Type[:len(e.Type)-len("StateEntered")],
				Entered: e.Timestamp, Input: json.RawMessage(e.StateEntered.Input),
			})
		case last == nil:
		case e.StateExited != nil:
			last.Left, last.Output = e.Timestamp, json.RawMessage(e.StateExited.Output)
		case e.TaskScheduled != nil:
			last.Attempts++
		case e.TaskFailed != nil:
			last.Error, last.Cause = e.TaskFailed.Error, e.TaskFailed.Cause
		case e.TaskTimedOut != nil:
			last.Error, last.Cause = e.TaskTimedOut.Error, e.TaskTimedOut.Cause
		case e.EvaluationFailed != nil:
			last.Error, last.Cause = e.EvaluationFailed.Error, e.EvaluationFailed.Cause
		case e.ExecutionFailed != nil:
			last.Error, last.Cause = e.ExecutionFailed.Error, e.ExecutionFailed.Cause
		}
	}
	return visits
}
