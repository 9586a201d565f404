package sandbox

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The ledger of assumptions is honest: ids are unique and complete, each has a test named after it, and code cites none
// that is not in the ledger.
func TestLedger(t *testing.T) {
	s := start(t, Options{})
	testName := regexp.MustCompile(`func (Test\w+)\(`)
	citation := regexp.MustCompile(`\b([A-Z][A-Z0-9]+)-\d\d\b`)
	var tests []string
	cited := map[string]string{} // id → file
	walk := func(file string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(file) != ".go" {
			return err
		}
		b, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if strings.HasSuffix(file, "_test.go") {
			for _, m := range testName.FindAllStringSubmatch(string(b), -1) {
				tests = append(tests, m[1])
			}
			return nil
		}
		for line := range strings.Lines(string(b)) {
			if _, comment, ok := strings.Cut(line, "//"); ok {
				for _, id := range citation.FindAllString(comment, -1) {
					cited[id] = file
				}
			}
		}
		return nil
	}
	if err := filepath.WalkDir(".", walk); err != nil {
		t.Fatal(err)
	}

	var ids, prefixes []string
	for _, a := range s.Assumptions() {
		switch {
		case slices.Contains(ids, a.ID):
			t.Errorf("%s is in the ledger twice", a.ID)
		case a.Claim == "" || a.Source == "":
			t.Errorf("%s lacks its claim or its source", a.ID)
		case !slices.Contains([]string{"documented", "model", "observed", "inferred", "not found"}, a.Mark):
			t.Errorf("%s is marked %q", a.ID, a.Mark)
		}
		ids = append(ids, a.ID)
		prefix, _, _ := strings.Cut(a.ID, "-")
		prefixes = append(prefixes, prefix)
		name := strings.ReplaceAll(a.ID, "-", "_")
		if !slices.ContainsFunc(tests, func(test string) bool { return strings.Contains(test, name) }) {
			t.Errorf("no test is named after %s", a.ID)
		}
	}
	for id, file := range cited {
		prefix, _, _ := strings.Cut(id, "-")
		if slices.Contains(prefixes, prefix) && !slices.Contains(ids, id) {
			t.Errorf("%s cites %s, which is not in the ledger", file, id)
		}
	}
}
