package lambda

import (
	"fmt"
	"sync"
	"time"
)

// Real-time limits. Hosted functions live in real time, whatever the world's clock says.
const (
	initLimit    = 30 * time.Second // from the start of a process to its first request for work
	longestGuard = 60 * time.Second // an invocation is ended after the function's timeout, but no later than this
)

// tailKept is how much of an invocation's log an answer carries, in bytes.
const tailKept = 4 << 10

// instance is one running copy of a function. It serves one invocation at a time.
type instance struct {
	runner
	key string // access key id that the function signs with

	// Guarded by Service.mu.
	revision     string // of the function
	taken, stale bool
}

// runner is how an instance runs: in a process of its own, or in this one.
type runner interface {
	// serve hands over an invocation and returns when Lambda holds it to be over: answered, broken, or longer than guard.
	serve(v *invocation, guard time.Duration) ([]byte, *failure)
	// kill ends the instance as a crash would. Nothing that the function does from then on has an effect.
	kill()
	// alive reports whether the instance has not ended.
	alive() bool
	// serving returns the id of the invocation that the instance works on, or an empty string.
	serving() string
	// tail returns the end of what the current or last invocation wrote.
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

	// Guarded by work.mu.
	answered, failed bool
	answer           []byte
}

// work is what an instance is doing.
type work struct {
	mu      sync.Mutex
	current *invocation
	written string // by the current or last invocation, its end
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

// wrote keeps the end of what an invocation writes.
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

// timedOut is the failure of an invocation that took longer than guard.
func timedOut(guard time.Duration) *failure {
	return &failure{Type: "Sandbox.Timedout", Message: fmt.Sprintf("Task timed out after %.2f seconds", guard.Seconds())}
}

// exitFailure is the failure of an invocation whose process ended, as Lambda reports it.
func exitFailure(reason error) *failure {
	if reason == nil {
		return &failure{Type: "Runtime.ExitError", Message: "Runtime exited without providing a reason"}
	}
	return &failure{Type: "Runtime.ExitError", Message: "Runtime exited with error: " + reason.Error()}
}
