package origin

import "time"

// Distribution is the registry's item for one distribution of the hub: which one it is, who may write it now, and what
// the next write must wait for.
type Distribution struct {
	Name   string // the hub's own name for it and the registry's partition; "main" for the first
	ID     string // "" until it is created or adopted
	Domain string // "d….cloudfront.net"

	Holder  string    // of the lease; "" when nobody writes
	Expires time.Time // of the lease

	Updated   time.Time // when the last UpdateDistribution was about to be sent
	Look      time.Time // when the delayed message that looks again is due; only that one begets another
	Refused   string    // error code of the last update that was refused for no origin's fault; "" after one that was not
	RefusedAt time.Time // when that was last reported

	Version int // of the item; writes are conditional on it
}

// Main is the name of a hub's first distribution.
const Main = "main"

// Snapshot is everything the registry knows of one distribution at one moment.
type Snapshot struct {
	Distribution Distribution
	Records      []Record // by origin id
	// Refusals that were reported: what was refused, and the reasons then given. An entry is forgotten after a while.
	Refusals map[string]string
	// Now is the registry's own clock, to the second. Leases, spacing and grace are measured by it, so that no function's
	// clock matters.
	Now time.Time
}

// Find returns the record of an origin.
func (s Snapshot) Find(id string) (Record, bool) {
	for _, r := range s.Records {
		if r.ID == id {
			return r, true
		}
	}
	return Record{}, false
}
