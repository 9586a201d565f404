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

// plain hides the WriteTo of a request's body. The SDK closes the body when the response begins. net/http then calls WriteTo once
// more, which fails with io.EOF (github.com/aws/smithy-go@v1.28.9/transport/http/internal/io/safe.go). net/http closes the
// connection, the rest of the response is lost, and the SDK repeats a call that has already had its effect.
// https://github.com/aws/aws-sdk-go-v2/issues/2737
type plain struct{ aws.HTTPClient }

// Do implements aws.HTTPClient.
func (p plain) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return p.HTTPClient.Do(r)
}

// Config returns the configuration of an SDK client that acts as an account's root in a Region of this sandbox. The client never
// calls AWS. It retries seldom and quickly, because throttling in the sandbox ends with virtual time, not with waiting.
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
