package admission

import (
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/origin"
)

// maxAdmitted is how many times within an hour the claim of an origin is admitted. Each new claim is an update of a distribution that all
// teams share.
const maxAdmitted = 6

// changesTooOften reports whether a permitted claim has to wait until the hour has room for it:
//
//	the origin     its claim in the registry        the new claim           waits
//	not wired      any                              any                     no
//	to be wired    the same                         any                     no
//	to be wired    not permitted any more           another                 no: policy demands the change
//	to be wired    permitted                        stated in the policy    no
//	to be wired    permitted, admitted less often   another                 no
//	               than maxAdmitted in an hour
//	to be wired    permitted, admitted as often     another                 yes
func (r Round) changesTooOften(was origin.Record, team Team, c origin.Claim) bool {
	if was.Intent != origin.Wire || sameClaim(was.Claim, c) || team.Claim != nil {
		return false
	}
	if recent := admissions(was); len(recent) < maxAdmitted || r.Registry.Now.Sub(recent[len(recent)-maxAdmitted]) >= time.Hour {
		return false
	}
	return len(r.unpermitted()[was.ID]) == 0
}

// admissions returns when the claims of a record were admitted, in order.
func admissions(o origin.Record) (at []time.Time) {
	for _, d := range o.History {
		if d.Code == origin.DecidedAdmitted {
			at = append(at, d.At)
		}
	}
	return at
}

// changedTooOften returns the reason for which the newest claim of an origin waits.
func changedTooOften(was origin.Record) Reason {
	recent := admissions(was)
	return because(ClaimChangesOften, "", "the claim of %s was admitted %d times within an hour: the origin keeps its claim to %s on %s, and the "+
		"first sweep after %s admits the newest one", was.ID, maxAdmitted, strings.Join(was.Claim.Paths, ", "), strings.Join(was.Claim.Hosts, ", "),
		recent[len(recent)-maxAdmitted].Add(time.Hour).UTC().Format(time.RFC3339))
}
