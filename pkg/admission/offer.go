package admission

import (
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// Offer is an origin in one or more permitted shares that are open to the hub, or an origin in none whose tags a message concerns.
type Offer struct {
	origin.Ref
	Shares []string  // ARNs, sorted; none if no permitted share contains the origin
	Since  time.Time // when the origin came into the first share that contains it; zero if that is not known
}

// Shared is what the shares that are open to the hub contain.
type Shared struct {
	Offers  []Offer           // origins in permitted shares, sorted by id
	Denied  map[string]Reason // why origins in shares whose owner may not share from outside the organization are refused, by id
	Unknown []string          // accounts whose shares wait, since their membership is unknown; sorted
	// Strangers belong to no team. Their shares change nothing.
	Strangers []Stranger
}

// Share returns what the open shares contain, and the refusals of shares. Open are the shares that are open to the hub, by accepted
// invitation or within the organization; contents are the resources in them. A refusal that is in reported is not returned again, until
// the share was permitted or unrelated in between.
func Share(open []origin.Share, contents []origin.Resource, p Policy, reported map[string][]Reason) (shared Shared, changes []Change) {
	shared.Denied = map[string]Reason{}
	resources := map[string][]origin.Resource{}
	for _, c := range contents {
		resources[c.Share] = append(resources[c.Share], c)
	}
	shares := map[origin.Ref][]string{}
	for _, s := range open {
		decision := DecideShare(s, false, resources[s.ARN], p)
		switch {
		case decision.Accept, decision.Unrelated:
			changes = append(changes, forget(reported, s.ARN)...)
		case origin.HasCode(decision.Reasons, ShareUnknownAccount):
			shared.Strangers = append(shared.Strangers, Stranger{s.Owner, s.Created})
		case !decision.Waits():
			changes = append(changes, refuse(reported, contract.ShareRefused, s.ARN, outcome.Detail{Account: s.Owner, What: s.Name}, decision.Reasons)...)
		}
		for _, o := range decision.Origins {
			shares[o] = append(shares[o], s.ARN)
		}
		shared.note(s.Owner, decision.Reasons, resources[s.ARN])
	}
	since := map[string]time.Time{}
	for _, c := range contents {
		if first, known := since[c.ARN]; !known || c.Associated.Before(first) {
			since[c.ARN] = c.Associated
		}
	}
	for o, arns := range shares {
		slices.Sort(arns)
		shared.Offers = append(shared.Offers, Offer{o, arns, since[o.ARN]})
	}
	slices.SortFunc(shared.Offers, func(a, b Offer) int { return strings.Compare(a.ID, b.ID) })
	slices.Sort(shared.Unknown)
	shared.Unknown = slices.Compact(shared.Unknown)
	return shared, changes
}

// note adds what the reasons against a share say about the membership of its owner.
func (s *Shared) note(owner string, reasons []Reason, contents []origin.Resource) {
	for _, reason := range reasons {
		switch reason.Code {
		case ShareOutside:
			for _, c := range contents {
				if ref, err := origin.ParseARN(c.ARN); err == nil {
					s.Denied[ref.ID] = reason
				}
			}
		case MembershipUnknown:
			s.Unknown = append(s.Unknown, owner)
		}
	}
}
