// Package hubpolicy is the whole hub policy as a value. Package policy reads it from YAML.
package hubpolicy

import (
	"net/netip"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/teardown"
)

// Policy is the hub policy: the part that admission decides by, and the settings of everything else.
type Policy struct {
	admission.Policy
	Hub          string // part of the names of the event bus, the spoke role and the caller references
	Organization string // "o-…"; empty if the hub is in no AWS organization
	// External names the teams whose accounts are outside Organization.
	External    []string
	HostedZone  string             // id of the Route 53 hosted zone of Domain
	Certificate string             // ARN of an ACM certificate in us-east-1
	ExternalID  string             // of every spoke role
	Created     Created            // for the distributions that the hub creates
	Permissions origin.Permissions // for the distributions that the hub adopts
	Grace       teardown.Bounds
	Updates     Updates
	Retention   int // days for which log groups and the archive keep what they get: one of Retentions
	// Networks are the CIDR blocks from which the team stack creates the teams' VPCs, by team: /16 to /26, without overlaps. A
	// team that is not in it has a network of its own.
	Networks map[string]netip.Prefix
}

// Created is the configuration of the distributions that the hub creates.
type Created struct {
	Comment     string
	PriceClass  string // empty: PriceClass_All
	HTTPVersion string // empty: http2and3
	WebACL      string // ARN of a web ACL of AWS WAF with scope CLOUDFRONT; empty: none
	LogBucket   string // name of the S3 bucket for standard logs (legacy); empty: none are written
	// ResponseHeaders is the id of the response headers policy of every behavior; empty: the one that the hub's stack made.
	ResponseHeaders string
}

// Updates paces UpdateDistribution.
type Updates struct {
	Spacing time.Duration // the least time between two updates of a distribution
	Window  time.Duration // how long changes are collected before an update
	// PerMinute is how many updates are sent in a minute at most, of all distributions together.
	PerMinute int
}

// Account returns the id of the networking account, which owns the hub. It is the account of the certificate, since a distribution
// can only use certificates of its own account
// (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cnames-and-https-requirements.html).
func (p Policy) Account() string {
	_, rest, _ := strings.Cut(p.Certificate, "arn:aws:acm:us-east-1:")
	account, _, _ := strings.Cut(rest, ":")
	return account
}

// Retentions returns the numbers of days for which a log group can keep lines
// (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html).
func Retentions() []int {
	return []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
}
