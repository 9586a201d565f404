package process

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

type answer func(*http.Request) (*http.Response, error)

func (a answer) Do(r *http.Request) (*http.Response, error) { return a(r) }

// What comes of a body that is more than a reader, TestAnswerThatOvertakesItsRequestIsNotLost in pkg/sandbox shows.
func TestBodiesAreReadersOnly(t *testing.T) {
	t.Setenv("AWS_CA_BUNDLE", "") // or the SDK asks for a client that it can change
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "100000000000")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "x")
	cfg, err := account(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	client := cfg.HTTPClient.(plain)
	sent := 0
	client.HTTPClient = answer(func(r *http.Request) (*http.Response, error) {
		sent++
		if _, more := r.Body.(io.WriterTo); more {
			t.Errorf("the body of %s is a %T", r.URL, r.Body)
		}
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
	})
	cfg.HTTPClient = client
	if _, err := sqs.NewFromConfig(cfg).ListQueues(context.Background(), &sqs.ListQueuesInput{}); err != nil || sent != 1 {
		t.Errorf("sent %d: %v", sent, err)
	}
}
