package wiring

import (
	"slices"

	"github.com/originhub/originhub/pkg/origin"
)

// placed is a behavior in the order of a distribution.
type placed struct {
	path    string
	managed bool
}

// arrange returns the order of managed and unmanaged path patterns. CloudFront uses the first behavior whose pattern matches
// (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html). Unmanaged patterns stay in
// their order, and:
//
//   - Of two managed patterns, the more specific one comes first (origin.CompareSpecific).
//   - A managed pattern comes before every unmanaged one that covers it, which would otherwise take all its requests.
//   - A managed pattern comes after the unmanaged ones that it overlaps or covers, because it would take their requests. This does not
//     hold for those that come after an unmanaged pattern that covers the managed one.
//
// Each managed pattern comes as early as these rules allow, so that patterns which others append later do not affect it.
func arrange(unmanaged, managed []string) []placed {
	place := map[string]int{}
	for _, o := range managed {
		if before := inFrontOf(unmanaged, o); len(before) > 0 {
			place[o] = before[len(before)-1] + 1
		}
	}
	managed = slices.Clone(managed)
	slices.SortStableFunc(managed, origin.CompareSpecific)
	var out []placed
	for i := range len(unmanaged) + 1 {
		for _, o := range managed {
			if place[o] == i {
				out = append(out, placed{o, true})
			}
		}
		if i < len(unmanaged) {
			out = append(out, placed{unmanaged[i], false})
		}
	}
	return out
}

// inFrontOf returns the indexes of the unmanaged patterns that stay in front of a managed one, and so take a part of its requests.
func inFrontOf(unmanaged []string, managed string) (indexes []int) {
	for i, f := range unmanaged {
		if origin.Covers(f, managed) {
			break
		}
		if origin.Overlap(f, managed) {
			indexes = append(indexes, i)
		}
	}
	return indexes
}

// wellPlaced reports whether an order follows the rules of arrange.
func wellPlaced(order []placed) bool {
	for i, late := range order {
		dead := slices.ContainsFunc(order[:i], func(p placed) bool { return !p.managed && origin.Covers(p.path, late.path) })
		if late.managed && dead {
			return false
		}
		for _, early := range order[:i] {
			// A managed pattern takes the requests of a later unmanaged one that it covers, unless that gets no requests anyway.
			if early.managed && (late.managed || !dead) && origin.Covers(early.path, late.path) {
				return false
			}
		}
	}
	return true
}
