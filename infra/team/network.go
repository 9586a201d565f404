package team

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/infra/internal/parts"
)

// OriginFacing is the id of the prefix list com.amazonaws.global.cloudfront.origin-facing in us-east-1, as it appears in public
// templates. CloudFormation cannot find a managed prefix list by its name, and AWS does not document the ids. Compare it with the
// output of aws ec2 describe-managed-prefix-lists.
const OriginFacing = "pl-3b927c52"

// zones holds the Availability Zone ids of the subnets. An id, unlike a name, means the same zone in every account. VPC origins do
// not work in use1-az3
// (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-vpc-origins.html).
var zones = [2]string{"use1-az1", "use1-az2"}

type networkProps struct {
	CIDR       string
	Subnets    [2]string // CIDRs
	PrefixList string    // id of the prefix list from which the load balancer accepts connections
}

// network is a VPC with private subnets only, and the endpoint through which the API is reached.
type network struct {
	VPC           awsec2.CfnVPC
	Subnets       []any // ids
	Gateway       awsec2.CfnVPCGatewayAttachment
	Endpoint      awsec2.CfnVPCEndpoint
	BalancerGroup awsec2.CfnSecurityGroup
}

// newNetwork makes the VPC. CloudFront requires that an internet gateway is attached. No route leads to it: the subnets use the main
// route table, which has only the local route
// (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-vpc-origins.html).
//
// The CIDR cannot be changed: another CIDR makes another VPC, and this VPC cannot be deleted while a VPC origin has network
// interfaces in it.
func newNetwork(scope constructs.Construct, id string, p networkProps) network {
	self := constructs.NewConstruct(scope, jsii.String(id))
	vpc := awsec2.NewCfnVPC(self, jsii.String("Vpc"), &awsec2.CfnVPCProps{
		CidrBlock: jsii.String(p.CIDR),
		// The endpoint's private DNS requires both.
		EnableDnsSupport:   true,
		EnableDnsHostnames: true,
	})
	n := network{VPC: vpc}
	for i, zone := range zones {
		subnet := awsec2.NewCfnSubnet(self, jsii.String("Subnet"+string(rune('A'+i))), &awsec2.CfnSubnetProps{
			VpcId: vpc.Ref(), AvailabilityZoneId: jsii.String(zone), CidrBlock: jsii.String(p.Subnets[i]),
		})
		n.Subnets = append(n.Subnets, subnet.Ref())
	}
	n.Gateway = awsec2.NewCfnVPCGatewayAttachment(self, jsii.String("GatewayAttachment"), &awsec2.CfnVPCGatewayAttachmentProps{
		VpcId: vpc.Ref(), InternetGatewayId: awsec2.NewCfnInternetGateway(self, jsii.String("Gateway"), nil).Ref(),
	})
	n.BalancerGroup = securityGroup(self, "BalancerGroup", vpc, "Load balancer: from CloudFront to the endpoint",
		awsec2.CfnSecurityGroup_IngressProperty{SourcePrefixListId: jsii.String(p.PrefixList), Description: jsii.String("CloudFront")},
		awsec2.CfnSecurityGroup_EgressProperty{CidrIp: jsii.String(p.CIDR), Description: jsii.String("The endpoint, which is in this VPC")})
	endpointGroup := securityGroup(self, "EndpointGroup", vpc, "Endpoint execute-api: from the load balancer",
		awsec2.CfnSecurityGroup_IngressProperty{SourceSecurityGroupId: n.BalancerGroup.Ref(), Description: jsii.String("The load balancer")},
		awsec2.CfnSecurityGroup_EgressProperty{CidrIp: jsii.String("127.0.0.1/32"), Description: jsii.String("Nothing: it only answers")})
	n.Endpoint = awsec2.NewCfnVPCEndpoint(self, jsii.String("Endpoint"), &awsec2.CfnVPCEndpointProps{
		VpcEndpointType:   jsii.String("Interface"),
		ServiceName:       jsii.String("com.amazonaws." + parts.Region + ".execute-api"),
		VpcId:             vpc.Ref(),
		SubnetIds:         &n.Subnets,
		SecurityGroupIds:  &[]any{endpointGroup.Ref()},
		PrivateDnsEnabled: true,
		PolicyDocument:    forAnybody(parts.Allow([]string{"execute-api:Invoke"}, fmt.Sprintf("arn:aws:execute-api:%s:%s:*", parts.Region, parts.Account())).Statement()),
	})
	return n
}

// securityGroup makes a security group that allows HTTPS in from one source and out to one destination. Without an egress rule,
// CloudFormation would allow all traffic out.
func securityGroup(scope constructs.Construct, id string, vpc awsec2.CfnVPC, description string,
	from awsec2.CfnSecurityGroup_IngressProperty, to awsec2.CfnSecurityGroup_EgressProperty,
) awsec2.CfnSecurityGroup {
	const https = 443
	from.IpProtocol, from.FromPort, from.ToPort = jsii.String("tcp"), jsii.Number(https), jsii.Number(https)
	to.IpProtocol, to.FromPort, to.ToPort = jsii.String("tcp"), jsii.Number(https), jsii.Number(https)
	return awsec2.NewCfnSecurityGroup(scope, jsii.String(id), &awsec2.CfnSecurityGroupProps{
		GroupDescription:     jsii.String(description),
		VpcId:                vpc.Ref(),
		SecurityGroupIngress: &[]any{&from},
		SecurityGroupEgress:  &[]any{&to},
		Tags:                 &[]*awscdk.CfnTag{{Key: jsii.String("Name"), Value: jsii.String("originhub " + id)}},
	})
}
