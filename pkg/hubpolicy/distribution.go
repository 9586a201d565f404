package hubpolicy

import (
	"slices"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

// Terms returns what the policy says about the distribution of that name, as package wiring takes it.
//
//	policy          names the distribution       a distribution that somebody deleted is
//	creates them    always                       created again, as long as an origin is to be wired into it
//	adopts them     while its id is in adopt     replaced by the distribution that adopt lists in its place, or else given up
func (p Policy) Terms(distribution string) wiring.Terms {
	function := contract.NotFoundFunction(p.Hub)
	t := wiring.Terms{
		Named: true, CallerReference: p.CallerReference(distribution), Domain: p.Domain, HostedZone: p.HostedZone, Certificate: p.Certificate,
		Wildcard: p.HasWildcard(distribution), Limits: p.Limits.Size, DryRun: p.Distribution.DryRun, Spacing: p.Updates.Spacing,
		NotFound: wiring.Function{Name: function, ARN: "arn:aws:cloudfront::" + p.Account() + ":function/" + function},
	}
	if p.Distribution.Create == 0 {
		t.Permissions = p.Permissions
		for _, team := range p.Teams {
			for _, g := range team.Grants {
				t.Granted = append(t.Granted, g.Paths...)
			}
		}
		t.Named, t.Adopt = slices.Contains(p.Distribution.Fleet(), distribution), p.adopted(distribution)
		return t
	}
	t.Base = &wiring.BaseSpec{
		Comment: p.Created.Comment, PriceClass: p.Created.PriceClass, HTTPVersion: p.Created.HTTPVersion, Certificate: p.Certificate,
		WebACL: p.Created.WebACL, LogBucket: p.Created.LogBucket, ResponseHeaders: p.Created.ResponseHeaders,
	}
	t.Permissions.LogBuckets = p.logBuckets()
	if t.Wildcard {
		t.Base.Aliases = []string{"*." + p.Domain}
	}
	return t
}

// Pace returns what limits the updates of all distributions together. A distribution that waits asks again through the queue of function
// wire, where Lambda collects messages for the window.
func (p Policy) Pace() wiring.Pace {
	return wiring.Pace{PerMinute: p.Updates.PerMinute, Late: p.Updates.Window + time.Minute}
}

// adopted returns the id of the adopted distribution of that name: the first is named main, each other one by its id.
func (p Policy) adopted(distribution string) string {
	if distribution == origin.Main {
		return p.Distribution.Adopt[0]
	}
	return distribution
}

// Spec returns what the policy says about distribution d, whose configuration is c.
func (p Policy) Spec(d origin.Distribution, c *wiring.Config) wiring.Spec {
	return p.Terms(d.Name).Spec(d, c)
}

// CallerReference returns the caller reference with which the hub creates the distribution of that name. It differs for each
// distribution of each hub, since the name of a hub contains no slash.
func (p Policy) CallerReference(distribution string) string {
	if distribution == origin.Main {
		return contract.CallerReference(p.Hub)
	}
	return contract.CallerReference(p.Hub) + "/" + distribution
}
