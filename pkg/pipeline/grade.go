package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/hubpolicy"
)

// Scope is what the hub policy says about what is at risk. The zero value is that of an audit without a policy, which assumes that
// each step acts on something that originhub manages.
type Scope struct {
	Policy   bool     // the rest is from a policy
	Adopted  []string // ids of distributions
	Creates  bool     // the hub creates distributions, whose ids no policy says
	Domain   string
	Accounts []string // of the hub and of the teams
}

// ScopeOf returns the scope of a policy.
func ScopeOf(p hubpolicy.Policy) Scope {
	return Scope{
		Policy: true, Adopted: p.Distribution.Adopt, Creates: p.Distribution.Create > 0, Domain: p.Domain, Accounts: append(p.Accounts(), p.Account()),
	}
}

// grade lowers severity and confidence by what is known of the target of a step. It returns what it assumed.
//
//	target                      without a policy         with a policy
//	distribution, known         assumed to be the hub's  adopted: as it is; another: informational, unless the hub creates distributions
//	distribution, unknown       assumed, medium          assumed, medium
//	alias, known                assumed to be the hub's  under the domain: as it is; another: informational
//	alias, unknown              assumed, medium          assumed, medium
//	aliases of a declaration    assumed, as it is        one under the domain: high; all others: informational
//	account, known                                       of the hub or a team: as it is; another: informational
func (s Scope) grade(f *Finding, t target) {
	if t.distribution != nil {
		s.gradeDistribution(f, *t.distribution)
	}
	if t.alias != nil {
		s.gradeAlias(f, *t.alias)
	}
	if s.Policy && len(t.aliases) > 0 {
		s.gradeAliases(f, t.aliases)
	}
	if s.Policy && t.account != "" && !slices.Contains(s.Accounts, t.account) {
		f.Severity = Informational
		f.assume("account %s is neither the hub's nor a team's in the policy", t.account)
	}
}

func (f *Finding) assume(format string, args ...any) {
	f.Assumed = append(f.Assumed, fmt.Sprintf(format, args...))
}

func (s Scope) gradeDistribution(f *Finding, id Value) {
	switch {
	case !id.Known() || id.Text == "":
		f.Confidence = min(f.Confidence, Likely)
		f.assume("distribution %s is one that originhub manages", shown(id))
	case !s.Policy:
		f.assume("distribution %s is one that originhub manages", id.Text)
	case slices.Contains(s.Adopted, id.Text):
	case s.Creates:
		f.Confidence = min(f.Confidence, Likely)
		f.assume("distribution %s is one that originhub created", id.Text)
	default:
		f.Severity = Informational
		f.assume("distribution %s is not in distribution.adopt of the policy", id.Text)
	}
}

func (s Scope) under(alias string) bool {
	alias = strings.TrimPrefix(strings.ToLower(strings.TrimSuffix(alias, ".")), "*.")
	return alias == s.Domain || strings.HasSuffix(alias, "."+s.Domain)
}

func (s Scope) gradeAlias(f *Finding, alias Value) {
	switch {
	case !alias.Known() || alias.Text == "":
		f.Confidence = min(f.Confidence, Likely)
		f.assume("alias %s is under the domain of the hub policy", shown(alias))
	case !s.Policy:
		f.assume("alias %s is under the domain of the hub policy", alias.Text)
	case !s.under(alias.Text):
		f.Severity = Informational
		f.assume("alias %s is not under %s, the domain of the policy", alias.Text, s.Domain)
	}
}

func (s Scope) gradeAliases(f *Finding, aliases []string) {
	outside := true
	for _, a := range aliases {
		known := a != "" && !strings.Contains(a, unknown) && !strings.Contains(a, "${")
		if known && s.under(a) {
			f.Confidence = Certain
			f.Assumed = nil
			return
		}
		outside = outside && known
	}
	if outside {
		f.Severity = Informational
		f.assume("none of its aliases is under %s, the domain of the policy", s.Domain)
	}
}
