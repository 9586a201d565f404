package asl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/recolabs/gnata"
)

// template is a JSON value in which any string may be a JSONata expression between {% and %}.
type template struct {
	path string // "/States/Detach/Arguments/Payload"
	kind templateKind

	literal json.RawMessage
	source  string
	expr    *gnata.Expression
	keys    []string
	parts   []*template // values of an object or items of a list
}

type templateKind int

const (
	literalTemplate templateKind = iota
	expressionTemplate
	objectTemplate
	listTemplate
)

// references says which members of $states a field may use besides input and context.
type references struct{ result, errorOutput bool }

var (
	anywhere   = references{}
	afterTask  = references{result: true}
	afterError = references{errorOutput: true}
)

var (
	mentionsResult = regexp.MustCompile(`\$states\s*\.\s*result\b`)
	mentionsError  = regexp.MustCompile(`\$states\s*\.\s*errorOutput\b`)
)

func (o *object) template(name string, refs references) *template {
	raw := o.take(name)
	if raw == nil {
		return nil
	}
	return o.rd.template(o.path+"/"+name, raw, refs)
}

func (rd *reader) template(path string, raw json.RawMessage, refs references) *template {
	raw = bytes.TrimSpace(raw)
	t := &template{path: path, literal: raw}
	switch {
	case len(raw) == 0:
	case raw[0] == '"':
		var s string
		if json.Unmarshal(raw, &s) == nil {
			rd.expression(t, s, refs)
		}
	case raw[0] == '{':
		t.kind = objectTemplate
		keys, values, err := splitObject(raw)
		if err != nil {
			rd.complain(path, "%s", err)
			return t
		}
		t.keys = keys
		for i, k := range keys {
			t.parts = append(t.parts, rd.template(path+"/"+k, values[i], refs))
			if strings.HasSuffix(k, ".$") {
				rd.complain(path+"/"+k, "names ending in .$ are JSONPath; this machine's query language is JSONata")
			}
		}
	case raw[0] == '[':
		t.kind = listTemplate
		var items []json.RawMessage
		if err := json.Unmarshal(raw, &items); err != nil {
			rd.complain(path, "%s", err)
		}
		for i, item := range items {
			t.parts = append(t.parts, rd.template(path+"/"+itoa(i), item, refs))
		}
	}
	return t
}

func (rd *reader) expression(t *template, s string, refs references) {
	opens, closes := strings.HasPrefix(s, "{%"), strings.HasSuffix(s, "%}")
	if !opens && !closes {
		return
	}
	if !opens || !closes || len(s) < 4 {
		rd.complain(t.path, "a JSONata string starts with {%% and ends with %%}, without spaces around them")
		return
	}
	t.kind, t.source = expressionTemplate, strings.TrimSpace(s[2:len(s)-2])
	expr, err := compile(t.source)
	if err != nil {
		rd.complain(t.path, "is not JSONata: %s", err)
		return
	}
	t.expr = expr
	if !refs.result && mentionsResult.MatchString(t.source) {
		rd.complain(t.path, "$states.result has no value in this field")
	}
	if !refs.errorOutput && mentionsError.MatchString(t.source) {
		rd.complain(t.path, "$states.errorOutput has no value in this field")
	}
}

// evaluationError is a States.QueryEvaluationError.
type evaluationError struct{ location, cause string }

func (e *evaluationError) Error() string { return e.cause }

func (t *template) eval(s *scope) (json.RawMessage, error) {
	switch t.kind {
	case expressionTemplate:
		v, err := s.eval(t.expr)
		if err != nil {
			return nil, t.fail("threw an error during evaluation. %s", err)
		}
		if v == nil {
			return nil, t.fail("returned nothing (undefined).")
		}
		return v, nil
	case objectTemplate, listTemplate:
		var b bytes.Buffer
		for i, part := range t.parts {
			v, err := part.eval(s)
			if err != nil {
				return nil, err
			}
			if i > 0 {
				b.WriteByte(',')
			}
			if t.kind == objectTemplate {
				b.Write(encode(t.keys[i]))
				b.WriteByte(':')
			}
			b.Write(v)
		}
		if t.kind == objectTemplate {
			return json.RawMessage("{" + b.String() + "}"), nil
		}
		return json.RawMessage("[" + b.String() + "]"), nil
	}
	return t.literal, nil
}

// fail returns an error of the expression, in AWS's words.
func (t *template) fail(format string, args ...any) error {
	return &evaluationError{location: t.field(), cause: fmt.Sprintf(
		"The JSONata expression '%s' specified for the field '%s' %s", t.source, t.field(), fmt.Sprintf(format, args...))}
}

func (t *template) wrongType(want string, got json.RawMessage) error {
	return t.fail("returned an unexpected result type. Expected '%s', but was '%s'.", want, typeOf(got))
}

// field returns the path below the state, such as "Arguments/Payload".
func (t *template) field() string {
	parts := strings.SplitN(t.path, "/", 4)
	return parts[len(parts)-1]
}

// text evaluates a field that must be a string.
func (t *template) text(s *scope) (string, error) {
	v, err := t.eval(s)
	if err != nil {
		return "", err
	}
	var out string
	if json.Unmarshal(v, &out) != nil {
		return "", t.wrongType("string", v)
	}
	return out, nil
}

// seconds evaluates a field that must be a whole number of seconds.
func (t *template) seconds(s *scope) (int, error) {
	v, err := t.eval(s)
	if err != nil {
		return 0, err
	}
	var out float64
	if json.Unmarshal(v, &out) != nil || typeOf(v) != "number" {
		return 0, t.wrongType("number", v)
	}
	if out != float64(int(out)) || out < 0 || out > maxSeconds {
		return 0, t.fail("returned a value outside the allowed range: %s.", v)
	}
	return int(out), nil
}

func typeOf(v json.RawMessage) string {
	switch v = bytes.TrimSpace(v); {
	case len(v) == 0:
		return "undefined"
	case v[0] == '"':
		return "string"
	case v[0] == '{':
		return "object"
	case v[0] == '[':
		return "array"
	case v[0] == 't' || v[0] == 'f':
		return "boolean"
	case v[0] == 'n':
		return "null"
	}
	return "number"
}

// secondsField reads a field that is a literal number or an expression.
func (o *object) secondsField(name string, low int) *template {
	t := o.template(name, anywhere)
	if t == nil || t.kind == expressionTemplate {
		return t
	}
	var n int
	if json.Unmarshal(t.literal, &n) != nil || n < low || n > maxSeconds {
		o.complain(name, "must be a whole number from %d to %d, or JSONata", low, maxSeconds)
	}
	return t
}

// textField reads a field that is a literal string or an expression.
func (o *object) textField(name string) *template {
	t := o.template(name, anywhere)
	if t != nil && typeOf(t.literal) != "string" {
		o.complain(name, "must be a string")
	}
	return t
}

func encode(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return json.RawMessage("null")
	}
	return bytes.TrimSpace(b.Bytes())
}

func itoa(i int) string { return strconv.Itoa(i) }
