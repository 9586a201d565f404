package cli

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs the scripts of testdata/scripts. A script's name is the property that it shows. Its one command is
// originhub CODE ARG...: the command line exits with that code, and @FILE is a file of the script.
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
