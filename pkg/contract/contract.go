// Package contract holds the names that the hub stack, the spoke stack, the functions and the CLI must agree on.
package contract

import (
	"strconv"
	"time"
)

// Tags that a team sets on its VPC origin.
const (
	TagHost     = "originhub:host"     // host names the origin answers for, separated by spaces
	TagPaths    = "originhub:paths"    // path patterns, separated by spaces
	TagDomain   = "originhub:domain"   // origin domain name: the Host and SNI that CloudFront falls back to
	TagTeardown = "originhub:teardown" // "now", an RFC 3339 instant, or a duration such as "72h"
)

// Environment variables of the functions. Everything else comes from the policy file beside the binary.
const (
	EnvTable        = "ORIGINHUB_TABLE"         // registry table name
	EnvBus          = "ORIGINHUB_BUS"           // hub bus name
	EnvAdmitQueue   = "ORIGINHUB_ADMIT_QUEUE"   // queue URL
	EnvWireQueue    = "ORIGINHUB_WIRE_QUEUE"    // queue URL
	EnvStateMachine = "ORIGINHUB_STATE_MACHINE" // state machine ARN
	EnvAccount      = "ORIGINHUB_ACCOUNT"       // the hub's own
	EnvEndpoint     = "ORIGINHUB_ENDPOINT"      // id of a team's interface endpoint
	EnvTargetGroup  = "ORIGINHUB_TARGET_GROUP"  // ARN of its load balancer's target group
)

// Keys of the registry table, and the attribute of its time to live.
const (
	RegistryPartition = "pk"
	RegistrySort      = "sk"
	RegistryExpiry    = "expires"
	RegistryAudit     = "audit" // the partition of what the audit remembers; every other one is a distribution's
)

// PolicyFile is the name of the hub policy beside each function's binary.
const PolicyFile = "policy.yaml"

// EventSource is the source of every event that originhub itself publishes on the hub bus.
const EventSource = "originhub"

// EventVersion is the version of the detail of those events.
const EventVersion = "2"

// Detail types of the events on the hub bus: what happened, in the past tense.
const (
	ShareAccepted            = "Share Accepted"
	ShareRefused             = "Share Refused"
	EventRefused             = "Event Refused"
	OriginAdmitted           = "Origin Admitted"
	OriginRefused            = "Origin Refused"
	OriginWentLive           = "Origin Went Live"
	OriginDeferred           = "Origin Deferred" // no distribution has capacity for it
	OriginQuarantined        = "Origin Quarantined"
	OriginDetached           = "Origin Detached"
	OriginWithdrawn          = "Origin Withdrawn"
	DistributionCreated      = "Distribution Created"
	DistributionUpdated      = "Distribution Updated"
	DistributionWriteRefused = "Distribution Write Refused"
	DistributionUnavailable  = "Distribution Became Unavailable" // it cannot be read, or created
	DNSRecordRefused         = "DNS Record Refused"
	DriftFound               = "Drift Found" // somebody changed what the hub wrote
	LeakFound                = "Leak Found"  // something costs money for nothing, or opens a side door
	LeakResolved             = "Leak Resolved"
	TeardownTagRefused       = "Teardown Tag Refused" // its value cannot be obeyed
	TeardownStarted          = "Teardown Started"
	TeardownAnnounced        = "Teardown Announced"
	TeardownCancelled        = "Teardown Cancelled"
	TeardownAdvanced         = "Teardown Advanced"
	TeardownCompleted        = "Teardown Completed"        // clean: nothing is left
	TeardownEndedIncomplete  = "Teardown Ended Incomplete" // dirty: the detail names what is left
	TeardownBlocked          = "Teardown Blocked"          // somebody has to act: the detail says who and how
)

// Severities of events on the hub bus. The rule behind the alarm topic matches SeverityAlarm.
const (
	SeverityInfo  = "info"
	SeverityAlarm = "alarm"
)

// WireLease is how long one run of function wire keeps the others from a distribution. It outlives the function's timeout, so
// that a holder that still runs is never overtaken.
const WireLease = 3 * time.Minute

// RolePath is the path of the hub's roles. Spokes trust it, and the guard knows the hub's own calls by it, and so neither
// needs to know the roles' names, which CloudFormation makes.
func RolePath(hub string) string { return "/originhub/" + hub + "/" }

// SpokeRoleName is the role in every team account that the hub assumes. It carries the hub's name so that two hubs can
// serve the same accounts.
func SpokeRoleName(hub string) string { return "originhub-" + hub + "-spoke" }

// SpokeStackName is the stack, or the StackSet, that the role is in.
func SpokeStackName(hub string) string { return SpokeRoleName(hub) }

// SpokeRoleARN is SpokeRoleName as an ARN.
func SpokeRoleARN(hub, account string) string {
	return "arn:aws:iam::" + account + ":role/" + SpokeRoleName(hub)
}

// DashboardName is the hub's dashboard.
func DashboardName(hub string) string { return "originhub-" + hub }

// BusName is the hub bus that spokes forward to.
func BusName(hub string) string { return "originhub-" + hub }

// TeardownDirty is the error of an execution that left something behind: the name of package fault's type.
const TeardownDirty = "Dirty"

// TeardownExecution names the one execution for an origin and a generation.
func TeardownExecution(originID string, generation int) string {
	return "teardown-" + originID + "-" + strconv.Itoa(generation)
}

// NotFoundFunction names the viewer function behind the default behavior of a hub's own distribution.
func NotFoundFunction(hub string) string { return "originhub-" + hub + "-not-found" }

// CallerReference is what a hub creates its own distribution from.
func CallerReference(hub string) string { return "originhub-" + hub }
