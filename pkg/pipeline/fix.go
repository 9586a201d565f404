package pipeline

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
)

// Patch is a change of one file.
type Patch struct {
	File     string // relative to the audited directory
	Old, New []byte
}

// Diff returns the patch in the unified format.
func (p Patch) Diff() []byte {
	d := diff.Diff("a/"+p.File, p.Old, "b/"+p.File, p.New)
	_, d, _ = bytes.Cut(d, []byte("\n")) // the line "diff …" of this library is not that of git
	return d
}

// Patches returns the mechanical fixes of a report's findings, one for each file.
func (r Report) Patches(dir string) ([]Patch, error) {
	byFile := map[string][]Fix{}
	for _, f := range r.Findings {
		if f.Fix != nil && !slices.Contains(byFile[f.Fix.File], *f.Fix) {
			byFile[f.Fix.File] = append(byFile[f.Fix.File], *f.Fix)
		}
	}
	root := dir
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		root = filepath.Dir(dir)
	}
	var patches []Patch
	for _, file := range slices.Sorted(maps.Keys(byFile)) {
		old, err := load(filepath.Join(root, filepath.FromSlash(file)))
		if err != nil {
			return nil, err
		}
		if changed := applied(old, byFile[file]); !bytes.Equal(old, changed) {
			patches = append(patches, Patch{file, old, changed})
		}
	}
	return patches, nil
}

// applied returns a text with fixes. A line from which the part has gone stays as it is.
func applied(old []byte, fixes []Fix) []byte {
	rows := slices.Collect(strings.Lines(string(old)))
	slices.SortFunc(fixes, func(a, b Fix) int { return b.Line - a.Line })
	for _, f := range fixes {
		i := f.Line - 1
		switch {
		case i < 0 || i >= len(rows):
		case f.Old == "":
			rows = slices.Insert(rows, i+1, f.New)
		case strings.Count(rows[i], f.Old) == 1:
			rows[i] = strings.Replace(rows[i], f.Old, f.New, 1)
		}
	}
	return []byte(strings.Join(rows, ""))
}

// Apply writes a patch to its file, with the permissions that the file has.
func (p Patch) Apply(dir string) error {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		dir = filepath.Dir(dir)
	}
	name := filepath.Join(dir, filepath.FromSlash(p.File))
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	return os.WriteFile(name, p.New, info.Mode().Perm())
}
