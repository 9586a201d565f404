package parts

import "slices"

// A Pattern is an EventBridge event pattern.
type Pattern map[string]any

// CallViaCloudTrail is the detail type of an API call.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
const CallViaCloudTrail = "AWS API Call via CloudTrail"

// ForwardedSources returns the services whose calls a spoke forwards. The hub bus admits the same (package hubpolicy).
func ForwardedSources() []string {
	return []string{"aws.cloudfront", "aws.ram", "aws.tagging", "aws.elasticloadbalancing"}
}

// ForwardedCalls returns the pattern of the calls that a spoke's default bus forwards to the hub.
func ForwardedCalls() Pattern {
	return Calls(ForwardedSources(), slices.Concat(claimCalls(), DistributionCalls(), []string{"DeleteLoadBalancer"})...)
}

// DistributionCalls returns the calls that may put an origin into a distribution.
func DistributionCalls() []string {
	return []string{"CreateDistribution", "CopyDistribution", "UpdateDistribution"}
}

// ClaimCalls returns the pattern of the forwarded calls after which there may be an origin to admit, an origin that was lost, or a claim
// that changed.
func ClaimCalls() Pattern { return Calls(ForwardedSources(), claimCalls()...) }

func claimCalls() []string {
	return []string{
		"TagResource", "UntagResource", "CreateVpcOrigin", "DeleteVpcOrigin",
		"CreateResourceShare", "UpdateResourceShare", "AssociateResourceShare", "DisassociateResourceShare", "DeleteResourceShare",
	}
}

// Calls returns a pattern that matches API calls by the beginning of their names. CloudFront's service model appends an API version to
// the names; in the CloudTrail records that are published, the names have no version. A record has an errorCode if the call failed
// (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html). Such a call changed nothing,
// and anybody can make any number of them, so it matches nothing.
func Calls(sources []string, names ...string) Pattern {
	prefixes := make([]any, len(names))
	for i, name := range names {
		prefixes[i] = map[string]any{"prefix": name}
	}
	return Pattern{
		"source":      sources,
		"detail-type": []string{CallViaCloudTrail},
		"detail":      map[string]any{"eventName": prefixes, "errorCode": []any{map[string]any{"exists": false}}},
	}
}
