package workflow

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/wiring"
)

type targetNetwork interface {
	EndpointAddresses(ctx context.Context, endpoint string) ([]string, error)
	Targets(ctx context.Context, group string) ([]string, error)
	Register(ctx context.Context, group string, addresses []string) error
	Deregister(ctx context.Context, group string, addresses []string) error
}

// Targets keeps the targets of a team's load balancer equal to the addresses of its interface endpoint, which AWS may replace.
type Targets struct {
	Endpoint string // id of the VPC endpoint
	Group    string // target group ARN
	Network  targetNetwork
	Log      *slog.Logger
}

// maxChanges is how many changes one run makes: one registration and one deregistration. If a change is not observed by then, the next run
// goes on.
const maxChanges = 2

// Run makes changes until there is nothing to change.
func (t *Targets) Run(ctx context.Context) error {
	for range maxChanges {
		addresses, err := t.Network.EndpointAddresses(ctx, t.Endpoint)
		if err != nil {
			return err
		}
		targets, err := t.Network.Targets(ctx, t.Group)
		if err != nil {
			return err
		}
		switch change := wiring.Targets(addresses, targets); {
		case change.Unknown:
			return &fault.Retry{Err: fmt.Errorf("endpoint %s has no addresses yet", t.Endpoint)}
		case len(change.Register) > 0:
			if err := t.Network.Register(ctx, t.Group, change.Register); err != nil {
				return err
			}
			t.Log.InfoContext(ctx, "targets registered", "endpoint", t.Endpoint, "addresses", change.Register)
		case len(change.Deregister) > 0:
			if err := t.Network.Deregister(ctx, t.Group, change.Deregister); err != nil {
				return err
			}
			t.Log.InfoContext(ctx, "targets deregistered", "endpoint", t.Endpoint, "addresses", change.Deregister)
		default:
			return nil
		}
	}
	return nil
}
