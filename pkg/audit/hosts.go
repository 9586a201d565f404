package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
)

// hosts finds live hosts whose DNS records do not lead to a managed distribution.
//
//	record    record set of its host in the zone             finding
//	not live  -                                              none
//	live      none, or one of another type                   none
//	live      an alias of a managed distribution             none
//	live      an alias of something else, or no alias        host-elsewhere
func (o Observed) hosts() []Finding {
	var found []Finding
	for _, r := range o.Records {
		if r.Intent != origin.Wire || r.State != origin.Live {
			continue
		}
		for _, host := range r.Claim.Hosts {
			if e, misdirected := o.misdirected(host); misdirected {
				found = append(found, Finding{
					Kind: HostElsewhere, Subject: host, Origin: r.ID, Account: r.Account, Team: r.Team, Alarm: true, Cost: unknown,
					Risk: "the " + e.Type + " record of host " + host + " leads " + destination(e) + " and not to the hub's distribution, so that the host " +
						"has no isolation, no firewall, or no answer" + o.deleteIn(),
					Repair: o.deleteRecord(e), In: o.Account,
					Facts: []origin.Reason{fact(recordIs, e.Type+" "+e.Target)},
				})
			}
		}
	}
	return found
}

// misdirected returns a DNS record of host that does not lead to a managed distribution.
func (o Observed) misdirected(host string) (origin.DNSRecord, bool) {
	for _, e := range o.look().addresses[strings.ToLower(host)] {
		if !o.serves(e.Target) {
			return e, true
		}
	}
	return origin.DNSRecord{}, false
}

func addresses(kind string) bool { return kind == "A" || kind == "AAAA" || kind == "CNAME" }

// destination returns in words where a record leads.
func destination(e origin.DNSRecord) string {
	if e.Target == "" {
		return "elsewhere"
	}
	return "to " + e.Target
}

// serves reports whether target is the domain name of a managed distribution.
func (o Observed) serves(target string) bool {
	return o.look().domains[strings.ToLower(target)]
}

// deleteIn returns the advice to delete a DNS record.
func (o Observed) deleteIn() string {
	return "; delete the record in account " + o.Account + ", and the hub writes its own"
}

// deleteRecord returns the command that deletes the record set of e. A DELETE has to repeat the whole record set, and Route 53 writes an
// asterisk as \052 (https://docs.aws.amazon.com/Route53/latest/APIReference/API_Change.html).
func (o Observed) deleteRecord(e origin.DNSRecord) string {
	return fmt.Sprintf("aws route53 change-resource-record-sets --region us-east-1 --hosted-zone-id %[1]s --change-batch \"$("+
		"aws route53 list-resource-record-sets --region us-east-1 --hosted-zone-id %[1]s --output json "+
		"--query '{Changes: [{Action: `\"DELETE\"`, ResourceRecordSet: ResourceRecordSets"+
		"[?Name==`\"%[2]s.\"` && Type==`\"%[3]s\"`] | [0]}]}')\"", o.Policy.HostedZone, strings.ReplaceAll(e.Name, "*", `\\052`), e.Type)
}

// guardRecords judges a change to a hosted zone. A call of another account than the hub's is forged, and one that names another zone is
// harmless. Otherwise each host of each live origin is compared with the current records.
//
//	record set of the host                                     finding
//	one leads elsewhere than to a managed distribution         record-changed
//	none of type A                                             record-changed
//	none of type AAAA, and its distribution has IPv6 enabled   record-changed
//	any other                                                  none
func (o Observed) guardRecords(c inbound.CallHint) Judgement {
	switch {
	case c.Account != o.Account:
		return forged("account %s does not own the hub's hosted zone", c.Account)
	case c.Target != "" && c.Target != o.Policy.HostedZone:
		return harmless("hosted zone %s is unmanaged", c.Target)
	}
	var found []Finding
	for _, r := range o.Records {
		if r.Intent != origin.Wire || r.State != origin.Live {
			continue
		}
		for _, host := range r.Claim.Hosts {
			f := Finding{Kind: RecordChanged, Subject: host, Origin: r.ID, Account: r.Account, Team: r.Team, Alarm: true, In: o.Account}
			e, misdirected := o.misdirected(host)
			missing := o.missing(r.ID, host)
			switch {
			case misdirected:
				f.Risk = "the " + e.Type + " record of host " + host + " leads " + destination(e) + " and not to the hub's distribution" + o.deleteIn()
				f.Repair = o.deleteRecord(e)
			case missing != "":
				f.Risk = "host " + host + " has no " + missing + " record, so that viewers cannot reach it; the hub writes the record again"
				f.Repair = o.triggerWire()
			default:
				continue
			}
			found = append(found, f)
		}
	}
	if len(found) == 0 {
		return harmless("every DNS record of a live host exists and leads to the hub")
	}
	return Judgement{Verdict: Found, Findings: found}
}

// missing returns the type of the record that a live host of an origin lacks, or "".
func (o Observed) missing(vpcOrigin, host string) string {
	types := []string{"A"}
	serving := o.distributionOf(vpcOrigin)
	if at, listed := o.look().listed[serving]; listed && o.Listed[at].IPv6 {
		types = append(types, "AAAA")
	}
	for _, kind := range types {
		if !slices.ContainsFunc(o.look().addresses[strings.ToLower(host)], func(e origin.DNSRecord) bool { return e.Type == kind }) {
			return kind
		}
	}
	return ""
}
