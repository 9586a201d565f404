package cloudfront

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Element is one element of a stored XML document, with the exact bytes in which it was written.
type Element struct {
	Name     string
	Text     string // character data of an element without children, entities resolved
	Children []*Element
	Raw      []byte // from its start tag to its end tag

	start int // of Raw in the document
}

// parseElement reads a document of one element. It rejects names with prefixes, so that Raw of a child can be part of another
// document.
func parseElement(document []byte) (*Element, error) {
	document = bytes.Clone(document)
	d := xml.NewDecoder(bytes.NewReader(document))
	for {
		start := d.InputOffset()
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil, errors.New("empty document")
		}
		if err != nil {
			return nil, fmt.Errorf("read XML: %w", err)
		}
		if s, ok := t.(xml.StartElement); ok {
			return readElement(d, document, s, start)
		}
	}
}

func readElement(d *xml.Decoder, document []byte, s xml.StartElement, start int64) (*Element, error) {
	for _, a := range s.Attr {
		if a.Name.Space == "xmlns" {
			return nil, fmt.Errorf("element %s declares the prefix %s; write names without a prefix", s.Name.Local, a.Name.Local)
		}
	}
	e := &Element{Name: s.Name.Local}
	var text strings.Builder
	for {
		at := d.InputOffset()
		t, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("read element %s: %w", e.Name, err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			child, err := readElement(d, document, t, at)
			if err != nil {
				return nil, err
			}
			e.Children = append(e.Children, child)
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			e.Raw, e.start = document[start:d.InputOffset()], int(start)
			if len(e.Children) == 0 {
				e.Text = text.String()
			} else if strings.TrimSpace(text.String()) != "" {
				return nil, fmt.Errorf("element %s mixes text and elements", e.Name)
			}
			return e, nil
		}
	}
}

// At returns the descendant at the path of names, or nil if one is missing. It may be called on nil.
func (e *Element) At(path ...string) *Element {
	for _, name := range path {
		if e == nil {
			return nil
		}
		var next *Element
		for _, c := range e.Children {
			if c.Name == name {
				next = c
				break
			}
		}
		e = next
	}
	return e
}

// Value returns the text at path, or "" if the element is missing.
func (e *Element) Value(path ...string) string {
	if e = e.At(path...); e == nil {
		return ""
	}
	return e.Text
}

// Items returns the elements of the list at path (its Items child).
func (e *Element) Items(path ...string) []*Element {
	if e = e.At(path...).At("Items"); e == nil {
		return nil
	}
	return e.Children
}

// Values returns the texts of the list at path.
func (e *Element) Values(path ...string) []string {
	var values []string
	for _, item := range e.Items(path...) {
		values = append(values, item.Text)
	}
	return values
}

// withText returns the document with another text in one direct child of the root. Every other byte stays.
func (e *Element) withText(child, text string) []byte {
	var b bytes.Buffer
	writeText(&b, child, text)
	return e.withElement(child, b.Bytes())
}

// withElement returns the document with another element in place of one direct child of the root. Every other byte stays.
func (e *Element) withElement(child string, element []byte) []byte {
	old := e.At(child).Raw
	at := e.At(child).start - e.start
	return slices.Concat(e.Raw[:at], element, e.Raw[at+len(old):])
}

// with returns the document with more elements at the end of the root, each given as it is written. Every other byte stays. The root
// must have children.
func (e *Element) with(more ...string) []byte {
	if len(more) == 0 {
		return e.Raw
	}
	end := bytes.LastIndex(e.Raw, []byte("</"))
	return slices.Concat(e.Raw[:end], []byte(strings.Join(more, "")), e.Raw[end:])
}

// end returns where the end tag begins in Raw, or -1 for an element without one, such as <Items/>.
func (e *Element) end() int {
	if bytes.HasSuffix(e.Raw, []byte("/>")) {
		return -1
	}
	return bytes.LastIndex(e.Raw, []byte("</"))
}

func writeText(b *bytes.Buffer, name, text string) {
	b.WriteString("<" + name + ">")
	_ = xml.EscapeText(b, []byte(text)) // a bytes.Buffer never fails
	b.WriteString("</" + name + ">")
}
