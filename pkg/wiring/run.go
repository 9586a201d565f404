package wiring

import (
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// Run is what one run of function wire knows about one distribution. It is a value. Next returns the run's next step, and Learn returns
// the run after that step. A run that no person holds up answers three questions in order. It stops at the first one that it cannot answer yet:
//
//	Locate  which distribution is it, and what does it hold?
//	Write   what does the next update contain, if anything?
//	Settle  which states, events and DNS records follow from that?
type Run struct {
	Terms   Terms
	Now     time.Time
	Alone   bool // the hub has no other distribution
	Recheck bool // the message that Item.RecheckDue announces is among the messages that triggered the run
	Quiet   bool // only recheck messages triggered the run
	Narrow  bool // all messages that triggered the run are about this distribution: something has changed, and nothing else is to be repaired
	// Suspended says which origins people have suspended.
	Suspended origin.Suspended
	// Withdrawn has the VPC origins that have to leave although their records cannot be read.
	Withdrawn map[string]bool
	// Unpermitted has the reasons, by VPC origin id, for which the policy does not permit what a record claims. The run writes nothing for it.
	Unpermitted map[string][]origin.Reason

	// Read from the registry.
	Republish bool                       // the audit found other code in the function that answers 404
	Item      origin.Distribution        // the distribution's item, as it will be written next
	Records   []origin.Record            // of this distribution
	Elsewhere []origin.Record            // of the hub's other distributions, as far as they share a host or an origin with this one
	Domains   []string                   // domain names of the hub's other distributions, former ones included
	Refusals  map[string][]origin.Reason // what was refused, and the reasons that were reported for it
	Waiting   bool                       // an origin of another distribution waits for capacity
	Paused    bool                       // a person has paused the distribution or the hub

	// Observed in AWS.
	Served  *Served                        // the distribution; nil if it was not observed
	Holders map[string]origin.AliasHolders // by host that CloudFront does not accept as an alias
	Visible map[string]bool                // VPC origins that the hub's account can list, and whether each is Deployed; nil if not observed
	Zone    Zone                           // the hosted zone

	// Concluded by this run.
	Excluded      []string      // VPC origins that the next update leaves as they are
	Deferred      bool          // a later run has to write the rest
	CapacityFreed bool          // function admit can place more origins
	Planned       *Plan         // in dry-run mode: what the update would change; nil until Write is done
	Wait          time.Duration // until the distribution has to be observed again; 0 if only an event requires that
	Failed        error         // what this run could not do; a later run may succeed
	Broken        error         // a defect of originhub, which no later run passes

	id          identity // the progress of Locate
	sought      []string // VPC origins whose records were looked for in all distributions
	writing     writing  // the progress of Write
	proved      bool     // prove is done
	settled     bool     // Settle is done
	recheckSent bool     // the recheck message was sent, or its sending failed
}

// Served is a distribution as CloudFront returned it, with its configuration parsed.
type Served struct {
	ID       string
	Domain   string
	Deployed bool
	ETag     string
	Config   *Config
}

// Begin returns the run for the distribution called name, with what the registry holds in s.
func Begin(s origin.Snapshot, name string, t Terms) Run {
	r := Run{Terms: t, Now: s.Now, Item: s.Distribution(name), Records: s.In(name), Refusals: maps.Clone(s.Refusals), Waiting: s.Fleet.Deferred}
	r.Item.Hosts = s.Hosts(name)
	maps.Copy(r.Refusals, s.Reported) // earlier versions wrote them among the refusals
	r.Republish = t.Base != nil && slices.ContainsFunc(s.Findings.Open, func(f origin.OpenFinding) bool {
		return f.Kind == origin.FunctionChanged && f.Subject == t.NotFound.Name
	})
	_, r.Paused = s.Paused(r.Item)
	r.Withdrawn = map[string]bool{}
	for _, o := range r.Item.Orphans {
		r.Withdrawn[o.ID] = len(s.Refusals[origin.WithdrawalOf(o.ID)]) > 0
	}
	for _, o := range s.Records {
		if o.Distribution != name {
			r.Elsewhere = append(r.Elsewhere, o)
		}
	}
	for _, d := range s.Distributions {
		if d.Name != name {
			r.Domains = append(append(r.Domains, d.Domain), d.Former...)
		}
	}
	return r
}

// Step is what a run does next. The shell publishes the events of Outcome first, then writes Records, Refusals and the item, and then
// performs Do.
type Step struct {
	Outcome  outcome.Outcome
	Records  []Observation
	Refusals []Refusal // to be remembered
	Save     bool      // write Run.Item before Do
	Do       Action    // nil if there is nothing to do
	Done     bool      // the run ends
}

// Observation is a record to write. If Token is set, a task of a teardown waits for it. The shell completes the task before it writes the
// record: completing a task twice is harmless, but a token that is lost leaves the task waiting.
type Observation struct {
	origin.Record
	Token string
	Fact  string // the origin's state in words, for the task; package teardown decides what follows from it
}

// Refusal records what was refused and why, so that it is reported once.
type Refusal struct {
	What    string
	Reasons []origin.Reason
}

// empty reports whether the step does nothing, so that the caller can go on to the next one.
func (s Step) empty() bool {
	return len(s.Outcome.Events)+len(s.Outcome.Metrics)+len(s.Outcome.Triggers)+len(s.Records)+len(s.Refusals) == 0 && !s.Save && s.Do == nil
}

// Action is the one thing that a step observes or changes: ReadQuotas, ReadDistribution, FindDistribution, EnsureFunction, RestoreFunction, Create,
// ListOrigins, FindRecords, FindAlias, AskForUpdate, Update, ReadZone, ChangeZone or SendRecheck.
type Action interface{ action() }

// Actions that observe.
type (
	// ReadQuotas reads CloudFront's quotas on a distribution.
	ReadQuotas struct{}
	// ReadDistribution reads the distribution with the given id.
	ReadDistribution struct{ ID string }
	// FindDistribution finds the id of the distribution that was created with the given caller reference.
	FindDistribution struct{ CallerReference, Comment string }
	// ListOrigins lists the VPC origins that the hub's account can use, and observes those of IDs by id that the list lacks.
	ListOrigins struct{ IDs []string }
	// FindRecords finds the records of VPC origins that are in the configuration and have no record in Run.Records and Run.Elsewhere.
	FindRecords struct{ IDs []string }
	// FindAlias asks which other distributions have an alias that overlaps one, for which a distribution is to have it.
	FindAlias struct{ Distribution, Alias string }
	// ReadZone lists the records of hosts in the hosted zone, or all of its records if Hosts is nil.
	ReadZone struct{ Hosts []string }
)

// Actions that change something.
type (
	// EnsureFunction publishes a CloudFront Function unless it is published already.
	EnsureFunction struct{ Name, Comment, Code string }
	// RestoreFunction publishes code in a CloudFront Function unless this code is published already.
	RestoreFunction struct{ Name, Comment, Code string }
	// Create creates a distribution.
	Create struct{ Config *Config }
	// AskForUpdate asks for the permission to send one update: see Pace.Permit.
	AskForUpdate struct {
		Distribution string // the hub's name for it
		Urgent       bool   // the update removes what has to leave at once, or repairs what viewers get
		Throttled    bool   // CloudFront has throttled the update that was permitted last
	}
	// Update replaces the configuration of a distribution.
	Update struct {
		ID, ETag string
		Config   *Config
	}
	// ChangeZone changes DNS records of the hosted zone.
	ChangeZone struct{ Plan DNSPlan }
	// SendRecheck sends the delayed message by which function wire asks itself to observe the distribution again.
	SendRecheck struct {
		Distribution string
		Due          time.Time
		After        time.Duration
	}
)

func (ReadQuotas) action()       {}
func (ReadDistribution) action() {}
func (FindDistribution) action() {}
func (ListOrigins) action()      {}
func (FindRecords) action()      {}
func (FindAlias) action()        {}
func (ReadZone) action()         {}
func (EnsureFunction) action()   {}
func (RestoreFunction) action()  {}
func (Create) action()           {}
func (AskForUpdate) action()     {}
func (Update) action()           {}
func (ChangeZone) action()       {}
func (SendRecheck) action()      {}

// Answer is the result of an action. If the action failed, only Class, Err, Code and Message are set.
type Answer struct {
	Class   Class
	Err     error  // nil exactly if Class is OK
	Code    string // AWS's error code; "" if the error is not AWS's
	Message string // AWS's error message, or else the error's text

	Quotas  origin.Size          // ReadQuotas
	Served  Served               // ReadDistribution
	Wait    time.Duration        // AskForUpdate: until the run has to ask again; 0 if the update is permitted
	ETag    string               // Update: of the new configuration
	ID      string               // FindDistribution, Create
	ARN     string               // EnsureFunction
	Origins []origin.VpcOrigin   // ListOrigins
	Found   origin.Snapshot      // FindRecords
	Holders []origin.AliasHolder // FindAlias
	Zone    []origin.DNSRecord   // ReadZone
}

// Class is how an action ended. It decides what the run does next.
type Class int

// Classes of results.
const (
	OK      Class = iota
	Absent        // the thing that the action names does not exist
	Exists        // the thing to create exists already
	Stale         // somebody else has written it since it was read
	Refused       // AWS refuses the request, and repeating it does not help
	Failed        // a later try may succeed
)

// Next returns the next step, and the run as it is once that step is committed.
//
//	the distribution is paused          end: nothing is written
//	it has an origin that is suspended  withdraw that
//	else                                Locate
func (r Run) Next() (Run, Step) {
	if r.Paused {
		return r.end()
	}
	if step := r.suspend(); !step.empty() {
		return r, step
	}
	return r.Locate()
}

// Learn returns the run after the step s. It takes in the records that s wrote, with their new versions, what s remembered, and a, the result
// of s.Do.
func (r Run) Learn(s Step, a Answer) Run {
	r.Records = slices.Clone(r.Records)
	for _, w := range s.Records {
		r.Records[r.index(w.ID)] = w.Record
	}
	reported := map[string][]origin.Reason{}
	maps.Copy(reported, r.Refusals)
	for _, refusal := range s.Refusals {
		reported[refusal.What] = refusal.Reasons
	}
	r.Refusals = reported
	switch do := s.Do.(type) {
	case ReadQuotas:
		return r.quotasRead(a)
	case ReadDistribution, FindDistribution, EnsureFunction, RestoreFunction, Create:
		return r.located(s.Do, a)
	case ListOrigins:
		return r.originsListed(a)
	case FindRecords:
		return r.recordsFound(do, a)
	case AskForUpdate:
		return r.permitted(a)
	case Update:
		return r.updated(do, a)
	case FindAlias:
		return r.aliasFound(do.Alias, a)
	case ReadZone, ChangeZone:
		return r.zoneAnswered(s.Do, a)
	case SendRecheck:
		r.recheckSent = true
		if r.Failed = errors.Join(r.Failed, a.Err); a.Err == nil {
			r.Item.RecheckDue = do.Due
		}
	}
	return r
}

// index returns the index in r.Records of the record of a VPC origin, or -1.
func (r Run) index(id string) int {
	return slices.IndexFunc(r.Records, func(o origin.Record) bool { return o.ID == id })
}

// allRecords returns the records of all distributions.
func (r Run) allRecords() []origin.Record { return slices.Concat(r.Records, r.Elsewhere) }

// originWaits reports whether any origin waits for capacity.
func (r Run) originWaits() bool {
	return r.Waiting || slices.ContainsFunc(r.allRecords(), origin.Record.WaitsForCapacity)
}

// recheckWithin returns the run with the next observation due after next at the latest.
func (r Run) recheckWithin(next time.Duration) Run {
	if r.Wait == 0 || next < r.Wait {
		r.Wait = next
	}
	return r
}

// quotaValidity is how long a quota counts as known: each sweep reads the quotas again, the rechecks in between do not.
const quotaValidity = 5 * time.Minute

// quotasRead takes in CloudFront's quotas. If they could not be read, the last known or the documented ones stay in force.
func (r Run) quotasRead(a Answer) Run {
	r.Item.QuotaReadAt = r.Now
	if a.Class != OK {
		return r
	}
	before := r.Terms.limits(r.Item)
	r.Item.Quota = a.Quotas
	r.CapacityFreed = r.CapacityFreed || r.originWaits() && grown(before, r.Terms.limits(r.Item))
	return r
}

// grown reports whether any of the counts in after is larger than in before.
func grown(before, after origin.Size) bool {
	return after.Origins > before.Origins || after.Behaviors > before.Behaviors || after.Aliases > before.Aliases
}

// end sends the recheck message if one is needed, and then ends the run.
func (r Run) end() (Run, Step) {
	due := r.Now.Add(r.Wait)
	if r.Failed != nil || r.Broken != nil || r.recheckSent || !needsRecheck(r.Item.RecheckDue, due, r.Now, r.Wait > 0, r.Recheck) {
		return r, Step{Done: true}
	}
	return r, Step{Do: SendRecheck{Distribution: r.Item.Name, Due: due, After: r.Wait}}
}

// Lease returns d with its lease taken by holder, so that no two runs write the distribution at the same time. If another holder has
// the lease, Lease returns d unchanged and how long to wait before trying again:
//
//	current holder  lease expired  result
//	none            -              taken
//	another         no             wait until it expires, 15 seconds at most: a holder releases it early unless its process died
//	another         yes            taken
func Lease(d origin.Distribution, holder string, now time.Time) (_ origin.Distribution, wait time.Duration) {
	if d.Holder != "" && now.Before(d.Expires) {
		return d, min(d.Expires.Sub(now), 15*time.Second) + time.Second
	}
	d.Holder, d.Expires = holder, now.Add(contract.WireLease)
	return d, 0
}
