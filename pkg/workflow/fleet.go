package workflow

import (
	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

func specOf(p admission.Policy, d origin.Distribution, c *wiring.Config) wiring.Spec {
	return p.Spec(d, c)
}

func wildcard(p admission.Policy, distribution string) bool { return p.HasWildcard(distribution) }

func callerReference(p admission.Policy, distribution string) string {
	return p.CallerReference(distribution)
}
