package cloudfront

import "github.com/originhub/originhub/pkg/sandbox/internal/cloud"

const (
	guide = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/"
	apis  = "https://docs.aws.amazon.com/cloudfront/latest/APIReference/"
	facts = "facts/aws.md section "
)

// Assumptions of this package.
func Assumptions() []cloud.Assumption {
	return []cloud.Assumption{
		{
			ID: "CF-01", Claim: "An If-Match that is missing or has not the form of an ETag answers InvalidIfMatchVersion 400, a stale one " +
				"PreconditionFailed 412.", Source: apis + "API_UpdateDistribution.html", Mark: "inferred",
		},
		{
			ID: "CF-02", Claim: "An origin with the right OwnerAccountId that is not shared with the distribution's account answers " +
				"AccessDenied 403; without OwnerAccountId, or with a wrong one, EntityNotFound 404.", Source: facts + "3 and 11.7", Mark: "inferred",
		},
		{
			ID: "CF-03", Claim: "Once an origin of a distribution is unshared, every update that still holds it is refused (AccessDenied 403), " +
				"one that removes it is accepted, and the edge goes on serving.", Source: guide + "sharing-resources.html", Mark: "documented",
		},
		{
			ID: "CF-04", Claim: "A distribution is Deployed 300 seconds after its last update; updates are accepted meanwhile.",
			Source: guide + "HowToUpdateDistribution.html", Mark: "inferred",
		},
		{
			ID: "CF-05", Claim: "Edges act on each update when its own 300 seconds have passed, in order; until then on the one before.",
			Source: guide + "HowToUpdateDistribution.html", Mark: "inferred",
		},
		{
			ID: "CF-06", Claim: "A distribution is deleted only if it is disabled and Deployed; otherwise DistributionNotDisabled 409.",
			Source: guide + "HowToDeleteDistribution.html", Mark: "documented",
		},
		{
			ID: "CF-07", Claim: "A caller reference is taken while a distribution of the account carries it, whatever else the request says.",
			Source: apis + "API_DistributionConfig.html", Mark: "documented",
		},
		{
			ID: "CF-08", Claim: "An alias belongs to one distribution among all accounts; the current configuration counts, deployed or not.",
			Source: guide + "CNAMEs.html", Mark: "documented",
		},
		{
			ID: "CF-09", Claim: "A VPC origin is Deployed 600 seconds after it was created or updated.",
			Source: guide + "private-content-vpc-origins.html", Mark: "observed",
		},
		{
			ID: "CF-10", Claim: "An account that a VPC origin is shared with can read it, its endpoint's ARN included, and can do nothing else to it; " +
				"others are denied.", Source: guide + "sharing-resources.html", Mark: "inferred",
		},
		{
			ID: "CF-11", Claim: "ListVpcOrigins includes what is shared with the caller, with the owner's account.",
			Source: guide + "sharing-resources.html", Mark: "inferred",
		},
		{
			ID: "CF-12", Claim: "A deleted VPC origin stays readable as Deploying for 420 seconds, then answers EntityNotFound.",
			Source: apis + "API_DeleteVpcOrigin.html", Mark: "observed",
		},
		{
			ID: "CF-13", Claim: "A VPC origin can be neither updated nor deleted while Deploying (CannotUpdateEntityWhileInUse and " +
				"CannotDeleteEntityWhileInUse 409).", Source: facts + "3", Mark: "observed",
		},
		{
			ID: "CF-14", Claim: "A VPC origin is in use until the update that removed it is Deployed, in any account, enabled or not.",
			Source: facts + "3", Mark: "inferred",
		},
		{
			ID: "CF-15", Claim: "The records of TagResource, UntagResource and CreateVpcOrigin follow the model with lower-camel keys.",
			Source: facts + "4", Mark: "inferred",
		},
		{ID: "CF-16", Claim: "Another account's tags can be neither read nor changed, shared or not.", Source: facts + "4", Mark: "not found"},
		{
			ID: "CF-17", Claim: "An element that the API model lacks is refused by name with MalformedInput 400.",
			Source: facts + "3", Mark: "inferred",
		},
		{
			ID: "CF-18", Claim: "A list written with an empty Items element is refused: MalformedInput 400, unexpected list element termination.",
			Source: "https://github.com/aws/aws-sdk-ruby/issues/1954", Mark: "observed",
		},
		{
			ID: "CF-19", Claim: "An origin has exactly one of S3OriginConfig, CustomOriginConfig and VpcOriginConfig.",
			Source: apis + "API_Origin.html", Mark: "inferred",
		},
		{
			ID: "CF-20", Claim: "The fifty-first distribution of a VPC origin is refused with EntityLimitExceeded 400.",
			Source: guide + "cloudfront-limits.html", Mark: "inferred",
		},
		{
			ID: "CF-21", Claim: "Which names a certificate covers is not checked, only that it is one of us-east-1.",
			Source: guide + "cnames-and-https-requirements.html", Mark: "inferred",
		},
		{
			ID: "CF-22", Claim: "The names of an account's VPC origins are unique (EntityAlreadyExists 409).",
			Source: apis + "API_CreateVpcOrigin.html", Mark: "inferred",
		},
		{
			ID: "CF-23", Claim: "ListDistributionsByOwnedResource answers the owner with distributions of all accounts by their current configuration; " +
				"its IAM action has its name and no resource.", Source: facts + "3 and 10", Mark: "inferred",
		},
		{ID: "CF-24", Claim: "A published function runs at every edge at once.", Source: apis + "API_PublishFunction.html", Mark: "inferred"},
		{
			ID: "CF-25", Claim: "A VPC origin that is still Deploying after its creation can be named by a distribution; it does not answer yet.",
			Source: facts + "3", Mark: "not found",
		},
	}
}
