package wiring_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/internal/growth"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

// perDistribution is how many origins of the benchmarks are in one distribution.
const perDistribution = 70

// crowd returns the registry of n origins.
func crowd(n int, state origin.State) (origin.Snapshot, []origin.DNSRecord) {
	s := origin.Snapshot{Now: time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)}
	var zone []origin.DNSRecord
	for i := range n {
		account, name := fmt.Sprintf("%012d", i), fmt.Sprintf("team-%06d", i)
		distribution := fmt.Sprintf("main-%d", i/perDistribution)
		if i%perDistribution == 0 {
			s.Distributions = append(s.Distributions, origin.Distribution{Name: distribution, Identity: origin.Identity{ID: "E" + distribution, Domain: distribution + ".cloudfront.net"}})
		}
		s.Records = append(s.Records, origin.Record{
			Ref:  origin.Ref{ID: "vo_" + account, ARN: "arn:aws:cloudfront::" + account + ":vpcorigin/vo_" + account, Account: account},
			Team: name, Claim: origin.Claim{Hosts: []string{name + ".example.com"}, Paths: []string{"/" + name + "/*"}},
			ReleasedHosts: []string{"old-" + name + ".example.com"}, Distribution: distribution, Intent: origin.Wire, State: state, Admitted: s.Now.Add(time.Duration(i) * time.Second),
		})
		for _, kind := range []string{"A", "AAAA"} {
			zone = append(zone, origin.DNSRecord{Name: name + ".example.com", Type: kind, Target: distribution + ".cloudfront.net"})
		}
	}
	return s, zone
}

func BenchmarkPlaces(b *testing.B) {
	for name, fits := range map[string]bool{"fits": true, "deferred": false} {
		b.Run(name, func(b *testing.B) {
			growth.EachSize(b, func(b *testing.B, n int) func() {
				s, _ := crowd(n, origin.Pending)
				var requests []wiring.Request
				for _, o := range s.Records {
					o.ReleasedHosts = nil
					requests = append(requests, wiring.Request{Record: o})
				}
				var distributions []wiring.Capacity
				for _, d := range s.Distributions[:map[bool]int{true: len(s.Distributions), false: 1}[fits]] {
					distributions = append(distributions, wiring.Capacity{Name: d.Name, Title: d.Title(), Limits: origin.Size{Origins: 100, Behaviors: 75, Aliases: 100}})
				}
				return func() {
					if places := wiring.Places(requests, distributions); len(places) != n {
						b.Fatal(len(places))
					}
				}
			})
		})
	}
}

func BenchmarkHostConflicts(b *testing.B) {
	growth.EachSize(b, func(b *testing.B, n int) func() {
		s, _ := crowd(n, origin.Pending)
		return func() {
			if conflicts := wiring.HostConflicts(s.Records, s.Records); len(conflicts) > 0 {
				b.Fatal(conflicts)
			}
		}
	})
}

func BenchmarkStillReleased(b *testing.B) {
	growth.EachSize(b, func(b *testing.B, n int) func() {
		s, _ := crowd(n, origin.Live)
		var aliases []string
		for _, o := range s.Records {
			aliases = append(aliases, o.ReleasedHosts...)
		}
		return func() {
			wiring.StillReleased(s.Records, aliases)
		}
	})
}

func BenchmarkRecords(b *testing.B) {
	growth.EachSize(b, func(b *testing.B, n int) func() {
		s, zone := crowd(n, origin.Live)
		var domains []string
		for _, d := range s.Distributions {
			domains = append(domains, d.Domain)
		}
		return func() {
			if p := wiring.Records(s.Records, "main-0.cloudfront.net", nil, domains, true, zone); len(p.Refused) > 0 {
				b.Fatal(len(p.Refused))
			}
		}
	})
}
