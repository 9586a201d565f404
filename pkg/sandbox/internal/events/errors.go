package events

import "github.com/originhub/originhub/pkg/sandbox/internal/cloud"

func errInvalid(format string, args ...any) error {
	return cloud.Errorf(400, "ValidationException", format, args...)
}

// page returns one page of a list. Pages hold 100 items unless the caller asks for fewer.
func page[T any](items []T, token string, limit int) (list []T, next string, err error) {
	const most = 100
	if limit == 0 {
		limit = most
	}
	if limit < 1 || limit > most {
		return nil, "", errInvalid("1 validation error detected: Value '%d' at 'limit' must be from 1 to %d", limit, most)
	}
	list, next, ok := cloud.Page(items, token, limit)
	if !ok {
		return nil, "", errInvalid("Parameter nextToken is not valid.")
	}
	return list, next, nil
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
