package wiring

import (
	"slices"
	"time"

	"github.com/originhub/originhub/pkg/origin"
)

// Terms is what policy says about one distribution.
type Terms struct {
	Named           bool      // policy names the distribution; one that it no longer names keeps its origins
	Adopt           string    // id of the existing distribution to adopt; "" if the hub creates one
	Base            *BaseSpec // the new distribution, without NotFound; nil if one is adopted
	CallerReference string    // of the distribution that the hub creates under this name
	Domain          string
	HostedZone      string
	Certificate     string   // ARN of the certificate for the hosts under Domain
	Wildcard        bool     // one alias covers every host
	Granted         []string // the paths that policy grants
	Permissions     origin.Permissions
	NotFound        Function
	Limits          origin.Size
	DryRun          bool          // decide and report, and write nothing to CloudFront and Route 53
	Spacing         time.Duration // minimum time between two updates
}

// Function is a CloudFront Function of the hub.
type Function struct{ Name, ARN string }

// Spec returns what the managed part of distribution d has to be like. A distribution that was created with the hub's caller reference
// counts as created by the hub, even if policy adopts it.
func (t Terms) Spec(d origin.Distribution, c *Config) Spec {
	headers := ""
	if t.Base != nil {
		headers = t.Base.ResponseHeaders
	}
	return Spec{
		ResponseHeaders: headers,
		Domain:          t.Domain, Wildcard: t.Wildcard, Created: c.CallerReference() == t.CallerReference, NotFound: t.NotFound.ARN, OwnedAliases: d.OwnedAliases,
		Limits: t.limits(d),
	}
}

// limits returns the lower of policy's limits and CloudFront's quotas.
func (t Terms) limits(d origin.Distribution) origin.Size { return t.Limits.Within(d.Quotas()) }

// Fleet returns the names of the distributions that function wire maintains: those that policy names, and those that it no longer names
// but that still have origins or released hosts.
func Fleet(named []string, s origin.Snapshot) []string {
	fleet := slices.Clone(named)
	for _, d := range s.Distributions {
		if !slices.Contains(named, d.Name) && s.InUse(d.Name) {
			fleet = append(fleet, d.Name)
		}
	}
	return fleet
}
