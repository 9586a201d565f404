package workflow

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/audit"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

type auditRegistry interface {
	Load(ctx context.Context) (origin.Snapshot, error)
	PutFindings(ctx context.Context, f origin.Findings) error
}

type auditCloudFront interface {
	Distribution(ctx context.Context, id string) (origin.Served, error)
	Distributions(ctx context.Context) ([]origin.Listed, error)
	VpcOrigins(ctx context.Context) ([]origin.VpcOrigin, error)
}

type offers interface {
	Resources(ctx context.Context) ([]origin.Shared, error)
}

type records interface {
	Records(ctx context.Context) ([]origin.DNSRecord, error)
}

// SpokeOrigins is a team's account, as far as it tells what the team's VPC origins are used for.
type SpokeOrigins interface {
	VpcOrigins(ctx context.Context) ([]origin.VpcOrigin, error)
	UsersOf(ctx context.Context, arn string) ([]origin.User, error)
}

// Audit tells people what was done behind the hub's back and what is left over. It changes nothing: it wakes those who do.
type Audit struct {
	Policy       admission.Policy
	Account      string // the hub's
	Registry     auditRegistry
	Shares       offers
	CloudFront   auditCloudFront
	DNS          records
	Spoke        func(account string) SpokeOrigins
	AdmitQueue   queue
	WireQueue    queue
	WireQueueURL string // for people, in commands
	Bus          bus
	Meter        meter
	Log          *slog.Logger
}

const (
	// callsKept bounds how many reported calls are remembered: events come twice within minutes, not months.
	callsKept = 200
	// findingsKept keeps the registry's item within DynamoDB's 400 KB. What is beyond it is said again by the next audit.
	findingsKept = 1000
)

// Run judges one call, or on a schedule looks at everything.
func (a *Audit) Run(ctx context.Context, m inbound.Message) error {
	say := announcer{bus: a.Bus, log: a.Log}
	switch m := m.(type) {
	case inbound.Refused:
		say.alarm(contract.EventRefused, "", Detail{Account: m.Account, Why: m.Why})
		return say.publish(ctx)
	case inbound.CallHint:
		if a.own(m) {
			a.Log.InfoContext(ctx, "the hub's own call", "call", m.Call, "who", m.By)
			return nil
		}
		return a.guard(ctx, &say, m)
	case inbound.Sweep:
		return a.audit(ctx, &say)
	}
	return nil
}

// own tells whether a call is that of a function of this hub's, in its own account or with a team's spoke role.
func (a *Audit) own(c inbound.CallHint) bool {
	return strings.HasPrefix(c.Role, "arn:aws:iam::"+a.Account+":role"+contract.RolePath(a.Policy.Hub)) ||
		c.Role == contract.SpokeRoleARN(a.Policy.Hub, c.Account)
}

// guard reports a call that put something at risk, once, and wakes whoever repairs it.
func (a *Audit) guard(ctx context.Context, say *announcer, c inbound.CallHint) error {
	s, err := a.Registry.Load(ctx)
	if err != nil {
		return err
	}
	remembered := s.Findings
	if c.ID != "" && slices.Contains(remembered.Calls, c.ID) {
		return nil
	}
	o, err := a.around(ctx, s, c)
	if err != nil {
		return err
	}
	j := audit.Guard(audit.Act{Account: c.Account, Call: c.Call, Target: c.Target, By: c.By, Failed: c.Failed}, o)
	switch j.Verdict {
	case audit.Harmless:
		a.Log.InfoContext(ctx, "nothing is at risk", "call", c.Call, "who", c.By, "why", j.Why)
		return nil
	case audit.Forged:
		say.alarm(contract.EventRefused, "", Detail{Account: c.Account, Why: j.Why})
	case audit.Found:
		a.Meter.Count(contract.MetricHandMadeChange, alarms(j.Findings))
		for _, f := range j.Findings {
			add(say, contract.ChangeFound, f, o.Now)
		}
	}
	if err := say.publish(ctx); err != nil {
		return err
	}
	if j.Verdict == audit.Found {
		if err := a.wake(ctx, c); err != nil {
			return err
		}
	}
	if c.ID == "" {
		return nil
	}
	remembered.Calls = append(remembered.Calls, c.ID)
	remembered.Calls = remembered.Calls[max(0, len(remembered.Calls)-callsKept):]
	return a.Registry.PutFindings(ctx, remembered)
}

// wake wakes whoever finds out what a change means: wire for the distribution and DNS, admit for what is shared.
func (a *Audit) wake(ctx context.Context, c inbound.CallHint) error {
	q := a.WireQueue
	if c.Account != a.Account {
		q = a.AdmitQueue
	}
	return q.Send(ctx, string(inbound.Poke{Why: c.Call + " by hand"}.JSON()), 0)
}

func add(say *announcer, what string, f audit.Finding, now time.Time) {
	d := Detail{
		Origin: f.Origin, Account: f.Account, Team: f.Team, What: f.Subject, Kind: string(f.Kind), Why: origin.Brief(f.Risk), Who: f.By,
		Cost: f.Cost, Repair: f.Repair, RepairIn: f.In,
	}
	if !f.Since.IsZero() {
		d.Since, d.Age = f.Since.UTC().Format(time.RFC3339), age(now.Sub(f.Since))
	}
	resource := ""
	if strings.HasPrefix(f.Subject, "arn:") {
		resource = f.Subject
	}
	if f.Alarm {
		say.alarm(what, resource, d)
	} else {
		say.say(what, resource, d)
	}
}

// age is a duration as people say it.
func age(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Hour:
		return "less than an hour"
	case d < 2*time.Hour:
		return "1 hour"
	case d < 2*day:
		return fmt.Sprintf("%d hours", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d/day))
}

// base is what every look begins with.
func (a *Audit) base(ctx context.Context, s origin.Snapshot) (audit.Observed, error) {
	o := audit.Observed{
		Now: s.Now, Hub: a.Account, Zone: a.Policy.HostedZone, Adopted: a.Policy.Distribution.Base == nil, Teams: map[string]string{},
		Records: s.Records, Refusals: s.Refusals,
		Wake: fmt.Sprintf("aws sqs send-message --region us-east-1 --queue-url %s --message-body '%s'", a.WireQueueURL,
			inbound.Poke{Why: "repair"}.JSON()),
	}
	for _, d := range s.Distributions {
		if d.ID != "" && (slices.Contains(a.Policy.Distribution.Fleet(), d.Name) || s.Holds(d.Name)) {
			o.Managed = append(o.Managed, d.ID)
		}
	}
	for _, team := range a.Policy.Teams {
		for _, account := range team.Accounts {
			o.Teams[account] = team.Name
		}
	}
	var err error
	o.Distributions, err = a.CloudFront.Distributions(ctx)
	return o, err
}

// around looks at what a call may have touched, and at no more.
func (a *Audit) around(ctx context.Context, s origin.Snapshot, c inbound.CallHint) (audit.Observed, error) {
	o, err := a.base(ctx, s)
	if err != nil {
		return o, err
	}
	switch c.Call {
	case inbound.UpdateDistribution:
		o.Differs, err = a.differs(ctx, s, o.Distributions, c.Target)
	case inbound.DisassociateResourceShare, inbound.DeleteResourceShare:
		o.Lost = lost(s)
		if o.Visible, err = a.CloudFront.VpcOrigins(ctx); err == nil {
			o.Offered, err = a.Shares.Resources(ctx)
		}
	case inbound.DeleteVpcOrigin:
		// Only what the account itself lists tells whether the origin is going.
		if _, known := o.Teams[c.Account]; known {
			var own []origin.VpcOrigin
			own, err = a.Spoke(c.Account).VpcOrigins(ctx)
			for _, v := range own {
				o.Owned = append(o.Owned, audit.Owned{VpcOrigin: v})
			}
		}
	case inbound.ChangeResourceRecordSets:
		o.DNS, err = a.DNS.Records(ctx)
	}
	return o, err
}

// lost names the origins that were withdrawn, within the last hour, since they were no longer shared. RAM tells of it sooner
// than CloudTrail, so that the hub may have taken them out by now.
func lost(s origin.Snapshot) []string {
	var ids []string
	for _, r := range s.Records {
		if slices.ContainsFunc(r.History, func(d origin.Decision) bool {
			return d.Code == origin.DecidedWithdrawn && origin.HasCode(d.Reasons, origin.OriginNotShared) && s.Now.Sub(d.At) < time.Hour
		}) {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// differs says what of the hub's part of a distribution is not as the registry last saw it, by id: of the one that a call was
// about, or of all if the call does not say.
func (a *Audit) differs(ctx context.Context, s origin.Snapshot, listed []origin.Listed, target string) (map[string]string, error) {
	differs := map[string]string{}
	for _, d := range s.Distributions {
		there := slices.ContainsFunc(listed, func(l origin.Listed) bool { return l.ID == d.ID })
		if !there || target != "" && d.ID != target {
			continue
		}
		one, err := a.differ(ctx, d, s.In(d.Name))
		if err != nil {
			return nil, err
		}
		differs[d.ID] = one
	}
	return differs, nil
}

func (a *Audit) differ(ctx context.Context, d origin.Distribution, records []origin.Record) (string, error) {
	served, err := a.CloudFront.Distribution(ctx, d.ID)
	if err != nil {
		return "", err
	}
	config, err := wiring.ParseConfig(served.Config)
	if err != nil {
		return "", &fault.GiveUp{Err: fmt.Errorf("read distribution %s: %w", served.ID, err)}
	}
	var settled []origin.Record // what is still to be written differs for no stranger's fault
	for _, r := range records {
		if r.Intent == origin.Wire && (r.State == origin.Live || r.State == origin.Wired) {
			settled = append(settled, r)
		}
	}
	spec := specOf(a.Policy, d, config)
	spec.Limits = origin.Size{}
	plan, err := wiring.Diff(wiring.DesiredOf(settled, nil, spec), config)
	if err != nil {
		return "", &fault.GiveUp{Err: fmt.Errorf("compare distribution %s: %w", served.ID, err)}
	}
	if plan.Empty() && len(plan.Refused) == 0 {
		return "", nil
	}
	return strings.ReplaceAll(plan.String(), "\n", "; "), nil
}

// audit looks at everything, and says what is new or changed and what is no longer so.
func (a *Audit) audit(ctx context.Context, say *announcer) error {
	s, err := a.Registry.Load(ctx)
	if err != nil {
		return err
	}
	o, err := a.base(ctx, s)
	if err != nil {
		return err
	}
	if o.Visible, err = a.CloudFront.VpcOrigins(ctx); err != nil {
		return err
	}
	if o.Offered, err = a.Shares.Resources(ctx); err != nil {
		return err
	}
	if o.DNS, err = a.DNS.Records(ctx); err != nil {
		return err
	}
	blind, err := a.owned(ctx, &o)
	if err != nil {
		return err
	}
	found := audit.Audit(o)
	remembered := s.Findings
	open := a.compare(say, remembered.Open, found, blind, o.Now)
	a.Meter.Count(contract.MetricLeaksOpen, len(found))
	a.Meter.Count(contract.MetricSideDoorsOpen, alarms(found))
	if err := say.publish(ctx); err != nil {
		return err
	}
	remembered.Open = open[:min(len(open), findingsKept)]
	return a.Registry.PutFindings(ctx, remembered)
}

// alarms counts the findings that somebody has to look at now.
func alarms(found []audit.Finding) (n int) {
	for _, f := range found {
		if f.Alarm {
			n++
		}
	}
	return n
}

// owned asks every team's account for its VPC origins and who uses them. It answers the accounts that cannot be read: what
// is known of them still stands.
func (a *Audit) owned(ctx context.Context, o *audit.Observed) (blind []string, err error) {
	var accounts []string
	for _, team := range a.Policy.Teams {
		if team.Spoke {
			accounts = append(accounts, team.Accounts...)
		}
	}
	owned := make([][]audit.Owned, len(accounts))
	failed := make([]error, len(accounts))
	each(len(accounts), func(i int) { owned[i], failed[i] = a.ownedBy(ctx, accounts[i]) })
	for i, account := range accounts {
		o.Owned = append(o.Owned, owned[i]...)
		switch err := failed[i]; {
		case fault.Is[*fault.GiveUp](err):
			a.Log.WarnContext(ctx, "VPC origins cannot be listed", "account", account, "error", err)
			blind = append(blind, account)
		case err != nil:
			return nil, err
		}
	}
	return blind, nil
}

func (a *Audit) ownedBy(ctx context.Context, account string) (owned []audit.Owned, err error) {
	spoke := a.Spoke(account)
	origins, err := spoke.VpcOrigins(ctx)
	for i := 0; i < len(origins) && err == nil; i++ {
		one := audit.Owned{VpcOrigin: origins[i]}
		one.Users, err = spoke.UsersOf(ctx, one.ARN)
		switch {
		case err == nil:
			owned = append(owned, one)
		case fault.Is[*fault.Absent](err): // it went meanwhile
			err = nil
		}
	}
	return owned, err
}

// compare says what is new or changed and what is no longer so, and answers what stands now.
func (a *Audit) compare(say *announcer, known []origin.OpenFinding, found []audit.Finding, blind []string, now time.Time) []origin.OpenFinding {
	var open []origin.OpenFinding
	stands := map[string]bool{}
	for _, f := range found {
		is := origin.OpenFinding{
			Kind: string(f.Kind), Subject: f.Subject, Origin: f.Origin, Account: f.Account, Team: f.Team, Since: f.Since, Says: f.Fingerprint(),
		}
		i := slices.IndexFunc(known, func(k origin.OpenFinding) bool {
			return k.Kind == is.Kind && k.Subject == is.Subject && k.Origin == is.Origin
		})
		if is.Since.IsZero() {
			is.Since = now // the first audit that saw it
			if i >= 0 {
				is.Since = known[i].Since
			}
		}
		if i < 0 || known[i].Says != is.Says {
			f.Since = is.Since
			add(say, contract.LeakFound, f, now)
		}
		stands[f.Key()] = true
		open = append(open, is)
	}
	for _, k := range known {
		f := audit.Finding{Kind: audit.Kind(k.Kind), Subject: k.Subject, Origin: k.Origin, Account: k.Account, Team: k.Team, Since: k.Since}
		switch {
		case stands[f.Key()]:
		case f.Kind == audit.OriginUnused && slices.Contains(blind, k.Account): // the others rest on what the hub sees by itself
			open = append(open, k)
		default:
			f.Risk = "it is no longer so"
			add(say, contract.LeakResolved, f, now)
		}
	}
	return open
}
