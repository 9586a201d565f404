package front

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/ledger"
)

type in struct {
	Name string `json:"Name"`
}

type out struct {
	Greeting string `json:"Greeting"`
}

type fixture struct {
	world *cloud.World
	url   string
	edits int
}

const team = "111111111111"

// start serves a world with one service of two operations.
func start(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{world: cloud.New(cloud.Options{Seed: 1})}
	greet := func(c *cloud.Call, in *in) (*out, error) {
		if err := c.Authorize("greeter:Greet", "arn:aws:greeter:::x", nil); err != nil {
			return nil, err
		}
		if in.Name == "" {
			return nil, cloud.Errorf(400, "ValidationException", "Name is missing")
		}
		if in.Name == "bug" {
			panic("broken handler")
		}
		return &out{Greeting: "hello " + in.Name + " from " + c.Account() + " in " + c.Region}, nil
	}
	f.world.Register(&cloud.Service{
		Name: "greeter", Protocol: cloud.JSON10, TargetPrefix: "Greeter", EventSource: "greeter.amazonaws.com",
		Operations: []cloud.Operation{cloud.Op(cloud.Operation{Name: "Greet"}, greet), cloud.Op(cloud.Operation{Name: "Ask", ReadOnly: true}, greet)},
	})
	faults := NewFaults(f.world, map[string]func(*cloud.Call){"edit": func(c *cloud.Call) {
		f.edits++
		if _, err := f.world.Invoke(cloud.Root("999999999999"), c.Region, "greeter", "Greet", &in{Name: "editor"}); err != nil {
			t.Error(err)
		}
	}})
	front, err := New(Options{
		World: f.world, Faults: faults,
		Credentials: func(key string) (cloud.Principal, bool) {
			return cloud.AssumedRole(team, "arn:aws:iam::"+team+":role/r", "r", "s"), key == "ASIAEXAMPLE"
		},
		State: func() map[string]any { return map[string]any{"accounts": map[string]any{}} },
		Received: func() []cloud.Received {
			return []cloud.Received{{Seq: 1, Event: json.RawMessage(`{"source":"a"}`)}, {Seq: 2, Event: json.RawMessage(`{"source":"b"}`)}}
		},
		Ledger: ledger.Entries,
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(front)
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

func authorization(key, region, service string) string {
	return "AWS4-HMAC-SHA256 Credential=" + key + "/20350108/" + region + "/" + service + "/aws4_request, SignedHeaders=host, Signature=00"
}

// answer is a response whose body has been read.
type answer struct {
	status int
	header http.Header
	body   string
}

func (f *fixture) call(key, service, target, body string) (answer, error) {
	r, err := http.NewRequest("POST", f.url+"/", strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("X-Amz-Target", target)
	if key != "" {
		r.Header.Set("Authorization", authorization(key, "eu-west-1", service))
	}
	return do(r)
}

func do(r *http.Request) (answer, error) {
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return answer{}, err
	}
	b, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(b)}, errors.Join(err, response.Body.Close())
}

func (f *fixture) control(t *testing.T, method, path, body string) (int, map[string]any) {
	t.Helper()
	r, err := http.NewRequest(method, f.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	got, err := do(r)
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal([]byte(got.body), &v); err != nil {
		t.Fatalf("%v in %q", err, got.body)
	}
	return got.status, v
}

func TestCalls(t *testing.T) {
	cases := map[string]struct {
		key, service, target, body string
		status                     int
		says                       string
	}{
		"an account's root":   {team, "greeter", "Greeter.Greet", `{"Name":"you"}`, 200, "hello you from 111111111111 in eu-west-1"},
		"a session":           {"ASIAEXAMPLE", "greeter", "Greeter.Greet", `{"Name":"you"}`, 200, "hello you from 111111111111"},
		"an error of the API": {team, "greeter", "Greeter.Greet", `{}`, 400, `"__type":"ValidationException"`},
		"an unsigned call":    {"", "greeter", "Greeter.Greet", `{}`, 403, "MissingAuthenticationToken"},
		"an unknown key":      {"AKIAWHO", "greeter", "Greeter.Greet", `{}`, 403, "UnrecognizedClientException"},
		"a cut-off signature": {"a/b", "greeter", "Greeter.Greet", `{}`, 400, "IncompleteSignature"},
		"an unknown service":  {team, "farewell", "Farewell_2.Part", `{}`, 501, "farewell Part"},
		"an unknown call":     {team, "greeter", "Greeter.Part", `{}`, 501, "greeter Part"},
		"an unknown member":   {team, "greeter", "Greeter.Greet", `{"Surname":"x"}`, 400, "member Surname"},
		"a broken handler":    {team, "greeter", "Greeter.Greet", `{"Name":"bug"}`, 500, "broken handler"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f := start(t)
			got, err := f.call(tc.key, tc.service, tc.target, tc.body)
			if err != nil {
				t.Fatal(err)
			}
			if got.status != tc.status || !strings.Contains(got.body, tc.says) {
				t.Errorf("%d %s; want %d and %s", got.status, got.body, tc.status, tc.says)
			}
		})
	}
}

func TestUnknownServiceAnswersInTheClientsProtocol(t *testing.T) {
	cases := map[string]struct {
		method, path, body, service string
		header                      []string
		says                        string
	}{
		"Query":    {"POST", "/", "Version=1&Action=Fly", "things", []string{"Content-Type", "application/x-www-form-urlencoded"}, "<Message>the sandbox does not implement things Fly</Message>"},
		"REST-XML": {"GET", "/bucket/key", "", "s3", nil, "<Message>the sandbox does not implement s3 GET /bucket/key</Message>"},
		"CBOR":     {"POST", "/service/S/operation/Fly", "", "monitoring", []string{"Smithy-Protocol", "rpc-v2-cbor"}, "does not implement monitoring Fly"},
		"JSON":     {"GET", "/v2/apis", "", "apigateway", nil, `"message":"the sandbox does not implement apigateway GET /v2/apis"`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f := start(t)
			r, err := http.NewRequest(tc.method, f.url+tc.path, strings.NewReader(tc.body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", authorization(team, "us-east-1", tc.service))
			for i := 0; i < len(tc.header); i += 2 {
				r.Header.Set(tc.header[i], tc.header[i+1])
			}
			got, err := do(r)
			if err != nil {
				t.Fatal(err)
			}
			if got.status != 501 || !strings.Contains(got.body, tc.says) {
				t.Errorf("%d %s", got.status, got.body)
			}
		})
	}
}

func TestDateIsVirtualAndRequestsHaveIDs(t *testing.T) {
	f := start(t)
	f.world.Clock.Advance(time.Hour)
	greeting, err := f.call(team, "greeter", "Greeter.Greet", `{"Name":"you"}`)
	if err != nil {
		t.Fatal(err)
	}
	if got := greeting.header.Get("Date"); got != "Mon, 08 Jan 2035 10:00:00 GMT" {
		t.Errorf("Date: %s", got)
	}
	if got := greeting.header.Get("X-Amzn-Requestid"); got == "" || got != f.world.Calls()[0].RequestID {
		t.Errorf("request id %q, log %+v", got, f.world.Calls())
	}
}

func TestAdvance(t *testing.T) {
	f := start(t)
	ran := 0
	f.world.Clock.After(90*time.Second, "event", func() { ran++ })
	steps := []struct {
		body   string
		status int
		now    string
		idle   bool
		says   string
	}{
		{`{"seconds": 60}`, 200, "2035-01-08T09:01:00Z", false, ""},
		{`{"until": "idle"}`, 200, "2035-01-08T09:01:30Z", true, ""},
		{`{"seconds": 0.5}`, 200, "2035-01-08T09:01:30.5Z", true, ""},
		{`{"secs": 60}`, 400, "", false, `unknown field "secs"; say {"seconds": n}`},
		{`{"seconds": -1}`, 400, "", false, "seconds must be from 0"},
		{`{"until": "tea"}`, 400, "", false, `not until "tea"`},
		{`{"until": "idle", "seconds": 1}`, 400, "", false, "say"},
		{`{"seconds": 1e300}`, 400, "", false, "seconds must be from 0"},
		{`{"seconds": 1e400}`, 400, "", false, "seconds cannot be number 1e400"},
		{`{"seconds": NaN}`, 400, "", false, "invalid character 'N'"},
		{`{"seconds": "60"}`, 400, "", false, "seconds cannot be string"},
		{`{"seconds": null}`, 400, "", false, "say"},
		{`{"until": true}`, 400, "", false, "until cannot be bool"},
		{`60`, 400, "", false, "the body cannot be number"},
		{``, 400, "", false, "no body"},
		{`{"seconds": 1} x`, 400, "", false, "more than one JSON value"},
	}
	for _, step := range steps {
		status, v := f.control(t, "POST", "/_sandbox/advance", step.body)
		if status != step.status {
			t.Fatalf("%s: %d %v", step.body, status, v)
		}
		if status != 200 {
			if !strings.Contains(v["error"].(string), step.says) {
				t.Errorf("%s: %v", step.body, v)
			}
			continue
		}
		if v["now"] != step.now || v["idle"] != step.idle {
			t.Errorf("%s: %v", step.body, v)
		}
	}
	if ran != 1 {
		t.Errorf("the event ran %d times", ran)
	}
}

// The answer comes also when the world never rests, and says what keeps it from that.
func TestAdvanceUntilIdleGivesUp(t *testing.T) {
	f := start(t)
	var fail func()
	fail = func() { f.world.Clock.Again(30*time.Minute, "message m visible in q again", fail) }
	fail()
	f.world.Clock.Background(time.Hour, "schedule of r", nil)
	status, v := f.control(t, "POST", "/_sandbox/advance", `{"until": "idle"}`)
	want := map[string]any{
		"now": "2035-01-12T13:30:00Z", "idle": false, "underway": []any{"2035-01-12T14:00:00Z message m visible in q again"},
	}
	if diff := cmp.Diff(want, v); status != 200 || diff != "" {
		t.Errorf("%d %s", status, diff)
	}
}

// A log that has dropped entries says how many of those that were asked for are missing.
func TestSince(t *testing.T) {
	for _, test := range []struct {
		query        string
		from, to     int // Seq of the first and the last entry that the log keeps
		part, missed int
	}{
		{"", 1, 3, 3, 0},
		{"", 5, 7, 3, 4},
		{"?since=2", 5, 7, 3, 2},
		{"?since=4", 5, 7, 3, 0},
		{"?since=6", 5, 7, 1, 0},
		{"?since=9", 5, 7, 0, 0},
		{"", 1, 0, 0, 0},
	} {
		var log []int
		for seq := test.from; seq <= test.to; seq++ {
			log = append(log, seq)
		}
		part, missed, err := since(httptest.NewRequest("GET", "/"+test.query, nil), log, func(seq int) int { return seq })
		if err != nil || len(part) != test.part || missed != test.missed {
			t.Errorf("%q of %v: %v, %d missed, %v", test.query, log, part, missed, err)
		}
	}
}

func TestControlEndpoints(t *testing.T) {
	f := start(t)
	for range 3 {
		if _, err := f.call(team, "greeter", "Greeter.Greet", `{"Name":"you"}`); err != nil {
			t.Fatal(err)
		}
	}
	if _, v := f.control(t, "GET", "/_sandbox/calls?since=1", ""); len(v["calls"].([]any)) != 2 {
		t.Errorf("calls since 1: %v", v)
	}
	if status, v := f.control(t, "GET", "/_sandbox/calls?from=1", ""); status != 400 {
		t.Errorf("unknown parameter: %d %v", status, v)
	}
	if _, v := f.control(t, "GET", "/_sandbox/events?since=1", ""); len(v["events"].([]any)) != 1 || v["events"].([]any)[0].(map[string]any)["seq"] != 2.0 {
		t.Errorf("events since 1: %v", v)
	}
	if _, v := f.control(t, "GET", "/_sandbox/calls?since=3", ""); len(v["calls"].([]any)) != 0 || v["dropped"] != 0.0 {
		t.Errorf("calls since 3: %v", v)
	}
	if status, v := f.control(t, "GET", "/_sandbox/events?bus=b", ""); status != 400 {
		t.Errorf("unknown parameter: %d %v", status, v)
	}
	if status, v := f.control(t, "GET", "/_sandbox/state", ""); status != 200 || v["accounts"] == nil {
		t.Errorf("state: %d %v", status, v)
	}
	if status, v := f.control(t, "GET", "/_sandbox/ledger", ""); status != 200 || len(v["ledger"].([]any)) == 0 {
		t.Errorf("ledger: %d %v", status, v)
	}
	_, v := f.control(t, "GET", "/_sandbox/operations", "")
	b, _ := json.Marshal(v)
	want := `{"services":[{"operations":[{"name":"Ask","readOnly":true,"trailed":false},{"name":"Greet","readOnly":false,"trailed":true}],` +
		`"protocol":"AWS JSON 1.0","service":"greeter"}]}`
	if string(b) != want {
		t.Errorf("operations: %s", b)
	}
	if status, v := f.control(t, "GET", "/_sandbox/advance", ""); status != 405 || v["allowed"] == nil {
		t.Errorf("wrong method: %d %v", status, v)
	}
	if status, v := f.control(t, "GET", "/_sandbox/fautls", ""); status != 404 || v["endpoints"] == nil {
		t.Errorf("unknown endpoint: %d %v", status, v)
	}
}
