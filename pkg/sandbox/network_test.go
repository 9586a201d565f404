package sandbox

import (
	"context"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
)

// ec2 makes an EC2 call by hand: the SDK's client takes most of a minute to compile.
func ec2(t *testing.T, s *Sandbox, account, region string, form url.Values, into any) int {
	t.Helper()
	form.Set("Version", "2016-11-15")
	r, err := http.NewRequest("POST", s.Endpoint(), strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+account+"/20350108/"+region+"/ec2/aws4_request, SignedHeaders=host, Signature=0")
	response, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(b, into); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return response.StatusCode
}

// interfaces is how the EC2 protocol lists network interfaces; names as in the SDK's deserializer.
type interfaces struct {
	XMLName xml.Name `xml:"DescribeNetworkInterfacesResponse"`
	Items   []struct {
		ID     string `xml:"networkInterfaceId"`
		VPC    string `xml:"vpcId"`
		Type   string `xml:"interfaceType"`
		Groups []struct {
			Name string `xml:"groupName"`
		} `xml:"groupSet>item"`
	} `xml:"networkInterfaceSet>item"`
}

func TestNetworkOfAVpcOrigin(t *testing.T) {
	s := start(t, Options{})
	ctx := context.Background()
	client := cloudfront.NewFromConfig(s.Config(team, region))
	list := func() interfaces {
		var out interfaces
		if status := ec2(t, s, team, "eu-west-1", url.Values{"Action": {"DescribeNetworkInterfaces"}, "Filter.1.Name": {"interface-type"}, "Filter.1.Value.1": {"cloudfront_managed"}}, &out); status != 200 {
			t.Fatalf("status %d", status)
		}
		return out
	}
	made := ok[*cloudfront.CreateVpcOriginOutput](t)(client.CreateVpcOrigin(ctx, &cloudfront.CreateVpcOriginInput{VpcOriginEndpointConfig: endpointConfig()}))
	s.UntilIdle()
	if got := list().Items; len(got) == 0 || got[0].Groups[0].Name != "CloudFront-VPCOrigins-Service-SG" {
		t.Fatalf("interfaces %+v", got)
	}
	balancers := ok[*elasticloadbalancingv2.DescribeLoadBalancersOutput](t)(
		elasticloadbalancingv2.NewFromConfig(s.Config(team, "eu-west-1")).DescribeLoadBalancers(ctx,
			&elasticloadbalancingv2.DescribeLoadBalancersInput{LoadBalancerArns: []string{balancer}})).LoadBalancers
	if len(balancers) != 1 || aws.ToString(balancers[0].VpcId) != list().Items[0].VPC {
		t.Errorf("load balancers %+v", balancers)
	}

	ok[*cloudfront.DeleteVpcOriginOutput](t)(client.DeleteVpcOrigin(ctx, &cloudfront.DeleteVpcOriginInput{Id: made.VpcOrigin.Id, IfMatch: made.ETag}))
	s.UntilIdle()
	if got := list().Items; len(got) != 0 {
		t.Errorf("left behind: %+v", got)
	}
}

func TestNetworkInterfacesThatStayByRule(t *testing.T) {
	s := start(t, Options{})
	ctx := context.Background()
	client := cloudfront.NewFromConfig(s.Config(team, region))
	made := ok[*cloudfront.CreateVpcOriginOutput](t)(client.CreateVpcOrigin(ctx, &cloudfront.CreateVpcOriginInput{VpcOriginEndpointConfig: endpointConfig()}))
	s.UntilIdle()
	if err := s.Faults().Add(Rule{Fault: "foreign-edit", Hook: "keep-network-interfaces", Operation: "DeleteVpcOrigin"}); err != nil {
		t.Fatal(err)
	}
	ok[*cloudfront.DeleteVpcOriginOutput](t)(client.DeleteVpcOrigin(ctx, &cloudfront.DeleteVpcOriginInput{Id: made.VpcOrigin.Id, IfMatch: made.ETag}))
	s.UntilIdle()
	var out interfaces
	ec2(t, s, team, "eu-west-1", url.Values{"Action": {"DescribeNetworkInterfaces"}}, &out)
	if len(out.Items) == 0 {
		t.Error("the interfaces are gone")
	}
}

func TestEC2ErrorsOnTheWire(t *testing.T) {
	s := start(t, Options{})
	var out struct {
		XMLName xml.Name `xml:"Response"`
		Code    string   `xml:"Errors>Error>Code"`
		Message string   `xml:"Errors>Error>Message"`
		ID      string   `xml:"RequestID"`
	}
	if status := ec2(t, s, team, region, url.Values{"Action": {"DescribeNetworkInterfaces"}, "Colour": {"red"}}, &out); status != 400 ||
		out.Code != "UnknownParameter" || !strings.Contains(out.Message, "Colour") || out.ID == "" {
		t.Errorf("%d %+v", status, out)
	}
	if status := ec2(t, s, team, region, url.Values{"Action": {"RunInstances"}}, &out); status != 501 || !strings.Contains(out.Message, "RunInstances") {
		t.Errorf("%d %+v", status, out)
	}
}
