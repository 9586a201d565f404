package network_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/network"
	"github.com/originhub/originhub/pkg/sandbox/internal/wire"
)

// What the SDKs send and read, as bytes: the EC2 client itself takes too long to compile for a test.
func TestWire(t *testing.T) {
	w := newWorld(t)
	w.origin(teamA, "a", balancer(teamA, "a"))
	for name, test := range map[string]struct {
		service, body string
		want          []string
	}{
		"interfaces": {
			"ec2", "Action=DescribeNetworkInterfaces&Filter.1.Name=tag%3Aaws.cloudfront.vpcorigin&Filter.1.Value.1=enabled&MaxResults=100&Version=2016-11-15",
			[]string{
				`<DescribeNetworkInterfacesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">`, "<networkInterfaceSet><item><networkInterfaceId>eni-",
				"<requesterManaged>true</requesterManaged>", "<interfaceType>cloudfront_managed</interfaceType>", "<groupSet><item><groupId>sg-",
				"<groupName>CloudFront-VPCOrigins-Service-SG</groupName>", "<attachment><attachmentId>", "<operator><managed>true</managed>",
				"<tagSet><item><key>aws.cloudfront.vpcorigin</key><value>enabled</value></item></tagSet>",
			},
		},
		"groups": {
			"ec2", "Action=DescribeSecurityGroups&Filter.1.Name=group-name&Filter.1.Value.1=CloudFront-VPCOrigins-Service-SG&Version=2016-11-15",
			[]string{"<securityGroupInfo><item>", "<groupDescription>", "<vpcId>vpc-"},
		},
		"load balancers": {
			"elasticloadbalancing", "Action=DescribeLoadBalancers&Version=2015-12-01&LoadBalancerArns.member.1=" + strings.ReplaceAll(balancer(teamA, "a"), ":", "%3A"),
			[]string{
				"<DescribeLoadBalancersResult><LoadBalancers><member><LoadBalancerArn>", "<DNSName>internal-a-", "<VpcId>vpc-", "<State><Code>active</Code></State>",
				"<AvailabilityZones><member><ZoneName>eu-west-1a</ZoneName><SubnetId>subnet-", "<SecurityGroups><member>sg-",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			answer := overTheWire(t, w.World, test.service, test.body)
			for _, want := range test.want {
				if !strings.Contains(answer, want) {
					t.Errorf("no %s in\n%s", want, answer)
				}
			}
		})
	}
}

// What describes a private network, as bytes.
func TestWireOfAPrivateNetwork(t *testing.T) {
	l := newLab(t)
	ids := l.must(private())
	if err := l.targets("RegisterTargets", ids["Targets"], l.addresses(ids["Endpoint"])...); err != nil {
		t.Fatal(err)
	}
	escape := strings.NewReplacer(":", "%3A", "/", "%2F").Replace
	for name, test := range map[string]struct {
		service, body string
		want          []string
	}{
		"endpoints": {
			"ec2", "Action=DescribeVpcEndpoints&Version=2016-11-15&VpcEndpointId.1=" + ids["Endpoint"],
			[]string{
				"<vpcEndpointSet><item><vpcEndpointId>" + ids["Endpoint"], "<subnetIdSet><item>subnet-", "<networkInterfaceIdSet><item>eni-",
				"<groupSet><item><groupId>sg-", ".execute-api.eu-west-1.vpce.amazonaws.com</dnsName>", "<state>available</state>",
			},
		},
		"gateways": {
			"ec2", "Action=DescribeInternetGateways&Version=2016-11-15&Filter.1.Name=attachment.vpc-id&Filter.1.Value.1=" + ids["Vpc"],
			[]string{"<internetGatewaySet><item><internetGatewayId>" + ids["Gateway"], "<attachmentSet><item><vpcId>" + ids["Vpc"]},
		},
		"groups with their rules": {
			"ec2", "Action=DescribeSecurityGroups&Version=2016-11-15&GroupId.1=" + ids["BalancerGroup"],
			[]string{"<ipPermissions><item><ipProtocol>tcp</ipProtocol><fromPort>443</fromPort>", "<prefixListIds><item><prefixListId>pl-4fa04526", "<ipPermissionsEgress><item>"},
		},
		"listeners": {
			"elasticloadbalancing", "Action=DescribeListeners&Version=2015-12-01&LoadBalancerArn=" + escape(ids["Balancer"]),
			[]string{
				"<DescribeListenersResult><Listeners><member><ListenerArn>", "<Certificates><member><CertificateArn>" + certificate, "<SslPolicy>ELBSecurityPolicy-TLS13-1-2-2021-06",
				"<DefaultActions><member><Type>fixed-response</Type><FixedResponseConfig><StatusCode>403</StatusCode>",
			},
		},
		"rules": {
			"elasticloadbalancing", "Action=DescribeRules&Version=2015-12-01&ListenerArn=" + escape(ids["Listener"]),
			[]string{"<HostHeaderConfig><Values><member>Team-A.example.com</member>", "<TargetGroupArn>" + ids["Targets"], "<Priority>default</Priority>"},
		},
		"target groups": {
			"elasticloadbalancing", "Action=DescribeTargetGroups&Version=2015-12-01&LoadBalancerArn=" + escape(ids["Balancer"]),
			[]string{"<Matcher><HttpCode>200,400-403</HttpCode></Matcher>", "<LoadBalancerArns><member>" + ids["Balancer"]},
		},
		"target health": {
			"elasticloadbalancing", "Action=DescribeTargetHealth&Version=2015-12-01&TargetGroupArn=" + escape(ids["Targets"]),
			[]string{
				"<TargetHealthDescriptions><member><Target><Id>10.20.", "<AvailabilityZone>eu-west-1a</AvailabilityZone>",
				"<TargetHealth><State>initial</State><Reason>Elb.RegistrationInProgress</Reason>",
			},
		},
	} {
		answer := overTheWire(t, l.World, test.service, test.body)
		for _, want := range test.want {
			if !strings.Contains(answer, want) {
				t.Errorf("%s: no %s in\n%s", name, want, answer)
			}
		}
	}
}

// overTheWire is the answer to a call of teamA's, as bytes.
func overTheWire(t *testing.T, w *cloud.World, service, body string) string {
	t.Helper()
	codec, err := wire.New(w.Service(service))
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	op, in, failure := codec.Decode(r, []byte(body))
	if failure != nil {
		t.Fatal(failure)
	}
	out, err := w.Invoke(cloud.Root(teamA), region, service, op.Name, in)
	if err != nil {
		t.Fatal(err)
	}
	recorder := httptest.NewRecorder()
	if err := codec.Encode(recorder, op, "request", out); err != nil {
		t.Fatal(err)
	}
	return recorder.Body.String()
}

// A deleted load balancer is not found any more, and is not listed. Deleting it again changes nothing, and nobody else can delete it.
func TestDeleteLoadBalancer(t *testing.T) {
	w := newWorld(t)
	w.origin(teamA, "a", balancer(teamA, "a"))
	remove := func(account string) error {
		_, err := call[network.DeleteLoadBalancerOutput](w, account, region, "elasticloadbalancing", "DeleteLoadBalancer", &network.DeleteLoadBalancerInput{LoadBalancerArn: balancer(teamA, "a")})
		return err
	}
	if err := remove(teamB); err == nil || cloud.AsError(err).Code != "LoadBalancerNotFound" {
		t.Errorf("another account: %v", err)
	}
	for range 2 {
		if err := remove(teamA); err != nil {
			t.Fatal(err)
		}
	}
	out, err := call[network.DescribeLoadBalancersOutput](w, teamA, region, "elasticloadbalancing", "DescribeLoadBalancers", &network.DescribeLoadBalancersInput{})
	if err != nil || len(out.LoadBalancers) != 0 {
		t.Errorf("listed: %+v, %v", out, err)
	}
	_, err = call[network.DescribeLoadBalancersOutput](w, teamA, region, "elasticloadbalancing", "DescribeLoadBalancers", &network.DescribeLoadBalancersInput{LoadBalancerArns: []string{balancer(teamA, "a")}})
	if err == nil || cloud.AsError(err).Code != "LoadBalancerNotFound" {
		t.Errorf("described: %v", err)
	}
}
