package admission

import (
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
func fits(id string, c origin.Claim, t Team, standing *claims) []Reason {
	had, has := standing.with(id, c, t)
	most := standing.policy.Limits.PerTeam
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
