// Package events emulates Amazon EventBridge: buses, rules with patterns and rates, and delivery to targets.
package events

import (
	"encoding/json"
	"sort"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// Roles is what EventBridge needs of IAM.
type Roles interface {
	// Assume returns a session of the role if its trust policy allows caller to assume it. Called with the world locked.
	Assume(caller cloud.Principal, roleARN, session string) (cloud.Principal, error)
}

// Service holds the buses of all accounts. The world lock guards it.
type Service struct {
	world *cloud.World
	roles Roles
	buses map[string]*bus // by ARN; a default bus is created when it is first used

	received cloud.Log[cloud.Received]
	archives []*archive // in order of creation
	replays  []*replay
}

// New returns the service. The caller sets the world's Emit to that of the service.
func New(w *cloud.World, roles Roles) *Service {
	return &Service{world: w, roles: roles, buses: map[string]*bus{}, received: cloud.NewLog[cloud.Received](w.Keep)}
}

// find returns a bus of an account, given by name or ARN, or nil. An empty name means the default bus, which always exists.
func (s *Service) find(account, region, name string) *bus {
	arn := busARN(account, region, name)
	b := s.buses[arn]
	if b == nil && strings.HasSuffix(arn, ":event-bus/default") {
		b = newBus(arn, s.world.Clock.Now())
		s.buses[arn] = b
	}
	return b
}

// Snapshot returns an account's buses with rules, targets, and the results of their events.
func (s *Service) Snapshot(account string) map[string]any {
	buses := []any{}
	for _, b := range s.sorted(account) {
		rules := []any{}
		for _, r := range b.sorted() {
			rules = append(rules, r.snapshot())
		}
		entry := map[string]any{"name": b.name, "arn": b.arn, "region": b.region, "rules": rules}
		if policy := b.policyDocument(); policy != "" {
			entry["policy"] = json.RawMessage(policy)
		}
		if b.key != "" {
			entry["key"], entry["lost"] = b.key, b.lost
		}
		if b.lastError != "" {
			entry["lastError"] = b.lastError
		}
		buses = append(buses, entry)
	}
	archives, replays := []any{}, []any{}
	for _, a := range s.archives {
		if a.account == account {
			archives = append(archives, map[string]any{
				"name": a.name, "bus": a.bus, "events": len(a.held(s.world.Clock.Now())), "lost": a.lost,
			})
		}
	}
	for _, r := range s.replays {
		if r.account == account {
			replays = append(replays, map[string]any{"name": r.name, "state": r.state, "events": r.sent})
		}
	}
	return map[string]any{"eventBuses": buses, "archives": archives, "replays": replays}
}

func (s *Service) sorted(account string) []*bus {
	var list []*bus
	for _, b := range s.buses {
		if b.account == account {
			list = append(list, b)
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].arn < list[j].arn })
	return list
}
