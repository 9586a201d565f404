package parts

// A Pattern is an EventBridge event pattern.
type Pattern map[string]any

// CallViaCloudTrail is the detail type of an API call.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
const CallViaCloudTrail = "AWS API Call via CloudTrail"

// ForwardedSources returns the services whose calls a spoke forwards.
func ForwardedSources() []string { return []string{"aws.cloudfront", "aws.ram"} }

// ForwardedCalls matches, on a spoke's default bus and again on the hub bus, the calls that trigger the hub: there may be an
// origin to admit, one that was lost, or a claim that changed.
func ForwardedCalls() Pattern {
	return Calls(ForwardedSources(), "TagResource", "UntagResource", "CreateVpcOrigin", "DeleteVpcOrigin",
		"CreateResourceShare", "AssociateResourceShare", "DisassociateResourceShare", "DeleteResourceShare")
}

// Calls matches API calls by the beginning of their names: the service model of CloudFront adds an API version to its
// names, CloudTrail does not as far as anybody has seen.
func Calls(sources []string, names ...string) Pattern {
	prefixes := make([]any, len(names))
	for i, name := range names {
		prefixes[i] = map[string]any{"prefix": name}
	}
	return Pattern{
		"source":      sources,
		"detail-type": []string{CallViaCloudTrail},
		"detail":      map[string]any{"eventName": prefixes},
	}
}
