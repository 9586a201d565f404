package workflow

import (
	"context"
	"fmt"

	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/teardown"
	"github.com/originhub/originhub/pkg/wiring"
)

// observe observes the fact that a step asks for.
func (r *teardownRun) observe(ctx context.Context, step teardown.Step) error {
	err := r.read(ctx, step)
	if err != nil && step.Optional {
		r.Log.WarnContext(ctx, "optional fact stays unobserved", "phase", step.Phase, "fact", step.Fact, "error", err)
		r.observed.Unread[step.Fact] = true
		return nil
	}
	r.observed.Has[step.Fact] = err == nil
	return err
}

// read reads the fact that a step asks for.
func (r *teardownRun) read(ctx context.Context, step teardown.Step) (err error) {
	o, owner := &r.observed, r.Owner(r.written.Account)
	switch step.Fact {
	case teardown.Tag:
		team, _ := r.Policy.TeamOf(r.written.Account)
		o.Tag, o.Value, err = teardownTag(ctx, owner, r.written.Ref, team.ConfirmTeardown)
		return err
	case teardown.Naming:
		o.Distribution = r.distribution
		o.Named, o.Unmanaged, err = r.named(ctx)
	case teardown.Usage:
		o.Users, err = owner.UsersOf(ctx, r.written.ARN)
	case teardown.Sharing:
		o.Shares, err = r.Shares(r.written.Account).Associations(ctx)
		return err
	case teardown.Existence:
		var seen origin.VpcOrigin
		seen, err = owner.VpcOrigin(ctx, r.written.ID)
		o.Exists, o.Deployed, o.OtherStatus, o.ETag, o.Endpoint = err == nil, seen.Deployed, seen.OtherStatus, seen.ETag, seen.Endpoint
	case teardown.Placement:
		o.Place, err = r.Network(r.written.Account).Endpoint(ctx, o.Endpoint)
	case teardown.Interfaces:
		for _, in := range step.In {
			there, err := r.Network(r.written.Account).ManagedENIs(ctx, in.Region, in.VPC)
			if err != nil {
				return err
			}
			o.ENIs = append(o.ENIs, there...)
		}
	case teardown.OtherOrigins:
		o.OtherOrigins, err = r.otherOrigins(ctx, owner)
		return err
	}
	return fault.IgnoreAbsent(err)
}

// teardownTag reads the teardown tag of a VPC origin, and the second tag if the policy requires it.
func teardownTag(ctx context.Context, owner Spoke, o origin.Ref, confirm bool) (teardown.TagState, string, error) {
	tags, err := owner.Tags(ctx, o.ARN)
	switch {
	case fault.Is[*fault.Absent](err):
		return teardown.TagGone, "", nil
	case err != nil:
		return teardown.TagUnobserved, "", err
	}
	tag, value := teardown.ReadTag(tags, o.ID, confirm)
	return tag, value, nil
}

// named reports whether the distribution's configuration has the origin, and which unmanaged parts use it. A deleted distribution has none.
func (r *teardownRun) named(ctx context.Context) (named bool, unmanaged []string, err error) {
	if r.distribution == "" {
		return false, nil, nil
	}
	served, err := r.CloudFront.Distribution(ctx, r.distribution)
	if err != nil {
		return false, nil, err
	}
	config, err := wiring.ParseConfig(served.Config)
	if err != nil {
		return false, nil, &fault.GiveUp{Err: fmt.Errorf("read distribution %s: %w", r.distribution, err)}
	}
	return config.Uses(r.written.ID), config.UnmanagedUsers(r.written.ID), nil
}

// otherOrigins returns the endpoints of the owner's other VPC origins.
func (r *teardownRun) otherOrigins(ctx context.Context, owner Owner) ([]teardown.Neighbor, error) {
	others, err := owner.VpcOrigins(ctx)
	if err != nil {
		return nil, err
	}
	var places []teardown.Neighbor
	for _, other := range others {
		if other.ID == r.written.ID || other.Account != r.written.Account {
			continue
		}
		place, err := r.Network(r.written.Account).Endpoint(ctx, other.Endpoint)
		if fault.Is[*fault.Absent](err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		places = append(places, teardown.Neighbor{Endpoint: place, Deployed: other.Deployed})
	}
	return places, nil
}
