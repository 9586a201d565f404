package pattern

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// test is one alternative of a condition. It requires that the field is absent, or that one of its values matches.
type test struct {
	absent bool
	match  func(v any) bool
}

func compileTests(list []any) ([]test, error) {
	if len(list) == 0 {
		return nil, errors.New("empty arrays are not allowed")
	}
	var tests []test
	for _, v := range list {
		t, err := compileTest(v)
		if err != nil {
			return nil, err
		}
		tests = append(tests, t)
	}
	return tests, nil
}

func compileTest(v any) (test, error) {
	switch v := v.(type) {
	case []any:
		return test{}, errors.New("match value must be String, number, true, false, or null")
	case map[string]any:
		return compileOperator(v)
	default:
		// Numbers compare by their text: 300, 300.0 and 3.0e2 are not equal.
		// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern.html
		return test{match: func(value any) bool { return value == v }}, nil
	}
}

func compileOperator(object map[string]any) (test, error) {
	name, operand, err := only(object)
	if err != nil {
		return test{}, err
	}
	if name == "exists" {
		exists, ok := operand.(bool)
		if !ok {
			return test{}, errors.New("exists match pattern must be either true or false")
		}
		return test{absent: !exists, match: func(any) bool { return true }}, nil
	}
	match, err := compileMatch(name, operand)
	return test{match: match}, err
}

// compileMatch compiles the operators on a value.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
func compileMatch(name string, operand any) (func(any) bool, error) {
	switch name {
	case "prefix", "suffix":
		return compileAffix(name, operand)
	case "equals-ignore-case":
		return compileString(name, operand, func(s string) (func(string) bool, error) {
			return func(value string) bool { return strings.EqualFold(value, s) }, nil
		})
	case "wildcard":
		return compileString(name, operand, compileWildcard)
	case "cidr":
		return compileString(name, operand, compileCIDR)
	case "numeric":
		return compileNumeric(operand)
	case "anything-but":
		return compileAnythingBut(operand)
	default:
		return nil, fmt.Errorf("unrecognized match type %s", name)
	}
}

// compileString compiles an operator on string values whose operand is a string.
func compileString(name string, operand any, compile func(string) (func(string) bool, error)) (func(any) bool, error) {
	s, ok := operand.(string)
	if !ok {
		return nil, fmt.Errorf("%s match pattern must be a string", name)
	}
	match, err := compile(s)
	if err != nil {
		return nil, err
	}
	return func(v any) bool {
		value, ok := v.(string)
		return ok && match(value)
	}, nil
}

func compileAffix(name string, operand any) (func(any) bool, error) {
	has := strings.HasPrefix
	if name == "suffix" {
		has = strings.HasSuffix
	}
	if object, ok := operand.(map[string]any); ok {
		inner, s, err := only(object)
		if err != nil {
			return nil, err
		}
		if inner != "equals-ignore-case" {
			return nil, fmt.Errorf("unsupported %s pattern: %s", name, inner)
		}
		return compileString(inner, s, func(s string) (func(string) bool, error) {
			lower := strings.ToLower(s)
			return func(value string) bool { return has(strings.ToLower(value), lower) }, nil
		})
	}
	return compileString(name, operand, func(s string) (func(string) bool, error) {
		return func(value string) bool { return has(value, s) }, nil
	})
}

// compileCIDR compiles a block of more than one address.
// https://github.com/aws/event-ruler/blob/main/src/main/software/amazon/event/ruler/CIDR.java
func compileCIDR(s string) (func(string) bool, error) {
	prefix, err := netip.ParsePrefix(s)
	switch {
	case err != nil:
		return nil, fmt.Errorf("malformed CIDR %q", s)
	case prefix.Addr().Is4() && prefix.IsSingleIP():
		return nil, errors.New("IPv4 mask bits must be < 32")
	case prefix.IsSingleIP():
		return nil, errors.New("IPv6 mask bits must be < 128")
	}
	return func(value string) bool {
		address, err := netip.ParseAddr(value)
		return err == nil && prefix.Contains(address)
	}, nil
}

func compileAnythingBut(operand any) (func(any) bool, error) {
	switch operand := operand.(type) {
	case map[string]any:
		return compileAnythingButOperator(operand)
	case []any:
		return compileAnythingButList(operand)
	case string, json.Number:
		return compileAnythingButList([]any{operand})
	default:
		return nil, errors.New("value of anything-but must be an array or single string/number value")
	}
}

func compileAnythingButList(list []any) (func(any) bool, error) {
	var strs, numbers int
	for _, v := range list {
		switch v := v.(type) {
		case string:
			strs++
		case json.Number:
			numbers++
			if _, err := v.Float64(); err != nil {
				return nil, fmt.Errorf("anything-but number %s is out of range", v)
			}
		default:
			return nil, errors.New("inside anything-but list, start|null|boolean is not supported")
		}
	}
	if (strs == 0) == (numbers == 0) {
		return nil, errors.New("inside anything-but list, either all values are number or string")
	}
	return func(value any) bool {
		for _, v := range list {
			if value == v || sameNumber(value, v) {
				return false
			}
		}
		return true
	}, nil
}

func sameNumber(a, b any) bool {
	x, ok := number(a)
	y, also := number(b)
	return ok && also && x == y
}

func compileAnythingButOperator(object map[string]any) (func(any) bool, error) {
	name, operand, err := only(object)
	if err != nil {
		return nil, err
	}
	operands, isList := operand.([]any)
	if !isList {
		operands = []any{operand}
	}
	if len(operands) == 0 {
		return nil, fmt.Errorf("anything-but %s list must not be empty", name)
	}
	var matches []func(any) bool
	for _, o := range operands {
		s, ok := o.(string)
		if !ok {
			return nil, fmt.Errorf("inside anything-but, %s match pattern must be a string", name)
		}
		switch name {
		case "prefix", "suffix":
			if s == "" {
				return nil, errors.New("null prefix/suffix not allowed")
			}
		case "equals-ignore-case", "wildcard":
		default:
			return nil, fmt.Errorf("unsupported anything-but pattern: %s", name)
		}
		match, err := compileMatch(name, s)
		if err != nil {
			return nil, err
		}
		matches = append(matches, match)
	}
	return func(v any) bool {
		for _, match := range matches {
			if match(v) {
				return false
			}
		}
		return true
	}, nil
}

func only(object map[string]any) (name string, operand any, err error) {
	if len(object) != 1 {
		return "", nil, errors.New("only one key allowed in match expression")
	}
	for name, operand = range object {
	}
	return name, operand, nil
}
