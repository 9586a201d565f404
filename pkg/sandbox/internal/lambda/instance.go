package lambda

import (
	"fmt"
	"sync"
	"time"
)

// These limits are in real time. Hosted functions live in real time, whatever the world's clock says.
const (
	initLimit    = 30 * time.Second // from the start of a process to its first request for work
	longestGuard = 60 * time.Second // an invocation ends after the function's timeout, but no later than this
)

// tailKept is the maximum size of the log tail in an output, in bytes.
const tailKept = 4 << 10

// instance is one running copy of a function. It serves one invocation at a time.
type instance struct {
	runner
	key string // access key id of the function's credentials

	// Service.mu guards these.
	revision     string // of the function
	taken, stale bool
}

// runner runs an instance, in a process of its own or in this one.
type runner interface {
	// serve delivers an invocation and returns when the invocation has ended: with a response, with an error, or after guard.
	serve(v *invocation, guard time.Duration) ([]byte, *failure)
	// kill ends the instance like a crash. Nothing that the function does afterwards has an effect.
	kill()
	// alive reports whether the instance has not ended.
	alive() bool
	// serving returns the id of the current invocation, or "".
	serving() string
	// tail returns the end of the log of the current or last invocation.
	tail() string
}

// invocation is one piece of work for an instance.
type invocation struct {
	id       string
	function string // ARN that was invoked
	trace    string
	payload  []byte
	deadline time.Time // real time

	done chan struct{} // closed when the process asks for its next work

	// work.mu guards these.
	answered, failed bool
	answer           []byte
}

// work is what an instance is doing.
type work struct {
	mu      sync.Mutex
	current *invocation
	written string // end of the log of the current or last invocation
}

func (w *work) begin(v *invocation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.current, w.written = v, ""
}

func (w *work) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.current = nil
}

func (w *work) serving() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.current == nil {
		return ""
	}
	return w.current.id
}

// wrote keeps the end of an invocation's log.
func (w *work) wrote(line string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.written += line + "\n"
	w.written = w.written[max(0, len(w.written)-tailKept):]
}

func (w *work) tail() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.written
}

// timedOut returns the failure of an invocation that took longer than guard.
func timedOut(guard time.Duration) *failure {
	return &failure{Type: "Sandbox.Timedout", Message: fmt.Sprintf("Task timed out after %.2f seconds", guard.Seconds())}
}

// exitFailure returns the failure of an invocation whose process ended, in Lambda's words.
func exitFailure(reason error) *failure {
	if reason == nil {
		return &failure{Type: "Runtime.ExitError", Message: "Runtime exited without providing a reason"}
	}
	return &failure{Type: "Runtime.ExitError", Message: "Runtime exited with error: " + reason.Error()}
}
