package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/outcome"
)

func noon() time.Time { return time.Date(2035, time.January, 8, 12, 0, 0, 0, time.UTC) }

func line(t *testing.T, b *bytes.Buffer) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(b.Bytes(), &m); err != nil {
		t.Fatalf("%q is not one JSON line: %v", b, err)
	}
	return m
}

func TestLogLineCarriesTheRequestID(t *testing.T) {
	var b bytes.Buffer
	log := Logger(&b, "", noon).With("function", "admit")
	log.Debug("hidden at the default level")
	if b.Len() != 0 {
		t.Fatalf("a debug line got out: %s", &b)
	}
	ctx := lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{AwsRequestID: "r-1"})
	log.InfoContext(ctx, "admitted", "origin", "vo_1")
	got := line(t, &b)
	for key, want := range map[string]any{"requestId": "r-1", "message": "admitted", "level": "INFO", "origin": "vo_1", "function": "admit"} {
		if got[key] != want {
			t.Errorf("%s is %v, want %v", key, got[key], want)
		}
	}
	if got["timestamp"] != "2035-01-08T12:00:00Z" {
		t.Errorf("the line is of %v", got["timestamp"])
	}
}

func TestLevelIsHonoured(t *testing.T) {
	var b bytes.Buffer
	Logger(&b, "ERROR", noon).Warn("hidden")
	if b.Len() != 0 {
		t.Errorf("a warning got out at level ERROR: %s", &b)
	}
	Logger(&b, "DEBUG", noon).Debug("shown")
	if b.Len() == 0 {
		t.Error("a debug line was lost at level DEBUG")
	}
}

func TestMetricIsInEmbeddedFormat(t *testing.T) {
	var b bytes.Buffer
	NewMeter(&b, "networking", noon).Record(outcome.Metric{Name: "OnboardingLatency", Unit: outcome.Seconds, Value: 90})
	got := line(t, &b)
	if got["OnboardingLatency"] != 90.0 || got["Hub"] != "networking" {
		t.Errorf("metric line is %v", got)
	}
	if at := got["_aws"].(map[string]any)["Timestamp"]; at != float64(noon().UnixMilli()) {
		t.Errorf("the metric is of %v", at)
	}
	directive := got["_aws"].(map[string]any)["CloudWatchMetrics"].([]any)[0].(map[string]any)
	metric := directive["Metrics"].([]any)[0].(map[string]any)
	if directive["Namespace"] != contract.MetricNamespace || metric["Name"] != "OnboardingLatency" || metric["Unit"] != "Seconds" {
		t.Errorf("directive is %v", directive)
	}
}

func TestMetricByAnotherDimension(t *testing.T) {
	var b bytes.Buffer
	NewMeter(&b, "networking", noon).Record(outcome.Metric{
		Name: contract.MetricOrigins, Unit: outcome.Count, Value: 3, By: []contract.Dimension{{Name: contract.DimensionState, Value: "live"}},
	})
	got := line(t, &b)
	directive := got["_aws"].(map[string]any)["CloudWatchMetrics"].([]any)[0].(map[string]any)
	sets, _ := json.Marshal(directive["Dimensions"])
	if got["State"] != "live" || got["Hub"] != "networking" || string(sets) != `[["Hub","State"]]` {
		t.Errorf("metric line is %v", got)
	}
}
