package audit

import (
	"fmt"
	"maps"
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
	o = o.indexed()
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
//	new              forged     Refuse         yes, if it has an id -
//	new              found      each finding   yes, if it has an id as trigger says
//	new              at risk    each finding   yes, as drift        as trigger says
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
	known := o.Findings
	known.Edits = editsWith(known.Edits, j.Findings, o.Now)
	switch j.Verdict {
	case Harmless:
		d.Why = j.Why
		return d, nil
	case Forged:
		if d = Refuse(o, c.Account, j.Why); d.Remember != nil {
			known.Refused = d.Remember.Refused
		}
	case Found:
		for _, f := range j.Findings {
			d.report(contract.DriftFound, f, o.Now)
		}
		d.trigger(c, o.Hub)
	}
	known.Open = opened(known.Open, j.Findings, o.Now)
	known.Drift += alarms(j.Findings)
	if j.Verdict == Found {
		d.Count(contract.MetricDriftOpen, known.Drift)
	}
	if c.ID != "" {
		known.Calls = append(slices.Clone(known.Calls), c.ID)
	}
	if c.ID != "" || slices.ContainsFunc(j.Findings, opens) || alarms(j.Findings) > 0 {
		d.remember(known)
	}
	return d, nil
}

// Numbers about edits of one distribution: after oftenEdited of them a finding hints at their cause, and each counts for editsCount.
const (
	oftenEdited = 3
	editsCount  = 30 * 24 * time.Hour
)

// editsWith returns edits with those that were found, and adds the probable cause to the findings about a distribution that is edited often: a
// tool that does not know what originhub added writes its own configuration again and again.
func editsWith(edits []origin.Edits, found []Finding, now time.Time) []origin.Edits {
	for i, f := range found {
		if f.Kind != DistributionEdited || !f.Alarm {
			continue
		}
		is := origin.Edits{Distribution: f.Subject, Times: 1, Last: now}
		for _, e := range edits {
			if e.Distribution == f.Subject && now.Sub(e.Last) < editsCount {
				is.Times += e.Times
			}
		}
		edits = append(slices.DeleteFunc(slices.Clone(edits), func(e origin.Edits) bool { return e.Distribution == f.Subject || now.Sub(e.Last) >= editsCount }), is)
		if is.Times >= oftenEdited {
			found[i].Risk += fmt.Sprintf("; that happened %d times, each within 30 days of the one before: if a pipeline (such as Terraform or CloudFormation) writes the distribution, exclude the "+
				"distribution's origins, behaviors and aliases from what it writes (in Terraform: ignore_changes), or stop it", is.Times)
		}
	}
	return edits
}

// Refuse decides what follows from an event that an account has no authority for: Event Refused, or a number in the tally of the account (outcome.Tallied).
func Refuse(o Observed, account, why string) (d Decision) {
	is, changed, _ := outcome.Refused(account, why).Tallied(o.Findings.Refused, o.Policy.Member, o.Now)
	d.Add(is)
	known := o.Findings
	known.Refused = maps.Clone(known.Refused)
	for _, t := range changed {
		if known.Refused == nil {
			known.Refused = map[string]origin.Tally{}
		}
		known.Refused[t.Account] = t
	}
	if len(changed) > 0 {
		d.remember(known)
	}
	return d
}

// opened returns the open findings with those that a call caused and that the daily audit finds, too, and resolves. The new ones are first, so
// that they are stored however many there are.
//
//	finding           opened because
//	function-changed  function wire repairs it while it is open
//	side-door         it is not reported again by another call
//	any other         not opened
func opened(open []origin.OpenFinding, found []Finding, now time.Time) []origin.OpenFinding {
	since := map[sameness]time.Time{}
	for _, k := range open {
		first(since, keyOf(k), k.Since)
	}
	var latest []origin.OpenFinding
	for _, f := range found {
		if opens(f) {
			first(since, f.key(), now)
			latest = append(latest, origin.OpenFinding{
				Kind: string(f.Kind), Subject: f.Subject, Origin: f.Origin, Account: f.Account, Team: f.Team, Since: since[f.key()], Facts: f.facts(),
			})
		}
	}
	slices.Reverse(latest)
	has := map[sameness]bool{}
	latest = slices.DeleteFunc(latest, func(k origin.OpenFinding) bool {
		again := has[keyOf(k)]
		has[keyOf(k)] = true
		return again
	})
	return slices.Concat(latest, slices.DeleteFunc(slices.Clone(open), func(k origin.OpenFinding) bool { return has[keyOf(k)] }))
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
