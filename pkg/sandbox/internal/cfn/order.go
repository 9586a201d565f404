package cfn

import (
	"maps"
	"slices"
)

// order sorts resources so that each comes after those that it needs, and by name among those that could come next. If that is
// impossible, cycle is a path from a resource back to itself.
func order(needs map[string][]string) (sorted, cycle []string) {
	rest := maps.Clone(needs)
	done := map[string]bool{}
	for len(rest) > 0 {
		next := ""
		for _, id := range slices.Sorted(maps.Keys(rest)) {
			if !slices.ContainsFunc(rest[id], func(n string) bool { return !done[n] }) {
				next = id
				break
			}
		}
		if next == "" {
			return nil, wayBack(rest)
		}
		sorted = append(sorted, next)
		done[next] = true
		delete(rest, next)
	}
	return sorted, nil
}

// wayBack follows needs among resources that all need another one of them, until it reaches one for the second time.
func wayBack(rest map[string][]string) []string {
	way := []string{slices.Min(slices.Collect(maps.Keys(rest)))}
	for {
		last := way[len(way)-1]
		for _, id := range slices.Sorted(slices.Values(rest[last])) {
			if _, open := rest[id]; !open {
				continue
			}
			if i := slices.Index(way, id); i >= 0 {
				return append(way[i:], id)
			}
			way = append(way, id)
			break
		}
	}
}
