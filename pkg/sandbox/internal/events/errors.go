package events

import "github.com/originhub/originhub/pkg/sandbox/internal/cloud"

func errInvalid(format string, args ...any) error {
	return cloud.Errorf(400, "ValidationException", format, args...)
}

func errNoBus(name string) error {
	return cloud.Errorf(400, "ResourceNotFoundException", "Event bus %s does not exist.", name)
}

func errNoRule(name, busName string) error {
	return cloud.Errorf(400, "ResourceNotFoundException", "Rule %s does not exist on EventBus %s.", name, busName)
}

func errPattern(err error) error {
	return cloud.Errorf(400, "InvalidEventPatternException", "Event pattern is not valid. Reason: %v", err)
}

func errUnsupported(format string, args ...any) error {
	return cloud.Errorf(501, "NotImplemented", "the sandbox does not implement "+format, args...)
}
