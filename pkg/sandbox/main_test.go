package sandbox

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	hub  = "100000000000"
	team = "111111111111"
)

func start(t testing.TB, o Options) *Sandbox {
	t.Helper()
	if o.Accounts == nil {
		o.Accounts = []Account{{ID: hub, Name: "networking", InOrganization: true}, {ID: team, Name: "team-a"}}
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
