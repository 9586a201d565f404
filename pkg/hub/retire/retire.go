// Package retire builds the function that starts the teardown of tagged origins.
package retire

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/originhub/originhub/pkg/awscloudfront"
	"github.com/originhub/originhub/pkg/awssfn"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/hub"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/workflow"
)

// New returns the handler.
func New(ctx context.Context, host hub.Host) (lambda.Handler, error) {
	h, err := hub.Load(ctx, host, "retire")
	if err != nil {
		return nil, err
	}
	machine, err := h.Setting(contract.EnvStateMachine)
	if err != nil {
		return nil, err
	}
	retire := &workflow.Retire{
		Policy:     h.Policy,
		Registry:   h.Registry,
		Spoke:      func(account string) workflow.Spoke { return awscloudfront.New(h.Spoke(account)) },
		Executions: awssfn.New(h.AWS),
		Machine:    machine,
		Bus:        h.Bus,
		Meter:      h.Meter,
		Log:        h.Log,
	}
	return hub.Event(h.Log, inbound.Parse, retire.Run), nil
}
