package cloudfront

import (
	"bytes"
	"strconv"
	"strings"
)

// newManaged returns a managed policy. Its configuration is one of this file, so it can be parsed.
func newManaged(id, name, config string) *policy {
	e, err := parseElement([]byte(config))
	if err != nil {
		panic(err)
	}
	return &policy{id: id, name: name, etag: "E23ZP02F085DFQ", modified: "2021-01-01T00:00:00.000Z", config: e}
}

// configOf writes the element of a configuration.
func configOf(element, name string, members ...string) string {
	var b bytes.Buffer
	b.WriteString("<" + element + ">")
	writeText(&b, "Name", name)
	b.WriteString(strings.Join(members, "") + "</" + element + ">")
	return b.String()
}

// choice writes which headers, cookies or query strings a policy includes: none, all, or whatever else AWS calls it, and the names
// of a list.
func choice(config, behavior, list, chosen string, names ...string) string {
	var b bytes.Buffer
	b.WriteString("<" + config + ">")
	writeText(&b, behavior, chosen)
	if len(names) > 0 {
		b.WriteString("<" + list + "><Quantity>" + strconv.Itoa(len(names)) + "</Quantity><Items>")
		for _, name := range names {
			writeText(&b, "Name", name)
		}
		b.WriteString("</Items></" + list + ">")
	}
	b.WriteString("</" + config + ">")
	return b.String()
}

func headers(chosen string, names ...string) string {
	return choice("HeadersConfig", "HeaderBehavior", "Headers", chosen, names...)
}

func cookies(chosen string) string {
	return choice("CookiesConfig", "CookieBehavior", "Cookies", chosen)
}

func queryStrings(chosen string, names ...string) string {
	return choice("QueryStringsConfig", "QueryStringBehavior", "QueryStrings", chosen, names...)
}

func ttl(least, otherwise, most int) string {
	var b bytes.Buffer
	writeText(&b, "MinTTL", strconv.Itoa(least))
	writeText(&b, "DefaultTTL", strconv.Itoa(otherwise))
	writeText(&b, "MaxTTL", strconv.Itoa(most))
	return b.String()
}

// managedCachePolicies returns the policies of
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html
func managedCachePolicies() []*policy {
	const day, year = 86400, 31536000
	cache := func(id, name, ttl string, gzip, brotli bool, parts ...string) *policy {
		key := "<ParametersInCacheKeyAndForwardedToOrigin><EnableAcceptEncodingGzip>" + strconv.FormatBool(gzip) + "</EnableAcceptEncodingGzip>" +
			"<EnableAcceptEncodingBrotli>" + strconv.FormatBool(brotli) + "</EnableAcceptEncodingBrotli>" + strings.Join(parts, "") +
			"</ParametersInCacheKeyAndForwardedToOrigin>"
		return newManaged(id, name, configOf("CachePolicyConfig", name, ttl, key))
	}
	negotiated := headers("whitelist", "host", "origin", "x-http-method-override", "x-http-method", "x-method-override")
	return []*policy{
		cache("4135ea2d-6df8-44a3-9df3-4b5a84be39ad", "Managed-CachingDisabled", ttl(0, 0, 0), false, false,
			headers("none"), cookies("none"), queryStrings("none")),
		cache("658327ea-f89d-4fab-a63d-7e88639e58f6", "Managed-CachingOptimized", ttl(1, day, year), true, true,
			headers("none"), cookies("none"), queryStrings("none")),
		cache("b2884449-e4de-46a7-ac36-70bc7f1ddd6d", "Managed-CachingOptimizedForUncompressedObjects", ttl(1, day, year), false, false,
			headers("none"), cookies("none"), queryStrings("none")),
		cache("08627262-05a9-4f76-9ded-b50ca2e3a84f", "Managed-Elemental-MediaPackage", ttl(0, day, year), true, false,
			headers("whitelist", "origin"), cookies("none"), queryStrings("whitelist", "aws.manifestfilter", "start", "end", "m")),
		cache("2e54312d-136d-493c-8eb9-b001f22f67d2", "Managed-Amplify", ttl(2, 2, 600), true, true,
			headers("whitelist", "Authorization", "CloudFront-Viewer-Country", "Host"), cookies("all"), queryStrings("all")),
		cache("83da9c7e-98b4-4e11-a168-04f0df8e2c65", "UseOriginCacheControlHeaders", ttl(0, 0, year), true, true,
			negotiated, cookies("all"), queryStrings("none")),
		cache("4cc15a8a-d715-48a4-82b8-cc0b614638fe", "UseOriginCacheControlHeaders-QueryStrings", ttl(0, 0, year), true, true,
			negotiated, cookies("all"), queryStrings("all")),
	}
}

// managedOriginRequestPolicies returns the policies of
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-origin-request-policies.html
func managedOriginRequestPolicies() []*policy {
	request := func(id, name string, parts ...string) *policy {
		return newManaged(id, name, configOf("OriginRequestPolicyConfig", name, parts...))
	}
	return []*policy{
		request("216adef6-5c7f-47e4-b989-5492eafa07d3", "Managed-AllViewer", headers("allViewer"), cookies("all"), queryStrings("all")),
		request("b689b0a8-53d0-40ab-baf2-68738e2966ac", "Managed-AllViewerExceptHostHeader",
			headers("allExcept", "host"), cookies("all"), queryStrings("all")),
		request("33f36d7e-f396-46d9-90e0-52428a34d9dc", "Managed-AllViewerAndCloudFrontHeaders-2022-06",
			headers("allViewerAndWhitelistCloudFront",
				"CloudFront-Forwarded-Proto", "CloudFront-Is-Android-Viewer", "CloudFront-Is-Desktop-Viewer", "CloudFront-Is-IOS-Viewer",
				"CloudFront-Is-Mobile-Viewer", "CloudFront-Is-SmartTV-Viewer", "CloudFront-Is-Tablet-Viewer", "CloudFront-Viewer-Address",
				"CloudFront-Viewer-ASN", "CloudFront-Viewer-City", "CloudFront-Viewer-Country", "CloudFront-Viewer-Country-Name",
				"CloudFront-Viewer-Country-Region", "CloudFront-Viewer-Country-Region-Name", "CloudFront-Viewer-Http-Version",
				"CloudFront-Viewer-Latitude", "CloudFront-Viewer-Longitude", "CloudFront-Viewer-Metro-Code", "CloudFront-Viewer-Postal-Code",
				"CloudFront-Viewer-Time-Zone", "CloudFront-Viewer-TLS"),
			cookies("all"), queryStrings("all")),
		request("59781a5b-3903-41f3-afcb-af62929ccde1", "Managed-CORS-CustomOrigin",
			headers("whitelist", "origin"), cookies("none"), queryStrings("none")),
		request("88a5eaf4-2fd4-4709-b370-b4c650ea3fcf", "Managed-CORS-S3Origin",
			headers("whitelist", "origin", "access-control-request-headers", "access-control-request-method"), cookies("none"), queryStrings("none")),
		request("775133bc-15f2-49f9-abea-afb2e0bf67d2", "Managed-Elemental-MediaTailor-PersonalizedManifests",
			headers("whitelist", "origin", "access-control-request-headers", "access-control-request-method", "user-agent", "x-forwarded-for"),
			cookies("none"), queryStrings("all")),
		request("bf0718e1-ba1e-49d1-88b1-f726733018ae", "Managed-HostHeaderOnly",
			headers("whitelist", "host"), cookies("none"), queryStrings("none")),
		request("acba4595-bd28-49b8-b9fe-13317c0390fa", "Managed-UserAgentRefererHeaders",
			headers("whitelist", "user-agent", "referer"), cookies("none"), queryStrings("none")),
	}
}

// managedResponseHeadersPolicies returns the policies of
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-response-headers-policies.html
// The guide does not list all members that the API requires (assumption CF-33).
func managedResponseHeadersPolicies() []*policy {
	list := func(element, item string, names ...string) string {
		var b bytes.Buffer
		b.WriteString("<" + element + "><Quantity>" + strconv.Itoa(len(names)) + "</Quantity><Items>")
		for _, name := range names {
			writeText(&b, item, name)
		}
		b.WriteString("</Items></" + element + ">")
		return b.String()
	}
	cors := func(more string, methods ...string) string {
		return "<CorsConfig>" + list("AccessControlAllowOrigins", "Origin", "*") + list("AccessControlAllowHeaders", "Header", "*") +
			list("AccessControlAllowMethods", "Method", methods...) + more +
			"<AccessControlAllowCredentials>false</AccessControlAllowCredentials><OriginOverride>false</OriginOverride></CorsConfig>"
	}
	const security = "<SecurityHeadersConfig>" +
		"<XSSProtection><Override>false</Override><Protection>true</Protection><ModeBlock>true</ModeBlock></XSSProtection>" +
		"<FrameOptions><Override>false</Override><FrameOption>SAMEORIGIN</FrameOption></FrameOptions>" +
		"<ReferrerPolicy><Override>false</Override><ReferrerPolicy>strict-origin-when-cross-origin</ReferrerPolicy></ReferrerPolicy>" +
		"<ContentTypeOptions><Override>true</Override></ContentTypeOptions>" +
		"<StrictTransportSecurity><Override>false</Override><AccessControlMaxAgeSec>31536000</AccessControlMaxAgeSec></StrictTransportSecurity>" +
		"</SecurityHeadersConfig>"
	simple := cors("", "GET", "HEAD")
	preflight := cors(list("AccessControlExposeHeaders", "Header", "*"), "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
	response := func(id, name string, parts ...string) *policy {
		return newManaged(id, name, configOf("ResponseHeadersPolicyConfig", name, parts...))
	}
	return []*policy{
		response("60669652-455b-4ae9-85a4-c4c02393f86c", "Managed-SimpleCORS", simple),
		response("5cc3b908-e619-4b99-88e5-2cf7f45965bd", "Managed-CORS-With-Preflight", preflight),
		response("67f7725c-6f97-4210-82d7-5512b31e9d03", "Managed-SecurityHeadersPolicy", security),
		response("e61eb60c-9c35-4d20-a928-2b84e02af89c", "Managed-CORS-and-SecurityHeadersPolicy", simple, security),
		response("eaab4381-ed33-4a86-88ca-d9558dc6cd63", "Managed-CORS-with-preflight-and-SecurityHeadersPolicy", preflight, security),
	}
}
