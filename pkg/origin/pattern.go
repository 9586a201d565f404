package origin

import (
	"cmp"
	"slices"
	"strings"
)

// Path patterns are those of cache behaviors: '*' matches any characters, '?' matches exactly one, every other character matches
// itself, and a pattern without a leading slash means the same as with one
// (https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CacheBehavior.html).

// Covers reports whether pattern a matches every path that pattern b matches.
//
// The paths of b that are the hardest for a are those in which b's wildcards match only a letter that is in neither pattern. A '*' of
// b can match any number of such letters, but numbers above the count of '?' in a make no difference, since then a '*' of a has to
// match some of them. Covers simulates a on all these paths at once: each set holds the positions in a that one of the paths can
// have reached.
func Covers(a, b string) bool {
	a, b = Canonical(a), Canonical(b)
	const other = 0 // a letter that is in neither pattern
	sets := []places{startOf(a)}
	for i := range len(b) {
		var next []places
		for _, s := range sets {
			switch b[i] {
			case '*':
				for range strings.Count(a, "?") + 2 {
					next = addLeast(next, s)
					s = s.after(a, other)
				}
			case '?':
				next = addLeast(next, s.after(a, other))
			default:
				next = addLeast(next, s.after(a, b[i]))
			}
		}
		sets = next
	}
	return !slices.ContainsFunc(sets, func(s places) bool { return !s[len(a)] })
}

// places holds, for each position in a pattern including its end, whether matching can have reached it.
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

// skip adds the positions after each '*', which may match nothing.
func (p places) skip(pattern string) places {
	for i := range len(pattern) {
		p[i+1] = p[i+1] || p[i] && pattern[i] == '*'
	}
	return p
}

// addLeast adds s and keeps only the sets that contain no other set. A superset can match whatever its subset can match, so that the
// subset decides.
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

// Overlap reports whether there is a path that both a and b match.
func Overlap(a, b string) bool {
	a, b = Canonical(a), Canonical(b)
	if !beginAlike(a, b) {
		return false
	}
	// meet[j] is whether the same letters can lead to the current position in a and to position j in b.
	meet, next := make([]bool, len(b)+1), make([]bool, len(b)+1)
	meet[0] = true
	for i := 0; ; i++ {
		clear(next)
		for j := range len(b) + 1 {
			starA, starB := i < len(a) && a[i] == '*', j < len(b) && b[j] == '*'
			switch {
			case !meet[j]:
			case starA || starB: // the '*' matches nothing, or the letter of the other pattern
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

// beginAlike reports whether a and b are equal up to the first wildcard of either.
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

// Canonical returns the canonical form of a pattern, which is the same for all patterns that match the same paths: with a leading
// slash, and each run of wildcards written as its '?'s followed by at most one '*'.
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

// CompareSpecific compares patterns for sorting, the more specific one first: by more letters, then by a longer shortest path, then
// by fewer '*', then by spelling. A pattern that another one strictly covers always comes before it. Each path of the narrower
// pattern contains every letter of the wider one. If both have the same number of letters, the shortest paths of the narrower one are
// at least as long. If these are equal too, the patterns differ only in '*', of which the narrower one has fewer.
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
