package pipeline

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A fix leaves a file in which the audit finds the fault no more, and changes nothing else.
func TestFixes(t *testing.T) {
	const read, write = "aws cloudfront get-distribution-config --id \"$D\" > a\n", "aws cloudfront update-distribution --id \"$D\" --if-match \"$(jq -r .ETag a)\" --distribution-config file://b\n"
	for name, c := range map[string]struct{ file, before, after, rule string }{
		"items": {
			"a.sh", read + "jq '.DistributionConfig | (.Origins.Items[].CustomHeaders.Items[] | select(.HeaderName == \"v\")).HeaderValue = \"2\"' a > b\n" + write,
			read + "jq '.DistributionConfig | (.Origins.Items[].CustomHeaders.Items[]? | select(.HeaderName == \"v\")).HeaderValue = \"2\"' a > b\n" + write, "unguarded-items",
		},
		"distribution": {
			"a.tf", "resource \"aws_cloudfront_distribution\" \"a\" {\n  enabled = true\n}\n\n# end\n",
			"resource \"aws_cloudfront_distribution\" \"a\" {\n  enabled = true\n\n  lifecycle {\n    ignore_changes = [aliases, origin, ordered_cache_behavior]\n  }\n}\n\n# end\n", "terraform-owns-distribution",
		},
		"VPC origin": {
			"a.tf", "resource \"aws_cloudfront_vpc_origin\" \"a\" {\n}\n",
			"resource \"aws_cloudfront_vpc_origin\" \"a\" {\n\n  lifecycle {\n    ignore_changes = [tags[\"originhub:teardown\"], tags_all[\"originhub:teardown\"]]\n  }\n}\n", "teardown-tag-removed",
		},
		"comment": {"a.sh", "aws s3 ls # originhub:ignore[share-revoked] once\necho\n", "aws s3 ls\necho\n", "ignore-unused"},
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, c.file)
		if err := os.WriteFile(file, []byte(c.before), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := Audit(context.Background(), dir, Scope{})
		if err != nil {
			t.Fatal(err)
		}
		patches, err := r.Patches(dir)
		if err != nil || len(patches) != 1 || !strings.HasPrefix(string(patches[0].Diff()), "--- a/"+c.file+"\n+++ b/"+c.file+"\n@@") {
			t.Errorf("%s: patches %v: %v", name, patches, err)
			continue
		}
		if err := patches[0].Apply(dir); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(file); err != nil || string(got) != c.after {
			t.Errorf("%s: %q, want %q: %v", name, got, c.after, err)
		}
		for _, f := range auditOf(t, c.file, c.after, Scope{}).Findings {
			if f.Rule == c.rule {
				t.Errorf("%s: after the fix: %s %s", name, f.Position, f.Does)
			}
		}
	}
}
