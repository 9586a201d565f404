package infra

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/hubpolicy"
)

// TestMain ends the jsii kernel, which otherwise leaves its files behind.
func TestMain(m *testing.M) {
	code := m.Run()
	closeQuietly()
	os.Exit(code)
}

// rehearsalPolicy is the policy of the demo, which deploys the golden templates.
const rehearsalPolicy = "testdata/policy.yaml"

// synthesis holds the templates of all stacks.
type synthesis struct {
	hub         template // for the rehearsal policy
	anyHub      []byte   // the template that serves every policy
	spoke, team template
}

type template struct {
	raw         []byte
	Description string
	Parameters  map[string]any
	Resources   map[string]resource
	Outputs     map[string]any
}

type resource struct {
	Type       string
	Properties map[string]any
	DependsOn  []string
	// DeletionPolicy is "RetainExceptOnCreate" if the resource outlives the stack.
	DeletionPolicy      string
	UpdateReplacePolicy string
}

// synthesize runs the app once for all tests, because that takes seconds.
var synthesize = sync.OnceValues(func() (synthesis, error) {
	dir, err := os.MkdirTemp("", "originhub-synth-")
	if err != nil {
		return synthesis{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	app, err := rehearsalApp(dir)
	if err != nil {
		return synthesis{}, err
	}
	app.Synth(nil)
	var s synthesis
	hub, err := readTemplate(dir, "hub")
	if err != nil {
		return synthesis{}, err
	}
	s.anyHub = hub.raw
	if s.spoke, err = readTemplate(dir, "spoke"); err != nil {
		return synthesis{}, err
	}
	s.team, err = readTemplate(dir, "team")
	return s, err
})

func templates(t *testing.T) synthesis {
	t.Helper()
	s, err := synthesize()
	if err != nil {
		t.Fatal(err)
	}
	rehearsal := settings{PolicyFile: rehearsalPolicy}
	if err := rehearsal.readPolicy(); err != nil {
		t.Fatal(err)
	}
	s.hub = specialized(t, s.anyHub, hubParameters(rehearsal.Policy))
	return s
}

// hubParameters returns the parameters of the hub's template for a policy, with a stand-in for each package.
func hubParameters(p hubpolicy.Policy) map[string]string {
	parameters := p.Parameters()
	parameters[contract.CodeBucket] = "packages"
	for _, function := range contract.Functions() {
		parameters[contract.CodeKey(function)] = function + ".zip"
	}
	return parameters
}

// rehearsalApp makes all stacks from the rehearsal policy. Each binary is a stand-in whose content is its name.
func rehearsalApp(dir string) (awscdk.App, error) {
	s := settings{PolicyFile: rehearsalPolicy}
	if err := s.readPolicy(); err != nil {
		return nil, err
	}
	app := newApp(jsii.String(dir))
	code, err := packStandIns(dir, s)
	if err != nil {
		return nil, err
	}
	defer code.remove()
	_, err = newStacks(app, s, code)
	return app, err
}

// packStandIns packs stand-ins for the functions' binaries.
func packStandIns(dir string, s settings) (functionCode, error) {
	s.Functions = filepath.Join(dir, "functions")
	if err := os.MkdirAll(s.Functions, 0o755); err != nil {
		return "", err
	}
	for _, name := range slices.Concat(contract.Functions(), inTeam()) {
		if err := os.WriteFile(filepath.Join(s.Functions, name), []byte(name), 0o755); err != nil {
			return "", err
		}
	}
	return packFunctions(s)
}

// readTemplate reads a stack's template. It replaces an asset's key, a hash of the binary, by <function>.zip.
func readTemplate(dir, stack string) (template, error) {
	raw, err := os.ReadFile(filepath.Join(dir, stack+".template.json"))
	if err != nil {
		return template{}, err
	}
	assets, err := filepath.Glob(filepath.Join(dir, "asset.*", "bootstrap"))
	if err != nil {
		return template{}, err
	}
	text := string(raw)
	for _, path := range assets {
		name, err := os.ReadFile(path)
		if err != nil {
			return template{}, err
		}
		hash := strings.TrimPrefix(filepath.Base(filepath.Dir(path)), "asset.")
		text = strings.ReplaceAll(text, hash+".zip", string(name)+".zip")
	}
	t := template{raw: []byte(text + "\n")}
	return t, json.Unmarshal(t.raw, &t)
}
