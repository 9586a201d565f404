package hubpolicy_test

import (
	"slices"
	"testing"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/hubpolicy"
)

func TestBusStatements(t *testing.T) {
	none := []admission.Team(nil)
	teams := []admission.Team{{Name: "a", Accounts: []string{"222222222222", "111111111111"}}, {Name: "b", Accounts: []string{"333333333333"}}}
	for name, c := range map[string]struct {
		organization string
		teams        []admission.Team
		external     []string
		ids          []string
		listed       []string
	}{
		"no organization, no team":               {"", none, nil, nil, nil},
		"no organization":                        {"", teams, nil, []string{"Accounts"}, []string{"111111111111", "222222222222", "333333333333"}},
		"an organization, no team":               {"o-1", none, nil, []string{"Organization"}, nil},
		"an organization":                        {"o-1", teams, nil, []string{"Organization"}, nil},
		"an organization, and a team outside it": {"o-1", teams, []string{"a"}, []string{"Organization", "Accounts"}, []string{"111111111111", "222222222222"}},
		"an organization that contains no team":  {"o-1", teams, []string{"b", "a"}, []string{"Organization", "Accounts"}, []string{"111111111111", "222222222222", "333333333333"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := hubpolicy.Policy{Organization: c.organization, External: c.external, Policy: admission.Policy{Teams: c.teams}}
			var ids []string
			for _, s := range p.BusStatements() {
				ids = append(ids, s.ID)
				organization := s.Condition["StringEquals"]["aws:PrincipalOrgID"]
				if (s.Principal == "*") != (s.ID == "Organization") || s.ID == "Organization" && organization != c.organization {
					t.Errorf("%s admits %v of organization %v", s.ID, s.Principal, organization)
				}
			}
			if !slices.Equal(ids, c.ids) || !slices.Equal(p.Outside(), c.listed) {
				t.Errorf("statements %v, accounts outside %v", ids, p.Outside())
			}
		})
	}
}

// One account more than the capacity does not fit.
func TestBusCapacity(t *testing.T) {
	for _, organization := range []string{"", "o-exampleorg1"} {
		p := hubpolicy.Policy{Hub: "networking", Organization: organization, Certificate: "arn:aws:acm:us-east-1:100000000000:certificate/1", External: []string{"a"}}
		size := func(accounts int) int {
			p.Teams = []admission.Team{{Name: "a", Accounts: slices.Repeat([]string{"111111111111"}, accounts)}}
			return len(p.BusPolicy())
		}
		n := p.BusCapacity()
		if size(n) > hubpolicy.LongestBusPolicy || size(n+1) <= hubpolicy.LongestBusPolicy {
			t.Errorf("organization %q: %d accounts take %d characters, and one more %d", organization, n, size(n), size(n+1))
		}
	}
}
