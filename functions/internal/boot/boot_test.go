package boot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/inbound"
)

type answer func(*http.Request) (*http.Response, error)

func (a answer) Do(r *http.Request) (*http.Response, error) { return a(r) }

// What comes of a body that is more than a reader, TestAnswerThatOvertakesItsRequestIsNotLost in pkg/sandbox shows.
func TestBodiesAreReadersOnly(t *testing.T) {
	t.Setenv("AWS_CA_BUNDLE", "") // or the SDK asks for a client that it can change
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "100000000000")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "x")
	cfg, err := AWS(context.Background(), func() {})
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

// Somebody else wrote meanwhile: whoever is woken reads again and decides again, once.
func TestWhatAnotherRunSpoiledIsDoneAgain(t *testing.T) {
	ctx, log := context.Background(), slog.New(slog.DiscardHandler)
	for spoiled, want := range map[int]bool{0: true, 1: true, 2: false} {
		runs := 0
		run := func() error {
			if runs++; runs <= spoiled {
				return fmt.Errorf("write: %w", &fault.Reread{Err: errors.New("stale")})
			}
			return nil
		}
		event := Event(log, inbound.Parse, func(context.Context, inbound.Message) error { return run() })
		queue := Queue(log, func(context.Context, []inbound.Message) error { return run() })
		for name, handle := range map[string]func([]byte) error{
			"event": func(raw []byte) error { return event.(func(context.Context, json.RawMessage) error)(ctx, raw) },
			"queue": func(raw []byte) error {
				_, err := queue.(func(context.Context, events.SQSEvent) (events.SQSEventResponse, error))(
					ctx, events.SQSEvent{Records: []events.SQSMessage{{Body: string(raw)}}})
				return err
			},
		} {
			runs = 0
			if err := handle(inbound.Poke{}.JSON()); (err == nil) != want || runs != min(spoiled, 1)+1 {
				t.Errorf("%s, spoiled %d times: %d runs and %v", name, spoiled, runs, err)
			}
		}
	}
}
