package admission

import (
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// Offer is an origin in one or more permitted shares that are open to the hub, or an origin in none whose tags a message concerns.
type Offer struct {
	origin.Ref
	Shares []string // ARNs, sorted; none if no permitted share contains the origin
}

// Offers returns the origins in permitted shares, sorted by id, and the refusals of the other shares. Open are the shares that are open
// to the hub, by accepted invitation or within the organization; contents are the resources in them. A refusal that is in reported is
// not returned again, until the share was permitted or unrelated in between.
func Offers(open []origin.Share, contents []origin.Resource, p Policy, reported map[string][]Reason) (offers []Offer, changes []Change) {
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
		case !decision.Waits():
			changes = append(changes, refuse(reported, contract.ShareRefused, s.ARN, outcome.Detail{Account: s.Owner, What: s.Name}, decision.Reasons)...)
		}
		for _, o := range decision.Origins {
			shares[o] = append(shares[o], s.ARN)
		}
	}
	for o, arns := range shares {
		slices.Sort(arns)
		offers = append(offers, Offer{o, arns})
	}
	slices.SortFunc(offers, func(a, b Offer) int { return strings.Compare(a.ID, b.ID) })
	return offers, changes
}
