package workflow

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/audit"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/hubpolicy"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

const teamAccount, hubAccount = "111111111111", "100000000000"

// auditedWorld is a hub without a distribution, and a team's account. It keeps what was published.
type auditedWorld struct {
	now        time.Time
	findings   origin.Findings
	records    []origin.Record
	origins    []origin.VpcOrigin // of the team
	refused    error              // what the team's account answers when asked who uses an origin, for tags, or for interfaces
	interfaces []origin.ENI       // of CloudFront in each Region of the team
	offered    []origin.Resource  // what RAM lists
	said       []origin.Event
	called     []string
}

func (w *auditedWorld) call(what string) { w.called = append(w.called, what) }

func (w *auditedWorld) Load(context.Context) (origin.Snapshot, error) {
	w.call("registry")
	return origin.Snapshot{Now: w.now, Findings: w.findings, Records: w.records, Distributions: []origin.Distribution{{Name: origin.Main, Identity: origin.Identity{ID: "E1"}}}}, nil
}

func (w *auditedWorld) PutFindings(_ context.Context, _, f origin.Findings) error {
	w.findings = f
	return nil
}

func (w *auditedWorld) Distribution(_ context.Context, id string) (origin.Served, error) {
	w.call("distribution " + id)
	return origin.Served{}, &fault.Absent{Err: errors.New("there is none")}
}

func (w *auditedWorld) Distributions(context.Context) ([]origin.Listed, error) {
	w.call("distributions")
	return nil, nil
}

func (w *auditedWorld) Function(_ context.Context, name string) (origin.Function, error) {
	w.call("function " + name)
	return origin.Function{}, &fault.Absent{Err: errors.New("there is none")}
}

func (w *auditedWorld) Rejected(_ context.Context, invitation string) (origin.Invitation, error) {
	w.call("invitation " + invitation)
	return origin.Invitation{}, &fault.Absent{Err: errors.New("there is none")}
}

func (w *auditedWorld) Accepted(_ context.Context, invitation string) (origin.Invitation, error) {
	w.call("accepted " + invitation)
	return origin.Invitation{}, &fault.Absent{Err: errors.New("there is none")}
}

func (w *auditedWorld) Resources(context.Context) ([]origin.Resource, error) {
	w.call("shares")
	return w.offered, nil
}

func (w *auditedWorld) Records(context.Context, []string) ([]origin.DNSRecord, error) {
	w.call("records")
	return nil, nil
}

func (w *auditedWorld) ConflictingAliases(context.Context, string, string) ([]origin.AliasHolder, error) {
	return nil, errors.New("unexpected")
}

func (w *auditedWorld) VpcOrigins(context.Context) ([]origin.VpcOrigin, error) {
	w.call("origins")
	return nil, nil
}

func (w *auditedWorld) VpcOrigin(_ context.Context, id string) (origin.VpcOrigin, error) {
	w.call("origin " + id)
	return origin.VpcOrigin{}, &fault.GiveUp{Err: errors.New("AccessDenied")}
}

func (w *auditedWorld) Send(context.Context, string, time.Duration) error {
	w.call("trigger")
	return nil
}

func (w *auditedWorld) Record(outcome.Metric) {}
func (w *auditedWorld) Publish(_ context.Context, events ...origin.Event) error {
	w.said = append(w.said, events...)
	return nil
}

// auditedTeam is its team's account.
type auditedTeam struct{ *auditedWorld }

func (t auditedTeam) VpcOrigins(context.Context) ([]origin.VpcOrigin, error) {
	t.call("origins of the team")
	return t.origins, nil
}

func (t auditedTeam) UsersOf(context.Context, string) ([]origin.User, error) { return nil, t.refused }

func (t auditedTeam) Tags(context.Context, string) (map[string]string, error) {
	t.call("tags")
	return nil, t.refused
}

func (t auditedTeam) Endpoint(_ context.Context, endpoint string) (origin.Endpoint, error) {
	t.call("endpoint " + endpoint)
	return origin.Endpoint{}, &fault.Absent{Err: errors.New("there is none")}
}

func (t auditedTeam) ManagedENIs(_ context.Context, region, vpc string) ([]origin.ENI, error) {
	t.call("interfaces in " + region + vpc)
	return t.interfaces, t.refused
}

func (w *auditedWorld) audit(t *testing.T, m inbound.Message) {
	t.Helper()
	a := &Audit{
		Account: hubAccount,
		Policy: hubpolicy.Policy{Hub: "networking", Policy: admission.Policy{
			Distribution: admission.Distribution{Create: 1},
			Teams:        []admission.Team{{Name: "team-a", Accounts: []string{teamAccount}, Spoke: true}},
		}},
		AdmitQueue: w, WireQueue: w,
		Registry: w, Shares: w, CloudFront: w, DNS: w, Bus: w, Meter: w, Log: slog.New(slog.DiscardHandler),
		Spoke: func(string) SpokeOrigins { return auditedTeam{w} }, Network: func(string) OwnerNetwork { return auditedTeam{w} },
		Current: func(context.Context, string) (bool, error) { return true, nil },
	}
	if err := a.Run(context.Background(), m); err != nil {
		t.Fatal(err)
	}
}

// A delete command for an origin of which nobody knows who uses it takes a team off the air.
func TestAuditCallsNoOriginUnusedWhoseUsersItCannotSee(t *testing.T) {
	now := time.Date(2035, 1, 8, 9, 0, 0, 0, time.UTC)
	w := &auditedWorld{
		now:     now,
		refused: &fault.GiveUp{Err: errors.New("AccessDenied")},
		origins: []origin.VpcOrigin{{
			Ref: origin.Ref{ID: "vo_a", ARN: "arn:aws:cloudfront::" + teamAccount + ":vpcorigin/vo_a", Account: teamAccount}, Deployed: true,
			Created: now.Add(-30 * 24 * time.Hour),
		}},
	}
	w.audit(t, inbound.Sweep{})
	if len(w.said) != 0 {
		t.Errorf("it said %+v", w.said)
	}
	w.refused = nil
	w.audit(t, inbound.Sweep{})
	if len(w.findings.Open) != 1 || w.findings.Open[0].Kind != string(audit.OriginUnused) {
		t.Errorf("when it can be seen: %+v", w.findings.Open)
	}
}

// What the hub sees by itself is resolved whether or not the owner's account can be read.
func TestAuditResolvesWhatItNeedsNoSpokeToSee(t *testing.T) {
	w := &auditedWorld{refused: &fault.GiveUp{Err: errors.New("AccessDenied")}, origins: []origin.VpcOrigin{{}}}
	w.findings.Open = []origin.OpenFinding{
		{Kind: string(audit.HostElsewhere), Subject: "team-a.example.com", Account: teamAccount},
		{Kind: string(audit.OriginUnused), Subject: "vo_a", Account: teamAccount},
		{Kind: string(audit.InterfacesLeft), Subject: "vpc", Account: teamAccount},
	}
	hidden := slices.Clone(w.findings.Open[1:])
	w.audit(t, inbound.Sweep{})
	if !reflect.DeepEqual(w.findings.Open, hidden) {
		t.Errorf("there still stands %+v", w.findings.Open)
	}
	if len(w.said) != 1 || w.said[0].Type != contract.LeakResolved {
		t.Errorf("it said %+v", w.said)
	}
}

// Every call of somebody in the hub's account runs the audit, and API calls are what that costs.
func TestAuditObservesWhatItIsAskedForAndNoMore(t *testing.T) {
	for _, c := range []struct {
		name string
		m    inbound.Message
		want []string
	}{
		{"an event that is refused", inbound.Refused{Why: "forged"}, []string{"registry"}},
		{"the hub's own call", inbound.CallHint{Call: inbound.UpdateDistribution, Account: hubAccount, Role: "arn:aws:iam::" + hubAccount + ":role/originhub/networking/wire"}, nil},
		{"one that was reported", inbound.CallHint{ID: "1", Call: inbound.UpdateDistribution, Account: hubAccount}, []string{"registry", "trigger"}},
		{"an update", inbound.CallHint{Call: inbound.UpdateDistribution, Account: hubAccount}, []string{"registry", "distributions", "distribution E1", "trigger"}},
		{"an update elsewhere", inbound.CallHint{Call: inbound.UpdateDistribution, Account: hubAccount, Target: "E2"}, []string{"registry", "distributions"}},
		{"a deleted share", inbound.CallHint{Call: inbound.DeleteResourceShare, Account: teamAccount}, []string{"registry", "distributions", "origins", "shares"}},
		{"a deleted share of an account without an origin", inbound.CallHint{Call: inbound.DeleteResourceShare, Account: "222222222222"}, []string{"registry"}},
		{
			"a deleted load balancer",
			inbound.CallHint{Call: inbound.DeleteLoadBalancer, Account: teamAccount, Target: "arn:aws:elasticloadbalancing:us-east-1:" + teamAccount + ":loadbalancer/app/a/1"},
			[]string{"registry", "origins of the team", "endpoint arn:aws:elasticloadbalancing:us-east-1:" + teamAccount + ":loadbalancer/app/a/1"},
		},
		{"an accepted invitation", inbound.CallHint{Call: inbound.AcceptResourceShareInvitation, Account: hubAccount, Target: "i"}, []string{"registry", "origins", "shares", "accepted i"}},
		{"a deleted origin", inbound.CallHint{Call: inbound.DeleteVpcOrigin, Account: teamAccount, Target: "vo_a"}, []string{"registry", "origins of the team"}},
		{"changed records", inbound.CallHint{Call: inbound.ChangeResourceRecordSets, Account: hubAccount}, []string{"registry", "distributions", "records"}},
		{"a sweep", inbound.Sweep{}, []string{"registry", "distributions", "origins", "shares", "records", "function originhub-networking-not-found", "origins of the team", "interfaces in us-east-1"}},
	} {
		w := &auditedWorld{findings: origin.Findings{Calls: []string{"1"}}, records: []origin.Record{{Ref: origin.Ref{ID: "vo_b", Account: teamAccount}, Intent: origin.Detach}}}
		w.audit(t, c.m)
		if !slices.Equal(w.called, c.want) {
			t.Errorf("%s: called %q, want %q", c.name, w.called, c.want)
		}
	}
}
