package admission_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// An origin whose record cannot be read leaves its distribution if it may not stay, which is said once, and no record is written.
func TestWithdrawDamaged(t *testing.T) {
	damaged := origin.Damaged{Partition: origin.Main, Key: "origin#vo_1", Origin: "vo_1", Why: "unexpected end of JSON input"}
	reported := []origin.Reason{{Code: admission.OriginNotShared}, {Code: origin.ItemDamaged, Subject: damaged.Key}}
	const gone, unknown = "Origin Withdrawn origin-not-shared item-damaged", "Origin Withdrawn origin-unknown-account item-damaged"
	for name, c := range map[string]struct {
		orphan    origin.Ref
		offered   bool
		visible   bool
		reported  []origin.Reason
		another   bool // it is the item of something else that is damaged
		events    []string
		remembers []admission.Code
	}{
		"offered and visible":                  {orphan: ref(accountA, "vo_1"), offered: true, visible: true},
		"only offered":                         {orphan: ref(accountA, "vo_1"), offered: true},
		"only visible":                         {orphan: ref(accountA, "vo_1"), visible: true},
		"neither":                              {orphan: ref(accountA, "vo_1"), events: []string{gone}, remembers: []admission.Code{admission.OriginNotShared, origin.ItemDamaged}},
		"neither, and it was said":             {orphan: ref(accountA, "vo_1"), reported: reported},
		"neither, and it has left":             {reported: reported},
		"neither, and in no distribution":      {},
		"visible again":                        {orphan: ref(accountA, "vo_1"), visible: true, reported: reported, remembers: []admission.Code{}},
		"of no team":                           {orphan: ref(stranger, "vo_1"), visible: true, events: []string{unknown}, remembers: []admission.Code{admission.OriginUnknownAccount, origin.ItemDamaged}},
		"of no team, and not shared":           {orphan: ref(stranger, "vo_1"), events: []string{gone}, remembers: []admission.Code{admission.OriginNotShared, origin.ItemDamaged}},
		"the distribution's item, and neither": {orphan: ref(accountA, "vo_9"), visible: true, another: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := round()
			r.Registry.Damaged = []origin.Damaged{damaged}
			if c.another {
				r.Registry.Damaged[0].Origin, r.Registry.Damaged[0].Key = "", "distribution"
			}
			r.Registry.Refusals = map[string][]origin.Reason{origin.WithdrawalOf("vo_1"): c.reported}
			r.Visible = nil
			if c.orphan.ID != "" {
				r.Registry.Distributions[0].Orphans = []origin.Ref{c.orphan}
			}
			if c.offered {
				r.Offers = []admission.Offer{{Ref: c.orphan, Shares: []string{"share"}}}
			}
			if c.visible {
				r.Visible = []origin.VpcOrigin{{Ref: c.orphan, Deployed: true}}
			}
			changes, _ := r.Decide(nil)
			if diff := cmp.Diff(c.events, what(changes)); diff != "" {
				t.Error(diff)
			}
			if written := records(changes); len(written) > 0 {
				t.Errorf("wrote %+v", written)
			}
			var remembers []admission.Code
			for _, change := range changes {
				remembers = append([]admission.Code{}, origin.Codes(change.Refusal.Reasons)...)
				wires := len(change.Triggers) == 1 && change.Triggers[0].Function == outcome.Wire
				if change.Refusal.What != origin.WithdrawalOf("vo_1") || wires != (len(c.events) > 0) {
					t.Errorf("%+v", change)
				}
			}
			if diff := cmp.Diff(c.remembers, remembers); diff != "" {
				t.Error(diff)
			}
		})
	}
}
