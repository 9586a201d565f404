package wiring

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/originhub/originhub/pkg/origin"
)

func drawHost() *rapid.Generator[string] {
	return rapid.Map(rapid.IntRange(0, 6), func(i int) string { return fmt.Sprintf("h%d.example.com", i) })
}

func drawIndexed(t *rapid.T, id string) origin.Record {
	host := drawHost()
	return origin.Record{
		Ref: origin.Ref{ID: id}, Team: rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "team"),
		Claim:         origin.Claim{Hosts: rapid.SliceOfN(host, 0, 3).Draw(t, "hosts"), Paths: rapid.SliceOfN(rapid.SampledFrom([]string{"/a", "/b"}), 0, 2).Draw(t, "paths")},
		ReleasedHosts: rapid.SliceOfN(host, 0, 2).Draw(t, "released"),
		Distribution:  rapid.SampledFrom([]string{"main", "main-2", "main-3"}).Draw(t, "distribution"),
		Intent:        rapid.SampledFrom([]origin.Intent{origin.Wire, origin.Wire, origin.Detach}).Draw(t, "intent"),
		State: rapid.SampledFrom([]origin.State{
			origin.Live, origin.Pending, origin.Deferred, origin.Detaching, origin.Detached, origin.Deleted,
		}).Draw(t, "state"),
		Admitted: time.Unix(int64(rapid.IntRange(0, 2).Draw(t, "admitted")), 0),
	}
}

func drawAllIndexed(t *rapid.T) (records []origin.Record) {
	for i := range rapid.IntRange(0, 8).Draw(t, "records") {
		records = append(records, drawIndexed(t, fmt.Sprintf("vo_%d", i)))
	}
	return records
}

func TestPlacesAgreeWithAWalk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := func(most int) origin.Size {
			one := rapid.IntRange(0, most)
			return origin.Size{Origins: one.Draw(t, "origins"), Behaviors: one.Draw(t, "behaviors"), Aliases: one.Draw(t, "aliases")}
		}
		var distributions []Capacity
		for i := range rapid.IntRange(0, 4).Draw(t, "distributions") {
			c := Capacity{Name: fmt.Sprintf("d%d", i), Title: fmt.Sprintf("D%d", i), Limits: size(5), Others: size(2), Aliases: rapid.SliceOfN(drawHost(), 0, 1).Draw(t, "others")}
			c.Wildcard, c.Closed = i == 0 && rapid.Bool().Draw(t, "wildcard"), rapid.IntRange(0, 5).Draw(t, "closed") == 0
			if rapid.IntRange(0, 5).Draw(t, "unavailable") == 0 {
				c.Unavailable = "AccessDenied"
			}
			for range rapid.IntRange(0, 3).Draw(t, "records") {
				c.Records = append(c.Records, drawIndexed(t, fmt.Sprintf("vo_%d", rapid.IntRange(0, 12).Draw(t, "id"))))
			}
			distributions = append(distributions, c)
		}
		var requests []Request
		for i := range rapid.IntRange(0, 10).Draw(t, "requests") {
			r := Request{Record: drawIndexed(t, fmt.Sprintf("vo_%d", i))}
			if rapid.IntRange(0, 3).Draw(t, "bound") == 0 {
				r.Only, r.Orphaned = fmt.Sprintf("d%d", rapid.IntRange(0, 5).Draw(t, "only")), rapid.Bool().Draw(t, "orphaned")
			}
			requests = append(requests, r)
		}
		if got, want := Places(requests, distributions), plainPlaces(requests, distributions); !reflect.DeepEqual(got, want) {
			t.Fatalf("%v, and a walk finds %v", got, want)
		}
	})
}

// plainHostConflicts is HostConflicts with a walk over all other records for each.
func plainHostConflicts(records, all []origin.Record) []Problem {
	var out []Problem
	pending := func(r origin.Record) bool { return r.Intent == origin.Wire && r.State == origin.Pending }
next:
	for _, r := range records {
		for _, other := range all {
			first := pending(other) && inOrder(Request{Record: r}, Request{Record: other}) < 0
			if !pending(r) || first || other.Distribution == r.Distribution {
				continue
			}
			for _, h := range other.BoundHosts() {
				if slices.Contains(r.Claim.Hosts, h) {
					out = append(out, Problem{r.ID, origin.Reason{Code: HostApart, Subject: h + " " + other.Distribution, Message: hostElsewhere(h, "distribution "+other.Distribution)}})
					continue next
				}
			}
		}
	}
	return out
}

func TestHostConflictsAgreeWithAWalk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := drawAllIndexed(t)
		records := all[:rapid.IntRange(0, len(all)).Draw(t, "asked")]
		if got, want := HostConflicts(records, all), plainHostConflicts(records, all); !reflect.DeepEqual(got, want) {
			t.Fatalf("%v, and a walk finds %v", got, want)
		}
	})
}

// plainStillReleased is StillReleased with a walk over all other records.
func plainStillReleased(r origin.Record, records []origin.Record, aliases []string) []string {
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

func TestStillReleasedAgreesWithAWalk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plain := drawAllIndexed(t)
		is := slices.Clone(plain)
		aliases := rapid.SliceOf(rapid.OneOf(drawHost(), rapid.Map(drawHost(), strings.ToUpper))).Draw(t, "aliases")
		for i, r := range plain {
			plain[i].ReleasedHosts = plainStillReleased(r, plain, aliases)
		}
		if StillReleased(is, aliases); !reflect.DeepEqual(is, plain) {
			t.Fatalf("%v, and a walk finds %v", is, plain)
		}
	})
}

// plainRecords is Records with a walk over the zone for each host.
func plainRecords(records []origin.Record, target string, former, others []string, ipv6 bool, existing []origin.DNSRecord) DNSPlan {
	recordsOf := func(host string) (of []origin.DNSRecord) {
		for _, e := range existing {
			if strings.EqualFold(e.Name, host) && slices.Contains([]string{"A", "AAAA", "CNAME"}, e.Type) {
				of = append(of, e)
			}
		}
		return of
	}
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
	leads := func(e origin.DNSRecord, domains []string) bool {
		return e.Target != "" && slices.ContainsFunc(domains, func(d string) bool { return strings.EqualFold(e.Target, d) })
	}
	own := slices.Concat([]string{target}, former)
	hub := slices.Concat(own, others)
	var p DNSPlan
	for _, host := range sortedSet(live) {
		there := recordsOf(host)
		if unmanaged := slices.DeleteFunc(slices.Clone(there), func(e origin.DNSRecord) bool { return leads(e, hub) }); len(unmanaged) > 0 {
			p.Refused = append(p.Refused, unmanaged...)
		} else {
			p.Upsert = append(p.Upsert, missing(there, host, types, target)...)
		}
	}
	for _, host := range sortedSet(released) {
		for _, e := range recordsOf(host) {
			if !slices.Contains(reserved, host) && leads(e, own) {
				p.Delete = append(p.Delete, e)
			}
		}
	}
	return p
}

func drawZone(t *rapid.T) (zone []origin.DNSRecord) {
	for range rapid.IntRange(0, 8).Draw(t, "zone") {
		zone = append(zone, origin.DNSRecord{
			Name: rapid.OneOf(drawHost(), rapid.Map(drawHost(), strings.ToUpper)).Draw(t, "name"), Type: rapid.SampledFrom([]string{"A", "AAAA", "CNAME", "TXT"}).Draw(t, "type"),
			Target: rapid.SampledFrom([]string{"", "d1", "D1", "d2", "d3", "d4"}).Draw(t, "target"),
		})
	}
	return zone
}

func TestRecordsAgreeWithAWalk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records, zone, ipv6 := drawAllIndexed(t), drawZone(t), rapid.Bool().Draw(t, "IPv6")
		got, want := Records(records, "d1", []string{"d2"}, []string{"D3"}, ipv6, zone), plainRecords(records, "d1", []string{"d2"}, []string{"D3"}, ipv6, zone)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%v, and a walk finds %v", got, want)
		}
		owned := rapid.SliceOf(rapid.Map(drawHost(), func(host string) string { return host + " A" })).Draw(t, "owned")
		only := slices.DeleteFunc(slices.Clone(got.Delete), func(r origin.DNSRecord) bool { return !slices.Contains(owned, RecordKey(r)) })
		if some := got.Only(owned); !reflect.DeepEqual(some.Delete, only) {
			t.Fatalf("%v, and a walk finds %v", some.Delete, only)
		}
		replaced := slices.Concat(got.Upsert, got.Delete)
		kept := slices.DeleteFunc(slices.Clone(zone), func(r origin.DNSRecord) bool {
			return slices.ContainsFunc(replaced, func(other origin.DNSRecord) bool { return RecordKey(r) == RecordKey(other) })
		})
		if after := got.apply(zone); !reflect.DeepEqual(after, append(kept, got.Upsert...)) {
			t.Fatalf("%v, and a walk finds %v", after, append(kept, got.Upsert...))
		}
	})
}
