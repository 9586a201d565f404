// Package lambda runs functions like AWS Lambda, over the Runtime API or in this process. Instances stay warm between invocations
// and are killed when they take too long. Asynchronous invocations are retried. Queues invoke functions through event source
// mappings.
package lambda

import (
	"io"
	"net/http"
	"sort"
	"sync"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/iam"
)

// Queue is what Lambda needs of SQS beyond its API.
type Queue interface {
	// OnMessage calls arrived whenever a message of the queue becomes visible: when it is sent, when its delay has passed, and
	// when its visibility timeout ends. arrived is quick and takes no lock of the world, so it may be called with the world
	// locked.
	OnMessage(queueARN string, arrived func())
}

// Sessions is what Lambda needs of IAM.
type Sessions interface {
	// MintForFunction returns the credentials of an instance. It fails if Lambda may not assume the role. Called with the world
	// locked.
	MintForFunction(roleARN, functionName, functionARN string) (iam.Credential, error)
	// Invocation sets the invocation that the credentials now act for.
	Invocation(accessKeyID, invocation string)
	// Assume returns a session of a role, for what Lambda itself does with the role. Called with the world locked.
	Assume(caller cloud.Principal, roleARN, session string) (cloud.Principal, error)
}

// Options configure the service.
type Options struct {
	// Endpoint returns the address of the sandbox's front door. Functions get it in AWS_ENDPOINT_URL.
	Endpoint func() string
	// LogWriter returns where the log lines of a function, given by name, are written besides the log groups; nil for nowhere.
	LogWriter func(function string) io.Writer
	// Line is called with every line that a function writes; nil for no call.
	Line func(account, region, text string)
	// Starter starts instances in this process. If it is nil, each instance runs the bootstrap of its asset in a process of its
	// own.
	Starter Starter
	// Transport leads to the front door, for instances in this process.
	Transport http.RoundTripper
}

// Service is AWS Lambda in all accounts and Regions, and the log groups that its functions write to.
type Service struct {
	world    *cloud.World
	queue    Queue
	sessions Sessions
	endpoint func() string
	logs     *logs

	starter   Starter
	transport http.RoundTripper

	// The world lock guards these.
	functions   map[string]*function // by ARN
	mappings    map[string]*mapping  // by UUID
	undelivered []undelivered

	mu        sync.Mutex
	closed    bool
	instances map[string][]*instance // by function ARN, oldest first
	served    map[string]*instance   // by invocation id
	starting  map[string]int         // by function ARN
}

// New returns the service. Close it, so that no process is left behind.
func New(w *cloud.World, queue Queue, sessions Sessions, o Options) *Service {
	return &Service{
		world: w, queue: queue, sessions: sessions, endpoint: o.Endpoint, logs: newLogs(w.Clock, o),
		starter: o.Starter, transport: o.Transport,
		functions: map[string]*function{}, mappings: map[string]*mapping{},
		instances: map[string][]*instance{}, served: map[string]*instance{}, starting: map[string]int{},
	}
}

// Close ends all instances and returns when their processes have ended. Current invocations fail, and later ones are refused.
func (s *Service) Close() {
	s.mu.Lock()
	s.closed = true
	var all []*instance
	for _, list := range s.instances {
		all = append(all, list...)
	}
	clear(s.instances)
	clear(s.served)
	s.mu.Unlock()
	for _, i := range all {
		i.kill()
	}
}

// API returns the operations that the sandbox implements.
func (s *Service) API() *cloud.Service {
	const functions, mappings = "/2015-03-31/functions", "/2015-03-31/event-source-mappings"
	return &cloud.Service{
		Name: "lambda", Protocol: cloud.RESTJSON, EventSource: "lambda.amazonaws.com",
		Operations: []cloud.Operation{
			cloud.Op(cloud.Operation{
				Name: "Invoke", Method: "POST", Path: functions + "/{FunctionName}/invocations", DataPlane: true, Unlocked: true,
			}, s.invokeOperation),
			cloud.Op(cloud.Operation{Name: "GetFunction", Method: "GET", Path: functions + "/{FunctionName}", ReadOnly: true}, s.getFunction),
			cloud.Op(cloud.Operation{
				Name: "GetFunctionConfiguration", Method: "GET", Path: functions + "/{FunctionName}/configuration", ReadOnly: true,
			}, s.getFunctionConfiguration),
			cloud.Op(cloud.Operation{Name: "GetPolicy", Method: "GET", Path: functions + "/{FunctionName}/policy", ReadOnly: true}, s.getPolicy),
			cloud.Op(cloud.Operation{Name: "ListFunctions", Method: "GET", Path: functions, ReadOnly: true}, s.listFunctions),
			cloud.Op(cloud.Operation{Name: "ListEventSourceMappings", Method: "GET", Path: mappings, ReadOnly: true}, s.listMappings),
		},
	}
}

// ResourceTypes returns the CloudFormation types that this package deploys.
func (s *Service) ResourceTypes() []cloud.ResourceType {
	return []cloud.ResourceType{s.functionType(), s.permissionType(), s.mappingType(), s.eventInvokeConfigType(), s.logGroupType()}
}

// Snapshot returns what Lambda holds for an account. Call with the world locked.
func (s *Service) Snapshot(account string) map[string]any {
	functions, mappings, lost := []any{}, []any{}, []any{}
	for _, f := range s.functionsOf(account) {
		functions = append(functions, f.snapshot())
	}
	for _, m := range s.mappingsOf(account) {
		mappings = append(mappings, m.snapshot())
	}
	for _, u := range s.undelivered {
		if u.account == account {
			lost = append(lost, u)
		}
	}
	return map[string]any{
		"functions": functions, "eventSourceMappings": mappings, "undelivered": lost, "logGroups": s.logs.snapshot(account),
	}
}

func (s *Service) functionsOf(account string) []*function {
	var list []*function
	for _, f := range s.functions {
		if f.account == account {
			list = append(list, f)
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].arn < list[j].arn })
	return list
}

func (s *Service) mappingsOf(account string) []*mapping {
	var list []*mapping
	for _, m := range s.mappings {
		if m.account == account {
			list = append(list, m)
		}
	}
	sort.Slice(list, func(i, j int) bool {
		if list[i].source != list[j].source {
			return list[i].source < list[j].source
		}
		return list[i].uuid < list[j].uuid
	})
	return list
}
