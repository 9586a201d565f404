package workflow

import (
	"context"
	"log/slog"
	"slices"

	"github.com/originhub/originhub/pkg/audit"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/teardown"
)

// teams observes the accounts of teams: their VPC origins with users, the teardown tags of those that may be half torn down, and CloudFront's network
// interfaces.
func (a *Audit) teams(ctx context.Context, accounts []string, o *audit.Observed) (err error) {
	o.Owned, o.Unreadable, err = readEach(ctx, a.Log, "VPC origins cannot be listed", accounts, func(account string) ([]audit.Owned, error) {
		return a.usedIn(ctx, account)
	})
	if err != nil {
		return err
	}
	if err := a.teardownTags(ctx, o); err != nil {
		return err
	}
	readable := slices.DeleteFunc(slices.Clone(accounts), func(account string) bool { return slices.Contains(o.Unreadable, account) })
	o.Outdated, _, err = readEach(ctx, a.Log, "the version of the spoke cannot be read", readable, func(account string) ([]string, error) {
		if current, err := a.Current(ctx, account); current || err != nil {
			return nil, err
		}
		return []string{account}, nil
	})
	if err != nil {
		return err
	}
	regions := o.Regions()
	o.Interfaces, o.Unlisted, err = readEach(ctx, a.Log, "network interfaces cannot be listed", accounts, func(account string) ([]audit.Interfaces, error) {
		return a.interfacesIn(ctx, account, regions, o.Owned)
	})
	return err
}

// readEach reads several accounts at the same time. One that AWS does not let the hub read completely is returned as unreadable, and does not affect the
// others.
func readEach[T any](ctx context.Context, log *slog.Logger, message string, accounts []string, read func(account string) ([]T, error)) (all []T, unreadable []string, err error) {
	there, failed := make([][]T, len(accounts)), make([]error, len(accounts))
	each(len(accounts), accountsPerWorker, func(i int) { there[i], failed[i] = read(accounts[i]) })
	for i, account := range accounts {
		all = append(all, there[i]...)
		switch err := failed[i]; {
		case fault.Is[*fault.GiveUp](err):
			log.WarnContext(ctx, message, "account", account, "error", err)
			unreadable = append(unreadable, account)
		case err != nil:
			return nil, nil, err
		}
	}
	return all, unreadable, nil
}

// usedIn lists the VPC origins of an account with their users.
func (a *Audit) usedIn(ctx context.Context, account string) (owned []audit.Owned, err error) {
	spoke := a.Spoke(account)
	origins, err := spoke.VpcOrigins(ctx)
	for i := 0; i < len(origins) && err == nil; i++ {
		one := audit.Owned{VpcOrigin: origins[i]}
		one.Users, err = spoke.UsersOf(ctx, one.ARN)
		switch {
		case err == nil:
			owned = append(owned, one)
		case fault.Is[*fault.Absent](err): // it went meanwhile
			err = nil
		}
	}
	return owned, err
}

// observeDoors adds to o which distributions use origins. An account that AWS does not let the hub read is skipped: the daily audit reads it again.
func (a *Audit) observeDoors(ctx context.Context, origins []origin.Ref, o *audit.Observed) error {
	for _, ref := range origins {
		users, err := a.Spoke(ref.Account).UsersOf(ctx, ref.ARN)
		switch {
		case err == nil:
			o.Owned = append(o.Owned, audit.Owned{VpcOrigin: origin.VpcOrigin{Ref: ref}, Users: users})
		case fault.Is[*fault.GiveUp](err):
			a.Log.WarnContext(ctx, "the distributions that use a VPC origin cannot be listed", "origin", ref.ID, "account", ref.Account, "error", err)
		case !fault.Is[*fault.Absent](err):
			return err
		}
	}
	return nil
}

// teardownTags observes the teardown tag of each origin that may be half torn down. A tag that cannot be read counts as absent.
func (a *Audit) teardownTags(ctx context.Context, o *audit.Observed) error {
	for _, i := range o.Unrecorded() {
		v := &o.Owned[i]
		tag, _, err := teardownTag(ctx, a.Spoke(v.Account), v.Ref, false)
		if err != nil && !fault.Is[*fault.GiveUp](err) {
			return err
		}
		if err != nil {
			a.Log.WarnContext(ctx, "tags cannot be read", "origin", v.ID, "account", v.Account, "error", err)
		}
		v.Teardown = tag == teardown.TagPresent
	}
	return nil
}

// interfacesIn lists the interfaces in an account, with the locations of its VPC origins where there are interfaces. It skips a Region that
// cannot be read, and returns the error.
func (a *Audit) interfacesIn(ctx context.Context, account string, regions []string, owned []audit.Owned) (there []audit.Interfaces, failed error) {
	network := a.Network(account)
	for _, region := range regions {
		in := audit.Interfaces{Account: account, Region: region}
		var err error
		if in.ENIs, err = network.ManagedENIs(ctx, region, ""); err == nil && len(in.ENIs) > 0 {
			in.Origins, err = located(ctx, network, in, owned)
		}
		switch {
		case fault.Is[*fault.GiveUp](err):
			failed = err
		case err != nil:
			return nil, err
		case len(in.ENIs) > 0:
			there = append(there, in)
		}
	}
	return there, failed
}

// located returns the locations of the VPC origins of an account in one Region. A load balancer or instance that does not exist has the zero
// location.
func located(ctx context.Context, network OwnerNetwork, in audit.Interfaces, owned []audit.Owned) (all []origin.Endpoint, err error) {
	for _, v := range owned {
		if v.Account != in.Account || audit.RegionOf(v.Endpoint) != in.Region {
			continue
		}
		place, err := network.Endpoint(ctx, v.Endpoint)
		if fault.IgnoreAbsent(err) != nil {
			return nil, err
		}
		all = append(all, place)
	}
	return all, nil
}
