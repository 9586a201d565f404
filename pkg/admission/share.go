package admission

import (
	"github.com/originhub/originhub/pkg/origin"
)

// VPCOrigin is RAM's name for the one resource type that the hub accepts (facts/aws.md section 2).
const VPCOrigin = "cloudfront:VpcOrigin"

// Share is a RAM share as its receiver sees it.
type Share struct {
	ARN        string
	Name       string
	Owner      string     // account that shares
	Invitation bool       // waits for acceptance, so it came from outside the organization
	Resources  []Resource // everything in it
}

// Resource is something shared.
type Resource struct {
	ARN  string
	Type string
}

// ShareDecision is what becomes of a share.
type ShareDecision struct {
	Accept  bool
	Reasons []Reason     // every reason against it
	Origins []origin.Ref // what it brings when accepted, sorted by id
}

// Waits tells whether the share is to be looked at again instead of refused.
func (d ShareDecision) Waits() bool { return !d.Accept && allWait(d.Reasons) }

// DecideShare decides about a share.
func DecideShare(s Share, p Policy) ShareDecision { return ShareDecision{} }
