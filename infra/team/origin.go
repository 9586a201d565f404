package team

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsram"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/pkg/contract"
)

// SharedOriginProps describes a VPC origin and its claim. Each value may be a token.
type SharedOriginProps struct {
	Name         string // the team's name in the hub policy
	Host         string // under the hub's domain
	Paths        string // as the tag originhub:paths spells them: "/orders/ /orders-v2/health"
	HubAccount   string // Networking account, 12 digits
	Balancer     string // ARN of an internal load balancer that listens for HTTPS on port 443; it may be in another Region than the stack
	BalancerName string // DNS name of the load balancer
}

// NewSharedOrigin makes a VPC origin for a load balancer, states its claim as tags, and shares it with the hub's account only. It
// returns the VPC origin. Its stack must be in us-east-1. The hub's account may send requests as soon as the origin is shared. So make
// the origin depend on whatever protects the load balancer, and on the internet gateway that CloudFront requires.
//
// The stack cannot change the tags while a distribution uses the origin: CloudFormation changes a tag with UpdateVpcOrigin, which
// CloudFront then refuses with 409 (aws/aws-cdk issues 34629 and 35765). Change tags with TagResource instead. For this reason the
// teardown tag is not among the tags here. A claim that is changed in the template can be deployed when no distribution uses the origin.
func NewSharedOrigin(scope constructs.Construct, id string, p SharedOriginProps) awscloudfront.CfnVpcOrigin {
	self := constructs.NewConstruct(scope, jsii.String(id))
	tag := func(key, value string) *awscdk.CfnTag {
		return &awscdk.CfnTag{Key: jsii.String(key), Value: jsii.String(value)}
	}
	origin := awscloudfront.NewCfnVpcOrigin(self, jsii.String("Origin"), &awscloudfront.CfnVpcOriginProps{
		VpcOriginEndpointConfig: &awscloudfront.CfnVpcOrigin_VpcOriginEndpointConfigProperty{
			Name: jsii.String(p.Name), Arn: jsii.String(p.Balancer), HttpPort: jsii.Number(80), HttpsPort: jsii.Number(443),
			OriginProtocolPolicy: jsii.String("https-only"), OriginSslProtocols: jsii.Strings("TLSv1.2"),
		},
		Tags: &[]*awscdk.CfnTag{
			tag(contract.TagHost, p.Host),
			tag(contract.TagPaths, p.Paths),
			// The hub forwards the viewer's Host, which the certificate covers. CloudFront falls back to this name.
			tag(contract.TagDomain, p.BalancerName),
		},
	})
	awsram.NewCfnResourceShare(self, jsii.String("Share"), &awsram.CfnResourceShareProps{
		Name:         jsii.String("originhub-" + p.Name),
		ResourceArns: &[]*string{origin.AttrArn()},
		Principals:   jsii.Strings(p.HubAccount),
		// The hub may be outside the team's organization. No other account is named.
		AllowExternalPrincipals: true,
	})
	return origin
}
