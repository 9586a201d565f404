package infra

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

// TestGolden shows that testdata holds what the code synthesizes. The sandbox deploys these templates, and changes to them are reviewed
// like code.
func TestGolden(t *testing.T) {
	s := templates(t)
	for name, got := range map[string][]byte{
		"hub.template.json":   s.anyHub,
		"spoke.template.json": s.spoke.raw,
		"team.template.json":  s.team.raw,
		"teardown.asl.json":   []byte(teardownMachine().json("  ") + "\n"),
	} {
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is stale: run `make golden` and review the diff", path)
		}
	}
}

var update = flag.Bool("update", false, "rewrite testdata")
