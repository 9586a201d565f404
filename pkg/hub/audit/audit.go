// Package audit builds the function that reports what was done behind the hub's back, and what is left over.
package audit

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/originhub/originhub/pkg/awscloudfront"
	"github.com/originhub/originhub/pkg/awsnetwork"
	"github.com/originhub/originhub/pkg/awsram"
	"github.com/originhub/originhub/pkg/awsroute53"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/hub"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/workflow"
)

// New returns the handler.
func New(ctx context.Context, host hub.Host) (lambda.Handler, error) {
	h, err := hub.Load(ctx, host, "audit")
	if err != nil {
		return nil, err
	}
	account, err := h.Setting(contract.EnvAccount)
	if err != nil {
		return nil, err
	}
	audit := &workflow.Audit{
		Policy:       h.Policy,
		Account:      account,
		Registry:     h.Registry,
		Shares:       awsram.New(h.AWS),
		CloudFront:   awscloudfront.New(h.AWS),
		DNS:          awsroute53.New(h.AWS, h.Policy.HostedZone),
		Spoke:        func(account string) workflow.SpokeOrigins { return awscloudfront.New(h.Spoke(account)) },
		Current:      h.SpokeIsCurrent,
		Network:      func(account string) workflow.OwnerNetwork { return awsnetwork.New(h.Spoke(account)) },
		AdmitQueue:   h.AdmitQueue,
		WireQueue:    h.WireQueue,
		WireQueueURL: host.Getenv(contract.EnvWireQueue),
		Bus:          h.Bus,
		Meter:        h.Meter,
		Log:          h.Log,
	}
	return hub.Event(h.Log, inbound.ParseCall, audit.Run), nil
}
