package infra

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/hubpolicy"
)

// only returns the only resource of a type, with its logical id.
func (t template) only(test *testing.T, kind string) (id string, properties map[string]any) {
	test.Helper()
	all := t.all(kind)
	if len(all) != 1 {
		test.Fatalf("%d resources are %s, want one", len(all), kind)
	}
	return all[0], t.Resources[all[0]].Properties
}

// all returns the logical ids of the resources of a type.
func (t template) all(kind string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(t.Resources)), func(id string) bool { return t.Resources[id].Type != kind })
}

func TestNothingOfATeamIsPublic(t *testing.T) {
	team := templates(t).team
	// The main route table of a VPC has only the local route, and the subnets have no other table.
	for _, kind := range []string{
		"AWS::EC2::Route", "AWS::EC2::RouteTable", "AWS::EC2::SubnetRouteTableAssociation", "AWS::EC2::NatGateway", "AWS::EC2::EIP",
		"AWS::Lambda::Url", "AWS::ApiGatewayV2::Api", "AWS::ApiGateway::DomainName",
	} {
		if found := team.all(kind); len(found) > 0 {
			t.Errorf("%v is %s", found, kind)
		}
	}
	for _, id := range team.all("AWS::EC2::Subnet") {
		if team.Resources[id].Properties["MapPublicIpOnLaunch"] != nil {
			t.Errorf("subnet %s gives public addresses", id)
		}
	}
	if _, balancer := team.only(t, "AWS::ElasticLoadBalancingV2::LoadBalancer"); balancer["Scheme"] != "internal" {
		t.Errorf("the load balancer is %v", balancer["Scheme"])
	}
	for _, kind := range []string{"AWS::ApiGateway::RestApi", "AWS::ApiGateway::DomainNameV2"} {
		_, p := team.only(t, kind)
		if types := list(p["EndpointConfiguration"].(map[string]any)["Types"]); !slices.Equal(types, []string{"PRIVATE"}) {
			t.Errorf("%s has endpoint types %v", kind, types)
		}
	}
}

func TestGatewayIsAttachedBeforeTheOrigin(t *testing.T) {
	team := templates(t).team
	attachment, _ := team.only(t, "AWS::EC2::VPCGatewayAttachment")
	rule, _ := team.only(t, "AWS::ElasticLoadBalancingV2::ListenerRule")
	id, _ := team.only(t, "AWS::CloudFront::VpcOrigin")
	if got := team.Resources[id].DependsOn; !slices.Contains(got, attachment) || !slices.Contains(got, rule) {
		t.Errorf("the origin depends on %v, want the gateway's attachment and the listener's rule", got)
	}
}

// The API and its domain name each have a policy that denies access through anything but one endpoint.
func TestAPIAdmitsOneEndpointOnly(t *testing.T) {
	team := templates(t).team
	endpoint, _ := team.only(t, "AWS::EC2::VPCEndpoint")
	for _, kind := range []string{"AWS::ApiGateway::RestApi", "AWS::ApiGateway::DomainNameV2"} {
		id, _ := team.only(t, kind)
		var denied bool
		for _, s := range team.statements() {
			if s.place != id || s.effect != "Deny" {
				continue
			}
			other, _ := s.condition["StringNotEquals"].(map[string]any)
			denied = slices.Equal(s.actions, []string{"execute-api:Invoke"}) && slices.Equal(s.resources, []string{"execute-api:/*"}) &&
				s.principal["AWS"] == "*" && len(s.condition) == 1 && text(other["aws:SourceVpce"]) == "${"+endpoint+"}"
		}
		if !denied {
			t.Errorf("%s does not deny requests through endpoints other than %s", kind, endpoint)
		}
	}
	_, association := team.only(t, "AWS::ApiGateway::DomainNameAccessAssociation")
	if got := text(association["AccessAssociationSource"]); got != "${"+endpoint+"}" {
		t.Errorf("the domain name is associated with %s", got)
	}
}

// Each security group admits the hop before it on port 443, and lets traffic out to the next hop only.
func TestEachSecurityGroupAdmitsTheHopBeforeIt(t *testing.T) {
	team := templates(t).team
	_, balancer := team.only(t, "AWS::ElasticLoadBalancingV2::LoadBalancer")
	_, endpoint := team.only(t, "AWS::EC2::VPCEndpoint")
	group := func(v any) (string, map[string]any) {
		id := strings.Trim(text(v.([]any)[0]), "${}")
		return id, team.Resources[id].Properties
	}
	balancerID, ofBalancer := group(balancer["SecurityGroups"])
	_, ofEndpoint := group(endpoint["SecurityGroupIds"])
	for name, c := range map[string]struct {
		rules    any
		key, say string
	}{
		"into the load balancer":   {ofBalancer["SecurityGroupIngress"], "SourcePrefixListId", "${OriginFacingPrefixListId}"},
		"out of the load balancer": {ofBalancer["SecurityGroupEgress"], "CidrIp", "map[Fn::FindInMap:[Teams map[Ref:Team] Cidr]]"},
		"into the endpoint":        {ofEndpoint["SecurityGroupIngress"], "SourceSecurityGroupId", "${" + balancerID + "}"},
		"out of the endpoint":      {ofEndpoint["SecurityGroupEgress"], "CidrIp", "127.0.0.1/32"},
	} {
		rules := c.rules.([]any)
		rule, _ := rules[0].(map[string]any)
		if len(rules) != 1 || text(rule[c.key]) != c.say || rule["FromPort"] != 443.0 || rule["ToPort"] != 443.0 || rule["IpProtocol"] != "tcp" {
			t.Errorf("%s: %v, want tcp 443 and %s", name, rules, c.say)
		}
	}
	if got := len(team.all("AWS::EC2::SecurityGroup")); got != 2 {
		t.Errorf("%d security groups, want one of the load balancer and one of the endpoint", got)
	}
}

func TestEveryHopSpeaksTLS12(t *testing.T) {
	team := templates(t).team
	_, origin := team.only(t, "AWS::CloudFront::VpcOrigin")
	config := origin["VpcOriginEndpointConfig"].(map[string]any)
	if config["OriginProtocolPolicy"] != "https-only" || !slices.Equal(list(config["OriginSSLProtocols"]), []string{"TLSv1.2"}) {
		t.Errorf("CloudFront connects with %v", config)
	}
	_, listener := team.only(t, "AWS::ElasticLoadBalancingV2::Listener")
	if listener["Protocol"] != "HTTPS" || listener["SslPolicy"] != "ELBSecurityPolicy-TLS13-1-2-2021-06" {
		t.Errorf("the load balancer listens with %v %v", listener["Protocol"], listener["SslPolicy"])
	}
	_, group := team.only(t, "AWS::ElasticLoadBalancingV2::TargetGroup")
	if group["Protocol"] != "HTTPS" {
		t.Errorf("the load balancer connects with %v", group["Protocol"])
	}
	if _, domain := team.only(t, "AWS::ApiGateway::DomainNameV2"); domain["SecurityPolicy"] != "TLS_1_2" {
		t.Errorf("the domain name has %v", domain["SecurityPolicy"])
	}
}

func TestLoadBalancerLetsOneHostThrough(t *testing.T) {
	team := templates(t).team
	_, listener := team.only(t, "AWS::ElasticLoadBalancingV2::Listener")
	standard := listener["DefaultActions"].([]any)[0].(map[string]any)
	if fixed, _ := standard["FixedResponseConfig"].(map[string]any); standard["Type"] != "fixed-response" || fixed["StatusCode"] != "403" {
		t.Errorf("other hosts get %v", standard)
	}
	_, rule := team.only(t, "AWS::ElasticLoadBalancingV2::ListenerRule")
	condition := rule["Conditions"].([]any)[0].(map[string]any)
	hosts, _ := condition["HostHeaderConfig"].(map[string]any)
	_, domain := team.only(t, "AWS::ApiGateway::DomainNameV2")
	if got := list(hosts["Values"]); len(got) != 1 || got[0] != text(domain["DomainName"]) || condition["Field"] != "host-header" {
		t.Errorf("the rule lets %v through, want exactly the API's domain name", condition)
	}
}

func TestShareIsForTheHubOnly(t *testing.T) {
	team := templates(t).team
	id, origin := team.only(t, "AWS::CloudFront::VpcOrigin")
	_, share := team.only(t, "AWS::RAM::ResourceShare")
	if got := list(share["Principals"]); !slices.Equal(got, []string{"${HubAccountId}"}) {
		t.Errorf("shared with %v", got)
	}
	if got := list(share["ResourceArns"]); !slices.Equal(got, []string{"${" + id + ".Arn}"}) {
		t.Errorf("%v is shared, want the origin alone", got)
	}
	var keys []string
	for _, tag := range origin["Tags"].([]any) {
		keys = append(keys, tag.(map[string]any)["Key"].(string))
	}
	slices.Sort(keys)
	// CloudFront would refuse the teardown tag from a stack while the origin is in use.
	if want := []string{contract.TagDomain, contract.TagHost, contract.TagPaths}; !slices.Equal(keys, want) {
		t.Errorf("the origin's tags are %v, want the claim %v", keys, want)
	}
}

func TestTargetsMayChangeOneTargetGroupOnly(t *testing.T) {
	team := templates(t).team
	group, _ := team.only(t, "AWS::ElasticLoadBalancingV2::TargetGroup")
	for _, action := range []string{"elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"} {
		allowed := team.allowing(action)
		if len(allowed) != 1 || !slices.Equal(allowed[0].resources, []string{"${" + group + "}"}) {
			t.Errorf("%s is allowed by %v", action, allowed)
		}
	}
}

func planned(name, cidr string, grants ...admission.Grant) hubpolicy.Policy {
	return hubpolicy.Policy{
		Policy:   admission.Policy{Teams: []admission.Team{{Name: name, Grants: grants}}},
		Networks: map[string]netip.Prefix{name: netip.MustParsePrefix(cidr)},
	}
}

func TestPlan(t *testing.T) {
	plan, err := planTeams(planned("team-a", "10.20.0.0/20", admission.Grant{Host: "team-a.example.com", Paths: []string{"/a/v1/*", "/a/x"}}))
	want := teamEntry{
		Name: "team-a", CIDR: "10.20.0.0/20", Subnets: [2]string{"10.20.0.0/21", "10.20.8.0/21"},
		Host: "team-a.example.com", BasePath: "a", Paths: "/a/v1/ /a/x",
	}
	if err != nil || len(plan) != 1 || plan[0] != want {
		t.Errorf("%+v, %v", plan, err)
	}
	for cidr, want := range map[string][2]string{
		"10.0.0.0/16":      {"10.0.0.0/17", "10.0.128.0/17"},
		"10.0.255.0/24":    {"10.0.255.0/25", "10.0.255.128/25"},
		"192.168.0.192/26": {"192.168.0.192/27", "192.168.0.224/27"},
	} {
		if got := halves(netip.MustParsePrefix(cidr)); got != want {
			t.Errorf("the halves of %s are %v", cidr, got)
		}
	}
}

// Without a CIDR in the policy there is no team stack, and its restrictions do not apply.
func TestPolicyWithoutCIDRs(t *testing.T) {
	p := planned("team-a", "10.20.0.0/20", admission.Grant{Host: "*.example.com", Paths: []string{"/*"}})
	p.Networks = nil
	if plan, err := planTeams(p); err != nil || len(plan) != 0 {
		t.Errorf("%v, %v", plan, err)
	}
}

func TestPlanRefusesWhatOnePrivateAPICannotServe(t *testing.T) {
	const host = "team-a.example.com"
	for name, grants := range map[string][]admission.Grant{
		"two hosts":               {{Host: host, Paths: []string{"/a/*"}}, {Host: "b.example.com", Paths: []string{"/a/*"}}},
		"wildcard host":           {{Host: "*.example.com", Paths: []string{"/a/*"}}},
		"two first segments":      {{Host: host, Paths: []string{"/a/*", "/b/*"}}},
		"nothing below the first": {{Host: host, Paths: []string{"/a"}}},
		"wildcard segment":        {{Host: host, Paths: []string{"/a*/x"}}},
		"everything":              {{Host: host, Paths: []string{"/*"}}},
		"path that no tag holds":  {{Host: host, Paths: []string{"/a/?"}}},
	} {
		_, err := planTeams(planned("team-a", "10.20.0.0/20", grants...))
		if err == nil || !strings.Contains(err.Error(), "team-a") || !strings.Contains(err.Error(), "or remove the cidr") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
