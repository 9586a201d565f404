package wiring_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

// document is a distribution of somebody else's, with fields that nobody knows yet, written by hand in places.
func document(foreign []string, aliases []string) []byte {
	var behaviors, cnames strings.Builder
	for _, path := range foreign {
		fmt.Fprintf(&behaviors, "\n      <CacheBehavior new='&lt;1&gt;'><PathPattern>%s</PathPattern><!-- theirs --><TargetOriginId>s3</TargetOriginId>"+
			"<Novelty><Quantity>7</Quantity></Novelty><Compress>true</Compress></CacheBehavior>", path)
	}
	for _, a := range aliases {
		fmt.Fprintf(&cnames, "<CNAME>%s</CNAME>", a)
	}
	items := func(kids string) string {
		if kids == "" {
			return ""
		}
		return "<Items>" + kids + "</Items>"
	}
	return fmt.Appendf(nil, `<?xml version="1.0"?>
<DistributionConfig xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">
  <CallerReference>theirs</CallerReference><Aliases><Quantity>%d</Quantity>%s</Aliases><DefaultRootObject/>
  <Origins><Quantity>1</Quantity><Items><Origin><Id>s3</Id><DomainName>x.s3.amazonaws.com</DomainName><OriginPath></OriginPath>
    <S3OriginConfig><OriginAccessIdentity/></S3OriginConfig><Future attr="a&amp;b"><![CDATA[<raw>]]></Future></Origin>
  </Items></Origins>
  <OriginGroups><Quantity>0</Quantity></OriginGroups>
  <DefaultCacheBehavior><TargetOriginId>s3</TargetOriginId><FutureThing a="1"   b='2' /></DefaultCacheBehavior>
  <CacheBehaviors><Quantity>%d</Quantity>%s</CacheBehaviors>
  <Comment>a &amp; b &#8212; c</Comment><Enabled>true</Enabled><NewerThanUs>&#x20;</NewerThanUs><IsIPV6Enabled>true</IsIPV6Enabled>
</DistributionConfig>
`, len(aliases), items(cnames.String()), len(foreign), items(behaviors.String()))
}

// tb is a test of package testing or of rapid.
type tb interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func parse(t tb, raw []byte) *wiring.Config {
	t.Helper()
	c, err := wiring.ParseConfig(raw)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// write plans and applies, and answers what CloudFront would then serve.
func write(t tb, d wiring.Desired, c *wiring.Config) (*wiring.Config, wiring.Plan) {
	t.Helper()
	before := c.Bytes()
	p, err := wiring.Diff(d, c)
	if err != nil {
		t.Fatal(err)
	}
	next, err := wiring.Apply(p, c)
	if err != nil {
		t.Fatalf("%v\nplan:\n%v", err, p)
	}
	if !bytes.Equal(before, c.Bytes()) {
		t.Fatal("Apply changed its input")
	}
	return parse(t, next.Bytes()), p
}

func owned(id, domain string, paths ...string) wiring.Origin {
	return wiring.Origin{VPCOrigin: id, Account: "111111111111", Domain: domain, Paths: paths, Aliases: []string{"team.example.com"}}
}

func paths(c *wiring.Config) (out []string) {
	for _, b := range c.Behaviors() {
		out = append(out, b.Path)
	}
	return out
}

func TestConfigRoundTrip(t *testing.T) {
	raw := document([]string{"/a", "b/*"}, []string{"x.example.com"})
	c := parse(t, raw)
	if diff := cmp.Diff(string(raw), string(c.Bytes())); diff != "" {
		t.Error(diff)
	}
	if got := fmt.Sprintln(c.OriginIDs(), c.Behaviors(), c.Aliases(), c.Enabled(), c.IPv6()); got !=
		"[s3] [{/a s3} {b/* s3}] [x.example.com] true true\n" {
		t.Errorf("read as %s", got)
	}
}

func TestParseConfigRefusesWhatItCannotKeep(t *testing.T) {
	for _, raw := range []string{
		"", "text", "<Distribution/>", "<DistributionConfig>", "<DistributionConfig/>", "<DistributionConfig/><DistributionConfig/>",
		"<DistributionConfig><Origins/></DistributionConfig>", "<c:DistributionConfig xmlns:c='x'><c:Origins/></c:DistributionConfig>",
		"<DistributionConfig><Origins></Enabled></DistributionConfig>", "<DistributionConfig>&undefined;</DistributionConfig>",
	} {
		if _, err := wiring.ParseConfig([]byte(raw)); err == nil {
			t.Errorf("%q was taken", raw)
		}
	}
}

func TestAddingWritesWholeElements(t *testing.T) {
	c := wiring.Base(wiring.BaseSpec{
		CallerReference: "ref", Comment: "c & d", Certificate: "arn:aws:acm:us-east-1:1:certificate/x", NotFound: "arn:function",
	})
	next, plan := write(t, wiring.Desired{Toggle: true, Origins: []wiring.Origin{owned("vo_1", "alb.example.com", "/a/*", "/a/b/*")}}, c)
	var got struct {
		Enabled bool
		Aliases struct {
			Quantity int
			Items    struct{ CNAME []string }
		}
		Origins struct {
			Quantity int
			Items    struct {
				Origin []struct {
					ID              string `xml:"Id"`
					DomainName      string
					OriginPath      *string
					CustomHeaders   struct{ Quantity int }
					VpcOriginConfig struct {
						VpcOriginID                               string `xml:"VpcOriginId"`
						OwnerAccountID                            string `xml:"OwnerAccountId"`
						OriginReadTimeout, OriginKeepaliveTimeout int
					}
					ConnectionAttempts, ConnectionTimeout int
				}
			}
		}
		DefaultCacheBehavior behavior
		CacheBehaviors       struct {
			Quantity int
			Items    struct{ CacheBehavior []behavior }
		}
	}
	if err := xml.Unmarshal(next.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if !got.Enabled || got.Aliases.Quantity != 1 || got.Origins.Quantity != 2 || got.CacheBehaviors.Quantity != 2 {
		t.Errorf("got %+v", got)
	}
	o := got.Origins.Items.Origin[1]
	if o.ID != "originhub-vo_1" || o.DomainName != "alb.example.com" || o.OriginPath == nil || o.VpcOriginConfig.VpcOriginID != "vo_1" ||
		o.VpcOriginConfig.OwnerAccountID != "111111111111" || o.VpcOriginConfig.OriginReadTimeout != 30 || o.ConnectionAttempts != 3 {
		t.Errorf("origin %+v", o)
	}
	b := got.CacheBehaviors.Items.CacheBehavior[0]
	if b.PathPattern != "/a/b/*" || b.TargetOriginID != "originhub-vo_1" || b.AllowedMethods.Quantity != 7 || len(b.AllowedMethods.Items.Method) != 7 ||
		b.AllowedMethods.CachedMethods.Quantity != 2 || b.CachePolicyID != wiring.CachingDisabled || b.OriginRequestPolicyID != wiring.AllViewer ||
		b.ViewerProtocolPolicy != "redirect-to-https" || b.FunctionAssociations.Quantity != 0 {
		t.Errorf("behavior %+v", b)
	}
	d := got.DefaultCacheBehavior
	if d.TargetOriginID != wiring.Placeholder || d.FunctionAssociations.Quantity != 1 || d.FunctionAssociations.Items.FunctionAssociation[0].FunctionARN != "arn:function" {
		t.Errorf("default behavior %+v", d)
	}
	if wiring.Owned(wiring.Placeholder) {
		t.Error("the placeholder looks like ours")
	}
	want := "enable the distribution\n" +
		"add origin originhub-vo_1 (alb.example.com in account 111111111111)\n" +
		"add behavior /a/b/*, which leads to originhub-vo_1, before behavior /a/*\n" +
		"add behavior /a/*, which leads to originhub-vo_1\n" +
		"add alias team.example.com"
	if diff := cmp.Diff(want, plan.String()); diff != "" {
		t.Error(diff)
	}
}

type behavior struct {
	PathPattern          string
	TargetOriginID       string `xml:"TargetOriginId"`
	ViewerProtocolPolicy string
	AllowedMethods       struct {
		Quantity      int
		Items         struct{ Method []string }
		CachedMethods struct{ Quantity int }
	}
	FunctionAssociations struct {
		Quantity int
		Items    struct {
			FunctionAssociation []struct{ FunctionARN, EventType string }
		}
	}
	CachePolicyID         string `xml:"CachePolicyId"`
	OriginRequestPolicyID string `xml:"OriginRequestPolicyId"`
}

func TestPlanIsComplete(t *testing.T) {
	c := parse(t, document([]string{"/*"}, nil))
	plan, err := wiring.Diff(wiring.Desired{Origins: []wiring.Origin{owned("vo_1", "alb.example.com", "/a/*")}}, c)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(plan)
	if err != nil {
		t.Fatal(err)
	}
	var again wiring.Plan
	if err := json.Unmarshal(raw, &again); err != nil {
		t.Fatal(err)
	}
	one, err1 := wiring.Apply(plan, c)
	two, err2 := wiring.Apply(again, c)
	if err1 != nil || err2 != nil || !bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Errorf("%v, %v: differ after a round trip of\n%s", err1, err2, raw)
	}
}

func TestOrderOfBehaviors(t *testing.T) {
	for name, c := range map[string]struct{ foreign, ours, want []string }{
		"more specific first":             {nil, []string{"/a/*", "/a/b/*", "/z", "/a/b/c"}, []string{"/a/b/c", "/a/b/*", "/a/*", "/z"}},
		"before what covers it":           {[]string{"/x", "/*", "/y"}, []string{"/a/*"}, []string{"/a/*", "/x", "/*", "/y"}},
		"after what it covers":            {[]string{"/x", "/a/health", "/y"}, []string{"/a/*"}, []string{"/x", "/a/health", "/a/*", "/y"}},
		"after what crosses it":           {[]string{"/*/login", "/*"}, []string{"/a/*"}, []string{"/*/login", "/a/*", "/*"}},
		"what is dead holds nothing back": {[]string{"/*", "/a/health"}, []string{"/a/*"}, []string{"/a/*", "/*", "/a/health"}},
		"each in its place":               {[]string{"/a/health", "*"}, []string{"/a/*", "/a/health/x", "/b/*"}, []string{"/a/health/x", "/b/*", "/a/health", "/a/*", "*"}},
	} {
		t.Run(name, func(t *testing.T) {
			next, _ := write(t, wiring.Desired{Origins: []wiring.Origin{owned("vo_1", "alb.example.com", c.ours...)}}, parse(t, document(c.foreign, nil)))
			if diff := cmp.Diff(c.want, paths(next)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnOrderThatServesStays(t *testing.T) {
	d := wiring.Desired{Origins: []wiring.Origin{owned("vo_1", "alb.example.com", "/a/*", "/b/*")}}
	c, _ := write(t, d, parse(t, document([]string{"/x"}, nil)))
	swap := func(one, two string) *wiring.Config {
		s := string(c.Bytes())
		s = strings.NewReplacer(one, two, two, one).Replace(s)
		return parse(t, []byte(s))
	}
	if _, plan := write(t, d, swap("<PathPattern>/a/*<", "<PathPattern>/x<")); len(plan.Changes) == 0 {
		t.Error("a foreign behavior with our target is not seen")
	}
	if _, plan := write(t, d, swap("/a/*", "/b/*")); !plan.Empty() {
		t.Errorf("moves what need not move:\n%v", plan)
	}
	// Somebody puts a catch-all first: ours has to get before it again.
	covered := parse(t, bytes.Replace(c.Bytes(), []byte("<PathPattern>/x<"), []byte("<PathPattern>/*<"), 1))
	moved := string(covered.Bytes())
	all := regexp.MustCompile(`(?s)(<CacheBehavior [^>]*>.*?</CacheBehavior>)`)
	foreign := all.FindString(moved)
	moved = strings.Replace(moved, foreign, "", 1)
	moved = strings.Replace(moved, "<CacheBehavior><PathPattern>/a/*", foreign+"<CacheBehavior><PathPattern>/a/*", 1)
	next, plan := write(t, d, parse(t, []byte(moved)))
	if got := paths(next); !slices.Equal(got, []string{"/a/*", "/b/*", "/*"}) {
		t.Errorf("got %v by\n%v", got, plan)
	}
}

func TestWhatSomebodyAppendsLaterKeepsItsRequests(t *testing.T) {
	d := wiring.Desired{Origins: []wiring.Origin{owned("vo_1", "alb.example.com", "/a/*")}}
	c, _ := write(t, d, parse(t, document([]string{"/x"}, nil)))
	health := "<CacheBehavior><PathPattern>/a/health</PathPattern><TargetOriginId>s3</TargetOriginId></CacheBehavior></Items></CacheBehaviors>"
	appended := strings.Replace(string(c.Bytes()), "</Items></CacheBehaviors>", health, 1)
	next, plan := write(t, d, parse(t, []byte(appended)))
	if got := paths(next); !slices.Equal(got, []string{"/x", "/a/health", "/a/*"}) || plan.String() != "move behavior /a/*" {
		t.Errorf("got %v by\n%v", got, plan)
	}
}

func TestListsThatAreLeftOutOrEmpty(t *testing.T) {
	for _, lists := range []string{"", `<Aliases /><CacheBehaviors a="b"/>`, "<Aliases></Aliases><CacheBehaviors><Items/></CacheBehaviors>"} {
		c := parse(t, []byte("<DistributionConfig><Origins/><Enabled>true</Enabled>"+lists+"</DistributionConfig>"))
		next, _ := write(t, wiring.Desired{Origins: []wiring.Origin{owned("vo_1", "alb.example.com", "/a/*")}}, c)
		if got := fmt.Sprint(next.OriginIDs(), next.Behaviors(), next.Aliases()); got != "[originhub-vo_1] [{/a/* originhub-vo_1}] [team.example.com]" {
			t.Errorf("%s: %s", lists, next.Bytes())
		}
	}
}

func TestOnlyManagedPartsAreRepaired(t *testing.T) {
	d := wiring.Desired{Origins: []wiring.Origin{owned("vo_1", "alb.example.com", "/a/*")}}
	c, _ := write(t, d, parse(t, document(nil, nil)))
	edited := strings.NewReplacer(
		"<OriginReadTimeout>30<", "<OriginReadTimeout>55<",
		"redirect-to-https", "https-only",
		wiring.CachingDisabled, "658327ea-f89d-4fab-a63d-7e88639e58f6",
		"<OwnerAccountId>111111111111</OwnerAccountId>", "",
		"alb.example.com", "other.example.com",
	).Replace(string(c.Bytes()))
	next, plan := write(t, d, parse(t, []byte(edited)))
	s := string(next.Bytes())
	for _, want := range []string{
		"<OriginReadTimeout>55<", "https-only", wiring.CachingDisabled, "<OwnerAccountId>111111111111</OwnerAccountId>",
		"<DomainName>alb.example.com<",
	} {
		if !strings.Contains(s, want) {
			t.Errorf("%s is missing in\n%s", want, s)
		}
	}
	if len(plan.Changes) != 2 || !strings.Contains(plan.String(), "(before: other.example.com of vo_1 in account ") {
		t.Errorf("by\n%v", plan)
	}

	legacy := strings.Replace(string(c.Bytes()), "<CachePolicyId>"+wiring.CachingDisabled+"</CachePolicyId>",
		"<ForwardedValues><QueryString>false</QueryString></ForwardedValues><MinTTL>0</MinTTL>", 1)
	next, _ = write(t, d, parse(t, []byte(legacy)))
	if s := string(next.Bytes()); strings.Contains(s, "ForwardedValues") || strings.Contains(s, "MinTTL") {
		t.Errorf("a cache policy beside what excludes it:\n%s", s)
	}
}

func TestAPathMovesFromOneOriginToAnother(t *testing.T) {
	c, _ := write(t, wiring.Desired{Origins: []wiring.Origin{owned("vo_1", "a.example.com", "/a/*")}}, parse(t, document(nil, nil)))
	next, plan := write(t, wiring.Desired{Origins: []wiring.Origin{owned("vo_2", "b.example.com", "/a/*")}, Removed: []string{"vo_1"}, ReleasedAliases: []string{"team.example.com"}}, c)
	if got := fmt.Sprint(next.OriginIDs(), next.Behaviors(), next.Aliases()); got != "[s3 originhub-vo_2] [{/a/* originhub-vo_2}] [team.example.com]" {
		t.Errorf("got %s by\n%v", got, plan)
	}
}

func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		desired wiring.Desired
		config  func([]byte) []byte
		want    map[string]origin.Code
		says    string
	}{
		"foreign behavior has the path": {
			desired: wiring.Desired{Origins: []wiring.Origin{owned("vo_1", "d.example.com", "/ok", "/taken/*"), owned("vo_2", "d.example.com", "/fine")}},
			want:    map[string]origin.Code{"vo_1": wiring.PathTaken}, says: "taken/*",
		},
		"two of ours have the path": {
			desired: wiring.Desired{Origins: []wiring.Origin{owned("vo_2", "d.example.com", "/fine"), owned("vo_1", "d.example.com", "/fine")}},
			want:    map[string]origin.Code{"vo_2": wiring.PathTwice}, says: "vo_1",
		},
		"too many origins": {
			desired: wiring.Desired{
				Origins: []wiring.Origin{owned("vo_1", "d.example.com", "/1"), owned("vo_2", "d.example.com", "/2"), owned("vo_3", "d.example.com", "/3")},
				Limits:  origin.Size{Origins: 3},
			},
			want: map[string]origin.Code{"vo_3": wiring.DoesNotFit}, says: "limits.origins",
		},
		"too many behaviors": {
			desired: wiring.Desired{
				Origins: []wiring.Origin{owned("vo_1", "d.example.com", "/1", "/2"), owned("vo_2", "d.example.com", "/3")},
				Limits:  origin.Size{Behaviors: 2},
			},
			want: map[string]origin.Code{"vo_1": wiring.DoesNotFit}, says: "limits.behaviors",
		},
		"too many aliases": {
			desired: wiring.Desired{Origins: []wiring.Origin{owned("vo_1", "d.example.com", "/1")}, Limits: origin.Size{Aliases: 1}},
			want:    map[string]origin.Code{"vo_1": wiring.DoesNotFit}, says: "limits.aliases",
		},
		"default behavior uses what should go": {
			desired: wiring.Desired{Removed: []string{"vo_9"}},
			config: func(raw []byte) []byte {
				raw = bytes.Replace(raw, []byte("<Id>s3</Id>"), []byte("<Id>originhub-vo_9</Id>"), 1)
				return bytes.ReplaceAll(raw, []byte("<TargetOriginId>s3</TargetOriginId><F"), []byte("<TargetOriginId>originhub-vo_9</TargetOriginId><F"))
			},
			want: map[string]origin.Code{"vo_9": wiring.StillUsed}, says: "default behavior",
		},
		"origin group uses what should go": {
			desired: wiring.Desired{Removed: []string{"vo_9"}},
			config: func(raw []byte) []byte {
				raw = bytes.Replace(raw, []byte("<Id>s3</Id>"), []byte("<Id>originhub-vo_9</Id>"), 1)
				return bytes.Replace(raw, []byte("<OriginGroups><Quantity>0</Quantity>"), []byte("<OriginGroups><Quantity>1</Quantity><Items><OriginGroup><Id>g</Id>"+
					"<Members><Items><OriginGroupMember><OriginId>originhub-vo_9</OriginId></OriginGroupMember></Items></Members></OriginGroup></Items>"), 1)
			},
			want: map[string]origin.Code{"vo_9": wiring.StillUsed}, says: "origin group g",
		},
	} {
		t.Run(name, func(t *testing.T) {
			raw := document([]string{"taken/*"}, []string{"foreign.example.com"})
			if c.config != nil {
				raw = c.config(raw)
			}
			next, plan := write(t, c.desired, parse(t, raw))
			got := map[string]origin.Code{}
			for _, r := range plan.Refused {
				got[r.VPCOrigin] = r.Code
				if !strings.Contains(r.Message, c.says) || r.Waits() != (r.Code == wiring.DoesNotFit) {
					t.Errorf("%+v", r)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			for _, o := range c.desired.Origins {
				if _, out := c.want[o.VPCOrigin]; out == next.Uses(o.VPCOrigin) {
					t.Errorf("%s is wired: %v", o.VPCOrigin, !out)
				}
			}
		})
	}
	// What is wired already is not pushed out by what comes first in the alphabet.
	c, _ := write(t, wiring.Desired{Origins: []wiring.Origin{owned("vo_2", "d.example.com", "/2")}}, parse(t, document(nil, nil)))
	_, plan := write(t, wiring.Desired{
		Origins: []wiring.Origin{owned("vo_1", "d.example.com", "/1"), owned("vo_2", "d.example.com", "/2")}, Limits: origin.Size{Origins: 2},
	}, c)
	if len(plan.Refused) != 1 || plan.Refused[0].VPCOrigin != "vo_1" || !plan.Empty() {
		t.Errorf("got\n%v", plan)
	}
}

// A limit that has become lower than what is wired takes nobody off the air, and an origin that asks for more than there
// is room for stays as it is.
func TestLimitsTakeNothingOut(t *testing.T) {
	two := []wiring.Origin{owned("vo_1", "d.example.com", "/1"), owned("vo_2", "d.example.com", "/2")}
	c, _ := write(t, wiring.Desired{Origins: two}, parse(t, document(nil, nil)))
	limits := origin.Size{Origins: 1, Behaviors: 1, Aliases: 1}
	if _, plan := write(t, wiring.Desired{Origins: two, Limits: limits}, c); !plan.Empty() || len(plan.Refused) > 0 {
		t.Errorf("lower limits: %v", plan)
	}
	moved := []wiring.Origin{two[0], owned("vo_2", "other.example.com", "/2b")}
	next, plan := write(t, wiring.Desired{Origins: moved, Limits: limits}, c)
	if len(plan.Refused) > 0 || !bytes.Contains(next.Bytes(), []byte("/2b")) {
		t.Errorf("another path instead of one: %v", plan)
	}
	more := []wiring.Origin{two[0], owned("vo_2", "d.example.com", "/2", "/3")}
	_, plan = write(t, wiring.Desired{Origins: more, Limits: limits}, c)
	if !plan.Empty() || len(plan.Refused) != 1 || plan.Refused[0].Code != wiring.DoesNotFit {
		t.Errorf("more than there is room for: %v", plan)
	}
}

// Two origins of a team change what they claim: one gets what the other has, and the other cannot have what it asks for instead.
// It keeps its path, although the one that claims that path comes first in the alphabet.
func TestWhatStaysKeepsItsPaths(t *testing.T) {
	c, _ := write(t, wiring.Desired{
		Origins: []wiring.Origin{owned("vo_1", "d.example.com", "/1"), owned("vo_2", "d.example.com", "/2")},
	}, parse(t, document([]string{"/taken"}, nil)))
	next, plan := write(t, wiring.Desired{
		Origins: []wiring.Origin{owned("vo_1", "d.example.com", "/1", "/2"), owned("vo_2", "d.example.com", "/taken")},
	}, c)
	if !plan.Empty() || !slices.Equal(paths(next), paths(c)) {
		t.Errorf("behaviors %v by\n%v", next.Behaviors(), plan)
	}
	want := []wiring.Problem{
		{VPCOrigin: "vo_1", Reason: origin.Reason{Code: wiring.PathTwice, Subject: "/2 vo_2"}},
		{VPCOrigin: "vo_2", Reason: origin.Reason{Code: wiring.PathTaken, Subject: "/taken"}},
	}
	for i := range plan.Refused {
		plan.Refused[i].Message = ""
	}
	if diff := cmp.Diff(want, plan.Refused); diff != "" {
		t.Error(diff)
	}
}

func TestDiffRefusesWhatIsIncomplete(t *testing.T) {
	whole := owned("vo_1", "d.example.com", "/1")
	for _, o := range [][]wiring.Origin{
		{{}}, {{VPCOrigin: "vo_1", Account: "1", Domain: "d"}}, {{VPCOrigin: "vo_1", Domain: "d", Paths: []string{"/"}}}, {whole, whole},
	} {
		if _, err := wiring.Diff(wiring.Desired{Origins: o}, parse(t, document(nil, nil))); err == nil {
			t.Errorf("%v was taken", o)
		}
	}
}

func TestApplyRefusesAPlanForAnotherConfig(t *testing.T) {
	empty := parse(t, document(nil, nil))
	full, add := write(t, wiring.Desired{Origins: []wiring.Origin{owned("vo_1", "d.example.com", "/1")}}, empty)
	_, remove := write(t, wiring.Desired{ReleasedAliases: []string{"team.example.com"}}, full)
	for _, c := range []struct {
		plan   wiring.Plan
		config *wiring.Config
	}{{add, full}, {remove, empty}} {
		for _, change := range c.plan.Changes {
			if _, err := wiring.Apply(wiring.Plan{Changes: []wiring.Change{change}}, c.config); err == nil || !strings.Contains(err.Error(), "another configuration") {
				t.Errorf("%s: %v", change, err)
			}
		}
	}
}

func TestToggle(t *testing.T) {
	one := []wiring.Origin{owned("vo_1", "d.example.com", "/1")}
	base := wiring.Base(wiring.BaseSpec{CallerReference: "ref"})
	on, _ := write(t, wiring.Desired{Toggle: true, Origins: one}, base)
	off, plan := write(t, wiring.Desired{Toggle: true, Removed: []string{"vo_1"}, ReleasedAliases: []string{"team.example.com"}}, on)
	if !on.Enabled() || off.Enabled() || !strings.HasSuffix(plan.String(), "disable the distribution") {
		t.Errorf("on %v, off %v: %v", on.Enabled(), off.Enabled(), plan)
	}
	if !bytes.Equal(off.Bytes(), base.Bytes()) {
		t.Error(cmp.Diff(string(base.Bytes()), string(off.Bytes())))
	}
	adopted := parse(t, document(nil, nil))
	full, _ := write(t, wiring.Desired{Origins: one}, adopted)
	if left, _ := write(t, wiring.Desired{Removed: []string{"vo_1"}}, full); !left.Enabled() {
		t.Error("an adopted distribution was disabled")
	}
}

func TestALostRegistryTakesNobodyOffTheAir(t *testing.T) {
	one := wiring.Desired{Toggle: true, Origins: []wiring.Origin{owned("vo_1", "d.example.com", "/1")}}
	wired, _ := write(t, one, wiring.Base(wiring.BaseSpec{CallerReference: "ref"}))
	plan, err := wiring.Diff(wiring.Desired{Toggle: true}, wired)
	if err != nil || !plan.Empty() {
		t.Errorf("an empty registry plans %v, %v", plan, err)
	}
	if plan, err = wiring.Diff(one, wired); err != nil || !plan.Empty() {
		t.Errorf("the registry that came back plans %v, %v", plan, err)
	}
}

func TestUses(t *testing.T) {
	c, _ := write(t, wiring.Desired{Origins: []wiring.Origin{owned("vo_1", "d.example.com", "/1")}}, parse(t, document(nil, nil)))
	// A foreign origin that names the same VPC origin counts too.
	foreign := parse(t, bytes.ReplaceAll(c.Bytes(), []byte("originhub-vo_1"), []byte("by-hand")))
	if !c.Uses("vo_1") || !foreign.Uses("vo_1") || c.Uses("vo_") || c.Uses("vo_2") {
		t.Errorf("%v %v %v", c.Uses("vo_1"), foreign.Uses("vo_1"), c.Uses("vo_2"))
	}
}

func TestDesiredOf(t *testing.T) {
	record := func(id string, intent origin.Intent, hosts ...string) origin.Record {
		return origin.Record{
			Ref: origin.Ref{ID: id, Account: "1"}, Intent: intent, State: origin.Quarantined,
			Claim: origin.Claim{Hosts: hosts, Paths: []string{"/" + id}, Domain: "d.example.com"},
		}
	}
	records := []origin.Record{
		record("vo_2", origin.Wire, "b.example.com"), record("vo_1", origin.Wire, "a.example.com"), record("vo_3", origin.Detach, "c.example.com", "a.example.com"),
	}
	perHost := wiring.DesiredOf(records, nil, wiring.Spec{Domain: "example.com", Created: true, Limits: origin.Size{Origins: 1}})
	want := wiring.Desired{
		Origins: []wiring.Origin{
			{VPCOrigin: "vo_1", Account: "1", Domain: "d.example.com", Paths: []string{"/vo_1"}, Aliases: []string{"a.example.com"}},
			{VPCOrigin: "vo_2", Account: "1", Domain: "d.example.com", Paths: []string{"/vo_2"}, Aliases: []string{"b.example.com"}},
		},
		Removed: []string{"vo_3"}, ReleasedAliases: []string{"a.example.com", "c.example.com"}, Toggle: true, Limits: origin.Size{Origins: 1},
	}
	if diff := cmp.Diff(want, perHost); diff != "" {
		t.Error(diff)
	}
	records[0].ReleasedHosts = []string{"old.example.com"}
	held := wiring.DesiredOf(records, []string{"vo_1"}, wiring.Spec{Domain: "example.com", OwnedAliases: []string{"old.example.com"}})
	if len(held.Origins) != 1 || !slices.Equal(held.Origins[0].Released, []string{"old.example.com"}) || !slices.Equal(held.KeptAliases, []string{"a.example.com"}) {
		t.Errorf("with one held: %+v", held)
	}
	foreign := wiring.DesiredOf(records, nil, wiring.Spec{Domain: "example.com", OwnedAliases: []string{"c.example.com"}})
	if !slices.Equal(foreign.ReleasedAliases, []string{"c.example.com"}) || len(foreign.Origins[1].Released) > 0 {
		t.Errorf("takes away what it did not bring: %+v", foreign)
	}
	wildcard := wiring.DesiredOf(records, []string{"vo_1"}, wiring.Spec{Domain: "example.com", Wildcard: true})
	if one := wildcard.Origins[0]; wildcard.ReleasedAliases != nil || wildcard.KeptAliases != nil || one.Released != nil ||
		!slices.Equal(one.Aliases, []string{"*.example.com"}) || wildcard.Toggle {
		t.Errorf("got %+v", wildcard)
	}
}

func TestRecords(t *testing.T) {
	const target = "d1.cloudfront.net"
	record := func(state origin.State, intent origin.Intent, hosts ...string) origin.Record {
		return origin.Record{State: state, Intent: intent, Claim: origin.Claim{Hosts: hosts}}
	}
	left := func(r origin.Record, hosts ...string) origin.Record {
		r.ReleasedHosts = hosts
		return r
	}
	dns := func(name, kind, target string) origin.DNSRecord {
		return origin.DNSRecord{Name: name, Type: kind, Target: target}
	}
	records := []origin.Record{
		record(origin.Live, origin.Wire, "new.x", "half.x", "taken.x", "kept.x", "moved.x", "stale.x"),
		record(origin.Wired, origin.Wire, "later.x", "shared.x"),
		record(origin.Detaching, origin.Detach, "old.x", "shared.x", "foreign.x", "gone.x"),
		record(origin.Detached, origin.Detach, "other.x"),
		record(origin.Live, origin.Detach, "still.x"),
		left(record(origin.Live, origin.Wire, "kept.x"), "before.x", "moving.x", "still.x", "elsewhere.x"),
		left(record(origin.Wired, origin.Wire, "later.x"), "moving.x"),
		left(record(origin.Deleted, origin.Detach, "other.x"), "forgotten.x"),
		record(origin.Deferred, origin.Wire, "before.x"),
	}
	existing := []origin.DNSRecord{
		dns("half.x", "A", target), dns("taken.x", "CNAME", ""), dns("new.x", "TXT", ""), dns("kept.x", "A", target), dns("kept.x", "AAAA", "D1.cloudfront.net"),
		dns("old.x", "A", target), dns("old.x", "AAAA", target), dns("shared.x", "A", target), dns("foreign.x", "A", "lb.amazonaws.com"),
		dns("still.x", "A", target), dns("other.x", "A", target), dns("moved.x", "A", "d2.cloudfront.net"),
		dns("stale.x", "A", "d0.cloudfront.net"), dns("gone.x", "A", "d0.cloudfront.net"), dns("before.x", "A", target),
		dns("moving.x", "A", target), dns("elsewhere.x", "A", "d2.cloudfront.net"), dns("forgotten.x", "AAAA", target),
	}
	want := wiring.DNSPlan{
		Upsert: []origin.DNSRecord{
			dns("half.x", "AAAA", target), dns("moved.x", "A", target), dns("moved.x", "AAAA", target), dns("new.x", "A", target),
			dns("new.x", "AAAA", target), dns("stale.x", "A", target), dns("stale.x", "AAAA", target),
		},
		Delete: []origin.DNSRecord{
			dns("before.x", "A", target), dns("forgotten.x", "AAAA", target), dns("gone.x", "A", "d0.cloudfront.net"),
			dns("old.x", "A", target), dns("old.x", "AAAA", target),
		},
		Refused: []origin.DNSRecord{dns("taken.x", "CNAME", "")},
	}
	if diff := cmp.Diff(want, wiring.Records(records, target, []string{"d0.cloudfront.net"}, []string{"", "d2.cloudfront.net"}, true, existing)); diff != "" {
		t.Error(diff)
	}
	if got := wiring.Records(records[:1], target, nil, nil, false, existing); len(got.Upsert) != 1 || got.Upsert[0] != dns("new.x", "A", target) {
		t.Errorf("without IPv6: %+v", got)
	}
}

// Origins move from host to host, and some updates leave some of them as they are. Every host that an origin was last wired
// with is reached all along, and in the end there is nothing but what is claimed and what was foreign.
func TestWhatMovesLeavesNothing(t *testing.T) {
	const target = "d1.cloudfront.net"
	foreignDNS := origin.DNSRecord{Name: "h0.x", Type: "TXT"}
	rapid.Check(t, func(t *rapid.T) {
		c, err := wiring.ParseConfig(document(nil, []string{"foreign.x"}))
		if err != nil {
			t.Fatal(err)
		}
		spec := wiring.Spec{Domain: "x", Created: true, Wildcard: rapid.Bool().Draw(t, "wildcard")}
		hosts := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"h0.x", "h1.x", "h2.x", "h3.x"}), 1, 2, rapid.ID[string])
		var records []origin.Record
		for i := range 3 {
			records = append(records, origin.Record{
				Ref: origin.Ref{ID: fmt.Sprintf("vo_%d", i), Account: "1"}, Intent: origin.Wire, State: origin.Pending,
				Claim: origin.Claim{Hosts: hosts.Draw(t, "first"), Paths: []string{fmt.Sprintf("/%d", i)}, Domain: "d.x"},
			})
		}
		serves := map[string][]string{} // by origin, as it was last written
		zone := []origin.DNSRecord{foreignDNS}
		rounds := rapid.IntRange(1, 5).Draw(t, "rounds")
		for round := range rounds + 1 {
			var held []string
			for i, r := range records {
				switch what := rapid.IntRange(0, 7).Draw(t, "what"); {
				case round == rounds || r.Intent == origin.Detach:
				case what < 3:
					claim := r.Claim
					claim.Hosts = hosts.Draw(t, "hosts")
					r = r.WithClaim(claim)
					r.State = origin.Pending
				case what == 3:
					r.Intent = origin.Detach
				}
				if records[i] = r; round < rounds && r.Intent == origin.Wire && r.State == origin.Pending && rapid.Bool().Draw(t, "held") {
					held = append(held, r.ID)
				}
			}
			plan, err := wiring.Diff(wiring.DesiredOf(records, held, spec), c)
			if err != nil {
				t.Fatal(err)
			}
			if c, err = wiring.Apply(plan, c); err != nil {
				t.Fatal(err)
			}
			for i, r := range records {
				switch {
				case slices.Contains(held, r.ID):
				case r.Intent == origin.Wire:
					records[i].State, serves[r.ID] = origin.Live, r.Claim.Hosts
				case r.State != origin.Detached:
					records[i].ReleasedHosts, records[i].State = r.WithClaim(origin.Claim{}).ReleasedHosts, origin.Detached
					delete(serves, r.ID)
				}
			}
			if rapid.IntRange(0, 3).Draw(t, "DNS fails") == 0 && round < rounds {
				for i, r := range records { // nothing is live then, and nothing forgotten
					if r.State == origin.Live && !slices.Contains(held, r.ID) {
						records[i].State = origin.Pending
						delete(serves, r.ID)
					}
				}
				continue
			}
			change := wiring.Records(records, target, nil, nil, false, zone)
			for _, gone := range change.Delete {
				zone = slices.DeleteFunc(zone, func(e origin.DNSRecord) bool { return e == gone })
			}
			zone = append(zone, change.Upsert...)
			aliases := c.Aliases()
			if spec.Wildcard {
				aliases = nil
			}
			wiring.StillReleased(records, aliases)
			for id, served := range serves {
				for _, h := range served {
					if !spec.Wildcard && !slices.Contains(c.Aliases(), h) || !slices.Contains(zone, origin.DNSRecord{Name: h, Type: "A", Target: target}) {
						t.Fatalf("%s is not reached by %s: aliases %v, zone %v, by\n%v", id, h, c.Aliases(), zone, plan)
					}
				}
			}
		}
		wantAliases, wantZone := []string{"foreign.x"}, []origin.DNSRecord{foreignDNS}
		if spec.Wildcard && slices.Contains(c.Aliases(), "*.x") {
			wantAliases = append(wantAliases, "*.x")
		}
		claimed := map[string]bool{}
		for _, r := range records {
			if len(r.ReleasedHosts) > 0 {
				t.Fatalf("%s has still left %v", r.ID, r.ReleasedHosts)
			}
			for _, h := range r.Claim.Hosts {
				if r.Intent == origin.Wire && !claimed[h] {
					claimed[h] = true
					wantZone = append(wantZone, origin.DNSRecord{Name: h, Type: "A", Target: target})
					if !spec.Wildcard {
						wantAliases = append(wantAliases, h)
					}
				}
			}
		}
		byName := func(a, b origin.DNSRecord) int { return strings.Compare(a.Name+a.Type, b.Name+b.Type) }
		slices.SortFunc(wantZone, byName)
		slices.SortFunc(zone, byName)
		if diff := cmp.Diff(sorted(wantAliases), sorted(c.Aliases())); diff != "" {
			t.Fatalf("aliases: %s", diff)
		}
		if diff := cmp.Diff(wantZone, zone); diff != "" {
			t.Fatalf("records: %s", diff)
		}
	})
}

// An alias and a record of a host that no record of the registry speaks of may be anybody's, or a lost registry's.
func TestAbsenceRemovesNoHost(t *testing.T) {
	const target = "d1.cloudfront.net"
	was := origin.Record{
		Ref: origin.Ref{ID: "vo_1", Account: "1"}, Intent: origin.Wire, State: origin.Live,
		Claim: origin.Claim{Hosts: []string{"old.x"}, Paths: []string{"/1"}, Domain: "d.x"},
	}
	c, _ := write(t, wiring.DesiredOf([]origin.Record{was}, nil, wiring.Spec{Domain: "x"}), parse(t, document(nil, nil)))
	is := was
	is.Claim.Hosts = []string{"new.x"} // without Reclaim: the registry that knew of the old host was lost
	c, plan := write(t, wiring.DesiredOf([]origin.Record{is}, nil, wiring.Spec{Domain: "x"}), c)
	if !slices.Equal(c.Aliases(), []string{"old.x", "new.x"}) {
		t.Errorf("aliases %v by\n%v", c.Aliases(), plan)
	}
	zone := []origin.DNSRecord{{Name: "old.x", Type: "A", Target: target}}
	if got := wiring.Records([]origin.Record{is}, target, nil, nil, false, zone); len(got.Delete) > 0 {
		t.Errorf("deletes %v", got.Delete)
	}
	others, aliases := c.Others([]origin.Record{is}, wiring.Spec{Domain: "x"})
	if others.Aliases != 1 || !slices.Equal(aliases, []string{"old.x"}) {
		t.Errorf("others %+v %v", others, aliases)
	}
	if _, aliases = c.Others([]origin.Record{was.WithClaim(is.Claim)}, wiring.Spec{Domain: "x"}); aliases != nil {
		t.Errorf("what an origin has left is known, but others are %v", aliases)
	}
}

func TestAnOriginThatDoesNotFitKeepsItsHost(t *testing.T) {
	spec := wiring.Spec{Domain: "x", OwnedAliases: []string{"old.x"}, Limits: origin.Size{Behaviors: 1, Aliases: 1}}
	was := origin.Record{
		Ref: origin.Ref{ID: "vo_1", Account: "1"}, Intent: origin.Wire, State: origin.Pending,
		Claim: origin.Claim{Hosts: []string{"old.x"}, Paths: []string{"/1"}, Domain: "d.x"},
	}
	c, _ := write(t, wiring.DesiredOf([]origin.Record{was}, nil, spec), parse(t, document(nil, nil)))
	more := was.WithClaim(origin.Claim{Hosts: []string{"new.x"}, Paths: []string{"/1", "/2"}, Domain: "d.x"})
	next, plan := write(t, wiring.DesiredOf([]origin.Record{more}, nil, spec), c)
	if !slices.Equal(next.Aliases(), []string{"old.x"}) || len(plan.Refused) != 1 {
		t.Errorf("aliases %v by\n%v", next.Aliases(), plan)
	}
	// One alias instead of another is no more than before.
	moved := was.WithClaim(origin.Claim{Hosts: []string{"new.x"}, Paths: []string{"/1"}, Domain: "d.x"})
	next, plan = write(t, wiring.DesiredOf([]origin.Record{moved}, nil, spec), c)
	if !slices.Equal(next.Aliases(), []string{"new.x"}) || len(plan.Refused) != 0 {
		t.Errorf("aliases %v by\n%v", next.Aliases(), plan)
	}
}

func TestNextRecheck(t *testing.T) {
	var looks []int
	for since := time.Duration(0); since < 20*time.Minute; {
		since += wiring.NextRecheck(since)
		looks = append(looks, int(since.Seconds()))
	}
	if want := []int{180, 240, 315, 405, 510, 630, 765, 915, 1080, 1260}; !slices.Equal(looks, want) {
		t.Errorf("looks at %v", looks)
	}
	for _, c := range [][2]time.Duration{{-time.Hour, 3 * time.Minute}, {time.Second, 179 * time.Second}, {190 * time.Second, 50 * time.Second}} {
		if got := wiring.NextRecheck(c[0]); got != c[1] {
			t.Errorf("after %v: %v", c[0], got)
		}
	}
	if got := wiring.NextRecheck(100 * time.Hour); got <= 0 || got > 5*time.Minute {
		t.Errorf("late: %v", got)
	}
}

func TestSuspects(t *testing.T) {
	entries := []wiring.Entry{{"vo_1", []string{"a.example.com", "/a/*"}}, {"vo_2", []string{"", "b.example.com"}}}
	for text, want := range map[string][]string{
		"Rate exceeded": nil,
		"CNAMEAlreadyExists: b.example.com is in use":      {"vo_2"},
		"origin originhub-vo_1 is invalid":                 {"vo_1"},
		"/a/* and b.example.com are a strange combination": {"vo_1", "vo_2"},
	} {
		if got := wiring.Suspects(text, entries); !slices.Equal(got, want) {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// state draws what is desired, over a configuration that others write to as well.
type state struct {
	foreign []string
	aliases []string
}

func anyState(t *rapid.T) state {
	pattern := rapid.SampledFrom([]string{"/*", "*", "/a/*", "/a/b/*", "/*/b", "/b", "f/*", "/f/?", "/*.css", "/a/*/c"})
	return state{
		foreign: rapid.SliceOfNDistinct(pattern, 0, 4, origin.Canonical).Draw(t, "foreign"),
		aliases: rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"x.example.com", "y.example.com"}), 0, 2, rapid.ID[string]).Draw(t, "aliases"),
	}
}

// everyID is what anyOrigins may draw: what is not desired is to be removed.
var everyID = []string{"vo_0", "vo_1", "vo_2", "vo_3"}

func anyOrigins(t *rapid.T, label string) []wiring.Origin {
	// Patterns that are equal, nested or apart, as admission leaves them.
	pattern := rapid.SampledFrom([]string{"/a/b", "/a/b/*", "/a/b/c", "/a/b/c/*", "/p/*", "/p/q/*", "/p/q/r", "/f/x", "/css/a.css", "/z"})
	all := rapid.SliceOfNDistinct(pattern, 0, 6, rapid.ID[string]).Draw(t, label)
	var origins []wiring.Origin
	for i, p := range all {
		id := rapid.IntRange(0, 3).Draw(t, "id")
		at := slices.IndexFunc(origins, func(o wiring.Origin) bool { return o.VPCOrigin == fmt.Sprintf("vo_%d", id) })
		if at < 0 {
			at = len(origins)
			origins = append(origins, wiring.Origin{
				VPCOrigin: fmt.Sprintf("vo_%d", id), Account: rapid.SampledFrom([]string{"1", "2"}).Draw(t, "account"),
				Domain: rapid.SampledFrom([]string{"d<&>.x", "e.x"}).Draw(t, "domain"), Aliases: []string{fmt.Sprintf("h%d.example.com", i)},
			})
		}
		origins[at].Paths = append(origins[at].Paths, p)
	}
	return origins
}

var quantified = regexp.MustCompile(`(?s)<Quantity>(\d+)</Quantity>(?:<Items>(.*?)</Items>)?`)

// checkQuantities compares every Quantity with the items beside it.
func checkQuantities(t *rapid.T, c *wiring.Config) {
	type list struct {
		Quantity int
		Items    struct {
			All []struct{} `xml:",any"`
		}
	}
	var got struct{ Aliases, Origins, CacheBehaviors list }
	if err := xml.Unmarshal(c.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for name, l := range map[string]list{"Aliases": got.Aliases, "Origins": got.Origins, "CacheBehaviors": got.CacheBehaviors} {
		if l.Quantity != len(l.Items.All) {
			t.Fatalf("%s: quantity %d of %d", name, l.Quantity, len(l.Items.All))
		}
	}
	for _, m := range quantified.FindAllSubmatch(c.Bytes(), -1) {
		if n, _ := strconv.Atoi(string(m[1])); n == 0 && len(m[2]) > 0 {
			t.Fatalf("items without quantity: %s", m[0])
		}
	}
}

// theirs is everything that is not ours, in order: what must be the same bytes before and after.
func theirs(c *wiring.Config, aliases []string) string {
	s := string(c.Bytes())
	s = regexp.MustCompile(`(?s)<Origin><Id>originhub-.*?</Origin>`).ReplaceAllString(s, "")
	s = regexp.MustCompile(`(?s)<CacheBehavior><PathPattern>[^<]*</PathPattern><TargetOriginId>originhub-.*?</CacheBehavior>`).ReplaceAllString(s, "")
	s = regexp.MustCompile(`<CNAME>([^<]*)</CNAME>`).ReplaceAllStringFunc(s, func(cname string) string {
		if slices.Contains(aliases, strings.TrimSuffix(strings.TrimPrefix(cname, "<CNAME>"), "</CNAME>")) {
			return cname
		}
		return ""
	})
	s = strings.ReplaceAll(s, "<Items></Items>", "")
	return regexp.MustCompile(`<Quantity>[0-9]+</Quantity>`).ReplaceAllString(s, "<Quantity/>")
}

func TestDiffAndApply(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyState(t)
		c, err := wiring.ParseConfig(document(s.foreign, s.aliases))
		if err != nil {
			t.Fatal(err)
		}
		start := c
		var released []string
		for range rapid.IntRange(1, 4).Draw(t, "writes") {
			d := wiring.Desired{Origins: anyOrigins(t, "desired"), Removed: everyID, ReleasedAliases: released}
			plan, err := wiring.Diff(d, c)
			if err != nil {
				t.Fatal(err)
			}
			shuffled := wiring.Desired{
				Origins: rapid.Permutation(d.Origins).Draw(t, "order"), Removed: rapid.Permutation(everyID).Draw(t, "removed"),
				ReleasedAliases: rapid.Permutation(released).Draw(t, "released"),
			}
			for i := range shuffled.Origins {
				shuffled.Origins[i].Paths = rapid.Permutation(shuffled.Origins[i].Paths).Draw(t, "paths")
			}
			other, err := wiring.Diff(shuffled, c)
			if err != nil || other.String() != plan.String() {
				t.Fatalf("order of input matters (%v):\n%v\nor\n%v", err, plan, other)
			}
			next, err := wiring.Apply(plan, c)
			if err != nil {
				t.Fatalf("%v\nplan:\n%v\non\n%s", err, plan, c.Bytes())
			}
			if next, err = wiring.ParseConfig(next.Bytes()); err != nil {
				t.Fatal(err)
			}
			if again, err := wiring.Diff(d, next); err != nil || !again.Empty() {
				t.Fatalf("not there yet (%v):\n%v\nafter\n%v", err, again, plan)
			}
			checkQuantities(t, next)
			if diff := cmp.Diff(theirs(start, s.aliases), theirs(next, s.aliases)); diff != "" {
				t.Fatalf("touched what is not ours:\n%s\nby\n%v", diff, plan)
			}
			checkOwned(t, d, plan, c, next)
			checkPrecedence(t, s.foreign, next)
			for _, o := range d.Origins {
				released = append(released, o.Aliases...)
			}
			c = next
		}
		last, err := wiring.Diff(wiring.Desired{Removed: everyID, ReleasedAliases: released}, c)
		if err != nil {
			t.Fatal(err)
		}
		restored, err := wiring.Apply(last, c)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(start.Bytes()), string(restored.Bytes())); diff != "" {
			t.Fatalf("adding and removing leaves something:\n%s", diff)
		}
	})
}

// checkOwned compares our part with what is desired. What was refused is there if it was before, and only then, and has paths
// that it claims or had.
func checkOwned(t *rapid.T, d wiring.Desired, plan wiring.Plan, before, c *wiring.Config) {
	var want, got []string
	refused := map[string]bool{}
	for _, o := range d.Origins {
		id := wiring.OriginID(o.VPCOrigin)
		if slices.ContainsFunc(plan.Refused, func(p wiring.Problem) bool { return p.VPCOrigin == o.VPCOrigin }) {
			refused[id] = true
			if slices.Contains(before.OriginIDs(), id) != slices.Contains(c.OriginIDs(), id) {
				t.Fatalf("%s was refused, and has come or gone by\n%v", id, plan)
			}
			for _, b := range c.Behaviors() {
				if b.Origin == id && !slices.Contains(before.Behaviors(), b) && !slices.Contains(o.Paths, b.Path) {
					t.Fatalf("%s was refused, and has got %s by\n%v", id, b.Path, plan)
				}
			}
			continue
		}
		want = append(want, wiring.OriginID(o.VPCOrigin))
		for _, p := range o.Paths {
			want = append(want, p+" "+wiring.OriginID(o.VPCOrigin))
		}
		for _, a := range o.Aliases {
			if !slices.Contains(c.Aliases(), a) {
				t.Fatalf("alias %s is missing", a)
			}
		}
	}
	for _, id := range c.OriginIDs() {
		if wiring.Owned(id) && !refused[id] {
			got = append(got, id)
		}
	}
	for _, b := range c.Behaviors() {
		if wiring.Owned(b.Origin) && !refused[b.Origin] {
			got = append(got, b.Path+" "+b.Origin)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s\nby\n%v", diff, plan)
	}
}

// checkPrecedence asks for sample paths which behavior answers: the most specific of ours, unless a foreign one that does
// not cover it stood there first; and foreign requests that ours does not match stay where they were.
func checkPrecedence(t *rapid.T, foreign []string, c *wiring.Config) {
	first := func(patterns []string, path string) string {
		for _, p := range patterns {
			if origin.Covers(p, path) {
				return p
			}
		}
		return ""
	}
	var ours []string
	for _, b := range c.Behaviors() {
		if wiring.Owned(b.Origin) {
			ours = append(ours, b.Path)
		}
	}
	slices.SortFunc(ours, origin.CompareSpecific)
	for _, path := range []string{"/", "/a/b", "/a/b/x", "/a/b/c", "/a/b/c/d", "/p/x", "/p/q/x", "/p/q/r", "/f/x", "/css/a.css", "/z", "/b", "/y"} {
		best, before, now := first(ours, path), first(foreign, path), first(paths(c), path)
		switch {
		case best == "" && now != before, best != "" && before == "" && now != best,
			best != "" && before != "" && origin.Covers(before, best) && now != best,
			best != "" && before != "" && !origin.Covers(before, best) && now != before:
			t.Fatalf("%s goes to %q; foreign %q, ours %q, order %q", path, now, before, best, paths(c))
		}
	}
}

func TestSearch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 80).Draw(t, "entries")
		var entries []string
		for i := range n {
			entries = append(entries, fmt.Sprintf("vo_%02d", i))
		}
		bad := rapid.SliceOfNDistinct(rapid.SampledFrom(entries), 0, min(n, 4), rapid.ID[string]).Draw(t, "bad")
		slices.Sort(bad)
		s := wiring.NewSearch(entries)
		extra := 0
		if rapid.Bool().Draw(t, "suspects") && len(bad) > 0 {
			s = s.Suspect(rapid.SliceOfNDistinct(rapid.SampledFrom(entries), 0, 5, rapid.ID[string]).Draw(t, "suspected"))
		} else {
			extra = -1
		}
		live := []string{}
		for !s.Done() {
			try := s.Next()
			for _, e := range live {
				if !slices.Contains(try, e) {
					t.Fatalf("takes %s out again", e)
				}
			}
			ok := !slices.ContainsFunc(try, func(e string) bool { return slices.Contains(bad, e) })
			if ok {
				live = try
			}
			if before := len(s.Bad()); len(s.Learn(ok).Bad()) < before {
				t.Fatal("forgets")
			}
			s = s.Learn(ok)
			if extra++; extra > 1000 {
				t.Fatal("never ends")
			}
		}
		if !slices.Equal(sorted(s.Bad()), bad) {
			t.Fatalf("found %v of %v", s.Bad(), bad)
		}
		if len(live) != n-len(bad) {
			t.Fatalf("%d of %d good entries are live", len(live), n-len(bad))
		}
		log := 0
		for 1<<log < n {
			log++
		}
		if limit := 2 * log * len(bad); extra > limit {
			t.Fatalf("%d extra tries for %d bad of %d", extra, len(bad), n)
		}
	})
}

func sorted(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}

// With one bad entry, wherever it is, at most so many calls are made, the first one included, and so many of them accepted.
func TestSearchIsShort(t *testing.T) {
	for n, limit := range map[int]struct{ calls, accepted int }{20: {11, 3}, 50: {13, 3}, 100: {15, 4}} {
		var entries []string
		for i := range n {
			entries = append(entries, fmt.Sprint(i))
		}
		search := func(s wiring.Search, bad string) (calls, accepted int) {
			for ; !s.Done(); calls++ {
				ok := !slices.Contains(s.Next(), bad)
				if s = s.Learn(ok); ok {
					accepted++
				}
			}
			return calls, accepted
		}
		for _, bad := range entries {
			if calls, accepted := search(wiring.NewSearch(entries), bad); calls > limit.calls || accepted > limit.accepted {
				t.Errorf("%d calls, of which %d accepted, to find %s of %d", calls, accepted, bad, n)
			}
			if calls, accepted := search(wiring.NewSearch(entries).Suspect([]string{bad}), bad); calls != 1 || accepted != 1 {
				t.Errorf("%d more calls, of which %d accepted, with the culprit named", calls, accepted)
			}
		}
	}
}
