package asl

import "github.com/originhub/originhub/pkg/sandbox/internal/cloud"

// Assumptions of the interpreter.
func Assumptions() []cloud.Assumption {
	return []cloud.Assumption{
		{
			ID:     "ASL-01",
			Claim:  "A missed heartbeat is the error States.HeartbeatTimeout; States.Timeout in Retry or Catch covers it too.",
			Source: "https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html", Mark: "inferred",
		},
		{
			ID: "ASL-02",
			Claim: "A redriven execution schedules a failed Task again without entering its state anew; any other state is entered " +
				"again, so a Fail state fails again.",
			Source: "https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html", Mark: "inferred",
		},
	}
}
