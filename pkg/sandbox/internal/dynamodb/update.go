package dynamodb

import (
	"math/big"
	"slices"
	"strings"
)

// update is a parsed UpdateExpression.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
type update struct{ actions []action }

type action struct {
	clause string // SET, REMOVE, ADD or DELETE
	at     path
	value  term // SET
	by     Value
}

// term is the right side of SET: an operand, or two operands with an operator or function.
type term struct {
	kind        string // "", "+", "-", "if_not_exists" or "list_append"
	operand     operand
	left, right *term
}

func (x *expressions) update(text string) (*update, error) {
	p := x.parser("UpdateExpression", text)
	u := &update{}
	seen := map[string]bool{}
	for p.err == nil && p.at < len(p.tokens) {
		clause := strings.ToUpper(p.next())
		switch clause {
		case "SET", "REMOVE", "ADD", "DELETE":
		default:
			p.at--
			p.unexpected()
			continue
		}
		if seen[clause] {
			p.fail("The \"%s\" section can only be used once in an update expression;", clause)
		}
		seen[clause] = true
		u.actions = append(u.actions, p.action(clause))
		for p.accept(",") {
			u.actions = append(u.actions, p.action(clause))
		}
	}
	if err := p.end(); err != nil {
		return nil, err
	}
	for i, a := range u.actions {
		for _, b := range u.actions[i+1:] {
			if overlap(a.at, b.at) {
				return nil, overlapping("UpdateExpression", a.at, b.at)
			}
		}
	}
	return u, nil
}

func overlapping(field string, a, b path) error {
	return invalid("Invalid %s: Two document paths overlap with each other; must remove or rewrite one of these paths; "+
		"path one: %s, path two: %s", field, a, b)
}

// overlap reports whether one path is the other or is below it.
func overlap(a, b path) bool {
	n := min(len(a), len(b))
	return slices.Equal(a[:n], b[:n])
}

func (p *parser) action(clause string) action {
	a := action{clause: clause, at: p.path()}
	switch clause {
	case "SET":
		p.expect("=")
		a.value = p.sum()
	case "ADD", "DELETE":
		if !strings.HasPrefix(p.peek(), ":") {
			p.unexpected()
			return a
		}
		a.by = p.value()
		number := clause == "ADD" && a.by.Type == "N"
		if set := len(a.by.Type) == 2; !set && !number && p.err == nil {
			p.fail("Incorrect operand type for operator or function; operator: %s, operand type: %s", clause, a.by.Type)
		}
	}
	return a
}

func (p *parser) sum() term {
	left := p.term()
	if operator := p.peek(); operator == "+" || operator == "-" {
		p.at++
		right := p.term()
		return term{kind: operator, left: &left, right: &right}
	}
	return left
}

func (p *parser) term() term {
	name := p.peek()
	if p.at+1 >= len(p.tokens) || p.tokens[p.at+1].text != "(" {
		return term{operand: p.operand()}
	}
	if name != "if_not_exists" && name != "list_append" {
		p.fail("Invalid function name; function: %s", name)
		return term{}
	}
	p.at += 2
	left := p.term()
	p.expect(",")
	right := p.term()
	p.expect(")")
	if name == "if_not_exists" && left.operand.at == nil && p.err == nil {
		p.fail("Operator or function requires a document path; operator or function: if_not_exists")
	}
	return term{kind: name, left: &left, right: &right}
}

// eval computes a term from the old item.
func (t term) eval(i Item) (Value, error) {
	if t.kind == "" {
		v, ok := t.operand.get(i)
		if !ok {
			return v, invalid("The provided expression refers to an attribute that does not exist in the item")
		}
		return v, nil
	}
	if t.kind == "if_not_exists" {
		if v, ok := t.left.operand.get(i); ok {
			return v, nil
		}
		return t.right.eval(i)
	}
	left, err := t.left.eval(i)
	if err != nil {
		return left, err
	}
	right, err := t.right.eval(i)
	if err != nil {
		return right, err
	}
	if t.kind == "list_append" {
		if left.Type != "L" || right.Type != "L" {
			return left, wrongType()
		}
		return Value{Type: "L", list: slices.Concat(left.list, right.list)}, nil
	}
	if left.Type != "N" || right.Type != "N" {
		return left, wrongType()
	}
	sum := new(big.Rat).Add(left.number(), right.number())
	if t.kind == "-" {
		sum.Sub(left.number(), right.number())
	}
	return numeric(sum)
}

func numeric(r *big.Rat) (Value, error) {
	text, err := formatNumber(r)
	if err != nil {
		return Value{}, invalid("%s", err)
	}
	return Value{Type: "N", text: text}, nil
}

func wrongType() error {
	return invalid("An operand in the update expression has an incorrect data type")
}

// apply returns the item after the update. It does not change old.
func (u *update) apply(old Item) (Item, error) {
	next := old.clone()
	if next == nil {
		next = Item{}
	}
	var removals []path
	for _, a := range u.actions {
		switch a.clause {
		case "SET":
			v, err := a.value.eval(old)
			if err != nil {
				return nil, err
			}
			if err := next.put(a.at, v.clone()); err != nil {
				return nil, err
			}
		case "REMOVE":
			if old != nil && !old.hasParent(a.at) {
				return nil, invalidPath()
			}
			removals = append(removals, a.at)
		default:
			v, ok := old.get(a.at)
			changed, err := a.combine(v, ok)
			if err != nil {
				return nil, err
			}
			if changed.Type == "" {
				removals = append(removals, a.at)
			} else if err := next.put(a.at, changed); err != nil {
				return nil, err
			}
		}
	}
	// Later list indexes are removed first, so that the others stay valid.
	slices.SortFunc(removals, func(a, b path) int { return b[len(b)-1].index - a[len(a)-1].index })
	for _, at := range removals {
		next.remove(at)
	}
	return next, nil
}

// combine performs ADD and DELETE. A value without a type means that nothing is left.
func (a action) combine(v Value, ok bool) (Value, error) {
	switch {
	case !ok && a.clause == "ADD":
		return a.by, nil
	case !ok:
		return Value{}, nil
	case v.Type != a.by.Type:
		return v, wrongType()
	case v.Type == "N":
		return numeric(new(big.Rat).Add(v.number(), a.by.number()))
	}
	out := Value{Type: v.Type}
	for _, e := range v.set {
		if a.clause == "ADD" || !slices.Contains(a.by.set, e) {
			out.set = append(out.set, e)
		}
	}
	if a.clause == "ADD" {
		out.set = append(out.set, a.by.set...)
	}
	slices.Sort(out.set)
	out.set = slices.Compact(out.set)
	if len(out.set) == 0 {
		return Value{}, nil
	}
	return out, nil
}

// put sets the value at a path whose parent must exist.
func (i Item) put(at path, v Value) error {
	if len(at) == 1 {
		i[at[0].name] = v
		return nil
	}
	parent, ok := i.get(at[:len(at)-1])
	last := at[len(at)-1]
	switch {
	case ok && last.name != "" && parent.Type == "M":
		parent.m[last.name] = v
		return nil
	case ok && last.name == "" && parent.Type == "L":
		if last.index < len(parent.list) {
			parent.list[last.index] = v
			return nil
		}
		parent.list = append(parent.list, v)
		return i.put(at[:len(at)-1], parent)
	}
	return invalidPath()
}

func invalidPath() error {
	return invalid("The document path provided in the update expression is invalid for update")
}

// hasParent reports whether what is above the last element of a path exists and is a document of the right type. The last element
// may be missing. An update of an item that does not exist needs no parent (assumption DDB-05).
func (i Item) hasParent(at path) bool {
	if len(at) == 1 {
		return true
	}
	parent, ok := i.get(at[:len(at)-1])
	if at[len(at)-1].name != "" {
		return ok && parent.Type == "M"
	}
	return ok && parent.Type == "L"
}

func (i Item) remove(at path) {
	if len(at) == 1 {
		delete(i, at[0].name)
		return
	}
	parent, ok := i.get(at[:len(at)-1])
	last := at[len(at)-1]
	switch {
	case !ok:
	case last.name != "" && parent.Type == "M":
		delete(parent.m, last.name)
	case last.name == "" && parent.Type == "L" && last.index < len(parent.list):
		parent.list = slices.Delete(parent.list, last.index, last.index+1)
		// The parent existed, so this cannot fail.
		_ = i.put(at[:len(at)-1], parent)
	}
}
