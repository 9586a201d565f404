package iam

import (
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// Credential is a set of temporary keys.
type Credential struct {
	AccessKeyID, SecretAccessKey, SessionToken string
	Expiration                                 time.Time // virtual
}

// Mint returns temporary keys for a session, valid for d of virtual time. They keep working after that (assumption IAM-03).
func (s *Service) Mint(p cloud.Principal, d time.Duration) Credential {
	c := Credential{
		AccessKeyID: "ASIA" + s.w.IDs.Upper(16), SecretAccessKey: s.w.IDs.Mixed(40), SessionToken: s.w.IDs.Mixed(64),
		Expiration: s.w.Clock.Now().Add(d).Truncate(time.Second),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions[c.AccessKeyID] = p
	return c
}

// MintForFunction returns temporary keys for an instance of a function: a session of its execution role, named after the
// function. The role must trust lambda.amazonaws.com. Call with the world locked.
func (s *Service) MintForFunction(roleARN, functionName, functionARN string) (Credential, error) {
	host := cloud.ServicePrincipal("lambda.amazonaws.com")
	host.SourceARN = functionARN
	p, err := s.Assume(host, roleARN, functionName)
	if err != nil {
		return Credential{}, err
	}
	p.Function = functionName
	return s.Mint(p, 12*time.Hour), nil
}

// Invocation sets the invocation that the keys of a function's instance now act for. It needs no lock.
func (s *Service) Invocation(accessKeyID, invocation string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, ok := s.sessions[accessKeyID]; ok {
		p.Invocation = invocation
		s.sessions[accessKeyID] = p
	}
}

// Credentials returns the principal of an access key. It needs no lock.
func (s *Service) Credentials(accessKeyID string) (cloud.Principal, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.sessions[accessKeyID]
	return p, ok
}
