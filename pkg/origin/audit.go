package origin

import "time"

// Listed is a distribution as ListDistributions returns it.
type Listed struct {
	ID        string
	Domain    string
	Enabled   bool
	IPv6      bool
	Aliases   []string
	Modified  time.Time
	Origins   []ListedOrigin
	Groups    map[string][]string // ids of the members, by the id of the origin group
	Behaviors []ListedBehavior    // in their order, without the default behavior
}

// ListedOrigin is one origin of a listed distribution. VPCOrigin is empty for an origin on the public internet.
type ListedOrigin struct {
	ID        string
	VPCOrigin string
	Domain    string
}

// ListedBehavior is one cache behavior of a listed distribution. Target is the id of an origin or of an origin group.
type ListedBehavior struct {
	Path   string
	Target string
}

// FunctionChanged is the kind of the open finding that makes function wire publish the code of the function that answers 404 again.
const FunctionChanged = "function-changed"

// Findings is what the audit remembers, so that it reports each finding once.
type Findings struct {
	Open    []OpenFinding
	Drift   int              `json:",omitempty"` // how many findings of calls put something at risk since the last daily audit
	Edits   []Edits          `json:",omitempty"` // per distribution
	Calls   []string         // CloudTrail event ids of the calls that were reported, oldest first
	Refused map[string]Tally `json:",omitempty"` // what was reported and counted of forged events, by account
	Version int              // of the item; writes are conditional on it
	// Together is set if an earlier version stored all open findings in one item.
	Together bool `json:"-"`
}

// Edits counts how often somebody other than originhub changed the managed part of a distribution.
type Edits struct {
	Distribution string
	Times        int
	Last         time.Time
}

// OpenFinding is a finding that was reported and has not been resolved.
type OpenFinding struct {
	Kind    string
	Subject string
	Origin  string // VPC origin id
	Account string
	Team    string
	Since   time.Time
	// Facts are the reported facts, as codes and subjects without messages. Facts is nil if the item was written before facts were
	// stored.
	Facts []Reason
}

// Function is a published CloudFront function. The zero value stands for one that is not published.
type Function struct{ Name, Code string }
