package ram

import "github.com/originhub/originhub/pkg/sandbox/internal/cloud"

func malformedARN(arn string) error {
	return cloud.Errorf(400, "MalformedArnException", "The specified Amazon Resource Name (ARN) %s is not valid.", arn)
}

func unknownResource(what, arn string) error {
	return cloud.Errorf(400, "UnknownResourceException", "%s %s could not be found.", what, arn)
}

func notPermitted(format string, args ...any) error {
	return cloud.Errorf(400, "OperationNotPermittedException", format, args...)
}

func invalid(format string, args ...any) error {
	return cloud.Errorf(400, "InvalidParameterException", format, args...)
}

func missing(name string) error {
	return cloud.Errorf(400, "MissingRequiredParameterException", "The required parameter %s is missing.", name)
}

func invalidState(format string, args ...any) error {
	return cloud.Errorf(400, "InvalidStateTransitionException", format, args...)
}
