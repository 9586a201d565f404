package sandbox

import (
	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/network"
)

// Fault is what goes wrong with one call.
type Fault struct {
	Name string
	// Before runs before the call, without any lock, for example to make an edit of another writer.
	Before func()
	// Error is returned, and the call has no effect.
	Error *RuleError
	// NoResponse drops the response of the call, which has its effect.
	NoResponse bool
	// Crash kills the process of the function that made the call, after the call had its effect.
	Crash bool
}

// Faults returns the set of rules that were added as data.
func (s *Sandbox) Faults() *Faults { return s.faults }

// OnCall adds a rule. The rule is called for every API call, in the order of the call log, and returns nil for a call that it
// lets pass. It sees who makes the call, not its outcome. It must not call the sandbox. Faults().Reset removes the rule.
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

// HoldENIs makes the network interfaces of a VPC origin stay forever, as if CloudFront had lost them.
func (s *Sandbox) HoldENIs(vpcOriginID string) { s.services.network.HoldENIs(vpcOriginID) }

// FailVpcOrigin gives a VPC origin the status Failed, which AWS does not document (CF-40).
func (s *Sandbox) FailVpcOrigin(vpcOriginID string) {
	s.services.cloudfront.FailVpcOrigin(vpcOriginID)
}

// ReleaseENIs undoes HoldENIs.
func (s *Sandbox) ReleaseENIs(vpcOriginID string) { s.services.network.ReleaseENIs(vpcOriginID) }

// UnmanagedENI is a network interface of another service.
type UnmanagedENI = network.UnmanagedENI

// AddUnmanagedENI adds a network interface of another service to the VPC of an account's load balancers, and returns its id.
func (s *Sandbox) AddUnmanagedENI(f UnmanagedENI) string {
	return s.services.network.AddUnmanagedENI(f)
}

// ReplaceInterfaces gives an interface VPC endpoint other network interfaces with other addresses, as AWS may do at any time. It
// returns the new addresses.
func (s *Sandbox) ReplaceInterfaces(vpcEndpointID string) (addresses []string, err error) {
	return s.services.network.ReplaceInterfaces(vpcEndpointID)
}
