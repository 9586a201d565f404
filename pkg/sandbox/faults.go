package sandbox

import (
	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/network"
)

// Fault is what goes wrong with one call.
type Fault struct {
	Name string
	// Before runs before the call, without any lock: another writer's edit, say.
	Before func()
	// Error is answered instead, and the call has no effect.
	Error *RuleError
	// NoResponse lets the call have its effect and loses the answer.
	NoResponse bool
	// Crash lets the call have its effect, then kills the process of the function that made it.
	Crash bool
}

// Faults is the set of rules that came as data.
func (s *Sandbox) Faults() *Faults { return s.faults }

// OnCall adds a rule in Go. It is asked for every call, in the order of the log, and must not call the sandbox itself;
// nil lets the call pass. Of the call it sees who makes which one, not what becomes of it. Faults().Reset removes it.
func (s *Sandbox) OnCall(rule func(Call) *Fault) {
	s.world.Faults.OnCall(func(c *cloud.Call) *cloud.Fault {
		f := rule(Call{
			Time: c.Now(), Account: c.Caller.Account, Region: c.Region, Service: c.Service.Name, Operation: c.Operation.Name,
			Principal: c.Caller.ARN, Function: c.Caller.Function, ReadOnly: c.Operation.ReadOnly, RequestID: c.RequestID,
		})
		if f == nil {
			return nil
		}
		fault := &cloud.Fault{Name: f.Name, NoResponse: f.NoResponse, Crash: f.Crash}
		if f.Before != nil {
			fault.Before = func(*cloud.Call) { f.Before() }
		}
		if f.Error != nil {
			fault.Err = &cloud.Error{Code: f.Error.Code, Message: f.Error.Message, Status: f.Error.Status}
		}
		return fault
	})
}

// HoldENIs makes the network interfaces of a VPC origin stay for ever, as if CloudFront had lost them.
func (s *Sandbox) HoldENIs(vpcOriginID string) { s.services.network.HoldENIs(vpcOriginID) }

// ReleaseENIs undoes HoldENIs.
func (s *Sandbox) ReleaseENIs(vpcOriginID string) { s.services.network.ReleaseENIs(vpcOriginID) }

// UnmanagedENI is a network interface of another service.
type UnmanagedENI = network.UnmanagedENI

// AddUnmanagedENI adds one to the VPC that an account's load balancers are in, and answers its id.
func (s *Sandbox) AddUnmanagedENI(f UnmanagedENI) string {
	return s.services.network.AddUnmanagedENI(f)
}

// ReplaceInterfaces gives an interface VPC endpoint other network interfaces with other addresses, as AWS may do at any
// time, and answers the new addresses.
func (s *Sandbox) ReplaceInterfaces(vpcEndpointID string) (addresses []string, err error) {
	return s.services.network.ReplaceInterfaces(vpcEndpointID)
}
