package cfn

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// parseJSON reads a template into maps, slices, strings, json.Number, bool and nil. Errors have line and column. A duplicate key
// is an error, because the first value would be lost.
func parseJSON(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	p := &parser{text: text, d: d}
	v, err := p.value()
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, p.errorf("more follows after the end of the template")
	}
	return v, nil
}

type parser struct {
	text []byte
	d    *json.Decoder
}

func (p *parser) token() (json.Token, error) {
	t, err := p.d.Token()
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return t, nil
	case errors.As(err, &syntax):
		return nil, p.at(syntax.Offset, syntax.Error())
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, p.at(int64(len(p.text)), "the template ends too early")
	}
	return nil, p.at(p.d.InputOffset(), err.Error())
}

func (p *parser) value() (any, error) {
	t, err := p.token()
	if err != nil {
		return nil, err
	}
	switch t {
	case json.Delim('{'):
		m := map[string]any{}
		for p.d.More() {
			key, err := p.token()
			if err != nil {
				return nil, err
			}
			name := key.(string) // the decoder allows only strings as keys
			if _, twice := m[name]; twice {
				return nil, p.errorf("the key %q is there twice", name)
			}
			if m[name], err = p.value(); err != nil {
				return nil, err
			}
		}
		_, err = p.token()
		return m, err
	case json.Delim('['):
		list := []any{}
		for p.d.More() {
			v, err := p.value()
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = p.token()
		return list, err
	}
	return t, nil
}

func (p *parser) errorf(format string, args ...any) error {
	return p.at(p.d.InputOffset(), fmt.Sprintf(format, args...))
}

func (p *parser) at(offset int64, message string) error {
	before := p.text[:min(int(offset), len(p.text))]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := len(before) - bytes.LastIndexByte(before, '\n') - 1
	return fmt.Errorf("line %d, column %d: %s", line, max(column, 1), message)
}
