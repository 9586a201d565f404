package workflow

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/teardown"
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
	Update(ctx context.Context, id, etag string, config []byte) error
	Create(ctx context.Context, config []byte) (origin.Served, error)
	Find(ctx context.Context, callerReference, comment string) (string, error)
	EnsureFunction(ctx context.Context, name, comment, code string) (string, error)
	VpcOrigins(ctx context.Context) ([]origin.VpcOrigin, error)
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

// Wire makes each distribution what the registry wants, and settles what has become Deployed. It is the distributions' only
// writer: a lease in the registry keeps others away, from each by itself.
type Wire struct {
	Policy     admission.Policy
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

const (
	// lease outlives the function's timeout, so that a holder that still runs is never overtaken.
	lease = contract.WireLease
	// rereads bounds how often one run chases a foreign writer before it leaves the rest to the next run.
	rereads = 5
	// visibility is how long to wait for an origin that was accepted and cannot be seen yet.
	visibility = time.Minute
	// patience is how long an origin stays quarantined before it is tried again unasked.
	patience = time.Hour
	// quotaLasts is how long a quota is believed: a sweep asks again, the looks between do not.
	quotaLasts = 5 * time.Minute
)

// wireRun is one run under the lease of one distribution.
type wireRun struct {
	*Wire
	announcer
	now     time.Time
	d       origin.Distribution
	records []origin.Record // of this distribution
	all     origin.Snapshot
	alone   bool // the hub has no other distribution
	quota   func() (origin.Size, error)
	room    bool          // there is more of it than before, or it was seen for the first time, or why it cannot be is new
	held    []string      // origins that this run leaves as they are
	waiting bool          // something is to be written later
	looking bool          // this run was woken by the message that d.Look announced
	next    time.Duration // until the next look that this run needs; 0 for none
}

// zoneRead lists the hosted zone, which may hold thousands of records, once for all distributions of a run, and again only
// after a change.
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

// Run does one look at each distribution and whatever it asks for. What remains is left to a delayed message on its own
// queue.
func (w *Wire) Run(ctx context.Context, messages []inbound.Message) error {
	s, err := w.Registry.Load(ctx)
	if err != nil {
		return err
	}
	fleet := w.Policy.Distribution.Fleet()
	for _, d := range s.Distributions {
		if !slices.Contains(fleet, d.Name) && s.Holds(d.Name) {
			fleet = append(fleet, d.Name) // policy names it no more, but what is in it stays
		}
	}
	quota := sync.OnceValues(func() (origin.Size, error) { return w.Quotas.Distribution(ctx) })
	once := *w
	once.DNS = &zoneRead{zone: w.DNS}
	var failed []error
	room := false
	for _, name := range fleet {
		if others(messages, name) {
			continue
		}
		r := &wireRun{
			Wire: &once, announcer: announcer{bus: w.Bus, log: w.Log}, now: s.Now, d: s.Distribution(name), records: s.In(name),
			all: s, alone: len(fleet) == 1, quota: quota,
		}
		r.looking = slices.ContainsFunc(messages, func(m inbound.Message) bool {
			look, ok := m.(inbound.Look)
			return ok && look.Distribution == name && look.Due.Equal(r.d.Look)
		})
		failed = append(failed, r.run(ctx))
		room = room || r.room
	}
	if room {
		failed = append(failed, w.AdmitQueue.Send(ctx, string(inbound.Poke{Why: "there is room"}.JSON()), 0))
	}
	return errors.Join(failed...)
}

// run is one look at one distribution, under its lease.
func (r *wireRun) run(ctx context.Context) error {
	if r.d.Holder != "" && r.now.Before(r.d.Expires) {
		r.Log.InfoContext(ctx, "another run holds the lease", "distribution", r.d.Name, "holder", r.d.Holder, "expires", r.d.Expires)
		r.Meter.Seconds(contract.MetricLeaseHeld, lease-r.d.Expires.Sub(r.now))
		wait := min(r.d.Expires.Sub(r.now), 15*time.Second) + time.Second
		return r.Queue.Send(ctx, string(inbound.Look{Distribution: r.d.Name, Due: r.now.Add(wait)}.JSON()), wait)
	}
	var err error
	r.d.Holder, r.d.Expires = r.Holder, r.now.Add(lease)
	if r.d, err = r.Registry.PutDistribution(ctx, r.d); err != nil {
		return err
	}
	err = r.reconcile(ctx)
	if err = errors.Join(err, r.publish(ctx)); err == nil {
		err = r.lookAgain(ctx)
	}
	r.d.Holder, r.d.Expires = "", time.Time{}
	_, released := r.Registry.PutDistribution(ctx, r.d)
	return errors.Join(err, released)
}

// others tells whether all that woke a run were messages that announce looks at other distributions.
func others(messages []inbound.Message, name string) bool {
	return !slices.ContainsFunc(messages, func(m inbound.Message) bool {
		look, ok := m.(inbound.Look)
		return !ok || look.Distribution == name
	})
}

// lookAgain sends the delayed message that the run asks for, unless one is on its way that comes early enough. Only the
// message that the distribution's item announces begets another, so that there is never more than one such chain.
func (r *wireRun) lookAgain(ctx context.Context) error {
	if r.next == 0 {
		return nil
	}
	due := r.now.Add(r.next)
	if onItsWay := r.d.Look.After(r.now) && !r.looking; onItsWay && !due.Before(r.d.Look) {
		return nil
	}
	if err := r.Queue.Send(ctx, string(inbound.Look{Distribution: r.d.Name, Due: due}.JSON()), r.next); err != nil {
		return err
	}
	r.d.Look = due
	return nil
}

func (r *wireRun) wants(next time.Duration) {
	if r.next == 0 || next < r.next {
		r.next = next
	}
}

func (r *wireRun) reconcile(ctx context.Context) error {
	wanted := slices.ContainsFunc(r.records, func(o origin.Record) bool { return o.State != origin.Deleted })
	if !wanted && r.d.ID == "" && r.d.Unavailable.Code == "" && !r.d.Seen.IsZero() {
		return nil
	}
	served, err := r.read(ctx, wanted)
	if err != nil {
		return r.unavailable(ctx, err)
	}
	if r.d.ID == "" {
		r.see(wiring.Made(), nil, nil)
		return nil
	}
	r.d.Domain = served.Domain
	// What has come true is settled even while CloudFront refuses writes.
	after, failed := r.write(ctx, served)
	if failed != nil {
		r.waiting = true
	}
	return errors.Join(failed, r.settle(ctx, after))
}

// read finds the distribution and reads it; one that is not made yet has no id afterwards.
func (r *wireRun) read(ctx context.Context, wanted bool) (served origin.Served, err error) {
	if r.d.ID != "" {
		served, err = r.CloudFront.Distribution(ctx, r.d.ID)
		if fault.Is[*fault.Absent](err) {
			err = r.lose(ctx)
		}
		if err != nil {
			return served, err
		}
	}
	if err := r.identify(ctx, wanted); err != nil {
		return served, err
	}
	r.askQuota(ctx)
	if served.ID == r.d.ID {
		return served, nil
	}
	served, err = r.CloudFront.Distribution(ctx, r.d.ID)
	if fault.Is[*fault.Absent](err) && r.Policy.Distribution.Base == nil {
		return served, &fault.GiveUp{Err: coded{distributionMissing, fmt.Errorf("adopt distribution %s: there is none; create one and put its id in that one's place in "+
			"distribution.adopt", r.d.ID)}}
	}
	return served, err
}

// unavailable says, once for each reason, that the distribution cannot be read or made, if that does not pass by itself. Admit
// gives it no further origin, and a sweep looks again. AWS's own words differ from call to call, and so its code stands for them.
func (r *wireRun) unavailable(ctx context.Context, cause error) error {
	if !fault.Is[*fault.GiveUp](cause) {
		return cause
	}
	code, aws := awsCode(cause)
	why := origin.Reason{Code: code, Subject: cmp.Or(r.d.ID, r.d.Name), Message: cause.Error()}
	if origin.SameReasons([]origin.Reason{r.d.Unavailable}, []origin.Reason{why}) {
		return nil
	}
	r.alarm(contract.DistributionUnavailable, "", Detail{What: cmp.Or(r.d.ID, r.d.Name), Why: cause.Error()})
	if err := r.publish(ctx); err != nil {
		return err
	}
	if aws { // its words differ from call to call
		why.Message = fmt.Sprintf("AWS answers %s for %s", why.Code, why.Subject)
	}
	r.d.Unavailable, r.room = why, true
	return nil
}

// Codes of why a distribution, an update or a record is not as it should be.
const (
	distributionMissing  origin.Code = "distribution-missing"  // policy names an id that does not exist
	distributionReplaced origin.Code = "distribution-replaced" // policy names another id although origins are in the old one
	distributionGone     origin.Code = "distribution-gone"     // somebody deleted it
	updateInvalid        origin.Code = "update-invalid"        // CloudFront refuses an update with the origin in it
	recordTaken          origin.Code = "record-taken"          // a record that is not the hub's stands there
)

// coded is an error of ours with a code.
type coded struct {
	code origin.Code
	error
}

// awsCode returns the code of an error, and whether it is AWS's.
func awsCode(err error) (origin.Code, bool) {
	if ours := (coded{}); errors.As(err, &ours) {
		return ours.code, false
	}
	code := fault.Code(err)
	return origin.Code(cmp.Or(code, "unavailable")), code != ""
}

// lose forgets a distribution that somebody deleted. What was in it is in none now: the one that takes its place gets it, or
// else, if policy no longer names it, admit finds each origin another place.
func (r *wireRun) lose(ctx context.Context) error {
	why := origin.Reason{Code: distributionGone, Subject: r.d.ID, Message: "distribution " + r.d.ID + " is gone: somebody deleted it"}
	named := r.Policy.Distribution.Base != nil || slices.Contains(r.Policy.Distribution.Fleet(), r.d.Name)
	for i, o := range r.records {
		before := o.State
		switch {
		case o.Intent == origin.Wire && !named:
			o.State = origin.Waiting
			o.Because(why)
		case o.Intent == origin.Wire && (o.State == origin.Wired || o.State == origin.Live):
			o.State = origin.Pending
		case o.Intent == origin.Detach && o.State != origin.Deleted && !named:
			o.State = origin.Detached
		}
		if o.State == before {
			continue
		}
		if !named {
			o.Left = nil // no alias is left, and nobody writes to DNS for it any more
		}
		if err := r.finish(ctx, i, o); err != nil {
			return err
		}
	}
	r.room = r.room || !named && r.awaited()
	if r.d.Domain != "" { // it was there once, and that it is gone was not told yet
		next := "its origins get a place in another one"
		switch {
		case r.Policy.Distribution.Base != nil:
			next = "the hub makes another, and its teams are back when that is Deployed"
		case named:
			next = "create another, put its id in its place under distribution.adopt in the hub policy, and deploy the hub"
		}
		r.alarm(contract.ChangeFound, "", Detail{What: r.d.ID, Why: why.Message + "; " + next})
		if err := r.publish(ctx); err != nil {
			return err
		}
		r.d.Former = append(r.d.Former, r.d.Domain)
	}
	r.d.ID, r.d.Domain = "", ""
	var err error
	r.d, err = r.Registry.PutDistribution(ctx, r.d)
	return err
}

// askQuota reads CloudFront's quotas if what is known is old. What was known, or else what is documented, stands in for an
// answer.
func (r *wireRun) askQuota(ctx context.Context) {
	if r.now.Sub(r.d.Asked) < quotaLasts {
		return
	}
	r.d.Asked = r.now
	quota, err := r.quota()
	if err != nil {
		r.Log.WarnContext(ctx, "quotas cannot be read, and the last known or the documented ones hold", "error", err)
		return
	}
	before := r.limits()
	r.d.Quota = quota
	r.grows(before, r.limits())
}

// limits are the lower of policy's and CloudFront's.
func (r *wireRun) limits() origin.Size { return r.Policy.Limits.Within(r.d.Quotas()) }

// see remembers what the distribution holds besides the registry's origins.
func (r *wireRun) see(holds origin.Size, aliases []string, strays []origin.Ref) {
	if r.d.Seen.IsZero() && (!r.alone || len(strays) > 0) || r.d.Unavailable.Code != "" {
		r.room = true // admit places nothing new before all distributions were seen, and nothing tagged that may be in one
	}
	r.d.Unavailable = origin.Reason{}
	r.grows(holds, r.d.Others)
	r.d.Seen, r.d.Others, r.d.Aliases, r.d.Strays = r.now, holds, aliases, strays
}

// measure says how full the distribution is.
func (r *wireRun) measure(holds origin.Size) {
	limits, fullest := r.limits(), 0.0
	for _, of := range []struct{ used, limit int }{
		{holds.Origins, limits.Origins}, {holds.Behaviors, limits.Behaviors}, {holds.Aliases, limits.Aliases},
	} {
		fullest = max(fullest, 100*float64(of.used)/float64(of.limit))
	}
	r.Meter.Percent(contract.MetricQuotaUse, fullest, contract.Dimension{Name: contract.DimensionDistribution, Value: r.d.Name})
}

// grows notes that a size of any kind has grown, if anybody waits for that.
func (r *wireRun) grows(before, after origin.Size) {
	if after.Origins > before.Origins || after.Behaviors > before.Behaviors || after.Aliases > before.Aliases {
		r.room = r.room || r.awaited()
	}
}

// awaited tells whether any origin waits for room.
func (r *wireRun) awaited() bool {
	return slices.ContainsFunc(r.all.Records, func(o origin.Record) bool { return o.Intent == origin.Wire && o.State == origin.Waiting })
}

// identify finds the distribution, or makes it if something is to be in it. Creation is repeatable: CloudFront makes one
// distribution per caller reference.
func (r *wireRun) identify(ctx context.Context, wanted bool) error {
	base := r.Policy.Distribution.Base
	if base == nil {
		return r.adopt()
	}
	if r.d.ID != "" {
		return nil
	}
	if !wanted {
		id, err := r.CloudFront.Find(ctx, callerReference(r.Policy, r.d.Name), base.Comment)
		r.d.ID = id
		return err
	}
	notFound, err := r.CloudFront.EnsureFunction(ctx, contract.NotFoundFunction(r.Policy.Hub),
		"originhub: answers 404 for what no team claims", wiring.NotFoundFunction)
	if err != nil {
		return err
	}
	spec := wiring.BaseSpec{
		CallerReference: callerReference(r.Policy, r.d.Name), Comment: base.Comment, PriceClass: base.PriceClass,
		HTTPVersion: base.HTTPVersion, Certificate: r.Policy.Certificate, NotFound: notFound,
	}
	if wildcard(r.Policy, r.d.Name) {
		spec.Aliases = []string{"*." + r.Policy.Domain}
	}
	served, err := r.CloudFront.Create(ctx, wiring.Base(spec).Bytes())
	switch {
	case err == nil:
		r.d.ID = served.ID
		r.say(contract.DistributionCreated, "", Detail{What: served.ID, Why: "policy asks for one of the hub's own"})
	case fault.Is[*fault.Exists](err):
		if r.d.ID, err = r.CloudFront.Find(ctx, spec.CallerReference, spec.Comment); err != nil {
			return err
		}
		if r.d.ID == "" {
			return &fault.Retry{Err: fmt.Errorf("find the distribution with caller reference %s: CloudFront says that it exists, and does "+
				"not list it yet", spec.CallerReference)}
		}
	default:
		return err
	}
	r.d, err = r.Registry.PutDistribution(ctx, r.d)
	return err
}

// adopt takes the id from policy. A distribution that has origins keeps it: under another one they would be wired twice.
func (r *wireRun) adopt() error {
	policy := r.Policy.Distribution
	if !slices.Contains(policy.Fleet(), r.d.Name) {
		return nil // policy names it no more
	}
	id := policy.Adopted(r.d.Name)
	if r.d.ID != "" && r.d.ID != id && slices.ContainsFunc(r.records, func(o origin.Record) bool { return o.Placed() || len(o.Left) > 0 }) {
		return &fault.GiveUp{Err: coded{distributionReplaced, fmt.Errorf("adopt distribution %s: %s has been the one named %s, and origins are in it; put %s back to its "+
			"place in distribution.adopt, and add %s behind it", id, r.d.ID, r.d.Name, r.d.ID, id)}}
	}
	r.d.ID = id
	return nil
}

// desired is what the registry wants of this distribution, but for some origins. One that it has in another distribution
// goes: whoever put it here wrote before the registry did, and died.
func (r *wireRun) desired(c *wiring.Config, but []string) wiring.Desired {
	wanted := slices.Clone(r.records)
	for _, o := range r.all.Records {
		if o.Distribution != r.d.Name && o.State != origin.Deleted && c.Uses(o.ID) {
			o.Intent, o.Left = origin.Detach, nil
			wanted = append(wanted, o)
		}
	}
	return wiring.DesiredOf(wanted, but, specOf(r.Policy, r.d, c))
}

// write brings the distribution's configuration to what is wanted and answers what then is served. It makes no call when
// nothing differs, and none before the spacing since the last update is over.
func (r *wireRun) write(ctx context.Context, served origin.Served) (origin.Served, error) {
	wait := r.Policy.Updates.Spacing - r.now.Sub(r.d.Updated)
	for range rereads {
		config, err := wiring.ParseConfig(served.Config)
		if err != nil {
			return served, &fault.GiveUp{Err: fmt.Errorf("read distribution %s: %w", served.ID, err)}
		}
		held, err := r.hold(ctx, config)
		if err != nil {
			return served, err
		}
		apart := wiring.Apart(r.records, r.all.Records)
		if err := r.refuse(ctx, apart, config); err != nil {
			return served, err
		}
		for _, p := range apart {
			held = append(held, p.VPCOrigin)
		}
		r.held = held
		plan, err := wiring.Diff(r.desired(config, held), config)
		if err != nil {
			return served, &fault.GiveUp{Err: fmt.Errorf("plan distribution %s: %w", served.ID, err)}
		}
		if err := r.refuse(ctx, plan.Refused, config); err != nil {
			return served, err
		}
		for _, p := range plan.Refused {
			r.held = append(r.held, p.VPCOrigin)
		}
		if plan.Empty() {
			return served, nil
		}
		if wait > 0 {
			r.waiting = true
			r.wants(wait)
			return served, nil
		}
		after, err := r.update(ctx, served, config, plan)
		if err == nil {
			return after, nil
		}
		if !fault.Is[*fault.Reread](err) {
			return r.search(ctx, served, err)
		}
		r.Meter.Count(contract.MetricETagConflict, 1)
		if served, err = r.reread(ctx, served); err != nil {
			return served, err
		}
	}
	r.waiting = true
	r.wants(max(r.Policy.Updates.Spacing, time.Second))
	return served, nil
}

// update writes one plan. The time of writing is recorded first, so that a crash cannot shorten the spacing, and so are the
// aliases that it adds, or nobody could tell them from somebody else's.
func (r *wireRun) update(ctx context.Context, served origin.Served, config *wiring.Config, plan wiring.Plan) (origin.Served, error) {
	next, err := wiring.Apply(plan, config)
	if err != nil {
		return served, &fault.GiveUp{Err: fmt.Errorf("apply plan to distribution %s: %w", served.ID, err)}
	}
	brought := slices.Clone(r.d.Brought)
	for _, change := range plan.Changes {
		if change.Op == wiring.Add && change.Kind == wiring.KindAlias && !slices.Contains(brought, change.ID) {
			brought = append(brought, change.ID)
		}
	}
	if !r.d.Updated.Equal(r.now) || len(brought) > len(r.d.Brought) {
		r.d.Updated, r.d.Brought = r.now, brought
		if r.d, err = r.Registry.PutDistribution(ctx, r.d); err != nil {
			// Whoever changed the item has the lease by now; re-reading the distribution would not bring it back.
			return served, fmt.Errorf("record update of %s: %w", served.ID, &fault.Retry{Err: err})
		}
	}
	if err := r.CloudFront.Update(ctx, served.ID, served.ETag, next.Bytes()); err != nil {
		return served, err
	}
	r.d.Refused = ""
	r.Meter.Count(contract.MetricDistributionUpdate, 1)
	r.say(contract.DistributionUpdated, "", Detail{What: served.ID, Why: strings.ReplaceAll(plan.String(), "\n", "; ")})
	served.Config, served.Deployed, served.ETag = next.Bytes(), false, ""
	return served, nil
}

// reread reads the distribution again. What was known of it stays known if that fails.
func (r *wireRun) reread(ctx context.Context, known origin.Served) (origin.Served, error) {
	fresh, err := r.CloudFront.Distribution(ctx, known.ID)
	if err != nil {
		return known, err
	}
	return fresh, nil
}

// hold names the origins that are to be added but must not be yet: not visible to this account, still being deployed, or
// quarantined a short time ago.
func (r *wireRun) hold(ctx context.Context, config *wiring.Config) ([]string, error) {
	var held, fresh []string
	for _, o := range r.records {
		switch {
		case o.Intent != origin.Wire || o.State == origin.Waiting:
		case o.State == origin.Quarantined && r.now.Sub(since(o)) < patience:
			held = append(held, o.ID)
		case config.Uses(o.ID):
		default:
			fresh = append(fresh, o.ID)
		}
	}
	if len(fresh) == 0 {
		return held, nil
	}
	seen, err := r.CloudFront.VpcOrigins(ctx)
	if err != nil {
		return nil, err
	}
	ready := map[string]bool{}
	for _, o := range seen {
		ready[o.ID] = o.Deployed
	}
	for _, id := range fresh {
		if !ready[id] {
			held = append(held, id)
			r.wants(visibility)
		}
	}
	return held, nil
}

// since is when the last decision about a record was made.
func since(o origin.Record) time.Time {
	if len(o.History) == 0 {
		return time.Time{}
	}
	return o.History[len(o.History)-1].At
}

// without leaves out the records of the origins named, so that nothing is added for them.
func without(records []origin.Record, ids []string) []origin.Record {
	var rest []origin.Record
	for _, o := range records {
		if !slices.Contains(ids, o.ID) {
			rest = append(rest, o)
		}
	}
	return rest
}

// refuse handles what a plan had to leave out: one that is to be added is quarantined, unless it only waits for room; one
// that is to be removed stays, and somebody has to look.
func (r *wireRun) refuse(ctx context.Context, problems []wiring.Problem, config *wiring.Config) error {
	for _, p := range problems {
		i := slices.IndexFunc(r.records, func(o origin.Record) bool { return o.ID == p.VPCOrigin })
		if i < 0 {
			continue
		}
		o, what := r.records[i], contract.OriginQuarantined
		switch {
		case o.Intent == origin.Detach:
			what = contract.DistributionRefused
		case p.Waits():
			what = contract.OriginWaits
			if !config.Uses(o.ID) {
				o.State = origin.Waiting // admit looks for another place
			}
		default:
			o.State = origin.Quarantined
		}
		if err := r.keepOut(ctx, i, o, what, p.Reason); err != nil {
			return err
		}
	}
	return nil
}

// quarantine keeps an origin out that makes an update invalid.
func (r *wireRun) quarantine(ctx context.Context, id string, why origin.Reason) error {
	i := slices.IndexFunc(r.records, func(o origin.Record) bool { return o.ID == id })
	o := r.records[i]
	o.State = origin.Quarantined
	return r.keepOut(ctx, i, o, contract.OriginQuarantined, why)
}

// keepOut raises the alarm about an origin and records the reason, once per reason and hour.
func (r *wireRun) keepOut(ctx context.Context, i int, o origin.Record, what string, why origin.Reason) error {
	reasons := []origin.Reason{why}
	if was := r.records[i]; was.State == o.State && origin.SameReasons(was.Reasons, reasons) && r.now.Sub(since(was)) < patience {
		return nil
	}
	if what == contract.OriginQuarantined {
		r.Meter.Count(contract.MetricOriginQuarantined, 1)
	}
	r.alarm(what, o.ARN, about(o, "").Because(reasons))
	if err := r.publish(ctx); err != nil {
		return err
	}
	o.Because(reasons...)
	o.Remember(r.now, decided[what], reasons, "")
	return r.put(ctx, i, o)
}

var decided = map[string]origin.Code{
	contract.OriginQuarantined: origin.DecidedQuarantined, contract.OriginWaits: origin.DecidedDeferred,
	contract.DistributionRefused: origin.DecidedWriteRefused,
}

func (r *wireRun) put(ctx context.Context, i int, o origin.Record) error {
	written, err := r.Registry.PutRecord(ctx, o)
	if err == nil {
		r.records[i] = written
	}
	return err
}

// search finds the additions that make an update invalid, quarantines them and lets the others in. The error often names
// the culprit; else halves are tried. An update that adds nothing has no culprit among the entries.
func (r *wireRun) search(ctx context.Context, served origin.Served, cause error) (origin.Served, error) {
	if !fault.Is[*fault.GiveUp](cause) {
		return served, cause
	}
	config, err := wiring.ParseConfig(served.Config)
	if err != nil {
		return served, err
	}
	var added []string
	var entries []wiring.Entry
	for _, o := range without(r.records, r.held) {
		if o.Intent == origin.Wire && !slices.Contains([]origin.State{origin.Waiting, origin.Wired, origin.Live}, o.State) {
			added = append(added, o.ID)
			names := append(append([]string{o.Claim.Domain}, o.Claim.Hosts...), o.Claim.Paths...)
			entries = append(entries, wiring.Entry{VPCOrigin: o.ID, Names: names})
		}
	}
	if len(added) == 0 {
		return served, r.writeRefused(ctx, cause)
	}
	slices.Sort(added)
	suspects := wiring.Suspects(cause.Error(), entries)
	of := []string{"AccessDenied", "InvalidViewerCertificate"}
	if wildcard(r.Policy, r.d.Name) {
		of = append(of, "CNAMEAlreadyExists") // no origin brings an alias
	}
	if len(suspects) == 0 && slices.Contains(of, fault.Code(cause)) {
		return served, r.writeRefused(ctx, cause)
	}
	// What else the update does, removals above all, may be to blame, and must not wait for the additions.
	rest, err := wiring.Diff(r.desired(config, append(slices.Clone(r.held), added...)), config)
	if err != nil {
		return served, &fault.GiveUp{Err: fmt.Errorf("plan distribution %s: %w", served.ID, err)}
	}
	if !rest.Empty() {
		if _, err := r.update(ctx, served, config, rest); fault.Is[*fault.GiveUp](err) {
			return served, r.writeRefused(ctx, err)
		} else if err != nil {
			return served, err
		}
		if served, err = r.reread(ctx, served); err != nil {
			return served, err
		}
		if config, err = wiring.ParseConfig(served.Config); err != nil {
			return served, err
		}
	}
	s := wiring.NewSearch(added)
	if len(suspects) > 0 {
		s = s.Suspect(suspects)
	} else {
		s = s.Learn(false)
	}
	whyBad := map[string]error{}
	for !s.Done() {
		try := s.Next()
		excluded := slices.Clone(r.held)
		for _, id := range added {
			if !slices.Contains(try, id) {
				excluded = append(excluded, id)
			}
		}
		plan, err := wiring.Diff(r.desired(config, excluded), config)
		if err != nil {
			return served, &fault.GiveUp{Err: fmt.Errorf("plan distribution %s: %w", served.ID, err)}
		}
		if plan.Empty() { // nothing of the try is left to be refused
			s = s.Learn(true)
			continue
		}
		after, err := r.update(ctx, served, config, plan)
		switch {
		case err == nil:
			if served, err = r.reread(ctx, after); err != nil {
				return served, err
			}
			if config, err = wiring.ParseConfig(served.Config); err != nil {
				return served, err
			}
		case !fault.Is[*fault.GiveUp](err):
			return served, errors.Join(err, r.quarantineAll(ctx, s.Bad(), whyBad, cause))
		}
		for _, id := range try {
			whyBad[id] = err
		}
		s = s.Learn(err == nil)
	}
	return served, r.quarantineAll(ctx, s.Bad(), whyBad, cause)
}

func (r *wireRun) quarantineAll(ctx context.Context, bad []string, causes map[string]error, cause error) error {
	for _, id := range bad {
		refused := cmp.Or(causes[id], cause)
		why := origin.Reason{
			Code: updateInvalid, Subject: fault.Code(refused),
			Message: "CloudFront refuses an update with it in it (" + origin.Brief(fault.Said(refused)) + "): mend what it claims; it is tried " +
				"again after an hour",
		}
		if err := r.quarantine(ctx, id, why); err != nil {
			return err
		}
	}
	return nil
}

// writeRefused reports an update that is refused for the fault of no origin that it adds, once per error code and hour.
func (r *wireRun) writeRefused(ctx context.Context, cause error) error {
	code := cmp.Or(fault.Code(cause), "unknown")
	if r.d.Refused == code && r.now.Sub(r.d.RefusedAt) < patience {
		return cause
	}
	because, next := "and no origin is to blame", "mend that"
	var wired []wiring.Entry
	for _, o := range r.records {
		wired = append(wired, wiring.Entry{VPCOrigin: o.ID})
	}
	if named := wiring.Suspects(cause.Error(), wired); len(named) > 0 {
		// One that is no longer shared, as a rule. CloudFront goes on serving it, and refuses every change.
		because, next = "because of "+strings.Join(named, ", ")+" in it", "the hub takes out what is no longer shared with it"
	}
	r.alarm(contract.DistributionRefused, "", Detail{
		What: r.d.ID,
		Why: "CloudFront refuses updates of the distribution, " + because + " (" + origin.Brief(fault.Said(cause)) +
			"): " + next + "; what waits is written as soon as CloudFront takes it",
	})
	if err := r.publish(ctx); err != nil {
		return errors.Join(cause, err)
	}
	r.d.Refused, r.d.RefusedAt = code, r.now
	return cause
}

// settle records what has come true since the last look: what is in the configuration, what is Deployed, whose task token
// can be completed.
func (r *wireRun) settle(ctx context.Context, served origin.Served) error {
	config, err := wiring.ParseConfig(served.Config)
	if err != nil {
		return &fault.GiveUp{Err: fmt.Errorf("read distribution %s: %w", served.ID, err)}
	}
	r.d.Brought = slices.DeleteFunc(r.d.Brought, func(a string) bool { return !slices.Contains(config.Aliases(), a) })
	spec := specOf(r.Policy, r.d, config)
	holds, aliases := config.Others(r.all.Records, spec)
	r.see(holds, aliases, config.Strays(r.all.Records))
	r.measure(config.Size())
	seen := make([]origin.Record, len(r.records))
	var changed []int
	for i, o := range r.records {
		seen[i] = o
		if !r.unwritten(o) {
			seen[i].State = settled(o, config.Uses(o.ID), served.Deployed)
		}
		if seen[i].State != o.State || over(seen[i]) {
			changed = append(changed, i)
		}
		if seen[i].State == origin.Detached && o.Placed() {
			seen[i].Left = o.Reclaim(origin.Claim{}).Left // DNS may fail, and the record be forgotten before it is mended
		}
		left := seen[i].State == origin.Detaching || seen[i].State == origin.Detached
		if left && seen[i].State != o.State && r.awaited() {
			r.room = true
		}
		if s := seen[i].State; s == origin.Wired || s == origin.Detaching {
			r.wants(wiring.NextLook(r.now.Sub(r.d.Updated)))
		}
	}
	if len(changed) == 0 && r.looking {
		return nil // DNS is mended at events and sweeps, not at each look at a deployment
	}
	elsewhere, pointed := r.point(ctx, seen, changed, config, spec, served.Domain)
	if pointed != nil {
		// Without its records nothing is live, but no teardown has to wait for DNS.
		changed = slices.DeleteFunc(changed, func(i int) bool { return seen[i].State == origin.Live && !over(seen[i]) })
	} else if served.Deployed {
		changed = r.forget(seen, changed, config, spec)
	}
	for _, i := range changed {
		r.announce(r.records[i], seen[i], elsewhere)
	}
	if err := r.publish(ctx); err != nil {
		return errors.Join(pointed, err)
	}
	for _, i := range changed {
		if err := r.finish(ctx, i, seen[i]); err != nil {
			return errors.Join(pointed, err)
		}
	}
	return pointed
}

// forget takes from the records the hosts that they have left and of which nothing is left.
func (r *wireRun) forget(seen []origin.Record, changed []int, config *wiring.Config, spec wiring.Spec) []int {
	aliases := spec.Releasable(config.Aliases())
	for i, o := range seen {
		seen[i].Left = wiring.StillLeft(o, seen, aliases)
		if len(seen[i].Left) == len(o.Left) {
			continue
		}
		r.room = r.room || r.awaited()
		if !slices.Contains(changed, i) {
			changed = append(changed, i)
		}
	}
	return changed
}

// over tells whether a teardown waits for what has come about: the origin is out, or is to be wired again.
func over(o origin.Record) bool {
	return o.Token != "" && (o.State == origin.Detached || o.Intent == origin.Wire)
}

// unwritten tells whether what the registry wants of an origin is not in the configuration, even if something older is: it
// waits for the next update, or was kept out of this one.
func (r *wireRun) unwritten(o origin.Record) bool {
	switch {
	case o.Intent != origin.Wire:
		return false
	case o.State == origin.Quarantined:
		return slices.Contains(r.held, o.ID) || since(o).Equal(r.now)
	default:
		return o.State == origin.Pending && (r.waiting || slices.Contains(r.held, o.ID))
	}
}

// settled is the state of a record after a look at the distribution.
//
//	intent  in config  deployed   state
//	wire    no         -          as it was, but pending if it had been wired
//	wire    yes        no         wired, but live stays live
//	wire    yes        yes        live
//	detach  yes        -          as it was
//	detach  no         no         detaching, but detached stays detached
//	detach  no         yes        detached
func settled(o origin.Record, in, deployed bool) origin.State {
	switch {
	case o.State == origin.Deleted:
		return origin.Deleted
	case o.Intent == origin.Wire && !in:
		if o.State == origin.Wired || o.State == origin.Live || o.State == origin.Detaching || o.State == origin.Detached {
			return origin.Pending
		}
		return o.State
	case o.Intent == origin.Wire && deployed:
		return origin.Live
	case o.Intent == origin.Wire:
		if o.State == origin.Live {
			return origin.Live
		}
		return origin.Wired
	case in:
		return o.State
	case deployed || o.State == origin.Detached:
		return origin.Detached
	default:
		return origin.Detaching
	}
}

// point makes DNS follow the records whose state changes. It answers the hosts for which nothing is written, since a record that
// is not the hub's stands there.
func (r *wireRun) point(
	ctx context.Context, seen []origin.Record, changed []int, config *wiring.Config, spec wiring.Spec, target string,
) (elsewhere []string, err error) {
	if !slices.ContainsFunc(seen, func(o origin.Record) bool {
		return o.State == origin.Live || o.State == origin.Detaching || o.State == origin.Detached || len(o.Left) > 0
	}) {
		return nil, nil
	}
	existing, err := r.DNS.Records(ctx)
	if err != nil {
		return nil, err
	}
	var others []string
	for _, d := range r.all.Distributions {
		if d.Name != r.d.Name {
			others = append(append(others, d.Domain), d.Former...)
		}
	}
	plan := wiring.Records(seen, target, r.d.Former, others, config.IPv6(), existing)
	if !spec.Created {
		plan = plan.Only(r.d.Pointed) // others may have records that lead to it
		known := len(r.d.Pointed)
		for _, record := range plan.Upsert {
			if name := wiring.Pointed(record); !slices.Contains(r.d.Pointed, name) {
				r.d.Pointed = append(r.d.Pointed, name)
			}
		}
		if len(r.d.Pointed) > known {
			if r.d, err = r.Registry.PutDistribution(ctx, r.d); err != nil {
				return nil, err
			}
		}
	}
	if !plan.Empty() {
		if err = r.DNS.Change(ctx, plan.Upsert, plan.Delete); err == nil {
			r.d.Pointed = slices.DeleteFunc(r.d.Pointed, func(name string) bool {
				return slices.ContainsFunc(plan.Delete, func(record origin.DNSRecord) bool { return wiring.Pointed(record) == name })
			})
		}
	}
	for _, refused := range plan.Refused {
		elsewhere = append(elsewhere, refused.Name)
		if len(changed) > 0 { // else it was reported when its origin went live
			err = errors.Join(err, r.refuseRecord(ctx, refused))
		}
	}
	return elsewhere, err
}

// refuseRecord says, once for each record, that it stands where the hub's is to be.
func (r *wireRun) refuseRecord(ctx context.Context, refused origin.DNSRecord) error {
	what := refused.Name + " " + refused.Type
	why := "a record that is not the hub's stands there, in hosted zone " + r.Policy.HostedZone
	if refused.Target != "" {
		why += ", and leads to " + refused.Target
	}
	why += ": remove it, and the next sweep writes the hub's"
	reasons := []origin.Reason{{Code: recordTaken, Subject: refused.Target, Message: why}}
	if origin.SameReasons(r.all.Refusals[what], reasons) {
		return nil
	}
	r.alarm(contract.RecordRefused, "", Detail{What: what}.Because(reasons))
	if err := r.publish(ctx); err != nil {
		return err
	}
	return r.Registry.PutRefusal(ctx, what, reasons, r.now)
}

func (r *wireRun) announce(was, is origin.Record, elsewhere []string) {
	if was.State == is.State {
		return
	}
	switch is.State {
	case origin.Live:
		if !slices.ContainsFunc(is.History, func(d origin.Decision) bool { return d.Code == origin.DecidedLive && !d.At.Before(is.Admitted) }) {
			r.Meter.Seconds(contract.MetricOnboardingLatency, r.now.Sub(is.Admitted))
		}
		why := "answers for " + strings.Join(is.Claim.Hosts, ", ") + " on " + strings.Join(is.Claim.Paths, ", ")
		var astray []string
		for _, host := range is.Claim.Hosts {
			if slices.ContainsFunc(elsewhere, func(e string) bool { return strings.EqualFold(e, host) }) {
				astray = append(astray, host)
			}
		}
		if len(astray) > 0 {
			why += "; but no viewer gets there by " + strings.Join(astray, ", ") + ", where a record stands that is not the hub's"
		}
		r.say(contract.OriginLive, is.ARN, about(is, why))
	case origin.Detached:
		r.say(contract.OriginDetached, is.ARN, about(is, "no longer in distribution "+r.d.ID+", and that is Deployed"))
	}
}

// finish completes a waiting teardown and records the state. The token goes first: completing it twice is harmless, but a
// token that is forgotten would leave the teardown waiting.
func (r *wireRun) finish(ctx context.Context, i int, o origin.Record) error {
	if over(o) {
		answer := TaskOutput{Phase: string(teardown.Record), Says: "out of distribution " + r.d.ID + ", and that is Deployed"}
		if o.Intent == origin.Wire {
			answer.Says = "it is to be wired again"
		}
		output, err := json.Marshal(answer)
		if err != nil {
			return &fault.GiveUp{Err: err}
		}
		if err := fault.IgnoreFinished(r.Executions.Complete(ctx, o.Token, string(output))); err != nil {
			return err
		}
		o.Token = ""
	}
	switch o.State {
	case r.records[i].State:
	case origin.Live:
		o.Reasons = nil
		remember(&o, r.now, origin.DecidedLive, "")
	case origin.Detached:
		remember(&o, r.now, origin.DecidedDetached, "")
	}
	return r.put(ctx, i, o)
}
