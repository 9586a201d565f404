package iam

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

type role struct {
	arn, name, id, account string
	trust                  string
	inline                 map[string]*inlinePolicy
	attached               []string // ARNs of managed policies, in order
	maxSession             time.Duration
	tags                   []cloud.Tag
	created                time.Time
}

type inlinePolicy struct {
	document *Document
	size     int    // of its text without white space
	owner    string // the AWS::IAM::Policy that attached it; empty if the role itself has it
}

// longestInline is how many characters all inline policies of a role can have together, without white space.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const longestInline = 10_240

// parseInline reads the text of an inline policy.
func parseInline(text []byte) (*inlinePolicy, error) {
	document, err := Parse(Identity, text)
	if err != nil {
		return nil, err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		return nil, err
	}
	return &inlinePolicy{document: document, size: compact.Len()}, nil
}

// fits returns an error if the inline policies of the role are too long.
func (r *role) fits() error {
	total := 0
	for _, p := range r.inline {
		total += p.size
	}
	if total > longestInline {
		return cloud.Errorf(409, "LimitExceeded", "Maximum policy size of %d bytes exceeded for role %s: %d", longestInline, r.name, total)
	}
	return nil
}

type managedPolicy struct {
	arn      string
	document *Document
}

type attachedPolicy struct {
	name     string // "<role>/<policy>" or a managed policy's ARN, as in Decision.Statement
	document *Document
}

// policiesOf returns a role's policies by name, inline ones first.
func (s *Service) policiesOf(r *role) []attachedPolicy {
	var list []attachedPolicy
	for _, name := range slices.Sorted(maps.Keys(r.inline)) {
		list = append(list, attachedPolicy{r.name + "/" + name, r.inline[name].document})
	}
	for _, arn := range r.attached {
		list = append(list, attachedPolicy{arn, s.managed[arn].document})
	}
	return list
}

// Role is a role as other services see it.
type Role struct {
	ARN, Name, ID, Account string
	Trust                  string // JSON
	MaxSession             time.Duration
}

// Role returns a role by its ARN. Call with the world locked.
func (s *Service) Role(arn string) (Role, bool) {
	r := s.roles[arn]
	if r == nil {
		return Role{}, false
	}
	return Role{ARN: r.arn, Name: r.name, ID: r.id, Account: r.account, Trust: r.trust, MaxSession: r.maxSession}, true
}

// Assume returns a session of the role if its trust policy allows caller to assume it. It is for services that act with a role,
// such as EventBridge for a rule's target. The error is an AccessDenied *cloud.Error. Call with the world locked.
func (s *Service) Assume(caller cloud.Principal, roleARN, session string) (cloud.Principal, error) {
	r := s.roles[roleARN]
	if r == nil {
		return cloud.Principal{}, cloud.Errorf(403, "AccessDenied", "the role %s does not exist", roleARN)
	}
	d := s.Authorize(cloud.Request{
		Principal: caller, Action: AssumeRole, Resource: roleARN, ResourceAccount: r.account, ResourcePolicy: r.trust,
		Region: "us-east-1",
	})
	if !d.Allowed {
		return cloud.Principal{}, cloud.Errorf(403, "AccessDenied",
			"%s is not authorized to perform: %s on resource: %s because %s", caller.ARN, AssumeRole, roleARN, d.Reason)
	}
	return cloud.AssumedRole(r.account, r.arn, r.name, session), nil
}

var roleName = regexp.MustCompile(`^[\w+=,.@-]{1,64}$`)

func (s *Service) putRole(r *role) error {
	if !roleName.MatchString(r.name) {
		return fmt.Errorf("role name %q is not 1 to 64 letters, digits and _+=,.@-", r.name)
	}
	if err := r.fits(); err != nil {
		return err
	}
	document, err := Parse(Trust, []byte(r.trust))
	if err != nil {
		return fmt.Errorf("role %s: trust policy: %w", r.name, err)
	}
	// IAM resolves a principal to an id when the policy is saved, so a principal must exist.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_roles.html
	for _, st := range document.statements {
		for _, arn := range st.principals.arns {
			if strings.Contains(arn, ":role/") && s.roles[arn] == nil {
				return cloud.Errorf(400, "MalformedPolicyDocument", "Invalid principal in policy: \"AWS\":\"%s\" (role %s)",
					arn, r.name)
			}
		}
	}
	for _, arn := range r.attached {
		if s.managed[arn] == nil {
			return fmt.Errorf("role %s: the sandbox does not know the managed policy %s", r.name, arn)
		}
	}
	s.roles[r.arn] = r
	return nil
}

// find returns a role by name, for policies that name their roles.
func (s *Service) find(account, name string) (*role, error) {
	for _, arn := range slices.Sorted(maps.Keys(s.roles)) {
		if r := s.roles[arn]; r.account == account && r.name == name {
			return r, nil
		}
	}
	return nil, cloud.Errorf(404, "NoSuchEntity", "The role with name %s cannot be found.", name)
}

// Permissions reports, for each action of each Allow statement of an account's roles, whether an allowed call has needed it so
// far. A key is the statement's name as in Decision.Statement, a blank, and the action in lower case. Call with the world locked.
func (s *Service) Permissions(account string) map[string]bool {
	needed := map[string]bool{}
	for _, r := range s.roles {
		if r.account != account {
			continue
		}
		for _, p := range s.policiesOf(r) {
			for _, st := range p.document.statements {
				for i, action := range st.actions {
					if st.allow {
						needed[p.name+"#"+st.id+" "+action.String()] = st.used[i]
					}
				}
			}
		}
	}
	return needed
}

// awsManaged returns the AWS managed policies whose content the sandbox knows. Any other is an error that names it.
func awsManaged() []*managedPolicy {
	text, err := json.Marshal(map[string]any{
		"Version": "2012-10-17",
		"Statement": []any{map[string]any{
			"Effect": "Allow", "Resource": "*",
			"Action": []string{"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"},
		}},
	})
	if err != nil {
		panic(err)
	}
	document, err := Parse(Identity, text)
	if err != nil {
		panic(err)
	}
	// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSLambdaBasicExecutionRole.html
	return []*managedPolicy{{arn: "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole", document: document}}
}
