package admission

import (
	"cmp"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/origin"
)

// claims holds records so that the ones that overlap a claim, and what a team has, are found without a walk over all of them.
type claims struct {
	policy  Policy
	records []origin.Record
	at      map[string][]int    // indexes of records, by VPC origin id; an origin that stays as it is has its old and its new record
	paths   patterns            // of the records that reserve their claims
	teams   map[string]*holding // what these records take, by team
}

// holding is what the claims of one team take: how many records have each origin and each host, and a behavior for each path.
type holding struct {
	ids, hosts map[string]int
	behaviors  int
}

func newClaims(p Policy, records []origin.Record) *claims {
	c := &claims{policy: p.Indexed(), records: make([]origin.Record, 0, len(records)), at: make(map[string][]int, len(records)), teams: map[string]*holding{}}
	for _, r := range records {
		c.add(r)
	}
	return c
}

// add adds a record to those of the same origin.
func (c *claims) add(r origin.Record) {
	c.at[r.ID] = append(c.at[r.ID], len(c.records))
	c.records = append(c.records, r)
	c.reserve(len(c.records)-1, 1)
}

// replace replaces the record of the same origin. If there is none, it adds r.
func (c *claims) replace(r origin.Record) {
	at := c.at[r.ID]
	if len(at) == 0 {
		c.add(r)
		return
	}
	c.reserve(at[0], -1)
	c.records[at[0]] = r
	c.reserve(at[0], 1)
}

// reserve enters what a record reserves, or takes it out if sign is -1.
func (c *claims) reserve(at, sign int) {
	r := &c.records[at]
	if !r.Reserves() {
		return
	}
	name := c.policy.teamOf(r)
	team := c.teams[name]
	if team == nil {
		team = &holding{ids: map[string]int{}, hosts: map[string]int{}}
		c.teams[name] = team
	}
	team.count(*r, sign)
	for _, path := range r.Claim.Paths {
		c.paths.node(path).hold(at, sign)
	}
}

// count adds a record, or takes it out if sign is -1.
func (h *holding) count(r origin.Record, sign int) {
	step(h.ids, r.ID, sign)
	for _, host := range r.Claim.Hosts {
		step(h.hosts, host, sign)
	}
	h.behaviors += sign * len(r.Claim.Paths)
}

func step(counts map[string]int, key string, sign int) {
	if counts[key] += sign; counts[key] == 0 {
		delete(counts, key)
	}
}

// with returns what a team has now, and what it would have if a claim replaced the records of origin id.
func (c *claims) with(id string, claim origin.Claim, t Team) (had, has origin.Size) {
	team := c.teams[t.Name]
	if team == nil {
		team = &holding{ids: map[string]int{}, hosts: map[string]int{}}
	}
	had = team.size()
	var now []origin.Record
	for _, at := range c.at[id] {
		if r := &c.records[at]; r.Reserves() && c.policy.teamOf(r) == t.Name {
			now = append(now, *r)
		}
	}
	is := origin.Record{Ref: origin.Ref{ID: id}, Claim: claim}
	for _, r := range now {
		team.count(r, -1)
	}
	team.count(is, 1)
	has = team.size()
	team.count(is, -1)
	for _, r := range now {
		team.count(r, 1)
	}
	return had, has
}

// size returns what the records take: an origin each, a behavior for each path, and an alias for each host.
func (h *holding) size() origin.Size {
	return origin.Size{Origins: len(h.ids), Behaviors: h.behaviors, Aliases: len(h.hosts)}
}

// overlapping returns the records of other origins that may have a path that overlaps one of paths, sorted by id, and those of one origin
// with the last one first.
func (c *claims) overlapping(id string, paths []string) []*origin.Record {
	found := map[int]bool{}
	for _, path := range paths {
		c.paths.overlapping(path, func(at int) { found[at] = true })
	}
	var out []int
	for at := range found {
		if c.records[at].ID != id {
			out = append(out, at)
		}
	}
	slices.SortFunc(out, func(a, b int) int { return cmp.Or(strings.Compare(c.records[a].ID, c.records[b].ID), b-a) })
	records := make([]*origin.Record, len(out))
	for i, at := range out {
		records[i] = &c.records[at]
	}
	return records
}

// patterns is a tree of path patterns by their letters before the first wildcard. Two patterns overlap only if those letters of one begin
// with those of the other.
type patterns struct {
	letter byte
	kids   []*patterns
	held   []int // the records that have the pattern, once for each time
}

// node returns the node of a pattern, which it adds if there is none.
func (p *patterns) node(pattern string) *patterns {
	for _, letter := range []byte(literal(pattern)) {
		kid := p.kid(letter)
		if kid == nil {
			kid = &patterns{letter: letter}
			p.kids = append(p.kids, kid)
		}
		p = kid
	}
	return p
}

func (p *patterns) kid(letter byte) *patterns {
	for _, kid := range p.kids {
		if kid.letter == letter {
			return kid
		}
	}
	return nil
}

// hold adds a record to a node, or takes it out if sign is -1.
func (p *patterns) hold(at, sign int) {
	if i := slices.Index(p.held, at); sign < 0 && i >= 0 {
		p.held = slices.Delete(p.held, i, i+1)
	} else if sign > 0 {
		p.held = append(p.held, at)
	}
}

// overlapping calls found for each record with a pattern that may overlap pattern.
func (p *patterns) overlapping(pattern string, found func(at int)) {
	letters := literal(pattern)
	for _, letter := range []byte(letters) {
		for _, at := range p.held {
			found(at)
		}
		if p = p.kid(letter); p == nil {
			return
		}
	}
	if len(letters) < len(origin.Canonical(pattern)) {
		p.all(found)
		return
	}
	for _, at := range p.held {
		found(at)
	}
}

func (p *patterns) all(found func(at int)) {
	for _, at := range p.held {
		found(at)
	}
	for _, kid := range p.kids {
		kid.all(found)
	}
}

// literal returns the letters of a pattern before its first wildcard.
func literal(pattern string) string {
	pattern = origin.Canonical(pattern)
	if i := strings.IndexAny(pattern, "*?"); i >= 0 {
		return pattern[:i]
	}
	return pattern
}
