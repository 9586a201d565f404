// Command admit brings permitted shares into the registry.
package main

import (
	"context"
	"log"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/originhub/originhub/functions/internal/boot"
	"github.com/originhub/originhub/pkg/awscloudfront"
	"github.com/originhub/originhub/pkg/awsram"
	"github.com/originhub/originhub/pkg/workflow"
)

func main() {
	hub, err := boot.Load(context.Background(), "admit")
	if err != nil {
		log.Fatal(err)
	}
	spokes := hub.Spokes()
	admit := &workflow.Admit{
		Policy:     hub.Policy,
		Registry:   hub.Registry,
		Shares:     awsram.New(hub.AWS),
		CloudFront: awscloudfront.New(hub.AWS),
		Spoke:      func(account string) workflow.Spoke { return awscloudfront.New(spokes(account)) },
		Queue:      hub.AdmitQueue,
		WireQueue:  hub.WireQueue,
		Bus:        hub.Bus,
		Meter:      hub.Meter,
		Log:        hub.Log,
	}
	lambda.Start(boot.Queue(hub.Log, admit.Run))
}
