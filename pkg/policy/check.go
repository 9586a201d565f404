package policy

import (
	"cmp"
	"fmt"
	"iter"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/hubpolicy"
	"github.com/originhub/originhub/pkg/origin"
)

// Forms of names.
var (
	hubForm          = regexp.MustCompile(`^[a-z][a-z0-9-]{0,19}$`)
	organizationForm = regexp.MustCompile(`^o-[a-z0-9]{10,32}$`)
	distributionForm = regexp.MustCompile(`^[A-Z0-9]{8,32}$`)
	zoneForm         = regexp.MustCompile(`^Z[A-Z0-9]{1,31}$`)
	certificateForm  = regexp.MustCompile(`^arn:aws:acm:us-east-1:\d{12}:certificate/[A-Za-z0-9-]+$`)
	externalIDForm   = regexp.MustCompile(`^[A-Za-z0-9_+=,.@:/-]{2,}$`)
	// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DistributionConfig.html (WebACLId)
	webACLForm          = regexp.MustCompile(`^arn:aws:wafv2:us-east-1:\d{12}:global/webacl/[\w-]+/[0-9a-f-]{36}$`)
	responseHeadersForm = regexp.MustCompile(`^[0-9a-f-]{36}$`)
	teamForm            = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
	accountForm         = regexp.MustCompile(`^\d{12}$`)
	// Bucket names: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html. Lambda@Edge takes numbered versions in us-east-1:
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-at-edge-function-restrictions.html
	bucketForm       = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	edgeFunctionForm = regexp.MustCompile(`^arn:aws:lambda:us-east-1:\d{12}:function:[A-Za-z0-9_-]{1,64}:[1-9]\d{0,8}$`)
)

// longestWindow is the longest batching window that Lambda permits for a queue
// (https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html).
const longestWindow = 300 * time.Second

// mostPerMinute is far more updates of distributions a minute than CloudFront is known to accept from an account.
const mostPerMinute = 60

type checker struct {
	root   ast.Node
	errors Errors
}

// fail adds an error at the key or list entry at the end of a path through the file.
func (c *checker) fail(way []any, format string, args ...any) {
	at := where(c.root, way...)
	c.errors = append(c.errors, Error{at.Line, at.Column, fmt.Sprintf(format, args...)})
}

// sorted returns the errors found so far, in the order of the file, or nil.
func (c *checker) sorted() Errors {
	slices.SortStableFunc(c.errors, func(a, b Error) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column)) })
	return c.errors
}

// longestExternalID is less than the maximum of IAM. It is not part of externalIDForm, since a repetition of that length takes two
// milliseconds to compile, at every start of every function.
const longestExternalID = 1000

func at(way ...any) []any { return way }

func (c *checker) like(way []any, value string, form *regexp.Regexp, example string) {
	if value == "" {
		c.fail(way, "%s is missing: write a value such as %s", name(way), example)
	} else if !form.MatchString(value) {
		c.fail(way, "%s %q does not have the form %s: write a value such as %s", name(way), value, form, example)
	}
}

// oneOf checks a value that may also be absent.
func (c *checker) oneOf(way []any, value string, allowed ...string) {
	for _, a := range allowed {
		if value == a || value == "" {
			return
		}
	}
	c.fail(way, "%s is %q: write one of %s", name(way), value, strings.Join(allowed, ", "))
}

func (c *checker) check(f file, p hubpolicy.Policy) {
	if f.Version != 1 {
		c.fail(at("version"), "version is %d: write version: 1", f.Version)
	}
	c.like(at("hub"), f.Hub, hubForm, "networking")
	if f.Organization != "" {
		c.like(at("organization"), f.Organization, organizationForm, "o-exampleorg1")
	}
	c.distribution(f.Distribution, f.Limits)
	if why := admission.CheckName(f.Domain); f.Domain != "" && why != "" {
		c.fail(at("domain"), "domain %q %s: correct the domain", f.Domain, why)
	} else if f.Domain == "" {
		c.fail(at("domain"), "domain is missing: write the domain of all hosts, such as example.com")
	}
	for i, host := range f.Reserved {
		if why := checkHost(host); why != "" {
			c.fail(at("reservedHosts", i), "host %q %s or *.example.com: correct the host", host, why)
		}
	}
	c.like(at("hostedZone"), f.HostedZone, zoneForm, "Z0123456789EXAMPLE")
	c.like(at("certificate"), f.Certificate, certificateForm,
		"arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012; CloudFront uses certificates of us-east-1 only")
	c.oneOf(at("aliases"), f.Aliases, string(admission.Wildcard), string(admission.PerHost))
	c.oneOf(at("shares", "external"), f.Shares.External, "allow", "deny")
	c.oneOf(at("shares", "refused"), f.Shares.Refused, "leave", "reject")
	c.oneOf(at("claims", "refused"), f.Claims.Refused, "retry", "wait")
	c.times(p)
	if !slices.Contains(hubpolicy.Retentions(), p.Retention) {
		c.fail(at("retention"), "retention is %d: write the number of days as one that CloudWatch Logs permits: %s", p.Retention,
			strings.Trim(fmt.Sprint(hubpolicy.Retentions()), "[]"))
	}
	for _, l := range []struct {
		name  string
		value *int
	}{
		{"origins", f.Limits.Origins},
		{"behaviors", f.Limits.Behaviors},
		{"aliases", f.Limits.Aliases},
		{"originsPerTeam", f.Limits.OriginsPerTeam},
		{"behaviorsPerTeam", f.Limits.BehaviorsPerTeam},
		{"aliasesPerTeam", f.Limits.AliasesPerTeam},
		{"readTimeout", f.Limits.ReadTimeout},
		{"keepaliveTimeout", f.Limits.KeepaliveTimeout},
		{"connectionAttempts", f.Limits.ConnectionAttempts},
	} {
		if l.value != nil && *l.value < 1 {
			c.fail(at("limits", l.name), "%s is %d: write a number above 0", l.name, *l.value)
		}
	}
	c.teams(f, p)
}

// mostDistributions is how many distributions one CloudFront function can be associated with. All use the function that answers 404
// (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html).
const mostDistributions = 100

func (c *checker) distribution(d distribution, l limits) {
	c.oneOf(at("distribution", "mode"), d.Mode, admission.ModeManage, admission.ModeDryRun)
	if d.Mode == admission.ModeDryRun && d.Base != nil {
		c.fail(at("distribution", "mode"), "mode is dry-run, which compares with distributions that exist: write adopt instead of base, or remove mode")
	}
	c.permissions(d)
	switch {
	case (d.Adopt == nil) == (d.Base == nil):
		c.fail(at("distribution"), "distribution needs either adopt, the ids of existing distributions, or base, to have originhub create them: write exactly one of them")
	case d.Base == nil:
		if len(d.Adopt) == 0 {
			c.fail(at("distribution", "adopt"), "adopt is an empty list: write the id of at least one distribution, such as EDFDVBD6EXAMPLE")
		}
		if n := len(d.Adopt); n > hubpolicy.MostAdopted {
			c.fail(at("distribution", "adopt"), "adopt lists %d distributions, and the hub's role can list %d: remove some, or deploy another hub for them", n, hubpolicy.MostAdopted)
			break
		}
		for i, id := range d.Adopt {
			way := at("distribution", "adopt", i)
			c.like(way, id, distributionForm, "EDFDVBD6EXAMPLE")
			if slices.Contains(d.Adopt[:i], id) {
				c.fail(way, "distribution %s is in the list already: write each id once", id)
			}
		}
	default:
		if n := either(d.Base.Maximum, 1); n < 1 || n > mostDistributions {
			c.fail(at("distribution", "base", "maximum"), "maximum is %d: write a number from 1 to %d", n, mostDistributions)
		}
		if l.Origins != nil && *l.Origins == 1 {
			c.fail(at("limits", "origins"), "origins is 1, and a distribution that originhub creates contains one origin of its own: write at least 2")
		}
		c.base(*d.Base)
	}
}

// base checks the optional settings of distributions that the hub creates.
func (c *checker) base(b base) {
	if len(b.Comment) > 128 {
		c.fail(at("distribution", "base", "comment"), "comment has %d characters: CloudFront permits at most 128", len(b.Comment))
	}
	c.oneOf(at("distribution", "base", "priceClass"), b.PriceClass, "PriceClass_100", "PriceClass_200", "PriceClass_All")
	for _, o := range []struct {
		name, value, example string
		form                 *regexp.Regexp
	}{
		{"webAcl", b.WebACL, "arn:aws:wafv2:us-east-1:100000000000:global/webacl/edge/11111111-2222-4333-8444-555555555555", webACLForm},
		{"logBucket", b.LogBucket, "example-logs", bucketForm},
		{"responseHeadersPolicy", b.Headers, "67f7725c-6f97-4210-82d7-5512b31e9d03, the id of the policy", responseHeadersForm},
	} {
		if o.value != "" {
			c.like(at("distribution", "base", o.name), o.value, o.form, o.example)
		}
	}
	c.oneOf(at("distribution", "base", "httpVersion"), b.HTTPVersion, "http1.1", "http2", "http3", "http2and3")
}

func (c *checker) permissions(d distribution) {
	if d.Permissions == nil {
		return
	}
	if d.Base != nil {
		c.fail(at("distribution", "permissions"), "permissions are for adopted distributions, and base has originhub create them: remove permissions")
	}
	for _, list := range []struct {
		name, example string
		form          *regexp.Regexp
		values        []string
	}{
		{"logBuckets", "example-logs", bucketForm, d.Permissions.LogBuckets},
		{"edgeFunctions", "arn:aws:lambda:us-east-1:100000000000:function:viewer-auth:7, with the number of a version", edgeFunctionForm, d.Permissions.EdgeFunctions},
	} {
		way := at("distribution", "permissions", list.name)
		if n := len(list.values); n > hubpolicy.MostPermissions {
			c.fail(way, "%s lists %d, and the hub's role can list %d: remove some", list.name, n, hubpolicy.MostPermissions)
			continue
		}
		for i, value := range list.values {
			c.like(along(way, i), value, list.form, list.example)
		}
	}
}

func (c *checker) times(p hubpolicy.Policy) {
	for _, d := range []struct {
		section, name string
		value         time.Duration
	}{
		{"grace", "default", p.Grace.Default},
		{"grace", "maximum", p.Grace.Maximum},
		{"updates", "spacing", p.Updates.Spacing},
		{"updates", "window", p.Updates.Window},
	} {
		if d.value < 0 || d.value%time.Second != 0 {
			c.fail(at(d.section, d.name), "%s is %s: write whole seconds of at least 0, such as 30s or 72h", d.name, d.value)
		}
	}
	if p.Grace.Default > p.Grace.Maximum {
		c.fail(at("grace", "default"), "default is %s and maximum is %s: the default cannot be greater than the maximum", p.Grace.Default, p.Grace.Maximum)
	}
	if p.Updates.Window > longestWindow {
		c.fail(at("updates", "window"), "window is %s: Lambda permits at most %s", p.Updates.Window, longestWindow)
	}
	if n := p.Updates.PerMinute; n < 1 || n > mostPerMinute {
		c.fail(at("updates", "perMinute"), "perMinute is %d: write a number from 1 to %d", n, mostPerMinute)
	}
}

func (c *checker) teams(f file, p hubpolicy.Policy) {
	names, owners := map[string]bool{}, map[string]string{}
	for i, t := range f.Teams {
		c.like(at("teams", i, "name"), t.Name, teamForm, "team-a")
		if names[t.Name] {
			c.fail(at("teams", i, "name"), "there is another team %s: give each team its own name", t.Name)
		}
		names[t.Name] = true
		if len(t.Accounts) == 0 {
			c.fail(at("teams", i, "accounts"), "%s has no account: list at least one", t.Name)
		}
		for j, account := range t.Accounts {
			way := at("teams", i, "accounts", j)
			switch owner, taken := owners[account]; {
			case !accountForm.MatchString(account):
				c.fail(way, "account %q is not 12 digits: write the account id in quotes, with leading zeros", account)
			case account == p.Account():
				c.fail(way, "account %s is the hub's own, and RAM shares nothing with the account that owns it: create the VPC origins of %s in another account", account, t.Name)
			case taken:
				c.fail(way, "account %s belongs to %s already: list each account in one team only", account, owner)
			}
			owners[account] = t.Name
		}
		if t.External && !p.Shares.External {
			c.fail(at("teams", i, "external"), "%s is outside the organization and can share by invitation only, which shares.external denies: "+
				"write shares.external: allow, or remove external here", t.Name)
		}
		c.spoke(i, t, f.Spokes)
		c.grants(i, t, p)
	}
	c.cidrs(f.Teams)
	c.apart(f.Teams)
	c.bus(p)
	for i, t := range f.Teams {
		if t.Claim != nil && len(t.Accounts) > 0 && len(c.errors) == 0 {
			c.claim(i, t, p)
		}
	}
}

// bus checks that EventBridge accepts the policy of the hub bus, which lists the accounts outside the organization.
func (c *checker) bus(p hubpolicy.Policy) {
	if len(p.BusPolicy()) <= hubpolicy.LongestBusPolicy {
		return
	}
	remedy := "write organization, and external: true only for teams outside it"
	if p.Organization != "" {
		remedy = "write external: true only for teams outside the organization"
	}
	c.fail(at("teams"), "%d accounts are outside the organization, and the policy of the hub's event bus can list %d, because EventBridge limits it to %d characters: "+
		"%s, or deploy another hub for some of these accounts", len(p.Outside()), p.BusCapacity(), hubpolicy.LongestBusPolicy, remedy)
}

// claim checks that the claim in the policy for a team would be admitted into an empty distribution.
func (c *checker) claim(i int, t team, p hubpolicy.Policy) {
	if most := p.Limits.Behaviors; most > 0 && len(t.Claim.Paths) > most {
		c.fail(at("teams", i, "claim"), "the claim of %s has %d paths, and limits.behaviors is %d, so no distribution can serve the claim: claim fewer paths, or raise the limit",
			t.Name, len(t.Claim.Paths), most)
	}
	for _, s := range []struct {
		name  string
		value *int
	}{
		{"readTimeout", t.Claim.ReadTimeout}, {"keepaliveTimeout", t.Claim.KeepaliveTimeout}, {"connectionAttempts", t.Claim.ConnectionAttempts},
	} {
		if s.value != nil && *s.value < 1 {
			c.fail(at("teams", i, "claim", s.name), "%s is %d: write a number above 0", s.name, *s.value)
		}
	}
	candidate := admission.Candidate{Ref: origin.Ref{Account: t.Accounts[0]}, Claim: t.Claim.claim()}
	for _, r := range admission.Decide(candidate, p.Policy, nil).Reasons {
		c.fail(at("teams", i, "claim"), "the claim of %s is refused: %s", t.Name, r.Message)
	}
}

func (c *checker) spoke(i int, t team, s spokes) {
	spoke := either(t.Spoke, true)
	switch {
	case !spoke && t.Claim == nil:
		c.fail(at("teams", i, "spoke"), "%s has no spoke role, so the hub cannot read its tags: write its claim here (claim: {hosts, paths, domain})", t.Name)
	case spoke && t.Claim != nil:
		c.fail(at("teams", i, "claim"), "%s has a spoke role, so the hub reads its claim from tags: remove the claim, or write spoke: false", t.Name)
	case !spoke && t.ConfirmTeardown:
		c.fail(at("teams", i, "confirmTeardown"), "%s has no spoke role, so the hub cannot read its tags, and no tag tears its origins down: remove confirmTeardown", t.Name)
	case spoke && (!externalIDForm.MatchString(s.ExternalID) || len(s.ExternalID) > longestExternalID):
		c.fail(at("spokes", "externalId"), "externalId %q does not have the form %s with at most %d characters, and %s has a spoke role: "+
			"write the external id with which the spoke stacks are deployed", s.ExternalID, externalIDForm, longestExternalID, t.Name)
	}
}

// cidrs checks the CIDR blocks from which the team stack creates VPCs. A block has a size that a VPC can have, and each of its halves is
// large enough for a load balancer
// (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html). Blocks do not overlap, so that
// the VPCs can be peered or share a transit gateway.
func (c *checker) cidrs(teams []team) {
	networks, count := make([]netip.Prefix, len(teams)), 0
	for i, t := range teams {
		if t.CIDR == "" {
			continue
		}
		way := at("teams", i, "cidr")
		if count++; count > hubpolicy.MostNetworks {
			c.fail(way, "more than %d teams have a cidr, and a template has no more entries in a mapping: write cidr only for teams that the team stack serves", hubpolicy.MostNetworks)
			return
		}
		network, err := netip.ParsePrefix(t.CIDR)
		if err != nil || !network.Addr().Is4() || network.Bits() < 16 || network.Bits() > 26 {
			c.fail(way, "cidr %q is not an IPv4 network of /16 to /26: write a network such as 10.20.0.0/20", t.CIDR)
			continue
		}
		if network != network.Masked() {
			c.fail(way, "cidr %s is an address within a network: write %s", t.CIDR, network.Masked())
		}
		for j := range i {
			if network.Overlaps(networks[j]) {
				c.fail(way, "cidr %s of %s overlaps %s of %s on line %d: give each team a network of its own",
					t.CIDR, t.Name, teams[j].CIDR, teams[j].Name, where(c.root, "teams", j, "cidr").Line)
				break
			}
		}
		networks[i] = network
	}
}

// exampleOf returns a host that a granted or reserved host covers: itself, or one that a wildcard covers.
func exampleOf(host string) string {
	if name, wildcard := strings.CutPrefix(host, "*."); wildcard {
		return "any." + name
	}
	return host
}

// checkHost returns what is wrong with a granted or reserved host, as a predicate without its subject, or "".
func checkHost(host string) string { return admission.CheckName(exampleOf(host)) }

func (c *checker) grants(i int, t team, p hubpolicy.Policy) {
	if len(t.Grants) == 0 {
		c.fail(at("teams", i, "grants"), "%s has no grant: write at least one grant (host, paths)", t.Name)
	}
	for j, g := range t.Grants {
		way := at("teams", i, "grants", j)
		if why := checkHost(g.Host); why != "" {
			c.fail(along(way, "host"), "host %q %s or *.example.com: correct the host", g.Host, why)
		} else if why := p.CheckGranted(g.Host); why != "" {
			c.fail(along(way, "host"), "host %s %s, so nobody may be granted it: correct the host, or remove it from reservedHosts", g.Host, why)
		} else if !p.Covers(exampleOf(g.Host)) {
			c.fail(along(way, "host"), "host %s is not covered by domain %s with aliases: %s; correct the host", g.Host, p.Domain, p.Aliases)
		}
		if len(g.Paths) == 0 {
			c.fail(along(way, "paths"), "the grant has no paths: write at least one, such as /%s/*", t.Name)
		}
		for k, path := range g.Paths {
			if why := admission.CheckPath(path); why != "" {
				c.fail(along(along(way, "paths"), k), "path %.60q %s: correct the path", path, why)
			}
		}
	}
}

// granted is one path of one grant.
type granted struct {
	way        []any
	team       int
	name, host string
	path       string
}

// fixed returns the text with which every path begins that the pattern matches.
func (g granted) fixed() string {
	before, _, _ := strings.Cut(strings.ReplaceAll(g.path, "?", "*"), "*")
	return before
}

// mostCompared limits the sum, over all compared pairs of paths, of the product of their lengths. This takes about a second.
const mostCompared = 1 << 29

// apart adds an error for grants by which two teams could claim the same path. Hosts make no difference, since behaviors match on the
// path alone.
func (c *checker) apart(teams []team) {
	var all []granted
	for i, t := range teams {
		for j, g := range t.Grants {
			for k, path := range g.Paths {
				if admission.CheckPath(path) == "" {
					all = append(all, granted{at("teams", i, "grants", j, "paths", k), i, t.Name, g.Host, path})
				}
			}
		}
	}
	first, busy := overlaps(all)
	if busy != "" {
		c.fail(at("teams"), "too many paths have the same beginning to check which of them overlap: begin each path with the name of its team, such as /%s/*", busy)
		return
	}
	for later, earlier := range first {
		a, b := all[earlier], all[later]
		c.fail(b.way, "%s is granted %s%s, which overlaps %s%s of %s on line %d: behaviors match on the path alone, whatever the host, so grant each path to one team",
			b.name, b.host, b.path, a.host, a.path, a.name, where(c.root, a.way...).Line)
	}
}

// overlaps returns, for each path that overlaps an earlier one of another team, the first such path. If there are too many pairs to
// compare, it returns the name of one of their teams instead.
func overlaps(all []granted) (first map[int]int, busy string) {
	first = map[int]int{}
	compared := 0
	for earlier, later := range beginAlike(all) {
		a, b := all[earlier], all[later]
		if compared += len(a.path) * len(b.path); compared > mostCompared {
			return nil, b.name
		}
		if known, ok := first[later]; (!ok || earlier < known) && origin.Overlap(a.path, b.path) {
			first[later] = earlier
		}
	}
	return first, ""
}

// beginAlike yields the pairs of paths of two teams in which the fixed beginning of one is a prefix of the other's. Only these can
// overlap, so that most paths of a thousand teams need not be compared.
func beginAlike(all []granted) iter.Seq2[int, int] {
	beginning := map[string][]int{}
	for i, g := range all {
		beginning[g.fixed()] = append(beginning[g.fixed()], i)
	}
	return func(yield func(earlier, later int) bool) {
		for i, g := range all {
			fixed := g.fixed()
			for length := range len(fixed) + 1 {
				for _, j := range beginning[fixed[:length]] {
					twice := length == len(fixed) && j > i // the other path yields this pair
					if all[j].team != g.team && !twice && !yield(min(i, j), max(i, j)) {
						return
					}
				}
			}
		}
	}
}
