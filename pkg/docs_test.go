package pkg_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	// documented is a command in a document that runs tests: its package and the pattern of -run.
	documented = regexp.MustCompile(`go test (\./[a-z/]+)[^\n` + "`" + `]* -run '?([A-Za-z0-9_|/^$-]+)`)
	testName   = regexp.MustCompile(`(?m)^func ((?:Test|Benchmark|Fuzz|Example)\w+)\(`)
)

// Each `go test … -run X` in a document runs a test. Go's test command succeeds with a pattern that matches none.
func TestDocumentedCommandsRunATest(t *testing.T) {
	listed, err := exec.Command("git", "-C", "..", "ls-files", "*.md").Output()
	if err != nil {
		t.Skipf("this is no git checkout: %v", err)
	}
	found := 0
	for _, file := range strings.Fields(string(listed)) {
		text, err := os.ReadFile(filepath.Join("..", file))
		if os.IsNotExist(err) {
			continue // deleted, and not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, command := range documented.FindAllStringSubmatch(string(text), -1) {
			found++
			pattern, _, _ := strings.Cut(command[2], "/") // what follows is a subtest
			if !runsTest(t, filepath.Join("..", command[1]), regexp.MustCompile(pattern)) {
				t.Errorf("%s: %q runs no test", file, command[0])
			}
		}
	}
	if found < 3 {
		t.Errorf("%d commands found: the test does not find them", found)
	}
}

// named is a test, a story or a test file in the last column of a promise in SECURITY.md.
var named = regexp.MustCompile("`([A-Za-z][A-Za-z0-9_/.-]+)`")

// Each promise in SECURITY.md names a test, and each test, story and test file that it names exists.
func TestPromisesNameTheirTests(t *testing.T) {
	text, err := os.ReadFile("../SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := declaredTests(t)
	promises := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 5 || strings.HasPrefix(cells[1], "---") || strings.TrimSpace(cells[3]) == "tested by" {
			continue
		}
		promises++
		keeps := 0
		for _, n := range named.FindAllStringSubmatch(cells[3], -1) {
			switch name := n[1]; {
			case strings.HasPrefix(name, "Test"):
				keeps++
				if !tests[name] {
					t.Errorf("%s: no test is called %s", cells[1], name)
				}
			case strings.Contains(name, "/"):
				if _, err := os.Stat(filepath.Join("..", name)); err != nil {
					t.Errorf("%s: %v", cells[1], err)
				}
				if strings.HasSuffix(name, "_test.go") {
					keeps++
				}
			case strings.Contains(name, "-"):
				keeps++
				if _, err := os.Stat(filepath.Join("rehearsal/testdata/stories", name+".txtar")); err != nil {
					t.Errorf("%s: %v", cells[1], err)
				}
			}
		}
		if keeps == 0 {
			t.Errorf("%s: names no test", cells[1])
		}
	}
	if promises < 30 {
		t.Errorf("%d promises found: the test does not find them", promises)
	}
}

// declaredTests returns the names of all tests of the module.
func declaredTests(t *testing.T) map[string]bool {
	t.Helper()
	tests := map[string]bool{}
	for _, root := range []string{".", "../infra"} {
		err := filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, name := range testName.FindAllStringSubmatch(string(text), -1) {
				tests[name[1]] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return tests
}

// runsTest reports whether a test in a package's directory has a name that the pattern matches.
func runsTest(t *testing.T, dir string, pattern *regexp.Regexp) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range testName.FindAllStringSubmatch(string(text), -1) {
			if pattern.MatchString(name[1]) {
				return true
			}
		}
	}
	return false
}
