// Package fault says what to do about an error: try again, read again, give up, or nothing because it is already done.
// Adapters decide once which it is; workflows and the state machine obey. The type names are the error names that the
// state machine's Retry and Catch blocks see, since Lambda reports a Go error by its type name.
package fault

import (
	"errors"
	"fmt"
)

// Retry is a failure that may pass: the same call may succeed later.
type Retry struct{ Err error }

// Reread is a write based on what is no longer true: read again and decide again.
type Reread struct{ Err error }

// GiveUp is a failure that no repetition mends; somebody has to change something.
type GiveUp struct{ Err error }

// Done is a failure to do what has been done already, or to remove what is gone.
type Done struct{ Err error }

func (e *Retry) Error() string  { return e.Err.Error() }
func (e *Reread) Error() string { return e.Err.Error() }
func (e *GiveUp) Error() string { return e.Err.Error() }
func (e *Done) Error() string   { return e.Err.Error() }

func (e *Retry) Unwrap() error  { return e.Err }
func (e *Reread) Unwrap() error { return e.Err }
func (e *GiveUp) Unwrap() error { return e.Err }
func (e *Done) Unwrap() error   { return e.Err }

// Is tells whether err is classified as T. Of several classes in a chain the outermost counts: it was given last, by who
// knew most.
func Is[T error](err error) bool {
	_, ok := class(err).(T) //nolint:errorlint // class has walked the chain
	return ok
}

func class(err error) error {
	switch e := err.(type) { //nolint:errorlint // the chain is walked by hand, since the outermost class counts
	case *Retry, *Reread, *GiveUp, *Done:
		return err
	case interface{ Unwrap() error }:
		return class(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			if c := class(one); c != nil {
				return c
			}
		}
	}
	return nil
}

// IgnoreDone turns a Done into success.
func IgnoreDone(err error) error {
	if Is[*Done](err) {
		return nil
	}
	return err
}

// Outermost returns err with its class as the outermost type, which is what the Lambda runtime reports. An error that
// nobody classified is a Retry: queues and state machines bound how often.
func Outermost(err error) error {
	switch {
	case err == nil:
		return nil
	case Is[*GiveUp](err):
		return &GiveUp{err}
	case Is[*Reread](err):
		return &Reread{err}
	default:
		return &Retry{err}
	}
}

// AsRetry classifies err as a Retry.
func AsRetry(err error) error { return &Retry{err} }

// AsReread classifies err as a Reread.
func AsReread(err error) error { return &Reread{err} }

// AsGiveUp classifies err as a GiveUp.
func AsGiveUp(err error) error { return &GiveUp{err} }

// AsDone classifies err as a Done.
func AsDone(err error) error { return &Done{err} }

// Codes is an adapter's table from AWS error codes to classes: AsRetry, AsReread, AsGiveUp or AsDone.
type Codes map[string]func(error) error

// common holds for every service. CloudFront has no typed throttling error (facts/aws.md section 3), so codes decide.
var common = Codes{
	"AccessDenied": AsGiveUp, "AccessDeniedException": AsGiveUp, "UnauthorizedOperation": AsGiveUp,
	"ValidationException": AsGiveUp, "ValidationError": AsGiveUp, "InvalidArgument": AsGiveUp,
	"InvalidParameterException": AsGiveUp, "MalformedArnException": AsGiveUp,
}

// Wrap adds "verb noun" to err and classifies it by its AWS error code: the table first, then what holds for every
// service. A code that neither knows, and an error that is not AWS's, may pass and so is a Retry.
func (c Codes) Wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	wrapped := fmt.Errorf(format+": %w", append(args, err)...)
	code := Code(err)
	if class := c[code]; class != nil {
		return class(wrapped)
	}
	if class := common[code]; class != nil {
		return class(wrapped)
	}
	return &Retry{wrapped}
}

// Said is what AWS answered, without what the SDK puts around it; of an error that is not AWS's it is the error.
func Said(err error) string {
	var api interface {
		error
		ErrorCode() string
		ErrorMessage() string
	}
	if errors.As(err, &api) {
		return api.ErrorCode() + ": " + api.ErrorMessage()
	}
	return err.Error()
}

// Code is the AWS error code of err, or "".
func Code(err error) string {
	var api interface {
		error
		ErrorCode() string
	}
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}
