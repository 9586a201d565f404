package admission

import (
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// Offer is an origin in permitted shares that are open to the hub.
type Offer struct {
	origin.Ref
	Shares []string // ARNs, sorted; at least one
}

// Offers lists the origins of permitted shares, by id, and refuses the other shares. It is given the shares that are open to
// the hub, by invitation or within the organization, and what is in them.
func Offers(open []origin.Share, contents []origin.Resource, p Policy, reported map[string][]Reason) (offers []Offer, refused []Change) {
	in := map[string][]origin.Resource{}
	for _, c := range contents {
		in[c.Share] = append(in[c.Share], c)
	}
	shares := map[origin.Ref][]string{}
	for _, s := range open {
		decision := DecideShare(s, false, in[s.ARN], p)
		if !decision.Accept && !decision.Waits() {
			refused = append(refused, refuse(reported, contract.ShareRefused, s.ARN, outcome.Detail{Account: s.Owner, What: s.Name}, decision.Reasons)...)
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
	return offers, refused
}
