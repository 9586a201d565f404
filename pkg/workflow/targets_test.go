package workflow

import (
	"context"
	"log/slog"
	"slices"
	"testing"

	"github.com/originhub/originhub/pkg/fault"
)

// balancedNetwork is an endpoint and a target group. It notes the fewest targets that the group ever had.
type balancedNetwork struct {
	addresses, targets []string
	writes, fewest     int
}

func (n *balancedNetwork) EndpointAddresses(context.Context, string) ([]string, error) {
	return n.addresses, nil
}

func (n *balancedNetwork) Targets(context.Context, string) ([]string, error) { return n.targets, nil }

func (n *balancedNetwork) Register(_ context.Context, _ string, addresses []string) error {
	n.targets = append(slices.Clone(n.targets), addresses...)
	return n.wrote()
}

func (n *balancedNetwork) Deregister(_ context.Context, _ string, addresses []string) error {
	n.targets = slices.DeleteFunc(slices.Clone(n.targets), func(a string) bool { return slices.Contains(addresses, a) })
	return n.wrote()
}

func (n *balancedNetwork) wrote() error {
	n.writes++
	n.fewest = min(n.fewest, len(n.targets))
	return nil
}

func TestTargetsFollowTheEndpoint(t *testing.T) {
	for name, c := range map[string]struct {
		addresses, targets []string
		writes             int
	}{
		"first tick":               {[]string{"10.20.0.7", "10.20.8.7"}, nil, 1},
		"nothing changed":          {[]string{"10.20.0.7", "10.20.8.7"}, []string{"10.20.8.7", "10.20.0.7"}, 0},
		"one interface replaced":   {[]string{"10.20.0.9", "10.20.8.7"}, []string{"10.20.0.7", "10.20.8.7"}, 2},
		"all interfaces replaced":  {[]string{"10.20.0.9", "10.20.8.9"}, []string{"10.20.0.7", "10.20.8.7"}, 2},
		"one Availability Zone on": {[]string{"10.20.0.7"}, []string{"10.20.0.7", "10.20.8.7"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			n := &balancedNetwork{addresses: c.addresses, targets: c.targets, fewest: len(c.targets)}
			keep := &Targets{Network: n, Log: slog.New(slog.DiscardHandler)}
			if err := keep.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			if got := slices.Sorted(slices.Values(n.targets)); !slices.Equal(got, c.addresses) {
				t.Errorf("targets %v, want %v", got, c.addresses)
			}
			if n.writes != c.writes {
				t.Errorf("%d writes, want %d", n.writes, c.writes)
			}
			if least := min(len(c.targets), len(c.addresses)); n.fewest < least {
				t.Errorf("there were %d targets at some moment, want at least %d", n.fewest, least)
			}
		})
	}
}

func TestTargetsKeepWhatTheyHaveWhileTheEndpointSaysNothing(t *testing.T) {
	n := &balancedNetwork{targets: []string{"10.20.0.7"}}
	err := (&Targets{Network: n, Log: slog.New(slog.DiscardHandler)}).Run(context.Background())
	if !fault.Is[*fault.Retry](err) || n.writes != 0 {
		t.Errorf("%v after %d writes, want a Retry and none", err, n.writes)
	}
}
