package front

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

func TestCallFaults(t *testing.T) {
	cases := map[string]struct {
		rule string
		// answers of four calls: "ok", an error code, or "broken" for a lost connection
		want []string
		// calls that had their effect
		logged int
	}{
		"throttle the second":       {`{"fault":"throttle","service":"greeter","nth":2}`, []string{"ok", "ThrottlingException", "ok", "ok"}, 4},
		"throttle twice from there": {`{"fault":"throttle","operation":"Gr*","nth":2,"times":2}`, []string{"ok", "ThrottlingException", "ThrottlingException", "ok"}, 4},
		"fail for ever":             {`{"fault":"error","error":{"code":"Oops","status":503}}`, []string{"Oops", "Oops", "Oops", "Oops"}, 4},
		"lose one answer":           {`{"fault":"timeout-after-success","times":1}`, []string{"broken", "ok", "ok", "ok"}, 4},
		"another account":           {`{"fault":"throttle","account":"222222222222"}`, []string{"ok", "ok", "ok", "ok"}, 4},
		"another service":           {`{"fault":"throttle","service":"cloudfront"}`, []string{"ok", "ok", "ok", "ok"}, 4},
		"a function's call":         {`{"fault":"crash","function":"wire*"}`, []string{"ok", "ok", "ok", "ok"}, 4},
		"a foreign edit each time":  {`{"fault":"foreign-edit","hook":"edit"}`, []string{"ok", "ok", "ok", "ok"}, 8},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f := start(t)
			if status, v := f.control(t, "POST", "/_sandbox/faults", tc.rule); status != 200 {
				t.Fatal(v)
			}
			var got []string
			for range 4 {
				answer, err := f.call(team, "greeter", "Greeter.Greet", `{"Name":"you"}`)
				_, code, _ := strings.Cut(answer.body, `"__type":"`)
				code, _, _ = strings.Cut(code, `"`)
				switch {
				case err != nil:
					got = append(got, "broken")
				case code == "":
					got = append(got, "ok")
				default:
					got = append(got, code)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
			if n := len(f.world.Calls()); n != tc.logged {
				t.Errorf("%d calls logged, want %d", n, tc.logged)
			}
		})
	}
}

func TestCrashKillsTheCallingFunction(t *testing.T) {
	f := start(t)
	var killed []string
	f.world.Kill = func(function, invocation string) { killed = append(killed, function+" "+invocation) }
	f.control(t, "POST", "/_sandbox/faults", `{"fault":"crash","function":"wire","nth":2}`)
	caller := cloud.Root(team)
	caller.Function, caller.Invocation = "wire", "i1"
	for i, want := range []error{nil, cloud.ErrNoResponse, nil} {
		if _, err := f.world.Invoke(caller, "us-east-1", "greeter", "Greet", &in{Name: "x"}); !errors.Is(err, want) {
			t.Errorf("call %d: %v, want %v", i+1, err, want)
		}
	}
	if diff := cmp.Diff([]string{"wire i1"}, killed); diff != "" {
		t.Error(diff)
	}
}

func TestEventFaults(t *testing.T) {
	seconds := func(s ...int) []time.Duration {
		d := []time.Duration{}
		for _, n := range s {
			d = append(d, time.Duration(n)*time.Second)
		}
		return d
	}
	plain := seconds(0)
	cases := map[string]struct {
		rule string
		want [][]time.Duration // of three events
	}{
		"drop":         {`{"fault":"event-drop","source":"aws.ram","times":2}`, [][]time.Duration{seconds(), seconds(), plain}},
		"duplicate":    {`{"fault":"event-duplicate","detailType":"Resource*","delay":5,"nth":2}`, [][]time.Duration{plain, seconds(0, 5), plain}},
		"delay":        {`{"fault":"event-delay","delay":3600}`, [][]time.Duration{seconds(3600), seconds(3600), seconds(3600)}},
		"reverse":      {`{"fault":"event-reverse","delay":10,"times":3}`, [][]time.Duration{seconds(20), seconds(10), seconds(0)}},
		"other source": {`{"fault":"event-drop","source":"aws.cloudfront"}`, [][]time.Duration{plain, plain, plain}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f := start(t)
			if status, v := f.control(t, "POST", "/_sandbox/faults", tc.rule); status != 200 {
				t.Fatal(v)
			}
			var got [][]time.Duration
			for range 3 {
				got = append(got, f.world.Faults.Deliveries(cloud.Event{Account: team, Source: "aws.ram", DetailType: "Resource Sharing State Change"}))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRulesAreRefusedByName(t *testing.T) {
	cases := map[string]string{
		`{"fault":"flood"}`:                                  `fault is "flood", not one of crash, error,`,
		`{"fault":"throttle","servise":"x"}`:                 `unknown field "servise"`,
		`{"fault":"throttle","source":"aws.ram"}`:            "source does not apply to this fault",
		`{"fault":"event-drop","service":"x"}`:               "service does not apply to this fault",
		`{"fault":"event-drop","delay":1}`:                   "delay does not apply to this fault",
		`{"fault":"event-delay"}`:                            "it needs delay",
		`{"fault":"error"}`:                                  "it needs error",
		`{"fault":"error","error":{}}`:                       "error needs a code",
		`{"fault":"crash"}`:                                  "it needs function",
		`{"fault":"foreign-edit","hook":"x"}`:                `there is no hook "x"`,
		`{"fault":"throttle","nth":-1}`:                      "count from 1",
		`{"fault":"throttle","operation":"[a"}`:              `"[a" is not a valid pattern`,
		`{"fault":"event-delay","delay":-1}`:                 "from 0 to",
		`{"fault":"event-delay","delay":1e18}`:               "from 0 to",
		`{"fault":"event-delay","delay":1e308}`:              "from 0 to",
		`{"fault":"event-delay","delay":1e400}`:              "delay cannot be number 1e400",
		`{"fault":"event-delay","delay":NaN}`:                "invalid character 'N'",
		`{"fault":"event-reverse","times":9000000000000000}`: "from 0 to",
		`{"fault":"throttle","times":-1}`:                    "count from 1",
		`{"fault":"throttle","times":1e3}`:                   "times cannot be number 1e3",
		`{"fault":"throttle","nth":"2"}`:                     "nth cannot be string",
		`{"fault":["throttle"]}`:                             "fault cannot be array",
		`{"fault":"error","error":"Throttling"}`:             "error cannot be string",
		`{"fault":"error","error":{"code":5}}`:               "error.code cannot be number",
		`{"fault":"error","error":{"code":"A","extra":1}}`:   `unknown field "extra"`,
		`[]`:                      "the body cannot be array",
		`{}`:                      `fault is ""`,
		`null`:                    `fault is ""`,
		``:                        "no body",
		`{"fault":"throttle"`:     "unexpected EOF",
		`{"fault":"throttle"} {}`: "more than one JSON value",
		`{"fault":"error","error":{"code":"A","status":200}}`: "not from 400 to 599",
	}
	cases[`{"fault":"throttle","mentions":"`+strings.Repeat("x", 2<<20)+`"}`] = "larger than 1 MiB"
	f := start(t)
	for rule, says := range cases {
		status, v := f.control(t, "POST", "/_sandbox/faults", rule)
		if message, _ := v["error"].(string); status != 400 || !strings.Contains(message, says) {
			t.Errorf("%.80s: %d %v; want %s", rule, status, v, says)
		}
	}
	if _, v := f.control(t, "GET", "/_sandbox/faults", ""); len(v["rules"].([]any)) != 0 {
		t.Errorf("rules: %v", v)
	}
}

func TestRulesAreListedAndReset(t *testing.T) {
	f := start(t)
	f.control(t, "POST", "/_sandbox/faults", `{"fault":"throttle","nth":2}`)
	for range 3 {
		if _, err := f.call(team, "greeter", "Greeter.Greet", `{"Name":"you"}`); err != nil {
			t.Fatal(err)
		}
	}
	_, v := f.control(t, "GET", "/_sandbox/faults", "")
	want := []any{map[string]any{"fault": "throttle", "nth": 2.0, "times": 1.0, "seen": 3.0, "hits": 1.0}}
	if diff := cmp.Diff(want, v["rules"]); diff != "" {
		t.Error(diff)
	}
	f.control(t, "DELETE", "/_sandbox/faults", "")
	if _, v := f.control(t, "GET", "/_sandbox/faults", ""); len(v["rules"].([]any)) != 0 {
		t.Errorf("rules: %v", v)
	}
}
