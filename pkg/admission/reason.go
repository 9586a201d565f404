package admission

import (
	"fmt"

	"github.com/originhub/originhub/pkg/origin"
)

// Reason is a reason of package origin.
type Reason = origin.Reason

// Code is a code of package origin.
type Code = origin.Code

// Codes of shares.
const (
	ShareEmpty          Code = "share-empty"           // contains no resource yet; it is observed again
	ShareUnknownAccount Code = "share-unknown-account" // the sender's account belongs to no team
	ShareExternal       Code = "share-external"        // is an invitation, and the hub policy denies invitations
	ShareOtherType      Code = "share-other-type"      // contains something that is not a VPC origin
	ShareOtherOwner     Code = "share-foreign-origin"  // contains an origin of another account than the sender's
	ShareBadARN         Code = "share-bad-arn"         // contains a VPC origin whose ARN is invalid
	ShareOutside        Code = "share-outside"         // its owner is outside the organization, which the hub policy does not permit
	MembershipUnknown   Code = "membership-unknown"    // RAM does not report whether its owner is in the organization
	ShareUnreadable     Code = "share-unreadable"      // AWS does not let the hub list the resources of its invitation
	ShareUnrelated           = origin.ShareUnrelated
)

// Codes of claims.
const (
	ClaimHostMissing    Code = "claim-host-missing"
	ClaimPathsMissing   Code = "claim-paths-missing"
	ClaimDomainMissing  Code = "claim-domain-missing"
	ClaimHostInvalid    Code = "claim-host-invalid"
	ClaimPathInvalid    Code = "claim-path-invalid"
	ClaimDomainInvalid  Code = "claim-domain-invalid"
	ClaimSettingInvalid Code = "claim-setting-invalid" // a timeout or a number of attempts is out of bounds
	ClaimOutsideDomain  Code = "claim-outside-domain"  // the host is not under the hub policy's domain, or no alias covers it
	ClaimReserved       Code = "claim-reserved"        // the hub policy reserves the host
	ClaimNotGranted     Code = "claim-not-granted"     // no grant permits this path on this host
	ClaimTaken          Code = "claim-taken"           // overlaps the claim of another origin
	ClaimFree           Code = "claim-free"            // was taken, and is free now; its team has to ask again
	ClaimChangesOften   Code = "claim-changes-often"   // was changed more often than an hour permits; the newest claim is taken later
	ClaimUnreadable     Code = "claim-unreadable"      // the origin's tags cannot be read
	TagUnknown          Code = "tag-unknown"           // a tag is meant for originhub, which does not read it
)

// PlannedOnly is the code of what the hub would do if it were not in dry-run mode.
const PlannedOnly Code = "planned-only"

// Codes of origins.
const (
	OriginUnknownAccount Code = "origin-unknown-account" // the owner's account belongs to no team
	OriginTearingDown    Code = "origin-tearing-down"    // has the teardown tag
	OriginNotDeployed    Code = "origin-not-deployed"    // is shared, but CloudFront has not deployed it
	OriginNotVisible     Code = "origin-not-visible"     // is shared, but CloudFront neither lists nor returns it
	OriginNotShared           = origin.OriginNotShared
	OriginSuspended           = origin.OriginSuspended
	DoesNotFit                = origin.DoesNotFit
)

// waits reports whether the reason may disappear without an event about the origin or share, so that it has to be observed again.
func waits(r Reason) bool {
	return r.Code == ShareEmpty || r.Code == DoesNotFit || r.Code == MembershipUnknown
}

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
