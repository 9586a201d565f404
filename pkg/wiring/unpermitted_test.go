package wiring_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
	"github.com/originhub/originhub/pkg/wiring"
)

// What policy does not permit is not written, whatever the state of its record is, and what the distribution has of it stays. The others are
// written. It is reported once, with a row of reportUnpermitted's table for each case.
func TestNothingIsWrittenForWhatPolicyDoesNotPermit(t *testing.T) {
	was, other := record("vo_1", origin.Wire, origin.Live), record("vo_2", origin.Wire, origin.Live)
	changed := was
	changed.Claim.Hosts, changed.Claim.Paths = []string{"www.example.com"}, []string{"/*"}
	why := []origin.Reason{{Code: "claim-not-granted", Subject: "/*", Message: "team-a is not granted /*"}}
	refused := map[string][]origin.Reason{"vo_1": why}
	config := configOf(t, was)
	zone := wiring.Zone{Read: true}
	for _, host := range []string{"vo_1.example.com", "vo_2.example.com"} {
		zone.Records = append(zone.Records, origin.DNSRecord{Name: host, Type: "A", Target: "E1.cloudfront.net"})
	}
	for name, c := range map[string]struct {
		is          origin.Record
		unpermitted map[string][]origin.Reason
		reported    []origin.Reason
		says        bool
		remembers   bool
	}{
		"permitted":                          {was, nil, nil, false, false},
		"permitted, reported before":         {was, nil, why, false, true},
		"not permitted, and there already":   {was, refused, nil, false, false},
		"changed":                            {changed, refused, nil, true, true},
		"changed, reported before":           {changed, refused, why, false, false},
		"changed, reported for other things": {changed, refused, []origin.Reason{{Code: "claim-taken"}}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			for _, state := range []origin.State{origin.Pending, origin.Wired, origin.Live, origin.Quarantined, origin.Detached} {
				is := c.is
				is.State = state
				r := observed(config, true, is, other)
				r.Served = nil
				r.Unpermitted, r.Refusals = c.unpermitted, map[string][]origin.Reason{}
				if c.reported != nil {
					r.Refusals["arn:vo_1 registry"] = c.reported
				}
				r.Zone = zone
				var events []outcome.Event
				var remembered []string
				triggered := false
				for range 20 {
					next, step := permit(r.Next())
					events = append(events, step.Outcome.Events...)
					for _, one := range step.Refusals {
						remembered = append(remembered, one.What)
					}
					triggered = triggered || slices.ContainsFunc(step.Outcome.Triggers, func(t outcome.Trigger) bool { return t.Function == outcome.Admit })
					for _, w := range step.Records {
						if c.unpermitted != nil && w.ID == "vo_1" {
							t.Errorf("%s becomes %s", state, w.State)
						}
					}
					var a wiring.Answer
					switch do := step.Do.(type) {
					case wiring.ReadDistribution:
						a.Served = served(config, true)
					case wiring.ListOrigins:
						a.Origins = []origin.VpcOrigin{{Ref: is.Ref, Deployed: true}, {Ref: other.Ref, Deployed: true}}
					case wiring.Update:
						a.ETag = "2"
						if got := managed(do.Config); !slices.Equal(got, []string{"vo_1", "vo_2"}) {
							t.Errorf("%s: update with %q", state, got)
						}
						text := string(do.Config.Bytes())
						if strings.Contains(text, "/*") || strings.Contains(text, "www.example.com") || !strings.Contains(text, "<PathPattern>/vo_1<") {
							t.Errorf("%s: %s", state, text)
						}
					case wiring.ChangeZone:
						for _, w := range append(do.Plan.Upsert, do.Plan.Delete...) {
							if c.unpermitted != nil && w.Name != "vo_2.example.com" {
								t.Errorf("%s: writes %s", state, w.Name)
							}
						}
					}
					if r = next.Learn(step, a); step.Done {
						break
					}
				}
				said := slices.IndexFunc(events, func(e outcome.Event) bool { return e.Type == contract.RegistryItemRefused })
				if (said >= 0) != c.says || triggered != c.says || slices.Contains(remembered, "arn:vo_1 registry") != c.remembers {
					t.Errorf("%s: said %+v, remembered %q, admit triggered: %t", state, events, remembered, triggered)
				}
				if said >= 0 && (events[said].Detail.Severity != contract.SeverityAlarm || !strings.Contains(events[said].Detail.Why, "/* on www.example.com")) {
					t.Errorf("%s: %+v", state, events[said].Detail)
				}
			}
		})
	}
}

// Under a wildcard alias, a host that is not permitted shows in DNS alone.
func TestHostThatIsNotPermittedGetsNoRecord(t *testing.T) {
	is := record("vo_1", origin.Wire, origin.Live)
	r := observed(configOf(t, is), true, is)
	r.Terms.Wildcard, r.Unpermitted = true, map[string][]origin.Reason{"vo_1": {{Code: "claim-not-granted"}}}
	_, step := settle(t, r)
	if !strings.Contains(told(step), contract.RegistryItemRefused) {
		t.Errorf("says %s", told(step))
	}
	for range 5 {
		var step wiring.Step
		if r, step = r.Settle(); step.Do != nil {
			t.Errorf("does %T", step.Do)
		}
	}
}

// An alias or a DNS record outside the domain of the policy is not the hub's to remove, whatever the registry says.
func TestNothingOutsideTheDomainIsRemoved(t *testing.T) {
	hosts := []string{"a.example.com", "example.com", "www.elsewhere.example", "badexample.com"}
	for _, created := range []bool{true, false} {
		s := wiring.Spec{Domain: "example.com", Created: created, OwnedAliases: hosts}
		if got := s.Releasable(hosts); !slices.Equal(got, hosts[:2]) {
			t.Errorf("created: %t: %q", created, got)
		}
	}
	leaving := record("vo_1", origin.Detach, origin.Detached)
	leaving.ReleasedHosts = hosts
	var there []origin.DNSRecord
	for _, h := range hosts {
		there = append(there, origin.DNSRecord{Name: h, Type: "A", Target: "d1"})
	}
	plan := wiring.Records([]origin.Record{leaving}, "d1", nil, nil, false, there).Under("example.com")
	if len(plan.Delete) != 2 {
		t.Errorf("deletes %v", plan.Delete)
	}
}

// In dry-run mode the plan has the DNS records that would be written, and no others.
func TestPlanHasNoRecordOfAHostThatIsNotPermitted(t *testing.T) {
	is := record("vo_1", origin.Wire, origin.Live)
	for _, permitted := range []bool{true, false} {
		cloud := &cloud{served: served(configOf(t, is), true)}
		r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: []origin.Record{is}}
		r.Terms.DryRun = true
		if !permitted {
			r.Unpermitted = map[string][]origin.Reason{"vo_1": {{Code: "claim-not-granted"}}}
		}
		said := ""
		cloud.perform(t, r, func(step wiring.Step) {
			for _, e := range step.Outcome.Events {
				said += e.Detail.Why
			}
		})
		if strings.Contains(said, "write DNS record") != permitted {
			t.Errorf("permitted: %t: %s", permitted, said)
		}
	}
}
