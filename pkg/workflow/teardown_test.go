package workflow

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
)

// oneRecord is a registry with one record, which a step reads and writes.
type oneRecord struct {
	record *origin.Record
	writes int
}

func (k *oneRecord) LoadOrigins(context.Context, []string, []string, []string, []string) (origin.Snapshot, error) {
	return origin.Snapshot{Now: now, Records: []origin.Record{*k.record}}, nil
}

func (k *oneRecord) PutRecord(_ context.Context, o origin.Record) (origin.Record, error) {
	k.writes++
	k.record = &o
	return o, nil
}

// listening is a bus that keeps what it hears.
type listening struct{ types []string }

func (h *listening) Publish(_ context.Context, events ...origin.Event) error {
	for _, e := range events {
		h.types = append(h.types, e.Type)
	}
	return nil
}

// A registry that was lost and rebuilt has forgotten the tag, and with it the grace that the team was given.
func TestTeardownThatNobodyRemembersGivesUp(t *testing.T) {
	live := origin.Record{Ref: origin.Ref{ID: "vo_1"}, Intent: origin.Wire, State: origin.Live, Generation: 1}
	step := &Teardown{Registry: &oneRecord{record: &live}, Owner: func(string) Owner { return nil }, Log: slog.New(slog.DiscardHandler)}
	_, err := step.Step(context.Background(), inbound.Task{Origin: "vo_1", Generation: 1, Phase: "detach"})
	if !fault.Is[*fault.GiveUp](err) || !strings.Contains(err.Error(), "set the tag originhub:teardown again") {
		t.Errorf("got %v", err)
	}
}

// A task ends by an error, by name, after the event was published and the end recorded. Neither a retry nor a redrive that
// finds the same says it again. A definition that does not tell how often it was redriven knows outcomes instead of errors.
func TestBlockedTeardownIsSaidOnce(t *testing.T) {
	ref, err := origin.ParseARN("arn:aws:cloudfront::222222222222:vpcorigin/vo_1")
	if err != nil {
		t.Fatal(err)
	}
	redrives := func(n int) *int { return &n }
	for _, c := range []struct {
		name     string
		redrives []*int // of each try
		errors   bool
		restarts int
	}{
		{"retried", []*int{redrives(0), redrives(0)}, true, 0},
		{"redriven", []*int{redrives(0), redrives(1), redrives(1)}, true, 1},
		{"under an older definition", []*int{nil, nil}, false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			registry, bus := &oneRecord{record: &origin.Record{
				Ref: ref, Intent: origin.Detach, State: origin.Detached, Generation: 1,
				Teardown: &origin.Teardown{Value: "now", Phase: "delete", Since: now, VPC: "vpc-1", Recorded: true},
			}}, &listening{}
			w := &untagged{contested{record: nil, unshared: true}}
			step := &Teardown{
				Registry: registry, Owner: func(string) Owner { return w }, Shares: func(string) OwnerShares { return noShares{} },
				Bus: bus, Meter: noMeter{}, Log: slog.New(slog.DiscardHandler),
			}
			for i, n := range c.redrives {
				out, err := step.Step(context.Background(), inbound.Task{Origin: "vo_1", Generation: 1, Phase: "delete", Redrives: n})
				if c.errors && (!fault.Is[*fault.Blocked](err) || !strings.Contains(err.Error(), "share the origin with the hub again")) {
					t.Errorf("try %d: %+v, %v", i, out, err)
				}
				if !c.errors && (err != nil || out.Outcome != "stopped" || !strings.Contains(out.Message, "share the origin with the hub again")) {
					t.Errorf("try %d: %+v, %v", i, out, err)
				}
				if !registry.record.Teardown.Ended {
					t.Errorf("try %d is not recorded as ended", i)
				}
			}
			if !slices.Equal(bus.types, []string{contract.TeardownBlocked}) {
				t.Errorf("said %v", bus.types)
			}
			restarts := 0
			for _, d := range registry.record.History {
				if d.Code == origin.DecidedTeardownStarted {
					restarts++
				}
			}
			if restarts != c.restarts || registry.writes != 1+c.restarts {
				t.Errorf("%d restarts, %d writes: %+v", restarts, registry.writes, registry.record.History)
			}
		})
	}
}

// untagged is the account of a team that has removed its tag.
type untagged struct{ contested }

func (*untagged) VpcOrigin(context.Context, string) (origin.VpcOrigin, error) {
	return origin.VpcOrigin{Deployed: true}, nil
}

func (*untagged) Tags(context.Context, string) (map[string]string, error) { return nil, nil }

type noShares struct{ OwnerShares }

func (noShares) Associations(context.Context) ([]origin.Association, error) { return nil, nil }
