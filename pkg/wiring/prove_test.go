package wiring_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

// onAir is what DNS has for the hosts of records that are live.
func onAir(records ...origin.Record) (zone []origin.DNSRecord) {
	for _, o := range records {
		zone = append(zone, origin.DNSRecord{Name: o.Claim.Hosts[0], Type: "A", Target: target}, origin.DNSRecord{Name: o.Claim.Hosts[0], Type: "AAAA", Target: target})
	}
	return zone
}

// One row for each of advances' table, in a run that goes on to write for vo_9: what the read proves comes before the update, since the
// distribution is InProgress after that.
func TestWhatAReadProvesIsSettledBeforeTheUpdate(t *testing.T) {
	waiting := record("vo_9", origin.Wire, origin.Pending)
	leaving := record("vo_1", origin.Detach, origin.Detaching)
	leaving.Token = "token"
	for name, c := range map[string]struct {
		record   origin.Record
		in       bool
		deployed bool
		noDNS    bool
		want     string // before the update
		state    origin.State
	}{
		"wired, and Deployed":            {record("vo_1", origin.Wire, origin.Wired), true, true, false, "say Origin Went Live vo_1, vo_1 is live", origin.Live},
		"wired, and not Deployed":        {record("vo_1", origin.Wire, origin.Wired), true, false, false, "", origin.Wired},
		"wired, and DNS fails":           {record("vo_1", origin.Wire, origin.Wired), true, true, true, "", origin.Wired},
		"to be detached, and Deployed":   {leaving, false, true, false, "say Origin Detached vo_1, vo_1 is detached, complete token: origin vo_1 is no longer in distribution E1, which is Deployed", origin.Detached},
		"to be detached, and DNS fails":  {leaving, false, true, true, "say Origin Detached vo_1, vo_1 is detached, complete token: origin vo_1 is no longer in distribution E1, which is Deployed", origin.Detached},
		"to be detached, but InProgress": {leaving, false, false, false, "", origin.Detaching},
		"live, but taken out by hand":    {record("vo_1", origin.Wire, origin.Live), false, true, false, "", origin.Live},
		"live all along":                 {record("vo_1", origin.Wire, origin.Live), true, true, false, "", origin.Live},
		"pending, as it is there":        {record("vo_1", origin.Wire, origin.Pending), true, true, false, "", origin.Wired},
	} {
		config := configOf(t)
		if c.in {
			config = configOf(t, c.record)
		}
		cloud := &cloud{served: served(config, c.deployed), zone: onAir(record("vo_1", origin.Wire, origin.Live))}
		r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: []origin.Record{c.record, waiting}, Visible: map[string]bool{"vo_1": true, "vo_9": true}}
		r, all := script(t, r, func(do wiring.Action) wiring.Answer {
			if _, zone := do.(wiring.ReadZone); zone && c.noDNS {
				return failed(wiring.Failed, "Throttling")
			}
			return cloud.answer(do)
		})
		update := slices.IndexFunc(all, func(s string) bool { return strings.HasPrefix(s, "save, update") })
		before := slices.DeleteFunc(slices.Clone(all[:max(update, 0)]), func(s string) bool {
			return s == "" || strings.HasPrefix(s, "read") || s == "ReadZone" || s == "ChangeZone" || strings.HasPrefix(s, "save")
		})
		if update < 0 || strings.Join(before, "; ") != c.want || r.Records[0].State != c.state {
			t.Errorf("%s: %q; it is %s", name, all, r.Records[0].State)
		}
		if reads := strings.Count(strings.Join(all, ","), "ReadZone"); reads > 1 {
			t.Errorf("%s: the zone is read %d times", name, reads)
		}
	}
}

// One row for each of extent's table, and for each part that carries compares: an origin of which the configuration lacks something is not
// called live, however long it is Deployed, until an update has completed it.
func TestOriginIsLiveOnlyWithItsWholeClaim(t *testing.T) {
	claim := record("vo_1", origin.Wire, origin.Wired)
	claim.Claim.Paths, claim.Claim.Settings.ReadTimeout = []string{"/a/*", "/b"}, 60
	as := func(change func(*origin.Claim)) *wiring.Config {
		other := claim
		other.Claim.Paths = slices.Clone(claim.Claim.Paths)
		change(&other.Claim)
		return configOf(t, other)
	}
	replaced := func(old, by string) *wiring.Config {
		whole := string(configOf(t, claim).Bytes())
		if !strings.Contains(whole, old) {
			t.Fatalf("the configuration has no %s", old)
		}
		return parse(t, []byte(strings.Replace(whole, old, by, 1)))
	}
	created := adopts
	created.CallerReference = configOf(t).CallerReference()
	for name, c := range map[string]struct {
		config *wiring.Config
		terms  wiring.Terms
		live   bool
	}{
		"the whole claim":            {configOf(t, claim), adopts, true},
		"an alias in capitals":       {replaced("<CNAME>vo_1.example.com", "<CNAME>VO_1.example.com"), adopts, true},
		"another domain":             {as(func(c *origin.Claim) { c.Domain = "other.example.com" }), adopts, false},
		"another setting":            {as(func(c *origin.Claim) { c.Settings.ReadTimeout = 30 }), adopts, false},
		"another owner":              {replaced("<OwnerAccountId>111111111111", "<OwnerAccountId>222222222222"), adopts, false},
		"another VPC origin":         {replaced("<VpcOriginId>vo_1", "<VpcOriginId>vo_2"), adopts, false},
		"a path less":                {as(func(c *origin.Claim) { c.Paths = c.Paths[:1] }), adopts, false},
		"a path more":                {as(func(c *origin.Claim) { c.Paths = append(c.Paths, "/c") }), adopts, false},
		"another path":               {as(func(c *origin.Claim) { c.Paths[1] = "/c" }), adopts, false},
		"another cache policy":       {replaced(wiring.CachingDisabled, "4135ea2d-0000-0000-0000-000000000000"), adopts, false},
		"another request policy":     {replaced(wiring.AllViewer, "216adef6-0000-0000-0000-000000000000"), adopts, false},
		"an alias less":              {as(func(c *origin.Claim) { c.Hosts = []string{"old.example.com"} }), adopts, false},
		"a pattern in front of it":   {replaced("<PathPattern>/b<", "<PathPattern>/?</PathPattern><TargetOriginId>theirs</TargetOriginId></CacheBehavior><CacheBehavior><PathPattern>/b<"), adopts, false},
		"disabled, of others":        {replaced("<Enabled>true", "<Enabled>false"), adopts, true},
		"disabled, of the hub's own": {replaced("<Enabled>true", "<Enabled>false"), created, false},
	} {
		r := observed(c.config, true, claim)
		r.Terms, r.Zone.Planned, r.Quiet = c.terms, true, true
		_, step := r.Settle()
		if live := slices.ContainsFunc(step.Records, func(o wiring.Observation) bool { return o.State == origin.Live }); live != c.live {
			t.Errorf("%s: live is %t", name, live)
		}
		if c.live {
			continue
		}
		cloud := &cloud{served: served(c.config, true), zone: onAir(claim)}
		r = wiring.Run{Terms: c.terms, Now: now, Item: item("E1"), Records: []origin.Record{claim}}
		if r, _ = script(t, r, cloud.answer); cloud.accepted != 1 {
			t.Errorf("%s: it has %d updates to complete it, and is %s", name, cloud.accepted, r.Records[0].State)
			continue
		}
		cloud.served.Deployed = true
		r = wiring.Run{Terms: c.terms, Now: now, Item: r.Item, Records: r.Records}
		if r, _ = script(t, r, cloud.answer); r.Records[0].State != origin.Live || cloud.accepted != 1 {
			t.Errorf("%s: after the update it is %s, and there were %d updates", name, r.Records[0].State, cloud.accepted)
		}
	}
}
