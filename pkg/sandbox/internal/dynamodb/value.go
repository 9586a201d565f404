package dynamodb

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/wire"
)

// Value is an attribute value: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
type Value struct {
	Type string // S, N, B, BOOL, NULL, M, L, SS, NS or BS

	text string   // S; N in canonical form; B as its bytes
	yes  bool     // BOOL
	set  []string // SS, NS, BS: elements as text
	list []Value
	m    map[string]Value
}

// Item is a map of attributes.
type Item map[string]Value

// Number returns an N value.
func Number(n int) Value { return Value{Type: "N", text: strconv.Itoa(n)} }

// UnmarshalJSON reads {"S": "text"} and the other types. A value must have exactly one known member.
func (v *Value) UnmarshalJSON(raw []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return err
	}
	if len(members) != 1 {
		return fmt.Errorf("supplied AttributeValue must contain exactly one of the supported datatypes, not %d", len(members))
	}
	for name, member := range members {
		*v = Value{Type: name}
		if err := v.decode(member); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (v *Value) decode(raw json.RawMessage) error {
	switch v.Type {
	case "S":
		return json.Unmarshal(raw, &v.text)
	case "N":
		if err := json.Unmarshal(raw, &v.text); err != nil {
			return err
		}
		return v.canonical(&v.text)
	case "B":
		var b []byte
		err := json.Unmarshal(raw, &b)
		v.text = string(b)
		return err
	case "BOOL":
		return json.Unmarshal(raw, &v.yes)
	case "NULL":
		if string(raw) != "true" {
			return fmt.Errorf("null attribute value types must have the value of true")
		}
		return nil
	case "M":
		return json.Unmarshal(raw, &v.m)
	case "L":
		return json.Unmarshal(raw, &v.list)
	case "SS", "NS", "BS":
		return v.decodeSet(raw)
	}
	return fmt.Errorf("is not a datatype of AttributeValue")
}

func (v *Value) decodeSet(raw json.RawMessage) error {
	if err := json.Unmarshal(raw, &v.set); err != nil {
		return err
	}
	if len(v.set) == 0 {
		return fmt.Errorf("a set may not be empty")
	}
	for i := range v.set {
		switch v.Type {
		case "NS":
			if err := v.canonical(&v.set[i]); err != nil {
				return err
			}
		case "BS":
			b, err := base64.StdEncoding.DecodeString(v.set[i])
			if err != nil {
				return err
			}
			v.set[i] = string(b)
		}
	}
	slices.Sort(v.set)
	if len(slices.Compact(slices.Clone(v.set))) != len(v.set) {
		return fmt.Errorf("input collection contains duplicates")
	}
	return nil
}

// MarshalJSON returns the form of the API.
func (v Value) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil), nil }

// AppendJSON appends what MarshalJSON returns.
func (v Value) AppendJSON(b []byte) []byte {
	b = append(append(append(b, `{"`...), v.Type...), `":`...)
	switch v.Type {
	case "S", "N":
		b = wire.AppendString(b, v.text)
	case "B":
		b = appendBinary(b, v.text)
	case "BOOL":
		b = strconv.AppendBool(b, v.yes)
	case "NULL":
		b = append(b, "true"...)
	case "M":
		b = append(b, '{')
		for i, name := range slices.Sorted(maps.Keys(v.m)) {
			if i > 0 {
				b = append(b, ',')
			}
			b = v.m[name].AppendJSON(append(wire.AppendString(b, name), ':'))
		}
		b = append(b, '}')
	case "L":
		b = appendList(b, v.list, func(b []byte, e Value) []byte { return e.AppendJSON(b) })
	case "BS":
		b = appendList(b, v.set, appendBinary)
	default:
		b = appendList(b, v.set, wire.AppendString)
	}
	return append(b, '}')
}

func appendBinary(b []byte, s string) []byte {
	return append(base64.StdEncoding.AppendEncode(append(b, '"'), []byte(s)), '"')
}

func appendList[E any](b []byte, list []E, appendOne func([]byte, E) []byte) []byte {
	b = append(b, '[')
	for i, e := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendOne(b, e)
	}
	return append(b, ']')
}

// plain matches the usual number: an integer of few digits in its canonical form.
var plain = regexp.MustCompile(`^(0|-?[1-9]\d{0,17})$`)

var numeral = regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$`)

// Limits of numbers: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-data-types
const maxDigits = 38

func (v *Value) canonical(s *string) error {
	if plain.MatchString(*s) {
		return nil
	}
	if !numeral.MatchString(*s) {
		return fmt.Errorf("the parameter cannot be converted to a numeric value: %s", *s)
	}
	r, ok := new(big.Rat).SetString(*s)
	if !ok {
		return fmt.Errorf("the parameter cannot be converted to a numeric value: %s", *s)
	}
	text, err := formatNumber(r)
	*s = text
	return err
}

// formatNumber returns a number without exponent and without unnecessary zeros.
func formatNumber(r *big.Rat) (string, error) {
	digits, _ := r.FloatPrec()
	text := r.FloatString(digits)
	significant := strings.Trim(strings.ReplaceAll(strings.TrimPrefix(text, "-"), ".", ""), "0")
	if len(significant) > maxDigits {
		return "", fmt.Errorf("attempting to store more than 38 significant digits in a Number")
	}
	return text, nil
}

func (v Value) number() *big.Rat {
	r, ok := new(big.Rat).SetString(v.text)
	if !ok {
		return new(big.Rat)
	}
	return r
}

func (v Value) equal(o Value) bool {
	if v.Type != o.Type {
		return false
	}
	return v.text == o.text && v.yes == o.yes && slices.Equal(v.set, o.set) &&
		slices.EqualFunc(v.list, o.list, Value.equal) && maps.EqualFunc(v.m, o.m, Value.equal)
}

// compare orders two values of one type, S, N or B. ok is false for other types.
func (v Value) compare(o Value) (order int, ok bool) {
	if v.Type != o.Type {
		return 0, false
	}
	switch v.Type {
	case "S", "B":
		return strings.Compare(v.text, o.text), true
	case "N":
		return v.number().Cmp(o.number()), true
	}
	return 0, false
}

// length returns the result of size(). ok is false for types without a size.
func (v Value) length() (int, bool) {
	switch v.Type {
	case "S", "B":
		return len(v.text), true
	case "SS", "NS", "BS":
		return len(v.set), true
	case "M":
		return len(v.m), true
	case "L":
		return len(v.list), true
	}
	return 0, false
}

// bytes returns the approximate storage size of a value.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func (v Value) bytes() int {
	switch v.Type {
	case "S", "B":
		return len(v.text)
	case "N":
		return len(v.text)/2 + 1
	case "BOOL", "NULL":
		return 1
	}
	n := 3
	for _, s := range v.set {
		n += len(s)
	}
	for _, e := range v.list {
		n += 1 + e.bytes()
	}
	for name, e := range v.m {
		n += 1 + len(name) + e.bytes()
	}
	return n
}

func (i Item) bytes() int {
	n := 0
	for name, v := range i {
		n += len(name) + v.bytes()
	}
	return n
}

func (v Value) clone() Value {
	v.set, v.list = slices.Clone(v.set), slices.Clone(v.list)
	for i := range v.list {
		v.list[i] = v.list[i].clone()
	}
	if v.m != nil {
		v.m = Item(v.m).clone()
	}
	return v
}

func (i Item) clone() Item {
	if i == nil {
		return nil
	}
	out := make(Item, len(i))
	for name, v := range i {
		out[name] = v.clone()
	}
	return out
}

// plain returns the value in plain JSON, for snapshots.
func (v Value) plain() any {
	switch v.Type {
	case "S":
		return v.text
	case "N":
		return json.Number(v.text)
	case "B":
		return []byte(v.text)
	case "BOOL":
		return v.yes
	case "NULL":
		return nil
	case "M":
		return Item(v.m).plain()
	case "L":
		list := make([]any, len(v.list))
		for i, e := range v.list {
			list[i] = e.plain()
		}
		return list
	}
	return v.set
}

func (i Item) plain() map[string]any {
	out := make(map[string]any, len(i))
	for name, v := range i {
		out[name] = v.plain()
	}
	return out
}
