package infra

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// teamParams are the parameters of the team's template. What else a team needs to know, its host, its paths and its
// place in the address plan, the hub policy says.
type teamParams struct{ Team, HubAccount, Certificate, PrefixList string }

// PrivateServiceProps says what stands behind a team's VPC origin. Each value but Targets may be a token.
type PrivateServiceProps struct {
	Name     string    // the team's in the hub policy
	Host     string    // the one host, under the hub's domain
	BasePath string    // the one segment with which all paths begin
	Paths    string    // the claim, as the tag originhub:paths spells it
	CIDR     string    // of the VPC: apart from other teams', and for good
	Subnets  [2]string // its parts, one for each Availability Zone

	HubAccount  string // Networking account, 12 digits
	Certificate string // ARN of the ACM certificate for Host, in this account and Region
	PrefixList  string // id of com.amazonaws.global.cloudfront.origin-facing

	Function awslambda.Function // answers for the API
	Targets  string             // directory of function targets, built for linux/arm64
}

// NewPrivateService is the private side of one team: everything between CloudFront's network interfaces in the team's VPC
// and the function that answers, and the VPC origin, which it answers, shared with the hub and with its claim as tags. Nothing
// of it can be reached from the internet but through the hub's distribution. Its stack must be in us-east-1.
func NewPrivateService(scope constructs.Construct, id string, p PrivateServiceProps) awscloudfront.CfnVpcOrigin {
	self := constructs.NewConstruct(scope, jsii.String(id))
	network := newTeamNetwork(self, "Network", teamNetworkProps{CIDR: p.CIDR, Subnets: p.Subnets, PrefixList: p.PrefixList})
	newPrivateAPI(self, "Api", privateAPIProps{
		Name: p.Name, Host: p.Host, BasePath: p.BasePath, Certificate: p.Certificate, Endpoint: *network.Endpoint.Ref(), Function: p.Function,
	})
	balancer := newBalancer(self, "Balancer", balancerProps{Network: network, Host: p.Host, Certificate: p.Certificate})
	newTargets(self, "Targets", targetsProps{Code: p.Targets, Endpoint: *network.Endpoint.Ref(), TargetGroup: *balancer.Targets.Ref()})
	origin := newSharedOrigin(self, "Origin", sharedOriginProps{
		Name: p.Name, Hub: p.HubAccount, Host: p.Host, Paths: p.Paths,
		Balancer: *balancer.LoadBalancer.Ref(), BalancerName: *balancer.LoadBalancer.AttrDnsName(),
	})
	// CloudFront asks for the internet gateway, and whoever is shared with may send requests at once.
	origin.Node().AddDependency(network.Gateway)
	origin.Node().AddDependency(balancer.Rule)
	return origin
}

// newTeamStack is a private service with a sample function: one template for all teams of the policy that have a CIDR. It
// lives in us-east-1 whole, since that is where RAM keeps the shares of global resources; deployed elsewhere it fails at its
// subnets, whose zones are there, before anything costs money. Of a load balancer in another Region, newSharedOrigin needs no
// more than the ARN and the DNS name, and it alone must be in us-east-1.
func newTeamStack(scope constructs.Construct, id string, plan teamPlan, code functionCode) {
	stack := awscdk.NewStack(scope, jsii.String(id), &awscdk.StackProps{
		StackName:   jsii.String("originhub-team"),
		Description: jsii.String("originhub team: a private API behind a VPC origin that is shared with the hub"),
		Env:         &awscdk.Environment{Region: jsii.String(region)},
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
		PrefixList: parameterOr(stack, "OriginFacingPrefixListId", `pl-[0-9a-f]{8,17}`, originFacing,
			"Prefix list com.amazonaws.global.cloudfront.origin-facing: aws ec2 describe-managed-prefix-lists shows its id"),
	}
	of := plan.lookUp(stack, p.Team)

	customers := newFunction(stack, "Customers", functionProps{
		Description: "Answers for a customer: the sample behind the private API",
		Code:        code.dir(customersFunction),
		Timeout:     customersTimeout,
		RolePath:    "/",
	})
	origin := NewPrivateService(stack, "Service", PrivateServiceProps{
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
