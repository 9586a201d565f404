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
	table := Codes{"EntityNotFound": AsAbsent, "PreconditionFailed": AsReread, "AccessDenied": AsRetry}
	for _, c := range []struct {
		err  error
		want string
	}{
		{apiError("EntityNotFound"), "*fault.Absent"},
		{apiError("PreconditionFailed"), "*fault.Reread"},
		{apiError("AccessDenied"), "*fault.Retry"},
		{apiError("ValidationException"), "*fault.GiveUp"},
		{apiError("Throttling"), "*fault.Retry"},
		{errors.New("connection reset"), "*fault.Retry"},
		{fmt.Errorf("deep: %w", apiError("EntityNotFound")), "*fault.Absent"},
	} {
		got := table.Wrap(c.err, "delete VPC origin %s", "vo_1")
		if fmt.Sprintf("%T", got) != c.want {
			t.Errorf("Wrap(%v) is %T, want %s", c.err, got, c.want)
		}
		if want := "delete VPC origin vo_1: " + c.err.Error(); got.Error() != want {
			t.Errorf("Wrap(%v) reads %q, want %q", c.err, got, want)
		}
		if !errors.Is(got, c.err) {
			t.Errorf("Wrap(%v) does not wrap its cause", c.err)
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
		{fmt.Errorf("step: %w", &Blocked{errors.New("x")}), "*fault.Blocked"},
		{fmt.Errorf("step: %w", &Dirty{errors.New("x")}), "*fault.Dirty"},
		{errors.New("unclassified"), "*fault.Retry"},
	} {
		if got := fmt.Sprintf("%T", Outermost(c.err)); got != c.want {
			t.Errorf("Outermost(%v) is %s, want %s", c.err, got, c.want)
		}
	}
	if Outermost(nil) != nil {
		t.Error("Outermost(nil) is an error")
	}
}

// The cases follow the rows of the table above function joined.
func TestClassOfAJoin(t *testing.T) {
	x := errors.New("x")
	retry, reread, giveUp, absent, exists, finished := AsRetry(x), AsReread(x), AsGiveUp(x), AsAbsent(x), AsExists(x), AsFinished(x)
	for _, c := range []struct {
		members []error
		want    string
	}{
		{[]error{absent, retry}, "*fault.Retry"},
		{[]error{giveUp, retry, reread}, "*fault.Retry"},
		{[]error{absent, x}, "*fault.Retry"},
		{[]error{giveUp, reread}, "*fault.Reread"},
		{[]error{absent, giveUp}, "*fault.GiveUp"},
		{[]error{absent, &Blocked{x}}, "*fault.Blocked"},
		{[]error{reread, &Dirty{x}}, "*fault.Reread"},
		{[]error{absent, absent}, "*fault.Absent"},
		{[]error{exists, exists}, "*fault.Exists"},
		{[]error{finished, nil}, "*fault.Finished"},
		{[]error{absent, exists}, "*fault.Retry"},
		{[]error{absent, finished, giveUp}, "*fault.GiveUp"},
		{[]error{errors.Join(absent, giveUp), fmt.Errorf("deep: %w", reread)}, "*fault.Reread"},
	} {
		for _, err := range []error{errors.Join(c.members...), fmt.Errorf("run: %w", errors.Join(c.members...))} {
			if got := fmt.Sprintf("%T", class(err)); got != c.want {
				t.Errorf("the class of %v is %s, want %s", c.members, got, c.want)
			}
		}
	}
	if err := errors.Join(absent, retry); IgnoreAbsent(err) == nil || !Is[*Retry](err) {
		t.Error("an Absent hides the Retry that it is joined with")
	}
	if IgnoreAbsent(absent) != nil || IgnoreExists(exists) != nil || IgnoreFinished(finished) != nil || IgnoreAbsent(exists) == nil {
		t.Error("each Ignore ignores its own class and no other")
	}
}
