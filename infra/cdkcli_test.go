package infra

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestCDKCLIComesFromTheLockfile shows that make installs the CDK CLI as package-lock.json names it, with an exact version and a hash of
// each package, and that no command runs another one.
func TestCDKCLIComesFromTheLockfile(t *testing.T) {
	read := func(file string, into any) string {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if into != nil {
			if err := json.Unmarshal(raw, into); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
		}
		return string(raw)
	}
	var named struct{ DevDependencies map[string]string }
	var locked struct {
		Packages map[string]struct{ Version, Integrity string }
	}
	read("package.json", &named)
	read("package-lock.json", &locked)
	exact := regexp.MustCompile(`^\d+\.\d+\.\d+$`)
	if v := named.DevDependencies["aws-cdk"]; !exact.MatchString(v) || locked.Packages["node_modules/aws-cdk"].Version != v {
		t.Errorf("package.json asks for aws-cdk %q, and the lockfile names %q: want the same exact version", v, locked.Packages["node_modules/aws-cdk"].Version)
	}
	for name, p := range locked.Packages {
		if name != "" && !strings.HasPrefix(p.Integrity, "sha512-") {
			t.Errorf("%s has no hash in the lockfile: npm would accept any content", name)
		}
	}
	for _, file := range []string{"../Makefile", "../README.md", "README.md", "../.ci/run", "app/main.go"} {
		if strings.Contains(read(file, nil), "npx ") {
			t.Errorf("%s runs npx, which takes no lockfile", file)
		}
	}
	if makefile := read("../Makefile", nil); !strings.Contains(makefile, "npm ci ") || strings.Contains(makefile, "npm install") {
		t.Error("the Makefile does not install the CDK CLI with npm ci, the only command that refuses what the lockfile does not name")
	}
}
