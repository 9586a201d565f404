package wiring

import (
	"errors"
	"slices"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// Run is what a run of function wire knows of one distribution. It is a value: Next decides what the run does next, and Learn
// returns what is known after that. Next goes through three questions, and stops at the first that it cannot answer yet:
//
//	Locate  which distribution is it, and what does it hold?
//	Write   what does the next update contain, if anything?
//	Settle  what has become true?
type Run struct {
	Terms   Terms
	Now     time.Time
	Alone   bool // the hub has no other distribution
	Recheck bool // the message that Item.Look announces is among those that triggered the run
	Quiet   bool // nothing but such messages triggered it

	// What the registry holds.
	Item      origin.Distribution // of the distribution, as it is to be written next
	Records   []origin.Record     // of the distribution
	Elsewhere []origin.Record     // of the hub's other distributions
	Domains   []string            // of the hub's other distributions, and of those before them
	Refusals  map[string][]origin.Reason

	// What was observed.
	Served  *Served         // the distribution; nil: not observed
	Visible map[string]bool // VPC origins that the hub's account sees, and whether they are Deployed; nil: not observed
	Zone    Zone            // the hosted zone

	// What was concluded.
	Held          []string      // origins that stay as they are
	Deferred      bool          // something is left to be written by a later run
	CapacityFreed bool          // function admit has something to do
	Wait          time.Duration // until the distribution has to be observed again; 0: when something happens
	Failed        error         // what the run could not do
	Broken        error         // what no run could do: a fault of ours

	id        identity // how far Locate is
	writing   writing  // how far Write is
	settled   bool     // Settle has nothing to do any more
	announced bool     // nor has end
}

// Served is a distribution as CloudFront served it, with its document parsed.
type Served struct {
	ID       string
	Domain   string
	Deployed bool
	ETag     string
	Config   *Config
}

// Begin returns the run that begins with what the registry holds, about the distribution of that name.
func Begin(s origin.Snapshot, name string, t Terms) Run {
	r := Run{Terms: t, Now: s.Now, Item: s.Distribution(name), Records: s.In(name), Refusals: s.Refusals}
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

// Step is what a run does next. Its events are published first, then what it writes is written, then the action is performed.
type Step struct {
	Outcome  outcome.Outcome
	Records  []Observation
	Refusals []Refusal // to remember
	Save     bool      // Run.Item has to be written before the action
	Do       Action    // nil: nothing
	Done     bool      // the run is over
}

// Observation is a record to write, and the task that waits for what has become of it, if any. The task is completed first: completing it
// twice is harmless, but a token that was forgotten would leave it waiting.
type Observation struct {
	origin.Record
	Token string
	Fact  string // what has become of it, for the task; what follows from that is for package teardown to say
}

// Refusal is what was refused, and why, for nobody to be told again.
type Refusal struct {
	What    string
	Reasons []origin.Reason
}

// empty reports whether a step does nothing, so that the next one can take its place.
func (s Step) empty() bool {
	return len(s.Outcome.Events)+len(s.Outcome.Metrics)+len(s.Outcome.Triggers)+len(s.Records)+len(s.Refusals) == 0 && !s.Save && s.Do == nil
}

// Action is the one thing that a step observes or changes: ReadQuotas, ReadDistribution, FindDistribution, EnsureFunction, Create,
// ListOrigins, Update, ReadZone, ChangeZone or SendRecheck.
type Action interface{ action() }

// What a run observes.
type (
	// ReadQuotas asks for CloudFront's quotas on a distribution.
	ReadQuotas struct{}
	// ReadDistribution reads the distribution of that id.
	ReadDistribution struct{ ID string }
	// FindDistribution looks for the id of the distribution that was created from a caller reference.
	FindDistribution struct{ CallerReference, Comment string }
	// ListOrigins lists the VPC origins that the hub's account sees.
	ListOrigins struct{}
	// ReadZone lists the records of the hosted zone.
	ReadZone struct{}
)

// What a run changes.
type (
	// EnsureFunction publishes a CloudFront Function.
	EnsureFunction struct{ Name, Comment, Code string }
	// Create creates a distribution.
	Create struct{ Config *Config }
	// Update replaces the configuration of a distribution.
	Update struct {
		ID, ETag string
		Config   *Config
	}
	// ChangeZone changes records of the hosted zone.
	ChangeZone struct{ Plan DNSPlan }
	// SendRecheck sends the message by which function wire asks itself to observe the distribution again.
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
func (ReadZone) action()         {}
func (EnsureFunction) action()   {}
func (Create) action()           {}
func (Update) action()           {}
func (ChangeZone) action()       {}
func (SendRecheck) action()      {}

// Answer is what came of an action. Of an action that failed, nothing but Class, Err, Code and Said is set.
type Answer struct {
	Class   Class
	Err     error  // nil exactly if Class is OK; carried for the shell, which reports it
	Code    string // AWS's; "" of an error that is not AWS's
	Message string // what AWS said, or else the error

	Quotas  origin.Size        // ReadQuotas
	Served  Served             // ReadDistribution
	ID      string             // FindDistribution, Create
	ARN     string             // EnsureFunction
	Origins []origin.VpcOrigin // ListOrigins
	Zone    []origin.DNSRecord // ReadZone
}

// Class is how an action ended.
type Class int

// Classes.
const (
	OK      Class = iota
	Absent        // what it is about does not exist
	Exists        // what it was to create exists
	Stale         // somebody else has written since
	Refused       // no repetition helps
	Failed        // it may succeed later
)

// Next returns the next step, and the run as it is when that has been committed.
func (r Run) Next() (Run, Step) { return r.Locate() }

// Learn returns the run after a step: with the records that it wrote, which have new versions, and with what came of its action.
func (r Run) Learn(s Step, a Answer) Run {
	r.Records = slices.Clone(r.Records)
	for _, w := range s.Records {
		r.Records[r.index(w.ID)] = w.Record
	}
	switch do := s.Do.(type) {
	case ReadQuotas:
		return r.quotasRead(a)
	case ReadDistribution, FindDistribution, EnsureFunction, Create:
		return r.identified(s.Do, a)
	case ListOrigins:
		return r.originsListed(a)
	case Update:
		return r.updated(do, a)
	case ReadZone, ChangeZone:
		return r.zoneDone(s.Do, a)
	case SendRecheck:
		r.announced = true
		if r.Failed = errors.Join(r.Failed, a.Err); a.Err == nil {
			r.Item.RecheckDue = do.Due
		}
	}
	return r
}

// index is where the record of an origin is, or -1.
func (r Run) index(id string) int {
	return slices.IndexFunc(r.Records, func(o origin.Record) bool { return o.ID == id })
}

// all are the records of all distributions.
func (r Run) all() []origin.Record { return slices.Concat(r.Records, r.Elsewhere) }

// awaited reports whether any origin waits for capacity.
func (r Run) awaited() bool {
	return slices.ContainsFunc(r.all(), func(o origin.Record) bool { return o.Intent == origin.Wire && o.State == origin.Deferred })
}

// wait has the distribution observed again after a while, unless it is anyway.
func (r Run) wait(next time.Duration) Run {
	if r.Wait == 0 || next < r.Wait {
		r.Wait = next
	}
	return r
}

// quotaLasts is how long a quota is believed: a sweep asks again, the observations between do not.
const quotaLasts = 5 * time.Minute

// quotasRead takes in CloudFront's quotas. What was known, or else what is documented, stands in for an answer.
func (r Run) quotasRead(a Answer) Run {
	r.Item.QuotaReadAt = r.Now
	if a.Class != OK {
		return r
	}
	before := r.Terms.limits(r.Item)
	r.Item.Quota = a.Quotas
	r.CapacityFreed = r.CapacityFreed || r.awaited() && grown(before, r.Terms.limits(r.Item))
	return r
}

// grown reports whether a size of any kind has grown.
func grown(before, after origin.Size) bool {
	return after.Origins > before.Origins || after.Behaviors > before.Behaviors || after.Aliases > before.Aliases
}

// end has the distribution observed again if that is needed, and then is over.
func (r Run) end() (Run, Step) {
	due := r.Now.Add(r.Wait)
	if r.Failed != nil || r.Broken != nil || r.announced || !recheck(r.Item.RecheckDue, due, r.Now, r.Wait > 0, r.Recheck) {
		return r, Step{Done: true}
	}
	return r, Step{Do: SendRecheck{Distribution: r.Item.Name, Due: due, After: r.Wait}}
}

// Lease takes the lease on a distribution for a holder: two runs must not write it at the same time. Of a lease that another one
// holds it returns how long to wait before that is checked again.
//
//	holder   expires    then
//	none     -          taken
//	any      in time    wait for it, 15 seconds at most: it is released long before it expires, unless its holder died
//	any      over       taken
func Lease(d origin.Distribution, holder string, now time.Time) (_ origin.Distribution, wait time.Duration) {
	if d.Holder != "" && now.Before(d.Expires) {
		return d, min(d.Expires.Sub(now), 15*time.Second) + time.Second
	}
	d.Holder, d.Expires = holder, now.Add(contract.WireLease)
	return d, 0
}
