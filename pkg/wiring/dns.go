package wiring

import (
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/origin"
)

// DNSPlan lists the changes to a hosted zone.
type DNSPlan struct {
	Upsert  []origin.DNSRecord
	Delete  []origin.DNSRecord
	Refused []origin.DNSRecord // unmanaged records of hosts that need one of the hub's
}

// Empty reports whether the plan changes nothing.
func (p DNSPlan) Empty() bool { return len(p.Upsert) == 0 && len(p.Delete) == 0 }

// apply returns the records of the zone after the plan.
func (p DNSPlan) apply(records []origin.DNSRecord) []origin.DNSRecord {
	replaced := map[string]bool{}
	for _, r := range slices.Concat(p.Upsert, p.Delete) {
		replaced[RecordKey(r)] = true
	}
	kept := slices.DeleteFunc(slices.Clone(records), func(r origin.DNSRecord) bool { return replaced[RecordKey(r)] })
	return append(kept, p.Upsert...)
}

// Records compares the hosts of the origins of one distribution with the existing DNS records. target is the distribution's domain
// name, former are those of the distributions that it replaced, and others are those of the hub's other distributions.
//
//	host is                                   existing record leads to  verdict
//	claimed by a live origin                  (no record)               upsert A, and AAAA if IPv6 is enabled
//	claimed by a live origin                  target                    nothing
//	claimed by a live origin                  former, others            upsert
//	claimed by a live origin                  anything else             refused, and nothing is written for that host
//	released, and reserved by no origin       target, former            delete
//	anything else                             any                       nothing
func Records(records []origin.Record, target string, former, others []string, ipv6 bool, existing []origin.DNSRecord) DNSPlan {
	var live, released []string
	reserved := map[string]bool{}
	for _, r := range records {
		keeps, releases := hostsOf(r)
		released = append(released, releases...)
		for _, host := range keeps {
			reserved[host] = true
		}
		if r.Intent == origin.Wire && r.State == origin.Live {
			live = append(live, r.Claim.Hosts...)
		}
	}
	types := []string{"A"}
	if ipv6 {
		types = append(types, "AAAA")
	}
	own := lowered(append([]string{target}, former...))
	hub := lowered(slices.Concat([]string{target}, former, others))
	byHost := hostRecords(existing, slices.Concat(live, released))
	var p DNSPlan
	for _, host := range sortedSet(live) {
		there := byHost[strings.ToLower(host)]
		if unmanaged := slices.DeleteFunc(slices.Clone(there), func(e origin.DNSRecord) bool { return leadsToAny(e, hub) }); len(unmanaged) > 0 {
			p.Refused = append(p.Refused, unmanaged...)
		} else {
			p.Upsert = append(p.Upsert, missing(there, host, types, target)...)
		}
	}
	for _, host := range sortedSet(released) {
		if reserved[host] {
			continue
		}
		for _, e := range byHost[strings.ToLower(host)] {
			if leadsToAny(e, own) {
				p.Delete = append(p.Delete, e)
			}
		}
	}
	return p
}

// missing returns the records to write so that host leads to target.
func missing(there []origin.DNSRecord, host string, types []string, target string) []origin.DNSRecord {
	var upsert []origin.DNSRecord
	for _, t := range types {
		if !slices.ContainsFunc(there, func(e origin.DNSRecord) bool { return e.Type == t && leadsTo(e, target) }) {
			upsert = append(upsert, origin.DNSRecord{Name: host, Type: t, Target: target})
		}
	}
	return upsert
}

// hostRecords returns the existing records that resolve one of hosts, by host in lower case.
func hostRecords(existing []origin.DNSRecord, hosts []string) map[string][]origin.DNSRecord {
	wanted, of := lowered(hosts), map[string][]origin.DNSRecord{}
	for _, e := range existing {
		if name := strings.ToLower(e.Name); wanted[name] && (e.Type == "A" || e.Type == "AAAA" || e.Type == "CNAME") {
			of[name] = append(of[name], e)
		}
	}
	return of
}

// leadsTo reports whether a record leads to a domain.
func leadsTo(e origin.DNSRecord, domain string) bool {
	return e.Target != "" && strings.EqualFold(e.Target, domain)
}

// leadsToAny reports whether a record leads to one of domains, which are in lower case.
func leadsToAny(e origin.DNSRecord, domains map[string]bool) bool {
	return e.Target != "" && domains[strings.ToLower(e.Target)]
}

// hostsOf returns the hosts for which DNS records of the hub have to stay, and the hosts for which they can be removed by now. An origin
// that moves to other hosts reserves the old ones until it is live on the new ones, so that one DNS change replaces all.
//
//	intent  state              reserved           released
//	any     deferred, deleted  -                  released
//	detach  detaching          -                  claimed, released
//	detach  detached           -                  released
//	wire    live               claimed            released
//	any     any other          claimed, released  -
func hostsOf(r origin.Record) (reserved, released []string) {
	switch {
	case r.State == origin.Deferred, r.State == origin.Deleted, r.Intent == origin.Detach && r.State == origin.Detached:
		return nil, r.ReleasedHosts
	case r.Intent == origin.Detach && r.State == origin.Detaching:
		return nil, slices.Concat(r.Claim.Hosts, r.ReleasedHosts)
	case r.Intent == origin.Wire && r.State == origin.Live:
		return r.Claim.Hosts, r.ReleasedHosts
	}
	return slices.Concat(r.Claim.Hosts, r.ReleasedHosts), nil
}

// Under returns the plan without the deletions of records that are not under domain.
func (p DNSPlan) Under(domain string) DNSPlan {
	p.Delete = slices.DeleteFunc(slices.Clone(p.Delete), func(r origin.DNSRecord) bool { return !under(domain, r.Name) })
	return p
}

// about returns the part of the plan that is about these hosts.
func (p DNSPlan) about(hosts []string) DNSPlan {
	wanted := lowered(hosts)
	other := func(r origin.DNSRecord) bool { return !wanted[strings.ToLower(r.Name)] }
	p.Upsert, p.Delete, p.Refused = slices.DeleteFunc(p.Upsert, other), slices.DeleteFunc(p.Delete, other), slices.DeleteFunc(p.Refused, other)
	return p
}

// Only returns the plan without the deletions of records that are not in owned (see origin.Owned).
func (p DNSPlan) Only(owned []string) DNSPlan {
	has := map[string]bool{}
	for _, key := range owned {
		has[key] = true
	}
	p.Delete = slices.DeleteFunc(slices.Clone(p.Delete), func(r origin.DNSRecord) bool { return !has[RecordKey(r)] })
	return p
}

// RecordKey returns the name of a DNS record in origin.Owned.
func RecordKey(r origin.DNSRecord) string { return strings.ToLower(r.Name) + " " + r.Type }

// StillReleased leaves to each record the released hosts that may still lead to its distribution, given the distribution's records and aliases
// after all changes are Deployed and in DNS. It omits hosts that another record reserves.
func StillReleased(records []origin.Record, aliases []string) {
	has := lowered(aliases)
	reserved := map[string]int{} // how often records reserve a host
	count := func(r origin.Record, sign int) {
		hosts, _ := hostsOf(r)
		for _, h := range hosts {
			reserved[h] += sign
		}
	}
	for _, r := range records {
		count(r, 1)
	}
	for i, r := range records {
		count(r, -1)
		_, released := hostsOf(r)
		records[i].ReleasedHosts = nil
		for _, h := range r.ReleasedHosts {
			if has[strings.ToLower(h)] && reserved[h] == 0 || !slices.Contains(released, h) {
				records[i].ReleasedHosts = append(records[i].ReleasedHosts, h)
			}
		}
		count(records[i], 1)
	}
}

// lowered returns a set of names in lower case.
func lowered(names []string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, name := range names {
		set[strings.ToLower(name)] = true
	}
	return set
}

// sortedSet returns the distinct values in order.
func sortedSet(values []string) []string {
	values = slices.Clone(values)
	slices.Sort(values)
	return slices.Compact(values)
}
