package hub

import (
	"context"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/inbound"
)

// Queue is the handler of a function behind a queue: a whole batch is one run. A message that cannot be read is handed
// back alone, and so ends in the dead-letter queue, where it is kept; a failed run hands the whole batch back.
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
		if err := again(func() error { return run(ctx, messages) }); err != nil {
			log.ErrorContext(ctx, "run failed", "error", err)
			return response, fault.Outermost(err)
		}
		return response, nil
	})
}

// again runs once more what somebody else spoiled by writing meanwhile. That is daily life, and worth no visibility timeout and
// none of the few tries that Lambda makes.
func again(run func() error) error {
	err := run()
	if fault.Is[*fault.Reread](err) {
		err = run()
	}
	return err
}

// Parse is read, one of package inbound's, and logs what an event of AWS holds that this version does not know.
func Parse(
	ctx context.Context, log *slog.Logger, event []byte, read func([]byte) (inbound.Message, error),
) (inbound.Message, error) {
	m, err := read(event)
	if unknown := inbound.Unknown(event); err == nil && len(unknown) > 0 {
		log.WarnContext(ctx, "event has members that this version does not know; they were not looked at", "members", unknown)
	}
	return m, err
}
