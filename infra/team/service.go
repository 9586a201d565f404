// Package team has constructs for CDK apps of application teams: NewSpoke, which an account
// needs so that the hub can read the tags of its VPC origins and tear them down; NewPrivateService, which
// makes everything from the VPC to a VPC origin that is shared with the hub; and NewSharedOrigin, which makes only the VPC origin
// and its share, for a team that already has a load balancer.
//
// A stack with one of these constructs must be in us-east-1.
package team

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// PrivateServiceProps describes a private service and its claim. Each value except Targets may be a token.
type PrivateServiceProps struct {
	Name     string    // the team's name in the hub policy
	Host     string    // the only host, under the hub's domain
	BasePath string    // first segment of every path in Paths, without slashes: "orders"
	Paths    string    // the claim, as the tag originhub:paths spells it: "/orders/items/ /orders/health"
	CIDR     string    // the network of the VPC: it must not overlap with other teams' networks, and cannot be changed
	Subnets  [2]string // parts of CIDR, one for each Availability Zone

	HubAccount  string // Networking account, 12 digits
	Certificate string // ARN of the ACM certificate for Host, in this account and Region
	PrefixList  string // id of com.amazonaws.global.cloudfront.origin-facing: see OriginFacing

	Function awslambda.Function // answers the API's requests

	// Targets is the directory that holds the binary bootstrap: command functions/targets of originhub, built for linux/arm64. It keeps
	// the endpoint's addresses registered with the load balancer.
	Targets string
}

// NewPrivateService makes the private side of one team: VPC, endpoint, private API and load balancer in front of a function, and the
// VPC origin, with its claim as tags and shared with the hub. It returns the VPC origin. The service can be reached from the internet
// only through the hub's distribution. Its stack must be in us-east-1.
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
	// CloudFront requires the internet gateway. The hub may send requests as soon as the origin is shared, so the rule must exist before
	// the VPC origin.
	origin.Node().AddDependency(vpc.Gateway)
	origin.Node().AddDependency(balancer.Rule)
	return origin
}
