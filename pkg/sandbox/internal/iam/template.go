package iam

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// ResourceTypes returns the types of roles and their policies.
func (s *Service) ResourceTypes() []cloud.ResourceType {
	return []cloud.ResourceType{
		{Name: "AWS::IAM::Role", Create: s.createRole, Update: s.updateRole, Delete: s.deleteRole},
		{Name: "AWS::IAM::Policy", Create: s.createPolicy, Update: s.updatePolicy, Delete: s.deletePolicy},
		{Name: "AWS::IAM::ManagedPolicy", Create: s.createManaged, Update: s.updateManaged, Delete: s.deleteManaged},
	}
}

// roleProperties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-role.html
type roleProperties struct {
	AssumeRolePolicyDocument json.RawMessage
	Description              string
	ManagedPolicyArns        []string
	MaxSessionDuration       cloud.Int
	Path                     string
	Policies                 []policyProperties
	RoleName                 string
	Tags                     []cloud.Tag
}

// policyProperties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-policy.html
type policyProperties struct {
	PolicyName     string
	PolicyDocument json.RawMessage
	Roles          []string
}

// managedProperties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-managedpolicy.html
type managedProperties struct {
	ManagedPolicyName string
	Description       string
	Path              string
	PolicyDocument    json.RawMessage
	Roles             []string
}

func (s *Service) createRole(r *cloud.ResourceRequest) (*cloud.Resource, error) {
	return s.deployRole(r, nil)
}

func (s *Service) updateRole(r *cloud.ResourceRequest, old *cloud.Resource) (*cloud.Resource, error) {
	return s.deployRole(r, old)
}

func (s *Service) deployRole(r *cloud.ResourceRequest, old *cloud.Resource) (*cloud.Resource, error) {
	var p roleProperties
	if err := r.DecodeProperties("AWS::IAM::Role", &p); err != nil {
		return nil, err
	}
	next := &role{
		account: r.Account, trust: string(p.AssumeRolePolicyDocument), attached: p.ManagedPolicyArns, tags: p.Tags,
		maxSession: time.Hour, inline: map[string]*inlinePolicy{}, name: p.RoleName, created: r.World.Clock.Now(),
	}
	if p.MaxSessionDuration != 0 {
		next.maxSession = time.Duration(p.MaxSessionDuration) * time.Second
	}
	for _, policy := range p.Policies {
		inline, err := parseInline(policy.PolicyDocument)
		if err != nil {
			return nil, fmt.Errorf("stack %s, resource %s: policy %s: %w", r.Stack, r.LogicalID, policy.PolicyName, err)
		}
		next.inline[policy.PolicyName] = inline
	}
	var err error
	r.World.Do(func() {
		if old == nil {
			if next.name == "" {
				next.name = r.Name(64)
			}
			next.id = "AROA" + r.World.IDs.Upper(17)
		} else {
			before := s.roles[old.Attributes["Arn"]]
			if next.name != "" && next.name != before.name {
				err = fmt.Errorf("stack %s, resource %s: the sandbox cannot rename a role", r.Stack, r.LogicalID)
				return
			}
			next.name, next.id, next.created = before.name, before.id, before.created
			for name, policy := range before.inline {
				if policy.owner != "" {
					next.inline[name] = policy
				}
			}
			for _, arn := range before.attached {
				if cloud.AccountOf(arn) == r.Account && !slices.Contains(next.attached, arn) {
					next.attached = append(next.attached, arn)
				}
			}
		}
		next.arn = "arn:aws:iam::" + r.Account + ":role" + pathOf(p.Path) + next.name
		if _, taken := s.find(r.Account, next.name); old == nil && taken == nil {
			err = cloud.Errorf(409, "EntityAlreadyExists", "Role with name %s already exists.", next.name)
			return
		}
		err = s.putRole(next)
	})
	if err != nil {
		return nil, err
	}
	return &cloud.Resource{Ref: next.name, Attributes: map[string]string{"Arn": next.arn, "RoleId": next.id}}, nil
}

func (s *Service) deleteRole(r *cloud.ResourceRequest, old *cloud.Resource) error {
	r.World.Do(func() { delete(s.roles, old.Attributes["Arn"]) })
	return nil
}

func (s *Service) createPolicy(r *cloud.ResourceRequest) (*cloud.Resource, error) {
	var p policyProperties
	if err := r.DecodeProperties("AWS::IAM::Policy", &p); err != nil {
		return nil, err
	}
	inline, err := parseInline(p.PolicyDocument)
	if err != nil {
		return nil, fmt.Errorf("stack %s, resource %s: %w", r.Stack, r.LogicalID, err)
	}
	inline.owner = ownerOf(r)
	if len(p.Roles) == 0 {
		return nil, fmt.Errorf("stack %s, resource %s: a policy needs at least one role", r.Stack, r.LogicalID)
	}
	r.World.Do(func() {
		for _, name := range p.Roles {
			role, missing := s.find(r.Account, name)
			if missing != nil {
				err = missing
				return
			}
			before, had := role.inline[p.PolicyName]
			role.inline[p.PolicyName] = inline
			if err = role.fits(); err != nil {
				delete(role.inline, p.PolicyName)
				if had {
					role.inline[p.PolicyName] = before
				}
				return
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return &cloud.Resource{Ref: p.PolicyName, Attributes: map[string]string{"Id": p.PolicyName}}, nil
}

func (s *Service) updatePolicy(r *cloud.ResourceRequest, old *cloud.Resource) (*cloud.Resource, error) {
	if err := s.deletePolicy(r, old); err != nil {
		return nil, err
	}
	return s.createPolicy(r)
}

func (s *Service) deletePolicy(r *cloud.ResourceRequest, _ *cloud.Resource) error {
	r.World.Do(func() {
		for _, role := range s.roles {
			maps.DeleteFunc(role.inline, func(_ string, p *inlinePolicy) bool { return p.owner == ownerOf(r) })
		}
	})
	return nil
}

func ownerOf(r *cloud.ResourceRequest) string {
	return r.Account + "/" + r.Region + "/" + r.Stack + "/" + r.LogicalID
}

func (s *Service) createManaged(r *cloud.ResourceRequest) (*cloud.Resource, error) {
	return s.deployManaged(r, nil)
}

func (s *Service) updateManaged(r *cloud.ResourceRequest, old *cloud.Resource) (*cloud.Resource, error) {
	return s.deployManaged(r, old)
}

func (s *Service) deployManaged(r *cloud.ResourceRequest, old *cloud.Resource) (*cloud.Resource, error) {
	var p managedProperties
	if err := r.DecodeProperties("AWS::IAM::ManagedPolicy", &p); err != nil {
		return nil, err
	}
	document, err := Parse(Identity, p.PolicyDocument)
	if err != nil {
		return nil, fmt.Errorf("stack %s, resource %s: %w", r.Stack, r.LogicalID, err)
	}
	var arn string
	r.World.Do(func() {
		if old != nil {
			arn = old.Ref
			s.detach(arn)
		} else {
			name := p.ManagedPolicyName
			if name == "" {
				name = r.Name(128)
			}
			arn = "arn:aws:iam::" + r.Account + ":policy" + pathOf(p.Path) + name
		}
		s.managed[arn] = &managedPolicy{arn: arn, document: document}
		for _, name := range p.Roles {
			role, missing := s.find(r.Account, name)
			if missing != nil {
				err = missing
				return
			}
			if !slices.Contains(role.attached, arn) {
				role.attached = append(role.attached, arn)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return &cloud.Resource{Ref: arn, Attributes: map[string]string{"PolicyArn": arn}}, nil
}

func (s *Service) deleteManaged(r *cloud.ResourceRequest, old *cloud.Resource) error {
	r.World.Do(func() {
		s.detach(old.Ref)
		delete(s.managed, old.Ref)
	})
	return nil
}

func (s *Service) detach(policyARN string) {
	for _, role := range s.roles {
		role.attached = slices.DeleteFunc(role.attached, func(arn string) bool { return arn == policyARN })
	}
}

func pathOf(path string) string {
	if path == "" {
		return "/"
	}
	return path
}
