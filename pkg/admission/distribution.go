package admission

import (
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

// Spec returns what policy says of distribution d, whose configuration is c.
func (p Policy) Spec(d origin.Distribution, c *wiring.Config) wiring.Spec {
	return wiring.Spec{
		Domain: p.Domain, Wildcard: p.HasWildcard(d.Name), Created: c.CallerReference() == p.CallerReference(d.Name),
		NotFound: "arn:aws:cloudfront::" + p.Account() + ":function/" + contract.NotFoundFunction(p.Hub),
		Brought:  d.Brought, Limits: p.Limits.Within(d.Quotas()),
	}
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
