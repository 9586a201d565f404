package edge_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloudfront"
)

func TestFunctions(t *testing.T) {
	for name, test := range map[string]struct {
		code   string
		status int
		body   string
		header map[string]string
	}{
		"the demo's 404":   {notFound, 404, "", map[string]string{"X-Cache": "FunctionGeneratedResponse from cloudfront", "X-Sandbox-Answered-By": "function"}},
		"request as it is": {pass, 200, `"customerId": "1"`, nil},
		"new path":         {`function handler(event) { event.request.uri = '/x/customers/2'; return event.request; }`, 200, `"customerId": "2"`, nil},
		"response with all its parts": {
			`function handler(event) { return {statusCode: 302, headers: {location: {value: 'https://' + event.request.headers.host.value + event.request.uri},
				'x-two': {value: 'a', multiValue: [{value: 'a'}, {value: 'b'}]}}, cookies: {c: {value: 'v', attributes: 'Secure'}}, body: 'moved'}; }`,
			302, "moved",
			map[string]string{"Location": "https://www.example.com/x/customers/1", "Set-Cookie": "c=v; Secure", "X-Two": "a"},
		},
		"body in base64":     {`function handler(event) { return {statusCode: 200, body: {encoding: 'base64', data: 'aGk='}}; }`, 200, "hi", nil},
		"async":              {`async function handler(event) { await null; return {statusCode: 418}; }`, 418, "", nil},
		"constant":           {`const handler = (event) => ({statusCode: 418});`, 418, "", nil},
		"console":            {`function handler(event) { console.log('x'); return {statusCode: 418}; }`, 418, "", nil},
		"virtual time":       {`function handler(event) { return {statusCode: 200, body: new Date().toISOString()}; }`, 200, "2035-01-08T09:", nil},
		"host from event":    {`function handler(event) { return {statusCode: 200, body: event.context.eventType + event.viewer.ip + event.version}; }`, 200, "viewer-request127.0.0.11.0", nil},
		"imports":            {"import cf from 'cloudfront';\nfunction handler(event) { return {statusCode: 200, body: typeof cf.selectRequestOriginById}; }", 200, "function", nil},
		"other import":       {"import fs from 'fs';\n" + pass, 503, "only cloudfront can be imported", map[string]string{"X-Cache": "FunctionExecutionError from cloudfront"}},
		"update origin":      {"import cf from \"cloudfront\"\nfunction handler(event) { cf.updateRequestOrigin({}); }", 503, "cf.updateRequestOrigin", nil},
		"store":              {"import cf from 'cloudfront';\nconst s = cf.kvs('x');\n" + pass, 503, "cf.kvs", nil},
		"require":            {"const c = require('crypto');\n" + pass, 503, "require", nil},
		"syntax error":       {"function handler(event) {", 503, "", nil},
		"no handler":         {"function other(event) {}", 503, "handler", nil},
		"exception":          {"function handler(event) { throw new Error('oops'); }", 503, "oops", nil},
		"rejection":          {"async function handler(event) { throw new Error('oops'); }", 503, "oops", nil},
		"endless":            {"function handler(event) { for (;;) {} }", 503, "too long", nil},
		"nothing":            {"function handler(event) {}", 502, "neither a request nor a response", map[string]string{"X-Cache": "FunctionValidationError from cloudfront"}},
		"bad status":         {"function handler(event) { return {statusCode: 99}; }", 502, "status 99", nil},
		"header in capitals": {"function handler(event) { return {statusCode: 200, headers: {'X-A': {value: 'b'}}}; }", 502, "X-A", nil},
		"another host":       {"function handler(event) { event.request.headers.host.value = 'evil.example.com'; return event.request; }", 502, "Host", nil},
		"missing origin":     {"import cf from 'cloudfront';\nfunction handler(event) { cf.selectRequestOriginById('none'); return event.request; }", 502, "none", nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			id := w.origin(teamA, "www")
			w.distribution(config{
				aliases: []string{"www.example.com"}, origins: []string{originElement("www", id, teamA, "")},
				behaviors: []string{behavior("*", "www", allViewer, runs("viewer-request", w.function(test.code)))},
			})
			status, header, body := w.edge.Serve("www.example.com", "GET", "/x/customers/1")
			if status != test.status || !strings.Contains(body, test.body) {
				t.Errorf("%d %s, want %d %s", status, body, test.status, test.body)
			}
			for name, want := range test.header {
				if got := header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestAssumption_EDGE_06_FunctionErrors(t *testing.T) {
	w := newWorld(t)
	w.distribution(config{aliases: []string{"www.example.com"}, behaviors: []string{
		behavior("/fails", "placeholder", "", runs("viewer-request", w.function("function handler() { null.x }"))),
		behavior("/invalid", "placeholder", "", runs("viewer-request", w.function("function handler() { return 1 }"))),
	}})
	for path, want := range map[string]int{"/fails": 503, "/invalid": 502} {
		if status, _, _ := w.edge.Serve("www.example.com", "GET", path); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
}

// The event is what AWS documents, from a request with everything in it.
func TestEvent(t *testing.T) {
	w := newWorld(t)
	d := w.distribution(config{aliases: []string{"www.example.com"}, behaviors: []string{
		behavior("*", "placeholder", "", runs("viewer-request", w.function("function handler(event) { return {statusCode: 200, body: JSON.stringify(event)} }"))),
	}})
	r := httptest.NewRequest(http.MethodGet, "http://www.example.com/a%20b?x=1&x=2&y=", nil)
	r.Header.Set("Cookie", "c=v")
	r.Header.Add("X-Two", "1")
	r.Header.Add("X-Two", "2")
	recorder := httptest.NewRecorder()
	w.edge.ServeHTTP(recorder, r)
	want := `{"version":"1.0","context":{"distributionDomainName":"` + d.domain + `","distributionId":"` + d.id + `","eventType":"viewer-request","requestId":"sandbox"},` +
		`"viewer":{"ip":"127.0.0.1"},"request":{"method":"GET","uri":"/a%20b","querystring":{"x":{"value":"1","multiValue":[{"value":"1"},{"value":"2"}]},"y":{"value":""}},` +
		`"headers":{"host":{"value":"www.example.com"},"x-two":{"value":"1","multiValue":[{"value":"1"},{"value":"2"}]}},"cookies":{"c":{"value":"v"}}}}`
	if got := recorder.Body.String(); got != want || !json.Valid([]byte(got)) {
		t.Errorf("event\n%s\nwant\n%s", got, want)
	}
}

func TestViewerResponse(t *testing.T) {
	w := newWorld(t)
	id := w.origin(teamA, "www")
	w.distribution(config{
		aliases: []string{"www.example.com"}, origins: []string{originElement("www", id, teamA, "")},
		behaviors: []string{behavior("*", "www", allViewer, runs("viewer-response", w.function(
			"function handler(event) { event.response.headers['x-frame-options'] = {value: 'DENY'}; return event.response; }")))},
	})
	status, header, body := w.edge.Serve("www.example.com", "GET", "/x/customers/1")
	if status != 200 || header.Get("X-Frame-Options") != "DENY" || header.Get("Content-Type") != "application/json" || !strings.Contains(body, `"customerId": "1"`) {
		t.Errorf("%d %v %s", status, header, body)
	}
}

// What is published later runs at once, and nothing of the one before is left.
func TestPublishedCodeReplacesTheOld(t *testing.T) {
	w := newWorld(t)
	arn := w.function(notFound)
	w.distribution(config{aliases: []string{"www.example.com"}, behaviors: []string{behavior("*", "placeholder", "", runs("viewer-request", arn))}})
	_, name, _ := strings.Cut(arn, "/")
	current := call[cloudfront.FunctionOutput](w, hub, "DescribeFunction", &cloudfront.FunctionStageInput{Name: name})
	updated := call[cloudfront.UpdateFunctionOutput](w, hub, "UpdateFunction", &cloudfront.UpdateFunctionInput{
		Name: name, IfMatch: current.ETag, FunctionConfig: &current.FunctionSummary.FunctionConfig,
		FunctionCode: "ZnVuY3Rpb24gaGFuZGxlcigpIHsgcmV0dXJuIHtzdGF0dXNDb2RlOiA0MTB9IH0=",
	})
	if status, _, _ := w.edge.Serve("www.example.com", "GET", "/"); status != 404 {
		t.Errorf("%d before publishing", status)
	}
	call[cloudfront.FunctionOutput](w, hub, "PublishFunction", &cloudfront.FunctionVersionInput{Name: name, IfMatch: updated.ETag})
	if status, _, _ := w.edge.Serve("www.example.com", "GET", "/"); status != 410 {
		t.Errorf("%d after publishing", status)
	}
}

func BenchmarkEdgeWithFunction(b *testing.B) {
	w := newWorld(b)
	w.teams()
	for b.Loop() {
		w.edge.Serve("team-a.example.com", "GET", "/none")
	}
}

func BenchmarkEdgeToApplication(b *testing.B) {
	w := newWorld(b)
	w.teams()
	for b.Loop() {
		w.edge.Serve("team-a.example.com", "GET", "/team-a/customers/1")
	}
}
