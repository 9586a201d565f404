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
			ID: "CF-01", Mark: "inferred", Source: apis + "API_UpdateDistribution.html",
			Claim: "An If-Match that is missing or has not the form of an ETag answers InvalidIfMatchVersion 400, a " +
				"stale one PreconditionFailed 412.",
		},
		{
			ID: "CF-02", Mark: "inferred", Source: facts + "3 and 11.7",
			Claim: "An origin with the right OwnerAccountId that is not shared with the distribution's account " +
				"answers AccessDenied 403; without OwnerAccountId, or with a wrong one, EntityNotFound 404.",
		},
		{
			ID: "CF-03", Mark: "documented", Source: guide + "sharing-resources.html",
			Claim: "Once an origin of a distribution is unshared, every update that still holds it is refused " +
				"(AccessDenied 403), one that removes it is accepted, and the edge goes on serving.",
		},
		{
			ID: "CF-04", Mark: "inferred", Source: guide + "HowToUpdateDistribution.html",
			Claim: "A distribution is Deployed 300 seconds after its last update; updates are accepted meanwhile.",
		},
		{
			ID: "CF-05", Mark: "inferred", Source: guide + "HowToUpdateDistribution.html",
			Claim: "Edges act on each update when its own 300 seconds have passed, in order; until then on the one " +
				"before.",
		},
		{
			ID: "CF-06", Mark: "documented", Source: guide + "HowToDeleteDistribution.html",
			Claim: "A distribution is deleted only if it is disabled and Deployed; otherwise DistributionNotDisabled " +
				"409.",
		},
		{
			ID: "CF-07", Mark: "documented", Source: apis + "API_DistributionConfig.html",
			Claim: "A caller reference is taken while a distribution of the account carries it, whatever else the " +
				"request says.",
		},
		{
			ID: "CF-08", Mark: "documented", Source: guide + "CNAMEs.html",
			Claim: "An alias belongs to one distribution among all accounts; the current configuration counts, " +
				"deployed or not.",
		},
		{
			ID: "CF-09", Mark: "observed", Source: guide + "private-content-vpc-origins.html",
			Claim: "A VPC origin is Deployed 600 seconds after it was created or updated.",
		},
		{
			ID: "CF-10", Mark: "inferred", Source: guide + "sharing-resources.html",
			Claim: "An account that a VPC origin is shared with can read it, its endpoint's ARN included, and can do " +
				"nothing else to it; others are denied.",
		},
		{
			ID: "CF-11", Mark: "inferred", Source: guide + "sharing-resources.html",
			Claim: "ListVpcOrigins includes what is shared with the caller, with the owner's account.",
		},
		{
			ID: "CF-12", Mark: "observed", Source: apis + "API_DeleteVpcOrigin.html",
			Claim: "A deleted VPC origin stays readable as Deploying for 420 seconds, then answers EntityNotFound.",
		},
		{
			ID: "CF-13", Mark: "observed", Source: facts + "3",
			Claim: "A VPC origin can be neither updated nor deleted while Deploying (CannotUpdateEntityWhileInUse " +
				"and CannotDeleteEntityWhileInUse 409).",
		},
		{
			ID: "CF-14", Mark: "inferred", Source: facts + "3",
			Claim: "A VPC origin is in use until the update that removed it is Deployed, in any account, enabled or " +
				"not.",
		},
		{
			ID: "CF-15", Mark: "inferred", Source: facts + "4",
			Claim: "The records of TagResource, UntagResource and CreateVpcOrigin follow the model with lower-camel " +
				"keys.",
		},
		{
			ID: "CF-16", Mark: "not found", Source: facts + "4",
			Claim: "Another account's tags can be neither read nor changed, shared or not.",
		},
		{
			ID: "CF-17", Mark: "inferred", Source: facts + "3",
			Claim: "An element that the API model lacks is refused by name with MalformedInput 400.",
		},
		{
			ID: "CF-18", Mark: "observed", Source: "https://github.com/aws/aws-sdk-ruby/issues/1954",
			Claim: "A list written with an empty Items element is refused: MalformedInput 400, unexpected list " +
				"element termination.",
		},
		{
			ID: "CF-19", Mark: "inferred", Source: apis + "API_Origin.html",
			Claim: "An origin has exactly one of S3OriginConfig, CustomOriginConfig and VpcOriginConfig.",
		},
		{
			ID: "CF-20", Mark: "inferred", Source: guide + "cloudfront-limits.html",
			Claim: "The fifty-first distribution of a VPC origin is refused with EntityLimitExceeded 400.",
		},
		{
			ID: "CF-21", Mark: "inferred", Source: guide + "cnames-and-https-requirements.html",
			Claim: "Which names a certificate covers is not checked, only that it is one of us-east-1.",
		},
		{
			ID: "CF-22", Mark: "inferred", Source: apis + "API_CreateVpcOrigin.html",
			Claim: "The names of an account's VPC origins are unique (EntityAlreadyExists 409).",
		},
		{
			ID: "CF-23", Mark: "inferred", Source: facts + "3 and 10",
			Claim: "ListDistributionsByOwnedResource answers the owner with distributions of all accounts by their " +
				"current configuration; its IAM action has its name and no resource.",
		},
		{
			ID: "CF-24", Mark: "inferred", Source: apis + "API_PublishFunction.html",
			Claim: "A published function runs at every edge at once.",
		},
		{
			ID: "CF-25", Mark: "not found", Source: facts + "3",
			Claim: "A VPC origin that is still Deploying after its creation can be named by a distribution; it does " +
				"not answer yet.",
		},
		{
			ID: "CF-26", Mark: "documented", Source: apis + "API_Tag.html and API_TagKeys.html (the pattern; the code is inferred)",
			Claim: "Keys and values of tags hold letters, digits, spaces and _.:/=+-@ only; others, such as the * of a path " +
				"pattern, answer InvalidTagging 400.",
		},
		{
			ID: "CF-27", Mark: "inferred", Source: apis + "API_DistributionConfig.html",
			Claim: "The caller reference of a deleted distribution is free again, and so are its aliases; its domain name is " +
				"never given out again.",
		},
	}
}
