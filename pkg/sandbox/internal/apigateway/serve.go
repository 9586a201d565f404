package apigateway

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/network"
)

// Request is a request that reaches an API through an interface endpoint.
type Request struct {
	Method, Host, Path string // the path without query string
	Query              url.Values
	Header             http.Header
	Body               string
}

const principal = "apigateway.amazonaws.com"

// target is the method of a request.
type target struct {
	domain    *domain
	api       *api
	stage     *stage
	method    method
	resource  string // "/{proxy+}"
	path      string // below the base path
	variables map[string]string
}

// arn returns the method's ARN in permissions.
func (t *target) arn(method string) string {
	return t.api.arn() + "/" + t.stage.name + "/" + method + t.path
}

// Serve returns the response to a request through an interface endpoint. Call without the world locked.
func (s *Service) Serve(e network.EndpointView, r Request) network.Answer {
	var t *target
	var refused *network.Answer
	s.world.Do(func() { t, refused = s.resolve(e, r) })
	if refused != nil {
		return *refused
	}
	event, err := s.event(t, r)
	if err != nil {
		return failed(http.StatusBadRequest, "BadRequestException", "Bad Request", err.Error())
	}
	source := t.api.arn() + "/" + t.stage.name + "/" + r.Method + t.resource
	out, err := s.Lambda(Invocation{
		Caller: cloud.Principal{Service: principal, ARN: principal, SourceARN: source}, Region: t.api.region, Function: t.method.function, Payload: event,
	})
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/handle-errors-in-lambda-integration.html
	switch {
	case err != nil && cloud.AsError(err).Status == http.StatusForbidden:
		return failed(http.StatusInternalServerError, "InternalServerErrorException", "Internal server error",
			fmt.Sprintf("API Gateway may not invoke %s as %s: %v", t.method.function, source, err))
	case err != nil:
		return failed(http.StatusInternalServerError, "InternalServerErrorException", "Internal server error", err.Error())
	case out.FunctionError != "":
		return failed(http.StatusBadGateway, "InternalServerErrorException", "Internal server error",
			fmt.Sprintf("function %s failed: %s", t.method.function, out.Payload))
	}
	a, err := s.answer(out.Payload)
	if err != nil {
		return failed(http.StatusBadGateway, "InternalServerErrorException", "Internal server error",
			fmt.Sprintf("the answer of function %s is malformed: %v", t.method.function, err))
	}
	return a
}

// Probe returns the status of a health check, whose Host is the target's address. Call with the world locked.
func (s *Service) Probe(e network.EndpointView, host, path string) int {
	if _, refused := s.resolve(e, Request{Method: http.MethodGet, Host: host, Path: path}); refused != nil {
		return refused.Status
	}
	return http.StatusOK
}

// resolve follows a request from the endpoint to a method. As at API Gateway, each failure is a 403: Forbidden for an unknown
// name, Missing Authentication Token for a path without a method.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
func (s *Service) resolve(e network.EndpointView, r Request) (*target, *network.Answer) {
	forbidden := func(format string, args ...any) (*target, *network.Answer) {
		a := failed(http.StatusForbidden, "ForbiddenException", "Forbidden", fmt.Sprintf(format, args...))
		return nil, &a
	}
	host, _, _ := strings.Cut(r.Host, ":")
	d, problem := s.associated(e.ID, host)
	if problem != "" {
		// Assumption APIGW-01.
		return forbidden("%s", problem)
	}
	if refused := s.permit(e, d.invokeARN(), d.account, d.policy, d, "private custom domain name "+d.name); refused != nil {
		return nil, refused
	}
	t := &target{domain: d}
	m := s.mapped(d, r.Path, t)
	if m == nil {
		return forbidden("no base path mapping of %s has the path %s", d.name, r.Path)
	}
	t.api = s.apis[m.api]
	if t.api == nil || t.api.stages[m.stage] == nil {
		return forbidden("stage %s of API %s does not exist", m.stage, m.api)
	}
	t.stage = t.api.stages[m.stage]
	n, variables := t.stage.deployment.find(t.path)
	var found bool
	if n != nil {
		if t.method, found = n.methods[r.Method]; !found {
			t.method, found = n.methods["ANY"]
		}
	}
	if !found {
		a := failed(http.StatusForbidden, "MissingAuthenticationTokenException", "Missing Authentication Token",
			fmt.Sprintf("deployment %s of API %s has no method %s for %s", t.stage.deployment.id, t.api.name, r.Method, t.path))
		return nil, &a
	}
	t.resource, t.variables = t.stage.deployment.pathOf(n), variables
	if refused := s.permit(e, t.arn(r.Method), t.api.account, t.api.policy, d, "API "+t.api.name); refused != nil {
		return nil, refused
	}
	return t, nil
}

// mapped returns the mapping of the path's first part, or else the mapping without base path. It sets the path of t below the
// base path.
func (s *Service) mapped(d *domain, path string, t *target) *mapping {
	first, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	for _, m := range slices.Backward(s.mappingsOf(d)) {
		switch m.basePath {
		case first:
			t.path = "/" + rest
			return m
		case "":
			t.path = path
			return m
		}
	}
	return nil
}

// permit checks the policy of the endpoint, and then that of the API or domain name. Both must allow explicitly, because callers
// are not authenticated.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html
func (s *Service) permit(e network.EndpointView, arn, owner, policy string, d *domain, what string) *network.Answer {
	refuse := func(by, reason string) *network.Answer {
		// API Gateway masks the account too.
		shown := strings.Replace(arn, owner, "********"+owner[len(owner)-4:], 1)
		a := failed(http.StatusForbidden, "AccessDeniedException", "User: anonymous is not authorized to perform: execute-api:Invoke on resource: "+shown,
			fmt.Sprintf("the policy of %s does not let requests through %s reach %s: %s", by, e.ID, what, reason))
		a.Body = strings.Replace(a.Body, `"message"`, `"Message"`, 1)
		return &a
	}
	if policy == "" {
		// A domain name without a policy denies everything. So does a private API.
		// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-private-custom-domains-tutorial.html
		return refuse(what, "it has none")
	}
	for _, side := range []struct{ by, policy string }{{"endpoint " + e.ID, e.Policy}, {what, policy}} {
		if s.world.Authorizer == nil {
			continue
		}
		decision := s.world.Authorizer.Authorize(cloud.Request{
			Principal: cloud.Anonymous(), Action: "execute-api:Invoke", Resource: arn, ResourceAccount: owner, ResourcePolicy: side.policy, Region: e.Region,
			Context: map[string][]string{"aws:SourceVpce": {e.ID}, "aws:SourceVpc": {e.Vpc}, "execute-api:viaDomainArn": {d.invokeARN()}},
		})
		if !decision.Allowed {
			return refuse(side.by, decision.Reason)
		}
	}
	return nil
}

// failed returns an error response of API Gateway.
func failed(status int, kind, message, reason string) network.Answer {
	b, _ := json.Marshal(map[string]string{"message": message}) // strings always marshal
	return network.Answer{
		Status: status, Header: http.Header{"Content-Type": {"application/json"}, "X-Amzn-Errortype": {kind}}, Body: string(b), By: "API Gateway", Reason: reason,
	}
}

// event returns the event of a Lambda function. As with custom domain names, its path includes the base path.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-input-format
func (s *Service) event(t *target, r Request) ([]byte, error) {
	single, multi := map[string]string{}, map[string][]string{}
	for name, values := range r.Header {
		single[name], multi[name] = values[len(values)-1], values
	}
	single["Host"], multi["Host"] = r.Host, []string{r.Host}
	query, queries := map[string]string{}, map[string][]string{}
	for name, values := range r.Query {
		query[name], queries[name] = values[len(values)-1], values
	}
	orNil := func(n int, v any) any {
		if n == 0 {
			return nil
		}
		return v
	}
	body, encoded := any(r.Body), !utf8.ValidString(r.Body)
	switch {
	case r.Body == "":
		body = nil
	case encoded:
		body = base64.StdEncoding.EncodeToString([]byte(r.Body))
	}
	now := s.world.Clock.Now()
	return json.Marshal(map[string]any{
		"resource": t.resource, "path": r.Path, "httpMethod": r.Method, "headers": single, "multiValueHeaders": multi,
		"queryStringParameters": orNil(len(query), query), "multiValueQueryStringParameters": orNil(len(queries), queries),
		"pathParameters": orNil(len(t.variables), t.variables), "stageVariables": nil, "body": body, "isBase64Encoded": encoded,
		"requestContext": map[string]any{
			"accountId": t.api.account, "apiId": t.api.id, "stage": t.stage.name, "resourcePath": t.resource, "path": r.Path, "httpMethod": r.Method,
			"domainName": t.domain.name, "domainPrefix": strings.Split(t.domain.name, ".")[0], "protocol": "HTTP/1.1", "requestId": s.world.IDs.UUID(),
			"requestTimeEpoch": now.UnixMilli(), "requestTime": now.Format("02/Jan/2006:15:04:05 -0700"),
			"identity": map[string]any{"sourceIp": "127.0.0.1", "userAgent": r.Header.Get("User-Agent")},
		},
	})
}

// answer reads the response of a Lambda function. It is as strict as API Gateway, which rejects any other form as malformed.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-output-format
func (s *Service) answer(payload []byte) (network.Answer, error) {
	var out struct {
		StatusCode        *int                `json:"statusCode"`
		Headers           map[string]string   `json:"headers"`
		MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
		Body              string              `json:"body"`
		IsBase64Encoded   bool                `json:"isBase64Encoded"`
	}
	d := json.NewDecoder(bytes.NewReader(payload))
	d.DisallowUnknownFields()
	if err := d.Decode(&out); err != nil {
		return network.Answer{}, err
	}
	if out.StatusCode == nil || *out.StatusCode < 100 || *out.StatusCode > 599 {
		return network.Answer{}, fmt.Errorf("the response has no statusCode")
	}
	a := network.Answer{Status: *out.StatusCode, Header: http.Header{"Content-Type": {"application/json"}}, Body: out.Body, By: "application"}
	if out.IsBase64Encoded {
		body, err := base64.StdEncoding.DecodeString(out.Body)
		if err != nil {
			return network.Answer{}, fmt.Errorf("read base64 body: %w", err)
		}
		a.Body = string(body)
	}
	for name, value := range out.Headers {
		a.Header.Set(name, value)
	}
	for name, values := range out.MultiValueHeaders {
		a.Header[http.CanonicalHeaderKey(name)] = values
	}
	a.Header.Set("X-Amzn-Requestid", s.world.IDs.UUID())
	return a, nil
}
