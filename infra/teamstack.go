package infra

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/infra/internal/parts"
	"github.com/originhub/originhub/infra/team"
)

// teamParams holds the parameters of the team's template. Host, paths and CIDR come from the hub policy.
type teamParams struct{ Team, HubAccount, Certificate, PrefixList string }

// customersTimeout is less than the 29 seconds after which API Gateway gives up.
const customersTimeout = 10 * time.Second

// newTeamStack makes a private service with a sample function. One template serves all teams of the policy that have a CIDR. All of
// it is in us-east-1, because RAM keeps the shares of global resources there. In another Region the deployment fails at the
// subnets, whose zones do not exist there, before anything costs money. A team with a load balancer in another Region uses
// team.NewSharedOrigin: only that has to be in us-east-1, and it needs only the load balancer's ARN and DNS name.
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
			"ACM certificate in this account and Region for the team's host. The load balancer and the private API present it; "+
				"viewers see the hub's certificate"),
		PrefixList: parameterOr(stack, "OriginFacingPrefixListId", `pl-[0-9a-f]{8,17}`, team.OriginFacing,
			"Id of the prefix list com.amazonaws.global.cloudfront.origin-facing; aws ec2 describe-managed-prefix-lists shows it"),
	}
	of := plan.lookUp(stack, p.Team)

	customers := parts.NewFunction(stack, "Customers", parts.FunctionProps{
		Description: "Sample behind the private API: returns a customer",
		Code:        awslambda.Code_FromAsset(jsii.String(code.dir(customersFunction)), nil),
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

// oneOf declares a parameter that must have one of values, and returns a token for its value.
func oneOf(stack awscdk.Stack, name string, values []string, description string) string {
	return *awscdk.NewCfnParameter(stack, jsii.String(name), &awscdk.CfnParameterProps{
		Type:          jsii.String("String"),
		Description:   jsii.String(description),
		AllowedValues: jsii.Strings(values...),
	}).ValueAsString()
}

// parameterOr declares a parameter with a default, and returns a token for its value.
func parameterOr(stack awscdk.Stack, name, allowed, standard, description string) string {
	return *awscdk.NewCfnParameter(stack, jsii.String(name), &awscdk.CfnParameterProps{
		Type:           jsii.String("String"),
		Description:    jsii.String(description),
		AllowedPattern: jsii.String(allowed),
		Default:        jsii.String(standard),
	}).ValueAsString()
}
