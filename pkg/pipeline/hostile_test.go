package pipeline

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file that cannot be read costs a note, and the others are read.
func TestHostileFiles(t *testing.T) {
	laughs := "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for i := 'b'; i < 'k'; i++ {
		laughs += fmt.Sprintf("%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n", i, i, i-1, i-1, i-1, i-1, i-1, i-1, i-1, i-1, i-1, i-1)
	}
	for name, c := range map[string]struct{ file, content string }{
		"larger than 4 MiB":                   {"big.sh", "# cloudfront\n" + strings.Repeat("#", 5<<20)},
		"binary":                              {"blob.sh", "cloudfront\x00\x01"},
		"brackets in YAML":                    {"deep.yml", "cloudfront: " + strings.Repeat("[", 100_000)},
		"indentation in YAML":                 {"deep.yml", "cloudfront:\n" + strings.Repeat(" ", 5000) + "a: b\n"},
		"aliases that multiply":               {"laughs.yml", "cloudfront: 1\n" + laughs},
		"no YAML":                             {"wrong.yml", "cloudfront: [a, {b\n\tc: d"},
		"no JSON":                             {"wrong.json", `{"cloudfront": "AWS::", "a": `},
		"brackets in JSON":                    {"deep.json", `{"AWS::": "cloudfront", "a": ` + strings.Repeat("[", 100_000)},
		"brackets in a script":                {"deep.sh", "# cloudfront\n" + strings.Repeat("(", 100_000)},
		"substitutions in a script":           {"deep.sh", "# cloudfront\necho " + strings.Repeat("$(", 50_000)},
		"a script that ends in the middle":    {"half.sh", "# cloudfront\nif true; then\n"},
		"brackets in Terraform":               {"deep.tf", "# cloudfront\na = " + strings.Repeat("[", 100_000)},
		"no Terraform":                        {"wrong.tf", "resource cloudfront {{{"},
		"no Go":                               {"wrong.go", "package cloudfront\nfunc {"},
		"a makefile with a recipe in the air": {"Makefile", "a:\n\tif cloudfront\n"},
	} {
		dir := t.TempDir()
		for file, content := range map[string]string{c.file: c.content, "good.py": "import boto3\nboto3.client('cloudfront').delete_distribution(Id='E1ABCDEF')\n"} {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		r, err := Audit(context.Background(), dir, Scope{})
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Notes) == 0 || r.Notes[0].File != c.file || r.Notes[0].Message == "" {
			t.Errorf("%s: notes %v", name, r.Notes)
		}
		if len(r.Findings) != 1 || r.Findings[0].File != "good.py" {
			t.Errorf("%s: findings %v", name, r.Findings)
		}
	}
}

// After an error, the rest of a script is read.
func TestScriptWithErrors(t *testing.T) {
	r := auditOf(t, "a.sh", "if [ x ]; do\n  echo\nfi )\naws cloudfront delete-distribution --id E1ABCDEF\necho ((\naws cloudfront delete-distribution --id E2ABCDEF\n", Scope{})
	if len(r.Findings) != 2 || r.Findings[0].Line != 4 || r.Findings[1].Line != 6 || len(r.Notes) != 1 {
		t.Errorf("findings %v, notes %v", r.Findings, r.Notes)
	}
}

// An anchor that contains itself, and scripts and makefiles that call themselves, have an end.
func TestCycles(t *testing.T) {
	for file, content := range map[string]string{
		".gitlab-ci.yml":          "a: &a\n  script:\n    - aws cloudfront delete-distribution --id E1ABCDEF\n    - *a\n  extends: a\n",
		"loop.sh":                 "f() { f; g; }\ng() { f; }\nf\naws cloudfront delete-distribution --id E1ABCDEF\nbash loop.sh\nsource loop.sh\n",
		"Makefile":                "a: b\n\taws cloudfront delete-distribution --id E1ABCDEF\n\t$(MAKE) a\n\tmake a\nb: a\n",
		"package.json":            "{\"scripts\": {\"a\": \"aws cloudfront delete-distribution --id E1ABCDEF && npm run a\"}}",
		".github/workflows/a.yml": "jobs:\n  a:\n    uses: ./" + ".github/workflows/a.yml\n  b:\n    steps:\n      - run: aws cloudfront delete-distribution --id E1ABCDEF\n",
	} {
		r := auditOf(t, file, content, Scope{})
		if len(r.Findings) != 1 || r.Findings[0].Rule != "distribution-deleted" {
			t.Errorf("%s: %v, notes %v", file, r.Findings, r.Notes)
		}
	}
}

// An audit ends with its context.
func TestAuditEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Audit(ctx, t.TempDir(), Scope{}); err == nil {
		t.Error("an audit whose context has ended returns no error")
	}
}

// FuzzAudit shows that no content of a file ends the process or takes long.
func FuzzAudit(f *testing.F) {
	for _, seed := range []string{
		"aws cloudfront update-distribution --id $D --distribution-config file://a.json\n", "jobs: {a: {steps: [{run: \"aws cloudfront delete-distribution\"}]}}",
		"resource \"aws_cloudfront_distribution\" \"a\" {}", `{"Resources": {"A": {"Type": "AWS::CloudFront::Distribution"}}}`, "a:\n\t$(AWS) cloudfront $$(x) ${a}\n",
		"import boto3\nboto3.client('cloudfront').update_distribution(Id='a')", "package a\nimport \"github.com/aws/aws-sdk-go-v2/service/cloudfront\"\n",
	} {
		f.Add(seed)
	}
	files := []string{"a.sh", "a.yml", "a.tf", "a.json", "Makefile", "a.py", "a.ts", "a.go", "Jenkinsfile", ".gitlab-ci.yml", "buildspec.yml"}
	f.Fuzz(func(t *testing.T, content string) {
		repo := &repository{root: t.TempDir(), known: map[string]bool{}, base: map[string][]string{}, content: map[string]loaded{}}
		for _, file := range files {
			repo.add(file)
			repo.content[file] = loaded{raw: []byte(content + "\n# cloudfront")}
		}
		var results []*run
		for _, file := range files {
			results = append(results, read(repo, file))
		}
		r := conclude(repo, results, Scope{})
		for _, n := range r.Notes {
			if strings.Contains(n.Message, "the parser failed") {
				t.Log(n.Message) // a panic that read caught
			}
		}
	})
}
