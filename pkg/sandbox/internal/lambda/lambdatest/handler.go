// Package lambdatest is a function for tests, which runs in a process of its own or in the process of the test. Its event says
// what to do.
package lambdatest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Do   string
	Size int
	Text string
	// Records is set if the event comes from a queue. Do is then in the first body.
	Records []struct {
		MessageID string `json:"messageId"`
		Body      string `json:"body"`
	}
}

// Reread is an error whose type is its name.
type Reread struct{ error }

// Host is what the function gets from its process.
type Host struct {
	Environment func() []string // os.Environ
	Output      io.Writer
	Client      *http.Client
	PID         int // id of its process, or another number that identifies the instance
}

func (h Host) getenv(name string) string {
	for _, variable := range h.Environment() {
		if value, ok := strings.CutPrefix(variable, name+"="); ok {
			return value
		}
	}
	return ""
}

// ErrInit is the error of a function whose environment has INIT=fail.
var ErrInit = errors.New("environment variable TABLE is not set")

// New returns the function.
func New(h Host) (lambda.Handler, error) {
	fmt.Fprintln(h.Output, "cold start")
	switch h.getenv("INIT") {
	case "exit":
		os.Exit(7)
	case "fail":
		return nil, ErrInit
	}
	calls := 0
	return lambda.NewHandler(func(ctx context.Context, raw json.RawMessage) (any, error) {
		calls++
		var e event
		if err := json.Unmarshal(raw, &e); err != nil {
			return nil, err
		}
		if len(e.Records) > 0 {
			return h.fromQueue(e, raw)
		}
		return h.do(ctx, e, calls)
	}), nil
}

func (h Host) do(ctx context.Context, e event, calls int) (any, error) {
	switch e.Do {
	case "panic":
		panic("as asked")
	case "exit":
		os.Exit(e.Size)
	case "error":
		return nil, errors.New(e.Text)
	case "typed error":
		return nil, &Reread{errors.New(e.Text)}
	case "big":
		return strings.Repeat("x", e.Size), nil
	case "stream":
		return io.MultiReader(strings.NewReader("half"), broken{}), nil
	case "sleep":
		<-time.After(time.Hour)
	case "wait for deadline":
		<-ctx.Done()
		return nil, ctx.Err()
	case "environment":
		return h.Environment(), nil
	case "context":
		lc, _ := lambdacontext.FromContext(ctx)
		deadline, _ := ctx.Deadline()
		return map[string]any{
			"id": lc.AwsRequestID, "arn": lc.InvokedFunctionArn, "left": time.Until(deadline).Seconds(), "trace": ctx.Value("x-amzn-trace-id"),
			"dir": dir(),
		}, nil
	case "log":
		fmt.Fprintln(h.Output, e.Text)
		fmt.Fprint(h.Output, "and half a line")
	case "spawn":
		child := exec.Command("/bin/sleep", "1000")
		if err := child.Start(); err != nil {
			return nil, err
		}
		return child.Process.Pid, nil
	case "call":
		response, err := h.call(ctx, e.Text)
		if err != nil {
			return nil, err
		}
		return response.StatusCode, response.Body.Close()
	}
	return map[string]int{"pid": h.PID, "calls": calls}, nil
}

func (h Host) call(ctx context.Context, path string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, h.getenv("AWS_ENDPOINT_URL")+"/"+path, nil)
	if err != nil {
		return nil, err
	}
	return h.Client.Do(request)
}

// fromQueue fails the messages whose body is "fail", or all messages if one is "fail all", and logs the event.
func (h Host) fromQueue(e event, raw []byte) (any, error) {
	fmt.Fprintln(h.Output, "event", string(raw))
	failures := []map[string]string{}
	for _, r := range e.Records {
		switch r.Body {
		case "fail all":
			return nil, errors.New("as asked")
		case "name another":
			failures = append(failures, map[string]string{"itemIdentifier": "another"})
		case "fail":
			failures = append(failures, map[string]string{"itemIdentifier": r.MessageID})
		}
	}
	return map[string]any{"batchItemFailures": failures}, nil
}

func dir() string {
	d, err := os.Getwd()
	if err != nil {
		return err.Error()
	}
	return d
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("the stream broke") }
