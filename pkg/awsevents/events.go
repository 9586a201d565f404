// Package awsevents is the adapter of EventBridge: it publishes events on a bus.
package awsevents

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/origin"
)

// Bus is one event bus, with the source of the events that it publishes.
type Bus struct {
	api          *eventbridge.Client
	name, source string
}

// New returns the bus with this name.
func New(cfg aws.Config, name, source string) *Bus {
	return &Bus{eventbridge.NewFromConfig(cfg), name, source}
}

// entriesPerCall is the maximum number of entries of PutEvents.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
const entriesPerCall = 10

// Publish puts events on the bus, in order. It returns an error if the bus refuses an entry, because no event may be lost
// silently.
func (b *Bus) Publish(ctx context.Context, events ...origin.Event) error {
	for len(events) > 0 {
		n := min(len(events), entriesPerCall)
		var entries []types.PutEventsRequestEntry
		for _, e := range events[:n] {
			detail, err := json.Marshal(e.Detail)
			if err != nil {
				return &fault.GiveUp{Err: fmt.Errorf("publish %s: %w", e.Type, err)}
			}
			entry := types.PutEventsRequestEntry{
				EventBusName: &b.name, Source: &b.source, DetailType: aws.String(e.Type), Detail: aws.String(string(detail)),
			}
			if e.Resource != "" {
				entry.Resources = []string{e.Resource}
			}
			entries = append(entries, entry)
		}
		out, err := b.api.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: entries})
		if err != nil {
			return fault.Codes{}.Wrap(err, "publish events on %s", b.name)
		}
		var refused []error
		for i, e := range out.Entries {
			if e.ErrorCode != nil {
				refused = append(refused, fmt.Errorf("publish %s: %s: %s", events[i].Type, *e.ErrorCode, aws.ToString(e.ErrorMessage)))
			}
		}
		if len(refused) > 0 {
			return &fault.Retry{Err: errors.Join(refused...)}
		}
		events = events[n:]
	}
	return nil
}
