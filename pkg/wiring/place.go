package wiring

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/origin"
)

// Capacity is one distribution as far as giving places in it goes.
type Capacity struct {
	Name     string
	Wildcard bool        // one alias stands for every host
	Limits   origin.Size // zero is none
	Others   origin.Size // what it holds besides records
	Aliases  []string    // among that
	Closed   bool        // gets no further origin
	// Unavailable is why it cannot be read, and so gets none either.
	Unavailable string
	Records     []origin.Record
}

// Request is an origin that is to be wired. Of one that has a record in some room, this is what it is to become.
type Request struct {
	origin.Record
	Only     string // room that it cannot leave, or "": it is wired there already, or hosts that it left still lead there
	Orphaned bool   // Only holds it without a record, so that it is among its Others
}

// Place is where an origin goes, or why it must wait.
type Place struct {
	Distribution string // "" while it waits
	Why          origin.Reason
}

// Places gives each request a place, first fit in the order of the rooms:
//
//   - nothing goes where it would exceed a limit, and what is wired never moves;
//   - all origins of a host go to one room, since CloudFront finds the distribution by the host alone;
//   - a team's origins, and those that share a host, go to one room if one takes them all; else those that share a host;
//     else each by itself, in the room that takes most of those it shares hosts with;
//   - of two that compete, the one that was admitted first comes first.
//
// The order of requests makes no difference.
func Places(requests []Request, rooms []Capacity) map[string]Place {
	p := placer{places: map[string]Place{}}
	asked := map[string]bool{}
	for _, r := range requests {
		asked[r.ID] = true
	}
	for _, room := range rooms {
		p.rooms = append(p.rooms, newStock(room, asked))
	}
	requests = slices.Clone(requests)
	slices.SortFunc(requests, inOrder)
	var free []Request
	for _, r := range requests {
		if r.Only == "" {
			free = append(free, r)
		} else {
			p.keep(r)
		}
	}
	for _, bundle := range bundles(free, func(r Request) []string { return append([]string{"team " + r.Team}, r.Claim.Hosts...) }) {
		if p.together(bundle) {
			continue
		}
		for _, part := range bundles(bundle, func(r Request) []string { return r.Claim.Hosts }) {
			if !p.together(part) {
				p.apart(part)
			}
		}
	}
	return p.places
}

type placer struct {
	rooms  []*stock
	places map[string]Place
}

// stock is a room with what it holds so far.
type stock struct {
	Capacity
	used  origin.Size
	hosts map[string]bool // of what it is to hold
	bound map[string]bool // and of whatever else keeps alias or DNS record here: what leaves it, what has left them, what is unknown
	teams map[string]bool
	was   map[string]origin.Record // what is wired here and asks for something else
}

func newStock(room Capacity, asked map[string]bool) *stock {
	s := &stock{
		Capacity: room, used: room.Others,
		hosts: map[string]bool{}, bound: map[string]bool{}, teams: map[string]bool{}, was: map[string]origin.Record{},
	}
	if room.Wildcard {
		s.used.Aliases++
	}
	for _, a := range room.Aliases {
		s.hosts[a], s.bound[a] = true, true // it takes no more room for an origin to need it
	}
	for _, r := range room.Records {
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

// needs is what records take besides what is here.
func (s *stock) needs(records ...origin.Record) origin.Size {
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

func (s *stock) add(r origin.Record) {
	s.used = s.used.Plus(s.needs(r))
	s.settle(r)
}

func (s *stock) settle(r origin.Record) {
	s.teams[r.Team] = true
	for _, h := range r.Claim.Hosts {
		s.hosts[h] = true
	}
	s.bind(r.Claim.Hosts)
	s.bind(r.ReleasedHosts)
}

func (s *stock) bind(hosts []string) {
	for _, h := range hosts {
		s.bound[h] = true
	}
}

// lack is a limit that would be exceeded, or the zero value.
type lack struct {
	kind string // what it limits: origins, behaviors or aliases
	says string
}

// lacks says which limit the records would exceed. What is wired and asks for no more fits, however low the limit has
// become.
func (s *stock) lacks(records ...origin.Record) lack {
	var had []origin.Record
	for _, r := range records {
		if was, ok := s.was[r.ID]; ok {
			had = append(had, was)
		}
	}
	over := exceeded(s.used, s.needs(records...), s.needs(had...), s.Limits)
	if over.kind != "" {
		over.says = s.Name + " " + over.says
	}
	return over
}

// exceeded says which limit would be exceeded where so much is used and so much is needed instead of what it had.
func exceeded(used, need, had, limits origin.Size) lack {
	for _, q := range []struct {
		kind                  string
		used, need, had, most int
	}{
		{"origins", used.Origins, need.Origins, had.Origins, limits.Origins},
		{"behaviors", used.Behaviors, need.Behaviors, had.Behaviors, limits.Behaviors},
		{"aliases", used.Aliases, need.Aliases, had.Aliases, limits.Aliases},
	} {
		if q.most > 0 && q.need > q.had && q.used+q.need > q.most {
			return lack{q.kind, fmt.Sprintf("would have %d %s, and the limit is %d", q.used+q.need, q.kind, q.most)}
		}
	}
	return lack{}
}

// remedy says what makes room where that is lacking.
func remedy(lacks ...lack) string {
	var raise []string
	for _, limit := range [][2]string{
		{"origins", origin.QuotaOrigins}, {"behaviors", origin.QuotaBehaviors}, {"aliases", origin.QuotaAliases},
	} {
		if slices.ContainsFunc(lacks, func(l lack) bool { return l.kind == limit[0] }) {
			raise = append(raise, fmt.Sprintf("limits.%s in the hub policy or CloudFront's quota %s, whichever is lower", limit[0], limit[1]))
		}
	}
	return ": it waits until an origin is torn down there, or the limit is raised (" + strings.Join(raise, "; ") + ")"
}

// keep leaves an origin in its room. If what it asks for cannot be there, it stays as it was.
func (p *placer) keep(r Request) {
	i := slices.IndexFunc(p.rooms, func(s *stock) bool { return s.Name == r.Only })
	if i < 0 {
		p.places[r.ID] = Place{Why: lacking(r.Only, "the registry knows no distribution "+r.Only)}
		return
	}
	s := p.rooms[i]
	subject, why := p.elsewhere(r.Claim.Hosts, s)
	if lacks := s.lacks(r.Record); why == "" && lacks.kind != "" && !r.Orphaned {
		subject, why = s.Name+" "+lacks.kind, "its distribution "+lacks.says+remedy(lacks)
	}
	switch was, wired := s.was[r.ID]; {
	case why == "" && r.Orphaned:
		s.settle(r.Record)
	case why == "":
		s.add(r.Record)
	case wired:
		s.add(was)
	}
	if why != "" {
		p.places[r.ID] = Place{Why: lacking(subject, why)}
		return
	}
	p.places[r.ID] = Place{Distribution: s.Name}
}

// lacking is a reason for an origin to wait.
func lacking(subject, why string) origin.Reason {
	return origin.Reason{Code: DoesNotFit, Subject: subject, Message: why}
}

// elsewhere says which of the hosts is in another room, or "".
func (p *placer) elsewhere(hosts []string, here *stock) (subject, why string) {
	for _, h := range hosts {
		for _, s := range p.rooms {
			if s != here && s.bound[h] {
				return h + " " + s.Name, onAnother(h, s.Name)
			}
		}
	}
	return "", ""
}

func onAnother(host, distribution string) string {
	return fmt.Sprintf("its host %s is on distribution %s, and a host is on one distribution only: claim another host, or tear down what claims it there", host, distribution)
}

// Apart lists the origins of a distribution that are not in it yet as they are to be, although another one has a host of
// theirs. Their places were given by somebody who did not know that. Of two that are both to come, the earlier one stands.
func Apart(records, all []origin.Record) []Problem {
	var out []Problem
	coming := func(r origin.Record) bool { return r.Intent == origin.Wire && r.State == origin.Pending }
next:
	for _, r := range records {
		for _, other := range all {
			later := coming(other) && inOrder(Request{Record: r}, Request{Record: other}) < 0
			if !coming(r) || later || other.Distribution == r.Distribution {
				continue
			}
			for _, h := range other.BoundHosts() {
				if slices.Contains(r.Claim.Hosts, h) {
					out = append(out, Problem{r.ID, origin.Reason{Code: HostApart, Subject: h + " " + other.Distribution, Message: onAnother(h, other.Distribution)}})
					continue next
				}
			}
		}
	}
	return out
}

// open lists the rooms that may take the group as far as its hosts go, those of its teams first.
func (p *placer) open(group []Request) []*stock {
	var known, rest []*stock
	for _, s := range p.rooms {
		apart := slices.ContainsFunc(group, func(r Request) bool {
			_, why := p.elsewhere(r.Claim.Hosts, s)
			return why != ""
		})
		switch {
		case s.Closed || s.Unavailable != "" || apart:
		case slices.ContainsFunc(group, func(r Request) bool { return s.teams[r.Team] }):
			known = append(known, s)
		default:
			rest = append(rest, s)
		}
	}
	return append(known, rest...)
}

// together puts the whole group into one room, if one takes it.
func (p *placer) together(group []Request) bool {
	records := make([]origin.Record, len(group))
	for i, r := range group {
		records[i] = r.Record
	}
	for _, s := range p.open(group) {
		if s.lacks(records...).kind != "" {
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

// apart puts each origin of the group where it fits, beginning with the room that takes most of them.
func (p *placer) apart(group []Request) {
	takes := map[*stock]int{}
	for _, s := range p.rooms {
		trial := *s
		trial.hosts, trial.bound, trial.teams = maps.Clone(s.hosts), maps.Clone(s.bound), maps.Clone(s.teams)
		for _, r := range group {
			if trial.lacks(r.Record).kind == "" {
				trial.add(r.Record)
				takes[s]++
			}
		}
	}
next:
	for _, r := range group {
		rooms := p.open([]Request{r})
		slices.SortStableFunc(rooms, func(a, b *stock) int { return takes[b] - takes[a] })
		var why []lack
		for _, s := range rooms {
			lacks := s.lacks(r.Record)
			if lacks.kind == "" {
				s.add(r.Record)
				p.places[r.ID] = Place{Distribution: s.Name}
				continue next
			}
			why = append(why, lacks)
		}
		p.places[r.ID] = Place{Why: p.wait(r, why)}
	}
}

// wait says why no room takes an origin.
func (p *placer) wait(r Request, lacks []lack) origin.Reason {
	var bound, said, kinds, shutOut []string
	shut := "" // why its host's distribution is not available
	for _, s := range p.rooms {
		if h := slices.IndexFunc(r.Claim.Hosts, func(h string) bool { return s.bound[h] }); h >= 0 {
			bound = append(bound, r.Claim.Hosts[h]+" is on distribution "+s.Name)
			shut = s.Unavailable
		}
		if s.Unavailable != "" {
			said, shutOut = append(said, s.Name+" is not available: "+s.Unavailable), append(shutOut, s.Name)
		}
	}
	slices.SortFunc(lacks, func(a, b lack) int { return strings.Compare(a.says, b.says) })
	switch {
	case len(bound) > 1:
		return lacking(strings.Join(bound, ", "), "its hosts are apart, and all must be on one distribution: "+strings.Join(bound, ", ")+"; claim hosts of one of them")
	case len(bound) == 1 && shut != "":
		return lacking(bound[0]+" unavailable", "its host "+bound[0]+", which is not available: "+shut)
	case len(bound) == 1 && len(lacks) == 0:
		return lacking(bound[0]+" closed", "its host "+bound[0]+", which policy no longer names and which takes nothing new")
	case len(bound) == 1:
		return lacking(bound[0]+" "+lacks[0].kind, "its host "+bound[0]+", and "+lacks[0].says+remedy(lacks...))
	case len(lacks) == 0:
		return lacking("unavailable "+strings.Join(shutOut, " "), "no distribution takes it: "+strings.Join(said, "; "))
	}
	for _, l := range lacks {
		said, kinds = append(said, l.says), append(kinds, l.kind)
	}
	return lacking(strings.Join(kinds, " "), "no distribution has room for it: "+strings.Join(said, "; ")+remedy(lacks...))
}

// bundles are the groups of requests that a common key holds together, directly or through others.
func bundles(requests []Request, keys func(Request) []string) [][]Request {
	of := map[string]int{} // key to bundle
	var out [][]Request
	for _, r := range requests {
		at := len(out)
		out = append(out, []Request{r})
		for _, key := range keys(r) {
			other, known := of[key]
			if known && other != at {
				// The earlier bundle takes the later one in, so that the order of the first members stays.
				from, to := max(at, other), min(at, other)
				out[to] = append(out[to], out[from]...)
				out[from] = nil
				for k, b := range of {
					if b == from {
						of[k] = to
					}
				}
				at = to
			}
			of[key] = at
		}
	}
	out = slices.DeleteFunc(out, func(b []Request) bool { return len(b) == 0 })
	for _, b := range out {
		slices.SortFunc(b, inOrder)
	}
	return out
}

func inOrder(a, b Request) int {
	return cmp.Or(a.Admitted.Compare(b.Admitted), strings.Compare(a.ID, b.ID))
}
