package admission

import (
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// damaged reports each item of the registry that cannot be read, once. Its origin stays in its distribution as it is, and nobody can tear
// it down, until the item can be read again.
func (r Round) damaged() []Change {
	var changes []Change
	for _, d := range r.Registry.Damaged {
		changes = append(changes, refuse(r.Registry.Refusals, contract.RegistryItemDamaged, itemOf(d),
			outcome.Detail{Origin: d.Origin, What: d.Key}, []Reason{because(origin.ItemDamaged, d.Why,
				"item %s in partition %s of the registry cannot be read: %s; originhub leaves the origin or distribution of this item as it is; all other origins are handled as usual; "+
					"restore the item from a point-in-time recovery of the table, or delete it: the next sweep then records again what is still shared",
				d.Key, d.Partition, d.Why)})...)
	}
	return changes
}

// itemOf returns the name of a damaged item among the refusals.
func itemOf(d origin.Damaged) string { return "registry " + d.Partition + " " + d.Key }
