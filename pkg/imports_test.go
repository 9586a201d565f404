package pkg_test

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/originhub/originhub/"

// listed is what `go list -json` says of a package.
type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
	Standard   bool
}

// TestImportRules holds the architecture: who may import whom, and why. A rule applies to every package whose path, below
// the module, begins with one of its prefixes.
func TestImportRules(t *testing.T) {
	core := []string{"pkg/origin", "pkg/inbound", "pkg/admission", "pkg/wiring", "pkg/teardown", "pkg/audit"}
	adapters := []string{
		"pkg/awscloudfront", "pkg/awsevents", "pkg/awsnetwork", "pkg/awsquotas", "pkg/awsram", "pkg/awsroute53", "pkg/awssfn", "pkg/awssqs", "pkg/awssts",
		"pkg/registry",
	}
	rules := []struct {
		packages []string
		forbid   func(imported string) bool
		because  string
	}{{
		packages: core,
		forbid:   outside(standard, ours("pkg/origin")),
		because:  "decisions are values in, values out: the core knows the standard library and its own vocabulary",
	}, {
		packages: core,
		forbid:   oneOf("context", "log", "log/slog", "os", "net", "net/http", "io/fs", "math/rand", "math/rand/v2", "sync", "unsafe"),
		because:  "same inputs, same outputs: no clock, log, file, network or goroutine where decisions are made",
	}, {
		packages: []string{"pkg/fault", "pkg/contract"},
		forbid:   outside(standard),
		because:  "everybody imports these, so they import nobody",
	}, {
		packages: []string{"pkg/workflow"},
		forbid:   outside(standard, ours(append(slices.Clone(core), "pkg/fault", "pkg/contract")...)),
		because:  "use cases reach the world through the ports they declare; adapters are chosen in main",
	}, {
		packages: adapters,
		forbid: outside(standard, ours("pkg/origin", "pkg/fault", "pkg/contract"), thirdParty("github.com/aws/aws-sdk-go-v2"),
			thirdParty("github.com/aws/smithy-go")),
		because: "an adapter translates between the vocabulary and its one service",
	}, {
		packages: []string{"pkg/sandbox"},
		forbid: func(p string) bool {
			return strings.HasPrefix(p, module) && !strings.HasPrefix(p, module+"pkg/sandbox")
		},
		because: "the sandbox is an independent witness: if it knew our code, they could be wrong together",
	}, {
		packages: []string{"functions", "pkg"},
		forbid: func(p string) bool {
			return strings.HasPrefix(p, "github.com/aws/aws-cdk-go") || strings.HasPrefix(p, "github.com/aws/jsii") || strings.HasPrefix(p, module+"infra")
		},
		because: "CDK takes minutes to compile and needs Node; nothing outside infra may wait for it",
	}, {
		packages: []string{"infra"},
		forbid:   outside(standard, ours("infra", "pkg/contract", "pkg/origin", "pkg/teardown", "pkg/policy", "pkg/admission"), cdk, thirdParty("github.com/google/go-cmp")),
		because:  "stacks share names, states, phases and the policy with the functions, and nothing else",
	}, {
		packages: []string{"pkg/admission", "pkg/wiring", "pkg/teardown", "pkg/inbound", "pkg/workflow", "pkg/registry", "pkg/policy"},
		forbid:   func(p string) bool { return strings.HasPrefix(p, module+"pkg/sandbox") },
		because:  "no code path of the product knows that it is in the sandbox",
	}}
	packages := list(t)
	for _, rule := range rules {
		applied := false
		for _, p := range packages {
			if !under(p.ImportPath, rule.packages) {
				continue
			}
			applied = true
			for _, imported := range p.Imports {
				if rule.forbid(imported) {
					t.Errorf("%s imports %s, but %s", p.ImportPath, imported, rule.because)
				}
			}
		}
		if !applied {
			t.Errorf("the rule for %v applies to no package: mend or remove it", rule.packages)
		}
	}
}

// TestWhichFunctionsLinkEC2 keeps the slowest SDK client out of every binary that can do without.
func TestWhichFunctionsLinkEC2(t *testing.T) {
	reasons := map[string]string{
		"functions/targets":  "only EC2 tells the addresses of an interface endpoint",
		"functions/teardown": "only EC2 tells what CloudFront left in a VPC",
	}
	var linking []string
	for _, p := range list(t) {
		if strings.HasPrefix(p.ImportPath, module+"functions/") && slices.Contains(p.Deps, "github.com/aws/aws-sdk-go-v2/service/ec2") {
			linking = append(linking, strings.TrimPrefix(p.ImportPath, module))
		}
	}
	if want := slices.Sorted(maps.Keys(reasons)); !slices.Equal(linking, want) {
		t.Errorf("the EC2 client, which takes 46 s to compile, is linked by %v, want %v", linking, want)
	}
}

func list(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

func under(path string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool {
		return path == module+prefix || strings.HasPrefix(path, module+prefix+"/")
	})
}

func standard(p string) bool {
	first, _, _ := strings.Cut(p, "/")
	return !strings.Contains(first, ".")
}

func ours(prefixes ...string) func(string) bool {
	return func(p string) bool { return under(p, prefixes) }
}

func thirdParty(prefix string) func(string) bool {
	return func(p string) bool { return p == prefix || strings.HasPrefix(p, prefix+"/") }
}

func cdk(p string) bool {
	return slices.ContainsFunc([]string{"github.com/aws/aws-cdk-go", "github.com/aws/constructs-go", "github.com/aws/jsii-runtime-go", "github.com/cdklabs"},
		func(prefix string) bool { return strings.HasPrefix(p, prefix+"/") || p == prefix })
}

func oneOf(paths ...string) func(string) bool {
	return func(p string) bool { return slices.Contains(paths, p) }
}

// outside forbids what none of the kinds permits.
func outside(kinds ...func(string) bool) func(string) bool {
	return func(p string) bool {
		return !slices.ContainsFunc(kinds, func(permits func(string) bool) bool { return permits(p) })
	}
}
