package lambda

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Real-time limits. Hosted functions are processes and live in real time, whatever the world's clock says.
const (
	initLimit    = 30 * time.Second // from the start of the process to its first request for work
	longestGuard = 60 * time.Second // an invocation is ended after the function's timeout, but no later than this
)

// tailKept is how much of an invocation's log an answer carries, in bytes.
const tailKept = 4 << 10

// instance is one running copy of a function: a process, its Runtime API on a loopback listener of its own, and its log
// stream. It serves one invocation at a time.
type instance struct {
	function string // ARN
	key      string // access key id that the process signs with
	cmd      *exec.Cmd
	server   *http.Server
	log      *pipe

	work   chan *invocation // answered by GET next
	ready  chan struct{}    // closed at the first request for work
	exited chan struct{}    // closed when the process has been reaped
	reason error            // set before exited is closed: how it ended, nil for exit status 0

	// Guarded by Service.mu.
	revision     string // of the function
	taken, stale bool

	mu        sync.Mutex
	isReady   bool
	current   *invocation
	initError *failure
	written   string // by the current or last invocation, its end
}

// invocation is one piece of work for an instance.
type invocation struct {
	id       string
	function string // ARN that was invoked
	trace    string
	payload  []byte
	deadline time.Time // real time

	done chan struct{} // closed when the process asks for its next work

	// Guarded by instance.mu.
	answered, failed bool
	answer           []byte
}

// start runs the asset's bootstrap with a clean environment and returns once the process asks for work.
func start(function, dir, key string, environment []string, log func(line string)) (*instance, *failure) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, &failure{Type: "Sandbox.StartFailed", Message: fmt.Sprintf("listen for the Runtime API: %v", err)}
	}
	i := &instance{
		function: function, key: key,
		work: make(chan *invocation), ready: make(chan struct{}), exited: make(chan struct{}),
	}
	i.server = &http.Server{Handler: i.runtimeAPI()} // without timeouts: the invocation's own is enough
	if i.log, err = newPipe(func(line string) { i.wrote(line); log(line) }); err != nil {
		_ = listener.Close()
		return nil, &failure{Type: "Sandbox.StartFailed", Message: fmt.Sprintf("open the log pipe: %v", err)}
	}
	i.cmd = exec.Command(filepath.Join(dir, "bootstrap"))
	i.cmd.Dir = dir
	// Nothing is inherited. A function must find what Lambda gives it and no more; an inherited AWS_CA_BUNDLE alone makes
	// the SDK's configuration fail.
	i.cmd.Env = slices.Concat(environment, []string{"AWS_LAMBDA_RUNTIME_API=" + listener.Addr().String()})
	i.cmd.Stdout, i.cmd.Stderr = i.log.write, i.log.write
	i.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err = i.cmd.Start()
	_ = i.log.write.Close()
	if err != nil {
		_ = listener.Close()
		i.log.close()
		return nil, &failure{Type: "Runtime.InvalidEntrypoint", Message: fmt.Sprintf("start %s: %v%s", i.cmd.Path, err, advice(err))}
	}
	go func() { _ = i.server.Serve(listener) }()
	go i.reap()

	guard := time.NewTimer(initLimit)
	defer guard.Stop()
	select {
	case <-i.ready:
		i.log.drain() // or what it wrote while starting would be told with its first invocation
		return i, nil
	case <-i.exited:
	case <-guard.C:
		i.kill()
		return nil, &failure{Type: "Sandbox.Timedout", Message: fmt.Sprintf("the process did not ask for work within %v", initLimit)}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.initError != nil {
		return nil, i.initError
	}
	return nil, exitFailure(i.reason)
}

func advice(err error) string {
	if errors.Is(err, syscall.ENOEXEC) {
		return ": it is built for another machine than this one; build it for this machine's GOOS and GOARCH"
	}
	return ""
}

// reap waits for the process, then takes down everything that belonged to it.
func (i *instance) reap() {
	i.reason = i.cmd.Wait()
	// What the process started itself goes with it, as it does when Lambda ends a sandbox.
	_ = syscall.Kill(-i.cmd.Process.Pid, syscall.SIGKILL)
	i.log.drain()
	i.log.close()
	_ = i.server.Close()
	close(i.exited)
}

// kill ends the process group and returns when the process is gone.
func (i *instance) kill() {
	select {
	case <-i.exited:
		return
	default:
	}
	_ = syscall.Kill(-i.cmd.Process.Pid, syscall.SIGKILL)
	<-i.exited
}

// alive tells whether the process has not ended.
func (i *instance) alive() bool {
	select {
	case <-i.exited:
		return false
	default:
		return true
	}
}

// serving is the id of the invocation that the instance works on, or empty.
func (i *instance) serving() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.current == nil {
		return ""
	}
	return i.current.id
}

// wrote keeps the end of what an invocation writes.
func (i *instance) wrote(line string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.written += line + "\n"
	i.written = i.written[max(0, len(i.written)-tailKept):]
}

func (i *instance) tail() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.written
}

// serve hands one invocation to the process and waits until it asks for the next one, which is when Lambda holds an
// invocation to be over, or until it ends.
func (i *instance) serve(v *invocation, guard time.Duration) ([]byte, *failure) {
	v.done = make(chan struct{})
	i.mu.Lock()
	i.current, i.written = v, ""
	i.mu.Unlock()
	timer := time.NewTimer(guard)
	defer timer.Stop()
	timedOut := false
	select {
	case i.work <- v:
	case <-i.exited:
	case <-timer.C:
		timedOut = true
	}
	if !timedOut {
		select {
		case <-v.done:
			i.log.drain()
		case <-i.exited:
		case <-timer.C:
			timedOut = true
		}
	}
	if timedOut {
		i.kill()
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.current = nil
	switch {
	case timedOut:
		return nil, &failure{Type: "Sandbox.Timedout", Message: fmt.Sprintf("Task timed out after %.2f seconds", guard.Seconds())}
	case !v.answered:
		return nil, exitFailure(i.reason)
	case v.failed:
		return nil, &failure{raw: v.answer}
	}
	return v.answer, nil
}

// exitFailure says how a process ended as Lambda says it.
func exitFailure(reason error) *failure {
	if reason == nil {
		return &failure{Type: "Runtime.ExitError", Message: "Runtime exited without providing a reason"}
	}
	return &failure{Type: "Runtime.ExitError", Message: "Runtime exited with error: " + reason.Error()}
}

// pipe carries a process's standard output and error to the log, line by line.
type pipe struct {
	read, write *os.File
	line        func(string)

	mu   sync.Mutex
	rest strings.Builder
	done chan struct{}
}

func newPipe(line func(string)) (*pipe, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p := &pipe{read: r, write: w, line: line, done: make(chan struct{})}
	go p.follow()
	return p, nil
}

// follow reads for as long as the pipe is open, so that a chatty process never blocks on a full pipe.
func (p *pipe) follow() {
	defer close(p.done)
	raw, err := p.read.SyscallConn()
	if err != nil {
		return
	}
	for open := true; open; {
		err = raw.Read(func(fd uintptr) bool {
			open = p.take(fd)
			return !open
		})
		if err != nil {
			return
		}
	}
}

// drain takes what the process has written up to now, so that the log is complete when an invocation ends.
func (p *pipe) drain() {
	raw, err := p.read.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { p.take(fd) })
}

// take reads until the pipe is empty and tells whether more can come.
func (p *pipe) take(fd uintptr) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	buf := make([]byte, 32<<10)
	for {
		n, err := syscall.Read(int(fd), buf)
		switch {
		case n > 0:
			p.add(string(buf[:n]))
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EAGAIN):
			return true
		default:
			return false
		}
	}
}

func (p *pipe) add(text string) {
	for {
		line, after, found := strings.Cut(text, "\n")
		p.rest.WriteString(line)
		if !found {
			return
		}
		p.line(p.rest.String())
		p.rest.Reset()
		text = after
	}
}

func (p *pipe) close() {
	_ = p.read.Close()
	<-p.done
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rest.Len() > 0 {
		p.line(p.rest.String())
		p.rest.Reset()
	}
}
