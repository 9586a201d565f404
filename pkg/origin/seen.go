package origin

import "time"

// VpcOrigin is a VPC origin as CloudFront shows it.
type VpcOrigin struct {
	Ref
	Deployed bool
	Endpoint string // ARN of the load balancer or instance behind it
	ETag     string
	Created  time.Time
}

// Served is a distribution as CloudFront shows it.
type Served struct {
	ID       string
	Domain   string
	Deployed bool
	ETag     string
	Config   []byte // the DistributionConfig element, as it came
}

// User is a distribution that uses a VPC origin.
type User struct {
	Distribution string
	Account      string
}

// Invitation is a pending RAM invitation.
type Invitation struct {
	ARN    string
	Share  string
	Name   string // of the share
	Sender string // account
	Sent   time.Time
}

// Resource is one resource in a RAM share.
type Resource struct {
	Share string // ARN
	ARN   string
	Type  string // "cloudfront:VpcOrigin"
}

// Share is a RAM share that others opened to us.
type Share struct {
	ARN   string
	Name  string
	Owner string
}

// Association says that a share of ours holds a resource.
type Association struct {
	Share    string // ARN
	Resource string // ARN
	Status   string // as RAM says: ASSOCIATED, DISASSOCIATING, …
}

// ENI is a network interface.
type ENI struct {
	ID     string
	VPC    string
	Subnet string
}

// Endpoint is where the load balancer or instance behind a VPC origin stands.
type Endpoint struct {
	Region  string
	VPC     string
	Subnets []string
}

// Event is what happened: a detail type in the past tense, the resource it happened to, and the detail.
type Event struct {
	Type     string
	Resource string // ARN; may be empty
	Detail   any    // marshals to a JSON object
}

// DNSRecord is a record set of the hub's hosted zone. Of one that is no alias, Target is empty.
type DNSRecord struct {
	Name   string // without the trailing dot
	Type   string // A, AAAA, CNAME, …
	Target string // alias target, without the trailing dot
}
