package audit

import (
	"fmt"
	"slices"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// Judgement is what a call amounts to.
type Judgement struct {
	Verdict  Verdict
	Findings []Finding // if Found
	Why      string    // if Harmless or Forged
}

// Verdict is the kind of a judgement.
type Verdict int

// Verdicts.
const (
	Harmless Verdict = iota // nothing of the hub's was changed
	Found                   // something is at risk, or was until the hub repaired it
	Forged                  // the event names something that its account does not own
)

func harmless(format string, args ...any) Judgement {
	return Judgement{Why: fmt.Sprintf(format, args...)}
}

func forged(format string, args ...any) Judgement {
	return Judgement{Verdict: Forged, Why: fmt.Sprintf(format, args...) + "; find out who in that account sent the event"}
}

// Guard judges a call that the hub did not make itself, by the current state. Only the account of the call can be trusted. The error is
// about the registry or a configuration.
//
//	call                                      judged by
//	UpdateDistribution, DeleteDistribution    guardDistribution
//	DeleteResourceShare, Disassociate…,       guardShare
//	UpdateResourceShare
//	DeleteVpcOrigin                           guardOrigin
//	ChangeResourceRecordSets                  guardRecords
//	AssociateAlias, UpdateDomainAssociation   guardAliases
//	PublishFunction                           guardFunction
//	CreateDistribution, CopyDistribution      guardDoors
//	RejectResourceShareInvitation             guardRejection
//	AcceptResourceShareInvitation             guardAcceptance
//	DeleteLoadBalancer                        guardBalancer
//	any other                                 harmless
func Guard(c inbound.CallHint, o Observed) (j Judgement, err error) {
	switch c.Call {
	case inbound.UpdateDistribution, inbound.DeleteDistribution:
		j, err = o.guardDistribution(c)
	case inbound.DeleteResourceShare, inbound.DisassociateResourceShare, inbound.UpdateResourceShare:
		j = o.guardShare(c)
	case inbound.DeleteVpcOrigin:
		j = o.guardOrigin(c)
	case inbound.ChangeResourceRecordSets:
		j = o.guardRecords(c)
	case inbound.AssociateAlias, inbound.UpdateDomainAssociation:
		j = o.guardAliases(c)
	case inbound.PublishFunction:
		j = o.guardFunction(c)
	case inbound.CreateDistribution, inbound.CopyDistribution:
		j = o.guardDoors(c)
	case inbound.RejectResourceShareInvitation:
		j = o.guardRejection(c)
	case inbound.AcceptResourceShareInvitation:
		j = o.guardAcceptance(c)
	case inbound.DeleteLoadBalancer:
		j = o.guardBalancer(c)
	default:
		return harmless("the audit does not judge calls of %s", c.Call), nil
	}
	if err != nil {
		return Judgement{}, err
	}
	for i := range j.Findings {
		j.Findings[i].By, j.Findings[i].Cost = c.By, unknown
	}
	return j, nil
}

// reported reports whether a call was reported before.
func (o Observed) reported(c inbound.CallHint) bool {
	return c.ID != "" && slices.Contains(o.Findings.Calls, c.ID)
}

// DecideCall decides what follows from a call, given what was observed.
//
//	call             judgement  reported       remembered           triggered
//	reported before  -          -              unchanged            as trigger says, because the earlier run may have crashed
//	new              harmless   -              -                    -
//	new              forged     Event Refused  yes, if it has an id -
//	new              found      each finding   yes, if it has an id as trigger says
//	new              other code each finding   yes, as open        as trigger says
func DecideCall(c inbound.CallHint, o Observed) (Decision, error) {
	var d Decision
	if o.reported(c) {
		d.trigger(c, o.Hub)
		d.Why = "the call was reported before"
		return d, nil
	}
	j, err := Guard(c, o)
	if err != nil {
		return d, err
	}
	switch j.Verdict {
	case Harmless:
		d.Why = j.Why
		return d, nil
	case Forged:
		d.Add(outcome.Refused(c.Account, j.Why))
	case Found:
		d.Count(contract.MetricDriftFound, alarms(j.Findings))
		for _, f := range j.Findings {
			d.report(contract.DriftFound, f, o.Now)
		}
		d.trigger(c, o.Hub)
	}
	known := o.Findings
	known.Open = opened(known.Open, j.Findings, o.Now)
	if c.ID != "" {
		known.Calls = append(slices.Clone(known.Calls), c.ID)
	}
	if c.ID != "" || slices.ContainsFunc(j.Findings, opens) {
		d.remember(known)
	}
	return d, nil
}

// opened returns the open findings with those that a call caused and that the daily audit finds, too, and resolves. The new ones are first, so
// that they are stored however many there are.
//
//	finding           opened because
//	function-changed  function wire repairs it while it is open
//	side-door         it is not reported again by another call
//	any other         not opened
func opened(open []origin.OpenFinding, found []Finding, now time.Time) []origin.OpenFinding {
	for _, f := range found {
		if !opens(f) {
			continue
		}
		since := now
		if i := slices.IndexFunc(open, f.same); i >= 0 {
			since = open[i].Since
		}
		is := origin.OpenFinding{Kind: string(f.Kind), Subject: f.Subject, Origin: f.Origin, Account: f.Account, Team: f.Team, Since: since, Facts: f.facts()}
		open = append([]origin.OpenFinding{is}, slices.DeleteFunc(slices.Clone(open), f.same)...)
	}
	return open
}

func opens(f Finding) bool { return f.Kind == FunctionChanged || f.Kind == SideDoor }

// trigger triggers the function that repairs what a call changed.
//
//	call of                               function
//	the hub's account                     wire, which writes distributions and DNS
//	the hub's account, on an invitation   admit, which decides what is wired
//	another account                       admit
func (d *Decision) trigger(c inbound.CallHint, h Hub) {
	f := outcome.Wire
	if c.Account != h.Account || c.Call == inbound.AcceptResourceShareInvitation || c.Call == inbound.RejectResourceShareInvitation {
		f = outcome.Admit
	}
	d.Trigger(f, c.Call+" was called by hand", 0)
}
