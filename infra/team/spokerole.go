package team

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/infra/internal/parts"
	"github.com/originhub/originhub/pkg/contract"
)

// newSpokeRole makes the role that the hub's functions assume in a team account. The role can read VPC origins, and stop sharing them. It
// can delete one only while the team's own teardown tag is on it, so IAM enforces the team's consent.
func newSpokeRole(scope constructs.Construct, id string, p SpokeProps) awsiam.Role {
	origins := fmt.Sprintf("arn:aws:cloudfront::%s:vpcorigin/*", parts.Account())
	shares := fmt.Sprintf("arn:aws:ram:%s:%s:resource-share/*", parts.Region, parts.Account())
	role := awsiam.NewRole(scope, jsii.String(id), &awsiam.RoleProps{
		RoleName:    jsii.String(contract.SpokeRoleName(p.HubName)), // the hub assumes it by this name
		Description: jsii.String("originhub: the hub reads VPC origins, and takes out those with the teardown tag"),
		AssumedBy:   hubFunctions(p),
	})
	// The id of a session is the role's id and the name of the session. The trust policy lets only function teardown use this name.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable
	byTeardown := map[string]any{"aws:userid": "*:" + contract.SessionTeardown}
	parts.Inline(role, "spoke", []parts.Permission{
		parts.Allow([]string{"cloudfront:GetVpcOrigin", "cloudfront:ListTagsForResource"}, origins),
		parts.Allow([]string{"cloudfront:DeleteVpcOrigin"}, origins).
			When(parts.Condition{"Null": {"aws:ResourceTag/" + contract.TagTeardown: "false"}, "StringLike": byTeardown}),
		// A list, and an action that the service authorization reference does not list yet.
		parts.Allow([]string{"cloudfront:ListVpcOrigins", "cloudfront:ListDistributionsByOwnedResource"}, "*"),
		// Lists, which contain this account's own shares only.
		parts.Allow([]string{"ram:GetResourceShareAssociations"}, "*"),
		parts.Allow([]string{"ram:DisassociateResourceShare"}, shares).
			When(parts.Condition{"ArnLike": {"ram:ResourceArn": origins}, "StringLike": byTeardown}),
		// A team says by the name of a share that the hub may delete it. RAM has no condition on the content of a share; the hub deletes a
		// share only if the origin is the only resource in it.
		// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsresourceaccessmanagerram.html
		parts.Allow([]string{"ram:DeleteResourceShare"}, shares).
			When(parts.Condition{"StringLike": {"ram:ResourceShareName": contract.SharePrefix + "*", "aws:userid": byTeardown["aws:userid"]}}),
		// Describe calls, in the Region of the VPC.
		parts.Allow([]string{
			"ec2:DescribeInstances", "ec2:DescribeNetworkInterfaces", "elasticloadbalancing:DescribeLoadBalancers",
		}, "*"),
	})
	return role
}

// hubFunctions returns the principal for the roles of the hub's functions, which also have to pass the external id, or
// for observing the one by which the hub notices that this spoke is a current one. The name of a session says
// what it may do, so only the role of function teardown may use the name of a session that removes something.
func hubFunctions(p SpokeProps) awsiam.IPrincipal {
	session := func(name, path string, externalID any) awsiam.IPrincipal {
		return awsiam.NewPrincipalWithConditions(awsiam.NewAccountPrincipal(jsii.String(p.HubAccount)), parts.Condition{
			"StringEquals": {"sts:ExternalId": externalID, "sts:RoleSessionName": name},
			"ArnLike":      {"aws:PrincipalArn": fmt.Sprintf("arn:aws:iam::%s:role%s*", p.HubAccount, path)},
		}.Props())
	}
	return awsiam.NewCompositePrincipal(
		session(contract.Session, contract.RolePath(p.HubName), []string{p.ExternalID, contract.CurrentExternalID(p.ExternalID)}),
		session(contract.SessionTeardown, contract.TeardownRolePath(p.HubName), p.ExternalID))
}
