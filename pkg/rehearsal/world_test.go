package rehearsal

import (
	"encoding/json"
	"strings"
	"testing"
)

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
