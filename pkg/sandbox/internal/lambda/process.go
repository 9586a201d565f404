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

// process is an instance in a process of its own, with a Runtime API on a loopback listener.
type process struct {
	work
	cmd    *exec.Cmd
	server *http.Server
	log    *pipe

	next   chan *invocation // for the response to GET next
	ready  chan struct{}    // closed at the first request for work
	exited chan struct{}    // closed when the process has been reaped
	reason error            // set before exited is closed; nil for exit status 0

	// work.mu guards these.
	isReady   bool
	initError *failure
}

// start runs the asset's bootstrap with a clean environment and returns when the process asks for work.
func start(dir string, environment []string, log func(line string)) (*process, *failure) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, &failure{Type: "Sandbox.StartFailed", Message: fmt.Sprintf("listen for the Runtime API: %v", err)}
	}
	p := &process{next: make(chan *invocation), ready: make(chan struct{}), exited: make(chan struct{})}
	p.server = &http.Server{Handler: p.runtimeAPI()} // the timeout of an invocation is enough
	if p.log, err = newPipe(func(line string) { p.wrote(line); log(line) }); err != nil {
		_ = listener.Close()
		return nil, &failure{Type: "Sandbox.StartFailed", Message: fmt.Sprintf("open the log pipe: %v", err)}
	}
	p.cmd = exec.Command(filepath.Join(dir, "bootstrap"))
	p.cmd.Dir = dir
	// Nothing is inherited. A function must get only what Lambda gives it. An inherited AWS_CA_BUNDLE alone makes the SDK's
	// configuration fail.
	p.cmd.Env = slices.Concat(environment, []string{"AWS_LAMBDA_RUNTIME_API=" + listener.Addr().String()})
	p.cmd.Stdout, p.cmd.Stderr = p.log.write, p.log.write
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err = p.cmd.Start()
	_ = p.log.write.Close()
	if err != nil {
		_ = listener.Close()
		p.log.close()
		return nil, &failure{Type: "Runtime.InvalidEntrypoint", Message: fmt.Sprintf("start %s: %v%s", p.cmd.Path, err, advice(err))}
	}
	go func() { _ = p.server.Serve(listener) }()
	go p.reap()

	guard := time.NewTimer(initLimit)
	defer guard.Stop()
	select {
	case <-p.ready:
		p.log.drain() // otherwise, output of the start would belong to the first invocation
		return p, nil
	case <-p.exited:
	case <-guard.C:
		p.kill()
		return nil, &failure{Type: "Sandbox.Timedout", Message: fmt.Sprintf("the process did not ask for work within %v", initLimit)}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.initError != nil {
		return nil, p.initError
	}
	return nil, exitFailure(p.reason)
}

func advice(err error) string {
	if errors.Is(err, syscall.ENOEXEC) {
		return ": it is built for another machine than this one; build it for this machine's GOOS and GOARCH"
	}
	return ""
}

// reap waits for the process, then releases everything that belonged to it.
func (p *process) reap() {
	p.reason = p.cmd.Wait()
	// As at Lambda, processes that the process started end with it.
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	p.log.drain()
	p.log.close()
	_ = p.server.Close()
	close(p.exited)
}

// kill ends the process group and returns when the process has ended.
func (p *process) kill() {
	select {
	case <-p.exited:
		return
	default:
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.exited
}

func (p *process) alive() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// serve delivers one invocation to the process. It waits until the process asks for the next one, which is when an invocation
// ends for Lambda, or until the process ends.
func (p *process) serve(v *invocation, guard time.Duration) ([]byte, *failure) {
	v.done = make(chan struct{})
	p.begin(v)
	timer := time.NewTimer(guard)
	defer timer.Stop()
	late := false
	select {
	case p.next <- v:
	case <-p.exited:
	case <-timer.C:
		late = true
	}
	if !late {
		select {
		case <-v.done:
			p.log.drain()
		case <-p.exited:
		case <-timer.C:
			late = true
		}
	}
	if late {
		p.kill()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.current = nil
	switch {
	case late:
		return nil, timedOut(guard)
	case !v.answered:
		return nil, exitFailure(p.reason)
	case v.failed:
		return nil, &failure{raw: v.answer}
	}
	return v.answer, nil
}

// pipe copies a process's standard output and error to the log, line by line.
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

// follow reads while the pipe is open, so that the process never blocks on a full pipe.
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

// drain reads what the process has written so far, so that the log is complete when an invocation ends.
func (p *pipe) drain() {
	raw, err := p.read.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { p.take(fd) })
}

// take reads until the pipe is empty, and reports whether more can come.
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
