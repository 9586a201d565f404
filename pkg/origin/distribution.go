package origin

import (
	"slices"
	"time"
)

// Distribution is the registry's item for one distribution of the hub. A field that was renamed keeps its first name in stored JSON.
type Distribution struct {
	Name string // the hub's name for the distribution, and the registry's partition; "main" for the first
	Identity
	Lease
	Pacing
	Observation
	Owned
	// Hosts are those that the distribution's records claim or that are bound to it, in order; nil if they were never recorded. Other runs
	// look for conflicts only in the partitions of distributions that have one of their hosts.
	Hosts   []string
	Version int // of the item; writes are conditional on it
}

// Title names d for people: by its id, or by the hub's name for it before it is created.
func (d Distribution) Title() string {
	if d.ID == "" {
		return "distribution " + d.Name
	}
	return "distribution " + d.ID
}

// Identity identifies a distribution in CloudFront.
type Identity struct {
	ID     string // "" until it is created or adopted
	Domain string // "d….cloudfront.net"
	// Former are the domain names of deleted distributions that this one replaced. DNS records that point to them belong to the hub.
	Former []string
}

// Lease is the right of one run of function wire to update the distribution.
type Lease struct {
	Holder  string // "" if no run holds the lease
	Expires time.Time
}

// Pacing is what function wire remembers to decide when it updates or observes the distribution next.
type Pacing struct {
	UpdateSent    time.Time `json:"Updated"` // when the last UpdateDistribution was sent
	PendingUpdate *Update   `json:"Sent"`    // the last update, until its result is observed
	UpdateETag    string    // of the configuration that the last update resulted in; "" if it is not known
	RecheckDue    time.Time `json:"Look"` // when the delayed message is due by which function wire asks itself to observe the distribution again
	Refused       string    // error code of the last update, if CloudFront refused it for a reason that no origin causes; else ""
	PlanReported  string    // in dry-run mode: a fingerprint of the plan that was last reported
	RefusedAt     time.Time // when the refused update was last reported
	Search        *Search   `json:",omitempty"` // for the origins that make the update invalid; nil if none is under way
}

// Search is a search for the origins that make an update invalid, which goes on in the next run: its next update is not permitted yet.
// Accepted, Bad and Rest are the VPC origins that the invalid update added.
type Search struct {
	Began               time.Time
	Fingerprint         string                  // of the claims of Rest
	Answer              UpdateAnswer            // to the invalid update
	Answers             map[string]UpdateAnswer // by VPC origin, the last refusal of an update that contained it
	General, Individual bool                    // whether the distribution itself, or single origins, are known to be the cause
	Accepted, Bad, Rest []string                // Rest is not decided yet
	Within, Tries, Size int                     // see wiring.Search
}

// UpdateAnswer is CloudFront's refusal of an update.
type UpdateAnswer struct{ Code, Message string }

// Update is an UpdateDistribution call. It is recorded before it is sent.
type Update struct {
	ETag        string // of the configuration that the update replaces
	Fingerprint string `json:"Print"` // of the configuration that the update sends
	Why         string // what the update changes, in words
}

// Observation is what function wire observed when it last read the distribution, and the quotas of CloudFront.
type Observation struct {
	Unavailable  Reason    `json:"UnavailableBecause"` // why the distribution cannot be read or created; no code if it could
	ObservedAt   time.Time `json:"Seen"`               // zero if it was never observed
	Others       Size      // what the distribution contained in addition to the origins of the registry
	Orphans      []Ref     `json:"Strays"`  // managed VPC origins without a record
	OtherAliases []string  `json:"Aliases"` // aliases that no record claims
	Quota        Size      // CloudFront's quotas; see Quotas
	QuotaReadAt  time.Time `json:"Asked"`
	Examined     string    `json:",omitempty"` // id of the distribution whose obstacles were last reported
	Obstacles    []Reason  `json:",omitempty"` // what was reported to be in the way, without messages
}

// Permissions is what parts of adopted distributions require of function wire's role beyond CloudFront's permissions, because CloudFront changes
// the access list of a log bucket and replicates functions in the name of who updates the distribution.
type Permissions struct {
	LogBuckets    []string // S3 buckets for standard logs (legacy)
	EdgeFunctions []string // ARNs of versions of Lambda@Edge functions
}

// Owned is what the hub added for the hosts of origins, so that the hub may also remove it.
type Owned struct {
	OwnedAliases []string `json:"Brought"`
	OwnedRecords []string `json:"Pointed"` // DNS records, as "name type"
}

// Quotas returns CloudFront's quotas: the values that Service Quotas last returned, and the documented default where it returned none.
func (d Distribution) Quotas() Size {
	quotas, documented := d.Quota, documented
	for _, q := range [][2]*int{
		{&quotas.Origins, &documented.Origins}, {&quotas.Behaviors, &documented.Behaviors}, {&quotas.Aliases, &documented.Aliases},
	} {
		if *q[0] == 0 {
			*q[0] = *q[1]
		}
	}
	return quotas
}

// Main is the name of the hub's first distribution.
const Main = "main"

// Quota codes, in Service Quotas, of CloudFront's quotas per distribution
// (https://docs.aws.amazon.com/general/latest/gr/cf_region.html).
const (
	QuotaOrigins   = "L-B4048FB4"
	QuotaBehaviors = "L-F432D044"
	QuotaAliases   = "L-AAD4943E"
)

// Size counts what CloudFront limits per distribution. As a limit, zero means unlimited: the policy sets no limit, or Service Quotas
// was not asked yet or returned no value.
type Size struct{ Origins, Behaviors, Aliases int }

// Plus returns the sum of s and o.
func (s Size) Plus(o Size) Size {
	return Size{s.Origins + o.Origins, s.Behaviors + o.Behaviors, s.Aliases + o.Aliases}
}

// Within returns the smaller of the limits s and o, for each kind.
func (s Size) Within(o Size) Size {
	return Size{lower(s.Origins, o.Origins), lower(s.Behaviors, o.Behaviors), lower(s.Aliases, o.Aliases)}
}

func lower(a, b int) int {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// documented are CloudFront's default quotas
// (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html).
var documented = Size{Origins: 100, Behaviors: 75, Aliases: 100}

// Snapshot is the content of the registry at one moment.
type Snapshot struct {
	Distributions []Distribution // by name
	Records       []Record       // of all distributions, by origin id
	// Refusals are the reported reasons by the ARN of the refused share or origin. Entries expire.
	Refusals map[string][]Reason
	Tallies  map[string]Tally    // of refusals, by account
	Reported map[string][]Reason // what function wire reported, by what it is about. Entries expire
	Findings Findings            // what the audit remembers
	Damaged  []Damaged
	Holds    []Hold // by key
	Fleet    Fleet
	// Now is the time by the clock of the registry, in whole seconds. Leases, spacing and grace are measured by it, so that the clocks
	// of the functions do not matter.
	Now time.Time

	index *index // nil: see Indexed
}

// Fleet is what function admit knew of the whole registry when it last read it. Functions that read a part of the registry find the rest of
// it by this.
type Fleet struct {
	Named    []string // the distributions that the hub policy named then
	Unnamed  []string // the other distributions with items or records, by name
	Deferred bool     // an origin waits for capacity
	Known    bool     `json:"-"` // the registry has such an item
}

// Knows reports whether f was written for a hub policy that named the same distributions. Otherwise a distribution that the policy no longer names
// is in neither list.
func (f Fleet) Knows(named []string) bool { return f.Known && slices.Equal(f.Named, named) }

// Damaged is an item of the registry that cannot be read. It is set aside, so that it concerns its own origin or distribution and no
// other.
type Damaged struct {
	Partition string
	Key       string
	Origin    string // VPC origin id; "" if the item is not the record of an origin
	// Distribution is the name of a distribution, or "" if the item is not that of a distribution.
	Distribution string
	Why          string
}

// Refusal returns the name of d among the refusals.
func (d Damaged) Refusal() string { return "registry " + d.Partition + " " + d.Key }

// WithdrawalOf returns the name among the refusals of the withdrawal of an origin whose record cannot be read.
func WithdrawalOf(vpcOrigin string) string { return "registry withdrawn " + vpcOrigin }

// IsDamaged reports whether the record of the origin with that VPC origin id cannot be read.
func (s Snapshot) IsDamaged(id string) bool {
	if s.index != nil {
		return s.index.damaged[id]
	}
	return slices.ContainsFunc(s.Damaged, func(d Damaged) bool { return d.Origin == id })
}

// IsDistributionDamaged reports whether the item of the distribution of that name cannot be read. Then the hub does not know which
// distribution that is, nor what it added to it.
func (s Snapshot) IsDistributionDamaged(name string) bool {
	if s.index != nil {
		return s.index.damagedDistributions[name]
	}
	return slices.ContainsFunc(s.Damaged, func(d Damaged) bool { return d.Distribution == name })
}

// InUse reports whether the distribution of that name is still needed: for an origin whose VPC origin is not deleted yet, or for a
// released host.
func (s Snapshot) InUse(name string) bool {
	records := s.Records
	if s.index != nil {
		records = s.index.in[name]
	}
	return slices.ContainsFunc(records, func(r Record) bool {
		return r.Distribution == name && (r.State != Deleted || len(r.ReleasedHosts) > 0)
	})
}

// Find returns the record of the origin with that VPC origin id, and whether there is one.
func (s Snapshot) Find(id string) (Record, bool) {
	if s.index != nil {
		if i, known := s.index.records[id]; known {
			return s.Records[i], true
		}
		return Record{}, false
	}
	for _, r := range s.Records {
		if r.ID == id {
			return r, true
		}
	}
	return Record{}, false
}

// Distribution returns the item of that name, or an item with only the name if none was written.
func (s Snapshot) Distribution(name string) Distribution {
	if s.index != nil {
		if i, known := s.index.distributions[name]; known {
			return s.Distributions[i]
		}
		return Distribution{Name: name}
	}
	for _, d := range s.Distributions {
		if d.Name == name {
			return d
		}
	}
	return Distribution{Name: name}
}

// Hosts returns the hosts that the records of one distribution claim or that are bound to it, in order. It is not nil.
func (s Snapshot) Hosts(distribution string) []string {
	hosts := []string{}
	for _, r := range s.In(distribution) {
		if hosts = append(hosts, r.BoundHosts()...); r.Reserves() {
			hosts = append(hosts, r.Claim.Hosts...)
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// In returns the records of one distribution. The caller does not change them.
func (s Snapshot) In(distribution string) []Record {
	if s.index != nil {
		return slices.Clip(s.index.in[distribution])
	}
	var in []Record
	for _, r := range s.Records {
		if r.Distribution == distribution {
			in = append(in, r)
		}
	}
	return in
}
