package wiring_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

// A distribution of a kind that accepts no alias is named as such, and nothing is written to it.
func TestKindOfAnAdoptedDistribution(t *testing.T) {
	for part, want := range map[string]string{
		"":                         "",
		"<Staging>false</Staging>": "",
		"<Staging>true</Staging>":  "distribution E1 cannot be adopted: it is a staging distribution of a continuous deployment",
		"<ConnectionMode>direct</ConnectionMode>":      "",
		"<ConnectionMode>tenant-only</ConnectionMode>": "distribution E1 cannot be adopted: it is a multi-tenant distribution",
	} {
		c := parse(t, []byte("<DistributionConfig><Origins><Quantity>0</Quantity></Origins><Enabled>true</Enabled>"+part+"</DistributionConfig>"))
		r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: fleet(1), Visible: map[string]bool{"vo_00": true}, Zone: wiring.Zone{Failed: true}}
		r, step := feed(t, r, wiring.Answer{Served: served(c, true)})
		_, updates := step.Do.(wiring.Update)
		if updates != (want == "") || want != "" && !strings.Contains(r.Item.Unavailable.Message, want) {
			t.Errorf("%s: update %t, %q, want %q", part, updates, r.Item.Unavailable.Message, want)
		}
	}
}

// What viewers get less than a live origin claims is in the event that it is live, and is reported again only when that changes.
func TestShortfalls(t *testing.T) {
	config := func(enabled, behaviors string) *wiring.Config {
		return parse(t, []byte("<DistributionConfig><Origins><Quantity>1</Quantity><Items><Origin><Id>originhub-vo_00</Id><DomainName>internal.example.com</DomainName>"+
			"<VpcOriginConfig><VpcOriginId>vo_00</VpcOriginId><OwnerAccountId>111111111111</OwnerAccountId></VpcOriginConfig></Origin></Items></Origins>"+
			"<Aliases><Quantity>1</Quantity><Items><CNAME>vo_00.example.com</CNAME></Items></Aliases><CacheBehaviors><Quantity>9</Quantity><Items>"+behaviors+
			"</Items></CacheBehaviors><Enabled>"+enabled+"</Enabled></DistributionConfig>"))
	}
	behavior := func(path, target string) string {
		return "<CacheBehavior><PathPattern>" + path + "</PathPattern><TargetOriginId>" + target + "</TargetOriginId><CachePolicyId>" + wiring.CachingDisabled +
			"</CachePolicyId><OriginRequestPolicyId>" + wiring.AllViewer + "</OriginRequestPolicyId></CacheBehavior>"
	}
	own := behavior("/vo_00*", "originhub-vo_00")
	reported := map[string][]origin.Reason{}
	state := origin.Wired
	for _, c := range []struct {
		config *wiring.Config
		events []string
		says   string
	}{
		{config("true", behavior("/v*0", "theirs")+own), []string{contract.OriginWentLive}, "match /v*0 go elsewhere"},
		{config("true", behavior("/v*0", "theirs")+own), nil, ""},
		{config("false", behavior("/v*0", "theirs")+own), []string{contract.OriginWentLive}, "is wired for /vo_00* on vo_00.example.com, but viewers get nothing, because distribution E1 is disabled; enable it; requests that match"},
		{config("true", own+behavior("/v*0", "theirs")), []string{contract.OriginWentLive}, "serves /vo_00* on vo_00.example.com"},
		{config("true", behavior("/x*", "theirs")+own), nil, ""},
	} {
		o := record("vo_00", origin.Wire, state)
		o.Claim.Paths = []string{"/vo_00*"}
		cloud := &cloud{served: served(c.config, true)}
		cloud.zone = []origin.DNSRecord{{Name: "vo_00.example.com", Type: "A", Target: "E1.cloudfront.net"}}
		r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: []origin.Record{o}, Refusals: reported}
		var events []string
		why := ""
		for {
			next, step := permit(r.Next())
			for _, e := range step.Outcome.Events {
				if e.Type != contract.DistributionExamined {
					events, why = append(events, e.Type), e.Detail.Why
				}
			}
			for _, refusal := range step.Refusals {
				reported[refusal.What] = refusal.Reasons
			}
			var a wiring.Answer
			switch do := step.Do.(type) {
			case nil:
			case wiring.Update: // an order that arrange would change
				a = failed(wiring.Failed, "Throttling")
			default:
				a = cloud.answer(do)
			}
			if r = next.Learn(step, a); step.Done {
				break
			}
		}
		state = origin.Live
		if !slices.Equal(events, c.events) || !strings.Contains(why, c.says) {
			t.Errorf("events %q, %q; want %q, %q", events, why, c.events, c.says)
		}
	}
	o, disabled := record("vo_00", origin.Wire, origin.Wired), config("false", own)
	o.Claim.Paths = []string{"/vo_00*"}
	r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: []origin.Record{o}, Zone: wiring.Zone{Read: true}}
	_, says := script(t, r, (&cloud{served: served(disabled, true)}).answer)
	if !slices.ContainsFunc(says, func(s string) bool { return strings.Contains(s, "say "+contract.DriftFound+" E1") }) {
		t.Errorf("no alarm about a disabled distribution: %q", says)
	}
}

// What keeps viewers of a live origin away in DNS is reported when it changes: before the hub writes a missing record, and after it.
func TestShortfallsInDNS(t *testing.T) {
	live := record("vo_1", origin.Wire, origin.Live)
	led := []origin.DNSRecord{{Name: "vo_1.example.com", Type: "A", Target: target}, {Name: "vo_1.example.com", Type: "AAAA", Target: target}}
	taken := []origin.DNSRecord{{Name: "vo_1.example.com", Type: "CNAME", Target: "elsewhere.example.net"}}
	const (
		serves  = "origin vo_1 serves /vo_1 on vo_1.example.com"
		missing = "origin vo_1 is wired for /vo_1 on vo_1.example.com, but viewers of vo_1.example.com do not reach it, because that host has no DNS record"
		led2    = "origin vo_1 is wired for /vo_1 on vo_1.example.com, but viewers of vo_1.example.com do not reach it, because an unmanaged DNS record exists for that host"
	)
	reported := map[string][]origin.Reason{}
	for i, c := range []struct {
		zone           []origin.DNSRecord
		unread, denied bool
		says           []string
	}{
		{zone: led},
		{denied: true, says: []string{missing}},
		{denied: true},
		{says: []string{serves}},
		{zone: led},
		{says: []string{missing, serves}},
		{zone: led[:1]}, // of IPv6 only a part is missing
		{zone: taken, says: []string{led2}},
		{zone: taken},
		{unread: true},
		{zone: led, says: []string{serves}},
	} {
		r := observed(configOf(t, live), true, live)
		r.Zone, r.Refusals = wiring.Zone{}, reported
		var says []string
		for range 10 {
			next, step := r.Settle()
			for _, e := range step.Outcome.Events {
				if e.Type == contract.OriginWentLive {
					says = append(says, e.Detail.Why)
				}
			}
			a := wiring.Answer{Zone: c.zone}
			if _, change := step.Do.(wiring.ChangeZone); change && c.denied || c.unread {
				a = failed(wiring.Failed, "AccessDenied")
			}
			if r = next.Learn(step, a); step.Do == nil && !step.Save {
				break
			}
		}
		reported = r.Refusals
		if !slices.Equal(says, c.says) {
			t.Errorf("step %d: %q, want %q", i, says, c.says)
		}
	}
}
