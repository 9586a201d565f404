package hub

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// Host is everything that a handler gets from its environment: a process that Lambda started, or a rehearsal with many handlers in one
// process. Below the constructors, no code reads the environment, a clock or the standard streams.
type Host struct {
	// Getenv returns the value of an environment variable, or an empty string.
	Getenv func(name string) string
	// Asset is the unpacked deployment package of the function, with the policy beside the binary.
	Asset fs.FS
	// AWS returns the SDK configuration of the function's own account. All clients share its HTTP client.
	AWS func(ctx context.Context) (aws.Config, error)
	// Backoff is the delay before a failed call is repeated; nil for a second or two at most.
	Backoff retry.BackoffDelayer
	// Output gets log lines and metrics.
	Output io.Writer
	// Now is the clock of log lines and metrics. Decisions use the time in AWS's answers.
	Now func() time.Time
}

// setting returns a required environment variable that the given stack sets.
func (h Host) setting(name, stack string) (string, error) {
	value := h.Getenv(name)
	if value == "" {
		return "", fmt.Errorf("environment variable %s is not set; the %s stack sets it", name, stack)
	}
	return value, nil
}
