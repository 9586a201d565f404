// Package process runs a handler in a process of its own, as Lambda starts it.
package process

import (
	"cmp"
	"context"
	"io"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/originhub/originhub/pkg/hub"
)

// Run builds the handler from the process's environment and serves invocations with it. It never returns.
func Run(build func(context.Context, hub.Host) (lambda.Handler, error)) {
	handler, err := build(context.Background(), host())
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(handler)
}

func host() hub.Host {
	return hub.Host{
		Getenv: os.Getenv,
		Asset:  os.DirFS(cmp.Or(os.Getenv("LAMBDA_TASK_ROOT"), ".")),
		AWS:    account,
		Output: os.Stdout,
		Now:    time.Now,
	}
}

// account is the SDK configuration of the function's own account.
func account(ctx context.Context) (aws.Config, error) {
	// All clients share the connections of a frozen HTTP client. The SDK copies any other client into each service client, and each
	// copy would open connections of its own.
	connections := awshttp.NewBuildableClient().Freeze()
	return config.LoadDefaultConfig(ctx, config.WithHTTPClient(plain{connections}))
}

// plain sends a request's body as a plain io.Reader. The SDK closes the body as soon as a response begins. The body's WriteTo, which
// net/http calls once more at the end, then fails with io.EOF, so that net/http closes the connection and the rest of the response is
// lost. The SDK then repeats a call that has had its effect: a second UpdateDistribution, which is answered with 412. See smithy-go
// v1.28.9, https://github.com/aws/smithy-go/blob/main/transport/http/internal/io/safe.go, and https://github.com/aws/aws-sdk-go-v2/issues/2737.
type plain struct{ aws.HTTPClient }

// Do implements aws.HTTPClient.
func (p plain) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return p.HTTPClient.Do(r)
}
