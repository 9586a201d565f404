package admission

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
)

// Candidate is an origin in a permitted share.
type Candidate struct {
	origin.Ref
	Claim  origin.Claim
	Tagged bool // has the teardown tag
}

// Decision is the decision about an origin.
type Decision struct {
	Admit   bool
	Reasons []Reason // every reason against it
}

// Waits reports whether every reason against the origin may disappear without an event about the origin, so that it has to be observed
// again.
func (d Decision) Waits() bool { return !d.Admit && allWait(d.Reasons) }

// Decide decides whether a Deployed origin may be wired. The claims of other origins in the registry stay: of two overlapping claims
// the one that was admitted first keeps its paths, whatever the order in which origins are observed.
//
//	owner        claim                                          verdict
//	unknown      any                                            refused
//	known        without host, path or domain, or malformed     refused
//	known        a host with a path that no grant permits       refused
//	known        a host that the policy reserves                refused
//	known        a setting out of the policy's bounds           refused
//	known        overlaps another team's paths                  refused; the reason names that team
//	known        overlaps its own team's paths                  refused, unless exactly one pattern covers the other
//	known        permitted, but tagged for teardown             refused
//	known        permitted, but its team would have more        waits
//	             than limits permit per team, and more than now
//	known        permitted                                      admitted
func Decide(c Candidate, p Policy, registry []origin.Record) Decision {
	return newClaims(p, registry).decide(c)
}

// decide decides about an origin, with the records as the registry. See Decide.
func (standing *claims) decide(c Candidate) Decision {
	p := standing.policy
	team, known := p.TeamOf(c.Account)
	if !known {
		return Decision{Reasons: []Reason{unknownAccount(c.Ref)}}
	}
	claim := Normal(c.Claim)
	judged := claim // without malformed paths, for which no grant or overlap can be stated
	judged.Paths = slices.DeleteFunc(slices.Clone(claim.Paths), func(path string) bool { return team.checkPath(path) != "" })
	reasons := slices.Concat(
		wellFormed(c.ID, claim, team),
		permitted(c.ID, judged, team, p),
		within(c.ID, claim, team, p),
		untaken(c.ID, judged, team, standing),
	)
	if c.Tagged {
		reasons = append(reasons, because(OriginTearingDown, "",
			"%s has the tag %s: remove the tag to have the origin added to the distribution", c.ID, contract.TagTeardown))
	}
	reasons = append(reasons, fits(c.ID, judged, team, standing)...)
	return Decision{Admit: len(reasons) == 0, Reasons: reasons}
}

func unknownAccount(o origin.Ref) Reason {
	return because(OriginUnknownAccount, o.Account, "account %s belongs to no team of the hub policy: add the account to a team if the hub may use its origins", o.Account)
}

// claimed returns where a part of a team's claim for an origin is written: in a tag, or in the hub policy if the team has no spoke role.
func (t Team) claimed(id, tag, key string) string {
	if t.Claim != nil {
		return "claim." + key + " of " + t.Name + " in the hub policy"
	}
	return "the tag " + tag + " of " + id
}

// wellFormed returns what is missing or malformed in a claim.
func wellFormed(id string, c origin.Claim, t Team) []Reason {
	hosts, paths, domain := t.claimed(id, contract.TagHost, "hosts"), t.claimed(id, contract.TagPaths, "paths"), t.claimed(id, contract.TagDomain, "domain")
	var out []Reason
	add := func(code Code, subject, format string, args ...any) {
		out = append(out, because(code, subject, format, args...))
	}
	if len(c.Hosts) == 0 {
		add(ClaimHostMissing, "", "no host is claimed: set %s to a host that %s is granted", hosts, t.Name)
	}
	if len(c.Paths) == 0 {
		nothing := ungranted(id, c, t)
		if out = append(out, nothing...); len(nothing) == 0 {
			add(ClaimPathsMissing, "", "no path is claimed: set %s to paths that %s is granted on the claimed hosts", paths, t.Name)
		}
	}
	if c.Domain == "" {
		add(ClaimDomainMissing, "", "no origin domain is set: set %s to the DNS name of the load balancer, or to another name that the "+
			"certificate of the load balancer covers", domain)
	} else if why := CheckName(c.Domain); why != "" {
		add(ClaimDomainInvalid, c.Domain, "the domain %q %s: correct %s", c.Domain, why, domain)
	}
	for _, h := range c.Hosts {
		if why := CheckName(h); why != "" {
			add(ClaimHostInvalid, h, "the host %q %s: correct %s", h, why, hosts)
		}
	}
	for _, path := range c.Paths {
		if why := t.checkPath(path); why != "" {
			add(ClaimPathInvalid, path, "the path %q in %s has to be corrected: it %s", t.spelled(path), paths, why)
		}
	}
	return out
}

// ungranted returns a reason for each host on which the team has no grant, for a claim without paths. The default paths are those that
// are granted on the claimed hosts. Without a grant on a host there are none, so the host has to be corrected first.
func ungranted(id string, c origin.Claim, t Team) []Reason {
	var out []Reason
	for _, h := range c.Hosts {
		if !slices.ContainsFunc(t.Grants, func(g Grant) bool { return coversHost(g.Host, h) }) {
			out = append(out, because(ClaimNotGranted, h, "%s is granted nothing on %s: set %s to a host that the hub policy grants to %s, "+
				"or have a grant added to the hub policy", t.Name, h, t.claimed(id, contract.TagHost, "hosts"), t.Name))
		}
	}
	return out
}

// permitted returns what the hub policy does not permit in a claim. Each path has to be granted on each host, since the behaviors of a
// distribution do not distinguish hosts.
func permitted(id string, c origin.Claim, t Team, p Policy) []Reason {
	var out []Reason
	for _, h := range c.Hosts {
		if !p.Covers(h) {
			out = append(out, because(ClaimOutsideDomain, h, "the host %q is not covered by %s: set %s to a host that %s",
				h, p.covering(), t.claimed(id, contract.TagHost, "hosts"), p.coverable()))
		}
		if r := p.reserved(h); r != "" {
			out = append(out, because(ClaimReserved, h, "the host %s is reserved by %s in reservedHosts of the hub policy: set %s to another host",
				h, r, t.claimed(id, contract.TagHost, "hosts")))
		}
		var missing []string
		for _, path := range c.Paths {
			if !t.granted(h, path) {
				missing = append(missing, path)
			}
		}
		if len(missing) > 0 {
			out = append(out, because(ClaimNotGranted, h+" "+strings.Join(missing, " "), "%s is not granted %s on %s: "+
				"each claimed path has to be granted on each claimed host. Change %s or %s, or have a grant added to the hub policy",
				t.Name, strings.Join(missing, ", "), h, t.claimed(id, contract.TagHost, "hosts"), t.claimed(id, contract.TagPaths, "paths")))
		}
	}
	return out
}

// Covers reports whether a distribution of the hub can serve a host. A wildcard in an alias or a certificate matches one label.
func (p Policy) Covers(host string) bool {
	if p.Aliases == Wildcard {
		return coversHost("*."+p.Domain, host)
	}
	return host == p.Domain || strings.HasSuffix(host, "."+p.Domain)
}

// covering returns what has to cover the hosts.
func (p Policy) covering() string {
	if p.Aliases == Wildcard {
		return "the alias *." + p.Domain
	}
	return "the domain " + p.Domain
}

// coverable returns what a host has to be like to be covered, as a predicate.
func (p Policy) coverable() string {
	if p.Aliases == Wildcard {
		return "this alias covers, with exactly one label before " + p.Domain
	}
	return "is " + p.Domain + " or ends in ." + p.Domain
}

// untaken returns a reason for each other origin whose claim overlaps claim c, sorted by the id of that origin. Hosts make no
// difference, since behaviors match on the path alone.
func untaken(id string, c origin.Claim, t Team, standing *claims) []Reason {
	var out []Reason
	for _, other := range standing.overlapping(id, c.Paths) {
		if r, taken := takes(id, other, c, t, standing.policy); taken {
			out = append(out, r)
		}
	}
	return out
}

// takes returns why the claim of another origin excludes claim c, and whether it does.
func takes(id string, other *origin.Record, c origin.Claim, t Team, p Policy) (Reason, bool) {
	change := t.claimed(id, contract.TagPaths, "paths")
	for _, path := range c.Paths {
		for _, held := range other.Claim.Paths {
			if !origin.Overlap(path, held) {
				continue
			}
			holder, inner, outer := p.teamOf(other), origin.Covers(held, path), origin.Covers(path, held)
			switch {
			case holder != t.Name:
				return because(ClaimTaken, path+" "+other.ID, "the path %s overlaps %s, which %s of %s has claimed: change %s to another path",
					path, held, other.ID, holder, change), true
			case inner && outer:
				return because(ClaimTaken, path+" "+other.ID, "the path %s is already claimed by %s of the same team: change %s to another path, "+
					"or tear down %s first", path, other.ID, change, other.ID), true
			case !inner && !outer:
				return because(ClaimTaken, path+" "+other.ID, "the path %s overlaps %s, which %s of the same team has claimed, and neither path "+
					"covers the other: change %s to another path, or tear down %s first", path, held, other.ID, change, other.ID), true
			}
		}
	}
	return Reason{}, false
}

// labels is the form of a DNS name: labels of RFC 1123 section 2.1, at least two of them. The last one begins with a letter, which
// excludes IP addresses.
var labels = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

// CheckName returns what is wrong with a DNS name, as a predicate without its subject, or "". CloudFront permits at most 253 characters
// and no IP address
// (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesOrigin.html).
func CheckName(name string) string {
	switch {
	case len(name) > 253:
		return fmt.Sprintf("has %d characters, and a DNS name has at most 253", len(name))
	case labels.MatchString(name):
		return ""
	case labels.MatchString(strings.ToLower(name)):
		return "is not in lower case"
	}
	return "is not a DNS name of at least two labels of letters, digits and hyphens, such as app.example.com"
}

// pathForm is the form of a path pattern
// (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html).
var pathForm = regexp.MustCompile(`^/[A-Za-z0-9_.*$/~"'@:+&?-]*$`)

// CheckPath returns what is wrong with a path pattern, as a predicate without its subject, or "".
func CheckPath(path string) string {
	return checkPath(path, `letters, digits, *, ? and _-.$/~"'@:+&`, func(p string) string { return p })
}

// checkPath returns what is wrong with a path that team t claims, as CheckPath does. If the path is in a tag, the answer names only
// the characters that a path can have in a tag, where = stands for * (CF-26).
func (t Team) checkPath(path string) string {
	if t.Claim != nil {
		return CheckPath(path)
	}
	return checkPath(path, "letters, digits and _-./@:+=", t.spelled)
}

// spelled returns a path pattern as team t claims it: in a tag, or in the hub policy if the team has no spoke role.
func (t Team) spelled(path string) string {
	if t.Claim != nil {
		return path
	}
	if tag, err := SpellPaths([]string{path}); err == nil {
		return tag
	}
	return path
}

func checkPath(path, permitted string, spelled func(string) string) string {
	switch {
	case !strings.HasPrefix(path, "/"):
		return "does not begin with a slash"
	case len(path) > 255:
		return fmt.Sprintf("has %d characters, and CloudFront permits at most 255", len(path))
	case !pathForm.MatchString(path):
		return "contains a character other than " + permitted
	case path != normalized(path):
		return fmt.Sprintf("never matches, because CloudFront removes empty segments, . and .. from the path of a request before it compares "+
			"the path with patterns; if you mean %[1]s, write %[1]s", spelled(normalized(path)))
	}
	return ""
}

// normalized returns a path pattern without empty segments, "." and "..", as CloudFront normalizes the path of a request before it selects
// a behavior
// (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html#DownloadDistValuesPathPattern).
func normalized(path string) string {
	var kept []string
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, s := range segments {
		last := i == len(segments)-1
		switch {
		case s == "..":
			kept = kept[:max(0, len(kept)-1)]
		case s != "" && s != ".":
			kept = append(kept, s)
			continue
		}
		if last {
			kept = append(kept, "")
		}
	}
	return "/" + strings.Join(kept, "/")
}

// Dropped is a record whose origin may no longer be wired.
type Dropped struct {
	Record  origin.Record
	Reasons []Reason
}

// Settle decides again about each record that is to be wired, in the order of admission, and returns those that may no longer be. Two
// admissions that ran at the same time may not have observed each other, and the hub policy may have changed. A limit drops nothing,
// since what is wired has its capacity already.
func Settle(registry []origin.Record, p Policy) []Dropped {
	standing := newClaims(p, nil)
	var out []Dropped
	for _, r := range byAdmission(registry) {
		d := standing.decide(Candidate{Ref: r.Ref, Claim: r.Claim})
		if reasons := slices.DeleteFunc(d.Reasons, waits); len(reasons) > 0 {
			out = append(out, Dropped{r, reasons})
			continue
		}
		standing.add(r)
	}
	return out
}

// Unpermitted returns the reasons, by VPC origin id, for which records may no longer be wired, as Settle decides it.
func Unpermitted(registry []origin.Record, p Policy) map[string][]Reason {
	all := map[string][]Reason{}
	for _, d := range Settle(registry, p) {
		all[d.Record.ID] = d.Reasons
	}
	return all
}

// byAdmission returns the records that reserve a claim, in the order of admission.
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
