package origin

import (
	"cmp"
	"slices"
	"strings"
)

// Path patterns are those of a cache behavior: '*' stands for any characters, '?' for exactly one, everything else for
// itself, and a missing leading slash makes no difference
// (https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CacheBehavior.html).

// Covers tells whether a matches everything that b matches.
//
// What is hardest to match for a is what b matches when each of b's wildcards stands for letters that occur in neither
// pattern. A '*' may stand for any number of them; more than a has '?' make no further difference, since a '*' of a then
// takes at least one. So a follows all these paths at once, as the sets of places in a where it can be.
func Covers(a, b string) bool {
	a, b = Canonical(a), Canonical(b)
	const unheard = 0
	sets := []places{startOf(a)}
	for i := range len(b) {
		var next []places
		for _, s := range sets {
			switch b[i] {
			case '*':
				for range strings.Count(a, "?") + 2 {
					next = addLeast(next, s)
					s = s.after(a, unheard)
				}
			case '?':
				next = addLeast(next, s.after(a, unheard))
			default:
				next = addLeast(next, s.after(a, b[i]))
			}
		}
		sets = next
	}
	return !slices.ContainsFunc(sets, func(s places) bool { return !s[len(a)] })
}

// places tells for each place in a pattern, its end included, whether matching can have come there.
type places []bool

func startOf(pattern string) places {
	p := make(places, len(pattern)+1)
	p[0] = true
	return p.skip(pattern)
}

func (p places) after(pattern string, letter byte) places {
	next := make(places, len(p))
	for i, here := range p[:len(pattern)] {
		switch {
		case !here:
		case pattern[i] == '*':
			next[i] = true
		case pattern[i] == '?' || pattern[i] == letter:
			next[i+1] = true
		}
	}
	return next.skip(pattern)
}

// skip adds the places behind a '*' that stands for nothing.
func (p places) skip(pattern string) places {
	for i := range len(pattern) {
		p[i+1] = p[i+1] || p[i] && pattern[i] == '*'
	}
	return p
}

// addLeast keeps only the sets that no other one is part of: the more places, the more can still be matched.
func addLeast(sets []places, s places) []places {
	if slices.ContainsFunc(sets, func(other places) bool { return other.within(s) }) {
		return sets
	}
	return append(slices.DeleteFunc(sets, s.within), s)
}

func (p places) within(other places) bool {
	for i := range p {
		if p[i] && !other[i] {
			return false
		}
	}
	return true
}

// Overlap reports whether there is a path that both patterns match.
func Overlap(a, b string) bool {
	a, b = Canonical(a), Canonical(b)
	if !beginAlike(a, b) {
		return false
	}
	// meet[j] tells whether matching the same letters can have come to the current place in a and to place j in b.
	meet, next := make([]bool, len(b)+1), make([]bool, len(b)+1)
	meet[0] = true
	for i := 0; ; i++ {
		clear(next)
		for j := range len(b) + 1 {
			starA, starB := i < len(a) && a[i] == '*', j < len(b) && b[j] == '*'
			switch {
			case !meet[j]:
			case starA || starB: // either stands for nothing, or for the letter on the other side
				next[j] = true
				if j < len(b) {
					meet[j+1] = true
				}
			case i < len(a) && j < len(b) && (a[i] == b[j] || a[i] == '?' || b[j] == '?'):
				next[j+1] = true
			}
		}
		if i == len(a) {
			return meet[len(b)]
		}
		meet, next = next, meet
	}
}

// beginAlike reports whether two patterns are the same up to the first wildcard of either.
func beginAlike(a, b string) bool {
	for i := range min(len(a), len(b)) {
		if isWild(a[i]) || isWild(b[i]) {
			break
		}
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// Canonical spells a pattern the one way that all patterns matching the same paths share: with a leading slash, and
// every run of wildcards as its '?'s followed by at most one '*'.
func Canonical(pattern string) string {
	if !strings.HasPrefix(pattern, "/") {
		pattern = "/" + pattern
	}
	if !strings.Contains(pattern, "**") && !strings.Contains(pattern, "*?") {
		return pattern
	}
	var b strings.Builder
	for i := 0; i < len(pattern); {
		run := i
		for run < len(pattern) && isWild(pattern[run]) {
			run++
		}
		if run == i {
			b.WriteByte(pattern[i])
			i++
			continue
		}
		wild := pattern[i:run]
		one := strings.Count(wild, "?")
		b.WriteString(strings.Repeat("?", one))
		if one < len(wild) {
			b.WriteByte('*')
		}
		i = run
	}
	return b.String()
}

func isWild(letter byte) bool { return letter == '*' || letter == '?' }

// CompareSpecific orders patterns, the more specific one first: more letters, then longer shortest path, then fewer
// '*', then by spelling. A pattern that is strictly covered by another one always comes before it: every letter of the
// wider pattern stands in each path of the narrower one; with as many letters, its shortest paths are no shorter; and
// with those equal too, the two differ only in where a '*' stands, which the narrower one then has fewer of.
func CompareSpecific(a, b string) int {
	a, b = Canonical(a), Canonical(b)
	starsA, starsB := strings.Count(a, "*"), strings.Count(b, "*")
	lettersA, lettersB := len(a)-starsA-strings.Count(a, "?"), len(b)-starsB-strings.Count(b, "?")
	return cmp.Or(
		cmp.Compare(lettersB, lettersA),
		cmp.Compare(len(b)-starsB, len(a)-starsA),
		cmp.Compare(starsA, starsB),
		cmp.Compare(a, b),
	)
}
