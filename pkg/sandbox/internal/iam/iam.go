// Package iam emulates IAM: roles, their policies, the credentials of their sessions, and the evaluator of every API call in the
// sandbox.
package iam

import (
	"maps"
	"slices"
	"sync"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// Service holds the roles of all accounts. The world lock guards its state, except the credentials.
type Service struct {
	w       *cloud.World
	roles   map[string]*role          // by ARN
	managed map[string]*managedPolicy // by ARN
	parsed  map[policyText]*Document  // resource policies already read

	mu       sync.Mutex
	sessions map[string]cloud.Principal // by access key id
}

// policyText is a resource's policy before it is read.
type policyText struct {
	kind Kind
	text string
}

// New returns the service, which is also the world's Authorizer.
func New(w *cloud.World) *Service {
	s := &Service{
		w: w, roles: map[string]*role{}, managed: map[string]*managedPolicy{}, parsed: map[policyText]*Document{},
		sessions: map[string]cloud.Principal{},
	}
	for _, p := range awsManaged() {
		s.managed[p.arn] = p
	}
	return s
}

// API returns no operations, because only templates create roles. Every IAM operation is reported as not implemented.
func (s *Service) API() *cloud.Service {
	return &cloud.Service{
		Name: "iam", Protocol: cloud.Query, Global: true, EventSource: "iam.amazonaws.com", Version: "2010-05-08",
		Namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
	}
}

// Snapshot returns the roles and customer managed policies of an account. Call with the world locked.
func (s *Service) Snapshot(account string) map[string]any {
	roles, policies := []any{}, []any{}
	for _, arn := range slices.Sorted(maps.Keys(s.roles)) {
		if r := s.roles[arn]; r.account == account {
			names := []string{}
			for _, p := range s.policiesOf(r) {
				names = append(names, p.name)
			}
			roles = append(roles, map[string]any{"arn": r.arn, "policies": names, "created": r.created})
		}
	}
	for _, arn := range slices.Sorted(maps.Keys(s.managed)) {
		if cloud.AccountOf(arn) == account {
			policies = append(policies, map[string]any{"arn": arn})
		}
	}
	return map[string]any{"roles": roles, "policies": policies}
}
