package rehearsal

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/originhub/originhub/pkg/rehearsal/inprocess"
	"github.com/originhub/originhub/pkg/sandbox"
)

// A first deployment of the hub that fails leaves nothing that blocks the next one, such as a bus of the same name.
func TestFailedFirstDeploymentBlocksNoOther(t *testing.T) {
	w, err := New(Options{AccountsOnly: true, Templates: "../../infra/testdata", Sandbox: sandbox.Options{Handlers: inprocess.Start}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	hub, err := readBeside("../../infra/testdata", "hub.template.json")
	if err != nil {
		t.Fatal(err)
	}
	deploy := func(template []byte) error {
		_, err := w.Deploy(HubAccount, Region, "originhub-networking", template, w.parameters())
		return err
	}
	if err := deploy(failsLast(t, hub)); err == nil {
		t.Fatal("the broken template was deployed")
	}
	if err := deploy(hub); err != nil {
		t.Error(err)
	}
}

// The templates that are deployed everywhere serve a thousand accounts, and a sweep over them completes.
func TestThousandAccountsAreDeployedAndSwept(t *testing.T) {
	t.Parallel()
	golden, err := readBeside("../../infra/testdata", "policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(string(golden), "teams:\n")
	text += "teams:\n"
	for i := range 1000 {
		text += fmt.Sprintf("- {name: t%[1]d, accounts: ['2%011[1]d'], grants: [{host: t%[1]d.example.com, paths: [/t%[1]d/*]}]}\n", i)
	}
	w, err := New(Options{
		Templates: "../../infra/testdata", Policy: []byte(text), OwnAccounts: true, Sandbox: sandbox.Options{Handlers: inprocess.Start},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	var ids []string
	for _, i := range []int{0, 999} {
		team := NewActor(w.Sandbox, "team", fmt.Sprintf("2%011d", i))
		o, err := team.Create(t.Context(), "o", "team", ClaimTags(fmt.Sprintf("t%d.example.com", i), fmt.Sprintf("/t%d/", i)))
		if err != nil {
			t.Fatal(err)
		}
		w.Advance(30 * time.Minute) // until it is Deployed
		if _, err := team.Share(t.Context(), "s", o.ARN); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, o.ID)
	}
	w.Advance(time.Hour)
	_, distribution, err := NewStage(w).Distribution(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if !strings.Contains(string(distribution), id) {
			t.Errorf("VPC origin %s is not in the distribution: %s", id, distribution)
		}
	}
	alarms, err := cloudwatch.NewFromConfig(w.Config(HubAccount, Region)).DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range alarms.MetricAlarms {
		if a.StateValue == "ALARM" {
			t.Errorf("%s is in alarm: %s", *a.AlarmName, *a.StateReason)
		}
	}
}

// failsLast adds to a template a resource that cannot be created, and that comes after all that is retained.
func failsLast(t *testing.T, text []byte) []byte {
	t.Helper()
	var template map[string]any
	if err := json.Unmarshal(text, &template); err != nil {
		t.Fatal(err)
	}
	resources := template["Resources"].(map[string]any)
	var retained []string
	for id, r := range resources {
		if policy, ok := r.(map[string]any)["DeletionPolicy"].(string); ok && policy != "Delete" {
			retained = append(retained, id)
		}
	}
	if len(retained) != 6 {
		t.Errorf("%d resources are retained: %v", len(retained), retained)
	}
	resources["Broken"] = map[string]any{
		"Type": "AWS::Lambda::Permission", "DependsOn": retained,
		"Properties": map[string]any{"Action": "lambda:InvokeFunction", "FunctionName": "no-such-function", "Principal": "events.amazonaws.com"},
	}
	text, err := json.Marshal(template)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A world from the caller's policy has the accounts, the organization and the zone of that policy, and none of the demo's.
func TestWorldFromTheCallersPolicy(t *testing.T) {
	w, err := New(Options{AccountsOnly: true, OwnAccounts: true, Policy: []byte(`version: 1
hub: networking
organization: o-a1b2c3d4e5
distribution: {base: {}}
domain: acme.io
hostedZone: Z08271353BNH2ZKXQMP1C
certificate: arn:aws:acm:us-east-1:739275409381:certificate/11111111-2222-4333-8444-555555555555
spokes: {externalId: 0c4a6e2f91}
teams:
  - {name: team-a, accounts: ["739275409382"], grants: [{host: team-a.acme.io, paths: ["/team-a/*"]}]}
`)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	state, err := json.Marshal(w.State()["accounts"])
	if err != nil {
		t.Fatal(err)
	}
	for _, own := range []string{`"739275409381"`, `"739275409382"`, "Z08271353BNH2ZKXQMP1C", "acme.io"} {
		if !strings.Contains(string(state), own) {
			t.Errorf("the world lacks %s: %s", own, state)
		}
	}
	if strings.Contains(string(state), HubAccount) {
		t.Errorf("the world has the demo's hub: %s", state)
	}
}
