package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

// aliases finds live hosts whose viewers CloudFront sends to another distribution, whatever DNS says: an alias moves with AssociateAlias and
// UpdateDomainAssociation, and of two aliases that match a host the more specific one applies
// (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/CNAMEs.html#alternate-domain-names-restrictions).
//
//	record    alias of its host                                 finding
//	not live  -                                                 none
//	live      on an unmanaged distribution of the hub's account alias-elsewhere, with the command that takes it off there
//	live      on no distribution that is listed, nor a wildcard alias-elsewhere, with what CloudFront shows of the distribution that has it
//	live      on the distribution of its origin                 none
func (o Observed) aliases() []Finding {
	var found []Finding
	for _, r := range o.Records {
		id := o.distributionOf(r.ID)
		if r.Intent != origin.Wire || r.State != origin.Live || id == "" {
			continue
		}
		for _, host := range r.Claim.Hosts {
			f := Finding{Kind: AliasElsewhere, Subject: host, Origin: r.ID, Account: r.Account, Team: r.Team, Alarm: true, Cost: unknown}
			holder := o.holding(host)
			switch {
			case holder != "":
				f.Risk = fmt.Sprintf("host %s is an alias of distribution %s, which is unmanaged, so that its viewers do not reach %s of team %s; take the alias off %s "+
					"in account %s, and the hub adds it to distribution %s", host, holder, r.ID, r.Team, holder, o.Account, id)
				f.Repair, f.In = withoutAlias(holder, host), o.Account
			case !o.answers(id, host):
				f.Risk = fmt.Sprintf("host %s is no alias of distribution %s any more, so that its viewers do not reach %s of team %s; %s; the hub adds the alias again when "+
					"CloudFront accepts it", host, id, r.ID, r.Team, o.Holders[host].Of(host))
				f.Repair, f.In = o.triggerWire(), o.Account
			default:
				continue
			}
			f.Facts = []origin.Reason{fact(aliasIs, cmp.Or(holder, o.Holders[host].Holder(host)))}
			found = append(found, f)
		}
	}
	return found
}

// claimedElsewhere finds hosts of quarantined origins that are aliases of an unmanaged distribution. CloudFront refuses the update with such an
// origin, and its error does not name the distribution.
//
//	origin           alias of its host                                  finding
//	not quarantined  -                                                  none
//	quarantined      on an unmanaged distribution of the hub's account  alias-elsewhere, with the command that takes it off there
//	quarantined      on another one that CloudFront shows in part       alias-elsewhere
//	quarantined      on any other, or on none                           none
func (o Observed) claimedElsewhere() []Finding {
	var found []Finding
	for _, r := range o.Records {
		if r.Intent != origin.Wire || r.State != origin.Quarantined {
			continue
		}
		for _, host := range r.Claim.Hosts {
			f := Finding{Kind: AliasElsewhere, Subject: host, Origin: r.ID, Account: r.Account, Team: r.Team, Alarm: true, Cost: unknown}
			switch holder := o.holding(host); {
			case holder != "":
				f.Risk = fmt.Sprintf("%s of team %s is quarantined, and its host %s is an alias of distribution %s, which is unmanaged; take the alias off %s in account %s, "+
					"and the hub wires the origin when it retries", r.ID, r.Team, host, holder, holder, o.Account)
				f.Repair, f.In, f.Facts = withoutAlias(holder, host), o.Account, []origin.Reason{fact(aliasIs, holder)}
			case o.Holders[host].Holder(host) != "":
				f.Risk = fmt.Sprintf("%s of team %s is quarantined: %s, and the hub wires the origin when it retries", r.ID, r.Team, o.Holders[host].Of(host))
				f.Repair, f.In, f.Facts = o.triggerWire(), o.Account, []origin.Reason{fact(aliasIs, o.Holders[host].Holder(host))}
			default:
				continue
			}
			found = append(found, f)
		}
	}
	return found
}

// Hidden returns the hosts that may be aliases of a distribution that is not listed, each with the managed distribution that is to have the
// alias. CloudFront shows a part of the id of the one that has it.
//
//	origin                                                   its alias                                  asked
//	live                                                     neither on its distribution nor unmanaged  yes
//	quarantined, because CloudFront does not accept an alias not on an unmanaged one                    yes
//	any other                                                -                                          no
func (o Observed) Hidden() (ask []wiring.FindAlias) {
	if o.Listed == nil {
		return nil
	}
	o = o.indexed()
	for _, r := range o.Records {
		id := o.Distribution(r.Distribution).ID
		live := r.State == origin.Live
		refused := r.State == origin.Quarantined && slices.ContainsFunc(r.Reasons, wiring.IsAliasTaken)
		if r.Intent != origin.Wire || id == "" || !live && !refused {
			continue
		}
		for _, host := range r.Claim.Hosts {
			if o.holding(host) == "" && (refused || !o.answers(id, host)) {
				ask = append(ask, wiring.FindAlias{Distribution: id, Alias: host})
			}
		}
	}
	return ask
}

// holding returns the id of an unmanaged distribution that has host as an alias, or "".
func (o Observed) holding(host string) string { return o.look().holding[strings.ToLower(host)] }

// answers reports whether a distribution has an alias that matches host.
func (o Observed) answers(distribution, host string) bool {
	i := o.look()
	return slices.Contains(i.aliases[strings.ToLower(host)], distribution) ||
		slices.ContainsFunc(i.wildcards[distribution], func(suffix string) bool { return strings.HasSuffix(host, suffix) })
}

// withoutAlias returns the command that takes an alias off a distribution.
func withoutAlias(distribution, alias string) string {
	others := "Items[?@!=`\"" + alias + "\"`]"
	return rewritten(distribution, fmt.Sprintf("{Aliases: DistributionConfig.Aliases.{Items: %[1]s, Quantity: length(%[1]s)}}", others))
}

// guardAliases judges a call that moves aliases. A call of another account than the hub's is forged. Otherwise each host of each live origin
// is compared with the aliases that the distributions have now.
func (o Observed) guardAliases(c inbound.CallHint) Judgement {
	if c.Account != o.Account {
		return forged("account %s does not own the hub's distributions", c.Account)
	}
	if found := o.aliases(); len(found) > 0 {
		return Judgement{Verdict: Found, Findings: found}
	}
	return harmless("the alias of every live host is on the distribution of its origin")
}
