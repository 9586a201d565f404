package wiring_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

// cloud answers a run as AWS would.
type cloud struct {
	served   wiring.Served
	zone     []origin.DNSRecord
	bad      []string // VPC origins with which no update is valid
	names    bool     // CloudFront says so
	foreign  func()   // what somebody else does before an update
	calls    int      // of UpdateDistribution
	accepted int
	late     int
	reads    int // of the distribution
}

func (c *cloud) answer(do wiring.Action) (a wiring.Answer) {
	switch do := do.(type) {
	case wiring.ReadDistribution:
		c.reads++
		a.Served = c.served
	case wiring.ListOrigins:
		for i := range 100 {
			a.Origins = append(a.Origins, origin.VpcOrigin{Ref: origin.Ref{ID: fmt.Sprintf("vo_%02d", i)}, Deployed: true})
		}
	case wiring.Update:
		return c.update(do)
	case wiring.ReadZone:
		a.Zone = c.zone
	case wiring.ChangeZone:
		c.zone = slices.DeleteFunc(c.zone, func(r origin.DNSRecord) bool { return slices.Contains(do.Plan.Delete, r) })
		c.zone = append(c.zone, do.Plan.Upsert...)
	}
	return a
}

// perform commits every step of a run and answers its actions. see sees each step before that.
func (c *cloud) perform(t tb, r wiring.Run, see func(wiring.Step)) wiring.Run {
	t.Helper()
	for range 50 {
		next, step := permit(r.Next())
		see(step)
		var a wiring.Answer
		if step.Do != nil {
			a = c.answer(step.Do)
		}
		if r = next.Learn(step, a); step.Done {
			return r
		}
	}
	t.Fatal("the run never ends")
	return r
}

func (c *cloud) update(do wiring.Update) wiring.Answer {
	if c.calls++; c.foreign != nil {
		c.foreign()
	}
	if do.ETag != c.served.ETag {
		c.late++
		return failed(wiring.Stale, "PreconditionFailed")
	}
	for _, id := range c.bad {
		if do.Config.Uses(id) {
			a := failed(wiring.Refused, "InvalidArgument")
			if c.names {
				a.Message = "InvalidArgument: the origin originhub-" + id + " is strange"
			}
			return a
		}
	}
	c.accepted++
	c.served.Config, c.served.Deployed, c.served.ETag = do.Config, false, c.served.ETag+"+"
	return wiring.Answer{ETag: c.served.ETag}
}

// fleet is so many origins that are to be added.
func fleet(n int) (all []origin.Record) {
	for i := range n {
		all = append(all, record(fmt.Sprintf("vo_%02d", i), origin.Wire, origin.Pending))
	}
	return all
}

// One row for each of suspect's table: what is tried after an update with all was refused.
func TestSuspect(t *testing.T) {
	says := func(code, said string) wiring.Answer {
		a := failed(wiring.Refused, code)
		a.Message = said
		return a
	}
	live := record("vo_09", origin.Wire, origin.Live)
	leaving := record("vo_09", origin.Detach, origin.Live)
	wired, waiting := record("vo_09", origin.Wire, origin.Wired), record("vo_08", origin.Wire, origin.Deferred)
	wildcard := adopts
	wildcard.Wildcard = true // which the update without any addition adds
	certified := adopts
	certified.Certificate = "arn:aws:acm:us-east-1:100000000000:certificate/1"
	for name, c := range map[string]struct {
		terms   wiring.Terms
		records []origin.Record
		answer  wiring.Answer
		want    string
	}{
		"nothing is added":                       {adopts, []origin.Record{leaving}, says("InvalidArgument", "vo_09"), "say Distribution Write Refused E1"},
		"one, and access is denied":              {adopts, append(fleet(1), live), says("AccessDenied", "denied"), "say Distribution Write Refused E1"},
		"several, and access is denied":          {adopts, append(fleet(4), live), says("AccessDenied", "denied"), "save, update vo_00 vo_01 vo_02 vo_09"},
		"access is denied, and one leaves":       {adopts, append(fleet(4), leaving), says("AccessDenied", "denied"), "save, update"},
		"a policy that is gone":                  {adopts, append(fleet(1), live), says("NoSuchCachePolicy", "/vo_00"), "say Distribution Write Refused E1"},
		"a policy that is gone, and one leaves":  {adopts, append(fleet(1), leaving), says("NoSuchCachePolicy", "gone"), "save, update"},
		"a named host, another certificate":      {certified, append(fleet(1), live), says("InvalidViewerCertificate", "vo_00.example.com"), "say Distribution Write Refused E1"},
		"the certificate, not an origin":         {adopts, append(fleet(4), live), says("InvalidViewerCertificate", "x"), "say Distribution Write Refused E1"},
		"the wildcard alias":                     {wildcard, append(fleet(4), live), says("CNAMEAlreadyExists", "x"), "save, update vo_09"},
		"an alias of somebody":                   {adopts, append(fleet(4), live), says("CNAMEAlreadyExists", "x"), "save, update vo_00 vo_01 vo_02 vo_09"},
		"a certificate that lacks a named host":  {adopts, append(fleet(4), live), says("InvalidViewerCertificate", "vo_01.example.com"), "save, update vo_00 vo_02 vo_03 vo_09"},
		"any other, by VPC origin":               {adopts, append(fleet(4), live), says("InvalidArgument", "originhub-vo_02 is invalid"), "save, update vo_00 vo_01 vo_03 vo_09"},
		"any other, by path":                     {adopts, append(fleet(4), live), says("InvalidArgument", "/vo_03 is invalid"), "save, update vo_00 vo_01 vo_02 vo_09"},
		"any other, and CloudFront does not say": {adopts, append(fleet(4), live), says("InvalidArgument", "no"), "save, update vo_00 vo_01 vo_02 vo_09"},
		"what is wired is named":                 {adopts, append(fleet(4), wired), says("InvalidArgument", "originhub-vo_09"), "save, update vo_00 vo_01 vo_02 vo_09"},
		"what waits is named":                    {adopts, append(fleet(4), live, waiting), says("InvalidArgument", "originhub-vo_08"), "save, update vo_00 vo_01 vo_02 vo_09"},
		"removals come first":                    {adopts, append(fleet(4), leaving), says("InvalidArgument", "no"), "save, update"},
	} {
		config := configOf(t, record("vo_09", origin.Wire, origin.Live))
		r := wiring.Run{Terms: c.terms, Now: now, Item: item("E1"), Records: c.records, Visible: map[string]bool{}}
		for _, o := range c.records {
			r.Visible[o.ID] = true
		}
		r, step := feed(t, r, wiring.Answer{Served: served(config, false)})
		if _, is := step.Do.(wiring.Update); !is {
			t.Fatalf("%s: %s", name, told(step))
		}
		if _, step = permit(r.Learn(step, c.answer).Next()); told(step) != c.want {
			t.Errorf("%s: %s", name, told(step))
		}
	}
}

// A refusal for which no origin is the cause is reported once for each code and hour, and the run fails.
func TestBlameIsSaidOnceAnHour(t *testing.T) {
	leaving := record("vo_1", origin.Detach, origin.Live)
	for name, c := range map[string]struct {
		refused string
		ago     time.Duration
		said    bool
	}{
		"never":                      {"", 0, true},
		"a while ago":                {"InvalidArgument", 59 * time.Minute, false},
		"an hour ago":                {"InvalidArgument", time.Hour, true},
		"a while ago, another error": {"AccessDenied", 59 * time.Minute, true},
	} {
		r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: []origin.Record{leaving}, Zone: wiring.Zone{Failed: true}}
		r.Item.Refused, r.Item.RefusedAt = c.refused, now.Add(-c.ago)
		r, says := script(t, r, func(do wiring.Action) wiring.Answer {
			if _, is := do.(wiring.ReadDistribution); is {
				return wiring.Answer{Served: served(configOf(t, leaving), true)}
			}
			return failed(wiring.Refused, "InvalidArgument")
		})
		if said := slices.Contains(says, "say Distribution Write Refused E1"); said != c.said || r.Failed == nil || r.Item.Refused != "InvalidArgument" {
			t.Errorf("%s: said %t, %v, %+v", name, said, r.Failed, r.Item)
		}
		if !c.said && !r.Item.RefusedAt.Equal(now.Add(-c.ago)) {
			t.Errorf("%s: it is put off to %v", name, r.Item.RefusedAt)
		}
	}
}

// An origin that is no longer shared locks its distribution until it is out: whoever reads the alarm learns which one it is.
func TestBlameNamesTheOriginThatLocksItsDistribution(t *testing.T) {
	live, leaving, orphan := record("vo_1", origin.Wire, origin.Live), record("vo_2", origin.Detach, origin.Live), record("vo_3", origin.Wire, origin.Live)
	for said, want := range map[string]string{
		"Account 1 is not allowed to use the VPC origin vo_1 of account 2: it is not shared with it": "the error names vo_1, already wired and probably no longer shared",
		"Account 1 is not allowed to use the VPC origin vo_3 of account 2: it is not shared with it": "the error names vo_3, already wired and probably no longer shared",
		"the certificate has expired": "not a team's origin",
	} {
		r := wiring.Run{Terms: adopts, Now: now, Alone: true, Item: item("E1"), Records: []origin.Record{live, leaving}}
		r, step := feed(t, r, wiring.Answer{Served: served(configOf(t, live, leaving, orphan), true)})
		refused := failed(wiring.Refused, "AccessDenied")
		refused.Message = said
		if _, step = permit(r.Learn(step, refused).Next()); len(step.Outcome.Events) != 1 || !strings.Contains(step.Outcome.Events[0].Detail.Why, want) {
			t.Errorf("%s: %+v, want %q", said, step.Outcome.Events, want)
		}
	}
}

// If the update is refused without the additions, too, these are not to blame.
func TestNoAdditionIsBlamedForARemoval(t *testing.T) {
	leaving := record("vo_09", origin.Detach, origin.Live)
	r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: append(fleet(3), leaving), Zone: wiring.Zone{Failed: true}}
	calls := 0
	r, says := script(t, r, func(do wiring.Action) wiring.Answer {
		switch do.(type) {
		case wiring.ReadDistribution:
			return wiring.Answer{Served: served(configOf(t, leaving), true)}
		case wiring.ListOrigins:
			return sees("vo_00", "vo_01", "vo_02")
		case wiring.Update:
			calls++
		}
		return failed(wiring.Refused, "InvalidArgument")
	})
	if !slices.Contains(says, "say Distribution Write Refused E1") || calls != 2 {
		t.Errorf("%d calls: %q", calls, says)
	}
	for _, o := range r.Records {
		if o.State == origin.Quarantined {
			t.Errorf("%s is quarantined", o.ID)
		}
	}
}

// Entries that the plan left out are in no update, and entries that are already wired do not make it invalid: neither is the cause.
func TestOnlyWhatIsAddedIsSuspected(t *testing.T) {
	all := fleet(3)
	all[1].State, all[1].ReasonsReported = origin.Quarantined, now.Add(-2*time.Hour)
	all[2].Claim.Paths = []string{"/theirs"}
	c := &cloud{served: served(configOf(t, all[1]), true), bad: []string{"vo_00"}}
	r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: all}
	r, _ = script(t, r, c.answer)
	if r.Records[0].State != origin.Quarantined || r.Records[1].State != origin.Live || r.Records[2].State != origin.Quarantined {
		t.Errorf("they are %s, %s and %s", r.Records[0].State, r.Records[1].State, r.Records[2].State)
	}
	if c.calls != 2 {
		t.Errorf("%d calls, want that with all and that with the culprit", c.calls)
	}
}

// Of twenty, wherever the bad one is, at most eleven updates are tried and three accepted; with its name known two and one.
func TestInvalidUpdateSearchIsShort(t *testing.T) {
	for bad := range 20 {
		for names, limit := range map[bool]struct{ calls, accepted int }{false: {11, 3}, true: {2, 1}} {
			c := &cloud{served: served(configOf(t), true), bad: []string{fmt.Sprintf("vo_%02d", bad)}, names: names}
			r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: fleet(20)}
			r, _ = script(t, r, c.answer)
			if c.calls > limit.calls || c.accepted > limit.accepted {
				t.Errorf("%d calls, of which %d accepted, to find vo_%02d, named %t", c.calls, c.accepted, bad, names)
			}
			if got := managed(c.served.Config); len(got) != 19 || r.Records[bad].State != origin.Quarantined || r.Failed != nil {
				t.Errorf("vo_%02d is %s, and %d are wired, %v", bad, r.Records[bad].State, len(got), r.Failed)
			}
		}
	}
}

// Two bad ones in front are found without any accepted update. Then one of the rest is tried alone, so that a distribution that is itself the
// cause is recognized. That try is the only one beyond twice the logarithm for each bad one.
func TestTryingOneAloneCostsOneCall(t *testing.T) {
	c := &cloud{served: served(configOf(t), true), bad: []string{"vo_00", "vo_01"}}
	r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: fleet(9)}
	if r, _ = script(t, r, c.answer); r.Failed != nil || len(managed(c.served.Config)) != 7 {
		t.Errorf("%v, wired %v", r.Failed, managed(c.served.Config))
	}
	if want := 1 + 2*4*2 + 1; c.calls != want { // all come first
		t.Errorf("%d calls, want %d", c.calls, want)
	}
}

// An origin is quarantined with the next update, and not at the end: a crash does not have it searched for again.
func TestWhatIsFoundIsQuarantinedAtOnce(t *testing.T) {
	c := &cloud{served: served(configOf(t), true), bad: []string{"vo_01", "vo_06"}}
	_, says := script(t, wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: fleet(8)}, c.answer)
	at := slices.IndexFunc(says, func(s string) bool { return strings.Contains(s, contract.OriginQuarantined) })
	if at < 0 || !strings.Contains(says[at], "save, update") {
		t.Errorf("%q", says)
	}
}

// A quarantined origin has why in its record: what CloudFront said to the last update with it in it.
func TestQuarantineSaysWhatCloudFrontSaid(t *testing.T) {
	c := &cloud{served: served(configOf(t), true), bad: []string{"vo_01"}, names: true}
	r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: fleet(3)}
	r, says := script(t, r, c.answer)
	why := r.Records[1].Reasons
	if len(why) != 1 || why[0].Code != wiring.UpdateInvalid || why[0].Subject != "InvalidArgument" || !strings.Contains(why[0].Message, "originhub-vo_01 is strange") {
		t.Errorf("%+v", why)
	}
	if n := strings.Count(strings.Join(says, "\n"), "say "+contract.OriginQuarantined); n != 1 {
		t.Errorf("said %d times: %q", n, says)
	}
}

// Whatever is bad, whoever else writes meanwhile and wherever the run dies: in the end exactly the good ones are wired, the others are
// quarantined, each said once, and what was to go is gone. Each bad one costs no more than twice the logarithm. If nothing was accepted and
// nothing named by the time that two are found, one of the rest is tried alone. If CloudFront accepts it, that is one call more, once: from
// then on single origins are known to be the cause. If CloudFront refuses it, that call is all that this origin costs.
func TestInvalidUpdateSearch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 24).Draw(t, "origins")
		all := fleet(n)
		ids := make([]string, n)
		for i, o := range all {
			ids[i] = o.ID
		}
		leaving := record("vo_90", origin.Detach, origin.Live)
		base, err := wiring.ParseConfig(document([]string{"/theirs"}, nil))
		if err != nil {
			t.Fatal(err)
		}
		plan, err := wiring.Diff(wiring.DesiredOf([]origin.Record{record("vo_90", origin.Wire, origin.Live)}, nil, wiring.Spec{Domain: "example.com"}), base)
		if err != nil {
			t.Fatal(err)
		}
		if base, err = wiring.Apply(plan, base); err != nil {
			t.Fatal(err)
		}
		bad := rapid.SliceOfNDistinct(rapid.SampledFrom(ids), 0, min(n, 3), rapid.ID[string]).Draw(t, "bad")
		c := &cloud{served: served(base, true), bad: bad, names: rapid.Bool().Draw(t, "named")}
		foreign := rapid.IntRange(0, 3).Draw(t, "others write") // so many times
		alone := foreign == 0
		c.foreign = func() {
			if foreign > 0 && rapid.Bool().Draw(t, "now") {
				foreign--
				c.served.ETag += "*"
			}
		}
		r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: append(all, leaving)}
		dies := rapid.IntRange(-1, 30).Draw(t, "dies after so many steps")
		said, conflicts := map[string]int{}, 0
		for steps := 0; ; steps++ {
			next, step := permit(r.Next())
			for _, e := range step.Outcome.Events {
				if e.Type == contract.OriginQuarantined {
					said[e.Detail.Origin]++
				}
			}
			for _, m := range step.Outcome.Metrics {
				if m.Name == contract.MetricETagConflict {
					conflicts++
				}
			}
			if update, is := step.Do.(wiring.Update); is && (!step.Save || !next.Item.UpdateSent.Equal(now) || next.Item.PendingUpdate == nil) {
				t.Fatalf("an update of %v is not recorded first", managed(update.Config))
			}
			var a wiring.Answer
			if step.Do != nil {
				a = c.answer(step.Do)
			}
			if r = next.Learn(step, a); step.Done {
				break
			}
			if steps == dies { // with what it has written, which is Deployed by the next run
				c.served.Deployed = true
				r = wiring.Run{Terms: adopts, Now: now, Item: r.Item, Records: r.Records}
			}
			if steps > 300 {
				t.Fatal("it never ends")
			}
		}
		if n > 1 && len(bad) == n && !c.names { // that is the distribution's fault, as far as anybody can tell
			for _, o := range r.Records {
				if o.State == origin.Quarantined {
					t.Fatalf("%s is quarantined, and all are refused in the same words", o.ID)
				}
			}
			if r.Failed == nil || r.Item.Refused != "InvalidArgument" || c.served.Config.Uses("vo_90") {
				t.Fatalf("%v, refused %q, vo_90 in it %t", r.Failed, r.Item.Refused, c.served.Config.Uses("vo_90"))
			}
			return
		}
		if r.Failed != nil || r.Broken != nil {
			t.Fatalf("%v, %v", r.Failed, r.Broken)
		}
		for i, id := range ids {
			is, want := r.Records[i].State, origin.Wired
			if slices.Contains(bad, id) {
				want = origin.Quarantined
			}
			if dies >= 0 && is == origin.Live {
				is = origin.Wired
			}
			if is != want || c.served.Config.Uses(id) != (want == origin.Wired) || said[id] > 1 || (said[id] == 1) != (want == origin.Quarantined) {
				t.Fatalf("%s is %s, wired %t and was called bad %d times", id, is, c.served.Config.Uses(id), said[id])
			}
		}
		if dies < 0 && alone && (c.late > 0 || c.reads > 1+c.accepted) {
			t.Fatalf("%d updates were late without anybody else, and the distribution was read %d times for %d that were accepted", c.late, c.reads, c.accepted)
		}
		if dies < 0 && conflicts != c.late {
			t.Fatalf("%d conflicts are counted of %d", conflicts, c.late)
		}
		if c.served.Config.Uses("vo_90") {
			t.Fatal("what was to go is still there")
		}
		log := 0
		for 1<<log < n {
			log++
		}
		limit := 2 + 2*log*len(bad) // all, and all but the additions, come first
		if len(bad) >= 2 && !c.names {
			limit++ // one of the rest is tried alone, and accepted
		}
		if dies < 0 && alone && c.calls > limit {
			t.Fatalf("%d calls to find %d of %d", c.calls, len(bad), n)
		}
	})
}
