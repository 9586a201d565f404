package admission

import (
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
)

// renewed is the age at which the refusal of an origin that waits is stored again. The registry forgets a refusal after 30 days.
const renewed = 15 * 24 * time.Hour

// mayAsk decides about an origin whose claim is permitted now and was refused before, because another origin had its paths.
//
//	claims.refused  refused before                 then
//	retry           -                              admitted
//	wait            for other reasons, or not      admitted
//	wait            claim-taken, another claim now admitted: the team asks for something else
//	wait            claim-taken, the same claim    Origin Refused claim-free; the team has to ask
//	wait            claim-free, another claim now  admitted
//	wait            claim-free, tagged since       admitted: the team asked
//	wait            claim-free, not tagged since   waits; the refusal is stored again after 15 days
//
// A team whose claim is in the hub policy cannot ask by a tag, so its claims are always tried again. The returned reasons are none if the origin
// is admitted.
func (r Round) mayAsk(o Reading, team Team, is origin.Claim) []Reason {
	if !r.Policy.Claims.Wait || team.Claim != nil {
		return nil
	}
	for _, was := range r.Registry.Refusals[o.ARN] {
		switch was.Code {
		case ClaimTaken:
			if path, _, _ := strings.Cut(was.Subject, " "); slices.Contains(is.Paths, path) {
				return []Reason{r.free(o.ID, is)}
			}
		case ClaimFree:
			at, paths, _ := strings.Cut(was.Subject, " ")
			since, err := time.Parse(time.RFC3339Nano, at)
			switch {
			case err != nil || paths != strings.Join(is.Paths, " ") || r.hinted(o.Offer).After(since):
				return nil
			case r.Registry.Now.Sub(since) < renewed:
				return []Reason{was}
			}
			return []Reason{r.free(o.ID, is)}
		}
	}
	return nil
}

// free returns the reason for which an origin waits although its paths are free.
func (r Round) free(id string, is origin.Claim) Reason {
	paths := strings.Join(is.Paths, " ")
	return because(ClaimFree, r.Registry.Now.UTC().Format(time.RFC3339Nano)+" "+paths,
		"the paths %s, which %s claims, are free now, and the hub policy makes a refused claim wait until its team asks again: set the tag %s of %s again, with the same value",
		paths, id, contract.TagHost, id)
}

// keepWaiting returns the changes for an origin that waits until its team asks. It is reported once.
func (r Round) keepWaiting(o Reading, reasons []Reason, report func(event string, reasons []Reason) []Change) []Change {
	if was := r.Registry.Refusals[o.ARN]; origin.HasCode(was, ClaimFree) && !origin.SameReasons(was, reasons) {
		return []Change{{Refusal: &Refusal{o.ARN, reasons}}}
	}
	return report(contract.OriginRefused, reasons)
}
