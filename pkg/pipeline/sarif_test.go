package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// A SARIF report has what the standard requires and what GitHub reads. With ORIGINHUB_SARIF_SCHEMA, the name of the standard's schema
// (https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json), which is not in the repository because of its
// licence, the report is validated against it.
func TestSARIF(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"a file&co.sh": "aws cloudfront delete-distribution --id E1ABCDEF --if-match X\n", "wrong.yml": "cloudfront: [", "b.sh": "aws ram accept-resource-share-invitation --x y\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r, err := Audit(context.Background(), dir, Scope{})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := r.Write(&b, "sarif"); err != nil {
		t.Fatal(err)
	}
	var log sarifLog
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	if log.Version != "2.1.0" || len(log.Runs) != 1 || log.Runs[0].Tool.Driver.Name == "" || len(log.Runs[0].Results) != 2 || len(log.Runs[0].Invocations[0].Notifications) != 1 {
		t.Fatalf("%s", b.String())
	}
	rules := log.Runs[0].Tool.Driver.Rules
	for _, result := range log.Runs[0].Results {
		place := result.Locations[0].Physical
		file, err := url.PathUnescape(place.Artifact.URI)
		if err != nil || strings.ContainsAny(place.Artifact.URI, " &") || !slices.Contains([]string{"a file&co.sh", "b.sh"}, file) {
			t.Errorf("address %q: %v", place.Artifact.URI, err)
		}
		if rules[result.RuleIndex].ID != result.RuleID || result.Message.Text == "" || place.Region.StartLine < 1 || place.Region.StartColumn < 1 ||
			!slices.Contains([]string{"note", "warning", "error"}, result.Level) {
			t.Errorf("%+v", result)
		}
	}
	if name := os.Getenv("ORIGINHUB_SARIF_SCHEMA"); name != "" {
		validate(t, name, b.Bytes())
	}
}

func validate(t *testing.T, schema string, document []byte) {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile(schema)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(v); err != nil {
		t.Error(err)
	}
}

// A Markdown report stays below the limit of a comment on GitHub, however many findings there are, and no text of a file breaks its table.
func TestMarkdown(t *testing.T) {
	content := strings.Repeat("aws cloudfront delete-distribution --id 'a|b' --if-match X\n", 2000)
	r := auditOf(t, "a.sh", content, Scope{})
	var b bytes.Buffer
	if err := r.Write(&b, "markdown"); err != nil {
		t.Fatal(err)
	}
	if len(r.Findings) != 2000 || b.Len() > 65_536 || !strings.Contains(b.String(), `a\|b`) || !strings.Contains(b.String(), " findings more;") {
		t.Errorf("%d findings, %d bytes: %.300s", len(r.Findings), b.Len(), b.String())
	}
}
