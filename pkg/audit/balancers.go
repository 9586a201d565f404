package audit

import (
	"fmt"
	"strings"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
)

// guardBalancer judges the deletion of a load balancer. CloudFront does not prevent it while a VPC origin leads to the load balancer
// (NET-14), and it refuses to update a VPC origin that a distribution uses
// (https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_UpdateVpcOrigin.html).
//
//	load balancer                record of an origin that leads to it  finding
//	of another account           -                                     none: forged
//	exists                       -                                     none
//	does not exist               none                                  none
//	does not exist               in teardown, or not to be wired       none: a teardown needs no load balancer
//	does not exist               to be wired                           balancer-deleted
func (o Observed) guardBalancer(c inbound.CallHint) Judgement {
	switch {
	case !ownedBy(c.Target, c.Account):
		return forged("the event names %q, which account %s does not own", c.Target, c.Account)
	case o.Balancer == c.Target:
		return harmless("load balancer %s exists", c.Target)
	}
	leads := map[string]bool{}
	for _, v := range o.Owned {
		leads[v.ID] = leads[v.ID] || v.Endpoint == c.Target
	}
	var found []Finding
	for _, r := range o.Records {
		if !leads[r.ID] || r.Account != c.Account || r.Intent != origin.Wire || r.Teardown != nil {
			continue
		}
		found = append(found, Finding{
			Kind: BalancerDeleted, Subject: r.ARN, Origin: r.ID, Account: r.Account, Team: r.Team, Alarm: true,
			Risk: fmt.Sprintf("load balancer %s, to which VPC origin %s of team %s leads, was deleted, so that viewers of %s get an error; a VPC origin in use cannot "+
				"be pointed at another load balancer: tear down %s in account %s, and then share a VPC origin in front of another load balancer, with the same tags",
				c.Target, r.ID, r.Team, strings.Join(r.Claim.Hosts, ", "), r.ID, r.Account),
			Repair: fmt.Sprintf("aws cloudfront tag-resource --region us-east-1 --resource %s --tags 'Items=[{Key=%s,Value=now}]'", r.ARN, contract.TagTeardown), In: r.Account,
		})
	}
	if len(found) == 0 {
		return harmless("no origin that the hub wires leads to load balancer %s", c.Target)
	}
	return Judgement{Verdict: Found, Findings: found}
}

// ownedBy reports whether an ARN is that of a resource of an account.
func ownedBy(arn, account string) bool {
	parts := strings.Split(arn, ":")
	return len(parts) > 5 && parts[4] == account
}
