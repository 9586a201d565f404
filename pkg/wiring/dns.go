package wiring

import (
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/origin"
)

// DNSPlan is what to change in the hosted zone. Records that point at the distribution are ours.
type DNSPlan struct {
	Upsert  []origin.DNSRecord
	Delete  []origin.DNSRecord
	Refused []origin.DNSRecord // existing records of somebody else that stand in the way
}

// Empty tells whether there is nothing to write.
func (p DNSPlan) Empty() bool { return len(p.Upsert) == 0 && len(p.Delete) == 0 }

// Records compares the host names of the origins of one distribution with the existing records. target is its domain name,
// former are those of the ones before it, which are no more, and others those of the hub's other distributions.
//
//	host is                            existing record   verdict
//	claimed by a live origin           none              upsert A, and AAAA with IPv6
//	claimed by a live origin           ours              nothing
//	claimed by a live origin           former, others'   upsert
//	claimed by a live origin           somebody else's   refused, and nothing is written for that host
//	given up, and kept by no origin    ours, former      delete
//	anything else                      any               nothing
func Records(records []origin.Record, target string, former, others []string, ipv6 bool, existing []origin.DNSRecord) DNSPlan {
	var live, kept, gone []string
	for _, r := range records {
		k, g := hostsOf(r)
		kept, gone = append(kept, k...), append(gone, g...)
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
		if blocked := slices.DeleteFunc(slices.Clone(there), func(e origin.DNSRecord) bool { return leadsTo(e, hub...) }); len(blocked) > 0 {
			p.Refused = append(p.Refused, blocked...)
		} else {
			p.Upsert = append(p.Upsert, missing(there, host, types, target)...)
		}
	}
	for _, host := range sortedSet(gone) {
		if slices.Contains(kept, host) {
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

// missing returns the records of a host that do not lead to target yet.
func missing(there []origin.DNSRecord, host string, types []string, target string) []origin.DNSRecord {
	var upsert []origin.DNSRecord
	for _, t := range types {
		if !slices.ContainsFunc(there, func(e origin.DNSRecord) bool { return e.Type == t && leadsTo(e, target) }) {
			upsert = append(upsert, origin.DNSRecord{Name: host, Type: t, Target: target})
		}
	}
	return upsert
}

// recordsOf returns the existing records that decide where viewers of a host go.
func recordsOf(host string, existing []origin.DNSRecord) []origin.DNSRecord {
	var of []origin.DNSRecord
	for _, e := range existing {
		if strings.EqualFold(e.Name, host) && slices.Contains([]string{"A", "AAAA", "CNAME"}, e.Type) {
			of = append(of, e)
		}
	}
	return of
}

// leadsTo reports whether a record points at one of some domain names.
func leadsTo(e origin.DNSRecord, domains ...string) bool {
	return e.Target != "" && slices.ContainsFunc(domains, func(d string) bool { return strings.EqualFold(e.Target, d) })
}

// hostsOf are the hosts that a record keeps and those that it has given up by now. An origin that moves answers for its old
// hosts until it is live on the new ones, so that one change of DNS replaces the ones by the others.
//
//	intent  state                  keeps          gives up
//	any     waiting, deleted       -              left
//	detach  detaching              -              claimed, left
//	detach  detached               -              left
//	wire    live                   claimed        left
//	any     any other              claimed, left  -
func hostsOf(r origin.Record) (keeps, gives []string) {
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

// Only is the plan with no deletions but those of the records that the hub has written: see origin.Distribution.Pointed.
func (p DNSPlan) Only(pointed []string) DNSPlan {
	p.Delete = slices.DeleteFunc(slices.Clone(p.Delete), func(r origin.DNSRecord) bool { return !slices.Contains(pointed, RecordKey(r)) })
	return p
}

// RecordKey names a DNS record in origin.Distribution.Pointed.
func RecordKey(r origin.DNSRecord) string { return strings.ToLower(r.Name) + " " + r.Type }

// StillReleased are the hosts that a record has left and that may still lead to its distribution, whose records and aliases these
// are, when everything that was to be written is Deployed and in DNS. What another record keeps is that one's.
func StillReleased(r origin.Record, records []origin.Record, aliases []string) []string {
	var kept []string
	for _, other := range records {
		if other.ID != r.ID {
			k, _ := hostsOf(other)
			kept = append(kept, k...)
		}
	}
	_, gives := hostsOf(r)
	var still []string
	for _, h := range r.ReleasedHosts {
		there := slices.ContainsFunc(aliases, func(a string) bool { return strings.EqualFold(a, h) }) && !slices.Contains(kept, h)
		if there || !slices.Contains(gives, h) {
			still = append(still, h)
		}
	}
	return still
}

func sortedSet(values []string) []string {
	values = slices.Clone(values)
	slices.Sort(values)
	return slices.Compact(values)
}
