package cloud

import (
	"errors"
	"fmt"
)

// Error is an AWS API error. Wire adapters render it in the service's protocol.
type Error struct {
	Code    string
	Message string
	Status  int // HTTP status; 400 when zero
	// Members are what the error carries besides its message, in the JSON protocols: name to value.
	Members map[string]any
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Errorf makes an API error.
func Errorf(status int, code, format string, args ...any) *Error {
	return &Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// ErrNoResponse makes the front door close the connection without an answer: the call may have had its effect.
var ErrNoResponse = errors.New("connection closed before the response")

// NotImplemented is the answer to an operation that the sandbox does not know: HTTP 501, naming it.
func NotImplemented(service, operation string) *Error {
	return Errorf(501, "NotImplemented", "the sandbox does not implement %s %s", service, operation)
}

// AsError turns any error into an API error; what is not one becomes an InternalFailure 500, since it is a fault of the sandbox.
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
