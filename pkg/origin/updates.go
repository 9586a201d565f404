package origin

import "time"

// Updates is what the registry holds about the updates of all distributions of the hub, which share one budget: CloudFront throttles
// UpdateDistribution per account (CF-41).
type Updates struct {
	Sent      []SentUpdate    // the last ones, the oldest first, as many as may be sent in a minute at most
	Waiting   []WaitingUpdate // one for each distribution
	Throttled time.Time       // when CloudFront last throttled an update; zero if it never did
	Version   int             // of the item; writes are conditional on it
}

// SentUpdate is an update that was permitted. Whether the run sent it, and what became of it, does not matter: it counts.
type SentUpdate struct {
	Distribution string
	Urgent       bool
	At           time.Time
}

// WaitingUpdate is an update that is not permitted yet.
type WaitingUpdate struct {
	Distribution string
	Urgent       bool
	Since        time.Time
	Due          time.Time // when its distribution asks again
}
