package dynamodb

import (
	"strings"
)

// condition is a parsed condition, filter or key condition.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
type condition interface{ holds(Item) bool }

type (
	both     struct{ left, right condition }
	either   struct{ left, right condition }
	negation struct{ of condition }
	// comparison is an operator between two operands.
	comparison struct {
		operator    string
		left, right operand
	}
	between struct{ of, low, high operand }
	oneOf   struct {
		of   operand
		list []operand
	}
	// function is a predicate: attribute_exists, attribute_not_exists, attribute_type, begins_with, contains.
	function struct {
		name      string
		arguments []operand
	}
)

// operand is a path, a value, or the size of a path.
type operand struct {
	at    path
	value Value
	size  bool
}

func (o operand) get(i Item) (Value, bool) {
	if o.at == nil {
		return o.value, true
	}
	v, ok := i.get(o.at)
	if ok && o.size {
		n, sized := v.length()
		return Number(n), sized
	}
	return v, ok
}

// condition parses an expression to its end.
func (x *expressions) condition(field, text string) (condition, error) {
	p := x.parser(field, text)
	c := p.or()
	return c, p.end()
}

func (p *parser) or() condition {
	c := p.and()
	for p.accept("OR") {
		c = either{c, p.and()}
	}
	return c
}

func (p *parser) and() condition {
	c := p.not()
	for p.accept("AND") {
		c = both{c, p.not()}
	}
	return c
}

func (p *parser) not() condition {
	if p.accept("NOT") {
		return negation{p.not()}
	}
	return p.primary()
}

func (p *parser) primary() condition {
	if p.err != nil {
		return negation{}
	}
	if p.accept("(") {
		c := p.or()
		p.expect(")")
		return c
	}
	if p.at+1 < len(p.tokens) && p.tokens[p.at+1].text == "(" && p.peek() != "size" {
		return p.function()
	}
	left := p.operand()
	switch operator := p.peek(); {
	case operator == "=" || operator == "<>" || operator == "<" || operator == "<=" || operator == ">" || operator == ">=":
		p.at++
		right := p.operand()
		if operator != "=" && operator != "<>" {
			p.ordered(operator, left, right)
		}
		return comparison{operator, left, right}
	case p.accept("BETWEEN"):
		low := p.operand()
		p.expect("AND")
		high := p.operand()
		p.ordered("BETWEEN", left, low, high)
		return between{left, low, high}
	case p.accept("IN"):
		p.expect("(")
		list := []operand{p.operand()}
		for p.accept(",") {
			list = append(list, p.operand())
		}
		p.expect(")")
		return oneOf{left, list}
	}
	p.unexpected()
	return negation{}
}

// ordered checks that the given values can be ordered.
func (p *parser) ordered(operator string, operands ...operand) {
	for _, o := range operands {
		if o.at != nil {
			continue
		}
		if _, ok := o.value.compare(o.value); !ok && p.err == nil {
			p.fail("Incorrect operand type for operator or function; operator: %s, operand type: %s", operator, o.value.Type)
		}
	}
}

func (p *parser) operand() operand {
	switch t := p.peek(); {
	case strings.HasPrefix(t, ":"):
		return operand{value: p.value()}
	case t == "size" && p.at+1 < len(p.tokens) && p.tokens[p.at+1].text == "(":
		p.at += 2
		o := operand{at: p.path(), size: true}
		p.expect(")")
		return o
	}
	return operand{at: p.path()}
}

func (p *parser) function() condition {
	f := function{name: p.next()}
	want := 2
	switch f.name {
	case "attribute_exists", "attribute_not_exists":
		want = 1
	case "attribute_type", "begins_with", "contains":
	default:
		p.fail("Invalid function name; function: %s", f.name)
		return f
	}
	p.expect("(")
	f.arguments = append(f.arguments, p.operand())
	for p.accept(",") {
		f.arguments = append(f.arguments, p.operand())
	}
	p.expect(")")
	if p.err != nil {
		return f
	}
	if len(f.arguments) != want {
		p.fail("Incorrect number of operands for operator or function; operator or function: %s, number of operands: %d",
			f.name, len(f.arguments))
		return f
	}
	if f.arguments[0].at == nil || f.arguments[0].size {
		p.fail("Operator or function requires a document path; operator or function: %s", f.name)
	}
	if second := f.arguments[want-1]; want == 2 && second.at == nil {
		t := second.value.Type
		if f.name == "begins_with" && t != "S" && t != "B" || f.name == "attribute_type" && t != "S" {
			p.fail("Incorrect operand type for operator or function; operator or function: %s, operand type: %s", f.name, t)
		}
	}
	return f
}

func (c both) holds(i Item) bool     { return c.left.holds(i) && c.right.holds(i) }
func (c either) holds(i Item) bool   { return c.left.holds(i) || c.right.holds(i) }
func (c negation) holds(i Item) bool { return !c.of.holds(i) }

// holds reports whether the comparison holds. A comparison with a missing attribute is false, except with <>.
func (c comparison) holds(i Item) bool {
	left, okLeft := c.left.get(i)
	right, okRight := c.right.get(i)
	if !okLeft || !okRight {
		return c.operator == "<>"
	}
	switch c.operator {
	case "=":
		return left.equal(right)
	case "<>":
		return !left.equal(right)
	}
	order, ok := left.compare(right)
	if !ok {
		return false
	}
	switch c.operator {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

func (c between) holds(i Item) bool {
	return comparison{">=", c.of, c.low}.holds(i) && comparison{"<=", c.of, c.high}.holds(i)
}

func (c oneOf) holds(i Item) bool {
	for _, o := range c.list {
		if (comparison{"=", c.of, o}).holds(i) {
			return true
		}
	}
	return false
}

func (f function) holds(i Item) bool {
	v, ok := f.arguments[0].get(i)
	switch f.name {
	case "attribute_exists":
		return ok
	case "attribute_not_exists":
		return !ok
	}
	second, known := f.arguments[1].get(i)
	if !ok || !known {
		return false
	}
	switch f.name {
	case "attribute_type":
		return v.Type == second.text
	case "begins_with":
		return (v.Type == "S" || v.Type == "B") && v.Type == second.Type && strings.HasPrefix(v.text, second.text)
	}
	return v.contains(second)
}

func (v Value) contains(o Value) bool {
	switch v.Type {
	case "S", "B":
		return v.Type == o.Type && strings.Contains(v.text, o.text)
	case "SS", "NS", "BS":
		if v.Type != o.Type+"S" {
			return false
		}
		for _, e := range v.set {
			if e == o.text {
				return true
			}
		}
	case "L":
		for _, e := range v.list {
			if e.equal(o) {
				return true
			}
		}
	}
	return false
}
