package audit

import (
	"fmt"
	"strings"

	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
)

// guardCopy judges a copy of a distribution. A copy uses the same VPC origins, and a teardown does not unshare an origin that another
// distribution uses. The record of the call does not have to name the copy, so that every unmanaged distribution of the account counts. A call
// of another account than the hub's is forged, and a copy of an unmanaged distribution is harmless.
//
//	unmanaged distribution                        finding
//	with a VPC origin that has a record           distribution-copied
//	with none                                     none
func (o Observed) guardCopy(c inbound.CallHint) Judgement {
	switch {
	case c.Account != o.Account:
		return forged("account %s does not own the hub's distributions", c.Account)
	case c.Target != "" && !o.manages(c.Target):
		return harmless("distribution %s is unmanaged", c.Target)
	}
	var found []Finding
	for _, d := range o.Listed {
		var held []string
		for _, p := range d.Origins {
			if r, known := o.Find(p.VPCOrigin); known && r.State != origin.Deleted {
				held = append(held, r.ID+" of team "+r.Team)
			}
		}
		if o.manages(d.ID) || len(held) == 0 {
			continue
		}
		found = append(found, Finding{
			Kind: DistributionCopied, Subject: d.ID, Account: o.Account,
			Risk: fmt.Sprintf("a managed distribution was copied, and distribution %s, which is unmanaged, uses VPC origins %s; the teardown of each of them stays blocked "+
				"while it does: remove these origins from distribution %s, or delete the distribution in account %s", d.ID, strings.Join(held, ", "), d.ID, o.Account),
		})
	}
	if len(found) == 0 {
		return harmless("no unmanaged distribution of account %s uses a VPC origin of the registry", o.Account)
	}
	return Judgement{Verdict: Found, Findings: found}
}
