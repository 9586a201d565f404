package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the pages of the rules")

// audited returns the findings of a directory of one file.
func auditOf(t *testing.T, name, content string, scope Scope) Report {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := Audit(context.Background(), dir, scope)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A rule's page shows an example that has a finding, and one that has none of medium severity or more.
func TestExamplesOfRules(t *testing.T) {
	for _, rule := range Rules() {
		found := auditOf(t, rule.File, rule.Bad, Scope{}).Findings
		i := slices.IndexFunc(found, func(f Finding) bool { return f.Rule == rule.ID })
		if i < 0 {
			t.Errorf("%s: its bad example has the findings %v", rule.ID, found)
			continue
		}
		if f := found[i]; f.Severity > rule.Severity || f.Page != rule.Page() {
			t.Errorf("%s: severity %s, page %s", rule.ID, f.Severity, f.Page)
		}
		for _, f := range auditOf(t, rule.File, rule.Good, Scope{}).Findings {
			if f.Severity >= Medium || f.Rule == rule.ID {
				t.Errorf("%s: its good example has finding %s: %s", rule.ID, f.Rule, f.Does)
			}
		}
	}
}

// Each rule has a page, and each page a rule.
func TestPages(t *testing.T) {
	want := []string{}
	for _, rule := range Rules() {
		name := filepath.Join("rules", rule.ID+".md")
		want = append(want, name)
		page := []byte(rule.Markdown())
		if *update {
			if err := os.MkdirAll("rules", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, page, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, page) {
			t.Errorf("%s is stale: run `make golden` (%v)", name, err)
		}
	}
	got, err := filepath.Glob(filepath.Join("rules", "*.md"))
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("pages %v, want %v: %v", got, want, err)
	}
}

// The shapes of pipelines that people have, with what the audit says of each: rule, line, severity and confidence.
func TestShapes(t *testing.T) {
	for name, want := range map[string][]string{
		"github-origin-path":      {"12 origin-by-index informational medium", "13 update-without-retry low medium"},
		"behavior-by-index":       {"5 behavior-by-index high medium"},
		"kept-file":               {"9 kept-document high medium"},
		"header-of-all-origins":   {"7 unguarded-items high medium", "8 split-read medium medium"},
		"associate-alias":         {"6 alias-moved high medium"},
		"disable-and-delete":      {"3 distribution-disabled high medium", "4 split-read medium medium", "6 distribution-deleted high medium"},
		"retire-superseded":       {"5 vpc-origin-replaced high medium", "7 vpc-origin-deleted high high"},
		"unshare-first":           {"7 wrong-order high high", "8 wrong-order high high", "9 vpc-origin-deleted high high"},
		"delete-every-share":      {"3 every-share-deleted high high"},
		"cdk-deploy":              {"6 stack-owns-distribution high medium"},
		"cdk-deploy-with-a-stack": {"3 stack-owns-distribution high medium"},
	} {
		r, err := Audit(context.Background(), filepath.Join("testdata", "shapes", name), Scope{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range r.Findings {
			got = append(got, strings.Join([]string{itoa(f.Line), f.Rule, f.Severity.String(), f.Confidence.String()}, " "))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// The audit finds nothing in what this repository itself runs.
func TestOwnRepository(t *testing.T) {
	r, err := Audit(context.Background(), filepath.Join("..", ".."), Scope{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Select(Informational, Likely).Findings {
		t.Errorf("%s: %s %s", f.Position, f.Rule, f.Does)
	}
	for _, n := range r.Notes {
		t.Errorf("%s: %s", n.Position, n.Message)
	}
	if r.Files < 100 {
		t.Errorf("%d files read: the audit does not find them", r.Files)
	}
}

func TestJSON(t *testing.T) {
	r := auditOf(t, "a.sh", "aws ram delete-resource-share --resource-share-arn $S\n", Scope{})
	var b bytes.Buffer
	if err := r.Write(&b, "json"); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Version  int
		Findings []struct {
			Rule, Severity, Confidence, File, Page string
			Line, Column                           int
		}
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Findings) != 1 || got.Version != 1 {
		t.Fatalf("%s", b.String())
	}
	if f := got.Findings[0]; f.Rule != "share-revoked" || f.Severity != "high" || f.Confidence != "medium" || f.File != "a.sh" || f.Line != 1 || f.Column != 1 {
		t.Errorf("%+v", f)
	}
}
