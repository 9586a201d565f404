// Package telemetry writes a function's structured logs and CloudWatch metrics, both as JSON lines on the same stream.
package telemetry

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/outcome"
)

// Logger returns a logger that writes JSON lines with the keys of Lambda's log format. level is "DEBUG", "INFO", "WARN" or
// "ERROR", or INFO if it is empty or unknown. now returns the time of a line. A line that is logged with an invocation's context
// has its request id.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
func Logger(w io.Writer, level string, now func() time.Time) *slog.Logger {
	var least slog.Level
	if least.UnmarshalText([]byte(level)) != nil {
		least = slog.LevelInfo
	}
	return slog.New(stamped{now, slog.NewJSONHandler(w, &slog.HandlerOptions{
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

// stamped adds the time and the request id to a line.
type stamped struct {
	now func() time.Time
	slog.Handler
}

func (h stamped) Handle(ctx context.Context, r slog.Record) error {
	r.Time = h.now()
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		r.AddAttrs(slog.String("requestId", lc.AwsRequestID))
	}
	return h.Handler.Handle(ctx, r)
}

func (h stamped) WithAttrs(attrs []slog.Attr) slog.Handler {
	return stamped{h.now, h.Handler.WithAttrs(attrs)}
}

func (h stamped) WithGroup(name string) slog.Handler {
	return stamped{h.now, h.Handler.WithGroup(name)}
}

// Meter writes metrics in CloudWatch's embedded metric format, each with the hub as a dimension.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
type Meter struct {
	w   io.Writer
	hub string
	now func() time.Time
}

// NewMeter returns a meter that writes to w. now returns the time of a value.
func NewMeter(w io.Writer, hub string, now func() time.Time) *Meter { return &Meter{w, hub, now} }

// Record writes one value.
func (m *Meter) Record(v outcome.Metric) {
	members := map[string]any{contract.DimensionHub: m.hub, v.Name: v.Value}
	dimensions := []string{contract.DimensionHub}
	for _, d := range v.By {
		members[d.Name] = d.Value
		dimensions = append(dimensions, d.Name)
	}
	members["_aws"] = map[string]any{
		"Timestamp": m.now().UnixMilli(),
		"CloudWatchMetrics": []any{map[string]any{
			"Namespace":  contract.MetricNamespace,
			"Dimensions": [][]string{dimensions},
			"Metrics":    []any{map[string]string{"Name": v.Name, "Unit": string(v.Unit)}},
		}},
	}
	if line, err := json.Marshal(members); err == nil {
		_, _ = m.w.Write(append(line, '\n'))
	}
}
