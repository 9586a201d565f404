package workflow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// ports notes what is done, in order, and fails at one of them.
type ports struct {
	did    []string
	broken string // one of them
}

func (p *ports) do(what string) error {
	if what == p.broken {
		return errors.New("broken: " + what)
	}
	p.did = append(p.did, what)
	return nil
}

func (p *ports) Publish(_ context.Context, events ...origin.Event) error {
	for _, e := range events {
		if err := p.do("publish " + e.Type); err != nil {
			return err
		}
	}
	return nil
}

func (p *ports) Record(m outcome.Metric) {
	p.did = append(p.did, fmt.Sprint("record ", m.Name, " ", m.Value, " ", m.Unit))
}

func (p *ports) Send(_ context.Context, body string, after time.Duration) error {
	return p.do(fmt.Sprint("send ", body, " after ", after))
}

// What was published is repeated if recording it fails; what was recorded is acted upon by a later run if a trigger fails. The
// other order would lose the one or act upon what nobody knows of.
func TestCommitPublishesThenRecordsThenTriggers(t *testing.T) {
	var o outcome.Outcome
	o.Inform(contract.OriginAdmitted, "arn", outcome.Detail{Origin: "vo_a"})
	o.Alarm(contract.OriginWithdrawn, "arn", outcome.Detail{Origin: "vo_b"})
	o.Count(contract.MetricRefusal, 2)
	o.Seconds(contract.MetricOnboardingLatency, 90*time.Second)
	o.Percent(contract.MetricQuotaUse, 12.5, contract.Dimension{Name: "Distribution", Value: "main"})
	o.Trigger(outcome.Wire, "registry changed", time.Second)
	const (
		first, second, write = "publish Origin Admitted", "publish Origin Withdrawn", "write"
		trigger              = `send {"source":"originhub","detail-type":"Trigger","detail":{"why":"registry changed"}} after 1s`
	)
	metrics := []string{"record Refusals 2 Count", "record OnboardingLatency 90 Seconds", "record QuotaUse 12.5 Percent"}
	for broken, want := range map[string][]string{
		"":      slices.Concat([]string{first, second, write}, metrics, []string{trigger}),
		first:   nil,
		second:  {first},
		write:   {first, second},
		trigger: slices.Concat([]string{first, second, write}, metrics),
	} {
		p := &ports{broken: broken}
		c := committer{bus: p, meter: p, log: slog.New(slog.DiscardHandler), queues: map[outcome.Function]queue{outcome.Wire: p}}
		err := c.commit(context.Background(), o, func() error { return p.do(write) })
		if !slices.Equal(p.did, want) || (err == nil) != (broken == "") {
			t.Errorf("broken %q: did %q, %v\nwant %q", broken, p.did, err, want)
		}
	}
}

func TestCommitOfNothingCallsNobody(t *testing.T) {
	if err := (committer{}).commit(context.Background(), outcome.Outcome{}, nil); err != nil {
		t.Error(err)
	}
}

func TestCommitFailsIfItCannotTrigger(t *testing.T) {
	var o outcome.Outcome
	o.Trigger(outcome.Admit, "there is room", 0)
	if err := (committer{}).commit(context.Background(), o, nil); err == nil {
		t.Error("a function without a queue was triggered")
	}
}

// published keeps the events that are published.
type published []origin.Event

func (p *published) Publish(_ context.Context, events ...origin.Event) error {
	*p = append(*p, events...)
	return nil
}

func TestEventsHaveTheModeOfTheHub(t *testing.T) {
	for _, mode := range []string{"", contract.ModeDryRun} {
		var o outcome.Outcome
		o.Inform(contract.OriginAdmitted, "arn", outcome.Detail{Origin: "vo_a"})
		var p published
		if err := (committer{bus: &p, log: slog.New(slog.DiscardHandler), mode: mode}).commit(context.Background(), o, nil); err != nil {
			t.Fatal(err)
		}
		if d, ok := p[0].Detail.(outcome.Detail); !ok || d.Mode != mode {
			t.Errorf("mode %q: %+v", mode, p[0].Detail)
		}
	}
}
