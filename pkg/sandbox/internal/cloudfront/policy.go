package cloudfront

import (
	"encoding/xml"
	"slices"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// managedPolicy is a policy that AWS owns and every account can use.
type managedPolicy struct{ id, name string }

// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html
func cachePolicies() []managedPolicy {
	return []managedPolicy{
		{"4135ea2d-6df8-44a3-9df3-4b5a84be39ad", "Managed-CachingDisabled"},
		{"658327ea-f89d-4fab-a63d-7e88639e58f6", "Managed-CachingOptimized"},
		{"b2884449-e4de-46a7-ac36-70bc7f1ddd6d", "Managed-CachingOptimizedForUncompressedObjects"},
		{"08627262-05a9-4f76-9ded-b50ca2e3a84f", "Managed-Elemental-MediaPackage"},
		{"2e54312d-136d-493c-8eb9-b001f22f67d2", "Managed-Amplify"},
		{"83da9c7e-98b4-4e11-a168-04f0df8e2c65", "UseOriginCacheControlHeaders"},
		{"4cc15a8a-d715-48a4-82b8-cc0b614638fe", "UseOriginCacheControlHeaders-QueryStrings"},
	}
}

// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-origin-request-policies.html
func originRequestPolicies() []managedPolicy {
	return []managedPolicy{
		{"216adef6-5c7f-47e4-b989-5492eafa07d3", "Managed-AllViewer"},
		{"b689b0a8-53d0-40ab-baf2-68738e2966ac", "Managed-AllViewerExceptHostHeader"},
		{"33f36d7e-f396-46d9-90e0-52428a34d9dc", "Managed-AllViewerAndCloudFrontHeaders-2022-06"},
		{"59781a5b-3903-41f3-afcb-af62929ccde1", "Managed-CORS-CustomOrigin"},
		{"88a5eaf4-2fd4-4709-b370-b4c650ea3fcf", "Managed-CORS-S3Origin"},
		{"775133bc-15f2-49f9-abea-afb2e0bf67d2", "Managed-Elemental-MediaTailor-PersonalizedManifests"},
		{"bf0718e1-ba1e-49d1-88b1-f726733018ae", "Managed-HostHeaderOnly"},
		{"acba4595-bd28-49b8-b9fe-13317c0390fa", "Managed-UserAgentRefererHeaders"},
	}
}

// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-response-headers-policies.html
func responseHeadersPolicies() []managedPolicy {
	return []managedPolicy{
		{"60669652-455b-4ae9-85a4-c4c02393f86c", "Managed-SimpleCORS"},
		{"5cc3b908-e619-4b99-88e5-2cf7f45965bd", "Managed-CORS-With-Preflight"},
		{"67f7725c-6f97-4210-82d7-5512b31e9d03", "Managed-SecurityHeadersPolicy"},
		{"e61eb60c-9c35-4d20-a928-2b84e02af89c", "Managed-CORS-and-SecurityHeadersPolicy"},
		{"eaab4381-ed33-4a86-88ca-d9558dc6cd63", "Managed-CORS-with-preflight-and-SecurityHeadersPolicy"},
	}
}

// forwardsHost reports whether a managed origin request policy sends the viewer's Host to the origin.
func forwardsHost(policy string) bool {
	return slices.Contains([]string{
		"216adef6-5c7f-47e4-b989-5492eafa07d3", "33f36d7e-f396-46d9-90e0-52428a34d9dc", "bf0718e1-ba1e-49d1-88b1-f726733018ae",
	}, policy)
}

func managed(policies []managedPolicy, id string) bool {
	return slices.ContainsFunc(policies, func(p managedPolicy) bool { return p.id == id })
}

// ListPoliciesInput is the input of ListCachePolicies and ListOriginRequestPolicies.
type ListPoliciesInput struct {
	Marker   string `loc:"query" name:"Marker"`
	MaxItems int    `loc:"query" name:"MaxItems"`
	Type     string `loc:"query" name:"Type"`
}

// PolicyID is the input of GetCachePolicy and GetOriginRequestPolicy.
type PolicyID struct {
	ID string `loc:"uri" name:"Id"`
}

// ListCachePoliciesOutput is the output of ListCachePolicies.
type ListCachePoliciesOutput struct {
	CachePolicyList *CachePolicyList `loc:"payload"`
}

// CachePolicyList is the wire form of a page of cache policies.
type CachePolicyList struct {
	XMLName    xml.Name             `xml:"CachePolicyList" json:"-"`
	NextMarker string               `xml:"NextMarker,omitempty"`
	MaxItems   int                  `xml:"MaxItems"`
	Quantity   int                  `xml:"Quantity"`
	Items      []CachePolicySummary `xml:"Items>CachePolicySummary"`
}

// CachePolicySummary is one cache policy of a list.
type CachePolicySummary struct {
	Type        string      `xml:"Type"`
	CachePolicy CachePolicy `xml:"CachePolicy"`
}

// CachePolicy is the wire form of a cache policy. The sandbox knows the ids and names of managed policies, not their settings.
type CachePolicy struct {
	XMLName          xml.Name   `xml:"CachePolicy" json:"-"`
	ID               string     `xml:"Id"`
	LastModifiedTime string     `xml:"LastModifiedTime"`
	Config           PolicyName `xml:"CachePolicyConfig"`
}

// PolicyName is the part of a policy's settings that the sandbox knows.
type PolicyName struct {
	Name   string `xml:"Name"`
	MinTTL string `xml:"MinTTL,omitempty"`
}

// CachePolicyOutput is the output of GetCachePolicy.
type CachePolicyOutput struct {
	ETag        string       `loc:"header" name:"ETag"`
	CachePolicy *CachePolicy `loc:"payload"`
}

// ListOriginRequestPoliciesOutput is the output of ListOriginRequestPolicies.
type ListOriginRequestPoliciesOutput struct {
	OriginRequestPolicyList *OriginRequestPolicyList `loc:"payload"`
}

// OriginRequestPolicyList is the wire form of a page of origin request policies.
type OriginRequestPolicyList struct {
	XMLName    xml.Name                     `xml:"OriginRequestPolicyList" json:"-"`
	NextMarker string                       `xml:"NextMarker,omitempty"`
	MaxItems   int                          `xml:"MaxItems"`
	Quantity   int                          `xml:"Quantity"`
	Items      []OriginRequestPolicySummary `xml:"Items>OriginRequestPolicySummary"`
}

// OriginRequestPolicySummary is one origin request policy of a list.
type OriginRequestPolicySummary struct {
	Type                string              `xml:"Type"`
	OriginRequestPolicy OriginRequestPolicy `xml:"OriginRequestPolicy"`
}

// OriginRequestPolicy is the wire form of an origin request policy.
type OriginRequestPolicy struct {
	XMLName          xml.Name   `xml:"OriginRequestPolicy" json:"-"`
	ID               string     `xml:"Id"`
	LastModifiedTime string     `xml:"LastModifiedTime"`
	Config           PolicyName `xml:"OriginRequestPolicyConfig"`
}

// OriginRequestPolicyOutput is the output of GetOriginRequestPolicy.
type OriginRequestPolicyOutput struct {
	ETag                string               `loc:"header" name:"ETag"`
	OriginRequestPolicy *OriginRequestPolicy `loc:"payload"`
}

const (
	policyETag     = "E23ZP02F085DFQ"
	policyModified = "2021-01-01T00:00:00.000Z"
)

// listCachePolicies implements ListCachePolicies.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ListCachePolicies.html
func (s *Service) listCachePolicies(c *cloud.Call, in *ListPoliciesInput) (*ListCachePoliciesOutput, error) {
	if err := s.authorize(c, access{action: "cloudfront:ListCachePolicies", arn: "*"}); err != nil {
		return nil, err
	}
	items, l := listPolicies(cachePolicies(), in)
	list := &CachePolicyList{NextMarker: l.NextMarker, MaxItems: l.MaxItems, Quantity: l.Quantity}
	for _, p := range items {
		list.Items = append(list.Items, CachePolicySummary{"managed", *cachePolicy(p)})
	}
	return &ListCachePoliciesOutput{list}, nil
}

// getCachePolicy implements GetCachePolicy.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_GetCachePolicy.html
func (s *Service) getCachePolicy(c *cloud.Call, in *PolicyID) (*CachePolicyOutput, error) {
	arn := "arn:aws:cloudfront::" + c.Account() + ":cache-policy/" + in.ID
	if err := s.authorize(c, access{action: "cloudfront:GetCachePolicy", arn: arn}); err != nil {
		return nil, err
	}
	for _, p := range cachePolicies() {
		if p.id == in.ID {
			return &CachePolicyOutput{policyETag, cachePolicy(p)}, nil
		}
	}
	return nil, cloud.Errorf(404, "NoSuchCachePolicy", "The cache policy does not exist: %s", in.ID)
}

// listOriginRequestPolicies implements ListOriginRequestPolicies.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ListOriginRequestPolicies.html
func (s *Service) listOriginRequestPolicies(c *cloud.Call, in *ListPoliciesInput) (*ListOriginRequestPoliciesOutput, error) {
	if err := s.authorize(c, access{action: "cloudfront:ListOriginRequestPolicies", arn: "*"}); err != nil {
		return nil, err
	}
	items, l := listPolicies(originRequestPolicies(), in)
	list := &OriginRequestPolicyList{NextMarker: l.NextMarker, MaxItems: l.MaxItems, Quantity: l.Quantity}
	for _, p := range items {
		list.Items = append(list.Items, OriginRequestPolicySummary{"managed", *originRequestPolicy(p)})
	}
	return &ListOriginRequestPoliciesOutput{list}, nil
}

// getOriginRequestPolicy implements GetOriginRequestPolicy.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_GetOriginRequestPolicy.html
func (s *Service) getOriginRequestPolicy(c *cloud.Call, in *PolicyID) (*OriginRequestPolicyOutput, error) {
	arn := "arn:aws:cloudfront::" + c.Account() + ":origin-request-policy/" + in.ID
	if err := s.authorize(c, access{action: "cloudfront:GetOriginRequestPolicy", arn: arn}); err != nil {
		return nil, err
	}
	for _, p := range originRequestPolicies() {
		if p.id == in.ID {
			return &OriginRequestPolicyOutput{policyETag, originRequestPolicy(p)}, nil
		}
	}
	return nil, cloud.Errorf(404, "NoSuchOriginRequestPolicy", "The origin request policy does not exist: %s", in.ID)
}

func listPolicies(policies []managedPolicy, in *ListPoliciesInput) ([]managedPolicy, Listing) {
	if in.Type == "custom" {
		policies = nil
	}
	return paginate(policies, func(p managedPolicy) string { return p.id }, in.Marker, in.MaxItems)
}

func cachePolicy(p managedPolicy) *CachePolicy {
	return &CachePolicy{ID: p.id, LastModifiedTime: policyModified, Config: PolicyName{p.name, "0"}}
}

func originRequestPolicy(p managedPolicy) *OriginRequestPolicy {
	return &OriginRequestPolicy{ID: p.id, LastModifiedTime: policyModified, Config: PolicyName{Name: p.name}}
}
