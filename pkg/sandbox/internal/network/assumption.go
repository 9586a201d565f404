package network

import "github.com/originhub/originhub/pkg/sandbox/internal/cloud"

// Assumptions of this package.
func Assumptions() []cloud.Assumption {
	const (
		guide = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-vpc-origins.html"
		facts = "facts/aws.md section 3"
	)
	return []cloud.Assumption{
		{
			ID: "NET-01", Mark: "inferred", Source: facts,
			Claim: "A load balancer that no template made exists: in its account's one VPC of the Region, in two " +
				"subnets, each of which follows from account and Region, with addresses and a security group of " +
				"its own.",
		},
		{
			ID: "NET-02", Mark: "observed", Source: facts,
			Claim: "A VPC origin has one interface in each subnet of its load balancer from its creation on, of type " +
				"cloudfront_managed, requester-managed, with the tag aws.cloudfront.vpcorigin=enabled.",
		},
		{
			ID: "NET-03", Mark: "not found", Source: facts,
			Claim: "Interfaces do not name their VPC origin: two origins of one VPC have interfaces that cannot be " +
				"told apart.",
		},
		{
			ID: "NET-04", Mark: "documented", Source: guide,
			Claim: "The service security group CloudFront-VPCOrigins-Service-SG is one per VPC, appears with the " +
				"first VPC origin and goes with the last interface.",
		},
		{
			ID: "NET-05", Mark: "not found", Source: facts,
			Claim: "The interfaces go 45 seconds after the VPC origin answers EntityNotFound.",
		},
		{
			ID: "NET-06", Mark: "inferred", Source: facts,
			Claim: "Their removal shows in the owner's CloudTrail, in the VPC's Region, as DeleteNetworkInterface " +
				"and DeleteSecurityGroup by AWSServiceRoleForCloudFrontVPCOrigin.",
		},
		{
			ID: "NET-07", Mark: "not found", Source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkInterfaces.html",
			Claim: "Service-managed interfaces are visible with and without IncludeManagedResources.",
		},
	}
}
