package workflow

import (
	"context"

	"github.com/originhub/originhub/pkg/audit"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/teardown"
)

// used lists the VPC origins of accounts with their users. An account that cannot be read does not affect the others.
func (a *Audit) used(ctx context.Context, accounts []string, o *audit.Observed) error {
	owned := make([][]audit.Owned, len(accounts))
	failed := make([]error, len(accounts))
	each(len(accounts), func(i int) { owned[i], failed[i] = a.usedIn(ctx, accounts[i]) })
	for i, account := range accounts {
		o.Owned = append(o.Owned, owned[i]...)
		switch err := failed[i]; {
		case fault.Is[*fault.GiveUp](err):
			a.Log.WarnContext(ctx, "VPC origins cannot be listed", "account", account, "error", err)
			o.Unreadable = append(o.Unreadable, account)
		case err != nil:
			return err
		}
	}
	return nil
}

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

// interfaces lists CloudFront's network interfaces in accounts. An account that cannot be read does not affect the others.
func (a *Audit) interfaces(ctx context.Context, accounts []string, o *audit.Observed) error {
	regions := o.Regions()
	there := make([][]audit.Interfaces, len(accounts))
	failed := make([]error, len(accounts))
	each(len(accounts), func(i int) { there[i], failed[i] = a.interfacesIn(ctx, accounts[i], regions, o.Owned) })
	for i, account := range accounts {
		o.Interfaces = append(o.Interfaces, there[i]...)
		switch err := failed[i]; {
		case fault.Is[*fault.GiveUp](err):
			a.Log.WarnContext(ctx, "network interfaces cannot be listed", "account", account, "error", err)
			o.Unlisted = append(o.Unlisted, account)
		case err != nil:
			return err
		}
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
