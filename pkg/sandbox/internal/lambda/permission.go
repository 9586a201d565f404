package lambda

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// permission is one statement of a function's resource policy.
type permission struct {
	Sid       string
	Effect    string
	Principal any
	Action    string
	Resource  string
	Condition map[string]map[string]string `json:",omitempty"`
}

// policy returns the function's resource policy, or "".
func (f *function) policy() string {
	if len(f.permissions) == 0 {
		return ""
	}
	b, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Id": "default", "Statement": f.permissions})
	if err != nil {
		return ""
	}
	return string(b)
}

// permissionType is AWS::Lambda::Permission: one statement that lets a service or an account invoke a function.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-permission.html
func (s *Service) permissionType() cloud.ResourceType {
	const name = "AWS::Lambda::Permission"
	put := func(r *cloud.ResourceRequest, old *cloud.Resource) (*cloud.Resource, error) {
		var p struct {
			Action, FunctionName, Principal, PrincipalOrgID, SourceAccount, SourceArn string
		}
		if err := r.DecodeProperties(name, &p); err != nil {
			return nil, err
		}
		if p.Action == "" || p.FunctionName == "" || p.Principal == "" {
			return nil, invalid("%s needs Action, FunctionName and Principal", name)
		}
		statement := permission{Effect: "Allow", Principal: principal(p.Principal), Action: p.Action}
		condition := func(operator, key, value string) {
			if value == "" {
				return
			}
			if statement.Condition == nil {
				statement.Condition = map[string]map[string]string{}
			}
			if statement.Condition[operator] == nil {
				statement.Condition[operator] = map[string]string{}
			}
			statement.Condition[operator][key] = value
		}
		condition("ArnLike", "AWS:SourceArn", p.SourceArn)
		condition("StringEquals", "AWS:SourceAccount", p.SourceAccount)
		condition("StringEquals", "aws:PrincipalOrgID", p.PrincipalOrgID)
		if old != nil {
			statement.Sid = old.Ref
		} else {
			statement.Sid = r.Name(100)
		}
		var err error
		s.world.Do(func() {
			var f *function
			if f, err = s.find(p.FunctionName, "", r.Region, r.Account); err != nil {
				return
			}
			// A changed permission may have moved from another function.
			s.removePermission(r.Account, statement.Sid)
			statement.Resource = f.arn
			f.permissions = append(slices.Clone(f.permissions), statement)
		})
		if err != nil {
			return nil, fmt.Errorf("add permission to FunctionName %s: %w", p.FunctionName, err)
		}
		return &cloud.Resource{Ref: statement.Sid, Attributes: map[string]string{"Id": statement.Sid}}, nil
	}
	return cloud.ResourceType{
		Name:   name,
		Create: func(r *cloud.ResourceRequest) (*cloud.Resource, error) { return put(r, nil) },
		Update: put,
		Delete: func(r *cloud.ResourceRequest, old *cloud.Resource) error {
			s.world.Do(func() { s.removePermission(r.Account, old.Ref) })
			return nil
		},
	}
}

func (s *Service) removePermission(account, sid string) {
	for _, f := range s.functions {
		if f.account == account {
			f.permissions = slices.DeleteFunc(slices.Clone(f.permissions), func(p permission) bool { return p.Sid == sid })
		}
	}
}

// principal returns the Principal of a permission in the form of a policy statement.
func principal(text string) any {
	switch {
	case text == "*":
		return "*"
	case cloud.IsAccount(text):
		return map[string]string{"AWS": "arn:aws:iam::" + text + ":root"}
	case strings.HasPrefix(text, "arn:"):
		return map[string]string{"AWS": text}
	}
	return map[string]string{"Service": text}
}

// GetPolicyOutput is the output of GetPolicy.
type GetPolicyOutput struct {
	Policy     string
	RevisionId string
}

// getPolicy implements GetPolicy.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetPolicy.html
func (s *Service) getPolicy(c *cloud.Call, in *FunctionInput) (*GetPolicyOutput, error) {
	f, err := s.allowed(c, "GetPolicy", in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if f.policy() == "" {
		return nil, cloud.Errorf(404, "ResourceNotFoundException", "The resource you requested does not exist.")
	}
	return &GetPolicyOutput{Policy: f.policy(), RevisionId: f.revision}, nil
}
