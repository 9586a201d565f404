package apigateway

import (
	"maps"
	"slices"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// API returns the operations that the sandbox implements. They only read, because APIs come from templates.
func (s *Service) API() *cloud.Service {
	read := func(name, path string) cloud.Operation {
		return cloud.Operation{Name: name, Method: "GET", Path: path, ReadOnly: true}
	}
	return &cloud.Service{
		Name: "apigateway", Protocol: cloud.RESTJSON, EventSource: "apigateway.amazonaws.com",
		Operations: []cloud.Operation{
			cloud.Op(read("GetRestApis", "/restapis"), s.getRestAPIs),
			cloud.Op(read("GetRestApi", "/restapis/{restapi_id}"), s.getRestAPI),
			cloud.Op(read("GetResources", "/restapis/{restapi_id}/resources"), s.getResources),
			cloud.Op(read("GetStages", "/restapis/{restapi_id}/stages"), s.getStages),
			cloud.Op(read("GetDomainNames", "/domainnames"), s.getDomainNames),
			cloud.Op(read("GetBasePathMappings", "/domainnames/{domain_name}/basepathmappings"), s.getBasePathMappings),
			cloud.Op(read("GetDomainNameAccessAssociations", "/domainnameaccessassociations"), s.getAssociations),
		},
	}
}

// authorize checks the permission to read a path.
func authorize(c *cloud.Call, path string) error {
	return c.Authorize("apigateway:GET", "arn:aws:apigateway:"+c.Region+"::"+path, nil)
}

// ListInput is the input of the list operations.
type ListInput struct {
	Limit    int    `loc:"query" name:"limit"`
	Position string `loc:"query" name:"position"`
}

// page returns one page of a list.
func page[T any](items []T, in ListInput) (list []T, position string, err error) {
	const most = 500
	size := in.Limit
	if size == 0 {
		size = 25
	}
	if size < 1 || size > most {
		return nil, "", cloud.Errorf(400, "BadRequestException", "The limit must be from 1 to %d, not %d", most, size)
	}
	list, position, ok := cloud.Page(items, in.Position, size)
	if !ok {
		return nil, "", cloud.Errorf(400, "BadRequestException", "The position is not valid")
	}
	return list, position, nil
}

// RestAPI is the wire form of an API.
type RestAPI struct {
	ID                    string         `json:"id"`
	Name                  string         `json:"name"`
	Description           string         `json:"description,omitempty"`
	CreatedDate           time.Time      `json:"createdDate"`
	Policy                string         `json:"policy,omitempty"`
	RootResourceID        string         `json:"rootResourceId"`
	EndpointConfiguration *EndpointTypes `json:"endpointConfiguration"`
}

// EndpointTypes is the wire form of an endpoint configuration.
type EndpointTypes struct {
	Types          []string `json:"types"`
	VpcEndpointIDs []string `json:"vpcEndpointIds,omitempty"`
}

func private(endpoints []string) *EndpointTypes {
	return &EndpointTypes{[]string{"PRIVATE"}, endpoints}
}

func (a *api) wire() RestAPI {
	return RestAPI{a.id, a.name, a.description, a.created, a.policy, a.root().id, private(a.endpoints)}
}

// RestAPIs is the output of GetRestApis.
type RestAPIs struct {
	Items    []RestAPI `json:"item"`
	Position string    `json:"position,omitempty"`
}

// getRestAPIs implements GetRestApis.
// https://docs.aws.amazon.com/apigateway/latest/api/API_GetRestApis.html
func (s *Service) getRestAPIs(c *cloud.Call, in *ListInput) (*RestAPIs, error) {
	if err := authorize(c, "/restapis"); err != nil {
		return nil, err
	}
	out := &RestAPIs{Items: []RestAPI{}}
	for _, id := range slices.Sorted(maps.Keys(s.apis)) {
		if a := s.apis[id]; a.account == c.Account() && a.region == c.Region {
			out.Items = append(out.Items, a.wire())
		}
	}
	var err error
	out.Items, out.Position, err = page(out.Items, *in)
	return out, err
}

// RestAPIInput is the input of the operations on one API.
type RestAPIInput struct {
	ID string `loc:"uri" name:"restapi_id"`
}

func (s *Service) read(c *cloud.Call, id, below string) (*api, error) {
	if err := authorize(c, "/restapis/"+id+below); err != nil {
		return nil, err
	}
	return s.myAPI(id, &cloud.ResourceRequest{Account: c.Account(), Region: c.Region})
}

// getRestAPI implements GetRestApi.
// https://docs.aws.amazon.com/apigateway/latest/api/API_GetRestApi.html
func (s *Service) getRestAPI(c *cloud.Call, in *RestAPIInput) (*RestAPI, error) {
	a, err := s.read(c, in.ID, "")
	if err != nil {
		return nil, err
	}
	w := a.wire()
	return &w, nil
}

// ResourcesInput is the input of GetResources.
type ResourcesInput struct {
	RestAPIInput
	ListInput
}

// Resources is the output of GetResources.
type Resources struct {
	Items    []Resource `json:"item"`
	Position string     `json:"position,omitempty"`
}

// Resource is the wire form of a resource.
type Resource struct {
	ID              string              `json:"id"`
	ParentID        string              `json:"parentId,omitempty"`
	PathPart        string              `json:"pathPart,omitempty"`
	Path            string              `json:"path"`
	ResourceMethods map[string]struct{} `json:"resourceMethods,omitempty"`
}

// getResources implements GetResources.
// https://docs.aws.amazon.com/apigateway/latest/api/API_GetResources.html
func (s *Service) getResources(c *cloud.Call, in *ResourcesInput) (*Resources, error) {
	a, err := s.read(c, in.ID, "/resources")
	if err != nil {
		return nil, err
	}
	out := &Resources{Items: []Resource{}}
	all := deployment{resources: a.resources}
	for _, id := range slices.Sorted(maps.Keys(a.resources)) {
		n := a.resources[id]
		w := Resource{ID: id, ParentID: n.parent, PathPart: n.part, Path: all.pathOf(n), ResourceMethods: map[string]struct{}{}}
		for m := range n.methods {
			w.ResourceMethods[m] = struct{}{}
		}
		out.Items = append(out.Items, w)
	}
	out.Items, out.Position, err = page(out.Items, in.ListInput)
	return out, err
}

// Stages is the output of GetStages.
type Stages struct {
	Items []Stage `json:"item"`
}

// Stage is the wire form of a stage.
type Stage struct {
	StageName    string    `json:"stageName"`
	DeploymentID string    `json:"deploymentId"`
	CreatedDate  time.Time `json:"createdDate"`
}

// getStages implements GetStages.
// https://docs.aws.amazon.com/apigateway/latest/api/API_GetStages.html
func (s *Service) getStages(c *cloud.Call, in *RestAPIInput) (*Stages, error) {
	a, err := s.read(c, in.ID, "/stages")
	if err != nil {
		return nil, err
	}
	out := &Stages{Items: []Stage{}}
	for _, name := range slices.Sorted(maps.Keys(a.stages)) {
		st := a.stages[name]
		out.Items = append(out.Items, Stage{name, st.deployment.id, st.created})
	}
	return out, nil
}

// DomainNames is the output of GetDomainNames.
type DomainNames struct {
	Items    []DomainName `json:"item"`
	Position string       `json:"position,omitempty"`
}

// DomainName is the wire form of a private custom domain name.
type DomainName struct {
	DomainName            string         `json:"domainName"`
	DomainNameID          string         `json:"domainNameId"`
	DomainNameArn         string         `json:"domainNameArn"`
	DomainNameStatus      string         `json:"domainNameStatus"`
	CertificateArn        string         `json:"certificateArn"`
	SecurityPolicy        string         `json:"securityPolicy"`
	Policy                string         `json:"policy,omitempty"`
	EndpointConfiguration *EndpointTypes `json:"endpointConfiguration"`
}

// getDomainNames implements GetDomainNames.
// https://docs.aws.amazon.com/apigateway/latest/api/API_GetDomainNames.html
func (s *Service) getDomainNames(c *cloud.Call, in *ListInput) (*DomainNames, error) {
	if err := authorize(c, "/domainnames"); err != nil {
		return nil, err
	}
	out := &DomainNames{Items: []DomainName{}}
	for _, arn := range slices.Sorted(maps.Keys(s.domains)) {
		if d := s.domains[arn]; d.account == c.Account() && d.region == c.Region {
			out.Items = append(out.Items, DomainName{
				d.name, d.id, arn, d.status(c.Now()), d.certificate, "TLS_1_2", d.policy, private(nil),
			})
		}
	}
	var err error
	out.Items, out.Position, err = page(out.Items, *in)
	return out, err
}

// BasePathMappingsInput is the input of GetBasePathMappings.
type BasePathMappingsInput struct {
	ListInput
	DomainName   string `loc:"uri" name:"domain_name"`
	DomainNameID string `loc:"query" name:"domainNameId"`
}

// BasePathMappings is the output of GetBasePathMappings.
type BasePathMappings struct {
	Items    []BasePathMapping `json:"item"`
	Position string            `json:"position,omitempty"`
}

// BasePathMapping is the wire form of a base path mapping.
type BasePathMapping struct {
	BasePath  string `json:"basePath"`
	RestAPIID string `json:"restApiId"`
	Stage     string `json:"stage"`
}

// getBasePathMappings implements GetBasePathMappings.
// https://docs.aws.amazon.com/apigateway/latest/api/API_GetBasePathMappings.html
func (s *Service) getBasePathMappings(c *cloud.Call, in *BasePathMappingsInput) (*BasePathMappings, error) {
	if err := authorize(c, "/domainnames/"+in.DomainName+"/basepathmappings"); err != nil {
		return nil, err
	}
	for _, d := range s.domains {
		if d.account != c.Account() || d.region != c.Region || d.name != in.DomainName || d.id != in.DomainNameID {
			continue
		}
		out := &BasePathMappings{Items: []BasePathMapping{}}
		for _, m := range s.mappingsOf(d) {
			path := m.basePath
			if path == "" {
				path = "(none)"
			}
			out.Items = append(out.Items, BasePathMapping{path, m.api, m.stage})
		}
		var err error
		out.Items, out.Position, err = page(out.Items, in.ListInput)
		return out, err
	}
	return nil, notFound("domain name")
}

// AccessAssociations is the output of GetDomainNameAccessAssociations.
type AccessAssociations struct {
	Items    []AccessAssociation `json:"item"`
	Position string              `json:"position,omitempty"`
}

// AccessAssociation is the wire form of an access association.
type AccessAssociation struct {
	ARN        string `json:"domainNameAccessAssociationArn"`
	DomainName string `json:"domainNameArn"`
	Source     string `json:"accessAssociationSource"`
	SourceType string `json:"accessAssociationSourceType"`
}

// getAssociations implements GetDomainNameAccessAssociations.
// https://docs.aws.amazon.com/apigateway/latest/api/API_GetDomainNameAccessAssociations.html
func (s *Service) getAssociations(c *cloud.Call, in *ListInput) (*AccessAssociations, error) {
	if err := authorize(c, "/domainnameaccessassociations"); err != nil {
		return nil, err
	}
	out := &AccessAssociations{Items: []AccessAssociation{}}
	for _, arn := range slices.Sorted(maps.Keys(s.associations)) {
		if a := s.associations[arn]; a.account == c.Account() && a.region == c.Region {
			out.Items = append(out.Items, AccessAssociation{arn, a.domain, a.endpoint, "VPCE"})
		}
	}
	var err error
	out.Items, out.Position, err = page(out.Items, *in)
	return out, err
}
