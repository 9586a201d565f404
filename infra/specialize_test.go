package infra

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// specialized returns what a template is with given values of its parameters: conditions are applied, and resources whose condition does not
// hold are left out. References to resources stay.
func specialized(t *testing.T, raw []byte, parameters map[string]string) template {
	t.Helper()
	var whole struct {
		Parameters map[string]struct{ Type, Default string }
		Conditions map[string]any
		Resources  map[string]map[string]any
		Outputs    map[string]any
	}
	if err := json.Unmarshal(raw, &whole); err != nil {
		t.Fatal(err)
	}
	s := specializer{values: map[string]any{}, conditions: whole.Conditions}
	for name, p := range whole.Parameters {
		value, given := parameters[name]
		if !given {
			t.Fatalf("parameter %s has no value", name)
		}
		s.values[name] = value
		if p.Type == "CommaDelimitedList" {
			s.values[name] = split(value)
		}
	}
	for name := range parameters {
		if _, declared := whole.Parameters[name]; !declared {
			t.Fatalf("the template has no parameter %s", name)
		}
	}
	resources := map[string]any{}
	for id, r := range whole.Resources {
		if c, conditional := r["Condition"].(string); !conditional || s.holds(map[string]any{"Condition": c}) {
			resources[id] = s.value(r)
		}
	}
	encoded, err := json.Marshal(map[string]any{"Resources": resources})
	if err != nil {
		t.Fatal(err)
	}
	var out template
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	out.raw, out.Resources = raw, nil
	if err := json.Unmarshal(encoded, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func split(text string) []any {
	list := []any{}
	for _, each := range strings.Split(text, ",") {
		list = append(list, each)
	}
	return list
}

type specializer struct {
	values     map[string]any
	conditions map[string]any
}

// nothing is the value AWS::NoValue.
type nothing struct{}

func (s specializer) value(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 1 {
			for name, argument := range v {
				if replaced, known := s.call(name, argument); known {
					return replaced
				}
			}
		}
		out := map[string]any{}
		for key, each := range v {
			if each = s.value(each); each != (nothing{}) {
				out[key] = each
			}
		}
		return out
	case []any:
		out := []any{}
		for _, each := range v {
			if each = s.value(each); each != (nothing{}) {
				out = append(out, each)
			}
		}
		return out
	}
	return v
}

func (s specializer) call(name string, argument any) (any, bool) {
	switch name {
	case "Ref":
		if argument == "AWS::NoValue" {
			return nothing{}, true
		}
		value, known := s.values[argument.(string)]
		return value, known
	case "Fn::If":
		all := argument.([]any)
		if s.holds(map[string]any{"Condition": all[0]}) {
			return s.value(all[1]), true
		}
		return s.value(all[2]), true
	case "Fn::Join":
		all := argument.([]any)
		list, whole := s.value(all[1]).([]any)
		if !whole {
			return nil, false
		}
		return s.joined(s.value(all[0]), list), true
	case "Fn::Split":
		all := argument.([]any)
		if parts, whole := s.value(all[1]).(string); whole {
			return split(parts), true
		}
	}
	return nil, false
}

// joined joins the entries of a list. Neighbouring texts become one, and the whole becomes a text if it has no references.
func (s specializer) joined(between any, list []any) any {
	var pieces []any
	add := func(piece any) {
		words, is := piece.(string)
		if last := len(pieces) - 1; is && last >= 0 {
			if before, also := pieces[last].(string); also {
				pieces[last] = before + words
				return
			}
		}
		intrinsic, _ := piece.(map[string]any)
		if join, nested := intrinsic["Fn::Join"].([]any); nested {
			pieces = append(pieces, join[1].([]any)...)
			return
		}
		pieces = append(pieces, piece)
	}
	for i, each := range list {
		if i > 0 {
			add(between)
		}
		add(each)
	}
	if len(pieces) == 1 {
		if words, is := pieces[0].(string); is {
			return words
		}
	}
	if len(pieces) == 0 {
		return ""
	}
	return map[string]any{"Fn::Join": []any{"", pieces}}
}

func (s specializer) holds(condition any) bool {
	for name, argument := range condition.(map[string]any) {
		switch name {
		case "Condition":
			return s.holds(s.conditions[argument.(string)])
		case "Fn::Not":
			return !s.holds(argument.([]any)[0])
		case "Fn::And":
			return !slices.ContainsFunc(argument.([]any), func(c any) bool { return !s.holds(c) })
		case "Fn::Equals":
			sides := argument.([]any)
			return text(s.value(sides[0])) == text(s.value(sides[1]))
		}
	}
	panic("a condition of the template has another form")
}
