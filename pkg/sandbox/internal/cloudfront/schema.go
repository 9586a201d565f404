package cloudfront

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// node is the API model of one element.
type node struct {
	name     string
	required bool
	list     bool     // any number of this element is allowed
	kind     string   // "", "string", "bool", "int", "number" or "enum"; "" has children
	enum     []string // allowed texts
	children []*node
	// filled is whether the element is there on reading, also if it was not written. fallback is then its text, or the XML of its
	// children; without it, the children are those that are filled in themselves.
	filled   bool
	fallback string
}

func (n *node) child(name string) *node {
	for _, c := range n.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// parseOutline reads an outline with one element in each line. Children are indented by one space; ! means required, * repeated,
// @behavior the shared members of cache behaviors, and =text or + an element that CloudFront fills in.
func parseOutline(root, outline string) *node {
	top := &node{name: root}
	stack := []*node{top}
	for line := range strings.Lines(outline) {
		line = strings.TrimRight(line, "\n")
		if line == "" {
			continue
		}
		fields := strings.Fields(line)
		n := &node{name: fields[0]}
		for _, f := range fields[1:] {
			switch {
			case f == "!":
				n.required = true
			case f == "*":
				n.list = true
			case f == "@behavior":
				n.children = parseOutline("", behaviorOutline).children
			case f == "+":
				n.filled = true
			case strings.HasPrefix(f, "="):
				n.filled, n.fallback = true, f[1:]
			case strings.Contains(f, "|"):
				n.kind, n.enum = "enum", strings.Split(f, "|")
			default:
				n.kind = f
			}
		}
		depth := len(line) - len(strings.TrimLeft(line, " "))
		stack = stack[:depth+1]
		stack[depth].children = append(stack[depth].children, n)
		slices.SortFunc(stack[depth].children, func(a, b *node) int { return strings.Compare(a.name, b.name) }) // as the SDK writes
		stack = append(stack, n)
	}
	return top
}

// check compares a document with the schema, member by member. It accepts the fields in future.
func (n *node) check(e *Element, future []string) error {
	if e.Name != n.name {
		return malformedInput("expected the element %s, found %s", n.name, e.Name)
	}
	return n.checkBelow(e, "", future)
}

func (n *node) checkBelow(e *Element, path string, future []string) error {
	if n.kind != "" {
		return n.checkText(e, path)
	}
	if n.name == "Items" && len(e.Children) == 0 {
		// Assumption CF-18.
		return malformedInput("Unexpected list element termination (%s)", path)
	}
	if strings.TrimSpace(e.Text) != "" {
		return malformedInput("element %s holds text, expected elements", path)
	}
	seen := map[string]bool{}
	for _, c := range e.Children {
		below := strings.TrimPrefix(path+"/"+c.Name, "/")
		if slices.Contains(future, below) {
			continue
		}
		m := n.child(c.Name)
		if m == nil {
			// Assumption CF-17.
			return malformedInput("unknown element %s: it is not in the API model of the pinned SDK", below)
		}
		if seen[c.Name] && !m.list {
			return malformedInput("element %s occurs twice", below)
		}
		seen[c.Name] = true
		if err := m.checkBelow(c, below, future); err != nil {
			return err
		}
	}
	for _, m := range n.children {
		if m.required && !seen[m.name] {
			return missingMember(strings.TrimPrefix(path+"/"+m.name, "/"))
		}
	}
	if q := e.At("Quantity"); q != nil && n.child("Items") != nil && q.Text != strconv.Itoa(len(e.Items())) {
		return cloud.Errorf(400, "InconsistentQuantities",
			"The value of Quantity and the size of Items don't match. (%s: %s, %d items)",
			path, q.Text, len(e.Items()))
	}
	return nil
}

// fill appends to b the document e, with the elements that are filled in at their place in the schema's order, which is that of the SDK.
// Every other byte stays.
func (n *node) fill(b *bytes.Buffer, e *Element) {
	if n.kind != "" || e.end() < 0 {
		b.Write(e.Raw)
		return
	}
	at, next := 0, 0
	fillTo := func(end int) {
		for ; next < end; next++ {
			if m := n.children[next]; m.filled && e.At(m.name) == nil {
				m.write(b)
			}
		}
	}
	for _, c := range e.Children {
		i := slices.IndexFunc(n.children, func(m *node) bool { return m.name == c.Name })
		if i < 0 { // a field of the future
			continue
		}
		from := c.start - e.start
		b.Write(e.Raw[at:from])
		fillTo(i)
		n.children[i].fill(b, c)
		at = from + len(c.Raw)
	}
	b.Write(e.Raw[at:e.end()])
	fillTo(len(n.children))
	b.Write(e.Raw[e.end():])
}

// write appends the element as CloudFront fills it in.
func (n *node) write(b *bytes.Buffer) {
	if n.kind != "" {
		writeText(b, n.name, n.fallback)
		return
	}
	b.WriteString("<" + n.name + ">" + n.fallback)
	for _, m := range n.children {
		if m.filled && n.fallback == "" {
			m.write(b)
		}
	}
	b.WriteString("</" + n.name + ">")
}

func (n *node) checkText(e *Element, path string) error {
	if len(e.Children) > 0 {
		return malformedInput("element %s holds elements, expected text", path)
	}
	switch n.kind {
	case "bool":
		if e.Text != "true" && e.Text != "false" {
			return malformedInput("%s: %q is not a boolean", path, e.Text)
		}
	case "int":
		if _, err := strconv.ParseInt(e.Text, 10, 64); err != nil {
			return malformedInput("%s: %q is not an integer", path, e.Text)
		}
	case "number":
		if _, err := strconv.ParseFloat(e.Text, 64); err != nil {
			return malformedInput("%s: %q is not a number", path, e.Text)
		}
	case "enum":
		if !slices.Contains(n.enum, e.Text) {
			return invalidArgument("Value '%s' at '%s' failed to satisfy constraint: Member must satisfy enum value set: %v",
				e.Text, path, n.enum)
		}
	}
	return nil
}

func malformedInput(format string, args ...any) *cloud.Error {
	return cloud.Errorf(400, "MalformedInput", "%s", fmt.Sprintf(format, args...))
}

func missingMember(path string) *cloud.Error {
	return cloud.Errorf(400, "MalformedXML",
		"1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", path)
}

// These are the members of DistributionConfig, according to the serializers and types of aws-sdk-go-v2/service/cloudfront
// v1.73.0. What CloudFront fills in is according to the types' documentation and to the example of
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/example_cloudfront_GetDistributionConfig_section.html
const distributionConfigOutline = `
Aliases +
 Items
  CNAME * string
 Quantity ! int =0
AnycastIpListId string
CacheBehaviors +
 Items
  CacheBehavior * @behavior
   PathPattern ! string
 Quantity ! int =0
CacheTagConfig
 HeaderName ! string
CallerReference ! string
Comment ! string
ConnectionFunctionAssociation
 Id ! string
ConnectionMode direct|tenant-only
ContinuousDeploymentPolicyId string =
CustomErrorResponses +
 Items
  CustomErrorResponse *
   ErrorCachingMinTTL int
   ErrorCode ! int
   ResponseCode string
   ResponsePagePath string
 Quantity ! int =0
DefaultCacheBehavior ! @behavior
DefaultRootObject string =
Enabled ! bool
HttpVersion http1.1|http2|http3|http2and3 =http2
IsIPV6Enabled bool
Logging +
 Bucket string =
 Enabled bool =false
 IncludeCookies bool =false
 Prefix string =
OriginGroups +
 Items
  OriginGroup *
   FailoverCriteria !
    StatusCodes !
     Items !
      StatusCode * int
     Quantity ! int
   Id ! string
   Members !
    Items !
     OriginGroupMember *
      OriginId ! string
    Quantity ! int
   SelectionCriteria default|media-quality-based
 Quantity ! int =0
Origins !
 Items !
  Origin *
   ConnectionAttempts int =3
   ConnectionTimeout int =10
   CustomHeaders +
    Items
     OriginCustomHeader *
      HeaderName ! string
      HeaderValue ! string
    Quantity ! int =0
   CustomOriginConfig
    HTTPPort ! int
    HTTPSPort ! int
    IpAddressType ipv4|ipv6|dualstack
    OriginKeepaliveTimeout int =5
    OriginMtlsConfig
     ClientCertificateArn ! string
    OriginProtocolPolicy ! http-only|match-viewer|https-only
    OriginReadTimeout int =30
    OriginSslProtocols
     Items !
      SslProtocol * SSLv3|TLSv1|TLSv1.1|TLSv1.2
     Quantity ! int
   DomainName ! string
   Id ! string
   OriginAccessControlId string =
   OriginPath string =
   OriginShield +
    Enabled ! bool =false
    OriginShieldRegion string
   ResponseCompletionTimeout int
   S3OriginConfig
    OriginAccessIdentity ! string
    OriginReadTimeout int
   VpcOriginConfig
    OriginKeepaliveTimeout int =5
    OriginReadTimeout int =30
    OwnerAccountId string
    VpcOriginId ! string
 Quantity ! int
PriceClass PriceClass_100|PriceClass_200|PriceClass_All|None =PriceClass_All
Restrictions +
 GeoRestriction ! +
  Items
   Location * string
  Quantity ! int =0
  RestrictionType ! blacklist|whitelist|none =none
Staging bool =false
TenantConfig
 ParameterDefinitions
  member *
   Definition !
    StringSchema
     Comment string
     DefaultValue string
     Required ! bool
   Name ! string
ViewerCertificate =<CertificateSource>cloudfront</CertificateSource><CloudFrontDefaultCertificate>true</CloudFrontDefaultCertificate><MinimumProtocolVersion>TLSv1</MinimumProtocolVersion>
 ACMCertificateArn string
 Certificate string
 CertificateSource cloudfront|iam|acm
 CloudFrontDefaultCertificate bool
 IAMCertificateId string
 MinimumProtocolVersion SSLv3|TLSv1|TLSv1_2016|TLSv1.1_2016|TLSv1.2_2018|TLSv1.2_2019|TLSv1.2_2021|TLSv1.3_2025|TLSv1.2_2025
 SSLSupportMethod sni-only|vip|static-ip
ViewerMtlsConfig
 Mode required|optional|passthrough
 TrustStoreConfig
  AdvertiseTrustStoreCaNames bool
  IgnoreCertificateExpiry bool
  TrustStoreId ! string
WebACLId string =
`

const behaviorOutline = `
AllowedMethods =<CachedMethods><Items><Method>HEAD</Method><Method>GET</Method></Items><Quantity>2</Quantity></CachedMethods><Items><Method>HEAD</Method><Method>GET</Method></Items><Quantity>2</Quantity>
 CachedMethods =<Items><Method>HEAD</Method><Method>GET</Method></Items><Quantity>2</Quantity>
  Items !
   Method * GET|HEAD|POST|PUT|PATCH|OPTIONS|DELETE
  Quantity ! int
 Items !
  Method * GET|HEAD|POST|PUT|PATCH|OPTIONS|DELETE
 Quantity ! int
CachePolicyId string
Compress bool =false
DefaultTTL int
FieldLevelEncryptionId string =
ForwardedValues
 Cookies !
  Forward ! none|whitelist|all
  WhitelistedNames
   Items
    Name * string
   Quantity ! int
 Headers
  Items
   Name * string
  Quantity ! int
 QueryString ! bool
 QueryStringCacheKeys
  Items
   Name * string
  Quantity ! int
FunctionAssociations +
 Items
  FunctionAssociation *
   EventType ! viewer-request|viewer-response|origin-request|origin-response
   FunctionARN ! string
 Quantity ! int =0
GrpcConfig +
 Enabled ! bool =false
LambdaFunctionAssociations +
 Items
  LambdaFunctionAssociation *
   EventType ! viewer-request|viewer-response|origin-request|origin-response
   IncludeBody bool
   LambdaFunctionARN ! string
 Quantity ! int =0
MaxTTL int
MinTTL int
OriginRequestPolicyId string
RealtimeLogConfigArn string
ResponseHeadersPolicyId string
SmoothStreaming bool =false
TargetOriginId ! string
TrustedKeyGroups +
 Enabled ! bool =false
 Items
  KeyGroup * string
 Quantity ! int =0
TrustedSigners +
 Enabled ! bool =false
 Items
  AwsAccountNumber * string
 Quantity ! int =0
ViewerProtocolPolicy ! allow-all|https-only|redirect-to-https
`
