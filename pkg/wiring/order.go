package wiring

import (
	"slices"

	"github.com/originhub/originhub/pkg/origin"
)

// placed is a behavior in the order of a distribution, as far as order matters.
type placed struct {
	path string
	ours bool
}

// CloudFront takes the first behavior whose pattern matches. So, with foreign behaviors always in their own order:
//
//   - of two of ours, the more specific one stands first (origin.CompareSpecific);
//   - ours stands before every foreign pattern that covers it, which would take all its requests;
//   - ours stands after the foreign patterns that it overlaps or covers, whose requests it would take, unless these are
//     themselves behind a foreign one that covers ours.
//
// Ours stands as early as that allows: what others append later does not touch it.

// arrange puts our patterns among the foreign ones.
func arrange(foreign, ours []string) []placed {
	place := map[string]int{}
	for _, o := range ours {
		for i, f := range foreign {
			if origin.Covers(f, o) {
				break
			}
			if origin.Overlap(f, o) {
				place[o] = i + 1
			}
		}
	}
	ours = slices.Clone(ours)
	slices.SortStableFunc(ours, origin.CompareSpecific)
	var out []placed
	for i := range len(foreign) + 1 {
		for _, o := range ours {
			if place[o] == i {
				out = append(out, placed{o, true})
			}
		}
		if i < len(foreign) {
			out = append(out, placed{foreign[i], false})
		}
	}
	return out
}

// wellPlaced tells whether an order is as good as what arrange makes of it, so that it can stay.
func wellPlaced(order []placed) bool {
	for i, late := range order {
		dead := slices.ContainsFunc(order[:i], func(p placed) bool { return !p.ours && origin.Covers(p.path, late.path) })
		if late.ours && dead {
			return false
		}
		for _, early := range order[:i] {
			// An early one of ours that covers a late foreign one takes its requests, unless nothing reached it anyway.
			if early.ours && (late.ours || !dead) && origin.Covers(early.path, late.path) {
				return false
			}
		}
	}
	return true
}
