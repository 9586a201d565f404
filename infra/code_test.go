package infra

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPackFunctions_SaysWhatToDoWithoutBinaries(t *testing.T) {
	_, err := packFunctions(settings{PolicyFile: rehearsalPolicy, Functions: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "make functions") {
		t.Fatalf("got %v, want advice", err)
	}
}

func TestPackFunctions_PutsThePolicyBesideTheHubsBinaries(t *testing.T) {
	code, err := packStandIns(t.TempDir(), settings{PolicyFile: rehearsalPolicy})
	if err != nil {
		t.Fatal(err)
	}
	defer code.remove()
	want, err := os.ReadFile(rehearsalPolicy)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(code.dir(wireFunction), "policy.yaml"))
	if err != nil || string(got) != string(want) {
		t.Errorf("policy %q, %v", got, err)
	}
	for _, function := range inTeam() {
		if _, err := os.Stat(filepath.Join(code.dir(function), "policy.yaml")); err == nil {
			t.Errorf("function %s, which runs in a team's account, holds the hub policy", function)
		}
	}
	binary, err := os.Stat(filepath.Join(code.dir(wireFunction), "bootstrap"))
	if err != nil || binary.Mode()&0o111 == 0 {
		t.Errorf("binary %v, %v: Lambda cannot run it", binary, err)
	}
}
