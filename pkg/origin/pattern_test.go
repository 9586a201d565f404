package origin_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/originhub/originhub/pkg/origin"
)

// expression returns a regular expression that matches the same paths as pattern.
func expression(pattern string) *regexp.Regexp {
	e := regexp.QuoteMeta("/" + strings.TrimPrefix(pattern, "/"))
	return regexp.MustCompile("^" + strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(e) + "$")
}

// paths are all paths of up to six letters; the letter "z" is in no pattern.
var paths = func() []string {
	all, last := []string{"/"}, []string{"/"}
	for range 6 {
		var longer []string
		for _, p := range last {
			for _, c := range []string{"a", "b", "z"} {
				longer = append(longer, p+c)
			}
		}
		all, last = append(all, longer...), longer
	}
	return all
}()

func matched(pattern string) (hits []bool) {
	e := expression(pattern)
	for _, p := range paths {
		hits = append(hits, e.MatchString(p))
	}
	return hits
}

// pattern draws a short pattern. Two patterns that are not equivalent differ on a path of at most six letters.
func pattern(t *rapid.T, label string) string {
	return "/" + rapid.StringOfN(rapid.SampledFrom([]rune("aab??**")), 0, 4, -1).Draw(t, label)
}

func TestPatternsAgreeWithExpressionsOnEveryShortPath(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := pattern(t, "a"), pattern(t, "b")
		inA, inB := matched(a), matched(b)
		covers, overlap := true, false
		for i := range paths {
			covers = covers && (inA[i] || !inB[i])
			overlap = overlap || (inA[i] && inB[i])
		}
		if got := origin.Covers(a, b); got != covers {
			t.Errorf("Covers(%q, %q) = %v", a, b, got)
		}
		if got := origin.Overlap(a, b); got != overlap {
			t.Errorf("Overlap(%q, %q) = %v", a, b, got)
		}
		if same := slices.Equal(inA, inB); same != (origin.Canonical(a) == origin.Canonical(b)) {
			t.Errorf("%q and %q match the same paths: %v; canonical: %q, %q", a, b, same, origin.Canonical(a), origin.Canonical(b))
		}
		order := origin.CompareSpecific(a, b)
		if covers && !slices.Equal(inA, inB) && order <= 0 {
			t.Errorf("%q covers %q but compares as at least as specific", a, b)
		}
		if order != -origin.CompareSpecific(b, a) {
			t.Errorf("CompareSpecific(%q, %q) is not antisymmetric", a, b)
		}
		p := rapid.SampledFrom(paths).Draw(t, "path")
		if origin.Covers(a, p) != expression(a).MatchString(p) {
			t.Errorf("Covers(%q, %q) = %v", a, p, origin.Covers(a, p))
		}
	})
}

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"/team-a/*", "/team-a/customers/123", true},
		{"team-a/*", "/team-a/", true},
		{"/team-a/*", "/team-a", false},
		{"/team-a/*", "/Team-a/x", false},
		{"*.jpg", "/images/a.jpg", true},
		{"/a?", "/a", false},
		{"/?*", "/*a", true},
		{"/*?", "/?*", true},
		{"/a/*", "/a/b/*", true},
		{"/a/*", "a/*", true},
		{"/a/*", "/a*", false},
		{"/*a*", "/*a?????????????????????????a*", true},
		{"/*a?????????????????????????a*", "/*a*", false},
	} {
		if got := origin.Covers(c.a, c.b); got != c.want {
			t.Errorf("Covers(%q, %q) = %v", c.a, c.b, got)
		}
	}
}

func TestParseARN(t *testing.T) {
	ref, err := origin.ParseARN("arn:aws:cloudfront::111111111111:vpcorigin/vo_Jj3K54VLqUWGO5Nf0SMQZo")
	if err != nil || ref.ID != "vo_Jj3K54VLqUWGO5Nf0SMQZo" || ref.Account != "111111111111" {
		t.Errorf("got %+v, %v", ref, err)
	}
	for _, bad := range []string{
		"", "vo_1", "arn:aws:cloudfront::111111111111:distribution/E1", "arn:aws:cloudfront::1:vpcorigin/vo_1",
		"arn:aws:cloudfront:us-east-1:111111111111:vpcorigin/vo_1", "arn:aws:cloudfront::111111111111:vpcorigin/vo_1/x",
	} {
		if ref, err := origin.ParseARN(bad); err == nil {
			t.Errorf("%q was read as %+v", bad, ref)
		}
	}
}
