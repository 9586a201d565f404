package admission

import (
	"slices"
	"strings"
)

// Reason says why something is not permitted, and what to do about it.
type Reason struct {
	Code    Code
	Message string
}

// Code is the stable name of a reason. Events carry it beside the words, so that a rule or a query need not read those.
type Code string

// Codes of shares.
const (
	ShareEmpty          Code = "share-empty"           // holds nothing yet; looked at again
	ShareUnknownAccount Code = "share-unknown-account" // policy knows no team with the sender's account
	ShareExternal       Code = "share-external"        // came as an invitation, and policy denies those
	ShareOtherType      Code = "share-other-type"      // holds something that is not a VPC origin
	ShareForeignOrigin  Code = "share-foreign-origin"  // holds an origin that the sender does not own
	ShareBadARN         Code = "share-bad-arn"         // holds a VPC origin whose ARN cannot be read
	ShareUnreadable     Code = "share-unreadable"      // its invitation cannot be opened
)

// Codes of claims.
const (
	ClaimHostMissing   Code = "claim-host-missing"
	ClaimPathsMissing  Code = "claim-paths-missing"
	ClaimDomainMissing Code = "claim-domain-missing"
	ClaimHostInvalid   Code = "claim-host-invalid"
	ClaimPathInvalid   Code = "claim-path-invalid"
	ClaimDomainInvalid Code = "claim-domain-invalid"
	ClaimOutsideDomain Code = "claim-outside-domain" // host is not under the policy's domain, or no alias would cover it
	ClaimNotGranted    Code = "claim-not-granted"    // no grant permits this host with this path
	ClaimTaken         Code = "claim-taken"          // overlaps what another origin holds
	ClaimUnreadable    Code = "claim-unreadable"     // the origin's tags cannot be read
)

// Codes of origins.
const (
	OriginUnknownAccount Code = "origin-unknown-account" // policy knows no team with the owner's account
	OriginTearingDown    Code = "origin-tearing-down"    // carries the teardown tag
	OriginNotShared      Code = "origin-not-shared"      // was shared, and is no more
	DoesNotFit           Code = "does-not-fit"           // waits until another origin leaves or a limit is raised
)

// Waits tells whether time or somebody else may put the reason right, with nothing wrong about the origin itself.
func (r Reason) Waits() bool {
	return r.Code == ShareEmpty || r.Code == DoesNotFit
}

// Codes lists the codes of reasons, each once.
func Codes(reasons []Reason) []Code {
	var codes []Code
	for _, r := range reasons {
		if !slices.Contains(codes, r.Code) {
			codes = append(codes, r.Code)
		}
	}
	return codes
}

// Why joins the messages of reasons.
func Why(reasons []Reason) string {
	words := make([]string, len(reasons))
	for i, r := range reasons {
		words[i] = r.Message
	}
	return strings.Join(words, "; ")
}

func allWait(reasons []Reason) bool {
	for _, r := range reasons {
		if !r.Waits() {
			return false
		}
	}
	return len(reasons) > 0
}
