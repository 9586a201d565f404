package pipeline

import (
	"slices"
	"strings"
	"testing"
)

// judged returns the findings of a script as "line rule severity confidence".
func judged(t *testing.T, name, content string, scope Scope) []string {
	t.Helper()
	var got []string
	for _, f := range auditOf(t, name, content, scope).Findings {
		got = append(got, strings.Join([]string{itoa(f.Line), f.Rule, f.Severity.String(), f.Confidence.String()}, " "))
	}
	return got
}

// each checks the findings of scripts by name.
func each(t *testing.T, file string, cases map[string]struct {
	content string
	want    []string
},
) {
	t.Helper()
	for name, c := range cases {
		if got := judged(t, file, c.content, Scope{}); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// The rows of the table of ofJob.
func TestJobs(t *testing.T) {
	each(t, "a.sh", map[string]struct {
		content string
		want    []string
	}{
		"deletion":                {"aws cloudfront delete-distribution --id E1ABCDEF --if-match X", []string{"1 distribution-deleted high high"}},
		"alias":                   {"aws cloudfront associate-alias --target-distribution-id E1 --alias a.example.com", []string{"1 alias-moved high high"}},
		"domain":                  {"aws cloudfront update-domain-association --domain a.example.com --if-match X", []string{"1 alias-moved high high"}},
		"copy":                    {"aws cloudfront copy-distribution --primary-distribution-id E1ABCDEF --caller-reference x", []string{"1 distribution-copied medium high"}},
		"staging":                 {"aws cloudfront update-distribution-with-staging-config --id E1ABCDEF --staging-distribution-id E2", []string{"1 staging-promoted high high"}},
		"origin deleted":          {"aws cloudfront delete-vpc-origin --id vo_1 --if-match X", []string{"1 vpc-origin-deleted high high"}},
		"origin updated":          {"aws cloudfront update-vpc-origin --id vo_1 --if-match X", []string{"1 vpc-origin-changed low high"}},
		"claim tag":               {"aws cloudfront untag-resource --resource a --tag-keys Items=originhub:paths", []string{"1 claim-tag-removed medium high"}},
		"teardown tag":            {"aws cloudfront untag-resource --resource a --tag-keys Items=originhub:teardown", nil},
		"other tag":               {"aws cloudfront untag-resource --resource a --tag-keys Items=team", nil},
		"every share":             {"for s in $(aws ram get-resource-shares --resource-owner SELF); do aws ram delete-resource-share --resource-share-arn $s; done", []string{"1 every-share-deleted high high"}},
		"chosen shares":           {"for s in $(aws ram get-resource-shares --resource-owner SELF --name x); do aws ram delete-resource-share --resource-share-arn $s; done", []string{"1 share-revoked high medium"}},
		"unshare, then delete":    {"aws ram disassociate-resource-share --resource-share-arn $S\naws cloudfront delete-vpc-origin --id $V", []string{"1 wrong-order high high", "2 vpc-origin-deleted high high"}},
		"delete, then unshare":    {"aws cloudfront delete-vpc-origin --id $V\naws ram delete-resource-share --resource-share-arn $S", []string{"1 vpc-origin-deleted high high", "2 share-revoked high medium"}},
		"share":                   {"aws ram delete-resource-share --resource-share-arn arn:aws:ram:us-east-1:1:resource-share/1", []string{"1 share-revoked high high"}},
		"share of something else": {"aws ram disassociate-resource-share --resource-share-arn $S --resource-arns $TRANSIT_GATEWAY_ARN", []string{"1 share-revoked high low"}},
		"accept":                  {"aws ram accept-resource-share-invitation --resource-share-invitation-arn $I", []string{"1 invitation-answered medium high"}},
		"reject":                  {"aws ram reject-resource-share-invitation --resource-share-invitation-arn $I", []string{"1 invitation-answered medium high"}},
		"unresolved":              {"aws cloudfront $OP --id $ID", []string{"1 unresolved-operation high low"}},
		"reads":                   {"aws cloudfront list-vpc-origins; aws ram get-resource-shares --resource-owner SELF", nil},
	})
}

// The rows of the table of ofUpdate.
func TestUpdates(t *testing.T) {
	const get, put = "aws cloudfront get-distribution-config --id E1ABCDEF", "aws cloudfront update-distribution --id E1ABCDEF --if-match "
	each(t, "a.sh", map[string]struct {
		content string
		want    []string
	}{
		"a file":                {put + "$E --distribution-config file://a.json", []string{"1 kept-document high high"}},
		"a text":                {put + "$E --distribution-config '{\"Enabled\": true}'", []string{"1 kept-document high high"}},
		"nothing known":         {put + "$E --distribution-config \"$CONFIG\"", []string{"1 kept-document high low"}},
		"an ETag read later":    {get + " --query DistributionConfig > a.json\n" + put + "$(" + get + " --query ETag) --distribution-config file://a.json", []string{"2 split-read high high"}},
		"an ETag read before":   {"e=$(" + get + " --query ETag)\n" + get + " --query DistributionConfig > a.json\n" + put + "$e --distribution-config file://a.json", []string{"3 split-read medium high"}},
		"one answer, an edit":   {get + " > a\njq '.DistributionConfig|.CacheBehaviors.Items[1].Compress=true' a > b\n" + put + "$(jq -r .ETag a) --distribution-config file://b", []string{"2 behavior-by-index high high"}},
		"nothing else":          {get + " > a\njq .DistributionConfig a > b\n" + put + "$(jq -r .ETag a) --distribution-config file://b", []string{"3 update-without-retry low high"}},
		"again and again":       {"until " + get + " > a; jq .DistributionConfig a > b\n" + put + "$(jq -r .ETag a) --distribution-config file://b; do :; done", nil},
		"the CLI reads it":      {"aws cloudfront update-distribution --id E1ABCDEF --default-root-object index.html", nil},
		"a file and a program":  {"generate > a.json\n" + put + "$E --distribution-config file://a.json", []string{"2 kept-document high low"}},
		"written in one branch": {"if [ -n \"$X\" ]; then " + get + " > a; fi\njq .DistributionConfig a > b\n" + put + "$(jq -r .ETag a) --distribution-config file://b", []string{"3 update-without-retry low high"}},
	})
}

// The rows of the table of ofEdit.
func TestEdits(t *testing.T) {
	for program, want := range map[string]string{
		`(.Origins.Items[] | select(.Id == "originhub-a")).ConnectionTimeout = 3`:                       "managed-part-edited high high",
		`(.Origins.Items[].CustomHeaders.Items[] | select(.HeaderName == "a")).HeaderValue = "b"`:       "unguarded-items high high",
		`[.CacheBehaviors.Items[].LambdaFunctionAssociations.Items[].EventType] as $x | .Comment = "a"`: "unguarded-items high high",
		`(.Origins.Items[].CustomHeaders.Items[]? | select(.HeaderName == "a")).HeaderValue = "b"`:      "",
		`(.Origins.Items[] | select(.Id == "a") | .CustomHeaders.Items[]).HeaderValue = "b"`:            "",
		`(.Origins.Items[] | select(.Id == "a")).VpcOriginConfig.VpcOriginId = "vo_1"`:                  "vpc-origin-replaced high high",
		`.CacheBehaviors.Items[0].Compress = true`:                                                      "behavior-by-index high high",
		`.CacheBehaviors.Items[-1].Compress |= not`:                                                     "behavior-by-index high high",
		`del(.CacheBehaviors.Items[0])`:                                                                 "behavior-by-index high high",
		`.Origins.Items[1].OriginPath = "/a"`:                                                           "origin-by-index informational high",
		`.Enabled = false`:                                                                              "distribution-disabled high high",
		`.Enabled |= false`:                                                                             "distribution-disabled high high",
		`.Enabled = $e`:                                                                                 "distribution-disabled high low",
		`.Enabled = true`:                                                                               "",
		`.Logging.Enabled = false`:                                                                      "",
		`.Aliases = {Quantity: 0}`:                                                                      "list-rewritten high high",
		`.Origins.Items = [{Id: "a"}]`:                                                                  "list-rewritten high high",
		`del(.CacheBehaviors)`:                                                                          "list-rewritten high high",
		`.CacheBehaviors.Items += [{PathPattern: "/a"}]`:                                                "",
		`.CacheBehaviors.Items[].Compress = true`:                                                       "every-entry-edited medium high",
		`.Origins.Items |= map(.ConnectionAttempts = 2)`:                                                "every-entry-edited medium high",
		`.Origins.Items |= map(if .Id == "a" then .ConnectionAttempts = 2 else . end)`:                  "",
		`.DefaultCacheBehavior.Compress = true`:                                                         "",
		`this is no program`:                                                                            "",
	} {
		content := "get() { aws cloudfront get-distribution-config --id E1ABCDEF; }\nuntil get > a; jq '.DistributionConfig | " + program +
			"' a > b\naws cloudfront update-distribution --id E1ABCDEF --if-match $(jq -r .ETag a) --distribution-config file://b; do :; done\n"
		got := strings.TrimPrefix(strings.Join(judged(t, "a.sh", content, Scope{}), ", "), "2 ")
		if got != want {
			t.Errorf("%s: %q, want %q", program, got, want)
		}
	}
}

// The rows of the tables of ofDeclaration and ofDeployment.
func TestDeclarationsAndDeployments(t *testing.T) {
	const tf, wired = "resource \"aws_cloudfront_distribution\" \"a\" {\n}\n", "resource \"aws_cloudfront_distribution\" \"a\" {\n  origin {\n    vpc_origin_config {}\n  }\n  lifecycle {\n    ignore_changes = all\n  }\n}\n"
	const apply = "resource \"null_resource\" \"b\" {\n  provisioner \"local-exec\" {\n    command = \"terraform apply\"\n  }\n}\n"
	each(t, "a.tf", map[string]struct {
		content string
		want    []string
	}{
		"nobody applies":     {tf, []string{"1 terraform-owns-distribution high low"}},
		"somebody applies":   {tf + apply, []string{"1 terraform-owns-distribution high medium"}},
		"wired by hand":      {wired, []string{"1 vpc-origin-wired-by-hand high medium"}},
		"accepter":           {"resource \"aws_ram_resource_share_accepter\" \"a\" {\n}\n", []string{"1 terraform-accepts-invitation medium medium"}},
		"origin and share":   {"resource \"aws_cloudfront_vpc_origin\" \"a\" {\n}\nresource \"aws_ram_resource_share\" \"a\" {\n}\n", []string{"1 teardown-tag-removed low low"}},
		"tag ignored":        {"resource \"aws_cloudfront_vpc_origin\" \"a\" {\n  lifecycle {\n    ignore_changes = [tags[\"originhub:teardown\"]]\n  }\n}\n", nil},
		"wired by a module":  {strings.Replace(wired, "vpc_origin_config {}", "dynamic \"vpc_origin_config\" {\n      for_each = var.a\n      content {}\n    }", 1), []string{"1 vpc-origin-wired-by-hand high low"}},
		"another accepter":   {"# of a transit gateway\nresource \"aws_ram_resource_share_accepter\" \"a\" {\n}\n", []string{"2 terraform-accepts-invitation medium low"}},
		"destroyed":          {"resource \"aws_cloudfront_vpc_origin\" \"a\" {\n  provisioner \"local-exec\" {\n    command = \"terraform destroy\"\n  }\n}\n", []string{"1 teardown-tag-removed low medium", "3 destroy-without-teardown high medium"}},
		"destroyed, nothing": {"resource \"null_resource\" \"a\" {\n  provisioner \"local-exec\" {\n    command = \"terraform destroy\" # cloudfront\n  }\n}\n", nil},
	})
	each(t, "a.sh", map[string]struct {
		content string
		want    []string
	}{
		"an edge stack deployed":  {"cdk deploy CdnStack", []string{"1 stack-owns-distribution high medium"}},
		"another stack deployed":  {"cdk deploy Batch", nil},
		"an edge stack destroyed": {"npx cdk destroy edge --force", []string{"1 destroy-without-teardown high low"}},
		"another stack destroyed": {"cdk destroy batch # cloudfront", nil},
		"an edge stack deleted":   {"aws cloudformation delete-stack --stack-name cloudfront-a", []string{"1 destroy-without-teardown high low"}},
	})
}

// The rows of the table of grade.
func TestGrades(t *testing.T) {
	adopts := Scope{Policy: true, Adopted: []string{"E1ABCDEF"}, Domain: "example.com", Accounts: []string{"111111111111"}}
	creates := Scope{Policy: true, Creates: true, Domain: "example.com"}
	const other, alias = "aws cloudfront delete-distribution --id E2ABCDEF", "aws cloudfront associate-alias --target-distribution-id E1 --alias "
	workflow := func(account string) string {
		return "jobs:\n  a:\n    steps:\n      - uses: aws-actions/configure-aws-credentials@v4\n        with: {role-to-assume: \"arn:aws:iam::" + account + ":role/r\"}\n      - run: aws ram delete-resource-share --resource-share-arn $S\n"
	}
	for name, c := range map[string]struct {
		file, content string
		scope         Scope
		want          string
	}{
		"an adopted distribution":            {"a.sh", "aws cloudfront delete-distribution --id E1ABCDEF", adopts, "high high"},
		"another distribution":               {"a.sh", other, adopts, "informational high"},
		"another one, where the hub creates": {"a.sh", other, creates, "high medium"},
		"no policy":                          {"a.sh", other, Scope{}, "high high"},
		"an unknown one":                     {"a.sh", "aws cloudfront delete-distribution --id $D", adopts, "high medium"},
		"an alias under the domain":          {"a.sh", alias + "a.example.com", adopts, "high high"},
		"the domain itself":                  {"a.sh", alias + "example.com", adopts, "high high"},
		"another alias":                      {"a.sh", alias + "a.notexample.com", adopts, "informational high"},
		"an unknown alias":                   {"a.sh", alias + "$A", adopts, "high medium"},
		"a template under the domain":        {"a.json", `{"Resources": {"D": {"Type": "AWS::CloudFront::Distribution", "Properties": {"DistributionConfig": {"Aliases": ["*.example.com"]}}}}}`, adopts, "high high"},
		"another template":                   {"a.json", `{"Resources": {"D": {"Type": "AWS::CloudFront::Distribution", "Properties": {"DistributionConfig": {"Aliases": ["a.example.org"]}}}}}`, adopts, "informational low"},
		"an account of a team":               {".github/workflows/a.yml", workflow("111111111111"), adopts, "high high"},
		"another account":                    {".github/workflows/a.yml", workflow("222222222222"), adopts, "informational high"},
	} {
		got := judged(t, c.file, c.content, c.scope)
		if len(got) != 1 || !strings.HasSuffix(got[0], " "+c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// A comment silences a rule on its line, or on the next one if it stands alone, if it gives a reason and names the rule.
func TestComments(t *testing.T) {
	const deletes = "aws cloudfront delete-vpc-origin --id vo_1 --if-match X"
	each(t, "a.sh", map[string]struct {
		content string
		want    []string
	}{
		"on the line":     {deletes + " # originhub:ignore[vpc-origin-deleted] never shared", nil},
		"before the line": {"# originhub:ignore[vpc-origin-deleted] never shared\n" + deletes, nil},
		"two rules":       {"# originhub:ignore[vpc-origin-deleted, share-revoked] never shared\n" + deletes, []string{"1 ignore-unused low high"}},
		"no reason":       {deletes + " # originhub:ignore[vpc-origin-deleted]", []string{"1 vpc-origin-deleted high high", "1 ignore-without-reason medium high"}},
		"another rule":    {deletes + " # originhub:ignore[share-revoked] x", []string{"1 vpc-origin-deleted high high", "1 ignore-unused low high"}},
		"an unknown rule": {deletes + " # originhub:ignore[vpc] x", []string{"1 vpc-origin-deleted high high", "1 ignore-unused low high"}},
		"another line":    {"# originhub:ignore[vpc-origin-deleted] x\n\n" + deletes, []string{"1 ignore-unused low high", "3 vpc-origin-deleted high high"}},
	})
	if got := judged(t, "a.go", "package a\n\nconst s = \"# originhub:ignore[x] in a string of cloudfront\"\n", Scope{}); len(got) > 0 {
		t.Errorf("a string in Go: %q", got)
	}
}
