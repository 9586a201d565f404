// Package wiring computes what to change in the DistributionConfig of a distribution, and changes it there.
package wiring

import (
	"time"

	"github.com/originhub/originhub/pkg/origin"
)

// Managed policies of every behavior (facts/aws.md section 8).
const (
	CachingDisabled = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
	AllViewer       = "216adef6-5c7f-47e4-b989-5492eafa07d3"
)

// Prefix begins the id of every origin that is ours. Package contract repeats it.
const Prefix = "originhub-"

// OriginID is the id of a VPC origin within a distribution: the same for ever.
func OriginID(vpcOrigin string) string { return Prefix + vpcOrigin }

// Spec is what DesiredOf needs of policy.
type Spec struct {
	Domain   string
	Wildcard bool // one alias *.<Domain>; else one per host
	Created  bool // the distribution is ours, so it is enabled exactly while something is wired
	Limits   Limits
}

// Limits are a distribution's quotas; they count foreign parts too. Zero means no limit.
type Limits struct{ Origins, Behaviors, Aliases int }

// Desired is what our part of a distribution should be.
type Desired struct {
	Origins  []Origin // in any order
	Aliases  []string
	Released []string // aliases to take away unless Aliases has them
	Toggle   bool     // enable with the first origin, disable with the last
	Limits   Limits
}

// Origin is one origin to wire.
type Origin struct {
	VPCOrigin string   `json:"vpcOrigin"`
	Account   string   `json:"account"` // owner
	Domain    string   `json:"domain"`
	Paths     []string `json:"paths"`
}

// DesiredOf is what the registry wants. Conflicts between records are settled before (admission.Settle).
func DesiredOf(records []origin.Record, s Spec) Desired { return Desired{} }

// Config is a DistributionConfig: an element tree that keeps every byte that it is not told to change.
type Config struct{}

// ParseConfig reads a DistributionConfig document.
func ParseConfig(xml []byte) (*Config, error) { return &Config{}, nil }

// Bytes is the document.
func (c *Config) Bytes() []byte { return nil }

// Plan is what to change.
type Plan struct {
	Changes []Change  `json:"changes"`
	Refused []Problem `json:"refused,omitempty"` // entries that are left out of Changes
}

// Change is one change.
type Change struct {
	Op     Op     `json:"op"`
	Kind   Kind   `json:"kind"`
	ID     string `json:"id"`               // origin id, path pattern or alias; empty for the distribution
	Origin string `json:"origin,omitempty"` // of a behavior: the id of its target
	Was    string `json:"was,omitempty"`
}

// Op is what happens.
type Op string

// Kind is to what it happens.
type Kind string

// Problem says why an origin cannot be wired or removed.
type Problem struct {
	VPCOrigin string `json:"vpcOrigin"`
	Code      string `json:"code"`
	Message   string `json:"message"`
	Waits     bool   `json:"waits"` // nothing is wrong with it: it does not fit now
}

// Empty tells whether there is nothing to write.
func (p Plan) Empty() bool { return len(p.Changes) == 0 }

// String tells people what the plan does.
func (p Plan) String() string { return "" }

// Diff compares.
func Diff(d Desired, c *Config) (Plan, error) { return Plan{}, nil }

// Apply changes a copy of the config that the plan was made for.
func Apply(p Plan, c *Config) (*Config, error) { return c, nil }

// BaseSpec is what a distribution is created with.
type BaseSpec struct {
	CallerReference string
	Comment         string
	PriceClass      string // empty: PriceClass_All
	HTTPVersion     string // empty: http2and3
	Certificate     string // ACM ARN; empty: CloudFront's own
	Aliases         []string
	NotFound        string // ARN of the published function with NotFoundFunction's code
}

// Base is the config of a new distribution: disabled, with nothing of ours, and every answer a 404.
func Base(s BaseSpec) *Config { return &Config{} }

// NotFoundFunction is the code of the viewer-request function behind the default behavior (cloudfront-js-2.0).
const NotFoundFunction = `function handler(event) {
    return { statusCode: 404, statusDescription: 'Not Found' };
}
`

// OriginIDs lists the ids of all origins in order.
func (c *Config) OriginIDs() []string { return nil }

// Aliases lists the alternate domain names in order.
func (c *Config) Aliases() []string { return nil }

// Enabled is the element of that name.
func (c *Config) Enabled() bool { return false }

// IPv6 is the element IsIPV6Enabled.
func (c *Config) IPv6() bool { return false }

// CallerReference is the element of that name.
func (c *Config) CallerReference() string { return "" }

// Comment is the element of that name.
func (c *Config) Comment() string { return "" }

// Behavior is what can be read of a cache behavior.
type Behavior struct{ Path, Origin string }

// Behaviors lists the cache behaviors in order, without the default one.
func (c *Config) Behaviors() []Behavior { return nil }

// Uses tells whether any part of the config, foreign ones included, names the VPC origin.
func (c *Config) Uses(vpcOrigin string) bool { return false }

// AliasZone is the hosted zone of every CloudFront alias target (facts/aws.md section 7).
const AliasZone = "Z2FDTNDATAQYW2"

// DNSRecord is a record set. Of one that is no alias, Target is empty.
type DNSRecord struct {
	Name   string // without the trailing dot
	Type   string // A, AAAA, CNAME, …
	Target string // alias target, without the trailing dot
}

// DNSPlan is what to change in the hosted zone.
type DNSPlan struct {
	Upsert  []DNSRecord
	Delete  []DNSRecord
	Refused []DNSRecord // existing records that stand in the way and are not ours
}

// Empty tells whether there is nothing to write.
func (p DNSPlan) Empty() bool { return len(p.Upsert) == 0 && len(p.Delete) == 0 }

// Records compares the hosts of live origins with the existing records for them. target is the distribution's domain
// name; records that point there are ours.
func Records(records []origin.Record, target string, ipv6 bool, existing []DNSRecord) DNSPlan {
	return DNSPlan{}
}

// NextLook is how long to wait before looking again whether a deployment is done.
func NextLook(since time.Duration) time.Duration { return 120 * time.Second }

// Suspects are the origins that an error text of UpdateDistribution names.
func Suspects(errText string, entries []Entry) []string { return nil }

// Entry is what an error text may name of an origin.
type Entry struct {
	VPCOrigin string
	Names     []string // aliases, domain, paths
}

// Search finds the entries that make an update invalid. It is a value: Learn answers a new one.
type Search struct{}

// NewSearch begins a search among entries. Nothing is known yet: the first try is all of them.
func NewSearch(entries []string) Search { return Search{} }

// Done tells whether every entry is either accepted or bad.
func (s Search) Done() bool { return true }

// Next is the subset of entries to try together.
func (s Search) Next() []string { return nil }

// Learn takes in whether the try that Next named was accepted.
func (s Search) Learn(accepted bool) Search { return s }

// Bad are the entries found so far that cannot be wired.
func (s Search) Bad() []string { return nil }
