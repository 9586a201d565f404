// Package contract defines the names that the hub stack, the spoke stack, the functions and the CLI have to agree on.
package contract

import (
	"strconv"
	"strings"
	"time"
)

// Tags that a team sets on its VPC origin.
const (
	TagHost   = "originhub:host"   // host names that the origin serves, separated by spaces
	TagPaths  = "originhub:paths"  // path patterns, separated by spaces
	TagDomain = "originhub:domain" // origin domain name of the origin in the distribution
	// Settings of the origin in the distribution. Each is a whole number within limits of the hub policy.
	TagReadTimeout        = "originhub:read-timeout"      // seconds
	TagKeepaliveTimeout   = "originhub:keepalive-timeout" // seconds
	TagConnectionAttempts = "originhub:connection-attempts"

	TagTeardown = "originhub:teardown"         // "now", an RFC 3339 instant, or a duration such as "72h"
	TagConfirm  = "originhub:teardown-confirm" // the VPC origin id; required beside TagTeardown if the hub policy says so for the team
)

// Environment variables of the functions. Everything else comes from the policy file beside the binary.
const (
	EnvTable        = "ORIGINHUB_TABLE"                   // registry table name
	EnvPastTable    = "ORIGINHUB_PAST_TABLE"              // name of the table of past origins
	EnvBus          = "ORIGINHUB_BUS"                     // hub bus name
	EnvAdmitQueue   = "ORIGINHUB_ADMIT_QUEUE"             // queue URL
	EnvWireQueue    = "ORIGINHUB_WIRE_QUEUE"              // queue URL
	EnvStateMachine = "ORIGINHUB_STATE_MACHINE"           // state machine ARN
	EnvAccount      = "ORIGINHUB_ACCOUNT"                 // id of the hub's account
	EnvHeaders      = "ORIGINHUB_RESPONSE_HEADERS_POLICY" // id of the response headers policy that the hub's stack made; empty: none
	EnvEndpoint     = "ORIGINHUB_ENDPOINT"                // id of a team's interface endpoint
	EnvTargetGroup  = "ORIGINHUB_TARGET_GROUP"            // ARN of the target group of a team's load balancer
)

// Keys of the registry table, and the attribute of its time to live.
const (
	RegistryPartition = "pk"
	RegistrySort      = "sk"
	RegistryExpiry    = "expires"
	RegistryAudit     = "audit"   // partition of what the audit remembers; each partition without a constant is a distribution's name, and holds records
	RegistryHolds     = "hold"    // partition of the items by which people suspend and pause; the functions only read it
	RegistryRefusals  = "refusal" // partition of what was refused and reported
	RegistryFleet     = "fleet"   // partition of what function admit knows of the whole registry, for functions that read a part of it
	RegistryUpdates   = "updates" // partition of the updates of all distributions, which share one budget; only function wire writes it
	// RegistryDistribution begins the partition of the item of a distribution, which only function wire writes. The distribution's name follows.
	RegistryDistribution = "distribution#"
)

// PolicyFile is the name of the hub policy file, which is deployed with the binary of each function.
const PolicyFile = "policy.yaml"

// Functions returns the names of the hub's functions. Each name is that of a directory under functions/ and of the function's binary.
func Functions() []string { return []string{"admit", "audit", "retire", "teardown", "wire"} }

// CodeBucket is the parameter of the hub's template for the S3 bucket of the functions' packages.
const CodeBucket = "CodeBucket"

// CodeKey returns the parameter of the hub's template for the S3 key of a function's package.
func CodeKey(function string) string { return strings.ToUpper(function[:1]) + function[1:] + "Code" }

// EventSource is the source of every event that originhub itself publishes on the hub bus.
const EventSource = "originhub"

// EventVersion is the version of the details of these events.
const EventVersion = "2"

// Detail types of the events that originhub publishes on the hub bus.
const (
	ShareAccepted            = "Share Accepted"
	ShareRefused             = "Share Refused"
	EventRefused             = "Event Refused"
	RefusalsCounted          = "Refusals Counted" // of one account, beyond those that were reported
	OriginAdmitted           = "Origin Admitted"
	OriginRefused            = "Origin Refused"
	OriginWentLive           = "Origin Went Live"
	OriginDeferred           = "Origin Deferred" // no distribution has capacity for it
	OriginQuarantined        = "Origin Quarantined"
	OriginDetached           = "Origin Detached"
	OriginWithdrawn          = "Origin Withdrawn"
	DistributionCreated      = "Distribution Created"
	DistributionExamined     = "Distribution Examined" // what in an adopted distribution is in the way
	DistributionUpdated      = "Distribution Updated"
	DistributionWriteRefused = "Distribution Write Refused"
	DistributionUnavailable  = "Distribution Became Unavailable" // cannot be read or created
	PropagationDelayed       = "Propagation Delayed"             // origins have waited for status Deployed for longer than LongPropagation
	DNSRecordRefused         = "DNS Record Refused"
	ChangePlanned            = "Change Planned"            // in dry-run mode: what originhub would do
	DriftFound               = "Drift Found"               // somebody else changed what the hub wrote
	MembershipUnknown        = "Membership Became Unknown" // RAM does not report reliably whether accounts are in the organization
	RegistryItemDamaged      = "Registry Item Damaged"     // it cannot be read and is set aside
	SuspensionBegan          = "Suspension Began"          // a person has suspended a team or an origin
	RegistryItemRefused      = "Registry Item Refused"     // the policy does not permit what a record claims, and function wire writes nothing for it
	SuspensionEnded          = "Suspension Ended"
	PauseBegan               = "Pause Began" // a person has paused a distribution or the hub
	PauseEnded               = "Pause Ended"
	LeakFound                = "Leak Found" // something unused costs money, or an origin can be reached without the hub
	LeakResolved             = "Leak Resolved"
	TeardownTagRefused       = "Teardown Tag Refused" // the value of the tag is invalid or not permitted
	TeardownStarted          = "Teardown Started"
	TeardownAnnounced        = "Teardown Announced"
	TeardownCancelled        = "Teardown Cancelled"
	TeardownAdvanced         = "Teardown Advanced"
	TeardownCompleted        = "Teardown Completed"        // clean: nothing is left behind
	TeardownEndedIncomplete  = "Teardown Ended Incomplete" // dirty: the detail names what is left behind
	TeardownBlocked          = "Teardown Blocked"          // somebody has to act; the detail says who has to do what
)

// ModeDryRun is the mode of a hub that decides and writes nothing.
const ModeDryRun = "dry-run"

// Severities of events on the hub bus. The rule behind the alarm topic matches SeverityAlarm.
const (
	SeverityInfo  = "info"
	SeverityAlarm = "alarm"
)

// LongPropagation is how long an origin waits until its update is Deployed before that is reported.
const LongPropagation = 30 * time.Minute

// WireLease is the time for which one run of function wire excludes other runs from a distribution. It is longer than the timeout of
// the function, so that a lease never expires while its holder still runs.
const WireLease = 3 * time.Minute

// RolePath returns the IAM path of the hub's roles. Spoke roles trust this path, and the audit recognizes the hub's own calls by it.
// Neither has to know the names of the roles, which CloudFormation generates.
func RolePath(hub string) string { return "/originhub/" + hub + "/" }

// SpokeRoleName returns the name of the role that the hub assumes in each team account. It contains the name of the hub, so that two
// hubs can serve the same accounts.
func SpokeRoleName(hub string) string { return "originhub-" + hub + "-spoke" }

// SharePrefix begins the names of the shares that the hub may delete. A share with another name is never deleted: its team did not say so.
const SharePrefix = "originhub-"

// TeardownRolePath returns the IAM path of the role of function teardown, below RolePath. Spoke roles let only this role remove something.
func TeardownRolePath(hub string) string { return RolePath(hub) + "teardown/" }

// Session names of spoke roles, as CloudTrail in the team's account shows them. The spoke role lets only a session called SessionTeardown remove
// something, and only the role of function teardown use that name.
const (
	Session         = "originhub"
	SessionTeardown = "originhub-teardown"
)

// CurrentExternalID returns the external id that, beside the one of the hub policy, only spokes of this version accept for observing. By it the hub
// notices spokes of earlier versions.
func CurrentExternalID(externalID string) string { return externalID + "/2" }

// SpokeStackName returns the name of the stack or StackSet that creates the spoke role.
func SpokeStackName(hub string) string { return SpokeRoleName(hub) }

// SpokeRoleARN returns the ARN of the spoke role in an account. The account "*" stands for every account.
func SpokeRoleARN(hub, account string) string {
	return "arn:aws:iam::" + account + ":role/" + SpokeRoleName(hub)
}

// DashboardName returns the name of the hub's CloudWatch dashboard.
func DashboardName(hub string) string { return "originhub-" + hub }

// BusName returns the name of the hub bus, to which spokes forward events.
func BusName(hub string) string { return "originhub-" + hub }

// TeardownDirty is the error of an execution whose teardown is dirty. It is the name of the type fault.Dirty.
const TeardownDirty = "Dirty"

// TeardownExecution returns the name of the teardown execution of an origin in one generation.
func TeardownExecution(originID string, generation int) string {
	return "teardown-" + originID + "-" + strconv.Itoa(generation)
}

// NotFoundFunction returns the name of the CloudFront function that answers 404 in the default behavior of the distributions that the
// hub creates.
func NotFoundFunction(hub string) string { return "originhub-" + hub + "-not-found" }

// CallerReference returns the caller reference with which the hub creates its first distribution.
func CallerReference(hub string) string { return "originhub-" + hub }
