package cfn

import "github.com/originhub/originhub/pkg/sandbox/internal/cloud"

// Assumptions of CloudFormation.
func Assumptions() []cloud.Assumption {
	const guide = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/"
	return []cloud.Assumption{
		{
			ID:     "CFN-01",
			Claim:  "Every account is bootstrapped for CDK, with version " + bootstrapVersion + "; there is no other SSM parameter.",
			Source: "https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html", Mark: "model",
		},
		{
			ID:     "CFN-02",
			Claim:  "A failed deployment takes back all that it created, also what DeletionPolicy Retain would keep.",
			Source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html (RetainExceptOnCreate)",
			Mark:   "model",
		},
		{
			ID:     "CFN-03",
			Claim:  "A parameter that is not given keeps the value it was given before, as with aws cloudformation deploy.",
			Source: "https://docs.aws.amazon.com/cli/latest/reference/cloudformation/deploy/index.html", Mark: "documented",
		},
		{
			ID:     "CFN-04",
			Claim:  "Deploying takes no virtual time; resources are made one after the other, by need and then by logical id.",
			Source: guide + "cloudformation-overview.html (AWS works in parallel)", Mark: "model",
		},
		{
			ID:     "CFN-05",
			Claim:  "A changed resource is updated in place or the deployment fails; nothing is ever replaced.",
			Source: guide + "using-cfn-updating-stacks-update-behaviors.html", Mark: "model",
		},
		{
			ID: "CFN-06", Claim: "An export that another stack imports keeps its stack from being deleted.",
			Source: guide + "using-cfn-stack-exports.html", Mark: "documented",
		},
		{
			ID: "CFN-07",
			Claim: "A stack whose creation failed is gone, where AWS keeps it as ROLLBACK_COMPLETE; what was asked for beside template and " +
				"parameters, such as tags and capabilities, is not shown.",
			Source: guide + "stack-failure-options.html", Mark: "model",
		},
		{
			ID: "CFN-08",
			Claim: "DescribeStacks is authorised on the ARN of the stack that it names, on stack/<name>/* if there is none, and without a name, " +
				"like ListStacks, on *.",
			Source: "https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscloudformation.html", Mark: "inferred",
		},
	}
}
