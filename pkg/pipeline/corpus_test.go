package pipeline

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Floors of what TestCorpus measures.
const (
	leastPrecision = 0.98
	leastRecall    = 0.98
	leastFiles     = 80
)

// The corpus in testdata/corpus has small repositories in all formats, written after real ones. The file want.txt of each lists the lines that have
// a finding, with its rule; it was written before the audit was run. A finding without confidence, which is not shown by default, does not count.
func TestCorpus(t *testing.T) {
	cases, err := filepath.Glob(filepath.Join("testdata", "corpus", "*"))
	if err != nil {
		t.Fatal(err)
	}
	found, missed, wrong, files := 0, 0, 0, 0
	for _, dir := range cases {
		raw, err := os.ReadFile(filepath.Join(dir, "want.txt"))
		if err != nil {
			t.Fatal(err)
		}
		r, err := Audit(context.Background(), dir, Scope{})
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Split(strings.TrimSpace(string(raw)), "\n")
		want = slices.DeleteFunc(want, func(l string) bool { return l == "" })
		for _, f := range r.Select(Informational, Likely).Findings {
			label := fmt.Sprintf("%s:%d %s", f.File, f.Line, f.Rule)
			if i := slices.Index(want, label); i >= 0 {
				want = slices.Delete(want, i, i+1)
				found++
				continue
			}
			wrong++
			t.Logf("%s: not labelled: %s (%s)", filepath.Base(dir), label, f.Does)
		}
		for _, label := range want {
			missed++
			t.Logf("%s: missed: %s", filepath.Base(dir), label)
		}
		for _, n := range r.Notes {
			t.Errorf("%s: %s: %s", filepath.Base(dir), n.Position, n.Message)
		}
		files += filesIn(t, dir) - 1
	}
	precision, recall := ratio(found, found+wrong), ratio(found, found+missed)
	t.Logf("%d files in %d repositories: %d labels found, %d missed, %d findings without a label: precision %.3f, recall %.3f", files, len(cases), found, missed, wrong, precision, recall)
	if precision < leastPrecision || recall < leastRecall || files < leastFiles {
		t.Errorf("precision %.3f, recall %.3f, %d files; want at least %.2f, %.2f and %d", precision, recall, files, leastPrecision, leastRecall, leastFiles)
	}
}

func ratio(part, whole int) float64 { return float64(part) / float64(max(1, whole)) }

func filesIn(t *testing.T, dir string) (n int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
