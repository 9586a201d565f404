package audit_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/audit"
	"github.com/originhub/originhub/pkg/hubpolicy"
	"github.com/originhub/originhub/pkg/internal/growth"
	"github.com/originhub/originhub/pkg/origin"
)

// crowd returns what a sweep observes of a hub with n live origins, each of its own team.
func crowd(n int) audit.Observed {
	const perDistribution = 70
	s := origin.Snapshot{Now: time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)}
	p := hubpolicy.Policy{Policy: admission.Policy{Domain: "example.com", Distribution: admission.Distribution{Create: n/perDistribution + 1}}}
	fleet := p.Distribution.Fleet()
	var listed []origin.Listed
	var o audit.Observed
	for i := range n {
		account, name := fmt.Sprintf("%012d", i), fmt.Sprintf("team-%06d", i)
		distribution := fleet[i/perDistribution]
		if i%perDistribution == 0 {
			s.Distributions = append(s.Distributions, origin.Distribution{Name: distribution, Identity: origin.Identity{ID: "E" + distribution, Domain: distribution + ".cloudfront.net"}})
			listed = append(listed, origin.Listed{ID: "E" + distribution, Domain: distribution + ".cloudfront.net", Enabled: true})
		}
		p.Teams = append(p.Teams, admission.Team{Name: name, Accounts: []string{account}, Spoke: true})
		r := origin.Record{
			Ref:  origin.Ref{ID: "vo_" + account, ARN: "arn:aws:cloudfront::" + account + ":vpcorigin/vo_" + account, Account: account},
			Team: name, Share: "share", Claim: origin.Claim{Hosts: []string{name + ".example.com"}, Paths: []string{"/" + name + "/*"}}, Distribution: distribution,
			Intent: origin.Wire, State: origin.Live,
		}
		s.Records = append(s.Records, r)
		d := &listed[len(listed)-1]
		d.Aliases = append(d.Aliases, r.Claim.Hosts[0])
		d.Origins = append(d.Origins, origin.ListedOrigin{ID: "originhub-" + r.ID, VPCOrigin: r.ID})
		d.Behaviors = append(d.Behaviors, origin.ListedBehavior{Path: r.Claim.Paths[0], Target: "originhub-" + r.ID})
		o.Offered = append(o.Offered, origin.Resource{Share: r.Share, ARN: r.ARN})
		o.Visible = append(o.Visible, origin.VpcOrigin{Ref: r.Ref, Deployed: true})
		o.Owned = append(o.Owned, audit.Owned{VpcOrigin: origin.VpcOrigin{Ref: r.Ref, Deployed: true}, Users: []origin.User{{Distribution: d.ID, Account: "hub"}}})
		o.DNS = append(o.DNS, origin.DNSRecord{Name: r.Claim.Hosts[0], Type: "A", Target: d.Domain})
	}
	begun := audit.Begin(audit.Hub{Policy: p, Account: "hub"}, s)
	begun.Listed, begun.Offered, begun.Visible, begun.Owned, begun.DNS = listed, o.Offered, o.Visible, o.Owned, o.DNS
	return begun
}

func BenchmarkSweep(b *testing.B) {
	growth.EachSize(b, func(b *testing.B, n int) func() {
		o := crowd(n)
		return func() {
			o.Hidden()
			o.Unrecorded()
			if d := audit.DecideSweep(o); len(d.Events) > 0 {
				b.Fatal(d.Events[0])
			}
		}
	})
}

// Nothing is shared any more, so that each origin is a finding, which was reported before.
func BenchmarkSweepThatFindsEverything(b *testing.B) {
	growth.EachSize(b, func(b *testing.B, n int) func() {
		o := crowd(n)
		o.Offered = nil
		o.Findings.Open = nil
		for _, f := range audit.Audit(o) {
			o.Findings.Open = append(o.Findings.Open, origin.OpenFinding{Kind: string(f.Kind), Subject: f.Subject, Origin: f.Origin, Team: f.Team})
		}
		return func() {
			if d := audit.DecideSweep(o); len(d.Events) > 0 {
				b.Fatal(d.Events[0])
			}
		}
	})
}
