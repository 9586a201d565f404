package admission_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/teardown"
)

// tagged returns the reading of an offered origin whose tags claim what o claims, with further tags.
func tagged(o origin.Record, more ...string) admission.Reading {
	paths, err := admission.SpellPaths(o.Claim.Paths)
	if err != nil {
		panic(err)
	}
	tags := map[string]string{
		contract.TagHost: strings.Join(o.Claim.Hosts, " "), contract.TagPaths: paths, contract.TagDomain: o.Claim.Domain,
	}
	for _, tag := range more {
		tags[tag] = "now"
	}
	return admission.Reading{Offer: offered(o), Tags: tags}
}

// valued returns the reading of an origin with a value of the teardown tag.
func valued(o origin.Record, value string) admission.Reading {
	r := tagged(o)
	r.Tags[contract.TagTeardown] = value
	return r
}

// with returns a round in which the read origins are offered and visible.
func with(r admission.Round, read ...admission.Reading) admission.Round {
	for _, o := range read {
		r.Offers = append(r.Offers, o.Offer)
		if !slices.ContainsFunc(r.Visible, func(v origin.VpcOrigin) bool { return v.ID == o.ID }) {
			r.Visible = append(r.Visible, origin.VpcOrigin{Ref: o.Ref, Deployed: true})
		}
	}
	return r
}

// records returns the records that changes write.
func records(changes []admission.Change) (written []origin.Record) {
	for _, c := range changes {
		if c.Record != nil {
			written = append(written, *c.Record)
		}
	}
	return written
}

func claiming(o origin.Record, paths ...string) origin.Record {
	o.Claim.Paths = paths
	return o
}

func TestDecideByClaim(t *testing.T) {
	is := live("team-a", accountA, "vo_1", "/team-a/x")
	crowded := []origin.Record{live("team-a", accountA, "vo_2", "/team-a/2"), live("team-a", accountA, "vo_3", "/team-a/3")}
	grace := leaving(teardown.Grace, 0)
	grace.Teardown.Due = start.Add(time.Hour)
	held := func(r *admission.Round) { r.Registry.Distributions[0].Orphans = []origin.Ref{is.Ref} }
	const teardownTag = contract.TagTeardown
	for name, c := range map[string]struct {
		records []origin.Record
		reading admission.Reading
		change  func(*admission.Round)
		events  []string
		intent  origin.Intent // of the record that is written
		recheck admission.Recheck
	}{
		"unreadable": {
			reading: admission.Reading{Offer: offered(is), Unreadable: true, Code: "AccessDenied"}, events: []string{"Origin Refused claim-unreadable"},
		},
		"unreadable, and live": {
			records: []origin.Record{is}, reading: admission.Reading{Offer: offered(is), Unreadable: true}, events: []string{"Origin Refused claim-unreadable"},
		},
		"new, tagged, and main not observed yet": {
			reading: tagged(is, teardownTag), change: func(r *admission.Round) { r.Registry.Distributions = nil },
		},
		"new, tagged, and a distribution holds it": {
			reading: tagged(is, teardownTag), change: held, events: []string{"Origin Admitted"}, intent: origin.Wire,
		},
		"new, tagged, and a distribution holds it, but its claim is not granted": {
			reading: tagged(claiming(is, "/team-b/*"), teardownTag), change: held, events: []string{"Origin Refused claim-not-granted"},
		},
		"new, tagged": {reading: tagged(is, teardownTag), events: []string{"Origin Refused origin-tearing-down"}},
		"new, tagged, and its claim is not granted": {
			reading: tagged(claiming(is, "/team-b/*"), teardownTag), events: []string{"Origin Refused origin-tearing-down"},
		},
		"new, tagged with a bad value": {reading: valued(is, "nwo"), events: []string{"Teardown Tag Refused teardown-tag-invalid"}},
		"new, tagged with a time long past": {
			reading: valued(is, "2020-01-01T00:00:00Z"), events: []string{"Origin Refused origin-tearing-down"},
		},
		"live, tagged": {records: []origin.Record{is}, reading: tagged(is, teardownTag)},
		"live, tagged, and claims something else": {
			records: []origin.Record{is}, reading: tagged(claiming(is, "/team-a/y"), teardownTag), events: []string{"Origin Admitted"}, intent: origin.Wire,
		},
		"withdrawn in grace, tagged, and back": {
			records: []origin.Record{grace}, reading: tagged(grace, teardownTag), events: []string{"Origin Admitted"}, intent: origin.Wire,
		},
		"leaves, tagged":                   {records: []origin.Record{leaving(teardown.Detach, time.Hour)}, reading: tagged(is, teardownTag)},
		"leaves, tagged and not permitted": {records: []origin.Record{leaving(teardown.Detach, time.Hour)}, reading: tagged(claiming(is, "/team-b/*"), teardownTag)},
		"new":                              {reading: tagged(is), events: []string{"Origin Admitted"}, intent: origin.Wire},
		"new, and its team has too many": {
			records: crowded, reading: tagged(is), events: []string{"Origin Deferred does-not-fit"}, recheck: admission.Later,
		},
		"new, refused":              {reading: tagged(claiming(is, "/team-b/*")), events: []string{"Origin Refused claim-not-granted"}},
		"live, same claim":          {records: []origin.Record{is}, reading: tagged(is)},
		"live, refused claim":       {records: []origin.Record{is}, reading: tagged(claiming(is, "/team-b/*")), events: []string{"Origin Refused claim-not-granted"}},
		"leaves, refused, untagged": {records: []origin.Record{leaving(teardown.Detach, time.Hour)}, reading: tagged(claiming(is, "/team-b/*")), events: []string{"Origin Refused claim-not-granted"}},
		"new, claim stated in policy": {
			reading: admission.Reading{Offer: offered(is)},
			change:  func(r *admission.Round) { r.Policy.Teams[0].Spoke, r.Policy.Teams[0].Claim = false, &is.Claim },
			events:  []string{"Origin Admitted"}, intent: origin.Wire,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := with(round(c.records...), c.reading)
			if c.change != nil {
				c.change(&r)
			}
			changes, recheck := r.Decide([]admission.Reading{c.reading})
			if diff := cmp.Diff(c.events, what(changes)); diff != "" || recheck != c.recheck {
				t.Errorf("recheck %d: %s", recheck, diff)
			}
			written := records(changes)
			if (len(written) == 1) != (c.intent != "") || len(written) == 1 && (written[0].ID != is.ID || written[0].Intent != c.intent) {
				t.Errorf("writes %+v", written)
			}
			r.Registry.Refusals = remembered(changes)
			if again, _ := r.Decide([]admission.Reading{c.reading}); len(remembered(again)) > 0 {
				t.Errorf("reported before, it reports %q again", what(again))
			}
		})
	}
}

func TestAdmittedRecord(t *testing.T) {
	is := live("team-a", accountA, "vo_1", "/team-a/x")
	renamed := is
	renamed.Team = "team-z"
	elsewhere := is
	elsewhere.Share = "share-closed"
	detached := is
	detached.Intent, detached.State = origin.Detach, origin.Detached
	detached.Reasons = []origin.Reason{{Code: admission.OriginNotShared}}
	grace := detached
	grace.Teardown = &origin.Teardown{Value: "1h", Due: start.Add(time.Hour)}
	begun := leaving(teardown.Record, time.Hour)
	over := leaving(teardown.Unshare, time.Hour)
	over.Teardown.Ended = true
	moved := live("team-b", accountB, "vo_1", "/team-b/x")
	moved.Claim.Hosts = []string{"www.example.com"}
	const admitted, cancelled = "Origin Admitted", "Teardown Cancelled"
	for name, c := range map[string]struct {
		was     *origin.Record
		reading admission.Reading
		events  []string
		want    func(origin.Record) origin.Record // of what it was; nil if nothing is written
	}{
		"new": {
			reading: tagged(is), events: []string{admitted},
			want: func(origin.Record) origin.Record {
				return origin.Record{
					Ref: is.Ref, Distribution: origin.Main, Team: "team-a", Share: is.Share, Claim: is.Claim, Intent: origin.Wire, State: origin.Pending,
					Generation: 1, Admitted: start,
				}
			},
		},
		"to be wired, same":          {was: &is, reading: tagged(is)},
		"to be wired, another share": {was: &elsewhere, reading: tagged(is), want: func(was origin.Record) origin.Record { was.Share = is.Share; return was }},
		"to be wired, another name":  {was: &renamed, reading: tagged(is), events: []string{admitted}, want: func(was origin.Record) origin.Record { was.Team = "team-a"; return was }},
		"to be wired, another claim": {
			was: &is, reading: tagged(claiming(is, "/team-a/y")), events: []string{admitted},
			want: func(was origin.Record) origin.Record {
				was.Claim.Paths, was.State = []string{"/team-a/y"}, origin.Pending
				return was
			},
		},
		"to be wired, another host": {
			was: &moved, events: []string{admitted},
			reading: func() admission.Reading {
				o := moved
				o.Claim.Hosts = []string{"team-b.example.com"}
				return tagged(o)
			}(),
			want: func(was origin.Record) origin.Record {
				was.Claim.Hosts, was.ReleasedHosts, was.State = []string{"team-b.example.com"}, []string{"www.example.com"}, origin.Pending
				return was
			},
		},
		"withdrawn in grace": {
			was: &grace, reading: tagged(is), events: []string{admitted},
			want: func(was origin.Record) origin.Record {
				was.Intent, was.State, was.Reasons, was.Admitted = origin.Wire, origin.Pending, nil, start
				return was
			},
		},
		"teardown not over": {
			was: &begun, reading: tagged(is), events: []string{cancelled, admitted},
			want: func(was origin.Record) origin.Record {
				was.Intent, was.State, was.Admitted, was.Teardown = origin.Wire, origin.Pending, start, nil
				was.Generation++
				return was
			},
		},
		"teardown over": {
			was: &over, reading: tagged(is), events: []string{admitted},
			want: func(was origin.Record) origin.Record {
				was.Intent, was.State, was.Admitted, was.Teardown = origin.Wire, origin.Pending, start, nil
				was.Generation++
				return was
			},
		},
		"withdrawn": {
			was: &detached, reading: tagged(is), events: []string{admitted},
			want: func(was origin.Record) origin.Record {
				was.Intent, was.State, was.Reasons, was.Admitted = origin.Wire, origin.Pending, nil, start
				was.Generation++
				return was
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var before []origin.Record
			if c.was != nil {
				before = append(before, *c.was)
			}
			r := with(round(before...), c.reading)
			changes, _ := r.Decide([]admission.Reading{c.reading})
			if diff := cmp.Diff(c.events, what(changes)); diff != "" {
				t.Error(diff)
			}
			var want []origin.Record
			if c.want != nil {
				var was origin.Record
				if c.was != nil {
					was = *c.was
				}
				want = append(want, c.want(was))
			}
			got := records(changes)
			for i := range got {
				if history := got[i].History; len(history) > 0 && history[len(history)-1].Code != origin.DecidedAdmitted {
					t.Errorf("history %v", history)
				}
				got[i].History = nil
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
			for _, c := range changes {
				if c.From != "" {
					t.Errorf("moves from %s", c.From)
				}
			}
		})
	}
}

// An origin that claims another path keeps its old one until the new claim has a place.
func TestOldClaimIsReservedUntilTheNewOneHasAPlace(t *testing.T) {
	stays := live("team-a", accountA, "vo_1", "/shared/*")
	stays.Claim.Hosts = []string{"team-a.example.com"}
	wants := live("team-b", accountB, "vo_2", "/shared/x")
	for name, c := range map[string]struct {
		behaviors int // limit
		events    []string
	}{
		"it has a place": {3, []string{"Origin Admitted", "Origin Admitted"}},
		"it has none":    {1, []string{"Origin Refused claim-taken", "Origin Deferred does-not-fit"}},
	} {
		read := []admission.Reading{tagged(wants), tagged(claiming(stays, "/team-a/x", "/team-a/y"))}
		r := with(round(stays), read...)
		r.Policy.Limits.Behaviors = c.behaviors
		changes, _ := r.Decide(read)
		if diff := cmp.Diff(c.events, what(changes)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
