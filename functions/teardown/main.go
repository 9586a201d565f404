// Command teardown performs one step of the state machine that takes an origin out.
package main

import (
	"context"
	"encoding/json"
	"log"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/originhub/originhub/functions/internal/boot"
	"github.com/originhub/originhub/pkg/awscloudfront"
	"github.com/originhub/originhub/pkg/awsnetwork"
	"github.com/originhub/originhub/pkg/awsram"
	"github.com/originhub/originhub/pkg/awssfn"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/workflow"
)

func main() {
	hub, err := boot.Load(context.Background(), "teardown")
	if err != nil {
		log.Fatal(err)
	}
	spokes := hub.Spokes()
	teardown := &workflow.Teardown{
		Policy:     hub.Policy,
		Registry:   hub.Registry,
		CloudFront: awscloudfront.New(hub.AWS),
		Owner:      func(account string) workflow.Owner { return awscloudfront.New(spokes(account)) },
		Shares:     func(account string) workflow.OwnerShares { return awsram.New(spokes(account)) },
		Network:    func(account string) workflow.OwnerNetwork { return awsnetwork.New(spokes(account)) },
		Executions: awssfn.New(hub.AWS),
		WireQueue:  hub.WireQueue,
		Bus:        hub.Bus,
		Meter:      hub.Meter,
		Log:        hub.Log,
	}
	lambda.Start(func(ctx context.Context, input json.RawMessage) (workflow.TaskOutput, error) {
		task, err := inbound.ParseTask(input)
		if err != nil {
			return workflow.TaskOutput{}, fault.AsGiveUp(err)
		}
		out, err := teardown.Step(ctx, task)
		if err != nil {
			hub.Log.ErrorContext(ctx, "step failed", "phase", task.Phase, "origin", task.Origin, "error", err)
		}
		return out, fault.Outermost(err)
	})
}
