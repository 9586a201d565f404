// Package pattern compiles EventBridge event patterns and matches events against them.
package pattern

import (
	"fmt"
	"maps"
	"slices"
)

// maxBranches is the maximum number of combinations of the $or lists of one pattern.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html#eb-filtering-complex-example-or
const maxBranches = 1000

// Pattern is a compiled event pattern. It is safe for concurrent use.
type Pattern struct {
	branches [][]condition // an event matches if it satisfies every condition of one branch
}

// condition is the condition of a pattern on one field. One of the tests must hold.
type condition struct {
	path  string // names joined by dots, as EventBridge flattens patterns and events
	tests []test
}

// Compile compiles a pattern. Its errors are EventBridge's, without the prefix of the service.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern.html
func Compile(text []byte) (*Pattern, error) {
	v, err := decode(text)
	if err != nil {
		return nil, fmt.Errorf("parse pattern: %w", err)
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("filter is not an object")
	}
	branches, err := unfold([][]condition{nil}, "", object)
	if err != nil {
		return nil, err
	}
	return &Pattern{branches: branches}, nil
}

// unfold adds an object's conditions to each branch. Every $or multiplies the branches.
func unfold(branches [][]condition, path string, object map[string]any) ([][]condition, error) {
	if len(object) == 0 {
		return nil, fmt.Errorf("empty objects are not allowed")
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		var err error
		if name == "$or" {
			branches, err = unfoldOr(branches, path, object[name])
		} else {
			branches, err = unfoldField(branches, join(path, name), object[name])
		}
		if err != nil {
			return nil, err
		}
	}
	return branches, nil
}

func unfoldOr(branches [][]condition, path string, v any) ([][]condition, error) {
	choices, ok := v.([]any)
	if !ok || len(choices) < 2 {
		return nil, fmt.Errorf("$or must be an array of at least two objects")
	}
	var all [][]condition
	for _, choice := range choices {
		object, ok := choice.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("only objects are allowed in the array of $or")
		}
		more, err := unfold(branches, path, object)
		if err != nil {
			return nil, err
		}
		if all = append(all, more...); len(all) > maxBranches {
			return nil, fmt.Errorf("$or results in more than %d rule combinations", maxBranches)
		}
	}
	return all, nil
}

func unfoldField(branches [][]condition, path string, v any) ([][]condition, error) {
	switch v := v.(type) {
	case map[string]any:
		return unfold(branches, path, v)
	case []any:
		tests, err := compileTests(v)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", path, err)
		}
		grown := make([][]condition, len(branches))
		for i, b := range branches {
			grown[i] = append(b[:len(b):len(b)], condition{path: path, tests: tests})
		}
		return grown, nil
	default:
		return nil, fmt.Errorf("%q must be an object or an array", path)
	}
}

// Event is a parsed event. It can be matched against many patterns.
type Event struct{ fields map[string][]field }

// Read parses an event, a JSON object.
func Read(event []byte) (Event, error) {
	v, err := decode(event)
	if err != nil {
		return Event{}, fmt.Errorf("parse event: %w", err)
	}
	object, ok := v.(map[string]any)
	if !ok {
		return Event{}, fmt.Errorf("parse event: not a JSON object")
	}
	return Event{flatten(object)}, nil
}

// Match reports whether an event, a JSON object, satisfies the pattern.
func (p *Pattern) Match(event []byte) (bool, error) {
	e, err := Read(event)
	return err == nil && e.Satisfies(p), err
}

// Satisfies reports whether the event satisfies the pattern.
func (e Event) Satisfies(p *Pattern) bool {
	for _, branch := range p.branches {
		if satisfies(e.fields, branch) {
			return true
		}
	}
	return false
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
