package pattern

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// field is one scalar of an event.
type field struct {
	value any    // string, json.Number, bool or nil
	at    []step // the array elements that contain it, outermost first
}

// step is one element of one array of the event.
type step struct{ array, index int }

// flatten returns the scalars of an event by their paths. Elements of an array have the path of the array, so a pattern matches
// inside arrays without naming them. Empty arrays and objects have no fields, so they do not "exist".
func flatten(event map[string]any) map[string][]field {
	fields, arrays := map[string][]field{}, 0
	var walk func(path string, v any, at []step)
	walk = func(path string, v any, at []step) {
		switch v := v.(type) {
		case map[string]any:
			for name, e := range v {
				walk(join(path, name), e, at)
			}
		case []any:
			id := arrays
			arrays++
			for i, e := range v {
				walk(path, e, append(at[:len(at):len(at)], step{id, i}))
			}
		default:
			fields[path] = append(fields[path], field{value: v, at: at})
		}
	}
	walk("", event, nil)
	return fields
}

// satisfies reports whether all conditions hold at once. Conditions on the same array must hold for the same element.
func satisfies(fields map[string][]field, conditions []condition) bool {
	var open [][]field
	for _, c := range conditions {
		candidates, free := c.candidates(fields)
		if free {
			continue
		}
		if len(candidates) == 0 {
			return false
		}
		open = append(open, candidates)
	}
	for _, group := range byOutermostArray(open) {
		if !consistent(group, map[int]int{}) {
			return false
		}
	}
	return true
}

// candidates returns the fields that satisfy the condition. The condition is free if it holds whatever fields the others choose.
func (c condition) candidates(fields map[string][]field) (list []field, free bool) {
	all := fields[c.path]
	for _, t := range c.tests {
		if t.absent && len(all) == 0 {
			return nil, true
		}
	}
	for _, f := range all {
		if !c.holds(f.value) {
			continue
		}
		if len(f.at) == 0 {
			return nil, true
		}
		list = append(list, f)
	}
	return list, false
}

func (c condition) holds(v any) bool {
	for _, t := range c.tests {
		if !t.absent && t.match(v) {
			return true
		}
	}
	return false
}

// byOutermostArray separates conditions that cannot conflict, which keeps the search short.
func byOutermostArray(open [][]field) [][][]field {
	index := map[int]int{}
	var groups [][][]field
	for _, candidates := range open {
		id := candidates[0].at[0].array
		for _, f := range candidates {
			if f.at[0].array != id {
				return [][][]field{open}
			}
		}
		if _, ok := index[id]; !ok {
			index[id] = len(groups)
			groups = append(groups, nil)
		}
		groups[index[id]] = append(groups[index[id]], candidates)
	}
	return groups
}

func consistent(open [][]field, chosen map[int]int) bool {
	if len(open) == 0 {
		return true
	}
	for _, f := range open[0] {
		added, ok := choose(chosen, f.at)
		if ok && consistent(open[1:], chosen) {
			return true
		}
		for _, array := range added {
			delete(chosen, array)
		}
	}
	return false
}

func choose(chosen map[int]int, at []step) (added []int, ok bool) {
	for _, s := range at {
		index, taken := chosen[s.array]
		if taken && index != s.index {
			return added, false
		}
		if !taken {
			chosen[s.array] = s.index
			added = append(added, s.array)
		}
	}
	return added, true
}

func decode(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	return v, nil
}
