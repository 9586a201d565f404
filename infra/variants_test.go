package infra

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/jsii-runtime-go"
	"github.com/google/go-cmp/cmp"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/hubpolicy"
	"github.com/originhub/originhub/pkg/origin"
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
		const distribution = "arn:aws:cloudfront::*:distribution/"
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

// The role of function wire gets the permissions that the policy states for adopted distributions, on what it names and on nothing else.
func TestPermissionsForAdoptedDistributions(t *testing.T) {
	const function = "arn:aws:lambda:us-east-1:100000000000:function:auth:7"
	wanted := map[string][]string{
		"s3:GetBucketAcl": {"arn:aws:s3:::logs"}, "s3:PutBucketAcl": {"arn:aws:s3:::logs"},
		"lambda:GetFunction": {function}, "lambda:EnableReplication*": {function}, "lambda:DisableReplication*": {function},
	}
	for _, stated := range []bool{false, true} {
		p := hubpolicy.Policy{Hub: "first", HostedZone: "Z0EXAMPLE", Updates: hubpolicy.Updates{Window: 5 * time.Second}}
		p.Domain, p.Distribution.Adopt = "example.com", []string{"EDFDVBD6EXAMPLE"}
		if stated {
			p.Permissions = origin.Permissions{LogBuckets: []string{"logs"}, EdgeFunctions: []string{function}}
		}
		hub := hubOf(t, p)
		for action, resources := range wanted {
			var got []string
			for _, s := range hub.allowing(action) {
				if s.principal == nil {
					got = append(got, s.resources...)
				}
			}
			if stated != slices.Equal(got, resources) {
				t.Errorf("stated %t: %s on %q", stated, action, got)
			}
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

// hubOf returns the hub's template with the parameters of a policy.
func hubOf(t *testing.T, p hubpolicy.Policy) template {
	t.Helper()
	return specialized(t, templates(t).anyHub, hubParameters(p))
}

// TestOneTemplateServesEveryPolicy synthesizes the stacks for policies that have little in common. The hub's template is the golden one,
// byte for byte, and its parameters are in the assembly: in the manifest for the sandbox, and in a file for the CDK CLI.
func TestOneTemplateServesEveryPolicy(t *testing.T) {
	golden := templates(t).anyHub
	adopting := hubpolicy.Policy{
		Policy: admission.Policy{
			Domain: "other.example.org", Distribution: admission.Distribution{Adopt: []string{"EDFDVBD6EXAMPLE", "E2QWRUHEXAMPLE"}, DryRun: true},
			Teams: []admission.Team{
				{Name: "a", Accounts: []string{"444444444444", "555555555555"}, Spoke: true}, {Name: "b", Accounts: []string{"666666666666"}},
			},
		},
		Hub: "another", HostedZone: "Z0OTHER", Certificate: "arn:aws:acm:us-east-1:777777777777:certificate/1", ExternalID: "xyz=1,2:3",
		Updates: hubpolicy.Updates{Window: 0},
	}
	creating := hubpolicy.Policy{
		Policy: admission.Policy{
			Domain: "example.com", Distribution: admission.Distribution{Create: 3}, Shares: admission.Shares{External: true},
		},
		Hub: "networking", Organization: "o-exampleorg1", HostedZone: "Z0EXAMPLE", Certificate: "arn:aws:acm:us-east-1:100000000000:certificate/1",
		Updates: hubpolicy.Updates{Window: 5 * time.Second},
	}
	for name, p := range map[string]hubpolicy.Policy{"adopts, no organization": adopting, "creates, in an organization": creating} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			app := newApp(jsii.String(dir))
			s := settings{PolicyFile: rehearsalPolicy, Policy: p}
			code, err := packStandIns(dir, s)
			if err != nil {
				t.Fatal(err)
			}
			defer code.remove()
			packages, err := newStacks(app, s, code)
			if err != nil {
				t.Fatal(err)
			}
			app.Synth(nil)
			if err := writeParameters(dir, p, packages); err != nil {
				t.Fatal(err)
			}
			hub, err := readTemplate(dir, "hub")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(golden), string(hub.raw)); diff != "" {
				t.Errorf("the template depends on the policy: %s", diff)
			}
			checkParameters(t, dir, p)
		})
	}
}

// checkParameters checks that an assembly has all parameters of the hub's template, and that each package is among its assets.
func checkParameters(t *testing.T, dir string, p hubpolicy.Policy) {
	t.Helper()
	var manifest struct {
		Artifacts struct {
			Hub struct {
				Properties struct{ Parameters map[string]string }
			}
		}
	}
	var assets struct {
		Files map[string]struct {
			Destinations map[string]struct{ BucketName, ObjectKey string }
		}
	}
	for file, into := range map[string]any{"manifest.json": &manifest, "hub.assets.json": &assets} {
		raw, err := os.ReadFile(filepath.Join(dir, file))
		if err == nil {
			err = json.Unmarshal(raw, into)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	published := map[string]bool{}
	for _, f := range assets.Files {
		for _, d := range f.Destinations {
			published[d.BucketName+"/"+d.ObjectKey] = true
		}
	}
	got := manifest.Artifacts.Hub.Properties.Parameters
	for _, function := range contract.Functions() {
		if at := got[contract.CodeBucket] + "/" + got[contract.CodeKey(function)]; !published[at] {
			t.Errorf("%s is not an asset: %v", at, published)
		}
	}
	want := p.Parameters()
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s is %q in the manifest, want %q", name, got[name], value)
		}
	}
	specialized(t, templates(t).anyHub, got) // every parameter has a value, and there is no other
	raw, err := os.ReadFile(filepath.Join(dir, "hub.parameters"))
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]string{}
	for line := range strings.Lines(string(raw)) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		listed[name] = value
	}
	if !maps.Equal(listed, got) {
		t.Errorf("hub.parameters has %v, and the manifest %v", listed, got)
	}
}

// traced returns the hub's template with tracing.
func traced(t *testing.T, p hubpolicy.Policy) template {
	t.Helper()
	dir := t.TempDir()
	app := newApp(jsii.String(dir))
	newHubStack(app, "hub", hubProps{Hub: p.Hub, Account: "100000000000", Tracing: true})
	app.Synth(nil)
	hub, err := readTemplate(dir, "hub")
	if err != nil {
		t.Fatal(err)
	}
	return specialized(t, hub.raw, hubParameters(p))
}
