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
		{
			ID: "NET-08", Mark: "model", Source: "https://docs.aws.amazon.com/global-infrastructure/latest/regions/az-ids.html",
			Claim: "Every Region has the zones a, b and c, which are az1, az2 and az3 in every account; a subnet whose " +
				"template names no zone is in a.",
		},
		{
			ID: "NET-09", Mark: "observed", Source: "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/LocationsOfEdgeServers.html",
			Claim: "The prefix list com.amazonaws.global.cloudfront.origin-facing has one id per Region, the same in all " +
				"accounts: pl-3b927c52 in us-east-1; made up in most other Regions.",
		},
		{
			ID: "NET-10", Mark: "model", Source: "https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html",
			Claim: "Endpoints and load balancers that a stack makes or deletes are there, active, or gone with their " +
				"interfaces at once, as they are when CloudFormation is through with them.",
		},
		{
			ID: "NET-11", Mark: "not found", Source: "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference.html",
			Claim: "New interfaces of an endpoint show in its owner's CloudTrail as CreateNetworkInterface with their " +
				"description, their removal as DeleteNetworkInterface.",
		},
		{
			ID: "NET-12", Mark: "inferred", Source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-elasticloadbalancingv2-targetgroup.html",
			Claim: "A stack changes only those targets of a target group that its template lists or listed.",
		},
		{
			ID: "NET-13", Mark: "model", Source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html",
			Claim: "A target is initial for one health check interval; from then on its health is what a check would find at " +
				"that moment, without counting checks in a row.",
		},
		{
			ID: "NET-14", Mark: "inferred", Source: guide,
			Claim: "A load balancer can be deleted while a VPC origin points at it; the distribution then answers 502.",
		},
		{
			ID: "NET-15", Mark: "documented", Source: guide,
			Claim: "CloudFront reaches a load balancer if its security group admits the origin-facing prefix list, the " +
				"service security group, or everybody; the blocks of its subnets do not count. Otherwise viewers get 504.",
		},
		{
			ID: "NET-16", Mark: "inferred", Source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html",
			Claim: "Targets whose first health check is not through get no requests: without others the answer is 503.",
		},
		{
			ID: "NET-17", Mark: "inferred", Source: guide,
			Claim: "CreateVpcOrigin and UpdateVpcOrigin refuse a load balancer without an internet gateway attached to its " +
				"VPC, or without a free address in each subnet: InvalidArgument 400.",
		},
	}
}
