package wiring

import (
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/origin"
)

// Error codes of UpdateDistribution
// (https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_UpdateDistribution.html#API_UpdateDistribution_Errors).
const (
	accessDenied       = "AccessDenied"
	invalidCertificate = "InvalidViewerCertificate"
)

// distributionFault is what has to be done about a refusal whose cause is the distribution itself.
type distributionFault struct {
	codes []string // error codes; one that ends in "*" stands for all that begin so
	words []string // parts of messages, in lower case, for refusals that have no code of their own
	cause string
	next  string
}

// distributionFaults lists the refusals that no VPC origin, path or alias can cause, because they are about other parts of the distribution.
// CloudFront has no code for what a pricing plan does not include; its words were observed
// (https://github.com/gronxb/hot-updater/issues/855).
var distributionFaults = []distributionFault{
	{
		codes: []string{
			"NoSuchCachePolicy", "NoSuchOriginRequestPolicy", "NoSuchResponseHeadersPolicy", "NoSuchRealtimeLogConfig",
			"NoSuchFieldLevelEncryptionConfig", "NoSuchContinuousDeploymentPolicy",
		},
		cause: "an unmanaged behavior of the distribution names a policy or a configuration that does not exist",
		next:  "create that policy again, or name another one in that behavior",
	},
	{
		codes: []string{
			"InvalidLambdaFunctionAssociation", "TooManyLambdaFunctionAssociations", "TooManyDistributionsWithLambdaAssociations",
			"InvalidFunctionAssociation", "TooManyFunctionAssociations", "TooManyDistributionsWithFunctionAssociations",
		},
		cause: "a function association of the distribution is invalid",
		next:  "correct or remove the function association of that behavior",
	},
	{
		codes: []string{"IllegalUpdate", "StagingDistributionInUse", "ContinuousDeploymentPolicyInUse"},
		cause: "the distribution takes part in a continuous deployment that does not permit the update",
		next:  "end the continuous deployment, or adopt the primary distribution",
	},
	{
		codes: []string{"InvalidWebACLId"},
		cause: "the distribution's web ACL is invalid",
		next:  "associate a web ACL that exists, or none",
	},
	{
		codes: []string{"TrustedKeyGroupDoesNotExist", "TrustedSignerDoesNotExist", "TooManyTrustedSigners", "TooManyKeyGroupsAssociatedToDistribution"},
		cause: "an unmanaged behavior of the distribution trusts a key group or an account that does not exist, or too many of them",
		next:  "correct the trusted key groups and signers of that behavior",
	},
	{
		codes: []string{"InvalidOriginAccessControl", "InvalidOriginAccessIdentity", "IllegalOriginAccessConfiguration", "NoSuchOriginAccessControl"},
		cause: "the access control of an unmanaged origin of the distribution is invalid",
		next:  "correct the origin access control of that origin",
	},
	{
		words: []string{"not available in this tier", "pricing plan"},
		cause: "the pricing plan of the distribution does not include what the update needs",
		next:  "change the pricing plan, or adopt another distribution",
	},
	{
		codes: []string{"TooMany*"},
		cause: "the distribution exceeds a quota of CloudFront or of its pricing plan",
		next:  "raise the quota, or write it into limits of the hub policy, so that originhub defers what does not fit",
	},
	{
		codes: []string{"Malformed*"},
		cause: "a part of the distribution is malformed",
		next:  "correct the distribution's configuration",
	},
}

// distributionFaultOf returns the remedy of an answer whose cause can only be the distribution itself, or nil.
func distributionFaultOf(a Answer) *distributionFault {
	for i, r := range distributionFaults {
		code := slices.ContainsFunc(r.codes, func(code string) bool {
			prefix, any := strings.CutSuffix(code, "*")
			return a.Code == code || any && strings.HasPrefix(a.Code, prefix)
		})
		said := slices.ContainsFunc(r.words, func(words string) bool { return strings.Contains(strings.ToLower(a.Message), words) })
		if code || said {
			return &distributionFaults[i]
		}
	}
	return nil
}

// isDistributions reports whether the cause of a refusal can only be the distribution itself.
func isDistributions(a Answer) bool { return distributionFaultOf(a) != nil }

// distributionCause returns why the distribution itself makes CloudFront refuse an update, and what to do about it:
//
//	error                     attached certificate  do
//	of distributionFaults               -                     what is listed there
//	InvalidViewerCertificate  not policy's          attach the certificate of the policy
//	InvalidViewerCertificate  policy's              make the certificate valid for the policy's hosts
//	CNAMEAlreadyExists        -                     have the wildcard alias removed from the distribution that has it
//	AccessDenied              -                     grant the hub's role what the parts of the distribution require
//	any other                 -                     correct the distribution
func (r Run) distributionCause(a Answer) (cause, next string) {
	cause, next = "the distribution itself is the cause, not a team's origin", "fix the distribution's configuration"
	attached := r.Served.Config.certificate()
	switch special := distributionFaultOf(a); {
	case special != nil:
		return special.cause, special.next
	case a.Code == invalidCertificate && attached != r.Terms.Certificate:
		return "the distribution has " + certificateName(attached) + ", which is not the certificate of the hub policy", "attach certificate " + r.Terms.Certificate + " to the distribution"
	case a.Code == invalidCertificate:
		return "CloudFront does not accept the distribution's certificate for the hosts of the update",
			"make sure that certificate " + r.Terms.Certificate + " is issued, has not expired and covers the hosts of the hub policy"
	case a.Code == aliasTaken && r.Terms.Wildcard:
		alias := "*." + r.Terms.Domain
		return "another distribution has the alias " + alias + " of the hub policy", r.holdersOf([]string{alias})
	case a.Code == accessDenied:
		next = "grant the role of function wire what the error names"
		if missing := r.missingPermissions(); len(missing) > 0 {
			next = origin.Why(missing)
		}
	}
	return cause, next
}
