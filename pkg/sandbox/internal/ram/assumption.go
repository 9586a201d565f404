package ram

import "github.com/originhub/originhub/pkg/sandbox/internal/cloud"

const guide = "https://docs.aws.amazon.com/ram/latest/userguide/"

// Assumptions of this package.
func Assumptions() []cloud.Assumption {
	return []cloud.Assumption{
		{
			ID: "RAM-01", Mark: "inferred",
			Source: "https://docs.aws.amazon.com/ram/latest/APIReference/API_DisassociateResourceShare.html",
			Claim: "An association takes 5 seconds to come, during which there is no access, and 5 seconds to go, during " +
				"which there still is.",
		},
		{
			ID: "RAM-02", Mark: "inferred", Source: guide + "using-eventbridge.html",
			Claim: "A state-change event arrives 2 seconds after the change, in us-east-1 for shares of global resources.",
		},
		{
			ID: "RAM-03", Mark: "not found", Source: guide + "working-with-sharing-delete.html",
			Claim: "Deleted shares and ended associations stay listed for their owner for 2 hours.",
		},
		{
			ID: "RAM-04", Mark: "observed", Source: "https://github.com/hashicorp/terraform-provider-aws/issues/10064",
			Claim: "Decided and expired invitations are listed for 7 days.",
		},
		{
			ID: "RAM-05", Mark: "inferred",
			Source: "https://docs.aws.amazon.com/ram/latest/APIReference/API_ListPendingInvitationResources.html",
			Claim: "Pages are cut before filters apply, so that a page may be empty with more to come; 50 items are " +
				"looked at by default, 500 at most.",
		},
		{
			ID: "RAM-06", Mark: "not found",
			Source: "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/sharing-resources.html",
			Claim: "The managed permission of VPC origins has the name that the CloudFront guide gives, " +
				"AWSRAMDefaultPermissionCloudFront.",
		},
		{
			ID: "RAM-07", Mark: "not found",
			Source: "https://docs.aws.amazon.com/ram/latest/APIReference/API_AssociateResourceShare.html",
			Claim: "Associating what a share already holds or has invited succeeds, changes nothing and sends no second " +
				"invitation.",
		},
		{
			ID: "RAM-08", Mark: "observed",
			Source: "https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/ram/resource_share_accepter.go",
			Claim: "Taking out of a share what is not in it answers UnknownResourceException; what is on its way out " +
				"stays so.",
		},
		{
			ID: "RAM-09", Mark: "not found", Source: guide + "working-with-shared-invitations.html",
			Claim: "Taking an invited principal out of a share, or deleting the share, withdraws the invitation: it is " +
				"found no more.",
		},
		{
			ID: "RAM-10", Mark: "not found",
			Source: "https://docs.aws.amazon.com/ram/latest/APIReference/API_UpdateResourceShare.html",
			Claim: "A share that has principals outside the organization cannot be closed to them: " +
				"OperationNotPermittedException.",
		},
		{
			ID: "RAM-11", Mark: "inferred",
			Source: "https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsresourceaccessmanagerram.html",
			Claim: "A call that names several principals and resources is authorised once for every pair of them, with " +
				"one value per condition key.",
		},
		{
			ID: "RAM-12", Mark: "not found", Source: guide + "using-eventbridge.html",
			Claim: "The detail of the event is {event, status} with events Resource Share Invitation (pending, accepted, rejected) and " +
				"Resource Share Association (associated, disassociated); owner and principals get it, organization shares included.",
		},
		{
			ID: "RAM-13", Mark: "inferred", Source: guide + "getting-started-terms-and-concepts.html",
			Claim: "Putting a VPC origin into a share needs cloudfront:PutResourcePolicy on it; taking it out needs no " +
				"more than the RAM action.",
		},
	}
}
