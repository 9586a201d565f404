package wiring

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// In dry-run mode a run takes the same decisions, except that it changes nothing in AWS: Write keeps its plan instead of sending it, Settle
// plans the DNS records that would follow, and the run reports both.

// planDNS plans the hosted zone as it would be once the plan of Write is Deployed.
func (r Run) planDNS(is []origin.Record) (Run, Step) {
	then := slices.Clone(is)
	for i, o := range then {
		switch {
		case slices.Contains(r.Excluded, o.ID), o.State == origin.Deferred, o.State == origin.Deleted:
		case o.Intent == origin.Wire:
			then[i].State = origin.Live
		case o.Placed():
			then[i].State = origin.Detaching
		}
	}
	r.Zone.Plan, r.Zone.Planned = r.dnsPlan(then), true
	return r.Settle()
}

// reportPlan reports what the run would change, as text and as data, if that was not reported yet.
func (r Run) reportPlan(step *Step) {
	if !r.Terms.DryRun || r.Planned == nil || !r.Zone.Planned || r.Item.PlanReported == fingerprintOf(r.planText()) {
		return
	}
	changes := r.plannedChanges()
	why := "originhub would change nothing in distribution " + r.Item.ID
	if len(changes) > 0 {
		why = "originhub would " + strings.ReplaceAll(r.planText(), "\n", "; ")
	}
	for _, o := range r.Records {
		if o.Intent == origin.Wire && o.State != origin.Deferred && slices.Contains(r.Excluded, o.ID) {
			why += "; it would leave out " + o.ID
		}
	}
	step.Outcome.Inform(contract.ChangePlanned, "", outcome.Detail{What: r.Item.ID, Why: why, Plan: changes})
}

// planText returns the plan in words, one line for each change.
func (r Run) planText() string {
	lines := make([]string, 0, len(r.Planned.Changes))
	for _, c := range r.Planned.Changes {
		lines = append(lines, c.String())
	}
	for _, record := range r.Zone.Plan.Upsert {
		lines = append(lines, fmt.Sprintf("write DNS record %s %s to %s", record.Name, record.Type, record.Target))
	}
	for _, record := range r.Zone.Plan.Delete {
		lines = append(lines, fmt.Sprintf("delete DNS record %s %s", record.Name, record.Type))
	}
	return strings.Join(lines, "\n")
}

// plannedChanges returns the plan as data.
func (r Run) plannedChanges() []outcome.PlannedChange {
	var all []outcome.PlannedChange
	for _, c := range r.Planned.Changes {
		change := outcome.PlannedChange{Op: string(c.Op), Kind: string(c.Kind), ID: c.ID, Target: c.Target, Before: c.Before, From: c.From}
		if c.Origin != nil {
			change.Domain = c.Origin.Domain
		}
		all = append(all, change)
	}
	for _, record := range r.Zone.Plan.Upsert {
		all = append(all, outcome.PlannedChange{Op: "write", Kind: "record", ID: RecordKey(record), Target: record.Target})
	}
	for _, record := range r.Zone.Plan.Delete {
		all = append(all, outcome.PlannedChange{Op: "delete", Kind: "record", ID: RecordKey(record), Target: record.Target})
	}
	return all
}

// fingerprintOf returns a short hash of a text. It is never empty.
func fingerprintOf(text string) string {
	sum := sha256.Sum256([]byte(cmp.Or(text, "nothing")))
	return hex.EncodeToString(sum[:])[:16]
}
