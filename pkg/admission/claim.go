package admission

import (
	"github.com/originhub/originhub/pkg/origin"
)

// ParseClaim reads a team's claim from its origin's tags, or takes it from policy for a team without a spoke role.
func ParseClaim(tags map[string]string, t Team) (origin.Claim, []Reason) {
	return origin.Claim{}, nil
}
