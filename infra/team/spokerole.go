package team

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/infra/internal/parts"
	"github.com/originhub/originhub/pkg/contract"
)

// newSpokeRole is the role that the hub's functions assume in a team account. It can look; it can stop sharing VPC
// origins; and it can delete one only while the team's own teardown tag is on it: IAM keeps the team's consent.
func newSpokeRole(scope constructs.Construct, id string, p SpokeProps) awsiam.Role {
	origins := fmt.Sprintf("arn:aws:cloudfront::%s:vpcorigin/*", parts.Account())
	shares := fmt.Sprintf("arn:aws:ram:%s:%s:resource-share/*", parts.Region, parts.Account())
	return awsiam.NewRole(scope, jsii.String(id), &awsiam.RoleProps{
		RoleName:    jsii.String(contract.SpokeRoleName(p.HubName)), // the hub knows it by this name
		Description: jsii.String("originhub: the hub looks at VPC origins, and takes out those that carry the teardown tag"),
		AssumedBy:   hubFunctions(p),
		InlinePolicies: &map[string]awsiam.PolicyDocument{"spoke": parts.Document([]parts.Permission{
			parts.Allow([]string{"cloudfront:GetVpcOrigin", "cloudfront:ListTagsForResource"}, origins),
			parts.Allow([]string{"cloudfront:DeleteVpcOrigin"}, origins).
				When(parts.Condition{"Null": {"aws:ResourceTag/" + contract.TagTeardown: "false"}}),
			// A list, and a call that the service authorization reference does not know yet.
			parts.Allow([]string{"cloudfront:ListVpcOrigins", "cloudfront:ListDistributionsByOwnedResource"}, "*"),
			// Lists of this account's own shares.
			parts.Allow([]string{"ram:GetResourceShareAssociations"}, "*"),
			parts.Allow([]string{"ram:DisassociateResourceShare"}, shares).
				When(parts.Condition{"ArnLike": {"ram:ResourceArn": origins}}),
			// RAM offers no condition on what a share holds. The hub deletes one only when nothing but the origin is in it.
			parts.Allow([]string{"ram:DeleteResourceShare"}, shares),
			// Describe calls, in whichever Region the VPC is.
			parts.Allow([]string{
				"ec2:DescribeInstances", "ec2:DescribeNetworkInterfaces", "elasticloadbalancing:DescribeLoadBalancers",
			}, "*"),
		})},
	})
}

// hubFunctions are the roles of the hub's functions, who must also say the external id.
func hubFunctions(p SpokeProps) awsiam.IPrincipal {
	return awsiam.NewPrincipalWithConditions(awsiam.NewAccountPrincipal(jsii.String(p.HubAccount)), parts.Condition{
		"StringEquals": {"sts:ExternalId": p.ExternalID},
		"ArnLike":      {"aws:PrincipalArn": fmt.Sprintf("arn:aws:iam::%s:role%s*", p.HubAccount, contract.RolePath(p.HubName))},
	}.Props())
}
