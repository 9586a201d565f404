package workflow

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// committer carries out what a decision asks for besides its writes.
type committer struct {
	bus    bus
	meter  meter
	log    *slog.Logger
	mode   string // of the events: "dry-run", or "" for a hub that manages its distributions
	queues map[outcome.Function]queue
}

// commit publishes the events of a decision, then calls write, then records metrics and triggers functions. A crash in between repeats
// events and loses nothing. write may be nil.
func (c committer) commit(ctx context.Context, o outcome.Outcome, write func() error) error {
	if err := c.publish(ctx, o.Events); err != nil {
		return err
	}
	if write != nil {
		if err := write(); err != nil {
			return err
		}
	}
	for _, m := range o.Metrics {
		c.meter.Record(m)
	}
	for _, t := range o.Triggers {
		q := c.queues[t.Function]
		if q == nil {
			return fmt.Errorf("trigger function %s: no queue of it is configured", t.Function)
		}
		if err := q.Send(ctx, string(inbound.Trigger{Distribution: t.Distribution, Why: t.Why}.JSON()), t.After); err != nil {
			return err
		}
	}
	return nil
}

// publish logs events and puts them on the bus.
func (c committer) publish(ctx context.Context, events []outcome.Event) error {
	if len(events) == 0 {
		return nil
	}
	out := make([]origin.Event, len(events))
	for i, e := range events {
		e.Detail.Mode = c.mode
		level := slog.LevelInfo
		if e.Detail.Severity == contract.SeverityAlarm {
			level = slog.LevelWarn
		}
		c.log.LogAttrs(ctx, level, e.Type, attributes(e)...)
		out[i] = origin.Event{Type: e.Type, Resource: e.Resource, Detail: e.Detail}
	}
	return c.bus.Publish(ctx, out...)
}

// attributes returns the fields of an event that are not empty.
func attributes(e outcome.Event) []slog.Attr {
	d := e.Detail
	var attrs []slog.Attr
	for _, f := range [][2]string{
		{"resource", e.Resource},
		{"origin", d.Origin},
		{"account", d.Account},
		{"team", d.Team},
		{"execution", d.Execution},
		{"what", d.What},
		{"why", d.Why},
		{"mode", d.Mode},
		{"kind", d.Kind},
		{"who", d.Who},
		{"since", d.Since},
		{"cost", d.Cost},
		{"repair", d.Repair},
		{"repairIn", d.RepairIn},
	} {
		if f[1] != "" {
			attrs = append(attrs, slog.String(f[0], f[1]))
		}
	}
	return attrs
}
