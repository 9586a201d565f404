package wiring

import (
	"slices"
	"time"

	"github.com/originhub/originhub/pkg/origin"
)

// Terms are what policy says of one distribution.
type Terms struct {
	Named           bool      // policy names the distribution; one that it names no more keeps what is in it
	Adopt           string    // id of the existing distribution that policy puts here; "" if the hub creates it
	Base            *BaseSpec // what the hub creates it from, all but NotFound; nil if it is adopted
	CallerReference string    // what the hub's own distribution of this name is created from
	Domain          string
	HostedZone      string
	Wildcard        bool // one alias stands for every host
	NotFound        Function
	Limits          origin.Size
	Spacing         time.Duration // least time between two updates
}

// Function is a CloudFront Function of the hub.
type Function struct{ Name, ARN string }

// Spec is what a distribution's part of the hub has to look like. A distribution that was created from the hub's reference is the
// hub's own, even if policy adopts it.
func (t Terms) Spec(d origin.Distribution, c *Config) Spec {
	return Spec{
		Domain: t.Domain, Wildcard: t.Wildcard, Created: c.CallerReference() == t.CallerReference, NotFound: t.NotFound.ARN, OwnedAliases: d.OwnedAliases,
		Limits: t.limits(d),
	}
}

// limits are the lower of policy's and CloudFront's.
func (t Terms) limits(d origin.Distribution) origin.Size { return t.Limits.Within(d.Quotas()) }

// Fleet lists the distributions to look after: those that policy names, and those that it names no more and that have anything in
// them.
func Fleet(named []string, s origin.Snapshot) []string {
	fleet := slices.Clone(named)
	for _, d := range s.Distributions {
		if !slices.Contains(named, d.Name) && s.InUse(d.Name) {
			fleet = append(fleet, d.Name)
		}
	}
	return fleet
}
