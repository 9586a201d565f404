package cli

import (
	"context"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/originhub/originhub/pkg/internal/built"
	"github.com/originhub/originhub/pkg/rehearsal"
	"github.com/originhub/originhub/pkg/sandbox"
)

var update = flag.Bool("update", false, "rewrite the demo's excerpt in the README")

// randomIDs are ids in the demo's output. They change with every change of what the functions call, so the README shows how they begin.
var randomIDs = regexp.MustCompile(`\b(vo_|eni-|vpc-|resource-share/|distribution E)[A-Za-z0-9]{8,}(-[0-9a-f]{4,})*`)

// TestReadmeShowsTheDemo shows that the README's excerpt is what the demo prints in its fourth chapter, apart from ids.
func TestReadmeShowsTheDemo(t *testing.T) {
	w, err := rehearsal.New(rehearsal.Options{Templates: "../../infra/testdata", Functions: built.Functions(t), Sandbox: sandbox.Options{Seed: 1}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	var out strings.Builder
	if err := newDemo(w, &out).tell(context.Background()); err != nil {
		t.Fatal(err)
	}
	const readme, begin, end = "../../README.md", "<!-- demo: written by make golden -->\n", "<!-- demo: end -->\n"
	raw, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(raw), begin)
	_, after, ended := strings.Cut(rest, end)
	_, chapter, printed := strings.Cut(out.String(), "\n4  ")
	chapter, _, hasNext := strings.Cut(chapter, "\n5  ")
	if !ok || !ended || !printed || !hasNext {
		t.Fatalf("%s needs a place for the demo, from %q to %q, and the demo a fourth chapter and a fifth:\n%s", readme, begin, end, out.String())
	}
	excerpt := randomIDs.ReplaceAllString("4  "+strings.TrimSpace(chapter), "${1}…")
	want := before + begin + "```\n" + excerpt + "\n```\n" + end + after
	switch {
	case want == string(raw):
	case *update:
		if err := os.WriteFile(readme, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("the demo in %s is stale: run `make golden`. The demo prints:\n%s", readme, excerpt)
	}
}

// Scripts depend on exit code 5, which means that something was left behind. That is true of a dirty teardown only.
func TestExitCodeOfATeardown(t *testing.T) {
	for name, c := range map[string]struct {
		status sfntypes.ExecutionStatus
		error  string
		want   int
	}{
		"clean":     {sfntypes.ExecutionStatusSucceeded, "", exitOK},
		"dirty":     {sfntypes.ExecutionStatusFailed, "Dirty", exitLeft},
		"blocked":   {sfntypes.ExecutionStatusFailed, "Blocked", exitFailure},
		"gave up":   {sfntypes.ExecutionStatusFailed, "GiveUp", exitFailure},
		"timed out": {sfntypes.ExecutionStatusTimedOut, "States.Timeout", exitFailure},
	} {
		err := ended(rehearsal.VPCOrigin{ID: "vo_1"}, &sfn.DescribeExecutionOutput{Status: c.status, Error: aws.String(c.error)})
		if got := exitCode(err); got != c.want {
			t.Errorf("%s: exit code %d, want %d: %v", name, got, c.want, err)
		}
	}
}
