package cloudfront

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// A cache behavior names policies of three kinds. AWS owns the managed ones, which every account can use; the others belong to the
// account that created them. The sandbox stores the settings of a policy as they were written.

// policyKind is one of the three kinds of policies.
type policyKind struct {
	name     string // of its element, such as CachePolicy
	plural   string // as in the names of operations
	resource string // in paths and ARNs
	schema   *node
	managed  []*policy
	check    func(config *Element) error  // the rules of the kind that the schema does not have
	complete func(config *Element) []byte // fills in the defaults; nil for a kind without defaults
}

// policy is one policy. A managed one has no account.
type policy struct {
	id, name, account string
	etag, modified    string
	config            *Element
}

// maxPolicies is how many policies of each kind an account can create. Like the other limits of policies it is on
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-policies
const maxPolicies = 20

// maxPolicyNames is how many headers, cookies or query strings a policy can name.
const maxPolicyNames = 10

// maxPolicyComment is the number of characters of a policy's comment.
const maxPolicyComment = 128

func cachePolicies() *policyKind {
	return &policyKind{
		name: "CachePolicy", plural: "CachePolicies", resource: "cache-policy",
		schema: parseOutline("CachePolicyConfig", cachePolicyOutline), managed: managedCachePolicies(), check: checkCachePolicy, complete: completeCachePolicy,
	}
}

func originRequestPolicies() *policyKind {
	return &policyKind{
		name: "OriginRequestPolicy", plural: "OriginRequestPolicies", resource: "origin-request-policy",
		schema:  parseOutline("OriginRequestPolicyConfig", originRequestPolicyOutline),
		managed: managedOriginRequestPolicies(), check: checkOriginRequestPolicy,
	}
}

func responseHeadersPolicies() *policyKind {
	return &policyKind{
		name: "ResponseHeadersPolicy", plural: "ResponseHeadersPolicies", resource: "response-headers-policy",
		schema:  parseOutline("ResponseHeadersPolicyConfig", responseHeadersPolicyOutline),
		managed: managedResponseHeadersPolicies(), check: checkResponseHeadersPolicy,
	}
}

// member is the member of a cache behavior that names a policy of the kind.
func (k *policyKind) member() string { return k.name + "Id" }

// words is the kind in a message.
func (k *policyKind) words() string { return strings.ReplaceAll(k.resource, "-", " ") }

func (k *policyKind) arn(account, id string) string {
	return "arn:aws:cloudfront::" + account + ":" + k.resource + "/" + id
}

func (k *policyKind) missing(id string) *cloud.Error {
	return cloud.Errorf(404, "NoSuch"+k.name, "The %s does not exist: %s", k.words(), id)
}

// policiesOf returns the policies that an account can use: the managed ones and its own.
func (s *Service) policiesOf(k *policyKind, account string) []*policy {
	return slices.DeleteFunc(slices.Concat(k.managed, s.custom[k.name]), func(p *policy) bool {
		return p.account != "" && p.account != account
	})
}

// policy returns a policy that the account can use, or nil. A policy of another account does not exist for it (assumption CF-32).
func (s *Service) policy(k *policyKind, account, id string) *policy {
	for _, p := range s.policiesOf(k, account) {
		if p.id == id {
			return p
		}
	}
	return nil
}

// policyUsers returns the distributions whose configuration names a policy.
func (s *Service) policyUsers(k *policyKind, id string) []*distribution {
	var users []*distribution
	for _, d := range s.distributions {
		if slices.ContainsFunc(behaviorsOf(d.config()), func(b *Element) bool { return b.Value(k.member()) == id }) {
			users = append(users, d)
		}
	}
	return users
}

// CreatePolicyInput is the input of CreateCachePolicy, CreateOriginRequestPolicy and CreateResponseHeadersPolicy.
type CreatePolicyInput struct {
	Config cloud.RawXML `loc:"payload"`
}

// TrailRecord returns the configuration in CloudTrail's form.
func (in *CreatePolicyInput) TrailRecord() any { return trailPayload(in.Config) }

// PolicyID is the input of the operations that take only an id.
type PolicyID struct {
	ID string `loc:"uri" name:"Id"`
}

// DeletePolicyInput is the input of DeleteCachePolicy, DeleteOriginRequestPolicy and DeleteResponseHeadersPolicy.
type DeletePolicyInput struct {
	ID      string `loc:"uri" name:"Id"`
	IfMatch string `loc:"header" name:"If-Match"`
}

// PolicyOutput is the output of the operations that return a policy, and of those that return only its configuration.
type PolicyOutput struct {
	ETag     string       `loc:"header" name:"ETag"`
	Location string       `loc:"header" name:"Location"`
	Policy   cloud.RawXML `loc:"payload"`
}

// TrailRecord returns the policy in CloudTrail's form.
func (out *PolicyOutput) TrailRecord() any {
	members := trailPayload(out.Policy)
	members["eTag"], members["location"] = out.ETag, out.Location
	return members
}

// ListPoliciesInput is the input of ListCachePolicies, ListOriginRequestPolicies and ListResponseHeadersPolicies.
type ListPoliciesInput struct {
	Marker   string `loc:"query" name:"Marker"`
	MaxItems int    `loc:"query" name:"MaxItems"`
	Type     string `loc:"query" name:"Type"`
}

// ListPoliciesOutput is the output of the operations that list policies.
type ListPoliciesOutput struct {
	List cloud.RawXML `loc:"payload"`
}

// operations returns the operations on the policies of a kind.
func (k *policyKind) operations(s *Service, root string) []cloud.Operation {
	path := root + "/" + k.resource
	return []cloud.Operation{
		cloud.Op(cloud.Operation{Name: "Create" + k.name, Method: "POST", Path: path, Status: 201}, k.create(s)),
		cloud.Op(cloud.Operation{Name: "Get" + k.name, Method: "GET", Path: path + "/{Id}", ReadOnly: true}, k.get(s)),
		cloud.Op(cloud.Operation{Name: "Get" + k.name + "Config", Method: "GET", Path: path + "/{Id}/config", ReadOnly: true}, k.getConfig(s)),
		cloud.Op(cloud.Operation{Name: "List" + k.plural, Method: "GET", Path: path, ReadOnly: true}, k.list(s)),
		cloud.Op(cloud.Operation{Name: "Delete" + k.name, Method: "DELETE", Path: path + "/{Id}", Status: 204}, k.delete(s)),
	}
}

// create implements CreateCachePolicy, CreateOriginRequestPolicy and CreateResponseHeadersPolicy.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateCachePolicy.html
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateOriginRequestPolicy.html
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateResponseHeadersPolicy.html
func (k *policyKind) create(s *Service) func(*cloud.Call, *CreatePolicyInput) (*PolicyOutput, error) {
	return func(c *cloud.Call, in *CreatePolicyInput) (*PolicyOutput, error) {
		if err := s.authorize(c, access{action: "cloudfront:Create" + k.name, arn: k.arn(c.Account(), "*")}); err != nil {
			return nil, err
		}
		config, err := parseElement(in.Config)
		if err != nil {
			return nil, malformedInput("%v", err)
		}
		if err := k.schema.check(config, nil); err != nil {
			return nil, err
		}
		if utf8.RuneCountInString(config.Value("Comment")) > maxPolicyComment {
			return nil, invalidArgument("The parameter Comment has more than %d characters.", maxPolicyComment)
		}
		if err := k.check(config); err != nil {
			return nil, err
		}
		p := &policy{id: s.world.IDs.UUID(), name: config.Value("Name"), account: c.Account(), etag: s.newETag(), modified: timestamp(s.now())}
		if p.name == "" {
			return nil, invalidArgument("The parameter Name is required.")
		}
		own := 0
		for _, other := range s.policiesOf(k, c.Account()) {
			if other.name == p.name {
				return nil, cloud.Errorf(409, k.name+"AlreadyExists", "A %s with this name already exists: %s", k.words(), p.name)
			}
			if other.account != "" {
				own++
			}
		}
		if own >= maxPolicies {
			return nil, cloud.Errorf(400, "TooMany"+k.plural,
				"You have reached the maximum number of %s policies for this AWS account.", strings.TrimSuffix(k.words(), " policy"))
		}
		p.config = config
		if k.complete != nil {
			if p.config, err = parseElement(k.complete(config)); err != nil {
				return nil, malformedInput("%v", err)
			}
		}
		s.custom[k.name] = append(s.custom[k.name], p)
		out := k.answer(p)
		out.Location = "https://cloudfront.amazonaws.com/2020-05-31/" + k.resource + "/" + p.id
		return out, nil
	}
}

// get implements GetCachePolicy, GetOriginRequestPolicy and GetResponseHeadersPolicy.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_GetCachePolicy.html
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_GetOriginRequestPolicy.html
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_GetResponseHeadersPolicy.html
func (k *policyKind) get(s *Service) func(*cloud.Call, *PolicyID) (*PolicyOutput, error) {
	return func(c *cloud.Call, in *PolicyID) (*PolicyOutput, error) {
		p, err := k.find(s, c, "cloudfront:Get"+k.name, in.ID)
		if err != nil {
			return nil, err
		}
		return k.answer(p), nil
	}
}

// getConfig implements GetCachePolicyConfig, GetOriginRequestPolicyConfig and GetResponseHeadersPolicyConfig.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_GetCachePolicyConfig.html
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_GetOriginRequestPolicyConfig.html
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_GetResponseHeadersPolicyConfig.html
func (k *policyKind) getConfig(s *Service) func(*cloud.Call, *PolicyID) (*PolicyOutput, error) {
	return func(c *cloud.Call, in *PolicyID) (*PolicyOutput, error) {
		p, err := k.find(s, c, "cloudfront:Get"+k.name+"Config", in.ID)
		if err != nil {
			return nil, err
		}
		return &PolicyOutput{ETag: p.etag, Policy: cloud.RawXML(p.config.Raw)}, nil
	}
}

// delete implements DeleteCachePolicy, DeleteOriginRequestPolicy and DeleteResponseHeadersPolicy.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DeleteCachePolicy.html
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DeleteOriginRequestPolicy.html
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DeleteResponseHeadersPolicy.html
func (k *policyKind) delete(s *Service) func(*cloud.Call, *DeletePolicyInput) (*Empty, error) {
	return func(c *cloud.Call, in *DeletePolicyInput) (*Empty, error) {
		p, err := k.find(s, c, "cloudfront:Delete"+k.name, in.ID)
		if err != nil {
			return nil, err
		}
		if p.account == "" {
			return nil, cloud.Errorf(400, "IllegalDelete", "You cannot delete a managed policy.")
		}
		if err := checkIfMatch(in.IfMatch, p.etag); err != nil {
			return nil, err
		}
		if len(s.policyUsers(k, p.id)) > 0 {
			return nil, cloud.Errorf(409, k.name+"InUse", "Cannot delete the %s because it is attached to one or more cache behaviors.", k.words())
		}
		s.custom[k.name] = slices.DeleteFunc(s.custom[k.name], func(other *policy) bool { return other == p })
		return &Empty{}, nil
	}
}

// list implements ListCachePolicies, ListOriginRequestPolicies and ListResponseHeadersPolicies.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ListCachePolicies.html
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ListOriginRequestPolicies.html
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ListResponseHeadersPolicies.html
func (k *policyKind) list(s *Service) func(*cloud.Call, *ListPoliciesInput) (*ListPoliciesOutput, error) {
	return func(c *cloud.Call, in *ListPoliciesInput) (*ListPoliciesOutput, error) {
		if err := s.authorize(c, access{action: "cloudfront:List" + k.plural, arn: "*"}); err != nil {
			return nil, err
		}
		if in.Type != "" && in.Type != typeManaged && in.Type != typeCustom {
			return nil, invalidArgument("The parameter Type must be %s or %s, not %q.", typeManaged, typeCustom, in.Type)
		}
		policies := slices.DeleteFunc(s.policiesOf(k, c.Account()), func(p *policy) bool { return in.Type != "" && p.kind() != in.Type })
		items, l := paginate(policies, func(p *policy) string { return p.id }, in.Marker, in.MaxItems)
		var b bytes.Buffer
		b.WriteString("<" + k.name + `List xmlns="` + namespace + `">`)
		if l.IsTruncated {
			writeText(&b, "NextMarker", l.NextMarker)
		}
		writeText(&b, "MaxItems", strconv.Itoa(l.MaxItems))
		writeText(&b, "Quantity", strconv.Itoa(l.Quantity))
		b.WriteString("<Items>")
		for _, p := range items {
			b.WriteString("<" + k.name + "Summary>")
			writeText(&b, "Type", p.kind())
			k.write(&b, p, "")
			b.WriteString("</" + k.name + "Summary>")
		}
		b.WriteString("</Items></" + k.name + "List>")
		return &ListPoliciesOutput{b.Bytes()}, nil
	}
}

const (
	typeManaged = "managed"
	typeCustom  = "custom"
)

func (p *policy) kind() string {
	if p.account == "" {
		return typeManaged
	}
	return typeCustom
}

func (k *policyKind) find(s *Service, c *cloud.Call, action, id string) (*policy, error) {
	if err := s.authorize(c, access{action: action, arn: k.arn(c.Account(), id)}); err != nil {
		return nil, err
	}
	p := s.policy(k, c.Account(), id)
	if p == nil {
		return nil, k.missing(id)
	}
	return p, nil
}

func (k *policyKind) answer(p *policy) *PolicyOutput {
	var b bytes.Buffer
	k.write(&b, p, ` xmlns="`+namespace+`"`)
	return &PolicyOutput{ETag: p.etag, Policy: b.Bytes()}
}

func (k *policyKind) write(b *bytes.Buffer, p *policy, attributes string) {
	b.WriteString("<" + k.name + attributes + ">")
	writeText(b, "Id", p.id)
	writeText(b, "LastModifiedTime", p.modified)
	b.Write(p.config.Raw)
	b.WriteString("</" + k.name + ">")
}

// checkCachePolicy checks the settings of a cache policy.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CachePolicyConfig.html
func checkCachePolicy(config *Element) error {
	if least, otherwise, most := ttls(config); least < 0 || least > otherwise || otherwise > most {
		return invalidArgument("The parameters MinTTL, DefaultTTL and MaxTTL must not be negative, and must be in this order.")
	}
	return checkPolicyNames("CachePolicy", config.At("ParametersInCacheKeyAndForwardedToOrigin"))
}

// ttls returns the minimum, default and maximum TTL of a cache policy in seconds, with the documented defaults.
func ttls(config *Element) (least, otherwise, most int64) {
	least = seconds(config, "MinTTL", 0)
	otherwise = seconds(config, "DefaultTTL", max(least, 86400))
	return least, otherwise, seconds(config, "MaxTTL", max(otherwise, 31536000))
}

// completeCachePolicy fills in the TTLs that are missing.
func completeCachePolicy(config *Element) []byte {
	var more []string
	_, otherwise, most := ttls(config)
	if config.At("DefaultTTL") == nil {
		more = append(more, "<DefaultTTL>"+strconv.FormatInt(otherwise, 10)+"</DefaultTTL>")
	}
	if config.At("MaxTTL") == nil {
		more = append(more, "<MaxTTL>"+strconv.FormatInt(most, 10)+"</MaxTTL>")
	}
	return config.with(more...)
}

func seconds(config *Element, member string, otherwise int64) int64 {
	if n, err := strconv.ParseInt(config.Value(member), 10, 64); err == nil {
		return n
	}
	return otherwise
}

// checkOriginRequestPolicy checks the settings of an origin request policy.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_OriginRequestPolicyConfig.html
func checkOriginRequestPolicy(config *Element) error {
	return checkPolicyNames("OriginRequestPolicy", config)
}

// checkPolicyNames checks which headers, cookies and query strings a policy names.
func checkPolicyNames(kind string, e *Element) error {
	for _, part := range []struct{ config, behavior, list string }{
		{"HeadersConfig", "HeaderBehavior", "Headers"},
		{"CookiesConfig", "CookieBehavior", "Cookies"},
		{"QueryStringsConfig", "QueryStringBehavior", "QueryStrings"},
	} {
		names, behavior := len(e.Values(part.config, part.list)), e.Value(part.config, part.behavior)
		listed := slices.Contains([]string{"whitelist", "allExcept", "allViewerAndWhitelistCloudFront"}, behavior)
		switch {
		case listed && names == 0:
			return invalidArgument("The parameter %s needs at least one of %s with %s %s.", part.config, part.list, part.behavior, behavior)
		case !listed && names > 0:
			return invalidArgument("The parameter %s cannot have %s with %s %s.", part.config, part.list, part.behavior, behavior)
		case names > maxPolicyNames:
			return cloud.Errorf(400, "TooMany"+part.list+"In"+kind, "The number of %s in the policy exceeds the maximum: %d.",
				strings.ToLower(part.list), maxPolicyNames)
		}
	}
	return nil
}

// checkResponseHeadersPolicy checks the settings of a response headers policy.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ResponseHeadersPolicyConfig.html
func checkResponseHeadersPolicy(config *Element) error {
	if len(config.Items("CustomHeadersConfig")) > maxPolicyNames {
		return cloud.Errorf(400, "TooManyCustomHeadersInResponseHeadersPolicy",
			"The number of custom headers in the response headers policy exceeds the maximum: %d.", maxPolicyNames)
	}
	return nil
}

// ForwardsHost reports whether a behavior of an account's distribution sends the viewer's Host to the origin: its origin request
// policy, its cache policy or its legacy settings include the header.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/understanding-how-origin-request-policies-and-cache-policies-work-together.html
func (s *Service) ForwardsHost(account string, behavior *Element) bool {
	isHost := func(name string) bool { return strings.EqualFold(name, "host") }
	if p := s.policy(s.originRequestPolicies, account, behavior.Value("OriginRequestPolicyId")); p != nil {
		named := slices.ContainsFunc(p.config.Values("HeadersConfig", "Headers"), isHost)
		switch p.config.Value("HeadersConfig", "HeaderBehavior") {
		case "allViewer", "allViewerAndWhitelistCloudFront":
			return true
		case "whitelist":
			if named {
				return true
			}
		case "allExcept":
			if !named {
				return true
			}
		}
	}
	if p := s.policy(s.cachePolicies, account, behavior.Value("CachePolicyId")); p != nil {
		return slices.ContainsFunc(p.config.Values("ParametersInCacheKeyAndForwardedToOrigin", "HeadersConfig", "Headers"), isHost)
	}
	return slices.ContainsFunc(behavior.Values("ForwardedValues", "Headers"), func(name string) bool { return name == "*" || isHost(name) })
}

// These are the members of the configurations, according to the serializers and types of aws-sdk-go-v2/service/cloudfront v1.73.0.
const (
	cachePolicyOutline = `
Comment string
DefaultTTL int
MaxTTL int
MinTTL ! int
Name ! string
ParametersInCacheKeyAndForwardedToOrigin
 CookiesConfig !
  CookieBehavior ! none|whitelist|allExcept|all
  Cookies
   Items
    Name * string
   Quantity ! int
 EnableAcceptEncodingBrotli bool
 EnableAcceptEncodingGzip ! bool
 HeadersConfig !
  HeaderBehavior ! none|whitelist
  Headers
   Items
    Name * string
   Quantity ! int
 QueryStringsConfig !
  QueryStringBehavior ! none|whitelist|allExcept|all
  QueryStrings
   Items
    Name * string
   Quantity ! int
`
	originRequestPolicyOutline = `
Comment string
CookiesConfig !
 CookieBehavior ! none|whitelist|all|allExcept
 Cookies
  Items
   Name * string
  Quantity ! int
HeadersConfig !
 HeaderBehavior ! none|whitelist|allViewer|allViewerAndWhitelistCloudFront|allExcept
 Headers
  Items
   Name * string
  Quantity ! int
Name ! string
QueryStringsConfig !
 QueryStringBehavior ! none|whitelist|all|allExcept
 QueryStrings
  Items
   Name * string
  Quantity ! int
`
	responseHeadersPolicyOutline = `
Comment string
CorsConfig
 AccessControlAllowCredentials ! bool
 AccessControlAllowHeaders !
  Items !
   Header * string
  Quantity ! int
 AccessControlAllowMethods !
  Items !
   Method * GET|POST|OPTIONS|PUT|DELETE|PATCH|HEAD|ALL
  Quantity ! int
 AccessControlAllowOrigins !
  Items !
   Origin * string
  Quantity ! int
 AccessControlExposeHeaders
  Items
   Header * string
  Quantity ! int
 AccessControlMaxAgeSec int
 OriginOverride ! bool
CustomHeadersConfig
 Items
  ResponseHeadersPolicyCustomHeader *
   Header ! string
   Override ! bool
   Value ! string
 Quantity ! int
Name ! string
RemoveHeadersConfig
 Items
  ResponseHeadersPolicyRemoveHeader *
   Header ! string
 Quantity ! int
SecurityHeadersConfig
 ContentSecurityPolicy
  ContentSecurityPolicy ! string
  Override ! bool
 ContentTypeOptions
  Override ! bool
 FrameOptions
  FrameOption ! DENY|SAMEORIGIN
  Override ! bool
 ReferrerPolicy
  Override ! bool
  ReferrerPolicy ! no-referrer|no-referrer-when-downgrade|origin|origin-when-cross-origin|same-origin|strict-origin|strict-origin-when-cross-origin|unsafe-url
 StrictTransportSecurity
  AccessControlMaxAgeSec ! int
  IncludeSubdomains bool
  Override ! bool
  Preload bool
 XSSProtection
  ModeBlock bool
  Override ! bool
  Protection ! bool
  ReportUri string
ServerTimingHeadersConfig
 Enabled ! bool
 SamplingRate number
`
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
