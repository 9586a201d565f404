package admission_test

import (
	"strings"
	"testing"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
)

func TestSettings(t *testing.T) {
	for name, c := range map[string]struct {
		tag, value string
		bounds     origin.Settings // of the policy
		want       origin.Settings
		refused    string
	}{
		"none":                        {tag: "other", value: "x"},
		"read timeout":                {tag: contract.TagReadTimeout, value: " 60 ", want: origin.Settings{ReadTimeout: 60}},
		"keepalive timeout":           {tag: contract.TagKeepaliveTimeout, value: "120", want: origin.Settings{KeepaliveTimeout: 120}},
		"connection attempts":         {tag: contract.TagConnectionAttempts, value: "1", want: origin.Settings{ConnectionAttempts: 1}},
		"not a number":                {tag: contract.TagReadTimeout, value: "60s", refused: "whole number of seconds from 1 to 120"},
		"zero":                        {tag: contract.TagReadTimeout, value: "0", refused: "from 1 to 120"},
		"empty":                       {tag: contract.TagReadTimeout, value: "", refused: "from 1 to 120"},
		"more than CloudFront's":      {tag: contract.TagConnectionAttempts, value: "4", refused: "whole number from 1 to 3"},
		"as much as the policy's":     {tag: contract.TagReadTimeout, value: "45", bounds: origin.Settings{ReadTimeout: 45}, want: origin.Settings{ReadTimeout: 45}},
		"more than the policy's":      {tag: contract.TagReadTimeout, value: "46", bounds: origin.Settings{ReadTimeout: 45}, refused: "from 1 to 45"},
		"a policy above CloudFront's": {tag: contract.TagReadTimeout, value: "121", bounds: origin.Settings{ReadTimeout: 500}, refused: "from 1 to 120"},
	} {
		p := policy()
		p.Limits.Settings = c.bounds
		team, _ := p.TeamOf(accountA)
		claim := admission.ParseClaim(map[string]string{c.tag: c.value}, team)
		var refused []string
		for _, r := range admission.Decide(admission.Candidate{Ref: origin.Ref{ID: "vo_1", Account: accountA}, Claim: claim}, p, nil).Reasons {
			if r.Code == admission.ClaimSettingInvalid {
				refused = append(refused, r.Message)
			}
		}
		if len(refused) > 1 || (len(refused) == 1) != (c.refused != "") || !strings.Contains(strings.Join(refused, ""), c.refused) {
			t.Errorf("%s: refused %q, want %q", name, refused, c.refused)
		}
		if c.refused == "" && claim.Settings != c.want {
			t.Errorf("%s: %+v, want %+v", name, claim.Settings, c.want)
		}
	}
}
