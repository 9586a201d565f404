// Package cloudfront emulates the CloudFront control plane: distributions exactly as they were written, VPC origins, functions,
// tags and policies.
package cloudfront

import (
	"slices"
	"sort"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// These are durations in virtual time. Assumptions CF-04, CF-09 and CF-12.
const (
	DistributionDeployment = 300 * time.Second
	VpcOriginDeployment    = 600 * time.Second
	VpcOriginDeletion      = 420 * time.Second
)

const (
	statusDeployed   = "Deployed"
	statusInProgress = "InProgress" // distributions
	statusDeploying  = "Deploying"  // VPC origins
	statusFailed     = "Failed"     // VPC origins, after FailVpcOrigin
)

// Service is CloudFront of all accounts.
type Service struct {
	// FutureFields are paths of DistributionConfig elements that the pinned SDK does not know and that are accepted nevertheless,
	// such as "Origins/Items/Origin/NewThing". Set before the first call.
	FutureFields []string
	// Propagation returns how long the next update of a distribution takes to reach the last edge.
	Propagation func() time.Duration
	// UpdatesPerMinute is how many calls of UpdateDistribution an account may send within a minute; 0 if there is no limit.
	UpdatesPerMinute int
	// OmitsShared leaves the VPC origins that are shared with the caller out of ListVpcOrigins (assumption CF-42).
	OmitsShared bool
	// KeepPast keeps every configuration for ServedAt.
	KeepPast bool
	// Quota returns an account's value of a quota, by its code.
	Quota func(account, code string) int

	world         *cloud.World
	schema        *node
	distributions map[string]*distribution // by id
	origins       map[string]*vpcOrigin    // by id
	functions     map[string]*function     // by ARN

	cachePolicies, originRequestPolicies, responseHeadersPolicies *policyKind
	// custom holds the policies that accounts created, in the order of their creation, by the name of their kind.
	custom map[string][]*policy

	watchers []Watcher
	edits    int // number of edits by a fault rule

	updates map[string][]time.Time // by account, the last calls of UpdateDistribution that were not throttled
}

// Watcher is called when a VPC origin gains or loses its endpoint. Called with the world locked.
type Watcher interface {
	// VpcOriginRefused returns why an endpoint, given by ARN, cannot be that of a VPC origin, or "" if it can.
	VpcOriginRefused(endpoint string) string
	// VpcOriginAttached is called when a VPC origin is created, and when an update moves it to another endpoint. From then on the
	// VPC origin reaches into the subnets of its endpoint.
	VpcOriginAttached(o VpcOriginView)
	// VpcOriginDetached is called when a VPC origin leaves its endpoint at the given time: when it returns EntityNotFound, or
	// when an update that moves it is Deployed.
	VpcOriginDetached(o VpcOriginView, at time.Time)
}

// New returns a CloudFront without distributions.
func New(w *cloud.World) *Service {
	return &Service{
		Propagation: func() time.Duration { return DistributionDeployment }, Quota: Documented, world: w, schema: parseOutline("DistributionConfig", distributionConfigOutline),
		distributions: map[string]*distribution{}, origins: map[string]*vpcOrigin{}, functions: map[string]*function{},
		cachePolicies: cachePolicies(), originRequestPolicies: originRequestPolicies(), responseHeadersPolicies: responseHeadersPolicies(),
		custom: map[string][]*policy{}, updates: map[string][]time.Time{},
	}
}

// Watch adds a watcher. Call it while the sandbox is assembled.
func (s *Service) Watch(w Watcher) { s.watchers = append(s.watchers, w) }

func (s *Service) now() time.Time { return s.world.Clock.Now() }

func (s *Service) newETag() string { return "E" + s.world.IDs.Upper(13) }

func (s *Service) shared(arn, account string) bool {
	return s.world.Sharing != nil && s.world.Sharing.SharedWith(arn, account)
}

// timestamp returns a time in CloudFront's format.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// access is one question to IAM about a resource and its tags.
type access struct {
	action, arn string
	owner       string // account that owns the resource; the caller's when empty
	tags        map[string]string
	requestTags map[string]string
	tagKeys     []string
}

// authorize checks the caller's permission. Resources of other accounts are out of reach, except that a shared VPC origin can be
// read. Assumptions CF-10 and CF-16.
func (s *Service) authorize(c *cloud.Call, a access) error {
	context := map[string][]string{}
	for k, v := range a.tags {
		context["aws:ResourceTag/"+k] = []string{v}
	}
	for k, v := range a.requestTags {
		context["aws:RequestTag/"+k] = []string{v}
		a.tagKeys = append(a.tagKeys, k)
	}
	if len(a.tagKeys) > 0 {
		context["aws:TagKeys"] = slices.Sorted(slices.Values(a.tagKeys))
	}
	if a.owner == "" || a.owner == c.Account() {
		return c.Authorize(a.action, a.arn, context)
	}
	policy := ""
	if a.action == "cloudfront:GetVpcOrigin" && s.shared(a.arn, c.Account()) {
		policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + c.Account() +
			`:root"},"Action":"` + a.action + `","Resource":"` + a.arn + `"}]}`
	}
	if err := c.AuthorizeWithResourcePolicy(a.action, a.arn, a.owner, policy, context); err != nil {
		return err
	}
	if policy == "" {
		return accessDenied("User: %s is not authorized to perform: %s on resource: %s because it belongs to account %s",
			c.Caller.ARN, a.action, a.arn, a.owner)
	}
	return nil
}

// Listing is the paging part of the outputs of list operations.
type Listing struct {
	Marker      string `xml:"Marker"`
	NextMarker  string `xml:"NextMarker,omitempty"`
	MaxItems    int    `xml:"MaxItems"`
	IsTruncated bool   `xml:"IsTruncated"`
	Quantity    int    `xml:"Quantity"`
}

// paginate returns one page of items sorted by key. A marker is the key of the last item of the previous page.
func paginate[T any](items []T, key func(T) string, marker string, maxItems int) ([]T, Listing) {
	sort.Slice(items, func(i, j int) bool { return key(items[i]) < key(items[j]) })
	if maxItems <= 0 || maxItems > 100 {
		maxItems = 100
	}
	from := sort.Search(len(items), func(i int) bool { return key(items[i]) > marker })
	items = items[from:]
	l := Listing{Marker: marker, MaxItems: maxItems}
	if len(items) > maxItems {
		items, l.IsTruncated = items[:maxItems], true
		l.NextMarker = key(items[len(items)-1])
	}
	l.Quantity = len(items)
	return items, l
}

// Snapshot returns what CloudFront holds for an account. Call with the world locked.
func (s *Service) Snapshot(account string) map[string]any {
	distributions, origins, functions := []any{}, []any{}, []any{}
	for _, d := range s.distributionsOf(account) {
		distributions = append(distributions, map[string]any{
			"id": d.id, "domainName": d.domain, "status": d.status(s.now()), "etag": d.etag, "enabled": d.enabled(),
			"aliases": nonNil(d.config().Values("Aliases")), "origins": nonNil(originIDs(d.config())),
			"pathPatterns": nonNil(pathPatterns(d.config())), "comment": d.config().Value("Comment"), "tags": d.tags,
		})
	}
	for _, o := range s.originsOf(account) {
		users := []string{}
		for _, d := range s.users(o.id) {
			users = append(users, d.account+"/"+d.id)
		}
		origins = append(origins, map[string]any{
			"id": o.id, "arn": o.arn, "name": o.config.Name, "status": o.status(s.now()), "etag": o.etag,
			"endpoint": o.config.Arn, "deleting": !o.deleted.IsZero(), "usedBy": users, "tags": o.tags,
		})
	}
	for _, f := range s.functionsOf(account) {
		functions = append(functions, map[string]any{"name": f.name, "arn": f.arn, "published": f.live != nil})
	}
	policies := []any{}
	for _, k := range []*policyKind{s.cachePolicies, s.originRequestPolicies, s.responseHeadersPolicies} {
		for _, p := range s.policiesOf(k, account) {
			if p.account != "" {
				policies = append(policies, map[string]any{"kind": k.resource, "id": p.id, "name": p.name})
			}
		}
	}
	return map[string]any{"distributions": distributions, "vpcOrigins": origins, "functions": functions, "policies": policies}
}

func nonNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
