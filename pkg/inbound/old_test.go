package inbound_test

import (
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/inbound"
)

// Messages that an earlier version sent may still be in a queue.
func TestFormerDetailTypesAreRead(t *testing.T) {
	for raw, want := range map[string]inbound.Message{
		`{"source":"originhub","detail-type":"Poke","detail":{"why":"registry changed"}}`:                           inbound.Trigger{Why: "registry changed"},
		`{"source":"originhub","detail-type":"Look","detail":{"distribution":"main","due":"2026-11-22T07:59:30Z"}}`: inbound.Recheck{Distribution: "main", Due: time.Date(2026, 11, 22, 7, 59, 30, 0, time.UTC)},
	} {
		if got, err := inbound.Parse([]byte(raw)); err != nil || got != want {
			t.Errorf("%s: %+v, %v", raw, got, err)
		}
	}
}
