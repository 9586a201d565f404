package audit

import (
	"slices"
	"testing"

	"github.com/originhub/originhub/pkg/origin"
)

// halfTornDown is a world whose registry forgot an origin that was unshared.
var halfTornDown = all(out, unshared, func(o *Observed) {
	o.Records, o.Owned[0].Users, o.Owned[0].Teardown = nil, nil, true
})

func TestForgotten(t *testing.T) {
	finds(t, Observed.forgotten, []row{
		{"it has a record", all(halfTornDown, func(o *Observed) { o.Records = orderly().Records }), nil, ""},
		{"its record is damaged", all(halfTornDown, func(o *Observed) { o.Damaged = []origin.Damaged{{Origin: "vo_a"}} }), nil, ""},
		{"its distribution's item cannot be read", all(halfTornDown, func(o *Observed) { o.Aside = orderly().Records }), nil, ""},
		{"shared", all(halfTornDown, func(o *Observed) { o.Offered, o.Visible = orderly().Offered, orderly().Visible }), nil, ""},
		{"used by another account's distribution", all(halfTornDown, func(o *Observed) { o.Owned[0].Users = orderly().Owned[0].Users }), nil, ""},
		{"used by the hub's", all(halfTornDown, func(o *Observed) { o.Listed = orderly().Listed }), nil, ""},
		{"not Deployed", all(halfTornDown, func(o *Observed) { o.Owned[0].Deployed = false }), nil, ""},
		{"without the tag", all(halfTornDown, func(o *Observed) { o.Owned[0].Teardown = false }), nil, ""},
		{"with the tag", halfTornDown, []Kind{TeardownForgotten}, "delete-vpc-origin --region us-east-1 --id vo_a"},
	})
}

// An origin is found as half torn down or as unused, never as both.
func TestForgottenOriginIsNotUnused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Observed)
		want   Kind
	}{
		"with the tag":    {halfTornDown, TeardownForgotten},
		"without the tag": {all(halfTornDown, func(o *Observed) { o.Owned[0].Teardown = false }), OriginUnused},
	} {
		o := orderly()
		c.change(&o)
		if found := Audit(o); len(found) != 1 || found[0].Kind != c.want {
			t.Errorf("%s: found %+v, want %s", name, found, c.want)
		}
	}
}

func TestInterfacesLeft(t *testing.T) {
	// team-a's VPC has two subnets and, unless the second argument is empty, one VPC origin in both.
	in := func(enis []origin.ENI, origins ...origin.Endpoint) func(*Observed) {
		return func(o *Observed) {
			o.Interfaces = []Interfaces{{Account: teamA, Region: "eu-west-1", ENIs: enis, Origins: origins}}
		}
	}
	here := origin.Endpoint{Region: "eu-west-1", VPC: "vpc-1", Subnets: []string{"subnet-a", "subnet-b"}}
	two := []origin.ENI{{ID: "eni-1", VPC: "vpc-1", Subnet: "subnet-a"}, {ID: "eni-2", VPC: "vpc-1", Subnet: "subnet-b"}}
	three := append(slices.Clone(two), origin.ENI{ID: "eni-3", VPC: "vpc-1", Subnet: "subnet-a"})
	recorded := func(o *Observed) {
		o.Records[0].Teardown = &origin.Teardown{Region: "eu-west-1", VPC: "vpc-1", ENIs: []string{"eni-1", "eni-2"}}
	}
	finds(t, Observed.interfacesLeft, []row{
		{"the account is unreadable", all(in(two), func(o *Observed) { o.Unreadable = []string{teamA} }), nil, ""},
		{"an origin has no load balancer", in(three, here, origin.Endpoint{}), nil, ""},
		{"as many as an origin needs", in(two, here), nil, ""},
		{"fewer than two origins need", in(three, here, here), nil, ""},
		{"one more than an origin needs", in(three, here), []Kind{InterfacesLeft}, "1 of the interfaces eni-1, eni-3 (VPC origins use the rest); they"},
		{"no origin", in(two), []Kind{InterfacesLeft}, "eni-1; eni-2; they keep the VPC"},
		{"no origin in that VPC", in(append(slices.Clone(two), origin.ENI{ID: "eni-9", VPC: "vpc-9", Subnet: "subnet-z"}), here), []Kind{InterfacesLeft}, "accounts: eni-9; they"},
		{"recorded by a teardown", all(in(two), recorded), nil, ""},
		{"recorded by a teardown that is set aside", all(in(two), recorded, aside), nil, ""},
		{"one more than a teardown recorded", all(in(three), recorded), []Kind{InterfacesLeft}, "accounts: eni-3; they"},
	})
}

func TestRegions(t *testing.T) {
	o := orderly()
	o.Owned = append(o.Owned, Owned{VpcOrigin: origin.VpcOrigin{Endpoint: "arn:aws:ec2:eu-north-1:111111111111:instance/i-1"}})
	o.Visible = append(o.Visible, origin.VpcOrigin{Endpoint: "arn:aws:elasticloadbalancing:ap-south-1:222222222222:loadbalancer/app/b/1"}, origin.VpcOrigin{})
	o.Records[0].Teardown = &origin.Teardown{Region: "eu-west-1", VPC: "vpc-1", Earlier: []origin.Place{{Region: "eu-west-3"}}}
	if got, want := o.Regions(), []string{"ap-south-1", "eu-north-1", "eu-west-1", "eu-west-3", "us-east-1"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := (Observed{}).Regions(); !slices.Equal(got, []string{"us-east-1"}) {
		t.Errorf("without any origin: got %v", got)
	}
}

func TestHides(t *testing.T) {
	for _, c := range []struct {
		name                 string
		kind                 Kind
		unreadable, unlisted []string
		want                 bool
	}{
		{"origin-unused, unreadable", OriginUnused, []string{teamA}, nil, true},
		{"origin-unused, readable", OriginUnused, []string{teamB}, []string{teamA}, false},
		{"spoke-outdated, unreadable", SpokeOutdated, []string{teamA}, nil, true},
		{"teardown-forgotten, unreadable", TeardownForgotten, []string{teamA}, nil, true},
		{"teardown-forgotten, readable", TeardownForgotten, nil, []string{teamA}, false},
		{"interfaces-left, unreadable", InterfacesLeft, []string{teamA}, nil, true},
		{"interfaces-left, not listed", InterfacesLeft, nil, []string{teamA}, true},
		{"interfaces-left, readable", InterfacesLeft, []string{teamB}, []string{teamB}, false},
		{"any other", HostElsewhere, []string{teamA}, []string{teamA}, false},
	} {
		o := Observed{Unreadable: c.unreadable, Unlisted: c.unlisted, Aside: []origin.Record{{Ref: origin.Ref{ID: "vo_a"}}}}
		if !o.hides(origin.OpenFinding{Kind: string(c.kind), Account: teamB, Origin: "vo_a"}) {
			t.Errorf("%s: not hidden of an origin that is set aside", c.name)
		}
		if got := o.hides(origin.OpenFinding{Kind: string(c.kind), Account: teamA}); got != c.want {
			t.Errorf("%s: got %t", c.name, got)
		}
	}
}

// A spoke of an earlier version is reported once, for information, and again as resolved when it was updated.
func TestOutdatedSpokeIsReportedOnce(t *testing.T) {
	o := orderly()
	o.Outdated = []string{teamA}
	d := DecideSweep(o)
	if got := said(d.Outcome); !slices.Equal(got, []string{"Leak Found spoke-outdated"}) {
		t.Fatalf("said %q", got)
	}
	o.Findings = *d.Remember
	if d = DecideSweep(o); len(d.Events) > 0 {
		t.Errorf("said again %q", said(d.Outcome))
	}
	o.Outdated = nil
	if got := said(DecideSweep(o).Outcome); !slices.Equal(got, []string{"Leak Resolved spoke-outdated"}) {
		t.Errorf("after the update, said %q", got)
	}
}
