package admission

import (
	"github.com/originhub/originhub/pkg/origin"
)

// lookup is what a round looks up for each of its origins, collected once.
type lookup struct {
	visible     map[string]int    // indexes in Visible, by VPC origin id
	offered     map[string]bool   // VPC origin ids
	holders     map[string]string // the distribution that contains an origin without a record, by VPC origin id
	fleet       []string
	inFleet     map[string]bool
	uncertain   origin.Distribution
	unpermitted map[string][]Reason // nil until something asks for it
	suspended   map[string][]origin.Record
	teams       map[string]bool // names in the policy and in records
}

// indexed returns the round with its content indexed. The index does not follow changes of the registry, so each decision makes its own.
func (r Round) indexed() Round {
	r.Policy, r.Registry = r.Policy.Indexed(), r.Registry.Indexed()
	l := &lookup{
		visible: map[string]int{}, offered: map[string]bool{}, holders: map[string]string{}, fleet: r.Policy.Distribution.Fleet(), inFleet: map[string]bool{},
		suspended: map[string][]origin.Record{}, teams: map[string]bool{},
	}
	for i, v := range r.Visible {
		if _, known := l.visible[v.ID]; !known {
			l.visible[v.ID] = i
		}
	}
	for _, o := range r.Offers {
		l.offered[o.ID] = true
	}
	for _, d := range r.Registry.Distributions {
		for _, o := range d.Orphans {
			l.holders[o.ID] = d.Name
		}
	}
	for _, name := range l.fleet {
		l.inFleet[name] = true
	}
	for _, t := range r.Policy.Teams {
		l.teams[t.Name] = true
	}
	for _, o := range r.Registry.Records {
		l.teams[o.Team] = true
		if by, suspended := r.Suspended.Of(o.Ref); suspended {
			l.suspended[by.Key] = append(l.suspended[by.Key], o)
		}
	}
	r.lookup = l
	l.uncertain = r.findUncertain()
	return r
}

// look returns the index of the round.
func (r Round) look() *lookup {
	if r.lookup == nil {
		r = r.indexed()
	}
	return r.lookup
}

// unpermitted returns the reasons, by VPC origin id, for which records may no longer be wired.
func (r Round) unpermitted() map[string][]Reason {
	l := r.look()
	if l.unpermitted == nil {
		l.unpermitted = Unpermitted(r.Registry.Records, r.Policy)
	}
	return l.unpermitted
}
