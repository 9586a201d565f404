package admission

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/originhub/originhub/pkg/origin"
)

// plainUntaken is untaken with a walk over all records.
func plainUntaken(id string, c origin.Claim, t Team, p Policy, registry []origin.Record) []Reason {
	var out []Reason
	var holders []string
	for i := range registry {
		other := &registry[i]
		if other.ID == id || !other.Reserves() {
			continue
		}
		if r, taken := takes(id, other, c, t, p); taken {
			at, _ := slices.BinarySearch(holders, other.ID)
			holders, out = slices.Insert(holders, at, other.ID), slices.Insert(out, at, r)
		}
	}
	return out
}

// plainSizes is claims.with with a walk over all records.
func plainSizes(id string, c origin.Claim, t Team, p Policy, registry []origin.Record) (had, has origin.Size) {
	var rest, now []origin.Record
	for i := range registry {
		other := &registry[i]
		ofTeam := slices.Contains(t.Accounts, other.Account) || other.Team == t.Name && p.teamOf(other) == t.Name
		switch {
		case !other.Reserves() || !ofTeam:
		case other.ID == id:
			now = append(now, *other)
		default:
			rest = append(rest, *other)
		}
	}
	return plainSize(slices.Concat(rest, now)), plainSize(append(rest, origin.Record{Ref: origin.Ref{ID: id}, Claim: c}))
}

func plainSize(records []origin.Record) origin.Size {
	ids, hosts, behaviors := map[string]bool{}, map[string]bool{}, 0
	for _, r := range records {
		ids[r.ID] = true
		for _, h := range r.Claim.Hosts {
			hosts[h] = true
		}
		behaviors += len(r.Claim.Paths)
	}
	return origin.Size{Origins: len(ids), Behaviors: behaviors, Aliases: len(hosts)}
}

// plainReserved is Policy.reserved with a walk over all entries.
func plainReserved(p Policy, host string) string {
	for _, r := range p.Reserved {
		if r == host || coversHost(r, host) {
			return r
		}
	}
	return ""
}

func drawIndexed(t *rapid.T, id string) origin.Record {
	path := rapid.Custom(func(t *rapid.T) string {
		return "/" + rapid.StringOfN(rapid.RuneFrom([]rune("ab/*?")), 0, 4, -1).Draw(t, "path")
	})
	host := rapid.SampledFrom([]string{"a.example.com", "b.example.com", "c.example.com"})
	account := rapid.IntRange(1, 5).Draw(t, "account") // the last two belong to no team
	return origin.Record{
		Ref:    origin.Ref{ID: id, Account: fmt.Sprint(account)},
		Team:   rapid.SampledFrom([]string{"team-a", "team-b", "team-z"}).Draw(t, "team"),
		Claim:  Normal(origin.Claim{Hosts: rapid.SliceOfN(host, 0, 3).Draw(t, "hosts"), Paths: rapid.SliceOfN(path, 0, 3).Draw(t, "paths")}),
		Intent: rapid.SampledFrom([]origin.Intent{origin.Wire, origin.Wire, origin.Detach}).Draw(t, "intent"),
	}
}

func TestIndexOfClaimsAgreesWithAWalk(t *testing.T) {
	p := Policy{Teams: []Team{{Name: "team-a", Accounts: []string{"1", "2"}}, {Name: "team-b", Accounts: []string{"3"}}}}
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.Map(rapid.IntRange(0, 5), func(i int) string { return fmt.Sprintf("vo_%d", i) })
		var plain []origin.Record
		for range rapid.IntRange(0, 4).Draw(t, "before") {
			plain = append(plain, drawIndexed(t, id.Draw(t, "id")))
		}
		is := newClaims(p, plain)
		plain = slices.Clone(plain)
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			r := drawIndexed(t, id.Draw(t, "id"))
			at := slices.IndexFunc(plain, func(o origin.Record) bool { return o.ID == r.ID })
			switch stays := rapid.Bool().Draw(t, "stays"); {
			case stays:
				is.add(r)
				plain = append(plain, r)
			case at < 0:
				is.replace(r)
				plain = append(plain, r)
			default:
				is.replace(r)
				plain[at] = r
			}
			asks := drawIndexed(t, id.Draw(t, "id"))
			for _, team := range p.Teams {
				if got, want := untaken(asks.ID, asks.Claim, team, is), plainUntaken(asks.ID, asks.Claim, team, p, plain); !reflect.DeepEqual(got, want) {
					t.Fatalf("%s asks for %v: %v, and a walk finds %v", asks.ID, asks.Claim.Paths, got, want)
				}
				had, has := is.with(asks.ID, asks.Claim, team)
				if wantHad, wantHas := plainSizes(asks.ID, asks.Claim, team, p, plain); had != wantHad || has != wantHas {
					t.Fatalf("%s of %s: %v and %v, and a walk finds %v and %v", asks.ID, team.Name, had, has, wantHad, wantHas)
				}
			}
			if !reflect.DeepEqual(is.records, plain) {
				t.Fatalf("%v, and a walk finds %v", is.records, plain)
			}
		}
	})
}

func TestIndexOfThePolicyAgreesWithAWalk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p Policy
		accounts := rapid.Permutation([]string{"1", "2", "3", "4", "5", "6"}).Draw(t, "accounts")
		for i := range rapid.IntRange(0, 3).Draw(t, "teams") {
			p.Teams = append(p.Teams, Team{Name: fmt.Sprint("team-", i), Accounts: accounts[2*i : 2*i+rapid.IntRange(0, 2).Draw(t, "of them")]})
		}
		host := rapid.SampledFrom([]string{"a.example.com", "*.example.com", "b.a.example.com", "*.a.example.com", "example.com", "com", ".example.com"})
		p.Reserved = slices.Sorted(slices.Values(rapid.SliceOf(host).Draw(t, "reserved")))
		for _, account := range append(accounts, "") {
			got, known := p.Indexed().TeamOf(account)
			if want, wantKnown := p.TeamOf(account); known != wantKnown || !reflect.DeepEqual(got, want) {
				t.Fatalf("account %q: %v, and a walk finds %v", account, got, want)
			}
		}
		asked := host.Draw(t, "asked")
		if got, want := p.reserved(asked), plainReserved(p, asked); got != want {
			t.Fatalf("%s is reserved by %q, and a walk finds %q", asked, got, want)
		}
	})
}
