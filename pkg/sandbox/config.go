package sandbox

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// Config makes an SDK client act as an account's root in a Region of this sandbox, and never reach out to AWS. Retries are
// few and quick, since throttling in the sandbox ends with virtual time, not with waiting.
func (s *Sandbox) Config(account, region string) aws.Config {
	return aws.Config{
		Region:       region,
		Credentials:  credentials.NewStaticCredentialsProvider(account, "sandbox", ""),
		BaseEndpoint: aws.String(s.endpoint),
		HTTPClient:   s.client,
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.MaxAttempts = 3
				o.MaxBackoff = 2 * time.Millisecond
				o.RateLimiter = ratelimit.None
			})
		},
	}
}
