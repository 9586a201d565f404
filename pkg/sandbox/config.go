package sandbox

import (
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// plain sends a request's body as a reader and no more. The SDK closes the body as soon as an answer begins, and its WriteTo,
// which net/http calls once more to see that nothing is left, then fails with io.EOF: net/http closes the connection, the rest
// of the answer is lost, and the SDK makes a call again that has had its effect. smithy-go v1.28.9,
// transport/http/internal/io/safe.go; https://github.com/aws/aws-sdk-go-v2/issues/2737 shows what users see.
type plain struct{ aws.HTTPClient }

// Do implements aws.HTTPClient.
func (p plain) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return p.HTTPClient.Do(r)
}

// Config makes an SDK client act as an account's root in a Region of this sandbox, and never reach out to AWS. Retries are
// few and quick, since throttling in the sandbox ends with virtual time, not with waiting.
func (s *Sandbox) Config(account, region string) aws.Config {
	return aws.Config{
		Region:       region,
		Credentials:  credentials.NewStaticCredentialsProvider(account, "sandbox", ""),
		BaseEndpoint: aws.String(s.endpoint),
		HTTPClient:   s.sdk,
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.MaxAttempts = 3
				o.MaxBackoff = 2 * time.Millisecond
				o.RateLimiter = ratelimit.None
			})
		},
	}
}
