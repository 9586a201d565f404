package pkg_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/originhub/originhub/"

// listed is what `go list -json` says of a package.
type listed struct {
	ImportPath, Dir           string
	GoFiles                   []string
	Imports, Deps             []string
	TestImports, XTestImports []string
}

func core() []string {
	return []string{"pkg/origin", "pkg/inbound", "pkg/admission", "pkg/hubpolicy", "pkg/wiring", "pkg/teardown", "pkg/audit", "pkg/outcome"}
}

func adapters() []string {
	return []string{
		"pkg/awscloudfront", "pkg/awsevents", "pkg/awsnetwork", "pkg/awsquotas", "pkg/awsram", "pkg/awsroute53", "pkg/awssfn", "pkg/awssqs", "pkg/awssts",
		"pkg/registry",
	}
}

// TestImportRules holds the architecture: who may import whom, and why. A rule applies to every package whose path, below
// the module, begins with one of its prefixes.
func TestImportRules(t *testing.T) {
	core, adapters := core(), adapters()
	rules := []struct {
		packages []string
		forbid   func(imported string) bool
		because  string
	}{{
		packages: core,
		forbid:   outside(standard, ours(append(slices.Clone(core), "pkg/contract")...)),
		because:  "decisions are values in, values out: the core knows the standard library, the names in contract and itself",
	}, {
		packages: core,
		forbid:   oneOf("context", "log", "log/slog", "os", "net", "net/http", "io/fs", "math/rand", "math/rand/v2", "sync", "unsafe"),
		because:  "same inputs, same outputs: no clock, log, file, network or goroutine where decisions are made",
	}, {
		packages: []string{"pkg/outcome"},
		forbid:   outside(standard, ours("pkg/origin", "pkg/contract")),
		because:  "every decision asks for an outcome, so an outcome knows no decision",
	}, {
		packages: []string{"pkg/fault", "pkg/contract", "pkg/origin"},
		forbid:   outside(standard),
		because:  "everybody imports these, so they import nobody",
	}, {
		packages: []string{"pkg/admission"},
		forbid:   outside(standard, ours("pkg/origin", "pkg/contract", "pkg/outcome", "pkg/inbound", "pkg/wiring", "pkg/teardown")),
		because:  "admission decides by its own part of the hub policy, not by the settings of everything else",
	}, {
		packages: []string{"pkg/policy"},
		forbid:   outside(standard, ours("pkg/hubpolicy", "pkg/admission", "pkg/teardown", "pkg/origin"), thirdParty("github.com/goccy/go-yaml")),
		because:  "a policy is text until it is a value of the core",
	}, {
		packages: []string{"pkg/pipeline"},
		forbid: outside(standard, ours("pkg/pipeline", "pkg/hubpolicy"), thirdParty("mvdan.cc/sh/v3"), thirdParty("github.com/hashicorp/hcl/v2"), thirdParty("github.com/zclconf/go-cty/cty"),
			thirdParty("github.com/itchyny/gojq"), thirdParty("github.com/goccy/go-yaml"), thirdParty("github.com/rogpeppe/go-internal/diff")),
		because: "an audit of pipelines reads files of others; of the product it knows the hub policy, and nothing calls AWS",
	}, {
		packages: []string{"pkg/telemetry"},
		forbid:   outside(standard, ours("pkg/contract", "pkg/outcome"), thirdParty("github.com/aws/aws-lambda-go")),
		because:  "metrics are written as they were decided",
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
		packages: []string{"pkg/hub"},
		forbid: outside(standard, ours(adapters...),
			ours("pkg/hub", "pkg/inbound", "pkg/hubpolicy", "pkg/admission", "pkg/outcome", "pkg/workflow", "pkg/fault", "pkg/contract", "pkg/policy", "pkg/telemetry"),
			thirdParty("github.com/aws/aws-lambda-go"), oneOf("github.com/aws/aws-sdk-go-v2/aws", "github.com/aws/aws-sdk-go-v2/aws/retry")),
		because: "a constructor joins a use case with its adapters, and does nothing else",
	}, {
		packages: []string{"functions"},
		forbid: outside(standard, ours("functions/internal", "pkg/hub"), thirdParty("github.com/aws/aws-lambda-go"),
			oneOf("github.com/aws/aws-sdk-go-v2/aws", "github.com/aws/aws-sdk-go-v2/aws/transport/http", "github.com/aws/aws-sdk-go-v2/config")),
		because: "a main hands its process to a constructor; what else it did, no rehearsal in one process would see",
	}, {
		packages: []string{"pkg/sandbox"},
		forbid: func(p string) bool {
			return strings.HasPrefix(p, module) && !strings.HasPrefix(p, module+"pkg/sandbox")
		},
		because: "the sandbox is an independent witness: if it knew our code, they could be wrong together",
	}, {
		packages: []string{"pkg/rehearsal"},
		forbid: outside(standard, ours(append(adapters, "pkg/rehearsal", "pkg/sandbox", "pkg/hub", "pkg/contract", "pkg/policy", "pkg/hubpolicy", "pkg/origin")...),
			thirdParty("github.com/aws/aws-sdk-go-v2"), thirdParty("github.com/aws/aws-lambda-go")),
		because: "a rehearsal deploys the product and acts on it from outside; it neither decides nor prints",
	}, {
		packages: []string{"pkg/hubpolicy", "pkg/admission", "pkg/wiring", "pkg/teardown", "pkg/inbound", "pkg/workflow", "pkg/registry", "pkg/policy", "pkg/hub", "functions"},
		forbid:   func(p string) bool { return strings.HasPrefix(p, module+"pkg/rehearsal") },
		because:  "the product does not know that it is rehearsed",
	}, {
		packages: []string{"functions", "pkg"},
		forbid: func(p string) bool {
			return strings.HasPrefix(p, "github.com/aws/aws-cdk-go") || strings.HasPrefix(p, "github.com/aws/jsii") || strings.HasPrefix(p, module+"infra")
		},
		because: "CDK takes minutes to compile and needs Node; nothing outside infra may wait for it",
	}, {
		packages: []string{"infra"},
		forbid:   outside(standard, ours("infra", "pkg/contract", "pkg/origin", "pkg/teardown", "pkg/policy", "pkg/hubpolicy", "pkg/admission"), cdk, thirdParty("github.com/google/go-cmp")),
		because:  "stacks share names, states, phases and the policy with the functions, and nothing else",
	}, {
		packages: []string{"infra/team"},
		forbid:   outside(standard, ours("infra/internal/parts", "pkg/contract"), cdk),
		because:  "a team's app compiles what belongs in the team's account, and nothing of the hub's",
	}, {
		packages: []string{"infra/internal/parts"},
		forbid:   outside(standard, cdk),
		because:  "the hub and the teams are made of these, so they know neither",
	}, {
		packages: []string{"pkg/hubpolicy", "pkg/admission", "pkg/wiring", "pkg/teardown", "pkg/inbound", "pkg/workflow", "pkg/registry", "pkg/policy"},
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
			t.Errorf("the rule for %v applies to no package: correct or remove it", rule.packages)
		}
	}
}

// TestWhoKnowsAnAWSService holds that an adapter is where its service ends: nobody else in the product calls it.
func TestWhoKnowsAnAWSService(t *testing.T) {
	const services = "github.com/aws/aws-sdk-go-v2/service/"
	adapters := map[string][]string{
		"pkg/awscloudfront": {"cloudfront"},
		"pkg/awsevents":     {"eventbridge"},
		"pkg/awsnetwork":    {"ec2", "elasticloadbalancingv2"}, // what stands behind an origin, and where, takes both
		"pkg/awsquotas":     {"servicequotas"},
		"pkg/awsram":        {"ram"},
		"pkg/awsroute53":    {"route53"},
		"pkg/awssfn":        {"sfn"},
		"pkg/awssqs":        {"sqs"},
		"pkg/awssts":        {"sts"},
		"pkg/registry":      {"dynamodb"},
	}
	known := map[string][]string{}
	for _, p := range list(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		if under(p.ImportPath, []string{"pkg/cli", "pkg/rehearsal", "pkg/sandbox", "pkg/internal"}) { // they act as people do
			continue
		}
		for _, imported := range p.Imports {
			if service, ok := strings.CutPrefix(strings.TrimSuffix(imported, "/types"), services); ok && !slices.Contains(known[name], service) {
				known[name] = append(known[name], service)
			}
		}
	}
	if !maps.EqualFunc(known, adapters, slices.Equal[[]string]) {
		t.Errorf("services are known to %v, want %v", known, adapters)
	}
}

// TestAFunctionIsItsConstructor holds that a function links only what its own constructor needs.
func TestAFunctionIsItsConstructor(t *testing.T) {
	for _, p := range list(t) {
		function, ok := strings.CutPrefix(p.ImportPath, module+"functions/")
		if !ok || strings.HasPrefix(function, "internal/") {
			continue
		}
		for _, imported := range p.Imports {
			if name, ok := strings.CutPrefix(imported, module+"pkg/hub/"); ok && name != function {
				t.Errorf("functions/%s imports the constructor of %s", function, name)
			}
		}
		if !slices.Contains(p.Imports, module+"pkg/hub/"+function) {
			t.Errorf("functions/%s does not import its constructor", function)
		}
	}
}

// TestHandlersReadNothingByThemselves holds what makes two ways to run a handler one: below the constructors, the environment,
// the streams and the clock are those that the host hands over. To the core the time is a value like any other.
func TestHandlersReadNothingByThemselves(t *testing.T) {
	forbidden := map[string][]string{
		"os":           nil, // all of it
		"log":          nil, // writes to standard error
		"math/rand":    nil,
		"math/rand/v2": nil,
		"time":         {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"},
		"fmt":          {"Print", "Printf", "Println"},
	}
	if found := uses(t, "../functions/internal/process/process.go", forbidden); len(found) == 0 {
		t.Error("what a process is made of is not found where it is used")
	}
	for _, p := range list(t) {
		if !under(p.ImportPath, slices.Concat(core(), adapters(), []string{"pkg/hub", "pkg/workflow", "pkg/policy", "pkg/telemetry"})) {
			continue
		}
		if len(p.GoFiles) == 0 {
			t.Errorf("%s has no files", p.ImportPath)
		}
		for _, name := range p.GoFiles {
			for _, use := range uses(t, filepath.Join(p.Dir, name), forbidden) {
				t.Errorf("%s/%s uses %s: take it from hub.Host, or two instances in one process would share it", p.ImportPath, name, use)
			}
		}
	}
}

// uses lists what a file uses of some packages: of each all, or the functions that are named.
func uses(t *testing.T, file string, of map[string][]string) (found []string) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{} // import path by the name in this file
	for _, i := range parsed.Imports {
		from := strings.Trim(i.Path.Value, `"`)
		name := path.Base(from)
		if i.Name != nil {
			name = i.Name.Name
		}
		names[name] = from
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		from, ok := selector.X.(*ast.Ident)
		if !ok {
			return true
		}
		functions, listed := of[names[from.Name]]
		if listed && (functions == nil || slices.Contains(functions, selector.Sel.Name)) {
			found = append(found, names[from.Name]+"."+selector.Sel.Name)
		}
		return true
	})
	return found
}

// TestWhoCompilesEC2 keeps the slowest SDK client out of every binary and every test that can do without.
func TestWhoCompilesEC2(t *testing.T) {
	const client = "github.com/aws/aws-sdk-go-v2/service/ec2"
	reasons := map[string]string{
		"functions/audit":         "only EC2 tells what CloudFront left in a VPC",
		"functions/targets":       "only EC2 tells the addresses of an interface endpoint",
		"functions/teardown":      "only EC2 tells what CloudFront left in a VPC",
		"pkg/awsnetwork":          "the adapter",
		"pkg/hub":                 "its tests build function audit",
		"pkg/hub/audit":           "builds function audit",
		"pkg/hub/targets":         "builds function targets",
		"pkg/hub/teardown":        "builds function teardown",
		"pkg/rehearsal":           "its stories and lives run every handler in their process",
		"pkg/rehearsal/inprocess": "links every handler",
	}
	packages := list(t)
	compiles := map[string]bool{}
	for _, p := range packages {
		compiles[p.ImportPath] = slices.Contains(p.Deps, client)
	}
	var compiling []string
	for _, p := range packages {
		if compiles[p.ImportPath] || slices.ContainsFunc(slices.Concat(p.TestImports, p.XTestImports), func(i string) bool { return i == client || compiles[i] }) {
			compiling = append(compiling, strings.TrimPrefix(p.ImportPath, module))
		}
	}
	if want := slices.Sorted(maps.Keys(reasons)); !slices.Equal(compiling, want) {
		t.Errorf("the EC2 client, which takes 46 s to compile, is compiled for %v and their tests, want %v", compiling, want)
	}
}

var goList = sync.OnceValues(func() ([]byte, error) {
	return exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,Imports,Deps,TestImports,XTestImports", module+"...").Output()
})

func list(t *testing.T) []listed {
	t.Helper()
	out, err := goList()
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
