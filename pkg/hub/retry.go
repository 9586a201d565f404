package hub

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// config returns the SDK configuration of the function's own account. throttled is called before each throttled call is repeated.
func (h Host) config(ctx context.Context, throttled func()) (aws.Config, error) {
	cfg, err := h.AWS(ctx)
	if err != nil {
		return aws.Config{}, fmt.Errorf("load SDK configuration: %w", err)
	}
	cfg.Retryer = func() aws.Retryer { return newRetryer(throttled, h.Backoff) }
	return cfg, nil
}

// newRetryer returns a retryer that repeats a call for a second or two. Longer waits belong to the queues and the state machine, which do not
// charge for waiting. A call that was not throttled is repeated after 50 ms instead of a second, as in the SDKs' next default
// (AWS_NEW_RETRIES_2026).
func newRetryer(throttled func(), backoff retry.BackoffDelayer) aws.Retryer {
	throttles := retry.IsErrorThrottles(retry.DefaultThrottles)
	if backoff == nil {
		backoff = retry.NewExponentialJitterBackoff(time.Second)
	}
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = 4
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, err error) (time.Duration, error) {
			delay, failed := backoff.BackoffDelay(attempt, err)
			if throttles.IsErrorThrottle(err) == aws.TrueTernary {
				throttled()
			} else {
				delay /= 20
			}
			return delay, failed
		})
	})
}
