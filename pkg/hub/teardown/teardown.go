// Package teardown builds the function that performs one step of the state machine that takes an origin out.
package teardown

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/originhub/originhub/pkg/awscloudfront"
	"github.com/originhub/originhub/pkg/awsnetwork"
	"github.com/originhub/originhub/pkg/awsram"
	"github.com/originhub/originhub/pkg/awssfn"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/hub"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/workflow"
)

// New returns the handler.
func New(ctx context.Context, host hub.Host) (lambda.Handler, error) {
	h, err := hub.Load(ctx, host, "teardown")
	if err != nil {
		return nil, err
	}
	teardown := &workflow.Teardown{
		Policy:     h.Policy,
		Registry:   h.Registry,
		CloudFront: awscloudfront.New(h.AWS),
		Owner:      func(account string) workflow.Owner { return awscloudfront.New(h.Spoke(account)) },
		Shares:     func(account string) workflow.OwnerShares { return awsram.New(h.Spoke(account)) },
		Network:    func(account string) workflow.OwnerNetwork { return awsnetwork.New(h.Spoke(account)) },
		Executions: awssfn.New(h.AWS),
		WireQueue:  h.WireQueue,
		Bus:        h.Bus,
		Meter:      h.Meter,
		Log:        h.Log,
	}
	return lambda.NewHandler(func(ctx context.Context, input json.RawMessage) (workflow.TaskOutput, error) {
		task, err := inbound.ParseTask(input)
		if err != nil {
			return workflow.TaskOutput{}, fault.AsGiveUp(err)
		}
		out, err := teardown.Step(ctx, task)
		if err != nil {
			h.Log.ErrorContext(ctx, "step failed", "phase", task.Phase, "origin", task.Origin, "error", err)
		}
		return out, fault.Outermost(err)
	}), nil
}
