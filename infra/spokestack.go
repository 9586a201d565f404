package infra

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/infra/internal/parts"
	"github.com/originhub/originhub/infra/team"
	"github.com/originhub/originhub/pkg/contract"
)

// newSpokeStack makes the stack of a team account. One plain template serves every team and every hub; only the stack's name depends
// on hub.
func newSpokeStack(scope constructs.Construct, id, hub string) {
	stack := awscdk.NewStack(scope, jsii.String(id), &awscdk.StackProps{
		StackName:   jsii.String(contract.SpokeStackName(hub)),
		Description: jsii.String("originhub spoke: forwards share and tag calls to the hub, and lets the hub take tagged VPC origins out"),
		Env:         &awscdk.Environment{Region: jsii.String(parts.Region)},
		Synthesizer: awscdk.NewBootstraplessSynthesizer(nil), // no assets: a team account needs no CDK bootstrap
	})
	role := team.NewSpoke(stack, "Spoke", team.SpokeProps{
		HubAccount: parameter(stack, "HubAccountId", `\d{12}`, "Networking account, 12 digits"),
		HubName:    parameter(stack, "HubName", `[a-z][a-z0-9-]{0,19}`, "hub: in the hub policy"),
		ExternalID: parameter(stack, "ExternalId", `[\w+=,.@:/-]{2,}`, "spokes.externalId: in the hub policy"),
	})
	output(stack, "HubRoleArn", *role.RoleArn())
}

// parameter declares a required parameter and returns a token for its value.
func parameter(stack awscdk.Stack, name, allowed, description string) string {
	return *awscdk.NewCfnParameter(stack, jsii.String(name), &awscdk.CfnParameterProps{
		Type:           jsii.String("String"),
		Description:    jsii.String(description),
		AllowedPattern: jsii.String(allowed),
	}).ValueAsString()
}
