// Package fault classifies errors by what to do about them: repeat the call, read again, give up, or go on because the state
// that the call was to bring about is there in another way. Adapters classify once; workflows and the state machine obey. The
// type names are the error names that the state machine's Retry blocks match, since Lambda reports a Go error by its type name.
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

// Blocked says that a teardown cannot go on until somebody acts. It was said and recorded before.
type Blocked struct{ Err error }

// Dirty says that a teardown left something behind. It was said and recorded before.
type Dirty struct{ Err error }

// Absent says that what the call is about does not exist, or no longer.
type Absent struct{ Err error }

// Exists says that what the call was to create is there already.
type Exists struct{ Err error }

// Finished says that what the call is about has come to its end: an invitation was answered or has expired, a task is over.
type Finished struct{ Err error }

func (e *Retry) Error() string    { return e.Err.Error() }
func (e *Reread) Error() string   { return e.Err.Error() }
func (e *GiveUp) Error() string   { return e.Err.Error() }
func (e *Blocked) Error() string  { return e.Err.Error() }
func (e *Dirty) Error() string    { return e.Err.Error() }
func (e *Absent) Error() string   { return e.Err.Error() }
func (e *Exists) Error() string   { return e.Err.Error() }
func (e *Finished) Error() string { return e.Err.Error() }

func (e *Retry) Unwrap() error    { return e.Err }
func (e *Reread) Unwrap() error   { return e.Err }
func (e *GiveUp) Unwrap() error   { return e.Err }
func (e *Blocked) Unwrap() error  { return e.Err }
func (e *Dirty) Unwrap() error    { return e.Err }
func (e *Absent) Unwrap() error   { return e.Err }
func (e *Exists) Unwrap() error   { return e.Err }
func (e *Finished) Unwrap() error { return e.Err }

// Is reports whether err is classified as T. Of several classes in a chain the outermost counts: it was given last, by who
// knew most. The class of a join is that of joined.
func Is[T error](err error) bool {
	_, ok := class(err).(T) //nolint:errorlint // class has walked the chain
	return ok
}

func class(err error) error {
	switch e := err.(type) { //nolint:errorlint // the chain is walked by hand, since the outermost class counts
	case *Retry, *Reread, *GiveUp, *Blocked, *Dirty, *Absent, *Exists, *Finished:
		return err
	case interface{ Unwrap() error }:
		return class(e.Unwrap())
	case interface{ Unwrap() []error }:
		return joined(e.Unwrap())
	}
	return nil
}

// joined returns the class of several errors together: what to do so that none of them is lost.
//
//	members                                       class
//	any Retry, or any without a class             Retry
//	else any Reread                               Reread
//	else any GiveUp, Blocked or Dirty             the last of them
//	all Absent, all Exists, or all Finished       that one
//	these three mixed                             Retry
func joined(members []error) error {
	var reread, giveUp, calm error
	for _, m := range members {
		switch c := class(m).(type) { //nolint:errorlint // class has walked the chain
		case nil, *Retry:
			return &Retry{errors.Join(members...)}
		case *Reread:
			reread = c
		case *GiveUp, *Blocked, *Dirty:
			giveUp = c
		default:
			if calm != nil && fmt.Sprintf("%T", calm) != fmt.Sprintf("%T", c) {
				calm = &Retry{errors.Join(members...)}
				continue
			}
			calm = c
		}
	}
	switch {
	case reread != nil:
		return reread
	case giveUp != nil:
		return giveUp
	}
	return calm
}

// IgnoreAbsent returns nil for an Absent and err otherwise.
func IgnoreAbsent(err error) error {
	if Is[*Absent](err) {
		return nil
	}
	return err
}

// IgnoreFinished returns nil for a Finished and err otherwise.
func IgnoreFinished(err error) error {
	if Is[*Finished](err) {
		return nil
	}
	return err
}

// IgnoreExists returns nil for an Exists and err otherwise.
func IgnoreExists(err error) error {
	if Is[*Exists](err) {
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
	case Is[*Blocked](err):
		return &Blocked{err}
	case Is[*Dirty](err):
		return &Dirty{err}
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

// AsAbsent classifies err as an Absent.
func AsAbsent(err error) error { return &Absent{err} }

// AsExists classifies err as an Exists.
func AsExists(err error) error { return &Exists{err} }

// AsFinished classifies err as a Finished.
func AsFinished(err error) error { return &Finished{err} }

// Codes is an adapter's table from AWS error codes to classes: AsRetry, AsReread, AsGiveUp, AsAbsent, AsExists or
// AsFinished.
type Codes map[string]func(error) error

// common holds for every service. Codes decide, since not every service has a type for each of its errors.
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

// Answer is what AWS answered, without what the SDK puts around it; of an error that is not AWS's it is the error.
func Answer(err error) string {
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
