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

// Host is all that a handler gets from where it runs: a process that Lambda started, or a rehearsal in one process with many
// handlers. Below the constructors nothing reads the environment, a clock or the standard streams.
type Host struct {
	// Getenv returns the value of an environment variable, or an empty string.
	Getenv func(name string) string
	// Asset is the unpacked deployment package of the function, with the policy beside the binary.
	Asset fs.FS
	// AWS returns the SDK configuration of the function's own account. All clients share its HTTP client.
	AWS func(ctx context.Context) (aws.Config, error)
	// Backoff is how long a call that failed waits before it is sent again; nil for a second or two at most.
	Backoff retry.BackoffDelayer
	// Output gets log lines and metrics.
	Output io.Writer
	// Now is the time of log lines and metrics. Decisions go by the time that AWS says in its answers.
	Now func() time.Time
}

// setting returns an environment variable that stack sets, and without which nothing can work.
func (h Host) setting(name, stack string) (string, error) {
	value := h.Getenv(name)
	if value == "" {
		return "", fmt.Errorf("environment variable %s is not set; the %s stack sets it", name, stack)
	}
	return value, nil
}
