package infra

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsram"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/pkg/contract"
)

type sharedOriginProps struct {
	Name         string
	Hub          string // account
	Host         string
	Paths        string // as the tag spells them: see admission.SpellPaths
	Balancer     string // ARN
	BalancerName string // DNS name
}

// newSharedOrigin makes a VPC origin that states its claim, and shares it with the hub's account and nobody else. Its
// stack must be in us-east-1.
//
// The tags cannot be changed here while a distribution uses the origin: CloudFormation changes a tag by
// UpdateVpcOrigin, which CloudFront then refuses with 409 (aws/aws-cdk 34629, 35765). Change them with TagResource, the
// teardown tag above all, which therefore is not among them; a changed claim in the template waits until the origin is
// out of use.
func newSharedOrigin(scope constructs.Construct, id string, p sharedOriginProps) awscloudfront.CfnVpcOrigin {
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
		Principals:   jsii.Strings(p.Hub),
		// The hub may be outside the team's organization. No other account is named.
		AllowExternalPrincipals: true,
	})
	return origin
}
