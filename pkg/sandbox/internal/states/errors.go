package states

import "github.com/originhub/originhub/pkg/sandbox/internal/cloud"

// Error codes are in the Errors section of each page of https://docs.aws.amazon.com/step-functions/latest/apireference/

func invalidARN(arn string) error {
	return cloud.Errorf(400, "InvalidArn", "Invalid Arn: '%s'", arn)
}

func noMachine(arn string) error {
	return cloud.Errorf(400, "StateMachineDoesNotExist", "State Machine Does Not Exist: '%s'", arn)
}

func noExecution(arn string) error {
	return cloud.Errorf(400, "ExecutionDoesNotExist", "Execution Does Not Exist: '%s'", arn)
}

func executionExists(arn string) error {
	return cloud.Errorf(400, "ExecutionAlreadyExists", "Execution Already Exists: '%s'", arn)
}

func invalidName(name string) error {
	return cloud.Errorf(400, "InvalidName", "Invalid Name: '%s'", name)
}

func invalidInput(why string) error {
	return cloud.Errorf(400, "InvalidExecutionInput", "Invalid State Machine Execution Input: '%s'", why)
}

func invalidOutput(why string) error {
	return cloud.Errorf(400, "InvalidOutput", "Invalid Output: '%s'", why)
}

func invalidToken() error {
	return cloud.Errorf(400, "InvalidToken", "Invalid Token: 'Invalid token'")
}

func taskTimedOut() error {
	return cloud.Errorf(400, "TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
}

func taskDoesNotExist() error {
	return cloud.Errorf(400, "TaskDoesNotExist", "Task Does Not Exist")
}

func notRedrivable(arn, reason string) error {
	return cloud.Errorf(400, "ExecutionNotRedrivable", "Execution %s is not redrivable: %s", arn, reason)
}

func invalid(format string, args ...any) error {
	return cloud.Errorf(400, "ValidationException", format, args...)
}

func noResource(arn string) error {
	return cloud.Errorf(400, "ResourceNotFound", "Resource not found: '%s'", arn)
}
