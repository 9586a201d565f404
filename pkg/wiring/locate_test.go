package wiring_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

// One row for each of Locate's table.
func TestLocate(t *testing.T) {
	live, deleted := record("vo_1", origin.Wire, origin.Live), record("vo_1", origin.Detach, origin.Deleted)
	absent, ours := failed(wiring.Absent, "NoSuchDistribution"), wiring.Answer{ID: "E9"}
	there := wiring.Answer{Served: served(configOf(t, live), true)}
	with := func(t wiring.Terms, change func(*wiring.Terms)) wiring.Terms {
		change(&t)
		return t
	}
	old := there
	old.Served.ID = "EOLD"
	dropped := with(adopts, func(t *wiring.Terms) { t.Named = false })
	never := origin.Distribution{Name: origin.Main, Observation: origin.Observation{QuotaReadAt: now}}
	stale := item("E1")
	stale.QuotaReadAt = now.Add(-5 * time.Minute)
	lost := item("")
	lost.Unavailable = origin.Reason{Code: "distribution-gone"}
	for name, c := range map[string]struct {
		terms   wiring.Terms
		item    origin.Distribution
		records []origin.Record
		answers []wiring.Answer
		want    string // the first step that is not answered
		fails   bool
	}{
		"nothing is to be in it, and that is known":  {adopts, item(""), []origin.Record{deleted}, nil, "over", false},
		"nothing is to be in it, and nobody looked":  {adopts, never, nil, nil, "read E1", false},
		"nothing is to be in it, but it was missed":  {adopts, lost, nil, nil, "read E1", false},
		"quotas were asked a while ago":              {adopts, stale, nil, nil, "ReadQuotas", false},
		"it was not observed":                        {adopts, item("E1"), []origin.Record{live}, nil, "read E1", false},
		"AWS refuses to show it":                     {adopts, item("E1"), []origin.Record{live}, []wiring.Answer{failed(wiring.Refused, "AccessDenied")}, "over", false},
		"it cannot be read now":                      {adopts, item("E1"), []origin.Record{live}, []wiring.Answer{failed(wiring.Failed, "")}, "over", true},
		"policy names one that does not exist":       {adopts, item(""), []origin.Record{live}, []wiring.Answer{absent}, "over", false},
		"it is gone, and policy still names it":      {adopts, item("E1"), []origin.Record{live}, []wiring.Answer{absent}, "over", false},
		"it is gone, and policy names another":       {adopts, item("EOLD"), []origin.Record{live}, []wiring.Answer{absent}, "read E1", false},
		"it is gone, and the hub makes another":      {creates, item("E1"), []origin.Record{live}, []wiring.Answer{absent}, "EnsureFunction", false},
		"it is gone, and nobody needs another":       {creates, item("E1"), []origin.Record{deleted}, []wiring.Answer{absent}, "FindDistribution", false},
		"it is there, and the hub's own":             {creates, item("E1"), []origin.Record{live}, []wiring.Answer{there}, "ReadZone", false},
		"it is there, and policy names it no more":   {dropped, item("E1"), []origin.Record{live}, []wiring.Answer{there}, "ReadZone", false},
		"it is there, and adopted":                   {adopts, item("E1"), []origin.Record{live}, []wiring.Answer{there}, "ReadZone", false},
		"policy names another, with origins inside":  {adopts, item("EOLD"), []origin.Record{live}, []wiring.Answer{old}, "over", false},
		"policy names another, with nothing inside":  {adopts, item("EOLD"), []origin.Record{deleted}, []wiring.Answer{old}, "read E1", false},
		"there is none, and policy names it no more": {dropped, never, []origin.Record{live}, nil, "over", false},
		"there is none, and policy adopts one":       {adopts, never, []origin.Record{live}, nil, "read E1", false},
		"the hub makes it, and nothing is wanted":    {creates, never, nil, nil, "FindDistribution", false},
		"… and there is none":                        {creates, never, nil, []wiring.Answer{{}}, "over", false},
		"… and there is one, from a lost registry":   {creates, never, nil, []wiring.Answer{ours}, "read E9", false},
		"the hub makes it":                           {creates, never, []origin.Record{live}, nil, "EnsureFunction", false},
		"… but must not publish functions":           {creates, never, []origin.Record{live}, []wiring.Answer{failed(wiring.Refused, "AccessDenied")}, "over", false},
		"… when its function is published":           {creates, never, []origin.Record{live}, []wiring.Answer{{ARN: "arn"}}, "Create", false},
		"… and cannot do it now":                     {creates, never, []origin.Record{live}, []wiring.Answer{{ARN: "arn"}, failed(wiring.Failed, "")}, "over", true},
		"… and has done it":                          {creates, never, []origin.Record{live}, []wiring.Answer{{ARN: "arn"}, ours}, "read E9", false},
		"… and it does not appear":                   {creates, never, []origin.Record{live}, []wiring.Answer{{ARN: "arn"}, ours, absent}, "over", true},
		"… and had done it before":                   {creates, never, []origin.Record{live}, []wiring.Answer{{ARN: "arn"}, failed(wiring.Exists, "")}, "FindDistribution", false},
		"… and finds it":                             {creates, never, []origin.Record{live}, []wiring.Answer{{ARN: "arn"}, failed(wiring.Exists, ""), ours}, "read E9", false},
		"… and it is not listed yet":                 {creates, never, []origin.Record{live}, []wiring.Answer{{ARN: "arn"}, failed(wiring.Exists, ""), {}}, "over", true},
	} {
		r := wiring.Run{Terms: c.terms, Now: now, Item: c.item, Records: c.records, Alone: true}
		r, step := feed(t, r, c.answers...)
		if got := told(step); got != c.want || (r.Failed != nil) != c.fails || r.Broken != nil {
			t.Errorf("%s: %s, %v", name, got, r.Failed)
		}
	}
}

// Other code in the function that answers 404 is replaced once in a run, and the distribution does not wait for that.
func TestFunctionIsRestored(t *testing.T) {
	live := record("vo_1", origin.Wire, origin.Live)
	item := origin.Distribution{Name: origin.Main, Identity: origin.Identity{ID: "E1"}, Observation: origin.Observation{QuotaReadAt: now, ObservedAt: now}}
	there := wiring.Answer{Served: served(configOf(t, live), true)}
	found := func(subject string) origin.Findings {
		return origin.Findings{Open: []origin.OpenFinding{{Kind: origin.FunctionChanged, Subject: subject}, {Kind: "another", Subject: creates.NotFound.Name}}}
	}
	for name, c := range map[string]struct {
		terms    wiring.Terms
		findings origin.Findings
		answers  []wiring.Answer
		want     string
		fails    bool
	}{
		"not found":               {creates, origin.Findings{}, []wiring.Answer{there}, "ReadZone", false},
		"found for another hub":   {creates, found("other"), []wiring.Answer{there}, "ReadZone", false},
		"found, and adopted":      {adopts, found(creates.NotFound.Name), []wiring.Answer{there}, "ReadZone", false},
		"found":                   {creates, found(creates.NotFound.Name), []wiring.Answer{there}, "RestoreFunction", false},
		"found, and restored":     {creates, found(creates.NotFound.Name), []wiring.Answer{there, {}}, "ReadZone", false},
		"found, and not restored": {creates, found(creates.NotFound.Name), []wiring.Answer{there, failed(wiring.Refused, "AccessDenied")}, "ReadZone", true},
	} {
		r := wiring.Begin(origin.Snapshot{Now: now, Distributions: []origin.Distribution{item}, Findings: c.findings}, origin.Main, c.terms)
		r.Records, r.Alone = []origin.Record{live}, true
		r, step := feed(t, r, c.answers...)
		if got := told(step); got != c.want || (r.Failed != nil) != c.fails {
			t.Errorf("%s: %s, %v", name, got, r.Failed)
		}
	}
}

func TestCreateUsesWhatPolicyGives(t *testing.T) {
	r := wiring.Run{Terms: creates, Now: now, Item: origin.Distribution{Name: origin.Main, Observation: origin.Observation{QuotaReadAt: now}}, Records: []origin.Record{record("vo_1", origin.Wire, origin.Pending)}}
	r, step := feed(t, r, wiring.Answer{ARN: "arn:published"})
	create, is := step.Do.(wiring.Create)
	if !is {
		t.Fatal(told(step))
	}
	if made := string(create.Config.Bytes()); create.Config.CallerReference() != creates.CallerReference || !strings.Contains(made, "the hub&#39;s") ||
		!strings.Contains(made, "arn:published") {
		t.Errorf("makes %s", made)
	}
	r = r.Learn(step, wiring.Answer{ID: "E9"})
	if _, step = r.Next(); told(step) != "say Distribution Created E9, save" {
		t.Errorf("made, and then %s", told(step))
	}
}

// What is said once for each reason, and what the registry keeps of it.
func TestUnavailable(t *testing.T) {
	denied, gone := failed(wiring.Refused, "AccessDenied"), failed(wiring.Absent, "NoSuchDistribution")
	live := record("vo_1", origin.Wire, origin.Live)
	old := wiring.Answer{Served: served(configOf(t, live), true)}
	old.Served.ID = "EOLD"
	for name, c := range map[string]struct {
		item    origin.Distribution
		answers []wiring.Answer
		code    origin.Code
		subject string
		kept    string
		said    string
	}{
		"AWS's words":     {item("E1"), []wiring.Answer{denied}, "AccessDenied", "E1", "AWS refuses the hub's calls for distribution E1 with error AccessDenied", "call failed: AccessDenied"},
		"no code of AWS":  {item("E1"), []wiring.Answer{failed(wiring.Refused, "")}, "unavailable", "E1", "call failed: ", "call failed: "},
		"it is missing":   {origin.Distribution{Name: origin.Main, Observation: origin.Observation{QuotaReadAt: now}}, []wiring.Answer{gone}, wiring.DistributionMissing, "E1", "it does not exist; create a distribution", "put its id in distribution.adopt"},
		"it was replaced": {item("EOLD"), []wiring.Answer{old}, wiring.DistributionReplaced, "EOLD", "distribution EOLD is adopted as \"main\" and still serves origins", "put EOLD back at its old position"},
	} {
		r := wiring.Run{Terms: adopts, Now: now, Item: c.item, Records: []origin.Record{live}}
		var said []string
		step := wiring.Step{}
		for _, a := range append(c.answers, wiring.Answer{}) {
			for {
				r, step = r.Next()
				for _, e := range step.Outcome.Events {
					said = append(said, e.Type+": "+e.Detail.Why)
				}
				if step.Done || step.Do != nil {
					break
				}
				r = r.Learn(step, wiring.Answer{})
			}
			r = r.Learn(step, a)
		}
		if len(said) != 1 || !strings.HasPrefix(said[0], "Distribution Became Unavailable: ") || !strings.Contains(said[0], c.said) {
			t.Errorf("%s: said %q", name, said)
		}
		why := r.Item.Unavailable
		if why.Code != c.code || why.Subject != c.subject || !strings.Contains(why.Message, c.kept) || !r.CapacityFreed {
			t.Errorf("%s: kept %+v, and admit is triggered: %t", name, why, r.CapacityFreed)
		}
		again := wiring.Run{Terms: adopts, Now: now, Item: r.Item, Records: []origin.Record{live}}
		again, step = feed(t, again, c.answers...)
		if told(step) != "over" || again.CapacityFreed {
			t.Errorf("%s: the next run says %s", name, told(step))
		}
	}
}

// One row for each of gone's table.
func TestGone(t *testing.T) {
	dropped := adopts
	dropped.Named = false
	released := func(r origin.Record) origin.Record {
		r.ReleasedHosts = []string{"old.example.com"}
		return r
	}
	for name, c := range map[string]struct {
		terms  wiring.Terms
		was    origin.Record
		want   string
		left   int
		room   bool
		events string
	}{
		"wired, and another is made":           {creates, record("vo_1", origin.Wire, origin.Wired), "vo_1 is pending", 0, false, "originhub creates another"},
		"live, and another is to be named":     {adopts, released(record("vo_1", origin.Wire, origin.Live)), "vo_1 is pending", 1, false, "create another"},
		"pending":                              {adopts, record("vo_1", origin.Wire, origin.Pending), "", 0, false, "create another"},
		"quarantined":                          {adopts, record("vo_1", origin.Wire, origin.Quarantined), "", 0, false, "create another"},
		"on its way out":                       {adopts, record("vo_1", origin.Detach, origin.Detaching), "vo_1 is detached", 1, false, "create another"},
		"on its way out, another is created":   {creates, record("vo_1", origin.Detach, origin.Detaching), "", 0, false, "originhub creates another"},
		"live, and dropped":                    {dropped, released(record("vo_1", origin.Wire, origin.Live)), "vo_1 is deferred", 0, true, "originhub moves its origins to another distribution"},
		"quarantined, and dropped":             {dropped, record("vo_1", origin.Wire, origin.Quarantined), "vo_1 is deferred", 0, true, "originhub moves its origins to another distribution"},
		"on its way out, and dropped":          {dropped, released(record("vo_1", origin.Detach, origin.Detaching)), "vo_1 is detached", 0, false, "originhub moves its origins to another distribution"},
		"never wired, on its way out, dropped": {dropped, record("vo_1", origin.Detach, origin.Pending), "vo_1 is detached", 0, false, "originhub moves its origins to another distribution"},
		"deleted, and dropped":                 {dropped, record("vo_1", origin.Detach, origin.Deleted), "", 0, false, "originhub moves its origins to another distribution"},
	} {
		r := wiring.Run{Terms: c.terms, Now: now, Item: item("EOLD"), Records: []origin.Record{c.was}}
		r, step := r.Next()
		r, step = r.Learn(step, failed(wiring.Absent, "NoSuchDistribution")).Next()
		want := "say Drift Found EOLD"
		if c.want != "" {
			want += ", " + c.want
		}
		if got := told(step); got != want+", save" || !strings.Contains(step.Outcome.Events[0].Detail.Why, c.events) {
			t.Errorf("%s: %s: %s", name, got, step.Outcome.Events[0].Detail.Why)
		}
		if r.CapacityFreed != c.room || r.Item.ID != "" || r.Item.Domain != "" || cmp.Diff([]string{"EOLD.cloudfront.net"}, r.Item.Former) != "" {
			t.Errorf("%s: admit is triggered: %t, the item is %+v", name, r.CapacityFreed, r.Item)
		}
		if len(step.Records) > 0 && len(step.Records[0].ReleasedHosts) != c.left {
			t.Errorf("%s: it has released %v", name, step.Records[0].ReleasedHosts)
		}
	}
}

// That it is gone is said once, also if the run dies before it has written that, and after a second one that never was.
func TestGoneIsSaidOnce(t *testing.T) {
	r := wiring.Run{Terms: adopts, Now: now, Item: origin.Distribution{Name: origin.Main, Identity: origin.Identity{ID: "EOLD"}, Observation: origin.Observation{QuotaReadAt: now}}, Records: []origin.Record{record("vo_1", origin.Wire, origin.Pending)}}
	r, step := r.Next()
	if _, step = r.Learn(step, failed(wiring.Absent, "NoSuchDistribution")).Next(); told(step) != "save" {
		t.Errorf("of one that nobody ever saw: %s", told(step))
	}
}

// Nor does it wait where an earlier run found the distribution gone, and the team tagged its origin since.
func TestNoneCompletesWhatWaits(t *testing.T) {
	dropped := adopts
	dropped.Named = false
	waits := record("vo_1", origin.Detach, origin.Deferred)
	waits.Token = "token"
	r := wiring.Run{Terms: dropped, Now: now, Item: origin.Distribution{Name: origin.Main, Observation: origin.Observation{QuotaReadAt: now}}, Records: []origin.Record{waits}}
	r, says := script(t, r, func(wiring.Action) wiring.Answer { return failed(wiring.Failed, "") })
	if got := strings.Join(says, "; "); !strings.Contains(got, "complete token: origin vo_1 is in no distribution of the hub") || r.Records[0].State != origin.Detached {
		t.Errorf("%s, and it is %s", got, r.Records[0].State)
	}
}

// A teardown does not wait for a distribution that is gone and that nobody replaces.
func TestGoneCompletesWhatWaits(t *testing.T) {
	dropped := adopts
	dropped.Named = false
	waits := record("vo_1", origin.Detach, origin.Detaching)
	waits.Token = "token"
	r := wiring.Run{Terms: dropped, Now: now, Item: item("EOLD"), Records: []origin.Record{waits}}
	r, step := r.Next()
	_, step = r.Learn(step, failed(wiring.Absent, "NoSuchDistribution")).Next()
	if got := told(step); !strings.Contains(got, "complete token: origin vo_1 is no longer in distribution EOLD, which is Deployed") {
		t.Error(got)
	}
	if w := step.Records[0]; w.Record.Token != "" || w.History[len(w.History)-1].Code != origin.DecidedDetached {
		t.Errorf("%+v", w)
	}
}

// A teardown does not wait until somebody names a distribution that exists. What is said of the distribution is said once.
func TestMissingCompletesWhatWaits(t *testing.T) {
	waits, live := record("vo_1", origin.Detach, origin.Live), record("vo_2", origin.Wire, origin.Live)
	waits.Token = "token"
	r := wiring.Run{
		Terms: adopts, Now: now, Item: origin.Distribution{Name: origin.Main, Observation: origin.Observation{QuotaReadAt: now}},
		Records: []origin.Record{waits, live},
	}
	absent := func(wiring.Action) wiring.Answer { return failed(wiring.Absent, "NoSuchDistribution") }
	r, says := script(t, r, absent)
	got := strings.Join(says, "; ")
	if !strings.Contains(got, "say Distribution Became Unavailable E1") || !strings.Contains(got, "complete token: origin vo_1 is in no distribution of the hub") ||
		r.Records[0].State != origin.Detached || r.Records[1].State != origin.Live {
		t.Errorf("%s, and they are %s and %s", got, r.Records[0].State, r.Records[1].State)
	}
	second := record("vo_3", origin.Detach, origin.Pending)
	second.Token = "another"
	again := wiring.Run{Terms: adopts, Now: now, Item: r.Item, Records: []origin.Record{second}}
	again, says = script(t, again, absent)
	if got := strings.Join(says, "; "); strings.Contains(got, "say ") || !strings.Contains(got, "complete another") || again.Records[0].State != origin.Detached {
		t.Errorf("later: %s, and it is %s", got, again.Records[0].State)
	}
}
