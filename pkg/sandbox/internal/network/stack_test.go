package network_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cfn"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloudfront"
	"github.com/originhub/originhub/pkg/sandbox/internal/network"
)

// resources of a template by logical id. A change sets Properties by path: "Listener.Port".
type resources map[string]map[string]any

// private is the network of a team: two subnets, an endpoint, and a load balancer that forwards to it.
func private() resources {
	ref := func(id string) map[string]any { return map[string]any{"Ref": id} }
	list := func(items ...any) []any { return items }
	type m = map[string]any
	r := func(kind string, properties m) m { return m{"Type": kind, "Properties": properties} }
	return resources{
		"Vpc":        r("AWS::EC2::VPC", m{"CidrBlock": "10.20.0.0/20", "EnableDnsHostnames": true, "EnableDnsSupport": "true"}),
		"SubnetA":    r("AWS::EC2::Subnet", m{"VpcId": ref("Vpc"), "CidrBlock": "10.20.0.0/24", "AvailabilityZoneId": "euw1-az1"}),
		"SubnetB":    r("AWS::EC2::Subnet", m{"VpcId": ref("Vpc"), "CidrBlock": "10.20.1.0/24", "AvailabilityZone": region + "b"}),
		"Table":      r("AWS::EC2::RouteTable", m{"VpcId": ref("Vpc")}),
		"TableA":     r("AWS::EC2::SubnetRouteTableAssociation", m{"SubnetId": ref("SubnetA"), "RouteTableId": ref("Table")}),
		"Gateway":    r("AWS::EC2::InternetGateway", m{}),
		"Attachment": r("AWS::EC2::VPCGatewayAttachment", m{"VpcId": ref("Vpc"), "InternetGatewayId": ref("Gateway")}),
		"BalancerGroup": r("AWS::EC2::SecurityGroup", m{
			"GroupDescription": "load balancer", "VpcId": ref("Vpc"),
			"SecurityGroupIngress": list(m{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "SourcePrefixListId": network.OriginFacing(region)}),
			"SecurityGroupEgress":  list(m{"IpProtocol": "icmp", "FromPort": 252, "ToPort": 86, "CidrIp": "255.255.255.255/32"}),
		}),
		"EndpointGroup": r("AWS::EC2::SecurityGroup", m{"GroupDescription": "endpoint", "VpcId": ref("Vpc")}),
		"Out": r("AWS::EC2::SecurityGroupEgress", m{
			"GroupId": ref("BalancerGroup"), "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "DestinationSecurityGroupId": ref("EndpointGroup"),
		}),
		"In": r("AWS::EC2::SecurityGroupIngress", m{
			"GroupId": ref("EndpointGroup"), "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "SourceSecurityGroupId": ref("BalancerGroup"),
		}),
		"Endpoint": r("AWS::EC2::VPCEndpoint", m{
			"VpcId": ref("Vpc"), "VpcEndpointType": "Interface", "ServiceName": "com.amazonaws." + region + ".execute-api", "PrivateDnsEnabled": true,
			"SubnetIds": list(ref("SubnetA"), ref("SubnetB")), "SecurityGroupIds": list(ref("EndpointGroup")),
		}),
		"Balancer": r("AWS::ElasticLoadBalancingV2::LoadBalancer", m{
			"Name": "team", "Scheme": "internal", "Type": "application", "Subnets": list(ref("SubnetA"), ref("SubnetB")), "SecurityGroups": list(ref("BalancerGroup")),
			"LoadBalancerAttributes": list(m{"Key": "routing.http.drop_invalid_header_fields.enabled", "Value": "true"}),
		}),
		"Targets": r("AWS::ElasticLoadBalancingV2::TargetGroup", m{
			"TargetType": "ip", "Port": 443, "Protocol": "HTTPS", "VpcId": ref("Vpc"), "HealthCheckProtocol": "HTTPS", "Matcher": m{"HttpCode": "200,400-403"},
		}),
		"Listener": r("AWS::ElasticLoadBalancingV2::Listener", m{
			"LoadBalancerArn": ref("Balancer"), "Port": 443, "Protocol": "HTTPS", "SslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
			"Certificates":   list(m{"CertificateArn": certificate}),
			"DefaultActions": list(m{"Type": "fixed-response", "FixedResponseConfig": m{"StatusCode": "403", "ContentType": "text/plain", "MessageBody": "403 Forbidden"}}),
		}),
		"Rule": r("AWS::ElasticLoadBalancingV2::ListenerRule", m{
			"ListenerArn": ref("Listener"), "Priority": 1, "Actions": list(m{"Type": "forward", "TargetGroupArn": ref("Targets")}),
			"Conditions": list(m{"Field": "host-header", "HostHeaderConfig": m{"Values": list("Team-A.example.com")}}),
		}),
		"Origin": m{
			"Type": "AWS::CloudFront::VpcOrigin", "DependsOn": list("Attachment", "Rule"), "Properties": m{
				"VpcOriginEndpointConfig": m{
					"Name": "team", "Arn": ref("Balancer"), "OriginProtocolPolicy": "https-only", "OriginSSLProtocols": list("TLSv1.2"),
				},
			},
		},
	}
}

// set changes one property, or removes the resource when no property is named. "Target.-1" style paths are not needed.
func (r resources) set(path string, value any) resources {
	id, name, _ := strings.Cut(path, ".")
	if name == "" {
		delete(r, id)
		return r
	}
	r[id]["Properties"].(map[string]any)[name] = value
	return r
}

const certificate = "arn:aws:acm:eu-west-1:111111111111:certificate/1"

// lab is a world that deploys templates.
type lab struct {
	*world
	stacks *cfn.Service
	cf     *cloudfront.Service
	names  []string // that the one certificate covers
	status int      // that the endpoint answers to health checks
}

func newLab(t *testing.T) *lab {
	w := &world{TB: t, World: cloud.New(cloud.Options{Seed: 1})}
	l := &lab{world: w, cf: cloudfront.New(w.World), names: []string{"*.example.com"}, status: 403}
	w.net = network.New(w.World, l.cf)
	w.net.Balancing().Certificate = func(arn, _, _ string) ([]string, bool) { return l.names, arn == certificate }
	w.net.Balancing().Probe = func(network.EndpointView, string, string) int { return l.status }
	w.Register(l.cf.API(), w.net.API(), w.net.Balancing().API())
	types := slices.Concat(l.cf.ResourceTypes(), w.net.ResourceTypes(), w.net.Balancing().ResourceTypes())
	l.stacks = cfn.New(w.World, types, nil)
	return l
}

func (l *lab) deploy(r resources) (map[string]string, error) {
	outputs := map[string]any{}
	for id := range r {
		outputs[id] = map[string]any{"Value": map[string]any{"Ref": id}}
	}
	b, err := json.Marshal(map[string]any{"Resources": r, "Outputs": outputs})
	if err != nil {
		l.Fatal(err)
	}
	return l.stacks.Deploy(teamA, region, "team", b, nil)
}

func (l *lab) must(r resources) map[string]string {
	l.Helper()
	ids, err := l.deploy(r)
	if err != nil {
		l.Fatal(err)
	}
	l.Clock.UntilIdle(time.Hour)
	return ids
}

// route asks the load balancer as the VPC origin does.
func (l *lab) route(host string) network.Hop {
	l.Helper()
	var hop network.Hop
	made := false
	l.Do(func() {
		for _, o := range l.cf.VpcOrigins() {
			hop, made = l.net.Balancing().Route(o, network.Request{Host: host, Path: "/"})
		}
	})
	if !made {
		l.Fatal("no template made the load balancer")
	}
	return hop
}

func (l *lab) targets(operation, group string, addresses ...string) error {
	in := &network.TargetsInput{TargetGroupArn: group}
	for _, a := range addresses {
		in.Targets = append(in.Targets, network.TargetDescription{ID: a})
	}
	_, err := l.Invoke(cloud.Root(teamA), region, "elasticloadbalancing", operation, in)
	return err
}

func (l *lab) health(group string) (states []string) {
	l.Helper()
	out, err := call[network.DescribeTargetHealthOutput](l.world, teamA, region, "elasticloadbalancing", "DescribeTargetHealth",
		&network.DescribeTargetHealthInput{TargetGroupArn: group})
	if err != nil {
		l.Fatal(err)
	}
	for _, d := range out.TargetHealthDescriptions {
		states = append(states, d.TargetHealth.State)
	}
	return states
}

func (l *lab) addresses(endpoint string) (list []string) {
	for _, n := range l.interfaces(teamA, region, by("description", "VPC Endpoint Interface "+endpoint)) {
		list = append(list, n.PrivateIPAddress)
	}
	slices.Sort(list)
	return list
}

func TestPrivateNetworkOfATeam(t *testing.T) {
	l := newLab(t)
	ids := l.must(private())
	if hop := l.route("team-a.example.com"); hop.Answer == nil || hop.Answer.Status != 503 {
		t.Errorf("without targets: %+v", hop)
	}
	addresses := l.addresses(ids["Endpoint"])
	if len(addresses) != 2 {
		t.Fatalf("addresses %v", addresses)
	}
	if err := l.targets("RegisterTargets", ids["Targets"], addresses...); err != nil {
		t.Fatal(err)
	}
	l.Clock.UntilIdle(time.Hour)
	if h := l.health(ids["Targets"]); !slices.Equal(h, []string{"healthy", "healthy"}) {
		t.Errorf("health %v", h)
	}
	if hop := l.route("TEAM-A.example.com"); hop.Endpoint == nil || hop.Endpoint.ID != ids["Endpoint"] {
		t.Errorf("the rule's host: %+v", hop)
	}
	if hop := l.route("team-b.example.com"); hop.Answer == nil || hop.Answer.Status != 403 || hop.Answer.Body != "403 Forbidden" || !strings.Contains(hop.Answer.Reason, "default action") {
		t.Errorf("another host: %+v", hop.Answer)
	}
	if n := l.interfaces(teamA, region, tagged()); len(n) != 2 || n[0].SubnetID == n[1].SubnetID || n[0].VpcID != ids["Vpc"] {
		t.Errorf("interfaces of the VPC origin: %+v", n)
	}
	if n := l.interfaces(teamA, region); len(n) != 6 {
		t.Errorf("%d interfaces, want two each of endpoint, load balancer and VPC origin", len(n))
	}

	// Everything goes again, in the order that CloudFormation deletes in, once the VPC origin is gone.
	l.delete(teamA, ids["Origin"])
	l.Clock.UntilIdle(time.Hour)
	if _, err := l.stacks.Delete(teamA, region, "team"); err != nil {
		t.Fatal(err)
	}
	var left []string
	l.Do(func() {
		for name, of := range map[string]map[string]any{"ec2": l.net.Snapshot(teamA), "elasticloadbalancing": l.net.Balancing().Snapshot(teamA)} {
			for kind, list := range of {
				if len(list.([]any)) > 0 {
					left = append(left, fmt.Sprint(name, " ", kind, " ", list))
				}
			}
		}
	})
	if len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestWhatTemplatesAreRefused(t *testing.T) {
	type m = map[string]any
	group := func(properties m) resources {
		r := private()
		maps.Copy(r["BalancerGroup"]["Properties"].(m), properties)
		return r
	}
	rule := func(properties m) resources {
		return group(m{"SecurityGroupIngress": []any{properties}})
	}
	with := func(id, kind string, properties m) resources {
		r := private()
		r[id] = m{"Type": kind, "Properties": properties}
		return r
	}
	ref := func(id string) m { return m{"Ref": id} }
	for name, test := range map[string]struct {
		template resources
		says     string
	}{
		"overlapping subnets":      {private().set("SubnetB.CidrBlock", "10.20.0.128/25"), "InvalidSubnet.Conflict"},
		"subnet out of the VPC":    {private().set("SubnetB.CidrBlock", "10.21.0.0/24"), "InvalidSubnet.Range"},
		"subnet too small":         {private().set("SubnetB.CidrBlock", "10.20.1.0/29"), "InvalidSubnet.Range"},
		"block with host bits":     {private().set("SubnetB.CidrBlock", "10.20.1.1/24"), "InvalidParameterValue"},
		"VPC too large":            {private().set("Vpc.CidrBlock", "10.0.0.0/8"), "InvalidVpc.Range"},
		"unknown zone":             {private().set("SubnetB.AvailabilityZone", region+"z"), "euw1-az1"},
		"unknown property":         {private().set("SubnetB.Colour", "red"), `unknown field "Colour"`},
		"both subnets in one zone": {private().set("SubnetB.AvailabilityZone", region+"a"), "DuplicateSubnetsInSameZone"},
		"no private DNS":           {private().set("Vpc.EnableDnsHostnames", false), "enableDnsHostnames"},
		"second private DNS": {with("Other", "AWS::EC2::VPCEndpoint", m{
			"VpcId": ref("Vpc"), "VpcEndpointType": "Interface", "ServiceName": "com.amazonaws." + region + ".execute-api", "PrivateDnsEnabled": true,
			"SubnetIds": []any{ref("SubnetA")},
		}), "conflicting DNS domain"},
		"another Region's service":   {private().set("Endpoint.ServiceName", "com.amazonaws.us-east-1.execute-api"), "InvalidServiceName"},
		"gateway endpoint":           {private().set("Endpoint.VpcEndpointType", "Gateway"), "Interface"},
		"reserved group name":        {group(m{"GroupName": "CloudFront-VPCOrigins-Service-SG-mine"}), "reserved"},
		"prefix list of elsewhere":   {rule(m{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "SourcePrefixListId": "pl-3b927c52"}), "pl-4fa04526"},
		"rule without peer":          {rule(m{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}), "Exactly one"},
		"rule with two peers":        {rule(m{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0", "SourcePrefixListId": network.OriginFacing(region)}), "Exactly one"},
		"rule without ports":         {rule(m{"IpProtocol": "tcp", "CidrIp": "0.0.0.0/0"}), "both from and to ports"},
		"rule with ports reversed":   {rule(m{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 80, "CidrIp": "0.0.0.0/0"}), "port range"},
		"rule for all of nothing":    {rule(m{"IpProtocol": "gre", "CidrIp": "0.0.0.0/0"}), "gre"},
		"the same rule twice":        {group(m{"SecurityGroupIngress": []any{m{"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}, m{"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}}}), "Duplicate"},
		"unknown group":              {private().set("In.SourceSecurityGroupId", "sg-0"), "InvalidGroup.NotFound"},
		"one subnet":                 {private().set("Balancer.Subnets", []any{ref("SubnetA")}), "At least two subnets"},
		"load balancer without name": {private().set("Balancer.Name", "-team"), "hyphen"},
		"network load balancer":      {private().set("Balancer.Type", "network"), "application only"},
		"unknown attribute":          {private().set("Balancer.LoadBalancerAttributes", []any{m{"Key": "colour", "Value": "red"}}), "colour"},
		"subnet too small for ELB":   {private().set("SubnetB.CidrBlock", "10.20.1.0/28"), "8 free IP addresses"},
		"unknown security policy":    {private().set("Listener.SslPolicy", "ELBSecurityPolicy-Best"), "SSLPolicyNotFound"},
		"unknown certificate":        {private().set("Listener.Certificates", []any{m{"CertificateArn": certificate + "2"}}), "CertificateNotFound"},
		"no certificate":             {private().set("Listener.Certificates", []any{}), "exactly one certificate"},
		"certificate for HTTP":       {private().set("Listener.Protocol", "HTTP"), "HTTP listeners"},
		"fixed response of 301":      {private().set("Listener.DefaultActions", []any{m{"Type": "fixed-response", "FixedResponseConfig": m{"StatusCode": "301"}}}), "2XX"},
		"redirect":                   {private().set("Listener.DefaultActions", []any{m{"Type": "redirect"}}), "redirect"},
		"priority 0":                 {private().set("Rule.Priority", 0), "priority"},
		"rule without condition":     {private().set("Rule.Conditions", []any{}), "condition"},
		"condition on a header":      {private().set("Rule.Conditions", []any{m{"Field": "http-header", "Values": []any{"x"}}}), "http-header"},
		"two rules of one priority": {with("Again", "AWS::ElasticLoadBalancingV2::ListenerRule", m{
			"ListenerArn": ref("Listener"), "Priority": "1", "Conditions": []any{m{"Field": "path-pattern", "Values": []any{"/x"}}},
			"Actions": []any{m{"Type": "forward", "ForwardConfig": m{"TargetGroups": []any{m{"TargetGroupArn": ref("Targets"), "Weight": 1}}}}},
		}), "PriorityInUse"},
		"two listeners of one port": {with("Again", "AWS::ElasticLoadBalancingV2::Listener", m{
			"LoadBalancerArn": ref("Balancer"), "Port": 443, "Protocol": "HTTP", "DefaultActions": []any{m{"Type": "fixed-response", "FixedResponseConfig": m{"StatusCode": "404"}}},
		}), "DuplicateListener"},
		"targets by instance":      {private().set("Targets.TargetType", "instance"), "ip only"},
		"health check never fails": {private().set("Targets.Matcher", m{"HttpCode": "any"}), "matcher"},
		"health check too slow":    {private().set("Targets.HealthCheckTimeoutSeconds", 30), "timeout"},
		"target on the internet":   {private().set("Targets.Targets", []any{m{"Id": "8.8.8.8"}}), "InvalidTarget"},
		"no internet gateway":      {private().set("Attachment", nil).set("Gateway", nil), "internet gateway"},
		"two internet gateways":    {with("Again", "AWS::EC2::VPCGatewayAttachment", m{"VpcId": ref("Vpc"), "InternetGatewayId": ref("Gateway")}), "already"},
		"second route table":       {with("Again", "AWS::EC2::SubnetRouteTableAssociation", m{"SubnetId": ref("SubnetA"), "RouteTableId": ref("Table")}), "AlreadyAssociated"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			if name == "no internet gateway" {
				test.template["Origin"]["DependsOn"] = []any{"Rule"}
			}
			_, err := l.deploy(test.template)
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want %s", err, test.says)
			}
			if err != nil && strings.Contains(err.Error(), "roll back") && name != "two rules of one priority" && name != "two listeners of one port" {
				t.Logf("the rollback failed too, as it does when the VPC origin is still Deploying: %v", err)
			}
		})
	}
}

// What is in use cannot be deleted: the stack stays, and says which resource holds it.
func TestDependencies(t *testing.T) {
	l := newLab(t)
	ids := l.must(private())
	if _, err := l.stacks.Delete(teamA, region, "team"); err == nil || !strings.Contains(err.Error(), "DependencyViolation") {
		t.Fatalf("delete while the interfaces of the VPC origin are there: %v", err)
	}
	l.Clock.UntilIdle(time.Hour)
	if _, err := l.stacks.Delete(teamA, region, "team"); err != nil {
		t.Errorf("when they have gone: %v", err)
	}
	if _, err := call[network.DescribeLoadBalancersOutput](l.world, teamA, region, "elasticloadbalancing", "DescribeLoadBalancers",
		&network.DescribeLoadBalancersInput{LoadBalancerArns: []string{ids["Balancer"]}}); err == nil || cloud.AsError(err).Code != "LoadBalancerNotFound" {
		t.Errorf("a deleted load balancer: %v", err)
	}
	for _, id := range []string{"Vpc", "SubnetA", "Table", "Gateway", "EndpointGroup", "Targets"} {
		t.Run(id, func(t *testing.T) {
			l := newLab(t)
			ids := l.must(private())
			var kind cloud.ResourceType
			for _, have := range slices.Concat(l.net.ResourceTypes(), l.net.Balancing().ResourceTypes()) {
				if have.Name == private()[id]["Type"] {
					kind = have
				}
			}
			err := kind.Delete(&cloud.ResourceRequest{World: l.World, Account: teamA, Region: region}, &cloud.Resource{Ref: ids[id]})
			if err == nil || !slices.Contains([]string{"DependencyViolation", "ResourceInUse"}, cloud.AsError(err).Code) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestDeletionProtection(t *testing.T) {
	l := newLab(t)
	protected := func(on string) resources {
		return private().set("Balancer.LoadBalancerAttributes", []any{map[string]any{"Key": "deletion_protection.enabled", "Value": on}})
	}
	ids := l.must(protected("true"))
	l.delete(teamA, ids["Origin"])
	l.Clock.UntilIdle(time.Hour)
	if _, err := l.stacks.Delete(teamA, region, "team"); err == nil || !strings.Contains(err.Error(), "deletion protection") {
		t.Errorf("got %v", err)
	}
}

func TestStackUpdates(t *testing.T) {
	l := newLab(t)
	before := l.must(private())
	next := private().set("Targets.Targets", []any{map[string]any{"Id": "10.20.0.200"}}).set("Vpc.Tags", []any{map[string]any{"Key": "a", "Value": "b"}})
	next.set("Listener.SslPolicy", "ELBSecurityPolicy-TLS13-1-3-2021-06").set("Rule.Priority", 7)
	after := l.must(next)
	if after["Vpc"] != before["Vpc"] || after["Targets"] != before["Targets"] {
		t.Errorf("replaced: %v %v", before, after)
	}
	if hop := l.route("team-a.example.com"); hop.Broken == nil || !strings.Contains(hop.Broken.Reason, "TLS") {
		t.Errorf("TLS 1.3 alone: %+v", hop)
	}
	out, err := call[network.DescribeVpcsOutput](l.world, teamA, region, "ec2", "DescribeVpcs", &network.DescribeVpcsInput{
		ListInput: network.ListInput{Filters: []network.Filter{by("tag:a", "b")}},
	})
	if err != nil || len(out.Vpcs) != 1 {
		t.Errorf("got %+v, %v", out, err)
	}
	rules, err := call[network.DescribeRulesOutput](l.world, teamA, region, "elasticloadbalancing", "DescribeRules", &network.DescribeRulesInput{ListenerArn: after["Listener"]})
	if err != nil || len(rules.Rules) != 2 || rules.Rules[0].Priority != "7" || !rules.Rules[1].IsDefault {
		t.Errorf("got %+v, %v", rules, err)
	}
	if _, err := l.deploy(next.set("SubnetA.CidrBlock", "10.20.8.0/24")); err == nil || !strings.Contains(err.Error(), "replacement") {
		t.Errorf("another block: %v", err)
	}
}

// Each broken link of the chain has the answer that AWS documents, and says what is wrong.
func TestBrokenLinks(t *testing.T) {
	type m = map[string]any
	group := func(id, list string, rules ...any) resources { return private().set(id+"."+list, rules) }
	for name, test := range map[string]struct {
		template resources
		names    []string
		status   int // of the load balancer's answer, or of CloudFront's if broken
		broken   bool
		says     string
	}{
		"no rule for CloudFront":       {group("BalancerGroup", "SecurityGroupIngress", m{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.20.0.0/20"}), nil, 504, true, "admits CloudFront"},
		"rule for another port":        {group("BalancerGroup", "SecurityGroupIngress", m{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": "0.0.0.0/0"}), nil, 504, true, "port 443"},
		"no listener on the port":      {private().set("Listener.Port", 8443), nil, 502, true, "no listener"},
		"plain listener":               {private().set("Listener.Protocol", "HTTP").set("Listener.Certificates", []any{}).set("Listener.SslPolicy", ""), nil, 502, true, "HTTP"},
		"certificate for another name": {private(), []string{"www.example.org"}, 502, true, "does not cover team-a.example.com"},
		"wildcard too short":           {private(), []string{"*.com"}, 502, true, "does not cover"},
		"old protocols": {private().set("Origin.VpcOriginEndpointConfig", m{
			"Name": "team", "Arn": m{"Ref": "Balancer"}, "OriginProtocolPolicy": "https-only",
		}), nil, 502, true, "TLSv1, SSLv3"},
		"balancer may not connect":   {private().set("Out", nil), nil, 504, false, "lets it connect"},
		"endpoint admits nobody":     {private().set("In", nil), nil, 504, false, "admits load balancer"},
		"target that nobody has":     {private().set("Targets.Targets", []any{m{"Id": "10.20.0.250"}}), nil, 504, false, "no network interface"},
		"target of another protocol": {private().set("Targets.Protocol", "HTTP"), nil, 504, false, "HTTPS on port 443"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			if test.names != nil {
				l.names = test.names
			}
			ids := l.must(test.template)
			if test.template["Targets"]["Properties"].(m)["Targets"] == nil {
				if err := l.targets("RegisterTargets", ids["Targets"], l.addresses(ids["Endpoint"])...); err != nil {
					t.Fatal(err)
				}
			}
			l.Clock.UntilIdle(time.Hour)
			hop := l.route("team-a.example.com")
			status, reason := 0, ""
			switch {
			case hop.Broken != nil:
				status, reason = hop.Broken.Status, hop.Broken.Reason
			case hop.Answer != nil:
				status, reason = hop.Answer.Status, hop.Answer.Reason
			}
			if status != test.status || test.broken != (hop.Broken != nil) || !strings.Contains(reason, test.says) {
				t.Errorf("%d %q, broken %t", status, reason, hop.Broken != nil)
			}
		})
	}
}

func TestAssumption_NET_08_Zones(t *testing.T) {
	l := newLab(t)
	r := private().set("Origin", nil)
	r["SubnetC"] = map[string]any{"Type": "AWS::EC2::Subnet", "Properties": map[string]any{"VpcId": map[string]any{"Ref": "Vpc"}, "CidrBlock": "10.20.2.0/24"}}
	ids := l.must(r)
	out, err := call[network.DescribeSubnetsOutput](l.world, teamA, region, "ec2", "DescribeSubnets", &network.DescribeSubnetsInput{})
	if err != nil || len(out.Subnets) != 3 {
		t.Fatalf("got %+v, %v", out, err)
	}
	for _, n := range out.Subnets {
		want := map[string]string{ids["SubnetA"]: region + "a", ids["SubnetB"]: region + "b", ids["SubnetC"]: region + "a"}[n.SubnetID]
		if n.AvailabilityZone != want {
			t.Errorf("%s is in %s, want %s", n.CidrBlock, n.AvailabilityZone, want)
		}
	}
}

func TestAssumption_NET_09_PrefixList(t *testing.T) {
	l := newLab(t)
	for region, want := range map[string]string{"us-east-1": "pl-3b927c52", "mars-north-1": network.OriginFacing("mars-north-1")} {
		out, err := call[network.DescribeManagedPrefixListsOutput](l.world, teamA, region, "ec2", "DescribeManagedPrefixLists", &network.DescribeManagedPrefixListsInput{
			ListInput: network.ListInput{Filters: []network.Filter{by("prefix-list-name", "com.amazonaws.global.cloudfront.origin-facing")}},
		})
		if err != nil || len(out.PrefixLists) != 1 || out.PrefixLists[0].PrefixListID != want {
			t.Errorf("%s: %+v, %v", region, out, err)
		}
	}
}

func TestAssumption_NET_10_AtOnce(t *testing.T) {
	l := newLab(t)
	ids, err := l.deploy(private().set("Origin", nil))
	if err != nil {
		t.Fatal(err)
	}
	if a := l.addresses(ids["Endpoint"]); len(a) != 2 {
		t.Errorf("addresses %v", a)
	}
	if _, err := l.stacks.Delete(teamA, region, "team"); err != nil {
		t.Fatal(err)
	}
	if n := l.interfaces(teamA, region); len(n) != 0 {
		t.Errorf("left %+v", n)
	}
}

func TestAssumption_NET_11_ReplacedInterfaces(t *testing.T) {
	l := newLab(t)
	ids := l.must(private())
	old := l.addresses(ids["Endpoint"])
	var records []string
	l.Emit = func(e cloud.Event) {
		detail := e.Detail.(map[string]any)
		records = append(records, fmt.Sprint(detail["eventName"], " ", detail["requestParameters"].(map[string]any)["description"]))
	}
	now, err := l.net.ReplaceInterfaces(ids["Endpoint"])
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range now {
		if slices.Contains(old, a) {
			t.Errorf("address %s stayed", a)
		}
	}
	made := "CreateNetworkInterface VPC Endpoint Interface " + ids["Endpoint"]
	if !slices.Equal(records, []string{made, made, "DeleteNetworkInterface <nil>", "DeleteNetworkInterface <nil>"}) {
		t.Errorf("records %q", records)
	}
	l.net.ReplaceAllInterfaces(teamA, region)
	if again := l.addresses(ids["Endpoint"]); len(again) != 2 || slices.Contains(now, again[0]) {
		t.Errorf("replaced all: %v after %v", again, now)
	}
	if _, err := l.net.ReplaceInterfaces("vpce-0"); err == nil || cloud.AsError(err).Code != "InvalidVpcEndpointId.NotFound" {
		t.Errorf("got %v", err)
	}
}

func TestAssumption_NET_12_RegisteredTargetsOutliveStackUpdates(t *testing.T) {
	l := newLab(t)
	listed := func(ids ...any) resources {
		var list []any
		for _, id := range ids {
			list = append(list, map[string]any{"Id": id})
		}
		return private().set("Targets.Targets", list)
	}
	ids := l.must(listed("10.20.0.201", "10.20.0.202"))
	if err := l.targets("RegisterTargets", ids["Targets"], "10.20.0.203"); err != nil {
		t.Fatal(err)
	}
	if _, err := l.deploy(listed("10.20.0.202")); err != nil {
		t.Fatal(err)
	}
	l.Clock.Advance(time.Minute)
	if h := l.health(ids["Targets"]); !slices.Equal(h, []string{"draining", "unhealthy", "unhealthy"}) {
		t.Errorf("health %v", h)
	}
	l.Clock.Advance(5 * time.Minute)
	if h := l.health(ids["Targets"]); len(h) != 2 {
		t.Errorf("after the deregistration delay: %v", h)
	}
}

func TestAssumption_NET_13_Health(t *testing.T) {
	l := newLab(t)
	ids := l.must(private())
	address := l.addresses(ids["Endpoint"])[0]
	if err := l.targets("RegisterTargets", ids["Targets"], address); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		advance time.Duration
		status  int
		want    string
	}{{29 * time.Second, 403, "initial"}, {time.Second, 403, "healthy"}, {0, 404, "unhealthy"}, {0, 402, "healthy"}, {0, 500, "unhealthy"}} {
		l.Clock.Advance(step.advance)
		l.status = step.status
		if h := l.health(ids["Targets"]); !slices.Equal(h, []string{step.want}) {
			t.Errorf("%+v: %v", step, h)
		}
	}
	// A load balancer without a healthy target fails open.
	if hop := l.route("team-a.example.com"); hop.Endpoint == nil {
		t.Errorf("got %+v", hop)
	}
	if err := l.targets("DeregisterTargets", ids["Targets"], address, "10.20.0.77"); err != nil {
		t.Fatal(err)
	}
	if hop := l.route("team-a.example.com"); hop.Answer == nil || hop.Answer.Status != 503 {
		t.Errorf("draining: %+v", hop)
	}
	out, err := call[network.DescribeTargetHealthOutput](l.world, teamA, region, "elasticloadbalancing", "DescribeTargetHealth", &network.DescribeTargetHealthInput{
		TargetGroupArn: ids["Targets"], Targets: []network.TargetDescription{{ID: "10.20.0.77"}},
	})
	if err != nil || out.TargetHealthDescriptions[0].TargetHealth.Reason != "Target.NotRegistered" {
		t.Errorf("got %+v, %v", out, err)
	}
}

func TestAssumption_NET_14_DeletedBalancer(t *testing.T) {
	l := newLab(t)
	l.must(private())
	r := private().set("Balancer", nil).set("Listener", nil).set("Rule", nil).set("Origin", nil)
	_, err := l.deploy(r) // the VPC origin takes its time to go
	if err != nil {
		t.Fatal(err)
	}
	if hop := l.route("team-a.example.com"); hop.Broken == nil || hop.Broken.Status != 502 || !strings.Contains(hop.Broken.Reason, "deleted") {
		t.Errorf("got %+v", hop)
	}
}

func TestAssumption_NET_15_WhatAdmitsCloudFront(t *testing.T) {
	l := newLab(t)
	ids := l.must(private())
	service := l.groups(teamA, serviceGroup())[0].GroupID
	for name, test := range map[string]struct {
		rule  map[string]any
		opens bool
	}{
		"prefix list":       {map[string]any{"SourcePrefixListId": network.OriginFacing(region)}, true},
		"service group":     {map[string]any{"SourceSecurityGroupId": service}, true},
		"everybody":         {map[string]any{"CidrIp": "0.0.0.0/0"}, true},
		"the VPC's block":   {map[string]any{"CidrIp": "10.20.0.0/20"}, false},
		"the other group":   {map[string]any{"SourceSecurityGroupId": ids["EndpointGroup"]}, false},
		"everybody, by UDP": {map[string]any{"CidrIp": "0.0.0.0/0", "IpProtocol": "udp"}, false},
	} {
		rule := map[string]any{"IpProtocol": "tcp", "FromPort": 400, "ToPort": "500"}
		maps.Copy(rule, test.rule)
		l.must(private().set("BalancerGroup.SecurityGroupIngress", []any{rule}))
		if hop := l.route("team-a.example.com"); (hop.Broken == nil) != test.opens {
			t.Errorf("%s: %+v", name, hop.Broken)
		}
		for _, g := range l.groups(teamA, by("group-id", ids["BalancerGroup"])) {
			if len(g.Ingress) != 1 || *g.Ingress[0].FromPort != 400 || len(g.Egress) != 2 {
				t.Errorf("%s: described as %+v", name, g)
			}
		}
	}
}

func TestAssumption_NET_16_FirstHealthCheck(t *testing.T) {
	l := newLab(t)
	ids := l.must(private())
	if err := l.targets("RegisterTargets", ids["Targets"], l.addresses(ids["Endpoint"])...); err != nil {
		t.Fatal(err)
	}
	if hop := l.route("team-a.example.com"); hop.Answer == nil || hop.Answer.Status != 503 {
		t.Errorf("before the first check: %+v", hop)
	}
	l.Clock.UntilIdle(time.Hour)
	if hop := l.route("team-a.example.com"); hop.Endpoint == nil {
		t.Errorf("after it: %+v", hop)
	}
}

func TestAssumption_NET_17_Prerequisites(t *testing.T) {
	l := newLab(t)
	r := private().set("Attachment", nil)
	r["Origin"]["DependsOn"] = []any{"Rule"}
	if _, err := l.deploy(r); err == nil || !strings.Contains(err.Error(), "InvalidArgument") || !strings.Contains(err.Error(), "internet gateway") {
		t.Errorf("without internet gateway: %v", err)
	}
	full := private().set("SubnetA.CidrBlock", "10.20.0.0/27").set("SubnetB.CidrBlock", "10.20.1.0/27").set("Origin", nil)
	full["Logs"] = map[string]any{"Type": "AWS::EC2::VPCEndpoint", "Properties": map[string]any{
		"VpcId": map[string]any{"Ref": "Vpc"}, "VpcEndpointType": "Interface", "ServiceName": "com.amazonaws." + region + ".logs",
		"SubnetIds": []any{map[string]any{"Ref": "SubnetA"}},
	}}
	ids := l.must(full)
	for n := range 25 {
		_, err := l.originOf(ids["Balancer"], n)
		if free := n < 24; free != (err == nil) || !free && !strings.Contains(err.Error(), "no available IPv4 address") {
			t.Errorf("origin %d: %v", n, err)
		}
	}
}

func (l *lab) originOf(arn string, n int) (*cloudfront.VpcOriginOutput, error) {
	return call[cloudfront.VpcOriginOutput](l.world, teamA, region, "cloudfront", "CreateVpcOrigin", &cloudfront.CreateVpcOriginInput{
		VpcOriginEndpointConfig: &cloudfront.EndpointConfig{Name: fmt.Sprint(n), Arn: arn, HTTPPort: 80, HTTPSPort: 443, OriginProtocolPolicy: "https-only"},
	})
}

func TestAddressesStayInTheirSubnet(t *testing.T) {
	l := newLab(t)
	ids := l.must(private())
	for _, n := range l.interfaces(teamA, region) {
		want := map[string]string{ids["SubnetA"]: "10.20.0.0/24", ids["SubnetB"]: "10.20.1.0/24"}[n.SubnetID]
		if a := netip.MustParseAddr(n.PrivateIPAddress); !netip.MustParsePrefix(want).Contains(a) {
			t.Errorf("%s is not in %s", a, want)
		}
	}
}
