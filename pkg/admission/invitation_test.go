package admission_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

func shared(account, id string) origin.Resource {
	return origin.Resource{Share: "share-" + account, ARN: arn(account, id), Type: admission.VPCOrigin}
}

func invitation(account string, stage admission.Stage, contents ...origin.Resource) admission.Invitation {
	return admission.Invitation{
		Invitation: origin.Invitation{ARN: "invitation-" + account, Share: "share-" + account, Name: "origins", Sender: account},
		Stage:      stage, Contents: contents,
	}
}

// what returns the events of changes, each with the codes of its reasons.
func what(changes []admission.Change) (events []string) {
	for _, c := range changes {
		events = append(events, eventsOf(c.Outcome)...)
	}
	return events
}

func eventsOf(o outcome.Outcome) (events []string) {
	for _, e := range o.Events {
		line := e.Type
		for _, code := range e.Detail.Codes {
			line += " " + string(code)
		}
		events = append(events, line)
	}
	return events
}

func TestDecideInvitation(t *testing.T) {
	subnet := origin.Resource{ARN: "arn:aws:ec2:us-east-1:111111111111:subnet/subnet-1", Type: "ec2:Subnet"}
	for name, c := range map[string]struct {
		invitation admission.Invitation
		rejects    bool // shares.reject
		denies     bool // shares.external
		unrelated  bool // it was opened before
		dry        bool // distribution.mode is dry-run
		events     []string
		call       admission.InvitationCall
		pending    bool
		recheck    admission.Recheck
	}{
		"unknown sender":                  {invitation: invitation(stranger, admission.Unopened), rejects: true},
		"unknown sender, in dry-run mode": {invitation: invitation(stranger, admission.Unopened), dry: true},
		"known sender, opened before":     {invitation: invitation(accountA, admission.Unopened), rejects: true, denies: true, unrelated: true},
		"known sender, unopened":          {invitation: invitation(accountA, admission.Unopened), call: admission.Open, pending: true},
		"unreadable":                      {invitation: invitation(accountA, admission.Unreadable), events: []string{"Share Refused share-unreadable"}},
		"unreadable, never rejected": {
			invitation: invitation(accountA, admission.Unreadable), rejects: true, events: []string{"Share Refused share-unreadable"},
		},
		"opened, accepted": {
			invitation: invitation(accountA, admission.Opened, shared(accountA, "vo_1")), call: admission.Accept, pending: true,
		},
		"opened, accepted, in dry-run mode": {
			invitation: invitation(accountA, admission.Opened, shared(accountA, "vo_1")), dry: true, events: []string{"Change Planned planned-only"},
		},
		"opened, refused, and policy rejects, in dry-run mode": {
			invitation: invitation(accountA, admission.Opened, subnet, shared(accountA, "vo_1")), rejects: true, dry: true, events: []string{"Share Refused share-other-type"},
		},
		"opened, waits": {invitation: invitation(accountA, admission.Opened), pending: true, recheck: admission.Soon},
		"opened, waits, and policy denies and rejects": {
			invitation: invitation(accountA, admission.Opened), rejects: true, denies: true, pending: true, recheck: admission.Soon,
		},
		"opened, unrelated": {invitation: invitation(accountA, admission.Opened, subnet)},
		"opened, unrelated, and policy denies and rejects": {invitation: invitation(accountA, admission.Opened, subnet), rejects: true, denies: true},
		"opened, refused": {
			invitation: invitation(accountA, admission.Opened, subnet, shared(accountA, "vo_1")), events: []string{"Share Refused share-other-type"},
		},
		"opened, refused, and policy rejects": {
			invitation: invitation(accountA, admission.Opened, subnet, shared(accountA, "vo_1")), rejects: true,
			events: []string{"Share Refused share-other-type"}, call: admission.Reject,
		},
		"opened, and policy denies invitations": {
			invitation: invitation(accountA, admission.Opened, shared(accountA, "vo_1")), denies: true,
			events: []string{"Share Refused share-external"},
		},
		"accepted": {
			invitation: invitation(accountA, admission.Accepted, shared(accountA, "vo_2"), shared(accountA, "vo_1")),
			events:     []string{"Share Accepted"}, recheck: admission.Soon,
		},
		"answered": {invitation: invitation(accountA, admission.Answered)},
		"failed":   {invitation: invitation(accountA, admission.Failed), pending: true},
	} {
		t.Run(name, func(t *testing.T) {
			p := policy()
			p.Shares.Reject, p.Shares.External, p.Distribution.DryRun = c.rejects, !c.denies, c.dry
			var reported map[string][]admission.Reason
			if c.unrelated {
				opened := c.invitation
				opened.Stage, opened.Contents = admission.Opened, []origin.Resource{subnet}
				reported = remembered(admission.DecideInvitation(opened, p, nil).Changes)
			}
			step := admission.DecideInvitation(c.invitation, p, reported)
			if diff := cmp.Diff(c.events, append(what(step.Changes), eventsOf(step.Happened)...)); diff != "" {
				t.Error(diff)
			}
			if step.Triggered != (c.invitation.Stage == admission.Accepted) {
				t.Errorf("triggered %t", step.Triggered)
			}
			if step.Call != c.call || step.Pending != c.pending || step.Recheck != c.recheck {
				t.Errorf("call %q, pending %t, recheck %d", step.Call, step.Pending, step.Recheck)
			}
			for _, c := range step.Changes {
				for _, e := range c.Events {
					if (e.Detail.Severity == contract.SeverityAlarm) != (e.Type != contract.ChangePlanned) {
						t.Errorf("severity %s of the share of account %s", e.Detail.Severity, e.Detail.Account)
					}
				}
			}
			known := remembered(step.Changes)
			maps.Copy(known, reported)
			again := admission.DecideInvitation(c.invitation, p, known)
			if len(what(again.Changes)) > 0 || again.Call != step.Call {
				t.Errorf("reported before, it reports %q again, and calls %q", what(again.Changes), again.Call)
			}
		})
	}
}

// remembered returns the refusals that changes write.
func remembered(changes []admission.Change) map[string][]admission.Reason {
	refusals := map[string][]admission.Reason{}
	for _, c := range changes {
		if c.Refusal != nil {
			refusals[c.Refusal.What] = c.Refusal.Reasons
		}
	}
	return refusals
}

func TestAcceptedInvitationNamesItsOrigins(t *testing.T) {
	i := invitation(accountA, admission.Accepted, shared(accountA, "vo_2"), shared(accountA, "vo_1"))
	event := admission.DecideInvitation(i, policy(), nil).Happened.Events[0]
	want := outcome.Detail{Version: contract.EventVersion, Severity: contract.SeverityInfo, Account: accountA, What: "origins", Why: "the hub accepted the share, which contains vo_1, vo_2"}
	if diff := cmp.Diff(want, event.Detail); diff != "" || event.Resource != i.Share {
		t.Errorf("of %s: %s", event.Resource, diff)
	}
}

func TestPendingReturnsTheGreatestAge(t *testing.T) {
	sent := func(i admission.Invitation, ago time.Duration) admission.Invitation {
		i.Sent = start.Add(-ago)
		return i
	}
	for name, c := range map[string]struct {
		invitations []admission.Invitation
		want        time.Duration
	}{
		"none": {},
		"answered, accepted and refused ones": {invitations: []admission.Invitation{
			sent(invitation(accountA, admission.Answered), time.Hour), sent(invitation(accountA, admission.Accepted), 2*time.Hour),
			sent(invitation(stranger, admission.Unopened), 3*time.Hour), sent(invitation(accountA, admission.Unreadable), 4*time.Hour),
		}},
		"one that is empty, and one that failed": {
			invitations: []admission.Invitation{
				sent(invitation(accountA, admission.Opened), time.Minute), sent(invitation(accountA, admission.Failed), time.Hour),
			},
			want: time.Hour,
		},
	} {
		got := admission.Pending(c.invitations, policy(), nil, start).Metrics
		want := []outcome.Metric{{Name: contract.MetricOldestPendingShare, Unit: outcome.Seconds, Value: c.want.Seconds()}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestOffers(t *testing.T) {
	share := func(arn, owner string) origin.Share { return origin.Share{ARN: arn, Owner: owner} }
	in := func(share string, s origin.Resource) origin.Resource {
		s.Share = share
		return s
	}
	open := []origin.Share{
		{ARN: "s4", Owner: stranger, Created: start}, share("s2", accountA), share("s3", accountB), share("s1", accountA), share("s0", accountB),
	}
	contents := []origin.Resource{
		in("s1", shared(accountA, "vo_2")), in("s2", shared(accountA, "vo_2")), in("s2", shared(accountA, "vo_1")),
		in("s3", shared(accountA, "vo_3")), in("s4", shared(stranger, "vo_4")), // and s0 is empty
	}
	all, changes := admission.Share(open, contents, policy(), nil)
	want := []admission.Offer{{Ref: ref(accountA, "vo_1"), Shares: []string{"s2"}}, {Ref: ref(accountA, "vo_2"), Shares: []string{"s1", "s2"}}}
	if diff := cmp.Diff(want, all.Offers); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]admission.Stranger{{Account: stranger, At: start}}, all.Strangers); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"Share Refused share-foreign-origin"}, what(changes)); diff != "" {
		t.Error(diff)
	}
	reported := remembered(changes)
	again, changes := admission.Share(open, contents, policy(), reported)
	if len(changes) > 0 || !slices.EqualFunc(again.Offers, all.Offers, func(a, b admission.Offer) bool { return a.ID == b.ID }) {
		t.Errorf("reported before, it reports %q again, and offers %v", what(changes), again)
	}
	subnet := origin.Resource{Share: "s4", ARN: "arn:aws:ec2:us-east-1:999999999999:subnet/subnet-1", Type: "ec2:Subnet"}
	later, changes := admission.Share(open, []origin.Resource{in("s3", shared(accountB, "vo_3")), subnet}, policy(), reported)
	if diff := cmp.Diff(map[string][]admission.Reason{"s3": nil}, remembered(changes)); diff != "" || len(what(changes)) > 0 || len(later.Strangers) > 0 {
		t.Errorf("permitted or unrelated now, it reports %q, and %v of accounts that belong to no team: %s", what(changes), later.Strangers, diff)
	}
}
