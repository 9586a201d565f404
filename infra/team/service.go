// Package team holds what application teams take into CDK apps of their own: the spoke, which every team account needs; a
// private service, which is everything from the VPC to the VPC origin that is shared with the hub; and that VPC origin alone, for
// a team that has a load balancer already.
//
// Each stack that holds one must be in us-east-1.
package team

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// PrivateServiceProps says what stands behind a team's VPC origin. Each value but Targets may be a token.
type PrivateServiceProps struct {
	Name     string    // the team's in the hub policy
	Host     string    // the one host, under the hub's domain
	BasePath string    // the one segment with which all paths begin
	Paths    string    // the claim, as the tag originhub:paths spells it: "/orders/ /orders/v2/health"
	CIDR     string    // of the VPC: apart from other teams', and for good
	Subnets  [2]string // its parts, one for each Availability Zone

	HubAccount  string // Networking account, 12 digits
	Certificate string // ARN of the ACM certificate for Host, in this account and Region
	PrefixList  string // id of com.amazonaws.global.cloudfront.origin-facing: see OriginFacing

	Function awslambda.Function // answers for the API
	Targets  string             // directory in which functions/targets is built for linux/arm64, as bootstrap
}

// NewPrivateService makes the private side of one team: everything between CloudFront's network interfaces in the team's VPC
// and the function that answers, and the VPC origin, with its claim as tags and shared with the hub. It returns the VPC origin.
// Nothing of it can be reached from the internet but through the hub's distribution. Its stack must be in us-east-1.
func NewPrivateService(scope constructs.Construct, id string, p PrivateServiceProps) awscloudfront.CfnVpcOrigin {
	self := constructs.NewConstruct(scope, jsii.String(id))
	vpc := newNetwork(self, "Network", networkProps{CIDR: p.CIDR, Subnets: p.Subnets, PrefixList: p.PrefixList})
	newPrivateAPI(self, "Api", privateAPIProps{
		Name: p.Name, Host: p.Host, BasePath: p.BasePath, Certificate: p.Certificate, Endpoint: *vpc.Endpoint.Ref(), Function: p.Function,
	})
	balancer := newBalancer(self, "Balancer", balancerProps{Network: vpc, Host: p.Host, Certificate: p.Certificate})
	newTargets(self, "Targets", targetsProps{Code: p.Targets, Endpoint: *vpc.Endpoint.Ref(), TargetGroup: *balancer.Targets.Ref()})
	origin := NewSharedOrigin(self, "Origin", SharedOriginProps{
		Name: p.Name, HubAccount: p.HubAccount, Host: p.Host, Paths: p.Paths,
		Balancer: *balancer.LoadBalancer.Ref(), BalancerName: *balancer.LoadBalancer.AttrDnsName(),
	})
	// CloudFront asks for the internet gateway, and whoever is shared with may send requests at once.
	origin.Node().AddDependency(vpc.Gateway)
	origin.Node().AddDependency(balancer.Rule)
	return origin
}
