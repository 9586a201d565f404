package pattern

import (
	"encoding/json"
	"errors"
	"fmt"
)

// compileNumeric reads ["=", n], [">", n], ["<", n] or a range such as [">", 0, "<=", 5], lower bound first.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html#filtering-numeric-matching
func compileNumeric(operand any) (func(any) bool, error) {
	terms, ok := operand.([]any)
	if !ok {
		return nil, errors.New("value of numeric must be an array")
	}
	if len(terms) != 2 && len(terms) != 4 {
		return nil, errors.New("numeric expression must have one or two pairs of operator and number")
	}
	first, bottom, err := comparison(terms[0], terms[1])
	if err != nil {
		return nil, err
	}
	if len(terms) == 2 {
		return onNumber(first), nil
	}
	second, top, err := comparison(terms[2], terms[3])
	if err != nil {
		return nil, err
	}
	if lower := terms[0]; lower != ">" && lower != ">=" {
		return nil, errors.New("too many elements in numeric expression")
	}
	if upper := terms[2]; upper != "<" && upper != "<=" {
		return nil, fmt.Errorf("bad numeric range operator: %v", upper)
	}
	if bottom >= top {
		return nil, errors.New("bottom must be less than top")
	}
	return onNumber(func(x float64) bool { return first(x) && second(x) }), nil
}

func comparison(operator, operand any) (func(float64) bool, float64, error) {
	n, ok := number(operand)
	if !ok {
		return nil, 0, fmt.Errorf("value of %v must be numeric", operator)
	}
	switch operator {
	case "=":
		return func(x float64) bool { return x == n }, n, nil
	case ">":
		return func(x float64) bool { return x > n }, n, nil
	case ">=":
		return func(x float64) bool { return x >= n }, n, nil
	case "<":
		return func(x float64) bool { return x < n }, n, nil
	case "<=":
		return func(x float64) bool { return x <= n }, n, nil
	default:
		return nil, 0, fmt.Errorf("unrecognized numeric range operator: %v", operator)
	}
}

func onNumber(match func(float64) bool) func(any) bool {
	return func(v any) bool {
		x, ok := number(v)
		return ok && match(x)
	}
}

func number(v any) (float64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	x, err := n.Float64()
	return x, err == nil
}
