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
	"github.com/originhub/originhub/pkg/teardown"
)

var update = flag.Bool("update", false, "rewrite what the README shows of the demo and of the state machine")

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
	_, chapter, printed := strings.Cut(out.String(), "\n4  ")
	chapter, _, hasNext := strings.Cut(chapter, "\n5  ")
	if !printed || !hasNext {
		t.Fatalf("the demo needs a fourth chapter and a fifth:\n%s", out.String())
	}
	excerpt := randomIDs.ReplaceAllString("4  "+strings.TrimSpace(chapter), "${1}…")
	checkReadme(t, "<!-- demo: written by make golden -->\n", "```\n"+excerpt+"\n```\n", "<!-- demo: end -->\n")
}

// TestReadmeDrawsTheMachine shows that the README's picture is that of the current machine.
func TestReadmeDrawsTheMachine(t *testing.T) {
	checkReadme(t, "<!-- machine: drawn by make golden -->\n", "```mermaid\n"+teardown.Mermaid()+"```\n", "<!-- machine: end -->\n")
}

// checkReadme checks that the README has want between begin and end, which must stand in it once. With -update, it writes want there.
func checkReadme(t *testing.T, begin, want, end string) {
	t.Helper()
	const readme = "../../README.md"
	raw, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(raw), begin)
	_, after, ended := strings.Cut(rest, end)
	if !ok || !ended || strings.Contains(after, begin) {
		t.Fatalf("%s needs exactly one place from %q to %q", readme, begin, end)
	}
	whole := before + begin + want + end + after
	switch {
	case whole == string(raw):
	case *update:
		if err := os.WriteFile(readme, []byte(whole), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s is stale after %q: run `make golden`; it should be:\n%s", readme, begin, want)
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
