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
// value: Learn and Suspect return a new one. An entry is bad on its own: an update is accepted exactly when it has no bad
// entry.
//
// A rejected try is only a call, but an accepted one is an update that everybody's distribution goes through. So halving the entries
// would be wrong: it is the puzzle of the two eggs (drop as few as possible, and break even fewer), with accepted tries for broken
// eggs. Each bad entry costs at most 2⌈log₂ n⌉ tries beyond the first one, of n entries, and within that bound as few as possible are
// accepted.
type Search struct {
	total    int
	accepted []string
	bad      []string
	rest     []string // not known yet
	tainted  int      // so many at the start of rest are known to hold a bad one; 0: nothing is known
	tries    int      // that are left for finding that bad one
	cut      int      // try so many of the tainted ones; 0: as few as the tries permit
}

// NewSearch begins a search. Its first try is all of the entries.
func NewSearch(entries []string) Search {
	return Search{total: len(entries), rest: slices.Clone(entries)}
}

// Suspect begins with the knowledge that all entries together are rejected, and that these are the likely cause. The
// first try leaves them out.
func (s Search) Suspect(likely []string) Search {
	suspected := func(e string) bool { return slices.Contains(likely, e) }
	others := slices.DeleteFunc(slices.Clone(s.rest), suspected)
	suspects := slices.DeleteFunc(slices.Clone(s.rest), func(e string) bool { return !suspected(e) })
	s.rest = slices.Concat(others, suspects)
	s = s.taint(len(s.rest))
	if len(suspects) > 0 && s.tainted > 0 {
		s.cut = len(others)
	}
	return s
}

// Done reports whether every entry is either accepted or bad.
func (s Search) Done() bool { return len(s.rest) == 0 }

// Bad returns the bad entries found so far.
func (s Search) Bad() []string { return slices.Clone(s.bad) }

// Next returns what to try together. It includes what has been accepted, so that nothing is taken out again.
func (s Search) Next() []string { return slices.Concat(s.accepted, s.rest[:s.part()]) }

// Learn takes in whether what Next named was accepted.
func (s Search) Learn(accepted bool) Search {
	n, tainted := s.part(), s.tainted
	s.cut = 0
	s.tries--
	switch {
	case !accepted && tainted == 0:
		return s.taint(n)
	case !accepted:
		return s.narrow(n)
	}
	s.accepted = slices.Concat(s.accepted, s.rest[:n])
	s.rest = s.rest[n:]
	return s.narrow(max(tainted-n, 0))
}

// taint begins to look for a bad entry among the first n of rest.
func (s Search) taint(n int) Search {
	s.tries = 2*bits.Len(uint(max(s.total, 1)-1)) - 1
	return s.narrow(n)
}

// narrow goes on with fewer tainted ones. If it is one, that is bad.
func (s Search) narrow(tainted int) Search {
	s.tainted = tainted
	if tainted == 1 {
		s.bad = append(slices.Clone(s.bad), s.rest[0])
		s.rest, s.tainted = s.rest[1:], 0
	}
	return s
}

// part is how many of rest to try: all if nothing is known, else as many as the remaining tries can tell apart if this one is
// rejected. If it is accepted, the others can be told apart with one accepted try less.
func (s Search) part() int {
	switch {
	case s.tainted == 0:
		return len(s.rest)
	case s.cut > 0:
		return s.cut
	}
	accepts := least(func(n int) bool { return reach(s.tries, n) >= s.tainted })
	tries := least(func(n int) bool { return reach(n, accepts) >= s.tainted })
	return min(s.tainted-1, reach(tries-1, accepts))
}

// least is the least positive number for which enough is true.
func least(enough func(int) bool) int {
	n := 1
	for !enough(n) {
		n++
	}
	return n
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
