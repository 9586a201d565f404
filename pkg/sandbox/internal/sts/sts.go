// Package sts emulates Security Token Service: who the caller is, and sessions of roles.
package sts

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/iam"
)

// Service emulates STS. It has no state of its own, because package iam keeps roles and credentials.
type Service struct {
	iam *iam.Service
}

// New returns the service.
func New(_ *cloud.World, roles *iam.Service) *Service { return &Service{iam: roles} }

// API returns the operations that the sandbox implements.
func (s *Service) API() *cloud.Service {
	return &cloud.Service{
		Name: "sts", Protocol: cloud.Query, EventSource: "sts.amazonaws.com",
		Version: "2011-06-15", Namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
		Operations: []cloud.Operation{
			cloud.Op(cloud.Operation{Name: "GetCallerIdentity", ReadOnly: true}, s.getCallerIdentity),
			// CloudTrail records AssumeRole as read-only, so ordinary rules do not match it.
			cloud.Op(cloud.Operation{Name: "AssumeRole", ReadOnly: true}, s.assumeRole),
		},
	}
}

// ResourceTypes returns nothing, because STS has no resources.
func (s *Service) ResourceTypes() []cloud.ResourceType { return nil }

// Snapshot returns nothing, because sessions are not resources.
func (s *Service) Snapshot(string) map[string]any { return map[string]any{} }

// GetCallerIdentityInput has no members.
type GetCallerIdentityInput struct{}

// GetCallerIdentityOutput names the caller.
type GetCallerIdentityOutput struct {
	Arn     string
	UserID  string `xml:"UserId"`
	Account string
}

// getCallerIdentity implements GetCallerIdentity. It needs no permission, even if a policy denies it.
// getCallerIdentity implements GetCallerIdentity.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
func (s *Service) getCallerIdentity(c *cloud.Call, _ *GetCallerIdentityInput) (*GetCallerIdentityOutput, error) {
	c.AuthorizeAnyone()
	out := &GetCallerIdentityOutput{Arn: c.Caller.ARN, UserID: c.Caller.Account, Account: c.Caller.Account}
	if role, ok := s.iam.Role(c.Caller.RoleARN); ok {
		out.UserID = role.ID + ":" + c.Caller.ARN[strings.LastIndex(c.Caller.ARN, "/")+1:]
	}
	return out, nil
}

// AssumeRoleInput is the input of AssumeRole. Session policies and tags are unknown parameters.
type AssumeRoleInput struct {
	RoleArn         string
	RoleSessionName string
	ExternalID      string `query:"ExternalId" json:"externalId,omitempty"`
	DurationSeconds *int
}

// AssumeRoleOutput has the credentials of the session.
type AssumeRoleOutput struct {
	AssumedRoleUser AssumedRoleUser
	Credentials     Credentials
}

// AssumedRoleUser identifies the session.
type AssumedRoleUser struct {
	AssumedRoleID string `xml:"AssumedRoleId"`
	Arn           string
}

// Credentials are temporary credentials. Expiration is in virtual time.
type Credentials struct {
	AccessKeyID     string `xml:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      time.Time
}

const (
	shortestSession = 900       // seconds
	longestChained  = time.Hour // for a session that assumes another role
	defaultSession  = time.Hour
)

var (
	roleForm    = regexp.MustCompile(`^arn:aws:iam::(\d{12}):role/[\w+=,.@/-]+$`)
	sessionForm = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
)

// assumeRole implements AssumeRole. A role that does not exist gets the same error as one that may not be assumed.
// assumeRole implements AssumeRole.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
func (s *Service) assumeRole(c *cloud.Call, in *AssumeRoleInput) (*AssumeRoleOutput, error) {
	arn := roleForm.FindStringSubmatch(in.RoleArn)
	if arn == nil {
		return nil, cloud.Errorf(400, "ValidationError", "%s is invalid", in.RoleArn)
	}
	if !sessionForm.MatchString(in.RoleSessionName) {
		return nil, cloud.Errorf(400, "ValidationError",
			"1 validation error detected: Value '%s' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]{2,64}",
			in.RoleSessionName)
	}
	role, _ := s.iam.Role(in.RoleArn)
	context := map[string][]string{"sts:RoleSessionName": {in.RoleSessionName}}
	if in.ExternalID != "" {
		context["sts:ExternalId"] = []string{in.ExternalID}
	}
	if err := c.AuthorizeWithResourcePolicy(iam.AssumeRole, in.RoleArn, arn[1], role.Trust, context); err != nil {
		return nil, err
	}
	d, err := duration(c, in, role)
	if err != nil {
		return nil, err
	}
	p := cloud.AssumedRole(role.Account, role.ARN, role.Name, in.RoleSessionName)
	// Calls of a function through another role still belong to that function.
	p.Function, p.Invocation = c.Caller.Function, c.Caller.Invocation
	keys := s.iam.Mint(p, d)
	return &AssumeRoleOutput{
		AssumedRoleUser: AssumedRoleUser{AssumedRoleID: role.ID + ":" + in.RoleSessionName, Arn: p.ARN},
		Credentials: Credentials{
			AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey, SessionToken: keys.SessionToken,
			Expiration: keys.Expiration,
		},
	}, nil
}

func duration(c *cloud.Call, in *AssumeRoleInput, role iam.Role) (time.Duration, error) {
	if in.DurationSeconds == nil {
		return defaultSession, nil
	}
	d := time.Duration(*in.DurationSeconds) * time.Second
	switch {
	case *in.DurationSeconds < shortestSession:
		return 0, cloud.Errorf(400, "ValidationError",
			"1 validation error detected: Value '%s' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to %d",
			strconv.Itoa(*in.DurationSeconds), shortestSession)
	case d > role.MaxSession:
		return 0, cloud.Errorf(400, "ValidationError",
			"The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	case c.Caller.RoleARN != "" && d > longestChained:
		return 0, cloud.Errorf(400, "ValidationError",
			"The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	}
	return d, nil
}
