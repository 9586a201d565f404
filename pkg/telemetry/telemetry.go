// Package telemetry writes what a function says of itself: structured logs and CloudWatch metrics, both as JSON lines on
// the same stream.
package telemetry

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// Logger writes JSON lines with the keys that Lambda's log format expects, at level ("DEBUG", "INFO", "WARN", "ERROR";
// INFO when empty or unknown). A line logged with an invocation's context carries its request id.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
func Logger(w io.Writer, level string) *slog.Logger {
	var least slog.Level
	if least.UnmarshalText([]byte(level)) != nil {
		least = slog.LevelInfo
	}
	return slog.New(requestID{slog.NewJSONHandler(w, &slog.HandlerOptions{
		Level: least,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			switch {
			case len(groups) > 0:
			case a.Key == slog.TimeKey:
				a.Key = "timestamp"
			case a.Key == slog.MessageKey:
				a.Key = "message"
			}
			return a
		},
	})})
}

type requestID struct{ slog.Handler }

func (h requestID) Handle(ctx context.Context, r slog.Record) error {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		r.AddAttrs(slog.String("requestId", lc.AwsRequestID))
	}
	return h.Handler.Handle(ctx, r)
}

func (h requestID) WithAttrs(attrs []slog.Attr) slog.Handler {
	return requestID{h.Handler.WithAttrs(attrs)}
}
func (h requestID) WithGroup(name string) slog.Handler { return requestID{h.Handler.WithGroup(name)} }

// Namespace of all metrics.
const Namespace = "originhub"

// Meter writes metrics in CloudWatch's embedded metric format, with the hub as their dimension.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
type Meter struct {
	w   io.Writer
	hub string
}

// NewMeter returns a meter that writes to w.
func NewMeter(w io.Writer, hub string) *Meter { return &Meter{w, hub} }

// Count adds n to a counter.
func (m *Meter) Count(name string, n int) { m.put(name, "Count", float64(n)) }

// Seconds records a duration.
func (m *Meter) Seconds(name string, d time.Duration) { m.put(name, "Seconds", d.Seconds()) }

func (m *Meter) put(name, unit string, value float64) {
	line, err := json.Marshal(map[string]any{
		"_aws": map[string]any{
			"Timestamp": time.Now().UnixMilli(),
			"CloudWatchMetrics": []any{map[string]any{
				"Namespace":  Namespace,
				"Dimensions": [][]string{{"Hub"}},
				"Metrics":    []any{map[string]string{"Name": name, "Unit": unit}},
			}},
		},
		"Hub": m.hub,
		name:  value,
	})
	if err == nil {
		_, _ = m.w.Write(append(line, '\n'))
	}
}
