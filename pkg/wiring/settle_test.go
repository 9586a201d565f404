package wiring_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
	"github.com/originhub/originhub/pkg/wiring"
)

const target = "E1.cloudfront.net"

// observed is a run that has observed a distribution and written what it had to.
func observed(c *wiring.Config, deployed bool, records ...origin.Record) wiring.Run {
	s := served(c, deployed)
	return wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: records, Served: &s, Alone: true, Zone: wiring.Zone{Read: true}}
}

// settle is what Settle concludes once DNS is as it has to be.
func settle(t tb, r wiring.Run) (wiring.Run, wiring.Step) {
	t.Helper()
	for range 10 {
		next, step := r.Settle()
		if step.Do == nil && !step.Save {
			return next, step
		}
		r = next.Learn(step, wiring.Answer{})
	}
	t.Fatal("it never concludes")
	return r, wiring.Step{}
}

// One row for each of settled's table, and what is said and done for who waits.
func TestSettled(t *testing.T) {
	const in, out, deployed, not = true, false, true, false
	for _, c := range []struct {
		intent   origin.Intent
		was      origin.State
		in       bool
		deployed bool
		want     origin.State
	}{
		{origin.Wire, origin.Deleted, in, deployed, origin.Deleted},
		{origin.Detach, origin.Deleted, out, not, origin.Deleted},
		{origin.Wire, origin.Deferred, out, deployed, origin.Deferred},
		{origin.Wire, origin.Pending, out, deployed, origin.Pending},
		{origin.Wire, origin.Quarantined, out, deployed, origin.Quarantined},
		{origin.Wire, origin.Wired, out, not, origin.Pending},
		{origin.Wire, origin.Live, out, deployed, origin.Pending},
		{origin.Wire, origin.Detaching, out, not, origin.Pending},
		{origin.Wire, origin.Detached, out, deployed, origin.Pending},
		{origin.Wire, origin.Pending, in, not, origin.Wired},
		{origin.Wire, origin.Quarantined, in, not, origin.Wired},
		{origin.Wire, origin.Wired, in, not, origin.Wired},
		{origin.Wire, origin.Detaching, in, not, origin.Wired},
		{origin.Wire, origin.Live, in, not, origin.Live},
		{origin.Wire, origin.Pending, in, deployed, origin.Live},
		{origin.Wire, origin.Wired, in, deployed, origin.Live},
		{origin.Wire, origin.Live, in, deployed, origin.Live},
		{origin.Detach, origin.Live, in, deployed, origin.Live},
		{origin.Detach, origin.Wired, in, not, origin.Wired},
		{origin.Detach, origin.Pending, out, not, origin.Detaching},
		{origin.Detach, origin.Live, out, not, origin.Detaching},
		{origin.Detach, origin.Detached, out, not, origin.Detached},
		{origin.Detach, origin.Live, out, deployed, origin.Detached},
		{origin.Detach, origin.Detaching, out, deployed, origin.Detached},
		{origin.Detach, origin.Quarantined, out, deployed, origin.Detached},
	} {
		was := record("vo_1", c.intent, c.was)
		was.Token, was.Reasons = "token", []origin.Reason{{Code: "before"}}
		config := configOf(t)
		if c.in {
			config = configOf(t, was)
		}
		r := observed(config, c.deployed, was)
		for _, kind := range []string{"A", "AAAA"} {
			r.Zone.Records = append(r.Zone.Records, origin.DNSRecord{Name: "vo_1.example.com", Type: kind, Target: target})
		}
		_, step := settle(t, r)
		is := was
		if len(step.Records) > 0 {
			is = step.Records[0].Record
		}
		if is.State != c.want {
			t.Errorf("%s, %s, in %t, deployed %t: %s", c.intent, c.was, c.in, c.deployed, is.State)
		}
		awaited := c.intent == origin.Wire || c.want == origin.Detached
		completed := len(step.Records) > 0 && step.Records[0].Token == "token" && is.Token == ""
		if completed != awaited || completed && strings.Contains(step.Records[0].Fact, " is no longer in ") != (c.intent == origin.Detach) {
			t.Errorf("%s, %s, in %t, deployed %t: completed %t", c.intent, c.was, c.in, c.deployed, completed)
		}
		said := map[origin.State]string{origin.Live: contract.OriginWentLive, origin.Detached: contract.OriginDetached}[c.want]
		if c.want == c.was {
			said = ""
		}
		if got := strings.TrimPrefix(strings.TrimSuffix(strings.Split(told(step), ",")[0], " vo_1"), "say "); said != "" && got != said {
			t.Errorf("%s, %s, in %t, deployed %t: said %s", c.intent, c.was, c.in, c.deployed, got)
		}
		if said == "" && len(step.Outcome.Events) > 0 {
			t.Errorf("%s, %s, in %t, deployed %t: said %s", c.intent, c.was, c.in, c.deployed, told(step))
		}
	}
}

// What is in the configuration is not what the registry wants if that waits for a later update or was kept out of this one.
func TestSettleCallsNothingLiveThatIsNotWritten(t *testing.T) {
	pending, quarantined, live := record("vo_1", origin.Wire, origin.Pending), record("vo_1", origin.Wire, origin.Quarantined), record("vo_1", origin.Wire, origin.Live)
	cooling := quarantined
	cooling.ReasonsReported = now
	quarantined.ReasonsReported = now.Add(-time.Hour)
	for name, c := range map[string]struct {
		record   origin.Record
		deferred bool
		held     bool
		want     origin.State
	}{
		"written":                                {pending, false, false, origin.Live},
		"held":                                   {pending, false, true, origin.Pending},
		"deferred":                               {pending, true, false, origin.Pending},
		"quarantined in this run":                {cooling, false, false, origin.Quarantined},
		"quarantined, and tried again":           {quarantined, false, false, origin.Live},
		"quarantined, tried again, and deferred": {quarantined, true, false, origin.Quarantined},
		"quarantined, tried again, and refused":  {quarantined, false, true, origin.Quarantined},
		"live all along":                         {live, true, true, origin.Live},
	} {
		r := observed(configOf(t, c.record), true, c.record)
		if r.Deferred = c.deferred; c.held {
			r.Excluded = []string{"vo_1"}
		}
		is := c.record.State
		if _, step := settle(t, r); len(step.Records) > 0 {
			is = step.Records[0].State
		}
		if is != c.want {
			t.Errorf("%s: %s", name, is)
		}
	}
}

// An origin that is live asks for more than fits, or for a host that another distribution still has: it stays as it was written,
// host and all, and is not called live as it is to be.
func TestNothingIsCalledLiveThatWasNotWritten(t *testing.T) {
	was := record("vo_1", origin.Wire, origin.Live)
	there := record("vo_2", origin.Wire, origin.Live)
	there.Distribution, there.Claim.Hosts = "main-2", []string{"new.example.com"}
	terms := adopts
	terms.Limits.Behaviors = 2
	config := configOf(t, was)
	for name, c := range map[string]struct {
		hosts, paths []string
		elsewhere    []origin.Record
		state        origin.State
	}{
		"too many paths":        {was.Claim.Hosts, []string{"/vo_1", "/more"}, nil, origin.Pending},
		"a host that is there":  {[]string{"new.example.com"}, was.Claim.Paths, []origin.Record{there}, origin.Pending},
		"the claim that it had": {was.Claim.Hosts, was.Claim.Paths, nil, origin.Live},
	} {
		is := was.WithClaim(origin.Claim{Hosts: c.hosts, Paths: c.paths, Domain: was.Claim.Domain})
		is.State = origin.Pending
		cloud := &cloud{served: served(config, true), zone: []origin.DNSRecord{{Name: "vo_1.example.com", Type: "A", Target: target}}}
		r := wiring.Run{Terms: terms, Now: now, Item: item("E1"), Records: []origin.Record{is}, Elsewhere: c.elsewhere}
		r.Item.OwnedRecords = []string{"vo_1.example.com A"}
		r, _ = script(t, r, cloud.answer)
		if got := r.Records[0]; got.State != c.state || !slices.Equal(got.ReleasedHosts, is.ReleasedHosts) || cloud.calls > 0 || len(cloud.zone) == 0 {
			t.Errorf("%s: it is %s and has released %v; %d calls", name, got.State, got.ReleasedHosts, cloud.calls)
		}
	}
}

// One row for each of Settle's table.
func TestSettleLetsDNSFollow(t *testing.T) {
	live, wired, pending := record("vo_1", origin.Wire, origin.Live), record("vo_1", origin.Wire, origin.Wired), record("vo_1", origin.Wire, origin.Pending)
	leaving := record("vo_1", origin.Detach, origin.Detaching)
	leaving.Token = "token"
	released := record("vo_1", origin.Wire, origin.Deferred)
	released.ReleasedHosts = []string{"old.example.com"}
	host := func(kind string) origin.DNSRecord {
		return origin.DNSRecord{Name: "vo_1.example.com", Type: kind, Target: target}
	}
	right := wiring.Zone{Read: true, Records: []origin.DNSRecord{host("A"), host("AAAA")}}
	for name, c := range map[string]struct {
		record  origin.Record
		wired   bool
		recheck bool
		created bool
		zone    wiring.Zone
		want    string
	}{
		"no hosts":                        {pending, false, false, false, wiring.Zone{}, ""},
		"out, and Deployed":               {leaving, false, false, false, wiring.Zone{}, "ReadZone"},
		"out long since":                  {record("vo_1", origin.Detach, origin.Detached), false, false, false, wiring.Zone{}, "ReadZone"},
		"a host was released before":      {released, false, false, false, wiring.Zone{}, "ReadZone"},
		"nothing new, on a recheck":       {live, true, true, false, wiring.Zone{}, ""},
		"nothing new, on a sweep":         {live, true, false, false, wiring.Zone{}, "ReadZone"},
		"something new, on a recheck":     {wired, true, true, false, wiring.Zone{}, "ReadZone"},
		"it differs":                      {wired, true, false, false, wiring.Zone{Read: true}, "save, ChangeZone"},
		"it differs, of the hub's own":    {wired, true, false, true, wiring.Zone{Read: true}, "ChangeZone"},
		"it is as it has to be":           {wired, true, false, false, right, "say Origin Went Live vo_1, vo_1 is live"},
		"it could not be read or changed": {wired, true, false, false, wiring.Zone{Failed: true}, ""},
		"… and a teardown waits":          {leaving, false, false, false, wiring.Zone{Failed: true}, "say Origin Detached vo_1, vo_1 is detached, complete token: origin vo_1 is no longer in distribution E1, which is Deployed"},
		"it was changed":                  {wired, true, false, false, wiring.Zone{Read: true, Planned: true}, "say Origin Went Live vo_1, vo_1 is live"},
	} {
		config := configOf(t)
		if c.wired {
			config = configOf(t, c.record)
		}
		r := observed(config, true, c.record)
		r.Quiet, r.Zone = c.recheck, c.zone
		if c.created {
			r.Terms.CallerReference = config.CallerReference()
		}
		if _, step := r.Settle(); told(step) != c.want {
			t.Errorf("%s: %s", name, told(step))
		}
	}
}

// An origin whose removal is on its way out leaves DNS before that is Deployed.
func TestDNSFollowsWhatLeavesAtOnce(t *testing.T) {
	if _, step := observed(configOf(t), false, record("vo_1", origin.Detach, origin.Live)).Settle(); told(step) == "ReadZone" {
		t.Error("the zone is read though it is known")
	}
	r := observed(configOf(t), false, record("vo_1", origin.Detach, origin.Live))
	r.Zone = wiring.Zone{}
	if _, step := r.Settle(); told(step) != "ReadZone" {
		t.Error(told(step))
	}
}

// In a zone with records of others that lead to an adopted distribution, too, the hub notes which are its own before it writes them,
// and forgets those that it has deleted.
func TestSettleNotesWhichRecordsAreTheHubs(t *testing.T) {
	live := record("vo_1", origin.Wire, origin.Live)
	r, step := observed(configOf(t, live), true, live).Settle()
	if names := []string{"vo_1.example.com A", "vo_1.example.com AAAA"}; !step.Save || !slices.Equal(r.Item.OwnedRecords, names) {
		t.Errorf("noted %v", r.Item.OwnedRecords)
	}
	leaving := record("vo_1", origin.Detach, origin.Detaching)
	own, theirs := origin.DNSRecord{Name: "vo_1.example.com", Type: "A", Target: target}, origin.DNSRecord{Name: "vo_1.example.com", Type: "AAAA", Target: target}
	r = observed(configOf(t), true, leaving)
	r.Zone.Records, r.Item.OwnedRecords = []origin.DNSRecord{own, theirs}, []string{"other.example.com A", "vo_1.example.com A"}
	r, step = r.Settle()
	if change, is := step.Do.(wiring.ChangeZone); !is || step.Save || cmp.Diff([]origin.DNSRecord{own}, change.Plan.Delete) != "" {
		t.Fatal(told(step))
	}
	if r = r.Learn(step, wiring.Answer{}); !slices.Equal(r.Item.OwnedRecords, []string{"other.example.com A"}) {
		t.Errorf("noted %v", r.Item.OwnedRecords)
	}
}

func TestSettleGoesOnWithoutDNS(t *testing.T) {
	wired := record("vo_1", origin.Wire, origin.Wired)
	for _, fails := range []string{"read", "change"} {
		r := observed(configOf(t, wired), true, wired)
		r.Zone.Read = fails == "change"
		r, step := r.Settle()
		r, step = r.Learn(step, failed(wiring.Failed, "Throttling")).Settle()
		if told(step) != "" || r.Failed == nil || !r.Zone.Failed {
			t.Errorf("%s: %s, %v", fails, told(step), r.Failed)
		}
	}
}

// A host is refused once for the same record. As long as that record stands, the host is reported as not led to the hub.
func TestSettleRefusesARecordOnce(t *testing.T) {
	wired := record("vo_1", origin.Wire, origin.Wired)
	taken := origin.DNSRecord{Name: "VO_1.example.com", Type: "CNAME", Target: "elsewhere.example.net"}
	run := func(state origin.State, taken origin.DNSRecord, said map[string][]origin.Reason) wiring.Step {
		r := observed(configOf(t, wired), true, record("vo_1", origin.Wire, state))
		r.Zone.Records, r.Refusals = []origin.DNSRecord{taken}, said
		_, step := settle(t, r)
		return step
	}
	first := run(origin.Wired, taken, nil)
	if got := told(first); got != "say DNS Record Refused VO_1.example.com CNAME, say Origin Went Live vo_1, vo_1 is live, remember VO_1.example.com CNAME, remember arn:vo_1 serves" {
		t.Fatal(got)
	}
	said := map[string][]origin.Reason{}
	for _, refusal := range first.Refusals {
		said[refusal.What] = refusal.Reasons
	}
	if why := first.Outcome.Events[0].Detail.Why; !strings.Contains(why, "Z1") || !strings.Contains(why, "elsewhere.example.net") {
		t.Error(why)
	}
	if why := first.Outcome.Events[1].Detail.Why; !strings.HasSuffix(why, ", but viewers of vo_1.example.com do not reach it, because an unmanaged DNS record exists for that host") {
		t.Error(why)
	}
	elsewhere := run(origin.Wired, origin.DNSRecord{Name: "other.example.com", Type: "A"}, nil)
	if why := elsewhere.Outcome.Events[0].Detail.Why; why != "origin vo_1 serves /vo_1 on vo_1.example.com" {
		t.Errorf("with nothing in its way it is live: %s", why)
	}
	if got := told(run(origin.Wired, taken, said)); got != "say Origin Went Live vo_1, vo_1 is live" {
		t.Errorf("of the same: %s", got)
	}
	if got := told(run(origin.Live, taken, nil)); got != "say Origin Went Live vo_1, remember arn:vo_1 serves" {
		t.Errorf("of what is live: %s", got)
	}
	if got := told(run(origin.Live, taken, said)); got != "" {
		t.Errorf("of what is live, and reported: %s", got)
	}
	taken.Target = "another.example.net"
	if got := told(run(origin.Wired, taken, said)); !strings.HasPrefix(got, "say DNS Record Refused") {
		t.Errorf("of another: %s", got)
	}
}

// How long onboarding took is measured once for each time that an origin was admitted.
func TestSettleMeasuresOnboardingOnce(t *testing.T) {
	for name, c := range map[string]struct {
		wasLive time.Time
		want    bool
	}{
		"never live":              {time.Time{}, true},
		"live before":             {now.Add(-2 * time.Hour), true},
		"live since":              {now.Add(-time.Minute), false},
		"live as it was admitted": {now.Add(-time.Hour), false},
	} {
		wired := record("vo_1", origin.Wire, origin.Wired)
		wired.WasLive = c.wasLive
		r := observed(configOf(t, wired), true, wired)
		r.Zone.Planned = true
		_, step := settle(t, r)
		measured := slices.ContainsFunc(step.Outcome.Metrics, func(m outcome.Metric) bool {
			return m.Name == contract.MetricOnboardingLatency && m.Value == 3600
		})
		is := step.Records[0].WasLive
		if measured != c.want || is.Equal(now) != c.want {
			t.Errorf("%s: measured %t, live since %v", name, measured, is)
		}
	}
}

func TestSettleForgetsWhyAnOriginWaited(t *testing.T) {
	wired := record("vo_1", origin.Wire, origin.Wired)
	wired.SetReasons(origin.Reason{Code: wiring.UpdateInvalid})
	r := observed(configOf(t, wired), true, wired)
	r.Zone.Planned = true
	_, step := settle(t, r)
	is := step.Records[0]
	if len(is.Reasons) > 0 || is.History[len(is.History)-1].Code != origin.DecidedLive {
		t.Errorf("%+v", is)
	}
}

// One row for each of the reasons for which admit is triggered.
func TestSettleTriggersAdmit(t *testing.T) {
	waiting, live := record("vo_9", origin.Wire, origin.Deferred), record("vo_1", origin.Wire, origin.Live)
	leaving := record("vo_1", origin.Detach, origin.Live)
	detaching := record("vo_1", origin.Detach, origin.Detaching)
	released := record("vo_1", origin.Wire, origin.Live)
	released.ReleasedHosts = []string{"old.example.com"}
	full := configOf(t, live)
	for name, c := range map[string]struct {
		change func(*wiring.Run)
		config *wiring.Config
		record origin.Record
		alone  bool // nobody waits
		want   bool
	}{
		"nothing":                               {func(*wiring.Run) {}, full, live, false, false},
		"never observed, of several":            {func(r *wiring.Run) { r.Item.ObservedAt, r.Alone = time.Time{}, false }, full, live, true, true},
		"never observed, the only one":          {func(r *wiring.Run) { r.Item.ObservedAt = time.Time{} }, full, live, true, false},
		"never observed, with orphans":          {func(r *wiring.Run) { r.Item.ObservedAt = time.Time{}; r.Records = nil }, full, live, true, true},
		"it was unavailable":                    {func(r *wiring.Run) { r.Item.Unavailable.Code = "AccessDenied" }, full, live, true, true},
		"less of others is in it":               {func(r *wiring.Run) { r.Item.Others = origin.Size{Origins: 1, Behaviors: 2} }, full, live, false, true},
		"as much, of another kind more":         {func(r *wiring.Run) { r.Item.Others = origin.Size{Origins: 1, Behaviors: 1, Aliases: 0} }, full, live, false, false},
		"less, and nobody waits":                {func(r *wiring.Run) { r.Item.Others = origin.Size{Origins: 1, Behaviors: 2} }, full, live, true, false},
		"an origin leaves":                      {func(*wiring.Run) {}, configOf(t), leaving, false, true},
		"an origin leaves, and nobody waits":    {func(*wiring.Run) {}, configOf(t), leaving, true, false},
		"an origin becomes live":                {func(r *wiring.Run) { r.Served.Deployed = true }, full, record("vo_1", origin.Wire, origin.Wired), false, false},
		"an origin has left":                    {func(r *wiring.Run) { r.Served.Deployed = true }, configOf(t), detaching, false, true},
		"an origin is still leaving":            {func(*wiring.Run) {}, configOf(t), detaching, false, false},
		"a host was released":                   {func(r *wiring.Run) { r.Served.Deployed = true }, full, released, false, true},
		"a host was released, and nobody waits": {func(r *wiring.Run) { r.Served.Deployed = true }, full, released, true, false},
		"a host is still to be released":        {func(*wiring.Run) {}, full, released, false, false},
	} {
		r := observed(c.config, false, c.record)
		r.Item.Others = origin.Size{Origins: 1, Behaviors: 1}
		r.Zone.Planned = true
		if !c.alone {
			r.Elsewhere = []origin.Record{waiting}
		}
		if c.change(&r); !c.alone && r.Records == nil {
			t.Fatal(name)
		}
		if r, _ = settle(t, r); r.CapacityFreed != c.want {
			t.Errorf("%s: %t", name, r.CapacityFreed)
		}
	}
}

// What the distribution holds besides the registry's origins is kept for admit, and what the hub brought and others took away is not.
func TestSettleKeepsWhatTheDistributionHolds(t *testing.T) {
	live, orphan := record("vo_1", origin.Wire, origin.Live), record("vo_7", origin.Wire, origin.Live)
	orphan.ARN = "arn:aws:cloudfront::111111111111:vpcorigin/vo_7"
	r := observed(configOf(t, live, orphan), true, live)
	r.Item.OwnedAliases, r.Item.Unavailable, r.Item.Domain = []string{"gone.example.com", "vo_1.example.com"}, origin.Reason{Code: "x"}, ""
	r, step := settle(t, r)
	want := item("E1")
	want.ObservedAt, want.Others, want.OtherAliases = now, origin.Size{Origins: 2, Behaviors: 2, Aliases: 1}, []string{"vo_7.example.com"}
	want.Orphans, want.OwnedAliases, want.OwnedRecords = []origin.Ref{orphan.Ref}, []string{"vo_1.example.com"}, r.Item.OwnedRecords
	if diff := cmp.Diff(want, r.Item); diff != "" {
		t.Error(diff)
	}
	metrics := []outcome.Metric{{
		Name: contract.MetricQuotaUse, Unit: outcome.Percent, Value: 4, By: []contract.Dimension{{Name: contract.DimensionDistribution, Value: origin.Main}},
	}}
	if diff := cmp.Diff(metrics, step.Outcome.Metrics); diff != "" {
		t.Errorf("of three origins, three behaviors of 75 and two aliases: %s", diff)
	}
}

// A host is forgotten when neither alias nor record is left, and not while the distribution is not Deployed or DNS fails.
func TestSettleForgetsReleasedHosts(t *testing.T) {
	live := record("vo_1", origin.Wire, origin.Live)
	live.ReleasedHosts = []string{"old.example.com"}
	for name, c := range map[string]struct {
		deployed, failed, alias, quiet, changes bool
		left                                    int
	}{
		"nothing is left":                         {true, false, false, false, false, 0},
		"its alias is left":                       {true, false, true, false, false, 1},
		"not Deployed yet":                        {false, false, false, false, false, 1},
		"DNS cannot be changed":                   {true, true, false, false, false, 1},
		"on a recheck that finds nothing":         {true, false, false, true, false, 1},
		"on a recheck that finds another changed": {true, false, false, true, true, 0},
	} {
		records := []origin.Record{live}
		if c.changes {
			records = append(records, record("vo_2", origin.Wire, origin.Wired))
		}
		config := configOf(t, records...)
		if c.alias {
			config = parse(t, []byte(strings.Replace(string(config.Bytes()), "<CNAME>vo_1", "<CNAME>old.example.com</CNAME><CNAME>vo_1", 1)))
		}
		r := observed(config, c.deployed, records...)
		r.Item.OwnedAliases, r.Quiet = []string{"old.example.com", "vo_1.example.com"}, c.quiet
		r.Zone.Failed, r.Zone.Planned = c.failed, true
		left := live.ReleasedHosts
		_, step := settle(t, r)
		for _, w := range step.Records {
			if w.ID == "vo_1" {
				left = w.ReleasedHosts
			}
		}
		if len(left) != c.left {
			t.Errorf("%s: %v", name, left)
		}
	}
}

// What an origin claimed is its released hosts once it is out: DNS may fail, and the record be forgotten before that is repaired.
func TestSettleKeepsTheHostsOfWhatLeft(t *testing.T) {
	leaving := record("vo_1", origin.Detach, origin.Detaching)
	r := observed(configOf(t), true, leaving)
	r.Zone.Failed = true
	if _, step := settle(t, r); len(step.Records) != 1 || !slices.Equal(step.Records[0].ReleasedHosts, leaving.Claim.Hosts) {
		t.Errorf("%+v", step.Records)
	}
}

// A narrow run, which only messages about this distribution triggered, looks at the DNS records of what changes. Any other run repairs all.
func TestNarrowRunReadsTheHostsOfWhatChanges(t *testing.T) {
	steady, arrives := record("vo_1", origin.Wire, origin.Live), record("vo_2", origin.Wire, origin.Wired)
	steady.Claim.Hosts, arrives.Claim.Hosts = []string{"steady.example.com"}, []string{"new.example.com"}
	both := configOf(t, steady, arrives)
	// Its alias is gone, but its DNS record was not removed when it left.
	released := record("vo_3", origin.Detach, origin.Detached)
	released.ReleasedHosts = []string{"old.example.com"}
	for name, c := range map[string]struct {
		narrow  bool
		records []origin.Record
		reads   bool
		hosts   []string // that are read
		writes  []string
	}{
		"wide":                         {records: []origin.Record{steady, arrives}, reads: true, writes: []string{"new.example.com", "steady.example.com"}},
		"narrow":                       {narrow: true, records: []origin.Record{steady, arrives}, reads: true, hosts: []string{"new.example.com"}, writes: []string{"new.example.com"}},
		"narrow, and steady":           {narrow: true, records: []origin.Record{steady}},
		"narrow, with a released host": {narrow: true, records: []origin.Record{steady, released}, reads: true, hosts: []string{"old.example.com"}},
		"wide, although all steady":    {records: []origin.Record{steady}, reads: true, writes: []string{"steady.example.com"}},
	} {
		t.Run(name, func(t *testing.T) {
			config := both
			if !slices.ContainsFunc(c.records, func(o origin.Record) bool { return o.ID == "vo_2" }) {
				config = configOf(t, steady)
			}
			r := wiring.Run{Terms: adopts, Now: now, Alone: true, Narrow: c.narrow, Item: item("E1"), Records: c.records}
			r.Item.OwnedRecords = []string{"old.example.com A"}
			next, step := feed(t, r, wiring.Answer{Served: served(config, true)})
			read, reads := step.Do.(wiring.ReadZone)
			if reads != c.reads || !slices.Equal(read.Hosts, c.hosts) {
				t.Fatalf("%s: %+v", told(step), step.Do)
			}
			if !reads {
				return
			}
			var there []origin.DNSRecord
			if len(c.writes) == 0 {
				there = []origin.DNSRecord{{Name: "old.example.com", Type: "A", Target: next.Served.Domain}}
			}
			_, step = feed(t, next.Learn(step, wiring.Answer{Zone: there}))
			if change, changes := step.Do.(wiring.ChangeZone); len(c.writes) == 0 {
				if !changes || !slices.Equal(change.Plan.Delete, there) || len(change.Plan.Upsert) > 0 {
					t.Errorf("%s: %+v", told(step), change.Plan)
				}
				return
			}
			change, changes := step.Do.(wiring.ChangeZone)
			var writes []string
			for _, e := range change.Plan.Upsert {
				writes = append(writes, e.Name)
			}
			if slices.Sort(writes); !changes || !slices.Equal(slices.Compact(writes), c.writes) {
				t.Errorf("%s writes %q, want %q", told(step), writes, c.writes)
			}
		})
	}
}
