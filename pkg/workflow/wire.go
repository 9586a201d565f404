package workflow

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/hubpolicy"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
	"github.com/originhub/originhub/pkg/wiring"
)

type wireRegistry interface {
	Load(ctx context.Context) (origin.Snapshot, error)
	LoadDistribution(ctx context.Context, named []string, name, function string) (origin.Snapshot, error)
	LoadOrigins(ctx context.Context, named, ids, refusals, tallies []string) (origin.Snapshot, error)
	PutRecord(ctx context.Context, r origin.Record) (origin.Record, error)
	PutDistribution(ctx context.Context, d origin.Distribution) (origin.Distribution, error)
	PutReported(ctx context.Context, distribution, what string, reasons []origin.Reason, now time.Time) error
	Updates(ctx context.Context) (origin.Updates, time.Time, error)
	PutUpdates(ctx context.Context, u origin.Updates) error
}

type distributions interface {
	Distribution(ctx context.Context, id string) (origin.Served, error)
	Update(ctx context.Context, id, etag string, config []byte) (updated string, err error)
	Create(ctx context.Context, config []byte) (origin.Served, error)
	Find(ctx context.Context, callerReference, comment string) (string, error)
	EnsureFunction(ctx context.Context, name, comment, code string) (string, error)
	RestoreFunction(ctx context.Context, name, comment, code string) error
	VpcOrigins(ctx context.Context) ([]origin.VpcOrigin, error)
	VpcOrigin(ctx context.Context, id string) (origin.VpcOrigin, error)
	ConflictingAliases(ctx context.Context, distribution, alias string) ([]origin.AliasHolder, error)
}

type zone interface {
	// Records lists at least the records of hosts in the hosted zone, or all of its records if hosts is nil.
	Records(ctx context.Context, hosts []string) ([]origin.DNSRecord, error)
	Change(ctx context.Context, upsert, remove []origin.DNSRecord) error
}

type completer interface {
	Complete(ctx context.Context, token, output string) error
}

type quotas interface {
	// Distribution is what CloudFront allows of each kind in one distribution. Zero is unknown.
	Distribution(ctx context.Context) (origin.Size, error)
}

// Wire makes each distribution what the registry wants, and records what has become Deployed. It is the only writer of the distributions: a
// lease per distribution in the registry keeps other runs away. wiring.Run decides what to do.
type Wire struct {
	Policy     hubpolicy.Policy
	Registry   wireRegistry
	CloudFront distributions
	Quotas     quotas
	DNS        zone
	Queue      queue // its own
	AdmitQueue queue
	Executions completer
	Bus        bus
	Meter      meter
	Log        *slog.Logger
	Holder     string // names this process in the lease
}

// Run observes each distribution that the messages concern, and does what that requires. A delayed message on the function's own queue
// triggers the rest.
func (w *Wire) Run(ctx context.Context, messages []inbound.Message) error {
	names, load, err := w.fleet(ctx, messages)
	if err != nil {
		return err
	}
	account := account{
		quotas:  sync.OnceValues(func() (origin.Size, error) { return w.Quotas.Distribution(ctx) }),
		origins: sync.OnceValues(func() ([]origin.VpcOrigin, error) { return w.CloudFront.VpcOrigins(ctx) }),
		zone:    &zoneRead{zone: w.DNS},
	}
	failed, freed := make([]error, len(names)), make([]bool, len(names))
	each(len(names), distributionsPerWorker, func(i int) {
		k, err := load(ctx, names[i])
		if err != nil {
			failed[i] = err
			return
		}
		freed[i], failed[i] = w.one(ctx, k, names[i], inbound.For(messages, names[i]), account)
	})
	if slices.Contains(freed, true) {
		var o outcome.Outcome
		o.Trigger(outcome.Admit, "capacity was freed", 0)
		failed = append(failed, w.committer().commit(ctx, o, nil))
	}
	return errors.Join(failed...)
}

// fleet returns the names of the distributions that the messages concern, and how to read what the registry has for one of them. The
// registry is read once if they concern all distributions, as in a sweep, or if the hub policy names one distribution: nearly all of the
// registry is about it.
func (w *Wire) fleet(ctx context.Context, messages []inbound.Message) ([]string, func(context.Context, string) (known, error), error) {
	named := w.Policy.Distribution.Fleet()
	names, all := inbound.Distributions(messages)
	if len(named) > 1 && !all {
		load := func(ctx context.Context, name string) (known, error) {
			s, err := w.Registry.LoadDistribution(ctx, named, name, w.Policy.Terms(name).NotFound.Name)
			return w.known(s), err
		}
		return names, load, nil
	}
	s, err := w.Registry.Load(ctx)
	k := w.known(s)
	if all {
		names = k.fleet
	}
	return names, func(context.Context, string) (known, error) { return k, nil }, err
}

// known is what was read from the registry, and what follows from it for all distributions.
type known struct {
	origin.Snapshot
	fleet       []string // names of the distributions that function wire maintains
	suspended   origin.Suspended
	unpermitted map[string][]origin.Reason // by VPC origin id
}

func (w *Wire) known(s origin.Snapshot) known {
	s = s.Indexed()
	return known{
		Snapshot: s, fleet: wiring.Fleet(w.Policy.Distribution.Fleet(), s),
		suspended: admission.Suspended(s, w.Policy.Policy), unpermitted: admission.Unpermitted(s.Records, w.Policy.Policy),
	}
}

// one observes one distribution, and does what that requires. It reports whether capacity was freed.
func (w *Wire) one(ctx context.Context, k known, name string, messages []inbound.Message, of account) (freed bool, err error) {
	switch {
	case !slices.Contains(k.fleet, name):
		return false, nil
	case k.IsDistributionDamaged(name): // function admit reports it
		w.Log.WarnContext(ctx, "the distribution's item of the registry cannot be read; the distribution stays as it is", "distribution", name)
		return false, nil
	}
	r := &wireRun{Wire: w, run: wiring.Begin(k.Snapshot, name, w.Policy.Terms(name)), account: of}
	r.run.Alone = len(w.Policy.Distribution.Fleet()) == 1 && len(k.fleet) == 1
	r.run.Suspended, r.run.Unpermitted = k.suspended, k.unpermitted
	r.run.Recheck = inbound.Rechecks(messages, name, r.run.Item.RecheckDue)
	r.run.Quiet = inbound.OnlyRechecks(messages)
	_, all := inbound.Distributions(messages)
	r.run.Narrow = !all
	err = r.underLease(ctx)
	return r.run.CapacityFreed, err
}

// account is what all distributions of the hub's account share. It is read once for all distributions of a run.
type account struct {
	quotas  func() (origin.Size, error)
	origins func() ([]origin.VpcOrigin, error)
	zone    zone
}

func (w *Wire) committer() committer {
	return committer{bus: w.Bus, meter: w.Meter, log: w.Log, mode: w.Policy.Distribution.Mode(), queues: map[outcome.Function]queue{outcome.Admit: w.AdmitQueue}}
}

// zoneRead reads the hosted zone, which may have thousands of records, once for all distributions of a run, and again only after a change.
type zoneRead struct {
	zone
	mu      sync.Mutex
	records []origin.DNSRecord
	read    bool
}

func (z *zoneRead) Records(ctx context.Context, hosts []string) (_ []origin.DNSRecord, err error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	switch {
	case z.read:
	case hosts != nil:
		return z.zone.Records(ctx, hosts)
	default:
		z.records, err = z.zone.Records(ctx, nil)
		z.read = err == nil
	}
	return z.records, err
}

func (z *zoneRead) Change(ctx context.Context, upsert, remove []origin.DNSRecord) error {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.read = false
	return z.zone.Change(ctx, upsert, remove)
}
