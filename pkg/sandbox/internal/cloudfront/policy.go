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

// RemovedHeaders returns the headers that the response headers policy of a behavior removes from responses.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/understanding-response-headers-policies.html
func (s *Service) RemovedHeaders(account string, behavior *Element) []string {
	p := s.policy(s.responseHeadersPolicies, account, behavior.Value("ResponseHeadersPolicyId"))
	if p == nil {
		return nil
	}
	var names []string
	for _, h := range p.config.Items("RemoveHeadersConfig") {
		names = append(names, h.Value("Header"))
	}
	return names
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
