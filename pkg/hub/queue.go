package hub

import (
	"context"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/inbound"
)

// Queue returns the handler of a function behind a queue. A whole batch is one run. A message that cannot be parsed is reported as failed by
// itself, and so gets to the dead-letter queue. If the run fails, the whole batch is reported as failed.
func Queue(log *slog.Logger, run func(context.Context, []inbound.Message) error) lambda.Handler {
	return lambda.NewHandler(func(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
		var response events.SQSEventResponse
		var messages []inbound.Message
		for _, record := range batch.Records {
			m, err := Parse(ctx, log, []byte(record.Body), inbound.Parse)
			if err != nil {
				log.ErrorContext(ctx, "message cannot be read", "messageId", record.MessageId, "error", err)
				response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: record.MessageId})
				continue
			}
			if nothing, ok := m.(inbound.Nothing); ok {
				log.InfoContext(ctx, "nothing to do", "messageId", record.MessageId, "why", nothing.Why)
				continue
			}
			messages = append(messages, m)
		}
		if len(messages) == 0 {
			return response, nil
		}
		if err := retryOnce(func() error { return run(ctx, messages) }); err != nil {
			log.ErrorContext(ctx, "run failed", "error", err)
			return response, fault.Outermost(err)
		}
		return response, nil
	})
}

// retryOnce repeats a run once if somebody else wrote meanwhile. That is normal, and should cost neither a visibility timeout nor one of
// the few receives before the dead-letter queue.
func retryOnce(run func() error) error {
	err := run()
	if fault.Is[*fault.Reread](err) {
		err = run()
	}
	return err
}

// Parse parses a message with read, and logs the members of an AWS event that this version does not know.
func Parse(
	ctx context.Context, log *slog.Logger, event []byte, read func([]byte) (inbound.Message, error),
) (inbound.Message, error) {
	m, err := read(event)
	if unknown := inbound.Unknown(event); err == nil && len(unknown) > 0 {
		log.WarnContext(ctx, "event has members that this version does not know; they were ignored", "members", unknown)
	}
	return m, err
}
