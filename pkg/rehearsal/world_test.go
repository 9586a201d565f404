package rehearsal

import (
	"encoding/json"
	"strings"
	"testing"

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
		_, err := w.Deploy(HubAccount, Region, "originhub-networking", template, nil)
		return err
	}
	if err := deploy(failsLast(t, hub)); err == nil {
		t.Fatal("the broken template was deployed")
	}
	if err := deploy(hub); err != nil {
		t.Error(err)
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
	if len(retained) != 4 {
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
