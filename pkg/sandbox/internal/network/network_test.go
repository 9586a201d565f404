package network_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloudfront"
	"github.com/originhub/originhub/pkg/sandbox/internal/network"
)

const (
	teamA  = "111111111111"
	teamB  = "222222222222"
	region = "eu-west-1"
)

type world struct {
	testing.TB
	*cloud.World
	net *network.Service
}

func newWorld(t testing.TB) *world {
	w := &world{TB: t, World: cloud.New(cloud.Options{Seed: 1})}
	cf := cloudfront.New(w.World)
	w.net = network.New(w.World, cf)
	w.Register(cf.API(), w.net.API(), w.net.Balancing().API())
	return w
}

func call[O any](w *world, account, region, service, operation string, in any) (*O, error) {
	out, err := w.Invoke(cloud.Root(account), region, service, operation, in)
	if err != nil {
		return nil, err
	}
	return out.(*O), nil
}

func balancer(account, name string) string {
	return "arn:aws:elasticloadbalancing:" + region + ":" + account + ":loadbalancer/app/" + name + "/0123456789abcdef"
}

func (w *world) origin(account, name, arn string) (id string) {
	w.Helper()
	out, err := call[cloudfront.VpcOriginOutput](w, account, region, "cloudfront", "CreateVpcOrigin", &cloudfront.CreateVpcOriginInput{
		VpcOriginEndpointConfig: &cloudfront.EndpointConfig{Name: name, Arn: arn, HTTPPort: 80, HTTPSPort: 443, OriginProtocolPolicy: "https-only"},
	})
	if err != nil {
		w.Fatal(err)
	}
	w.Clock.Advance(cloudfront.VpcOriginDeployment)
	return out.VpcOrigin.ID
}

func (w *world) delete(account, id string) {
	w.Helper()
	got, err := call[cloudfront.VpcOriginOutput](w, account, region, "cloudfront", "GetVpcOrigin", &cloudfront.VpcOriginID{ID: id})
	if err != nil {
		w.Fatal(err)
	}
	_, err = call[cloudfront.VpcOriginOutput](w, account, region, "cloudfront", "DeleteVpcOrigin", &cloudfront.DeleteVpcOriginInput{ID: id, IfMatch: got.ETag})
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) interfaces(account, region string, filters ...network.Filter) []network.NetworkInterface {
	w.Helper()
	out, err := call[network.DescribeNetworkInterfacesOutput](w, account, region, "ec2", "DescribeNetworkInterfaces",
		&network.DescribeNetworkInterfacesInput{Filters: filters})
	if err != nil {
		w.Fatal(err)
	}
	return out.NetworkInterfaces
}

func (w *world) groups(account string, filters ...network.Filter) []network.SecurityGroup {
	w.Helper()
	out, err := call[network.DescribeSecurityGroupsOutput](w, account, region, "ec2", "DescribeSecurityGroups",
		&network.DescribeSecurityGroupsInput{Filters: filters})
	if err != nil {
		w.Fatal(err)
	}
	return out.SecurityGroups
}

func by(name string, values ...string) network.Filter {
	return network.Filter{Name: name, Values: values}
}

func tagged() network.Filter { return by("tag:aws.cloudfront.vpcorigin", "enabled") }

func serviceGroup() network.Filter { return by("group-name", "CloudFront-VPCOrigins-Service-SG") }

func TestAssumption_NET_01_DerivedBalancers(t *testing.T) {
	w := newWorld(t)
	describe := func(account, region string, arns ...string) (*network.DescribeLoadBalancersOutput, error) {
		return call[network.DescribeLoadBalancersOutput](w, account, region, "elasticloadbalancing", "DescribeLoadBalancers",
			&network.DescribeLoadBalancersInput{LoadBalancerArns: arns})
	}
	out, err := describe(teamA, region, balancer(teamA, "one"), balancer(teamA, "two"))
	if err != nil {
		t.Fatal(err)
	}
	one, two := out.LoadBalancers[0], out.LoadBalancers[1]
	if one.VpcID != two.VpcID || !slices.Equal(one.AvailabilityZones, two.AvailabilityZones) || len(one.AvailabilityZones) != 2 {
		t.Errorf("two load balancers of one account and Region: %+v %+v", one, two)
	}
	if one.DNSName == two.DNSName || one.Type != "application" || one.State.Code != "active" || one.LoadBalancerName != "one" {
		t.Errorf("got %+v", one)
	}
	again, err := call[network.DescribeLoadBalancersOutput](newWorld(t), teamA, region, "elasticloadbalancing", "DescribeLoadBalancers",
		&network.DescribeLoadBalancersInput{LoadBalancerArns: []string{balancer(teamA, "one")}})
	if err != nil || again.LoadBalancers[0].DNSName != one.DNSName || again.LoadBalancers[0].VpcID != one.VpcID {
		t.Errorf("another world derives %+v, %v", again, err)
	}
	for name, get := range map[string]func() error{
		"another account": func() error { _, err := describe(teamB, region, balancer(teamA, "one")); return err },
		"another Region":  func() error { _, err := describe(teamA, "us-east-1", balancer(teamA, "one")); return err },
	} {
		if err := get(); err == nil || cloud.AsError(err).Code != "LoadBalancerNotFound" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAssumption_NET_02_InterfacesOfAnOrigin(t *testing.T) {
	w := newWorld(t)
	w.origin(teamA, "a", balancer(teamA, "a"))
	found := w.interfaces(teamA, region, tagged())
	if len(found) != 2 || found[0].SubnetID == found[1].SubnetID || found[0].VpcID != found[1].VpcID {
		t.Fatalf("got %+v", found)
	}
	for _, n := range found {
		if n.InterfaceType != "cloudfront_managed" || !n.RequesterManaged || n.OwnerID != teamA || !n.Operator.Managed {
			t.Errorf("got %+v", n)
		}
	}
	if all := w.interfaces(teamA, region); len(all) != 4 {
		t.Errorf("%d interfaces, want two of CloudFront and two of the load balancer", len(all))
	}
	for _, elsewhere := range [][2]string{{teamB, region}, {teamA, "us-east-1"}} {
		if n := w.interfaces(elsewhere[0], elsewhere[1]); len(n) > 0 {
			t.Errorf("%v sees %+v", elsewhere, n)
		}
	}
}

func TestInstanceAsEndpoint(t *testing.T) {
	w := newWorld(t)
	w.origin(teamA, "i", "arn:aws:ec2:"+region+":"+teamA+":instance/i-0123456789abcdef0")
	if found := w.interfaces(teamA, region, tagged()); len(found) != 1 {
		t.Errorf("got %+v", found)
	}
	out, err := call[network.DescribeInstancesOutput](w, teamA, region, "ec2", "DescribeInstances",
		&network.DescribeInstancesInput{InstanceIDs: []string{"i-0123456789abcdef0"}})
	if err != nil || out.Reservations[0].Instances[0].VpcID == "" {
		t.Errorf("got %+v, %v", out, err)
	}
}

func TestAssumption_NET_03_InterfacesDoNotNameTheirOrigin(t *testing.T) {
	w := newWorld(t)
	ids := []string{w.origin(teamA, "one", balancer(teamA, "one")), w.origin(teamA, "two", balancer(teamA, "two"))}
	found := w.interfaces(teamA, region, tagged())
	if len(found) != 4 {
		t.Fatalf("%d interfaces", len(found))
	}
	for _, n := range found {
		if s := fmt.Sprintf("%+v", n); strings.Contains(s, ids[0]) || strings.Contains(s, ids[1]) || n.Description != found[0].Description {
			t.Errorf("this interface tells its origin: %s", s)
		}
	}
}

func TestAssumption_NET_04_ServiceGroup(t *testing.T) {
	w := newWorld(t)
	if g := w.groups(teamA, serviceGroup()); len(g) != 0 {
		t.Fatalf("before the first origin: %+v", g)
	}
	one := w.origin(teamA, "one", balancer(teamA, "one"))
	two := w.origin(teamA, "two", balancer(teamA, "two"))
	g := w.groups(teamA, serviceGroup())
	if len(g) != 1 || len(g[0].Tags) != 1 || g[0].VpcID == "" {
		t.Fatalf("with two origins: %+v", g)
	}
	if n := w.interfaces(teamA, region, by("group-id", g[0].GroupID), by("vpc-id", g[0].VpcID)); len(n) != 4 {
		t.Errorf("%d interfaces in the group", len(n))
	}
	w.delete(teamA, one)
	w.Clock.UntilIdle(time.Hour)
	if left := w.groups(teamA, serviceGroup()); len(left) != 1 || left[0].GroupID != g[0].GroupID {
		t.Errorf("with one origin left: %+v", left)
	}
	w.delete(teamA, two)
	w.Clock.UntilIdle(time.Hour)
	if left := w.groups(teamA, serviceGroup()); len(left) != 0 {
		t.Errorf("after the last origin: %+v", left)
	}
}

func TestAssumption_NET_05_Release(t *testing.T) {
	w := newWorld(t)
	id := w.origin(teamA, "a", balancer(teamA, "a"))
	w.delete(teamA, id)
	w.Clock.Advance(cloudfront.VpcOriginDeletion + network.ReleaseDelay - time.Second)
	_, err := call[cloudfront.VpcOriginOutput](w, teamA, region, "cloudfront", "GetVpcOrigin", &cloudfront.VpcOriginID{ID: id})
	if err == nil {
		t.Fatal("the origin is still there")
	}
	if n := w.interfaces(teamA, region, tagged()); len(n) != 2 {
		t.Errorf("%d interfaces just before their release", len(n))
	}
	if !w.Clock.Busy() {
		t.Error("the world is idle while interfaces wait for their release")
	}
	w.Clock.Advance(time.Second)
	if n := w.interfaces(teamA, region, tagged()); len(n) != 0 {
		t.Errorf("left: %+v", n)
	}
}

func TestMoveToAnotherBalancer(t *testing.T) {
	w := newWorld(t)
	id := w.origin(teamA, "a", balancer(teamA, "a"))
	got, err := call[cloudfront.VpcOriginOutput](w, teamA, region, "cloudfront", "GetVpcOrigin", &cloudfront.VpcOriginID{ID: id})
	if err != nil {
		t.Fatal(err)
	}
	moved := got.VpcOrigin.VpcOriginEndpointConfig
	moved.Arn = balancer(teamA, "b")
	if _, err := call[cloudfront.VpcOriginOutput](w, teamA, region, "cloudfront", "UpdateVpcOrigin",
		&cloudfront.UpdateVpcOriginInput{ID: id, IfMatch: got.ETag, VpcOriginEndpointConfig: &moved}); err != nil {
		t.Fatal(err)
	}
	if n := w.interfaces(teamA, region, tagged()); len(n) != 4 {
		t.Errorf("%d interfaces while moving, want old and new ones", len(n))
	}
	w.Clock.UntilIdle(time.Hour)
	if n := w.interfaces(teamA, region, tagged()); len(n) != 2 {
		t.Errorf("%d interfaces after the move", len(n))
	}
}

func TestAssumption_NET_06_Records(t *testing.T) {
	w := newWorld(t)
	var names []string
	w.Emit = func(e cloud.Event) {
		detail := e.Detail.(map[string]any)
		if detail["eventSource"] == "ec2.amazonaws.com" {
			names = append(names, fmt.Sprint(detail["eventName"], " ", e.Account, " ", e.Region))
		}
	}
	w.delete(teamA, w.origin(teamA, "a", balancer(teamA, "a")))
	w.Clock.UntilIdle(time.Hour)
	at := " " + teamA + " " + region
	want := []string{"DeleteNetworkInterface" + at, "DeleteNetworkInterface" + at, "DeleteSecurityGroup" + at}
	if !slices.Equal(names, want) {
		t.Errorf("records %q, want %q", names, want)
	}
}

func TestAssumption_NET_07_ManagedAreVisible(t *testing.T) {
	w := newWorld(t)
	w.origin(teamA, "a", balancer(teamA, "a"))
	for _, include := range []bool{false, true} {
		out, err := call[network.DescribeNetworkInterfacesOutput](w, teamA, region, "ec2", "DescribeNetworkInterfaces",
			&network.DescribeNetworkInterfacesInput{IncludeManagedResources: include})
		if err != nil || len(out.NetworkInterfaces) != 4 {
			t.Errorf("include %t: %d, %v", include, len(out.NetworkInterfaces), err)
		}
	}
}

func TestInterfacesThatNeverGo(t *testing.T) {
	w := newWorld(t)
	lost, other := w.origin(teamA, "lost", balancer(teamA, "lost")), w.origin(teamA, "other", balancer(teamA, "other"))
	foreign := w.net.AddUnmanagedENI(network.UnmanagedENI{Account: teamA, Region: region, Description: "EFS mount target"})
	w.net.HoldENIs(lost)
	w.delete(teamA, lost)
	w.delete(teamA, other)
	w.Clock.UntilIdle(time.Hour)
	w.Clock.Advance(24 * time.Hour)
	if n := w.interfaces(teamA, region, tagged()); len(n) != 2 {
		t.Errorf("%d interfaces left, want the two of the lost origin", len(n))
	}
	if g := w.groups(teamA, serviceGroup()); len(g) != 1 {
		t.Errorf("the service group went before its interfaces")
	}
	n := w.interfaces(teamA, region, by("network-interface-id", foreign))
	if len(n) != 1 || n[0].VpcID != w.interfaces(teamA, region, tagged())[0].VpcID {
		t.Errorf("the other service's interface: %+v", n)
	}
}

func TestFilters(t *testing.T) {
	w := newWorld(t)
	w.origin(teamA, "a", balancer(teamA, "a"))
	all := w.interfaces(teamA, region)
	one := w.interfaces(teamA, region, tagged())[0]
	for name, test := range map[string]struct {
		filters []network.Filter
		want    int
	}{
		"vpc":              {[]network.Filter{by("vpc-id", one.VpcID)}, 4},
		"another vpc":      {[]network.Filter{by("vpc-id", "vpc-0")}, 0},
		"subnet":           {[]network.Filter{by("subnet-id", one.SubnetID)}, 2},
		"group":            {[]network.Filter{by("group-id", one.Groups[0].GroupID)}, 2},
		"group name":       {[]network.Filter{serviceGroup()}, 2},
		"tag key":          {[]network.Filter{by("tag-key", "aws.cloudfront.vpcorigin")}, 2},
		"absent tag":       {[]network.Filter{by("tag:none", "*")}, 0},
		"wildcard":         {[]network.Filter{by("description", "ELB app/*")}, 2},
		"question mark":    {[]network.Filter{by("status", "in?use")}, 4},
		"type":             {[]network.Filter{by("interface-type", "cloudfront_managed")}, 2},
		"alternatives":     {[]network.Filter{by("interface-type", "cloudfront_managed", "interface")}, 4},
		"all must hold":    {[]network.Filter{tagged(), by("interface-type", "interface")}, 0},
		"one interface":    {[]network.Filter{by("network-interface-id", one.NetworkInterfaceID)}, 1},
		"no value":         {[]network.Filter{by("status")}, 0},
		"bracket, literal": {[]network.Filter{by("status", "[i]n-use")}, 0},
	} {
		if got := w.interfaces(teamA, region, test.filters...); len(got) != test.want {
			t.Errorf("%s: %d of %d, want %d", name, len(got), len(all), test.want)
		}
	}
}

func TestRefusals(t *testing.T) {
	w := newWorld(t)
	for name, test := range map[string]struct {
		in   network.DescribeNetworkInterfacesInput
		code string
		says string
	}{
		"unknown filter":     {network.DescribeNetworkInterfacesInput{Filters: []network.Filter{by("colour", "blue")}}, "InvalidParameterValue", "colour"},
		"unknown id":         {network.DescribeNetworkInterfacesInput{NetworkInterfaceIDs: []string{"eni-0"}}, "InvalidNetworkInterfaceID.NotFound", "eni-0"},
		"page too small":     {network.DescribeNetworkInterfacesInput{MaxResults: 4}, "InvalidParameterValue", "maxResults"},
		"token of elsewhere": {network.DescribeNetworkInterfacesInput{NextToken: "%"}, "InvalidPaginationToken", "token"},
	} {
		_, err := call[network.DescribeNetworkInterfacesOutput](w, teamA, region, "ec2", "DescribeNetworkInterfaces", &test.in)
		if err == nil || cloud.AsError(err).Code != test.code || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Pages, one after another, hold every interface once, whatever their size.
func TestPages(t *testing.T) {
	w := newWorld(t)
	for i := range 7 {
		name := fmt.Sprint(i)
		w.origin(teamA, name, balancer(teamA, name))
	}
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(5, 40).Draw(t, "limit")
		seen := map[string]bool{}
		in := &network.DescribeNetworkInterfacesInput{MaxResults: limit}
		for {
			out, err := call[network.DescribeNetworkInterfacesOutput](w, teamA, region, "ec2", "DescribeNetworkInterfaces", in)
			if err != nil || len(out.NetworkInterfaces) > limit {
				t.Fatalf("%d interfaces, %v", len(out.NetworkInterfaces), err)
			}
			for _, n := range out.NetworkInterfaces {
				if seen[n.NetworkInterfaceID] {
					t.Fatalf("%s twice", n.NetworkInterfaceID)
				}
				seen[n.NetworkInterfaceID] = true
			}
			if in.NextToken = out.NextToken; in.NextToken == "" {
				break
			}
		}
		if len(seen) != 28 {
			t.Fatalf("%d interfaces on all pages", len(seen))
		}
	})
}

func TestAddressesAreUnique(t *testing.T) {
	w := newWorld(t)
	for i := range 10 {
		w.origin(teamA, fmt.Sprint(i), balancer(teamA, "shared"))
	}
	seen := map[string]bool{}
	for _, n := range w.interfaces(teamA, region) {
		if seen[n.PrivateIPAddress] {
			t.Errorf("address %s twice", n.PrivateIPAddress)
		}
		seen[n.PrivateIPAddress] = true
	}
	if len(seen) != 22 {
		t.Errorf("%d addresses", len(seen))
	}
}
