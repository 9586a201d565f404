package states

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/asl"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

const (
	running   = "RUNNING"
	succeeded = "SUCCEEDED"
)

// Quotas: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
const (
	retention    = 90 * 24 * time.Hour // of a closed execution, and of its name
	redrivable   = 14 * 24 * time.Hour // after the execution ended
	maxInput     = 256 * 1024          // bytes
	maxRedriveAt = 24999               // history events
)

// execution is one run of a machine.
type execution struct {
	arn, name string
	machine   *machine // as it was when the execution started
	input     string
	run       *asl.Run
	started   time.Time
	stopped   time.Time

	status  string
	output  json.RawMessage
	failure asl.Failure

	redrives     int
	redriven     time.Time
	redriveToken string

	// epoch changes with every action, so that what an earlier action scheduled does nothing.
	epoch   int
	call    asl.Call       // the current call
	timers  []*cloud.Timer // timers of the current task
	pulse   *cloud.Timer   // heartbeat of the current task
	timeout *cloud.Timer   // of the execution
}

// StartExecutionInput is the input of StartExecution.
type StartExecutionInput struct {
	StateMachineARN string  `json:"stateMachineArn"`
	Name            string  `json:"name"`
	Input           *string `json:"input"`
	TraceHeader     string  `json:"traceHeader"`
}

// StartExecutionOutput is the output of StartExecution.
type StartExecutionOutput struct {
	ExecutionARN string    `json:"executionArn"`
	StartDate    time.Time `json:"startDate"`
}

// startExecution implements StartExecution.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
func (s *Service) startExecution(c *cloud.Call, in *StartExecutionInput) (*StartExecutionOutput, error) {
	m, err := s.machineFor(c, "states:StartExecution", in.StateMachineARN)
	if err != nil {
		return nil, err
	}
	input := "{}"
	if in.Input != nil {
		input = *in.Input
	}
	if !json.Valid([]byte(input)) {
		return nil, invalidInput("Not a JSON document")
	}
	if len(input) > maxInput {
		return nil, invalidInput("longer than " + strconv.Itoa(maxInput) + " bytes")
	}
	name := in.Name
	if name == "" {
		name = s.w.IDs.UUID()
	}
	if !validName(name) {
		return nil, invalidName(name)
	}
	arn := strings.Replace(m.arn, ":stateMachine:", ":execution:", 1) + ":" + name
	if old := s.executions[arn]; old != nil {
		if old.status == running && old.input == input {
			return &StartExecutionOutput{old.arn, old.started}, nil
		}
		if old.status == running || c.Now().Sub(old.stopped) < retention {
			return nil, executionExists(arn)
		}
		s.forget(old)
	}
	e := &execution{arn: arn, name: name, machine: m, input: input, started: c.Now(), status: running}
	var action asl.Action
	e.run, action = asl.Begin(m.definition, asl.Execution{
		ARN: arn, Name: name, RoleARN: m.role, MachineARN: m.arn, MachineName: m.name, Region: m.region, Input: json.RawMessage(input),
	}, c.Now())
	s.executions[arn] = e
	s.order = append(s.order, e)
	s.startTimeout(e)
	s.count(e)
	s.emit(e)
	s.perform(e, action)
	return &StartExecutionOutput{arn, e.started}, nil
}

func (s *Service) forget(e *execution) {
	delete(s.executions, e.arn)
	for i := range s.order {
		if s.order[i] == e {
			s.order = append(s.order[:i:i], s.order[i+1:]...)
			return
		}
	}
}

var forbiddenInNames = regexp.MustCompile("[\\s<>{}\\[\\]?*\"#%\\\\^|~`$&,;:/\\x00-\\x1f\\x7f-\\x9f]")

func validName(name string) bool {
	return name != "" && len(name) <= 80 && !forbiddenInNames.MatchString(name)
}

// ListExecutionsInput is the input of ListExecutions.
type ListExecutionsInput struct {
	StateMachineARN string `json:"stateMachineArn"`
	StatusFilter    string `json:"statusFilter"`
	RedriveFilter   string `json:"redriveFilter"`
	MaxResults      int    `json:"maxResults"`
	NextToken       string `json:"nextToken"`
}

// ExecutionItem is one line of ListExecutions.
type ExecutionItem struct {
	ExecutionARN    string    `json:"executionArn"`
	StateMachineARN string    `json:"stateMachineArn"`
	Name            string    `json:"name"`
	Status          string    `json:"status"`
	StartDate       time.Time `json:"startDate"`
	StopDate        time.Time `json:"stopDate"`
	RedriveCount    int       `json:"redriveCount"`
	RedriveDate     time.Time `json:"redriveDate"`
}

// ListExecutionsOutput is the output of ListExecutions, the most recent execution first.
type ListExecutionsOutput struct {
	Executions []ExecutionItem `json:"executions"`
	NextToken  string          `json:"nextToken,omitempty"`
}

// listExecutions implements ListExecutions.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html
func (s *Service) listExecutions(c *cloud.Call, in *ListExecutionsInput) (*ListExecutionsOutput, error) {
	m, err := s.machineFor(c, "states:ListExecutions", in.StateMachineARN)
	if err != nil {
		return nil, err
	}
	var matching []*execution
	for i := len(s.order) - 1; i >= 0; i-- {
		e := s.order[i]
		if e.machine.arn != m.arn || (in.StatusFilter != "" && e.status != in.StatusFilter) ||
			(in.RedriveFilter == "REDRIVEN" && e.redrives == 0) || (in.RedriveFilter == "NOT_REDRIVEN" && e.redrives > 0) {
			continue
		}
		matching = append(matching, e)
	}
	page, next, err := paginate(matching, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &ListExecutionsOutput{NextToken: next}
	for _, e := range page {
		out.Executions = append(out.Executions, ExecutionItem{
			e.arn, e.machine.arn, e.name, e.status, e.started, e.stopped, e.redrives, e.redriven,
		})
	}
	return out, nil
}

// paginate cuts a page; its tokens are offsets, which stay good as long as nothing is added.
func paginate[T any](all []T, limit int, token string) (page []T, next string, err error) {
	if limit < 0 || limit > 1000 {
		return nil, "", invalid("maxResults must be between 0 and 1000")
	}
	if limit == 0 {
		limit = 100
	}
	from := 0
	if token != "" {
		if from, err = strconv.Atoi(token); err != nil || from < 0 || from > len(all) {
			return nil, "", cloud.Errorf(400, "InvalidToken", "Invalid Token: '%s'", token)
		}
	}
	all = all[from:]
	if len(all) > limit {
		return all[:limit], strconv.Itoa(from + limit), nil
	}
	return all, "", nil
}

// DescribeExecutionInput is the input of DescribeExecution.
type DescribeExecutionInput struct {
	ExecutionARN string `json:"executionArn"`
	IncludedData string `json:"includedData"`
}

// Included says that data is not withheld.
type Included struct {
	Included bool `json:"included"`
}

// DescribeExecutionOutput is the output of DescribeExecution.
type DescribeExecutionOutput struct {
	ExecutionARN        string    `json:"executionArn"`
	StateMachineARN     string    `json:"stateMachineArn"`
	Name                string    `json:"name"`
	Status              string    `json:"status"`
	StartDate           time.Time `json:"startDate"`
	StopDate            time.Time `json:"stopDate"`
	Input               string    `json:"input"`
	InputDetails        *Included `json:"inputDetails"`
	Output              *string   `json:"output"`
	OutputDetails       *Included `json:"outputDetails"`
	Error               *string   `json:"error"`
	Cause               *string   `json:"cause"`
	RedriveCount        int       `json:"redriveCount"`
	RedriveDate         time.Time `json:"redriveDate"`
	RedriveStatus       string    `json:"redriveStatus"`
	RedriveStatusReason string    `json:"redriveStatusReason,omitempty"`
}

// describeExecution implements DescribeExecution.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
func (s *Service) describeExecution(c *cloud.Call, in *DescribeExecutionInput) (*DescribeExecutionOutput, error) {
	e, err := s.executionFor(c, "states:DescribeExecution", in.ExecutionARN)
	if err != nil {
		return nil, err
	}
	out := &DescribeExecutionOutput{
		ExecutionARN: e.arn, StateMachineARN: e.machine.arn, Name: e.name, Status: e.status, StartDate: e.started, StopDate: e.stopped,
		Input: e.input, InputDetails: &Included{true}, RedriveCount: e.redrives, RedriveDate: e.redriven, RedriveStatus: "REDRIVABLE",
	}
	if e.status == succeeded {
		output := string(e.output)
		out.Output, out.OutputDetails = &output, &Included{true}
	}
	out.Error, out.Cause = optional(e.failure.Error), optional(e.failure.Cause)
	if reason := e.notRedrivable(c.Now()); reason != "" {
		out.RedriveStatus, out.RedriveStatusReason = "NOT_REDRIVABLE", reason
	}
	return out, nil
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// executionFor authorises action on the execution and finds it in the caller's account.
func (s *Service) executionFor(c *cloud.Call, action, arn string) (*execution, error) {
	if !executionARN.MatchString(arn) {
		return nil, firstError(c.Authorize(action, arn, nil), invalidARN(arn))
	}
	if err := c.Authorize(action, arn, nil); err != nil {
		return nil, err
	}
	e := s.executions[arn]
	if e == nil || e.machine.account != c.Account() || e.machine.region != c.Region {
		return nil, noExecution(arn)
	}
	if e.status != running && c.Now().Sub(e.stopped) >= retention {
		return nil, noExecution(arn)
	}
	return e, nil
}

var executionARN = regexp.MustCompile(`^arn:aws:states:[a-z0-9-]+:\d{12}:execution:[^:\s]{1,80}:[^:\s]{1,80}$`)

// GetExecutionHistoryInput is the input of GetExecutionHistory.
type GetExecutionHistoryInput struct {
	ExecutionARN         string `json:"executionArn"`
	IncludeExecutionData *bool  `json:"includeExecutionData"`
	MaxResults           int    `json:"maxResults"`
	NextToken            string `json:"nextToken"`
	ReverseOrder         bool   `json:"reverseOrder"`
}

// GetExecutionHistoryOutput is the output of GetExecutionHistory.
type GetExecutionHistoryOutput struct {
	Events    []asl.Event `json:"events"`
	NextToken string      `json:"nextToken,omitempty"`
}

// getExecutionHistory implements GetExecutionHistory.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetExecutionHistory.html
func (s *Service) getExecutionHistory(c *cloud.Call, in *GetExecutionHistoryInput) (*GetExecutionHistoryOutput, error) {
	e, err := s.executionFor(c, "states:GetExecutionHistory", in.ExecutionARN)
	if err != nil {
		return nil, err
	}
	if in.IncludeExecutionData != nil && !*in.IncludeExecutionData {
		return nil, cloud.Errorf(501, "NotImplemented", "the sandbox does not implement includeExecutionData false")
	}
	history := e.run.History()
	events := make([]asl.Event, len(history))
	for i, event := range history {
		if in.ReverseOrder {
			i = len(history) - 1 - i
		}
		events[i] = event
	}
	page, next, err := paginate(events, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &GetExecutionHistoryOutput{page, next}, nil
}

// StopExecutionInput is the input of StopExecution.
type StopExecutionInput struct {
	ExecutionARN string `json:"executionArn"`
	Error        string `json:"error"`
	Cause        string `json:"cause"`
}

// StopExecutionOutput is the output of StopExecution.
type StopExecutionOutput struct {
	StopDate time.Time `json:"stopDate"`
}

// stopExecution implements StopExecution.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_StopExecution.html
func (s *Service) stopExecution(c *cloud.Call, in *StopExecutionInput) (*StopExecutionOutput, error) {
	e, err := s.executionFor(c, "states:StopExecution", in.ExecutionARN)
	if err != nil {
		return nil, err
	}
	if e.status == running {
		s.perform(e, e.run.Abort(c.Now(), asl.Failure{Error: in.Error, Cause: in.Cause}))
	}
	return &StopExecutionOutput{e.stopped}, nil
}

// RedriveExecutionInput is the input of RedriveExecution.
type RedriveExecutionInput struct {
	ExecutionARN string `json:"executionArn"`
	ClientToken  string `json:"clientToken"`
}

// RedriveExecutionOutput is the output of RedriveExecution.
type RedriveExecutionOutput struct {
	RedriveDate time.Time `json:"redriveDate"`
}

// redriveExecution implements RedriveExecution.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_RedriveExecution.html
func (s *Service) redriveExecution(c *cloud.Call, in *RedriveExecutionInput) (*RedriveExecutionOutput, error) {
	e, err := s.executionFor(c, "states:RedriveExecution", in.ExecutionARN)
	if err != nil {
		return nil, err
	}
	if in.ClientToken != "" && in.ClientToken == e.redriveToken {
		return &RedriveExecutionOutput{e.redriven}, nil
	}
	if reason := e.notRedrivable(c.Now()); reason != "" {
		return nil, notRedrivable(e.arn, reason)
	}
	e.redrives++
	e.redriven, e.redriveToken = c.Now(), in.ClientToken
	e.status, e.stopped, e.failure = running, time.Time{}, asl.Failure{}
	s.startTimeout(e)
	s.emit(e)
	s.perform(e, e.run.Redrive(c.Now()))
	return &RedriveExecutionOutput{e.redriven}, nil
}

// notRedrivable gives the reason in AWS's words, or nothing.
func (e *execution) notRedrivable(now time.Time) string {
	switch {
	case e.status == running || e.status == succeeded:
		return "Execution is " + e.status + " and cannot be redriven"
	case now.Sub(e.stopped) > redrivable:
		return "Execution redrivable period exceeded"
	case len(e.run.History()) >= maxRedriveAt:
		return "Execution history event limit exceeded"
	}
	return ""
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
