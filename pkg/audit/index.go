package audit

import (
	"strings"

	"github.com/originhub/originhub/pkg/origin"
)

// index is what is looked up in an Observed for each origin, host or finding.
type index struct {
	records    map[string][]int              // indexes in Records, by VPC origin id
	managed    map[string]bool               // ids of distributions
	listed     map[string]int                // indexes in Listed, by id
	domains    map[string]bool               // of managed distributions, in lower case
	using      map[string]string             // the first managed distribution that uses an origin, by VPC origin id
	holding    map[string]string             // the first unmanaged distribution that has an alias, by alias in lower case
	aliases    map[string][]string           // distributions that have an alias, by alias in lower case
	wildcards  map[string][]string           // what follows the asterisk of wildcard aliases, in lower case, by id of the distribution
	shares     map[string]string             // the first share that has an origin, by ARN of the origin
	visible    map[string]bool               // ARNs
	addresses  map[string][]origin.DNSRecord // of types A, AAAA and CNAME, by name in lower case
	recorded   map[string]bool               // ids of the network interfaces that teardowns have recorded
	aside      map[string]bool               // VPC origin ids
	unreadable map[string]bool               // accounts
	unlisted   map[string]bool               // accounts
}

// indexed returns o with an index, which does not follow later changes of o.
func (o Observed) indexed() Observed {
	if o.index != nil {
		return o
	}
	o.Policy.Policy, o.Snapshot = o.Policy.Indexed(), o.Indexed()
	o.index = &index{
		records: map[string][]int{}, managed: setOf(o.Managed), shares: map[string]string{}, visible: map[string]bool{}, addresses: map[string][]origin.DNSRecord{},
		recorded: map[string]bool{}, aside: map[string]bool{}, unreadable: setOf(o.Unreadable), unlisted: setOf(o.Unlisted),
	}
	o.indexListed()
	for i, r := range o.Records {
		o.index.records[r.ID] = append(o.index.records[r.ID], i)
		o.index.record(r)
	}
	for _, r := range o.Aside {
		o.index.aside[r.ID] = true
		o.index.record(r)
	}
	for _, s := range o.Offered {
		first(o.index.shares, s.ARN, s.Share)
	}
	for _, v := range o.Visible {
		o.index.visible[v.ARN] = true
	}
	for _, e := range o.DNS {
		if name := strings.ToLower(e.Name); addresses(e.Type) {
			o.index.addresses[name] = append(o.index.addresses[name], e)
		}
	}
	return o
}

// indexListed indexes the distributions of the hub's account.
func (o Observed) indexListed() {
	i := o.index
	i.listed, i.domains, i.using, i.holding = map[string]int{}, map[string]bool{}, map[string]string{}, map[string]string{}
	i.aliases, i.wildcards = map[string][]string{}, map[string][]string{}
	for at, d := range o.Listed {
		first(i.listed, d.ID, at)
		for _, alias := range d.Aliases {
			alias = strings.ToLower(alias)
			i.aliases[alias] = append(i.aliases[alias], d.ID)
			if suffix, wildcard := strings.CutPrefix(alias, "*"); wildcard {
				i.wildcards[d.ID] = append(i.wildcards[d.ID], suffix)
			}
			if !i.managed[d.ID] {
				first(i.holding, alias, d.ID)
			}
		}
		if !i.managed[d.ID] {
			continue
		}
		i.domains[strings.ToLower(d.Domain)] = true
		for _, p := range d.Origins {
			first(i.using, p.VPCOrigin, d.ID)
		}
	}
}

// record enters the network interfaces that the teardown of a record has recorded.
func (i *index) record(r origin.Record) {
	if r.Teardown == nil {
		return
	}
	for _, p := range r.Teardown.Places() {
		for _, eni := range p.ENIs {
			i.recorded[eni] = true
		}
	}
}

// look returns the index of o.
func (o Observed) look() *index { return o.indexed().index }

func setOf(values []string) map[string]bool {
	set := make(map[string]bool, len(values))
	for _, v := range values {
		set[v] = true
	}
	return set
}

// first sets the value of a key that has none.
func first[K comparable, V any](values map[K]V, key K, value V) {
	if _, known := values[key]; !known {
		values[key] = value
	}
}
