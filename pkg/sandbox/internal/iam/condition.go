package iam

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A condition is one operator with one key. All conditions of a statement must hold.
type condition struct {
	written string // text in the policy, e.g. "ForAnyValue:StringLike aws:TagKeys"
	set     setOperator
	exists  bool // …IfExists
	op      operator
	key     string // lower case
	values  []pattern
}

type setOperator int

const (
	single setOperator = iota
	anyValue
	allValues
)

// An operator compares one value of the policy with one of the request.
type operator struct {
	negated, wildcards bool
	literalOnly        bool // the policy's value is checked when it is read, so it can have no variable
	check              func(string) error
	match              func(want pattern, have string) bool
}

func equal(want pattern, have string) bool     { return want.String() == have }
func equalFold(want pattern, have string) bool { return strings.EqualFold(want.String(), have) }
func like(want pattern, have string) bool      { return want.match(have, false) }
func arnLike(want pattern, have string) bool   { return want.matchARN(have) }

func numeric(compare func(have, want float64) bool) func(pattern, string) bool {
	return func(want pattern, have string) bool {
		w, err1 := strconv.ParseFloat(want.String(), 64)
		h, err2 := strconv.ParseFloat(have, 64)
		return err1 == nil && err2 == nil && compare(h, w)
	}
}

func number(s string) error {
	if _, err := strconv.ParseFloat(s, 64); err != nil {
		return fmt.Errorf("%q is not a number", s)
	}
	return nil
}

func boolean(s string) error {
	if !strings.EqualFold(s, "true") && !strings.EqualFold(s, "false") {
		return fmt.Errorf("%q is neither true nor false", s)
	}
	return nil
}

const null = "Null"

// operators returns the supported operators. Those for dates, IP addresses and binary values are errors that name the operator.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
func operators() map[string]operator {
	num := func(f func(have, want float64) bool) operator {
		return operator{literalOnly: true, check: number, match: numeric(f)}
	}
	notEqual := num(func(h, w float64) bool { return h == w })
	notEqual.negated = true
	return map[string]operator{
		"StringEquals":              {match: equal},
		"StringNotEquals":           {match: equal, negated: true},
		"StringEqualsIgnoreCase":    {match: equalFold},
		"StringNotEqualsIgnoreCase": {match: equalFold, negated: true},
		"StringLike":                {match: like, wildcards: true},
		"StringNotLike":             {match: like, wildcards: true, negated: true},
		"ArnEquals":                 {match: arnLike, wildcards: true},
		"ArnLike":                   {match: arnLike, wildcards: true},
		"ArnNotEquals":              {match: arnLike, wildcards: true, negated: true},
		"ArnNotLike":                {match: arnLike, wildcards: true, negated: true},
		"NumericEquals":             num(func(h, w float64) bool { return h == w }),
		"NumericNotEquals":          notEqual,
		"NumericLessThan":           num(func(h, w float64) bool { return h < w }),
		"NumericLessThanEquals":     num(func(h, w float64) bool { return h <= w }),
		"NumericGreaterThan":        num(func(h, w float64) bool { return h > w }),
		"NumericGreaterThanEquals":  num(func(h, w float64) bool { return h >= w }),
		"Bool":                      {match: equalFold, literalOnly: true, check: boolean},
		null:                        {literalOnly: true, check: boolean},
	}
}

// globalKeys returns the aws: keys that the evaluator fills in. Any other aws: key is an error, because a key that is silently
// absent would change decisions. The keys of services come with the request.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func globalKeys() []string {
	return []string{
		"aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:principaltype", "aws:principalisawsservice",
		"aws:principalservicename", "aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:requestedregion",
		"aws:resourceaccount", "aws:resourceorgid", "aws:tagkeys", "aws:securetransport", "aws:viaawsservice",
		"aws:sourcevpce", "aws:sourcevpc", "aws:userid",
	}
}

var keyForm = regexp.MustCompile(`^[A-Za-z0-9-]+:[A-Za-z0-9-]+(/.+)?$|^kms:EncryptionContext:.+$`)

func checkKey(key string) error {
	if !keyForm.MatchString(key) {
		return fmt.Errorf("%q is not of the form service:Key", key)
	}
	lower := strings.ToLower(key)
	if !strings.HasPrefix(lower, "aws:") || slices.Contains(globalKeys(), lower) {
		return nil
	}
	for _, prefix := range []string{"aws:resourcetag/", "aws:requesttag/", "aws:principaltag/"} {
		if strings.HasPrefix(lower, prefix) {
			return nil
		}
	}
	return fmt.Errorf("the sandbox does not know the condition key %q", key)
}

func parseConditions(raw json.RawMessage, variables bool) ([]condition, error) {
	var block map[string]map[string]json.RawMessage
	if err := json.Unmarshal(raw, &block); err != nil {
		return nil, fmt.Errorf("must be an object of operators: %w", err)
	}
	known := operators()
	var out []condition
	for _, written := range slices.Sorted(maps.Keys(block)) {
		c := condition{}
		name := written
		if rest, ok := strings.CutPrefix(name, "ForAnyValue:"); ok {
			c.set, name = anyValue, rest
		} else if rest, ok := strings.CutPrefix(name, "ForAllValues:"); ok {
			c.set, name = allValues, rest
		}
		if rest, ok := strings.CutSuffix(name, "IfExists"); ok && rest != null {
			c.exists, name = true, rest
		}
		var ok bool
		if c.op, ok = known[name]; !ok {
			return nil, fmt.Errorf("the sandbox does not know the condition operator %q", written)
		}
		for _, key := range slices.Sorted(maps.Keys(block[written])) {
			if err := checkKey(key); err != nil {
				return nil, fmt.Errorf("%s: %w", written, err)
			}
			c := c
			c.written, c.key, c.values = written+" "+key, strings.ToLower(key), nil
			values, err := scalars(block[written][key])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.written, err)
			}
			for _, v := range values {
				if c.op.check != nil {
					if err := c.op.check(v); err != nil {
						return nil, fmt.Errorf("%s: %w", c.written, err)
					}
				}
				p, err := compile(v, c.op.wildcards, variables && !c.op.literalOnly)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", c.written, err)
				}
				c.values = append(c.values, p)
			}
			out = append(out, c)
		}
	}
	return out, nil
}

// holds evaluates the condition. It returns an error if AWS does not define the outcome, because several values are compared
// without a set operator.
func (c *condition) holds(context func() map[string][]string) (bool, error) {
	have, present := context()[c.key]
	if c.op.match == nil { // Null
		for _, v := range c.values {
			if strings.EqualFold(v.String(), "true") != present {
				return true, nil
			}
		}
		return false, nil
	}
	if !present || len(have) == 0 {
		switch {
		case c.exists, c.set == allValues:
			return true, nil
		case c.set == anyValue:
			return false, nil
		}
		return c.op.negated, nil
	}
	if c.set == single && len(have) > 1 {
		return false, fmt.Errorf("condition %s compares several values without ForAnyValue or ForAllValues", c.written)
	}
	for _, h := range have {
		ok := c.matchesAny(h, context) != c.op.negated
		if c.set == allValues && !ok {
			return false, nil
		}
		if c.set != allValues && ok {
			return true, nil
		}
	}
	return c.set == allValues, nil
}

func (c *condition) matchesAny(have string, context func() map[string][]string) bool {
	for _, v := range c.values {
		if want, ok := v.expand(context); ok && c.op.match(want, have) {
			return true
		}
	}
	return false
}

// scalars reads a condition's value or list of values: strings, numbers or booleans.
func scalars(raw json.RawMessage) ([]string, error) {
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	list, isList := v.([]any)
	if !isList {
		list = []any{v}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("has no value")
	}
	var out []string
	for _, e := range list {
		switch e := e.(type) {
		case string:
			out = append(out, e)
		case json.Number:
			out = append(out, e.String())
		case bool:
			out = append(out, strconv.FormatBool(e))
		default:
			return nil, fmt.Errorf("%v is neither string, number nor boolean", e)
		}
	}
	return out, nil
}
