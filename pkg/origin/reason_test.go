package origin_test

import (
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/origin"
)

func TestSameReasonsComparesCodesAndSubjects(t *testing.T) {
	r := func(code, subject, message string) origin.Reason {
		return origin.Reason{Code: origin.Code(code), Subject: subject, Message: message}
	}
	for name, c := range map[string]struct {
		a, b []origin.Reason
		want bool
	}{
		"both empty":             {nil, nil, true},
		"other words":            {[]origin.Reason{r("taken", "/a", "x")}, []origin.Reason{r("taken", "/a", "y")}, true},
		"another order":          {[]origin.Reason{r("taken", "/a", ""), r("invalid", "h", "")}, []origin.Reason{r("invalid", "h", ""), r("taken", "/a", "")}, true},
		"another subject":        {[]origin.Reason{r("taken", "/a", "")}, []origin.Reason{r("taken", "/b", "")}, false},
		"another code":           {[]origin.Reason{r("taken", "/a", "")}, []origin.Reason{r("invalid", "/a", "")}, false},
		"one more":               {[]origin.Reason{r("taken", "/a", "")}, []origin.Reason{r("taken", "/a", ""), r("taken", "/b", "")}, false},
		"one empty":              {nil, []origin.Reason{r("taken", "/a", "")}, false},
		"stored before subjects": {[]origin.Reason{r("taken", origin.AnySubject, "")}, []origin.Reason{r("taken", "/b", "")}, true},
	} {
		if got := origin.SameReasons(c.a, c.b); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
		if got := origin.SameReasons(c.b, c.a); got != c.want {
			t.Errorf("%s, reversed: %v", name, got)
		}
	}
}

func TestHistoryKeepsTheNewestDecisions(t *testing.T) {
	var r origin.Record
	kept := r
	for i := range 60 {
		r.Remember(time.Unix(int64(i), 0), origin.DecidedQuarantined, []origin.Reason{{Code: "taken", Subject: "/a", Message: "why"}}, "")
	}
	last := r.History[len(r.History)-1]
	if len(r.History) != 50 || last.Code != origin.DecidedQuarantined || last.Why != "why" || last.Reasons[0].Message != "" || !last.At.Equal(time.Unix(59, 0)) {
		t.Errorf("%d decisions, the last %+v", len(r.History), last)
	}
	if len(kept.History) != 0 {
		t.Error("Remember changed the history of a copy")
	}
}
