package wiring

import (
	"math/bits"
	"slices"
	"strings"
)

// Entry is what an error text may name of an origin.
type Entry struct {
	VPCOrigin string
	Names     []string // aliases, domain name, path patterns
}

// Suspects are the VPC origins that an error text of UpdateDistribution names, by id or by a name of theirs.
func Suspects(errText string, entries []Entry) []string {
	var out []string
	for _, e := range entries {
		for _, name := range append([]string{e.VPCOrigin}, e.Names...) {
			if name != "" && strings.Contains(errText, name) {
				out = append(out, e.VPCOrigin)
				break
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Search finds the entries that make an update invalid, when all that is known is whether an update was accepted. It is a
// value: Learn and Suspect answer a new one. An entry is bad on its own: an update is accepted exactly when it has no bad
// entry.
//
// Each bad entry costs at most 2⌈log₂ n⌉ tries beyond the first one, of n entries. An accepted try is an update that
// everybody's distribution goes through, a rejected one is only a call; so within that bound as few as possible are
// accepted, by trying large parts first.
type Search struct {
	total    int
	accepted []string
	bad      []string
	rest     []string // not known yet
	tainted  int      // so many at the start of rest are known to hold a bad one; 0: nothing is known
	budget   int      // tries that are left for finding that bad one
	cut      int      // try so many of the tainted ones; 0: as few as the budget permits
}

// NewSearch begins a search. Its first try is all of the entries.
func NewSearch(entries []string) Search {
	return Search{total: len(entries), rest: slices.Clone(entries)}
}

// Suspect begins with the knowledge that all entries together are rejected, and that these are the likely cause. The
// first try leaves them out.
func (s Search) Suspect(likely []string) Search {
	var others, suspects []string
	for _, e := range s.rest {
		if slices.Contains(likely, e) {
			suspects = append(suspects, e)
		} else {
			others = append(others, e)
		}
	}
	s.rest = slices.Concat(others, suspects)
	s = s.taint(len(s.rest))
	if len(suspects) > 0 && s.tainted > 0 {
		s.cut = len(others)
	}
	return s
}

// Done tells whether every entry is either accepted or bad.
func (s Search) Done() bool { return len(s.rest) == 0 }

// Bad are the bad entries found so far.
func (s Search) Bad() []string { return slices.Clone(s.bad) }

// Next is what to try together. It includes what has been accepted, so that nothing is taken out again.
func (s Search) Next() []string { return slices.Concat(s.accepted, s.rest[:s.part()]) }

// Learn takes in whether what Next named was accepted.
func (s Search) Learn(accepted bool) Search {
	n, tainted := s.part(), s.tainted
	s.cut = 0
	s.budget--
	switch {
	case accepted:
		s.accepted = slices.Concat(s.accepted, s.rest[:n])
		s.rest = s.rest[n:]
		if tainted > 0 {
			return s.narrow(tainted - n)
		}
		return s
	case tainted > 0:
		return s.narrow(n)
	default:
		return s.taint(n)
	}
}

func (s Search) taint(n int) Search {
	s.budget = 2*bits.Len(uint(max(s.total, 1)-1)) - 1
	return s.narrow(n)
}

func (s Search) narrow(tainted int) Search {
	s.tainted = tainted
	if tainted == 1 {
		s.bad = append(slices.Clone(s.bad), s.rest[0])
		s.rest, s.tainted = s.rest[1:], 0
	}
	return s
}

// part is how many of rest to try.
func (s Search) part() int {
	switch {
	case s.tainted == 0:
		return len(s.rest)
	case s.cut > 0:
		return s.cut
	}
	accepts := 1
	for reach(s.budget, accepts) < s.tainted && accepts < s.budget {
		accepts++
	}
	tries := 1
	for reach(tries, accepts) < s.tainted {
		tries++
	}
	return min(s.tainted-1, reach(tries-1, accepts))
}

// reach is how many entries can be told apart with so many tries, of which no more than some are accepted: the number of
// ways in which these tries can turn out. It stops counting where no distribution is that large.
func reach(tries, accepts int) int {
	ways, sum := 1, 1
	for i := 1; i <= min(tries, accepts) && sum < 1<<20; i++ {
		ways = ways * (tries - i + 1) / i
		sum += ways
	}
	return sum
}
