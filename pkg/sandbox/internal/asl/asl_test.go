package asl

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const head = `{"QueryLanguage": "JSONata", "StartAt": "A", "States": {`

func TestParse_NamesEveryProblemWithItsPath(t *testing.T) {
	lambda := `"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Arguments": {"FunctionName": "f"}, "End": true`
	for _, c := range []struct{ name, definition, want string }{
		{"not JSON", `{`, "/: unexpected EOF"},
		{"not an object", `[]`, "/: must be a JSON object"},
		{"JSONPath by default", `{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}`, "/QueryLanguage: the sandbox knows JSONata only"},
		{"JSONPath state", head + `"A": {"Type": "Succeed", "QueryLanguage": "JSONPath"}}}`, "/States/A/QueryLanguage: the sandbox knows JSONata only"},
		{"JSONPath field", head + `"A": {"Type": "Succeed", "InputPath": "$.x"}}}`, "/States/A/InputPath: is a JSONPath field"},
		{"JSONPath name", head + `"A": {"Type": "Pass", "Output": {"x.$": "$.x"}, "End": true}}}`, "/States/A/Output/x.$: names ending in .$"},
		{"unknown machine field", `{"Foo": 1, ` + head[1:] + `"A": {"Type": "Succeed"}}}`, "/Foo: the sandbox does not know this field here"},
		{"unknown state field", head + `"A": {"Type": "Pass", "End": true, "Seconds": 3}}}`, "/States/A/Seconds: the sandbox does not know this field here"},
		{"no start", `{"QueryLanguage": "JSONata", "States": {"A": {"Type": "Succeed"}}}`, "/StartAt: is missing"},
		{"no states", `{"QueryLanguage": "JSONata", "StartAt": "A", "States": {}}`, "/States: there must be at least one state"},
		{"wrong start", strings.Replace(head, `"StartAt": "A"`, `"StartAt": "B"`, 1) + `"A": {"Type": "Succeed"}}}`, `/StartAt: there is no state "B"`},
		{"no next", head + `"A": {"Type": "Pass"}}}`, `/States/A: a Pass state must have Next or "End": true`},
		{"next and end", head + `"A": {"Type": "Pass", "Next": "B", "End": true}, "B": {"Type": "Succeed"}}}`, "/States/A: a state cannot have both"},
		{"unknown target", head + `"A": {"Type": "Pass", "Next": "B"}}}`, `/States/A/Next: there is no state "B"`},
		{"unreachable", head + `"A": {"Type": "Succeed"}, "B": {"Type": "Succeed"}}}`, "/States/B: no path from StartAt"},
		{"Parallel", head + `"A": {"Type": "Parallel", "End": true}}}`, `/States/A/Type: the sandbox has no state type "Parallel"`},
		{"Map", head + `"A": {"Type": "Map", "End": true}}}`, `/States/A/Type: the sandbox has no state type "Map"`},
		{"bad JSONata", head + `"A": {"Type": "Succeed", "Output": "{% $x( %}"}}}`, "/States/A/Output: is not JSONata"},
		{"half JSONata", head + `"A": {"Type": "Succeed", "Output": " {% 1 %}"}}}`, "/States/A/Output: a JSONata string starts with"},
		{"result before there is one", head + `"A": {"Type": "Pass", "End": true, "Output": "{% $states.result %}"}}}`, "/States/A/Output: $states.result has no value"},
		{"error outside Catch", head + `"A": {` + lambda + `, "Output": "{% $states.errorOutput %}"}}}`, "/States/A/Output: $states.errorOutput has no value"},
		{"reserved variable", head + `"A": {"Type": "Pass", "End": true, "Assign": {"states": 1}}}}`, "/States/A/Assign/states: $states is reserved"},
		{"variable name", head + `"A": {"Type": "Pass", "End": true, "Assign": {"a-b": 1}}}}`, "/States/A/Assign/a-b: is not a variable name"},
		{"other integration", head + `"A": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "End": true}}}`, `/States/A/Resource: the sandbox has no integration`},
		{"function ARN", head + `"A": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:100000000000:function:f", "End": true}}}`, `/States/A/Resource: the sandbox has no integration`},
		{"no function", head + `"A": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Arguments": {}, "End": true}}}`, "/States/A/Arguments/FunctionName: is missing"},
		{"unknown argument", head + `"A": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Arguments": {"FunctionName": "f", "ClientContext": "x"}, "End": true}}}`, "/States/A/Arguments/ClientContext"},
		{"token not handed out", head + `"A": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "Arguments": {"FunctionName": "f"}, "End": true}}}`, "/States/A/Arguments: a .waitForTaskToken task"},
		{"Credentials", head + `"A": {` + lambda + `, "Credentials": {}}}}`, "/States/A/Credentials: the sandbox does not know"},
		{"heartbeat too long", head + `"A": {` + lambda + `, "TimeoutSeconds": 5, "HeartbeatSeconds": 5}}}`, "/States/A/HeartbeatSeconds: must be smaller"},
		{"timeout zero", head + `"A": {` + lambda + `, "TimeoutSeconds": 0}}}`, "/States/A/TimeoutSeconds: must be a whole number"},
		{"retry without errors", head + `"A": {` + lambda + `, "Retry": [{"MaxAttempts": 1}]}}}`, "/States/A/Retry/0/ErrorEquals: is missing"},
		{"States.ALL in company", head + `"A": {` + lambda + `, "Retry": [{"ErrorEquals": ["States.ALL", "X"]}]}}}`, "/States/A/Retry/0/ErrorEquals: States.ALL must be alone"},
		{"States.ALL not last", head + `"A": {` + lambda + `, "Retry": [{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["X"]}]}}}`, "/States/A/Retry/0/ErrorEquals: States.ALL must be alone and in the last"},
		{"backoff below one", head + `"A": {` + lambda + `, "Retry": [{"ErrorEquals": ["X"], "BackoffRate": 0.5}]}}}`, "/States/A/Retry/0/BackoffRate: must be at least 1.0"},
		{"small maximum delay", head + `"A": {` + lambda + `, "Retry": [{"ErrorEquals": ["X"], "IntervalSeconds": 5, "MaxDelaySeconds": 5}]}}}`, "/States/A/Retry/0/MaxDelaySeconds: must be greater"},
		{"jitter", head + `"A": {` + lambda + `, "Retry": [{"ErrorEquals": ["X"], "JitterStrategy": "SOME"}]}}}`, "/States/A/Retry/0/JitterStrategy: must be FULL or NONE"},
		{"unknown retry field", head + `"A": {` + lambda + `, "Retry": [{"ErrorEquals": ["X"], "Wait": 1}]}}}`, "/States/A/Retry/0/Wait: the sandbox does not know"},
		{"catch target", head + `"A": {` + lambda + `, "Catch": [{"ErrorEquals": ["X"], "Next": "B"}]}}}`, `/States/A/Catch/0/Next: there is no state "B"`},
		{"choice without choices", head + `"A": {"Type": "Choice"}}}`, "/States/A/Choices: is missing"},
		{"empty choices", head + `"A": {"Type": "Choice", "Choices": []}}}`, "/States/A/Choices: there must be at least one"},
		{"choice without condition", head + `"A": {"Type": "Choice", "Choices": [{"Next": "A"}]}}}`, "/States/A/Choices/0/Condition: is missing"},
		{"JSONPath choice", head + `"A": {"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Variable": "$.x", "Next": "A"}]}}}`, "/States/A/Choices/0/Variable: is a JSONPath field"},
		{"wait without anything", head + `"A": {"Type": "Wait", "End": true}}}`, "/States/A: a Wait state has exactly one"},
		{"wait with both", head + `"A": {"Type": "Wait", "End": true, "Seconds": 1, "Timestamp": "2035-01-08T09:00:00Z"}}}`, "/States/A: a Wait state has exactly one"},
		{"timestamp", head + `"A": {"Type": "Wait", "End": true, "Timestamp": "tomorrow"}}}`, "/States/A/Timestamp: must be an RFC 3339 instant"},
		{"wrong type of field", head + `"A": {"Type": "Pass", "End": "yes"}}}`, "/States/A/End: must be true"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse([]byte(c.definition))
			if err == nil {
				t.Fatal("accepted")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

// TestParse_NeverPanics feeds it JSON of any shape, with the language's own words in it, and runs what passes.
func TestParse_NeverPanics(t *testing.T) {
	words := []string{
		"QueryLanguage", "JSONata", "StartAt", "States", "A", "B", "Type", "Task", "Choice", "Wait", "Pass", "Succeed", "Fail", "Next",
		"End", "Resource", "arn:aws:states:::lambda:invoke", "Arguments", "FunctionName", "Output", "Assign", "Retry", "Catch",
		"ErrorEquals", "States.ALL", "Choices", "Condition", "{% true %}", "{% $states.input.x %}", "{% $ %}", "{%", "%}", "Seconds",
		"Timestamp", "Error", "Cause", "TimeoutSeconds", "",
	}
	var value func(depth int) *rapid.Generator[any]
	value = func(depth int) *rapid.Generator[any] {
		return rapid.Custom(func(t *rapid.T) any {
			kinds := 6
			if depth == 0 {
				kinds = 4
			}
			switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
			case 0:
				return rapid.SampledFrom(words).Draw(t, "word")
			case 1:
				return rapid.IntRange(-2, 100).Draw(t, "number")
			case 2:
				return rapid.Bool().Draw(t, "bool")
			case 3:
				return nil
			case 4:
				return rapid.SliceOfN(value(depth-1), 0, 3).Draw(t, "list")
			}
			return rapid.MapOfN(rapid.SampledFrom(words), value(depth-1), 0, 6).Draw(t, "object")
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		raw, _ := json.Marshal(value(4).Draw(t, "definition"))
		_, _ = Parse(raw)
		states := rapid.MapOfN(rapid.SampledFrom([]string{"A", "B"}), value(3), 1, 2).Draw(t, "states")
		for _, s := range states {
			if s, ok := s.(map[string]any); ok {
				s["Type"] = rapid.SampledFrom([]string{"Task", "Choice", "Wait", "Pass", "Succeed", "Fail"}).Draw(t, "type")
			}
		}
		raw, _ = json.Marshal(map[string]any{"QueryLanguage": "JSONata", "StartAt": "A", "States": states})
		m, err := Parse(raw)
		if err == nil {
			drive(t, m, `{"x": 1}`, nil)
		}
	})
}
