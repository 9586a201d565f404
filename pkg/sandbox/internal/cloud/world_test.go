package cloud

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type input struct{ ResourceArn string }

type output struct{ Name string }

func (output) TrailRecord() any { return map[string]any{"name": "n"} }

const account = "111111111111"

// world has one service whose handler does what h does.
func world(h func(c *Call) error) (*World, *[]Event) {
	w := New(Options{Seed: 1})
	var emitted []Event
	w.Emit = func(e Event) { emitted = append(emitted, e) }
	handle := func(c *Call, in *input) (*output, error) {
		if err := c.Authorize("things:Do", in.ResourceArn, nil); err != nil {
			return nil, err
		}
		return &output{}, h(c)
	}
	w.Register(&Service{
		Name: "things", Protocol: JSON10, Global: true, EventSource: "things.amazonaws.com",
		Operations: []Operation{
			Op(Operation{Name: "Do", Status: 202}, handle), Op(Operation{Name: "Get", ReadOnly: true}, handle),
			Op(Operation{Name: "Send", DataPlane: true}, handle),
			Op(Operation{Name: "Careless"}, func(*Call, *input) (*output, error) { return &output{}, nil }),
		},
	})
	return w, &emitted
}

func fine(*Call) error { return nil }

func TestCallsAreLogged(t *testing.T) {
	w, _ := world(fine)
	if _, err := w.Invoke(Root(account), "eu-west-1", "things", "Do", &input{ResourceArn: "arn:x"}); err != nil {
		t.Fatal(err)
	}
	want := []CallRecord{{
		Seq: 1, Time: DefaultStart, Account: account, Region: "us-east-1", Service: "things", Operation: "Do",
		Principal: "arn:aws:iam::111111111111:root", Resource: "arn:x", Allowed: true, Status: 202,
	}}
	got := w.Calls()
	got[0].RequestID = ""
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestUnknownCallsAreNotImplemented(t *testing.T) {
	w, _ := world(fine)
	for _, name := range [][2]string{{"things", "Fly"}, {"birds", "Fly"}} {
		_, err := w.Invoke(Root(account), "eu-west-1", name[0], name[1], &input{})
		var e *Error
		if !errors.As(err, &e) || e.Status != 501 || e.Message != "the sandbox does not implement "+name[0]+" Fly" {
			t.Errorf("%v: %v", name, err)
		}
	}
}

type deny struct{}

func (deny) Authorize(Request) Decision {
	return Decision{Statement: "s1", Reason: "no statement allows it"}
}

func TestDeniedCallsHaveNoEffect(t *testing.T) {
	called := false
	w, emitted := world(func(*Call) error { called = true; return nil })
	w.Authorizer = deny{}
	_, err := w.Invoke(Root(account), "us-east-1", "things", "Do", &input{ResourceArn: "arn:x"})
	var e *Error
	if !errors.As(err, &e) || e.Code != "AccessDeniedException" || e.Status != 403 {
		t.Errorf("got %v", err)
	}
	if called {
		t.Error("the handler went on")
	}
	if r := w.Calls()[0]; r.Allowed || r.Statement != "s1" || r.Status != 403 {
		t.Errorf("record %+v", r)
	}
	if detail := (*emitted)[0].Detail.(map[string]any); detail["errorCode"] != "AccessDeniedException" {
		t.Errorf("CloudTrail says %v", detail["errorCode"])
	}
}

func TestHandlersMustAuthorize(t *testing.T) {
	w, _ := world(fine)
	defer func() {
		if recover() == nil {
			t.Error("an answer without authorisation passed")
		}
		w.Do(func() {}) // the world is not left locked
	}()
	_, _ = w.Invoke(Root(account), "us-east-1", "things", "Careless", &input{})
}

func TestFaultsOfACall(t *testing.T) {
	calls := 0
	w, emitted := world(func(*Call) error { calls++; return nil })
	var killed []string
	w.Kill = func(function, _ string) { killed = append(killed, function) }
	next := &Fault{}
	w.Faults.OnCall(func(*Call) *Fault { return next })
	do := func(f *Fault) error {
		next = f
		caller := Root(account)
		caller.Function = "wire"
		_, err := w.Invoke(caller, "us-east-1", "things", "Do", &input{})
		return err
	}
	var e *Error
	if err := do(&Fault{Err: Errorf(503, "Slow", "down")}); !errors.As(err, &e) || e.Code != "Slow" || calls != 0 || len(*emitted) != 0 {
		t.Errorf("an error: %v, %d calls, %d events", err, calls, len(*emitted))
	}
	if err := do(&Fault{NoResponse: true}); !errors.Is(err, ErrNoResponse) || calls != 1 || len(*emitted) != 1 {
		t.Errorf("a lost answer: %v, %d calls, %d events", err, calls, len(*emitted))
	}
	if err := do(&Fault{Crash: true}); !errors.Is(err, ErrNoResponse) || calls != 2 || !slices.Equal(killed, []string{"wire"}) {
		t.Errorf("a crash: %v, %d calls, killed %v", err, calls, killed)
	}
	w.Faults.Reset()
	if err := do(nil); err != nil {
		t.Errorf("after reset: %v", err)
	}
}

func TestAssumption_TRAIL_01_RecordsTakeHalfAMinute(t *testing.T) {
	w, emitted := world(fine)
	for _, operation := range []string{"Get", "Send", "Do"} {
		if _, err := w.Invoke(Root(account), "eu-west-1", "things", operation, &input{ResourceArn: "arn:x"}); err != nil {
			t.Fatal(err)
		}
	}
	if len(*emitted) != 1 {
		t.Fatalf("reads and data leave no record: %d events", len(*emitted))
	}
	e := (*emitted)[0]
	if e.Account != account || e.Region != "us-east-1" || e.Source != "aws.things" || e.DetailType != "AWS API Call via CloudTrail" || e.Delay != 30*time.Second {
		t.Errorf("event %+v", e)
	}
	b, err := json.Marshal(e.Detail)
	if err != nil {
		t.Fatal(err)
	}
	var detail map[string]any
	if err := json.Unmarshal(b, &detail); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"eventName": "Do", "eventSource": "things.amazonaws.com", "recipientAccountId": account, "eventTime": "2035-01-08T09:00:00Z",
		"requestParameters": map[string]any{"resourceArn": "arn:x"}, "responseElements": map[string]any{"name": "n"},
	}
	for name, value := range want {
		if diff := cmp.Diff(value, detail[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestNoTrailNoRecord(t *testing.T) {
	w, emitted := world(fine)
	w.AddAccount(Account{ID: account, NoTrail: true})
	if _, err := w.Invoke(Root(account), "us-east-1", "things", "Do", &input{}); err != nil {
		t.Fatal(err)
	}
	if len(*emitted) != 0 {
		t.Errorf("events %v", *emitted)
	}
	if history, _ := w.History(); len(history) != 1 || history[0].Account != account || history[0].Detail["eventName"] != "Do" {
		t.Errorf("the event history needs no trail: %v", history)
	}
}

func TestTheSameSeedGivesTheSameIDs(t *testing.T) {
	draw := func(seed uint64) [4]string {
		g := NewIDs(seed)
		return [4]string{g.Upper(13), g.Mixed(22), g.Hex(17), g.UUID()}
	}
	if one, again := draw(1), draw(1); one != again || one == draw(2) {
		t.Error("ids do not come from the seed")
	}
}
