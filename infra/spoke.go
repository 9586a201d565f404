package main

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/pkg/contract"
)

// spokeParams are the parameters of the spoke's template: one template serves every team, with or without CDK.
type spokeParams struct{ HubAccount, HubName, ExternalID string }

// newSpokeStack is everything in a team account: it tells the hub about shares and tags, and lets the hub read them and
// take out an origin that its team tagged for teardown. Only the stack's own name depends on hub; the template does not.
func newSpokeStack(scope constructs.Construct, id, hub string) {
	stack := awscdk.NewStack(scope, jsii.String(id), &awscdk.StackProps{
		StackName:   jsii.String("originhub-" + hub + "-spoke"),
		Description: jsii.String("originhub spoke: forwards share and tag calls to the hub, and lets it take tagged origins out"),
		Env:         &awscdk.Environment{Region: jsii.String(region)},
		Synthesizer: awscdk.NewBootstraplessSynthesizer(nil), // no assets: a team account needs no CDK bootstrap
	})
	p := spokeParams{
		HubAccount: parameter(stack, "HubAccountId", `\d{12}`, "Networking account, 12 digits"),
		HubName:    parameter(stack, "HubName", `[a-z][a-z0-9-]{0,19}`, "hub: in the hub policy"),
		ExternalID: parameter(stack, "ExternalId", `[\w+=,.@:/-]{2,}`, "spokes.externalId: in the hub policy"),
	}

	hubBus := fmt.Sprintf("arn:aws:events:%s:%s:event-bus/%s", region, p.HubAccount, contract.BusName(p.HubName))
	forwarder := awsiam.NewRole(stack, jsii.String("ForwarderRole"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("events.amazonaws.com"), nil),
		InlinePolicies: &map[string]awsiam.PolicyDocument{
			"forward": document([]permission{allow([]string{"events:PutEvents"}, hubBus)}),
		},
	})
	newRules(stack, newDeadLetters(stack, "UndeliveredEvents"), rule{
		ID: "Forward", Description: "Tells the originhub hub that a share, a VPC origin or its tags may have changed",
		Pattern: forwardedCalls(),
		Targets: []*target{{ID: "HubBus", ARN: hubBus, RoleARN: *forwarder.RoleArn()}},
	})

	role := newSpokeRole(stack, "HubRole", p)
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
