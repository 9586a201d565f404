package audit

import (
	"fmt"
	"slices"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/outcome"
)

// Judgement is what a call comes to.
type Judgement struct {
	Verdict  Verdict
	Findings []Finding // of Found
	Why      string    // of Harmless and Forged
}

// Verdict is the kind of a judgement.
type Verdict int

// Verdicts.
const (
	Harmless Verdict = iota // nothing of the hub's is touched
	Found                   // something is at risk, or was until the hub repaired it
	Forged                  // the record speaks of what its account has no say in
)

func harmless(format string, args ...any) Judgement {
	return Judgement{Why: fmt.Sprintf(format, args...)}
}

func forged(format string, args ...any) Judgement {
	return Judgement{Verdict: Forged, Why: fmt.Sprintf(format, args...) + ": look who sent it"}
}

// Guard judges a call that was not the hub's own by what is there now. Of the call only the account is beyond doubt. The error
// is about the registry or a configuration.
//
//	call                                      judged by
//	UpdateDistribution, DeleteDistribution    guardDistribution
//	DeleteResourceShare, Disassociate…        guardShare
//	DeleteVpcOrigin                           guardOrigin
//	ChangeResourceRecordSets                  guardRecords
//	any of these, forged                      forged, whether or not it failed
//	any of these, failed                      harmless
//	any other                                 harmless
func Guard(c inbound.CallHint, o Observed) (j Judgement, err error) {
	switch c.Call {
	case inbound.UpdateDistribution, inbound.DeleteDistribution:
		j, err = o.guardDistribution(c)
	case inbound.DeleteResourceShare, inbound.DisassociateResourceShare:
		j = o.guardShare(c)
	case inbound.DeleteVpcOrigin:
		j = o.guardOrigin(c)
	case inbound.ChangeResourceRecordSets:
		j = o.guardRecords(c)
	default:
		return harmless("nothing guards against %s", c.Call), nil
	}
	if err != nil {
		return Judgement{}, err
	}
	if c.Failed != "" && j.Verdict != Forged {
		return harmless("the call failed with %s", c.Failed), nil
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

// DecideCall decides what a call asks for, by what was observed around it.
//
//	call             judgement  reported       remembered           triggered
//	reported before  -          -              as it is             as trigger says: the run that reported it may have died
//	new              harmless   -              -                    -
//	new              forged     Event Refused  yes, if it has an id -
//	new              found      each finding   yes, if it has an id as trigger says
func DecideCall(c inbound.CallHint, o Observed) (Decision, error) {
	var d Decision
	if o.reported(c) {
		d.trigger(c, o.Hub)
		d.Why = "it was reported before"
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
	if c.ID != "" {
		known := o.Findings
		known.Calls = append(slices.Clone(known.Calls), c.ID)
		d.remember(known)
	}
	return d, nil
}

// trigger triggers the function that finds out what a call means.
//
//	call of            function
//	the hub's account  wire: distributions and DNS are its
//	another account    admit: it decides what may be wired of what is shared
func (d *Decision) trigger(c inbound.CallHint, h Hub) {
	f := outcome.Wire
	if c.Account != h.Account {
		f = outcome.Admit
	}
	d.Trigger(f, c.Call+" by hand", 0)
}
