package contract

// MetricNamespace is the CloudWatch namespace of all of originhub's metrics.
const MetricNamespace = "originhub"

// Dimensions of the metrics. All have DimensionHub.
const (
	DimensionHub          = "Hub"
	DimensionState        = "State"        // of MetricOrigins: a state of package origin
	DimensionDistribution = "Distribution" // of MetricQuotaUse: the registry's name for it
)

// Metrics, with their units. A counter is summed. A gauge holds what was last observed; use its maximum.
const (
	MetricOrigins            = "Origins"            // gauge by state, at every sweep
	MetricSweepCompleted     = "SweepCompleted"     // counter: admit looked at everything and nothing failed
	MetricOldestPendingShare = "OldestPendingShare" // gauge, seconds: age of the oldest invitation still neither accepted nor refused
	MetricInvitationAccepted = "InvitationsAccepted"
	MetricOriginAdmitted     = "OriginsAdmitted"
	MetricRefusal            = "Refusals"
	MetricOnboardingLatency  = "OnboardingLatency" // seconds, from admitted to live

	MetricDistributionUpdate = "DistributionUpdates"
	MetricETagConflict       = "ETagConflicts" // counter: somebody else wrote the distribution between our read and our write
	MetricLeaseHeld          = "LeaseHeld"     // gauge, seconds: how long the lease that a run of wire met had been held
	MetricOriginQuarantined  = "OriginsQuarantined"
	MetricThrottle           = "Throttles" // counter: calls that AWS throttled and that were tried again

	MetricTeardownStarted   = "TeardownsStarted"
	MetricTeardownClean     = "TeardownsClean"
	MetricTeardownDirty     = "TeardownsDirty"
	MetricTeardownCancelled = "TeardownsCancelled"
	MetricTeardownBlocked   = "TeardownsBlocked"
	MetricTeardownDuration  = "TeardownDuration" // seconds, from the tag to clean
	MetricOrphanENI         = "OrphanENIs"       // counter: interfaces that a dirty teardown left

	MetricDriftFound    = "DriftFound"    // counter: drift that puts something at risk
	MetricLeaksOpen     = "LeaksOpen"     // gauge, at every audit
	MetricSideDoorsOpen = "SideDoorsOpen" // gauge, at every audit: those of the leaks that somebody can come in by, or is off the air for

	MetricQuotaUse = "QuotaUse" // gauge by distribution, percent: of the limit that is used most
)

// Dimension narrows a metric down.
type Dimension struct{ Name, Value string }
