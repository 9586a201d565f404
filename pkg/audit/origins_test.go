package audit

import (
	"strings"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
)

func TestUnwired(t *testing.T) {
	refused := func(what, why string) func(*Observed) {
		return func(o *Observed) {
			o.Refusals = map[string][]origin.Reason{what: {{Code: "claim-not-granted", Message: why}}}
		}
	}
	finds(t, Observed.unwired, []row{
		{"RAM shows it no more", all(out, func(o *Observed) { o.Offered = nil }), nil, ""},
		{"in a managed distribution", nil, nil, ""},
		{"in teardown", all(out, leaving), nil, ""},
		{"made an hour ago", all(out, func(o *Observed) { o.Visible[0].Created = now.Add(-time.Hour) }), nil, ""},
		{"made a day ago", all(out, func(o *Observed) { o.Visible[0].Created = now.Add(-24 * time.Hour) }), []Kind{SharedNotWired}, "its record in the registry"},
		{"its record cannot be read", all(out, damaged), nil, ""},
		{"its distribution's item cannot be read", all(out, aside), nil, ""},
		{"refused", all(out, refused(arnA, "no grant")), []Kind{SharedNotWired}, "no grant"},
		{"its share is refused", all(out, refused(shareA, "mixed share")), []Kind{SharedNotWired}, "mixed share"},
	})
}

func TestUnused(t *testing.T) {
	free := all(out, unshared, func(o *Observed) { o.Owned[0].Users = nil })
	finds(t, Observed.unused, []row{
		{"shared", all(out, func(o *Observed) { o.Owned[0].Users = nil }), nil, ""},
		{"used by another account's distribution", all(out, unshared), nil, ""},
		{"used by the hub's", all(unshared, func(o *Observed) { o.Owned[0].Users = nil }), nil, ""},
		{"not Deployed", all(free, func(o *Observed) { o.Owned[0].Deployed = false }), nil, ""},
		{"in teardown", all(free, leaving), nil, ""},
		{"its record cannot be read", all(free, damaged), nil, ""},
		{"its distribution's item cannot be read", all(free, aside), nil, ""},
		{"made a day ago", all(free, func(o *Observed) { o.Owned[0].Created = now.Add(-24 * time.Hour) }), nil, ""},
		{"made a week ago", all(free, func(o *Observed) { o.Owned[0].Created = now.Add(-7 * 24 * time.Hour) }), []Kind{OriginUnused}, "delete-vpc-origin --region us-east-1 --id vo_a"},
	})
}

// No price is guessed.
func TestCostIsThatOfAKnownPriceOrUnknown(t *testing.T) {
	for endpoint, want := range map[string]string{
		balancer: "$16.43", strings.Replace(balancer, "us-east-1", "eu-central-1", 1): "unknown", strings.Replace(balancer, "/app/", "/net/", 1): "unknown",
		"arn:aws:ec2:us-east-1:111111111111:instance/i-1": "unknown", "": "unknown",
	} {
		o := orderly()
		out(&o)
		o.Visible[0].Endpoint = endpoint
		if found := Audit(o); len(found) != 1 || !strings.HasPrefix(found[0].Cost, want) {
			t.Errorf("%s: %+v, want %s", endpoint, found, want)
		}
	}
}

func TestWired(t *testing.T) {
	finds(t, Observed.wired, []row{
		{"in no distribution", all(out, unshared), nil, ""},
		{"its record is deleted", all(unshared, func(o *Observed) { o.Records[0].State = origin.Deleted }), nil, ""},
		{"both show it", nil, nil, ""},
		{"RAM shows it no more", func(o *Observed) { o.Offered = nil }, []Kind{WiredNotShared}, "CloudFront refuses updates until"},
		{"CloudFront shows it no more", func(o *Observed) { o.Visible = nil }, []Kind{WiredNotShared}, "create-resource-share"},
		{"neither shows it", unshared, []Kind{WiredNotShared}, distribution},
	})
}

func TestGuardShare(t *testing.T) {
	deleted := inbound.CallHint{Account: teamA, Call: inbound.DeleteResourceShare, Target: shareA}
	withdrawn := func(o *Observed) {
		o.Records[0].Intent, o.Records[0].State = origin.Detach, origin.Detached
		o.Records[0].Remember(now.Add(-time.Minute), origin.DecidedWithdrawn, []origin.Reason{{Code: origin.OriginNotShared}}, "")
	}
	guards(t, []judged{
		{"of another share", inbound.CallHint{Account: teamA, Call: inbound.DeleteResourceShare, Target: shareA + "b"}, unshared, Harmless, "", ""},
		{"shared by another share", deleted, nil, Harmless, "", ""},
		{"disassociated, and shared by another share", inbound.CallHint{Account: teamA, Call: inbound.DisassociateResourceShare, Target: shareA}, nil, Harmless, "", ""},
		{"in a distribution", deleted, unshared, Found, ShareRevoked, "still wired"},
		{"in a distribution, and the call names no share", inbound.CallHint{Account: teamA, Call: inbound.DeleteResourceShare}, unshared, Found, ShareRevoked, ""},
		{"taken out a minute ago", deleted, all(unshared, out, withdrawn), Found, ShareRevoked, "the hub removed it"},
		{"to be wired", deleted, all(unshared, out), Found, ShareRevoked, "the hub cannot wire it"},
		{"none of these", deleted, all(unshared, out, func(o *Observed) {
			o.Records[0].Intent, o.Records[0].State = origin.Detach, origin.Detached
		}), Harmless, "", ""},
		{"deleted long ago", deleted, all(unshared, func(o *Observed) { o.Records[0].State = origin.Deleted }), Harmless, "", ""},
		{"another team names the share", inbound.CallHint{Account: teamB, Call: inbound.DeleteResourceShare, Target: shareA}, unshared, Forged, "", ""},
		{"another team names a share of its own", inbound.CallHint{Account: teamB, Call: inbound.DeleteResourceShare, Target: shareA + "b"}, unshared, Harmless, "", ""},
		{"another team names no share", inbound.CallHint{Account: teamB, Call: inbound.DeleteResourceShare}, unshared, Harmless, "", ""},
	})
}

func TestLost(t *testing.T) {
	notShared := []origin.Reason{{Code: origin.OriginNotShared}}
	for _, c := range []struct {
		name    string
		history []origin.Decision
		want    bool
	}{
		{"never withdrawn", []origin.Decision{{Code: origin.DecidedLive, At: now}}, false},
		{"for another reason", []origin.Decision{{Code: origin.DecidedWithdrawn, At: now, Reasons: []origin.Reason{{Code: "claim-not-granted"}}}}, false},
		{"an hour ago", []origin.Decision{{Code: origin.DecidedWithdrawn, At: now.Add(-time.Hour), Reasons: notShared}}, false},
		{"since then", []origin.Decision{{Code: origin.DecidedWithdrawn, At: now.Add(-59 * time.Minute), Reasons: notShared}, {Code: origin.DecidedDetached, At: now}}, true},
	} {
		if got := withdrawnLately(origin.Record{History: c.history}, now); got != c.want {
			t.Errorf("%s: got %t", c.name, got)
		}
	}
}

func TestGuardOrigin(t *testing.T) {
	call := func(account, id string) inbound.CallHint {
		return inbound.CallHint{Account: account, Call: inbound.DeleteVpcOrigin, Target: id}
	}
	gone := func(o *Observed) { o.Owned = nil }
	guards(t, []judged{
		{"no record", call(teamA, "vo_x"), gone, Harmless, "", ""},
		{"another account's", call(teamB, "vo_a"), gone, Forged, "", ""},
		{"in teardown", call(teamA, "vo_a"), all(gone, leaving), Harmless, "", ""},
		{"deleted by its teardown", call(teamA, "vo_a"), all(gone, func(o *Observed) { o.Records[0].State = origin.Deleted }), Harmless, "", ""},
		{"there", call(teamA, "vo_a"), nil, Harmless, "", ""},
		{"gone", call(teamA, "vo_a"), gone, Found, OriginDeleted, shareA},
		{"going", call(teamA, "vo_a"), func(o *Observed) { o.Owned[0].Deployed = false }, Found, OriginDeleted, ""},
		{"gone, by no share that is known", call(teamA, "vo_a"), all(gone, func(o *Observed) { o.Records[0].Share = "" }), Found, OriginDeleted, ""},
	})
}

func TestUnresolved(t *testing.T) {
	now := time.Date(2035, 1, 8, 9, 0, 0, 0, time.UTC)
	is := origin.Reason{Code: "execution-died", Subject: "FAILED GiveUp", Message: "AccessDenied"}
	for name, c := range map[string]struct {
		state    origin.State
		teardown *origin.Teardown
		want     int
	}{
		"no teardown":              {origin.Live, nil, 0},
		"under way":                {origin.Detached, &origin.Teardown{Phase: "delete"}, 0},
		"reported less than a day": {origin.Detached, &origin.Teardown{Phase: "delete", Because: is, Ended: true, Reported: now.Add(-23 * time.Hour)}, 0},
		"reported a day ago":       {origin.Detached, &origin.Teardown{Phase: "delete", Because: is, Ended: true, Reported: now.Add(-24 * time.Hour)}, 1},
		"and resumed":              {origin.Detached, &origin.Teardown{Phase: "delete", Because: is, Reported: now.Add(-24 * time.Hour)}, 1},
		"deleted":                  {origin.Deleted, &origin.Teardown{Phase: "verify", Because: is, Reported: now.Add(-24 * time.Hour)}, 0},
	} {
		o := Observed{Snapshot: origin.Snapshot{Now: now, Records: []origin.Record{{Ref: origin.Ref{ID: "vo_1"}, Team: "team-b", State: c.state, Teardown: c.teardown}}}}
		found := o.unresolved()
		if len(found) != c.want {
			t.Errorf("%s: %+v", name, found)
		}
		if c.want == 1 && (found[0].Kind != TeardownUnresolved || found[0].Team != "team-b" || !strings.Contains(found[0].Risk, "phase delete: AccessDenied")) {
			t.Errorf("%s: %+v", name, found[0])
		}
	}
}
