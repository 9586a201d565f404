package dynamodb

import "github.com/originhub/originhub/pkg/sandbox/internal/cloud"

// Error codes: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html

func invalid(format string, args ...any) *cloud.Error {
	return cloud.Errorf(400, "ValidationException", format, args...)
}

func noTable() *cloud.Error {
	return cloud.Errorf(400, "ResourceNotFoundException", "Requested resource not found")
}

// conditionFailed returns the error of a failed condition, with the old item if the caller asked for it.
func conditionFailed(item Item) *cloud.Error {
	e := cloud.Errorf(400, "ConditionalCheckFailedException", "The conditional request failed")
	if item != nil {
		e.Members = map[string]any{"Item": item}
	}
	return e
}

func unsupported(what string) *cloud.Error {
	return cloud.Errorf(501, "NotImplemented", "the sandbox does not implement %s of DynamoDB", what)
}
