package admission

import (
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// Change is one thing that was decided: what is said of it first, and what is then written. It writes a record, a refusal, or
// nothing.
type Change struct {
	outcome.Outcome
	Record  *origin.Record // to write; its Version is the one that was read, 0 if the registry has none
	From    string         // the distribution whose record it was; "" if it stays where it is
	Refusal *Refusal       // to remember
}

// Refusal is what was reported, so that it is reported once.
type Refusal struct {
	What    string // ARN of a share or an origin
	Reasons []Reason
}

// refuse reports a refusal that was not reported for the same reasons: it returns one change or none.
func refuse(reported map[string][]Reason, event, what string, d outcome.Detail, reasons []Reason) []Change {
	if origin.SameReasons(reported[what], reasons) {
		return nil
	}
	c := Change{Refusal: &Refusal{what, reasons}}
	c.Count(contract.MetricRefusal, 1)
	c.Alarm(event, what, d.Because(reasons))
	return []Change{c}
}

// Recheck says whether admit has to observe again before the next sweep. Of two, the greater one counts.
type Recheck int

// Rechecks.
const (
	Never Recheck = iota
	Later         // CloudFront deploys something
	Soon          // RAM or CloudFront is about to show something
)

const (
	// appearing is how long RAM has to show what was just accepted. AWS names no bound; observed is a slight delay
	// (https://github.com/hashicorp/terraform-provider-aws/pull/34753).
	appearing = 15 * time.Second
	// deploying is how long an origin that is not Deployed has until it is observed again.
	deploying = 2 * time.Minute
)

// After returns how long to wait; 0 for Never.
func (r Recheck) After() time.Duration {
	return map[Recheck]time.Duration{Later: deploying, Soon: appearing}[r]
}
