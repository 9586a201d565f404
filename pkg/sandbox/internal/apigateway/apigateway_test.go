package apigateway_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/apigateway"
	"github.com/originhub/originhub/pkg/sandbox/internal/cfn"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/iam"
	"github.com/originhub/originhub/pkg/sandbox/internal/network"
	"github.com/originhub/originhub/pkg/sandbox/internal/wire"
)

const (
	team        = "111111111111"
	region      = "us-east-1"
	host        = "team-a.example.com"
	endpoint    = "vpce-0000000000000000a"
	certificate = "arn:aws:acm:us-east-1:111111111111:certificate/1"
	function    = "arn:aws:lambda:us-east-1:111111111111:function:customers"
	uri         = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" + function + "/invocations"
)

type (
	m         = map[string]any
	resources map[string]m
)

// lab deploys APIs and calls them.
type lab struct {
	testing.TB
	*cloud.World
	apis     *apigateway.Service
	stacks   *cfn.Service
	endpoint network.EndpointView
	invoked  apigateway.Invocation
	answer   string // of the function
	fails    error
}

func newLab(t *testing.T) *lab {
	w := cloud.New(cloud.Options{Seed: 1})
	l := &lab{TB: t, World: w, apis: apigateway.New(w), answer: `{"statusCode":200,"body":"{\"customerId\": \"123\"}","headers":{"X-Team":"a"}}`}
	w.Authorizer = iam.New(w)
	l.endpoint = network.EndpointView{
		ID: endpoint, Account: team, Region: region, Vpc: "vpc-1", Service: "com.amazonaws.us-east-1.execute-api",
		Policy: `{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}]}`,
	}
	l.apis.Certificate = func(arn, _, _ string) ([]string, bool) { return []string{"*.example.com"}, arn == certificate }
	l.apis.Endpoint = func(id string) (network.EndpointView, bool) { return l.endpoint, id == endpoint }
	l.apis.Lambda = func(i apigateway.Invocation) (apigateway.Result, error) {
		l.invoked = i
		failed := ""
		if strings.Contains(l.answer, "errorMessage") {
			failed = "Unhandled"
		}
		return apigateway.Result{Payload: []byte(l.answer), FunctionError: failed}, l.fails
	}
	w.Register(l.apis.API())
	l.stacks = cfn.New(w, l.apis.ResourceTypes(), nil)
	return l
}

// bound is a policy that lets requests through one endpoint pass.
func bound(vpce string) m {
	everybody := m{"AWS": "*"}
	return m{"Version": "2012-10-17", "Statement": []any{
		m{"Effect": "Allow", "Principal": everybody, "Action": "execute-api:Invoke", "Resource": "execute-api:/*"},
		m{
			"Effect": "Deny", "Principal": everybody, "Action": "execute-api:Invoke", "Resource": []any{"execute-api:/*"},
			"Condition": m{"StringNotEquals": m{"aws:SourceVpce": vpce}},
		},
	}}
}

func ref(id string) m { return m{"Ref": id} }

func att(id, name string) m { return m{"Fn::GetAtt": []any{id, name}} }

func private() resources {
	kind := func(name string, properties m, needs ...any) m {
		return m{"Type": "AWS::ApiGateway::" + name, "Properties": properties, "DependsOn": needs}
	}
	return resources{
		"Api":   kind("RestApi", m{"Name": "team-a", "EndpointConfiguration": m{"Types": []any{"PRIVATE"}}, "Policy": bound(endpoint)}),
		"Proxy": kind("Resource", m{"RestApiId": ref("Api"), "ParentId": att("Api", "RootResourceId"), "PathPart": "{proxy+}"}),
		"Any": kind("Method", m{
			"RestApiId": ref("Api"), "ResourceId": ref("Proxy"), "HttpMethod": "ANY", "AuthorizationType": "NONE",
			"Integration": m{"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": uri},
		}),
		"Deployment": kind("Deployment", m{"RestApiId": ref("Api")}, "Any"),
		"Stage":      kind("Stage", m{"RestApiId": ref("Api"), "DeploymentId": ref("Deployment"), "StageName": "live"}),
		"Domain": kind("DomainNameV2", m{
			"DomainName": host, "CertificateArn": certificate, "EndpointConfiguration": m{"Types": []any{"PRIVATE"}}, "Policy": bound(endpoint), "SecurityPolicy": "TLS_1_2",
		}),
		"Mapping":     kind("BasePathMappingV2", m{"DomainNameArn": att("Domain", "DomainNameArn"), "BasePath": "team-a", "RestApiId": ref("Api"), "Stage": ref("Stage")}),
		"Association": kind("DomainNameAccessAssociation", m{"DomainNameArn": ref("Domain"), "AccessAssociationSource": endpoint, "AccessAssociationSourceType": "VPCE"}),
	}
}

// set changes one property, or removes the resource when no property is named.
func (r resources) set(path string, value any) resources {
	id, name, _ := strings.Cut(path, ".")
	switch {
	case name == "":
		delete(r, id)
	case value == nil:
		delete(r[id]["Properties"].(m), name)
	default:
		r[id]["Properties"].(m)[name] = value
	}
	return r
}

func (l *lab) deploy(r resources) (map[string]string, error) {
	b, err := json.Marshal(m{"Resources": r, "Outputs": m{"Api": m{"Value": ref("Api")}}})
	if err != nil {
		l.Fatal(err)
	}
	return l.stacks.Deploy(team, region, "team", b, nil)
}

func (l *lab) must(r resources) map[string]string {
	l.Helper()
	out, err := l.deploy(r)
	if err != nil {
		l.Fatal(err)
	}
	l.Clock.UntilIdle(time.Hour)
	return out
}

func (l *lab) get(path string) network.Answer {
	return l.apis.Serve(l.endpoint, apigateway.Request{
		Method: http.MethodGet, Host: host, Path: path, Query: url.Values{"q": {"1", "2"}}, Header: http.Header{"Accept": {"*/*"}},
	})
}

func TestPrivateAPI(t *testing.T) {
	l := newLab(t)
	id := l.must(private())["Api"]
	a := l.get("/team-a/customers/123")
	if a.Status != 200 || a.Body != `{"customerId": "123"}` || a.By != "application" || a.Header.Get("X-Team") != "a" || a.Reason != "" {
		t.Errorf("got %+v", a)
	}
	i := l.invoked
	if i.Function != function || i.Caller.Service != "apigateway.amazonaws.com" || i.Caller.SourceARN != "arn:aws:execute-api:us-east-1:"+team+":"+id+"/live/GET/{proxy+}" {
		t.Errorf("invoked %+v", i)
	}
	var event struct {
		Resource, Path, HTTPMethod string
		PathParameters             map[string]string
		MultiValueQueryString      map[string][]string `json:"multiValueQueryStringParameters"`
		Headers                    map[string]string
		RequestContext             struct{ Stage, DomainName string }
	}
	if err := json.Unmarshal(i.Payload, &event); err != nil {
		t.Fatal(err)
	}
	if event.Resource != "/{proxy+}" || event.Path != "/team-a/customers/123" || event.HTTPMethod != "GET" || event.PathParameters["proxy"] != "customers/123" ||
		len(event.MultiValueQueryString["q"]) != 2 || event.Headers["Host"] != host || event.RequestContext.Stage != "live" || event.RequestContext.DomainName != host {
		t.Errorf("event %s", i.Payload)
	}
	if _, err := l.stacks.Delete(team, region, "team"); err != nil {
		t.Fatal(err)
	}
	l.Do(func() {
		for kind, list := range l.apis.Snapshot(team) {
			if len(list.([]any)) > 0 {
				t.Errorf("left behind: %s %v", kind, list)
			}
		}
	})
}

// Each link that is broken gives the answer that API Gateway gives, and says what is wrong.
func TestBrokenLinks(t *testing.T) {
	const forbidden, denied = `{"message":"Forbidden"}`, "User: anonymous is not authorized to perform: execute-api:Invoke"
	for name, test := range map[string]struct {
		template resources
		change   func(l *lab)
		path     string
		status   int
		body     string
		says     string
	}{
		"no association":              {private().set("Association", nil), nil, "/team-a/x", 403, forbidden, "is associated with endpoint"},
		"domain without policy":       {private().set("Domain.Policy", nil), nil, "/team-a/x", 403, denied, "private custom domain name " + host + ": it has none"},
		"domain for another endpoint": {private().set("Domain.Policy", bound("vpce-2")), nil, "/team-a/x", 403, denied, "explicit deny"},
		"API for another endpoint":    {private().set("Api.Policy", bound("vpce-2")), nil, "/team-a/x", 403, denied, "API team-a"},
		"another base path":           {private(), nil, "/team-b/x", 403, forbidden, "no base path mapping"},
		"no method for the path":      {private(), nil, "/team-a", 403, `{"message":"Missing Authentication Token"}`, "has no method GET for /"},
		"no method for the verb":      {private().set("Any.HttpMethod", "POST"), nil, "/team-a/x", 403, `{"message":"Missing Authentication Token"}`, "no method GET"},
		"closed endpoint": {private(), func(l *lab) {
			l.endpoint.Policy = `{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"arn:aws:execute-api:us-east-1:111111111111:abc/*"}]}`
		}, "/team-a/x", 403, denied, "endpoint " + endpoint},
		"not permitted to invoke": {private(), func(l *lab) { l.fails = cloud.Errorf(403, "AccessDeniedException", "no") }, "/team-a/x", 500, `{"message":"Internal server error"}`, "may not invoke"},
		"function is gone":        {private(), func(l *lab) { l.fails = errors.New("gone") }, "/team-a/x", 500, `{"message":"Internal server error"}`, "gone"},
		"function fails":          {private(), func(l *lab) { l.answer = `{"errorMessage":"boom"}` }, "/team-a/x", 502, `{"message":"Internal server error"}`, "boom"},
		"answer is no object":     {private(), func(l *lab) { l.answer = `"hello"` }, "/team-a/x", 502, `{"message":"Internal server error"}`, "malformed"},
		"answer without status":   {private(), func(l *lab) { l.answer = `{"body":"x"}` }, "/team-a/x", 502, `{"message":"Internal server error"}`, "statusCode"},
		"answer with more":        {private(), func(l *lab) { l.answer = `{"statusCode":200,"colour":"red"}` }, "/team-a/x", 502, `{"message":"Internal server error"}`, "colour"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			l.must(test.template)
			if test.change != nil {
				test.change(l)
			}
			a := l.get(test.path)
			if a.Status != test.status || !strings.Contains(a.Body, test.body) || !strings.Contains(a.Reason, test.says) || a.By != "API Gateway" {
				t.Errorf("%d %s: %s, by %s", a.Status, a.Body, a.Reason, a.By)
			}
		})
	}
}

func TestWhatTemplatesAreRefused(t *testing.T) {
	twice := func(id string) resources {
		r := private()
		r["Again"] = r[id]
		return r
	}
	other := twice("Proxy")
	other["Again"] = m{"Type": "AWS::ApiGateway::Resource", "Properties": m{
		"RestApiId": ref("Api"), "ParentId": att("Api", "RootResourceId"), "PathPart": "{id}",
	}}
	integration := func(kind, verb, uri string) resources {
		return private().set("Any.Integration", m{"Type": kind, "IntegrationHttpMethod": verb, "Uri": uri})
	}
	for name, test := range map[string]struct {
		template resources
		says     string
	}{
		"public API":                 {private().set("Api.EndpointConfiguration", m{"Types": []any{"REGIONAL"}}), "REGIONAL"},
		"API without policy":         {private().set("Api.Policy", nil), "doesn't have a resource policy"},
		"API with unknown endpoint":  {private().set("Api.EndpointConfiguration", m{"Types": []any{"PRIVATE"}, "VpcEndpointIds": []any{"vpce-2"}}), "vpce-2"},
		"unknown property":           {private().set("Stage.Colour", "red"), `unknown field "Colour"`},
		"greedy path in the middle":  {private().set("Proxy.PathPart", "{proxy+}x"), "path part"},
		"authorizer":                 {private().set("Any.AuthorizationType", "AWS_IAM"), "AWS_IAM"},
		"unknown verb":               {private().set("Any.HttpMethod", "PURGE"), "PURGE"},
		"HTTP integration":           {integration("HTTP_PROXY", "GET", "https://example.com"), "AWS_PROXY"},
		"function invoked by GET":    {integration("AWS_PROXY", "GET", uri), "POST"},
		"function of another Region": {integration("AWS_PROXY", "POST", strings.Replace(uri, "us-east-1", "eu-west-1", 1)), "Invalid ARN"},
		"method twice":               {twice("Any"), "already exists"},
		"resource twice":             {twice("Proxy"), "same parent"},
		"two variables":              {other, "only one is allowed"},
		"stage twice":                {twice("Stage"), "Stage already exists"},
		"nothing to deploy":          {private().set("Any", nil), "DependsOn"},
		"stage name":                 {private().set("Stage.StageName", "live stage"), "Stage name"},
		"wildcard domain":            {private().set("Domain.DomainName", "*.example.com"), "Wildcard"},
		"certificate of elsewhere":   {private().set("Domain.CertificateArn", certificate+"2"), "certificate"},
		"name without certificate":   {private().set("Domain.DomainName", "a.b.example.com"), "not covered"},
		"newer TLS":                  {private().set("Domain.SecurityPolicy", "TLS_1_3"), "TLS_1_2"},
		"public domain":              {private().set("Domain.EndpointConfiguration", m{"Types": []any{"EDGE"}}), "EDGE"},
		"base path of two levels":    {private().set("Mapping.BasePath", "a/b"), "Multi-level"},
		"mapping twice":              {twice("Mapping"), "Base path already exists"},
		"mapping without stage":      {private().set("Mapping.Stage", "test"), "Invalid stage"},
		"unknown endpoint":           {private().set("Association.AccessAssociationSource", "vpce-2"), "vpce-2"},
		"association twice":          {twice("Association"), "already associated"},
		"association with a VPC":     {private().set("Association.AccessAssociationSourceType", "VPC"), "VPCE"},
	} {
		l := newLab(t)
		if _, err := l.deploy(test.template); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want %s", name, err, test.says)
		}
	}
}

// What is changed without a new deployment is not served.
func TestDeploymentsAreSnapshots(t *testing.T) {
	l := newLab(t)
	l.must(private())
	r := private()
	r["Health"] = m{"Type": "AWS::ApiGateway::Resource", "Properties": m{"RestApiId": ref("Api"), "ParentId": att("Api", "RootResourceId"), "PathPart": "health"}}
	other := strings.Replace(uri, "customers", "health", 1)
	r["HealthGet"] = m{"Type": "AWS::ApiGateway::Method", "Properties": m{
		"RestApiId": ref("Api"), "ResourceId": ref("Health"), "HttpMethod": "GET", "AuthorizationType": "NONE",
		"Integration": m{"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": other},
	}}
	l.must(r)
	if l.get("/team-a/health"); !strings.HasSuffix(l.invoked.Function, ":customers") {
		t.Errorf("before the deployment: %s", l.invoked.Function)
	}
	r["Deployment2"] = m{"Type": "AWS::ApiGateway::Deployment", "DependsOn": []any{"HealthGet", "Any"}, "Properties": m{"RestApiId": ref("Api")}}
	l.must(r.set("Deployment", nil).set("Stage.DeploymentId", ref("Deployment2")))
	if l.get("/team-a/health"); !strings.HasSuffix(l.invoked.Function, ":health") {
		t.Errorf("after it: %s", l.invoked.Function)
	}
	if l.get("/team-a/customers/1"); !strings.HasSuffix(l.invoked.Function, ":customers") {
		t.Errorf("a longer path: %s", l.invoked.Function)
	}
}

func TestAssumption_APIGW_01_UnknownHost(t *testing.T) {
	l := newLab(t)
	l.must(private())
	l.Do(func() {
		if status := l.apis.Probe(l.endpoint, "10.20.0.7", "/"); status != 403 {
			t.Errorf("by address: %d", status)
		}
		if status := l.apis.Probe(l.endpoint, host, "/team-a/x"); status != 200 {
			t.Errorf("by name: %d", status)
		}
	})
}

func TestAssumption_APIGW_02_Provisioning(t *testing.T) {
	l := newLab(t)
	if _, err := l.deploy(private()); err != nil {
		t.Fatal(err)
	}
	l.Clock.Advance(apigateway.Provisioning - time.Second)
	if a := l.get("/team-a/x"); a.Status != 403 || !strings.Contains(a.Reason, "still being provisioned") {
		t.Errorf("got %+v", a)
	}
	l.Clock.Advance(time.Second)
	if a := l.get("/team-a/x"); a.Status != 200 {
		t.Errorf("got %+v", a)
	}
	l.must(private().set("Association", nil))
	if _, err := l.deploy(private()); err != nil {
		t.Fatal(err)
	}
	if a := l.get("/team-a/x"); a.Status != 403 || !strings.Contains(a.Reason, "access association") {
		t.Errorf("associated again: %+v", a)
	}
}

func TestAssumption_APIGW_03_InUse(t *testing.T) {
	l := newLab(t)
	l.must(private())
	kinds := map[string]cloud.ResourceType{}
	for _, kind := range l.apis.ResourceTypes() {
		kinds[kind.Name] = kind
	}
	var domain, api, deployment string
	l.Do(func() {
		snapshot := l.apis.Snapshot(team)
		domain, api = snapshot["domainNames"].([]any)[0].(m)["arn"].(string), snapshot["restApis"].([]any)[0].(m)["id"].(string)
	})
	out, err := l.Invoke(cloud.Root(team), region, "apigateway", "GetStages", &apigateway.RestAPIInput{ID: api})
	if err != nil {
		t.Fatal(err)
	}
	deployment = out.(*apigateway.Stages).Items[0].DeploymentID
	for kind, old := range map[string]*cloud.Resource{
		"DomainNameV2": {Ref: domain}, "RestApi": {Ref: api}, "Stage": {Ref: "live", Attributes: map[string]string{"api": api}},
		"Deployment": {Ref: deployment, Attributes: map[string]string{"api": api}},
	} {
		err := kinds["AWS::ApiGateway::"+kind].Delete(&cloud.ResourceRequest{World: l.World, Account: team, Region: region}, old)
		if err == nil || cloud.AsError(err).Code != "BadRequestException" {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// What a client reads, as bytes. What it sends is TestGoldenRequestsOfTheSDK's, but for calls that are refused there for a
// parameter that the sandbox leaves out.
func TestWire(t *testing.T) {
	l := newLab(t)
	id := l.must(private())["Api"]
	codec, err := wire.New(l.Service("apigateway"))
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string) (int, string) {
		op, in, failure := codec.Decode(httptest.NewRequest(http.MethodGet, path, nil), nil)
		if failure != nil {
			return failure.Status, failure.Message
		}
		out, err := l.Invoke(cloud.Root(team), region, "apigateway", op.Name, in)
		if err != nil {
			return cloud.AsError(err).Status, err.Error()
		}
		recorder := httptest.NewRecorder()
		if err := codec.Encode(recorder, op, "request", out); err != nil {
			t.Fatal(err)
		}
		return recorder.Code, recorder.Body.String()
	}
	_, domains := get("/domainnames")
	_, rest, _ := strings.Cut(domains, `"domainNameId":"`)
	domainID, _, _ := strings.Cut(rest, `"`)
	for path, test := range map[string]struct {
		status int
		want   string
	}{
		"/restapis":                       {200, `{"item":[{"id":"` + id},
		"/restapis/" + id:                 {200, `"types":["PRIVATE"]`},
		"/restapis/none":                  {404, "NotFoundException"},
		"/restapis/" + id + "/resources":  {200, `"path":"/{proxy+}"`},
		"/restapis/" + id + "/stages":     {200, `"stageName":"live"`},
		"/domainnames?limit=500":          {200, `"domainNameStatus":"AVAILABLE"`},
		"/domainnameaccessassociations":   {200, `"accessAssociationSource":"` + endpoint},
		"/domainnames/x/basepathmappings": {404, "NotFoundException"},
		"/domainnames/" + host + "/basepathmappings?domainNameId=" + domainID: {200, `"basePath":"team-a"`},
	} {
		if status, body := get(path); status != test.status || !strings.Contains(body, test.want) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}
