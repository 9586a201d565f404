package wire

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// node is one level of the dotted parameter names of a Query request.
type node struct {
	value    string
	given    bool // there is a parameter with exactly this name
	used     bool
	children map[string]*node
}

func parseForm(form url.Values) (*node, error) {
	root := &node{}
	for key, values := range form {
		if len(values) > 1 {
			return nil, fmt.Errorf("parameter %s is given %d times", key, len(values))
		}
		n := root
		for part := range strings.SplitSeq(key, ".") {
			if n.children == nil {
				n.children = map[string]*node{}
			}
			next := n.children[part]
			if next == nil {
				next = &node{}
				n.children[part] = next
			}
			n = next
		}
		n.value, n.given = values[0], true
	}
	return root, nil
}

func (n *node) at(path []string) *node {
	for _, part := range path {
		if n = n.children[part]; n == nil {
			return nil
		}
	}
	return n
}

// unused returns the first parameter by name that nothing was bound to, or "".
func (n *node) unused(path string) string {
	if n.given && !n.used {
		return path
	}
	names := make([]string, 0, len(n.children))
	for name := range n.children {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if found := n.children[name].unused(join(path, name)); found != "" {
			return found
		}
	}
	return ""
}

func (c *Codec) decodeForm(r *http.Request, body []byte) (*cloud.Operation, any, *cloud.Error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, nil, cloud.Errorf(http.StatusBadRequest, "MalformedQueryString", "%v", err)
	}
	for name, values := range r.URL.Query() {
		form[name] = append(form[name], values...)
	}
	name := form.Get("Action")
	if name == "" {
		return nil, nil, cloud.Errorf(http.StatusBadRequest, "MissingAction", "the request has no parameter Action")
	}
	op := c.names[name]
	if op == nil {
		return nil, nil, cloud.NotImplemented(c.service.Name, name)
	}
	if v := form.Get("Version"); c.service.Version != "" && v != c.service.Version {
		return nil, nil, cloud.Errorf(http.StatusBadRequest, "NoSuchVersion",
			"the sandbox speaks version %s of %s, not %q", c.service.Version, c.service.Name, v)
	}
	delete(form, "Action")
	delete(form, "Version")
	root, err := parseForm(form)
	if err != nil {
		return nil, nil, malformed("MalformedQueryString", c.service, op, err)
	}
	in := op.NewInput()
	if err := c.types.bindForm(root, reflect.ValueOf(in).Elem(), ""); err != nil {
		return nil, nil, malformed("InvalidParameterValue", c.service, op, err)
	}
	if unknown := root.unused(""); unknown != "" {
		return nil, nil, malformed("UnknownParameter", c.service, op, fmt.Errorf("the sandbox does not know parameter %s", unknown))
	}
	return op, in, nil
}

func (t *types) bindForm(n *node, v reflect.Value, path string) error {
	info, err := t.of(v.Type())
	if err != nil {
		return err
	}
	switch info.kind {
	case pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return t.bindForm(n, v.Elem(), path)
	case structure:
		for _, m := range info.shape.body {
			if err := t.bindParameter(n, m, v.FieldByIndex(m.index), path); err != nil {
				return err
			}
		}
		return nil
	case list:
		return t.bindFormList(n, v, path)
	case dictionary:
		return t.bindFormMap(n, v, path)
	}
	if !n.given {
		return fmt.Errorf("parameter %s has no value", path)
	}
	n.used = true
	if err := t.setText(v, n.value, xmlTime); err != nil {
		return fmt.Errorf("parameter %s: %w", path, err)
	}
	return nil
}

func (t *types) bindParameter(n *node, m *member, v reflect.Value, path string) error {
	if len(m.query) == 0 {
		return nil
	}
	if len(m.query) > 1 {
		// An empty list or map has only its name.
		if bare := n.at(m.query[:len(m.query)-1]); bare != nil && bare.given && bare.value == "" {
			bare.used = true
		}
	}
	at := n.at(m.query)
	if at == nil {
		return nil
	}
	return t.bindForm(at, v, join(path, strings.Join(m.query, ".")))
}

func (t *types) bindFormList(n *node, v reflect.Value, path string) error {
	if n.given && n.value == "" {
		n.used = true
	}
	for i := 1; ; i++ {
		item := n.children[strconv.Itoa(i)]
		if item == nil {
			return nil
		}
		e := reflect.New(v.Type().Elem()).Elem()
		if err := t.bindForm(item, e, join(path, strconv.Itoa(i))); err != nil {
			return err
		}
		v.Set(reflect.Append(v, e))
	}
}

func (t *types) bindFormMap(n *node, v reflect.Value, path string) error {
	v.Set(reflect.MakeMap(v.Type()))
	for i := 1; ; i++ {
		entry := n.children[strconv.Itoa(i)]
		if entry == nil {
			return nil
		}
		at := join(path, strconv.Itoa(i))
		key, value := entry.children["key"], entry.children["value"]
		if key == nil || value == nil {
			return fmt.Errorf("parameter %s needs a key and a value", at)
		}
		k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		if err := t.bindForm(key, k, at+".key"); err != nil {
			return err
		}
		if err := t.bindForm(value, e, at+".value"); err != nil {
			return err
		}
		v.SetMapIndex(k, e)
	}
}

func (c *Codec) encodeForm(op *cloud.Operation, requestID string, v reflect.Value) ([]byte, error) {
	response := op.Name + "Response"
	b := append([]byte(xmlHeader), '<')
	b = append(b, response...)
	b = append(append(append(b, ` xmlns="`...), c.service.Namespace...), `">`...)
	var err error
	if c.service.Protocol == cloud.EC2Query {
		b = append(append(append(b, "<requestId>"...), requestID...), "</requestId>"...)
		if v.IsValid() {
			info, err := c.types.of(v.Type())
			if err != nil {
				return nil, err
			}
			if b, err = c.types.appendMembers(b, v, info.shape); err != nil {
				return nil, err
			}
		}
		return closeTag(b, response), nil
	}
	if v.IsValid() && v.NumField() > 0 {
		if b, err = c.types.appendXML(b, op.Name+"Result", "", v); err != nil {
			return nil, err
		}
	}
	b = append(append(append(b, "<ResponseMetadata><RequestId>"...), requestID...), "</RequestId></ResponseMetadata>"...)
	return closeTag(b, response), nil
}
