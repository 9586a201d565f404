package origin

import (
	"cmp"
	"slices"
	"strings"
)

// Path patterns are those of a cache behavior: '*' stands for any characters, '?' for exactly one, everything else for
// itself, and a missing leading slash makes no difference
// (https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CacheBehavior.html).

// Match tells whether a pattern matches a path.
func Match(pattern, path string) bool { return Covers(pattern, escape(path)) }

// Wildcards of a path are characters like any other; none of these stand-ins is allowed in a pattern.
func escape(path string) string { return strings.NewReplacer("*", "\x01", "?", "\x02").Replace(path) }

// Covers tells whether a matches everything that b matches.
//
// It reads b as if '?' and '*' were letters of their own: only a wildcard of a can stand against them. With both in
// canonical form that is exact, because paths may hold letters that occur in neither pattern.
func Covers(a, b string) bool {
	return align(Canonical(a), Canonical(b), func(x, y byte) (step, skipA, skipB bool) {
		return x != '*' && y != '*' && (x == y || x == '?'), x == '*', x == '*'
	})
}

// Overlap tells whether there is a path that both patterns match.
func Overlap(a, b string) bool {
	return align(Canonical(a), Canonical(b), func(x, y byte) (step, skipA, skipB bool) {
		return x != '*' && y != '*' && (x == y || x == '?' || y == '?'), x == '*' || y == '*', x == '*' || y == '*'
	})
}

// align tells whether a and b can be walked to their ends together. At each pair of letters, rule says whether to step
// over both; whether a's alone may be passed, and whether b's alone. The end of a string reads as 0.
func align(a, b string, rule func(x, y byte) (step, skipA, skipB bool)) bool {
	at := func(s string, i int) byte {
		if i < len(s) {
			return s[i]
		}
		return 0
	}
	// reach[j] tells whether the walk can stand before a[i] and b[j].
	reach := make([]bool, len(b)+1)
	reach[0] = true
	for i := 0; i <= len(a); i++ {
		next := make([]bool, len(b)+1)
		for j := 0; j <= len(b); j++ {
			if !reach[j] {
				continue
			}
			if i == len(a) && j == len(b) {
				return true
			}
			step, skipA, skipB := rule(at(a, i), at(b, j))
			if skipB && j < len(b) {
				reach[j+1] = true
			}
			if skipA && i < len(a) {
				next[j] = true
			}
			if step && i < len(a) && j < len(b) {
				next[j+1] = true
			}
		}
		reach = next
	}
	return false
}

// Canonical spells a pattern the one way that all patterns matching the same paths share: with a leading slash, and
// every run of wildcards as its '?'s followed by at most one '*'.
func Canonical(pattern string) string {
	if !strings.HasPrefix(pattern, "/") {
		pattern = "/" + pattern
	}
	var b strings.Builder
	for i := 0; i < len(pattern); {
		run := i
		for run < len(pattern) && (pattern[run] == '*' || pattern[run] == '?') {
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

// SortSpecific sorts patterns by CompareSpecific.
func SortSpecific(patterns []string) { slices.SortFunc(patterns, CompareSpecific) }
