// Package admit builds the function that brings permitted shares into the registry.
package admit

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/originhub/originhub/pkg/awscloudfront"
	"github.com/originhub/originhub/pkg/awsram"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/hub"
	"github.com/originhub/originhub/pkg/registry"
	"github.com/originhub/originhub/pkg/workflow"
)

// New returns the handler.
func New(ctx context.Context, host hub.Host) (lambda.Handler, error) {
	h, err := hub.Load(ctx, host, "admit")
	if err != nil {
		return nil, err
	}
	table, err := h.Setting(contract.EnvTable)
	if err != nil {
		return nil, err
	}
	past, err := h.Setting(contract.EnvPastTable)
	if err != nil {
		return nil, err
	}
	admit := &workflow.Admit{
		Policy:     h.Policy.Policy,
		Grace:      h.Policy.Grace,
		Registry:   h.Registry,
		Past:       registry.NewPast(h.AWS, table, past),
		Shares:     awsram.New(h.AWS),
		CloudFront: awscloudfront.New(h.AWS),
		Spoke:      func(account string) workflow.Spoke { return awscloudfront.New(h.Spoke(account)) },
		Queue:      h.AdmitQueue,
		WireQueue:  h.WireQueue,
		Bus:        h.Bus,
		Meter:      h.Meter,
		Log:        h.Log,
	}
	return hub.Queue(h.Log, admit.Run), nil
}
