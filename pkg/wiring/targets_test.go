package wiring_test

import (
	"slices"
	"testing"

	"github.com/originhub/originhub/pkg/wiring"
)

func TestTargets(t *testing.T) {
	both := []string{"10.20.0.7", "10.20.8.7"}
	for _, c := range []struct {
		name                 string
		addresses, targets   []string
		register, deregister []string
		unknown              bool
	}{
		{"no addresses", nil, both, nil, nil, true},
		{"no targets", both, nil, both, nil, false},
		{"one replaced", []string{"10.20.0.9", "10.20.8.7"}, both, []string{"10.20.0.9"}, nil, false},
		{"one left over", []string{"10.20.0.9", "10.20.8.7"}, append([]string{"10.20.0.9"}, both...), nil, []string{"10.20.0.7"}, false},
		{"the same in another order", both, []string{"10.20.8.7", "10.20.0.7"}, nil, nil, false},
	} {
		got := wiring.Targets(c.addresses, c.targets)
		if !slices.Equal(got.Register, c.register) || !slices.Equal(got.Deregister, c.deregister) || got.Unknown != c.unknown {
			t.Errorf("%s: got %+v", c.name, got)
		}
	}
}
