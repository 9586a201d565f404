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
			ID: "NET-01", Claim: "A load balancer that no template made exists: in its account's one VPC of the Region, in two subnets, each of " +
				"which follows from account and Region, with addresses and a security group of its own.", Source: facts, Mark: "inferred",
		},
		{
			ID: "NET-02", Claim: "A VPC origin has one interface in each subnet of its load balancer from its creation on, of type " +
				"cloudfront_managed, requester-managed, with the tag aws.cloudfront.vpcorigin=enabled.", Source: facts, Mark: "observed",
		},
		{
			ID: "NET-03", Claim: "Interfaces do not name their VPC origin: two origins of one VPC have interfaces that cannot be told apart.",
			Source: facts, Mark: "not found",
		},
		{
			ID: "NET-04", Claim: "The service security group CloudFront-VPCOrigins-Service-SG is one per VPC, appears with the first VPC origin and " +
				"goes with the last interface.", Source: guide, Mark: "documented",
		},
		{
			ID: "NET-05", Claim: "The interfaces go 45 seconds after the VPC origin answers EntityNotFound.", Source: facts, Mark: "not found",
		},
		{
			ID: "NET-06", Claim: "Their removal shows in the owner's CloudTrail, in the VPC's Region, as DeleteNetworkInterface and " +
				"DeleteSecurityGroup by AWSServiceRoleForCloudFrontVPCOrigin.", Source: facts, Mark: "inferred",
		},
		{
			ID: "NET-07", Claim: "Service-managed interfaces are visible with and without IncludeManagedResources.",
			Source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkInterfaces.html", Mark: "not found",
		},
	}
}
