package infra

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/pkg/contract"
)

// SpokeProps names the hub that a team account serves. Each value may be a token.
type SpokeProps struct {
	HubAccount string // Networking account, 12 digits
	HubName    string // hub: in the hub policy
	ExternalID string // spokes.externalId: in the hub policy
}

// NewSpoke is everything in a team account: it tells the hub about shares and tags, and lets the hub read them and take out
// an origin that its team tagged for teardown. Its stack must be in us-east-1. An account has one for each hub, since the
// role, which it answers, has a name that the hub knows.
func NewSpoke(scope constructs.Construct, id string, p SpokeProps) awsiam.Role {
	self := constructs.NewConstruct(scope, jsii.String(id))
	hubBus := fmt.Sprintf("arn:aws:events:%s:%s:event-bus/%s", region, p.HubAccount, contract.BusName(p.HubName))
	forwarder := awsiam.NewRole(self, jsii.String("ForwarderRole"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("events.amazonaws.com"), nil),
		InlinePolicies: &map[string]awsiam.PolicyDocument{
			"forward": document([]permission{allow([]string{"events:PutEvents"}, hubBus)}),
		},
	})
	newRules(self, newDeadLetters(self, "UndeliveredEvents", nil), rule{
		ID: "Forward", Description: "Tells the originhub hub that a share, a VPC origin or its tags may have changed",
		Pattern: forwardedCalls(),
		Targets: []*target{{ID: "HubBus", ARN: hubBus, RoleARN: *forwarder.RoleArn()}},
	})
	return newSpokeRole(self, "HubRole", p)
}

// newSpokeStack is the spoke for accounts without CDK: one template serves every team. Only the stack's own name depends on
// hub; the template does not.
func newSpokeStack(scope constructs.Construct, id, hub string) {
	stack := awscdk.NewStack(scope, jsii.String(id), &awscdk.StackProps{
		StackName:   jsii.String(contract.SpokeStackName(hub)),
		Description: jsii.String("originhub spoke: forwards share and tag calls to the hub, and lets it take tagged origins out"),
		Env:         &awscdk.Environment{Region: jsii.String(region)},
		Synthesizer: awscdk.NewBootstraplessSynthesizer(nil), // no assets: a team account needs no CDK bootstrap
	})
	role := NewSpoke(stack, "Spoke", SpokeProps{
		HubAccount: parameter(stack, "HubAccountId", `\d{12}`, "Networking account, 12 digits"),
		HubName:    parameter(stack, "HubName", `[a-z][a-z0-9-]{0,19}`, "hub: in the hub policy"),
		ExternalID: parameter(stack, "ExternalId", `[\w+=,.@:/-]{2,}`, "spokes.externalId: in the hub policy"),
	})
	output(stack, "HubRoleArn", *role.RoleArn())
}

// parameter declares a required parameter and answers a token for its value.
func parameter(stack awscdk.Stack, name, allowed, description string) string {
	return *awscdk.NewCfnParameter(stack, jsii.String(name), &awscdk.CfnParameterProps{
		Type:           jsii.String("String"),
		Description:    jsii.String(description),
		AllowedPattern: jsii.String(allowed),
	}).ValueAsString()
}
