package pkg_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// banned are words that CONTRIBUTING.md's glossary replaces and that have no other meaning here.
var banned = regexp.MustCompile(`(?i:\b(tells? whether|pokes?|poked|woken|wakes?|strays?|astray|hand-made|meddl\w*|begets?|begot|shall|mends?|mended|calls? (it )?off|called off|is to blame|change one's mind)\b)|\b(Brought|Pointed)\b`)

// inName are banned words as a part of an exported name.
var inName = regexp.MustCompile(`Poke|Woken|Stray|Brought|Pointed|HandMade|Meddl|Foreign|Hunt|Beget|Mend(ed)?$`)

// The words of the glossary stand in every message, comment, exported name and document.
func TestWords(t *testing.T) {
	listed, err := exec.Command("git", "-C", "..", "ls-files").Output()
	if err != nil {
		t.Skipf("this is no git checkout: %v", err)
	}
	read := 0
	for _, file := range strings.Fields(string(listed)) {
		switch {
		case file == "CHANGELOG.md", file == "CONTRIBUTING.md": // list the words that were replaced
			continue
		case file == "pkg/words_test.go", file == "pkg/registry/old.go", file == "pkg/registry/old_test.go", file == "pkg/inbound/old_test.go", strings.HasPrefix(file, "infra/testdata/old/"):
			continue // old items and templates have the old words
		}
		switch filepath.Ext(file) {
		case ".go", ".md", ".txtar", ".yaml":
		default:
			continue
		}
		text, err := os.ReadFile(filepath.Join("..", file))
		if os.IsNotExist(err) {
			continue // deleted, and not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		read++
		if filepath.Ext(file) == ".go" {
			checkSource(t, file, text)
			continue
		}
		for i, line := range strings.Split(string(text), "\n") {
			if word := banned.FindString(line); word != "" {
				t.Errorf("%s:%d: %q: use the word of the glossary in CONTRIBUTING.md", file, i+1, word)
			}
		}
	}
	if read < 300 {
		t.Errorf("%d files read: the test does not find them", read)
	}
}

// checkSource checks comments, strings and exported names.
func checkSource(t *testing.T, file string, text []byte) {
	t.Helper()
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, file, text, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	report := func(at token.Pos, word string) {
		if word != "" {
			t.Errorf("%s: %q: use the word of the glossary in CONTRIBUTING.md", files.Position(at), word)
		}
	}
	for _, group := range parsed.Comments {
		for _, c := range group.List {
			report(c.Pos(), banned.FindString(c.Text))
		}
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			if n.Tag != nil { // stored names stay
				for _, name := range n.Names {
					ast.Inspect(n.Type, func(ast.Node) bool { return true })
					if name.IsExported() {
						report(name.Pos(), inName.FindString(name.Name))
					}
				}
				return false
			}
		case *ast.BasicLit:
			if n.Kind == token.STRING && strings.Contains(n.Value, " ") {
				report(n.Pos(), banned.FindString(n.Value))
			}
		case *ast.Ident:
			if n.Obj != nil && n.IsExported() {
				report(n.Pos(), inName.FindString(n.Name))
			}
		}
		return true
	})
}
