package inprocess

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/sandbox"
)

// There is a constructor for each function of the stacks, and for no other.
func TestEveryFunctionCanRunInProcess(t *testing.T) {
	deployed := map[string]bool{}
	for _, function := range contract.Functions() {
		deployed[function] = true
	}
	for _, stack := range []string{"spoke", "team"} {
		text, err := os.ReadFile("../../../infra/testdata/" + stack + ".template.json")
		if err != nil {
			t.Fatal(err)
		}
		var template struct {
			Resources map[string]struct {
				Type       string
				Properties struct{ Code struct{ S3Key string } }
			}
		}
		if err := json.Unmarshal(text, &template); err != nil {
			t.Fatal(err)
		}
		for _, r := range template.Resources {
			if r.Type == "AWS::Lambda::Function" {
				deployed[strings.TrimSuffix(r.Properties.Code.S3Key, ".zip")] = true
			}
		}
	}
	want, got := slices.Sorted(maps.Keys(deployed)), slices.Sorted(maps.Keys(constructors()))
	if len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("constructors exist for %v, functions are %v", got, want)
	}
}

func TestStartNamesWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"teardown.1.zip", "targets.zip", "other.zip"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for asset, message := range map[string]string{
		"teardown.1.zip": "environment variable " + contract.EnvTable + " is not set; the hub stack sets it",
		"targets.zip":    "environment variable " + contract.EnvEndpoint + " is not set; the team stack sets it",
		"other.zip":      "there is no function other",
	} {
		_, err := Start(context.Background(), sandbox.Hosting{Asset: filepath.Join(dir, asset), Log: os.Stderr})
		if err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("%s: %v, want %s", asset, err, message)
		}
	}
}
