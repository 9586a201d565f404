package workflow

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/originhub/originhub/pkg/fault"
)

type targetNetwork interface {
	EndpointAddresses(ctx context.Context, endpoint string) ([]string, error)
	Targets(ctx context.Context, group string) ([]string, error)
	Register(ctx context.Context, group string, addresses []string) error
	Deregister(ctx context.Context, group string, addresses []string) error
}

// Targets keeps the targets of a team's load balancer equal to the addresses of its interface endpoint, which AWS may
// replace.
type Targets struct {
	Endpoint string // id of the VPC endpoint
	Group    string // target group ARN
	Network  targetNetwork
	Log      *slog.Logger
}

// Run registers new addresses before it removes old ones, so that there is never a moment without a target. An endpoint
// without addresses is not believed: it is being made, or the answer is not complete.
func (t *Targets) Run(ctx context.Context) error {
	want, err := t.Network.EndpointAddresses(ctx, t.Endpoint)
	if err != nil {
		return err
	}
	if len(want) == 0 {
		return &fault.Retry{Err: fmt.Errorf("endpoint %s has no addresses yet", t.Endpoint)}
	}
	have, err := t.Network.Targets(ctx, t.Group)
	if err != nil {
		return err
	}
	fresh, stale := except(want, have), except(have, want)
	if len(fresh) > 0 {
		if err := t.Network.Register(ctx, t.Group, fresh); err != nil {
			return err
		}
	}
	if len(stale) > 0 {
		if err := t.Network.Deregister(ctx, t.Group, stale); err != nil {
			return err
		}
	}
	if len(fresh)+len(stale) > 0 {
		t.Log.InfoContext(ctx, "targets follow the endpoint", "endpoint", t.Endpoint, "registered", fresh, "deregistered", stale)
	}
	return nil
}

// except is what of all is not among others.
func except(all, others []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(one string) bool { return slices.Contains(others, one) })
}
