package hubpolicy

// LongestBusPolicy is the quota of EventBridge for the policy of an event bus, in characters
// (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html).
const LongestBusPolicy = 10_240

// MostAdopted is how many distributions a policy may adopt. The role of function wire lists each of them.
const MostAdopted = 50

// MostPermissions is how many log buckets, and how many Lambda@Edge functions, a policy may state. The role of function wire lists each of them.
const MostPermissions = 10

// MostNetworks is how many teams may have a network: the template of the team stack has an entry for each of them in one mapping
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html).
const MostNetworks = 200
