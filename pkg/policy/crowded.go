package policy

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// mostKeys is how many keys the YAML library reads from one group in reasonable time, which grows with the square of their number. No
// group of a policy has a tenth of them.
const mostKeys = 200

// group is a block of keys at one column, of which line by line each is noted.
type group struct {
	column int // from 0
	keys   []Error
}

// crowded returns an error for each unknown key of each group of more than mostKeys keys, and for a second document. It reads lines, not
// YAML: lines inside brackets, and lines without a colon, are no keys to it.
func crowded(data []byte) error {
	var found Errors
	var open []group
	closeTo := func(column int) { // ends the groups to the right of column
		for len(open) > 0 && open[len(open)-1].column > column {
			found = append(found, open[len(open)-1].errors()...)
			open = open[:len(open)-1]
		}
	}
	brackets, number, begun := 0, 0, false
	for line := range strings.Lines(string(data)) {
		number++
		content := strings.TrimLeft(line, " ")
		column := len(line) - len(content)
		content = strings.TrimSpace(content)
		if content == "" || content[0] == '#' {
			continue
		}
		if column == 0 && content == "---" && begun {
			return severalDocuments(number)
		}
		begun = true
		if brackets == 0 {
			closeTo(column)
			for strings.HasPrefix(content, "- ") {
				rest := strings.TrimLeft(content[1:], " ")
				closeTo(column)
				column += len(content) - len(rest)
				content = rest
			}
			open = addKey(open, content, number, column)
		}
		brackets += opened(content)
	}
	closeTo(-1)
	if len(found) == 0 {
		return nil
	}
	c := checker{errors: found}
	return c.sorted()
}

// addKey adds the key of a line to the innermost open group, or to a new one if the line is to the right of that.
func addKey(open []group, content string, line, column int) []group {
	key, _, ok := strings.Cut(content, ":")
	if !ok {
		return open
	}
	if len(open) == 0 || open[len(open)-1].column < column {
		open = append(open, group{column: column})
	}
	last := &open[len(open)-1]
	last.keys = append(last.keys, Error{line, column + 1, strings.Trim(strings.TrimSpace(key), `"'`)})
	return open
}

// opened returns how many more brackets a line opens than it closes.
func opened(line string) (n int) {
	for _, r := range line {
		switch r {
		case '[', '{':
			n++
		case ']', '}':
			n--
		}
	}
	return n
}

func (g group) errors() Errors {
	if len(g.keys) <= mostKeys {
		return nil
	}
	known, here := everyKey(reflect.TypeFor[file]()), ""
	if g.column == 0 {
		known = keysOf(reflect.TypeFor[file]())
		here = "; the keys here are " + strings.Join(known, ", ")
	}
	var unknown Errors
	for _, k := range g.keys {
		if !slices.Contains(known, k.Message) {
			k.Message = fmt.Sprintf("unknown key %q: correct or remove it%s", k.Message, here)
			unknown = append(unknown, k)
		}
	}
	if unknown == nil {
		last := g.keys[mostKeys]
		last.Message = fmt.Sprintf("a group of %d keys begins on line %d, and no group of a policy has more than %d: write each key once", len(g.keys), g.keys[0].Line, mostKeys)
		return Errors{last}
	}
	return unknown
}

func severalDocuments(line int) Errors {
	return Errors{{line, 1, "the file is not a single YAML document: write only the policy"}}
}

// keysOf returns the keys of a group of the policy.
func keysOf(t reflect.Type) []string {
	var keys []string
	for f := range t.Fields() {
		keys = append(keys, f.Tag.Get("yaml"))
	}
	return keys
}

// everyKey returns the keys of a group of the policy and of all groups in it.
func everyKey(t reflect.Type) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	keys := keysOf(t)
	for f := range t.Fields() {
		keys = append(keys, everyKey(f.Type)...)
	}
	return keys
}
