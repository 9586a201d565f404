package audit

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/originhub/originhub/pkg/origin"
)

func drawObserved(t *rapid.T) Observed {
	id := rapid.Map(rapid.IntRange(0, 4), func(i int) string { return fmt.Sprintf("vo_%d", i) })
	arn := rapid.Map(id, func(id string) string { return "arn:" + id })
	host := rapid.SampledFrom([]string{"a.example.com", "A.example.com", "b.example.com", "*.example.com", "x.b.example.com"})
	distribution := rapid.SampledFrom([]string{"E1", "E2", "E3", "E4"})
	var o Observed
	for range rapid.IntRange(0, 4).Draw(t, "records") {
		r := origin.Record{
			Ref: origin.Ref{ID: id.Draw(t, "record")}, Intent: rapid.SampledFrom([]origin.Intent{origin.Wire, origin.Detach}).Draw(t, "intent"),
			Claim: origin.Claim{Paths: rapid.SliceOfN(rapid.SampledFrom([]string{"/a/*", "/a/b", "/*"}), 0, 2).Draw(t, "paths")},
		}
		if rapid.Bool().Draw(t, "torn down") {
			r.Teardown = &origin.Teardown{VPC: "vpc-1", ENIs: rapid.SliceOf(rapid.SampledFrom([]string{"eni-1", "eni-2", "eni-3"})).Draw(t, "recorded")}
		}
		if rapid.Bool().Draw(t, "aside") {
			o.Aside = append(o.Aside, r)
		} else {
			o.Records = append(o.Records, r)
		}
	}
	o.Managed = rapid.SliceOf(distribution).Draw(t, "managed")
	for _, id := range rapid.SliceOfDistinct(distribution, rapid.ID).Draw(t, "listed") {
		d := origin.Listed{ID: id, Domain: strings.ToLower(id) + ".cloudfront.net", Aliases: rapid.SliceOfN(host, 0, 3).Draw(t, "aliases")}
		for _, vo := range rapid.SliceOfN(rapid.SampledFrom([]string{"", "vo_0", "vo_1", "vo_2"}), 0, 3).Draw(t, "origins") {
			d.Origins = append(d.Origins, origin.ListedOrigin{VPCOrigin: vo})
		}
		o.Listed = append(o.Listed, d)
	}
	for range rapid.IntRange(0, 4).Draw(t, "offered") {
		o.Offered = append(o.Offered, origin.Resource{ARN: arn.Draw(t, "offered arn"), Share: rapid.SampledFrom([]string{"s1", "s2"}).Draw(t, "share")})
	}
	for _, arn := range rapid.SliceOf(arn).Draw(t, "visible") {
		o.Visible = append(o.Visible, origin.VpcOrigin{Ref: origin.Ref{ARN: arn}})
	}
	for range rapid.IntRange(0, 4).Draw(t, "zone") {
		o.DNS = append(o.DNS, origin.DNSRecord{
			Name: host.Draw(t, "name"), Type: rapid.SampledFrom([]string{"A", "AAAA", "CNAME", "TXT"}).Draw(t, "type"),
			Target: rapid.SampledFrom([]string{"", "e1.cloudfront.net", "E2.cloudfront.net", "other.example.net"}).Draw(t, "target"),
		})
	}
	return o
}

// Each walk is what the index replaces.
func TestIndexAgreesWithAWalk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := drawObserved(t)
		is := o.indexed()
		agree := func(what string, got, want any) {
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%s: %v, and a walk finds %v", what, got, want)
			}
		}
		manages := func(id string) bool { return slices.Contains(o.Managed, id) }
		holds := func(d origin.Listed, vo string) bool {
			return slices.ContainsFunc(d.Origins, func(p origin.ListedOrigin) bool { return p.VPCOrigin == vo })
		}
		has := func(d origin.Listed, host string) bool {
			return slices.ContainsFunc(d.Aliases, func(alias string) bool { return strings.EqualFold(alias, host) })
		}
		for i := range 6 {
			vo := fmt.Sprintf("vo_%d", i)
			using := ""
			for _, d := range slices.Backward(o.Listed) {
				if manages(d.ID) && holds(d, vo) {
					using = d.ID
				}
			}
			agree("distribution of "+vo, is.distributionOf(vo), using)
			share := ""
			for _, s := range slices.Backward(o.Offered) {
				if s.ARN == "arn:"+vo {
					share = s.Share
				}
			}
			got, shared := is.share("arn:" + vo)
			agree("share of "+vo, got, share)
			agree(vo+" is shared", shared, share != "")
			visible := slices.ContainsFunc(o.Visible, func(v origin.VpcOrigin) bool { return v.ARN == "arn:"+vo })
			agree(vo+" is offered", is.offered("arn:"+vo), shared && visible)
			agree(vo+" is set aside", is.setAside(vo), slices.ContainsFunc(o.Aside, func(r origin.Record) bool { return r.ID == vo }))
		}
		for _, host := range []string{"a.example.com", "A.EXAMPLE.com", "b.example.com", "*.example.com", "x.b.example.com", "c.example.net"} {
			holding := ""
			for _, d := range slices.Backward(o.Listed) {
				if !manages(d.ID) && has(d, host) {
					holding = d.ID
				}
			}
			agree("unmanaged with "+host, is.holding(host), holding)
			var found origin.DNSRecord
			var misdirected bool
			for _, e := range slices.Backward(o.DNS) {
				hub := slices.ContainsFunc(o.Listed, func(d origin.Listed) bool { return manages(d.ID) && strings.EqualFold(d.Domain, e.Target) })
				if strings.EqualFold(e.Name, host) && addresses(e.Type) && !hub {
					found, misdirected = e, true
				}
			}
			gotFound, gotMisdirected := is.misdirected(host)
			agree("record of "+host, gotFound, found)
			agree(host+" leads elsewhere", gotMisdirected, misdirected)
			for _, d := range o.Listed {
				wild := slices.ContainsFunc(d.Aliases, func(alias string) bool {
					suffix, wildcard := strings.CutPrefix(strings.ToLower(alias), "*")
					return wildcard && strings.HasSuffix(host, suffix)
				})
				agree(d.ID+" answers "+host, is.answers(d.ID, host), has(d, host) || wild)
			}
		}
		for _, d := range o.Listed {
			for _, path := range []string{"/a/*", "/b"} {
				var want origin.Record
				claimed := ""
				for _, r := range slices.Backward(o.Records) {
					for _, p := range slices.Backward(r.Claim.Paths) {
						if r.Intent == origin.Wire && holds(d, r.ID) && origin.Overlap(p, path) {
							want, claimed = r, p
						}
					}
				}
				got, gotPath, overlaps := is.claims(d, path)
				agree("claim in "+d.ID, got, want)
				agree("path in "+d.ID, gotPath, claimed)
				agree("any path in "+d.ID, overlaps, claimed != "")
			}
		}
		for _, eni := range []string{"eni-1", "eni-2", "eni-3", "eni-4"} {
			agree(eni+" is recorded", is.look().recorded[eni], slices.ContainsFunc(slices.Concat(o.Records, o.Aside), func(r origin.Record) bool {
				return r.Teardown != nil && slices.ContainsFunc(r.Teardown.Places(), func(p origin.Place) bool { return slices.Contains(p.ENIs, eni) })
			}))
		}
	})
}

// plainOpened is opened with a walk over the open findings for each new one.
func plainOpened(open []origin.OpenFinding, found []Finding, now time.Time) []origin.OpenFinding {
	for _, f := range found {
		if !opens(f) {
			continue
		}
		same := func(k origin.OpenFinding) bool {
			return k.Kind == string(f.Kind) && k.Subject == f.Subject && k.Origin == f.Origin
		}
		since := now
		if i := slices.IndexFunc(open, same); i >= 0 {
			since = open[i].Since
		}
		is := origin.OpenFinding{Kind: string(f.Kind), Subject: f.Subject, Origin: f.Origin, Account: f.Account, Team: f.Team, Since: since, Facts: f.facts()}
		open = append([]origin.OpenFinding{is}, slices.DeleteFunc(slices.Clone(open), same)...)
	}
	return open
}

func TestOpenedAgreesWithAWalk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(100, 0)
		finding := rapid.Custom(func(t *rapid.T) Finding {
			return Finding{
				Kind:    rapid.SampledFrom([]Kind{SideDoor, FunctionChanged, PathPublic}).Draw(t, "kind"),
				Subject: rapid.SampledFrom([]string{"E1", "E2"}).Draw(t, "subject"), Team: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "team"),
			}
		})
		var open []origin.OpenFinding
		for i, f := range rapid.SliceOfN(finding, 0, 5).Draw(t, "open") {
			open = append(open, origin.OpenFinding{Kind: string(f.Kind), Subject: f.Subject, Team: f.Team, Since: time.Unix(int64(i), 0)})
		}
		found := rapid.SliceOfN(finding, 0, 5).Draw(t, "found")
		if got, want := opened(open, found, now), plainOpened(open, found, now); len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
			t.Fatalf("%v, and a walk finds %v", got, want)
		}
	})
}
