package audit

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
)

// sideDoors finds distributions that are not the hub's and use an origin that the hub has admitted: viewers reach the origin past the hub's paths,
// firewall and isolation, and a teardown does not unshare an origin that another distribution uses.
//
//	distribution                            uses an admitted origin  finding
//	managed                                 -                        none
//	unmanaged, of the hub's account         no                       none
//	unmanaged, of the hub's account         yes                      side-door, with an alarm if it is enabled
//	of another account, as the owner lists  yes                      side-door, alarm: the hub cannot see whether it is enabled
//
// An origin that is detached or deleted is no longer the hub's concern.
func (o Observed) sideDoors() []Finding {
	var found []Finding
	for _, d := range o.Listed {
		if o.manages(d.ID) {
			continue
		}
		var held []origin.Record
		for _, p := range d.Origins {
			if r, admitted := o.admitted(p.VPCOrigin); admitted {
				held = append(held, r)
			}
		}
		if len(held) > 0 {
			found = append(found, sideDoor(d.ID, o.Account, d.Modified, d.Enabled, held))
		}
	}
	return append(found, o.sideDoorsElsewhere()...)
}

// sideDoorsElsewhere returns the side doors in other accounts than the hub's.
func (o Observed) sideDoorsElsewhere() (found []Finding) {
	elsewhere := map[origin.User][]origin.Record{}
	var users []origin.User
	for _, v := range o.Owned {
		r, admitted := o.admitted(v.ID)
		if !admitted {
			continue
		}
		for _, u := range v.Users {
			if u.Account == o.Account {
				continue
			}
			if elsewhere[u] == nil {
				users = append(users, u)
			}
			elsewhere[u] = append(elsewhere[u], r)
		}
	}
	for _, u := range users {
		found = append(found, sideDoor(u.Distribution, u.Account, time.Time{}, true, elsewhere[u]))
	}
	return found
}

// admitted returns the record of a VPC origin that is, or is to be, in a managed distribution. If the registry has lost which one that is, no
// distribution can be said to be another.
func (o Observed) admitted(vpcOrigin string) (origin.Record, bool) {
	r, known := o.Find(vpcOrigin)
	return r, known && r.State != origin.Detached && r.State != origin.Deleted && o.Distribution(r.Distribution).ID != ""
}

func sideDoor(id, account string, since time.Time, enabled bool, held []origin.Record) Finding {
	f := Finding{Kind: SideDoor, Subject: id, Account: account, Team: held[0].Team, Since: since, Alarm: enabled, Cost: unknown}
	names := make([]string, len(held))
	for i, r := range held {
		names[i] = r.ID + " of team " + r.Team
		f.Facts = append(f.Facts, fact(originIs, r.ID))
		if r.Team != f.Team {
			f.Team = ""
		}
	}
	reached := "viewers reach them past the hub's paths, firewall and isolation, and"
	if f.Facts = append(f.Facts, fact(doorIs, "open")); !enabled {
		f.Facts[len(f.Facts)-1].Subject = "closed"
		reached = "it is disabled, so that no viewer reaches them through it, but"
	}
	f.Risk = fmt.Sprintf("distribution %[1]s of account %[2]s is unmanaged and uses VPC origins %[3]s: %[4]s the teardown of each of them stays blocked; "+
		"remove these origins from distribution %[1]s, or delete the distribution, in account %[2]s", id, account, strings.Join(names, ", "), reached)
	return f
}

// guardDoors judges a call that creates, copies or changes an unmanaged distribution. The record of the call does not have to name it, so that
// every unmanaged distribution of the hub's account counts, and every one that uses an admitted origin of a team's account. A call of an account that
// belongs to no team, or one by which a team's account changed a managed distribution, is forged.
//
//	side door  its origins, and whether it is open, were reported  finding
//	none       -                                                   none
//	one        yes                                                 none
//	one        no                                                  side-door
func (o Observed) guardDoors(c inbound.CallHint) Judgement {
	if c.Account != o.Account {
		if _, known := o.Policy.TeamOf(c.Account); !known || o.manages(c.Target) {
			return forged("account %s does not own the hub's distributions", c.Account)
		}
	}
	if found := o.newDoors(); len(found) > 0 {
		return Judgement{Verdict: Found, Findings: found}
	}
	return harmless("no unmanaged distribution that account %s can see uses an origin that the hub admitted, except those that were reported", c.Account)
}

// newDoors returns the side doors with something that has not been reported. An origin that has left a reported one is no reason to report it again: a
// call of one team's account does not show the origins of others.
func (o Observed) newDoors() []Finding {
	open := map[sameness][]origin.OpenFinding{}
	for _, k := range o.Findings.Open {
		open[keyOf(k)] = append(open[keyOf(k)], k)
	}
	return slices.DeleteFunc(o.sideDoors(), func(f Finding) bool {
		return slices.ContainsFunc(open[f.key()], func(k origin.OpenFinding) bool { return includes(k.Facts, f.Facts) })
	})
}

// includes reports whether each of facts is among all.
func includes(all, facts []origin.Reason) bool {
	return !slices.ContainsFunc(facts, func(is origin.Reason) bool {
		return !slices.ContainsFunc(all, func(known origin.Reason) bool { return known.Code == is.Code && known.Subject == is.Subject })
	})
}
