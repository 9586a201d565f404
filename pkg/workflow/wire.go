package workflow

import (
	"context"
	"errors"
	"log/slog"
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
	PutRecord(ctx context.Context, r origin.Record) (origin.Record, error)
	PutDistribution(ctx context.Context, d origin.Distribution) (origin.Distribution, error)
	PutRefusal(ctx context.Context, what string, reasons []origin.Reason, now time.Time) error
}

type distributions interface {
	Distribution(ctx context.Context, id string) (origin.Served, error)
	Update(ctx context.Context, id, etag string, config []byte) (updated string, err error)
	Create(ctx context.Context, config []byte) (origin.Served, error)
	Find(ctx context.Context, callerReference, comment string) (string, error)
	EnsureFunction(ctx context.Context, name, comment, code string) (string, error)
	RestoreFunction(ctx context.Context, name, comment, code string) error
	VpcOrigins(ctx context.Context) ([]origin.VpcOrigin, error)
	ConflictingAliases(ctx context.Context, distribution, alias string) ([]origin.AliasHolder, error)
}

type zone interface {
	Records(ctx context.Context) ([]origin.DNSRecord, error)
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
	s, err := w.Registry.Load(ctx)
	if err != nil {
		return err
	}
	fleet := wiring.Fleet(w.Policy.Distribution.Fleet(), s)
	quotas := sync.OnceValues(func() (origin.Size, error) { return w.Quotas.Distribution(ctx) })
	zone := &zoneRead{zone: w.DNS}
	var failed []error
	capacityFreed := false
	suspended, unpermitted := admission.Suspended(s, w.Policy.Policy), admission.Unpermitted(s.Records, w.Policy.Policy)
	for _, name := range fleet {
		if !inbound.Concerns(messages, name) {
			continue
		}
		if s.IsDistributionDamaged(name) { // function admit reports it
			w.Log.WarnContext(ctx, "the distribution's item of the registry cannot be read; the distribution stays as it is", "distribution", name)
			continue
		}
		r := &wireRun{Wire: w, run: wiring.Begin(s, name, w.Policy.Terms(name)), quotas: quotas, zone: zone}
		r.run.Alone, r.run.Suspended, r.run.Unpermitted = len(fleet) == 1, suspended, unpermitted
		r.run.Recheck = inbound.Rechecks(messages, name, r.run.Item.RecheckDue)
		r.run.Quiet = inbound.OnlyRechecks(messages)
		failed = append(failed, r.underLease(ctx))
		capacityFreed = capacityFreed || r.run.CapacityFreed
	}
	if capacityFreed {
		var o outcome.Outcome
		o.Trigger(outcome.Admit, "capacity was freed", 0)
		failed = append(failed, w.committer().commit(ctx, o, nil))
	}
	return errors.Join(failed...)
}

func (w *Wire) committer() committer {
	return committer{bus: w.Bus, meter: w.Meter, log: w.Log, mode: w.Policy.Distribution.Mode(), queues: map[outcome.Function]queue{outcome.Admit: w.AdmitQueue}}
}

// zoneRead reads the hosted zone, which may have thousands of records, once for all distributions of a run, and again only after a change.
type zoneRead struct {
	zone
	records []origin.DNSRecord
	read    bool
}

func (z *zoneRead) Records(ctx context.Context) (_ []origin.DNSRecord, err error) {
	if !z.read {
		z.records, err = z.zone.Records(ctx)
		z.read = err == nil
	}
	return z.records, err
}

func (z *zoneRead) Change(ctx context.Context, upsert, remove []origin.DNSRecord) error {
	z.read = false
	return z.zone.Change(ctx, upsert, remove)
}
