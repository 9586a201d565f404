// Command retire starts the teardown of tagged origins.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/originhub/originhub/functions/internal/boot"
	"github.com/originhub/originhub/pkg/awscloudfront"
	"github.com/originhub/originhub/pkg/awssfn"
	"github.com/originhub/originhub/pkg/contract"
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
	lambda.Start(boot.Event(hub.Log, inbound.Parse, retire.Run))
}
