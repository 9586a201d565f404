package admission_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/origin"
)

func TestMembers(t *testing.T) {
	p := policy()
	p.Teams[0].Outside = false
	for name, c := range map[string]struct {
		a, b, stranger origin.Membership // as RAM reports it; the policy says that a is inside, and b outside
		want           string
	}{
		"as the policy says":                  {origin.Inside, origin.Outside, origin.Outside, "inside outside outside"},
		"a left":                              {origin.Outside, origin.Outside, origin.Outside, "outside outside outside"},
		"a left, and nothing is known of b":   {origin.Outside, "", origin.Outside, "outside  outside"},
		"nothing is known":                    {"", "", "", "  "},
		"all answers contradict the policy":   {origin.Outside, origin.Inside, origin.Outside, "  "},
		"b has joined, nothing is known of a": {"", origin.Inside, origin.Inside, " inside inside"},
		"b has joined, and a is where it was": {origin.Inside, origin.Inside, origin.Inside, "inside inside inside"},
	} {
		t.Run(name, func(t *testing.T) {
			open := []origin.Share{{ARN: "s1", Owner: accountA}, {ARN: "s2", Owner: accountB}, {ARN: "s3", Owner: stranger}}
			got := admission.Members(open, map[string]origin.Membership{"s1": c.a, "s2": c.b, "s3": c.stranger}, p)
			if s := strings.Trim(fmt.Sprintf("%v %v %v", got[0].Membership, got[1].Membership, got[2].Membership), ""); s != c.want {
				t.Errorf("got %q, want %q", s, c.want)
			}
			if open[0].Membership != "" {
				t.Error("the argument has changed")
			}
		})
	}
}

// What is denied leaves, whether or not it has a record; what is unknown stays, and is reported once.
func TestMembershipsAreObservedAgain(t *testing.T) {
	p := policy()
	p.Teams[0].Outside = false
	is := live("team-a", accountA, "vo_1", "/team-a/x")
	orphan := observed(origin.Main)
	orphan.Orphans = []origin.Ref{ref(accountA, "vo_9")}
	content := func(share, id string) origin.Resource {
		return origin.Resource{Share: share, ARN: arn(accountA, id), Type: admission.VPCOrigin}
	}
	for name, c := range map[string]struct {
		first, second origin.Membership // of two shares that both contain vo_1; the first contains vo_9, too
		sweep         bool
		reported      []origin.Reason
		withdrawn     []string
		events        []string
	}{
		"inside":                        {origin.Inside, origin.Inside, true, nil, nil, nil},
		"outside":                       {origin.Outside, origin.Outside, false, nil, []string{"vo_1", "vo_9"}, nil},
		"one of two shares is refused":  {origin.Outside, origin.Inside, true, nil, []string{"vo_9"}, nil},
		"unknown, in a sweep":           {"", "", true, nil, nil, []string{"Membership Became Unknown membership-unknown"}},
		"unknown, and no sweep":         {"", "", false, nil, nil, nil},
		"unknown, and reported before":  {"", "", true, []origin.Reason{{Code: admission.MembershipUnknown, Subject: accountA}}, nil, nil},
		"no longer unknown":             {origin.Inside, origin.Inside, true, []origin.Reason{{Code: admission.MembershipUnknown, Subject: accountA}}, nil, []string{"forgotten"}},
		"unknown, another was reported": {"", "", true, []origin.Reason{{Code: admission.MembershipUnknown, Subject: accountB}}, nil, []string{"Membership Became Unknown membership-unknown"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := admission.Round{Policy: p, Sweep: c.sweep}
			r.Registry = origin.Snapshot{Now: start, Records: []origin.Record{is}, Distributions: []origin.Distribution{orphan}, Refusals: map[string][]origin.Reason{"membership": c.reported}}
			open := []origin.Share{{ARN: "s1", Owner: accountA, Membership: c.first}, {ARN: "s2", Owner: accountA, Membership: c.second}}
			r.Shared, _ = admission.Share(open, []origin.Resource{content("s1", "vo_1"), content("s1", "vo_9"), content("s2", "vo_1")}, p, nil)
			for _, id := range []string{"vo_1", "vo_9"} {
				r.Visible = append(r.Visible, origin.VpcOrigin{Ref: ref(accountA, id), Deployed: true})
			}
			var left []string
			changes, _ := r.Decide(nil)
			for _, record := range records(changes) {
				if record.Intent == origin.Detach && origin.HasCode(record.Reasons, admission.ShareOutside) {
					left = append(left, record.ID)
				}
			}
			if slices.Sort(left); !slices.Equal(left, c.withdrawn) {
				t.Errorf("withdrawn %v, want %v", left, c.withdrawn)
			}
			var said []string
			for _, change := range r.Due().Changes {
				if change.Refusal != nil && change.Refusal.What == "membership" && change.Refusal.Reasons == nil {
					said = append(said, "forgotten")
				}
			}
			said = append(said, what(r.Due().Changes)...)
			if !slices.Equal(said, c.events) {
				t.Errorf("said %q, want %q", said, c.events)
			}
		})
	}
}
