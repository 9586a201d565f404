package wiring

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// UpdateInvalid is the code of an origin that is quarantined because CloudFront refuses every update that contains it.
const UpdateInvalid origin.Code = "update-invalid"

// invalidUpdate is an update that CloudFront refused as invalid, and the search for the origins that make it so. CloudFront seldom names
// them, so the run sends a series of smaller updates: first one without any addition, so that removals do not wait, and then subsets
// of the additions that a Search chooses. An origin whose presence alone makes an update invalid is quarantined, unless each origin that was
// tried alone is refused in the same words: then the distribution itself is the cause. An invalidUpdate is a value: learn returns a new one.
type invalidUpdate struct {
	began      time.Time         // when the update was refused
	answer     Answer            // CloudFront's answer to the full update
	added      []string          // origins that the update adds or changes
	removals   removalsState     // progress of the update without any of them
	general    bool              // the distribution itself is the cause, so no addition is tried
	individual bool              // something shows that single origins are the cause
	search     Search            // among the added origins
	sent       []string          // origins in the update that was sent last
	answers    map[string]Answer // per origin, the last refusal of an update that contained it
	notOrigins *Answer           // set if no added origin is the cause: the refusal of the update without any of them
}

// Numbers of origins that were refused alone, in the same words, while no addition was accepted: after probeAfter, each further try
// contains one origin only, and after probeAtMost the distribution itself counts as the cause.
const probeAfter, probeAtMost = 2, 8

// removalsState is the progress of the update without any addition.
type removalsState int

const (
	removalsNotSent removalsState = iota
	removalsSent
	removalsDone
)

// ended reports whether there is no further update to try.
func (h invalidUpdate) ended() bool {
	return h.notOrigins != nil || h.removals == removalsDone && h.search.Done()
}

// learn takes in CloudFront's answer to the update that was sent last.
func (h invalidUpdate) learn(a Answer) *invalidUpdate {
	switch accepted := a.Class == OK; {
	case h.removals == removalsSent && accepted:
		h.removals = removalsDone
	case h.removals == removalsSent:
		h.notOrigins = &a
	case accepted:
		h.search, h.individual = h.search.Learn(true), true
	default:
		h.answers = maps.Clone(h.answers)
		for _, id := range h.sent {
			h.answers[id] = a
		}
		h.search = h.search.Learn(false)
		h.individual = h.individual || a.Code != h.answer.Code || a.Message != h.answer.Message
	}
	if bad := len(h.search.Bad()); h.removals == removalsDone && (h.general || !h.individual && (h.search.Done() || bad >= probeAtMost)) {
		h.notOrigins = &h.answer
	}
	return &h
}

// answerTo returns the last refusal of an update that contained an origin.
func (h invalidUpdate) answerTo(id string) Answer {
	if answer, refused := h.answers[id]; refused {
		return answer
	}
	return h.answer
}

// next returns the search with its next try chosen.
func (h invalidUpdate) next() Search {
	if !h.individual && len(h.search.Bad()) >= probeAfter {
		return h.search.Probe()
	}
	return h.search
}

// searchInvalid sends the next update of the search, and quarantines the origins that were found. The update without any addition comes
// first, because removals must not wait for the search. If CloudFront refuses that one, too, the distribution itself is the cause.
func (r Run) searchInvalid() (Run, Step) {
	h := *r.writing.invalid
	if alias := r.unknownHolder(h); alias != "" {
		return r, Step{Do: FindAlias{Distribution: r.Item.ID, Alias: alias}}
	}
	if h.notOrigins != nil {
		return r.reportRefusedUpdate(*h.notOrigins)
	}
	var step Step
	for !h.ended() {
		if h.removals == removalsDone {
			h.search = h.next()
			h.sent = h.search.Next()
		}
		plan, err := r.plan(append(slices.Clone(r.Excluded), without(h.added, h.sent)...))
		switch {
		case err != nil:
			return r.failInternal(err)
		case !plan.Empty() && !r.writing.permitted:
			r.quarantineFound(&step, h)
			return r.askForUpdate(step)
		case !plan.Empty():
			if h.removals == removalsNotSent {
				h.removals = removalsSent
			}
			r.writing.invalid = &h
			r.quarantineFound(&step, h)
			return r.update(step, plan)
		case h.removals != removalsDone && h.general:
			return r.reportRefusedUpdate(h.answer)
		case h.removals != removalsDone:
			h.removals = removalsDone
		default: // the subset changes nothing, so CloudFront cannot refuse it
			h.search, h.individual = h.search.Learn(true), true
		}
	}
	r.writing.invalid, r.writing.done = &h, true
	r.quarantineFound(&step, h)
	if step.empty() {
		return r.Settle()
	}
	return r, step
}

// aliasTaken is the error code of an update with an alias that another distribution has. CloudFront's message seldom names that distribution.
const aliasTaken = "CNAMEAlreadyExists"

// IsAliasTaken reports whether an origin is quarantined because another distribution has one of its hosts as an alias.
func IsAliasTaken(why origin.Reason) bool {
	return why.Code == UpdateInvalid && why.Subject == aliasTaken
}

// unknownHolder returns an alias that CloudFront does not accept because another distribution has it, and of which nobody asked yet which
// one that is; "" if there is none.
func (r Run) unknownHolder(h invalidUpdate) string {
	var refused []string
	for _, id := range r.found(h) {
		if h.answerTo(id).Code == aliasTaken {
			refused = append(refused, r.Records[r.index(id)].Claim.Hosts...)
		}
	}
	if h.notOrigins != nil && h.notOrigins.Code == aliasTaken && r.Terms.Wildcard {
		refused = append(refused, "*."+r.Terms.Domain)
	}
	for _, alias := range refused {
		if _, known := r.Holders[alias]; !known {
			return alias
		}
	}
	return ""
}

// aliasFound takes in which distributions have an alias.
func (r Run) aliasFound(alias string, a Answer) Run {
	h := origin.AliasHolders{List: a.Holders}
	if a.Class != OK {
		h.Error = cmp.Or(a.Code, "an unknown error")
	}
	r.Holders = maps.Clone(r.Holders)
	if r.Holders == nil {
		r.Holders = map[string]origin.AliasHolders{}
	}
	r.Holders[alias] = h
	return r
}

// holdersOf returns in words which distributions have hosts that CloudFront does not accept as aliases. Of several hosts it names those that another
// distribution has, if CloudFront shows any.
func (r Run) holdersOf(hosts []string) string {
	held := slices.DeleteFunc(slices.Clone(hosts), func(host string) bool { return r.Holders[host].Holder(host) == "" })
	if len(held) == 0 {
		held = hosts
	}
	words := make([]string, len(held))
	for i, host := range held {
		words[i] = r.Holders[host].Of(host)
	}
	return strings.Join(words, "; ")
}

// found returns the origins of which it is known that they make the update invalid.
func (r Run) found(h invalidUpdate) []string {
	if h.general || !h.individual {
		return nil
	}
	return h.search.Bad()
}

// startSearch begins the search. If the distribution itself is the cause, only the update without any addition is tried:
//
//	the update adds  CloudFront names some of it  error                                                  suspected
//	nothing          -                            -                                                      the distribution
//	something        -                            isDistributions                                        the distribution
//	something        -                            InvalidViewerCertificate, not policy's certificate     the distribution
//	something        no                           InvalidViewerCertificate                               the distribution
//	something        no                           CNAMEAlreadyExists, if the only alias is a wildcard    the distribution
//	one              no                           AccessDenied                                           the distribution
//	something        no                           reported within retryAfter, no origin admitted since   the distribution
//	something        no                           any other                                              every addition
//	something        yes                          any other                                              first the ones named
func (r Run) startSearch(a Answer) *invalidUpdate {
	h := invalidUpdate{began: r.Now, answer: a, answers: map[string]Answer{}}
	var entries []Entry
	fresh := false
	for _, o := range r.additions() {
		h.added = append(h.added, o.ID)
		entries = append(entries, Entry{VPCOrigin: o.ID, Names: slices.Concat([]string{o.Claim.Domain}, o.Claim.Hosts, o.Claim.Paths)})
		fresh = fresh || o.Admitted.After(r.Item.RefusedAt)
	}
	slices.Sort(h.added)
	suspects := Suspects(a.Message, entries)
	h.individual = len(h.added) == 1 || len(suspects) > 0
	switch unnamed := len(suspects) == 0; {
	case len(h.added) == 0:
		h.notOrigins = &a
	case isDistributions(a), a.Code == invalidCertificate && (unnamed || r.Served.Config.certificate() != r.Terms.Certificate):
		h.general = true
	case unnamed:
		h.general = a.Code == aliasTaken && r.Terms.Wildcard || a.Code == accessDenied && len(h.added) == 1 ||
			r.Item.Refused == a.Code && r.Now.Sub(r.Item.RefusedAt) < retryAfter && !fresh
	}
	h.search = NewSearch(h.added).Suspect(suspects)
	return &h
}

// additions returns the origins that an update adds or changes.
func (r Run) additions() (added []origin.Record) {
	for _, o := range r.Records {
		wired := o.State == origin.Deferred || o.State == origin.Wired || o.State == origin.Live
		if o.Intent == origin.Wire && !wired && !slices.Contains(r.Excluded, o.ID) {
			added = append(added, o)
		}
	}
	return added
}

// quarantineFound quarantines the origins that the search has found so far, once it is known that single origins are the cause.
func (r Run) quarantineFound(step *Step, h invalidUpdate) {
	for _, id := range r.found(h) {
		o, answer := r.Records[r.index(id)], h.answerTo(id)
		remedy := "fix what CloudFront names, in the claim or in the VPC origin"
		if answer.Code == aliasTaken {
			remedy = r.holdersOf(o.Claim.Hosts)
		}
		r.reportProblem(step, o, origin.Quarantined, contract.OriginQuarantined, origin.Reason{
			Code: UpdateInvalid, Subject: answer.Code,
			Message: "CloudFront refuses every update that contains " + id + " (" + origin.Brief(answer.Message) + "); " + remedy + "; originhub retries in one hour",
		})
	}
}

// reportRefusedUpdate reports that CloudFront refuses updates because of the distribution itself and not of an origin to add. It does so
// once per error code and hour. The error may name an origin that is wired, usually one that is no longer shared: CloudFront goes on
// serving it and refuses every update that keeps it (CF-03).
func (r Run) reportRefusedUpdate(a Answer) (Run, Step) {
	r = r.failWrite(a.Err)
	code := cmp.Or(a.Code, "unknown")
	if r.Item.Refused == code && r.Now.Sub(r.Item.RefusedAt) < retryAfter {
		return r.Settle()
	}
	cause, next := r.distributionCause(a)
	var wired []Entry
	for _, o := range r.Records {
		wired = append(wired, Entry{VPCOrigin: o.ID})
	}
	for _, o := range r.Served.Config.Orphans(r.Records) {
		wired = append(wired, Entry{VPCOrigin: o.ID})
	}
	if named := Suspects(a.Message, wired); len(named) > 0 {
		ids := strings.Join(named, ", ")
		cause, next = "the error names "+ids+", already wired and probably no longer shared",
			"share "+ids+" again, or wait until the next sweep removes what is no longer shared"
	}
	var o outcome.Outcome
	o.Alarm(contract.DistributionWriteRefused, "", outcome.Detail{
		What: r.Item.ID,
		Why: "CloudFront refuses updates of distribution " + r.Item.ID + ": " + cause + " (" + origin.Brief(a.Message) + "); " + next +
			"; originhub writes the waiting changes as soon as CloudFront accepts updates",
	})
	r.Item.Refused, r.Item.RefusedAt = code, r.Now
	return r, Step{Outcome: o}
}

// without returns all without some.
func without(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(one string) bool { return slices.Contains(some, one) })
}
