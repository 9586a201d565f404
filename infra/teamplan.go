package infra

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/hubpolicy"
)

// teamPlan is what the hub policy says about each team with a CIDR. It becomes a mapping in the team's template. The policy's own
// check makes sure that no two CIDRs overlap.
type teamPlan []teamEntry

// teamEntry is one team of the plan. The values of the entry that lookUp returns are tokens.
type teamEntry struct {
	Name     string
	CIDR     string    // the network of the VPC
	Subnets  [2]string // the halves of CIDR, one for each Availability Zone
	Host     string
	BasePath string // the first segment, which all paths of the team have in common
	Paths    string // the claim, as the tag originhub:paths spells it
}

// planTeams returns the plan for the teams of a policy. The stack gives each team one private API with one host and one base path,
// because API Gateway has no wildcards in private domain names and no base paths of several segments
// (https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-private-custom-domains.html).
func planTeams(p hubpolicy.Policy) (teamPlan, error) {
	var plan teamPlan
	for _, team := range p.Teams {
		network, ok := p.Networks[team.Name]
		if !ok {
			continue
		}
		entry, err := planTeam(team, network)
		if err != nil {
			return nil, fmt.Errorf("team %s has a cidr, so the team stack has to serve it: %w", team.Name, err)
		}
		plan = append(plan, entry)
	}
	return plan, nil
}

func planTeam(team admission.Team, network netip.Prefix) (teamEntry, error) {
	if len(team.Grants) != 1 || strings.HasPrefix(team.Grants[0].Host, "*") {
		return teamEntry{}, fmt.Errorf("the team stack serves exactly one host without a wildcard; grant one such host, or remove the cidr")
	}
	grant := team.Grants[0]
	paths, err := admission.SpellPaths(grant.Paths)
	if err != nil {
		return teamEntry{}, fmt.Errorf("%w; grant other paths, or remove the cidr", err)
	}
	entry := teamEntry{Name: team.Name, CIDR: network.String(), Subnets: halves(network), Host: grant.Host, Paths: paths}
	for _, path := range grant.Paths {
		first, rest, deeper := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		if !deeper || rest == "" || strings.ContainsAny(first, "*?") || entry.BasePath != "" && entry.BasePath != first {
			return teamEntry{}, fmt.Errorf("its path %s does not begin with the same full first segment as its other paths, as in /%s/*; grant such paths, or remove the cidr",
				path, team.Name)
		}
		entry.BasePath = first
	}
	return entry, nil
}

// halves returns the two halves of an IPv4 network.
func halves(whole netip.Prefix) [2]string {
	bits := whole.Bits() + 1
	upper := whole.Addr().As4()
	upper[(bits-1)/8] |= 1 << (7 - (bits-1)%8)
	return [2]string{
		netip.PrefixFrom(whole.Addr(), bits).String(),
		netip.PrefixFrom(netip.AddrFrom4(upper), bits).String(),
	}
}

func (p teamPlan) names() []string {
	names := make([]string, len(p))
	for i, entry := range p {
		names[i] = entry.Name
	}
	return names
}

// lookUp adds the plan to a stack as a mapping, and returns the entry of the team that a parameter names.
func (p teamPlan) lookUp(stack awscdk.Stack, team string) teamEntry {
	teams := make(map[string]*map[string]any, len(p))
	for _, entry := range p {
		teams[entry.Name] = &map[string]any{
			"Cidr": entry.CIDR, "SubnetA": entry.Subnets[0], "SubnetB": entry.Subnets[1],
			"Host": entry.Host, "BasePath": entry.BasePath, "Paths": entry.Paths,
		}
	}
	mapping := awscdk.NewCfnMapping(stack, jsii.String("Teams"), &awscdk.CfnMappingProps{Mapping: &teams})
	of := func(key string) string { return *mapping.FindInMap(jsii.String(team), jsii.String(key), nil) }
	return teamEntry{
		Name: team, CIDR: of("Cidr"), Subnets: [2]string{of("SubnetA"), of("SubnetB")},
		Host: of("Host"), BasePath: of("BasePath"), Paths: of("Paths"),
	}
}
