package pkg_test

import (
	"encoding/json"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// repository is the root of the repository, seen from this package.
const repository = ".."

var (
	// Ids of the ledger, in prose such as "CF-03" and in names of tests such as "TestAssumption_CF_03_EditLock".
	idInProse = regexp.MustCompile(`\b[A-Z][A-Z0-9]+-\d\d\b`)
	idInName  = regexp.MustCompile(`\bTestAssumption_([A-Z][A-Z0-9]+)_(\d\d)_`)

	// A path has a slash; what stands before it must not make it an absolute path, a part of a URL, or one that a shell completes.
	slashed  = regexp.MustCompile(`(^|[^\w./@:$~{}%…*-])((?:\.{1,2}/)*[\w.…*-]+(?:/[\w.…*-]+)+)`)
	bareFile = regexp.MustCompile(`(^|[^\w./@:$~{}%…*-])([\w-]+\.(?:md|go))\b`)
	fileName = regexp.MustCompile(`\.(?:md|go|json|ya?ml|txtar|txt|sh|py)$`)
)

// TestCitations checks that everything which the repository cites is in the repository: each id of modeled AWS behavior is
// in the ledger, and each path that a comment, a message or a document mentions exists.
func TestCitations(t *testing.T) {
	ids := ledgerIDs(t)
	tree := readTree(t)
	cited := 0
	for _, file := range tree.files {
		text := tree.text[file]
		if file == "pkg/citations_test.go" { // cites what does not exist, on purpose
			continue
		}
		for _, id := range citedIDs(text) {
			cited++
			if !slices.Contains(ids, id) && id != "UTF-16" {
				t.Errorf("%s cites %s, which is not in the ledger: add an entry to pkg/sandbox/internal/ledger/ledger.json, or cite another", file, id)
			}
		}
		for _, mention := range citedPaths(file, text, tree.tops) {
			cited++
			if !tree.has(file, mention) {
				t.Errorf("%s mentions %s, which is not in the repository: cite what a reader can open", file, mention)
			}
		}
	}
	if cited < 2*len(ids) { // the ledger's own entries and their tests
		t.Errorf("%d citations found: the test does not see them", cited)
	}
}

// TestCitationsAreFound checks that TestCitations sees what it is there to see.
func TestCitationsAreFound(t *testing.T) {
	const source = "package p\n\n// See facts/aws.md section 3, ../shared/style.md and pkg/x/y.go (CF-99).\nvar a = \"see design.md\"\n"
	tops := []string{"pkg", "infra"}
	for file, want := range map[string][]string{
		"a.go":    {"facts/aws.md", "../shared/style.md", "pkg/x/y.go", "design.md"},
		"a.md":    {"facts/aws.md", "../shared/style.md", "pkg/x/y.go", "design.md"},
		"a.txtar": {},
		"a.json":  {},
	} {
		if got := citedPaths(file, source, tops); !slices.Equal(got, want) {
			t.Errorf("paths in %s: %v, want %v", file, got, want)
		}
	}
	if got := citedIDs(source + "func TestAssumption_NET_98_Name("); !slices.Equal(got, []string{"CF-99", "NET-98"}) {
		t.Errorf("ids: %v", got)
	}
	for text, want := range map[string][]string{
		"https://docs.aws.amazon.com/a/b.json, /etc/x.json, $PWD/../x and github.com/a/b": {},
		"`infra/README.md`.": {"infra/README.md"},
		"./pkg/... and/or":   {"./pkg"},
		"pkg/aws… or *.go":   {"pkg/aws…"},
	} {
		if got := citedPaths("a.md", text, tops); !slices.Equal(got, want) {
			t.Errorf("paths in %q: %v, want %v", text, got, want)
		}
	}
}

// ledgerIDs returns the ids of pkg/sandbox/internal/ledger, which Go lets only the sandbox import.
func ledgerIDs(t *testing.T) (ids []string) {
	t.Helper()
	raw, err := os.ReadFile("sandbox/internal/ledger/ledger.json")
	if err != nil {
		t.Fatal(err)
	}
	var entries []struct{ ID string }
	if err := json.Unmarshal(raw, &entries); err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		ids = append(ids, e.ID)
	}
	return ids
}

// tree is the repository without what it ignores.
type tree struct {
	files []string          // text files, as slash-separated paths from the root
	text  map[string]string // by file
	paths []string          // files and directories
	tops  []string          // directories in the root
}

func readTree(t *testing.T) tree {
	t.Helper()
	r := tree{text: map[string]string{}}
	err := filepath.WalkDir(repository, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(repository, file)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		switch {
		case d.IsDir() && slices.Contains([]string{".git", ".build", "cdk.out", "node_modules"}, d.Name()):
			return fs.SkipDir
		case d.IsDir():
			if !strings.Contains(name, "/") && name != "." {
				r.tops = append(r.tops, name)
			}
			r.paths = append(r.paths, name)
			return nil
		}
		if !d.Type().IsRegular() || slices.Contains([]string{".test", ".prof", ".sum"}, path.Ext(name)) || name == ".git" {
			return nil
		}
		r.paths = append(r.paths, name)
		raw, err := os.ReadFile(file)
		if err == nil && utf8.Valid(raw) {
			r.files, r.text[name] = append(r.files, name), string(raw)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// has reports whether a path exists that file mentions: from the root, from the file's directory, or, for a file without a
// directory, anywhere. A path with … or * exists if something matches it.
func (r tree) has(file, mention string) bool {
	if !strings.Contains(mention, "/") {
		return slices.ContainsFunc(r.paths, func(p string) bool { return path.Base(p) == mention })
	}
	for _, from := range []string{".", path.Dir(file)} {
		want := path.Join(from, strings.ReplaceAll(mention, "…", "*"))
		if slices.ContainsFunc(r.paths, func(p string) bool {
			matches, err := path.Match(want, p)
			return err == nil && matches
		}) {
			return true
		}
	}
	return false
}

func citedIDs(text string) (ids []string) {
	ids = idInProse.FindAllString(text, -1)
	for _, m := range idInName.FindAllStringSubmatch(text, -1) {
		ids = append(ids, m[1]+"-"+m[2])
	}
	return ids
}

// citedPaths returns the paths that the prose of a file mentions. A word with a slash is a path if it begins with a directory
// of the root, or with . or .., or if it ends as a file does. Directories of a reader's own, such as .vscode, do not count.
func citedPaths(file, text string, tops []string) []string {
	found := []string{}
	for _, line := range strings.Split(prose(file, text), "\n") {
		for _, m := range slashed.FindAllStringSubmatch(line, -1) {
			mention := strings.TrimRight(m[2], "./")
			first, _, _ := strings.Cut(mention, "/")
			hidden := strings.HasPrefix(first, ".") && strings.Trim(first, ".") != ""
			if slices.Contains(tops, first) || !hidden && (strings.HasPrefix(first, ".") || fileName.MatchString(mention)) {
				found = append(found, mention)
			}
		}
		for _, m := range bareFile.FindAllStringSubmatch(line, -1) {
			found = append(found, m[2])
		}
	}
	return found
}

// prose returns what of a file is written for readers: of Go code the comments and the strings that have more than one word,
// of stories and configurations the comments, of documents everything.
func prose(file, text string) string {
	switch path.Ext(file) {
	case ".md":
		return text
	case ".go":
		return goProse(text)
	case ".txtar", ".yaml", ".yml", "":
		var comments []string
		for _, line := range strings.Split(text, "\n") {
			if _, comment, ok := strings.Cut(line, "#"); ok {
				comments = append(comments, comment)
			}
		}
		return strings.Join(comments, "\n")
	}
	return ""
}

func goProse(text string) string {
	var out strings.Builder
	var s scanner.Scanner
	files := token.NewFileSet()
	s.Init(files.AddFile("", files.Base(), len(text)), []byte(text), nil, scanner.ScanComments)
	for {
		_, kind, literal := s.Scan()
		switch kind {
		case token.EOF:
			return out.String()
		case token.COMMENT:
			out.WriteString(literal + "\n")
		case token.STRING:
			if value, err := strconv.Unquote(literal); err == nil && strings.Contains(value, " ") {
				out.WriteString(value + "\n")
			}
		}
	}
}
