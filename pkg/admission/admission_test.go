package admission_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
)

const (
	accountA = "111111111111"
	accountB = "222222222222"
	stranger = "999999999999"
)

// start is the time of all decisions.
var start = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func policy() admission.Policy {
	return admission.Policy{
		Domain:  "example.com",
		Aliases: admission.Wildcard,
		Shares:  admission.Shares{External: true},
		Limits:  admission.Limits{PerTeam: origin.Size{Origins: 2, Behaviors: 4, Aliases: 3}},
		Teams: []admission.Team{
			{Name: "team-a", Accounts: []string{accountA}, Outside: true, Spoke: true, Grants: []admission.Grant{
				{Host: "team-a.example.com", Paths: []string{"/team-a/*", "/shared/*"}},
			}},
			{Name: "team-b", Accounts: []string{accountB}, Outside: true, Spoke: true, Grants: []admission.Grant{
				{Host: "*.example.com", Paths: []string{"/team-b/*"}},
				{Host: "team-b.example.com", Paths: []string{"/shared/*"}},
			}},
		},
	}
}

func arn(account, id string) string { return "arn:aws:cloudfront::" + account + ":vpcorigin/" + id }

func ref(account, id string) origin.Ref {
	return origin.Ref{ID: id, Account: account, ARN: arn(account, id)}
}

func codes(reasons []admission.Reason) (out []admission.Code) {
	for _, r := range reasons {
		out = append(out, r.Code)
	}
	return out
}

func TestDecideShare(t *testing.T) {
	vpcOrigin := func(account, id string) origin.Resource {
		return origin.Resource{ARN: arn(account, id), Type: admission.VPCOrigin}
	}
	subnet := origin.Resource{ARN: "arn:aws:ec2:us-east-1:111111111111:subnet/subnet-1", Type: "ec2:Subnet"}
	for name, c := range map[string]struct {
		owner     string
		invited   bool
		resources []origin.Resource
		denied    bool // shares.external
		member    bool // the policy says that the team is in the organization
		is        origin.Membership
		want      []admission.Code
		waits     bool
		unrelated bool
	}{
		"invitation from a known account": {
			owner: accountA, invited: true, resources: []origin.Resource{vpcOrigin(accountA, "vo_2"), vpcOrigin(accountA, "vo_1")},
		},
		"within the organization, external denied": {
			owner: accountA, resources: []origin.Resource{vpcOrigin(accountA, "vo_2"), vpcOrigin(accountA, "vo_1")},
			denied: true, is: origin.Inside,
		},
		"outside the organization, external denied": {
			owner: accountA, resources: []origin.Resource{vpcOrigin(accountA, "vo_1")}, denied: true, is: origin.Outside,
			want: []admission.Code{admission.ShareOutside},
		},
		"membership unknown, external denied": {
			owner: accountA, resources: []origin.Resource{vpcOrigin(accountA, "vo_1")}, denied: true,
			want: []admission.Code{admission.MembershipUnknown}, waits: true,
		},
		"membership unknown, no VPC origin": {owner: accountA, resources: []origin.Resource{subnet}, denied: true, unrelated: true},
		"within the organization": {
			owner: accountA, resources: []origin.Resource{vpcOrigin(accountA, "vo_2"), vpcOrigin(accountA, "vo_1")}, member: true, is: origin.Inside,
		},
		"outside, and the policy says inside": {
			owner: accountA, resources: []origin.Resource{vpcOrigin(accountA, "vo_1")}, member: true, is: origin.Outside,
			want: []admission.Code{admission.ShareOutside},
		},
		"membership unknown, and the policy says inside": {
			owner: accountA, resources: []origin.Resource{vpcOrigin(accountA, "vo_1")}, member: true,
			want: []admission.Code{admission.MembershipUnknown}, waits: true,
		},
		"outside, as the policy says": {
			owner: accountA, resources: []origin.Resource{vpcOrigin(accountA, "vo_2"), vpcOrigin(accountA, "vo_1")}, is: origin.Outside,
		},
		"invitation, and the policy says inside": {
			owner: accountA, invited: true, resources: []origin.Resource{vpcOrigin(accountA, "vo_2"), vpcOrigin(accountA, "vo_1")}, member: true,
		},
		"invitation, external denied": {
			owner: accountA, invited: true, resources: []origin.Resource{vpcOrigin(accountA, "vo_1")},
			denied: true,
			want:   []admission.Code{admission.ShareExternal},
		},
		"stranger": {
			owner: stranger, invited: true, resources: []origin.Resource{vpcOrigin(stranger, "vo_1")},
			want: []admission.Code{admission.ShareUnknownAccount},
		},
		"nothing in it yet": {
			owner: accountA, invited: true,
			want:  []admission.Code{admission.ShareEmpty},
			waits: true,
		},
		"nothing in it yet, external denied": {
			owner: accountA, invited: true, denied: true,
			want:  []admission.Code{admission.ShareEmpty},
			waits: true,
		},
		"no VPC origin":                  {owner: accountA, resources: []origin.Resource{subnet}, unrelated: true},
		"no VPC origin, a stranger":      {owner: stranger, resources: []origin.Resource{subnet}, unrelated: true},
		"no VPC origin, external denied": {owner: accountA, invited: true, denied: true, resources: []origin.Resource{subnet}, unrelated: true},
		"mixed": {
			owner: accountA, resources: []origin.Resource{vpcOrigin(accountA, "vo_1"), subnet},
			want: []admission.Code{admission.ShareOtherType},
		},
		"somebody else's origin": {
			owner: accountA, resources: []origin.Resource{vpcOrigin(accountB, "vo_1")},
			want: []admission.Code{admission.ShareOtherOwner},
		},
		"stranger's, not opened": {
			owner: stranger, invited: true,
			want: []admission.Code{admission.ShareUnknownAccount},
		},
		"everything at once": {
			owner: accountA, invited: true, resources: []origin.Resource{
				vpcOrigin(accountB, "vo_1"), subnet, {ARN: "arn:aws:cloudfront::1:vpcorigin/x", Type: admission.VPCOrigin},
			},
			denied: true,
			want: []admission.Code{
				admission.ShareExternal, admission.ShareBadARN, admission.ShareOtherOwner, admission.ShareOtherType,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := policy()
			p.Shares.External, p.Teams[0].Outside = !c.denied, !c.member
			got := admission.DecideShare(origin.Share{Owner: c.owner, Membership: c.is}, c.invited, c.resources, p)
			if diff := cmp.Diff(c.want, codes(got.Reasons)); diff != "" {
				t.Error(diff)
			}
			if got.Accept != (c.want == nil && !c.unrelated) || got.Unrelated != c.unrelated || got.Waits() != c.waits {
				t.Errorf("accept %v, waits %v: %s", got.Accept, got.Waits(), origin.Why(got.Reasons))
			}
			if want := []origin.Ref{ref(accountA, "vo_1"), ref(accountA, "vo_2")}; got.Accept && !slices.Equal(got.Origins, want) {
				t.Errorf("got the origins %v", got.Origins)
			}
			if !got.Accept && got.Origins != nil {
				t.Errorf("refused, with the origins %v", got.Origins)
			}
		})
	}
}

func TestParseClaim(t *testing.T) {
	teams := policy().Teams
	for name, c := range map[string]struct {
		tags map[string]string
		team admission.Team
		want origin.Claim
	}{
		"all tags": {
			map[string]string{
				contract.TagHost: "b2.example.com  B1.example.com", contract.TagPaths: "/team-b/v2/ /team-b/=.json /team-b/x", contract.TagDomain: " ALB.internal.example.com",
			},
			teams[1],
			origin.Claim{
				Hosts: []string{"b1.example.com", "b2.example.com"}, Domain: "alb.internal.example.com",
				Paths: []string{"/team-b/*.json", "/team-b/v2/*", "/team-b/x"},
			},
		},
		"domain only, one granted host": {
			map[string]string{contract.TagDomain: "alb.example.com"},
			teams[0],
			origin.Claim{Hosts: []string{"team-a.example.com"}, Paths: []string{"/shared/*", "/team-a/*"}, Domain: "alb.example.com"},
		},
		"no host, several granted": {
			nil, teams[1], origin.Claim{},
		},
		"paths default to those granted on every host": {
			map[string]string{contract.TagHost: "team-b.example.com www.example.com"},
			teams[1],
			origin.Claim{Hosts: []string{"team-b.example.com", "www.example.com"}, Paths: []string{"/team-b/*"}},
		},
		"paths on a single host": {
			map[string]string{contract.TagHost: "team-b.example.com"},
			teams[1],
			origin.Claim{Hosts: []string{"team-b.example.com"}, Paths: []string{"/shared/*", "/team-b/*"}},
		},
		"from policy": {
			map[string]string{contract.TagHost: "ignored.example.com"},
			admission.Team{Claim: &origin.Claim{Hosts: []string{"C.example.com"}, Paths: []string{"/c/*?", "/c/?*"}, Domain: "c.internal.example.com"}},
			origin.Claim{Hosts: []string{"c.example.com"}, Paths: []string{"/c/?*"}, Domain: "c.internal.example.com"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, admission.ParseClaim(c.tags, c.team)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSpellPathsRoundTrip(t *testing.T) {
	paths := []string{"/team-a/*.json", "/team-a/v2/*", "/team-a/x"}
	tag, err := admission.SpellPaths(paths)
	if err != nil || tag != "/team-a/=.json /team-a/v2/ /team-a/x" {
		t.Errorf("tag %q, %v", tag, err)
	}
	if got := admission.ParseClaim(map[string]string{contract.TagPaths: tag}, admission.Team{}).Paths; !slices.Equal(got, paths) {
		t.Errorf("read as %v", got)
	}
	for _, unspellable := range []string{"/a?", "/" + strings.Repeat("a", 256)} {
		if tag, err := admission.SpellPaths([]string{unspellable}); err == nil {
			t.Errorf("%s becomes tag %s", unspellable, tag)
		}
	}
}

// held returns a record that reserves paths.
func held(team, account, id string, paths ...string) origin.Record {
	return origin.Record{
		Ref: ref(account, id), Team: team, Intent: origin.Wire,
		Claim: origin.Claim{Hosts: []string{team + ".example.com"}, Paths: paths, Domain: "alb.example.com"},
	}
}

func TestDecide(t *testing.T) {
	good := origin.Claim{Hosts: []string{"team-a.example.com"}, Paths: []string{"/team-a/x/*"}, Domain: "alb.example.com"}
	with := func(change func(*origin.Claim)) origin.Claim {
		c := good
		change(&c)
		return c
	}
	for name, c := range map[string]struct {
		candidate admission.Candidate
		others    []origin.Record
		policy    func(*admission.Policy)
		want      []admission.Code
		says      string
	}{
		"permitted": {candidate: admission.Candidate{Ref: ref(accountA, "vo_1"), Claim: good}},
		"its own record": {
			candidate: admission.Candidate{Ref: ref(accountA, "vo_1"), Claim: good},
			others:    []origin.Record{held("team-a", accountA, "vo_1", "/team-a/x/*")},
		},
		"a record to be detached": {
			candidate: admission.Candidate{Ref: ref(accountA, "vo_1"), Claim: good},
			others:    []origin.Record{{Ref: ref(accountB, "vo_2"), Team: "team-b", Intent: origin.Detach, Claim: good}},
		},
		"same team, nested": {
			candidate: admission.Candidate{Ref: ref(accountA, "vo_1"), Claim: good},
			others:    []origin.Record{held("team-a", accountA, "vo_2", "/team-a/*", "/team-a/x/y")},
		},
		"same team, equal": {
			candidate: admission.Candidate{Ref: ref(accountA, "vo_1"), Claim: good},
			others:    []origin.Record{held("team-a", accountA, "vo_2", "/team-a/x/**")},
			want:      []admission.Code{admission.ClaimTaken},
			says:      "is already claimed by vo_2 of the same team",
		},
		"same team, identical": {
			candidate: admission.Candidate{Ref: ref(accountA, "vo_1"), Claim: good},
			others:    []origin.Record{held("team-a", accountA, "vo_2", good.Paths...)},
			want:      []admission.Code{admission.ClaimTaken},
			says:      "is already claimed by vo_2 of the same team",
		},
		"same team, crossing": {
			candidate: admission.Candidate{Ref: ref(accountA, "vo_1"), Claim: good},
			others:    []origin.Record{held("team-a", accountA, "vo_2", "/team-a/*/y")},
			want:      []admission.Code{admission.ClaimTaken},
			says:      "neither path covers the other",
		},
		"its team had another name when the outer one was admitted": {
			candidate: admission.Candidate{Ref: ref(accountA, "vo_1"), Claim: with(func(c *origin.Claim) { c.Paths = []string{"/team-a/x/*"} })},
			others:    []origin.Record{held("team-z", accountA, "vo_2", "/team-a/*")},
		},
		"the outer one's account was its team's": {
			candidate: admission.Candidate{Ref: ref(accountA, "vo_1"), Claim: with(func(c *origin.Claim) { c.Paths = []string{"/team-a/x/*"} })},
			others:    []origin.Record{held("team-a", accountB, "vo_2", "/team-a/*")},
			want:      []admission.Code{admission.ClaimTaken},
			says:      "of team-b",
		},
		"another team holds something inside": {
			candidate: admission.Candidate{Ref: ref(accountA, "vo_1"), Claim: good},
			others:    []origin.Record{held("team-b", accountB, "vo_2", "/team-a/x/y")},
			want:      []admission.Code{admission.ClaimTaken},
			says:      "of team-b",
		},
		"unknown account": {
			candidate: admission.Candidate{Ref: ref(stranger, "vo_1"), Claim: good},
			want:      []admission.Code{admission.OriginUnknownAccount},
		},
		"nothing claimed": {
			candidate: admission.Candidate{Ref: ref(accountA, "vo_1")},
			want:      []admission.Code{admission.ClaimHostMissing, admission.ClaimPathsMissing, admission.ClaimDomainMissing},
		},
		"malformed": {
			candidate: admission.Candidate{Ref: ref(accountA, "vo_1"), Claim: origin.Claim{
				Hosts: []string{"team-a_example.com"}, Paths: []string{"team-a/x"}, Domain: "10.0.0.1",
			}},
			want: []admission.Code{
				admission.ClaimDomainInvalid, admission.ClaimHostInvalid, admission.ClaimPathInvalid,
				admission.ClaimOutsideDomain,
			},
		},
		"not granted": {
			candidate: admission.Candidate{Ref: ref(accountA, "vo_1"), Claim: with(func(c *origin.Claim) {
				c.Hosts, c.Paths = []string{"team-a.example.com", "team-b.example.com"}, []string{"/team-a/x", "/team-b/x"}
			})},
			want: []admission.Code{admission.ClaimNotGranted, admission.ClaimNotGranted},
			says: "team-a is not granted /team-a/x, /team-b/x on team-b.example.com",
		},
		"a host that is not granted, and no path": {
			candidate: admission.Candidate{Ref: ref(accountA, "vo_1"), Claim: with(func(c *origin.Claim) { c.Hosts, c.Paths = []string{"team-b.example.com"}, nil })},
			want:      []admission.Code{admission.ClaimNotGranted},
			says:      "team-a is granted nothing on team-b.example.com",
		},
		"a host that is granted, and no path": {
			candidate: admission.Candidate{Ref: ref(accountA, "vo_1"), Claim: with(func(c *origin.Claim) { c.Paths = nil })},
			want:      []admission.Code{admission.ClaimPathsMissing},
		},
		"wider than granted": {
			candidate: admission.Candidate{Ref: ref(accountA, "vo_1"), Claim: with(func(c *origin.Claim) { c.Paths = []string{"/team-a*"} })},
			want:      []admission.Code{admission.ClaimNotGranted},
		},
		"a reserved host that a wildcard grants": {
			candidate: admission.Candidate{Ref: ref(accountB, "vo_1"), Claim: origin.Claim{
				Hosts: []string{"www.example.com"}, Paths: []string{"/team-b/*"}, Domain: "alb.example.com",
			}},
			policy: func(p *admission.Policy) { p.Reserved = []string{"www.example.com"} },
			want:   []admission.Code{admission.ClaimReserved},
			says:   "the host www.example.com is reserved by www.example.com in reservedHosts",
		},
		"a host beside a reserved one": {
			candidate: admission.Candidate{Ref: ref(accountA, "vo_1"), Claim: good},
			policy: func(p *admission.Policy) {
				p.Reserved = []string{"example.com", "www.example.com", "*.team-a.example.com"}
			},
		},
		"a host that a reserved wildcard covers": {
			candidate: admission.Candidate{Ref: ref(accountA, "vo_1"), Claim: good},
			policy:    func(p *admission.Policy) { p.Reserved = []string{"*.example.com"} },
			want:      []admission.Code{admission.ClaimReserved},
		},
		"wildcard covers one label": {
			candidate: admission.Candidate{Ref: ref(accountB, "vo_1"), Claim: origin.Claim{
				Hosts: []string{"a.b.example.com"}, Paths: []string{"/team-b/*"}, Domain: "alb.example.com",
			}},
			want: []admission.Code{admission.ClaimOutsideDomain, admission.ClaimNotGranted},
		},
		"tagged": {
			candidate: admission.Candidate{Ref: ref(accountA, "vo_1"), Claim: good, Tagged: true},
			want:      []admission.Code{admission.OriginTearingDown},
		},
		"team's share of origins": {
			candidate: admission.Candidate{Ref: ref(accountA, "vo_1"), Claim: good},
			others:    []origin.Record{held("team-a", accountA, "vo_2", "/team-a/2"), held("team-a", accountA, "vo_3", "/team-a/3")},
			want:      []admission.Code{admission.DoesNotFit},
			says:      "team-a would have 3 origins, and limits.originsPerTeam is 2",
		},
		"team's share of behaviors": {
			candidate: admission.Candidate{Ref: ref(accountA, "vo_1"), Claim: good},
			others:    []origin.Record{held("team-a", accountA, "vo_2", "/team-a/1", "/team-a/2", "/team-a/3", "/team-a/4")},
			want:      []admission.Code{admission.DoesNotFit},
			says:      "team-a would have 5 behaviors, and limits.behaviorsPerTeam is 4: claim fewer paths",
		},
		"another team's behaviors": {
			candidate: admission.Candidate{Ref: ref(accountA, "vo_1"), Claim: good},
			others:    []origin.Record{held("team-b", accountB, "vo_2", "/team-b/1", "/team-b/2", "/team-b/3", "/team-b/4")},
		},
		"team's share of aliases": {
			candidate: admission.Candidate{Ref: ref(accountB, "vo_1"), Claim: origin.Claim{
				Hosts: []string{"a.example.com", "b.example.com", "c.example.com"}, Paths: []string{"/team-b/x"}, Domain: "alb.example.com",
			}},
			others: []origin.Record{held("team-b", accountB, "vo_2", "/team-b/2")},
			want:   []admission.Code{admission.DoesNotFit},
			says:   "team-b would have 4 aliases, and limits.aliasesPerTeam is 3: claim fewer hosts",
		},
		"hosts that its team claims already": {
			candidate: admission.Candidate{Ref: ref(accountA, "vo_1"), Claim: good},
			others:    []origin.Record{held("team-a", accountA, "vo_2", "/team-a/2")},
			policy:    func(p *admission.Policy) { p.Limits.PerTeam.Aliases = 1 },
		},
		"more than a limit that was lowered, and no more than it has": {
			candidate: admission.Candidate{Ref: ref(accountA, "vo_1"), Claim: good},
			others:    []origin.Record{held("team-a", accountA, "vo_1", "/team-a/1"), held("team-a", accountA, "vo_2", "/team-a/2")},
			policy:    func(p *admission.Policy) { p.Limits.PerTeam = origin.Size{Origins: 1, Behaviors: 1, Aliases: 1} },
		},
		"more than a limit that was lowered, and more than it has": {
			candidate: admission.Candidate{Ref: ref(accountA, "vo_1"), Claim: with(func(c *origin.Claim) { c.Paths = []string{"/team-a/1", "/team-a/3"} })},
			others:    []origin.Record{held("team-a", accountA, "vo_1", "/team-a/1")},
			policy:    func(p *admission.Policy) { p.Limits.PerTeam = origin.Size{Behaviors: 1} },
			want:      []admission.Code{admission.DoesNotFit},
		},
		"a claim in the hub policy": {
			candidate: admission.Candidate{Ref: ref(accountA, "vo_1"), Claim: with(func(c *origin.Claim) { c.Paths = []string{"/team-a/1", "/team-a/3"} })},
			policy: func(p *admission.Policy) {
				p.Limits.PerTeam, p.Teams[0].Claim = origin.Size{Origins: 1, Behaviors: 1, Aliases: 1}, &origin.Claim{}
			},
		},
		"a claim in the hub policy, in a second origin": {
			candidate: admission.Candidate{Ref: ref(accountA, "vo_1"), Claim: good},
			others:    []origin.Record{held("team-a", accountA, "vo_2", "/team-a/2")},
			policy:    func(p *admission.Policy) { p.Limits.PerTeam.Origins, p.Teams[0].Claim = 1, &origin.Claim{} },
			want:      []admission.Code{admission.DoesNotFit},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := policy()
			if c.policy != nil {
				c.policy(&p)
			}
			got := admission.Decide(c.candidate, p, c.others)
			if diff := cmp.Diff(c.want, codes(got.Reasons)); diff != "" || got.Admit != (c.want == nil) {
				t.Errorf("admit %v: %s\n%s", got.Admit, origin.Why(got.Reasons), diff)
			}
			if !strings.Contains(origin.Why(got.Reasons), c.says) {
				t.Errorf("the reasons are %q, without %q", origin.Why(got.Reasons), c.says)
			}
			if slices.Equal(c.want, []admission.Code{admission.DoesNotFit}) != got.Waits() {
				t.Errorf("%v waits: %v", c.want, got.Waits())
			}
		})
	}
}

func TestCheckPath(t *testing.T) {
	for path, good := range map[string]bool{
		"/": true, "/a/*": true, `/_-.*$/~"'@:+&?`: true, "/" + strings.Repeat("a", 254): true,
		"/" + strings.Repeat("a", 255): false, "": false, "a": false, "*": false, "/a b": false, "/a%20b": false, "/ä": false, "/a=b": false, "/a\nb": false,
		"/a//b": false, "//a/*": false, "/a/./*": false, "/a/../b/*": false, "/..": false, "/a/.": false, "/a//": false, "/*/": true, "/.a/..b/*": true,
	} {
		if why := admission.CheckPath(path); (why == "") != good {
			t.Errorf("%q: %q", path, why)
		}
	}
}

func TestCheckPathNamesWhatWasMeant(t *testing.T) {
	for path, want := range map[string]string{
		"/a//b": "/a/b", "//a/*": "/a/*", "/a/./*": "/a/*", "/a/../b/*": "/b/*", "/..": "/", "/a/.": "/a/", "/a/b/..": "/a/", "/a//": "/a/", "/../../a": "/a",
	} {
		if why := admission.CheckPath(path); !strings.HasSuffix(why, "; if you mean "+want+", write "+want) {
			t.Errorf("%s: %s", path, why)
		}
	}
}

// Advice about a path in a tag can be copied to the tag, which cannot contain '*'.
func TestPathInATagIsSpelledAsInATag(t *testing.T) {
	claim := admission.ParseClaim(map[string]string{contract.TagPaths: "/team-a//x/ /team-a/ä="}, admission.Team{})
	why := origin.Why(admission.Decide(admission.Candidate{Ref: ref(accountA, "vo_1"), Claim: claim}, policy(), nil).Reasons)
	for _, want := range []string{`the path "/team-a//x/" in the tag originhub:paths of vo_1 has to be corrected: it never matches`, "if you mean /team-a/x/, write /team-a/x/; ", `the path "/team-a/ä=" in the tag originhub:paths of vo_1 has to be corrected: it contains a character other than letters, digits and _-./@:+=`} {
		if !strings.Contains(why, want) {
			t.Errorf("%s, without %s", why, want)
		}
	}
}

func TestCheckName(t *testing.T) {
	for name, good := range map[string]bool{
		"a.example.com": true, "internal-x-1.us-east-1.elb.amazonaws.com": true, "xn--bcher-kva.example": true,
		"": false, "localhost": false, "1.2.3.4": false, "::1": false, "A.example.com": false, "a..b": false, "-a.example.com": false,
		"a.example.com.": false, "*.example.com": false, "a b.example.com": false,
		strings.Repeat("a", 63) + ".example.com": true, strings.Repeat("a", 64) + ".example.com": false,
		strings.Repeat("abcdefg.", 31) + "com": true, strings.Repeat("abcdefg.", 32) + "com": false,
	} {
		if why := admission.CheckName(name); (why == "") != good {
			t.Errorf("%q: %q", name, why)
		}
	}
}

func TestFleet(t *testing.T) {
	for _, c := range []struct {
		distribution admission.Distribution
		want         []string
	}{
		{admission.Distribution{Create: 1}, []string{"main"}},
		{admission.Distribution{Create: 3}, []string{"main", "main-2", "main-3"}},
		{admission.Distribution{Adopt: []string{"E1"}}, []string{"main"}},
		{admission.Distribution{Adopt: []string{"E1", "E2"}}, []string{"main", "E2"}},
	} {
		if got := c.distribution.Fleet(); !slices.Equal(got, c.want) {
			t.Errorf("%+v has the fleet %v, want %v", c.distribution, got, c.want)
		}
	}
}

func TestWhichDistributionHasTheWildcard(t *testing.T) {
	for _, c := range []struct {
		aliases      admission.AliasMode
		distribution string
		want         bool
	}{
		{admission.Wildcard, origin.Main, true},
		{admission.Wildcard, "main-2", false},
		{admission.PerHost, origin.Main, false},
	} {
		if got := (admission.Policy{Aliases: c.aliases}).HasWildcard(c.distribution); got != c.want {
			t.Errorf("%s on %s: got %t, want %t", c.aliases, c.distribution, got, c.want)
		}
	}
}

// What remains after Settle has no conflicts, was admitted before what it conflicts with, and does not change if Settle runs again.
// Unpermitted has a record whose account, hosts, paths, domain or settings policy does not permit, or that overlaps an earlier one, and no
// other. A record that is to be detached has nothing to be permitted, and one record that is not permitted affects no other.
func TestUnpermitted(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*origin.Record)
		want   admission.Code
	}{
		"permitted":                {func(*origin.Record) {}, ""},
		"account without a team":   {func(o *origin.Record) { o.Account = "999999999999" }, admission.OriginUnknownAccount},
		"path that is not granted": {func(o *origin.Record) { o.Claim.Paths = []string{"/*"} }, admission.ClaimNotGranted},
		"host that is not granted": {func(o *origin.Record) { o.Claim.Hosts = []string{"www.example.com"} }, admission.ClaimNotGranted},
		"host outside the domain":  {func(o *origin.Record) { o.Claim.Hosts = []string{"www.elsewhere.example"} }, admission.ClaimOutsideDomain},
		"malformed path":           {func(o *origin.Record) { o.Claim.Paths = []string{"team-a"} }, admission.ClaimPathInvalid},
		"no domain":                {func(o *origin.Record) { o.Claim.Domain = "" }, admission.ClaimDomainMissing},
		"setting out of bounds":    {func(o *origin.Record) { o.Claim.Settings.ReadTimeout = 10_000 }, admission.ClaimSettingInvalid},
		"path of an earlier one":   {func(o *origin.Record) { o.Claim.Paths = []string{"/team-a/first"} }, admission.ClaimTaken},
		"to be detached":           {func(o *origin.Record) { o.Intent, o.Claim.Paths = origin.Detach, []string{"/*"} }, ""},
	} {
		first, o, last := held("team-a", accountA, "vo_1", "/team-a/first"), held("team-a", accountA, "vo_2", "/team-a/x"), held("team-a", accountA, "vo_3", "/team-a/last")
		first.Admitted, o.Admitted, last.Admitted = start, start.Add(time.Minute), start.Add(2*time.Minute)
		c.change(&o)
		got := admission.Unpermitted([]origin.Record{last, o, first}, policy())
		if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !origin.HasCode(got["vo_2"], c.want)) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestSettleKeepsTheEarlierClaims(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := policy()
		p.Limits = admission.Limits{}
		var records []origin.Record
		for i := range rapid.IntRange(0, 8).Draw(t, "records") {
			team, account := "team-a", accountA
			if rapid.Bool().Draw(t, "team-b") {
				team, account = "team-b", accountB
			}
			path := rapid.SampledFrom([]string{"/shared/*", "/shared/x/*", "/shared/x/y", "/" + team + "/*", "/" + team + "/x"}).Draw(t, "path")
			r := held(team, account, fmt.Sprintf("vo_%d", i), path)
			r.Admitted = start.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "admitted")) * time.Minute)
			records = append(records, r)
		}
		dropped := admission.Settle(records, p)
		if diff := cmp.Diff(dropped, admission.Settle(rapid.Permutation(records).Draw(t, "order"), p)); diff != "" {
			t.Fatalf("the result depends on the order of the registry: %s", diff)
		}
		standing := slices.DeleteFunc(slices.Clone(records), func(r origin.Record) bool {
			return slices.ContainsFunc(dropped, func(d admission.Dropped) bool { return d.Record.ID == r.ID })
		})
		if again := admission.Settle(standing, p); again != nil {
			t.Fatalf("a second Settle drops: %v", again)
		}
		for _, d := range dropped {
			r := d.Record
			earlier := slices.DeleteFunc(slices.Clone(standing), func(o origin.Record) bool { return o.Admitted.After(r.Admitted) })
			if admission.Decide(admission.Candidate{Ref: r.Ref, Claim: r.Claim}, p, earlier).Admit {
				t.Fatalf("%s is dropped, although no record that was admitted before it excludes it", r.ID)
			}
		}
	})
}
