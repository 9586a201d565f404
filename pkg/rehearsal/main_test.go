package rehearsal

import (
	"flag"
	"os"
	"runtime/debug"
	"testing"

	"github.com/originhub/originhub/pkg/internal/built"
)

var allProcesses = flag.Bool("processes", false, "run the functions' binaries in all stories and random lives, which is slower")

// TestMain reduces garbage collections to a quarter, because tests create and close many worlds. The tests then use half a gigabyte.
func TestMain(m *testing.M) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	os.Exit(m.Run())
}

// storiesWithBinaries returns the stories that run the functions' binaries in processes of their own, each with the reason. The other
// stories run the same handlers in the process of the test. Together these stories start every function.
func storiesWithBinaries() map[string]string {
	return map[string]string{
		"tagged-origin-leaves-nothing-behind":           "a whole onboarding and teardown",
		"crashed-wire-is-retried-after-its-lease":       "a process crashes between two calls",
		"throttled-calls-lose-nothing":                  "the SDK waits in real time before it retries a call",
		"unreadable-message-is-kept":                    "errors and log lines pass the Runtime API and a pipe",
		"teardown-ends-dirty-if-an-interface-stays":     "the state machine matches the error type that a process reports",
		"event-that-a-function-fails-on-is-kept":        "Lambda retries a function that fails, and keeps its event",
		"audit-reports-leaks-with-owner-age-and-repair": "function audit",
		"team-stack-serves-its-api":                     "functions customers and targets",
		"two-hubs-leave-each-other-alone":               "each function has two assets in the CDK assembly",
	}
}

// functionsFor returns the directory of the functions' binaries if the story runs them, and "" if it runs the handlers in the process of
// the test.
func functionsFor(t testing.TB, story string) string {
	t.Helper()
	if _, listed := storiesWithBinaries()[story]; listed || *allProcesses {
		return built.Functions(t)
	}
	return ""
}
