// Package states emulates AWS Step Functions: Standard workflows whose executions run on the virtual clock, act as their
// machine's role, and call Lambda through its API.
package states

import (
	"sort"

	"github.com/originhub/originhub/pkg/sandbox/internal/asl"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// Roles is what Step Functions needs of IAM.
type Roles interface {
	// Assume returns a session of a role that trusts the caller. Called with the world locked.
	Assume(caller cloud.Principal, roleARN, session string) (cloud.Principal, error)
}

// Invocation is one synchronous call of a Lambda function.
type Invocation struct {
	Caller              cloud.Principal
	Region              string
	Function, Qualifier string // FunctionName in the state machine: an ARN or a name
	Payload             []byte
}

// Answer is the output of lambda:Invoke.
type Answer struct {
	Payload         []byte
	FunctionError   string // empty, "Handled" or "Unhandled"
	ExecutedVersion string
}

// Lambda performs lambda:Invoke as the invocation's caller. Called without the world locked.
type Lambda func(Invocation) (Answer, error)

// Service is Step Functions in all accounts and Regions.
type Service struct {
	w      *cloud.World
	roles  Roles
	lambda Lambda

	machines   map[string]*machine   // by ARN
	executions map[string]*execution // by ARN
	order      []*execution          // by start
	tokens     map[string]*execution // all task tokens ever issued
}

// New returns the service.
func New(w *cloud.World, roles Roles, lambda Lambda) *Service {
	return &Service{
		w: w, roles: roles, lambda: lambda,
		machines: map[string]*machine{}, executions: map[string]*execution{}, tokens: map[string]*execution{},
	}
}

// API returns the operations that the sandbox implements.
func (s *Service) API() *cloud.Service {
	read := func(name string) cloud.Operation { return cloud.Operation{Name: name, ReadOnly: true} }
	data := func(name string) cloud.Operation { return cloud.Operation{Name: name, DataPlane: true} }
	return &cloud.Service{
		Name: "states", Protocol: cloud.JSON10, EventSource: "states.amazonaws.com", TargetPrefix: "AWSStepFunctions",
		Operations: []cloud.Operation{
			cloud.Op(read("ValidateStateMachineDefinition"), s.validateStateMachineDefinition),
			cloud.Op(read("ListStateMachines"), s.listStateMachines),
			cloud.Op(read("DescribeStateMachine"), s.describeStateMachine),
			cloud.Op(read("DescribeStateMachineForExecution"), s.describeStateMachineForExecution),
			cloud.Op(read("ListTagsForResource"), s.listTagsForResource),
			cloud.Op(cloud.Operation{Name: "StartExecution"}, s.startExecution),
			cloud.Op(read("ListExecutions"), s.listExecutions),
			cloud.Op(read("DescribeExecution"), s.describeExecution),
			cloud.Op(read("GetExecutionHistory"), s.getExecutionHistory),
			cloud.Op(data("SendTaskHeartbeat"), s.sendTaskHeartbeat),
			cloud.Op(data("SendTaskSuccess"), s.sendTaskSuccess),
			cloud.Op(data("SendTaskFailure"), s.sendTaskFailure),
			cloud.Op(cloud.Operation{Name: "StopExecution"}, s.stopExecution),
			cloud.Op(cloud.Operation{Name: "RedriveExecution"}, s.redriveExecution),
		},
	}
}

// ResourceTypes returns the CloudFormation types that this package deploys.
func (s *Service) ResourceTypes() []cloud.ResourceType {
	return []cloud.ResourceType{s.machineType()}
}

// Execution is one execution as the sandbox's callers see it.
type Execution struct {
	ARN          string      `json:"arn"`
	Name         string      `json:"name"`
	StateMachine string      `json:"stateMachine"`
	Status       string      `json:"status"`
	State        string      `json:"state"` // where the execution is or ended
	Started      string      `json:"started"`
	Stopped      string      `json:"stopped,omitempty"`
	Input        string      `json:"input"`
	Output       string      `json:"output,omitempty"`
	Error        string      `json:"error,omitempty"`
	Cause        string      `json:"cause,omitempty"`
	Redrives     int         `json:"redrives,omitempty"`
	WaitsForTask bool        `json:"waitsForTask,omitempty"` // a task waits for its token
	Visits       []asl.Visit `json:"-"`                      // the path of states, in order
	History      []asl.Event `json:"-"`
	Path         []string    `json:"path"`
}

// Executions returns an account's executions by their start. Call with the world locked.
func (s *Service) Executions(account string) []Execution {
	list := []Execution{}
	for _, e := range s.order {
		if e.machine.account != account {
			continue
		}
		x := Execution{
			ARN: e.arn, Name: e.name, StateMachine: e.machine.name, Status: e.status, State: e.run.State(),
			Started: stamp(e.started), Stopped: stamp(e.stopped), Input: e.input, Output: string(e.output),
			Error: e.failure.Error, Cause: e.failure.Cause, Redrives: e.redrives, WaitsForTask: e.run.Token() != "",
			History: e.run.History(), Visits: asl.Visits(e.run.History()), Path: []string{},
		}
		for _, v := range x.Visits {
			x.Path = append(x.Path, v.State)
		}
		list = append(list, x)
	}
	return list
}

// Snapshot returns what Step Functions holds for an account. Call with the world locked.
func (s *Service) Snapshot(account string) map[string]any {
	machines := []any{}
	for _, m := range s.machinesOf(account, "") {
		machines = append(machines, map[string]any{"name": m.name, "arn": m.arn, "states": m.definition.StateNames()})
	}
	return map[string]any{"stateMachines": machines, "executions": s.Executions(account)}
}

// machinesOf returns an account's machines by name. An empty Region means all Regions.
func (s *Service) machinesOf(account, region string) []*machine {
	var list []*machine
	for _, m := range s.machines {
		if m.account == account && (region == "" || m.region == region) {
			list = append(list, m)
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].arn < list[j].arn })
	return list
}
