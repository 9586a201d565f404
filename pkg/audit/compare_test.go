package audit

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

func TestCompare(t *testing.T) {
	yesterday := now.Add(-24 * time.Hour)
	f := Finding{Kind: OriginUnused, Subject: arnA, Origin: "vo_a", Account: teamA, Team: "team-a", Risk: "in words", Facts: []origin.Reason{fact(shareIs, shareA)}}
	known := origin.OpenFinding{Kind: string(OriginUnused), Subject: arnA, Origin: "vo_a", Account: teamA, Team: "team-a", Since: yesterday, Facts: f.facts()}
	with := func(change func(*origin.OpenFinding)) []origin.OpenFinding {
		k := known
		change(&k)
		return []origin.OpenFinding{k}
	}
	for _, c := range []struct {
		name       string
		found      []Finding
		known      []origin.OpenFinding
		unreadable []string
		said       []string
		since      time.Time // of what stands; zero if nothing does
	}{
		{"new", []Finding{f}, nil, nil, []string{"Leak Found origin-unused"}, now},
		{"other facts", []Finding{f}, with(func(k *origin.OpenFinding) { k.Facts = nil; k.Facts = []origin.Reason{fact(teamIs, "team-a")} }), nil, []string{"Leak Found origin-unused"}, yesterday},
		{"another team", []Finding{f}, with(func(k *origin.OpenFinding) {
			k.Facts = []origin.Reason{fact(teamIs, "team-b"), fact(shareIs, shareA)}
		}), nil, []string{"Leak Found origin-unused"}, yesterday},
		{"the same facts", []Finding{f}, []origin.OpenFinding{known}, nil, nil, yesterday},
		{"facts that are not known", []Finding{f}, with(func(k *origin.OpenFinding) { k.Facts = nil }), nil, nil, yesterday},
		{"gone, and its account is unreadable", nil, []origin.OpenFinding{known}, []string{teamA}, nil, yesterday},
		{"gone, and its account is unreadable, but the hub finds it by itself", nil, with(func(k *origin.OpenFinding) { k.Kind = string(HostElsewhere) }), []string{teamA}, []string{"Leak Resolved host-elsewhere"}, time.Time{}},
		{"gone", nil, []origin.OpenFinding{known}, []string{teamB}, []string{"Leak Resolved origin-unused"}, time.Time{}},
	} {
		open, what := compare(c.found, c.known, Observed{Unreadable: c.unreadable}.hides, now)
		if got := said(what); !slices.Equal(got, c.said) {
			t.Errorf("%s: said %q, want %q", c.name, got, c.said)
		}
		var since time.Time
		if len(open) == 1 {
			since = open[0].Since
		}
		if len(open) > 1 || !since.Equal(c.since) {
			t.Errorf("%s: stands %+v, want it since %v", c.name, open, c.since)
		}
		if len(c.found) > 0 && !origin.SameReasons(open[0].Facts, f.facts()) {
			t.Errorf("%s: remembers %+v", c.name, open[0].Facts)
		}
	}
}

// Another version may word a finding differently, in another language even: whoever was told it need not be told again.
func TestAFindingThatIsWordedDifferentlyIsNotReportedAgain(t *testing.T) {
	o := orderly()
	all(unshared, off1, public("/team-a/old/*", 0), func(o *Observed) { o.DNS[0].Target = "d222.cloudfront.net" })(&o)
	found := Audit(o)
	if len(found) < 4 {
		t.Fatalf("found only %+v", found)
	}
	open, _ := compare(found, nil, Observed{}.hides, now)
	for i := range found {
		found[i].Risk, found[i].Repair, found[i].Cost = "anders", "gesagt", "!"
	}
	if _, what := compare(found, open, Observed{}.hides, now); len(what.Events) > 0 {
		t.Errorf("said again: %q", said(what))
	}
}

// What makes another finding of it is told, although its kind and its subject are what they were.
func TestAFindingWithOtherFactsIsReportedAgain(t *testing.T) {
	aliased := func(target string) func(*Observed) {
		return func(o *Observed) { o.DNS[0].Target = target }
	}
	refused := func(code origin.Code) func(*Observed) {
		return func(o *Observed) { o.Refusals = map[string][]origin.Reason{arnA: {{Code: code}}} }
	}
	for name, c := range map[string][2]func(*Observed){
		"refused for another reason":     {all(out, refused("a")), all(out, refused("b"))},
		"shared by another share":        {out, all(out, func(o *Observed) { o.Offered[0].Share += "b" })},
		"in another distribution":        {unshared, all(unshared, two, func(o *Observed) { o.Listed[0].ID = "E2" })},
		"adopted":                        {off1, all(off1, adopted)},
		"leads to something else":        {aliased("a.example.net"), aliased("b.example.net")},
		"overlaps another path":          {public("/team-a/old/*", 0), all(public("/team-a/old/*", 0), func(o *Observed) { o.Records[0].Claim.Paths = []string{"/team-a/old/*"} })},
		"leads to another public origin": {public("/team-a/old/*", 0), all(public("/team-a/old/*", 0), func(o *Observed) { o.Listed[0].Origins[2].Domain = "c.s3.amazonaws.com" })},
		"of another team":                {all(out), all(out, func(o *Observed) { o.Policy.Teams[0].Name = "team-z" })},
	} {
		before, after := orderly(), orderly()
		c[0](&before)
		c[1](&after)
		before.Findings = *DecideSweep(before).Remember
		if again := DecideSweep(before); len(again.Events) > 0 || len(before.Findings.Open) != 1 {
			t.Errorf("%s: %d stand, and said again is %q", name, len(before.Findings.Open), said(again.Outcome))
		}
		after.Findings = before.Findings
		if d := DecideSweep(after); len(d.Events) != 1 || d.Events[0].Type != contract.LeakFound {
			t.Errorf("%s: said %q", name, said(d.Outcome))
		}
	}
}

// Two origins may stand behind one host, and each is a finding of its own.
func TestFindingsOfOneHostAreToldApart(t *testing.T) {
	found := []Finding{
		{Kind: HostElsewhere, Subject: "api.example.com", Origin: "vo_a", Team: "team-a"},
		{Kind: HostElsewhere, Subject: "api.example.com", Origin: "vo_b", Team: "team-b"},
	}
	open, first := compare(found, nil, Observed{}.hides, now)
	open, second := compare(found, open, Observed{}.hides, now.Add(24*time.Hour))
	if len(first.Events) != 2 || len(second.Events) != 0 || len(open) != 2 {
		t.Errorf("%d findings, %d the day after, %d open", len(first.Events), len(second.Events), len(open))
	}
	_, third := compare(found[:1], open, Observed{}.hides, now.Add(48*time.Hour))
	if len(third.Events) != 1 || third.Events[0].Type != contract.LeakResolved || third.Events[0].Detail.Origin != "vo_b" {
		t.Errorf("after one is repaired: %v", third.Events)
	}
}

func TestReport(t *testing.T) {
	for _, c := range []struct {
		name                    string
		f                       Finding
		severity, resource, age string
	}{
		{"alarm", Finding{Alarm: true, Subject: distribution}, contract.SeverityAlarm, "", ""},
		{"for information", Finding{Subject: distribution}, contract.SeverityInfo, "", ""},
		{"about an ARN", Finding{Subject: arnA}, contract.SeverityInfo, arnA, ""},
		{"with its time", Finding{Subject: distribution, Since: now.Add(-3 * time.Hour)}, contract.SeverityInfo, "", "3 hours"},
	} {
		var o outcome.Outcome
		report(&o, contract.LeakFound, c.f, now)
		e := o.Events[0]
		if e.Detail.Severity != c.severity || e.Resource != c.resource || e.Detail.Age != c.age || (e.Detail.Since == "") != (c.age == "") {
			t.Errorf("%s: %+v", c.name, e)
		}
	}
}

func TestAge(t *testing.T) {
	for d, want := range map[time.Duration]string{
		59 * time.Minute: "less than an hour", time.Hour: "1 hour", 2 * time.Hour: "2 hours", 47 * time.Hour: "47 hours", 48 * time.Hour: "2 days", 200 * time.Hour: "8 days",
	} {
		if got := age(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

// Each open finding has an item of its own, so only the calls are bounded.
func TestAllFindingsAndTheNewestCallsAreRemembered(t *testing.T) {
	var f origin.Findings
	for i := range 5000 {
		f.Open = append(f.Open, origin.OpenFinding{Kind: string(SharedNotWired), Subject: fmt.Sprintf("vo_%022d", i)})
		f.Calls = append(f.Calls, fmt.Sprintf("%036d", i))
	}
	var d Decision
	d.remember(f)
	if kept := d.Remember; len(kept.Open) != 5000 || len(kept.Calls) != maxCalls || kept.Calls[maxCalls-1] != f.Calls[4999] {
		t.Errorf("%d findings and %d calls are remembered", len(kept.Open), len(kept.Calls))
	}
}
