// Package edge emulates CloudFront's data plane. It routes requests by Host and path to the deployed distributions, runs their
// functions, and follows VPC origins through the load balancers of stacks to the private APIs behind them. A load balancer that
// no stack created is replaced by a stand-in.
//
// The edge terminates no TLS and caches errors only. It does not have custom error pages, default root objects, geographic
// restrictions, web ACLs, origin custom headers and origin failover. It forwards all headers of the viewer to a private API.
package edge

import (
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/originhub/originhub/pkg/sandbox/internal/apigateway"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloudfront"
	"github.com/originhub/originhub/pkg/sandbox/internal/network"
)

// Edge serves viewers. It is an http.Handler for all hosts.
type Edge struct {
	// FunctionsFirst runs viewer-request functions before the method of a request is checked (assumption EDGE-12). Set before the first request.
	FunctionsFirst bool

	world     *cloud.World
	cf        *cloudfront.Service
	balancing *network.Balancing
	apis      *apigateway.Service
	programs  sync.Map // code of a function → *program
	errors    errorCache
}

// New returns an edge for the distributions of all accounts and the endpoints of their VPC origins.
func New(w *cloud.World, cf *cloudfront.Service, balancing *network.Balancing, apis *apigateway.Service) *Edge {
	return &Edge{world: w, cf: cf, balancing: balancing, apis: apis}
}

// viewer is a viewer's request.
type viewer struct {
	method, host, path string // the path is still escaped
	query              url.Values
	header             http.Header
	body               string
}

// largestBody is API Gateway's largest payload, in bytes.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
const largestBody = 10 << 20

// answer is the response to a viewer.
type answer struct {
	status int
	header http.Header
	body   string
}

// ServeHTTP serves a viewer.
func (e *Edge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, largestBody))
	if err != nil {
		http.Error(w, "read body: "+err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	a := e.serve(viewer{
		method: r.Method, host: r.Host, path: r.URL.EscapedPath(), query: r.URL.Query(), header: r.Header, body: string(body),
	})
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		_, _ = io.WriteString(w, a.body) // an error means that the viewer has disconnected
	}
}

// Serve serves a request without a network connection. The path may have a query string.
func (e *Edge) Serve(host, method, path string) (status int, header http.Header, body string) {
	v := viewer{method: method, host: host, path: path, header: http.Header{}}
	if before, query, ok := strings.Cut(path, "?"); ok {
		v.path = before
		v.query, _ = url.ParseQuery(query) // CloudFront's event omits what cannot be parsed too
	}
	a := e.serve(v)
	if method == http.MethodHead {
		a.body = ""
	}
	return a.status, a.header, a.body
}

// route is what one request needs of the world, read at one instant.
type route struct {
	distribution cloudfront.Served
	behavior     *cloudfront.Element
	functions    map[string]string // code by event type
	missing      string            // an associated function that does not exist
	origins      []cloudfront.VpcOriginView
	forwardsHost bool     // whether the behavior sends the viewer's Host to the origin
	removed      []string // headers that the behavior's response headers policy removes
}

func (e *Edge) serve(v viewer) answer {
	v.host, _, _ = strings.Cut(strings.ToLower(v.host), ":")
	if !strings.HasPrefix(v.path, "/") {
		v.path = "/" + v.path
	}
	var r route
	var refusal *answer
	e.world.Do(func() { r, refusal = e.route(v) })
	if refusal != nil {
		return *refusal
	}
	a := e.forward(v, r)
	for _, name := range r.removed {
		a.header.Del(name)
	}
	a.header.Set("Via", "1.1 "+r.distribution.DomainName+" (CloudFront)")
	a.header.Set("X-Sandbox-Distribution", r.distribution.ID)
	a.header.Set("X-Sandbox-Behavior", patternOf(r.behavior))
	return a
}

func (e *Edge) route(v viewer) (route, *answer) {
	d, ok := e.distribution(v.host)
	switch {
	case !ok:
		return route{}, refuse(http.StatusForbidden, "no distribution has the host "+v.host)
	case d.Config == nil:
		// Assumption EDGE-02.
		return route{}, refuse(http.StatusServiceUnavailable, "distribution "+d.ID+" has never been Deployed")
	case d.Config.Value("Enabled") != "true":
		// Assumption EDGE-03.
		return route{}, refuse(http.StatusForbidden, "distribution "+d.ID+" is disabled")
	}
	r := route{distribution: d, behavior: behavior(d.Config, v.path), functions: map[string]string{}, origins: e.cf.VpcOrigins()}
	r.forwardsHost, r.removed = e.cf.ForwardsHost(d.Account, r.behavior), e.cf.RemovedHeaders(d.Account, r.behavior)
	for _, f := range r.behavior.Items("FunctionAssociations") {
		code, there := e.cf.FunctionCode(f.Value("FunctionARN"))
		if !there {
			r.missing = f.Value("FunctionARN")
		}
		r.functions[f.Value("EventType")] = code
	}
	return r, nil
}

// distribution finds the distribution of a host: by exact alias, then by the longest wildcard, then by its own domain name. A
// distribution that was never deployed is found only by its domain name.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/CNAMEs.html
func (e *Edge) distribution(host string) (cloudfront.Served, bool) {
	var best cloudfront.Served
	fit := 0
	for _, d := range e.cf.Served() {
		if d.DomainName == host {
			return d, true
		}
		if n := cloudfront.AliasFor(d.Config, host); n > fit {
			best, fit = d, n
		}
	}
	return best, fit > 0
}

func (e *Edge) forward(v viewer, r route) answer {
	refused := !allowed(r.behavior, v.method) // before or after the function: assumption EDGE-12
	if refused && !e.FunctionsFirst {
		return methodRefused(v.method)
	}
	if r.missing != "" {
		return *refuse(http.StatusServiceUnavailable, "there is no published function "+r.missing)
	}
	target := selection{origin: r.behavior.Value("TargetOriginId")}
	if code, ok := r.functions[viewerRequest]; ok {
		outcome := e.viewerRequest(code, v, r)
		if outcome.answer != nil {
			return *outcome.answer
		}
		v = outcome.viewer
		if outcome.selected.origin != "" {
			target = outcome.selected
		}
	}
	if refused {
		return methodRefused(v.method)
	}
	a := e.fetch(v, r, target)
	if code, ok := r.functions[viewerResponse]; ok && a.status < 400 {
		a = e.viewerResponse(code, v, r, a)
	}
	return a
}

// fetch sends the request to an origin of the distribution.
func (e *Edge) fetch(v viewer, r route, target selection) answer {
	o := origin(r.distribution.Config, target.origin)
	if o == nil {
		return *refuse(http.StatusBadGateway, "the distribution has no origin "+target.origin)
	}
	id := o.Value("VpcOriginConfig", "VpcOriginId")
	if id == "" {
		return *originError(target.origin, http.StatusBadGateway,
			"there is nothing behind "+o.Value("DomainName")+" in the sandbox")
	}
	i := slices.IndexFunc(r.origins, func(v cloudfront.VpcOriginView) bool { return v.ID == id })
	if i < 0 {
		return *originError(target.origin, http.StatusBadGateway, "VPC origin "+id+" is gone")
	}
	if !r.origins[i].Deployed {
		// Assumption EDGE-04.
		return *originError(target.origin, http.StatusGatewayTimeout, "VPC origin "+id+" is not Deployed")
	}
	host := o.Value("DomainName")
	switch {
	case target.host != "":
		host = target.host
	case r.forwardsHost:
		host = v.host
	}
	key, now := r.distribution.ID+" "+v.path, e.world.Clock.Now()
	if cached, ok := e.errors.get(key, v.method, now); ok {
		return cached
	}
	a := e.ask(r.origins[i], r, v, host, o.Value("OriginPath")+v.path)
	a.header.Set("X-Sandbox-Origin", target.origin)
	cache := "Miss from cloudfront"
	if a.status >= 400 {
		cache = "Error from cloudfront"
	}
	a.header.Set("X-Cache", cache)
	e.errors.put(key, v.method, a, now, errorTTL(r.distribution.Config, a))
	return a
}

// ask returns the response of what is behind a VPC origin. Its header X-Sandbox-Reason says which hop failed.
func (e *Edge) ask(o cloudfront.VpcOriginView, r route, v viewer, host, path string) answer {
	var hop network.Hop
	var made bool
	e.world.Do(func() { hop, made = e.balancing.Route(o, network.Request{Host: host, Path: path}) })
	switch {
	case !made:
		b := balancer{arn: o.Endpoint, account: o.Account, origins: r.origins}
		return b.serve(v.method, host, path)
	case hop.Broken != nil:
		a := refuse(hop.Broken.Status, hop.Broken.Reason)
		a.header.Set("X-Sandbox-Reason", hop.Broken.Reason)
		return *a
	case hop.Answer != nil:
		return from(*hop.Answer)
	}
	return from(e.apis.Serve(*hop.Endpoint, apigateway.Request{
		Method: v.method, Host: host, Path: path, Query: v.query, Header: v.header, Body: v.body,
	}))
}

func from(a network.Answer) answer {
	header := a.Header.Clone()
	header.Set("X-Sandbox-Answered-By", a.By)
	if a.Reason != "" {
		header.Set("X-Sandbox-Reason", strings.Join(strings.Fields(a.Reason), " ")) // a header has one line
	}
	return answer{a.Status, header, a.Body}
}

// origin finds an origin by id. For an origin group it returns the first member.
func origin(config *cloudfront.Element, id string) *cloudfront.Element {
	for _, g := range config.Items("OriginGroups") {
		if g.Value("Id") == id {
			id = g.Items("Members")[0].Value("OriginId")
		}
	}
	for _, o := range config.Items("Origins") {
		if o.Value("Id") == id {
			return o
		}
	}
	return nil
}

func methodRefused(method string) answer {
	return *refuse(http.StatusForbidden, "this distribution is not configured to allow the HTTP request method "+method)
}

func allowed(behavior *cloudfront.Element, method string) bool {
	methods := behavior.Values("AllowedMethods")
	if methods == nil {
		methods = []string{http.MethodGet, http.MethodHead}
	}
	return slices.Contains(methods, method)
}

func originError(origin string, status int, says string) *answer {
	a := refuse(status, says)
	a.header.Set("X-Sandbox-Origin", origin)
	return a
}

// refuse returns CloudFront's own error page.
func refuse(status int, says string) *answer {
	return &answer{
		status: status,
		header: http.Header{
			"Content-Type": {"text/html"}, "Server": {"CloudFront"}, "X-Cache": {"Error from cloudfront"},
			"X-Sandbox-Answered-By": {"edge"},
		},
		body: fmt.Sprintf("<!DOCTYPE html>\n<html><head><title>ERROR: The request could not be satisfied</title></head>"+
			"<body><h1>%d ERROR</h1><h2>The request could not be satisfied.</h2><p>%s</p></body></html>\n", status, html.EscapeString(says)),
	}
}
