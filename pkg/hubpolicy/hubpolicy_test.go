package hubpolicy_test

import (
	"reflect"
	"testing"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/hubpolicy"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

// The hub recognizes a distribution that it created by its caller reference, which nobody can change.
func TestSpecOfADistribution(t *testing.T) {
	p := hubpolicy.Policy{
		Policy: admission.Policy{
			Distribution: admission.Distribution{Create: 2}, Domain: "example.com", Aliases: admission.Wildcard,
			Limits: admission.Limits{Size: origin.Size{Behaviors: 10}},
		},
		Hub: "networking", Certificate: "arn:aws:acm:us-east-1:100000000000:certificate/1",
	}
	want := wiring.Spec{
		Domain: "example.com", NotFound: "arn:aws:cloudfront::100000000000:function/originhub-networking-not-found",
		OwnedAliases: []string{"a.example.com"}, Limits: origin.Size{Origins: 100, Behaviors: 10, Aliases: 100},
	}
	for _, c := range []struct {
		name, reference   string
		created, wildcard bool
	}{
		{origin.Main, "originhub-networking", true, true},
		{origin.Main, "somebody", false, true},
		{"main-2", "originhub-networking/main-2", true, false},
		{"main-2", "originhub-networking", false, false},
	} {
		config, err := wiring.ParseConfig([]byte("<DistributionConfig><CallerReference>" + c.reference +
			"</CallerReference><Origins/><Enabled>true</Enabled></DistributionConfig>"))
		if err != nil {
			t.Fatal(err)
		}
		want.Created, want.Wildcard = c.created, c.wildcard
		if got := p.Spec(origin.Distribution{Name: c.name, Owned: origin.Owned{OwnedAliases: want.OwnedAliases}}, config); !reflect.DeepEqual(got, want) {
			t.Errorf("%s from %s: got %+v\nwant %+v", c.name, c.reference, got, want)
		}
	}
}

func TestTermsOfAnAdoptedDistribution(t *testing.T) {
	p := hubpolicy.Policy{Policy: admission.Policy{Distribution: admission.Distribution{Adopt: []string{"E1", "E2"}}}}
	for _, c := range []struct {
		name, adopt string
		named       bool
	}{{origin.Main, "E1", true}, {"E2", "E2", true}, {"E3", "E3", false}} {
		if got := p.Terms(c.name); got.Adopt != c.adopt || got.Named != c.named || got.Base != nil {
			t.Errorf("%s: got %+v", c.name, got)
		}
	}
}

func TestAdmitWindowGrowsWithTheAccounts(t *testing.T) {
	for accounts, want := range map[int]string{0: "5", 119: "5", 400: "20", 10_000: "60"} {
		p := hubpolicy.Policy{Policy: admission.Policy{Teams: []admission.Team{{Accounts: make([]string, accounts/2)}, {Accounts: make([]string, accounts-accounts/2)}}}}
		if got := p.Parameters()[hubpolicy.ParameterAdmitWindow]; got != want {
			t.Errorf("%d accounts: %s seconds, want %s", accounts, got, want)
		}
	}
}
