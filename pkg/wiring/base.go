package wiring

import "fmt"

// BaseSpec is what a new distribution is created with.
type BaseSpec struct {
	CallerReference string
	Comment         string
	PriceClass      string // empty: PriceClass_All
	HTTPVersion     string // empty: http2and3
	WebACL          string // ARN; empty: none
	LogBucket       string // name of the S3 bucket for access logs; empty: none are written
	ResponseHeaders string // id of the response headers policy of every behavior; empty: none
	Certificate     string // ACM ARN in us-east-1; empty: CloudFront's default certificate, which permits no aliases
	Aliases         []string
	NotFound        string // ARN of the published function with the code of NotFoundFunction
}

// Placeholder is the id of the origin that CloudFront requires in a new distribution and that gets no requests. It does not begin with the
// prefix of managed origins, and its domain name never exists (RFC 6761 section 6.4).
const (
	Placeholder       = "originhub.placeholder"
	placeholderDomain = "placeholder.invalid"
)

// NotFoundFunction is the code of the default behavior's viewer-request function (runtime cloudfront-js-2.0).
const NotFoundFunction = `function handler(event) {
    return {
        statusCode: 404,
        statusDescription: 'Not Found',
        headers: {
            'cache-control': { value: 'no-store' },
            'content-type': { value: 'text/plain; charset=utf-8' },
        },
        body: 'Nothing answers here.\n',
    };
}
`

const viewerRequest = "viewer-request"

// cachedErrors are the status codes that CloudFront caches and for which a distribution can say how long.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html
var cachedErrors = []string{"400", "403", "404", "405", "414", "500", "501", "502", "503", "504"}

// uncachedErrors has errors cached for 0 seconds instead of 10: the answer to one viewer's wrong Host or oversized header would be that
// to everybody else. The same values are in a distribution that CloudFront returns.
func uncachedErrors() *node {
	var all []*node
	for _, code := range cachedErrors {
		all = append(all, element("CustomErrorResponse",
			leaf("ErrorCode", code), element("ResponsePagePath"), element("ResponseCode"), leaf("ErrorCachingMinTTL", "0")))
	}
	return list("CustomErrorResponses", all...)
}

func optional(name, value string) *node {
	if value == "" {
		return element(name)
	}
	return leaf(name, value)
}

func logging(bucket string) *node {
	enabled := bucket != ""
	if enabled {
		bucket += ".s3.amazonaws.com"
	}
	return element("Logging", leaf("Enabled", fmt.Sprint(enabled)), leaf("IncludeCookies", "false"), optional("Bucket", bucket), element("Prefix"))
}

func notFound(function string) *node {
	return list("FunctionAssociations", element("FunctionAssociation", leaf("FunctionARN", function), leaf("EventType", viewerRequest)))
}

// Base returns the configuration of a new distribution. It is disabled, because no origin is wired, and it answers 404 to every request.
func Base(s BaseSpec) *Config {
	orElse := func(value, otherwise string) string {
		if value == "" {
			return otherwise
		}
		return value
	}
	certificate := element("ViewerCertificate", leaf("CloudFrontDefaultCertificate", "true"))
	if s.Certificate != "" {
		certificate = element("ViewerCertificate",
			leaf("ACMCertificateArn", s.Certificate),
			leaf("SSLSupportMethod", "sni-only"),
			leaf("MinimumProtocolVersion", "TLSv1.2_2021"),
		)
	}
	placeholder := element("Origin",
		leaf("Id", Placeholder),
		leaf("DomainName", placeholderDomain),
		element("OriginPath"),
		list("CustomHeaders"),
		element("CustomOriginConfig",
			leaf("HTTPPort", "80"),
			leaf("HTTPSPort", "443"),
			leaf("OriginProtocolPolicy", "https-only"),
			list("OriginSslProtocols", leaf("SslProtocol", "TLSv1.2")),
			leaf("OriginReadTimeout", "30"),
			leaf("OriginKeepaliveTimeout", "5"),
		),
		leaf("ConnectionAttempts", "3"),
		leaf("ConnectionTimeout", "10"),
		element("OriginShield", leaf("Enabled", "false")),
		element("OriginAccessControlId"),
	)
	root := element(rootName,
		leaf("CallerReference", s.CallerReference),
		list("Aliases", leaves("CNAME", s.Aliases)...),
		element("DefaultRootObject"),
		list("Origins", placeholder),
		list("OriginGroups"),
		cacheBehavior("DefaultCacheBehavior", Placeholder, []string{"GET", "HEAD"}, notFound(s.NotFound)),
		list("CacheBehaviors"),
		uncachedErrors(),
		leaf("Comment", s.Comment),
		logging(s.LogBucket),
		leaf("PriceClass", orElse(s.PriceClass, "PriceClass_All")),
		leaf("Enabled", "false"),
		certificate,
		element("Restrictions", element("GeoRestriction", leaf("RestrictionType", "none"), leaf("Quantity", "0"))),
		optional("WebACLId", s.WebACL),
		leaf("HttpVersion", orElse(s.HTTPVersion, "http2and3")),
		leaf("IsIPV6Enabled", "true"),
	)
	if s.ResponseHeaders != "" {
		root.child("DefaultCacheBehavior").insert(leaf("ResponseHeadersPolicyId", s.ResponseHeaders), nil)
	}
	root.start = []byte(`<` + rootName + ` xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">`)
	return newConfig(&node{kids: []*node{root}})
}
