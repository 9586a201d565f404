package admission

import (
	"fmt"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
)

// ParseClaim returns the claim of team t for an origin with these tags, or the claim in the hub policy if t has no spoke role. It never
// fails: Decide reports what is missing or invalid.
//
//	tag               value                                  if absent
//	originhub:host    host names, separated by spaces        the team's granted host, if it has exactly one
//	originhub:paths   path patterns, separated by spaces     all paths that the team is granted on these hosts
//	originhub:domain  one DNS name                           nothing
//	settings          a whole number                         as it is, or originhub's default
//
// The value of a tag cannot contain '*' or '?' (https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_Tag.html, CF-26). In a
// tag, a path that ends with '/' therefore means everything below it, and '=', which no path pattern can contain, means '*':
// "/team-a/" is /team-a/* and "/team-a/=.json" is /team-a/*.json.
func ParseClaim(tags map[string]string, t Team) origin.Claim {
	if t.Claim != nil {
		return Normal(*t.Claim)
	}
	c := origin.Claim{
		Hosts:  strings.Fields(tags[contract.TagHost]),
		Paths:  strings.Fields(tags[contract.TagPaths]),
		Domain: strings.TrimSpace(tags[contract.TagDomain]), Settings: parseSettings(tags),
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

// SpellPaths returns the value of the tag originhub:paths that ParseClaim parses as patterns. It returns an error if a pattern contains
// a '?', which has no spelling in a tag, or if the value is too long.
func SpellPaths(patterns []string) (string, error) {
	spelled := make([]string, len(patterns))
	for i, p := range patterns {
		if strings.Contains(p, "?") {
			return "", fmt.Errorf("path %s cannot be written in a tag, since a tag cannot contain '?'", p)
		}
		if below, ok := strings.CutSuffix(p, "/*"); ok {
			p = below + "/"
		}
		spelled[i] = strings.ReplaceAll(p, "*", "=")
	}
	value := strings.Join(spelled, " ")
	if len(value) > longestTag {
		return "", fmt.Errorf("its paths have %d characters in a tag, and a tag has at most %d", len(value), longestTag)
	}
	return value, nil
}

// longestTag is the maximum length of the value of a tag
// (https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_Tag.html).
const longestTag = 256

// Normal returns c in the form that is compared and stored: names in lower case, canonical patterns, sorted and without duplicates. A
// path without a leading slash is unchanged, so that Decide refuses it.
func Normal(c origin.Claim) origin.Claim {
	out := origin.Claim{Domain: strings.ToLower(c.Domain), Settings: c.Settings}
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

// onlyHost returns the host that the team is granted, if it is exactly one and not a wildcard.
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

// pathsOn returns the granted paths that the team may claim on each of the hosts.
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

// granted reports whether the team may claim a path pattern on a host.
func (t Team) granted(host, path string) bool {
	return slices.ContainsFunc(t.Grants, func(g Grant) bool {
		return coversHost(g.Host, host) && slices.ContainsFunc(g.Paths, func(p string) bool { return origin.Covers(p, path) })
	})
}

// coversHost reports whether wide, a host name or a wildcard for exactly one label, covers host.
func coversHost(wide, host string) bool {
	suffix, wildcard := strings.CutPrefix(wide, "*")
	if !wildcard {
		return wide == host
	}
	label, ok := strings.CutSuffix(host, suffix)
	return ok && label != "" && !strings.Contains(label, ".")
}
