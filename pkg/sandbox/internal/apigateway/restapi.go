package apigateway

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// api is a private REST API.
type api struct {
	id, account, region, name, description string
	policy                                 string
	endpoints                              []string // VPC endpoints with a DNS name for the API
	created                                time.Time
	resources                              map[string]*node
	deployments                            map[string]*deployment
	stages                                 map[string]*stage
}

// node is one resource: a part of the path.
type node struct {
	id, parent, part string
	methods          map[string]method
}

// method is one method with its Lambda proxy integration.
type method struct{ function string }

// deployment is a snapshot of the resources. Later changes of the resources are not served.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-deploy-api.html
type deployment struct {
	id        string
	created   time.Time
	resources map[string]*node
}

type stage struct {
	name       string
	deployment *deployment
	created    time.Time
}

func (a *api) root() *node {
	for _, n := range a.resources {
		if n.parent == "" {
			return n
		}
	}
	return nil
}

// arn returns the API's ARN in permissions to invoke it, without stage, method and path.
func (a *api) arn() string {
	return "arn:aws:execute-api:" + a.region + ":" + a.account + ":" + a.id
}

func (s *Service) myAPI(id string, r *cloud.ResourceRequest) (*api, error) {
	a := s.apis[id]
	if a == nil || a.account != r.Account || a.region != r.Region {
		return nil, notFound("API")
	}
	return a, nil
}

type endpointConfiguration struct {
	Types          []string
	VpcEndpointIds []string
}

// restAPIProperties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-restapi.html
type restAPIProperties struct {
	Name                      string
	Description               string
	Policy                    json.RawMessage
	EndpointConfiguration     endpointConfiguration
	DisableExecuteApiEndpoint cloud.Bool
	Tags                      []cloud.Tag
}

func (s *Service) restAPIType() cloud.ResourceType {
	change := func(p restAPIProperties, a *api) error {
		if !slices.Equal(p.EndpointConfiguration.Types, []string{"PRIVATE"}) {
			return bad("the sandbox supports only EndpointConfiguration.Types [PRIVATE], not %v", p.EndpointConfiguration.Types)
		}
		for _, id := range p.EndpointConfiguration.VpcEndpointIds {
			if _, there := s.Endpoint(id); !there {
				return bad("VPC endpoint %s does not exist", id)
			}
		}
		policy, err := resourcePolicy(p.Policy, a.arn()+"/")
		if err != nil {
			return err
		}
		if p.Name == "" {
			return bad("API name cannot be empty")
		}
		a.name, a.description, a.policy, a.endpoints = p.Name, p.Description, policy, p.EndpointConfiguration.VpcEndpointIds
		return nil
	}
	create := func(r *cloud.ResourceRequest, p restAPIProperties) (*cloud.Resource, error) {
		root := &node{id: s.world.IDs.Hex(10), methods: map[string]method{}}
		a := &api{
			id: s.world.IDs.Hex(10), account: r.Account, region: r.Region, created: s.world.Clock.Now(), resources: map[string]*node{root.id: root},
			deployments: map[string]*deployment{}, stages: map[string]*stage{},
		}
		if err := change(p, a); err != nil {
			return nil, err
		}
		s.apis[a.id] = a
		return &cloud.Resource{Ref: a.id, Attributes: map[string]string{"RestApiId": a.id, "RootResourceId": root.id}}, nil
	}
	return resource(s, "AWS::ApiGateway::RestApi", create,
		func(_ *cloud.ResourceRequest, p restAPIProperties, old *cloud.Resource) error {
			return change(p, s.apis[old.Ref])
		},
		func(old *cloud.Resource) error {
			for _, m := range s.mappings {
				if m.api == old.Ref {
					return bad("Please remove all base path mappings related to the API in your domains before deleting it")
				}
			}
			delete(s.apis, old.Ref)
			return nil
		})
}

// resourceProperties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-resource.html
type resourceProperties struct{ RestApiId, ParentId, PathPart string }

var partForm = regexp.MustCompile(`^([A-Za-z0-9._~:-]+|\{[A-Za-z0-9._-]+\+?\})$`)

func (s *Service) resourceType() cloud.ResourceType {
	create := func(r *cloud.ResourceRequest, p resourceProperties) (*cloud.Resource, error) {
		a, err := s.myAPI(p.RestApiId, r)
		if err != nil {
			return nil, err
		}
		parent := a.resources[p.ParentId]
		switch {
		case parent == nil:
			return nil, notFound("Resource")
		case !partForm.MatchString(p.PathPart):
			return nil, bad("Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and the end: %s", p.PathPart)
		case strings.HasSuffix(parent.part, "+}"):
			return nil, bad("Cannot create a child of a resource with a greedy path variable: %s", parent.part)
		}
		variable := func(part string) bool { return strings.HasPrefix(part, "{") }
		for _, n := range a.resources {
			switch {
			case n.parent != parent.id:
			case n.part == p.PathPart:
				return nil, cloud.Errorf(409, "ConflictException", "Another resource with the same parent already has this name: %s", n.part)
			case variable(n.part) && variable(p.PathPart):
				return nil, bad("A sibling (%s) of this resource already has a variable path part -- only one is allowed", n.part)
			}
		}
		n := &node{id: s.world.IDs.Hex(6), parent: parent.id, part: p.PathPart, methods: map[string]method{}}
		a.resources[n.id] = n
		return &cloud.Resource{Ref: n.id, Attributes: map[string]string{"ResourceId": n.id, "api": a.id}}, nil
	}
	return resource(s, "AWS::ApiGateway::Resource", create, nil, func(old *cloud.Resource) error {
		if a := s.apis[old.Attributes["api"]]; a != nil {
			delete(a.resources, old.Ref)
		}
		return nil
	})
}

// methodProperties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-method.html
type methodProperties struct {
	RestApiId         string
	ResourceId        string
	HttpMethod        string
	AuthorizationType string
	ApiKeyRequired    cloud.Bool
	Integration       struct{ Type, IntegrationHttpMethod, Uri string }
}

// functionURI matches a Lambda function in an integration.
var functionURI = regexp.MustCompile(`^arn:aws:apigateway:([a-z0-9-]+):lambda:path/2015-03-31/functions/(arn:aws:lambda:[^/]+)/invocations$`)

func (s *Service) methodType() cloud.ResourceType {
	read := func(r *cloud.ResourceRequest, p methodProperties) (*node, method, error) {
		a, err := s.myAPI(p.RestApiId, r)
		if err != nil {
			return nil, method{}, err
		}
		n := a.resources[p.ResourceId]
		uri := functionURI.FindStringSubmatch(p.Integration.Uri)
		switch {
		case n == nil:
			return nil, method{}, notFound("Resource")
		case !slices.Contains([]string{"ANY", "GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}, p.HttpMethod):
			return nil, method{}, bad("Invalid HTTP method specified: %s", p.HttpMethod)
		case p.AuthorizationType != "NONE" || bool(p.ApiKeyRequired):
			return nil, method{}, bad("the sandbox supports only AuthorizationType NONE without an API key, not %q", p.AuthorizationType)
		case p.Integration.Type != "AWS_PROXY":
			return nil, method{}, bad("the sandbox supports only Integration.Type AWS_PROXY, not %q", p.Integration.Type)
		case uri == nil || uri[1] != r.Region:
			return nil, method{}, bad("Invalid ARN specified in the request: %s is not the path of a Lambda function in %s", p.Integration.Uri, r.Region)
		case p.Integration.IntegrationHttpMethod != http.MethodPost:
			// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
			return nil, method{}, bad("a Lambda function is invoked with IntegrationHttpMethod POST, not %q", p.Integration.IntegrationHttpMethod)
		}
		return n, method{uri[2]}, nil
	}
	create := func(r *cloud.ResourceRequest, p methodProperties) (*cloud.Resource, error) {
		n, m, err := read(r, p)
		if err != nil {
			return nil, err
		}
		if _, there := n.methods[p.HttpMethod]; there {
			return nil, cloud.Errorf(409, "ConflictException", "Method already exists for this resource")
		}
		n.methods[p.HttpMethod] = m
		return &cloud.Resource{Ref: p.RestApiId + "|" + p.ResourceId + "|" + p.HttpMethod, Attributes: map[string]string{}}, nil
	}
	update := func(r *cloud.ResourceRequest, p methodProperties, old *cloud.Resource) error {
		n, m, err := read(r, p)
		if err != nil {
			return err
		}
		if old.Ref != p.RestApiId+"|"+p.ResourceId+"|"+p.HttpMethod {
			return fmt.Errorf("a new HttpMethod, ResourceId or RestApiId needs replacement, which the sandbox does not support: delete the resource, or give it a new logical id")
		}
		n.methods[p.HttpMethod] = m
		return nil
	}
	return resource(s, "AWS::ApiGateway::Method", create, update, func(old *cloud.Resource) error {
		parts := strings.Split(old.Ref, "|")
		if a := s.apis[parts[0]]; a != nil && a.resources[parts[1]] != nil {
			delete(a.resources[parts[1]].methods, parts[2])
		}
		return nil
	})
}

// deploymentProperties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-deployment.html
type deploymentProperties struct{ RestApiId, Description string }

func (s *Service) deploymentType() cloud.ResourceType {
	create := func(r *cloud.ResourceRequest, p deploymentProperties) (*cloud.Resource, error) {
		a, err := s.myAPI(p.RestApiId, r)
		if err != nil {
			return nil, err
		}
		d := &deployment{id: s.world.IDs.Hex(6), created: s.world.Clock.Now(), resources: map[string]*node{}}
		methods := 0
		for id, n := range a.resources {
			d.resources[id] = &node{n.id, n.parent, n.part, maps.Clone(n.methods)}
			methods += len(n.methods)
		}
		if methods == 0 {
			return nil, bad("The REST API doesn't contain any methods")
		}
		if a.policy == "" {
			return nil, bad("Private REST API doesn't have a resource policy attached to it")
		}
		a.deployments[d.id] = d
		return &cloud.Resource{Ref: d.id, Attributes: map[string]string{"DeploymentId": d.id, "api": a.id}}, nil
	}
	return resource(s, "AWS::ApiGateway::Deployment", create, nil, func(old *cloud.Resource) error {
		a := s.apis[old.Attributes["api"]]
		if a == nil {
			return nil
		}
		for _, st := range a.stages {
			if st.deployment.id == old.Ref {
				return bad("Active stages pointing to this deployment must be moved or deleted")
			}
		}
		delete(a.deployments, old.Ref)
		return nil
	})
}

// stageProperties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-stage.html
type stageProperties struct {
	RestApiId, DeploymentId, StageName, Description string
	TracingEnabled                                  cloud.Bool
	Tags                                            []cloud.Tag
}

var stageForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

func (s *Service) stageType() cloud.ResourceType {
	read := func(r *cloud.ResourceRequest, p stageProperties) (*api, *deployment, error) {
		a, err := s.myAPI(p.RestApiId, r)
		switch {
		case err != nil:
			return nil, nil, err
		case a.deployments[p.DeploymentId] == nil:
			return nil, nil, notFound("Deployment")
		case !stageForm.MatchString(p.StageName):
			return nil, nil, bad("Stage name only allows a-zA-Z0-9_ and -: %q", p.StageName)
		}
		return a, a.deployments[p.DeploymentId], nil
	}
	create := func(r *cloud.ResourceRequest, p stageProperties) (*cloud.Resource, error) {
		a, d, err := read(r, p)
		if err != nil {
			return nil, err
		}
		if a.stages[p.StageName] != nil {
			return nil, cloud.Errorf(409, "ConflictException", "Stage already exists")
		}
		a.stages[p.StageName] = &stage{p.StageName, d, s.world.Clock.Now()}
		return &cloud.Resource{Ref: p.StageName, Attributes: map[string]string{"api": a.id}}, nil
	}
	update := func(r *cloud.ResourceRequest, p stageProperties, old *cloud.Resource) error {
		a, d, err := read(r, p)
		if err != nil {
			return err
		}
		if p.StageName != old.Ref || a.id != old.Attributes["api"] {
			return fmt.Errorf("a new RestApiId or StageName needs replacement, which the sandbox does not support: delete the resource, or give it a new logical id")
		}
		a.stages[p.StageName].deployment = d
		return nil
	}
	return resource(s, "AWS::ApiGateway::Stage", create, update, func(old *cloud.Resource) error {
		a := s.apis[old.Attributes["api"]]
		if a == nil {
			return nil
		}
		for _, m := range s.mappings {
			if m.api == a.id && m.stage == old.Ref {
				return bad("Please remove all base path mappings related to stage in your domains before deleting")
			}
		}
		delete(a.stages, old.Ref)
		return nil
	})
}

// find returns the resource of a path in a deployment. A literal part takes precedence over a variable.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-request.html
func (d *deployment) find(path string) (found *node, variables map[string]string) {
	var root *node
	for _, n := range d.resources {
		if n.parent == "" {
			root = n
		}
	}
	parts := slices.DeleteFunc(strings.Split(path, "/"), func(p string) bool { return p == "" })
	return d.walk(root, parts, map[string]string{})
}

func (d *deployment) walk(at *node, rest []string, variables map[string]string) (*node, map[string]string) {
	if len(rest) == 0 {
		return at, variables
	}
	var literal, variable *node
	for _, n := range d.resources {
		switch {
		case n.parent != at.id || at.id == n.id:
		case n.part == rest[0]:
			literal = n
		case strings.HasPrefix(n.part, "{"):
			variable = n
		}
	}
	with := func(name, value string) map[string]string {
		more := maps.Clone(variables)
		more[name] = value
		return more
	}
	if literal != nil {
		if found, v := d.walk(literal, rest[1:], variables); found != nil {
			return found, v
		}
	}
	switch {
	case variable == nil:
		return nil, nil
	case strings.HasSuffix(variable.part, "+}"):
		return variable, with(strings.TrimSuffix(strings.Trim(variable.part, "{}"), "+"), strings.Join(rest, "/"))
	default:
		return d.walk(variable, rest[1:], with(strings.Trim(variable.part, "{}"), rest[0]))
	}
}

// pathOf returns the template of a resource's path, such as "/{proxy+}".
func (d *deployment) pathOf(n *node) string {
	if n.parent == "" {
		return "/"
	}
	return strings.TrimSuffix(d.pathOf(d.resources[n.parent]), "/") + "/" + n.part
}
