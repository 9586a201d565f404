// Command wire makes the distributions what the registry wants, and settles what has become Deployed.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/originhub/originhub/functions/internal/boot"
	"github.com/originhub/originhub/pkg/awscloudfront"
	"github.com/originhub/originhub/pkg/awsquotas"
	"github.com/originhub/originhub/pkg/awsroute53"
	"github.com/originhub/originhub/pkg/awssfn"
	"github.com/originhub/originhub/pkg/workflow"
)

func main() {
	hub, err := boot.Load(context.Background(), "wire")
	if err != nil {
		log.Fatal(err)
	}
	wire := &workflow.Wire{
		Policy:     hub.Policy,
		Registry:   hub.Registry,
		CloudFront: awscloudfront.New(hub.AWS),
		Quotas:     awsquotas.New(hub.AWS),
		DNS:        awsroute53.New(hub.AWS, hub.Policy.HostedZone),
		Queue:      hub.WireQueue,
		AdmitQueue: hub.AdmitQueue,
		Executions: awssfn.New(hub.AWS),
		Bus:        hub.Bus,
		Meter:      hub.Meter,
		Log:        hub.Log,
		Holder:     os.Getenv("AWS_LAMBDA_LOG_STREAM_NAME"),
	}
	lambda.Start(boot.Queue(hub.Log, wire.Run))
}
