package states

import (
	"encoding/json"
	"errors"

	"github.com/originhub/originhub/pkg/sandbox/internal/asl"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// lambdaArguments are the arguments of arn:aws:states:::lambda:invoke.
// https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html
type lambdaArguments struct {
	FunctionName string
	Payload      json.RawMessage
	Qualifier    string
}

// lambdaResult is the task's result.
type lambdaResult struct {
	ExecutedVersion string
	Payload         json.RawMessage
	Metadata        lambdaMetadata `json:"SdkHttpMetadata"`
	StatusCode      int
}

type lambdaMetadata struct {
	Status int `json:"HttpStatusCode"`
}

// invoke performs a task's call without the lock and reports the result.
func (s *Service) invoke(e *execution, epoch int, call asl.Call) {
	var caller cloud.Principal
	var err error
	current := false
	s.w.Do(func() {
		if current = e.epoch == epoch && e.status == running; current {
			caller, err = s.assume(e)
		}
	})
	if !current {
		return
	}
	var result json.RawMessage
	failure := assumeFailure(err)
	if failure == nil {
		result, failure = s.invokeLambda(caller, e.machine.region, call)
	}
	s.w.Do(func() {
		// A function may complete its own token before it returns. Then the task has ended already.
		if e.epoch != epoch || e.status != running {
			return
		}
		now := s.w.Clock.Now()
		switch {
		case failure != nil:
			s.perform(e, e.run.Fail(now, *failure))
		case call.Token != "":
			e.run.Submitted(now, result)
		default:
			s.perform(e, e.run.Succeed(now, result))
		}
	})
}

// assume returns a session of the machine's role, named after the execution.
func (s *Service) assume(e *execution) (cloud.Principal, error) {
	session := e.name
	if len(session) > 64 {
		session = session[:64]
	}
	caller := cloud.ServicePrincipal("states.amazonaws.com")
	caller.SourceARN = e.machine.arn
	return s.roles.Assume(caller, e.machine.role, session)
}

func assumeFailure(err error) *asl.Failure {
	if err == nil {
		return nil
	}
	return &asl.Failure{Error: "States.Runtime", Cause: "Step Functions cannot assume the state machine's role: " + err.Error()}
}

func (s *Service) invokeLambda(caller cloud.Principal, region string, call asl.Call) (json.RawMessage, *asl.Failure) {
	var in lambdaArguments
	if err := json.Unmarshal(call.Arguments, &in); err != nil || in.FunctionName == "" {
		return nil, &asl.Failure{
			Error: "States.Runtime", Cause: "The arguments of lambda:invoke have no FunctionName: " + string(call.Arguments),
		}
	}
	payload := []byte(in.Payload)
	if payload == nil {
		payload = []byte("{}")
	}
	answer, err := s.lambda(Invocation{
		Caller: caller, Region: region, Function: in.FunctionName, Qualifier: in.Qualifier, Payload: payload,
	})
	if err != nil {
		return nil, serviceFailure(err)
	}
	if answer.FunctionError != "" {
		return nil, functionFailure(answer.Payload)
	}
	parsed := json.RawMessage(answer.Payload)
	if len(parsed) == 0 {
		parsed = json.RawMessage("null")
	} else if !json.Valid(parsed) {
		// A string always has a JSON form.
		parsed, _ = json.Marshal(string(answer.Payload))
	}
	out, err := json.Marshal(lambdaResult{
		ExecutedVersion: answer.ExecutedVersion, Payload: parsed, Metadata: lambdaMetadata{200}, StatusCode: 200,
	})
	if err != nil {
		return nil, &asl.Failure{Error: "States.Runtime", Cause: err.Error()}
	}
	return out, nil
}

// functionFailure returns the error name of a function's failure. The cause is the error payload. If the process ended, or the
// payload has no error type, the name is Lambda.Unknown (assumption SFN-03).
// https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html#bp-lambda-serviceexception
func functionFailure(payload []byte) *asl.Failure {
	var e struct {
		ErrorType string `json:"errorType"`
	}
	if json.Unmarshal(payload, &e) != nil || e.ErrorType == "" || e.ErrorType == "Runtime.ExitError" {
		e.ErrorType = "Lambda.Unknown"
	}
	return &asl.Failure{Error: e.ErrorType, Cause: string(payload)}
}

// serviceFailure returns the error name of a failure of the Invoke API: "Lambda." with the error's code if the API declares it,
// Lambda.AWSLambdaException for other codes, and Lambda.SdkClientException if there was no response.
func serviceFailure(err error) *asl.Failure {
	if errors.Is(err, cloud.ErrNoResponse) {
		return &asl.Failure{Error: "Lambda.SdkClientException", Cause: err.Error()}
	}
	e := cloud.AsError(err)
	name := "Lambda.AWSLambdaException"
	switch e.Code {
	case "InvalidParameterValueException", "InvalidRequestContentException", "InvalidRuntimeException", "RequestTooLargeException",
		"ResourceConflictException", "ResourceNotFoundException", "ResourceNotReadyException", "ServiceException",
		"TooManyRequestsException", "UnsupportedMediaTypeException", "RecursiveInvocationException":
		name = "Lambda." + e.Code
	}
	return &asl.Failure{Error: name, Cause: e.Message + " (Service: AWSLambda; Error Code: " + e.Code + ")"}
}
