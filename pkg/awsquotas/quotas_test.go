package awsquotas_test

import (
	"testing"

	"github.com/originhub/originhub/pkg/awsquotas"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/internal/rig"
	"github.com/originhub/originhub/pkg/origin"
)

func TestQuotasAreThoseOfTheAccount(t *testing.T) {
	t.Parallel()
	ctx, s := rig.Start(t)
	// The client may be in any Region. CloudFront's quotas are in one.
	c := awsquotas.New(s.Config(rig.Hub, "eu-west-1"))
	if got := rig.Must[origin.Size](t)(c.Distribution(ctx)); got != (origin.Distribution{}).Quotas() {
		t.Errorf("nothing was raised, but %+v", got)
	}
	rig.OK(t, s.SetQuota(rig.Hub, origin.QuotaBehaviors, 150))
	rig.OK(t, s.SetQuota(rig.Team, origin.QuotaOrigins, 7))
	want := origin.Size{Origins: 100, Behaviors: 150, Aliases: 100}
	if got := rig.Must[origin.Size](t)(c.Distribution(ctx)); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	for code, check := range map[string]func(*testing.T, string, error){
		"AccessDeniedException":    rig.Want[*fault.GiveUp],
		"IllegalArgumentException": rig.Want[*fault.GiveUp],
		"TooManyRequestsException": rig.Want[*fault.Retry],
	} {
		ctx, s := rig.Start(t)
		c := awsquotas.New(s.Config(rig.Hub, rig.Region))
		rig.Refuse(s, "ListServiceQuotas", code, 400)
		got, err := c.Distribution(ctx)
		check(t, code, err)
		if got != (origin.Size{}) {
			t.Errorf("%s: %+v", code, got)
		}
	}
}
