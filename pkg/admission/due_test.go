package admission_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/teardown"
)

// fleetOf returns the policy of a hub that adopted the distributions with these ids.
func fleetOf(ids ...string) admission.Policy {
	p := policy()
	p.Distribution.Adopt = ids
	return p
}

func observed(name string) origin.Distribution {
	return origin.Distribution{Name: name, Identity: origin.Identity{ID: "E-" + name}, Observation: origin.Observation{ObservedAt: start}}
}

// round returns a round with one observed distribution that contains these records.
func round(records ...origin.Record) admission.Round {
	r := admission.Round{Policy: fleetOf("E1"), Registry: origin.Snapshot{
		Now: start, Records: records, Distributions: []origin.Distribution{observed(origin.Main)}, Refusals: map[string][]origin.Reason{},
	}}
	for _, o := range records {
		r.Visible = append(r.Visible, origin.VpcOrigin{Ref: o.Ref, Deployed: true})
	}
	return r
}

// live returns the record of a live origin.
func live(team, account, id string, paths ...string) origin.Record {
	o := held(team, account, id, paths...)
	o.Distribution, o.Share, o.State, o.Generation, o.Version = origin.Main, "share-"+account, origin.Live, 1, 1
	o.Admitted = start.Add(-time.Hour)
	return o
}

// leaving returns a record whose teardown has been in a phase for that time.
func leaving(phase teardown.Phase, since time.Duration) origin.Record {
	o := live("team-a", accountA, "vo_1", "/team-a/x")
	o.Intent, o.State = origin.Detach, origin.Detached
	o.Teardown = &origin.Teardown{
		Value: "now", Requested: start.Add(-time.Hour), Due: start.Add(-time.Hour), Phase: string(phase), Since: start.Add(-since),
	}
	return o
}

func offered(o origin.Record) admission.Offer {
	return admission.Offer{Ref: o.Ref, Shares: []string{"share-" + o.Account}}
}

// unseen returns a change of a round: CloudFront returns nothing, and vo_1 was shared that time ago.
func unseen(ago time.Duration, answers map[string]string) func(*admission.Round) {
	return func(r *admission.Round) {
		r.Visible, r.Unseen, r.Offers[0].Since = nil, answers, start.Add(-ago)
	}
}

// pending returns the record of an origin that was admitted that time ago and is in no configuration.
func pending(ago time.Duration) origin.Record {
	o := live("team-a", accountA, "vo_1", "/team-a/x")
	o.State, o.Admitted = origin.Pending, start.Add(-ago)
	return o
}

func TestDue(t *testing.T) {
	is := live("team-a", accountA, "vo_1", "/team-a/x")
	ended := leaving(teardown.Unshare, 0)
	ended.Teardown.Ended = true
	deleted := leaving(teardown.Verify, time.Hour)
	deleted.State, deleted.Teardown.Ended = origin.Deleted, false
	grace := leaving(teardown.Grace, 0)
	grace.Teardown.Due = start.Add(time.Hour)
	none := leaving(teardown.Detach, 0)
	none.Teardown = nil
	hint := func(ago time.Duration) []inbound.TagHint {
		return []inbound.TagHint{{Account: is.Account, ARNs: []string{is.ARN}, Called: start.Add(-ago)}}
	}
	unavailable := origin.Distribution{Name: "E2", Observation: origin.Observation{Unavailable: origin.Reason{Code: "denied", Message: "AWS answers AccessDenied"}}}
	read := admission.Due{Read: []admission.Offer{offered(is)}}
	for name, c := range map[string]struct {
		records []origin.Record
		change  func(*admission.Round)
		sweep   bool
		hints   []inbound.TagHint
		want    admission.Due
		events  []string
	}{
		"new": {want: read},
		"new, its claim in policy": {
			change: func(r *admission.Round) { r.Policy.Teams[0].Spoke, r.Policy.Teams[0].Claim = false, &is.Claim },
			want:   admission.Due{Stated: []admission.Offer{offered(is)}},
		},
		"new, not shown": {change: func(r *admission.Round) { r.Visible = nil }, want: admission.Due{Recheck: admission.Soon}},
		"new, not shown for an hour": {
			change: unseen(time.Hour, map[string]string{"vo_1": "AccessDenied"}), want: admission.Due{Recheck: admission.Soon},
			events: []string{"Origin Deferred origin-not-visible"},
		},
		"new, not shown for less than an hour": {change: unseen(time.Hour-1, map[string]string{"vo_1": ""}), want: admission.Due{Recheck: admission.Soon}},
		"new, not shown, and not asked for":    {change: unseen(time.Hour, nil), want: admission.Due{Recheck: admission.Soon}},
		"new, not shown, shared at an unknown time": {
			change: func(r *admission.Round) { r.Visible, r.Unseen = nil, map[string]string{"vo_1": ""} }, want: admission.Due{Recheck: admission.Soon},
		},
		"live, not shown for an hour": {
			records: []origin.Record{is}, sweep: true, change: unseen(time.Hour, map[string]string{"vo_1": ""}), want: admission.Due{Recheck: admission.Soon},
		},
		"pending, not shown for an hour": {
			records: []origin.Record{pending(time.Hour)}, sweep: true, change: unseen(2*time.Hour, map[string]string{"vo_1": ""}),
			want: admission.Due{Recheck: admission.Soon}, events: []string{"Origin Deferred origin-not-visible"},
		},
		"pending, admitted less than an hour ago": {
			records: []origin.Record{pending(time.Hour - 1)}, sweep: true, change: unseen(2*time.Hour, map[string]string{"vo_1": ""}),
			want: admission.Due{Recheck: admission.Soon},
		},

		"new, not Deployed": {change: func(r *admission.Round) { r.Visible[0].Deployed = false }, want: admission.Due{Recheck: admission.Later}},

		"new, not Deployed for an hour": {
			change: func(r *admission.Round) { r.Visible[0].Deployed, r.Visible[0].Modified = false, start.Add(-time.Hour) },
			want:   admission.Due{Recheck: admission.Later}, events: []string{"Origin Deferred origin-not-deployed"},
		},
		"new, not Deployed for less than an hour": {
			change: func(r *admission.Round) { r.Visible[0].Deployed, r.Visible[0].Modified = false, start.Add(1-time.Hour) },
			want:   admission.Due{Recheck: admission.Later},
		},
		"to be wired, not Deployed for an hour": {
			records: []origin.Record{is}, sweep: true,
			change: func(r *admission.Round) { r.Visible[0].Deployed, r.Visible[0].Modified = false, start.Add(-time.Hour) },
			want:   admission.Due{Recheck: admission.Later},
		},

		"new, the one distribution was never observed": {
			change: func(r *admission.Round) { r.Registry.Distributions = nil }, want: read,
		},
		"new, one of two distributions was never observed": {change: func(r *admission.Round) { r.Policy = fleetOf("E1", "E2") }},
		"new, one of two was never observed, and another is unavailable": {change: func(r *admission.Round) {
			r.Policy = fleetOf("E1", "E2", "E3")
			r.Registry.Distributions = append(r.Registry.Distributions, unavailable)
		}},
		"new, no record at all, and one of two is unavailable": {
			change: func(r *admission.Round) {
				r.Policy = fleetOf("E1", "E2")
				r.Registry.Distributions = append(r.Registry.Distributions, unavailable)
			},
			events: []string{"Origin Deferred does-not-fit"},
		},
		"new, among records, and one of two is unavailable": {
			records: []origin.Record{live("team-b", accountB, "vo_2", "/team-b/x")},
			change: func(r *admission.Round) {
				r.Policy = fleetOf("E1", "E2")
				r.Registry.Distributions = append(r.Registry.Distributions, unavailable)
			},
			want: read,
		},
		"new, both were observed": {
			change: func(r *admission.Round) {
				r.Policy = fleetOf("E1", "E2")
				r.Registry.Distributions = append(r.Registry.Distributions, observed("E2"))
			},
			want: read,
		},
		"to be wired, and policy does not permit it": {
			records: []origin.Record{is}, change: func(r *admission.Round) { r.Policy.Teams[0].Grants = nil }, want: read,
		},
		"known, one of two was never observed": {
			records: []origin.Record{is}, sweep: true, change: func(r *admission.Round) { r.Policy = fleetOf("E1", "E2") }, want: read,
		},

		"to be wired, no sweep and no message":   {records: []origin.Record{is}},
		"to be wired, on a sweep":                {records: []origin.Record{is}, sweep: true, want: read},
		"to be wired, a message names it":        {records: []origin.Record{is}, hints: hint(time.Minute), want: read},
		"to be wired, a message names another":   {records: []origin.Record{is}, hints: []inbound.TagHint{{Account: is.Account, ARNs: []string{"another"}, Called: start}}},
		"to be wired, a message of another team": {records: []origin.Record{is}, hints: []inbound.TagHint{{Account: accountB, ARNs: []string{is.ARN}, Called: start}}},
		"to be wired, on a sweep, not Deployed": {
			records: []origin.Record{is}, sweep: true, change: func(r *admission.Round) { r.Visible[0].Deployed = false },
			want: admission.Due{Recheck: admission.Later},
		},
		"to be wired, not shown": {records: []origin.Record{is}, change: func(r *admission.Round) { r.Visible = nil }},
		"to be wired, on a sweep, not shown": {
			records: []origin.Record{is}, sweep: true, change: func(r *admission.Round) { r.Visible = nil }, want: admission.Due{Recheck: admission.Soon},
		},

		"torn down":                       {records: []origin.Record{deleted}, want: read},
		"withdrawn":                       {records: []origin.Record{none}, want: read},
		"withdrawn, in grace":             {records: []origin.Record{grace}, want: read},
		"teardown ended":                  {records: []origin.Record{ended}, want: read},
		"teardown unshares":               {records: []origin.Record{leaving(teardown.Unshare, time.Hour)}, sweep: true},
		"teardown deletes, tag set again": {records: []origin.Record{leaving(teardown.Delete, time.Hour)}, hints: hint(0)},
		"teardown verifies":               {records: []origin.Record{leaving(teardown.Verify, time.Hour)}, sweep: true},
		"teardown detaches for a moment":  {records: []origin.Record{leaving(teardown.Detach, 10*time.Minute-1)}, sweep: true},
		"teardown detaches for long":      {records: []origin.Record{leaving(teardown.Detach, 10*time.Minute)}, want: read},
		"teardown confirms, its own call": {records: []origin.Record{leaving(teardown.Confirm, time.Hour)}, hints: hint(time.Hour)},
		"teardown confirms, a later call": {records: []origin.Record{leaving(teardown.Confirm, 0)}, hints: hint(time.Minute), want: read},
		"teardown confirms, two calls":    {records: []origin.Record{leaving(teardown.Confirm, 0)}, hints: append(hint(time.Minute), hint(time.Hour)...), want: read},
		"teardown records, an older call": {records: []origin.Record{leaving(teardown.Record, time.Hour)}, hints: hint(2 * time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			r := round(c.records...)
			if len(c.records) == 0 || c.records[0].ID != is.ID {
				r.Visible = append(r.Visible, origin.VpcOrigin{Ref: is.Ref, Deployed: true})
			}
			r.Offers, r.Sweep, r.Hints = []admission.Offer{offered(is)}, c.sweep, c.hints
			if c.change != nil {
				c.change(&r)
			}
			got := r.Due()
			if diff := cmp.Diff(c.events, what(got.Changes)); diff != "" {
				t.Error(diff)
			}
			again := r
			again.Registry.Refusals = remembered(got.Changes)
			if changes := again.Due().Changes; len(changes) > 0 {
				t.Errorf("reported before, it reports %q again", what(changes))
			}
			got.Changes = nil
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if asks := r.Unlisted(); (len(asks) > 0) != (got.Recheck == admission.Soon) {
				t.Errorf("it asks for %v by id", asks)
			}
		})
	}
}

func TestRecheckAfter(t *testing.T) {
	for recheck, want := range map[admission.Recheck]time.Duration{admission.Never: 0, admission.Later: 2 * time.Minute, admission.Soon: 15 * time.Second} {
		if got := recheck.After(); got != want {
			t.Errorf("%d is after %s, want %s", recheck, got, want)
		}
	}
}
