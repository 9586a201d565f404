package admission

import (
	"slices"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

// Terms returns what policy says of the distribution of that name, in the words of package wiring.
//
//	policy          names it             one that somebody deleted is
//	creates them    always               created again, as long as anything is to be in it
//	adopts them     as long as it does   replaced by whatever policy puts in its place; after that it is over
func (p Policy) Terms(distribution string) wiring.Terms {
	function := contract.NotFoundFunction(p.Hub)
	t := wiring.Terms{
		Named: true, CallerReference: p.CallerReference(distribution), Domain: p.Domain, HostedZone: p.HostedZone,
		Wildcard: p.HasWildcard(distribution), Limits: p.Limits.Size, Spacing: p.Updates.Spacing,
		NotFound: wiring.Function{Name: function, ARN: "arn:aws:cloudfront::" + p.Account() + ":function/" + function},
	}
	base := p.Distribution.Base
	if base == nil {
		t.Named, t.Adopt = slices.Contains(p.Distribution.Fleet(), distribution), p.Distribution.Adopted(distribution)
		return t
	}
	t.Base = &wiring.BaseSpec{Comment: base.Comment, PriceClass: base.PriceClass, HTTPVersion: base.HTTPVersion, Certificate: p.Certificate}
	if t.Wildcard {
		t.Base.Aliases = []string{"*." + p.Domain}
	}
	return t
}

// Spec returns what policy says of distribution d, whose configuration is c.
func (p Policy) Spec(d origin.Distribution, c *wiring.Config) wiring.Spec {
	return p.Terms(d.Name).Spec(d, c)
}

// HasWildcard reports whether the distribution of that name has the alias for all hosts. An alias is on one distribution only,
// and of two that match a host the more specific one wins
// (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/CNAMEs.html#alternate-domain-names-restrictions).
//
//	aliases   distribution  has it
//	wildcard  the first     yes
//	wildcard  another       no, but an alias for each of its hosts
//	per-host  any           no
func (p Policy) HasWildcard(distribution string) bool {
	return p.Aliases == Wildcard && distribution == origin.Main
}

// CallerReference returns what the distribution of that name is created from. A hub's name has no slash.
func (p Policy) CallerReference(distribution string) string {
	if distribution == origin.Main {
		return contract.CallerReference(p.Hub)
	}
	return contract.CallerReference(p.Hub) + "/" + distribution
}
