package admission_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/internal/growth"
	"github.com/originhub/originhub/pkg/origin"
)

// perDistribution is how many origins of the benchmarks are in one distribution.
const perDistribution = 70

// crowd returns a sweep over n live origins, and the result of reading their tags.
func crowd(n int) (admission.Round, []admission.Reading) {
	p := admission.Policy{Domain: "example.com", Aliases: admission.PerHost, Distribution: admission.Distribution{Create: n/perDistribution + 2}}
	p.Limits.PerTeam = origin.Size{Origins: 25, Behaviors: 25, Aliases: 33}
	r := admission.Round{Sweep: true, Registry: origin.Snapshot{Now: start, Refusals: map[string][]origin.Reason{}}}
	fleet := p.Distribution.Fleet()
	for _, name := range fleet {
		r.Registry.Distributions = append(r.Registry.Distributions, origin.Distribution{Name: name, Observation: origin.Observation{ObservedAt: start}})
	}
	var read []admission.Reading
	for i := range n {
		account, name := fmt.Sprintf("%012d", i), fmt.Sprintf("team-%06d", i)
		claim := origin.Claim{Hosts: []string{name + ".example.com"}, Paths: []string{"/" + name + "/*"}, Domain: name + ".internal.example.com"}
		p.Teams = append(p.Teams, admission.Team{
			Name: name, Accounts: []string{account}, Spoke: true, Grants: []admission.Grant{{Host: claim.Hosts[0], Paths: claim.Paths}},
		})
		o := origin.Record{
			Ref:  origin.Ref{ID: "vo_" + account, ARN: "arn:aws:cloudfront::" + account + ":vpcorigin/vo_" + account, Account: account},
			Team: name, Share: "share-" + account, Claim: claim, Distribution: fleet[i/perDistribution], Intent: origin.Wire, State: origin.Live,
			Generation: 1, Admitted: start.Add(-time.Duration(n-i) * time.Second),
		}
		r.Registry.Records = append(r.Registry.Records, o)
		offer := admission.Offer{Ref: o.Ref, Shares: []string{o.Share}}
		r.Offers = append(r.Offers, offer)
		r.Visible = append(r.Visible, origin.VpcOrigin{Ref: o.Ref, Deployed: true})
		read = append(read, admission.Reading{Offer: offer, Tags: map[string]string{
			contract.TagHost: claim.Hosts[0], contract.TagPaths: "/" + name + "/", contract.TagDomain: claim.Domain,
		}})
	}
	r.Policy = p
	return r, read
}

func BenchmarkUnpermitted(b *testing.B) {
	growth.EachSize(b, func(b *testing.B, n int) func() {
		r, _ := crowd(n)
		return func() {
			if all := admission.Unpermitted(r.Registry.Records, r.Policy); len(all) > 0 {
				b.Fatal(all)
			}
		}
	})
}

func BenchmarkDue(b *testing.B) {
	growth.EachSize(b, func(b *testing.B, n int) func() {
		r, _ := crowd(n)
		return func() {
			if due := r.Due(); len(due.Read) != n {
				b.Fatal(due)
			}
		}
	})
}

func BenchmarkDecideOfWhatIsLive(b *testing.B) {
	growth.EachSize(b, func(b *testing.B, n int) func() {
		r, read := crowd(n)
		return func() {
			if changes, _ := r.Decide(read); len(changes) > 0 {
				b.Fatal(len(changes))
			}
		}
	})
}

func BenchmarkDecideOfWhatIsNew(b *testing.B) {
	growth.EachSize(b, func(b *testing.B, n int) func() {
		r, read := crowd(n)
		r.Registry.Records = nil
		return func() {
			if changes, _ := r.Decide(read); len(changes) != n {
				b.Fatal(len(changes))
			}
		}
	})
}

func BenchmarkAfter(b *testing.B) {
	growth.EachSize(b, func(b *testing.B, n int) func() {
		r, _ := crowd(n)
		return func() {
			admission.Run{Round: r}.After()
		}
	})
}
