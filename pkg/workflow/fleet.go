package workflow

import (
	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

// specOf is what policy says of one distribution, whose configuration is c.
func specOf(p admission.Policy, d origin.Distribution, c *wiring.Config) wiring.Spec {
	return wiring.Spec{
		Domain: p.Domain, Wildcard: wildcard(p, d.Name), Created: c.CallerReference() == callerReference(p, d.Name),
		NotFound: "arn:aws:cloudfront::" + p.Account() + ":function/" + contract.NotFoundFunction(p.Hub),
		Brought:  d.Brought, Limits: p.Limits.Within(d.Quotas()),
	}
}

// wildcard tells whether a distribution has the alias for all hosts. An alias is on one distribution only
// (CNAMEAlreadyExists), and a more specific one wins (facts/aws.md section 7), so that others have one for each of their hosts.
func wildcard(p admission.Policy, distribution string) bool {
	return p.Aliases == admission.Wildcard && distribution == origin.Main
}

// callerReference is what a distribution is created from. A hub's name has no slash.
func callerReference(p admission.Policy, distribution string) string {
	if distribution == origin.Main {
		return contract.CallerReference(p.Hub)
	}
	return contract.CallerReference(p.Hub) + "/" + distribution
}
