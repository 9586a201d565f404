package workflow

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/hubpolicy"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/teardown"
)

// history is executions by their generation: those that have ended, and those that were started since.
type history struct {
	ended, started []string
	runs           bool // whatever has not ended
}

func (n *history) Start(_ context.Context, _, name, _ string) error {
	_, generation, _ := strings.Cut(name, "vo_1-")
	if slices.Contains(n.ended, generation) {
		return &fault.Exists{Err: errors.New("ExecutionAlreadyExists")}
	}
	n.started = append(n.started, generation)
	return nil
}

func (n *history) Execution(_ context.Context, _, name string) (origin.Execution, error) {
	_, generation, _ := strings.Cut(name, "vo_1-")
	switch {
	case slices.Contains(n.ended, generation):
		return origin.Execution{Status: "FAILED"}, nil
	case n.runs || slices.Contains(n.started, generation):
		return origin.Execution{Status: "RUNNING"}, nil
	}
	return origin.Execution{}, &fault.Absent{Err: errors.New("ExecutionDoesNotExist")}
}

type tags map[string]string

func (t tags) Tags(context.Context, string) (map[string]string, error) { return t, nil }

func TestRetireStartsWhatNobodyStarted(t *testing.T) {
	const arn = "arn:aws:cloudfront::222222222222:vpcorigin/vo_1"
	asked := now.Add(-time.Hour)
	begun := func(phase teardown.Phase) origin.Record {
		return origin.Record{
			Intent: origin.Detach, State: origin.Detached, Generation: 1,
			Teardown: &origin.Teardown{Value: "now", Requested: asked, Due: asked, ExecutionAsked: asked, Phase: string(phase)},
		}
	}
	hint := func(after time.Duration) inbound.Message {
		return inbound.TagHint{Account: "222222222222", ARNs: []string{arn}, Called: asked.Add(after)}
	}
	for name, c := range map[string]struct {
		record  origin.Record
		message inbound.Message
		ended   string
		started string
	}{
		"first teardown":                                {origin.Record{Intent: origin.Wire, State: origin.Live, Generation: 1}, inbound.Sweep{}, "", "1"},
		"first since the registry was lost":             {origin.Record{Intent: origin.Wire, State: origin.Live, Generation: 1}, inbound.Sweep{}, "1 2", "3"},
		"retire died before it started":                 {begun(""), inbound.Sweep{}, "", "1"},
		"retire died before it saw that a name is gone": {begun(""), inbound.Sweep{}, "1 2", "3"},
		"it was never started":                          {begun(teardown.Confirm), hint(time.Minute), "", "1"},
		"stopped, and swept":                            {begun(teardown.Confirm), inbound.Sweep{}, "1", ""},
		"stopped, and its event comes again":            {begun(teardown.Confirm), hint(-time.Second), "1", ""},
		"stopped, and tagged again":                     {begun(teardown.Confirm), hint(time.Second), "1", "2"},
		"stopped, tagged again, and was lost":           {begun(teardown.Confirm), hint(time.Second), "1 2", "3"},
		"stopped, tagged in the same instant":           {begun(teardown.Confirm), hint(0), "1", ""},
	} {
		c.record.Ref = origin.Ref{ID: "vo_1", ARN: arn, Account: "222222222222"}
		executions := &history{ended: strings.Fields(c.ended)}
		r := &Retire{
			Policy:     hubpolicy.Policy{Policy: admission.Policy{Teams: []admission.Team{{Name: "team-b", Accounts: []string{"222222222222"}, Spoke: true}}}},
			Registry:   fixedRegistry{origin.Snapshot{Now: now, Records: []origin.Record{c.record}}},
			Spoke:      func(string) Spoke { return tags{contract.TagTeardown: "now"} },
			Executions: executions, Bus: quiet{}, Meter: noMeter{}, Log: slog.New(slog.DiscardHandler),
		}
		if err := r.Run(context.Background(), c.message); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := strings.Join(executions.started, " "); got != c.started {
			t.Errorf("%s: started %q, want %q", name, got, c.started)
		}
	}
}

// kept is a registry of one record.
type kept struct{ origin.Record }

func (k *kept) Load(context.Context) (origin.Snapshot, error) {
	return origin.Snapshot{Now: now, Records: []origin.Record{k.Record}}, nil
}

func (k *kept) LoadOrigins(ctx context.Context, _, _, _, _ []string) (origin.Snapshot, error) {
	return k.Load(ctx)
}

func (k *kept) PutRecord(_ context.Context, o origin.Record) (origin.Record, error) {
	k.Record = o
	return o, nil
}

func (k *kept) PutRefusal(context.Context, string, []origin.Reason, time.Time) error { return nil }
func (k *kept) PutTally(context.Context, origin.Tally, time.Time) error              { return nil }

// A registry that was lost may have counted far. Whatever one run leaves of the names that are taken, the next one tries.
func TestRetireSaysOnceThatItStarts(t *testing.T) {
	executions, bus := &history{}, &hears{}
	for n := range 120 {
		executions.ended = append(executions.ended, strconv.Itoa(n+1))
	}
	registry := &kept{origin.Record{
		Ref:    origin.Ref{ID: "vo_1", ARN: "arn:aws:cloudfront::222222222222:vpcorigin/vo_1", Account: "222222222222"},
		Intent: origin.Wire, State: origin.Live, Generation: 1,
	}}
	r := &Retire{
		Policy:     hubpolicy.Policy{Policy: admission.Policy{Teams: []admission.Team{{Name: "team-b", Accounts: []string{"222222222222"}, Spoke: true}}}},
		Registry:   registry,
		Spoke:      func(string) Spoke { return tags{contract.TagTeardown: "now"} },
		Executions: executions, Bus: bus, Meter: noMeter{}, Log: slog.New(slog.DiscardHandler),
	}
	err := r.Run(context.Background(), inbound.Sweep{})
	if !fault.Is[*fault.Retry](err) || !strings.Contains(err.Error(), "the next sweep tries the names after it") {
		t.Errorf("got %v", err)
	}
	if !slices.Equal(bus.types, []string{contract.TeardownStarted}) || len(registry.History) != 1 {
		t.Errorf("said %q and remembers %d decisions", bus.types, len(registry.History))
	}
	if err := r.Run(context.Background(), inbound.Sweep{}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(executions.started, []string{"121"}) || registry.Generation != 121 {
		t.Errorf("started %q, and the registry is at %d", executions.started, registry.Generation)
	}
}
