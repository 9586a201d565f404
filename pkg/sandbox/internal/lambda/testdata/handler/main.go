// Command handler is a function for tests: its event says what it shall do.
package main

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
	// Records is set when the event comes from a queue; Do is then in the first body.
	Records []struct {
		MessageID string `json:"messageId"`
		Body      string `json:"body"`
	}
}

// Reread is an error whose type is its name.
type Reread struct{ error }

func main() {
	fmt.Println("cold start")
	if os.Getenv("INIT") == "exit" {
		os.Exit(7)
	}
	calls := 0
	lambda.Start(func(ctx context.Context, raw json.RawMessage) (any, error) {
		calls++
		var e event
		if err := json.Unmarshal(raw, &e); err != nil {
			return nil, err
		}
		if len(e.Records) > 0 {
			return fromQueue(e, raw)
		}
		return do(ctx, e, calls)
	})
}

func do(ctx context.Context, e event, calls int) (any, error) {
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
		return os.Environ(), nil
	case "context":
		lc, _ := lambdacontext.FromContext(ctx)
		deadline, _ := ctx.Deadline()
		return map[string]any{
			"id": lc.AwsRequestID, "arn": lc.InvokedFunctionArn, "left": time.Until(deadline).Seconds(), "trace": ctx.Value("x-amzn-trace-id"),
			"dir": dir(),
		}, nil
	case "log":
		fmt.Println(e.Text)
		fmt.Fprint(os.Stderr, "and half a line")
	case "spawn":
		child := exec.Command("/bin/sleep", "1000")
		if err := child.Start(); err != nil {
			return nil, err
		}
		return child.Process.Pid, nil
	case "call":
		response, err := http.Get(os.Getenv("AWS_ENDPOINT_URL") + "/" + e.Text)
		if err != nil {
			return nil, err
		}
		return response.StatusCode, response.Body.Close()
	}
	return map[string]int{"pid": os.Getpid(), "calls": calls}, nil
}

// fromQueue fails the messages whose body is "fail", all of them when one says "fail all", and logs the event.
func fromQueue(e event, raw []byte) (any, error) {
	fmt.Println("event", string(raw))
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
