package edge_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/apigateway"
	"github.com/originhub/originhub/pkg/sandbox/internal/cfn"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloudfront"
	"github.com/originhub/originhub/pkg/sandbox/internal/edge"
	"github.com/originhub/originhub/pkg/sandbox/internal/network"
)

const (
	region  = "us-east-1"
	address = "10.20.0.5" // of the endpoint, which is made after the load balancer has taken the first address of the subnet
)

// privateSide is what a team's stack makes behind its VPC origin.
const privateSide = `{"Resources":{
 "Vpc":{"Type":"AWS::EC2::VPC","Properties":{"CidrBlock":"10.20.0.0/20"}},
 "A":{"Type":"AWS::EC2::Subnet","Properties":{"VpcId":{"Ref":"Vpc"},"CidrBlock":"10.20.0.0/24","AvailabilityZone":"us-east-1a"}},
 "B":{"Type":"AWS::EC2::Subnet","Properties":{"VpcId":{"Ref":"Vpc"},"CidrBlock":"10.20.1.0/24","AvailabilityZone":"us-east-1b"}},
 "Gateway":{"Type":"AWS::EC2::InternetGateway"},
 "Attachment":{"Type":"AWS::EC2::VPCGatewayAttachment","Properties":{"VpcId":{"Ref":"Vpc"},"InternetGatewayId":{"Ref":"Gateway"}}},
 "Group":{"Type":"AWS::EC2::SecurityGroup","Properties":{"GroupDescription":"all","VpcId":{"Ref":"Vpc"},
  "SecurityGroupIngress":[{"IpProtocol":"tcp","FromPort":443,"ToPort":443,"CidrIp":"0.0.0.0/0"}]}},
 "Balancer":{"Type":"AWS::ElasticLoadBalancingV2::LoadBalancer","Properties":{
  "Name":"team-a","Scheme":"internal","Subnets":[{"Ref":"A"},{"Ref":"B"}],"SecurityGroups":[{"Ref":"Group"}]}},
 "Endpoint":{"Type":"AWS::EC2::VPCEndpoint","DependsOn":"Balancer","Properties":{"VpcId":{"Ref":"Vpc"},"VpcEndpointType":"Interface",
  "ServiceName":"com.amazonaws.us-east-1.execute-api","SubnetIds":[{"Ref":"A"}],"SecurityGroupIds":[{"Ref":"Group"}]}},
 "Targets":{"Type":"AWS::ElasticLoadBalancingV2::TargetGroup","Properties":{"Name":"team-a","TargetType":"ip","Port":443,"Protocol":"HTTPS",
  "VpcId":{"Ref":"Vpc"},"HealthCheckProtocol":"HTTPS","Matcher":{"HttpCode":"403"},"Targets":[{"Id":"` + address + `"}]}},
 "Listener":{"Type":"AWS::ElasticLoadBalancingV2::Listener","Properties":{"LoadBalancerArn":{"Ref":"Balancer"},"Port":443,"Protocol":"HTTPS",
  "Certificates":[{"CertificateArn":"c"}],"DefaultActions":[{"Type":"fixed-response","FixedResponseConfig":{"StatusCode":"403"}}]}},
 "Rule":{"Type":"AWS::ElasticLoadBalancingV2::ListenerRule","Properties":{"ListenerArn":{"Ref":"Listener"},"Priority":1,
  "Conditions":[{"Field":"host-header","Values":["team-a.example.com"]}],"Actions":[{"Type":"forward","TargetGroupArn":{"Ref":"Targets"}}]}},
 "Origin":{"Type":"AWS::CloudFront::VpcOrigin","DependsOn":["Attachment","Rule"],"Properties":{"VpcOriginEndpointConfig":{"Name":"team-a",
  "Arn":{"Ref":"Balancer"},"OriginProtocolPolicy":"https-only","OriginSSLProtocols":["TLSv1.2"]}}},
 "Api":{"Type":"AWS::ApiGateway::RestApi","Properties":{"Name":"team-a","EndpointConfiguration":{"Types":["PRIVATE"]},"Policy":{"Statement":{}}}},
 "Proxy":{"Type":"AWS::ApiGateway::Resource","Properties":{"RestApiId":{"Ref":"Api"},"ParentId":{"Fn::GetAtt":["Api","RootResourceId"]},"PathPart":"{proxy+}"}},
 "Any":{"Type":"AWS::ApiGateway::Method","Properties":{"RestApiId":{"Ref":"Api"},"ResourceId":{"Ref":"Proxy"},"HttpMethod":"ANY","AuthorizationType":"NONE",
  "Integration":{"Type":"AWS_PROXY","IntegrationHttpMethod":"POST",
   "Uri":"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:111111111111:function:f/invocations"}}},
 "Deployment":{"Type":"AWS::ApiGateway::Deployment","DependsOn":"Any","Properties":{"RestApiId":{"Ref":"Api"}}},
 "Stage":{"Type":"AWS::ApiGateway::Stage","Properties":{"RestApiId":{"Ref":"Api"},"DeploymentId":{"Ref":"Deployment"},"StageName":"live"}},
 "Domain":{"Type":"AWS::ApiGateway::DomainNameV2","Properties":{"DomainName":"team-a.example.com","CertificateArn":"c",
  "EndpointConfiguration":{"Types":["PRIVATE"]},"Policy":{"Statement":{}}}},
 "Mapping":{"Type":"AWS::ApiGateway::BasePathMappingV2","Properties":{"DomainNameArn":{"Ref":"Domain"},"BasePath":"team-a","RestApiId":{"Ref":"Api"},"Stage":{"Ref":"Stage"}}},
 "Association":{"Type":"AWS::ApiGateway::DomainNameAccessAssociation","Properties":{"DomainNameArn":{"Ref":"Domain"},
  "AccessAssociationSource":{"Ref":"Endpoint"},"AccessAssociationSourceType":"VPCE"}}
},"Outputs":{"Origin":{"Value":{"Ref":"Origin"}}}}`

// wholeWay returns a world in which a team's stack is behind a distribution, its network, and the last event of the team's function.
func wholeWay(t *testing.T, errors string) (w *world, net *network.Service, event *struct{ Body, Path, HTTPMethod string }) {
	w = &world{TB: t, World: cloud.New(cloud.Options{Seed: 1}), shared: true}
	cf := cloudfront.New(w.World)
	net = network.New(w.World, cf)
	apis := apigateway.New(w.World)
	certificate := func(arn, _, _ string) ([]string, bool) { return []string{"*.example.com"}, arn == "c" }
	net.Balancing().Certificate, apis.Certificate = certificate, certificate
	net.Balancing().Probe, apis.Endpoint = apis.Probe, net.Endpoint
	event = &struct{ Body, Path, HTTPMethod string }{}
	apis.Lambda = func(i apigateway.Invocation) (apigateway.Result, error) {
		if err := json.Unmarshal(i.Payload, event); err != nil {
			t.Error(err)
		}
		return apigateway.Result{Payload: []byte(`{"statusCode":201,"body":"made"}`)}, nil
	}
	w.Register(cf.API(), net.API(), net.Balancing().API())
	w.Sharing = w
	w.edge = edge.New(w.World, cf, net.Balancing(), apis)
	stacks := cfn.New(w.World, slices.Concat(cf.ResourceTypes(), net.ResourceTypes(), net.Balancing().ResourceTypes(), apis.ResourceTypes()), nil)
	out, err := stacks.Deploy(teamA, region, "team", []byte(privateSide), nil)
	if err != nil {
		t.Fatal(err)
	}
	w.Clock.UntilIdle(time.Hour)
	all := list("AllowedMethods", []string{
		"<Method>GET</Method>", "<Method>HEAD</Method>", "<Method>OPTIONS</Method>", "<Method>PUT</Method>", "<Method>PATCH</Method>",
		"<Method>POST</Method>", "<Method>DELETE</Method>",
	})
	w.distribution(config{
		aliases: []string{"*.example.com"}, origins: []string{originElement("team-a", out["Origin"], teamA, "")},
		behaviors: []string{behavior("*", "team-a", allViewer, all)}, errors: errors,
	})
	return w, net, event
}

// A viewer's Host that the load balancer has no certificate for gets an error. Until the edge forgets it, every other viewer of the path gets
// it too, unless the distribution has such errors cached for 0 seconds.
func TestAssumption_EDGE_11_ErrorsAreCached(t *testing.T) {
	const kept = "<CustomErrorResponses><Quantity>1</Quantity><Items><CustomErrorResponse><ErrorCode>502</ErrorCode><ResponsePagePath/><ResponseCode/>" +
		"<ErrorCachingMinTTL>%d</ErrorCachingMinTTL></CustomErrorResponse></Items></CustomErrorResponses>"
	for name, c := range map[string]struct {
		errors string
		ttl    time.Duration
	}{
		"by default":    {"", 10 * time.Second},
		"for a minute":  {fmt.Sprintf(kept, 60), time.Minute},
		"for 0 seconds": {fmt.Sprintf(kept, 0), 0},
	} {
		t.Run(name, func(t *testing.T) {
			w, _, _ := wholeWay(t, c.errors)
			status := func(method, host string) int {
				status, _, _ := w.edge.Serve(host, method, "/team-a/x")
				return status
			}
			if got := status("GET", "a.b.example.com"); got != 502 {
				t.Fatalf("%d for a Host without a certificate", got)
			}
			if got := status("POST", "team-a.example.com"); got != 201 {
				t.Errorf("POST: %d, and CloudFront caches only responses to GET and HEAD", got)
			}
			if c.ttl > 0 {
				w.Clock.Advance(c.ttl - time.Second)
				if got := status("GET", "team-a.example.com"); got != 502 {
					t.Errorf("%d before the error is forgotten", got)
				}
				w.Clock.Advance(time.Second)
			}
			if got := status("GET", "team-a.example.com"); got != 201 {
				t.Errorf("%d %s after the error", got, c.ttl)
			}
		})
	}
}

// A viewer's request goes the whole way through what a stack made, and a link that fails is named in a header.
func TestTheWholeWay(t *testing.T) {
	w, net, event := wholeWay(t, "")

	request := httptest.NewRequest(http.MethodPost, "http://team-a.example.com/team-a/customers", strings.NewReader("a customer"))
	recorder := httptest.NewRecorder()
	w.edge.ServeHTTP(recorder, request)
	if recorder.Code != 201 || recorder.Body.String() != "made" || recorder.Header().Get("X-Sandbox-Answered-By") != "application" ||
		event.Body != "a customer" || event.Path != "/team-a/customers" || event.HTTPMethod != "POST" {
		t.Errorf("%d %s %v, event %+v", recorder.Code, recorder.Body, recorder.Header(), event)
	}
	for target, want := range map[string]struct {
		status   int
		by, says string
	}{
		"team-b.example.com /team-a/x": {403, "load balancer", "default action"},
		"team-a.example.com /team-b/x": {403, "API Gateway", "no base path mapping"},
		"a.b.example.com /team-a/x":    {502, "edge", "does not cover a.b.example.com"},
	} {
		host, path, _ := strings.Cut(target, " ")
		w.Clock.Advance(10 * time.Second) // until the edge forgets the error before
		status, header, body := w.edge.Serve(host, http.MethodGet, path)
		if status != want.status || header.Get("X-Sandbox-Answered-By") != want.by || !strings.Contains(header.Get("X-Sandbox-Reason"), want.says) {
			t.Errorf("%s: %d by %s: %s: %s", target, status, header.Get("X-Sandbox-Answered-By"), header.Get("X-Sandbox-Reason"), body)
		}
	}
	w.Clock.Advance(10 * time.Second)
	net.ReplaceAllInterfaces(teamA, region)
	if status, header, _ := w.edge.Serve("team-a.example.com", http.MethodGet, "/team-a/x"); status != 504 || !strings.Contains(header.Get("X-Sandbox-Reason"), address) {
		t.Errorf("with a stale target: %d %v", status, header)
	}
}
