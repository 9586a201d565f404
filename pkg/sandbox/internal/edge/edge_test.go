package edge_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/apigateway"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloudfront"
	"github.com/originhub/originhub/pkg/sandbox/internal/edge"
	"github.com/originhub/originhub/pkg/sandbox/internal/network"
)

const (
	hub       = "100000000000"
	teamA     = "111111111111"
	teamB     = "222222222222"
	allViewer = "216adef6-5c7f-47e4-b989-5492eafa07d3"
	exceptHst = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
	disabled  = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"

	deployment = cloudfront.DistributionDeployment
	notFound   = `function handler(event) { return { statusCode: 404, statusDescription: 'Not Found' }; }`
	pass       = `function handler(event) { return event.request; }`
)

type world struct {
	testing.TB
	*cloud.World
	edge   *edge.Edge
	shared bool
}

func (w *world) SharedWith(string, string) bool { return w.shared }

func newWorld(t testing.TB) *world {
	w := &world{TB: t, World: cloud.New(cloud.Options{Seed: 1}), shared: true}
	cf := cloudfront.New(w.World)
	w.Register(cf.API())
	w.Sharing = w
	w.edge = edge.New(w.World, cf, network.New(w.World, cf).Balancing(), apigateway.New(w.World))
	return w
}

func call[O any](w *world, account, operation string, in any) *O {
	w.Helper()
	out, err := w.Invoke(cloud.Root(account), "us-east-1", "cloudfront", operation, in)
	if err != nil {
		w.Fatalf("%s: %v", operation, err)
	}
	return out.(*O)
}

// origin makes a VPC origin that points at the load balancer with this name.
func (w *world) origin(account, name string, tags ...cloudfront.Tag) (id string) {
	w.Helper()
	id = call[cloudfront.VpcOriginOutput](w, account, "CreateVpcOrigin", &cloudfront.CreateVpcOriginInput{
		VpcOriginEndpointConfig: &cloudfront.EndpointConfig{
			Name: name, HTTPPort: 80, HTTPSPort: 443, OriginProtocolPolicy: "https-only",
			Arn: "arn:aws:elasticloadbalancing:eu-west-1:" + account + ":loadbalancer/app/" + name + "/0123456789abcdef",
		},
		Tags: &cloudfront.Tags{Items: tags},
	}).VpcOrigin.ID
	w.Clock.Advance(cloudfront.VpcOriginDeployment)
	return id
}

func (w *world) function(code string) (arn string) {
	w.Helper()
	name := "f" + w.IDs.Hex(8)
	out := call[cloudfront.FunctionOutput](w, hub, "CreateFunction", &cloudfront.CreateFunctionInput{
		Name: name, FunctionConfig: &cloudfront.FunctionConfig{Runtime: "cloudfront-js-2.0"},
		FunctionCode: base64.StdEncoding.EncodeToString([]byte(code)),
	})
	call[cloudfront.FunctionOutput](w, hub, "PublishFunction", &cloudfront.FunctionVersionInput{Name: name, IfMatch: out.ETag})
	return out.FunctionSummary.FunctionMetadata.FunctionARN
}

// config is a DistributionConfig in short.
type config struct {
	reference string
	aliases   []string
	origins   []string // Origin elements beside the placeholder
	behaviors []string // CacheBehavior elements
	fallback  string   // inside DefaultCacheBehavior
	disabled  bool
	errors    string // inside CustomErrorResponses
}

func (c config) xml() cloud.RawXML {
	placeholder := "<Origin><Id>placeholder</Id><DomainName>placeholder.invalid</DomainName><CustomOriginConfig><HTTPPort>80</HTTPPort>" +
		"<HTTPSPort>443</HTTPSPort><OriginProtocolPolicy>https-only</OriginProtocolPolicy></CustomOriginConfig></Origin>"
	var aliases []string
	for _, a := range c.aliases {
		aliases = append(aliases, "<CNAME>"+a+"</CNAME>")
	}
	return cloud.RawXML(fmt.Sprintf("<DistributionConfig><CallerReference>%s</CallerReference><Comment/>%s%s<DefaultCacheBehavior>"+
		"<TargetOriginId>placeholder</TargetOriginId>%s</DefaultCacheBehavior>%s<Enabled>%t</Enabled>%s<ViewerCertificate>"+
		"<ACMCertificateArn>arn:aws:acm:us-east-1:100000000000:certificate/1</ACMCertificateArn><SSLSupportMethod>sni-only</SSLSupportMethod>"+
		"</ViewerCertificate></DistributionConfig>", c.reference, list("Aliases", aliases), c.errors, policies("", c.fallback),
		list("CacheBehaviors", c.behaviors), !c.disabled, list("Origins", append([]string{placeholder}, c.origins...))))
}

func list(name string, items []string) string {
	if len(items) == 0 {
		return "<" + name + "><Quantity>0</Quantity></" + name + ">"
	}
	return fmt.Sprintf("<%s><Quantity>%d</Quantity><Items>%s</Items></%s>", name, len(items), strings.Join(items, ""), name)
}

func policies(request, extra string) string {
	if request != "" {
		request = "<OriginRequestPolicyId>" + request + "</OriginRequestPolicyId>"
	}
	return "<ViewerProtocolPolicy>https-only</ViewerProtocolPolicy><CachePolicyId>" + disabled + "</CachePolicyId>" + request + extra
}

func originElement(id, vpcOrigin, owner, extra string) string {
	return "<Origin><Id>" + id + "</Id><DomainName>" + id + ".internal.example.com</DomainName>" + extra + "<VpcOriginConfig><OwnerAccountId>" + owner +
		"</OwnerAccountId><VpcOriginId>" + vpcOrigin + "</VpcOriginId></VpcOriginConfig></Origin>"
}

func behavior(pattern, target, request, extra string) string {
	return "<CacheBehavior><PathPattern>" + pattern + "</PathPattern><TargetOriginId>" + target + "</TargetOriginId>" + policies(request, extra) +
		"</CacheBehavior>"
}

func runs(event, arn string) string {
	return list("FunctionAssociations", []string{
		"<FunctionAssociation><EventType>" + event + "</EventType><FunctionARN>" + arn + "</FunctionARN></FunctionAssociation>",
	})
}

type distribution struct{ id, domain, etag string }

func (w *world) distribution(c config) distribution {
	w.Helper()
	d := describe(call[cloudfront.DistributionOutput](w, hub, "CreateDistribution", &cloudfront.CreateDistributionInput{DistributionConfig: c.xml()}))
	w.Clock.Advance(deployment)
	return d
}

func (w *world) update(d distribution, c config) {
	w.Helper()
	call[cloudfront.DistributionOutput](w, hub, "UpdateDistribution", &cloudfront.UpdateDistributionInput{
		ID: d.id, IfMatch: d.etag, DistributionConfig: c.xml(),
	})
}

func describe(out *cloudfront.DistributionOutput) distribution {
	text := func(name string) string {
		_, rest, _ := strings.Cut(string(out.Distribution), "<"+name+">")
		value, _, _ := strings.Cut(rest, "<")
		return value
	}
	return distribution{text("Id"), text("DomainName"), out.ETag}
}

// teams is the world of the demo: two teams behind one wildcard, everything else answered by a function.
func (w *world) teams() (distribution, config) {
	c := config{aliases: []string{"*.example.com"}, fallback: runs("viewer-request", w.function(notFound))}
	for i, team := range []string{"team-a", "team-b"} {
		account := []string{teamA, teamB}[i]
		id := w.origin(account, team, cloudfront.Tag{Key: "originhub:host", Value: team + ".example.com"})
		c.origins = append(c.origins, originElement(team, id, account, ""))
		c.behaviors = append(c.behaviors, behavior("/"+team+"/*", team, allViewer, ""))
	}
	return w.distribution(c), c
}

func TestTheDemosMatrix(t *testing.T) {
	w := newWorld(t)
	w.teams()
	for _, test := range []struct {
		host, path string
		status     int
		by, body   string
	}{
		{"team-a.example.com", "/team-a/customers/123", 200, "application", `"customerId": "123"`},
		{"team-b.example.com", "/team-b/customers/9", 200, "application", `"account": "222222222222"`},
		{"TEAM-A.example.com:4567", "/team-a/customers/123?q=1", 200, "application", `"customerId": "123"`},
		{"team-a.example.com", "/team-b/customers/123", 403, "load balancer", "Forbidden"},
		{"team-b.example.com", "/team-a/customers/123", 403, "load balancer", "Forbidden"},
		{"team-a.example.com", "/customers/123", 404, "function", ""},
		{"team-a.example.com", "/", 404, "function", ""},
		{"team-a.example.com", "/TEAM-A/customers/123", 404, "function", ""},
		{"team-a.example.com", "/team-a/orders/1", 404, "application", `"message"`},
		{"team-c.example.com", "/team-a/customers/123", 403, "load balancer", "Forbidden"},
		{"example.com", "/team-a/customers/123", 403, "edge", "no distribution has the host"},
		{"team-a.example.org", "/team-a/customers/123", 403, "edge", "no distribution has the host"},
	} {
		status, header, body := w.edge.Serve(test.host, "GET", test.path)
		if status != test.status || header.Get("X-Sandbox-Answered-By") != test.by || !strings.Contains(body, test.body) {
			t.Errorf("%s%s: %d by %s: %s", test.host, test.path, status, header.Get("X-Sandbox-Answered-By"), body)
		}
	}
}

func TestOverHTTP(t *testing.T) {
	w := newWorld(t)
	w.teams()
	server := httptest.NewServer(w.edge)
	defer server.Close()
	var wait sync.WaitGroup
	for i := range 20 {
		wait.Go(func() {
			request, err := http.NewRequest(http.MethodGet, fmt.Sprintf("%s/team-a/customers/%d", server.URL, i), nil)
			if err != nil {
				t.Error(err)
				return
			}
			request.Host = "team-a.example.com"
			response, err := server.Client().Do(request)
			if err != nil {
				t.Error(err)
				return
			}
			body, err := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if err != nil || response.StatusCode != 200 || !strings.Contains(string(body), fmt.Sprintf(`"customerId": "%d"`, i)) {
				t.Errorf("%d %s %v", response.StatusCode, body, err)
			}
			if h := response.Header; h.Get("X-Cache") != "Miss from cloudfront" || h.Get("X-Sandbox-Origin") != "team-a" ||
				h.Get("X-Sandbox-Behavior") != "/team-a/*" || !strings.HasSuffix(h.Get("Via"), ".cloudfront.net (CloudFront)") {
				t.Errorf("headers %v", h)
			}
		})
	}
	wait.Wait()
}

func TestAliases(t *testing.T) {
	w := newWorld(t)
	ids := map[string]string{}
	for _, aliases := range []string{"*.example.com", "*.a.example.com", "x.example.com"} {
		d := w.distribution(config{reference: aliases, aliases: []string{aliases}})
		ids[aliases], ids[d.domain] = d.id, d.id
	}
	for host, want := range map[string]string{
		"y.example.com": "*.example.com", "x.example.com": "x.example.com", "b.a.example.com": "*.a.example.com", "c.b.a.example.com": "*.a.example.com",
		"a.example.com": "*.example.com",
	} {
		_, header, _ := w.edge.Serve(host, "GET", "/")
		if got := header.Get("X-Sandbox-Distribution"); got != ids[want] {
			t.Errorf("%s goes to %s, want that of %s", host, got, want)
		}
	}
	for domain, id := range ids {
		if !strings.HasSuffix(domain, ".cloudfront.net") {
			continue
		}
		if _, header, _ := w.edge.Serve(domain, "GET", "/"); header.Get("X-Sandbox-Distribution") != id {
			t.Errorf("%s goes to %s, want %s", domain, header.Get("X-Sandbox-Distribution"), id)
		}
	}
}

func TestBehaviors(t *testing.T) {
	w := newWorld(t)
	patterns := []string{"/images/*.jpg", "/a?c", "exact", "/case/*", "*.PHP", "/images/*", "/x/*/y", "/%7Ehome/*", "/dots/*"}
	c := config{aliases: []string{"www.example.com"}}
	for _, p := range patterns {
		c.behaviors = append(c.behaviors, behavior(p, "placeholder", "", ""))
	}
	w.distribution(c)
	for path, want := range map[string]string{
		"/images/a.jpg": "/images/*.jpg", "/images/a/b.jpg": "/images/*.jpg", "/images/a.jpg?x=y.png": "/images/*.jpg", "/images/a.JPG": "/images/*",
		"/abc": "/a?c", "/a/c": "/a?c", "/abbc": "default", "/ac": "default", "/exact": "exact", "/exact/": "default", "/Case/x": "default",
		"/case/": "/case/*", "/case": "default", "/index.PHP": "*.PHP", "/a/index.PHP": "*.PHP", "/x/1/2/y": "/x/*/y", "/x/y": "default", "/": "default",
		"/dots/../case/x": "/case/*", "/dots/%2e%2E/case/x": "/case/*", "/dots/./x": "/dots/*", "/..": "default", "/c%61se/x": "/case/*", "/case%2Fx": "default",
		"/dots/%zz": "/dots/*",
	} {
		if _, header, _ := w.edge.Serve("www.example.com", "GET", path); header.Get("X-Sandbox-Behavior") != want {
			t.Errorf("%s: %s, want %s", path, header.Get("X-Sandbox-Behavior"), want)
		}
	}
}

func TestAssumption_EDGE_01_RawPathToTheOrigin(t *testing.T) {
	w := newWorld(t)
	w.teams()
	status, header, body := w.edge.Serve("team-a.example.com", "GET", "/x/../team-a/orders/1")
	if header.Get("X-Sandbox-Behavior") != "/team-a/*" || status != 404 || !strings.Contains(body, "/x/../team-a/orders/1") {
		t.Errorf("%d %s: %s", status, header.Get("X-Sandbox-Behavior"), body)
	}
}

func TestAssumption_EDGE_02_FirstDeployment(t *testing.T) {
	w := newWorld(t)
	c := config{aliases: []string{"www.example.com"}, fallback: runs("viewer-request", w.function(notFound))}
	d := describe(call[cloudfront.DistributionOutput](w, hub, "CreateDistribution", &cloudfront.CreateDistributionInput{DistributionConfig: c.xml()}))
	w.Clock.Advance(deployment - time.Second)
	for host, want := range map[string]int{d.domain: 503, "www.example.com": 403} {
		if status, _, _ := w.edge.Serve(host, "GET", "/"); status != want {
			t.Errorf("%s answers %d before its first deployment, want %d", host, status, want)
		}
	}
	w.Clock.Advance(time.Second)
	for _, host := range []string{d.domain, "www.example.com"} {
		if status, _, _ := w.edge.Serve(host, "GET", "/"); status != 404 {
			t.Errorf("%s answers %d, want the function's 404", host, status)
		}
	}
}

func TestUpdatesTakeTheirTime(t *testing.T) {
	w := newWorld(t)
	d, c := w.teams()
	get := func() int {
		status, _, _ := w.edge.Serve("team-a.example.com", "GET", "/team-a/customers/1")
		return status
	}
	c.behaviors, c.origins = nil, nil
	w.update(d, c)
	w.Clock.Advance(deployment - time.Second)
	if got := get(); got != 200 {
		t.Errorf("%d before the update is Deployed", got)
	}
	w.Clock.Advance(time.Second)
	if got := get(); got != 404 {
		t.Errorf("%d after the update is Deployed", got)
	}
}

func TestAssumption_EDGE_03_Disabled(t *testing.T) {
	w := newWorld(t)
	d, c := w.teams()
	c.disabled = true
	w.update(d, c)
	if status, _, _ := w.edge.Serve("team-a.example.com", "GET", "/team-a/customers/1"); status != 200 {
		t.Errorf("%d while being disabled", status)
	}
	w.Clock.Advance(deployment)
	if status, _, _ := w.edge.Serve("team-a.example.com", "GET", "/team-a/customers/1"); status != 403 {
		t.Errorf("%d when disabled", status)
	}
}

func TestAssumption_EDGE_04_OriginNotDeployed(t *testing.T) {
	w := newWorld(t)
	out := call[cloudfront.VpcOriginOutput](w, teamA, "CreateVpcOrigin", &cloudfront.CreateVpcOriginInput{
		VpcOriginEndpointConfig: &cloudfront.EndpointConfig{
			Name: "www", HTTPPort: 80, HTTPSPort: 443, OriginProtocolPolicy: "https-only",
			Arn: "arn:aws:elasticloadbalancing:eu-west-1:" + teamA + ":loadbalancer/app/www/0123456789abcdef",
		},
	})
	w.distribution(config{aliases: []string{"www.example.com"}, origins: []string{originElement("www", out.VpcOrigin.ID, teamA, "")}, behaviors: []string{behavior("*", "www", allViewer, "")}})
	if status, _, _ := w.edge.Serve("www.example.com", "GET", "/x/customers/1"); status != 504 {
		t.Errorf("%d while Deploying", status)
	}
	w.Clock.Advance(cloudfront.VpcOriginDeployment)
	if status, _, _ := w.edge.Serve("www.example.com", "GET", "/x/customers/1"); status != 200 {
		t.Errorf("%d when Deployed", status)
	}
}

func TestAssumption_EDGE_05_ListenerRules(t *testing.T) {
	w := newWorld(t)
	tagged := w.origin(teamA, "shop", cloudfront.Tag{Key: "originhub:host", Value: "one.example.com two.example.com three.example.com"})
	named := w.origin(teamB, "team-b", cloudfront.Tag{Key: "host", Value: "one.example.com"})
	w.distribution(config{
		aliases: []string{"*.example.com"},
		origins: []string{originElement("shop", tagged, teamA, ""), originElement("team-b", named, teamB, "")},
		behaviors: []string{
			behavior("/shop/*", "shop", allViewer, ""), behavior("/team-b/*", "team-b", allViewer, ""),
		},
	})
	for request, want := range map[string]int{
		"one.example.com /shop/customers/1": 200, "two.example.com /shop/customers/1": 200, "three.example.com /shop/customers/1": 200,
		"shop.example.com /shop/customers/1": 403, "team-b.example.com /team-b/customers/1": 200, "one.example.com /team-b/customers/1": 403,
		"team-b.x.example.com /team-b/customers/1": 200,
	} {
		host, path, _ := strings.Cut(request, " ")
		if status, _, _ := w.edge.Serve(host, "GET", path); status != want {
			t.Errorf("%s: %d, want %d", request, status, want)
		}
	}
}

func TestAssumption_EDGE_07_ForwardedHost(t *testing.T) {
	w := newWorld(t)
	internal := "shop.internal.example.com"
	id := w.origin(teamA, "shop", cloudfront.Tag{Key: "x:host", Value: "www.example.com chosen.example.com " + internal})
	selects := func(options string) string {
		return runs("viewer-request", w.function("import cf from 'cloudfront';\nfunction handler(event) {\n"+
			"  cf.selectRequestOriginById('shop'"+options+");\n  return event.request;\n}"))
	}
	w.distribution(config{
		aliases: []string{"www.example.com"}, origins: []string{originElement("shop", id, teamA, "")},
		behaviors: []string{
			behavior("/viewer/*", "shop", allViewer, ""), behavior("/except/*", "shop", exceptHst, ""), behavior("/none/*", "shop", "", ""),
			behavior("/selected/*", "placeholder", "", selects("")), behavior("/forwarded/*", "placeholder", allViewer, selects("")),
			behavior("/chosen/*", "placeholder", allViewer, selects(", {hostHeader: 'chosen.example.com', sni: 'x'}")),
		},
	})
	for path, want := range map[string]string{
		"/viewer/": "www.example.com", "/except/": internal, "/none/": internal, "/selected/": internal, "/forwarded/": "www.example.com",
		"/chosen/": "chosen.example.com",
	} {
		if status, _, body := w.edge.Serve("www.example.com", "GET", path+"customers/1"); status != 200 || !strings.Contains(body, `"host": "`+want+`"`) {
			t.Errorf("%s: %d %s, want host %s", path, status, body, want)
		}
	}
}

func TestAssumption_EDGE_08_ViewersCountAsHTTPS(t *testing.T) {
	w := newWorld(t)
	w.teams()
	request := httptest.NewRequest(http.MethodGet, "http://team-a.example.com/team-a/customers/1", nil)
	recorder := httptest.NewRecorder()
	w.edge.ServeHTTP(recorder, request)
	if recorder.Code != 200 {
		t.Errorf("a plain HTTP viewer got %d from an https-only behavior", recorder.Code)
	}
}

func TestAssumption_EDGE_09_NoSuccessIsCached(t *testing.T) {
	w := newWorld(t)
	w.teams()
	for range 2 {
		if _, header, _ := w.edge.Serve("team-a.example.com", "GET", "/team-a/customers/1"); header.Get("X-Cache") != "Miss from cloudfront" {
			t.Errorf("x-cache %q", header.Get("X-Cache"))
		}
	}
}

func TestAssumption_EDGE_10_UnsharedOriginsKeepServing(t *testing.T) {
	w := newWorld(t)
	w.teams()
	w.shared = false
	w.Clock.Advance(24 * time.Hour)
	if status, _, _ := w.edge.Serve("team-a.example.com", "GET", "/team-a/customers/1"); status != 200 {
		t.Errorf("%d after the share was revoked", status)
	}
}

func TestResponseHeadersPolicyRemovesHeaders(t *testing.T) {
	w := newWorld(t)
	d, c := w.teams()
	out := call[cloudfront.PolicyOutput](w, hub, "CreateResponseHeadersPolicy", &cloudfront.CreatePolicyInput{Config: cloud.RawXML(
		"<ResponseHeadersPolicyConfig><Name>drop</Name><RemoveHeadersConfig><Quantity>1</Quantity><Items><ResponseHeadersPolicyRemoveHeader>" +
			"<Header>Content-Type</Header></ResponseHeadersPolicyRemoveHeader></Items></RemoveHeadersConfig></ResponseHeadersPolicyConfig>")})
	_, id, _ := strings.Cut(string(out.Policy), "<Id>")
	id, _, _ = strings.Cut(id, "</Id>")
	c.behaviors[0] = strings.Replace(c.behaviors[0], "</CacheBehavior>", "<ResponseHeadersPolicyId>"+id+"</ResponseHeadersPolicyId></CacheBehavior>", 1)
	w.update(d, c)
	w.Clock.Advance(deployment)
	for host, want := range map[string]string{"team-a.example.com": "", "team-b.example.com": "application/json"} {
		team, _, _ := strings.Cut(host, ".")
		if _, header, _ := w.edge.Serve(host, "GET", "/"+team+"/customers/1"); header.Get("Content-Type") != want {
			t.Errorf("%s: Content-Type %q, want %q", host, header.Get("Content-Type"), want)
		}
	}
}

func TestMethods(t *testing.T) {
	w := newWorld(t)
	id := w.origin(teamA, "www")
	all := list("AllowedMethods", []string{
		"<Method>GET</Method>", "<Method>HEAD</Method>", "<Method>OPTIONS</Method>", "<Method>PUT</Method>", "<Method>PATCH</Method>",
		"<Method>POST</Method>", "<Method>DELETE</Method>",
	})
	w.distribution(config{
		aliases: []string{"www.example.com"}, origins: []string{originElement("www", id, teamA, "<OriginPath>/v1</OriginPath>")},
		behaviors: []string{behavior("/all/*", "www", allViewer, all), behavior("/few/*", "www", allViewer, ""), behavior("/customers/*", "www", allViewer, "")},
	})
	for request, want := range map[string]int{
		"GET /few/x": 404, "POST /few/x": 403, "POST /all/x": 404, "PURGE /all/x": 403, "GET /customers/7": 200, "HEAD /customers/7": 200,
	} {
		method, path, _ := strings.Cut(request, " ")
		status, _, body := w.edge.Serve("www.example.com", method, path)
		if status != want || method == "HEAD" && body != "" {
			t.Errorf("%s: %d %q, want %d", request, status, body, want)
		}
	}
}

func TestAssumption_EDGE_12_MethodIsCheckedBeforeOrAfterTheFunction(t *testing.T) {
	w := newWorld(t)
	id := w.origin(teamA, "www")
	arn := w.function("function handler(event) { return event.request.uri == '/none' ? { statusCode: 404 } : event.request; }")
	w.distribution(config{
		aliases: []string{"www.example.com"}, origins: []string{originElement("www", id, teamA, "<OriginPath>/v1</OriginPath>")},
		behaviors: []string{behavior("*", "www", allViewer, runs("viewer-request", arn))},
	})
	for _, c := range []struct {
		first   bool
		request string
		want    int
	}{
		{false, "GET /none", 404},
		{true, "GET /none", 404},
		{false, "POST /none", 403},
		{true, "POST /none", 404},
		{false, "POST /customers/7", 403},
		{true, "POST /customers/7", 403},
		{true, "GET /customers/7", 200},
	} {
		w.edge.FunctionsFirst = c.first
		method, path, _ := strings.Cut(c.request, " ")
		if status, _, _ := w.edge.Serve("www.example.com", method, path); status != c.want {
			t.Errorf("%s, function first %t: %d, want %d", c.request, c.first, status, c.want)
		}
	}
}

func TestOriginsThatAreNotThere(t *testing.T) {
	w := newWorld(t)
	w.distribution(config{aliases: []string{"www.example.com"}})
	if status, header, body := w.edge.Serve("www.example.com", "GET", "/"); status != 502 || header.Get("X-Sandbox-Origin") != "placeholder" || !strings.Contains(body, "placeholder.invalid") {
		t.Errorf("%d %v %s", status, header, body)
	}
}
