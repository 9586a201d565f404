package admission

import (
	"slices"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// damaged reports each item of the registry that cannot be read, once. Its origin stays in its distribution as it is, unless it is withdrawn
// or suspended, and nobody can tear it down, until the item can be read again.
func (r Round) damaged() []Change {
	var changes []Change
	for _, d := range r.Registry.Damaged {
		changes = append(changes, refuse(r.Registry.Refusals, contract.RegistryItemDamaged, d.Refusal(),
			outcome.Detail{Origin: d.Origin, What: d.Key}, []Reason{because(origin.ItemDamaged, d.Why,
				"item %s in partition %s of the registry cannot be read: %s; originhub leaves the origin or distribution of this item as it is, unless the origin is suspended, not "+
					"shared any more, or its account belongs to no team; all other origins are handled as usual; "+
					"restore the item from a point-in-time recovery of the table, or delete it: the next sweep then records again what is still shared",
				d.Key, d.Partition, d.Why)})...)
	}
	return changes
}

// withdrawDamaged withdraws origins whose records cannot be read, once each. The withdrawal is stored as a refusal, since the record
// may still be restored. Function wire then takes the origin out of its distribution. CloudFront otherwise refuses every update
// of the distribution, for any team (CF-03). The claim is unknown, so alias and DNS record stay.
//
//	in a distribution  may stay                         then
//	any                no (mayNotStay)                  stays withdrawn
//	yes                no (mayNotStay)                  Origin Withdrawn, once
//	yes                its account belongs to no team   Origin Withdrawn, once
//	any                yes                              an earlier withdrawal is forgotten
func (r Round) withdrawDamaged() (changes []Change) {
	for _, d := range r.Registry.Damaged {
		if d.Origin == "" {
			continue
		}
		o, wired := r.orphan(d.Origin)
		reason, leaves := r.mayNotStay(d.Origin)
		team, known := r.Policy.TeamOf(o.Account)
		if wired && !leaves && !known {
			reason, leaves = unknownAccount(o), true
		}
		switch {
		case !leaves:
			changes = append(changes, forget(r.Registry.Refusals, origin.WithdrawalOf(d.Origin))...)
		case wired:
			for _, c := range refuse(r.Registry.Refusals, contract.OriginWithdrawn, origin.WithdrawalOf(o.ID), outcome.Detail{Origin: o.ID, Account: o.Account, Team: team.Name}, []Reason{
				reason, because(origin.ItemDamaged, d.Key, "its record, item %s in partition %s of the registry, cannot be read: restore or delete it first", d.Key, d.Partition),
			}) {
				c.Events[0].Resource = o.ARN
				c.Trigger(outcome.Wire, "registry changed", 0)
				changes = append(changes, c)
			}
		}
	}
	return changes
}

// orphan returns the managed origin without a readable record that a distribution contains, and whether there is one.
func (r Round) orphan(id string) (origin.Ref, bool) {
	for _, d := range r.Registry.Distributions {
		if i := slices.IndexFunc(d.Orphans, func(o origin.Ref) bool { return o.ID == id && o.ARN != "" }); i >= 0 {
			return d.Orphans[i], true
		}
	}
	return origin.Ref{}, false
}
