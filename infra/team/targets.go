package team

import (
	"time"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/infra/internal/parts"
	"github.com/originhub/originhub/pkg/contract"
)

// targetsEvery is how long the load balancer may miss an address. It has the endpoint's other one meanwhile, and a new
// stack has no viewers yet: its VPC origin takes longer to deploy.
const targetsEvery = 5 * time.Minute

// targetsTimeout is for describing and registering a handful of addresses.
const targetsTimeout = time.Minute

type targetsProps struct {
	Code        string // directory
	Endpoint    string // id of the VPC endpoint
	TargetGroup string // ARN
}

// newTargets keeps the addresses of an interface endpoint registered as a target group's targets. The schedule's first
// tick registers the first ones: a custom resource could do it before, and could fail a deployment for what mends
// itself.
func newTargets(scope constructs.Construct, id string, p targetsProps) {
	self := constructs.NewConstruct(scope, jsii.String(id))
	function := parts.NewFunction(self, "Keep", parts.FunctionProps{
		Description: "Keeps the addresses of the endpoint registered with the load balancer",
		Code:        p.Code,
		Timeout:     targetsTimeout,
		RolePath:    "/",
		Environment: map[string]string{contract.EnvEndpoint: p.Endpoint, contract.EnvTargetGroup: p.TargetGroup},
		Permissions: []parts.Permission{
			// Describe calls.
			parts.Allow([]string{"ec2:DescribeVpcEndpoints", "ec2:DescribeNetworkInterfaces", "elasticloadbalancing:DescribeTargetHealth"}, "*"),
			parts.Allow([]string{"elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"}, p.TargetGroup),
		},
	})
	keep := parts.ToFunction("Keep", function)
	// A failed run needs no dead letters: the next tick looks at the same addresses.
	parts.NewRules(self, parts.NewDeadLetters(self, "UndeliveredEvents", nil),
		parts.Rule{
			ID: "Tick", Description: "Looks at the endpoint's addresses although no event asked for it", Every: targetsEvery, Targets: []*parts.Target{keep},
		},
		parts.Rule{
			ID: "NewInterface", Description: "AWS made a network interface for an endpoint", Pattern: endpointInterfaces(), Targets: []*parts.Target{keep},
		},
	)
}

// endpointInterfaces match calls that make an interface for a VPC endpoint, which its description says.
func endpointInterfaces() parts.Pattern {
	p := parts.Calls([]string{"aws.ec2"}, "CreateNetworkInterface")
	p["detail"].(map[string]any)["requestParameters"] = map[string]any{
		"description": []any{map[string]any{"prefix": "VPC Endpoint Interface"}},
	}
	return p
}
