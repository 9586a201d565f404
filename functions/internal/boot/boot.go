// Package boot builds what all functions need: the policy beside the binary, the SDK configuration, and the shared adapters.
package boot

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/awsevents"
	"github.com/originhub/originhub/pkg/awssqs"
	"github.com/originhub/originhub/pkg/awssts"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/policy"
	"github.com/originhub/originhub/pkg/registry"
	"github.com/originhub/originhub/pkg/telemetry"
)

// Hub is what all functions share.
type Hub struct {
	Policy     admission.Policy
	AWS        aws.Config
	Registry   *registry.Registry
	Bus        *awsevents.Bus
	AdmitQueue *awssqs.Queue
	WireQueue  *awssqs.Queue
	Meter      *telemetry.Meter
	Log        *slog.Logger
}

// Load reads the environment and the policy. An error names the variable or the place in the policy.
func Load(ctx context.Context, function string) (*Hub, error) {
	env := map[string]string{}
	for _, name := range []string{contract.EnvTable, contract.EnvBus, contract.EnvAdmitQueue, contract.EnvWireQueue} {
		if env[name] = os.Getenv(name); env[name] == "" {
			return nil, fmt.Errorf("environment variable %s is not set; the hub stack sets it", name)
		}
	}
	file := filepath.Join(os.Getenv("LAMBDA_TASK_ROOT"), contract.PolicyFile)
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read policy: %w", err)
	}
	p, err := policy.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("read policy %s: %w", file, err)
	}
	meter := telemetry.NewMeter(os.Stdout, p.Hub)
	cfg, err := AWS(ctx, func() { meter.Count(contract.MetricThrottle, 1) })
	if err != nil {
		return nil, err
	}
	return &Hub{
		Policy:     p,
		AWS:        cfg,
		Registry:   registry.New(cfg, env[contract.EnvTable]),
		Bus:        awsevents.New(cfg, env[contract.EnvBus], contract.EventSource),
		AdmitQueue: awssqs.New(cfg, env[contract.EnvAdmitQueue]),
		WireQueue:  awssqs.New(cfg, env[contract.EnvWireQueue]),
		Meter:      meter,
		Log:        telemetry.Logger(os.Stdout, os.Getenv("AWS_LAMBDA_LOG_LEVEL")).With("function", function),
	}, nil
}

// AWS is the SDK configuration of the function's own account. Each throttled call is told before it is tried again.
func AWS(ctx context.Context, throttled func()) (aws.Config, error) {
	// Frozen, all clients share its connections. Any other HTTP client the SDK copies into each service client, and each of
	// those would shake hands anew: one per spoke and call.
	connections := awshttp.NewBuildableClient().Freeze()
	retryer := func() aws.Retryer { return patient(throttled) }
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRetryer(retryer), config.WithHTTPClient(plain{connections}))
	if err != nil {
		return aws.Config{}, fmt.Errorf("load SDK configuration: %w", err)
	}
	return cfg, nil
}

// plain sends a request's body as a reader and no more. The SDK closes the body as soon as an answer begins, and its WriteTo,
// which net/http calls once more to see that nothing is left, then fails with io.EOF: net/http closes the connection, the rest
// of the answer is lost, and the SDK makes a call again that has had its effect: a second UpdateDistribution, which is answered
// with 412. smithy-go v1.28.9, transport/http/internal/io/safe.go;
// https://github.com/aws/aws-sdk-go-v2/issues/2737 shows what users see.
type plain struct{ aws.HTTPClient }

// Do implements aws.HTTPClient.
func (p plain) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return p.HTTPClient.Do(r)
}

// patient retries a call for a second or two. Longer waits belong to the queues and the state machine, which do not bill
// for waiting. What was not throttled is tried again after 50 ms and not after a second, as the SDKs say of their next
// default (AWS_NEW_RETRIES_2026).
func patient(throttled func()) aws.Retryer {
	throttles := retry.IsErrorThrottles(retry.DefaultThrottles)
	seconds := retry.NewExponentialJitterBackoff(time.Second)
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = 4
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, err error) (time.Duration, error) {
			delay, failed := seconds.BackoffDelay(attempt, err)
			if throttles.IsErrorThrottle(err) == aws.TrueTernary {
				throttled()
			} else {
				delay /= 20
			}
			return delay, failed
		})
	})
}

// Spokes returns the SDK configuration of each team account's spoke role, one per account for the life of the process, so
// that credentials are fetched once.
func (h *Hub) Spokes() func(account string) aws.Config {
	var mu sync.Mutex
	entered := map[string]aws.Config{}
	return func(account string) aws.Config {
		mu.Lock()
		defer mu.Unlock()
		cfg, ok := entered[account]
		if !ok {
			cfg = awssts.Assume(h.AWS, contract.SpokeRoleARN(h.Policy.Hub, account), h.Policy.ExternalID)
			entered[account] = cfg
		}
		return cfg
	}
}
