package infra

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/infra/internal/parts"
	"github.com/originhub/originhub/infra/team"
)

// teamParams are the parameters of the team's template. What else a team needs to know, its host, its paths and its
// place in the address plan, the hub policy says.
type teamParams struct{ Team, HubAccount, Certificate, PrefixList string }

// customersTimeout is less than the 29 s after which API Gateway gives up.
const customersTimeout = 10 * time.Second

// newTeamStack is a private service with a sample function: one template for all teams of the policy that have a CIDR. It
// lives in us-east-1 whole, since that is where RAM keeps the shares of global resources; deployed elsewhere it fails at its
// subnets, whose zones are there, before anything costs money. Of a load balancer in another Region, team.NewSharedOrigin
// needs no more than the ARN and the DNS name, and it alone must be in us-east-1.
func newTeamStack(scope constructs.Construct, id string, plan teamPlan, code functionCode) {
	stack := awscdk.NewStack(scope, jsii.String(id), &awscdk.StackProps{
		StackName:   jsii.String("originhub-team"),
		Description: jsii.String("originhub team: a private API behind a VPC origin that is shared with the hub"),
		Env:         &awscdk.Environment{Region: jsii.String(parts.Region)},
		Synthesizer: awscdk.NewDefaultStackSynthesizer(&awscdk.DefaultStackSynthesizerProps{
			GenerateBootstrapVersionRule: jsii.Bool(false),
		}),
	})
	p := teamParams{
		Team:       oneOf(stack, "Team", plan.names(), "The team's name in the hub policy"),
		HubAccount: parameter(stack, "HubAccountId", `\d{12}`, "Networking account, 12 digits"),
		Certificate: parameter(stack, "CertificateArn", `arn:aws:acm:us-east-1:\d{12}:certificate/[A-Za-z0-9-]+`,
			"ACM certificate of this account and Region for the team's host: the load balancer and the private API show it. "+
				"Viewers see the hub's"),
		PrefixList: parameterOr(stack, "OriginFacingPrefixListId", `pl-[0-9a-f]{8,17}`, team.OriginFacing,
			"Prefix list com.amazonaws.global.cloudfront.origin-facing: aws ec2 describe-managed-prefix-lists shows its id"),
	}
	of := plan.lookUp(stack, p.Team)

	customers := parts.NewFunction(stack, "Customers", parts.FunctionProps{
		Description: "Answers for a customer: the sample behind the private API",
		Code:        code.dir(customersFunction),
		Timeout:     customersTimeout,
		RolePath:    "/",
	})
	origin := team.NewPrivateService(stack, "Service", team.PrivateServiceProps{
		Name: p.Team, Host: of.Host, BasePath: of.BasePath, Paths: of.Paths, CIDR: of.CIDR, Subnets: of.Subnets,
		HubAccount: p.HubAccount, Certificate: p.Certificate, PrefixList: p.PrefixList,
		Function: customers, Targets: code.dir(targetsFunction),
	})
	output(stack, "OriginId", *origin.Ref())
	output(stack, "OriginArn", *origin.AttrArn())
}

// oneOf declares a parameter that must have one of the values.
func oneOf(stack awscdk.Stack, name string, values []string, description string) string {
	return *awscdk.NewCfnParameter(stack, jsii.String(name), &awscdk.CfnParameterProps{
		Type:          jsii.String("String"),
		Description:   jsii.String(description),
		AllowedValues: jsii.Strings(values...),
	}).ValueAsString()
}

// parameterOr declares a parameter with a default.
func parameterOr(stack awscdk.Stack, name, allowed, standard, description string) string {
	return *awscdk.NewCfnParameter(stack, jsii.String(name), &awscdk.CfnParameterProps{
		Type:           jsii.String("String"),
		Description:    jsii.String(description),
		AllowedPattern: jsii.String(allowed),
		Default:        jsii.String(standard),
	}).ValueAsString()
}
