package wiring_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

// byHand is a distribution in which somebody wired VPC origin vo_1 by hand, under the id "hand", for these behaviors of "path target".
func byHand(t tb, rest string, behaviors ...string) *wiring.Config {
	t.Helper()
	var all strings.Builder
	for _, b := range behaviors {
		path, target, _ := strings.Cut(b, " ")
		all.WriteString("<CacheBehavior><PathPattern>" + path + "</PathPattern><TargetOriginId>" + target + "</TargetOriginId><Compress>true</Compress>" +
			"<ForwardedValues><QueryString>true</QueryString></ForwardedValues></CacheBehavior>")
	}
	return parse(t, []byte("<DistributionConfig><Origins><Quantity>2</Quantity><Items>"+
		"<Origin><Id>s3</Id><DomainName>s3.example.com</DomainName></Origin>"+
		"<Origin><Id>hand</Id><DomainName>old.example.com</DomainName><CustomHeaders><Quantity>0</Quantity></CustomHeaders>"+
		"<VpcOriginConfig><VpcOriginId>vo_1</VpcOriginId><OriginReadTimeout>60</OriginReadTimeout></VpcOriginConfig></Origin>"+
		"</Items></Origins><CacheBehaviors><Quantity>9</Quantity><Items>"+all.String()+"</Items></CacheBehaviors>"+rest+"<Enabled>true</Enabled></DistributionConfig>"))
}

// One row for each of takenOver's table, and for what the unmanaged origin may still be needed for.
func TestTakenOver(t *testing.T) {
	const group = "<OriginGroups><Quantity>1</Quantity><Items><OriginGroup><Id>g</Id><Members><Items><OriginGroupMember><OriginId>hand</OriginId>" +
		"</OriginGroupMember></Items></Members></OriginGroup></Items></OriginGroups>"
	for name, c := range map[string]struct {
		config    *wiring.Config
		limits    origin.Size
		behaviors []string // after the update, as "path target"
		origins   []string
		refused   origin.Code
	}{
		"one behavior":                       {config: byHand(t, "", "/a/* hand"), behaviors: []string{"/a/* originhub-vo_1"}, origins: []string{"s3", "originhub-vo_1"}},
		"no capacity for another":            {config: byHand(t, "", "/a/* hand"), limits: origin.Size{Origins: 2, Behaviors: 1}, behaviors: []string{"/a/* originhub-vo_1"}, origins: []string{"s3", "originhub-vo_1"}},
		"the path is written without slash":  {config: byHand(t, "", "a/* hand"), behaviors: []string{"/a/* originhub-vo_1"}, origins: []string{"s3", "originhub-vo_1"}},
		"another path needs the origin":      {config: byHand(t, "", "/a/* hand", "/b/* hand"), behaviors: []string{"/a/* originhub-vo_1", "/b/* hand"}, origins: []string{"s3", "hand", "originhub-vo_1"}},
		"an origin group needs the origin":   {config: byHand(t, group, "/a/* hand"), behaviors: []string{"/a/* originhub-vo_1"}, origins: []string{"s3", "hand", "originhub-vo_1"}},
		"the default behavior needs it":      {config: byHand(t, "<DefaultCacheBehavior><TargetOriginId>hand</TargetOriginId></DefaultCacheBehavior>", "/a/* hand"), behaviors: []string{"/a/* originhub-vo_1"}, origins: []string{"s3", "hand", "originhub-vo_1"}},
		"the path leads elsewhere":           {config: byHand(t, "", "/a/* s3", "/b/* hand"), behaviors: []string{"/a/* s3", "/b/* hand"}, origins: []string{"s3", "hand"}, refused: wiring.PathTaken},
		"only another path leads to the VPC": {config: byHand(t, "", "/b/* hand"), behaviors: []string{"/a/* originhub-vo_1", "/b/* hand"}, origins: []string{"s3", "hand", "originhub-vo_1"}},
	} {
		d := wiring.Desired{Limits: c.limits, Origins: []wiring.Origin{{VPCOrigin: "vo_1", Account: "1", Domain: "new.example.com", Paths: []string{"/a/*"}}}}
		plan, err := wiring.Diff(d, c.config)
		if err != nil {
			t.Fatal(err)
		}
		if len(plan.Refused) > 0 != (c.refused != "") || c.refused != "" && plan.Refused[0].Code != c.refused {
			t.Errorf("%s: refused %+v, want %q", name, plan.Refused, c.refused)
		}
		after, err := wiring.Apply(plan, c.config)
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, plan)
		}
		var behaviors []string
		for _, b := range after.Behaviors() {
			behaviors = append(behaviors, b.Path+" "+b.Origin)
		}
		slices.Sort(behaviors)
		if origins := after.OriginIDs(); !slices.Equal(behaviors, c.behaviors) || !slices.Equal(origins, c.origins) {
			t.Errorf("%s: behaviors %q, origins %q\n%s", name, behaviors, origins, plan)
		}
		text := string(after.Bytes())
		_, managed, _ := strings.Cut(text, "originhub-vo_1")
		if took := strings.Contains(plan.String(), "with the settings of origin hand"); took != (name != "only another path leads to the VPC" && c.refused == "") ||
			took && !strings.Contains(managed, "<OriginReadTimeout>60</OriginReadTimeout>") {
			t.Errorf("%s: the settings are not those of the origin that was taken over:\n%s\n%s", name, plan, text)
		}
		if again, err := wiring.Diff(d, after); err != nil || len(again.Changes) > 0 {
			t.Errorf("%s: a second plan changes %s, %v", name, again, err)
		}
	}
}

func TestUnmanagedUsers(t *testing.T) {
	c := byHand(t, "<DefaultCacheBehavior><TargetOriginId>originhub-vo_1</TargetOriginId></DefaultCacheBehavior><OriginGroups><Quantity>1</Quantity><Items>"+
		"<OriginGroup><Id>g</Id><OriginId>hand</OriginId></OriginGroup></Items></OriginGroups>", "/a/* hand", "/b/* s3", "/c/* originhub-vo_1")
	if got, want := strings.Join(c.UnmanagedUsers("vo_1"), ", "), "origin hand, behavior /a/*, origin group g, the default behavior"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := c.UnmanagedUsers("vo_2"); got != nil {
		t.Errorf("vo_2 is used by %q", got)
	}
}

// A VPC origin that only an unmanaged behavior leads to is not live, and a distribution that was changed ends a quarantine whose reason was
// read from it.
func TestUnmanagedUseIsNotLive(t *testing.T) {
	o := record("vo_1", origin.Wire, origin.Quarantined)
	o.Claim.Paths, o.ReasonsReported = []string{"/a/*"}, now
	o.SetReasons(origin.Reason{Code: wiring.PathTaken, Subject: "/a/*"})
	r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: []origin.Record{o}, Visible: map[string]bool{"vo_1": true}, Zone: wiring.Zone{Failed: true}}
	other := r
	for config, want := range map[*wiring.Config]string{byHand(t, "", "/a/* s3", "/b/* hand"): "", byHand(t, "", "/a/* hand"): "save, update vo_1"} {
		r = other
		r, step := feed(t, r, wiring.Answer{Served: served(config, true)})
		if got := told(step); got != want && want != "" || want == "" && (r.Records[0].State != origin.Quarantined || step.Do != nil) {
			t.Errorf("step %q, want %q; the origin is %s", got, want, r.Records[0].State)
		}
	}
}
