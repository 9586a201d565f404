package origin

import (
	"strings"
	"time"
)

// VpcOrigin is a VPC origin as CloudFront returns it.
type VpcOrigin struct {
	Ref
	Deployed bool
	// OtherStatus is CloudFront's status if it is neither Deploying nor Deployed. The API model does not list the statuses.
	OtherStatus string
	Endpoint    string // ARN of the load balancer or instance behind it
	ETag        string
	Created     time.Time
	Modified    time.Time // when its owner last created or updated it
}

// Served is a distribution with its configuration, as CloudFront returns it.
type Served struct {
	ID       string
	Domain   string
	Deployed bool
	ETag     string
	Config   []byte // the DistributionConfig element, unchanged
}

// AliasHolder is a distribution that has an alias. CloudFront hides all but the end of its ids, whoever owns it.
type AliasHolder struct {
	Alias        string
	Distribution string // for example "*******EXAMPLE"
	Account      string // for example "******112233"
}

// AliasHolders is the answer to the question which other distributions have an alias that overlaps a host.
type AliasHolders struct {
	List  []AliasHolder
	Error string // AWS's error code, or "unknown", if the question failed; else ""
}

// Holder returns the partly hidden id of the distribution that has host as an alias, or "".
func (h AliasHolders) Holder(host string) string {
	for _, a := range h.List {
		if strings.EqualFold(a.Alias, host) {
			return a.Distribution
		}
	}
	return ""
}

// Of returns in words which distribution has host as an alias. CloudFront shows standard distributions only
// (https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ListConflictingAliases.html).
func (h AliasHolders) Of(host string) string {
	for _, a := range h.List {
		if strings.EqualFold(a.Alias, host) {
			return host + " is an alias of distribution " + a.Distribution + " in account " + a.Account + " (CloudFront hides a part of the ids); have the alias removed there"
		}
	}
	if h.Error != "" {
		return "originhub cannot find out which distribution has the alias " + host + ", because cloudfront:ListConflictingAliases fails with " + h.Error +
			"; permit it to the hub's role, and give the hub's distribution a certificate that covers " + host
	}
	return "CloudFront shows no standard distribution with the alias " + host + "; if a distribution tenant has it, aws cloudfront list-domain-conflicts shows that"
}

// User is a distribution, of any account, that uses a VPC origin.
type User struct {
	Distribution string
	Account      string
}

// Invitation is a pending invitation to a RAM share.
type Invitation struct {
	ARN    string
	Share  string // ARN
	Name   string // of the share
	Sender string // account id
	Sent   time.Time
}

// Resource is one resource in a RAM share.
type Resource struct {
	Share string // ARN
	ARN   string
	Type  string // "cloudfront:VpcOrigin"
	// Associated is when the resource came into the share; zero if that is not known.
	// https://docs.aws.amazon.com/ram/latest/APIReference/API_Resource.html
	Associated time.Time
}

// Share is a RAM share of another account that is open to the hub.
type Share struct {
	ARN        string
	Name       string
	Owner      string // account id
	Membership Membership
	Created    time.Time
}

// Membership is whether the owner of a share is in the organization of the hub's account, as RAM reports it.
type Membership string

// Memberships.
const (
	MembershipUnknown Membership = "" // RAM reports nothing about it
	Inside            Membership = "inside"
	Outside           Membership = "outside"
)

// Association is the association of a resource with a RAM share, as the owner of the share reads it.
type Association struct {
	Share    string // ARN
	Name     string // of the share
	Resource string // ARN
	Status   string // RAM's status: ASSOCIATED, DISASSOCIATING, …
}

// ENI is a network interface.
type ENI struct {
	ID     string
	VPC    string
	Subnet string
}

// Endpoint is the location of the load balancer or instance behind a VPC origin.
type Endpoint struct {
	Region  string
	VPC     string
	Subnets []string
}

// Execution is an execution of a Step Functions state machine. Error and Cause are set when Status is FAILED, TIMED_OUT or ABORTED, if
// AWS knows them (https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html).
type Execution struct {
	Status  string // RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED or PENDING_REDRIVE
	Error   string
	Cause   string
	Started time.Time
}

// Event is an event to publish.
type Event struct {
	Type     string // detail type
	Resource string // ARN of the resource that it is about; may be empty
	Detail   any    // marshals to a JSON object
}

// DNSRecord is a record set of the hub's hosted zone.
type DNSRecord struct {
	Name   string // without the trailing dot
	Type   string // A, AAAA, CNAME, …
	Target string // alias target, without the trailing dot; empty for a record set that is not an alias
}
