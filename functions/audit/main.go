// Command audit reports what was done behind the hub's back, and what is left over.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/originhub/originhub/functions/internal/boot"
	"github.com/originhub/originhub/pkg/awscloudfront"
	"github.com/originhub/originhub/pkg/awsram"
	"github.com/originhub/originhub/pkg/awsroute53"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/workflow"
)

func main() {
	hub, err := boot.Load(context.Background(), "audit")
	if err != nil {
		log.Fatal(err)
	}
	account := os.Getenv(contract.EnvAccount)
	if account == "" {
		log.Fatalf("environment variable %s is not set; the hub stack sets it", contract.EnvAccount)
	}
	spokes := hub.Spokes()
	audit := &workflow.Audit{
		Policy:       hub.Policy,
		Account:      account,
		Registry:     hub.Registry,
		Shares:       awsram.New(hub.AWS),
		CloudFront:   awscloudfront.New(hub.AWS),
		DNS:          awsroute53.New(hub.AWS, hub.Policy.HostedZone),
		Spoke:        func(account string) workflow.SpokeOrigins { return awscloudfront.New(spokes(account)) },
		AdmitQueue:   hub.AdmitQueue,
		WireQueue:    hub.WireQueue,
		WireQueueURL: os.Getenv(contract.EnvWireQueue),
		Bus:          hub.Bus,
		Meter:        hub.Meter,
		Log:          hub.Log,
	}
	lambda.Start(boot.Event(hub.Log, inbound.ParseCall, audit.Run))
}
