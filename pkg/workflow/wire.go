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
	Load(ctx context.Context, distribution string) (origin.Snapshot, error)
	PutRecord(ctx context.Context, distribution string, r origin.Record) (origin.Record, error)
	PutDistribution(ctx context.Context, d origin.Distribution) (origin.Distribution, error)
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

// Wire makes one distribution what the registry wants, and settles what has become Deployed. It is the distribution's only
// writer: a lease in the registry keeps others away.
type Wire struct {
	Policy     admission.Policy
	Registry   wireRegistry
	CloudFront distributions
	DNS        zone
	Queue      queue // its own
	Executions completer
	Bus        bus
	Meter      meter
	Log        *slog.Logger
	Holder     string // names this process in the lease
}

const (
	// lease outlives the function's timeout, so that a holder that still runs is never overtaken.
	lease = 3 * time.Minute
	// rereads bounds how often one run chases a foreign writer before it leaves the rest to the next run.
	rereads = 5
	// visibility is how long to wait for an origin that was accepted and cannot be seen yet.
	visibility = time.Minute
	// patience is how long an origin stays quarantined before it is tried again unasked.
	patience = time.Hour
)

// wireRun is one run under the lease.
type wireRun struct {
	*Wire
	announcer
	now     time.Time
	d       origin.Distribution
	records []origin.Record
	held    []string      // origins that this run leaves as they are
	waiting bool          // something is to be written later
	looking bool          // this run was woken by the message that d.Look announced
	next    time.Duration // until the next look that this run needs; 0 for none
}

// Run does one look and whatever it asks for. What remains is left to a delayed message on its own queue.
func (w *Wire) Run(ctx context.Context, messages []inbound.Message) error {
	s, err := w.Registry.Load(ctx, origin.Main)
	if err != nil {
		return err
	}
	d := s.Distribution
	if d.Holder != "" && s.Now.Before(d.Expires) {
		w.Log.InfoContext(ctx, "another run holds the lease", "holder", d.Holder, "expires", d.Expires)
		w.Meter.Seconds(contract.MetricLeaseHeld, lease-d.Expires.Sub(s.Now))
		return w.Queue.Send(ctx, string(inbound.Poke{Why: "lease held"}.JSON()), min(d.Expires.Sub(s.Now), 15*time.Second)+time.Second)
	}
	d.Holder, d.Expires = w.Holder, s.Now.Add(lease)
	if d, err = w.Registry.PutDistribution(ctx, d); err != nil {
		return err
	}
	r := &wireRun{
		Wire: w, announcer: announcer{bus: w.Bus, log: w.Log}, now: s.Now, d: d, records: s.Records,
		looking: slices.Contains(messages, inbound.Message(inbound.Poke{Why: lookPoke(d.Look)})),
	}
	err = r.reconcile(ctx)
	if announced := r.publish(ctx); err == nil {
		err = announced
	}
	if err == nil {
		err = r.lookAgain(ctx)
	}
	r.d.Holder, r.d.Expires = "", time.Time{}
	if _, released := w.Registry.PutDistribution(ctx, r.d); err == nil {
		err = released
	}
	return err
}

func lookPoke(due time.Time) string { return "look again at " + due.UTC().Format(time.RFC3339) }

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
	if err := r.Queue.Send(ctx, string(inbound.Poke{Why: lookPoke(due)}.JSON()), r.next); err != nil {
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
	if !slices.ContainsFunc(r.records, func(o origin.Record) bool { return o.State != origin.Deleted }) && r.d.ID == "" {
		return nil
	}
	if err := r.identify(ctx); err != nil {
		return err
	}
	served, err := r.CloudFront.Distribution(ctx, r.d.ID)
	if err != nil {
		return err
	}
	r.d.Domain = served.Domain
	// What has come true is settled even while CloudFront refuses writes.
	after, failed := r.write(ctx, served)
	if failed != nil {
		r.waiting = true
	}
	return errors.Join(failed, r.settle(ctx, after))
}

// identify finds or makes the distribution. Creation is repeatable: CloudFront makes one distribution per caller reference.
func (r *wireRun) identify(ctx context.Context) error {
	base := r.Policy.Distribution.Base
	if base == nil {
		r.d.ID = r.Policy.Distribution.Adopt
		return nil
	}
	if r.d.ID != "" {
		return nil
	}
	notFound, err := r.CloudFront.EnsureFunction(ctx, contract.NotFoundFunction(r.Policy.Hub),
		"originhub: answers 404 for what no team claims", wiring.NotFoundFunction)
	if err != nil {
		return err
	}
	spec := wiring.BaseSpec{
		CallerReference: contract.CallerReference(r.Policy.Hub), Comment: base.Comment, PriceClass: base.PriceClass,
		HTTPVersion: base.HTTPVersion, Certificate: r.Policy.Certificate, NotFound: notFound,
	}
	if r.Policy.Aliases == admission.Wildcard {
		spec.Aliases = []string{"*." + r.Policy.Domain}
	}
	served, err := r.CloudFront.Create(ctx, wiring.Base(spec).Bytes())
	switch {
	case err == nil:
		r.d.ID = served.ID
		r.say(contract.DistributionCreated, "", Detail{What: served.ID, Why: "policy asks for one of the hub's own"})
	case fault.Is[*fault.Done](err):
		if r.d.ID, err = r.CloudFront.Find(ctx, spec.CallerReference, spec.Comment); err != nil {
			return err
		}
		if r.d.ID == "" {
			return &fault.GiveUp{Err: fmt.Errorf("find the distribution with caller reference %s: it exists, but not with the "+
				"comment %q; put its id under distribution.adopt in the policy", spec.CallerReference, spec.Comment)}
		}
	default:
		return err
	}
	r.d, err = r.Registry.PutDistribution(ctx, r.d)
	return err
}

func (r *wireRun) spec(c *wiring.Config) wiring.Spec {
	l := r.Policy.Limits
	return wiring.Spec{
		Domain: r.Policy.Domain, Wildcard: r.Policy.Aliases == admission.Wildcard, Created: c.CallerReference() == contract.CallerReference(r.Policy.Hub),
		Limits: wiring.Limits{Origins: l.Origins, Behaviors: l.Behaviors, Aliases: l.Aliases},
	}
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
		r.held = held
		plan, err := wiring.Diff(wiring.DesiredOf(without(r.records, held), r.spec(config)), config)
		if err != nil {
			return served, &fault.GiveUp{Err: fmt.Errorf("plan distribution %s: %w", served.ID, err)}
		}
		if len(plan.Refused) > 0 {
			if err := r.refuse(ctx, plan.Refused); err != nil {
				return served, err
			}
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
			return r.search(ctx, served, held, err)
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

// update writes one plan. The time of writing is recorded first, so that a crash cannot shorten the spacing.
func (r *wireRun) update(ctx context.Context, served origin.Served, config *wiring.Config, plan wiring.Plan) (origin.Served, error) {
	next, err := wiring.Apply(plan, config)
	if err != nil {
		return served, &fault.GiveUp{Err: fmt.Errorf("apply plan to distribution %s: %w", served.ID, err)}
	}
	if !r.d.Updated.Equal(r.now) {
		r.d.Updated = r.now
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
		case o.Intent != origin.Wire:
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
func (r *wireRun) refuse(ctx context.Context, problems []wiring.Problem) error {
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
		default:
			o.State = origin.Quarantined
		}
		if err := r.keepOut(ctx, i, o, what, p.Message); err != nil {
			return err
		}
	}
	return nil
}

// quarantine keeps an origin out that makes an update invalid.
func (r *wireRun) quarantine(ctx context.Context, id, why string) error {
	i := slices.IndexFunc(r.records, func(o origin.Record) bool { return o.ID == id })
	o := r.records[i]
	o.State = origin.Quarantined
	return r.keepOut(ctx, i, o, contract.OriginQuarantined, why)
}

// keepOut raises the alarm about an origin and records the reason, once per reason and hour.
func (r *wireRun) keepOut(ctx context.Context, i int, o origin.Record, what, why string) error {
	if was := r.records[i]; was.State == o.State && was.Reason == why && r.now.Sub(since(was)) < patience {
		return nil
	}
	if what == contract.OriginQuarantined {
		r.Meter.Count(contract.MetricOriginQuarantined, 1)
	}
	r.alarm(what, o.ARN, about(o, why))
	if err := r.publish(ctx); err != nil {
		return err
	}
	o.Reason = why
	remember(&o, r.now, what, why)
	return r.put(ctx, i, o)
}

func (r *wireRun) put(ctx context.Context, i int, o origin.Record) error {
	written, err := r.Registry.PutRecord(ctx, origin.Main, o)
	if err == nil {
		r.records[i] = written
	}
	return err
}

// search finds the additions that make an update invalid, quarantines them and lets the others in. The error often names
// the culprit; else halves are tried. An update that adds nothing has no culprit among the entries.
func (r *wireRun) search(ctx context.Context, served origin.Served, held []string, cause error) (origin.Served, error) {
	config, err := wiring.ParseConfig(served.Config)
	if err != nil {
		return served, err
	}
	var added []string
	var entries []wiring.Entry
	for _, o := range without(r.records, held) {
		if o.Intent == origin.Wire && o.State != origin.Live && o.State != origin.Wired {
			added = append(added, o.ID)
			names := append(append([]string{o.Claim.Domain}, o.Claim.Hosts...), o.Claim.Paths...)
			entries = append(entries, wiring.Entry{VPCOrigin: o.ID, Names: names})
		}
	}
	if !fault.Is[*fault.GiveUp](cause) {
		return served, cause
	}
	if len(added) == 0 {
		return served, r.writeRefused(cause)
	}
	slices.Sort(added)
	suspects := wiring.Suspects(cause.Error(), entries)
	if len(suspects) == 0 && slices.Contains([]string{"AccessDenied", "InvalidViewerCertificate"}, fault.Code(cause)) {
		return served, r.writeRefused(cause)
	}
	// What else the update does, removals above all, may be to blame, and must not wait for the additions.
	rest, err := wiring.Diff(wiring.DesiredOf(without(r.records, append(slices.Clone(held), added...)), r.spec(config)), config)
	if err != nil {
		return served, &fault.GiveUp{Err: fmt.Errorf("plan distribution %s: %w", served.ID, err)}
	}
	if !rest.Empty() {
		if _, err := r.update(ctx, served, config, rest); fault.Is[*fault.GiveUp](err) {
			return served, r.writeRefused(err)
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
	whyBad := map[string]string{}
	for !s.Done() {
		try := s.Next()
		excluded := slices.Clone(held)
		for _, id := range added {
			if !slices.Contains(try, id) {
				excluded = append(excluded, id)
			}
		}
		plan, err := wiring.Diff(wiring.DesiredOf(without(r.records, excluded), r.spec(config)), config)
		if err != nil {
			return served, &fault.GiveUp{Err: fmt.Errorf("plan distribution %s: %w", served.ID, err)}
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
			whyBad[id] = fmt.Sprint(err)
		}
		s = s.Learn(err == nil)
	}
	return served, r.quarantineAll(ctx, s.Bad(), whyBad, cause)
}

func (r *wireRun) quarantineAll(ctx context.Context, bad []string, why map[string]string, cause error) error {
	for _, id := range bad {
		if err := r.quarantine(ctx, id, cmp.Or(why[id], cause.Error())); err != nil {
			return err
		}
	}
	return nil
}

// writeRefused reports an update that is refused for no origin's fault, once per error code and hour.
func (r *wireRun) writeRefused(cause error) error {
	code := cmp.Or(fault.Code(cause), "unknown")
	if r.d.Refused == code && r.now.Sub(r.d.RefusedAt) < patience {
		return cause
	}
	r.d.Refused, r.d.RefusedAt = code, r.now
	r.alarm(contract.DistributionRefused, "", Detail{What: r.d.ID, Why: cause.Error()})
	return cause
}

// settle records what has come true since the last look: what is in the configuration, what is Deployed, whose task token
// can be completed.
func (r *wireRun) settle(ctx context.Context, served origin.Served) error {
	config, err := wiring.ParseConfig(served.Config)
	if err != nil {
		return &fault.GiveUp{Err: fmt.Errorf("read distribution %s: %w", served.ID, err)}
	}
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
		if s := seen[i].State; s == origin.Wired || s == origin.Detaching {
			r.wants(wiring.NextLook(r.now.Sub(r.d.Updated)))
		}
	}
	if len(changed) == 0 && r.looking {
		return nil // DNS is mended at events and sweeps, not at each look at a deployment
	}
	pointed := r.point(ctx, seen, changed, config, served.Domain)
	if pointed != nil {
		// Without its records nothing is live, but no teardown has to wait for DNS.
		changed = slices.DeleteFunc(changed, func(i int) bool { return seen[i].State == origin.Live && !over(seen[i]) })
	}
	for _, i := range changed {
		r.announce(r.records[i], seen[i])
	}
	if err := r.publish(ctx); err != nil {
		return err
	}
	for _, i := range changed {
		if err := r.finish(ctx, i, seen[i]); err != nil {
			return errors.Join(pointed, err)
		}
	}
	return pointed
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
		return o.State == origin.Pending && r.waiting
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

// point makes DNS follow the records whose state changes.
func (r *wireRun) point(ctx context.Context, seen []origin.Record, changed []int, config *wiring.Config, target string) error {
	if !slices.ContainsFunc(seen, func(o origin.Record) bool {
		return o.State == origin.Live || o.State == origin.Detaching || o.State == origin.Detached
	}) {
		return nil
	}
	existing, err := r.DNS.Records(ctx)
	if err != nil {
		return err
	}
	plan := wiring.Records(seen, target, config.IPv6(), existing)
	for _, refused := range plan.Refused {
		if len(changed) == 0 {
			break // it was reported when its origin went live
		}
		r.alarm(contract.RecordRefused, "", Detail{What: refused.Name + " " + refused.Type, Why: "a record that is not the hub's " +
			"stands there; remove it, and the next sweep writes ours"})
	}
	if plan.Empty() {
		return nil
	}
	return r.DNS.Change(ctx, plan.Upsert, plan.Delete)
}

func (r *wireRun) announce(was, is origin.Record) {
	if was.State == is.State {
		return
	}
	switch is.State {
	case origin.Live:
		if !slices.ContainsFunc(is.History, func(d origin.Decision) bool { return d.What == contract.OriginLive && !d.At.Before(is.Admitted) }) {
			r.Meter.Seconds(contract.MetricOnboardingLatency, r.now.Sub(is.Admitted))
		}
		r.say(contract.OriginLive, is.ARN, about(is, "answers for "+strings.Join(is.Claim.Hosts, ", ")+" on "+strings.Join(is.Claim.Paths, ", ")))
	case origin.Detached:
		r.say(contract.OriginDetached, is.ARN, about(is, "no longer in distribution "+r.d.ID+", and that is Deployed"))
	}
}

// finish completes a waiting teardown and records the state. The token goes first: completing it twice is harmless, but a
// token that is forgotten would leave the teardown waiting.
func (r *wireRun) finish(ctx context.Context, i int, o origin.Record) error {
	if over(o) {
		answer := TaskOutput{Phase: string(teardown.Confirm), Says: "out of distribution " + r.d.ID + ", and that is Deployed"}
		if o.Intent == origin.Wire {
			answer = TaskOutput{Phase: string(teardown.Report), Says: "it is to be wired again"}
		}
		output, err := json.Marshal(answer)
		if err != nil {
			return &fault.GiveUp{Err: err}
		}
		if err := fault.IgnoreDone(r.Executions.Complete(ctx, o.Token, string(output))); err != nil {
			return err
		}
		o.Token = ""
	}
	switch o.State {
	case r.records[i].State:
	case origin.Live:
		o.Reason = ""
		remember(&o, r.now, contract.OriginLive, "")
	case origin.Detached:
		remember(&o, r.now, contract.OriginDetached, "")
	}
	return r.put(ctx, i, o)
}
