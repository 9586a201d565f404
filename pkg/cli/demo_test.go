package cli

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/originhub/originhub/pkg/rehearsal"
)

// Scripts depend on exit code 5, which means that something was left behind. That is true of a dirty teardown only.
func TestExitCodeOfATeardown(t *testing.T) {
	for name, c := range map[string]struct {
		status sfntypes.ExecutionStatus
		error  string
		want   int
	}{
		"clean":     {sfntypes.ExecutionStatusSucceeded, "", exitOK},
		"dirty":     {sfntypes.ExecutionStatusFailed, "Dirty", exitLeft},
		"blocked":   {sfntypes.ExecutionStatusFailed, "Blocked", exitFailure},
		"gave up":   {sfntypes.ExecutionStatusFailed, "GiveUp", exitFailure},
		"timed out": {sfntypes.ExecutionStatusTimedOut, "States.Timeout", exitFailure},
	} {
		err := ended(rehearsal.VPCOrigin{ID: "vo_1"}, &sfn.DescribeExecutionOutput{Status: c.status, Error: aws.String(c.error)})
		if got := exitCode(err); got != c.want {
			t.Errorf("%s: exit code %d, want %d: %v", name, got, c.want, err)
		}
	}
}
