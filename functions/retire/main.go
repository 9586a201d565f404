// Command retire starts the teardown of tagged origins.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/originhub/originhub/functions/internal/boot"
	"github.com/originhub/originhub/pkg/awscloudfront"
	"github.com/originhub/originhub/pkg/awssfn"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/workflow"
)

func main() {
	hub, err := boot.Load(context.Background(), "retire")
	if err != nil {
		log.Fatal(err)
	}
	machine := os.Getenv(contract.EnvStateMachine)
	if machine == "" {
		log.Fatalf("environment variable %s is not set; the hub stack sets it", contract.EnvStateMachine)
	}
	spokes := hub.Spokes()
	retire := &workflow.Retire{
		Policy:     hub.Policy,
		Registry:   hub.Registry,
		Spoke:      func(account string) workflow.Spoke { return awscloudfront.New(spokes(account)) },
		Executions: awssfn.New(hub.AWS),
		Machine:    machine,
		Bus:        hub.Bus,
		Meter:      hub.Meter,
		Log:        hub.Log,
	}
	lambda.Start(func(ctx context.Context, event json.RawMessage) error {
		message, err := boot.Parse(ctx, hub.Log, event, inbound.Parse)
		if err != nil {
			// Lambda tries again and then keeps the event in the dead-letter queue.
			hub.Log.ErrorContext(ctx, "event cannot be read", "error", err)
			return fault.AsGiveUp(err)
		}
		if nothing, ok := message.(inbound.Nothing); ok {
			hub.Log.InfoContext(ctx, "nothing to do", "why", nothing.Why)
			return nil
		}
		return fault.Outermost(retire.Run(ctx, message))
	})
}
