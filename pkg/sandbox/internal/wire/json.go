package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// decodeJSON reads raw into v. An empty body is an empty object; null is an absent member.
func (t *types) decodeJSON(raw []byte, v reflect.Value, path string) error {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 && path == "" {
		return nil
	}
	if string(raw) == "null" {
		return nil
	}
	info, err := t.of(v.Type())
	if err != nil {
		return err
	}
	switch info.kind {
	case pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return t.decodeJSON(raw, v.Elem(), path)
	case instant:
		return decodeJSONTime(raw, v, path)
	case structure:
		return t.decodeObject(raw, v, info.shape, path)
	case dictionary:
		var members map[string]json.RawMessage
		if err := json.Unmarshal(raw, &members); err != nil {
			return jsonError(path, "an object", raw, err)
		}
		v.Set(reflect.MakeMapWithSize(v.Type(), len(members)))
		for key, value := range members {
			e := reflect.New(v.Type().Elem()).Elem()
			if err := t.decodeJSON(value, e, path+"["+strconv.Quote(key)+"]"); err != nil {
				return err
			}
			v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), e)
		}
		return nil
	case list:
		var items []json.RawMessage
		if err := json.Unmarshal(raw, &items); err != nil {
			return jsonError(path, "a list", raw, err)
		}
		v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
		for i, item := range items {
			if err := t.decodeJSON(item, v.Index(i), path+"["+strconv.Itoa(i)+"]"); err != nil {
				return err
			}
		}
		return nil
	}
	if err := json.Unmarshal(raw, v.Addr().Interface()); err != nil {
		return jsonError(path, "of type "+v.Type().String(), raw, err)
	}
	return nil
}

func (t *types) decodeObject(raw []byte, v reflect.Value, sh *shape, path string) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return jsonError(path, "an object", raw, err)
	}
	// Members are sorted, so that the same request gets the same message.
	var unknown []string
	for name, value := range members {
		m := sh.json[name]
		if m == nil {
			unknown = append(unknown, join(path, name))
			continue
		}
		if err := t.decodeJSON(value, v.FieldByIndex(m.index), join(path, name)); err != nil {
			return err
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		return fmt.Errorf("the sandbox does not know member %s", unknown[0])
	}
	return nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func jsonError(path, want string, raw []byte, err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("the body is not JSON: %w", err)
	}
	if len(raw) > 40 {
		raw = append(slices.Clone(raw[:40]), "…"...)
	}
	if path == "" {
		path = "the body"
	}
	return fmt.Errorf("%s must be %s, not %s", path, want, raw)
}

// decodeJSONTime reads epoch seconds, the default of the JSON protocols, or a date-time string, to the millisecond.
func decodeJSONTime(raw []byte, v reflect.Value, path string) error {
	var at time.Time
	if raw[0] == '"' {
		if err := json.Unmarshal(raw, &at); err != nil {
			return jsonError(path, "a time", raw, err)
		}
	} else {
		seconds, err := strconv.ParseFloat(string(raw), 64)
		if err != nil {
			return jsonError(path, "a time in seconds since 1970", raw, err)
		}
		at = time.UnixMilli(int64(math.Round(seconds * 1000)))
	}
	v.Set(reflect.ValueOf(at.Round(time.Millisecond).UTC()))
	return nil
}

// appender is a value that encodes its JSON itself.
type appender interface{ AppendJSON(b []byte) []byte }

// appendJSON encodes v. It omits absent pointers and zero times of objects. It encodes nil lists and maps as empty ones.
func (t *types) appendJSON(b []byte, v reflect.Value) ([]byte, error) {
	if !v.IsValid() {
		return append(b, "{}"...), nil
	}
	info, err := t.of(v.Type())
	if err != nil {
		return nil, err
	}
	switch info.kind {
	case pointer:
		if v.IsNil() {
			return append(b, "null"...), nil
		}
		return t.appendJSON(b, v.Elem())
	case instant:
		ms := v.Interface().(time.Time).UnixMilli()
		return strconv.AppendFloat(b, float64(ms)/1000, 'f', -1, 64), nil
	case blob, rawXML:
		b = append(b, '"')
		b = base64.StdEncoding.AppendEncode(b, v.Bytes())
		return append(b, '"'), nil
	case structure:
		return t.appendObject(b, v, info.shape)
	case dictionary:
		b = append(b, '{')
		for i, key := range sortedKeys(v) {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(AppendString(b, key.String()), ':')
			if b, err = t.appendJSON(b, v.MapIndex(key)); err != nil {
				return nil, err
			}
		}
		return append(b, '}'), nil
	case list:
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ',')
			}
			if b, err = t.appendJSON(b, v.Index(i)); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	}
	if v.Kind() == reflect.String && info.kind == scalar {
		return AppendString(b, v.String()), nil
	}
	value := v.Interface()
	if a, ok := value.(appender); ok {
		return a.AppendJSON(b), nil
	}
	raw, err := json.Marshal(value)
	return append(b, raw...), err
}

func (t *types) appendObject(b []byte, v reflect.Value, sh *shape) ([]byte, error) {
	b = append(b, '{')
	first := true
	for _, m := range sh.body {
		f := v.FieldByIndex(m.index)
		if m.json == "" || absent(f) || m.jsonOmit && empty(f) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(AppendString(b, m.json), ':')
		var err error
		if b, err = t.appendJSON(b, f); err != nil {
			return nil, fmt.Errorf("%s: %w", m.json, err)
		}
	}
	return append(b, '}'), nil
}

// absent reports whether v is omitted, whatever its tag says.
func absent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return v.IsNil()
	case reflect.Struct:
		at, ok := v.Interface().(time.Time)
		return ok && at.IsZero()
	}
	return false
}

// empty reports whether omitempty omits v.
func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.String:
		return v.Len() == 0
	}
	return v.IsZero()
}

func sortedKeys(v reflect.Value) []reflect.Value {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int {
		if a.String() < b.String() {
			return -1
		}
		return 1
	})
	return keys
}

// AppendString appends s as JSON. Unlike package json, it does not escape <, > and &.
func AppendString(b []byte, s string) []byte {
	if !utf8.ValidString(s) {
		raw, _ := json.Marshal(s) // Marshal replaces invalid UTF-8 by U+FFFD
		return append(b, raw...)
	}
	b = append(b, '"')
	written := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(append(b, s[written:i]...), '\\')
		written = i + 1
		switch {
		case c >= ' ':
			b = append(b, c)
		case c == '\n':
			b = append(b, 'n')
		default:
			b = append(b, 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(append(b, s[written:]...), '"')
}

const hexDigits = "0123456789abcdef"
