package cloud

import (
	"errors"
	"fmt"
)

// Error is an AWS API error. Package wire writes it in the service's protocol.
type Error struct {
	Code    string
	Message string
	Status  int // HTTP status; 400 when zero
	// Members are what the error has besides its message, in the JSON protocols, by name.
	Members map[string]any
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Errorf returns an API error.
func Errorf(status int, code, format string, args ...any) *Error {
	return &Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// ErrNoResponse makes the front door close the connection without a response. The call may have had its effect.
var ErrNoResponse = errors.New("connection closed before the response")

// NotImplemented returns the error of an operation that the sandbox does not have: HTTP 501 with the operation's name.
func NotImplemented(service, operation string) *Error {
	return Errorf(501, "NotImplemented", "the sandbox does not implement %s %s", service, operation)
}

// AsError returns err as an API error. An error of another type becomes an InternalFailure 500, because it is a fault of the
// sandbox.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		if e.Status == 0 {
			e.Status = 400
		}
		return e
	}
	return Errorf(500, "InternalFailure", "%v", err)
}
