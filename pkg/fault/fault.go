// Package fault classifies errors by what the caller has to do: retry the call, read again and decide again, give up, or continue
// because the goal of the call is reached already. Adapters classify an error; workflows and the state machine act by its class.
// The Retry blocks of the state machine match the names of these types, since Lambda reports a Go error by the name of its type.
package fault

import (
	"errors"
	"fmt"
)

// Retry is a temporary failure: the same call may succeed later.
type Retry struct{ Err error }

// Reread is a failure of a write that was based on a state which has changed since: read again and decide again.
type Reread struct{ Err error }

// GiveUp is a permanent failure: the call fails until somebody changes something.
type GiveUp struct{ Err error }

// Blocked means that a teardown cannot continue until somebody acts. By then, the event about it has been published and the
// record written.
type Blocked struct{ Err error }

// Dirty means that a teardown ended with something left behind. By then, the event about it has been published and the
// record written.
type Dirty struct{ Err error }

// Absent means that the object of the call does not exist.
type Absent struct{ Err error }

// Exists means that the object that the call creates exists already.
type Exists struct{ Err error }

// Finished means that the object of the call has ended: an invitation was answered or has expired, or a task has ended.
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

// Is reports whether the class of err is T. If an error chain has several classes, the outermost counts, since the caller that added
// that class knew more. Function joined gives the class of errors that are joined.
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

// joined returns the class of joined errors, so that the caller does what the most demanding of them needs.
//
//	members                                       class
//	a Retry, or an error without a class          Retry
//	else a Reread                                 Reread
//	else a GiveUp, a Blocked or a Dirty           the last of them
//	all Absent, all Exists, or all Finished       that class
//	a mixture of these three                      Retry
func joined(members []error) error {
	var reread, giveUp, done error
	for _, m := range members {
		switch c := class(m).(type) { //nolint:errorlint // class has walked the chain
		case nil, *Retry:
			return &Retry{errors.Join(members...)}
		case *Reread:
			reread = c
		case *GiveUp, *Blocked, *Dirty:
			giveUp = c
		default:
			if done != nil && fmt.Sprintf("%T", done) != fmt.Sprintf("%T", c) {
				done = &Retry{errors.Join(members...)}
				continue
			}
			done = c
		}
	}
	switch {
	case reread != nil:
		return reread
	case giveUp != nil:
		return giveUp
	}
	return done
}

// IgnoreAbsent returns nil if the class of err is Absent, and err otherwise.
func IgnoreAbsent(err error) error {
	if Is[*Absent](err) {
		return nil
	}
	return err
}

// IgnoreFinished returns nil if the class of err is Finished, and err otherwise.
func IgnoreFinished(err error) error {
	if Is[*Finished](err) {
		return nil
	}
	return err
}

// IgnoreExists returns nil if the class of err is Exists, and err otherwise.
func IgnoreExists(err error) error {
	if Is[*Exists](err) {
		return nil
	}
	return err
}

// Outermost returns err with its class as the outermost type, which the Lambda runtime reports. An error of any other class, or without
// one, becomes a Retry: queues and state machines limit the number of retries.
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

// Codes maps the error codes of one AWS service to classes: AsRetry, AsReread, AsGiveUp, AsAbsent, AsExists or AsFinished.
type Codes map[string]func(error) error

// common maps the error codes that all services share. Errors are classified by code, since the SDK does not have a type for each
// error of each service.
var common = Codes{
	"AccessDenied": AsGiveUp, "AccessDeniedException": AsGiveUp, "UnauthorizedOperation": AsGiveUp,
	"ValidationException": AsGiveUp, "ValidationError": AsGiveUp, "InvalidArgument": AsGiveUp,
	"InvalidParameterException": AsGiveUp, "MalformedArnException": AsGiveUp,
}

// Wrap prefixes err with the formatted text, which names the call as a verb and a noun ("read DNS records of zone Z"), and classifies it
// by its AWS error code: first by c, then by the codes that all services share. An error with another code, or without a code, is a
// Retry, since it may be temporary. Wrap returns nil if err is nil.
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

// Answer returns the error code and the message that AWS returned, without the text that the SDK adds. For an error that did not come
// from AWS it returns the text of err.
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

// Code returns the AWS error code of err, or "".
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
