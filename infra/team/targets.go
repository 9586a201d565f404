package team

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/infra/internal/parts"
	"github.com/originhub/originhub/pkg/contract"
)

// targetsEvery is how long an address of the endpoint may stay unregistered. Meanwhile the load balancer uses the endpoint's other
// address. A new stack has no viewers yet, because its VPC origin takes longer than that to deploy.
const targetsEvery = 5 * time.Minute

// targetsTimeout is the timeout for describing and registering a few addresses.
const targetsTimeout = time.Minute

type targetsProps struct {
	Code        string // directory
	Endpoint    string // id of the VPC endpoint
	TargetGroup string // ARN
}

// newTargets makes the function that keeps the addresses of an interface endpoint registered in a target group. The first scheduled run
// registers the first addresses. A custom resource could do that earlier, but could also fail a deployment because of an error that
// the next run would fix.
func newTargets(scope constructs.Construct, id string, p targetsProps) {
	self := constructs.NewConstruct(scope, jsii.String(id))
	function := parts.NewFunction(self, "Keep", parts.FunctionProps{
		Description: "Keeps the addresses of the endpoint registered with the load balancer",
		Code:        awslambda.Code_FromAsset(jsii.String(p.Code), nil),
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
	// A failed run needs no dead letters: the next scheduled run observes the same addresses.
	parts.NewRules(self, parts.NewDeadLetters(self, "UndeliveredEvents", nil),
		parts.Rule{
			ID: "Tick", Description: "Observes the endpoint's addresses without an event", Every: targetsEvery, Targets: []*parts.Target{keep},
		},
		parts.Rule{
			ID: "NewInterface", Description: "A network interface was created for a VPC endpoint", Pattern: endpointInterfaces(), Targets: []*parts.Target{keep},
		},
	)
}

// endpointInterfaces matches calls that create a network interface for a VPC endpoint, as its description says.
func endpointInterfaces() parts.Pattern {
	p := parts.Calls([]string{"aws.ec2"}, "CreateNetworkInterface")
	p["detail"].(map[string]any)["requestParameters"] = map[string]any{
		"description": []any{map[string]any{"prefix": "VPC Endpoint Interface"}},
	}
	return p
}
