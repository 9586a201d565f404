package wiring_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/originhub/originhub/pkg/wiring"
)

// Every status code that CloudFront caches is cached for 0 seconds in a distribution that the hub creates.
func TestBaseCachesNoErrors(t *testing.T) {
	config := string(wiring.Base(wiring.BaseSpec{CallerReference: "ref"}).Bytes())
	ttl := map[string]string{}
	for _, m := range regexp.MustCompile(`<ErrorCode>(\d+)</ErrorCode>.*?<ErrorCachingMinTTL>(\d+)<`).FindAllStringSubmatch(config, -1) {
		ttl[m[1]] = m[2]
	}
	for _, code := range []string{"400", "403", "404", "405", "414", "500", "501", "502", "503", "504"} {
		if ttl[code] != "0" {
			t.Errorf("status %s is cached for %q seconds", code, ttl[code])
		}
	}
}

// A distribution that the hub creates, also in place of a deleted one, has the settings of the policy, and every behavior that the hub adds
// to it has the response headers policy.
func TestBaseHasTheSettingsOfThePolicy(t *testing.T) {
	const acl, headers = "arn:aws:wafv2:us-east-1:100000000000:global/webacl/edge/1", "11111111-2222-4333-8444-555555555555"
	with := wiring.Base(wiring.BaseSpec{CallerReference: "ref", WebACL: acl, LogBucket: "logs", ResponseHeaders: headers})
	without := wiring.Base(wiring.BaseSpec{CallerReference: "ref"})
	for text, c := range map[string]*wiring.Config{
		"<WebACLId>" + acl + "</WebACLId>": with, "<Enabled>true</Enabled><IncludeCookies>false</IncludeCookies><Bucket>logs.s3.amazonaws.com</Bucket>": with,
		"<WebACLId></WebACLId>": without, "<Enabled>false</Enabled><IncludeCookies>false</IncludeCookies><Bucket></Bucket>": without,
	} {
		if config := strings.ReplaceAll(string(c.Bytes()), "<Bucket/>", "<Bucket></Bucket>"); !strings.Contains(strings.ReplaceAll(config, "<WebACLId/>", "<WebACLId></WebACLId>"), text) {
			t.Errorf("no %s in %s", text, config)
		}
	}
	desired := wiring.Desired{Toggle: true, Origins: []wiring.Origin{owned("vo_1", "alb.example.com", "/a/*", "/b/*")}}
	for want, c := range map[int]*wiring.Config{3: with, 0: without} {
		next, _ := write(t, desired, c)
		if got := strings.Count(string(next.Bytes()), "<ResponseHeadersPolicyId>"+headers+"<"); got != want {
			t.Errorf("%d behaviors have the response headers policy, want %d", got, want)
		}
	}
}

// A behavior in an adopted distribution gets no policy from its default behavior: what belongs to its owner's pages may not fit a team.
func TestAdoptedDistributionLendsNoResponseHeadersPolicy(t *testing.T) {
	base := wiring.Base(wiring.BaseSpec{CallerReference: "ref", ResponseHeaders: "11111111-2222-4333-8444-555555555555"})
	adopted, err := wiring.ParseConfig([]byte(strings.ReplaceAll(string(base.Bytes()), wiring.Placeholder, "website")))
	if err != nil {
		t.Fatal(err)
	}
	next, _ := write(t, wiring.Desired{Origins: []wiring.Origin{owned("vo_1", "alb.example.com", "/a/*")}}, adopted)
	if got := strings.Count(string(next.Bytes()), "<ResponseHeadersPolicyId>"); got != 1 {
		t.Errorf("%d behaviors have a response headers policy, want the default behavior only", got)
	}
}

// A distribution that an earlier version created gets what a new one has: the response headers policy in each behavior of the hub that has none, and
// errors that are cached for 0 seconds. Somebody's own policy and error caching stay, as does everything of an adopted distribution.
func TestCreatedDistributionGetsTheBaseOfANewOne(t *testing.T) {
	const headers, own = "11111111-2222-4333-8444-555555555555", "99999999-2222-4333-8444-555555555555"
	errors := regexp.MustCompile(`(?s)<CustomErrorResponses>.*</CustomErrorResponses>`)
	origins := []wiring.Origin{owned("vo_1", "alb.example.com", "/a/*", "/b/*")}
	wired, _ := write(t, wiring.Desired{Toggle: true, Origins: origins}, wiring.Base(wiring.BaseSpec{CallerReference: "ref"}))
	bare := errors.ReplaceAllString(string(wired.Bytes()), "<CustomErrorResponses><Quantity>0</Quantity></CustomErrorResponses>")
	desired := wiring.Desired{Toggle: true, Origins: origins, ResponseHeaders: headers}
	for name, c := range map[string]struct {
		config  string
		desired wiring.Desired
		with    int // behaviors with the policy of the hub
		errors  int // status codes for which caching is set
	}{
		"of an earlier version": {bare, desired, 3, 10},
		"with a policy of its own in one behavior": {
			strings.Replace(bare, "</CacheBehavior>", "<ResponseHeadersPolicyId>"+own+"</ResponseHeadersPolicyId></CacheBehavior>", 1), desired, 2, 10,
		},
		"with error caching of its own": {errors.ReplaceAllString(bare, "<CustomErrorResponses><Quantity>1</Quantity><Items><CustomErrorResponse><ErrorCode>404</ErrorCode>"+
			"<ErrorCachingMinTTL>5</ErrorCachingMinTTL></CustomErrorResponse></Items></CustomErrorResponses>"), desired, 3, 1},
		"without a policy": {bare, wiring.Desired{Toggle: true, Origins: origins}, 0, 10},
		"adopted":          {bare, wiring.Desired{Origins: origins}, 0, 0},
	} {
		before, err := wiring.ParseConfig([]byte(c.config))
		if err != nil {
			t.Fatal(err)
		}
		after, _ := write(t, c.desired, before)
		text := string(after.Bytes())
		if with, n := strings.Count(text, ">"+headers+"<"), strings.Count(text, "<ErrorCode>"); with != c.with || n != c.errors {
			t.Errorf("%s: %d behaviors have the policy, and caching of %d errors is set; want %d and %d", name, with, n, c.with, c.errors)
		}
		if again, err := wiring.Diff(c.desired, after); err != nil || !again.Empty() {
			t.Errorf("%s: a second plan is %s, %v", name, again, err)
		}
	}
}
