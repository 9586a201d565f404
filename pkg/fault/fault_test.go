package fault

import (
	"errors"
	"fmt"
	"testing"
)

type apiError string

func (e apiError) Error() string     { return string(e) }
func (e apiError) ErrorCode() string { return string(e) }

func TestWrapClassifiesByCodeTableFirst(t *testing.T) {
	table := Codes{"EntityNotFound": AsDone, "PreconditionFailed": AsReread, "AccessDenied": AsRetry}
	for _, c := range []struct {
		err  error
		want string
	}{
		{apiError("EntityNotFound"), "*fault.Done"},
		{apiError("PreconditionFailed"), "*fault.Reread"},
		{apiError("AccessDenied"), "*fault.Retry"},
		{apiError("ValidationException"), "*fault.GiveUp"},
		{apiError("Throttling"), "*fault.Retry"},
		{errors.New("connection reset"), "*fault.Retry"},
		{fmt.Errorf("deep: %w", apiError("EntityNotFound")), "*fault.Done"},
	} {
		got := table.Wrap(c.err, "delete VPC origin %s", "vo_1")
		if fmt.Sprintf("%T", got) != c.want {
			t.Errorf("Wrap(%v) is %T, want %s", c.err, got, c.want)
		}
		if want := "delete VPC origin vo_1: " + c.err.Error(); got.Error() != want {
			t.Errorf("Wrap(%v) reads %q, want %q", c.err, got, want)
		}
		if !errors.Is(got, c.err) {
			t.Errorf("Wrap(%v) hides its cause", c.err)
		}
	}
	if table.Wrap(nil, "read") != nil {
		t.Error("Wrap(nil) is an error")
	}
}

func TestOutermostIsWhatTheStateMachineSees(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("step: %w", AsGiveUp(errors.New("x"))), "*fault.GiveUp"},
		{fmt.Errorf("step: %w", AsReread(errors.New("x"))), "*fault.Reread"},
		{fmt.Errorf("step: %w", AsRetry(errors.New("x"))), "*fault.Retry"},
		{errors.New("unclassified"), "*fault.Retry"},
	} {
		if got := fmt.Sprintf("%T", Outermost(c.err)); got != c.want {
			t.Errorf("Outermost(%v) is %s, want %s", c.err, got, c.want)
		}
	}
	if Outermost(nil) != nil || IgnoreDone(AsDone(errors.New("gone"))) != nil {
		t.Error("nil and done are not failures")
	}
}
