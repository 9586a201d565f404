package policy

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// form checks that a node has the form of a Go type: known keys, and values of the right kind. The YAML library would decode 1.5 as 1,
// and an unquoted account with leading zeros as another number.
func (c *checker) form(n ast.Node, t reflect.Type, way []any) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		if t.Kind() == reflect.Struct {
			c.keys(n, t, way)
			return
		}
	case *ast.SequenceNode:
		if t.Kind() == reflect.Slice {
			for i, entry := range n.Values {
				c.form(entry, t.Elem(), along(way, i))
			}
			return
		}
	case *ast.StringNode, *ast.LiteralNode:
		if t == reflect.TypeFor[time.Duration]() {
			if _, err := time.ParseDuration(n.GetToken().Value); err == nil {
				return
			}
		} else if t.Kind() == reflect.String || t == reflect.TypeFor[ids]() {
			return
		}
	case *ast.IntegerNode:
		if t.Kind() == reflect.Int {
			return
		}
	case *ast.BoolNode:
		if t.Kind() == reflect.Bool {
			return
		}
	case *ast.NullNode:
		c.fail(way, "%s has no value: write a value, or remove the key", name(way))
		return
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		c.fail(way, "%s is a YAML anchor, alias or tag: write the value itself", name(way))
		return
	}
	c.fail(way, "%s is %s: write %s", name(way), kind(n), wanted(t))
}

// wanted returns what to write for a value of a type.
func wanted(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "a duration such as 30s or 72h"
	case t.Kind() == reflect.Struct:
		return "a group of keys, indented, each with its value"
	case t == reflect.TypeFor[ids]():
		return "one id or a list of them"
	case t.Kind() == reflect.Slice:
		return "a list"
	case t.Kind() == reflect.String:
		return "text; put it in quotes"
	case t.Kind() == reflect.Int:
		return "a whole number, without quotes"
	}
	return "true or false"
}

// kind returns what a user calls a node.
func kind(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a group of keys"
	case *ast.SequenceNode:
		return "a list"
	case *ast.BoolNode:
		return "true or false"
	case *ast.IntegerNode:
		return "a number"
	case *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a decimal number"
	}
	return "text"
}

func (c *checker) keys(n *ast.MappingNode, t reflect.Type, way []any) {
	fields := map[string]reflect.Type{}
	for f := range t.Fields() {
		fields[f.Tag.Get("yaml")] = f.Type
	}
	for _, v := range n.Values {
		key := v.Key.GetToken()
		if field, ok := fields[key.Value]; ok {
			c.form(v.Value, field, along(way, key.Value))
			continue
		}
		c.errors = append(c.errors, Error{
			key.Position.Line, key.Position.Column,
			fmt.Sprintf("unknown key %q: correct or remove it; the keys here are %s", key.Value, strings.Join(keysOf(t), ", ")),
		})
	}
}

// along returns way with one more step.
func along(way []any, step any) []any { return append(way[:len(way):len(way)], step) }

// name returns how messages name the place at the end of way.
func name(way []any) string {
	if len(way) == 0 {
		return "the policy"
	}
	switch last := way[len(way)-1].(type) {
	case int:
		return fmt.Sprintf("entry %d of %s", last+1, name(way[:len(way)-1]))
	default:
		return fmt.Sprint(last)
	}
}

// where returns the position of a key or list entry. Way is the path to it, as names of keys and indexes of entries. If it does not
// exist, where returns the position of the closest parent that does.
func where(n ast.Node, way ...any) *token.Position {
	at := n.GetToken().Position
	if first, ok := firstKey(n); ok {
		at = first
	}
	for _, step := range way {
		key, value := child(n, step)
		if value == nil {
			break
		}
		at, n = key, value
	}
	return at
}

func firstKey(n ast.Node) (*token.Position, bool) {
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 {
		return m.Values[0].Key.GetToken().Position, true
	}
	return nil, false
}

func child(n ast.Node, step any) (*token.Position, ast.Node) {
	switch step := step.(type) {
	case string:
		if m, ok := n.(*ast.MappingNode); ok {
			for _, v := range m.Values {
				if v.Key.GetToken().Value == step {
					return v.Key.GetToken().Position, v.Value
				}
			}
		}
	case int:
		if s, ok := n.(*ast.SequenceNode); ok && step < len(s.Values) {
			entry := s.Values[step]
			if first, ok := firstKey(entry); ok {
				return first, entry
			}
			return entry.GetToken().Position, entry
		}
	}
	return nil, nil
}
