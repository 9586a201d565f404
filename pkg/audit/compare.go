package audit

import (
	"fmt"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// compare decides which findings are reported, and returns those that are open. known are the findings that were reported and not resolved.
//
//	found  known  same facts as reported  account     open  reported
//	yes    no     -                       -           yes   Leak Found
//	yes    yes    no                      -           yes   Leak Found, with the time when it was first found
//	yes    yes    yes, or not stored      -           yes   -
//	no     yes    -                       hides it    yes   -
//	no     yes    -                       readable    no    Leak Resolved
//
// An item that an earlier version wrote has no facts stored.
func compare(
	found []Finding, known []origin.OpenFinding, hides func(origin.OpenFinding) bool, now time.Time,
) (open []origin.OpenFinding, said outcome.Outcome) {
	before, is := map[sameness]origin.OpenFinding{}, map[sameness]bool{}
	for _, k := range known {
		first(before, keyOf(k), k)
	}
	for _, f := range found {
		is[f.key()] = true
		k, reported := before[f.key()]
		facts := f.facts()
		if f.Since.IsZero() {
			f.Since = now // the first audit that found it
			if reported {
				f.Since = k.Since
			}
		}
		if !reported || k.Facts != nil && !origin.SameReasons(k.Facts, facts) {
			report(&said, contract.LeakFound, f, now)
		}
		open = append(open, origin.OpenFinding{
			Kind: string(f.Kind), Subject: f.Subject, Origin: f.Origin, Account: f.Account, Team: f.Team, Since: f.Since, Facts: facts,
		})
	}
	for _, k := range known {
		switch {
		case is[keyOf(k)]:
		case hides(k):
			open = append(open, k)
		default:
			report(&said, contract.LeakResolved, Finding{
				Kind: Kind(k.Kind), Subject: k.Subject, Origin: k.Origin, Account: k.Account, Team: k.Team, Since: k.Since, Risk: k.Subject + " no longer has the finding " + k.Kind + "; nothing has to be done",
			}, now)
		}
	}
	return open, said
}

func (d *Decision) report(what string, f Finding, now time.Time) { report(&d.Outcome, what, f, now) }

// report adds the event of a finding:
//
//	finding                       event
//	with Alarm                    an alarm
//	without Alarm                 for information
//	whose subject is an ARN       has that ARN as its resource
//	with Since                    has its age
func report(o *outcome.Outcome, what string, f Finding, now time.Time) {
	d := outcome.Detail{
		Origin: f.Origin, Account: f.Account, Team: f.Team, What: f.Subject, Kind: string(f.Kind), Why: f.Risk, Who: f.By,
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
		o.Alarm(what, resource, d)
		return
	}
	o.Inform(what, resource, d)
}

// age returns a duration in words:
//
//	less than one hour    "less than an hour"
//	less than two hours   "1 hour"
//	less than two days    whole hours
//	more                  whole days
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

// maxCalls is how many reported calls are remembered. A duplicate event arrives within minutes.
const maxCalls = 200
