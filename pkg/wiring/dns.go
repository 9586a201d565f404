package wiring

import (
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/origin"
)

// DNSPlan is what to change in the hosted zone. Records that point at the distribution are ours.
type DNSPlan struct {
	Upsert  []origin.DNSRecord `json:"upsert"`
	Delete  []origin.DNSRecord `json:"delete"`
	Refused []origin.DNSRecord `json:"refused,omitempty"` // existing records of somebody else that stand in the way
}

// Empty tells whether there is nothing to write.
func (p DNSPlan) Empty() bool { return len(p.Upsert) == 0 && len(p.Delete) == 0 }

// Records compares the host names of the origins of one distribution with the existing records. target is its domain name,
// former are those of the ones before it, which are no more, and others those of the hub's other distributions.
//
//	host is claimed by                 existing record   verdict
//	a live origin                      none              upsert A, and AAAA with IPv6
//	a live origin                      ours              nothing
//	a live origin                      former, others'   upsert
//	a live origin                      somebody else's   refused, and nothing is written for that host
//	only origins that are out again    ours, former      delete
//	anything else                      any               nothing
func Records(records []origin.Record, target string, former, others []string, ipv6 bool, existing []origin.DNSRecord) DNSPlan {
	var live, wanted, out []string
	for _, r := range records {
		switch {
		case r.Intent == origin.Wire:
			wanted = append(wanted, r.Claim.Hosts...)
			if r.State == origin.Live {
				live = append(live, r.Claim.Hosts...)
			}
		case r.State == origin.Detaching || r.State == origin.Detached:
			out = append(out, r.Claim.Hosts...)
		}
	}
	types := []string{"A"}
	if ipv6 {
		types = append(types, "AAAA")
	}
	ours := func(e origin.DNSRecord) bool { return strings.EqualFold(e.Target, target) }
	leads := func(e origin.DNSRecord, to []string) bool {
		return e.Target != "" && slices.ContainsFunc(to, func(t string) bool { return strings.EqualFold(e.Target, t) })
	}
	at := func(e origin.DNSRecord, host string) bool {
		return strings.EqualFold(e.Name, host) && slices.Contains([]string{"A", "AAAA", "CNAME"}, e.Type)
	}
	var p DNSPlan
	for _, host := range sortedSet(live) {
		blocked := false
		for _, e := range existing {
			if at(e, host) && !ours(e) && !leads(e, former) && !leads(e, others) {
				p.Refused = append(p.Refused, e)
				blocked = true
			}
		}
		for _, t := range types {
			there := slices.ContainsFunc(existing, func(e origin.DNSRecord) bool { return at(e, host) && e.Type == t && ours(e) })
			if !blocked && !there {
				p.Upsert = append(p.Upsert, origin.DNSRecord{Name: host, Type: t, Target: target})
			}
		}
	}
	for _, host := range sortedSet(out) {
		for _, e := range existing {
			if at(e, host) && (ours(e) || leads(e, former)) && !slices.Contains(wanted, host) {
				p.Delete = append(p.Delete, e)
			}
		}
	}
	return p
}

func sortedSet(values []string) []string {
	values = slices.Clone(values)
	slices.Sort(values)
	return slices.Compact(values)
}
