package states

import (
	"github.com/originhub/originhub/pkg/sandbox/internal/asl"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// Assumptions of Step Functions and of its language.
func Assumptions() []cloud.Assumption {
	return append(asl.Assumptions(), []cloud.Assumption{
		{
			ID: "SFN-01",
			Claim: "states:SendTaskSuccess, SendTaskFailure and SendTaskHeartbeat are authorised on the state machine that handed out " +
				"the token.",
			Source: "https://docs.aws.amazon.com/step-functions/latest/dg/concept-create-iam-advanced.html", Mark: "inferred",
		},
		{
			ID: "SFN-02",
			Claim: "Completing a task that has ended answers TaskTimedOut; an unknown token TaskDoesNotExist; a malformed one " +
				"InvalidToken.",
			Source: "https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html", Mark: "inferred",
		},
		{
			ID:     "SFN-03",
			Claim:  "A Lambda task whose process ended fails with Lambda.Unknown; newer runtimes may report Runtime.ExitError instead.",
			Source: "https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html#bp-lambda-serviceexception", Mark: "documented",
		},
		{
			ID:     "SFN-04",
			Claim:  "Deleting a state machine aborts its running executions at once; AWS does so at their next transition.",
			Source: "https://docs.aws.amazon.com/step-functions/latest/apireference/API_DeleteStateMachine.html", Mark: "inferred",
		},
		{
			ID:     "SFN-05",
			Claim:  "Transitions and Lambda invocations take no virtual time.",
			Source: "none: the sandbox's model", Mark: "model",
		},
	}...)
}
