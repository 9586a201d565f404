// Package apigateway emulates private REST APIs of API Gateway, including the invocation of Lambda functions: resources,
// deployments, stages, private custom domain names, resource policies and endpoint policies.
package apigateway

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/network"
)

// Provisioning is the time until a private custom domain name or an access association is ready.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-private-custom-domains.html
const Provisioning = 15 * time.Minute

// Service is API Gateway in all accounts and Regions.
type Service struct {
	world *cloud.World
	// Certificate returns the names that a certificate covers, and false if the account has no such certificate in the Region.
	// This and the following fields are set while the sandbox is assembled. Called with the world locked.
	Certificate func(arn, account, region string) (names []string, ok bool)
	// Endpoint returns an interface endpoint by id. Called with the world locked.
	Endpoint func(id string) (network.EndpointView, bool)
	// Lambda invokes a function. Called without the world locked.
	Lambda func(Invocation) (Result, error)

	apis         map[string]*api    // by id
	domains      map[string]*domain // by ARN
	mappings     map[string]*mapping
	associations map[string]*association
}

// Invocation is one call of a Lambda function by a method.
type Invocation struct {
	Caller           cloud.Principal
	Region, Function string
	Payload          []byte
}

// Result is the result of an invocation.
type Result struct {
	Payload       []byte
	FunctionError string
}

// New returns an empty service.
func New(w *cloud.World) *Service {
	return &Service{
		world: w, apis: map[string]*api{}, domains: map[string]*domain{}, mappings: map[string]*mapping{}, associations: map[string]*association{},
		Certificate: func(string, string, string) ([]string, bool) { return nil, false },
		Endpoint:    func(string) (network.EndpointView, bool) { return network.EndpointView{}, false },
	}
}

// ResourceTypes returns the types of private APIs.
func (s *Service) ResourceTypes() []cloud.ResourceType {
	return []cloud.ResourceType{
		s.restAPIType(), s.resourceType(), s.methodType(), s.deploymentType(), s.stageType(), s.domainType(), s.mappingType(), s.associationType(),
	}
}

// Snapshot returns what API Gateway holds for an account. Call with the world locked.
func (s *Service) Snapshot(account string) map[string]any {
	apis, domains, associations := []any{}, []any{}, []any{}
	for _, id := range slices.Sorted(maps.Keys(s.apis)) {
		if a := s.apis[id]; a.account == account {
			apis = append(apis, map[string]any{"id": id, "name": a.name, "region": a.region, "stages": slices.Sorted(maps.Keys(a.stages))})
		}
	}
	for _, arn := range slices.Sorted(maps.Keys(s.domains)) {
		if d := s.domains[arn]; d.account == account {
			mapped := []any{}
			for _, m := range s.mappingsOf(d) {
				mapped = append(mapped, map[string]any{"basePath": m.basePath, "api": m.api, "stage": m.stage})
			}
			domains = append(domains, map[string]any{"arn": arn, "name": d.name, "status": d.status(s.world.Clock.Now()), "mappings": mapped})
		}
	}
	for _, arn := range slices.Sorted(maps.Keys(s.associations)) {
		if a := s.associations[arn]; a.account == account {
			associations = append(associations, map[string]any{"arn": arn, "endpoint": a.endpoint, "domain": a.domain})
		}
	}
	return map[string]any{"restApis": apis, "domainNames": domains, "domainNameAccessAssociations": associations}
}

// CertificateUsers returns the domain names that use a certificate. Call with the world locked.
func (s *Service) CertificateUsers(arn string) []string {
	var users []string
	for _, d := range slices.Sorted(maps.Keys(s.domains)) {
		if s.domains[d].certificate == arn {
			users = append(users, d)
		}
	}
	return users
}

func bad(format string, args ...any) *cloud.Error {
	return cloud.Errorf(400, "BadRequestException", format, args...)
}

func notFound(what string) *cloud.Error {
	return cloud.Errorf(404, "NotFoundException", "Invalid %s identifier specified", what)
}

// resource returns a resource type with properties P, whose functions change state without an API call. They run with the world
// locked. A nil update means that the sandbox cannot update the resource.
func resource[P any](s *Service, name string, create func(r *cloud.ResourceRequest, p P) (*cloud.Resource, error),
	update func(r *cloud.ResourceRequest, p P, old *cloud.Resource) error, remove func(old *cloud.Resource) error,
) cloud.ResourceType {
	locked := func(r *cloud.ResourceRequest, f func(p P) error) error {
		var p P
		if err := r.DecodeProperties(name, &p); err != nil {
			return err
		}
		var err error
		s.world.Do(func() { err = f(p) })
		if err != nil {
			return fmt.Errorf("stack %s, resource %s: %w", r.Stack, r.LogicalID, err)
		}
		return nil
	}
	t := cloud.ResourceType{
		Name: name,
		Create: func(r *cloud.ResourceRequest) (made *cloud.Resource, err error) {
			err = locked(r, func(p P) (err error) {
				made, err = create(r, p)
				return err
			})
			return made, err
		},
		Delete: func(r *cloud.ResourceRequest, old *cloud.Resource) error {
			var err error
			s.world.Do(func() { err = remove(old) })
			if err != nil {
				return fmt.Errorf("stack %s, resource %s: %w", r.Stack, r.LogicalID, err)
			}
			return nil
		},
	}
	if update != nil {
		t.Update = func(r *cloud.ResourceRequest, old *cloud.Resource) (*cloud.Resource, error) {
			return old, locked(r, func(p P) error { return update(r, p, old) })
		}
	}
	return t
}

// resourcePolicy expands the short form of resources, execute-api:/…, to the ARN of the API or domain name that has the policy,
// as API Gateway does when it saves a policy. In the policy of a domain name, execute-api:/* is the domain name itself.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-examples.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-private-custom-domains-tutorial.html
func resourcePolicy(document json.RawMessage, prefix string) (string, error) {
	if len(document) == 0 {
		return "", nil
	}
	var policy map[string]any
	if err := json.Unmarshal(document, &policy); err != nil {
		return "", bad("Invalid policy document: %v", err)
	}
	written := func(v any) any {
		if text, ok := v.(string); ok {
			if path, short := strings.CutPrefix(text, "execute-api:/"); short {
				return prefix + path
			}
		}
		return v
	}
	statements, _ := policy["Statement"].([]any)
	for _, st := range statements {
		m, _ := st.(map[string]any)
		for _, name := range []string{"Resource", "NotResource"} {
			if list, many := m[name].([]any); many {
				for i := range list {
					list[i] = written(list[i])
				}
			} else if m[name] != nil {
				m[name] = written(m[name])
			}
		}
	}
	b, err := json.Marshal(policy)
	return string(b), err
}
