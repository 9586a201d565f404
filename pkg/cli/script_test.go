package cli

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs the scripts in testdata/scripts. Each is named for what it shows. The command originhub CODE ARG... runs a command line
// that has to exit with CODE. @FILE is a file of the script.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/scripts",
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"originhub": func(ts *testscript.TestScript, _ bool, args []string) {
				for i, a := range args {
					if strings.HasPrefix(a, "@") {
						args[i] = ts.MkAbs(a[1:])
					}
				}
				code := Run(context.Background(), args[1:], strings.NewReader(""), ts.Stdout(), ts.Stderr())
				if strconv.Itoa(code) != args[0] {
					ts.Fatalf("exit code %d, want %s", code, args[0])
				}
			},
		},
	})
}
