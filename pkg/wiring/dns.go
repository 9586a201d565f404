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
	replaced := slices.Concat(p.Upsert, p.Delete)
	kept := slices.DeleteFunc(slices.Clone(records), func(r origin.DNSRecord) bool {
		return slices.ContainsFunc(replaced, func(other origin.DNSRecord) bool { return RecordKey(r) == RecordKey(other) })
	})
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
	var live, reserved, released []string
	for _, r := range records {
		keeps, releases := hostsOf(r)
		reserved, released = append(reserved, keeps...), append(released, releases...)
		if r.Intent == origin.Wire && r.State == origin.Live {
			live = append(live, r.Claim.Hosts...)
		}
	}
	types := []string{"A"}
	if ipv6 {
		types = append(types, "AAAA")
	}
	own := slices.Concat([]string{target}, former)
	hub := slices.Concat(own, others)
	var p DNSPlan
	for _, host := range sortedSet(live) {
		there := recordsOf(host, existing)
		if unmanaged := slices.DeleteFunc(slices.Clone(there), func(e origin.DNSRecord) bool { return leadsTo(e, hub...) }); len(unmanaged) > 0 {
			p.Refused = append(p.Refused, unmanaged...)
		} else {
			p.Upsert = append(p.Upsert, missing(there, host, types, target)...)
		}
	}
	for _, host := range sortedSet(released) {
		if slices.Contains(reserved, host) {
			continue
		}
		for _, e := range recordsOf(host, existing) {
			if leadsTo(e, own...) {
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

// recordsOf returns the existing records that resolve host.
func recordsOf(host string, existing []origin.DNSRecord) []origin.DNSRecord {
	var of []origin.DNSRecord
	for _, e := range existing {
		if strings.EqualFold(e.Name, host) && slices.Contains([]string{"A", "AAAA", "CNAME"}, e.Type) {
			of = append(of, e)
		}
	}
	return of
}

// leadsTo reports whether a record leads to one of domains.
func leadsTo(e origin.DNSRecord, domains ...string) bool {
	return e.Target != "" && slices.ContainsFunc(domains, func(d string) bool { return strings.EqualFold(e.Target, d) })
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

// Only returns the plan without the deletions of records that are not in owned (see origin.Owned).
func (p DNSPlan) Only(owned []string) DNSPlan {
	p.Delete = slices.DeleteFunc(slices.Clone(p.Delete), func(r origin.DNSRecord) bool { return !slices.Contains(owned, RecordKey(r)) })
	return p
}

// RecordKey returns the name of a DNS record in origin.Owned.
func RecordKey(r origin.DNSRecord) string { return strings.ToLower(r.Name) + " " + r.Type }

// StillReleased returns the released hosts of r that may still lead to its distribution, given the distribution's records and aliases
// after all changes are Deployed and in DNS. It omits hosts that another record reserves.
func StillReleased(r origin.Record, records []origin.Record, aliases []string) []string {
	var reserved []string
	for _, other := range records {
		if other.ID != r.ID {
			hosts, _ := hostsOf(other)
			reserved = append(reserved, hosts...)
		}
	}
	_, released := hostsOf(r)
	var still []string
	for _, h := range r.ReleasedHosts {
		there := slices.ContainsFunc(aliases, func(a string) bool { return strings.EqualFold(a, h) }) && !slices.Contains(reserved, h)
		if there || !slices.Contains(released, h) {
			still = append(still, h)
		}
	}
	return still
}

// sortedSet returns the distinct values in order.
func sortedSet(values []string) []string {
	values = slices.Clone(values)
	slices.Sort(values)
	return slices.Compact(values)
}
