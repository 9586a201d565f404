package admission

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
)

// Candidate is an origin that came by a permitted share.
type Candidate struct {
	origin.Ref
	Claim  origin.Claim
	Tagged bool // carries the teardown tag
}

// Decision is what becomes of an origin.
type Decision struct {
	Admit   bool
	Reasons []Reason // every reason against it
}

// Waits tells whether the origin is to be looked at again although nothing about it changed.
func (d Decision) Waits() bool { return !d.Admit && allWait(d.Reasons) }

// Decide decides whether an origin that is Deployed may be wired. What the registry holds for other origins stands: of two overlapping
// claims the one that was admitted first keeps what it has, whatever the order in which anything is looked at now.
//
//	owner        claim                                          verdict
//	unknown      any                                            refused
//	known        lacks host, path or domain, or is malformed    refused
//	known        a host with a path that no grant permits       refused
//	known        overlaps another team's paths                  refused, naming that team
//	known        equals or crosses its own team's paths         refused; one inside the other is fine
//	known        permitted, but tagged for teardown             refused
//	known        permitted, but one too many                    waits
//	known        permitted                                      admitted
func Decide(c Candidate, p Policy, registry []origin.Record) Decision {
	team, known := p.TeamOf(c.Account)
	if !known {
		return Decision{Reasons: []Reason{because(OriginUnknownAccount, c.Account,
			"account %s belongs to no team: add it to a team in the hub policy if it should", c.Account)}}
	}
	claim := Normal(c.Claim)
	reasons := slices.Concat(
		ungranted(claim, team),
		wellFormed(claim),
		permitted(claim, team, p),
		untaken(c.ID, claim, team, p, registry),
	)
	if c.Tagged {
		reasons = append(reasons, because(OriginTearingDown, "",
			"it carries the tag %s: remove the tag to have it wired", contract.TagTeardown))
	}
	reasons = append(reasons, fits(c.ID, team, p, registry)...)
	return Decision{Admit: len(reasons) == 0, Reasons: reasons}
}

// wellFormed checks a claim by itself.
func wellFormed(c origin.Claim) []Reason {
	var out []Reason
	add := func(code Code, subject, format string, args ...any) {
		out = append(out, because(code, subject, format, args...))
	}
	if len(c.Hosts) == 0 {
		add(ClaimHostMissing, "", "it claims no host: set the tag %s to a host that its team is granted", contract.TagHost)
	}
	if len(c.Paths) == 0 {
		add(ClaimPathsMissing, "", "it claims no path: set the tag %s to paths that its team is granted on its hosts", contract.TagPaths)
	}
	if c.Domain == "" {
		add(ClaimDomainMissing, "", "it names no domain: set the tag %s to the DNS name of the load balancer, or to another name "+
			"that its certificate covers", contract.TagDomain)
	} else if why := CheckName(c.Domain); why != "" {
		add(ClaimDomainInvalid, c.Domain, "the domain %q %s", c.Domain, why)
	}
	for _, h := range c.Hosts {
		if why := CheckName(h); why != "" {
			add(ClaimHostInvalid, h, "the host %q %s", h, why)
		}
	}
	for _, path := range c.Paths {
		if why := CheckPath(path); why != "" {
			add(ClaimPathInvalid, path, "the path %q %s", path, why)
		}
	}
	return out
}

// ungranted names the hosts of a claim without paths on which the team is granted nothing. What is granted there stands in
// for paths that a tag does not state, and so it is the host that has to be mended first.
func ungranted(c origin.Claim, t Team) []Reason {
	if len(c.Paths) > 0 {
		return nil // permitted names each path
	}
	var out []Reason
	for _, h := range c.Hosts {
		if !slices.ContainsFunc(t.Grants, func(g Grant) bool { return coversHost(g.Host, h) }) {
			out = append(out, because(ClaimNotGranted, h, "%s is granted nothing on %s: claim a host that the hub policy grants, "+
				"or ask for a grant", t.Name, h))
		}
	}
	return out
}

// permitted checks a claim against policy: every path on every host has to be granted, since the distribution cannot tell
// hosts apart.
func permitted(c origin.Claim, t Team, p Policy) []Reason {
	var out []Reason
	for _, h := range c.Hosts {
		if !p.Covers(h) {
			out = append(out, because(ClaimOutsideDomain, h, "the host %q is not covered by %s: claim one that is",
				h, p.aliasWords()))
		}
		var missing []string
		for _, path := range c.Paths {
			if !t.granted(h, path) {
				missing = append(missing, path)
			}
		}
		if len(missing) > 0 {
			out = append(out, because(ClaimNotGranted, h+" "+strings.Join(missing, " "), "%s is not granted %s on %s: claim what the hub policy grants, "+
				"or ask for a grant", t.Name, strings.Join(missing, " "), h))
		}
	}
	return out
}

// Covers tells whether the distribution can answer for a host. A wildcard alias and its certificate stand for one label.
func (p Policy) Covers(host string) bool {
	if p.Aliases == Wildcard {
		return coversHost("*."+p.Domain, host)
	}
	return host == p.Domain || strings.HasSuffix(host, "."+p.Domain)
}

func (p Policy) aliasWords() string {
	if p.Aliases == Wildcard {
		return "the alias *." + p.Domain
	}
	return "the domain " + p.Domain
}

// untaken checks the claim of an origin against what others hold, in the order of their ids. Behaviors match on the path alone, so
// hosts make no difference here. One reason for each other origin is enough to act on.
func untaken(id string, c origin.Claim, t Team, p Policy, registry []origin.Record) []Reason {
	var out []Reason
	var holders []string
	for i := range registry {
		other := &registry[i]
		if other.ID == id || !other.Reserves() {
			continue
		}
		if r, taken := takes(other, c, t, p); taken {
			at, _ := slices.BinarySearch(holders, other.ID)
			holders, out = slices.Insert(holders, at, other.ID), slices.Insert(out, at, r)
		}
	}
	return out
}

// takes reports whether another origin holds what a claim asks for.
func takes(other *origin.Record, c origin.Claim, t Team, p Policy) (Reason, bool) {
	for _, path := range c.Paths {
		for _, held := range other.Claim.Paths {
			if !origin.Overlap(path, held) {
				continue
			}
			if holder := p.teamOf(other); holder != t.Name {
				return because(ClaimTaken, path+" "+other.ID, "the path %s overlaps %s, which %s holds with %s: claim another path",
					path, held, holder, other.ID), true
			} else if origin.Covers(path, held) == origin.Covers(held, path) {
				return because(ClaimTaken, path+" "+other.ID, "the path %s overlaps %s of the same team's %s, and neither is inside "+
					"the other: claim another path, or tear down %s first", path, held, other.ID, other.ID), true
			}
		}
	}
	return Reason{}, false
}

// fits counts the origins of an origin's team. Whether a distribution has room is decided when the origin is given its place.
func fits(id string, t Team, p Policy, registry []origin.Record) []Reason {
	most := p.Limits.OriginsPerTeam
	if most == 0 {
		return nil
	}
	n := 1
	for i := range registry {
		other := &registry[i]
		if other.ID == id || !other.Reserves() {
			continue
		}
		if slices.Contains(t.Accounts, other.Account) || other.Team == t.Name && p.teamOf(other) == t.Name {
			n++
		}
	}
	if n <= most {
		return nil
	}
	return []Reason{because(DoesNotFit, "limits.originsPerTeam", "%s would have %d origins, and limits.originsPerTeam is %d: it waits until one is torn down, or the limit is raised",
		t.Name, n, most)}
}

// labels: RFC 1123 section 2.1, at least two of them; the last one begins with a letter, so that no IP address is a name.
var labels = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

// CheckName says what is wrong with a DNS name, or nothing. CloudFront takes at most 253 characters and no address
// (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesOrigin.html).
func CheckName(name string) string {
	switch {
	case len(name) > 253:
		return fmt.Sprintf("has %d characters: a DNS name has at most 253", len(name))
	case !labels.MatchString(name):
		return "is not a DNS name in lower case, such as app.example.com (and no IP address)"
	}
	return ""
}

// pathForm: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html.
var pathForm = regexp.MustCompile(`^/[A-Za-z0-9_.*$/~"'@:+&?-]*$`)

// CheckPath says what is wrong with a path pattern, or nothing.
func CheckPath(path string) string {
	switch {
	case !strings.HasPrefix(path, "/"):
		return "does not begin with a slash"
	case len(path) > 255:
		return fmt.Sprintf("has %d characters: CloudFront takes at most 255", len(path))
	case !pathForm.MatchString(path):
		return `holds a character that CloudFront does not take: letters, digits, * ? and _ - . $ / ~ " ' @ : + & are allowed`
	}
	return ""
}

// Dropped is a record that may not be wired any more.
type Dropped struct {
	Record  origin.Record
	Reasons []Reason
}

// Settle decides again about every record that is to be wired, in the order in which they were admitted. Two admissions
// that ran at the same time may both have missed the other; and policy may have changed since. Nothing is dropped for a
// limit, since what is wired does fit.
func Settle(registry []origin.Record, p Policy) []Dropped {
	var standing []origin.Record
	var out []Dropped
	for _, r := range byAdmission(registry) {
		d := Decide(Candidate{Ref: r.Ref, Claim: r.Claim}, p, standing)
		if reasons := slices.DeleteFunc(d.Reasons, waits); len(reasons) > 0 {
			out = append(out, Dropped{r, reasons})
			continue
		}
		standing = append(standing, r)
	}
	return out
}

// byAdmission lists the records that hold a claim, the one admitted first at the head.
func byAdmission(registry []origin.Record) []origin.Record {
	held := slices.DeleteFunc(slices.Clone(registry), func(r origin.Record) bool { return !r.Reserves() })
	slices.SortFunc(held, func(a, b origin.Record) int {
		if c := a.Admitted.Compare(b.Admitted); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return held
}
