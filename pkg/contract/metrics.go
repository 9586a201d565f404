package contract

// MetricNamespace is the CloudWatch namespace of all metrics of originhub.
const MetricNamespace = "originhub"

// Dimensions of the metrics. Every metric has DimensionHub.
const (
	DimensionHub          = "Hub"
	DimensionState        = "State"        // of MetricOrigins: a state of package origin
	DimensionDistribution = "Distribution" // of MetricQuotaUse: the name of the distribution in the registry
)

// Metrics, with their units. Use the sum of a counter, and the maximum of a gauge, which is the last observed value.
const (
	MetricOrigins             = "Origins"             // gauge by state, at every sweep
	MetricSweepCompleted      = "SweepCompleted"      // counter: function admit observed everything and nothing failed
	MetricTeardownsUnresolved = "TeardownsUnresolved" // gauge, at every sweep: teardowns that were reported as blocked or dirty and have not gone on since
	MetricHolds               = "Holds"               // gauge, at every sweep: items by which people suspend or pause something
	MetricMembershipsUnknown  = "MembershipsUnknown"  // gauge, at every sweep: accounts of which RAM does not report whether they are in the organization
	MetricLongestPropagation  = "LongestPropagation"  // gauge, seconds, at every sweep: how long the longest wait of an origin for the end of a propagation has lasted
	MetricOldestPendingShare  = "OldestPendingShare"  // gauge, seconds: age of the oldest invitation that is neither accepted nor refused
	MetricInvitationAccepted  = "InvitationsAccepted"
	MetricOriginAdmitted      = "OriginsAdmitted"
	MetricRefusal             = "Refusals"
	MetricOnboardingLatency   = "OnboardingLatency" // seconds, from admitted to live

	MetricDistributionUpdate = "DistributionUpdates"
	MetricETagConflict       = "ETagConflicts" // counter: somebody else updated the distribution after wire read it and before wire updated it
	MetricLeaseHeld          = "LeaseHeld"     // gauge, seconds: how long another run had held the lease when a run of wire asked for it
	MetricOriginQuarantined  = "OriginsQuarantined"
	MetricThrottle           = "Throttles" // counter: calls that AWS throttled and that were retried

	MetricTeardownStarted   = "TeardownsStarted"
	MetricTeardownClean     = "TeardownsClean"
	MetricTeardownDirty     = "TeardownsDirty"
	MetricTeardownCancelled = "TeardownsCancelled"
	MetricTeardownBlocked   = "TeardownsBlocked"
	MetricTeardownDuration  = "TeardownDuration" // seconds from the tag to Teardown Completed
	MetricOrphanENI         = "OrphanENIs"       // counter: network interfaces that a dirty teardown left behind

	MetricDriftOpen     = "DriftOpen"     // gauge, at every sweep: drift that is a risk and was found since the last daily audit
	MetricLeaksOpen     = "LeaksOpen"     // gauge, at every audit
	MetricSideDoorsOpen = "SideDoorsOpen" // gauge, at every audit: leaks by which an origin can be reached without the hub, or because of which a host is not served

	MetricQuotaUse = "QuotaUse" // gauge by distribution, percent of the most used limit
)

// Dimension is a dimension of a metric.
type Dimension struct{ Name, Value string }
