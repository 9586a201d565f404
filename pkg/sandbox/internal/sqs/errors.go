package sqs

import "github.com/originhub/originhub/pkg/sandbox/internal/cloud"

func errNoQueue() error {
	return cloud.Errorf(400, "QueueDoesNotExist", "The specified queue does not exist.")
}

func errQueueExists() error {
	return cloud.Errorf(400, "QueueNameExists",
		"A queue already exists with the same name and a different value for an attribute.")
}

func errMissing(parameter string) error {
	return cloud.Errorf(400, "MissingParameter", "The request must contain the parameter %s.", parameter)
}

func errValue(value any, parameter, reason string) error {
	return cloud.Errorf(400, "InvalidParameterValue",
		"Value %v for parameter %s is invalid. Reason: %s", value, parameter, reason)
}

func errAttributeName(name string) error {
	return cloud.Errorf(400, "InvalidAttributeName", "Unknown Attribute %s.", name)
}

func errAttributeValue(value, name, reason string) error {
	return cloud.Errorf(400, "InvalidAttributeValue",
		"Invalid value %s for the parameter %s. Reason: %s", value, name, reason)
}

func errHandle(handle string) error {
	return cloud.Errorf(400, "ReceiptHandleIsInvalid", "The input receipt handle %q is not a valid receipt handle.", handle)
}

func errNoResource(arn, what string) error {
	return cloud.Errorf(404, "ResourceNotFoundException", "The queue %q, given as %s, doesn't exist.", arn, what)
}

func errNotInFlight() error {
	return cloud.Errorf(400, "MessageNotInflight", "The message referred to isn't in flight.")
}

// errFIFO returns the error of a FIFO feature, which the sandbox does not have.
func errFIFO(what string) error {
	return cloud.Errorf(501, "NotImplemented", "the sandbox does not implement FIFO queues (%s)", what)
}
