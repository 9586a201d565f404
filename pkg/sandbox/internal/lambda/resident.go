package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

// Hosting is what an instance of a function gets when it runs in this process, instead of a process environment. Anything else
// that it reads, it shares with all other instances.
type Hosting struct {
	Asset       string            // directory of the function's asset
	Environment map[string]string // the whole environment
	Log         io.Writer         // standard output and error
	Transport   http.RoundTripper // leads to the sandbox, whatever the URL's host
	Now         func() time.Time  // virtual
}

// Handler is an instance of a function in this process. It gets one invocation at a time.
type Handler interface {
	Invoke(ctx context.Context, payload []byte) ([]byte, error)
}

// Starter starts an instance in this process. The context, and that of each invocation, ends with the instance. The error has the
// text that a process would print before it exits.
type Starter func(ctx context.Context, h Hosting) (Handler, error)

// resident is an instance that runs in this process. A goroutine cannot be killed like a process: after kill it may keep running,
// but its API calls fail.
type resident struct {
	work
	handler Handler
	log     *lines
	now     func() time.Time

	ctx    context.Context // ends with the instance
	cancel context.CancelFunc
}

var (
	errKilled     = errors.New("signal: killed") // the text of exec.ExitError
	errExited     = errors.New("exit status 1")  // the text after log.Fatal
	errPanicked   = errors.New("exit status 2")
	errBrokenPipe = errors.New("write: broken pipe")
)

// settle runs the function's constructor.
func settle(begin Starter, h Hosting, log func(line string)) (*resident, *failure) {
	r := &resident{now: h.Now}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.log = &lines{line: func(line string) { r.wrote(line); log(line) }}
	h.Log, h.Transport = r.log, &tether{ctx: r.ctx, to: h.Transport}
	var err error
	func() {
		defer func() {
			if p := recover(); p != nil {
				fmt.Fprintf(r.log, "panic: %v\n", p)
				err = errPanicked
			}
		}()
		if r.handler, err = begin(r.ctx, h); err != nil {
			r.print(err.Error())
			err = errExited
		}
	}()
	if err != nil {
		r.kill()
		return nil, exitFailure(err)
	}
	return r, nil
}

// print writes a line like the standard logger, which the runtime of aws-lambda-go uses.
func (r *resident) print(line string) {
	fmt.Fprintf(r.log, "%s %s\n", r.now().Format("2006/01/02 15:04:05"), line)
}

func (r *resident) kill() {
	r.log.end()
	r.cancel()
}

func (r *resident) alive() bool { return r.ctx.Err() == nil }

// serve invokes the handler like the runtime of aws-lambda-go.
func (r *resident) serve(v *invocation, guard time.Duration) ([]byte, *failure) {
	r.begin(v)
	defer r.end()
	ctx, cancel := context.WithDeadline(r.ctx, v.deadline)
	defer cancel()
	ctx = lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{AwsRequestID: v.id, InvokedFunctionArn: v.function})
	ctx = context.WithValue(ctx, "x-amzn-trace-id", v.trace) //nolint:revive,staticcheck // that is its name
	over := make(chan outcome, 1)
	go func() { over <- call(ctx, r.handler, v.payload) }()
	timer := time.NewTimer(guard)
	defer timer.Stop()
	var o outcome
	select {
	case o = <-over:
	case <-r.ctx.Done():
	case <-timer.C:
		r.kill()
		return nil, timedOut(guard)
	}
	switch {
	case !r.alive():
		return nil, exitFailure(errKilled)
	case o.failure != nil:
		document, err := json.Marshal(o.failure)
		if err != nil {
			document = []byte("{}")
		}
		r.print(string(document))
		if o.failure.ShouldExit {
			r.print("calling the handler function resulted in a panic, the process should exit")
			r.kill()
		}
		return nil, &failure{raw: document}
	case len(o.answer) > largestResponse:
		r.kill()
		return nil, responseTooLarge()
	}
	return o.answer, nil
}

// outcome is the result of a handler.
type outcome struct {
	answer  []byte
	failure *messages.InvokeResponse_Error
}

func call(ctx context.Context, h Handler, payload []byte) (o outcome) {
	defer func() {
		if p := recover(); p != nil {
			o = outcome{failure: panicDocument(p)}
		}
	}()
	answer, err := h.Invoke(ctx, payload)
	if err != nil {
		return outcome{failure: errorDocument(err)}
	}
	// aws-lambda-go reuses the buffer for the next invocation.
	return outcome{answer: bytes.Clone(answer)}
}

// errorDocument returns the error document of the runtime of aws-lambda-go. Its type is the name of the Go type, which the state
// machine uses.
// https://github.com/aws/aws-lambda-go/blob/main/lambda/errors.go
func errorDocument(err error) *messages.InvokeResponse_Error {
	if own, ok := err.(messages.InvokeResponse_Error); ok { //nolint:errorlint // as aws-lambda-go does
		return &own
	}
	return &messages.InvokeResponse_Error{Message: err.Error(), Type: typeName(err)}
}

// panicDocument returns the error document of a panic, with the stack above call.
func panicDocument(p any) *messages.InvokeResponse_Error {
	if own, ok := p.(messages.InvokeResponse_Error); ok {
		return &own
	}
	d := &messages.InvokeResponse_Error{Message: fmt.Sprint(p), Type: typeName(p), ShouldExit: true}
	counters := make([]uintptr, 32)
	frames := runtime.CallersFrames(counters[:runtime.Callers(4, counters)])
	for {
		f, more := frames.Next()
		d.StackTrace = append(d.StackTrace, &messages.InvokeResponse_Error_StackFrame{
			Path: f.File, Line: int32(f.Line), Label: f.Function, //nolint:gosec // no file has that many lines
		})
		if !more {
			return d
		}
	}
}

func typeName(v any) string {
	t := reflect.TypeOf(v)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Name()
}

// tether is an instance's transport. It breaks when the instance is killed: later calls fail, and responses to current calls are
// lost.
type tether struct {
	ctx context.Context
	to  http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t *tether) RoundTrip(request *http.Request) (*http.Response, error) {
	if t.ctx.Err() != nil {
		return nil, errBrokenPipe
	}
	response, err := t.to.RoundTrip(request)
	if err == nil && t.ctx.Err() != nil {
		_ = response.Body.Close()
		return nil, errBrokenPipe
	}
	return response, err
}

// lines passes on written lines until the instance ends.
type lines struct {
	line func(string)

	mu    sync.Mutex
	ended bool
	rest  strings.Builder
}

// Write implements io.Writer.
func (l *lines) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return 0, errBrokenPipe
	}
	for after := text; ; {
		line, more, found := bytes.Cut(after, []byte("\n"))
		l.rest.Write(line)
		if !found {
			return len(text), nil
		}
		l.line(l.rest.String())
		l.rest.Reset()
		after = more
	}
}

// end passes on the last line, even without a newline, and accepts no more.
func (l *lines) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ended && l.rest.Len() > 0 {
		l.line(l.rest.String())
	}
	l.ended = true
}
