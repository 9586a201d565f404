package admission_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/teardown"
)

func TestWithdraw(t *testing.T) {
	is := live("team-a", accountA, "vo_1", "/team-a/x")
	orphan := ref(accountA, "vo_9")
	bare := orphan
	bare.ARN = ""
	rival := live("team-b", accountB, "vo_2", "/shared/x")
	first := live("team-a", accountA, "vo_3", "/shared/*")
	first.Admitted = rival.Admitted.Add(-1)
	waits := is
	waits.State = origin.Deferred
	with := func(orphans ...origin.Ref) origin.Distribution {
		d := observed(origin.Main)
		d.Orphans = orphans
		return d
	}
	unavailable := origin.Distribution{Name: "E2", Observation: origin.Observation{Unavailable: origin.Reason{Code: "denied"}}}
	const gone, refused = "Origin Withdrawn origin-not-shared", "Origin Withdrawn claim-not-granted"
	for name, c := range map[string]struct {
		records       []origin.Record
		offered       []origin.Ref
		hidden        bool // CloudFront shows nothing
		fleet         []string
		distributions []origin.Distribution
		events        []string
		withdrawn     []string
	}{
		"offered and shown":      {records: []origin.Record{is}, offered: []origin.Ref{is.Ref}},
		"only offered":           {records: []origin.Record{is}, offered: []origin.Ref{is.Ref}, hidden: true},
		"only shown":             {records: []origin.Record{is}},
		"neither":                {records: []origin.Record{is}, hidden: true, events: []string{gone}, withdrawn: []string{"vo_1"}},
		"neither, and it waits":  {records: []origin.Record{waits}, hidden: true, events: []string{gone}, withdrawn: []string{"vo_1"}},
		"neither, and it leaves": {records: []origin.Record{leaving(teardown.Detach, 0)}, hidden: true},
		"policy does not permit it": {
			records: []origin.Record{claiming(is, "/team-b/x")}, events: []string{refused}, withdrawn: []string{"vo_1"},
		},
		"policy does not permit it, and it waits": {
			records: []origin.Record{claiming(waits, "/team-b/x")}, events: []string{refused}, withdrawn: []string{"vo_1"},
		},
		"an earlier claim overlaps": {
			records: []origin.Record{rival, first}, events: []string{"Origin Withdrawn claim-taken"}, withdrawn: []string{"vo_2"},
		},
		"an earlier claim overlaps, and is withdrawn itself": {
			records: []origin.Record{rival, first}, offered: []origin.Ref{rival.Ref}, hidden: true, events: []string{gone}, withdrawn: []string{"vo_3"},
		},
		"without a record": {
			hidden: true, distributions: []origin.Distribution{with(orphan)}, events: []string{gone}, withdrawn: []string{"vo_9"},
		},
		"without a record, in two distributions": {
			hidden: true, distributions: []origin.Distribution{with(orphan), {Name: "E2", Observation: origin.Observation{ObservedAt: start, Orphans: []origin.Ref{orphan}}}},
			events: []string{gone}, withdrawn: []string{"vo_9"},
		},
		"without a record, and offered": {hidden: true, offered: []origin.Ref{orphan}, distributions: []origin.Distribution{with(orphan)}},
		"without a record, of an unknown account": {
			hidden: true, distributions: []origin.Distribution{with(ref(stranger, "vo_9"))}, events: []string{gone}, withdrawn: []string{"vo_9"},
		},
		"without a record, and without an owner": {hidden: true, distributions: []origin.Distribution{with(bare)}},
		"without a record, and a distribution is unavailable": {
			hidden: true, fleet: []string{"E1", "E2"}, distributions: []origin.Distribution{with(orphan), unavailable},
		},
		"with a record, too": {
			records: []origin.Record{is}, offered: []origin.Ref{is.Ref}, hidden: true, distributions: []origin.Distribution{with(is.Ref)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := round(c.records...)
			if c.hidden {
				r.Visible = nil
			}
			if c.fleet != nil {
				r.Policy = fleetOf(c.fleet...)
			}
			if c.distributions != nil {
				r.Registry.Distributions = c.distributions
			}
			for _, o := range c.offered {
				r.Offers = append(r.Offers, admission.Offer{Ref: o, Shares: []string{"share"}})
			}
			changes, _ := r.Decide(nil)
			if diff := cmp.Diff(c.events, what(changes)); diff != "" {
				t.Error(diff)
			}
			var withdrawn []string
			for _, o := range records(changes) {
				withdrawn = append(withdrawn, o.ID)
				last := o.History[len(o.History)-1]
				if o.Intent != origin.Detach || last.Code != origin.DecidedWithdrawn || !origin.SameReasons(last.Reasons, o.Reasons) || len(o.Reasons) == 0 {
					t.Errorf("%+v", o)
				}
			}
			if diff := cmp.Diff(c.withdrawn, withdrawn); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The record of an orphan names its distribution.
func TestWithdrawnWithoutARecord(t *testing.T) {
	r := round()
	orphan := ref(accountA, "vo_9")
	r.Registry.Distributions[0].Orphans = []origin.Ref{orphan}
	changes, _ := r.Decide(nil)
	got := records(changes)[0]
	got.History, got.Reasons = nil, nil
	want := origin.Record{Ref: orphan, Distribution: origin.Main, Team: "team-a", Intent: origin.Detach, State: origin.Wired, Generation: 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
