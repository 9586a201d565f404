package audit

import (
	"slices"
	"strings"
	"testing"

	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

const (
	function  = "originhub-networking-not-found"
	invited   = "arn:aws:ram:us-east-1:" + teamA + ":resource-share-invitation/1"
	unrelated = "arn:aws:ram:us-east-1:" + teamA + ":resource-share-invitation/2"
)

// away adds an unmanaged distribution with aliases.
func elsewhere(aliases ...string) func(*Observed) {
	return func(o *Observed) { o.Listed = append(o.Listed, origin.Listed{ID: "EOTHER", Aliases: aliases}) }
}

func aliased(aliases ...string) func(*Observed) {
	return func(o *Observed) { o.Listed[0].Aliases = aliases }
}

func TestAliases(t *testing.T) {
	moved := elsewhere("Team-A.example.com", "www.example.com")
	finds(t, Observed.aliases, []row{
		{"the wildcard", nil, nil, ""},
		{"its own alias", aliased("team-a.example.com"), nil, ""},
		{"other aliases elsewhere", elsewhere("www.example.com", "*.example.net"), nil, ""},
		{"moved, and the wildcard stays", moved, []Kind{AliasElsewhere}, "--id EOTHER"},
		{"moved", all(aliased(), moved), []Kind{AliasElsewhere}, "take the alias off EOTHER in account " + hub},
		{"on no distribution that is listed", aliased("www.example.com", "*.example.net"), []Kind{AliasElsewhere}, "list-domain-conflicts"},
		{"on one that is partly hidden", all(aliased("www.example.com"), hidden), []Kind{AliasElsewhere}, "distribution ******HIDDEN in account ******999999"},
		{"moved, not live", all(moved, func(o *Observed) { o.Records[0].State = origin.Wired }), nil, ""},
		{"moved, to be detached", all(moved, func(o *Observed) { o.Records[0].Intent = origin.Detach }), nil, ""},
		{"moved, and in no distribution", all(moved, out), nil, ""},
	})
	const want = "--query][{IfMatch: ETag, DistributionConfig: merge(DistributionConfig, {Aliases: DistributionConfig.Aliases.{" +
		"Items: Items[?@!=`\"team-a.example.com\"`], Quantity: length(Items[?@!=`\"team-a.example.com\"`])}})}]"
	if got := pasted(t, withoutAlias("EOTHER", "team-a.example.com")); !strings.Contains(got, want) {
		t.Errorf("it calls %s\nwant     %s", got, want)
	}
}

func TestClaimedElsewhere(t *testing.T) {
	quarantined := func(o *Observed) {
		o.Records[0].State = origin.Quarantined
		o.Records[0].Reasons = []origin.Reason{{Code: wiring.UpdateInvalid, Subject: "CNAMEAlreadyExists"}}
	}
	taken := elsewhere("team-a.example.com")
	finds(t, Observed.claimedElsewhere, []row{
		{"live", taken, nil, ""},
		{"quarantined for another reason", all(quarantined, elsewhere("www.example.com")), nil, ""},
		{"quarantined", all(quarantined, taken), []Kind{AliasElsewhere}, "an alias of distribution EOTHER, which is unmanaged"},
		{"quarantined, on one that is partly hidden", all(quarantined, hidden), []Kind{AliasElsewhere}, "vo_a of team team-a is quarantined: team-a.example.com is an alias of distribution ******HIDDEN in account ******999999"},
		{"quarantined, to be detached", all(quarantined, taken, func(o *Observed) { o.Records[0].Intent = origin.Detach }), nil, ""},
	})
}

// hidden is what CloudFront shows of the distribution of another account that has the alias.
func hidden(o *Observed) {
	o.Holders = map[string]origin.AliasHolders{"team-a.example.com": {List: []origin.AliasHolder{
		{Alias: "*.example.com", Distribution: "******SUFFIX", Account: "******000000"}, {Alias: "Team-A.example.com", Distribution: "******HIDDEN", Account: "******999999"},
	}}}
}

// One row for each of the table of Hidden.
func TestHidden(t *testing.T) {
	state := func(s origin.State, reasons ...origin.Reason) func(*Observed) {
		return func(o *Observed) { o.Records[0].State, o.Records[0].Reasons = s, reasons }
	}
	taken := state(origin.Quarantined, origin.Reason{Code: wiring.UpdateInvalid, Subject: "CNAMEAlreadyExists"})
	for name, c := range map[string]struct {
		change func(*Observed)
		asked  bool
	}{
		"live":                             {func(*Observed) {}, false},
		"live, alias on an unmanaged one":  {all(aliased(), elsewhere("team-a.example.com")), false},
		"live, alias on none":              {aliased(), true},
		"live, distributions not observed": {all(aliased(), func(o *Observed) { o.Listed = nil }), false},
		"to be detached, alias on none":    {all(aliased(), func(o *Observed) { o.Records[0].Intent = origin.Detach }), false},
		"pending, alias on none":           {all(aliased(), state(origin.Pending)), false},
		"quarantined for another reason":   {all(aliased(), state(origin.Quarantined, origin.Reason{Code: wiring.UpdateInvalid, Subject: "InvalidArgument"})), false},
		"quarantined":                      {all(aliased(), taken), true},
		"quarantined, on an unmanaged one": {all(aliased(), taken, elsewhere("team-a.example.com")), false},
	} {
		o := orderly()
		c.change(&o)
		ask := o.Hidden()
		if asked := slices.Equal(ask, []wiring.FindAlias{{Distribution: o.Distributions[0].ID, Alias: "team-a.example.com"}}); asked != c.asked || !asked && len(ask) > 0 {
			t.Errorf("%s: asks %v", name, ask)
		}
	}
}

func TestGuardAliases(t *testing.T) {
	for _, name := range []string{inbound.AssociateAlias, inbound.UpdateDomainAssociation} {
		call := inbound.CallHint{Account: hub, Call: name}
		guards(t, []judged{
			{name + " of another account", inbound.CallHint{Account: teamA, Call: name}, aliased(), Forged, "", ""},
			{name + ", moved", call, elsewhere("team-a.example.com"), Found, AliasElsewhere, "EOTHER"},
			{name + ", another host", call, elsewhere("www.example.com"), Harmless, "", ""},
		})
	}
}

func TestGuardFunction(t *testing.T) {
	call := inbound.CallHint{Account: hub, Call: inbound.PublishFunction, Target: function}
	changed := func(o *Observed) { o.Function.Code = "function handler(event) { return event.request; }" }
	missing := func(o *Observed) { o.Function = origin.Function{} }
	guards(t, []judged{
		{"of another account", inbound.CallHint{Account: teamA, Call: inbound.PublishFunction, Target: function}, changed, Forged, "", ""},
		{"another function", inbound.CallHint{Account: hub, Call: inbound.PublishFunction, Target: "other"}, changed, Harmless, "", ""},
		{"adopted distributions", call, all(adopted, changed), Harmless, "", ""},
		{"the hub's code", call, nil, Harmless, "", ""},
		{"not published", call, missing, Harmless, "", ""},
		{"published", call, changed, Found, FunctionChanged, "sqs send-message"},
		{"published, not named", inbound.CallHint{Account: hub, Call: inbound.PublishFunction}, changed, Found, FunctionChanged, ""},
	})
	finds(t, Observed.changedFunction, []row{
		{"the hub's code", nil, nil, ""},
		{"not published", missing, nil, ""},
		{"other code", changed, []Kind{FunctionChanged}, "the hub publishes its own code again"},
	})
}

func TestGuardRejection(t *testing.T) {
	call := inbound.CallHint{Account: hub, Call: inbound.RejectResourceShareInvitation, Target: invited}
	rejected := func(sender string) func(*Observed) {
		return func(o *Observed) {
			o.Invitation = origin.Invitation{ARN: invited, Share: shareA, Name: "origins", Sender: sender}
		}
	}
	guards(t, []judged{
		{"of another account", inbound.CallHint{Account: teamA, Call: inbound.RejectResourceShareInvitation, Target: invited}, rejected(teamA), Forged, "", ""},
		{"not listed as rejected", call, nil, Harmless, "", ""},
		{"of a stranger", call, rejected("999999999999"), Harmless, "", ""},
		{"of a team", call, rejected(teamA), Found, InvitationRejected, "in a new share in account " + teamA},
		{"of a team, without a VPC origin", call, all(rejected(teamA), func(o *Observed) {
			o.Refusals = map[string][]origin.Reason{invited: {{Code: origin.ShareUnrelated}}}
		}), Harmless, "", ""},
	})
}

func TestGuardAcceptance(t *testing.T) {
	const stranger = "999999999999"
	call := inbound.CallHint{Account: hub, Call: inbound.AcceptResourceShareInvitation, Target: invited}
	accepted := func(sender string) func(*Observed) {
		return func(o *Observed) {
			o.Invitation = origin.Invitation{ARN: invited, Share: shareA, Name: "origins", Sender: sender}
		}
	}
	gateway := func(o *Observed) {
		o.Offered = []origin.Resource{{Share: shareA, ARN: "arn", Type: "ec2:TransitGateway"}}
	}
	another := func(o *Observed) { o.Offered[0].Share = "another" }
	guards(t, []judged{
		{"of another account", inbound.CallHint{Account: teamA, Call: inbound.AcceptResourceShareInvitation, Target: invited}, accepted(teamA), Forged, "", ""},
		{"not listed as accepted", call, nil, Harmless, "", ""},
		{"of a stranger", call, accepted(stranger), Found, InvitationAccepted, "wires nothing of the share: if nobody needs it, have account " + stranger},
		{"of a stranger, without a VPC origin", call, all(accepted(stranger), gateway), Harmless, "", ""},
		{"of a team", call, accepted(teamA), Found, InvitationAccepted, "wires what the policy grants to team-a"},
		{"of a team, without a VPC origin", call, all(accepted(teamA), gateway), Harmless, "", ""},
		{"of a team, VPC origins in another share", call, all(accepted(teamA), another), Harmless, "", ""},
	})
	o := orderly()
	accepted(teamA)(&o)
	if j, err := Guard(call, o); err != nil || j.Findings[0].Alarm {
		t.Errorf("an acceptance alarms: %+v, %v", j, err)
	}
}

// beside adds an unmanaged distribution of the hub's account that uses a VPC origin.
func beside(vpcOrigin string) func(*Observed) {
	return func(o *Observed) {
		o.Listed = append(o.Listed, origin.Listed{ID: "EDOOR", Enabled: true, Origins: []origin.ListedOrigin{{ID: "placeholder"}, {ID: "x", VPCOrigin: vpcOrigin}}})
	}
}

// elsewhere adds a distribution of another account that uses the origin of team-a.
func away(o *Observed) {
	o.Owned[0].Users = append(o.Owned[0].Users, origin.User{Distribution: "EAWAY", Account: "888888888888"})
}

func becomes(s origin.State) func(*Observed) { return func(o *Observed) { o.Records[0].State = s } }

func TestGuardDoors(t *testing.T) {
	call := inbound.CallHint{Account: hub, Call: inbound.CreateDistribution}
	copied, edited, unnamed := call, call, call
	copied.Call, unnamed.Call = inbound.CopyDistribution, inbound.UpdateDistribution
	edited.Call, edited.Target = inbound.UpdateDistribution, "EDOOR"
	knownAs := func(facts ...origin.Reason) func(*Observed) {
		return func(o *Observed) {
			o.Findings.Open = []origin.OpenFinding{{Kind: string(SideDoor), Subject: "EDOOR", Facts: append(facts, fact(teamIs, "team-a"))}}
		}
	}
	says := "distribution EDOOR of account " + hub + " is unmanaged and uses VPC origins vo_a of team team-a: viewers reach them past the hub"
	guards(t, []judged{
		{"of a stranger", inbound.CallHint{Account: "999999999999", Call: inbound.CreateDistribution}, away, Forged, "", ""},
		{"of a team, of a managed distribution", inbound.CallHint{Account: teamA, Call: inbound.UpdateDistribution, Target: distribution}, away, Forged, "", ""},
		{"of a team, without an admitted origin", inbound.CallHint{Account: teamA, Call: inbound.CreateDistribution}, nil, Harmless, "", ""},
		{"of a team, created", inbound.CallHint{Account: teamA, Call: inbound.CreateDistribution}, away, Found, SideDoor, "EAWAY of account 888888888888 is unmanaged and uses VPC origins vo_a"},
		{"of a team, edited", inbound.CallHint{Account: teamA, Call: inbound.UpdateDistribution, Target: "EAWAY"}, away, Found, SideDoor, "EAWAY"},
		{"of a team, reported before with more origins", inbound.CallHint{Account: teamA, Call: inbound.UpdateDistribution}, all(away, func(o *Observed) {
			o.Findings.Open = []origin.OpenFinding{{Kind: string(SideDoor), Subject: "EAWAY", Facts: []origin.Reason{fact(teamIs, ""), fact(originIs, "vo_b"), fact(originIs, "vo_a"), fact(doorIs, "open")}}}
		}), Harmless, "", ""},
		{"without an admitted origin", call, beside("vo_other"), Harmless, "", ""},
		{"with an origin that is detached", call, all(beside("vo_a"), becomes(origin.Detached)), Harmless, "", ""},
		{"with an origin that was torn down", call, all(beside("vo_a"), becomes(origin.Deleted)), Harmless, "", ""},
		{"created", call, beside("vo_a"), Found, SideDoor, says},
		{"copied", copied, beside("vo_a"), Found, SideDoor, says},
		{"edited", edited, beside("vo_a"), Found, SideDoor, says},
		{"edited, but not named", unnamed, beside("vo_a"), Found, SideDoor, says},
		{"disabled", call, all(beside("vo_a"), func(o *Observed) { o.Listed[1].Enabled = false }), Found, SideDoor, "it is disabled"},
		{"reported before", call, all(beside("vo_a"), knownAs(fact(originIs, "vo_a"), fact(doorIs, "open"))), Harmless, "", ""},
		{"reported as disabled", call, all(beside("vo_a"), knownAs(fact(originIs, "vo_a"), fact(doorIs, "closed"))), Found, SideDoor, says},
		{"reported with another origin", call, all(beside("vo_a"), knownAs(fact(originIs, "vo_b"), fact(doorIs, "open"))), Found, SideDoor, says},
	})
}

func TestSideDoors(t *testing.T) {
	closed := func(o *Observed) { o.Listed[1].Enabled = false }
	for _, c := range []struct {
		name   string
		change func(*Observed)
		want   string // subject, account and team of the finding
		alarm  bool
	}{
		{"none", nil, "", false},
		{"without an admitted origin", beside("vo_other"), "", false},
		{"of the hub's account", beside("vo_a"), "EDOOR " + hub + " team-a", true},
		{"of the hub's account, disabled", all(beside("vo_a"), closed), "EDOOR " + hub + " team-a", false},
		{"of another account", away, "EAWAY 888888888888 team-a", true},
		{"of the owner", func(o *Observed) { o.Owned[0].Users = []origin.User{{Distribution: "EOWN", Account: teamA}} }, "EOWN " + teamA + " team-a", true},
		{"the registry has lost its distributions", all(beside("vo_a"), func(o *Observed) { o.Managed, o.Distributions = nil, nil }), "", false},
		{"of another account, of a detached origin", all(away, becomes(origin.Detached)), "", false},
		{"of another account, of an origin without a record", all(away, func(o *Observed) { o.Records = nil }), "", false},
	} {
		o := orderly()
		if c.change != nil {
			c.change(&o)
		}
		got, alarm := "", false
		for _, f := range o.sideDoors() {
			got, alarm = got+strings.Join([]string{f.Subject, f.Account, f.Team}, " "), f.Alarm
		}
		if got != c.want || alarm != c.alarm {
			t.Errorf("%s: found %q, alarm %t; want %q, %t", c.name, got, alarm, c.want, c.alarm)
		}
	}
}

// A side door in an account whose origins cannot be read stays open.
func TestSideDoorThatCannotBeSeenStaysOpen(t *testing.T) {
	o := orderly()
	o.Owned, o.Unreadable = nil, []string{teamA}
	for account, want := range map[string]bool{"888888888888": true, hub: false} {
		if got := o.hides(origin.OpenFinding{Kind: string(SideDoor), Subject: "EAWAY", Account: account}); got != want {
			t.Errorf("of account %s: %t, want %t", account, got, want)
		}
	}
	damaged := orderly()
	damaged.Damaged = []origin.Damaged{{Origin: "vo_a"}}
	if !damaged.hides(origin.OpenFinding{Kind: string(SideDoor), Subject: "EDOOR", Account: hub, Facts: []origin.Reason{fact(originIs, "vo_a")}}) {
		t.Error("with a damaged record, it does not stay open")
	}
}

// A side door is reported once, by a call or by the audit, and again when it is another one; the audit says when it is gone.
func TestSideDoorIsReportedOnce(t *testing.T) {
	call := inbound.CallHint{ID: "1", Account: hub, Call: inbound.CreateDistribution}
	o := orderly()
	beside("vo_a")(&o)
	o.Findings.Open = []origin.OpenFinding{{Kind: "other", Account: teamA}}
	first, err := DecideCall(call, o)
	if err != nil || !slices.Equal(said(first.Outcome), []string{"Drift Found side-door!"}) || first.Remember.Open[0].Kind != string(SideDoor) {
		t.Fatalf("said %q, remembers %+v, %v", said(first.Outcome), first.Remember, err)
	}
	o.Findings = *first.Remember
	o.Findings.Open = o.Findings.Open[:1]
	call.ID = "2"
	if again, err := DecideCall(call, o); err != nil || len(again.Events) > 0 {
		t.Errorf("after another call it said %q, %v", said(again.Outcome), err)
	}
	sweep := DecideSweep(o)
	if len(sweep.Events) > 0 || len(sweep.Remember.Open) != 1 {
		t.Errorf("the audit said %q, remembers %+v", said(sweep.Outcome), sweep.Remember.Open)
	}
	o.Listed = o.Listed[:1]
	if got := said(DecideSweep(o).Outcome); !slices.Equal(got, []string{"Leak Resolved side-door"}) {
		t.Errorf("without the distribution the audit said %q", got)
	}
}

func TestGuardBalancer(t *testing.T) {
	call := inbound.CallHint{Account: teamA, Call: inbound.DeleteLoadBalancer, Target: balancer}
	other := func(o *Observed) { o.Owned[0].Endpoint = balancer + "2" }
	guards(t, []judged{
		{"of another account", inbound.CallHint{Account: teamB, Call: inbound.DeleteLoadBalancer, Target: balancer}, nil, Forged, "", ""},
		{"exists", call, func(o *Observed) { o.Balancer = balancer }, Harmless, "", ""},
		{"no origin leads to it", call, other, Harmless, "", ""},
		{"its origin has no record", call, func(o *Observed) { o.Records = nil }, Harmless, "", ""},
		{"its origin is in teardown", call, func(o *Observed) { o.Records[0].Teardown = &origin.Teardown{} }, Harmless, "", ""},
		{"its origin was withdrawn", call, func(o *Observed) { o.Records[0].Intent = origin.Detach }, Harmless, "", ""},
		{"its origin is wired", call, nil, Found, BalancerDeleted, "tag-resource --region us-east-1 --resource " + arnA},
	})
}

func TestGuardUpdateOfAShare(t *testing.T) {
	call := inbound.CallHint{Account: teamA, Call: inbound.UpdateResourceShare, Target: shareA}
	guards(t, []judged{
		{"renamed", call, nil, Harmless, "", ""},
		{"closed to the hub", call, func(o *Observed) { o.Offered = nil }, Found, ShareRevoked, "no longer shared"},
	})
}

// The finding is open at once, because function wire goes by the open findings.
func TestChangedFunctionIsAnOpenFinding(t *testing.T) {
	o := orderly()
	o.Function.Code = "function handler(event) { return event.request; }"
	for _, id := range []string{"1", ""} {
		d, err := DecideCall(inbound.CallHint{Account: hub, ID: id, Call: inbound.PublishFunction, Target: function}, o)
		if err != nil || d.Remember == nil || len(d.Remember.Open) != 1 || d.Remember.Open[0].Kind != origin.FunctionChanged || d.Remember.Open[0].Subject != function {
			t.Fatalf("id %q: remembers %+v, %v", id, d.Remember, err)
		}
		again := o
		again.Findings = *d.Remember
		if d := DecideSweep(again); len(d.Events) > 0 || len(d.Remember.Open) != 1 {
			t.Errorf("id %q: the daily audit says %+v and remembers %+v", id, d.Events, d.Remember.Open)
		}
		again.Function.Code = orderly().Function.Code
		if d := DecideSweep(again); len(d.Events) != 1 || d.Events[0].Type != "Leak Resolved" || len(d.Remember.Open) > 0 {
			t.Errorf("id %q: once it is restored, the daily audit says %+v", id, d.Events)
		}
	}
}
