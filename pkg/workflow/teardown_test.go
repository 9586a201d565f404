package workflow

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
)

type oneRecord struct{ origin.Record }

func (r oneRecord) Load(context.Context) (origin.Snapshot, error) {
	return origin.Snapshot{Records: []origin.Record{r.Record}}, nil
}

func (r oneRecord) PutRecord(_ context.Context, o origin.Record) (origin.Record, error) {
	return o, nil
}

// A registry that was lost and rebuilt has forgotten the tag, and with it the grace that the team was given.
func TestTeardownThatNobodyRemembersGivesUp(t *testing.T) {
	live := origin.Record{Ref: origin.Ref{ID: "vo_1"}, Intent: origin.Wire, State: origin.Live, Generation: 1}
	step := &Teardown{Registry: oneRecord{live}, Log: slog.New(slog.DiscardHandler)}
	_, err := step.Step(context.Background(), inbound.Task{Origin: "vo_1", Generation: 1, Phase: "detach"})
	if !fault.Is[*fault.GiveUp](err) || !strings.Contains(err.Error(), "set the tag originhub:teardown again") {
		t.Errorf("got %v", err)
	}
}
