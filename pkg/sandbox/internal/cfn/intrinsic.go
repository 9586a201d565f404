package cfn

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// scope is what expressions of a template are evaluated in.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
type scope struct {
	template         *template
	account, region  string
	stack, stackID   string
	parameters       map[string]any
	conditions       map[string]bool // evaluated conditions
	underWay         []string        // conditions in progress, to detect a condition that needs itself
	exports          map[string]string
	imported, needed map[string]bool // exports and resources that were referenced
	// made returns a resource, or nil if it does not exist yet. A value that depends on such a resource is unknown.
	made func(logicalID string) *cloud.Resource
}

// unknown is a value that is known only after deploying.
type unknown struct{}

func isUnknown(v any) bool {
	_, is := v.(unknown)
	return is
}

// absent is AWS::NoValue.
type absent struct{}

func problem(path, format string, args ...any) error {
	return fmt.Errorf("%s: %s", path, fmt.Sprintf(format, args...))
}

// value evaluates an expression. path is its place in the template.
func (s *scope) value(v any, path string) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		if name, ok := function(v); ok {
			return s.call(name, v[name], path)
		}
		out := map[string]any{}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if strings.HasPrefix(key, "Fn::") {
				return nil, problem(path, "%s must be alone in its object", key)
			}
			e, err := s.value(v[key], path+"."+key)
			if err != nil {
				return nil, err
			}
			if _, gone := e.(absent); !gone {
				out[key] = e
			}
		}
		return out, nil
	case []any:
		out := []any{}
		for i, e := range v {
			e, err := s.value(e, fmt.Sprintf("%s[%d]", path, i))
			if err != nil {
				return nil, err
			}
			if _, gone := e.(absent); !gone {
				out = append(out, e)
			}
		}
		return out, nil
	}
	return v, nil
}

// function reports whether an object is a call of an intrinsic function, and returns the function's name.
func function(m map[string]any) (string, bool) {
	if len(m) != 1 {
		return "", false
	}
	for key := range m {
		return key, key == "Ref" || strings.HasPrefix(key, "Fn::")
	}
	return "", false
}

func (s *scope) call(name string, argument any, path string) (any, error) {
	path += "." + name
	switch name {
	case "Ref":
		id, ok := argument.(string)
		if !ok {
			return nil, problem(path, "takes a name")
		}
		return s.ref(id, path)
	case "Fn::GetAtt":
		return s.attribute(argument, path)
	case "Fn::Sub":
		return s.sub(argument, path)
	case "Fn::Join":
		return s.join(argument, path)
	case "Fn::Select":
		return s.pick(argument, path)
	case "Fn::Split":
		return s.split(argument, path)
	case "Fn::If":
		args, err := arguments(argument, 3, path)
		if err != nil {
			return nil, err
		}
		condition, _ := args[0].(string)
		holds, err := s.condition(condition, path)
		if err != nil {
			return nil, err
		}
		if holds {
			return s.value(args[1], path+"[1]")
		}
		return s.value(args[2], path+"[2]")
	case "Fn::FindInMap":
		return s.find(argument, path)
	case "Fn::ImportValue":
		return s.importValue(argument, path)
	case "Fn::And", "Fn::Or", "Fn::Not", "Fn::Equals", "Fn::Contains":
		return nil, problem(path, "can stand in Conditions and Rules only")
	}
	return nil, problem(path, "%s is not supported by the sandbox", name)
}

func arguments(argument any, n int, path string) ([]any, error) {
	list, ok := argument.([]any)
	if !ok || len(list) != n {
		return nil, problem(path, "takes a list of %d arguments", n)
	}
	return list, nil
}

func (s *scope) ref(id, path string) (any, error) {
	if v, ok := s.parameters[id]; ok {
		return v, nil
	}
	switch id {
	case "AWS::Partition":
		return "aws", nil
	case "AWS::Region":
		return s.region, nil
	case "AWS::AccountId":
		return s.account, nil
	case "AWS::StackName":
		return s.stack, nil
	case "AWS::StackId":
		return s.stackID, nil
	case "AWS::URLSuffix":
		return "amazonaws.com", nil
	case "AWS::NotificationARNs":
		return []any{}, nil
	case "AWS::NoValue":
		return absent{}, nil
	}
	r, err := s.resource(id, path)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return unknown{}, nil
	}
	return r.Ref, nil
}

// resource records that a resource is needed, and returns it.
func (s *scope) resource(id, path string) (*cloud.Resource, error) {
	r, ok := s.template.resources[id]
	if !ok {
		return nil, problem(path, "there is no parameter or resource %s in the template", id)
	}
	if there, err := s.there(r.condition, path); err != nil || !there {
		if err == nil {
			err = problem(path, "resource %s is not created, since condition %s does not hold", id, r.condition)
		}
		return nil, err
	}
	s.needed[id] = true
	return s.made(id), nil
}

func (s *scope) attribute(argument any, path string) (any, error) {
	var id, name string
	switch a := argument.(type) {
	case string:
		id, name, _ = strings.Cut(a, ".")
	case []any:
		if len(a) == 2 {
			id, _ = a[0].(string)
			name, _ = a[1].(string)
		}
	}
	if id == "" || name == "" {
		return nil, problem(path, "takes a logical id and the name of an attribute")
	}
	r, err := s.resource(id, path)
	switch {
	case err != nil:
		return nil, err
	case r == nil:
		return unknown{}, nil
	}
	v, ok := r.Attributes[name]
	if !ok {
		return nil, problem(path, "%s (%s) has no attribute %s in the sandbox, only %s",
			id, s.template.resources[id].kind, name, strings.Join(slices.Sorted(maps.Keys(r.Attributes)), ", "))
	}
	return v, nil
}

// sub replaces ${Name}, ${Name.Attribute} and the variables of the second form. ${!Name} stands for ${Name} itself.
func (s *scope) sub(argument any, path string) (any, error) {
	text, ok := argument.(string)
	variables := map[string]any{}
	if list, isList := argument.([]any); isList && len(list) == 2 {
		text, ok = list[0].(string)
		if variables, _ = list[1].(map[string]any); variables == nil {
			ok = false
		}
	}
	if !ok {
		return nil, problem(path, "takes a string, or a list of a string and variables")
	}
	var b strings.Builder
	open := false
	for {
		before, rest, found := strings.Cut(text, "${")
		b.WriteString(before)
		if !found {
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return nil, problem(path, "a ${ without }")
		}
		text = after
		if strings.HasPrefix(name, "!") {
			b.WriteString("${" + name[1:] + "}")
			continue
		}
		v, err := s.variable(strings.TrimSpace(name), variables, path)
		if err != nil {
			return nil, err
		}
		if isUnknown(v) {
			open = true
			continue
		}
		part, err := single(v, path)
		if err != nil {
			return nil, err
		}
		b.WriteString(part)
	}
	if open {
		return unknown{}, nil
	}
	return b.String(), nil
}

func (s *scope) variable(name string, variables map[string]any, path string) (any, error) {
	if v, ok := variables[name]; ok {
		return s.value(v, path+"[1]."+name)
	}
	if strings.Contains(name, ".") {
		return s.attribute(name, path)
	}
	return s.ref(name, path)
}

// single returns a value as a part of a string.
func single(v any, path string) (string, error) {
	switch v.(type) {
	case string, json.Number, bool:
		return scalar(v), nil
	}
	return "", problem(path, "a part is not a string")
}

func (s *scope) join(argument any, path string) (any, error) {
	args, err := arguments(argument, 2, path)
	if err != nil {
		return nil, err
	}
	separator, ok := args[0].(string)
	if !ok {
		return nil, problem(path, "takes a separator and a list")
	}
	v, err := s.value(args[1], path+"[1]")
	if err != nil {
		return nil, err
	}
	if isUnknown(v) {
		return v, nil
	}
	list, ok := v.([]any)
	if !ok {
		return nil, problem(path, "takes a separator and a list")
	}
	var parts []string
	for _, e := range list {
		if isUnknown(e) {
			return e, nil
		}
		part, err := single(e, path)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, separator), nil
}

func (s *scope) pick(argument any, path string) (any, error) {
	args, err := arguments(argument, 2, path)
	if err != nil {
		return nil, err
	}
	index, err := s.value(args[0], path+"[0]")
	if err != nil {
		return nil, err
	}
	v, err := s.value(args[1], path+"[1]")
	if err != nil {
		return nil, err
	}
	if isUnknown(v) {
		return v, nil
	}
	list, ok := v.([]any)
	i, err := strconv.Atoi(scalar(index))
	if !ok || err != nil || i < 0 || i >= len(list) {
		return nil, problem(path, "there is no item %v in a list of %d", index, len(list))
	}
	return list[i], nil
}

func (s *scope) split(argument any, path string) (any, error) {
	args, err := arguments(argument, 2, path)
	if err != nil {
		return nil, err
	}
	v, err := s.value(args[1], path+"[1]")
	if err != nil {
		return nil, err
	}
	if isUnknown(v) {
		return v, nil
	}
	separator, ok := args[0].(string)
	text, also := v.(string)
	if !ok || !also || separator == "" {
		return nil, problem(path, "takes a separator and a string")
	}
	list := []any{}
	for _, part := range strings.Split(text, separator) {
		list = append(list, part)
	}
	return list, nil
}

func (s *scope) find(argument any, path string) (any, error) {
	args, err := arguments(argument, 3, path)
	if err != nil {
		return nil, err
	}
	var found any = s.template.mappings
	for i, arg := range args {
		key, err := s.value(arg, fmt.Sprintf("%s[%d]", path, i))
		if err != nil {
			return nil, err
		}
		m, _ := found.(map[string]any)
		if found = m[scalar(key)]; found == nil {
			return nil, problem(path, "Mappings has no %v", key)
		}
	}
	return found, nil
}

func (s *scope) importValue(argument any, path string) (any, error) {
	v, err := s.value(argument, path)
	if err != nil {
		return nil, err
	}
	name, ok := v.(string)
	if !ok {
		return nil, problem(path, "takes the name of an export that is known before the stack is deployed")
	}
	value, ok := s.exports[name]
	if !ok {
		return nil, problem(path, "no stack of account %s in %s exports %s: deploy the one that does first", s.account, s.region, name)
	}
	s.imported[name] = true
	return value, nil
}

// there reports whether a condition holds. An empty condition always holds.
func (s *scope) there(condition, path string) (bool, error) {
	if condition == "" {
		return true, nil
	}
	return s.condition(condition, path)
}

func (s *scope) condition(name, path string) (bool, error) {
	if holds, known := s.conditions[name]; known {
		return holds, nil
	}
	expression, ok := s.template.conditions[name]
	if !ok {
		return false, problem(path, "there is no condition %q", name)
	}
	if slices.Contains(s.underWay, name) {
		return false, problem("Conditions."+name, "needs itself: %s → %s", strings.Join(s.underWay, " → "), name)
	}
	s.underWay = append(s.underWay, name)
	holds, err := s.boolean(expression, "Conditions."+name)
	s.underWay = s.underWay[:len(s.underWay)-1]
	if err == nil {
		s.conditions[name] = holds
	}
	return holds, err
}

// boolean evaluates an expression of Conditions or Rules.
func (s *scope) boolean(v any, path string) (bool, error) {
	m, _ := v.(map[string]any)
	if len(m) != 1 {
		return false, problem(path, "a condition is one of Fn::And, Fn::Or, Fn::Not, Fn::Equals, Fn::Contains, Condition")
	}
	for name, argument := range m {
		path := path + "." + name
		list, _ := argument.([]any)
		switch name {
		case "Condition":
			condition, _ := argument.(string)
			return s.condition(condition, path)
		case "Fn::Not":
			if len(list) != 1 {
				return false, problem(path, "takes a list of one condition")
			}
			holds, err := s.boolean(list[0], path)
			return !holds, err
		case "Fn::And", "Fn::Or":
			if len(list) < 2 || len(list) > 10 {
				return false, problem(path, "takes a list of 2 to 10 conditions")
			}
			result := name == "Fn::And"
			for i, e := range list {
				holds, err := s.boolean(e, fmt.Sprintf("%s[%d]", path, i))
				if err != nil {
					return false, err
				}
				if holds != (name == "Fn::And") {
					result = holds
				}
			}
			return result, nil
		case "Fn::Equals", "Fn::Contains":
			if len(list) != 2 {
				return false, problem(path, "takes a list of 2 arguments")
			}
			a, err := s.value(list[0], path+"[0]")
			if err != nil {
				return false, err
			}
			b, err := s.value(list[1], path+"[1]")
			if err != nil {
				return false, err
			}
			if isUnknown(a) || isUnknown(b) {
				return false, problem(path, "a condition cannot depend on a resource")
			}
			if name == "Fn::Equals" {
				return scalar(a) == scalar(b), nil
			}
			all, _ := a.([]any)
			return slices.ContainsFunc(all, func(e any) bool { return scalar(e) == scalar(b) }), nil
		}
		return false, problem(path, "%s is not supported by the sandbox here", name)
	}
	return false, nil
}
