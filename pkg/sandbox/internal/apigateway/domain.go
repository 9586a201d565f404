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

// domain is a private custom domain name.
type domain struct {
	arn, id, account, region, name, certificate string
	policy                                      string
	created                                     time.Time
}

func (d *domain) ready(now time.Time) bool { return !now.Before(d.created.Add(Provisioning)) }

func (d *domain) status(now time.Time) string {
	if d.ready(now) {
		return "AVAILABLE"
	}
	return "UPDATING"
}

// invokeARN returns the ARN of the domain name in permissions to invoke it.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-vpc-endpoint-policies.html
func (d *domain) invokeARN() string {
	return "arn:aws:execute-api:" + d.region + ":" + d.account + ":/domainnames/" + d.name + "+" + d.id
}

// mapping is a base path of a domain name. An empty base path stands for all paths without a mapping.
type mapping struct{ arn, domain, basePath, api, stage string }

// association lets requests through a VPC endpoint reach a domain name.
type association struct {
	arn, account, region string
	domain, endpoint     string
	created              time.Time
}

// domainProperties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-domainnamev2.html
type domainProperties struct {
	DomainName            string
	CertificateArn        string
	EndpointConfiguration endpointConfiguration
	Policy                json.RawMessage
	SecurityPolicy        string
	RoutingMode           string
	Tags                  []cloud.Tag
}

func (s *Service) domainType() cloud.ResourceType {
	change := func(r *cloud.ResourceRequest, p domainProperties, d *domain) error {
		if err := s.checkDomain(r, p); err != nil {
			return err
		}
		policy, err := resourcePolicy(p.Policy, d.invokeARN())
		if err != nil {
			return err
		}
		d.policy, d.certificate = policy, p.CertificateArn
		return nil
	}
	create := func(r *cloud.ResourceRequest, p domainProperties) (*cloud.Resource, error) {
		d := &domain{id: s.world.IDs.Hex(10), account: r.Account, region: r.Region, name: strings.ToLower(p.DomainName), created: s.world.Clock.Now()}
		d.arn = "arn:aws:apigateway:" + r.Region + ":" + r.Account + ":/domainnames/" + d.name + "+" + d.id
		if err := change(r, p, d); err != nil {
			return nil, err
		}
		s.domains[d.arn] = d
		s.world.Clock.After(Provisioning, "private custom domain name "+d.name+" available", nil)
		return &cloud.Resource{Ref: d.arn, Attributes: map[string]string{"DomainNameArn": d.arn, "DomainNameId": d.id}}, nil
	}
	update := func(r *cloud.ResourceRequest, p domainProperties, old *cloud.Resource) error {
		d := s.domains[old.Ref]
		if strings.ToLower(p.DomainName) != d.name {
			return fmt.Errorf("a new DomainName needs replacement, which the sandbox does not support: delete the resource, or give it a new logical id")
		}
		return change(r, p, d)
	}
	return resource(s, "AWS::ApiGateway::DomainNameV2", create, update, func(old *cloud.Resource) error {
		for _, a := range s.associations {
			if a.domain == old.Ref {
				// Assumption APIGW-03.
				return bad("Please remove all domain name access associations of %s before deleting it", old.Ref)
			}
		}
		maps.DeleteFunc(s.mappings, func(_ string, m *mapping) bool { return m.domain == old.Ref })
		delete(s.domains, old.Ref)
		return nil
	})
}

// checkDomain checks the properties of a domain name.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-private-custom-domains.html
func (s *Service) checkDomain(r *cloud.ResourceRequest, p domainProperties) error {
	switch {
	case !slices.Equal(p.EndpointConfiguration.Types, []string{"PRIVATE"}):
		return bad("the sandbox supports only EndpointConfiguration.Types [PRIVATE], not %v", p.EndpointConfiguration.Types)
	case p.DomainName == "" || strings.Contains(p.DomainName, "*"):
		return bad("Wildcard custom domain names aren't supported for private APIs: %q", p.DomainName)
	case p.SecurityPolicy != "" && p.SecurityPolicy != "TLS_1_2":
		return bad("All private custom domain names have the security policy TLS_1_2, not %s", p.SecurityPolicy)
	case p.RoutingMode != "" && p.RoutingMode != "BASE_PATH_MAPPING_ONLY":
		return bad("the sandbox supports only RoutingMode BASE_PATH_MAPPING_ONLY, not %s", p.RoutingMode)
	}
	names, ok := s.Certificate(p.CertificateArn, r.Account, r.Region)
	if !ok {
		return bad("The provided certificate does not exist or is not issued: %s", p.CertificateArn)
	}
	if !slices.ContainsFunc(names, func(n string) bool { return network.Covers(n, p.DomainName) }) {
		return bad("The domain name %s is not covered by the certificate %s for %s", p.DomainName, p.CertificateArn, strings.Join(names, ", "))
	}
	return nil
}

func (s *Service) myDomain(arn string, r *cloud.ResourceRequest) (*domain, error) {
	d := s.domains[arn]
	if d == nil || d.account != r.Account || d.region != r.Region {
		return nil, cloud.Errorf(404, "NotFoundException", "Invalid domain name identifier specified: %s", arn)
	}
	return d, nil
}

// mappingProperties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-basepathmappingv2.html
type mappingProperties struct{ DomainNameArn, BasePath, RestApiId, Stage string }

func (s *Service) mappingType() cloud.ResourceType {
	read := func(r *cloud.ResourceRequest, p mappingProperties) (*domain, error) {
		d, err := s.myDomain(p.DomainNameArn, r)
		if err != nil {
			return nil, err
		}
		a, err := s.myAPI(p.RestApiId, r)
		switch {
		case err != nil:
			return nil, err
		case a.stages[p.Stage] == nil:
			return nil, notFound("stage")
		case strings.Contains(p.BasePath, "/"):
			// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-private-custom-domains.html
			return nil, bad("Multi-level base path mapping isn't supported for private custom domain names: %s", p.BasePath)
		}
		return d, nil
	}
	create := func(r *cloud.ResourceRequest, p mappingProperties) (*cloud.Resource, error) {
		d, err := read(r, p)
		if err != nil {
			return nil, err
		}
		m := &mapping{d.arn + "/basepathmappings/" + p.BasePath, d.arn, p.BasePath, p.RestApiId, p.Stage}
		if s.mappings[m.arn] != nil {
			return nil, cloud.Errorf(409, "ConflictException", "Base path already exists for this domain name")
		}
		s.mappings[m.arn] = m
		return &cloud.Resource{Ref: m.arn, Attributes: map[string]string{"BasePathMappingArn": m.arn}}, nil
	}
	update := func(r *cloud.ResourceRequest, p mappingProperties, old *cloud.Resource) error {
		d, err := read(r, p)
		if err != nil {
			return err
		}
		m := s.mappings[old.Ref]
		if d.arn != m.domain || p.BasePath != m.basePath {
			return fmt.Errorf("a new BasePath or DomainNameArn needs replacement, which the sandbox does not support: delete the resource, or give it a new logical id")
		}
		m.api, m.stage = p.RestApiId, p.Stage
		return nil
	}
	return resource(s, "AWS::ApiGateway::BasePathMappingV2", create, update, func(old *cloud.Resource) error {
		delete(s.mappings, old.Ref)
		return nil
	})
}

// mappingsOf returns the mappings of a domain name by base path.
func (s *Service) mappingsOf(d *domain) []*mapping {
	var list []*mapping
	for _, arn := range slices.Sorted(maps.Keys(s.mappings)) {
		if m := s.mappings[arn]; m.domain == d.arn {
			list = append(list, m)
		}
	}
	return list
}

// associationProperties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-domainnameaccessassociation.html
type associationProperties struct {
	AccessAssociationSource     string
	AccessAssociationSourceType string
	DomainNameArn               string
	Tags                        []cloud.Tag
}

func (s *Service) associationType() cloud.ResourceType {
	create := func(r *cloud.ResourceRequest, p associationProperties) (*cloud.Resource, error) {
		d, err := s.myDomain(p.DomainNameArn, r)
		if err != nil {
			return nil, err
		}
		e, there := s.Endpoint(p.AccessAssociationSource)
		switch {
		case p.AccessAssociationSourceType != "VPCE":
			return nil, bad("AccessAssociationSourceType must be VPCE, not %q", p.AccessAssociationSourceType)
		case !there || e.Account != r.Account || e.Region != r.Region || e.Service != "com.amazonaws."+r.Region+".execute-api":
			return nil, bad("%s is not an execute-api VPC endpoint of account %s in %s", p.AccessAssociationSource, r.Account, r.Region)
		}
		for _, a := range s.associations {
			if a.endpoint == e.ID && s.domains[a.domain].name == d.name {
				return nil, cloud.Errorf(409, "ConflictException", "VPC endpoint %s is already associated with a domain name %s", e.ID, d.name)
			}
		}
		a := &association{
			arn:     "arn:aws:apigateway:" + r.Region + ":" + r.Account + ":/domainnameaccessassociations/domainname/" + d.name + "/vpcesource/" + e.ID,
			account: r.Account, region: r.Region, domain: d.arn, endpoint: e.ID, created: s.world.Clock.Now(),
		}
		s.associations[a.arn] = a
		s.world.Clock.After(Provisioning, "access association of "+d.name+" with "+e.ID+" ready", nil)
		return &cloud.Resource{Ref: a.arn, Attributes: map[string]string{"DomainNameAccessAssociationArn": a.arn}}, nil
	}
	return resource(s, "AWS::ApiGateway::DomainNameAccessAssociation", create, nil, func(old *cloud.Resource) error {
		delete(s.associations, old.Ref)
		return nil
	})
}

// associated returns the domain name with this host that is associated with an endpoint, or why the host cannot be reached
// through it.
func (s *Service) associated(endpoint, host string) (d *domain, problem string) {
	now := s.world.Clock.Now()
	for _, a := range s.associations {
		if a.endpoint != endpoint || s.domains[a.domain].name != strings.ToLower(host) {
			continue
		}
		switch d := s.domains[a.domain]; {
		case !d.ready(now):
			return nil, "private custom domain name " + d.name + " is still being provisioned"
		case now.Before(a.created.Add(Provisioning)):
			return nil, "the access association of " + d.name + " with " + endpoint + " is still being provisioned"
		default:
			return d, ""
		}
	}
	return nil, "no private custom domain name " + host + " is associated with endpoint " + endpoint
}
