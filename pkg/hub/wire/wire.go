// Package wire builds the function that makes the distributions what the registry wants, and settles what has become Deployed.
package wire

import (
	"cmp"
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/originhub/originhub/pkg/awscloudfront"
	"github.com/originhub/originhub/pkg/awsquotas"
	"github.com/originhub/originhub/pkg/awsroute53"
	"github.com/originhub/originhub/pkg/awssfn"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/hub"
	"github.com/originhub/originhub/pkg/workflow"
)

// New returns the handler.
func New(ctx context.Context, host hub.Host) (lambda.Handler, error) {
	h, err := hub.Load(ctx, host, "wire")
	if err != nil {
		return nil, err
	}
	p := h.Policy
	p.Created.ResponseHeaders = cmp.Or(p.Created.ResponseHeaders, host.Getenv(contract.EnvHeaders))
	wire := &workflow.Wire{
		Policy:     p,
		Registry:   h.Registry,
		CloudFront: awscloudfront.New(h.AWS),
		Quotas:     awsquotas.New(h.AWS),
		DNS:        awsroute53.New(h.AWS, h.Policy.HostedZone),
		Queue:      h.WireQueue,
		AdmitQueue: h.AdmitQueue,
		Executions: awssfn.New(h.AWS),
		Bus:        h.Bus,
		Meter:      h.Meter,
		Log:        h.Log,
		Holder:     host.Getenv("AWS_LAMBDA_LOG_STREAM_NAME"),
	}
	return hub.Queue(h.Log, wire.Run), nil
}
