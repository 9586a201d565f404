package dynamodb

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// expressions has the expressions of one request with their placeholders. Every placeholder must be used.
type expressions struct {
	names  map[string]string
	values Item

	usedNames, usedValues map[string]bool
}

var (
	nameForm  = regexp.MustCompile(`^#[A-Za-z0-9_]+$`)
	valueForm = regexp.MustCompile(`^:[A-Za-z0-9_]+$`)
)

// newExpressions checks the form of the placeholders. any reports whether the request has an expression.
func newExpressions(names map[string]string, values Item, any bool) (*expressions, error) {
	if names != nil && !any {
		return nil, invalid("ExpressionAttributeNames can only be specified when using expressions")
	}
	if values != nil && !any {
		return nil, invalid("ExpressionAttributeValues can only be specified when using expressions")
	}
	if names != nil && len(names) == 0 {
		return nil, invalid("ExpressionAttributeNames must not be empty")
	}
	if values != nil && len(values) == 0 {
		return nil, invalid("ExpressionAttributeValues must not be empty")
	}
	for _, k := range slices.Sorted(maps.Keys(names)) {
		if !nameForm.MatchString(k) {
			return nil, invalid("ExpressionAttributeNames contains invalid key: Syntax error; key: \"%s\"", k)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(values)) {
		if !valueForm.MatchString(k) {
			return nil, invalid("ExpressionAttributeValues contains invalid key: Syntax error; key: \"%s\"", k)
		}
	}
	return &expressions{names: names, values: values, usedNames: map[string]bool{}, usedValues: map[string]bool{}}, nil
}

// done returns an error if there are placeholders that no expression used.
func (x *expressions) done() error {
	var unused []string
	for _, k := range slices.Sorted(maps.Keys(x.names)) {
		if !x.usedNames[k] {
			unused = append(unused, k)
		}
	}
	if len(unused) > 0 {
		return invalid("Value provided in ExpressionAttributeNames unused in expressions: keys: {%s}", strings.Join(unused, ", "))
	}
	for _, k := range slices.Sorted(maps.Keys(x.values)) {
		if !x.usedValues[k] {
			unused = append(unused, k)
		}
	}
	if len(unused) > 0 {
		return invalid("Value provided in ExpressionAttributeValues unused in expressions: keys: {%s}", strings.Join(unused, ", "))
	}
	return nil
}

// parser reads one expression. err is its first error.
type parser struct {
	x      *expressions
	field  string // "ConditionExpression"
	text   string
	tokens []token
	at     int
	err    error
}

type token struct {
	text  string
	start int
}

var tokenForm = regexp.MustCompile(`^(<>|<=|>=|[=<>(),.\[\]+-]|[#:]?[A-Za-z0-9_]+)`)

func (x *expressions) parser(field, text string) *parser {
	p := &parser{x: x, field: field, text: text}
	if strings.TrimSpace(text) == "" {
		p.fail("The expression can not be empty;")
		return p
	}
	for i := 0; i < len(text); {
		if strings.ContainsRune(" \t\r\n", rune(text[i])) {
			i++
			continue
		}
		t := tokenForm.FindString(text[i:])
		if t == "" {
			p.fail("Syntax error; token: \"%c\", near: \"%s\"", text[i], near(text, i))
			return p
		}
		p.tokens = append(p.tokens, token{t, i})
		i += len(t)
	}
	return p
}

// near returns the text that AWS quotes around a syntax error.
func near(text string, at int) string {
	from := max(0, at-5)
	return strings.TrimSpace(text[from:min(len(text), at+6)])
}

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = invalid("Invalid %s: %s", p.field, fmt.Sprintf(format, args...))
	}
}

func (p *parser) unexpected() {
	t := p.peek()
	if t == "" {
		p.fail("Syntax error; token: \"<EOF>\", near: \"%s\"", near(p.text, len(p.text)))
		return
	}
	p.fail("Syntax error; token: \"%s\", near: \"%s\"", t, near(p.text, p.tokens[p.at].start))
}

func (p *parser) peek() string {
	if p.err != nil || p.at >= len(p.tokens) {
		return ""
	}
	return p.tokens[p.at].text
}

func (p *parser) next() string {
	t := p.peek()
	p.at++
	return t
}

func (p *parser) accept(t string) bool {
	if !strings.EqualFold(p.peek(), t) || p.peek() == "" {
		return false
	}
	p.at++
	return true
}

func (p *parser) expect(t string) {
	if !p.accept(t) {
		p.unexpected()
	}
}

// end checks that nothing is left, and returns the first error.
func (p *parser) end() error {
	if p.err == nil && p.at < len(p.tokens) {
		p.unexpected()
	}
	return p.err
}

// path is a document path: an attribute, then map keys and list indexes.
type path []step

type step struct {
	name  string
	index int // of a list, when name is empty
}

func (p path) String() string {
	var parts []string
	for _, s := range p {
		if s.name == "" {
			parts = append(parts, fmt.Sprintf("[%d]", s.index))
		} else {
			parts = append(parts, s.name)
		}
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func (p *parser) path() path {
	out := path{{name: p.attribute()}}
	for {
		switch {
		case p.accept("."):
			out = append(out, step{name: p.attribute()})
		case p.accept("["):
			n := 0
			if _, err := fmt.Sscanf(p.peek(), "%d", &n); err != nil {
				p.unexpected()
			}
			p.at++
			p.expect("]")
			out = append(out, step{index: n})
		default:
			return out
		}
		if p.err != nil {
			return out
		}
	}
}

// attribute reads a name or its placeholder.
func (p *parser) attribute() string {
	t := p.peek()
	switch {
	case strings.HasPrefix(t, "#"):
		name, ok := p.x.names[t]
		if !ok {
			p.fail("An expression attribute name used in the document path is not defined; attribute name: %s", t)
		}
		p.x.usedNames[t] = true
		p.at++
		return name
	case t == "" || !identifier.MatchString(t):
		p.unexpected()
		return ""
	case isReserved(t):
		p.fail("Attribute name is a reserved keyword; reserved keyword: %s", t)
	}
	p.at++
	return t
}

var identifier = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

// value reads a value placeholder.
func (p *parser) value() Value {
	t := p.next()
	v, ok := p.x.values[t]
	if !ok {
		p.fail("An expression attribute value used in expression is not defined; attribute value: %s", t)
	}
	p.x.usedValues[t] = true
	return v
}

func (i Item) get(at path) (Value, bool) {
	v, ok := i[at[0].name]
	for _, s := range at[1:] {
		if !ok {
			break
		}
		if s.name != "" {
			v, ok = v.m[s.name]
		} else if ok = s.index < len(v.list); ok {
			v = v.list[s.index]
		}
	}
	return v, ok
}
