package admission

import (
	"strings"
	"testing"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
)

func TestDamagedItemIsReportedOnce(t *testing.T) {
	r := Round{Registry: origin.Snapshot{
		Refusals: map[string][]origin.Reason{}, Damaged: []origin.Damaged{{Partition: "main", Key: "origin#vo_1", Origin: "vo_1", Why: "unexpected end of JSON input"}},
	}, Shared: Shared{Offers: []Offer{{Ref: origin.Ref{ID: "vo_1"}}}}, Sweep: true}
	due := r.Due()
	if len(due.Read) != 0 || len(due.Changes) != 1 {
		t.Fatalf("got %+v", due)
	}
	e := due.Changes[0].Events[0]
	if e.Type != contract.RegistryItemDamaged || e.Detail.Origin != "vo_1" || e.Detail.Severity != contract.SeverityAlarm ||
		!strings.HasPrefix(e.Detail.Why, "item origin#vo_1 in partition main of the registry cannot be read: unexpected end of JSON input;") {
		t.Errorf("got %+v", e)
	}
	r.Registry.Refusals[due.Changes[0].Refusal.What] = due.Changes[0].Refusal.Reasons
	if again := r.Due(); len(again.Changes) != 0 {
		t.Errorf("a second time: %+v", again)
	}
	r.Registry.Damaged[0].Why = `intent "" does not exist`
	if again := r.Due(); len(again.Changes) != 1 {
		t.Errorf("damaged in another way: %+v", again)
	}
}
