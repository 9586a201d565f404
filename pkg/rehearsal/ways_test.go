package rehearsal

import (
	"flag"
	"os"
	"runtime/debug"
	"testing"

	"github.com/originhub/originhub/pkg/internal/built"
)

var allProcesses = flag.Bool("processes", false, "run the functions' binaries in all stories and lives: slower")

// TestMain lets worlds come and go with a quarter of the garbage collections. Half a gigabyte is a lot for a function and little
// for a rehearsal.
func TestMain(m *testing.M) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	os.Exit(m.Run())
}

// byProcess are the stories that run the functions' binaries in processes of their own, each with the reason. All others run
// the same handlers in the process of the test. Together they start every function.
func byProcess() map[string]string {
	return map[string]string{
		"tagged-origin-leaves-nothing-behind":           "the whole way in and out",
		"crashed-wire-is-retried-after-its-lease":       "a process is killed between two calls",
		"throttled-calls-lose-nothing":                  "the SDK waits before it sends a call again, in real time",
		"unreadable-message-is-kept":                    "errors and log lines go through the Runtime API and a pipe",
		"teardown-ends-dirty-if-an-interface-stays":     "the state machine matches the error type that a process reports",
		"event-that-a-function-fails-on-is-kept":        "Lambda retries a process that fails, and keeps its event",
		"audit-reports-leaks-with-owner-age-and-repair": "function audit",
		"team-stack-serves-its-api":                     "functions customers and targets",
		"two-hubs-leave-each-other-alone":               "two assets of each function, by their assembly",
	}
}

// binaries is the directory of the functions' binaries if a story of that name runs them, and empty if it runs their handlers
// in the process of the test.
func binaries(t testing.TB, story string) string {
	t.Helper()
	if _, listed := byProcess()[story]; listed || *allProcesses {
		return built.Functions(t)
	}
	return ""
}
