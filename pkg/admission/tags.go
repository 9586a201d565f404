package admission

import (
	"maps"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/contract"
)

// knownTags are the tags that originhub reads.
var knownTags = []string{
	contract.TagDomain, contract.TagHost, contract.TagPaths, contract.TagTeardown, contract.TagConfirm,
	contract.TagReadTimeout, contract.TagKeepaliveTimeout, contract.TagConnectionAttempts,
}

// unknownTags returns a reason for each tag that is meant for originhub and that originhub does not read, with the tag that was probably
// meant. Such a tag refuses the claim: to ignore it could wire more than its team wants, for example all granted paths.
func unknownTags(id string, tags map[string]string) []Reason {
	var out []Reason
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		prefix, _, _ := strings.Cut(contract.TagHost, ":")
		if !strings.HasPrefix(letters(key), prefix) || slices.Contains(knownTags, key) {
			continue
		}
		if meant := closest(key); meant != "" {
			out = append(out, because(TagUnknown, key, "%s has the tag %q, which originhub does not read: rename it to %s, or remove it", id, key, meant))
			continue
		}
		out = append(out, because(TagUnknown, key, "%s has the tag %q, which originhub does not read: remove it; the tags are %s",
			id, key, strings.Join(knownTags, ", ")))
	}
	return out
}

// closest returns the known tag that differs from a key in at most two letters, or "".
func closest(key string) string {
	for limit := range 3 {
		for _, known := range knownTags {
			if distance(letters(key), letters(known)) <= limit {
				return known
			}
		}
	}
	return ""
}

// letters returns the letters of a key, in lower case.
func letters(key string) string {
	return strings.Map(func(r rune) rune {
		if r < 'a' || r > 'z' {
			return -1
		}
		return r
	}, strings.ToLower(key))
}

// distance returns how many letters have to be inserted, deleted or replaced to turn a into b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
