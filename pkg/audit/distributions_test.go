package audit

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
)

func TestDisabled(t *testing.T) {
	another := func(age time.Duration) func(*Observed) {
		return func(o *Observed) {
			other := o.Listed[0]
			other.ID, other.Enabled, other.Modified = "EOTHER", false, now.Add(-age)
			other.Origins = []origin.ListedOrigin{{ID: "x", VPCOrigin: "vo_x"}}
			o.Listed = append(o.Listed, other)
		}
	}
	finds(t, Observed.disabled, []row{
		{"enabled", nil, nil, ""},
		{"empty", all(off1, out), nil, ""},
		{"adopted and empty", all(adopted, off1, out), nil, ""},
		{"unmanaged, changed yesterday", another(24 * time.Hour), nil, ""},
		{"unmanaged, changed a week ago", another(7 * 24 * time.Hour), []Kind{DistributionDisabled}, "delete-distribution --region us-east-1 --id EOTHER"},
		{"unmanaged, with an admitted origin", func(o *Observed) {
			another(7 * 24 * time.Hour)(o)
			o.Listed[1].Origins = o.Listed[0].Origins
		}, nil, ""},
		{"managed", off1, []Kind{DistributionDisabled}, "the hub enables it again"},
		{"adopted", all(adopted, off1), []Kind{DistributionDisabled}, "merge(DistributionConfig, {Enabled: `true`})"},
	})
}

// Who deletes a distribution has to know what it held, and only that.
func TestADisabledDistributionNamesItsVPCOrigins(t *testing.T) {
	o := orderly()
	all(off1, func(o *Observed) { o.Managed, o.Records = nil, nil })(&o)
	found := o.disabled()
	if len(found) != 1 || !strings.Contains(found[0].Risk, "keeps VPC origins vo_a from being deleted") || !slices.Equal(found[0].Facts, []origin.Reason{fact(originIs, "vo_a")}) {
		t.Errorf("found %+v", found)
	}
}

// The hub enables its own distributions, and never one that it adopted.
func TestWhoEnablesADistribution(t *testing.T) {
	const enable = "[cloudfront][get-distribution-config][--region][us-east-1][--id][" + distribution + "][--output][json][--query]" +
		"[{IfMatch: ETag, DistributionConfig: merge(DistributionConfig, {Enabled: `true`})}]\n" +
		"[cloudfront][update-distribution][--region][us-east-1][--id][" + distribution + "][--cli-input-json][file://" + distribution + ".json]\n"
	const trigger = "[sqs][send-message][--region][us-east-1][--queue-url][" + wireQueue + "][--message-body]" +
		`[{"source":"originhub","detail-type":"Trigger","detail":{"why":"repair"}}]` + "\n"
	for _, c := range []struct {
		change func(*Observed)
		want   string
	}{{adopted, enable}, {func(*Observed) {}, trigger}} {
		o := orderly()
		all(c.change, off1)(&o)
		j, err := Guard(inbound.CallHint{Account: hub, Call: inbound.UpdateDistribution}, o)
		found := append(Audit(o), j.Findings...)
		if len(found) != 2 || err != nil {
			t.Fatalf("found %+v, %v", found, err)
		}
		for _, f := range found {
			if got := pasted(t, f.Repair); got != c.want || !f.Alarm || f.In != hub {
				t.Errorf("in account %s it calls %s\nwant     %s", f.In, got, c.want)
			}
		}
	}
}

func public(path string, at int) func(*Observed) {
	return func(o *Observed) {
		d := &o.Listed[0]
		d.Origins = append(d.Origins, origin.ListedOrigin{ID: "s3", Domain: "b.s3.amazonaws.com"})
		d.Behaviors = slices.Insert(d.Behaviors, at, origin.ListedBehavior{Path: path, Target: "s3"})
	}
}

func TestPublicPaths(t *testing.T) {
	finds(t, Observed.publicPaths, []row{
		{"private", nil, nil, ""},
		{"public, overlaps nothing", public("/static/*", 0), nil, ""},
		{"public, behind the team's own", public("/team-a/old/*", 1), nil, ""},
		{"public, before the team's own", public("/team-?/old/*", 0), []Kind{PathPublic}, "b.s3.amazonaws.com"},
		{"public, behind a private one that does not cover it", all(public("/team-a/old/*", 0), func(o *Observed) {
			o.Listed[0].Behaviors = slices.Insert(o.Listed[0].Behaviors, 0, origin.ListedBehavior{Path: "/x/*", Target: "originhub-vo_a"})
		}), []Kind{PathPublic}, "/team-a/old/*"},
		{"public, behind a public one that covers it", all(public("/team-a/old/*", 0), public("/team-a/o*", 0)), []Kind{PathPublic, PathPublic}, ""},
		{"public, over the path of an origin in another distribution", all(public("/team-b/*", 0), func(o *Observed) {
			o.Records = append(o.Records, origin.Record{Ref: origin.Ref{ID: "vo_b"}, Intent: origin.Wire, Claim: origin.Claim{Paths: []string{"/team-b/*"}}})
		}), nil, ""},
		{"public, over the path of an origin that is to be detached", all(public("/team-a/old/*", 0), func(o *Observed) { o.Records[0].Intent = origin.Detach }), nil, ""},
		{"a group with a public member", all(public("/team-a/old/*", 0), func(o *Observed) {
			o.Listed[0].Groups = map[string][]string{"g": {"originhub-vo_a", "s3"}}
			o.Listed[0].Behaviors[0].Target = "g"
		}), []Kind{PathPublic}, "/team-a/old/*"},
		{"public, of an unmanaged distribution", all(public("/team-a/old/*", 0), func(o *Observed) { o.Managed = nil }), nil, ""},
	})
}

// What is edited between reading and writing is kept, since the ETag is that of what was read.
func TestPublicPathIsTakenOutOfTheConfigurationThatWasRead(t *testing.T) {
	o := orderly()
	public(`/team-a/o'l"d/$x/*`, 0)(&o)
	found := Audit(o)
	if len(found) != 1 {
		t.Fatalf("found %+v", found)
	}
	const others = "Items[?PathPattern!=`\"/team-a/o'l\\\"d/$x/*\"`]"
	const want = "[cloudfront][get-distribution-config][--region][us-east-1][--id][" + distribution + "][--output][json][--query]" +
		"[{IfMatch: ETag, DistributionConfig: merge(DistributionConfig, {CacheBehaviors: DistributionConfig.CacheBehaviors." +
		"{Items: " + others + ", Quantity: length(" + others + ")}})}]\n" +
		"[cloudfront][update-distribution][--region][us-east-1][--id][" + distribution + "][--cli-input-json][file://" + distribution + ".json]\n"
	if got := pasted(t, found[0].Repair); got != want {
		t.Errorf("it calls %s\nwant     %s", got, want)
	}
}

func TestGuardDistribution(t *testing.T) {
	update := inbound.CallHint{Account: hub, Call: inbound.UpdateDistribution, Target: distribution}
	unnamed := inbound.CallHint{Account: hub, Call: inbound.UpdateDistribution}
	remove := inbound.CallHint{Account: hub, Call: inbound.DeleteDistribution, Target: distribution}
	gone := func(o *Observed) { o.Listed = nil }
	paused := func(o *Observed) {
		o.Holds = []origin.Hold{{Key: "pause#hub", Kind: origin.Pause, Subject: origin.WholeHub}}
	}
	differs := edited("internal.example.com", "elsewhere.example.com")
	guards(t, []judged{
		{"of another account", inbound.CallHint{Account: teamA, Call: inbound.UpdateDistribution, Target: distribution}, nil, Forged, "", ""},
		{"of an unmanaged one", inbound.CallHint{Account: hub, Call: inbound.UpdateDistribution, Target: "EOTHER"}, nil, Harmless, "", ""},
		{"there is no managed one yet", unnamed, func(o *Observed) { o.Managed, o.Records = nil, nil }, Harmless, "", ""},

		{"deleted", remove, gone, Found, DistributionDeleted, "the hub creates another"},
		{"deleted while the hub is paused", remove, all(gone, paused), Found, DistributionDeleted, "the hub restores nothing until somebody deletes the item pause#hub"},
		{"deleted, adopted", remove, all(gone, adopted), Found, DistributionDeleted, "create another"},
		{"updated, and gone since then", update, gone, Found, DistributionDeleted, ""},
		{"deleted, and nobody says which", inbound.CallHint{Account: hub, Call: inbound.DeleteDistribution}, two, Found, DistributionDeleted, "E2 was deleted"},
		{"deletion of one that is there", remove, nil, Harmless, "", ""},

		{"disabled", update, off1, Found, DistributionEdited, "the hub enables it again"},
		{"disabled while the hub is paused", update, all(off1, paused), Found, DistributionEdited, "the hub restores nothing until"},
		{"the managed part differs while the hub is paused", update, all(differs, paused), Found, DistributionEdited, "the hub restores nothing until"},
		{"disabled, adopted", update, all(off1, adopted), Found, DistributionEdited, "enable it in account"},
		{"the managed part differs", update, differs, Found, DistributionEdited, "elsewhere.example.com"},
		{"the managed part differs, adopted, and nobody says where", unnamed, all(differs, adopted), Found, DistributionEdited, "the hub restores it"},
		{"a claimed path is public", update, public("/team-a/old/*", 0), Found, PathPublic, ""},
		{"something else of a named one", update, edited("internal", "internal"), Found, DistributionEdited, "its managed part is as it should be"},
		{"something else, and nobody says of which", unnamed, nil, Harmless, "", ""},
	})
	for _, c := range []struct {
		name   string
		change func(*Observed)
		call   inbound.CallHint
		want   []string
	}{
		{"of an adopted one, something else rings nobody", adopted, update, []string{"Drift Found distribution-edited"}},
		{"of the hub's own it does", nil, update, []string{"Drift Found distribution-edited!"}},
		{"disabled, adopted and empty is something else", all(adopted, off1, out), update, []string{"Drift Found distribution-edited"}},
		{"a difference and a public path are two findings", all(differs, public("/team-a/old/*", 0)), update, []string{"Drift Found distribution-edited!", "Drift Found path-public!"}},
		{"a public path of another distribution is not blamed", all(two, func(o *Observed) {
			o.Listed = append(o.Listed, o.Listed[0])
			o.Listed[1].ID = "E2"
		}, public("/team-a/old/*", 0)), inbound.CallHint{Account: hub, Call: inbound.UpdateDistribution, Target: "E2"}, []string{"Drift Found distribution-edited!"}},
	} {
		o := orderly()
		if c.change != nil {
			c.change(&o)
		}
		d, err := DecideCall(c.call, o)
		if got := said(d.Outcome); !slices.Equal(got, c.want) || err != nil {
			t.Errorf("%s: said %q, want %q, %v", c.name, got, c.want, err)
		}
	}
}

func TestDiffers(t *testing.T) {
	elsewhere := edited("internal.example.com", "elsewhere.example.com")
	state := func(s origin.State, i origin.Intent) func(*Observed) {
		return func(o *Observed) { o.Records[0].State, o.Records[0].Intent = s, i }
	}
	for _, c := range []struct {
		name   string
		change func(*Observed)
		want   string
	}{
		{"not observed", nil, ""},
		{"as it was", edited("internal", "internal"), ""},
		{"live, in another way", elsewhere, "elsewhere.example.com"},
		{"wired, in another way", all(elsewhere, state(origin.Wired, origin.Wire)), "elsewhere.example.com"},
		{"pending", all(elsewhere, state(origin.Pending, origin.Wire)), ""},
		{"to be detached", all(elsewhere, state(origin.Live, origin.Detach)), ""},
		{"more than policy permits", all(edited("internal", "internal"), func(o *Observed) { o.Policy.Limits.Behaviors = 1; o.Policy.Limits.Origins = 1 }), ""},
	} {
		o := orderly()
		if c.change != nil {
			c.change(&o)
		}
		got, err := o.differs(distribution)
		if err != nil || (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, %v, want %q", c.name, got, err, c.want)
		}
	}
}
