// Package targets builds the function that keeps the addresses of a team's interface endpoint registered with the team's load
// balancer.
package targets

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/originhub/originhub/pkg/awsnetwork"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/hub"
	"github.com/originhub/originhub/pkg/workflow"
)

// New returns the handler.
func New(ctx context.Context, host hub.Host) (lambda.Handler, error) {
	team, err := hub.LoadTeam(ctx, host, "targets")
	if err != nil {
		return nil, err
	}
	endpoint, err := team.Setting(contract.EnvEndpoint)
	if err != nil {
		return nil, err
	}
	group, err := team.Setting(contract.EnvTargetGroup)
	if err != nil {
		return nil, err
	}
	targets := &workflow.Targets{Endpoint: endpoint, Group: group, Network: awsnetwork.New(team.AWS), Log: team.Log}
	// Which event it was makes no difference: each is a reason to observe.
	return lambda.NewHandler(func(ctx context.Context, _ json.RawMessage) error {
		return fault.Outermost(targets.Run(ctx))
	}), nil
}
