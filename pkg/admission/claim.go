package admission

import (
	"fmt"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
)

// ParseClaim reads a team's claim from its origin's tags; for a team without a spoke role it is in policy. It never
// fails: Decide names whatever is missing or wrong.
//
//	tag               spelling                               when absent
//	originhub:host    host names, separated by spaces        the team's granted host, if that is exactly one
//	originhub:paths   path patterns, separated by spaces     all paths that the team is granted on those hosts
//	originhub:domain  one DNS name                           nothing
//
// A tag value can hold neither '*' nor '?' (https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_Tag.html).
// So a path in a tag that ends in '/' stands for everything below it, and '=', which no path pattern may hold, for '*':
// "/team-a/" is /team-a/* and "/team-a/=.json" is /team-a/*.json.
func ParseClaim(tags map[string]string, t Team) origin.Claim {
	if t.Claim != nil {
		return Normal(*t.Claim)
	}
	c := origin.Claim{
		Hosts:  strings.Fields(tags[contract.TagHost]),
		Paths:  strings.Fields(tags[contract.TagPaths]),
		Domain: strings.TrimSpace(tags[contract.TagDomain]),
	}
	for i, p := range c.Paths {
		if strings.HasSuffix(p, "/") {
			p += "="
		}
		c.Paths[i] = strings.ReplaceAll(p, "=", "*")
	}
	if len(c.Hosts) == 0 {
		c.Hosts = t.onlyHost()
	}
	c = Normal(c)
	if len(c.Paths) == 0 {
		c.Paths = t.pathsOn(c.Hosts)
	}
	return Normal(c)
}

// SpellPaths writes path patterns as ParseClaim reads them from a tag. There is no spelling for a '?'.
func SpellPaths(patterns []string) (string, error) {
	spelled := make([]string, len(patterns))
	for i, p := range patterns {
		if strings.Contains(p, "?") {
			return "", fmt.Errorf("path %s cannot be written in a tag, which holds no '?'", p)
		}
		if below, ok := strings.CutSuffix(p, "/*"); ok {
			p = below + "/"
		}
		spelled[i] = strings.ReplaceAll(p, "*", "=")
	}
	value := strings.Join(spelled, " ")
	if len(value) > longestTag {
		return "", fmt.Errorf("its paths take %d characters in a tag, which holds %d", len(value), longestTag)
	}
	return value, nil
}

// longestTag is the longest value of a tag (https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_Tag.html).
const longestTag = 256

// Normal is the claim in the one form that is compared and stored: names in lower case, patterns canonical, all sorted and
// each once. A path without its leading slash is left to be refused.
func Normal(c origin.Claim) origin.Claim {
	out := origin.Claim{Domain: strings.ToLower(c.Domain)}
	for _, h := range c.Hosts {
		out.Hosts = append(out.Hosts, strings.ToLower(h))
	}
	for _, p := range c.Paths {
		if strings.HasPrefix(p, "/") {
			p = origin.Canonical(p)
		}
		out.Paths = append(out.Paths, p)
	}
	slices.Sort(out.Hosts)
	slices.Sort(out.Paths)
	out.Hosts, out.Paths = slices.Compact(out.Hosts), slices.Compact(out.Paths)
	return out
}

// onlyHost is the one host that the team is granted, if that leaves no choice.
func (t Team) onlyHost() []string {
	var hosts []string
	for _, g := range t.Grants {
		if !slices.Contains(hosts, g.Host) {
			hosts = append(hosts, g.Host)
		}
	}
	if len(hosts) != 1 || strings.HasPrefix(hosts[0], "*.") {
		return nil
	}
	return hosts
}

// pathsOn lists the granted paths that the team may claim on every one of the hosts.
func (t Team) pathsOn(hosts []string) []string {
	if len(hosts) == 0 {
		return nil
	}
	var paths []string
	for _, g := range t.Grants {
		for _, p := range g.Paths {
			if !slices.ContainsFunc(hosts, func(h string) bool { return !t.granted(h, p) }) {
				paths = append(paths, p)
			}
		}
	}
	return paths
}

// granted tells whether the team may claim a path pattern on a host.
func (t Team) granted(host, path string) bool {
	return slices.ContainsFunc(t.Grants, func(g Grant) bool {
		return coversHost(g.Host, host) && slices.ContainsFunc(g.Paths, func(p string) bool { return origin.Covers(p, path) })
	})
}

// coversHost tells whether a host name, or a wildcard that stands for exactly one label, covers another one.
func coversHost(wide, host string) bool {
	suffix, wildcard := strings.CutPrefix(wide, "*")
	if !wildcard {
		return wide == host
	}
	label, ok := strings.CutSuffix(host, suffix)
	return ok && label != "" && !strings.Contains(label, ".")
}
