package admission

import (
	"fmt"

	"github.com/originhub/originhub/pkg/origin"
)

// Reason is that of package origin.
type Reason = origin.Reason

// Code is that of package origin.
type Code = origin.Code

// Codes of shares.
const (
	ShareEmpty          Code = "share-empty"           // holds nothing yet; looked at again
	ShareUnknownAccount Code = "share-unknown-account" // policy knows no team with the sender's account
	ShareExternal       Code = "share-external"        // came as an invitation, and policy denies those
	ShareOtherType      Code = "share-other-type"      // holds something that is not a VPC origin
	ShareOtherOwner     Code = "share-foreign-origin"  // holds an origin that the sender does not own
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
	OriginNotShared           = origin.OriginNotShared
	DoesNotFit                = origin.DoesNotFit
)

// waits reports whether time or somebody else may put the reason right, with nothing wrong about the origin itself.
func waits(r Reason) bool { return r.Code == ShareEmpty || r.Code == DoesNotFit }

func because(code Code, subject, format string, args ...any) Reason {
	return Reason{Code: code, Subject: subject, Message: fmt.Sprintf(format, args...)}
}

func allWait(reasons []Reason) bool {
	for _, r := range reasons {
		if !waits(r) {
			return false
		}
	}
	return len(reasons) > 0
}
