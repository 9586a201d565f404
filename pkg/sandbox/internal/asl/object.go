package asl

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"sort"
	"strings"
)

// reader collects the problems of a definition while it is read.
type reader struct{ problems []Problem }

// object is one JSON object of the definition. Fields that nobody has read are unknown fields.
type object struct {
	rd     *reader
	path   string
	order  []string
	fields map[string]json.RawMessage
	taken  map[string]bool
}

func (rd *reader) object(path string, raw json.RawMessage) *object {
	keys, values, err := splitObject(raw)
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		rd.complain(path, "%s", err)
		return nil
	}
	o := &object{rd: rd, path: path, order: keys, fields: map[string]json.RawMessage{}, taken: map[string]bool{}}
	for i, k := range keys {
		if o.fields[k] != nil {
			o.complain(k, "appears twice")
		}
		o.fields[k] = values[i]
	}
	return o
}

// splitObject reads the members of an object in their order.
func splitObject(raw json.RawMessage) (keys []string, values []json.RawMessage, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	t, err := d.Token()
	if err != nil {
		return nil, nil, err
	}
	if t != json.Delim('{') {
		return nil, nil, errors.New("must be a JSON object")
	}
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return nil, nil, err
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return nil, nil, err
		}
		keys, values = append(keys, k.(string)), append(values, v)
	}
	if _, err := d.Token(); err != nil {
		return nil, nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, errors.New("something follows the JSON object")
	}
	return keys, values, nil
}

func (o *object) complain(name, format string, args ...any) {
	path := o.path
	if name != "" {
		path += "/" + name
	}
	o.rd.complain(path, format, args...)
}

func (o *object) names() []string { return o.order }

func (o *object) take(name string) json.RawMessage {
	o.taken[name] = true
	return o.fields[name]
}

func (o *object) has(name string) bool { return o.fields[name] != nil }

func (o *object) decode(name string, into any, want string) bool {
	raw := o.take(name)
	if raw == nil {
		return false
	}
	if json.Unmarshal(raw, into) != nil || string(raw) == "null" {
		o.complain(name, "must be %s", want)
		return false
	}
	return true
}

func (o *object) text(name string) string {
	var s string
	o.decode(name, &s, "a string")
	return s
}

func (o *object) required(name string) string {
	s := o.text(name)
	if s == "" && !o.complained(name) {
		o.complain(name, "is missing")
	}
	return s
}

func (o *object) complained(name string) bool {
	for _, p := range o.rd.problems {
		if p.Path == o.path+"/"+name {
			return true
		}
	}
	return false
}

func (o *object) boolean(name string) bool {
	var b bool
	if o.decode(name, &b, "true") && !b {
		o.complain(name, "must be true")
	}
	return b
}

func (o *object) integer(name string, otherwise, low, high int) int {
	n := otherwise
	if o.decode(name, &n, "a whole number") && (n < low || n > high) {
		o.complain(name, "must be between %d and %d", low, high)
	}
	return n
}

func (o *object) child(name string) *object {
	raw := o.take(name)
	if raw == nil {
		o.complain(name, "is missing")
		return nil
	}
	return o.rd.object(o.path+"/"+name, raw)
}

// children reads a list of objects.
func (o *object) children(name string) []*object {
	var raws []json.RawMessage
	if !o.decode(name, &raws, "a list") {
		return nil
	}
	var list []*object
	for i, raw := range raws {
		if child := o.rd.object(o.path+"/"+name+"/"+itoa(i), raw); child != nil {
			list = append(list, child)
		}
	}
	return list
}

func (o *object) queryLanguage(machine bool) {
	switch q := o.text("QueryLanguage"); {
	case q == "JSONata" || (q == "" && !machine):
	case q == "JSONPath" || q == "":
		o.complain("QueryLanguage", "the sandbox knows JSONata only; JSONPath is what a machine without QueryLanguage means")
	default:
		o.complain("QueryLanguage", "there is no query language %q", q)
	}
}

// close reports the fields that nobody has read.
func (o *object) close() {
	var unknown []string
	for name := range o.fields {
		if !o.taken[name] {
			unknown = append(unknown, name)
		}
	}
	sort.Strings(unknown)
	for _, name := range unknown {
		if isJSONPathField(name) {
			o.complain(name, "is a JSONPath field; this machine's query language is JSONata")
		} else {
			o.complain(name, "the sandbox does not know this field here")
		}
	}
}

func isJSONPathField(name string) bool {
	switch name {
	case "InputPath", "OutputPath", "ResultPath", "Parameters", "ResultSelector", "Result", "ItemsPath", "SecondsPath",
		"TimestampPath", "TimeoutSecondsPath", "HeartbeatSecondsPath", "ErrorPath", "CausePath", "Variable":
		return true
	}
	return strings.HasSuffix(name, ".$")
}
