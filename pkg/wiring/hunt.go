package wiring

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// UpdateInvalid is why an origin is quarantined that makes an update invalid.
const UpdateInvalid origin.Code = "update-invalid"

// hunt is the search for the origins that make an update invalid, over several updates. It is a value: learn returns a new one.
type hunt struct {
	cause  Answer            // what CloudFront said to the update as a whole
	added  []string          // origins that the update adds or changes
	rest   rest              // the update without these
	search Search            // among these
	try    []string          // those in the update that is under way
	why    map[string]Answer // what CloudFront last said to an update with the origin in it
	itself *Answer           // why it is the distribution, and no origin, that makes every update invalid
}

// rest is what became of an update without the additions.
type rest int

const (
	untried rest = iota
	tried
	over
)

// ended reports whether there is no further update to try.
func (h hunt) ended() bool { return h.itself != nil || h.rest == over && h.search.Done() }

// learn takes in what CloudFront says to the update that is under way.
func (h hunt) learn(a Answer) *hunt {
	switch accepted := a.Class == OK; {
	case h.rest == tried && accepted:
		h.rest = over
	case h.rest == tried:
		h.itself = &a
	case accepted:
		h.search = h.search.Learn(true)
	default:
		h.why = maps.Clone(h.why)
		for _, id := range h.try {
			h.why[id] = a
		}
		h.search = h.search.Learn(false)
	}
	return &h
}

// narrow tries the next update of a hunt, and quarantines what was found. What the update does without the additions, removals above
// all, comes first: it must not wait for them. If that is refused, too, no origin is to blame.
func (r Run) narrow() (Run, Step) {
	h := *r.writing.hunt
	if h.itself != nil {
		return r.blame(*h.itself)
	}
	var step Step
	for !h.ended() {
		if h.rest == over {
			h.try = h.search.Next()
		}
		plan, err := r.plan(append(slices.Clone(r.Held), without(h.added, h.try)...))
		switch {
		case err != nil:
			return r.breaks(err)
		case !plan.Empty():
			if h.rest == untried {
				h.rest = tried
			}
			r.writing.hunt = &h
			r.quarantine(&step, h)
			return r.update(step, plan)
		case h.rest != over:
			h.rest = over
		default: // nothing of the try is left to be refused
			h.search = h.search.Learn(true)
		}
	}
	r.writing.hunt, r.writing.over = &h, true
	r.quarantine(&step, h)
	if step.empty() {
		return r.Settle()
	}
	return r, step
}

// suspect begins a hunt:
//
//	the update adds or changes  CloudFront names some of it  its code                                              to blame
//	nothing                     -                            -                                                     no origin
//	something                   no                           AccessDenied, InvalidViewerCertificate                no origin
//	something                   no                           CNAMEAlreadyExists, where no origin brings an alias   no origin
//	something                   no                           any other                                             any of it
//	something                   yes                          any                                                   first what is named
func (r Run) suspect(a Answer) *hunt {
	h := hunt{cause: a, why: map[string]Answer{}}
	var entries []Entry
	for _, o := range r.Records {
		there := o.State == origin.Deferred || o.State == origin.Wired || o.State == origin.Live
		if o.Intent == origin.Wire && !there && !slices.Contains(r.Held, o.ID) {
			h.added = append(h.added, o.ID)
			entries = append(entries, Entry{VPCOrigin: o.ID, Names: slices.Concat([]string{o.Claim.Domain}, o.Claim.Hosts, o.Claim.Paths)})
		}
	}
	slices.Sort(h.added)
	suspects := Suspects(a.Message, entries)
	general := a.Code == "AccessDenied" || a.Code == "InvalidViewerCertificate" || a.Code == "CNAMEAlreadyExists" && r.Terms.Wildcard
	if len(h.added) == 0 || len(suspects) == 0 && general {
		h.itself = &a
	}
	h.search = NewSearch(h.added).Suspect(suspects)
	return &h
}

// quarantine keeps the origins out that the hunt has found so far.
func (r Run) quarantine(step *Step, h hunt) {
	for _, id := range h.search.Bad() {
		said, refused := h.why[id]
		if !refused {
			said = h.cause
		}
		r.keep(step, r.Records[r.index(id)], origin.Quarantined, contract.OriginQuarantined, origin.Reason{
			Code: UpdateInvalid, Subject: said.Code,
			Message: "CloudFront refuses an update with it in it (" + origin.Brief(said.Message) + "): mend what it claims; it is tried again after an hour",
		})
	}
}

// blame says that CloudFront refuses an update for the fault of no origin that it adds, once for each error code and hour. It may
// name one that is wired: as a rule one that is no longer shared. CloudFront goes on serving it, and refuses every change.
func (r Run) blame(a Answer) (Run, Step) {
	r = r.unwritten(a.Err)
	code := cmp.Or(a.Code, "unknown")
	if r.Item.Refused == code && r.Now.Sub(r.Item.RefusedAt) < patience {
		return r.Settle()
	}
	because, next := "and no origin is to blame", "mend that"
	var wired []Entry
	for _, o := range r.Records {
		wired = append(wired, Entry{VPCOrigin: o.ID})
	}
	if named := Suspects(a.Message, wired); len(named) > 0 {
		because, next = "because of "+strings.Join(named, ", ")+" in it", "the hub takes out what is no longer shared with it"
	}
	var o outcome.Outcome
	o.Alarm(contract.DistributionWriteRefused, "", outcome.Detail{
		What: r.Item.ID,
		Why: "CloudFront refuses updates of the distribution, " + because + " (" + origin.Brief(a.Message) + "): " + next +
			"; what waits is written as soon as CloudFront takes it",
	})
	r.Item.Refused, r.Item.RefusedAt = code, r.Now
	return r, Step{Outcome: o}
}

// without is all but some.
func without(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(one string) bool { return slices.Contains(some, one) })
}
