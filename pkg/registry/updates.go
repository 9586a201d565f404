package registry

import (
	"context"
	"encoding/json"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
)

// unversioned is the version of an item without a version that can be read. PutUpdates overwrites such an item.
const unversioned = -1

// Updates returns what the registry holds about the updates of all distributions, and the time by the clock of the registry. If the item
// cannot be read, nobody knows what was sent, so Updates returns it as if CloudFront had throttled an update just now.
func (r *Registry) Updates(ctx context.Context) (u origin.Updates, now time.Time, err error) {
	var c collected
	if err := r.get(ctx, &c, []key{{contract.RegistryUpdates, itemBudget}}); err != nil || len(c.items) == 0 {
		return u, c.now, err
	}
	now = c.now
	version, damaged := versionOf(c.items[0])
	if damaged != nil {
		version = unversioned
	} else {
		damaged = json.Unmarshal([]byte(stringOf(c.items[0][attrDocument])), &u)
	}
	if damaged != nil {
		u = origin.Updates{Throttled: now}
	}
	u.Version = version
	return u, now, nil
}

// PutUpdates writes what Updates returned and the caller changed, with the same condition as PutRecord.
func (r *Registry) PutUpdates(ctx context.Context, u origin.Updates) error {
	if u.Version != unversioned {
		_, err := r.put(ctx, contract.RegistryUpdates, itemBudget, u.Version, u)
		return err
	}
	return r.overwrite(ctx, contract.RegistryUpdates, itemBudget, u, nil)
}
