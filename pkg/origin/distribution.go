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

	Updated time.Time // when the last UpdateDistribution was about to be sent
	Version int       // of the item; writes are conditional on it
}

// Main is the name of a hub's first distribution.
const Main = "main"
