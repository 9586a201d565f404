package edge

import "github.com/originhub/originhub/pkg/sandbox/internal/cloud"

// Assumptions of this package.
func Assumptions() []cloud.Assumption {
	const guide = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/"
	return []cloud.Assumption{
		{
			ID: "EDGE-01", Claim: "Behaviors are matched with the path in its RFC 3986 normal form; the origin gets the path as it came.",
			Source: guide + "DownloadDistValuesCacheBehavior.html", Mark: "documented",
		},
		{
			ID: "EDGE-02", Claim: "Until its first deployment a distribution answers 503 by its own domain name, and its aliases lead nowhere (403).",
			Source: guide + "HowToUpdateDistribution.html", Mark: "inferred",
		},
		{
			ID: "EDGE-03", Claim: "A distribution that is disabled at the edge answers 403.", Source: guide + "HowToDeleteDistribution.html", Mark: "inferred",
		},
		{
			ID: "EDGE-04", Claim: "A VPC origin that is not Deployed answers 504, one that is gone 502.", Source: guide + "private-content-vpc-origins.html",
			Mark: "inferred",
		},
		{
			ID: "EDGE-05", Claim: "A load balancer that no template made has one listener rule: for the hosts in the tags of the VPC origins pointing " +
				"at it whose key ends in :host, or else for hosts whose first label is its name. Everything else is a fixed 403.",
			Source: "facts/aws.md section 8", Mark: "inferred",
		},
		{
			ID: "EDGE-06", Claim: "A function that fails answers 503, one whose result is not valid 502.", Source: guide + "http-503-service-unavailable.html",
			Mark: "inferred",
		},
		{
			ID: "EDGE-07", Claim: "The Host sent to an origin is the viewer's if the origin request policy or the behavior forwards it, else the origin's " +
				"DomainName; a function that selects an origin can give another.", Source: guide + "helper-functions-origin-modification.html",
			Mark: "documented",
		},
		{
			ID: "EDGE-08", Claim: "Viewers on loopback count as HTTPS viewers, whatever the viewer protocol policy.",
			Source: guide + "using-https-viewers-to-cloudfront.html", Mark: "inferred",
		},
		{ID: "EDGE-09", Claim: "Nothing is cached.", Source: guide + "using-managed-cache-policies.html", Mark: "inferred"},
		{
			ID: "EDGE-10", Claim: "A VPC origin that is no longer shared goes on serving the distributions that hold it.",
			Source: guide + "sharing-resources.html", Mark: "documented",
		},
	}
}
