package admission

import (
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// Change is one decision: its outcome, which is published first, and what is then written, which is a record, a refusal, or nothing.
type Change struct {
	outcome.Outcome
	Record  *origin.Record // to write; its Version is the version that was read, 0 if the registry has none
	From    string         // the distribution of the record until now; "" if it stays the same
	Refusal *Refusal       // to write, after Record
}

// Refusal is a refusal that was reported. It is stored so that it is reported once.
type Refusal struct {
	What    string   // ARN of a share, an invitation or an origin
	Reasons []Reason // none if the cause of an earlier refusal is gone
}

// refuse returns the change that reports a refusal, or none if it was reported with the same reasons before.
func refuse(reported map[string][]Reason, event, what string, d outcome.Detail, reasons []Reason) []Change {
	return refuseAs((*outcome.Outcome).Alarm, reported, event, what, d, reasons)
}

// refuseAs is refuse with the severity of the event: outcome.Outcome.Alarm, or outcome.Outcome.Inform if nobody has to act.
func refuseAs(
	severity func(o *outcome.Outcome, event, what string, d outcome.Detail), reported map[string][]Reason, event, what string, d outcome.Detail, reasons []Reason,
) []Change {
	if origin.SameReasons(reported[what], reasons) {
		return nil
	}
	c := Change{Refusal: &Refusal{what, reasons}}
	c.Count(contract.MetricRefusal, 1)
	severity(&c.Outcome, event, what, d.Because(reasons))
	return []Change{c}
}

// forget returns the change that forgets a refusal whose cause is gone, so that the same refusal is reported again later; none if nothing
// was refused.
func forget(reported map[string][]Reason, what string) []Change {
	if len(reported[what]) == 0 {
		return nil
	}
	return []Change{{Refusal: &Refusal{What: what}}}
}

// Recheck is whether function admit has to observe again before the next sweep. Of two values, the greater counts.
type Recheck int

// Rechecks.
const (
	Never Recheck = iota
	Later         // something is not Deployed yet
	Soon          // RAM or CloudFront does not return something new yet
)

const (
	// appearing is the time after which RAM should return what was just accepted. AWS documents no bound; a short delay was observed
	// (https://github.com/hashicorp/terraform-provider-aws/pull/34753).
	appearing = 15 * time.Second
	// deploying is the time after which an origin that is not Deployed is observed again.
	deploying = 2 * time.Minute
)

// After returns how long to wait, or 0 for Never.
func (r Recheck) After() time.Duration {
	return map[Recheck]time.Duration{Later: deploying, Soon: appearing}[r]
}
