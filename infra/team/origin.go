package team

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsram"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/pkg/contract"
)

// SharedOriginProps says what a VPC origin leads to, and what its team claims for it. Each value may be a token.
type SharedOriginProps struct {
	Name         string // the team's in the hub policy
	Host         string // under the hub's domain
	Paths        string // as the tag originhub:paths spells them: "/orders/ /orders-v2/health"
	HubAccount   string // Networking account, 12 digits
	Balancer     string // ARN of an internal load balancer that listens for HTTPS on port 443; its Region may be another
	BalancerName string // its DNS name
}

// NewSharedOrigin makes the VPC origin of a load balancer, states its claim as tags, and shares it with the hub's account and
// nobody else. It returns the VPC origin. Its stack must be in us-east-1. Whoever is shared with may send requests at once: let
// the origin depend on what makes the load balancer safe, and on the internet gateway that CloudFront wants to see.
//
// The tags cannot be changed here while a distribution uses the origin: CloudFormation changes a tag by
// UpdateVpcOrigin, which CloudFront then refuses with 409 (aws/aws-cdk 34629, 35765). Change them with TagResource, the
// teardown tag above all, which therefore is not among them; a changed claim in the template waits until the origin is
// out of use.
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
			// The hub forwards the viewer's Host, which the certificate covers; this name is the fallback.
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
