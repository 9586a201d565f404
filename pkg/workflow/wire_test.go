package workflow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/hubpolicy"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
	"github.com/originhub/originhub/pkg/wiring"
)

// fixedRegistry holds a snapshot and believes every write.
type fixedRegistry struct{ origin.Snapshot }

func (r fixedRegistry) Load(context.Context) (origin.Snapshot, error) { return r.Snapshot, nil }

func (r fixedRegistry) LoadOrigins(context.Context, []string, []string, []string, []string) (origin.Snapshot, error) {
	return r.Snapshot, nil
}

func (r fixedRegistry) LoadDistribution(context.Context, []string, string, string) (origin.Snapshot, error) {
	return r.Snapshot, nil
}

func (r fixedRegistry) PutReported(context.Context, string, string, []origin.Reason, time.Time) error {
	return nil
}

func (r fixedRegistry) PutRecord(_ context.Context, o origin.Record) (origin.Record, error) {
	return o, nil
}

func (fixedRegistry) Updates(context.Context) (origin.Updates, time.Time, error) {
	return origin.Updates{}, now, nil
}

func (fixedRegistry) PutUpdates(context.Context, origin.Updates) error { return nil }

func (r fixedRegistry) PutRefusal(context.Context, string, []origin.Reason, time.Time) error {
	return nil
}

func (r fixedRegistry) PutTally(context.Context, origin.Tally, time.Time) error { return nil }

func (r fixedRegistry) PutDistribution(_ context.Context, d origin.Distribution) (origin.Distribution, error) {
	return d, nil
}

type sent struct{ bodies []string }

func (s *sent) Send(_ context.Context, body string, _ time.Duration) error {
	s.bodies = append(s.bodies, body)
	return nil
}

type noMeter struct{}

func (noMeter) Record(outcome.Metric) {}

// broken is a hosted zone and a bus that cannot be reached.
type broken struct{}

var errZone, errBus = errors.New("no zone"), errors.New("no bus")

func (broken) Records(context.Context, []string) ([]origin.DNSRecord, error) { return nil, errZone }

func (broken) Change(context.Context, []origin.DNSRecord, []origin.DNSRecord) error { return errZone }

func (broken) Publish(context.Context, ...origin.Event) error { return errBus }

// now of every run.
var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestWireTriggersNoOtherDistributionForALease(t *testing.T) {
	queue := &sent{}
	held := origin.Distribution{Name: "main-2", Lease: origin.Lease{Holder: "another", Expires: now.Add(time.Minute)}}
	r := &wireRun{Wire: &Wire{Queue: queue, Meter: noMeter{}, Log: slog.New(slog.DiscardHandler)}, run: wiring.Run{Now: now, Item: held}}
	if err := r.underLease(context.Background()); err != nil || len(queue.bodies) != 1 {
		t.Fatalf("%v, and %q was sent", err, queue.bodies)
	}
	message, err := inbound.Parse([]byte(queue.bodies[0]))
	if err != nil {
		t.Fatal(err)
	}
	if names, all := inbound.Distributions([]inbound.Message{message}); all || !slices.Equal(names, []string{"main-2"}) {
		t.Errorf("%s triggers not main-2 alone", queue.bodies[0])
	}
}

type quiet struct{}

func (quiet) Publish(context.Context, ...origin.Event) error { return nil }

type unlimited struct{}

func (unlimited) Distribution(context.Context) (origin.Size, error) { return origin.Size{}, nil }

// gone is a CloudFront that has distributions of one id only.
type gone struct {
	distributions
	but string
}

func (g gone) Distribution(_ context.Context, id string) (origin.Served, error) {
	if id != g.but {
		return origin.Served{}, &fault.Absent{Err: errors.New("NoSuchDistribution")}
	}
	return origin.Served{ID: id, Domain: "d2.cloudfront.net", Deployed: true, Config: wiring.Base(wiring.BaseSpec{}).Bytes()}, nil
}

// hears is a bus that cannot be reached at first.
type hears struct {
	deaf  int // so many times
	types []string
	whys  []string
}

func (h *hears) Publish(_ context.Context, events ...origin.Event) error {
	if h.deaf--; h.deaf >= 0 {
		return errBus
	}
	for _, e := range events {
		h.types, h.whys = append(h.types, e.Type), append(h.whys, e.Detail.(outcome.Detail).Why)
	}
	return nil
}

// remembers is a registry that keeps the distribution's item.
type remembers struct{ fixedRegistry }

func (r remembers) PutDistribution(_ context.Context, d origin.Distribution) (origin.Distribution, error) {
	r.Distributions[0] = d
	return d, nil
}

// What is said once for each reason is not said until somebody has heard it.
func TestWireRaisesAnAlarmAgainThatNobodyHeard(t *testing.T) {
	leaving := origin.Record{
		Ref: origin.Ref{ID: "vo_1", Account: "1"}, Distribution: origin.Main, Intent: origin.Wire, State: origin.Live,
		Claim: origin.Claim{Hosts: []string{"a.example.com"}, Paths: []string{"/"}, Domain: "d.example.com"},
	}
	wired := made{configs: map[string][]byte{"E1": configWith(t, leaving)}}
	leaving.Intent = origin.Detach
	for want, cloudFront := range map[string]distributions{contract.DistributionUnavailable: gone{}, contract.DistributionWriteRefused: refusing{wired}} {
		bus := &hears{deaf: 1}
		w := twoLive(t, &counted{})
		w.Policy.Distribution.Adopt = []string{"E1"}
		w.CloudFront, w.Bus = cloudFront, bus
		w.Registry = remembers{fixedRegistry{origin.Snapshot{
			Now: now, Distributions: []origin.Distribution{{Name: origin.Main, Identity: origin.Identity{ID: "E1"}, Observation: origin.Observation{ObservedAt: now, QuotaReadAt: now, Examined: "E1"}}}, Records: []origin.Record{leaving},
		}}}
		var results []error
		for range 3 {
			results = append(results, w.Run(context.Background(), []inbound.Message{inbound.Sweep{}}))
		}
		if !errors.Is(results[0], errBus) || errors.Is(results[1], errBus) || !slices.Equal(bus.types, []string{want}) {
			t.Errorf("said %q, want %s once, and got %v", bus.types, want, results)
		}
		if refused := errors.Is(results[2], errRefused); refused != (want == contract.DistributionWriteRefused) {
			t.Errorf("%s: got %v", want, results[2])
		}
	}
}

// refusing is a CloudFront that refuses every update.
type refusing struct{ made }

var errRefused = errors.New("refused")

func (refusing) Update(context.Context, string, string, []byte) (string, error) {
	return "", &fault.GiveUp{Err: errRefused}
}

// configWith is the configuration of a distribution in which nothing but an origin is.
func configWith(t *testing.T, o origin.Record) []byte {
	t.Helper()
	base := wiring.Base(wiring.BaseSpec{})
	plan, err := wiring.Diff(wiring.DesiredOf([]origin.Record{o}, nil, wiring.Spec{Domain: "example.com", Created: true}), base)
	if err != nil {
		t.Fatal(err)
	}
	wired, err := wiring.Apply(plan, base)
	if err != nil {
		t.Fatal(err)
	}
	return wired.Bytes()
}

// made is a CloudFront with distributions of the hub's, all Deployed.
type made struct {
	distributions
	configs map[string][]byte
}

func (m made) Distribution(_ context.Context, id string) (origin.Served, error) {
	return origin.Served{ID: id, Domain: id + ".cloudfront.net", Deployed: true, Config: m.configs[id]}, nil
}

// counted is a hosted zone that counts how often it is listed.
type counted struct {
	records []origin.DNSRecord
	calls   int
}

func (z *counted) Records(context.Context, []string) ([]origin.DNSRecord, error) {
	z.calls++
	return z.records, nil
}

func (z *counted) Change(_ context.Context, upsert, _ []origin.DNSRecord) error {
	z.records = append(z.records, upsert...)
	return nil
}

// twoLive is a hub with two distributions, in each of which an origin is live.
func twoLive(t *testing.T, dns zone) *Wire {
	t.Helper()
	s := origin.Snapshot{Now: now, Refusals: map[string][]origin.Reason{}, Tallies: map[string]origin.Tally{}}
	cloudFront := made{configs: map[string][]byte{}}
	policy := hubpolicy.Policy{Policy: admission.Policy{
		Domain: "example.com", Distribution: admission.Distribution{Adopt: []string{"E1", "E2"}},
		Teams: []admission.Team{{Name: "team", Accounts: []string{"1"}, Grants: []admission.Grant{{Host: "*.example.com", Paths: []string{"/*"}}}}},
	}}
	for i, name := range policy.Distribution.Fleet() {
		o := origin.Record{
			Ref: origin.Ref{ID: "vo_" + name, ARN: "arn:vo_" + name, Account: "1"}, Distribution: name, Intent: origin.Wire, State: origin.Live,
			Claim: origin.Claim{Hosts: []string{strings.ToLower(name) + ".example.com"}, Paths: []string{"/" + name}, Domain: "d.example.com"},
		}
		id := policy.Distribution.Adopt[i]
		cloudFront.configs[id] = configWith(t, o)
		s.Records = append(s.Records, o)
		s.Distributions = append(s.Distributions, origin.Distribution{Name: name, Identity: origin.Identity{ID: id, Domain: id + ".cloudfront.net"}, Observation: origin.Observation{ObservedAt: now, Examined: id}})
	}
	return &Wire{
		Policy: policy, Registry: fixedRegistry{s}, CloudFront: cloudFront, Quotas: unlimited{}, DNS: dns,
		Queue: &sent{}, AdmitQueue: &sent{}, Bus: quiet{}, Meter: noMeter{}, Log: slog.New(slog.DiscardHandler), Holder: "me",
	}
}

func TestWireListsTheZoneOnceUnlessItChangedIt(t *testing.T) {
	z := &counted{}
	w := twoLive(t, z)
	for _, want := range []int{2, 1} { // each distribution writes a record of its own, and then neither
		z.calls = 0
		if err := w.Run(context.Background(), []inbound.Message{inbound.Sweep{}}); err != nil {
			t.Fatal(err)
		}
		if z.calls != want {
			t.Errorf("%d records: listed %d times, want %d", len(z.records), z.calls, want)
		}
	}
}

var errKept = errors.New("the lease is kept")

// keepsLease is a registry in which no lease can be given back.
type keepsLease struct{ fixedRegistry }

func (r keepsLease) PutDistribution(ctx context.Context, d origin.Distribution) (origin.Distribution, error) {
	if d.Holder == "" {
		return d, errKept
	}
	return d, nil
}

func TestWireHidesNoErrorBehindAnother(t *testing.T) {
	w := twoLive(t, broken{})
	w.Registry = keepsLease{w.Registry.(fixedRegistry)}
	err := w.Run(context.Background(), []inbound.Message{inbound.Sweep{}})
	if !errors.Is(err, errZone) || !errors.Is(err, errKept) {
		t.Errorf("got %v", err)
	}
	// What cannot be published does not hide what could not be done before.
	w = twoLive(t, broken{})
	w.Registry.(fixedRegistry).Records[0].Intent, w.Bus = origin.Detach, broken{}
	w.CloudFront.(made).configs["E1"] = wiring.Base(wiring.BaseSpec{}).Bytes()
	err = w.Run(context.Background(), []inbound.Message{inbound.Sweep{}})
	if !errors.Is(err, errZone) || !errors.Is(err, errBus) {
		t.Errorf("got %v", err)
	}
}

// tasks is a state machine and a registry that note what they are told, in order.
type tasks struct {
	fixedRegistry
	did    []string
	broken string
}

func (s *tasks) Complete(_ context.Context, token, output string) error {
	s.did = append(s.did, "complete "+token+" "+output)
	if s.broken == "complete" {
		return &fault.Retry{Err: errors.New("throttled")}
	}
	return &fault.Finished{Err: errors.New("it is over")}
}

func (s *tasks) PutRecord(_ context.Context, o origin.Record) (origin.Record, error) {
	s.did = append(s.did, fmt.Sprintf("record %s as %s with token %q", o.ID, o.State, o.Token))
	return o, nil
}

// A token that was forgotten would leave its task waiting, and one that is completed twice harms nobody.
func TestWireCompletesATaskBeforeItForgetsTheToken(t *testing.T) {
	for broken, want := range map[string][]string{
		"":         {`complete token {"phase":"record","wait":0,"outcome":"","says":"origin vo_main is no longer in distribution E1, which is Deployed"}`, `record vo_main as detached with token ""`},
		"complete": {`complete token {"phase":"record","wait":0,"outcome":"","says":"origin vo_main is no longer in distribution E1, which is Deployed"}`, `record vo_main as detached with token "token"`},
	} {
		w := twoLive(t, &counted{})
		known := w.Registry.(fixedRegistry)
		known.Records[0].Intent, known.Records[0].Token = origin.Detach, "token"
		w.CloudFront.(made).configs["E1"] = wiring.Base(wiring.BaseSpec{}).Bytes()
		s := &tasks{fixedRegistry: known, broken: broken}
		w.Registry, w.Executions = s, s
		err := w.Run(context.Background(), []inbound.Message{inbound.Recheck{Distribution: origin.Main}})
		if !slices.Equal(s.did, want) || (err != nil) != (broken != "") {
			t.Errorf("broken %q: did %q, %v", broken, s.did, err)
		}
	}
}

func TestWireTellsHowACallFailed(t *testing.T) {
	for want, err := range map[wiring.Class]error{
		wiring.Absent: &fault.Absent{Err: errZone}, wiring.Exists: &fault.Exists{Err: errZone}, wiring.Stale: &fault.Reread{Err: errZone},
		wiring.Refused: &fault.GiveUp{Err: errZone}, wiring.Failed: errZone,
	} {
		if got := classOf(err); got != want {
			t.Errorf("%T is %d, want %d", err, got, want)
		}
	}
	r := &wireRun{Wire: &Wire{CloudFront: made{configs: map[string][]byte{"E1": []byte("<nothing/>")}}}}
	if _, err := r.read(context.Background(), "E1"); !fault.Is[*fault.GiveUp](err) {
		t.Errorf("of a document that cannot be parsed: %v", err)
	}
}

// recalls is a registry that keeps refusals.
type recalls struct{ fixedRegistry }

func (r recalls) PutReported(_ context.Context, _, what string, why []origin.Reason, _ time.Time) error {
	r.Refusals[what] = why
	return nil
}

func TestWireSaysOnceThatARecordIsNotTheHubs(t *testing.T) {
	z := &counted{records: []origin.DNSRecord{
		{Name: "main.example.com", Type: "A", Target: "elsewhere.example.net"}, {Name: "E2.example.com", Type: "A", Target: "E2.cloudfront.net"},
	}}
	w, bus := twoLive(t, z), &hears{deaf: 1}
	known := w.Registry.(fixedRegistry)
	known.Records[0].State = origin.Wired // so that it changes in each run
	w.Registry, w.Bus = recalls{known}, bus
	sweep := func() {
		t.Helper()
		bus.types, bus.whys = nil, nil
		if err := w.Run(context.Background(), []inbound.Message{inbound.Sweep{}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Run(context.Background(), []inbound.Message{inbound.Sweep{}}); !errors.Is(err, errBus) {
		t.Fatal(err)
	}
	sweep()
	if !slices.Equal(bus.types, []string{contract.DNSRecordRefused, contract.OriginWentLive}) {
		t.Errorf("said %q", bus.types)
	}
	if live := bus.whys[len(bus.whys)-1]; !strings.HasSuffix(live, ", but viewers of main.example.com do not reach it, because an unmanaged DNS record exists for that host") {
		t.Errorf("it is live: %s", live)
	}
	sweep()
	if !slices.Equal(bus.types, []string{contract.OriginWentLive}) {
		t.Errorf("said again: %q", bus.types)
	}
	z.records[0].Target = "d2.cloudfront.net"
	sweep()
	if !slices.Equal(bus.types, []string{contract.DNSRecordRefused, contract.OriginWentLive}) {
		t.Errorf("of another record it says %q", bus.types)
	}
}
