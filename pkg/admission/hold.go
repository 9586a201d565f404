package admission

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// DistributionPaused is the code of a hold that pauses a distribution or the hub.
const DistributionPaused Code = "distribution-paused"

// Suspended returns which origins the holds in the registry suspend.
//
//	hold                                                   suspends
//	suspend, the id of a VPC origin                        that origin
//	suspend, the name of a team in the policy              all origins of the team's accounts
//	suspend, the team in a record, which has another name  that origin
//	in the policy by now
//	any other                                              nothing
func Suspended(s origin.Snapshot, p Policy) origin.Suspended {
	all := origin.Suspended{Origins: map[string]origin.Hold{}, Accounts: map[string]origin.Hold{}}
	teams := map[string]origin.Hold{}
	for _, h := range s.Holds {
		switch {
		case h.Kind != origin.Suspend:
		case h.OfOrigin():
			all.Origins[h.Subject] = h
		default:
			teams[h.Subject] = h
		}
	}
	if len(teams) == 0 {
		return all
	}
	for _, t := range p.Teams {
		if h, suspended := teams[t.Name]; suspended {
			for _, account := range t.Accounts {
				all.Accounts[account] = h
			}
		}
	}
	for _, o := range s.Records {
		h, suspended := teams[o.Team]
		if _, known := all.Origins[o.ID]; suspended && !known {
			all.Origins[o.ID] = h
		}
	}
	return all
}

// suspends reports whether a person has suspended an origin.
func (r Round) suspends(o origin.Ref) bool {
	_, suspended := r.Suspended.Of(o)
	return suspended
}

// standing returns the records by which claims are reserved. An origin that left because it was suspended keeps its claim as long as the
// policy permits it, until the origin comes back or is no longer shared.
func (r Round) standing() []origin.Record {
	records := slices.Clone(r.Registry.Records)
	for i, o := range records {
		if o.State == origin.Deleted || !origin.HasCode(o.Reasons, OriginSuspended) || !r.suspends(o.Ref) && r.unshared(o.ID) {
			continue
		}
		if team, known := r.Policy.TeamOf(o.Account); known && len(permitted(o.ID, o.Claim, team, r.Policy)) == 0 {
			records[i].Intent = origin.Wire
		}
	}
	return records
}

// Holds returns the changes that report each hold once, and its end.
//
//	item in partition hold                     reported before      then
//	the key is not that of a hold              not as it is now     Registry Item Damaged
//	suspends or pauses what the hub has not    not as it is now     Registry Item Damaged
//	suspends                                   not as it is now     Suspension Began
//	pauses                                     not as it is now     Pause Began
//	none any more                              as one of the above  Suspension Ended, Pause Ended, or nothing; and it is forgotten
//
// The events also say which attributes of an item are missing. The registry was read consistently, so an item that is not there was deleted.
func (r Round) Holds() []Change {
	r = r.indexed()
	var changes []Change
	there := map[string]bool{}
	for _, h := range r.Registry.Holds {
		what := holdOf(h.Key)
		there[what] = true
		changes = append(changes, r.hold(h, what)...)
	}
	for _, what := range slices.Sorted(maps.Keys(r.Registry.Refusals)) {
		key, is := strings.CutPrefix(what, holdOf(""))
		reported := r.Registry.Refusals[what]
		if !is || there[what] || len(reported) == 0 {
			continue
		}
		h := origin.ParseHold(key, "", "", "")
		c := Change{Refusal: &Refusal{What: what}}
		switch {
		case origin.HasCode(reported, OriginSuspended):
			c.Inform(contract.SuspensionEnded, "", outcome.Detail{What: key, Why: fmt.Sprintf("somebody deleted item %s, so %s is not suspended any more; "+
				"originhub admits again what is still shared and permitted", key, h.Title())})
		case origin.HasCode(reported, DistributionPaused):
			c.Inform(contract.PauseEnded, "", outcome.Detail{What: key, Why: fmt.Sprintf("somebody deleted item %s, so %s is not paused any more; "+
				"originhub writes what has changed meanwhile", key, h.Title())})
		}
		changes = append(changes, c)
	}
	return changes
}

// holdOf returns the name of a hold among the refusals.
func holdOf(key string) string { return contract.RegistryHolds + " " + key }

// hold returns the change that reports a hold, or none if it was reported as it is now.
func (r Round) hold(h origin.Hold, what string) []Change {
	d := outcome.Detail{What: h.Key, Who: h.Who}
	if !h.Since.IsZero() {
		d.Since = h.Since.Format(time.RFC3339)
	}
	event, reasons := contract.SuspensionBegan, []Reason{because(OriginSuspended, h.Who+" "+d.Since, "%s; %s; to end this, delete item %s in partition %s of the registry",
		h, r.suspensionOf(h), h.Key, contract.RegistryHolds)}
	switch {
	case r.idle(h):
		return refuse(r.Registry.Refusals, contract.RegistryItemDamaged, what, d, []Reason{because(origin.ItemDamaged, "idle",
			"item %s in partition %s of the registry has no effect: its key must be suspend#<name of a team in the hub policy>, suspend#<VPC origin id>, "+
				"pause#<distribution id> or pause#%s; delete it, and write it again with such a key", h.Key, contract.RegistryHolds, origin.WholeHub)})
	case h.Kind == origin.Pause:
		event, reasons[0] = contract.PauseBegan, because(DistributionPaused, h.Who+" "+d.Since, "%s; originhub writes neither the distribution nor its DNS records, and teardowns "+
			"wait in phase detach; to end this, delete item %s in partition %s of the registry", h, h.Key, contract.RegistryHolds)
	case h.OfOrigin():
		d.Origin = h.Subject
	default:
		d.Team = h.Subject
	}
	if len(h.Lacks) > 0 {
		lacks := strings.Join(h.Lacks, ", ")
		reasons = append(reasons, because(origin.ItemDamaged, lacks, "the item lacks a valid value of %s, and has its effect nevertheless; write it again with all of who, why and "+
			"since (such as 2026-12-01T08:00:00Z)", lacks))
	}
	return refuse(r.Registry.Refusals, event, what, d, reasons)
}

// suspendedOffer reports, once and for information, an origin that is shared for the first time while it is suspended. The suspension itself has an alarm.
//
//	suspended  record                  reported
//	no         any                     no
//	yes        one, or a damaged one   no: Suspension Began names it
//	yes        none                    Origin Refused
func (r Round) suspendedOffer(o Offer, team Team) []Change {
	by, suspended := r.Suspended.Of(o.Ref)
	if _, known := r.Registry.Find(o.ID); !suspended || known || r.Registry.IsDamaged(o.ID) {
		return nil
	}
	return refuseAs((*outcome.Outcome).Inform, r.Registry.Refusals, contract.OriginRefused, o.ARN, outcome.Detail{Origin: o.ID, Account: o.Account, Team: team.Name},
		[]Reason{because(OriginSuspended, by.Key, "%s; originhub decides about %s, which is shared, when item %s in partition %s of the registry is deleted", by, o.ID, by.Key, contract.RegistryHolds)})
}

// idle reports whether a hold suspends or pauses nothing that the hub has. The hub may be about to get an origin, so that one is never idle.
func (r Round) idle(h origin.Hold) bool {
	switch h.Kind {
	case origin.Suspend:
		return !h.OfOrigin() && !r.look().teams[h.Subject]
	case origin.Pause:
		distribution := func(d origin.Distribution) bool { return d.Name == h.Subject || d.ID == h.Subject }
		return h.Subject != origin.WholeHub && !slices.ContainsFunc(r.Registry.Distributions, distribution) &&
			!r.look().inFleet[h.Subject] && !slices.Contains(r.Policy.Distribution.Adopt, h.Subject)
	}
	return true
}

// suspensionOf returns what follows from a suspension: which origins leave, and which stay because their distribution is paused.
func (r Round) suspensionOf(h origin.Hold) string {
	var leave, stay []string
	for _, o := range r.look().suspended[h.Key] {
		if o.State == origin.Deleted {
			continue
		}
		if pause, paused := r.Registry.Paused(r.Registry.Distribution(o.Distribution)); paused {
			stay = append(stay, o.ID+" ("+pause.Key+")")
		} else {
			leave = append(leave, o.ID)
		}
	}
	for _, d := range r.Registry.Distributions {
		for _, o := range d.Orphans {
			by, suspended := r.Suspended.Of(o)
			_, known := r.Registry.Find(o.ID)
			if !suspended || by.Key != h.Key || known {
				continue
			}
			if pause, paused := r.Registry.Paused(d); paused {
				stay = append(stay, o.ID+" ("+pause.Key+")")
			} else {
				leave = append(leave, o.ID)
			}
		}
	}
	says := "originhub admits no origin that this concerns, and takes out of its distribution and DNS: "
	if len(leave) == 0 {
		says += "none"
	}
	says += strings.Join(leave, ", ")
	if len(stay) > 0 {
		says += "; these stay, because their distribution is paused: " + strings.Join(stay, ", ")
	}
	return says
}
