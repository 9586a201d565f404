// Package wiretest lets a test call one emulated service with AWS's own SDK client, without a network connection.
package wiretest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/wire"
)

// Config returns the configuration of a client of the service that acts as the account's root. The client does not retry.
func Config(t *testing.T, w *cloud.World, service, account, region string) aws.Config {
	t.Helper()
	s := w.Service(service)
	codec, err := wire.New(s)
	if err != nil {
		t.Fatalf("prepare codec: %v", err)
	}
	return aws.Config{
		Region: region, BaseEndpoint: aws.String("http://sandbox.invalid"),
		HTTPClient: &direct{w, codec, s, account, region},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: account, SecretAccessKey: "secret"}, nil
		}),
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	}
}

// direct is an HTTP client that passes requests to the world.
type direct struct {
	w               *cloud.World
	codec           *wire.Codec
	service         *cloud.Service
	account, region string
}

// Do implements aws.HTTPClient.
func (d *direct) Do(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	rec := httptest.NewRecorder()
	op, in, failure := d.codec.Decode(r, body)
	if failure == nil {
		out, err := d.w.Invoke(cloud.Root(d.account), d.region, d.service.Name, op.Name, in)
		if err == nil {
			err = d.codec.Encode(rec, op, "request", out)
			return rec.Result(), err
		}
		failure = cloud.AsError(err)
	}
	d.codec.EncodeError(rec, "request", failure)
	return rec.Result(), nil
}
