package admission_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
)

// A claim that was refused because another origin had its path, and is permitted now.
func TestFreedClaim(t *testing.T) {
	is := live("team-a", accountA, "vo_1", "/team-a/x")
	since := func(ago time.Duration) []admission.Reason {
		return []admission.Reason{{Code: admission.ClaimFree, Subject: start.Add(-ago).Format(time.RFC3339Nano) + " /team-a/x"}}
	}
	taken := []admission.Reason{{Code: admission.ClaimTaken, Subject: "/team-a/x vo_9"}}
	other := []admission.Reason{{Code: admission.ClaimNotGranted, Subject: "team-a.example.com /team-a/x"}}
	called := func(ago time.Duration) []inbound.TagHint {
		return []inbound.TagHint{{Account: accountA, ARNs: []string{is.ARN}, Called: start.Add(-ago)}}
	}
	const admitted, free = "Origin Admitted", "Origin Refused claim-free"
	for name, c := range map[string]struct {
		retries bool // the policy does
		stated  bool // the claim is in the policy
		was     []admission.Reason
		hints   []inbound.TagHint
		claims  origin.Record
		events  []string
		stored  bool
	}{
		"retry":                                  {retries: true, was: taken, claims: is, events: []string{admitted}, stored: true},
		"wait, never refused":                    {claims: is, events: []string{admitted}},
		"wait, refused for other reasons":        {was: other, claims: is, events: []string{admitted}, stored: true},
		"wait, taken before":                     {was: taken, claims: is, events: []string{free}, stored: true},
		"wait, taken before, and tagged earlier": {was: taken, hints: called(time.Minute), claims: is, events: []string{free}, stored: true},
		"wait, taken before, another claim":      {was: taken, claims: claiming(is, "/team-a/y"), events: []string{admitted}, stored: true},
		"wait, claim in policy":                  {stated: true, was: taken, claims: is, events: []string{admitted}, stored: true},
		"wait, free":                             {was: since(time.Hour), claims: is},
		"wait, free, tagged before":              {was: since(time.Hour), hints: called(2 * time.Hour), claims: is},
		"wait, free, tagged since":               {was: since(time.Hour), hints: called(time.Minute), claims: is, events: []string{admitted}, stored: true},
		"wait, free, another claim":              {was: since(time.Hour), claims: claiming(is, "/team-a/y"), events: []string{admitted}, stored: true},
		"wait, free for almost 15 days":          {was: since(15*24*time.Hour - 1), claims: is},
		"wait, free for 15 days":                 {was: since(15 * 24 * time.Hour), claims: is, stored: true},
	} {
		t.Run(name, func(t *testing.T) {
			reading := tagged(c.claims)
			r := with(round(), reading)
			r.Policy.Claims.Wait, r.Hints = !c.retries, c.hints
			if c.was != nil {
				r.Registry.Refusals[is.ARN] = c.was
			}
			if c.stated {
				r.Policy.Teams[0].Spoke, r.Policy.Teams[0].Claim = false, &is.Claim
			}
			changes, _ := r.Decide([]admission.Reading{reading})
			if diff := cmp.Diff(c.events, what(changes)); diff != "" {
				t.Error(diff)
			}
			if _, stored := remembered(changes)[is.ARN]; stored != c.stored {
				t.Errorf("stores a refusal: %t, want %t", stored, c.stored)
			}
		})
	}
}

// A message names an origin that is in no permitted share.
func TestTeardownTagOfAnOriginThatIsNotOffered(t *testing.T) {
	is := live("team-a", accountA, "vo_1", "/team-a/x")
	hint := func(account, arn string) []inbound.TagHint {
		return []inbound.TagHint{{Account: account, ARNs: []string{arn}, Called: start}}
	}
	here := hint(accountA, is.ARN)
	const stranger = "999999999999"
	for name, c := range map[string]struct {
		hints   []inbound.TagHint
		records []origin.Record
		change  func(*admission.Round)
		tags    map[string]string // nil: unreadable
		read    int               // how many origins' tags are read
		events  []string
	}{
		"no message names it":              {},
		"of an unknown account":            {hints: hint(stranger, "arn:aws:cloudfront::"+stranger+":vpcorigin/vo_1")},
		"of another account":               {hints: hint(accountB, is.ARN)},
		"of a team without the spoke role": {hints: here, change: func(r *admission.Round) { r.Policy.Teams[0].Spoke = false }},
		"with a record":                    {hints: here, records: []origin.Record{leaving("verify", 0)}},
		"named twice":                      {hints: append(here, here...), tags: map[string]string{}, read: 1},
		"unreadable":                       {hints: here, read: 1},
		"without the teardown tag":         {hints: here, tags: map[string]string{contract.TagHost: "team-a.example.com"}, read: 1},
		"with the teardown tag":            {hints: here, tags: map[string]string{contract.TagTeardown: "now"}, read: 1, events: []string{"Origin Refused origin-tearing-down"}},
		"with a bad value":                 {hints: here, tags: map[string]string{contract.TagTeardown: "nwo"}, read: 1, events: []string{"Teardown Tag Refused teardown-tag-invalid"}},
		"a distribution was never observed": {
			hints: here, tags: map[string]string{contract.TagTeardown: "now"}, read: 1, change: func(r *admission.Round) { r.Registry.Distributions = nil },
		},
		"a distribution contains it": {
			hints: here, tags: map[string]string{contract.TagTeardown: "now"}, read: 1,
			change: func(r *admission.Round) { r.Registry.Distributions[0].Orphans = []origin.Ref{is.Ref} },
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := round(c.records...)
			r.Hints = c.hints
			if c.change != nil {
				c.change(&r)
			}
			due := r.Due()
			if len(due.Read) != c.read {
				t.Fatalf("reads the tags of %v, want %d", due.Read, c.read)
			}
			var read []admission.Reading
			for _, o := range due.Read {
				read = append(read, admission.Reading{Offer: o, Tags: c.tags, Unreadable: c.tags == nil})
			}
			changes, recheck := r.Decide(read)
			changes = slicesWithout(changes, "Origin Withdrawn")
			if diff := cmp.Diff(c.events, what(changes)); diff != "" || recheck != admission.Never || len(records(changes)) > 0 {
				t.Errorf("recheck %d, writes %v: %s", recheck, records(changes), diff)
			}
			r.Registry.Refusals = remembered(changes)
			if again, _ := r.Decide(read); len(remembered(again)) > 0 {
				t.Errorf("reported before, it reports %q again", what(again))
			}
		})
	}
}

// slicesWithout returns the changes but those whose event is of a type.
func slicesWithout(changes []admission.Change, eventType string) (kept []admission.Change) {
	for _, c := range changes {
		if len(c.Events) == 0 || c.Events[0].Type != eventType {
			kept = append(kept, c)
		}
	}
	return kept
}
