package sandbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// assembly writes a CDK cloud assembly of the given files.
func assembly(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const queueStack = `{"Resources":{"Queue":{"Type":"AWS::SQS::Queue","Properties":{"QueueName":"NAME"}}}}`

func TestDeployAssembly(t *testing.T) {
	s := start(t, Options{})
	dir := assembly(t, map[string]string{
		"manifest.json": `{"version":"1","artifacts":{
			"A":{"type":"aws:cloudformation:stack","environment":"aws://` + team + `/eu-west-1","dependencies":["Z.assets","B"],"properties":{"templateFile":"A.json","stackName":"first"}},
			"B":{"type":"aws:cloudformation:stack","environment":"aws://unknown-account/unknown-region","properties":{"templateFile":"B.json"}},
			"Z.assets":{"type":"cdk:asset-manifest","properties":{"file":"Z.assets.json"}},
			"stage":{"type":"cdk:cloud-assembly","properties":{"directoryName":"stage"}},
			"Tree":{"type":"cdk:tree","properties":{"file":"tree.json"}}}}`,
		"A.json":              strings.ReplaceAll(queueStack, "NAME", "a"),
		"B.json":              strings.ReplaceAll(queueStack, "NAME", "b"),
		"Z.assets.json":       `{"files":{"h":{"source":{"path":"asset.h","packaging":"zip"},"destinations":{"d":{"bucketName":"x","objectKey":"h.zip"}}}}}`,
		"stage/manifest.json": `{"artifacts":{"C":{"type":"aws:cloudformation:stack","environment":"aws://` + team + `/us-east-1","properties":{"templateFile":"C.json"}}}}`,
		"stage/C.json":        strings.ReplaceAll(queueStack, "NAME", "c"),
	})
	if err := s.DeployAssembly(Assembly{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	var calls []string
	for _, c := range s.Calls() {
		calls = append(calls, c.Account+" "+c.Region+" "+c.Operation)
	}
	state := s.State()["accounts"].(map[string]any)
	queues := func(account string) int {
		return len(state[account].(map[string]any)["sqs"].(map[string]any)["queues"].([]any))
	}
	if queues(team) != 2 || queues(hub) != 1 {
		t.Errorf("%d and %d queues after %v", queues(team), queues(hub), calls)
	}
	if got, err := s.assets.find("h.zip"); err != nil || got != filepath.Join(dir, "asset.h") {
		t.Errorf("asset h.zip: %s, %v", got, err)
	}
	if _, err := s.assets.find("other.zip"); err == nil || !strings.Contains(err.Error(), "other.zip") {
		t.Errorf("absent asset: %v", err)
	}
	if err := s.DeleteStack(team, "eu-west-1", "first"); err != nil {
		t.Error(err)
	}
}

// Our own spoke stack, for one, has parameters without a default.
func TestDeployAssemblyWithParameters(t *testing.T) {
	dir := assembly(t, map[string]string{
		"manifest.json": `{"artifacts":{"spoke":{"type":"aws:cloudformation:stack","environment":"aws://` + team + `/us-east-1","properties":{"templateFile":"spoke.json","stackName":"S"}}}}`,
		"spoke.json": `{"Parameters":{"Name":{"Type":"String"}},"Resources":{"Queue":{"Type":"AWS::SQS::Queue","Properties":{"QueueName":{"Ref":"Name"}}}},
			"Outputs":{"Name":{"Value":{"Ref":"Name"}}}}`,
	})
	s := start(t, Options{})
	if err := s.DeployAssembly(Assembly{Dir: dir}); err == nil || !strings.Contains(err.Error(), "Name") {
		t.Errorf("without the parameter: %v", err)
	}
	if err := s.DeployAssembly(Assembly{Dir: dir, Parameters: map[string]map[string]string{"S": {"Name": "q"}}}); err != nil {
		t.Error(err)
	}
	if err := s.DeployAssembly(Assembly{Dir: dir, Parameters: map[string]map[string]string{"S": {"Name": "q"}, "other": {"A": "b"}}}); err == nil || !strings.Contains(err.Error(), "other") {
		t.Errorf("with parameters of no stack: %v", err)
	}
}

func TestDeployAssemblyIntoNamedAccounts(t *testing.T) {
	dir := assembly(t, map[string]string{
		"manifest.json": `{"artifacts":{
			"A":{"type":"aws:cloudformation:stack","environment":"aws://unknown-account/us-east-1","properties":{"templateFile":"q.json"}},
			"B":{"type":"aws:cloudformation:stack","environment":"aws://unknown-account/us-east-1","properties":{"templateFile":"none.json"}}}}`,
		"q.json": strings.ReplaceAll(queueStack, "NAME", "q"),
	})
	s := start(t, Options{})
	if err := s.DeployAssembly(Assembly{Dir: dir, Accounts: map[string][]string{"A": {hub, team}}}); err != nil {
		t.Fatal(err)
	}
	for _, account := range []string{hub, team} {
		queues := s.State()["accounts"].(map[string]any)[account].(map[string]any)["sqs"].(map[string]any)["queues"].([]any)
		if len(queues) != 1 {
			t.Errorf("account %s has %d queues", account, len(queues))
		}
	}
	if err := s.DeployAssembly(Assembly{Dir: dir, Accounts: map[string][]string{"C": {hub}}}); err == nil || !strings.Contains(err.Error(), "A, B") {
		t.Errorf("a stack that there is not: %v", err)
	}
}

func TestDeployAssemblyRefuses(t *testing.T) {
	stack := `{"type":"aws:cloudformation:stack","environment":"%","properties":{"templateFile":"T.json"},"dependencies":["?"]}`
	with := func(environment, dependency string) string {
		return `{"artifacts":{"S":` + strings.NewReplacer("%", environment, "?", dependency).Replace(stack) + `}}`
	}
	cases := map[string]struct{ manifest, says string }{
		"a circle":              {with("aws://"+team+"/us-east-1", "S"), "S depends on itself"},
		"an absent dependency":  {with("aws://"+team+"/us-east-1", "R"), "R does not exist, but another artifact depends on it"},
		"a broken manifest":     {`{`, "manifest.json"},
		"a broken environment":  {strings.ReplaceAll(with("nowhere", ""), `"dependencies":[""]`, `"dependencies":[]`), `"nowhere"`},
		"an unknown type":       {strings.ReplaceAll(with("aws://"+team+"/us-east-1", ""), `"dependencies":[""]`, `"dependencies":[]`), "AWS::Nope::Thing"},
		"no artifacts":          {`{"version":"1"}`, "has no stack"},
		"no stack among them":   {`{"artifacts":{"Tree":{"type":"cdk:tree","properties":{"file":"tree.json"}}}}`, "has no stack"},
		"a missing asset table": {`{"artifacts":{"Z":{"type":"cdk:asset-manifest","properties":{"file":"none.json"}}}}`, "none.json"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := start(t, Options{})
			dir := assembly(t, map[string]string{"manifest.json": tc.manifest, "T.json": `{"Resources":{"X":{"Type":"AWS::Nope::Thing"}}}`})
			if err := s.DeployAssembly(Assembly{Dir: dir}); err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("got %v, want %q", err, tc.says)
			}
		})
	}
	if err := start(t, Options{}).DeployAssembly(Assembly{Dir: t.TempDir()}); err == nil {
		t.Error("an empty directory was deployed")
	}
}

// The directory of an asset may be made below one that the options name, so a key must not lead out of it.
func TestAssetKeysStayBelowTheirDirectory(t *testing.T) {
	var asked []string
	a := &assets{dirs: map[string]string{}, otherwise: func(key string) (string, error) {
		asked = append(asked, key)
		return "dir", nil
	}}
	for _, key := range []string{"", ".", "..", "../x", "a/../../x", "/etc/x"} {
		if dir, err := a.find(key); err == nil {
			t.Errorf("key %q: found in %s", key, dir)
		}
	}
	for _, key := range []string{"audit", "audit.1", "0123abcd.zip", "prefix/0123abcd.zip", "..audit"} {
		if _, err := a.find(key); err != nil {
			t.Errorf("key %q: %v", key, err)
		}
	}
	if len(asked) != 5 {
		t.Errorf("asked for %q", asked)
	}
}
