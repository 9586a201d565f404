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
	Refusal *Refusal       // to write
}

// Refusal is a refusal that was reported. It is stored so that it is reported once.
type Refusal struct {
	What    string // ARN of a share or an origin
	Reasons []Reason
}

// refuse returns the change that reports a refusal, or none if it was reported with the same reasons before.
func refuse(reported map[string][]Reason, event, what string, d outcome.Detail, reasons []Reason) []Change {
	if origin.SameReasons(reported[what], reasons) {
		return nil
	}
	c := Change{Refusal: &Refusal{what, reasons}}
	c.Count(contract.MetricRefusal, 1)
	c.Alarm(event, what, d.Because(reasons))
	return []Change{c}
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
