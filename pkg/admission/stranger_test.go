package admission_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

func TestInvited(t *testing.T) {
	pending := []origin.Invitation{{Sender: accountA, Sent: start}, {Sender: stranger, Sent: start, Name: "URGENT"}}
	if diff := cmp.Diff([]admission.Stranger{{Account: stranger, At: start}}, admission.Invited(pending, policy())); diff != "" {
		t.Error(diff)
	}
}

func TestStrangersAreCountedOnceAnHour(t *testing.T) {
	const other = "888888888888"
	hour := start.Truncate(time.Hour)
	sent := func(account string, n int, at time.Time) []admission.Stranger {
		return slices.Repeat([]admission.Stranger{{Account: account, At: at}}, n)
	}
	before := slices.Concat(sent(stranger, 30, hour.Add(-time.Minute)), sent(other, 1, hour.Add(-time.Hour)))
	both := []string{"Share Refused share-unknown-account", "Share Refused share-unknown-account"}
	for _, c := range []struct {
		name    string
		sweep   bool
		after   time.Duration // a full hour
		unknown []admission.Stranger
		want    []string
	}{
		{"no sweep", false, time.Minute, before, nil},
		{"a later sweep", true, 10 * time.Minute, before, nil},
		{"the first sweep, nothing offered", true, time.Minute, nil, nil},
		{"the first sweep, offered two hours before", true, time.Minute, sent(stranger, 1, hour.Add(-time.Hour-time.Second)), nil},
		{"the first sweep, offered in this hour", true, time.Minute, sent(stranger, 1, hour), nil},
		{"the first sweep", true, time.Minute, before, both},
		{"the first sweep, ten minutes after the hour", true, 10*time.Minute - time.Second, before, both},
	} {
		r := admission.Run{Round: admission.Round{
			Policy: policy(), Sweep: c.sweep, Swept: hour.Add(c.after), Invited: c.unknown[:len(c.unknown)/2], Shared: admission.Shared{Strangers: c.unknown[len(c.unknown)/2:]},
			Registry: origin.Snapshot{Now: hour.Add(10 * time.Minute)},
		}}
		o := r.After()
		if diff := cmp.Diff(c.want, eventsOf(o)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
		if len(c.want) == 0 {
			continue
		}
		for i, want := range []outcome.Detail{{Account: other}, {Account: stranger}} {
			if got := o.Events[i].Detail; got.Account != want.Account || got.What != "" || got.Severity != contract.SeverityInfo {
				t.Errorf("%s: %+v", c.name, got)
			}
		}
		if i := slices.IndexFunc(o.Metrics, func(m outcome.Metric) bool { return m.Name == contract.MetricRefusal && m.Value == 30 }); i < 0 {
			t.Errorf("%s: the shares of an account are not counted: %+v", c.name, o.Metrics)
		}
	}
}
