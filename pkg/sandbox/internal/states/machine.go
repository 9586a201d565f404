package states

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/asl"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// machine is the current version of a state machine. An execution keeps the version that it started with.
type machine struct {
	arn, name       string
	account, region string
	role            string
	text            string
	definition      *asl.Machine
	created         time.Time
	revision        string
	logging         json.RawMessage
	tracing         bool
	tags            []cloud.Tag
}

// ValidateStateMachineDefinitionInput is the input of ValidateStateMachineDefinition.
type ValidateStateMachineDefinitionInput struct {
	Definition string `json:"definition"`
	Type       string `json:"type"`
	Severity   string `json:"severity"`
	MaxResults int    `json:"maxResults"`
}

// Diagnostic is one finding of ValidateStateMachineDefinition.
type Diagnostic struct {
	Severity string `json:"severity"`
	Code     string `json:"code"`
	Message  string `json:"message"`
	Location string `json:"location"`
}

// ValidateStateMachineDefinitionOutput is the output of ValidateStateMachineDefinition.
type ValidateStateMachineDefinitionOutput struct {
	Result      string       `json:"result"`
	Diagnostics []Diagnostic `json:"diagnostics"`
	Truncated   bool         `json:"truncated"`
}

// validateStateMachineDefinition implements ValidateStateMachineDefinition.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinition.html
func (s *Service) validateStateMachineDefinition(
	c *cloud.Call, in *ValidateStateMachineDefinitionInput,
) (*ValidateStateMachineDefinitionOutput, error) {
	if err := c.Authorize("states:ValidateStateMachineDefinition", "*", nil); err != nil {
		return nil, err
	}
	if in.Type == "EXPRESS" {
		return nil, express()
	}
	out := &ValidateStateMachineDefinitionOutput{Result: "OK"}
	_, err := asl.Parse([]byte(in.Definition))
	var problems *asl.DefinitionError
	if errors.As(err, &problems) {
		out.Result = "FAIL"
		for _, p := range problems.Problems {
			out.Diagnostics = append(out.Diagnostics, Diagnostic{
				Severity: "ERROR", Code: "SCHEMA_VALIDATION_FAILED", Message: p.Message, Location: p.Path,
			})
		}
	}
	limit := in.MaxResults
	if limit == 0 {
		limit = 100
	}
	if len(out.Diagnostics) > limit {
		out.Diagnostics, out.Truncated = out.Diagnostics[:limit], true
	}
	return out, nil
}

func express() error {
	return cloud.Errorf(501, "NotImplemented", "the sandbox does not implement EXPRESS state machines")
}

// ListStateMachinesInput is the input of ListStateMachines.
type ListStateMachinesInput struct {
	MaxResults int    `json:"maxResults"`
	NextToken  string `json:"nextToken"`
}

// MachineItem is one line of ListStateMachines.
type MachineItem struct {
	StateMachineARN string    `json:"stateMachineArn"`
	Name            string    `json:"name"`
	Type            string    `json:"type"`
	CreationDate    time.Time `json:"creationDate"`
}

// ListStateMachinesOutput is the output of ListStateMachines.
type ListStateMachinesOutput struct {
	StateMachines []MachineItem `json:"stateMachines"`
	NextToken     string        `json:"nextToken,omitempty"`
}

// listStateMachines implements ListStateMachines.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListStateMachines.html
func (s *Service) listStateMachines(c *cloud.Call, in *ListStateMachinesInput) (*ListStateMachinesOutput, error) {
	if err := c.Authorize("states:ListStateMachines", "*", nil); err != nil {
		return nil, err
	}
	page, next, err := paginate(s.machinesOf(c.Account(), c.Region), in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &ListStateMachinesOutput{NextToken: next}
	for _, m := range page {
		out.StateMachines = append(out.StateMachines, MachineItem{m.arn, m.name, "STANDARD", m.created})
	}
	return out, nil
}

// DescribeStateMachineInput is the input of DescribeStateMachine.
type DescribeStateMachineInput struct {
	StateMachineARN string `json:"stateMachineArn"`
	IncludedData    string `json:"includedData"`
}

// Tracing is a machine's X-Ray setting.
type Tracing struct {
	Enabled bool `json:"enabled"`
}

// Logging is a machine's CloudWatch Logs setting.
type Logging struct {
	Level                string           `json:"level,omitempty"`
	IncludeExecutionData bool             `json:"includeExecutionData"`
	Destinations         []LogDestination `json:"destinations"`
}

// LogDestination is one log group.
type LogDestination struct {
	CloudWatchLogsLogGroup LogGroup `json:"cloudWatchLogsLogGroup"`
}

// LogGroup names a log group by its ARN with ":*".
type LogGroup struct {
	LogGroupARN string `json:"logGroupArn"`
}

// DescribeStateMachineOutput is the output of DescribeStateMachine.
type DescribeStateMachineOutput struct {
	StateMachineARN      string    `json:"stateMachineArn"`
	Name                 string    `json:"name"`
	Status               string    `json:"status"`
	Definition           string    `json:"definition"`
	RoleARN              string    `json:"roleArn"`
	Type                 string    `json:"type"`
	CreationDate         time.Time `json:"creationDate"`
	RevisionID           string    `json:"revisionId"`
	TracingConfiguration Tracing   `json:"tracingConfiguration"`
	LoggingConfiguration *Logging  `json:"loggingConfiguration,omitempty"`
}

// describeStateMachine implements DescribeStateMachine.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeStateMachine.html
func (s *Service) describeStateMachine(c *cloud.Call, in *DescribeStateMachineInput) (*DescribeStateMachineOutput, error) {
	m, err := s.machineFor(c, "states:DescribeStateMachine", in.StateMachineARN)
	if err != nil {
		return nil, err
	}
	out := &DescribeStateMachineOutput{
		StateMachineARN: m.arn, Name: m.name, Status: "ACTIVE", Definition: m.text, RoleARN: m.role, Type: "STANDARD",
		CreationDate: m.created, RevisionID: m.revision, TracingConfiguration: Tracing{m.tracing},
	}
	out.LoggingConfiguration = m.loggingConfiguration()
	return out, nil
}

func (m *machine) loggingConfiguration() *Logging {
	if len(m.logging) == 0 {
		return nil
	}
	var p loggingProperties
	if json.Unmarshal(m.logging, &p) != nil {
		return nil
	}
	l := &Logging{Level: p.Level, IncludeExecutionData: bool(p.IncludeExecutionData)}
	for _, d := range p.Destinations {
		l.Destinations = append(l.Destinations, LogDestination{LogGroup{d.CloudWatchLogsLogGroup.LogGroupArn}})
	}
	return l
}

// machineFor authorizes action on the machine and finds it in the caller's account.
func (s *Service) machineFor(c *cloud.Call, action, arn string) (*machine, error) {
	if !machineARN.MatchString(arn) {
		return nil, firstError(c.Authorize(action, arn, nil), invalidARN(arn))
	}
	if err := c.Authorize(action, arn, nil); err != nil {
		return nil, err
	}
	m := s.machines[arn]
	if m == nil || m.account != c.Account() || m.region != c.Region {
		return nil, noMachine(arn)
	}
	return m, nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

var machineARN = regexp.MustCompile(`^arn:aws:states:[a-z0-9-]+:\d{12}:stateMachine:[^:\s]{1,80}$`)

// DescribeStateMachineForExecutionInput is the input of DescribeStateMachineForExecution.
type DescribeStateMachineForExecutionInput struct {
	ExecutionARN string `json:"executionArn"`
	IncludedData string `json:"includedData"`
}

// DescribeStateMachineForExecutionOutput is the output of DescribeStateMachineForExecution.
type DescribeStateMachineForExecutionOutput struct {
	StateMachineARN string    `json:"stateMachineArn"`
	Name            string    `json:"name"`
	Definition      string    `json:"definition"`
	RoleARN         string    `json:"roleArn"`
	UpdateDate      time.Time `json:"updateDate"`
	RevisionID      string    `json:"revisionId"`
}

// describeStateMachineForExecution implements DescribeStateMachineForExecution.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeStateMachineForExecution.html
func (s *Service) describeStateMachineForExecution(
	c *cloud.Call, in *DescribeStateMachineForExecutionInput,
) (*DescribeStateMachineForExecutionOutput, error) {
	e, err := s.executionFor(c, "states:DescribeStateMachineForExecution", in.ExecutionARN)
	if err != nil {
		return nil, err
	}
	m := e.machine
	return &DescribeStateMachineForExecutionOutput{m.arn, m.name, m.text, m.role, m.created, m.revision}, nil
}

// ListTagsForResourceInput is the input of ListTagsForResource.
type ListTagsForResourceInput struct {
	ResourceARN string `json:"resourceArn"`
}

// MachineTag is one tag.
type MachineTag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// ListTagsForResourceOutput is the output of ListTagsForResource.
type ListTagsForResourceOutput struct {
	Tags []MachineTag `json:"tags"`
}

// listTagsForResource implements ListTagsForResource.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListTagsForResource.html
func (s *Service) listTagsForResource(c *cloud.Call, in *ListTagsForResourceInput) (*ListTagsForResourceOutput, error) {
	if err := c.Authorize("states:ListTagsForResource", in.ResourceARN, nil); err != nil {
		return nil, err
	}
	m := s.machines[in.ResourceARN]
	if m == nil || m.account != c.Account() {
		return nil, noResource(in.ResourceARN)
	}
	out := &ListTagsForResourceOutput{}
	for _, t := range m.tags {
		out.Tags = append(out.Tags, MachineTag{t.Key, t.Value})
	}
	return out, nil
}

// machineProperties are the properties of a state machine.
// machineProperties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-stepfunctions-statemachine.html
type machineProperties struct {
	Definition              json.RawMessage
	DefinitionString        string
	DefinitionSubstitutions map[string]any
	LoggingConfiguration    json.RawMessage
	RoleArn                 string
	StateMachineName        string
	StateMachineType        string
	Tags                    []cloud.Tag
	TracingConfiguration    *struct{ Enabled cloud.Bool }
}

type loggingProperties struct {
	Destinations []struct {
		CloudWatchLogsLogGroup struct{ LogGroupArn string }
	}
	IncludeExecutionData cloud.Bool
	Level                string
}

func (s *Service) machineType() cloud.ResourceType {
	const name = "AWS::StepFunctions::StateMachine"
	return cloud.ResourceType{
		Name: name,
		Create: func(r *cloud.ResourceRequest) (*cloud.Resource, error) {
			p, definition, text, err := readMachine(r)
			if err != nil {
				return nil, err
			}
			var out *cloud.Resource
			r.World.Do(func() {
				if p.StateMachineName == "" {
					p.StateMachineName = r.Name(80)
				}
				arn := "arn:aws:states:" + r.Region + ":" + r.Account + ":stateMachine:" + p.StateMachineName
				if s.machines[arn] != nil {
					err = cloud.Errorf(400, "StateMachineAlreadyExists", "State Machine Already Exists: '%s'", arn)
					return
				}
				m := &machine{
					arn: arn, name: p.StateMachineName, account: r.Account, region: r.Region, created: r.World.Clock.Now(),
				}
				m.configure(r.World, p, definition, text)
				s.machines[arn] = m
				out = m.resource()
			})
			return out, err
		},
		Update: func(r *cloud.ResourceRequest, old *cloud.Resource) (*cloud.Resource, error) {
			p, definition, text, err := readMachine(r)
			if err != nil {
				return nil, err
			}
			var out *cloud.Resource
			r.World.Do(func() {
				before := s.machines[old.Ref]
				if before == nil {
					err = noMachine(old.Ref)
					return
				}
				if p.StateMachineName != "" && p.StateMachineName != before.name {
					err = fmt.Errorf("stack %s, resource %s: the sandbox cannot rename a state machine", r.Stack, r.LogicalID)
					return
				}
				m := *before
				m.configure(r.World, p, definition, text)
				s.machines[old.Ref] = &m
				out = m.resource()
			})
			return out, err
		},
		// Executions of a deleted machine end at once. AWS ends them at their next transition. Assumption SFN-04.
		Delete: func(r *cloud.ResourceRequest, old *cloud.Resource) error {
			r.World.Do(func() {
				delete(s.machines, old.Ref)
				for _, e := range s.order {
					if e.machine.arn == old.Ref && e.status == running {
						s.perform(e, e.run.Abort(r.World.Clock.Now(), asl.Failure{}))
					}
				}
			})
			return nil
		},
	}
}

func (m *machine) resource() *cloud.Resource {
	return &cloud.Resource{Ref: m.arn, Attributes: map[string]string{
		"Arn": m.arn, "Name": m.name, "StateMachineRevisionId": m.revision,
	}}
}

func (m *machine) configure(w *cloud.World, p *machineProperties, definition *asl.Machine, text string) {
	m.role, m.text, m.definition, m.tags, m.logging = p.RoleArn, text, definition, p.Tags, p.LoggingConfiguration
	m.tracing = p.TracingConfiguration != nil && bool(p.TracingConfiguration.Enabled)
	m.revision = w.IDs.UUID()
}

func readMachine(r *cloud.ResourceRequest) (*machineProperties, *asl.Machine, string, error) {
	wrap := func(err error) error {
		return fmt.Errorf("stack %s, resource %s (AWS::StepFunctions::StateMachine): %w", r.Stack, r.LogicalID, err)
	}
	p := &machineProperties{}
	if err := r.DecodeProperties("AWS::StepFunctions::StateMachine", p); err != nil {
		return nil, nil, "", err
	}
	if p.StateMachineType == "EXPRESS" {
		return nil, nil, "", wrap(express())
	}
	if p.StateMachineType != "" && p.StateMachineType != "STANDARD" {
		return nil, nil, "", wrap(fmt.Errorf("StateMachineType %q is neither STANDARD nor EXPRESS", p.StateMachineType))
	}
	if !strings.HasPrefix(p.RoleArn, "arn:aws:iam::") {
		return nil, nil, "", wrap(fmt.Errorf("RoleArn %q is not the ARN of a role", p.RoleArn))
	}
	if p.StateMachineName != "" && !validName(p.StateMachineName) {
		return nil, nil, "", wrap(invalidName(p.StateMachineName))
	}
	if len(p.LoggingConfiguration) > 0 {
		var l loggingProperties
		logging := *r
		logging.Properties = p.LoggingConfiguration
		if err := logging.DecodeProperties("LoggingConfiguration", &l); err != nil {
			return nil, nil, "", err
		}
	}
	if (p.DefinitionString == "") == (len(p.Definition) == 0) {
		return nil, nil, "", wrap(errors.New("give exactly one of Definition and DefinitionString"))
	}
	text := p.DefinitionString
	if text == "" {
		text = string(p.Definition)
	}
	text, err := substitute(text, p.DefinitionSubstitutions)
	if err != nil {
		return nil, nil, "", wrap(err)
	}
	definition, err := asl.Parse([]byte(text))
	if err != nil {
		return nil, nil, "", wrap(err)
	}
	return p, definition, text, nil
}

// substitute replaces ${name} by its value. CloudFormation leaves a placeholder without a value in the definition as text; in the
// sandbox it is an error.
func substitute(text string, values map[string]any) (string, error) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		text = strings.ReplaceAll(text, "${"+name+"}", fmt.Sprint(values[name]))
	}
	if left := placeholder.FindString(text); left != "" {
		return "", fmt.Errorf("the definition's %s has no value in DefinitionSubstitutions", left)
	}
	return text, nil
}

var placeholder = regexp.MustCompile(`\$\{[A-Za-z0-9_]+\}`)
