package wiring

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/origin"
)

// saved returns a search whose next update is not permitted yet.
func (r Run) saved(h invalidUpdate) *origin.Search {
	s := h.search
	out := &origin.Search{
		Began: h.began, Fingerprint: r.claimsOf(s.rest), Answer: origin.UpdateAnswer{Code: h.answer.Code, Message: h.answer.Message},
		Answers: map[string]origin.UpdateAnswer{}, General: h.general, Individual: h.individual,
		Accepted: s.accepted, Bad: s.bad, Rest: s.rest, Within: s.badWithin, Tries: s.tries, Size: s.forced,
	}
	for _, id := range slices.Concat(s.bad, s.rest) {
		if a, refused := h.answers[id]; refused {
			out.Answers[id] = origin.UpdateAnswer{Code: a.Code, Message: a.Message}
		}
	}
	return out
}

// resumeSearch goes on with the search of an earlier run, unless it began retryAfter ago, or an origin that it has not decided about has left
// or claims something else. What is to be added since then waits until the search has ended; what is to be removed is removed first.
func (r Run) resumeSearch() Run {
	s := r.Item.Search
	r.Item.Search = nil
	if s == nil || r.Terms.DryRun || r.Now.Sub(s.Began) >= retryAfter || s.Fingerprint != r.claimsOf(s.Rest) {
		return r
	}
	h := invalidUpdate{
		began: s.Began, answer: refusal(s.Answer), answers: map[string]Answer{}, general: s.General, individual: s.Individual,
		added: slices.Sorted(slices.Values(slices.Concat(s.Accepted, s.Bad, s.Rest))), sent: s.Accepted,
		search: Search{accepted: s.Accepted, bad: s.Bad, rest: s.Rest, badWithin: s.Within, tries: s.Tries, forced: s.Size},
	}
	h.search.total = len(h.added)
	for id, a := range s.Answers {
		h.answers[id] = refusal(a)
	}
	for _, o := range r.additions() {
		if !slices.Contains(h.added, o.ID) {
			r.Excluded = append(slices.Clone(r.Excluded), o.ID)
		}
	}
	r.writing.invalid = &h
	return r
}

func refusal(a origin.UpdateAnswer) Answer {
	return Answer{Class: Refused, Err: errors.New(a.Code + ": " + a.Message), Code: a.Code, Message: a.Message}
}

// claimsOf returns a fingerprint of what those of the origins claim that are to be added.
func (r Run) claimsOf(ids []string) string {
	var text strings.Builder
	for _, o := range r.additions() {
		if slices.Contains(ids, o.ID) {
			fmt.Fprintf(&text, "%s %v\n", o.ID, o.Claim)
		}
	}
	return fingerprintOf(text.String())
}
