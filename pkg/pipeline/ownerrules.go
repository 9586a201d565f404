package pipeline

func shareRules() []Rule {
	const teardown = "aws cloudfront tag-resource --resource \"$VPC_ORIGIN_ARN\" --tags 'Items=[{Key=originhub:teardown,Value=now}]'\n"
	return []Rule{{
		ID: "share-revoked", Severity: High, Title: "A share is revoked or deleted by hand",
		Wrong:   "A distribution that uses a VPC origin which is no longer shared cannot be updated: the distribution is locked for every team until the hub has taken the origin out (330 seconds in the sandbox), and the origin's hosts stop answering (Origin Withdrawn).",
		Instead: "Tag the VPC origin originhub:teardown. originhub detaches the origin first, and then revokes the share.",
		File:    "deploy.sh",
		Bad:     "aws ram delete-resource-share --resource-share-arn \"$SHARE\"\n",
		Good:    teardown,
	}, {
		ID: "every-share-deleted", Severity: High, Title: "All shares of an account are deleted",
		Wrong:   "Every VPC origin that the account shares with the hub is withdrawn, and each locks its distribution for every team until the hub has taken it out (330 seconds for one in the sandbox).",
		Instead: "Tag the VPC origins originhub:teardown, and delete only shares that hold no VPC origin.",
		File:    "deploy.sh",
		Bad:     "for s in $(aws ram get-resource-shares --resource-owner SELF --query 'resourceShares[].resourceShareArn' --output text); do\n  aws ram delete-resource-share --resource-share-arn \"$s\"\ndone\n",
		Good:    teardown,
	}, {
		ID: "wrong-order", Severity: High, Title: "A VPC origin is unshared before it is detached and deleted",
		Wrong:   "The share goes first, while the distribution still uses the origin: the distribution is locked for every team (330 seconds in the sandbox), and the deletion that follows is refused with CannotDeleteEntityWhileInUse.",
		Instead: "Tag the VPC origin originhub:teardown, and remove these commands. The order is: detach, wait for Deployed, unshare, delete, verify.",
		File:    "deploy.sh",
		Bad:     "aws ram disassociate-resource-share --resource-share-arn \"$SHARE\" --principals \"$HUB\"\naws cloudfront delete-vpc-origin --id \"$VO\" --if-match \"$ETAG\"\n",
		Good:    teardown,
	}, {
		ID: "invitation-answered", Severity: Medium, Title: "An invitation to a share is answered by hand",
		Wrong:   "originhub answers invitations by the hub policy. An invitation that is accepted here brings in a share that the policy may not permit; one that is rejected keeps out a team, which has to share again.",
		Instead: "Remove the step. The hub accepts what the policy permits within a minute of the event, and at the latest in the next sweep.",
		File:    "deploy.sh",
		Bad:     "aws ram accept-resource-share-invitation --resource-share-invitation-arn \"$INVITATION\"\n",
		Good:    "aws ram get-resource-share-invitations --query 'resourceShareInvitations[].status'\n",
	}}
}

func ownerRules() []Rule {
	return []Rule{{
		ID: "stack-owns-distribution", Severity: High, Title: "A stack owns a distribution that originhub may have adopted",
		Wrong:   "Each deployment that touches the distribution writes the stack's configuration over it and removes what originhub added. Teams are off the air until the hub has put it back: 30 to 90 seconds in the sandbox, after each deployment.",
		Instead: "Keep the adopted distribution out of stacks, or let originhub create it (distribution.base of the hub policy).",
		File:    "site.template.json",
		Bad:     "{\"Resources\": {\"Edge\": {\"Type\": \"AWS::CloudFront::Distribution\", \"Properties\": {\"DistributionConfig\": {\"Enabled\": true}}}}}\n",
		Good:    "{\"Resources\": {\"Site\": {\"Type\": \"AWS::S3::Bucket\"}}}\n",
	}, {
		ID: "terraform-owns-distribution", Severity: High, Title: "Terraform owns a distribution that originhub may have adopted",
		Wrong:   "Each apply removes the origins, behaviors and aliases that originhub added. Teams are off the air until the hub has put them back: 30 to 90 seconds in the sandbox, after each apply.",
		Instead: "Add lifecycle { ignore_changes = [aliases, origin, ordered_cache_behavior] }, or keep the adopted distribution out of Terraform.",
		File:    "cdn.tf",
		Bad:     "resource \"aws_cloudfront_distribution\" \"edge\" {\n  enabled = true\n}\n",
		Good:    "resource \"aws_cloudfront_distribution\" \"edge\" {\n  enabled = true\n\n  lifecycle {\n    ignore_changes = [aliases, origin, ordered_cache_behavior]\n  }\n}\n",
	}, {
		ID: "vpc-origin-wired-by-hand", Severity: High, Title: "A template or Terraform wires a VPC origin into a distribution",
		Wrong:   "If the distribution is the hub's, the path is taken when originhub wants to wire it, and the origin is quarantined. If it is not, it is a side door: the team's API can be reached past the policy, and a teardown is blocked.",
		Instead: "Share the VPC origin with the hub and tag its claim; originhub wires it.",
		File:    "cdn.tf",
		Bad:     "resource \"aws_cloudfront_distribution\" \"edge\" {\n  origin {\n    domain_name = \"internal.example.com\"\n    origin_id   = \"api\"\n    vpc_origin_config {\n      vpc_origin_id = aws_cloudfront_vpc_origin.api.id\n    }\n  }\n}\n",
		Good:    "resource \"aws_cloudfront_vpc_origin\" \"api\" {\n  tags = { \"originhub:host\" = \"api.example.com\" }\n}\n",
	}, {
		ID: "terraform-accepts-invitation", Severity: Medium, Title: "Terraform accepts an invitation to a share",
		Wrong:   "originhub answers invitations by the hub policy, so one of the two finds the invitation answered. Terraform also leaves the share when the resource is destroyed, and then every origin in it is withdrawn.",
		Instead: "Remove the resource. The hub accepts what the policy permits.",
		File:    "ram.tf",
		Bad:     "resource \"aws_ram_resource_share_accepter\" \"team\" {\n  share_arn = var.share\n}\n",
		Good:    "variable \"share\" {}\n",
	}, {
		ID: "teardown-tag-removed", Severity: Low, Title: "Terraform removes the teardown tag of a VPC origin",
		Wrong:   "A teardown begins with the tag originhub:teardown. Terraform does not know the tag, so an apply before the origin is unshared removes it, and that cancels the teardown.",
		Instead: "Add lifecycle { ignore_changes = [tags[\"originhub:teardown\"], tags_all[\"originhub:teardown\"]] }.",
		File:    "team.tf",
		Bad:     "resource \"aws_cloudfront_vpc_origin\" \"api\" {\n  tags = { \"originhub:host\" = \"api.example.com\" }\n}\n",
		Good:    "resource \"aws_cloudfront_vpc_origin\" \"api\" {\n  tags = { \"originhub:host\" = \"api.example.com\" }\n\n  lifecycle {\n    ignore_changes = [tags[\"originhub:teardown\"], tags_all[\"originhub:teardown\"]]\n  }\n}\n",
	}, {
		ID: "destroy-without-teardown", Severity: High, Title: "A stack with a VPC origin, its share or a distribution is destroyed without a teardown",
		Wrong:   "The share goes while the distribution still uses the VPC origin: the distribution is locked for every team (330 seconds in the sandbox), and the destruction fails with CannotDeleteEntityWhileInUse.",
		Instead: "Tag the VPC origin originhub:teardown, wait for the event Teardown Completed, and then destroy the stack.",
		File:    "team.tf",
		Bad:     "resource \"aws_cloudfront_vpc_origin\" \"api\" {\n  provisioner \"local-exec\" {\n    command = \"terraform destroy -auto-approve\"\n  }\n}\n",
		Good:    "resource \"aws_cloudfront_vpc_origin\" \"api\" {\n}\n",
	}}
}

func commentRules() []Rule {
	return []Rule{{
		ID: "ignore-without-reason", Severity: Medium, Title: "A comment silences a rule without a reason",
		Wrong:   "Nobody can tell later whether the step is still harmless. The comment silences nothing.",
		Instead: "Write the reason: # originhub:ignore[rule] reason.",
		File:    "deploy.sh",
		Bad:     "# originhub:ignore[share-revoked]\naws ram delete-resource-share --resource-share-arn \"$SHARE\"\n",
		Good:    "# originhub:ignore[share-revoked] a share of subnets, without any VPC origin\naws ram delete-resource-share --resource-share-arn \"$SHARE\"\n",
	}, {
		ID: "ignore-unused", Severity: Low, Title: "A comment silences a rule that finds nothing there",
		Wrong:   "The comment hides the next step that is written there.",
		Instead: "Remove the comment, or correct the name of the rule.",
		File:    "deploy.sh",
		Bad:     "# originhub:ignore[share-revoked] it was once needed\naws s3 sync dist s3://site\n",
		Good:    "aws s3 sync dist s3://site\n",
	}}
}
