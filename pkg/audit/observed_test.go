package audit

import (
	"reflect"
	"testing"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/hubpolicy"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
)

func TestOwn(t *testing.T) {
	for _, c := range []struct {
		name, account, role string
		want                bool
	}{
		{"below the hub's role path", hub, "arn:aws:iam::" + hub + ":role/originhub/networking/wire", true},
		{"below another hub's role path", hub, "arn:aws:iam::" + hub + ":role/originhub/another/wire", false},
		{"below that path in another account", teamA, "arn:aws:iam::" + teamA + ":role/originhub/networking/wire", false},
		{"the spoke role of the account", teamA, "arn:aws:iam::" + teamA + ":role/originhub-networking-spoke", true},
		{"the spoke role of another account", teamB, "arn:aws:iam::" + teamA + ":role/originhub-networking-spoke", false},
		{"any other", hub, "arn:aws:iam::" + hub + ":role/Admin", false},
		{"none", hub, "", false},
	} {
		if got := orderly().Own(inbound.CallHint{Account: c.account, Role: c.role}); got != c.want {
			t.Errorf("%s: got %t", c.name, got)
		}
	}
}

func TestWhatIsManaged(t *testing.T) {
	holds := []origin.Record{{Distribution: "EOLD", State: origin.Live}}
	for _, c := range []struct {
		name    string
		item    origin.Distribution
		records []origin.Record
		want    []string
	}{
		{"no id", origin.Distribution{Name: origin.Main}, nil, nil},
		{"named by the policy", origin.Distribution{Name: origin.Main, Identity: origin.Identity{ID: distribution}}, nil, []string{distribution}},
		{"named no more, with an origin", origin.Distribution{Name: "EOLD", Identity: origin.Identity{ID: "EOLD"}}, holds, []string{"EOLD"}},
		{"named no more, and empty", origin.Distribution{Name: "EOLD", Identity: origin.Identity{ID: "EOLD"}}, nil, nil},
	} {
		h := Hub{Policy: hubpolicy.Policy{Policy: admission.Policy{Distribution: admission.Distribution{Adopt: []string{distribution}}}}}
		o := Begin(h, origin.Snapshot{Distributions: []origin.Distribution{c.item}, Records: c.records})
		if !reflect.DeepEqual(o.Managed, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, o.Managed, c.want)
		}
	}
}

func TestAround(t *testing.T) {
	o := orderly()
	two(&o)
	o.Findings.Calls = []string{"again"}
	o.Refusals = map[string][]origin.Reason{unrelated: {{Code: origin.ShareUnrelated}}}
	for _, c := range []struct {
		name string
		call inbound.CallHint
		want Want
	}{
		{"reported before", inbound.CallHint{ID: "again", Call: inbound.UpdateDistribution, Account: hub}, Want{}},
		{"update of a managed one", inbound.CallHint{Call: inbound.UpdateDistribution, Account: hub, Target: "E2"}, Want{Listed: true, Configs: []string{"E2"}}},
		{"update of an unmanaged one", inbound.CallHint{Call: inbound.UpdateDistribution, Account: hub, Target: "EOTHER"}, Want{Listed: true}},
		{"update of one that is not named", inbound.CallHint{Call: inbound.UpdateDistribution, Account: hub}, Want{Listed: true, Configs: []string{distribution, "E2"}}},
		{"deletion of a distribution", inbound.CallHint{Call: inbound.DeleteDistribution}, Want{Listed: true}},
		{"deletion of a share", inbound.CallHint{Call: inbound.DeleteResourceShare, Account: teamA, Target: shareA}, Want{Listed: true, Sharing: true}},
		{"deletion of a share that is not named", inbound.CallHint{Call: inbound.DeleteResourceShare, Account: teamA}, Want{Listed: true, Sharing: true}},
		{"deletion of a share without an admitted origin", inbound.CallHint{Call: inbound.DeleteResourceShare, Account: teamA, Target: shareA + "2"}, Want{}},
		{"deletion of a share by an account without an origin", inbound.CallHint{Call: inbound.DeleteResourceShare, Account: teamB}, Want{}},
		{"deletion of another account's share", inbound.CallHint{Call: inbound.DeleteResourceShare, Account: teamB, Target: shareA}, Want{}},
		{"disassociation", inbound.CallHint{Call: inbound.DisassociateResourceShare, Account: teamA, Target: shareA}, Want{Listed: true, Sharing: true}},
		{"deletion of an origin by a team", inbound.CallHint{Call: inbound.DeleteVpcOrigin, Account: teamA}, Want{Owned: teamA}},
		{"deletion of an origin by a stranger", inbound.CallHint{Call: inbound.DeleteVpcOrigin, Account: "999999999999"}, Want{}},
		{"change of records", inbound.CallHint{Call: inbound.ChangeResourceRecordSets}, Want{Listed: true, DNS: true}},
		{"move of an alias", inbound.CallHint{Call: inbound.AssociateAlias, Account: hub}, Want{Listed: true}},
		{"move of a domain", inbound.CallHint{Call: inbound.UpdateDomainAssociation, Account: hub}, Want{Listed: true}},
		{"publication of the function", inbound.CallHint{Call: inbound.PublishFunction, Account: hub, Target: function}, Want{Function: function}},
		{"publication of a function that is not named", inbound.CallHint{Call: inbound.PublishFunction, Account: hub}, Want{Function: function}},
		{"publication of another function", inbound.CallHint{Call: inbound.PublishFunction, Account: hub, Target: "other"}, Want{}},
		{"publication by a team", inbound.CallHint{Call: inbound.PublishFunction, Account: teamA, Target: function}, Want{}},
		{"rejection", inbound.CallHint{Call: inbound.RejectResourceShareInvitation, Account: hub, Target: invited}, Want{Rejected: invited}},
		{"rejection by a team", inbound.CallHint{Call: inbound.RejectResourceShareInvitation, Account: teamA, Target: invited}, Want{}},
		{"acceptance", inbound.CallHint{Call: inbound.AcceptResourceShareInvitation, Account: hub, Target: invited}, Want{Accepted: invited, Sharing: true}},
		{"acceptance by a team", inbound.CallHint{Call: inbound.AcceptResourceShareInvitation, Account: teamA, Target: invited}, Want{}},
		{"acceptance of an unrelated share", inbound.CallHint{Call: inbound.AcceptResourceShareInvitation, Account: hub, Target: unrelated}, Want{}},
		{"change of a share", inbound.CallHint{Call: inbound.UpdateResourceShare, Account: teamA}, Want{Listed: true, Sharing: true}},
		{"creation by a team", inbound.CallHint{Call: inbound.CreateDistribution, Account: teamA}, Want{Doors: []origin.Ref{{ID: "vo_a", ARN: arnA, Account: teamA}}}},
		{"update by a team", inbound.CallHint{Call: inbound.UpdateDistribution, Account: teamA, Target: "EAWAY"}, Want{Doors: []origin.Ref{{ID: "vo_a", ARN: arnA, Account: teamA}}}},
		{"copy by a team without a spoke", inbound.CallHint{Call: inbound.CopyDistribution, Account: teamB}, Want{}},
		{"creation by a stranger", inbound.CallHint{Call: inbound.CreateDistribution, Account: "999999999999"}, Want{}},
		{"creation", inbound.CallHint{Call: inbound.CreateDistribution, Account: hub}, Want{Listed: true}},
		{"copy", inbound.CallHint{Call: inbound.CopyDistribution, Account: hub, Target: distribution}, Want{Listed: true}},
		{"deletion of a load balancer by a team", inbound.CallHint{Call: inbound.DeleteLoadBalancer, Account: teamA, Target: balancer}, Want{Owned: teamA, Balancer: balancer}},
		{"deletion of another account's load balancer", inbound.CallHint{Call: inbound.DeleteLoadBalancer, Account: teamB, Target: balancer}, Want{}},
		{"deletion of a load balancer by a stranger", inbound.CallHint{Call: inbound.DeleteLoadBalancer, Account: "999999999999", Target: balancer}, Want{}},
		{"rejection of an unrelated share", inbound.CallHint{Call: inbound.RejectResourceShareInvitation, Account: hub, Target: unrelated}, Want{}},
	} {
		if got := Around(c.call, o); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestASweepObservesEverythingThatItMay(t *testing.T) {
	want := Want{Listed: true, Sharing: true, DNS: true, Function: function, Used: []string{teamA}} // team-b granted no role
	if got := Everything(orderly().Hub); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// A distribution whose item cannot be read is not known, so nothing is found about its origins.
func TestRecordsOfADamagedDistributionAreSetAside(t *testing.T) {
	o := orderly()
	two(&o)
	other := origin.Record{Ref: origin.Ref{ID: "vo_b"}, Distribution: "main-2"}
	s := origin.Snapshot{Records: []origin.Record{o.Records[0], other}, Damaged: []origin.Damaged{{Distribution: origin.Main}}}
	got := Begin(o.Hub, s)
	if !reflect.DeepEqual(got.Aside, o.Records) || !reflect.DeepEqual(got.Records, []origin.Record{other}) {
		t.Errorf("set aside %+v, kept %+v", got.Aside, got.Records)
	}
	if !got.setAside("vo_a") || got.setAside("vo_b") {
		t.Error("vo_a is set aside, and vo_b is not")
	}
}
