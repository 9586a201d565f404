package admission

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
)

// cloudFrontSettings are the largest values that CloudFront permits; the smallest is 1
// (https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_VpcOriginConfig.html and
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_Origin.html).
var cloudFrontSettings = origin.Settings{ReadTimeout: 120, KeepaliveTimeout: 120, ConnectionAttempts: 3}

// invalidSetting is the value of a setting whose tag is not a number. Decide refuses it.
const invalidSetting = -1

// setting is one setting of an origin, with the tag, or the key of a claim in the hub policy, that asks for it.
type setting struct {
	tag  string
	key  string
	unit string
	of   func(*origin.Settings) *int
}

var settings = []setting{
	{contract.TagReadTimeout, "readTimeout", "of seconds ", func(s *origin.Settings) *int { return &s.ReadTimeout }},
	{contract.TagKeepaliveTimeout, "keepaliveTimeout", "of seconds ", func(s *origin.Settings) *int { return &s.KeepaliveTimeout }},
	{contract.TagConnectionAttempts, "connectionAttempts", "", func(s *origin.Settings) *int { return &s.ConnectionAttempts }},
}

// parseSettings returns the settings that tags ask for. Like ParseClaim it never fails.
func parseSettings(tags map[string]string) (s origin.Settings) {
	for _, one := range settings {
		value, present := tags[one.tag]
		if !present {
			continue
		}
		n, err := strconv.Atoi(strings.TrimSpace(value))
		if err != nil || n < 1 {
			n = invalidSetting
		}
		*one.of(&s) = n
	}
	return s
}

// within returns a reason for each setting of a claim that the hub policy or CloudFront does not permit. The claim is in tags, or in the hub
// policy.
func within(id string, c origin.Claim, team Team, p Policy) (out []Reason) {
	most := p.Limits.Settings.Within(cloudFrontSettings)
	for _, one := range settings {
		if value, bound := *one.of(&c.Settings), *one.of(&most); value < 0 || value > bound {
			what, remedy, permitted := "the tag "+one.tag+" of "+id, "set it to such a number", *one.of(&cloudFrontSettings)
			if team.Claim != nil {
				what = one.key + " in the claim of " + team.Name + " in the hub policy"
			}
			if bound < permitted {
				remedy += fmt.Sprintf(", or have the bound raised in limits of the hub policy (CloudFront permits %d)", permitted)
			}
			out = append(out, because(ClaimSettingInvalid, one.tag, "%s is not a whole number %sfrom 1 to %d: %s", what, one.unit, bound, remedy))
		}
	}
	return out
}
