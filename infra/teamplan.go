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

// teamPlan is what the hub policy says of each team that has a CIDR, as the mapping of the team's template. That no two
// CIDRs overlap is checked with the policy.
type teamPlan []teamEntry

// teamEntry is a team of the plan; looked up by a parameter, its values are tokens.
type teamEntry struct {
	Name     string
	CIDR     string    // of the VPC
	Subnets  [2]string // its halves, one for each Availability Zone
	Host     string
	BasePath string // the one segment with which all the team's paths begin
	Paths    string // the claim, as its tag spells it
}

// mappingQuota is the most that one mapping can hold
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html).
const mappingQuota = 200

// planTeams reads the plan from the policy. The stack gives a team one private API under one host, mounted at one path:
// API Gateway has neither wildcards in private domain names nor base paths of several segments
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
			return nil, fmt.Errorf("team %s has a cidr, and so a place in the team stack: %w", team.Name, err)
		}
		plan = append(plan, entry)
	}
	if len(plan) > mappingQuota {
		return nil, fmt.Errorf("%d teams have a cidr, and one template can serve %d: synthesize with a policy of fewer teams (context policy=FILE)",
			len(plan), mappingQuota)
	}
	return plan, nil
}

func planTeam(team admission.Team, network netip.Prefix) (teamEntry, error) {
	if len(team.Grants) != 1 || strings.HasPrefix(team.Grants[0].Host, "*") {
		return teamEntry{}, fmt.Errorf("grant it exactly one host without a wildcard, or remove the cidr")
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
			return teamEntry{}, fmt.Errorf("its path %s is not under one first segment like the others, as in /%s/*; grant such paths, or remove the cidr",
				path, team.Name)
		}
		entry.BasePath = first
	}
	return entry, nil
}

// halves splits a network in two.
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

// lookUp puts the plan into a stack and answers the entry of the team that a parameter names.
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
