package pattern

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const casesVariable = "ORIGINHUB_EVENTBRIDGE_PATTERNS"

// TestConformance runs the expectations that others recorded against the real service.
func TestConformance(t *testing.T) {
	dir := os.Getenv(casesVariable)
	if dir == "" {
		t.Skip("the recorded EventBridge cases were NOT checked: set " + casesVariable + " to the folder that holds cases.json")
	}
	text, err := os.ReadFile(filepath.Join(dir, "cases.json"))
	if err != nil {
		t.Fatalf("read cases: %v", err)
	}
	var cases []struct {
		Name, Expect   string
		Event, Pattern json.RawMessage
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatalf("read cases: %v", err)
	}
	if len(cases) == 0 {
		t.Fatal("cases.json holds no case")
	}
	for _, c := range cases {
		t.Run(c.Name+"/"+c.Expect, func(t *testing.T) {
			if got := verdict(t, string(c.Pattern), string(c.Event)); got != c.Expect {
				t.Errorf("got %s\npattern %s\nevent %s", got, c.Pattern, c.Event)
			}
		})
	}
	t.Logf("%d cases", len(cases))
}

func verdict(t *testing.T, pattern, event string) string {
	t.Helper()
	p, err := Compile([]byte(pattern))
	if err != nil {
		return "invalid-pattern"
	}
	matched, err := p.Match([]byte(event))
	if err != nil {
		t.Fatalf("match: %v", err)
	}
	if matched {
		return "match"
	}
	return "no-match"
}

func TestMatch(t *testing.T) {
	tag := `{"source":"aws.cloudfront","detail-type":"AWS API Call via CloudTrail","account":"111111111111",
		"detail":{"eventName":"TagResource","requestParameters":{"tags":{"items":[{"key":"a","value":"1"},{"key":"b","value":"2"}]}}}}`
	cases := []struct{ name, pattern, event, want string }{
		{"one of several values", `{"source":["aws.ram","aws.cloudfront"]}`, tag, "match"},
		{"all fields must match", `{"source":["aws.cloudfront"],"account":["222222222222"]}`, tag, "no-match"},
		{"prefix covers a suffixed name", `{"detail":{"eventName":[{"prefix":"TagResource"}]}}`, tag, "match"},
		{"prefix is anchored", `{"detail":{"eventName":[{"prefix":"Resource"}]}}`, tag, "no-match"},
		{
			"conditions on one array hold in one element",
			`{"detail":{"requestParameters":{"tags":{"items":{"key":["a"],"value":["1"]}}}}}`, tag, "match",
		},
		{
			"conditions on one array do not mix elements",
			`{"detail":{"requestParameters":{"tags":{"items":{"key":["a"],"value":["2"]}}}}}`, tag, "no-match",
		},
		{
			"absent means absent from every element",
			`{"detail":{"requestParameters":{"tags":{"items":{"key":[{"exists":false}]}}}}}`, tag, "no-match",
		},
		{"or, first", `{"$or":[{"source":["aws.cloudfront"]},{"account":["2"]}]}`, tag, "match"},
		{"or, none", `{"$or":[{"source":["aws.ram"]},{"account":["2"]}]}`, tag, "no-match"},
		{"or below a field", `{"detail":{"$or":[{"eventName":["X"]},{"eventName":[{"suffix":"Resource"}]}]}}`, tag, "match"},
		{"numbers compare by their text", `{"n":[300]}`, `{"n":300.0}`, "no-match"},
		{"numeric compares by value", `{"n":[{"numeric":["=",300]}]}`, `{"n":3e2}`, "match"},
		{"anything-but number is not fooled by text", `{"n":[{"anything-but":300}]}`, `{"n":300.0}`, "no-match"},
		{"prefix without case", `{"s":[{"prefix":{"equals-ignore-case":"EventB"}}]}`, `{"s":"EVENTBRIDGE"}`, "match"},
		{"escaped star", `{"s":[{"wildcard":"a\\*b*"}]}`, `{"s":"a*bc"}`, "match"},
		{"escaped star is literal", `{"s":[{"wildcard":"a\\*b*"}]}`, `{"s":"axbc"}`, "no-match"},
		{"wildcards do not overlap", `{"s":[{"wildcard":"ab*ba"}]}`, `{"s":"aba"}`, "no-match"},
		{"unknown operator", `{"s":[{"regex":"x"}]}`, `{}`, "invalid-pattern"},
		{"empty list", `{"s":[]}`, `{}`, "invalid-pattern"},
		{"empty object", `{"detail":{}}`, `{}`, "invalid-pattern"},
		{"nested list", `{"s":[["x"]]}`, `{}`, "invalid-pattern"},
		{"or of one", `{"$or":[{"s":["x"]}]}`, `{}`, "invalid-pattern"},
		{"two operators in one", `{"s":[{"prefix":"a","suffix":"b"}]}`, `{}`, "invalid-pattern"},
		{"escape of an ordinary character", `{"s":[{"wildcard":"a\\b"}]}`, `{}`, "invalid-pattern"},
		{"not an object", `["x"]`, `{}`, "invalid-pattern"},
		{"two values", `{"s":["x"]} {}`, `{}`, "invalid-pattern"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := verdict(t, c.pattern, c.event); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestCombinationsAreBounded(t *testing.T) {
	or := `{"$or":[{"a":["1"]},{"b":["1"]}`
	deep := strings.Repeat(`{"x":{"$or":[{"a":["1"]},`, 2000) + or + "]}" + strings.Repeat("]}}", 2000)
	var wide []string
	for _, name := range strings.Split("abcdefghijklmnop", "") {
		wide = append(wide, `"`+name+`":{"$or":[{"x":["1"]},{"y":["1"]}]}`)
	}
	for _, text := range []string{deep, "{" + strings.Join(wide, ",") + "}"} {
		if _, err := Compile([]byte(text)); err == nil {
			t.Errorf("compiled %.60s…", text)
		}
	}
}

func TestAssumption_EV_01_SixWildcardsAreTooComplex(t *testing.T) {
	for value, want := range map[string]string{"*a*b*c*d*e": "match", "*a*b*c*d*e*": "invalid-pattern"} {
		if got := verdict(t, `{"s":[{"wildcard":"`+value+`"}]}`, `{"s":"abcde"}`); got != want {
			t.Errorf("%s: got %s, want %s", value, got, want)
		}
	}
}

// TestLiteralPatternMatchesItsOwnEvent: an event turned into a pattern, each scalar wrapped in a list, matches the event.
func TestLiteralPatternMatchesItsOwnEvent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		event := object(t, 3)
		text, _ := json.Marshal(event)
		if pattern, ok := literal(event).(map[string]any); ok && len(pattern) > 0 {
			source, _ := json.Marshal(pattern)
			p, err := Compile(source)
			if err != nil {
				t.Fatalf("compile %s: %v", source, err)
			}
			if ok, err := p.Match(text); !ok || err != nil {
				t.Fatalf("%s does not match %s (%v)", source, text, err)
			}
		}
	})
}

func object(t *rapid.T, depth int) map[string]any {
	m := map[string]any{}
	for range rapid.IntRange(1, 3).Draw(t, "size") {
		m[rapid.StringMatching(`[a-z]{1,3}`).Draw(t, "name")] = value(t, depth)
	}
	return m
}

func value(t *rapid.T, depth int) any {
	kinds := 5
	if depth == 0 {
		kinds = 3
	}
	switch rapid.IntRange(0, kinds).Draw(t, "kind") {
	case 0:
		return rapid.String().Draw(t, "string")
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2:
		return rapid.IntRange(-9, 9).Draw(t, "number")
	case 3:
		return nil
	case 4:
		return object(t, depth-1)
	default:
		var list []any
		for range rapid.IntRange(1, 3).Draw(t, "length") {
			list = append(list, value(t, depth-1))
		}
		return list
	}
}

// literal asks for the first element of each array.
func literal(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := map[string]any{}
		for k, e := range v {
			m[k] = literal(e)
		}
		return m
	case []any:
		return literal(v[0])
	default:
		return []any{v}
	}
}

// A cidr has more than one address.
// https://github.com/aws/event-ruler/blob/main/src/main/software/amazon/event/ruler/CIDR.java
func TestCIDRSizes(t *testing.T) {
	for block, want := range map[string]string{
		"10.0.0.0/31": "", "10.0.0.1/0": "", "2001:db8::/127": "",
		"10.0.0.1/32": "IPv4 mask bits must be < 32", "2001:db8::1/128": "IPv6 mask bits must be < 128",
		"10.0.0.1/33": "malformed CIDR", "10.0.0.1": "malformed CIDR",
	} {
		_, err := Compile([]byte(`{"a":[{"cidr":"` + block + `"}]}`))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", block, err, want)
		}
	}
}

func FuzzCompileAndMatch(f *testing.F) {
	f.Add(`{"a":[{"anything-but":{"wildcard":["*x","\\*"]}},{"numeric":[">",1,"<",2]},null]}`, `{"a":[1,"x",null,{"b":[[]]}]}`)
	f.Add(`{"$or":[{"a":[{"cidr":"::/0"}]},{"b":[{"exists":false}]}]}`, `{"a":"::1"}`)
	f.Fuzz(func(_ *testing.T, pattern, event string) {
		p, err := Compile([]byte(pattern))
		if err == nil {
			_, _ = p.Match([]byte(event))
		}
	})
}

func TestNeverPanics(t *testing.T) {
	scalars := []any{"", "*", "a\\", "10.0.0.0/8", "x/y", json.Number("1e999"), json.Number("0"), nil, true, ">", "<", "="}
	names := []string{"prefix", "suffix", "wildcard", "cidr", "numeric", "anything-but", "equals-ignore-case", "exists", "$or", "a", ""}
	var any3 func(t *rapid.T, depth int) any
	any3 = func(t *rapid.T, depth int) any {
		kind := rapid.IntRange(0, 2).Draw(t, "kind")
		if depth == 0 || kind == 0 {
			return rapid.SampledFrom(scalars).Draw(t, "scalar")
		}
		if kind == 1 {
			list := []any{}
			for range rapid.IntRange(0, 4).Draw(t, "length") {
				list = append(list, any3(t, depth-1))
			}
			return list
		}
		m := map[string]any{}
		for range rapid.IntRange(0, 3).Draw(t, "size") {
			m[rapid.SampledFrom(names).Draw(t, "name")] = any3(t, depth-1)
		}
		return m
	}
	rapid.Check(t, func(t *rapid.T) {
		pattern, _ := json.Marshal(any3(t, 5))
		event, _ := json.Marshal(any3(t, 4))
		if p, err := Compile(pattern); err == nil {
			_, _ = p.Match(event)
		}
	})
}
