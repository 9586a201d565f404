package admission

import (
	"slices"

	"github.com/originhub/originhub/pkg/origin"
)

// fits returns a reason for each limit per team that claim c of origin id exceeds. The capacity of distributions is decided later, when the
// origin gets its place.
//
//	its team would have   than it has with this origin now  claim in    then
//	more than the limit   more                              a tag       a reason
//	more than the limit   more                              the policy  a reason, if the limit is that of origins
//	more than the limit   no more                           any         none: what is wired stays, if a limit was lowered
//	no more               any                               any         none
func fits(id string, c origin.Claim, t Team, p Policy, registry []origin.Record) []Reason {
	var rest, now []origin.Record
	for i := range registry {
		other := &registry[i]
		ofTeam := slices.Contains(t.Accounts, other.Account) || other.Team == t.Name && p.teamOf(other) == t.Name
		switch {
		case !other.Reserves() || !ofTeam:
		case other.ID == id:
			now = append(now, *other)
		default:
			rest = append(rest, *other)
		}
	}
	had, has := sizeOf(slices.Concat(rest, now)), sizeOf(append(rest, origin.Record{Ref: origin.Ref{ID: id}, Claim: c}))
	most := p.Limits.PerTeam
	if t.Claim != nil {
		most = origin.Size{Origins: most.Origins}
	}
	var out []Reason
	for _, l := range []struct {
		kind, remedy   string
		had, has, most int
	}{
		{"origins", "tear down an origin of " + t.Name, had.Origins, has.Origins, most.Origins},
		{"behaviors", "claim fewer paths", had.Behaviors, has.Behaviors, most.Behaviors},
		{"aliases", "claim fewer hosts", had.Aliases, has.Aliases, most.Aliases},
	} {
		if l.most > 0 && l.has > l.most && l.has > l.had {
			key := "limits." + l.kind + "PerTeam"
			out = append(out, because(DoesNotFit, key, "%s would have %d %s, and %s is %d: %s, or raise the limit in the hub policy; "+
				"the next sweep then admits this one", t.Name, l.has, l.kind, key, l.most, l.remedy))
		}
	}
	return out
}

// sizeOf returns what the claims of records take: an origin each, a behavior for each path, and an alias for each host.
func sizeOf(records []origin.Record) origin.Size {
	ids, hosts, behaviors := map[string]bool{}, map[string]bool{}, 0
	for _, r := range records {
		ids[r.ID] = true // an origin that stays as it is has its old and its new claim here
		for _, h := range r.Claim.Hosts {
			hosts[h] = true
		}
		behaviors += len(r.Claim.Paths)
	}
	return origin.Size{Origins: len(ids), Behaviors: behaviors, Aliases: len(hosts)}
}
