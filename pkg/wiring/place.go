package wiring

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/origin"
)

// Capacity describes one distribution for the placement of origins: its limits and what it holds.
type Capacity struct {
	Name     string
	Title    string      // the distribution for people, as origin.Distribution.Title returns it
	Wildcard bool        // one alias covers every host
	Limits   origin.Size // zero: no limit
	Others   origin.Size // what it holds besides the records
	Aliases  []string    // the aliases among Others
	Closed   bool        // takes no further origin
	// Unavailable is why the distribution cannot be used, or "". It then takes no further origin either.
	Unavailable string
	Records     []origin.Record
}

// Request asks for a place for an origin. Its record is what the origin has to become, even if the origin is wired with another claim.
type Request struct {
	origin.Record
	Only     string // the distribution that the origin cannot leave, because it is wired there or its released hosts still lead there; or ""
	Orphaned bool   // the origin is in Only without a record, and so counts among that distribution's Others
}

// Place is the distribution for an origin, or the reason why it has to wait.
type Place struct {
	Distribution string // "" while the origin waits
	Why          origin.Reason
}

// Places returns a place for each request, by VPC origin id. It uses the first distribution that fits, in the given order:
//
//   - No placement exceeds a limit, and no wired origin moves.
//   - All origins of a host are in one distribution, because CloudFront selects the distribution by the host alone.
//   - The origins of a team, and those that share a host with them, are placed together if one distribution has the capacity. If none
//     has, origins that share a host are placed together. If that fails, too, each is placed by itself, in the distribution that
//     takes the most of its group.
//   - Of two origins that compete, the one that was admitted first is placed first.
//
// The order of requests makes no difference.
func Places(requests []Request, distributions []Capacity) map[string]Place {
	p := placer{places: map[string]Place{}, byName: map[string]*allocation{}, bound: map[string][]*allocation{}, teams: map[string][]*allocation{}}
	asked := map[string]bool{}
	for _, r := range requests {
		asked[r.ID] = true
	}
	for i, d := range distributions {
		s := &allocation{
			Capacity: d, index: i, placer: &p, used: d.Others,
			hosts: map[string]bool{}, bound: map[string]bool{}, teams: map[string]bool{}, was: map[string]origin.Record{},
		}
		s.begin(asked)
		p.distributions = append(p.distributions, s)
		if p.byName[d.Name] == nil {
			p.byName[d.Name] = s
		}
		if !s.Closed && s.Unavailable == "" {
			p.open = append(p.open, s)
		}
	}
	requests = slices.Clone(requests)
	slices.SortFunc(requests, inOrder)
	var free []Request
	for _, r := range requests {
		if r.Only == "" {
			free = append(free, r)
		} else {
			p.keepInPlace(r)
		}
	}
	p.closeFull()
	for _, group := range groups(free, func(r Request) []string { return append([]string{"team " + r.Team}, r.Claim.Hosts...) }) {
		if p.placeTogether(group) {
			continue
		}
		for _, part := range groups(group, func(r Request) []string { return r.Claim.Hosts }) {
			if !p.placeTogether(part) {
				p.placeApart(part)
			}
		}
	}
	return p.places
}

// placer is the state of Places.
type placer struct {
	distributions []*allocation
	byName        map[string]*allocation
	open          []*allocation            // those that take further origins, in order, without some of those that are full
	bound         map[string][]*allocation // by host, the distributions that have it among their bound hosts, in the order of binding
	teams         map[string][]*allocation // by team, the distributions with origins of it, in the order of placement
	places        map[string]Place
}

// allocation is a distribution with the origins that are placed in it so far.
type allocation struct {
	Capacity
	index  int // in placer.distributions
	placer *placer
	used   origin.Size
	hosts  map[string]bool // hosts whose alias is counted in used
	bound  map[string]bool // hosts that may not be placed elsewhere: those above, and those of origins that leave, have left or are unknown
	teams  map[string]bool
	was    map[string]origin.Record // records of origins that are wired here and ask for another claim
}

// begin enters what the distribution holds, without the origins that ask for another place.
func (s *allocation) begin(asked map[string]bool) {
	if s.Wildcard {
		s.used.Aliases++
	}
	for _, a := range s.Aliases {
		s.hosts[a] = true // an origin that claims it needs no further alias
	}
	s.bind(s.Aliases)
	for _, r := range s.Records {
		switch {
		case r.WaitsForCapacity():
			s.bind(r.ReleasedHosts)
		case r.Intent == origin.Wire && asked[r.ID]:
			s.bind(r.BoundHosts())
			s.was[r.ID] = r
		case r.Intent == origin.Wire:
			s.add(r)
		default:
			s.bind(r.BoundHosts())
		}
	}
}

// needs returns the capacity that records take in addition to what is used.
func (s *allocation) needs(records ...origin.Record) origin.Size {
	need := origin.Size{Origins: len(records)}
	hosts := map[string]bool{}
	for _, r := range records {
		need.Behaviors += len(r.Claim.Paths)
		for _, h := range r.Claim.Hosts {
			if !s.Wildcard && !s.hosts[h] {
				hosts[h] = true
			}
		}
	}
	need.Aliases = len(hosts)
	return need
}

// add places r here and counts what it uses.
func (s *allocation) add(r origin.Record) {
	s.used = s.used.Plus(s.needs(r))
	s.occupy(r)
}

// occupy places r here without counting what it uses.
func (s *allocation) occupy(r origin.Record) {
	if !s.teams[r.Team] {
		s.teams[r.Team] = true
		s.placer.teams[r.Team] = append(s.placer.teams[r.Team], s)
	}
	for _, h := range r.Claim.Hosts {
		s.hosts[h] = true
	}
	s.bind(r.Claim.Hosts)
	s.bind(r.ReleasedHosts)
}

// bind keeps hosts from being placed in another distribution.
func (s *allocation) bind(hosts []string) {
	for _, h := range hosts {
		if !s.bound[h] {
			s.bound[h] = true
			s.placer.bound[h] = append(s.placer.bound[h], s)
		}
	}
}

// full reports whether the distribution takes no origin with a path, whatever it claims.
func (s *allocation) full() bool {
	return len(s.was) == 0 && (s.Limits.Origins > 0 && s.used.Origins >= s.Limits.Origins || s.Limits.Behaviors > 0 && s.used.Behaviors >= s.Limits.Behaviors)
}

// shortage is a limit that would be exceeded, or the zero value.
type shortage struct {
	quota string // what is limited: origins, behaviors or aliases
	text  string // for people
}

// shortage returns the limit that records would exceed. An origin that is wired here and asks for no more than it has always fits, even
// if the limit was lowered.
func (s *allocation) shortage(records ...origin.Record) shortage {
	var had []origin.Record
	for _, r := range records {
		if was, ok := s.was[r.ID]; ok {
			had = append(had, was)
		}
	}
	short := exceeded(s.used, s.needs(records...), s.needs(had...), s.Limits)
	if short.quota != "" {
		short.text = s.Title + " " + short.text
	}
	return short
}

// exceeded returns the limit that would be exceeded if need came on top of used. had is what need replaces.
func exceeded(used, need, had, limits origin.Size) shortage {
	for _, q := range []struct {
		kind                  string
		used, need, had, most int
	}{
		{"origins", used.Origins, need.Origins, had.Origins, limits.Origins},
		{"behaviors", used.Behaviors, need.Behaviors, had.Behaviors, limits.Behaviors},
		{"aliases", used.Aliases, need.Aliases, had.Aliases, limits.Aliases},
	} {
		if q.most > 0 && q.need > q.had && q.used+q.need > q.most {
			return shortage{q.kind, fmt.Sprintf("would have %d %s, and the limit is %d", q.used+q.need, q.kind, q.most)}
		}
	}
	return shortage{}
}

// remedy returns what people can do about shortages, as the end of a message.
func remedy(shortages ...shortage) string {
	var raise []string
	for _, limit := range [][2]string{
		{"origins", origin.QuotaOrigins}, {"behaviors", origin.QuotaBehaviors}, {"aliases", origin.QuotaAliases},
	} {
		if slices.ContainsFunc(shortages, func(l shortage) bool { return l.quota == limit[0] }) {
			raise = append(raise, fmt.Sprintf("limits.%s in the hub policy or CloudFront's quota %s, whichever is lower", limit[0], limit[1]))
		}
	}
	return "; the origin waits until an origin is torn down in a distribution with that limit, or a platform engineer raises the limit (" + strings.Join(raise, "; ") + ")"
}

// closeFull takes the full distributions out of those that are tried first.
func (p *placer) closeFull() { p.open = slices.DeleteFunc(p.open, (*allocation).full) }

// keepInPlace keeps an origin in its distribution. If its new claim cannot be there, the origin stays as it was.
func (p *placer) keepInPlace(r Request) {
	s := p.byName[r.Only]
	if s == nil {
		p.places[r.ID] = Place{Why: deferral(r.Only, "distribution "+r.Only+" is not in the registry; the origin waits for the next sweep")}
		return
	}
	subject, why := p.otherDistribution(r.Claim.Hosts, s)
	if short := s.shortage(r.Record); why == "" && short.quota != "" && !r.Orphaned {
		subject, why = s.Name+" "+short.quota, short.text+remedy(short)
	}
	switch was, wired := s.was[r.ID]; {
	case why == "" && r.Orphaned:
		s.occupy(r.Record)
	case why == "":
		s.add(r.Record)
	case wired:
		s.add(was)
	}
	if why != "" {
		p.places[r.ID] = Place{Why: deferral(subject, why)}
		return
	}
	p.places[r.ID] = Place{Distribution: s.Name}
}

// deferral returns the reason for an origin to wait.
func deferral(subject, why string) origin.Reason {
	return origin.Reason{Code: DoesNotFit, Subject: subject, Message: why}
}

// otherDistribution returns the reason, if any, why hosts cannot be in the distribution here: one of them is bound to another distribution.
func (p *placer) otherDistribution(hosts []string, here *allocation) (subject, why string) {
	for _, h := range hosts {
		var other *allocation
		for _, s := range p.bound[h] {
			if s != here && (other == nil || s.index < other.index) {
				other = s
			}
		}
		if other != nil {
			return h + " " + other.Name, hostElsewhere(h, other.Title)
		}
	}
	return "", ""
}

func hostElsewhere(host, distribution string) string {
	return fmt.Sprintf("host %s is on %s, and a host can be on one distribution only; claim another host, or tear down the origin that claims it there", host, distribution)
}

// HostConflicts returns a problem for each pending origin of records whose host is bound to another distribution. Its place was given
// before that was known. Of two pending origins, the one that was admitted first keeps the host.
func HostConflicts(records, all []origin.Record) []Problem {
	var pending []origin.Record
	wanted := map[string]bool{}
	for _, r := range records {
		if !isPending(r) {
			continue
		}
		pending = append(pending, r)
		for _, h := range r.Claim.Hosts {
			wanted[h] = true
		}
	}
	binding := map[string][]int{} // indexes in all, by wanted host
	for i, other := range all {
		for _, h := range other.BoundHosts() {
			if wanted[h] {
				binding[h] = append(binding[h], i)
			}
		}
	}
	var out []Problem
	for _, r := range pending {
		var others []int
		for _, h := range r.Claim.Hosts {
			others = append(others, binding[h]...)
		}
		slices.Sort(others)
		for _, i := range slices.Compact(others) {
			if why, conflicts := conflict(r, all[i]); conflicts {
				out = append(out, Problem{r.ID, why})
				break
			}
		}
	}
	return out
}

func isPending(r origin.Record) bool { return r.Intent == origin.Wire && r.State == origin.Pending }

// conflict returns why a pending origin waits for another one that has one of its hosts, and whether it does.
func conflict(r, other origin.Record) (origin.Reason, bool) {
	if other.Distribution == r.Distribution || isPending(other) && inOrder(Request{Record: r}, Request{Record: other}) < 0 {
		return origin.Reason{}, false
	}
	for _, h := range other.BoundHosts() {
		if slices.Contains(r.Claim.Hosts, h) {
			return origin.Reason{Code: HostApart, Subject: h + " " + other.Distribution, Message: hostElsewhere(h, "distribution "+other.Distribution)}, true
		}
	}
	return origin.Reason{}, false
}

// candidates returns the distributions that may take the group, as far as its hosts are concerned: those that bind one of the hosts, if any
// does, and otherwise the given ones. Those with origins of its teams come first.
func (p *placer) candidates(group []Request, open []*allocation) []*allocation {
	var bind, known []*allocation
	for _, r := range group {
		for _, h := range r.Claim.Hosts {
			bind = append(bind, p.bound[h]...)
		}
		known = append(known, p.teams[r.Team]...)
	}
	bind, known = inTheirOrder(bind), inTheirOrder(known)
	switch {
	case len(bind) > 1:
		return nil
	case len(bind) == 1 && (bind[0].Closed || bind[0].Unavailable != ""):
		return nil
	case len(bind) == 1:
		return bind
	case len(known) == 0:
		return open
	}
	ofTeam := map[*allocation]bool{}
	for _, s := range known {
		ofTeam[s] = true
	}
	known = slices.DeleteFunc(known, func(s *allocation) bool { return s.Closed || s.Unavailable != "" })
	for _, s := range open {
		if !ofTeam[s] {
			known = append(known, s)
		}
	}
	return known
}

// inTheirOrder returns distributions in their order, without duplicates.
func inTheirOrder(list []*allocation) []*allocation {
	slices.SortFunc(list, func(a, b *allocation) int { return a.index - b.index })
	return slices.Compact(list)
}

// usable returns the distributions that take further origins.
func (p *placer) usable() []*allocation {
	return slices.DeleteFunc(slices.Clone(p.distributions), func(s *allocation) bool { return s.Closed || s.Unavailable != "" })
}

// placeTogether places the whole group in one distribution, and reports whether one has the capacity.
func (p *placer) placeTogether(group []Request) bool {
	records := make([]origin.Record, len(group))
	for i, r := range group {
		records[i] = r.Record
	}
	open := p.open
	if slices.ContainsFunc(group, func(r Request) bool { return len(r.Claim.Paths) == 0 }) {
		open = p.usable()
	}
	for _, s := range p.candidates(group, open) {
		if s.shortage(records...).quota != "" {
			continue
		}
		for _, r := range records {
			s.add(r)
			p.places[r.ID] = Place{Distribution: s.Name}
		}
		if s.full() {
			p.closeFull()
		}
		return true
	}
	return false
}

// placeApart places each origin of the group where it fits. It begins with the distribution that takes the most of them.
func (p *placer) placeApart(group []Request) {
	takes, usable := map[*allocation]int{}, p.usable()
	for _, s := range usable {
		if len(group) > 1 { // otherwise the order makes no difference
			takes[s] = s.takes(group)
		}
	}
next:
	for _, r := range group {
		candidates := slices.Clone(p.candidates([]Request{r}, usable))
		slices.SortStableFunc(candidates, func(a, b *allocation) int { return takes[b] - takes[a] })
		var shortages []shortage
		for _, s := range candidates {
			short := s.shortage(r.Record)
			if short.quota == "" {
				s.add(r.Record)
				p.places[r.ID] = Place{Distribution: s.Name}
				if s.full() {
					p.closeFull()
				}
				continue next
			}
			shortages = append(shortages, short)
		}
		p.places[r.ID] = Place{Why: p.whyDeferred(r, shortages)}
	}
}

// takes returns how many of a group a distribution takes, if it takes each that fits in turn.
func (s *allocation) takes(group []Request) (n int) {
	used, hosts := s.used, map[string]bool{}
	needs := func(r origin.Record) origin.Size {
		need := s.needs(r)
		for _, h := range sortedSet(r.Claim.Hosts) {
			if hosts[h] && !s.hosts[h] && !s.Wildcard {
				need.Aliases--
			}
		}
		return need
	}
	for _, r := range group {
		need, had := needs(r.Record), origin.Size{}
		if was, ok := s.was[r.ID]; ok {
			had = needs(was)
		}
		if exceeded(used, need, had, s.Limits).quota != "" {
			continue
		}
		n, used = n+1, used.Plus(need)
		for _, h := range r.Claim.Hosts {
			hosts[h] = true
		}
	}
	return n
}

// whyDeferred returns the reason why no distribution takes an origin.
func (p *placer) whyDeferred(r Request, shortages []shortage) origin.Reason {
	var bound, texts, quotas, names []string
	unavailable := "" // why the distribution of its host is unavailable
	for _, s := range p.distributions {
		if h := slices.IndexFunc(r.Claim.Hosts, func(h string) bool { return s.bound[h] }); h >= 0 {
			bound = append(bound, r.Claim.Hosts[h]+" is on "+s.Title)
			unavailable = s.Unavailable
		}
		if s.Unavailable != "" {
			texts, names = append(texts, s.Title+" is unavailable ("+s.Unavailable+")"), append(names, s.Name)
		}
	}
	slices.SortFunc(shortages, func(a, b shortage) int { return strings.Compare(a.text, b.text) })
	switch {
	case len(bound) > 1:
		return deferral(strings.Join(bound, ", "), "all hosts of an origin have to be on one distribution, but "+strings.Join(bound, ", ")+"; claim hosts of one distribution only")
	case len(bound) == 1 && unavailable != "":
		return deferral(bound[0]+" unavailable", "host "+bound[0]+", which is unavailable ("+unavailable+"); the origin waits until that is fixed")
	case len(bound) == 1 && len(shortages) == 0:
		return deferral(bound[0]+" closed", "host "+bound[0]+", which the hub policy no longer names and which takes no further origin; claim another host")
	case len(bound) == 1:
		return deferral(bound[0]+" "+shortages[0].quota, "host "+bound[0]+", and "+shortages[0].text+remedy(shortages...))
	case len(shortages) == 0:
		return deferral("unavailable "+strings.Join(names, " "), "no distribution is available: "+strings.Join(texts, "; ")+"; the origin waits until that is fixed")
	}
	for _, l := range shortages {
		texts, quotas = append(texts, l.text), append(quotas, l.quota)
	}
	return deferral(strings.Join(quotas, " "), "no distribution has the capacity for the origin: "+strings.Join(texts, "; ")+remedy(shortages...))
}

// groups partitions requests so that two of them are in one group exactly if a common key connects them, directly or through others. The
// groups are in the order of their first members.
func groups(requests []Request, keys func(Request) []string) [][]Request {
	first := make([]int, len(requests)) // an earlier request of the same group, or the request itself
	root := func(i int) int {
		for first[i] != i {
			first[i] = first[first[i]]
			i = first[i]
		}
		return i
	}
	byKey := map[string]int{} // the first request with that key
	for i, r := range requests {
		first[i] = i
		for _, key := range keys(r) {
			if other, known := byKey[key]; known {
				a, b := root(other), root(i)
				first[max(a, b)] = min(a, b)
			} else {
				byKey[key] = i
			}
		}
	}
	at := map[int]int{} // index in out, by root
	var out [][]Request
	for i, r := range requests {
		group, known := at[root(i)]
		if !known {
			group = len(out)
			at[root(i)], out = group, append(out, nil)
		}
		out[group] = append(out[group], r)
	}
	for _, group := range out {
		slices.SortFunc(group, inOrder)
	}
	return out
}

// inOrder compares requests by the time of their admission, and then by id.
func inOrder(a, b Request) int {
	return cmp.Or(a.Admitted.Compare(b.Admitted), strings.Compare(a.ID, b.ID))
}
