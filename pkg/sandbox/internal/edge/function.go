package edge

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/dop251/goja"
)

const (
	viewerRequest  = "viewer-request"
	viewerResponse = "viewer-response"

	// patience is the time that a function may run in real time, as a guard against endless loops. CloudFront's limit is lower.
	patience = time.Second
)

// program is a compiled function, or its compilation error.
type program struct {
	compiled *goja.Program
	err      error
}

// selection is the origin that a function chose instead of the behavior's.
type selection struct {
	origin string
	host   string // Host to send; empty for the default
}

// outcome is the result of a viewer-request function: a response, or the request to continue with.
type outcome struct {
	answer   *answer
	viewer   viewer
	selected selection
}

// event is the event of cloudfront-js-2.0.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-event-structure.html
type event struct {
	Version  string         `json:"version"`
	Context  eventContext   `json:"context"`
	Viewer   eventViewer    `json:"viewer"`
	Request  eventRequest   `json:"request"`
	Response *eventResponse `json:"response,omitempty"`
}

type eventContext struct {
	DistributionDomainName string `json:"distributionDomainName"`
	DistributionID         string `json:"distributionId"`
	EventType              string `json:"eventType"`
	RequestID              string `json:"requestId"`
}

type eventViewer struct {
	IP string `json:"ip"`
}

type eventRequest struct {
	Method      string                `json:"method"`
	URI         string                `json:"uri"`
	Querystring map[string]eventValue `json:"querystring"`
	Headers     map[string]eventValue `json:"headers"`
	Cookies     map[string]eventValue `json:"cookies"`
}

type eventResponse struct {
	StatusCode        int                   `json:"statusCode"`
	StatusDescription string                `json:"statusDescription,omitempty"`
	Headers           map[string]eventValue `json:"headers,omitempty"`
	Cookies           map[string]eventValue `json:"cookies,omitempty"`
	Body              json.RawMessage       `json:"body,omitempty"`
}

type eventValue struct {
	Value      string       `json:"value"`
	Attributes string       `json:"attributes,omitempty"`
	MultiValue []eventValue `json:"multiValue,omitempty"`
}

func (e *Edge) viewerRequest(code string, v viewer, r route) outcome {
	result, selected, err := e.run(code, newEvent(viewerRequest, v, r))
	if err != nil {
		return outcome{answer: functionFailed(err)}
	}
	var kind struct {
		StatusCode *json.RawMessage `json:"statusCode"`
		Method     *json.RawMessage `json:"method"`
	}
	if err := json.Unmarshal(result, &kind); err != nil || (kind.StatusCode == nil) == (kind.Method == nil) {
		return outcome{answer: functionInvalid("the function returned neither a request nor a response")}
	}
	if kind.StatusCode != nil {
		a, err := functionAnswer(result, answer{header: http.Header{}})
		if err != nil {
			return outcome{answer: functionInvalid(err.Error())}
		}
		a.header.Set("X-Cache", "FunctionGeneratedResponse from cloudfront")
		a.header.Set("X-Sandbox-Answered-By", "function")
		return outcome{answer: &a}
	}
	var request eventRequest
	if err := json.Unmarshal(result, &request); err != nil {
		return outcome{answer: functionInvalid(err.Error())}
	}
	if host := request.Headers["host"].Value; host != v.host || request.Method != v.method || !strings.HasPrefix(request.URI, "/") {
		return outcome{answer: functionInvalid("a function can change neither the method nor the Host header, and a URI " +
			"begins with /")}
	}
	v.path = request.URI
	return outcome{viewer: v, selected: selected}
}

func (e *Edge) viewerResponse(code string, v viewer, r route, a answer) answer {
	ev := newEvent(viewerResponse, v, r)
	ev.Response = &eventResponse{
		StatusCode: a.status, StatusDescription: http.StatusText(a.status),
		Headers: eventHeaders(a.header),
	}
	result, _, err := e.run(code, ev)
	if err != nil {
		return *functionFailed(err)
	}
	changed, err := functionAnswer(result, a)
	if err != nil {
		return *functionInvalid(err.Error())
	}
	return changed
}

func newEvent(kind string, v viewer, r route) event {
	request := eventRequest{
		Method: v.method, URI: v.path, Querystring: map[string]eventValue{}, Headers: eventHeaders(v.header), Cookies: map[string]eventValue{},
	}
	request.Headers["host"] = eventValue{Value: v.host}
	for name, values := range v.query {
		request.Querystring[name] = eventValues(values)
	}
	for _, c := range (&http.Request{Header: v.header}).Cookies() {
		request.Cookies[c.Name] = eventValue{Value: c.Value}
	}
	delete(request.Headers, "cookie")
	return event{
		Version: "1.0", Viewer: eventViewer{"127.0.0.1"}, Request: request,
		Context: eventContext{r.distribution.DomainName, r.distribution.ID, kind, "sandbox"},
	}
}

func eventHeaders(h http.Header) map[string]eventValue {
	headers := map[string]eventValue{}
	for name, values := range h {
		headers[strings.ToLower(name)] = eventValues(values)
	}
	return headers
}

// eventValues returns one value. If there are several, it also has all of them.
func eventValues(values []string) eventValue {
	if len(values) == 0 {
		return eventValue{}
	}
	v := eventValue{Value: values[0]}
	if len(values) > 1 {
		for _, each := range values {
			v.MultiValue = append(v.MultiValue, eventValue{Value: each})
		}
	}
	return v
}

// functionAnswer returns the response that a function returned, merged into the response that it got.
func functionAnswer(result []byte, a answer) (answer, error) {
	var response eventResponse
	if err := json.Unmarshal(result, &response); err != nil {
		return a, fmt.Errorf("the function's response: %w", err)
	}
	if response.StatusCode < 200 || response.StatusCode > 599 {
		return a, fmt.Errorf("the function's response has status %d", response.StatusCode)
	}
	a.status = response.StatusCode
	if response.Headers != nil {
		a.header = http.Header{}
	}
	for name, v := range response.Headers {
		if name != strings.ToLower(name) {
			return a, fmt.Errorf("the function's header %s is not in lower case", name)
		}
		if len(v.MultiValue) == 0 {
			a.header.Set(name, v.Value)
		}
		for _, each := range v.MultiValue {
			a.header.Add(name, each.Value)
		}
	}
	for name, v := range response.Cookies {
		cookie := name + "=" + url.PathEscape(v.Value)
		if v.Attributes != "" {
			cookie += "; " + v.Attributes
		}
		a.header.Add("Set-Cookie", cookie)
	}
	if len(response.Body) == 0 {
		return a, nil
	}
	var text string
	if json.Unmarshal(response.Body, &text) == nil {
		a.body = text
		return a, nil
	}
	var body struct{ Encoding, Data string }
	if err := json.Unmarshal(response.Body, &body); err != nil {
		return a, fmt.Errorf("the function's body: %w", err)
	}
	a.body = body.Data
	if body.Encoding == "base64" {
		data, err := base64.StdEncoding.DecodeString(body.Data)
		if err != nil {
			return a, fmt.Errorf("the function's body: %w", err)
		}
		a.body = string(data)
	}
	return a, nil
}

// run calls the function's handler in a runtime of its own and returns the handler's result as JSON.
func (e *Edge) run(code string, ev event) ([]byte, selection, error) {
	p := e.program(code)
	if p.err != nil {
		return nil, selection{}, p.err
	}
	vm := goja.New()
	now := e.world.Clock.Now()
	vm.SetTimeSource(func() time.Time { return now })
	vm.SetRandSource(func() float64 { return 0.5 })
	timer := time.AfterFunc(patience, func() { vm.Interrupt("the function ran for too long") })
	defer timer.Stop()

	var selected selection
	if err := errors.Join(vm.Set("__cloudfront", helpers(vm, &selected)), vm.Set("console", console()),
		vm.Set("require", refusal(vm, "require"))); err != nil {
		return nil, selected, fmt.Errorf("prepare the function: %w", err)
	}
	value, err := vm.RunProgram(p.compiled)
	if err != nil {
		return nil, selected, fmt.Errorf("load the function: %w", err)
	}
	handler, ok := goja.AssertFunction(value)
	if !ok {
		return nil, selected, errors.New("handler is not a function")
	}
	document, err := json.Marshal(ev)
	if err != nil {
		return nil, selected, fmt.Errorf("write the event: %w", err)
	}
	input, err := inJSON(vm, "parse", vm.ToValue(string(document)))
	if err != nil {
		return nil, selected, fmt.Errorf("write the event: %w", err)
	}
	result, err := handler(goja.Undefined(), input)
	if err != nil {
		return nil, selected, fmt.Errorf("run the function: %w", err)
	}
	if promise, ok := result.Export().(*goja.Promise); ok {
		if promise.State() != goja.PromiseStateFulfilled {
			return nil, selected, fmt.Errorf("run the function: its promise ended with %v", promise.Result())
		}
		result = promise.Result()
	}
	out, err := inJSON(vm, "stringify", result)
	if err != nil {
		return nil, selected, fmt.Errorf("read the function's result: %w", err)
	}
	return []byte(out.String()), selected, nil
}

// inJSON calls JSON.parse or JSON.stringify, which keep the order of members. Go maps would not.
func inJSON(vm *goja.Runtime, method string, v goja.Value) (goja.Value, error) {
	call, _ := goja.AssertFunction(vm.GlobalObject().Get("JSON").ToObject(vm).Get(method))
	return call(goja.Undefined(), v)
}

// program compiles a function once. Scripts have no import, so the one module that CloudFront knows becomes a constant.
func (e *Edge) program(code string) *program {
	if known, ok := e.programs.Load(code); ok {
		return known.(*program)
	}
	script := regexp.MustCompile(`(?m)^\s*import\s+([A-Za-z_$][\w$]*)\s+from\s+['"]cloudfront['"]\s*;?`).
		ReplaceAllString(code, "const $1 = __cloudfront;")
	p := &program{}
	if other := regexp.MustCompile(`(?m)^\s*import\b.*$`).FindString(script); other != "" {
		p.err = fmt.Errorf("compile the function: %q: only cloudfront can be imported", strings.TrimSpace(other))
	} else if p.compiled, p.err = goja.Compile("function", script+"\n;handler", false); p.err != nil {
		p.err = fmt.Errorf("compile the function: %w", p.err)
	}
	known, _ := e.programs.LoadOrStore(code, p)
	return known.(*program)
}

// helpers returns the cloudfront module. A member that the sandbox does not have is an error that names it.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/helper-functions-origin-modification.html
func helpers(vm *goja.Runtime, selected *selection) map[string]any {
	return map[string]any{
		"selectRequestOriginById": func(call goja.FunctionCall) goja.Value {
			*selected = selection{origin: call.Argument(0).String()}
			if options, ok := call.Argument(1).(*goja.Object); ok {
				if host := options.Get("hostHeader"); host != nil {
					selected.host = strings.ToLower(host.String())
				}
			}
			return goja.Undefined()
		},
		"createRequestOriginGroup": refusal(vm, "cf.createRequestOriginGroup"),
		"updateRequestOrigin":      refusal(vm, "cf.updateRequestOrigin"),
		"kvs":                      refusal(vm, "cf.kvs"),
	}
}

func console() map[string]any {
	quiet := func(goja.FunctionCall) goja.Value { return goja.Undefined() }
	return map[string]any{"log": quiet, "info": quiet, "warn": quiet, "error": quiet}
}

func refusal(vm *goja.Runtime, name string) func(goja.FunctionCall) goja.Value {
	return func(goja.FunctionCall) goja.Value {
		panic(vm.NewTypeError("the sandbox does not implement %s", name))
	}
}

// Assumption EDGE-06.
func functionFailed(err error) *answer {
	a := refuse(http.StatusServiceUnavailable, err.Error())
	a.header.Set("X-Cache", "FunctionExecutionError from cloudfront")
	return a
}

func functionInvalid(says string) *answer {
	a := refuse(http.StatusBadGateway, says)
	a.header.Set("X-Cache", "FunctionValidationError from cloudfront")
	return a
}
