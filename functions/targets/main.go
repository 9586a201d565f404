// Command targets keeps the addresses of a team's interface endpoint registered with the team's load balancer.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/originhub/originhub/functions/internal/boot"
	"github.com/originhub/originhub/pkg/awsnetwork"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/telemetry"
	"github.com/originhub/originhub/pkg/workflow"
)

func main() {
	env := map[string]string{}
	for _, name := range []string{contract.EnvEndpoint, contract.EnvTargetGroup} {
		if env[name] = os.Getenv(name); env[name] == "" {
			log.Fatalf("environment variable %s is not set; the team stack sets it", name)
		}
	}
	logger := telemetry.Logger(os.Stdout, os.Getenv("AWS_LAMBDA_LOG_LEVEL")).With("function", "targets")
	cfg, err := boot.AWS(context.Background(), func() { logger.Warn("a call was throttled") })
	if err != nil {
		log.Fatal(err)
	}
	keep := &workflow.Targets{
		Endpoint: env[contract.EnvEndpoint],
		Group:    env[contract.EnvTargetGroup],
		Network:  awsnetwork.New(cfg),
		Log:      logger,
	}
	// Which event it was makes no difference: each is a reason to look.
	lambda.Start(func(ctx context.Context, _ json.RawMessage) error {
		return fault.Outermost(keep.Run(ctx))
	})
}
