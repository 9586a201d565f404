package wiring

import (
	"math/bits"
	"slices"
	"strings"
)

// Entry is a VPC origin with the names by which an error message may mention it.
type Entry struct {
	VPCOrigin string
	Names     []string // aliases, domain name and path patterns
}

// Suspects returns the VPC origins of entries that an error message of UpdateDistribution mentions, by id or by one of their names.
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

// Search finds the entries that make an update invalid, when all that is known is whether an update was accepted. It assumes that an
// entry is bad on its own: CloudFront accepts an update exactly if it contains no bad entry. A Search is a value: Learn and Suspect
// return a new one.
//
// A rejected update costs one call. An accepted one is an update of the whole distribution, with a propagation. So the search accepts
// more rejections in order to have fewer accepted updates, and does not simply halve the entries. This is the egg drop puzzle, with
// accepted updates in the place of broken eggs. After the first rejection, each bad entry of n entries costs at most 2⌈log₂ n⌉ tries,
// with as few accepted ones as that bound allows.
type Search struct {
	total     int
	accepted  []string
	bad       []string
	rest      []string // not decided yet
	badWithin int      // the first badWithin entries of rest contain a bad one; 0 if nothing is known
	tries     int      // left for finding that bad one
	forced    int      // the number of entries to try next; 0: as few as the remaining tries permit
}

// NewSearch returns a search among entries. Its first try is all of them.
func NewSearch(entries []string) Search {
	return Search{total: len(entries), rest: slices.Clone(entries)}
}

// Suspect returns the search with the knowledge that all entries together are rejected, and that likely are the probable cause. The
// first try leaves those out.
func (s Search) Suspect(likely []string) Search {
	suspected := func(e string) bool { return slices.Contains(likely, e) }
	others := slices.DeleteFunc(slices.Clone(s.rest), suspected)
	suspects := slices.DeleteFunc(slices.Clone(s.rest), func(e string) bool { return !suspected(e) })
	s.rest = slices.Concat(others, suspects)
	s = s.expectBad(len(s.rest))
	if len(suspects) > 0 && s.badWithin > 0 {
		s.forced = len(others)
	}
	return s
}

// Probe returns the search with a next try of one undecided entry. It is one from the middle, because neighbours are often of one kind. If the
// entry is accepted, the search needs one try more than without Probe; if it is rejected, that one try has found a bad entry.
func (s Search) Probe() Search {
	if len(s.rest) == 0 {
		return s
	}
	middle := len(s.rest) / 2
	s.rest = slices.Concat(s.rest[middle:middle+1], s.rest[:middle], s.rest[middle+1:])
	s.badWithin, s.forced = 0, 1
	return s
}

// Done reports whether every entry is either accepted or bad.
func (s Search) Done() bool { return len(s.rest) == 0 }

// Bad returns the bad entries found so far.
func (s Search) Bad() []string { return slices.Clone(s.bad) }

// Next returns the entries of the next try. They include all that were accepted, so that no try removes what an earlier one added.
func (s Search) Next() []string { return slices.Concat(s.accepted, s.rest[:s.nextCount()]) }

// Learn returns the search after the try that Next returned was accepted or rejected.
func (s Search) Learn(accepted bool) Search {
	n, within := s.nextCount(), s.badWithin
	s.forced = 0
	s.tries--
	switch {
	case !accepted && within == 0:
		return s.expectBad(n)
	case !accepted:
		return s.narrowTo(n)
	}
	s.accepted = slices.Concat(s.accepted, s.rest[:n])
	s.rest = s.rest[n:]
	return s.narrowTo(max(within-n, 0))
}

// expectBad begins the search for a bad entry among the first n of rest.
func (s Search) expectBad(n int) Search {
	s.tries = 2*bits.Len(uint(max(s.total, 1)-1)) - 1
	return s.narrowTo(n)
}

// narrowTo records that the first n entries of rest contain a bad one. If n is 1, that entry is bad.
func (s Search) narrowTo(n int) Search {
	s.badWithin = n
	if n == 1 {
		s.bad = append(slices.Clone(s.bad), s.rest[0])
		s.rest, s.badWithin = s.rest[1:], 0
	}
	return s
}

// nextCount returns how many entries of rest to try next: all if nothing is known about them, and otherwise as many as the remaining tries
// can tell apart if this one is rejected. If it is accepted, the others can be told apart with one accepted try less.
func (s Search) nextCount() int {
	switch {
	case s.forced > 0:
		return s.forced
	case s.badWithin == 0:
		return len(s.rest)
	}
	accepts := least(func(n int) bool { return distinguishable(s.tries, n) >= s.badWithin })
	tries := least(func(n int) bool { return distinguishable(n, accepts) >= s.badWithin })
	return min(s.badWithin-1, distinguishable(tries-1, accepts))
}

// least returns the smallest positive number for which enough is true.
func least(enough func(int) bool) int {
	n := 1
	for !enough(n) {
		n++
	}
	return n
}

// distinguishable returns among how many entries that number of tries can find the bad one if at most accepts of them are accepted: the
// number of different outcomes of these tries. It stops counting beyond the size of any distribution.
func distinguishable(tries, accepts int) int {
	ways, sum := 1, 1
	for i := 1; i <= min(tries, accepts) && sum < 1<<20; i++ {
		ways = ways * (tries - i + 1) / i
		sum += ways
	}
	return sum
}
