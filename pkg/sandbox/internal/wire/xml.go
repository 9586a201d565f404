package wire

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

const xmlHeader = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

// element is one element of a parsed body.
type element struct {
	name     string
	attrs    []xml.Attr
	children []*element
	text     string
	raw      []byte
}

func parseXML(body []byte) (*element, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	var root *element
	var open []*element
	var starts []int64
	for {
		start := d.InputOffset()
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("the body is not XML: %w", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{name: token.Name.Local, attrs: token.Attr}
			switch {
			case len(open) > 0:
				parent := open[len(open)-1]
				parent.children = append(parent.children, e)
			case root != nil:
				return nil, errors.New("the body is not XML: it has two root elements")
			default:
				root = e
			}
			open, starts = append(open, e), append(starts, start)
		case xml.CharData:
			if len(open) > 0 {
				open[len(open)-1].text += string(token)
			}
		case xml.EndElement:
			last := len(open) - 1
			open[last].raw = body[starts[last]:d.InputOffset()]
			open, starts = open[:last], starts[:last]
		}
	}
	if root == nil {
		return nil, errors.New("the body has no XML element")
	}
	return root, nil
}

// bindXML decodes element e into v.
func (t *types) bindXML(e *element, v reflect.Value, path string) error {
	info, err := t.of(v.Type())
	if err != nil {
		return err
	}
	switch info.kind {
	case pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return t.bindXML(e, v.Elem(), path)
	case rawXML:
		v.SetBytes(e.raw)
		return nil
	case structure:
		return t.bindStructure(e, v, info.shape, path)
	}
	if len(e.children) > 0 {
		return fmt.Errorf("the sandbox does not know member %s", join(path, e.children[0].name))
	}
	s := e.text
	if v.Kind() != reflect.String {
		s = strings.TrimSpace(s)
	}
	if err := t.setText(v, s, xmlTime); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func (t *types) bindStructure(e *element, v reflect.Value, sh *shape, path string) error {
	if err := t.bindAttributes(e, v, sh, path); err != nil {
		return err
	}
	return t.bindChildren(e, v, sh.xml, path)
}

func (t *types) bindAttributes(e *element, v reflect.Value, sh *shape, path string) error {
	for _, m := range sh.body {
		if m.text {
			if err := t.setText(v.FieldByIndex(m.index), e.text, xmlTime); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
	}
attributes:
	for _, a := range e.attrs {
		if a.Name.Local == "xmlns" || a.Name.Space == "xmlns" {
			continue
		}
		for _, m := range sh.body {
			if m.attribute && m.path[0] == a.Name.Local {
				if err := t.setText(v.FieldByIndex(m.index), a.Value, xmlTime); err != nil {
					return fmt.Errorf("%s: %w", join(path, a.Name.Local), err)
				}
				continue attributes
			}
		}
		return fmt.Errorf("the sandbox does not know attribute %s", join(path, a.Name.Local))
	}
	return nil
}

func (t *types) bindChildren(e *element, v reflect.Value, b *branch, path string) error {
	seen := map[string]bool{}
	for _, child := range e.children {
		at := join(path, child.name)
		next := b.children[child.name]
		if next == nil {
			return fmt.Errorf("the sandbox does not know member %s", at)
		}
		if next.member == nil {
			if err := t.bindChildren(child, v, next, at); err != nil {
				return err
			}
			continue
		}
		f := v.FieldByIndex(next.member.index)
		info, err := t.of(f.Type())
		if err != nil {
			return err
		}
		if info.kind == list {
			item := reflect.New(f.Type().Elem()).Elem()
			if err := t.bindXML(child, item, fmt.Sprintf("%s[%d]", at, f.Len())); err != nil {
				return err
			}
			f.Set(reflect.Append(f, item))
			continue
		}
		if seen[child.name] {
			return fmt.Errorf("member %s occurs twice", at)
		}
		seen[child.name] = true
		if err := t.bindXML(child, f, at); err != nil {
			return err
		}
	}
	return nil
}

// appendXML encodes v as an element called name.
func (t *types) appendXML(b []byte, name, namespace string, v reflect.Value) ([]byte, error) {
	b = append(b, '<')
	b = append(b, name...)
	if namespace != "" {
		b = append(b, ` xmlns="`...)
		b = appendEscaped(b, namespace)
		b = append(b, '"')
	}
	info, err := t.of(v.Type())
	if err != nil {
		return nil, err
	}
	if info.kind == structure {
		for _, m := range info.shape.body {
			if !m.attribute {
				continue
			}
			s, there, err := t.text(v.FieldByIndex(m.index), xmlTime)
			if err != nil {
				return nil, fmt.Errorf("attribute %s: %w", m.path[0], err)
			}
			if there && (s != "" || !m.xmlOmit) {
				b = append(append(append(b, ' '), m.path[0]...), `="`...)
				b = append(appendEscaped(b, s), '"')
			}
		}
	}
	b = append(b, '>')
	if info.kind == structure {
		b, err = t.appendMembers(b, v, info.shape)
	} else {
		var s string
		s, _, err = t.text(v, xmlTime)
		b = appendEscaped(b, s)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return closeTag(b, name), nil
}

// appendMembers encodes the content of a structure: its members in the order of the struct. Neighbours with a common parent share
// one parent element.
func (t *types) appendMembers(b []byte, v reflect.Value, sh *shape) ([]byte, error) {
	var open []string
	for _, m := range sh.body {
		f := v.FieldByIndex(m.index)
		if m.attribute || len(m.path) == 0 || absent(f) || m.xmlOmit && empty(f) {
			continue
		}
		if m.text {
			s, _, err := t.text(f, xmlTime)
			if err != nil {
				return nil, err
			}
			b = appendEscaped(b, s)
			continue
		}
		parents := m.path[:len(m.path)-1]
		common := 0
		for common < len(open) && common < len(parents) && open[common] == parents[common] {
			common++
		}
		b = closeTags(b, open[common:])
		open = parents
		for _, p := range parents[common:] {
			b = append(append(append(b, '<'), p...), '>')
		}
		var err error
		if b, err = t.appendMember(b, m.path[len(m.path)-1], f); err != nil {
			return nil, err
		}
	}
	return closeTags(b, open), nil
}

func (t *types) appendMember(b []byte, name string, v reflect.Value) ([]byte, error) {
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	info, err := t.of(v.Type())
	if err != nil {
		return nil, err
	}
	switch info.kind {
	case rawXML:
		return append(b, v.Bytes()...), nil
	case list:
		for i := range v.Len() {
			if b, err = t.appendMember(b, name, v.Index(i)); err != nil {
				return nil, err
			}
		}
		return b, nil
	case dictionary:
		for _, key := range sortedKeys(v) {
			b = append(append(append(b, '<'), name...), "><key>"...)
			b = append(appendEscaped(b, key.String()), "</key>"...)
			if b, err = t.appendMember(b, "value", v.MapIndex(key)); err != nil {
				return nil, err
			}
			b = closeTag(b, name)
		}
		return b, nil
	}
	return t.appendXML(b, name, "", v)
}

func closeTags(b []byte, names []string) []byte {
	for i := len(names) - 1; i >= 0; i-- {
		b = closeTag(b, names[i])
	}
	return b
}

func closeTag(b []byte, name string) []byte {
	return append(append(append(b, "</"...), name...), '>')
}

func appendEscaped(b []byte, s string) []byte {
	if !strings.ContainsAny(s, "<>&\"'\r\n\t") {
		return append(b, s...)
	}
	w := bytes.NewBuffer(b)
	// A bytes.Buffer cannot fail.
	_ = xml.EscapeText(w, []byte(s))
	return w.Bytes()
}
