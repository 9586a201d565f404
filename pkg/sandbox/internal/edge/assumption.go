package edge

import "github.com/originhub/originhub/pkg/sandbox/internal/cloud"

// Assumptions of this package.
func Assumptions() []cloud.Assumption {
	const guide = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/"
	return []cloud.Assumption{
		{
			ID: "EDGE-01", Mark: "documented", Source: guide + "DownloadDistValuesCacheBehavior.html",
			Claim: "Behaviors are matched with the path in its RFC 3986 normal form; the origin gets the path as it " +
				"came.",
		},
		{
			ID: "EDGE-02", Mark: "inferred", Source: guide + "HowToUpdateDistribution.html",
			Claim: "Until its first deployment a distribution answers 503 by its own domain name, and its aliases " +
				"lead nowhere (403).",
		},
		{
			ID: "EDGE-03", Mark: "inferred", Source: guide + "HowToDeleteDistribution.html",
			Claim: "A distribution that is disabled at the edge answers 403.",
		},
		{
			ID: "EDGE-04", Mark: "inferred", Source: guide + "private-content-vpc-origins.html",
			Claim: "A VPC origin that is not Deployed answers 504, one that is gone 502.",
		},
		{
			ID: "EDGE-05", Mark: "inferred", Source: "facts/aws.md section 8",
			Claim: "A load balancer that no template made has one listener rule: for the hosts in the tags of the " +
				"VPC origins pointing at it whose key ends in :host, or else for hosts whose first label is its " +
				"name. Everything else is a fixed 403.",
		},
		{
			ID: "EDGE-06", Mark: "inferred", Source: guide + "http-503-service-unavailable.html",
			Claim: "A function that fails answers 503, one whose result is not valid 502.",
		},
		{
			ID: "EDGE-07", Mark: "documented", Source: guide + "helper-functions-origin-modification.html",
			Claim: "The Host sent to an origin is the viewer's if the origin request policy or the behavior forwards " +
				"it, else the origin's DomainName; a function that selects an origin can give another.",
		},
		{
			ID: "EDGE-08", Mark: "inferred", Source: guide + "using-https-viewers-to-cloudfront.html",
			Claim: "Viewers on loopback count as HTTPS viewers, whatever the viewer protocol policy.",
		},
		{
			ID: "EDGE-09", Mark: "inferred", Source: guide + "using-managed-cache-policies.html",
			Claim: "Nothing is cached.",
		},
		{
			ID: "EDGE-10", Mark: "documented", Source: guide + "sharing-resources.html",
			Claim: "A VPC origin that is no longer shared goes on serving the distributions that hold it.",
		},
	}
}
