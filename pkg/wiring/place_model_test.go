package wiring

import (
	"maps"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/origin"
)

// plainPlaces is Places with walks over all distributions for each host and each group. TestPlacesAgreeWithAWalk compares the two.
func plainPlaces(requests []Request, distributions []Capacity) map[string]Place {
	p := plainPlacer{places: map[string]Place{}}
	asked := map[string]bool{}
	for _, r := range requests {
		asked[r.ID] = true
	}
	for _, d := range distributions {
		p.distributions = append(p.distributions, newPlainAllocation(d, asked))
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
	for _, group := range plainGroups(free, func(r Request) []string { return append([]string{"team " + r.Team}, r.Claim.Hosts...) }) {
		if p.placeTogether(group) {
			continue
		}
		for _, part := range plainGroups(group, func(r Request) []string { return r.Claim.Hosts }) {
			if !p.placeTogether(part) {
				p.placeApart(part)
			}
		}
	}
	return p.places
}

// plainPlacer is the state of Places.
type plainPlacer struct {
	distributions []*plainAllocation
	places        map[string]Place
}

// plainAllocation is a distribution with the origins that are placed in it so far.
type plainAllocation struct {
	Capacity
	used  origin.Size
	hosts map[string]bool // hosts whose alias is counted in used
	bound map[string]bool // hosts that may not be placed elsewhere: those above, and those of origins that leave, have left or are unknown
	teams map[string]bool
	was   map[string]origin.Record // records of origins that are wired here and ask for another claim
}

func newPlainAllocation(d Capacity, asked map[string]bool) *plainAllocation {
	s := &plainAllocation{
		Capacity: d, used: d.Others,
		hosts: map[string]bool{}, bound: map[string]bool{}, teams: map[string]bool{}, was: map[string]origin.Record{},
	}
	if d.Wildcard {
		s.used.Aliases++
	}
	for _, a := range d.Aliases {
		s.hosts[a], s.bound[a] = true, true // an origin that claims it needs no further alias
	}
	for _, r := range d.Records {
		switch {
		case r.Intent == origin.Wire && r.State == origin.Deferred:
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
	return s
}

// needs returns the capacity that records take in addition to what is used.
func (s *plainAllocation) needs(records ...origin.Record) origin.Size {
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
func (s *plainAllocation) add(r origin.Record) {
	s.used = s.used.Plus(s.needs(r))
	s.occupy(r)
}

// occupy places r here without counting what it uses.
func (s *plainAllocation) occupy(r origin.Record) {
	s.teams[r.Team] = true
	for _, h := range r.Claim.Hosts {
		s.hosts[h] = true
	}
	s.bind(r.Claim.Hosts)
	s.bind(r.ReleasedHosts)
}

// bind keeps hosts from being placed in another distribution.
func (s *plainAllocation) bind(hosts []string) {
	for _, h := range hosts {
		s.bound[h] = true
	}
}

// shortage returns the limit that records would exceed. An origin that is wired here and asks for no more than it has always fits, even
// if the limit was lowered.
func (s *plainAllocation) shortage(records ...origin.Record) shortage {
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

// keepInPlace keeps an origin in its distribution. If its new claim cannot be there, the origin stays as it was.
func (p *plainPlacer) keepInPlace(r Request) {
	i := slices.IndexFunc(p.distributions, func(s *plainAllocation) bool { return s.Name == r.Only })
	if i < 0 {
		p.places[r.ID] = Place{Why: deferral(r.Only, "distribution "+r.Only+" is not in the registry; the origin waits for the next sweep")}
		return
	}
	s := p.distributions[i]
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

// otherDistribution returns the reason, if any, why hosts cannot be in the distribution here: one of them is bound to another distribution.
func (p *plainPlacer) otherDistribution(hosts []string, here *plainAllocation) (subject, why string) {
	for _, h := range hosts {
		for _, s := range p.distributions {
			if s != here && s.bound[h] {
				return h + " " + s.Name, hostElsewhere(h, s.Title)
			}
		}
	}
	return "", ""
}

// candidates returns the distributions that may take the group, as far as its hosts are concerned. Those with origins of its teams come
// first.
func (p *plainPlacer) candidates(group []Request) []*plainAllocation {
	var known, rest []*plainAllocation
	for _, s := range p.distributions {
		boundElsewhere := slices.ContainsFunc(group, func(r Request) bool {
			_, why := p.otherDistribution(r.Claim.Hosts, s)
			return why != ""
		})
		switch {
		case s.Closed || s.Unavailable != "" || boundElsewhere:
		case slices.ContainsFunc(group, func(r Request) bool { return s.teams[r.Team] }):
			known = append(known, s)
		default:
			rest = append(rest, s)
		}
	}
	return append(known, rest...)
}

// placeTogether places the whole group in one distribution, and reports whether one has the capacity.
func (p *plainPlacer) placeTogether(group []Request) bool {
	records := make([]origin.Record, len(group))
	for i, r := range group {
		records[i] = r.Record
	}
	for _, s := range p.candidates(group) {
		if s.shortage(records...).quota != "" {
			continue
		}
		for _, r := range records {
			s.add(r)
			p.places[r.ID] = Place{Distribution: s.Name}
		}
		return true
	}
	return false
}

// placeApart places each origin of the group where it fits. It begins with the distribution that takes the most of them.
func (p *plainPlacer) placeApart(group []Request) {
	takes := map[*plainAllocation]int{}
	for _, s := range p.distributions {
		trial := *s
		trial.hosts, trial.bound, trial.teams = maps.Clone(s.hosts), maps.Clone(s.bound), maps.Clone(s.teams)
		for _, r := range group {
			if trial.shortage(r.Record).quota == "" {
				trial.add(r.Record)
				takes[s]++
			}
		}
	}
next:
	for _, r := range group {
		candidates := p.candidates([]Request{r})
		slices.SortStableFunc(candidates, func(a, b *plainAllocation) int { return takes[b] - takes[a] })
		var shortages []shortage
		for _, s := range candidates {
			short := s.shortage(r.Record)
			if short.quota == "" {
				s.add(r.Record)
				p.places[r.ID] = Place{Distribution: s.Name}
				continue next
			}
			shortages = append(shortages, short)
		}
		p.places[r.ID] = Place{Why: p.whyDeferred(r, shortages)}
	}
}

// whyDeferred returns the reason why no distribution takes an origin.
func (p *plainPlacer) whyDeferred(r Request, shortages []shortage) origin.Reason {
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

// groups partitions requests so that two of them are in one group exactly if a common key connects them, directly or through others.
func plainGroups(requests []Request, keys func(Request) []string) [][]Request {
	byKey := map[string]int{} // index in out
	var out [][]Request
	for _, r := range requests {
		at := len(out)
		out = append(out, []Request{r})
		for _, key := range keys(r) {
			other, known := byKey[key]
			if known && other != at {
				// The later group is merged into the earlier one, so that the groups stay in the order of their first members.
				from, to := max(at, other), min(at, other)
				out[to] = append(out[to], out[from]...)
				out[from] = nil
				for k, b := range byKey {
					if b == from {
						byKey[k] = to
					}
				}
				at = to
			}
			byKey[key] = at
		}
	}
	out = slices.DeleteFunc(out, func(b []Request) bool { return len(b) == 0 })
	for _, b := range out {
		slices.SortFunc(b, inOrder)
	}
	return out
}
