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
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

// fixedRegistry holds a snapshot and believes every write.
type fixedRegistry struct{ origin.Snapshot }

func (r fixedRegistry) Load(context.Context) (origin.Snapshot, error) { return r.Snapshot, nil }

func (r fixedRegistry) PutRecord(_ context.Context, o origin.Record) (origin.Record, error) {
	return o, nil
}

func (r fixedRegistry) PutRefusal(context.Context, string, []origin.Reason, time.Time) error {
	return nil
}

func (r fixedRegistry) PutDistribution(_ context.Context, d origin.Distribution) (origin.Distribution, error) {
	return d, nil
}

type sent struct{ bodies []string }

func (s *sent) Send(_ context.Context, body string, _ time.Duration) error {
	s.bodies = append(s.bodies, body)
	return nil
}

type noMeter struct{}

func (noMeter) Count(string, int, ...contract.Dimension)       {}
func (noMeter) Seconds(string, time.Duration)                  {}
func (noMeter) Percent(string, float64, ...contract.Dimension) {}

// broken is a hosted zone and a bus that cannot be reached.
type broken struct{}

var errZone, errBus = errors.New("no zone"), errors.New("no bus")

func (broken) Records(context.Context) ([]origin.DNSRecord, error)                  { return nil, errZone }
func (broken) Change(context.Context, []origin.DNSRecord, []origin.DNSRecord) error { return errZone }
func (broken) Publish(context.Context, ...origin.Event) error                       { return errBus }

// now of every run.
var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestWireWakesNoOtherDistributionForALease(t *testing.T) {
	queue := &sent{}
	held := origin.Distribution{Name: "main-2", Holder: "another", Expires: now.Add(time.Minute)}
	r := &wireRun{
		Wire: &Wire{Queue: queue, Meter: noMeter{}, Log: slog.New(slog.DiscardHandler)}, now: now, d: held,
	}
	if err := r.run(context.Background()); err != nil || len(queue.bodies) != 1 {
		t.Fatalf("%v, and %q was sent", err, queue.bodies)
	}
	message, err := inbound.Parse([]byte(queue.bodies[0]))
	if err != nil {
		t.Fatal(err)
	}
	poke := []inbound.Message{message}
	if others(poke, "main-2") || !others(poke, "main") || !others(poke, "main-20") {
		t.Errorf("%s wakes not main-2 alone", queue.bodies[0])
	}
}

func TestWireTellsOfTheZoneEvenWithoutABus(t *testing.T) {
	detaching := origin.Record{
		Ref: origin.Ref{ID: "vo_1"}, Distribution: origin.Main, Intent: origin.Detach, State: origin.Detaching,
		Claim: origin.Claim{Hosts: []string{"a.example.com"}},
	}
	r := &wireRun{
		Wire: &Wire{
			Policy: admission.Policy{Hub: "hub", Domain: "example.com"}, Registry: fixedRegistry{}, DNS: broken{}, Meter: noMeter{},
		},
		announcer: announcer{bus: broken{}, log: slog.New(slog.DiscardHandler)}, now: now,
		d: origin.Distribution{Name: origin.Main, ID: "E1"}, records: []origin.Record{detaching},
	}
	err := r.settle(context.Background(), origin.Served{ID: "E1", Deployed: true, Config: wiring.Base(wiring.BaseSpec{}).Bytes()})
	if !errors.Is(err, errZone) || !errors.Is(err, errBus) {
		t.Errorf("got %v", err)
	}
}

// An origin that is live asks for more than there is room for now, or for a host that another distribution still has: it stays
// as it was written, host and all, and is not called live as it is to be.
func TestWireCallsNothingLiveThatItDidNotWrite(t *testing.T) {
	was := origin.Record{
		Ref: origin.Ref{ID: "vo_1", Account: "1"}, Distribution: origin.Main, Intent: origin.Wire, State: origin.Live,
		Claim: origin.Claim{Hosts: []string{"old.example.com"}, Paths: []string{"/a"}, Domain: "d.example.com"},
	}
	policy := admission.Policy{Hub: "hub", Domain: "example.com", Limits: admission.Limits{Size: origin.Size{Behaviors: 1}}}
	wired := configWith(t, was)
	there := was
	there.ID, there.Distribution, there.Claim.Hosts = "vo_2", "main-2", []string{"new.example.com"}
	for name, c := range map[string]struct {
		claim  origin.Claim
		others []origin.Record
		state  origin.State
	}{
		"too many paths":        {origin.Claim{Hosts: []string{"old.example.com"}, Paths: []string{"/a", "/b"}, Domain: "d.example.com"}, nil, origin.Pending},
		"a host that is there":  {origin.Claim{Hosts: []string{"new.example.com"}, Paths: []string{"/a"}, Domain: "d.example.com"}, []origin.Record{there}, origin.Pending},
		"the claim that it had": {was.Claim, nil, origin.Live},
	} {
		is := was.Reclaim(c.claim)
		is.State = origin.Pending
		r := &wireRun{
			Wire:      &Wire{Policy: policy, Registry: fixedRegistry{}, DNS: zoneOf{{Name: "old.example.com", Type: "A", Target: "d1.cloudfront.net"}}, Meter: noMeter{}},
			announcer: announcer{bus: quiet{}, log: slog.New(slog.DiscardHandler)}, now: now,
			d: origin.Distribution{Name: origin.Main, ID: "E1"}, records: []origin.Record{is},
			all: origin.Snapshot{Records: append([]origin.Record{is}, c.others...)},
		}
		served := origin.Served{ID: "E1", Domain: "d1.cloudfront.net", Deployed: true, Config: wired}
		after, err := r.write(context.Background(), served)
		if err == nil {
			err = r.settle(context.Background(), after)
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := r.records[0]; got.State != c.state || !slices.Equal(got.Left, is.Left) || string(after.Config) != string(wired) {
			t.Errorf("%s: it is %s and has left %v", name, got.State, got.Left)
		}
	}
}

// zoneOf is a hosted zone in which nothing is deleted.
type zoneOf []origin.DNSRecord

func (z zoneOf) Records(context.Context) ([]origin.DNSRecord, error) { return z, nil }

func (z zoneOf) Change(_ context.Context, _, remove []origin.DNSRecord) error {
	if len(remove) > 0 {
		return errZone
	}
	return nil
}

type quiet struct{}

func (quiet) Publish(context.Context, ...origin.Event) error { return nil }

// What is torn down keeps no distribution that policy names no more.
func TestWireLeavesAnEmptiedDistributionThatPolicyDropped(t *testing.T) {
	for state, want := range map[origin.State]string{origin.Deleted: "", origin.Live: "EDROPPED"} {
		known := fixedRegistry{origin.Snapshot{
			Now:           now,
			Distributions: []origin.Distribution{{Name: "EDROPPED", ID: "EDROPPED", Holder: "another", Expires: now.Add(time.Minute)}},
			Records:       []origin.Record{{Ref: origin.Ref{ID: "vo_1"}, Distribution: "EDROPPED", Intent: origin.Wire, State: state}},
		}}
		queue := &sent{}
		w := &Wire{
			Policy:   admission.Policy{Distribution: admission.Distribution{Adopt: []string{"EMAIN"}}},
			Registry: known, CloudFront: gone{but: "EMAIN"}, Quotas: unlimited{}, Queue: queue, AdmitQueue: &sent{}, DNS: broken{},
			Bus: quiet{}, Meter: noMeter{}, Log: slog.New(slog.DiscardHandler),
		}
		if err := w.Run(context.Background(), []inbound.Message{inbound.Sweep{}}); err != nil {
			t.Errorf("%s: %v", state, err)
		}
		if got := strings.Join(queue.bodies, " "); strings.Contains(got, "EDROPPED") != (want != "") {
			t.Errorf("%s: sent %s", state, got)
		}
	}
}

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

// Policy may name another distribution in the place of one that was deleted. Origins of one that it names no more ask for
// another place, and no teardown waits for what is gone.
func TestWireLetsGoOfADeletedDistribution(t *testing.T) {
	live := origin.Record{Ref: origin.Ref{ID: "vo_1"}, Intent: origin.Wire, State: origin.Live}
	leaving := origin.Record{Ref: origin.Ref{ID: "vo_2"}, Intent: origin.Detach, State: origin.Pending}
	for name, want := range map[string]struct {
		adopt         []string
		live, leaving origin.State
	}{
		origin.Main: {[]string{"ENEW"}, origin.Pending, origin.Pending},
		"EOLD":      {[]string{"EMAIN", "ENEW"}, origin.Waiting, origin.Detached},
	} {
		policy := admission.Policy{Distribution: admission.Distribution{Adopt: want.adopt}}
		r := &wireRun{
			Wire:      &Wire{Policy: policy, Registry: fixedRegistry{}, CloudFront: gone{but: "ENEW"}},
			announcer: announcer{bus: quiet{}, log: slog.New(slog.DiscardHandler)}, now: now,
			d:       origin.Distribution{Name: name, ID: "EOLD", Domain: "d1.cloudfront.net"},
			records: []origin.Record{live, leaving},
		}
		for range 2 { // a run that died before the end does it again
			if err := r.lose(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		if got := r.records; got[0].State != want.live || got[1].State != want.leaving {
			t.Errorf("%s: %s and %s", name, got[0].State, got[1].State)
		}
		if !slices.Equal(r.d.Former, []string{"d1.cloudfront.net"}) || r.d.ID != "" || r.d.Domain != "" {
			t.Errorf("%s: %+v", name, r.d)
		}
		if err := r.identify(context.Background(), true); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWireSaysWhatToDoAboutADeletedAdoptedDistribution(t *testing.T) {
	bus := &hears{}
	r := &wireRun{
		Wire: &Wire{
			Policy:   admission.Policy{Distribution: admission.Distribution{Adopt: []string{"EOLD"}}},
			Registry: fixedRegistry{}, CloudFront: gone{},
		},
		announcer: announcer{bus: bus, log: slog.New(slog.DiscardHandler)}, now: now, quota: func() (origin.Size, error) { return origin.Size{}, nil },
		d:       origin.Distribution{Name: origin.Main, ID: "EOLD", Domain: "d1.cloudfront.net"},
		records: []origin.Record{{Ref: origin.Ref{ID: "vo_1"}, Intent: origin.Wire, State: origin.Live}},
	}
	for range 2 {
		if err := r.reconcile(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(bus.types, []string{contract.ChangeFound, contract.DistributionUnavailable}) {
		t.Errorf("said %q", bus.types)
	}
	if !strings.Contains(r.d.Unavailable.Message, "create one and put its id in that one's place") {
		t.Errorf("it is not available because %q", r.d.Unavailable.Message)
	}
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
		h.types, h.whys = append(h.types, e.Type), append(h.whys, e.Detail.(Detail).Why)
	}
	return nil
}

// What is said once for each reason is not said until somebody has heard it.
func TestWireRaisesAnAlarmAgainThatNobodyHeard(t *testing.T) {
	refused := &fault.GiveUp{Err: errors.New("no")}
	for want, look := range map[string]func(*wireRun) error{
		contract.DistributionUnavailable: func(r *wireRun) error { return r.reconcile(context.Background()) },
		contract.DistributionRefused: func(r *wireRun) error {
			_, err := r.search(context.Background(), origin.Served{Config: wiring.Base(wiring.BaseSpec{}).Bytes()}, refused)
			if !errors.Is(err, error(refused)) {
				t.Errorf("it hides that CloudFront refuses: %v", err)
			}
			return r.publish(context.Background())
		},
	} {
		bus := &hears{deaf: 1}
		d := origin.Distribution{Name: origin.Main, ID: "EOLD"}
		for range 3 {
			r := &wireRun{
				Wire: &Wire{
					Policy:   admission.Policy{Distribution: admission.Distribution{Adopt: []string{"EOLD"}}},
					Registry: fixedRegistry{}, CloudFront: gone{}, Meter: noMeter{},
				},
				announcer: announcer{bus: bus, log: slog.New(slog.DiscardHandler)}, now: now, d: d,
				quota: func() (origin.Size, error) { return origin.Size{}, nil },
			}
			_ = look(r)
			d = r.d
		}
		if !slices.Equal(bus.types, []string{want}) {
			t.Errorf("said %q, want %s once", bus.types, want)
		}
	}
}

// strict is a CloudFront that refuses whatever holds one VPC origin.
type strict struct {
	distributions
	served  origin.Served
	refused string
	calls   int
}

func (s *strict) Distribution(context.Context, string) (origin.Served, error) { return s.served, nil }

func (s *strict) VpcOrigins(context.Context) ([]origin.VpcOrigin, error) {
	var all []origin.VpcOrigin
	for _, id := range []string{"vo_1", "vo_2", "vo_3"} {
		all = append(all, origin.VpcOrigin{Ref: origin.Ref{ID: id}, Deployed: true})
	}
	return all, nil
}

func (s *strict) Update(_ context.Context, _, _ string, config []byte) error {
	s.calls++
	if strings.Contains(string(config), s.refused) {
		return &fault.GiveUp{Err: errors.New("no")}
	}
	s.served.Config = config
	return nil
}

// What the plan had to leave out is in no update, and what is there already makes none: neither is to blame for one that
// CloudFront refuses.
func TestWireSuspectsOnlyWhatItTriedToAdd(t *testing.T) {
	wants := func(id, path string) origin.Record {
		return origin.Record{
			Ref: origin.Ref{ID: id, Account: "1"}, Distribution: origin.Main, Intent: origin.Wire, State: origin.Pending,
			Claim: origin.Claim{Hosts: []string{id + ".example.com"}, Paths: []string{path}, Domain: "d.example.com"},
		}
	}
	there := wants("vo_2", "/2")
	there.State = origin.Quarantined
	cloudFront := &strict{
		served:  origin.Served{ID: "E1", Config: configWith(t, there)},
		refused: "vo_1",
	}
	r := &wireRun{
		Wire: &Wire{
			Policy: admission.Policy{Domain: "example.com"}, Registry: fixedRegistry{}, CloudFront: cloudFront, Meter: noMeter{},
		},
		announcer: announcer{bus: quiet{}, log: slog.New(slog.DiscardHandler)}, now: now, d: origin.Distribution{Name: origin.Main, ID: "E1"},
		records: []origin.Record{wants("vo_1", "/1"), there, wants("vo_3", "/2")},
	}
	if _, err := r.write(context.Background(), cloudFront.served); err != nil {
		t.Fatal(err)
	}
	if r.records[0].State != origin.Quarantined || r.records[2].State != origin.Quarantined {
		t.Errorf("they are %s and %s", r.records[0].State, r.records[2].State)
	}
	if cloudFront.calls != 2 {
		t.Errorf("%d calls, want that with all and that with the culprit", cloudFront.calls)
	}
}

// told keeps what was published.
type told struct{ events []origin.Event }

func (b *told) Publish(_ context.Context, events ...origin.Event) error {
	b.events = append(b.events, events...)
	return nil
}

// An origin that is no longer shared locks its distribution until it is out: whoever reads the alarm learns which one it is.
func TestWireNamesTheOriginThatLocksItsDistribution(t *testing.T) {
	for said, want := range map[string]string{
		"Account 1 is not allowed to use the VPC origin vo_1 of account 2: it is not shared with it": "because of vo_1 in it",
		"the certificate has expired": "no origin is to blame",
	} {
		bus := &told{}
		r := &wireRun{
			Wire: &Wire{}, announcer: announcer{bus: bus, log: slog.New(slog.DiscardHandler)}, now: now, d: origin.Distribution{ID: "E1"},
			records: []origin.Record{{Ref: origin.Ref{ID: "vo_1"}}, {Ref: origin.Ref{ID: "vo_2"}}},
		}
		cause := &fault.GiveUp{Err: errors.New(said)}
		if err := r.writeRefused(context.Background(), cause); !errors.Is(err, cause) {
			t.Errorf("%s: it returns %v", said, err)
		}
		if len(bus.events) != 1 || !strings.Contains(fmt.Sprint(bus.events[0].Detail), want) {
			t.Errorf("%s: it publishes %+v, want %q", said, bus.events, want)
		}
	}
}

// configWith is the configuration of a distribution in which nothing but an origin is.
func configWith(t *testing.T, o origin.Record) []byte {
	t.Helper()
	base := wiring.Base(wiring.BaseSpec{})
	plan, err := wiring.Diff(wiring.DesiredOf([]origin.Record{o}, nil, wiring.Spec{Domain: "example.com"}), base)
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

func (z *counted) Records(context.Context) ([]origin.DNSRecord, error) {
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
	s := origin.Snapshot{Now: now, Refusals: map[string][]origin.Reason{}}
	cloudFront := made{configs: map[string][]byte{}}
	policy := admission.Policy{Domain: "example.com", Distribution: admission.Distribution{Adopt: []string{"E1", "E2"}}}
	for i, name := range policy.Distribution.Fleet() {
		o := origin.Record{
			Ref: origin.Ref{ID: "vo_" + name, Account: "1"}, Distribution: name, Intent: origin.Wire, State: origin.Live,
			Claim: origin.Claim{Hosts: []string{name + ".example.com"}, Paths: []string{"/"}, Domain: "d.example.com"},
		}
		id := policy.Distribution.Adopt[i]
		cloudFront.configs[id] = configWith(t, o)
		s.Records = append(s.Records, o)
		s.Distributions = append(s.Distributions, origin.Distribution{Name: name, ID: id, Domain: id + ".cloudfront.net", Seen: now})
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
}

// lagging is a CloudFront that has made a distribution and does not list it yet.
type lagging struct{ distributions }

func (lagging) EnsureFunction(context.Context, string, string, string) (string, error) {
	return "f", nil
}

func (lagging) Create(context.Context, []byte) (origin.Served, error) {
	return origin.Served{}, &fault.Exists{Err: errors.New("DistributionAlreadyExists")}
}

func (lagging) Find(context.Context, string, string) (string, error) { return "", nil }

func TestWireLooksAgainForWhatIsNotListedYet(t *testing.T) {
	r := &wireRun{
		Wire: &Wire{Policy: admission.Policy{Distribution: admission.Distribution{Base: &admission.Base{}}}, Registry: fixedRegistry{}, CloudFront: lagging{}},
		d:    origin.Distribution{Name: origin.Main},
	}
	if err := r.identify(context.Background(), true); !fault.Is[*fault.Retry](err) {
		t.Errorf("got %v", err)
	}
}

// recalls is a registry that keeps refusals.
type recalls struct{ fixedRegistry }

func (r recalls) PutRefusal(_ context.Context, what string, why []origin.Reason, _ time.Time) error {
	r.Refusals[what] = why
	return nil
}

func TestWireSaysOnceThatARecordIsNotTheHubs(t *testing.T) {
	z := &counted{records: []origin.DNSRecord{{Name: "main.example.com", Type: "A", Target: "elsewhere.example.net"}}}
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
	if !slices.Equal(bus.types, []string{contract.RecordRefused, contract.OriginLive}) {
		t.Errorf("said %q", bus.types)
	}
	if live := bus.whys[len(bus.whys)-1]; !strings.HasSuffix(live, "; but no viewer gets there by main.example.com, where a record stands that is not the hub's") {
		t.Errorf("it is live: %s", live)
	}
	sweep()
	if !slices.Equal(bus.types, []string{contract.OriginLive}) {
		t.Errorf("said again: %q", bus.types)
	}
	z.records[0].Target = "d2.cloudfront.net"
	sweep()
	if !slices.Equal(bus.types, []string{contract.RecordRefused, contract.OriginLive}) {
		t.Errorf("of another record it says %q", bus.types)
	}
}
