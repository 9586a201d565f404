// Package inprocess runs the handlers of all functions in the process of the sandbox. It is a package of its own because it links every
// handler and with them the EC2 client, which takes most of a minute to compile.
package inprocess

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/originhub/originhub/pkg/hub"
	"github.com/originhub/originhub/pkg/hub/admit"
	"github.com/originhub/originhub/pkg/hub/audit"
	"github.com/originhub/originhub/pkg/hub/customers"
	"github.com/originhub/originhub/pkg/hub/retire"
	"github.com/originhub/originhub/pkg/hub/targets"
	"github.com/originhub/originhub/pkg/hub/teardown"
	"github.com/originhub/originhub/pkg/hub/wire"
	"github.com/originhub/originhub/pkg/sandbox"
)

func constructors() map[string]func(context.Context, hub.Host) (lambda.Handler, error) {
	return map[string]func(context.Context, hub.Host) (lambda.Handler, error){
		"admit":     admit.New,
		"audit":     audit.New,
		"customers": func(context.Context, hub.Host) (lambda.Handler, error) { return customers.New(), nil }, //nolint:unparam // all constructors have one signature
		"retire":    retire.New,
		"targets":   targets.New,
		"teardown":  teardown.New,
		"wire":      wire.New,
	}
}

// Start returns the handler of the function that the name of the asset's directory, up to the first dot, names. It is a value for
// sandbox.Options.Handlers.
func Start(ctx context.Context, h sandbox.Hosting) (sandbox.Handler, error) {
	name, _, _ := strings.Cut(filepath.Base(h.Asset), ".")
	build := constructors()[name]
	if build == nil {
		return nil, fmt.Errorf("asset %s: there is no function %s", h.Asset, name)
	}
	return build(ctx, hub.Host{
		Getenv:  func(name string) string { return h.Environment[name] },
		Asset:   os.DirFS(h.Asset),
		AWS:     func(context.Context) (aws.Config, error) { return config(h), nil },
		Backoff: retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil }),
		Output:  h.Log,
		Now:     h.Now,
	})
}

// config returns the configuration that the SDK would read from the same environment in a process.
func config(h sandbox.Hosting) aws.Config {
	e := h.Environment
	return aws.Config{
		Region:       e["AWS_REGION"],
		Credentials:  credentials.NewStaticCredentialsProvider(e["AWS_ACCESS_KEY_ID"], e["AWS_SECRET_ACCESS_KEY"], e["AWS_SESSION_TOKEN"]),
		BaseEndpoint: aws.String(e["AWS_ENDPOINT_URL"]),
		HTTPClient:   client{h.Transport},
	}
}

// client is an HTTP client without redirects and cookies, which the SDK does not need.
type client struct{ http.RoundTripper }

// Do implements aws.HTTPClient.
func (c client) Do(r *http.Request) (*http.Response, error) { return c.RoundTrip(r) }
