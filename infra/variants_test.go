package infra

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/hubpolicy"
)

// A hub that adopts distributions may create none, and may change no others.
func TestHubOfAnAdoptedDistribution(t *testing.T) {
	p := hubpolicy.Policy{
		Policy: admission.Policy{
			Domain: "example.com", Distribution: admission.Distribution{Adopt: []string{"EDFDVBD6EXAMPLE", "E2QWRUHEXAMPLE"}},
		},
		Hub: "first", HostedZone: "Z0EXAMPLE", Updates: hubpolicy.Updates{Window: 5 * time.Second},
	}
	hub := hubOf(t, p)
	for _, action := range []string{"cloudfront:CreateDistribution", "cloudfront:CreateFunction"} {
		if len(hub.allowing(action)) != 0 {
			t.Errorf("a hub that adopts its distributions may %s", action)
		}
	}
	for _, s := range hub.allowing("cloudfront:UpdateDistribution") {
		const distribution = "arn:aws:cloudfront::${AWS::AccountId}:distribution/"
		if want := []string{distribution + "EDFDVBD6EXAMPLE", distribution + "E2QWRUHEXAMPLE"}; !slices.Equal(s.resources, want) {
			t.Errorf("it may update %v, want %v", s.resources, want)
		}
	}
	// It has no team yet, so it assumes no role, and admits no account to its bus.
	for _, s := range hub.allowing("sts:AssumeRole") {
		if s.principal == nil {
			t.Errorf("%s of a hub without teams may assume %v", s.place, s.resources)
		}
	}
	for id, r := range hub.Resources {
		if r.Type == "AWS::Events::EventBusPolicy" {
			t.Errorf("%s lets somebody put events on the bus of a hub without teams", id)
		}
	}
}

// Inside an organization that accepts no invitations, the hub assumes roles of this organization only.
func TestHubAssumesRolesOfItsOrganization(t *testing.T) {
	for name, c := range map[string]struct {
		policy hubpolicy.Policy
		want   any
	}{
		"organization only":          {hubpolicy.Policy{Organization: "o-exampleorg1"}, "o-exampleorg1"},
		"organization and outsiders": {hubpolicy.Policy{Organization: "o-exampleorg1", Policy: admission.Policy{Shares: admission.Shares{External: true}}}, nil},
		"no organization":            {hubpolicy.Policy{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := c.policy
			p.Hub, p.Domain, p.HostedZone, p.ExternalID = "first", "example.com", "Z0EXAMPLE", "abc"
			p.Distribution.Adopt = []string{"EDFDVBD6EXAMPLE"}
			p.Teams = []admission.Team{{Name: "team-a", Accounts: []string{"111111111111"}, Spoke: true}}
			for _, s := range hubOf(t, p).allowing("sts:AssumeRole") {
				equals, _ := s.condition["StringEquals"].(map[string]any)
				if s.principal == nil && equals["aws:ResourceOrgID"] != c.want {
					t.Errorf("%s may assume roles of organization %v, want %v", s.place, equals["aws:ResourceOrgID"], c.want)
				}
			}
		})
	}
}

// Accounts outside the organization may use the bus only if the policy says so.
func TestBusInsideAnOrganization(t *testing.T) {
	team := admission.Team{Name: "team-a", Accounts: []string{"111111111111"}, Spoke: true}
	for name, c := range map[string]struct {
		policy hubpolicy.Policy
		want   []string
	}{
		"organization only":          {hubpolicy.Policy{Organization: "o-exampleorg1"}, []string{"Organization"}},
		"organization and outsiders": {hubpolicy.Policy{Organization: "o-exampleorg1", External: []string{"team-a"}}, []string{"Accounts", "Organization"}},
		"no organization":            {hubpolicy.Policy{}, []string{"Accounts"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := c.policy
			p.Hub, p.Domain, p.HostedZone, p.Teams = "first", "example.com", "Z0EXAMPLE", []admission.Team{team}
			p.Distribution.Adopt = []string{"EDFDVBD6EXAMPLE"}
			var got []string
			for _, r := range hubOf(t, p).Resources {
				if r.Type == "AWS::Events::EventBusPolicy" {
					got = append(got, r.Properties["StatementId"].(string))
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("bus policies %v, want %v", got, c.want)
			}
		})
	}
}

func hubOf(t *testing.T, p hubpolicy.Policy) template { return hubWith(t, hubProps{Policy: p}) }

func hubWith(t *testing.T, p hubProps) template {
	t.Helper()
	dir := t.TempDir()
	code, err := packStandIns(dir, settings{PolicyFile: rehearsalPolicy})
	if err != nil {
		t.Fatal(err)
	}
	defer code.remove()
	p.Code = code
	p.Policy.Certificate = "arn:aws:acm:us-east-1:100000000000:certificate/1"
	app := newApp(jsii.String(dir))
	newHubStack(app, "hub", p)
	app.Synth(nil)
	hub, err := readTemplate(dir, "hub")
	if err != nil {
		t.Fatal(err)
	}
	return hub
}
