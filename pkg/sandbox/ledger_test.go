package sandbox

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/originhub/originhub/pkg/sandbox/internal/ledger"
)

// TestLedgerIsCompleteAndPinned checks that every entry of the ledger is complete, and that each test which pins it exists and
// mentions its id.
func TestLedgerIsCompleteAndPinned(t *testing.T) {
	tests := testsBelow(t, ".")
	form := regexp.MustCompile(`^[A-Z][A-Z0-9]+-\d\d$`)
	var before string
	for _, e := range ledger.Entries() {
		switch {
		case !form.MatchString(e.ID):
			t.Errorf("%q is not an id such as CF-03", e.ID)
		case e.ID <= before:
			t.Errorf("%s comes after %s: ids are unique and in order", e.ID, before)
		case e.Claim == "":
			t.Errorf("%s has no claim", e.ID)
		case !slices.Contains(ledger.Certainties(), e.Certainty):
			t.Errorf("%s is %q, which is no certainty", e.ID, e.Certainty)
		case len(e.Sources) == 0 && e.Certainty != ledger.Choice:
			t.Errorf("%s has no source", e.ID)
		}
		before = e.ID
		for _, source := range e.Sources {
			if u, err := url.Parse(source); err != nil || u.Scheme != "https" || u.Host == "" || strings.ContainsAny(source, " ;") {
				t.Errorf("the source %q of %s is not one URL", source, e.ID)
			}
		}
		if len(e.PinnedBy) == 0 {
			t.Errorf("no test pins %s", e.ID)
		}
		for _, pin := range e.PinnedBy {
			source, ok := tests[pin]
			switch {
			case !ok:
				t.Errorf("%s is pinned by %s, which is not a test", e.ID, pin)
			case !strings.Contains(source, e.ID) && !strings.Contains(source, "TestAssumption_"+strings.ReplaceAll(e.ID, "-", "_")+"_"):
				t.Errorf("%s is pinned by %s, which does not mention it", e.ID, pin)
			}
		}
	}
}

// testsBelow returns the source of each test, with its doc comment, by the name that the ledger gives the test.
func testsBelow(t *testing.T, dir string) map[string]string {
	t.Helper()
	test := regexp.MustCompile(`(?m)^(?://.*\n)*func (Test\w+)\((?:.*\n)*?\}\n`)
	tests := map[string]string{}
	err := filepath.WalkDir(dir, func(file string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(file, "_test.go") {
			return err
		}
		b, err := os.ReadFile(file)
		for _, m := range test.FindAllStringSubmatch(string(b), -1) {
			tests[strings.TrimPrefix(filepath.ToSlash(filepath.Dir(file))+"."+m[1], ".")] = m[0]
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return tests
}
