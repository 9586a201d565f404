// Package hub builds what the handlers of all functions share: the policy, the SDK configuration, the common adapters, and the Lambda
// handlers for queues and events. The constructor of each function is in a package of its own below this one, so that a function links
// only the clients that it calls.
package hub

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/originhub/originhub/pkg/awsevents"
	"github.com/originhub/originhub/pkg/awssqs"
	"github.com/originhub/originhub/pkg/awssts"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/hubpolicy"
	"github.com/originhub/originhub/pkg/outcome"
	"github.com/originhub/originhub/pkg/policy"
	"github.com/originhub/originhub/pkg/registry"
	"github.com/originhub/originhub/pkg/telemetry"
)

// Hub is what all handlers of the hub share.
type Hub struct {
	session    string // of the spoke roles
	Policy     hubpolicy.Policy
	AWS        aws.Config
	Registry   *registry.Registry
	Bus        *awsevents.Bus
	AdmitQueue *awssqs.Queue
	WireQueue  *awssqs.Queue
	Meter      *telemetry.Meter
	Log        *slog.Logger

	host   Host
	spokes spokes
}

// Load reads the settings and the policy. Its error names the missing variable, or the place in the policy.
func Load(ctx context.Context, host Host, function string) (*Hub, error) {
	env := map[string]string{}
	var err error
	for _, name := range []string{contract.EnvTable, contract.EnvBus, contract.EnvAdmitQueue, contract.EnvWireQueue} {
		if env[name], err = host.setting(name, "hub"); err != nil {
			return nil, err
		}
	}
	text, err := fs.ReadFile(host.Asset, contract.PolicyFile)
	if err != nil {
		return nil, fmt.Errorf("read policy: %w", err)
	}
	p, err := policy.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("read policy %s: %w", contract.PolicyFile, err)
	}
	meter := telemetry.NewMeter(host.Output, p.Hub, host.Now)
	cfg, err := host.config(ctx, func() {
		meter.Record(outcome.Metric{Name: contract.MetricThrottle, Unit: outcome.Count, Value: 1})
	})
	if err != nil {
		return nil, err
	}
	session := contract.Session
	if function == "teardown" {
		session = contract.SessionTeardown
	}
	return &Hub{
		session:    session,
		Policy:     p,
		AWS:        cfg,
		Registry:   registry.New(cfg, env[contract.EnvTable], p.Distribution.Fleet()...),
		Bus:        awsevents.New(cfg, env[contract.EnvBus], contract.EventSource),
		AdmitQueue: awssqs.New(cfg, env[contract.EnvAdmitQueue]),
		WireQueue:  awssqs.New(cfg, env[contract.EnvWireQueue]),
		Meter:      meter,
		Log:        host.logger(function),
		host:       host,
	}, nil
}

// Setting returns an environment variable that the hub stack sets for this function only.
func (h *Hub) Setting(name string) (string, error) { return h.host.setting(name, "hub") }

// spokes keeps the SDK configuration of each team account's spoke role.
type spokes struct {
	mu      sync.Mutex
	entered map[string]aws.Config
}

// SpokeIsCurrent reports whether a team account's spoke is of this version.
func (h *Hub) SpokeIsCurrent(ctx context.Context, account string) (bool, error) {
	return awssts.Accepts(ctx, h.AWS, contract.SpokeRoleARN(h.Policy.Hub, account), h.session, contract.CurrentExternalID(h.Policy.ExternalID))
}

// Spoke returns the SDK configuration of a team account's spoke role. It is the same one as long as the process lives, so that credentials
// are fetched once.
func (h *Hub) Spoke(account string) aws.Config {
	h.spokes.mu.Lock()
	defer h.spokes.mu.Unlock()
	cfg, ok := h.spokes.entered[account]
	if !ok {
		cfg = awssts.Assume(h.AWS, contract.SpokeRoleARN(h.Policy.Hub, account), h.session, h.Policy.ExternalID)
		if h.spokes.entered == nil {
			h.spokes.entered = map[string]aws.Config{}
		}
		h.spokes.entered[account] = cfg
	}
	return cfg
}
