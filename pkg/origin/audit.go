package origin

import "time"

// Listed is a distribution as a list of all of an account's shows it.
type Listed struct {
	ID        string
	Domain    string
	Enabled   bool
	IPv6      bool
	Modified  time.Time
	Origins   []ListedOrigin
	Groups    map[string][]string // members by the id of an origin group
	Behaviors []ListedBehavior    // in order, without the default one
}

// ListedOrigin is one origin of a distribution. VPCOrigin is empty for one that stands on the public internet.
type ListedOrigin struct {
	ID        string
	VPCOrigin string
	Domain    string
}

// ListedBehavior is one cache behavior. Target is the id of an origin or of an origin group.
type ListedBehavior struct {
	Path   string
	Target string
}

// Findings is what the audit remembers, so that it says everything once.
type Findings struct {
	Open    []OpenFinding
	Calls   []string // CloudTrail ids of the calls that were reported, oldest first
	Version int      // of the item; writes are conditional on it
}

// OpenFinding is a finding that was reported and still stands.
type OpenFinding struct {
	Kind    string
	Subject string
	Origin  string // VPC origin id
	Account string
	Team    string
	Since   time.Time
	// Facts are what was reported, by code and subject, without words. They are nil, and not known, in an item that was written
	// before facts were stored.
	Facts []Reason
}
