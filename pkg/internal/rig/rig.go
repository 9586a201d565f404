// Package rig sets up the sandbox for the tests of the adapters, and checks the type of their errors.
package rig

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/sandbox"
)

// These are the accounts of the sandbox and its Region.
const (
	Hub    = "100000000000"
	Team   = "111111111111" // outside the hub's organization
	Peer   = "222222222222" // inside the hub's organization
	Region = "us-east-1"
)

// Start starts a sandbox that ends with the test. It also returns a context that ends when the test takes too long.
func Start(t *testing.T, options ...func(*sandbox.Options)) (context.Context, *sandbox.Sandbox) {
	t.Helper()
	o := sandbox.Options{Accounts: []sandbox.Account{
		{ID: Hub, Name: "hub", InOrganization: true}, {ID: Team, Name: "team"}, {ID: Peer, Name: "peer", InOrganization: true},
	}}
	for _, option := range options {
		option(&o)
	}
	s, err := sandbox.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(func() {
		cancel()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return ctx, s
}

// Must returns a function that returns its first argument, and that ends the test on an error.
func Must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// OK ends the test on an error.
func OK(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Want fails the test unless the outermost type of err is T, one of package fault's. The state machine sees only the outermost
// type.
func Want[T error](t *testing.T, what string, err error) {
	t.Helper()
	var want T
	if got := fmt.Sprintf("%T", err); got != fmt.Sprintf("%T", want) {
		t.Errorf("%s: got %s, want %T: %v", what, got, want, err)
	}
}

// Refuse makes every call of an operation fail with this error code and HTTP status, until the rules are reset.
func Refuse(s *sandbox.Sandbox, operation, code string, status int) {
	s.OnCall(func(c sandbox.Call) *sandbox.Fault {
		if c.Operation != operation {
			return nil
		}
		return &sandbox.Fault{Name: code, Error: &sandbox.RuleError{Code: code, Message: "a test says so", Status: status}}
	})
}
