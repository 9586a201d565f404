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
