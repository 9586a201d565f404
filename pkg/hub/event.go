package hub

import (
	"context"
	"encoding/json"
	"log/slog"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/inbound"
)

// Event returns the handler of a function that EventBridge invokes with one event at a time. read parses the event. Lambda repeats a failed
// invocation and then puts the event into the dead-letter queue, also if it cannot be parsed.
func Event(
	log *slog.Logger, read func([]byte) (inbound.Message, error), run func(context.Context, inbound.Message) error,
) lambda.Handler {
	return lambda.NewHandler(func(ctx context.Context, event json.RawMessage) error {
		m, err := Parse(ctx, log, event, read)
		if err != nil {
			log.ErrorContext(ctx, "event cannot be read", "error", err)
			return fault.AsGiveUp(err)
		}
		if nothing, ok := m.(inbound.Nothing); ok {
			log.InfoContext(ctx, "nothing to do", "why", nothing.Why)
			return nil
		}
		if err := retryOnce(func() error { return run(ctx, m) }); err != nil {
			log.ErrorContext(ctx, "run failed", "error", err)
			return fault.Outermost(err)
		}
		return nil
	})
}
