package admission_test

import (
	"reflect"
	"testing"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

func TestWhichDistributionHasTheWildcard(t *testing.T) {
	for _, c := range []struct {
		aliases      admission.AliasMode
		distribution string
		want         bool
	}{
		{admission.Wildcard, origin.Main, true},
		{admission.Wildcard, "main-2", false},
		{admission.PerHost, origin.Main, false},
	} {
		if got := (admission.Policy{Aliases: c.aliases}).HasWildcard(c.distribution); got != c.want {
			t.Errorf("%s on %s: got %t, want %t", c.aliases, c.distribution, got, c.want)
		}
	}
}

// The hub knows a distribution that it created by its caller reference, which nobody can change.
func TestSpecOfADistribution(t *testing.T) {
	p := admission.Policy{
		Hub: "networking", Distribution: admission.Distribution{Base: &admission.Base{Maximum: 2}}, Domain: "example.com", Aliases: admission.Wildcard, Limits: admission.Limits{Size: origin.Size{Behaviors: 10}},
		Certificate: "arn:aws:acm:us-east-1:100000000000:certificate/1",
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
