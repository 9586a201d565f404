package wire

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// route is the method and path of a REST operation.
type route struct {
	op       *cloud.Operation
	shape    *shape
	segments []segment
	fixed    url.Values // the query string that distinguishes operations on one path
}

type segment struct {
	literal string
	label   *member // nil for a literal
	greedy  bool    // {Key+} matches the rest of the path
}

func newRoute(op *cloud.Operation, sh *shape) (route, error) {
	r := route{op: op, shape: sh}
	path, query, _ := strings.Cut(op.Path, "?")
	fixed, err := url.ParseQuery(query)
	if err != nil {
		return r, fmt.Errorf("parse query of path %s: %w", op.Path, err)
	}
	r.fixed = fixed
	bound := 0
	for _, s := range split(path) {
		if !strings.HasPrefix(s, "{") {
			r.segments = append(r.segments, segment{literal: s})
			continue
		}
		label := strings.Trim(s, "{}")
		name := strings.TrimSuffix(label, "+")
		i := slices.IndexFunc(sh.uri, func(m *member) bool { return m.name == name })
		if i < 0 {
			return r, fmt.Errorf("no member for label {%s} of path %s", name, op.Path)
		}
		bound++
		r.segments = append(r.segments, segment{label: sh.uri[i], greedy: name != label})
	}
	if bound != len(sh.uri) {
		return r, fmt.Errorf("path %s has %d labels for %d members", op.Path, bound, len(sh.uri))
	}
	return r, nil
}

// split splits a path into its segments. It ignores a slash at the end.
func split(path string) []string {
	return strings.Split(strings.Trim(path, "/"), "/")
}

// match returns the value of each segment, or false. A match with more literal segments and fixed parameters is better.
func (r *route) match(method string, path []string, query url.Values) (weight int, ok bool) {
	if r.op.Method != method {
		return 0, false
	}
	greedy := len(r.segments) > 0 && r.segments[len(r.segments)-1].greedy
	if len(path) != len(r.segments) && (!greedy || len(path) < len(r.segments)) {
		return 0, false
	}
	for i, s := range r.segments {
		if s.label != nil {
			continue
		}
		if s.literal != path[i] {
			return 0, false
		}
		weight++
	}
	for name, want := range r.fixed {
		if got, there := query[name]; !there || !slices.Equal(got, want) {
			return 0, false
		}
		weight++
	}
	return weight, true
}

func (c *Codec) decodeREST(r *http.Request, body []byte) (*cloud.Operation, any, *cloud.Error) {
	path := split(r.URL.EscapedPath())
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, nil, cloud.Errorf(http.StatusBadRequest, "MalformedQueryString", "%v", err)
	}
	var found *route
	best := -1
	for i := range c.routes {
		if weight, ok := c.routes[i].match(r.Method, path, query); ok && weight > best {
			found, best = &c.routes[i], weight
		}
	}
	if found == nil {
		return nil, nil, cloud.NotImplemented(c.service.Name, r.Method+" "+r.URL.EscapedPath())
	}
	in := found.op.NewInput()
	if err := c.bindREST(found, path, query, r.Header, body, reflect.ValueOf(in).Elem()); err != nil {
		code := "SerializationException"
		if c.service.Protocol == cloud.RESTXML {
			code = "MalformedInput"
		}
		return nil, nil, malformed(code, c.service, found.op, err)
	}
	return found.op, in, nil
}

func (c *Codec) bindREST(r *route, path []string, query url.Values, header http.Header, body []byte, in reflect.Value) error {
	for i, s := range r.segments {
		if s.label == nil {
			continue
		}
		value := path[i]
		if s.greedy {
			value = strings.Join(path[i:], "/")
		}
		value, err := url.PathUnescape(value)
		if err != nil {
			return fmt.Errorf("%s in the path: %w", s.label.name, err)
		}
		if err := c.types.setText(in.FieldByIndex(s.label.index), value, xmlTime); err != nil {
			return fmt.Errorf("%s in the path: %w", s.label.name, err)
		}
	}
	if err := c.bindParams(r, query, in); err != nil {
		return err
	}
	for _, m := range r.shape.headers {
		value := header.Get(m.name)
		if value == "" {
			continue
		}
		if err := c.types.setText(in.FieldByIndex(m.index), value, headerTime); err != nil {
			return fmt.Errorf("header %s: %w", m.name, err)
		}
	}
	return c.bindBody(r.shape, body, in)
}

func (c *Codec) bindParams(r *route, query url.Values, in reflect.Value) error {
	names := make([]string, 0, len(query))
	for name := range query {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if _, fixed := r.fixed[name]; fixed {
			continue
		}
		i := slices.IndexFunc(r.shape.params, func(m *member) bool { return m.name == name })
		if i < 0 {
			return fmt.Errorf("the sandbox does not know query parameter %s", name)
		}
		v := in.FieldByIndex(r.shape.params[i].index)
		if v.Kind() == reflect.Slice {
			v.Set(reflect.MakeSlice(v.Type(), len(query[name]), len(query[name])))
			for i, value := range query[name] {
				if err := c.types.setText(v.Index(i), value, xmlTime); err != nil {
					return fmt.Errorf("query parameter %s: %w", name, err)
				}
			}
			continue
		}
		if len(query[name]) > 1 {
			return fmt.Errorf("query parameter %s is given %d times", name, len(query[name]))
		}
		if err := c.types.setText(v, query[name][0], xmlTime); err != nil {
			return fmt.Errorf("query parameter %s: %w", name, err)
		}
	}
	return nil
}

func (c *Codec) bindBody(sh *shape, body []byte, in reflect.Value) error {
	if sh.payload != nil {
		return c.bindPayload(sh.payload, body, in.FieldByIndex(sh.payload.index))
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	if c.service.Protocol == cloud.RESTJSON {
		return c.types.decodeObject(body, in, sh, "")
	}
	root, err := parseXML(body)
	if err != nil {
		return err
	}
	return c.types.bindStructure(root, in, sh, "")
}

func (c *Codec) bindPayload(m *member, body []byte, v reflect.Value) error {
	if len(body) == 0 {
		return nil
	}
	info, err := c.types.of(v.Type())
	if err != nil {
		return err
	}
	switch {
	case info.kind == blob, info.kind == rawXML:
		v.SetBytes(body)
		return nil
	case c.service.Protocol == cloud.RESTJSON:
		return c.types.decodeJSON(body, v, m.json)
	}
	root, err := parseXML(body)
	if err != nil {
		return err
	}
	if m.tagged && root.name != m.path[0] {
		return fmt.Errorf("the body must be %s, not %s", m.path[0], root.name)
	}
	return c.types.bindXML(root, v, root.name)
}

func (c *Codec) encodeREST(h http.Header, op *cloud.Operation, v reflect.Value, status *int) ([]byte, string, error) {
	if !v.IsValid() {
		return nil, "", nil
	}
	info, err := c.types.of(v.Type())
	if err != nil {
		return nil, "", err
	}
	if info.kind != structure {
		return nil, "", fmt.Errorf("the output is a %s, not a struct", v.Type())
	}
	sh := info.shape
	for _, m := range sh.headers {
		value, there, err := c.types.text(v.FieldByIndex(m.index), headerTime)
		if err != nil {
			return nil, "", fmt.Errorf("header %s: %w", m.name, err)
		}
		if there && value != "" {
			h.Set(m.name, value)
		}
	}
	if sh.status != nil {
		if n := int(v.FieldByIndex(sh.status.index).Int()); n != 0 {
			*status = n
		}
	}
	if sh.payload != nil {
		return c.encodePayload(sh.payload, v.FieldByIndex(sh.payload.index))
	}
	if c.service.Protocol == cloud.RESTJSON {
		if *status == http.StatusNoContent {
			return nil, "", nil
		}
		b, err := c.types.appendJSON(nil, v)
		return b, c.contentType(), err
	}
	if len(sh.body) == 0 {
		return nil, "", nil
	}
	root := sh.root
	if root == "" {
		root = op.Name + "Response"
	}
	b, err := c.types.appendXML([]byte(xmlHeader), root, c.service.Namespace, v)
	return b, c.contentType(), err
}

func (c *Codec) encodePayload(m *member, v reflect.Value) ([]byte, string, error) {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil, "", nil
		}
		v = v.Elem()
	}
	info, err := c.types.of(v.Type())
	if err != nil {
		return nil, "", err
	}
	switch {
	case info.kind == blob:
		return v.Bytes(), "application/octet-stream", nil
	case info.kind == rawXML:
		return v.Bytes(), c.contentType(), nil
	case c.service.Protocol == cloud.RESTJSON:
		b, err := c.types.appendJSON(nil, v)
		return b, c.contentType(), err
	}
	root := v.Type().Name()
	switch {
	case info.shape != nil && info.shape.root != "":
		root = info.shape.root
	case m.tagged:
		root = m.path[0]
	}
	b, err := c.types.appendXML([]byte(xmlHeader), root, c.service.Namespace, v)
	return b, c.contentType(), err
}
