package origin

import (
	"slices"
	"time"
)

// Distribution is the registry's item for one distribution of the hub. The names of its fields in stored JSON are those of the
// first version: renaming them needs a reader for the old form.
type Distribution struct {
	Name string // the hub's own name for it and the registry's partition; "main" for the first
	Identity
	Lease
	Pacing
	Observation
	Owned
	Version int // of the item; writes are conditional on it
}

// Identity says which distribution it is.
type Identity struct {
	ID     string // "" until it is created or adopted
	Domain string // "d….cloudfront.net"
	// Former are the domain names of distributions that this one replaced, because somebody deleted them. DNS records that lead
	// there are the hub's.
	Former []string
}

// Lease says who may write the distribution now.
type Lease struct {
	Holder  string // "" when nobody writes
	Expires time.Time
}

// Pacing is what the next update has to wait for.
type Pacing struct {
	UpdateSent    time.Time `json:"Updated"` // when the last UpdateDistribution was about to be sent
	PendingUpdate *Update   `json:"Sent"`    // that update, until its result was observed
	RecheckDue    time.Time `json:"Look"`    // when the delayed message is due by which function wire asks itself to observe again
	Refused       string    // error code of the last update that was refused for no origin's fault; "" after one that was not
	RefusedAt     time.Time // when that was last reported
}

// Update is an UpdateDistribution that was about to be sent.
type Update struct {
	ETag        string // of the configuration that it replaces
	Fingerprint string `json:"Print"` // of the configuration that it sends
	Why         string // what it changes, in words
}

// Observation is what the distribution held when function wire last read it, and CloudFront's quotas.
type Observation struct {
	Unavailable  Reason    `json:"UnavailableBecause"` // why it cannot be read or created; without a code if it could
	ObservedAt   time.Time `json:"Seen"`               // zero: never
	Others       Size      // what it held besides the registry's origins
	Orphans      []Ref     `json:"Strays"`  // managed VPC origins without a record
	OtherAliases []string  `json:"Aliases"` // aliases that no record claims
	Quota        Size      // CloudFront's quotas
	QuotaReadAt  time.Time `json:"Asked"`
}

// Owned is what the hub added for the hosts of origins, and may therefore remove.
type Owned struct {
	OwnedAliases []string `json:"Brought"`
	OwnedRecords []string `json:"Pointed"` // DNS records: name, space, type
}

// Quotas is what CloudFront allows: as it was last asked, or as it documents.
func (d Distribution) Quotas() Size {
	is, documented := d.Quota, documented
	for _, q := range [][2]*int{
		{&is.Origins, &documented.Origins}, {&is.Behaviors, &documented.Behaviors}, {&is.Aliases, &documented.Aliases},
	} {
		if *q[0] == 0 {
			*q[0] = *q[1]
		}
	}
	return is
}

// Main is the name of a hub's first distribution.
const Main = "main"

// Codes of CloudFront's quotas on a distribution
// (https://docs.aws.amazon.com/general/latest/gr/cf_region.html).
const (
	QuotaOrigins   = "L-B4048FB4"
	QuotaBehaviors = "L-F432D044"
	QuotaAliases   = "L-AAD4943E"
)

// Size counts what a distribution has a quota for. A limit or a quota of zero is one that nobody stated: of the policy's, none
// was set, and of CloudFront's, it was not asked yet or did not say. So the smaller of two limits is the other one, and where
// both are zero there is no bound.
type Size struct{ Origins, Behaviors, Aliases int }

// Plus is both together.
func (s Size) Plus(o Size) Size {
	return Size{s.Origins + o.Origins, s.Behaviors + o.Behaviors, s.Aliases + o.Aliases}
}

// Within is the smaller of two limits, of each kind.
func (s Size) Within(o Size) Size {
	return Size{lower(s.Origins, o.Origins), lower(s.Behaviors, o.Behaviors), lower(s.Aliases, o.Aliases)}
}

func lower(a, b int) int {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// documented are CloudFront's quotas as its guide states them, for accounts that raised none
// (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html).
var documented = Size{Origins: 100, Behaviors: 75, Aliases: 100}

// Snapshot is everything the registry knows at one moment.
type Snapshot struct {
	Distributions []Distribution // by name
	Records       []Record       // of all distributions, by origin id
	// Refusals are the reasons that were reported, by what was refused. An entry is forgotten after a while.
	Refusals map[string][]Reason
	Findings Findings // what the audit remembers
	// Now is the registry's own clock, to the second. Leases, spacing and grace are measured by it, so that no function's
	// clock matters.
	Now time.Time
}

// InUse reports whether the distribution of that name has an origin, had one whose teardown has not ended, or still has a released
// host.
func (s Snapshot) InUse(name string) bool {
	return slices.ContainsFunc(s.Records, func(r Record) bool {
		return r.Distribution == name && (r.State != Deleted || len(r.ReleasedHosts) > 0)
	})
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

// Distribution returns the item of that name; nothing but its name if it was never written.
func (s Snapshot) Distribution(name string) Distribution {
	for _, d := range s.Distributions {
		if d.Name == name {
			return d
		}
	}
	return Distribution{Name: name}
}

// In lists the records of one distribution.
func (s Snapshot) In(distribution string) []Record {
	var in []Record
	for _, r := range s.Records {
		if r.Distribution == distribution {
			in = append(in, r)
		}
	}
	return in
}
