package workflow

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"

	"github.com/originhub/originhub/pkg/audit"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/hubpolicy"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
	"github.com/originhub/originhub/pkg/wiring"
)

type auditRegistry interface {
	Load(ctx context.Context) (origin.Snapshot, error)
	PutFindings(ctx context.Context, was, is origin.Findings) error
}

type auditCloudFront interface {
	Distribution(ctx context.Context, id string) (origin.Served, error)
	Distributions(ctx context.Context) ([]origin.Listed, error)
	VpcOrigins(ctx context.Context) ([]origin.VpcOrigin, error)
	VpcOrigin(ctx context.Context, id string) (origin.VpcOrigin, error)
	Function(ctx context.Context, name string) (origin.Function, error)
	ConflictingAliases(ctx context.Context, distribution, alias string) ([]origin.AliasHolder, error)
}

type offers interface {
	Resources(ctx context.Context) ([]origin.Resource, error)
	Accepted(ctx context.Context, invitation string) (origin.Invitation, error)
	Rejected(ctx context.Context, invitation string) (origin.Invitation, error)
}

type records interface {
	Records(ctx context.Context, hosts []string) ([]origin.DNSRecord, error)
}

// SpokeOrigins is a team's account with its VPC origins, their tags and their users.
type SpokeOrigins interface {
	Spoke
	VpcOrigins(ctx context.Context) ([]origin.VpcOrigin, error)
	UsersOf(ctx context.Context, arn string) ([]origin.User, error)
}

// Audit reports drift and leaks. It changes nothing itself, but triggers the functions that repair.
type Audit struct {
	Policy       hubpolicy.Policy
	Account      string // the hub's
	Registry     auditRegistry
	Shares       offers
	CloudFront   auditCloudFront
	DNS          records
	Spoke        func(account string) SpokeOrigins
	Current      func(ctx context.Context, account string) (bool, error) // whether the spoke is of this version
	Network      func(account string) OwnerNetwork
	AdmitQueue   queue
	WireQueue    queue
	WireQueueURL string // for people, in commands
	Bus          bus
	Meter        meter
	Log          *slog.Logger
}

// Run judges one call, or everything on a sweep.
func (a *Audit) Run(ctx context.Context, m inbound.Message) error {
	hub := audit.Hub{Policy: a.Policy, Account: a.Account, WireQueue: a.WireQueueURL}
	switch m := m.(type) {
	case inbound.Refused:
		s, err := a.Registry.Load(ctx)
		if err != nil {
			return err
		}
		return a.commit(ctx, audit.Refuse(audit.Begin(hub, s), m.Account, m.Why), s.Findings)
	case inbound.CallHint:
		if hub.Own(m) {
			a.Log.InfoContext(ctx, "call was made by the hub itself", "call", m.Call, "who", m.By)
			return nil
		}
		return a.call(ctx, hub, m)
	case inbound.Sweep:
		return a.sweep(ctx, hub)
	}
	return nil
}

func (a *Audit) call(ctx context.Context, hub audit.Hub, c inbound.CallHint) error {
	s, err := a.Registry.Load(ctx)
	if err != nil {
		return err
	}
	o := audit.Begin(hub, s)
	if err := a.observe(ctx, audit.Around(c, o), &o); err != nil {
		return err
	}
	d, err := audit.DecideCall(c, o)
	if err != nil {
		return fault.AsGiveUp(err)
	}
	if d.Why != "" {
		a.Log.InfoContext(ctx, "nothing to report", "call", c.Call, "who", c.By, "why", d.Why)
	}
	return a.commit(ctx, d, s.Findings)
}

func (a *Audit) sweep(ctx context.Context, hub audit.Hub) error {
	s, err := a.Registry.Load(ctx)
	if err != nil {
		return err
	}
	o := audit.Begin(hub, s)
	if err := a.observe(ctx, audit.Everything(hub), &o); err != nil {
		return err
	}
	return a.commit(ctx, audit.DecideSweep(o), s.Findings)
}

func (a *Audit) commit(ctx context.Context, d audit.Decision, known origin.Findings) error {
	c := committer{bus: a.Bus, meter: a.Meter, log: a.Log, mode: a.Policy.Distribution.Mode(), queues: map[outcome.Function]queue{outcome.Admit: a.AdmitQueue, outcome.Wire: a.WireQueue}}
	return c.commit(ctx, d.Outcome, func() error {
		if d.Remember == nil {
			return nil
		}
		return a.Registry.PutFindings(ctx, known, *d.Remember)
	})
}

// observe adds to o what w asks for.
func (a *Audit) observe(ctx context.Context, w audit.Want, o *audit.Observed) (err error) {
	if w.Listed {
		if o.Listed, err = a.CloudFront.Distributions(ctx); err != nil {
			return err
		}
	}
	if o.Configs, err = a.configs(ctx, w.Configs); err != nil {
		return err
	}
	if w.Sharing {
		if o.Visible, err = a.CloudFront.VpcOrigins(ctx); err != nil {
			return err
		}
		if o.Offered, err = a.Shares.Resources(ctx); err != nil {
			return err
		}
		if o.Visible, err = a.unlisted(ctx, o.Visible, o.Offered); err != nil {
			return err
		}
	}
	if w.DNS {
		if o.DNS, err = a.DNS.Records(ctx, nil); err != nil {
			return err
		}
	}
	if err := a.observeNamed(ctx, w, o); err != nil {
		return err
	}
	if err := a.observeDoors(ctx, w.Doors, o); err != nil {
		return err
	}
	a.observeHolders(ctx, o)
	if len(w.Used) == 0 {
		return nil
	}
	return a.teams(ctx, w.Used, o)
}

// observeNamed adds to o the function, the invitation, the account and the load balancer that w names.
func (a *Audit) observeNamed(ctx context.Context, w audit.Want, o *audit.Observed) (err error) {
	if w.Function != "" {
		if o.Function, err = a.CloudFront.Function(ctx, w.Function); fault.IgnoreAbsent(err) != nil {
			return err
		}
	}
	if w.Rejected != "" {
		if o.Invitation, err = a.Shares.Rejected(ctx, w.Rejected); fault.IgnoreAbsent(err) != nil {
			return err
		}
	}
	if w.Accepted != "" {
		if o.Invitation, err = a.Shares.Accepted(ctx, w.Accepted); fault.IgnoreAbsent(err) != nil {
			return err
		}
	}
	if w.Owned != "" {
		listed, err := a.Spoke(w.Owned).VpcOrigins(ctx)
		if err != nil {
			return err
		}
		for _, v := range listed {
			o.Owned = append(o.Owned, audit.Owned{VpcOrigin: v})
		}
	}
	if w.Balancer != "" {
		_, err := a.Network(w.Owned).Endpoint(ctx, w.Balancer)
		if fault.IgnoreAbsent(err) != nil {
			return err
		}
		if err == nil {
			o.Balancer = w.Balancer
		}
	}
	return nil
}

// observeHolders asks which distributions have the aliases of Hidden. A question that fails is part of what the audit says.
func (a *Audit) observeHolders(ctx context.Context, o *audit.Observed) {
	o.Holders = map[string]origin.AliasHolders{}
	for _, ask := range o.Hidden() {
		holders, err := a.CloudFront.ConflictingAliases(ctx, ask.Distribution, ask.Alias)
		h := origin.AliasHolders{List: holders}
		if err != nil {
			h.Error = cmp.Or(fault.Code(err), "an unknown error")
		}
		o.Holders[ask.Alias] = h
	}
}

// configs reads the configurations of distributions. It omits distributions that do not exist any more.
func (a *Audit) configs(ctx context.Context, ids []string) (map[string]*wiring.Config, error) {
	configs := map[string]*wiring.Config{}
	for _, id := range ids {
		served, err := a.CloudFront.Distribution(ctx, id)
		if fault.Is[*fault.Absent](err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if configs[id], err = wiring.ParseConfig(served.Config); err != nil {
			return nil, &fault.GiveUp{Err: fmt.Errorf("read distribution %s: %w", id, err)}
		}
	}
	return configs, nil
}
