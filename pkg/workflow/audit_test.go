package workflow

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/audit"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
)

const teamAccount = "111111111111"

// auditedWorld is a hub without a distribution, and a team's account. It keeps what was published.
type auditedWorld struct {
	now      time.Time
	findings origin.Findings
	origins  []origin.VpcOrigin // of the team
	refused  error              // what the team's account answers when asked who uses an origin
	said     []origin.Event
}

func (w *auditedWorld) Load(context.Context) (origin.Snapshot, error) {
	return origin.Snapshot{Now: w.now, Findings: w.findings}, nil
}

func (w *auditedWorld) PutFindings(_ context.Context, f origin.Findings) error {
	w.findings = f
	return nil
}

func (w *auditedWorld) Distribution(context.Context, string) (origin.Served, error) {
	return origin.Served{}, &fault.Absent{Err: errors.New("there is none")}
}

func (w *auditedWorld) Distributions(context.Context) ([]origin.Listed, error) { return nil, nil }
func (w *auditedWorld) Resources(context.Context) ([]origin.Shared, error)     { return nil, nil }
func (w *auditedWorld) Records(context.Context) ([]origin.DNSRecord, error)    { return nil, nil }
func (w *auditedWorld) VpcOrigins(context.Context) ([]origin.VpcOrigin, error) { return nil, nil }
func (w *auditedWorld) Count(string, int, ...contract.Dimension)               {}
func (w *auditedWorld) Seconds(string, time.Duration)                          {}
func (w *auditedWorld) Percent(string, float64, ...contract.Dimension)         {}
func (w *auditedWorld) Publish(_ context.Context, events ...origin.Event) error {
	w.said = append(w.said, events...)
	return nil
}

// auditedTeam is its team's account.
type auditedTeam struct{ *auditedWorld }

func (t auditedTeam) VpcOrigins(context.Context) ([]origin.VpcOrigin, error) { return t.origins, nil }
func (t auditedTeam) UsersOf(context.Context, string) ([]origin.User, error) { return nil, t.refused }

func (w *auditedWorld) audit(t *testing.T) {
	t.Helper()
	look := &Audit{
		Policy: admission.Policy{
			Distribution: admission.Distribution{Base: &admission.Base{}},
			Teams:        []admission.Team{{Name: "team-a", Accounts: []string{teamAccount}, Spoke: true}},
		},
		Registry: w, Shares: w, CloudFront: w, DNS: w, Bus: w, Meter: w, Log: slog.New(slog.DiscardHandler),
		Spoke: func(string) SpokeOrigins { return auditedTeam{w} },
	}
	if err := look.Run(context.Background(), inbound.Sweep{}); err != nil {
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
	w.audit(t)
	if len(w.said) != 0 {
		t.Errorf("it said %+v", w.said)
	}
	w.refused = nil
	w.audit(t)
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
	}
	unused := w.findings.Open[1]
	w.audit(t)
	if !slices.Equal(w.findings.Open, []origin.OpenFinding{unused}) {
		t.Errorf("there still stands %+v", w.findings.Open)
	}
	if len(w.said) != 1 || w.said[0].Type != contract.LeakResolved {
		t.Errorf("it said %+v", w.said)
	}
}

func TestAgeReadsAsPeopleSayIt(t *testing.T) {
	for d, want := range map[time.Duration]string{
		59 * time.Minute: "less than an hour", time.Hour: "1 hour", 47 * time.Hour: "47 hours", 48 * time.Hour: "2 days", 200 * time.Hour: "8 days",
	} {
		if got := age(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

// Two origins may stand behind one host, and each is a finding of its own: said once, not at every audit.
func TestFindingsOfOneHostAreToldApart(t *testing.T) {
	var a Audit
	now := time.Date(2035, 1, 8, 9, 0, 0, 0, time.UTC)
	found := []audit.Finding{
		{Kind: audit.HostElsewhere, Subject: "api.example.com", Origin: "vo_a", Team: "team-a", Risk: "a"},
		{Kind: audit.HostElsewhere, Subject: "api.example.com", Origin: "vo_b", Team: "team-b", Risk: "b"},
	}
	var first, second announcer
	open := a.compare(&first, nil, found, nil, now)
	open = a.compare(&second, open, found, nil, now.Add(24*time.Hour))
	if len(first.said.Events) != 2 || len(second.said.Events) != 0 || len(open) != 2 {
		t.Errorf("%d findings, %d the day after, %d open", len(first.said.Events), len(second.said.Events), len(open))
	}
	var third announcer
	a.compare(&third, open, found[:1], nil, now.Add(48*time.Hour))
	if len(third.said.Events) != 1 || third.said.Events[0].Type != contract.LeakResolved {
		t.Errorf("when one is mended: %v", third.said.Events)
	}
}
