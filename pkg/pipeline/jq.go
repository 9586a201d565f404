package pipeline

import (
	"strings"

	"github.com/itchyny/gojq"
)

// jqEdits returns the parts of a document that a jq program changes or iterates over. A program that cannot be parsed has none.
func jqEdits(program string, at Position) []Edit {
	if len(program) > 1<<16 || depth([]byte(program)) > deepest {
		return nil
	}
	q, err := gojq.Parse(program)
	if err != nil {
		return nil
	}
	r := &jqReader{program: program, at: at}
	r.query(q, nil, 0)
	return r.edits
}

type jqReader struct {
	program string
	at      Position
	edits   []Edit
}

// query reads a query on the document at path, and returns the path that the query leads to, if it is one.
func (r *jqReader) query(q *gojq.Query, path []Step, deep int) []Step {
	if q == nil || deep > deepest {
		return nil
	}
	for _, f := range q.FuncDefs {
		r.query(f.Body, nil, deep+1)
	}
	if q.Term != nil {
		return r.term(q.Term, path, deep+1)
	}
	switch q.Op {
	case gojq.OpPipe:
		return r.query(q.Right, r.query(q.Left, path, deep+1), deep+1)
	case gojq.OpAssign:
		r.change(q, path, Assign, deep)
		return path
	case gojq.OpModify, gojq.OpUpdateAdd, gojq.OpUpdateSub, gojq.OpUpdateMul, gojq.OpUpdateDiv, gojq.OpUpdateMod, gojq.OpUpdateAlt:
		op := Change
		if q.Op == gojq.OpModify && !mentions(q.Right) {
			op = Assign
		}
		r.change(q, path, op, deep)
		return path
	}
	r.query(q.Left, path, deep+1)
	r.query(q.Right, path, deep+1)
	return nil
}

// mentions reports whether the new value depends on the old one.
func mentions(q *gojq.Query) bool { return q != nil && strings.Contains(q.String(), ".") }

func (r *jqReader) change(q *gojq.Query, path []Step, op EditOp, deep int) {
	target := r.query(q.Left, path, deep+1)
	right := path
	if op != Assign {
		right = target
	}
	r.query(q.Right, right, deep+1)
	if len(target) > 0 {
		r.add(target, op, q.Right.String())
	}
}

func (r *jqReader) add(path []Step, op EditOp, value string) {
	r.edits = append(r.edits, Edit{At: r.place(path), Path: path, Op: op, Value: value, Source: r.program})
}

// place returns where the longest part of a path stands that occurs in the program: the parser keeps no positions.
func (r *jqReader) place(path []Step) Position {
	at := r.at
	i := -1
	for k := range path {
		var t strings.Builder
		for _, s := range path[k:] {
			if s.Kind == Selected {
				break
			}
			t.WriteString(s.String())
		}
		if i = strings.Index(r.program, t.String()); i >= 0 && t.Len() > 1 {
			break
		}
	}
	if i > 0 && strings.Contains(r.program[:i], "\n") {
		before := r.program[:i]
		at.Line += strings.Count(before, "\n")
		at.Column = i - strings.LastIndex(before, "\n")
	}
	return at
}

func (r *jqReader) term(t *gojq.Term, path []Step, deep int) []Step {
	var now []Step
	switch t.Type {
	case gojq.TermTypeIdentity:
		now = path
	case gojq.TermTypeIndex:
		now = r.index(t.Index, path, deep)
	case gojq.TermTypeQuery:
		now = r.query(t.Query, path, deep+1)
	case gojq.TermTypeFunc:
		now = r.function(t.Func, path, deep)
	default:
		r.parts(t, path, deep)
	}
	for _, s := range t.SuffixList {
		switch {
		case s.Iter:
			now = extended(now, Step{Kind: Each})
		case s.Optional && len(now) > 0:
			now = extended(now[:len(now)-1], Step{now[len(now)-1].Name, now[len(now)-1].Kind, true})
		case s.Index != nil:
			now = r.index(s.Index, now, deep)
		}
	}
	if t.SuffixList != nil && len(now) > 0 {
		r.add(now, Access, "")
	}
	return now
}

// parts reads the queries inside a term that is no path.
func (r *jqReader) parts(t *gojq.Term, path []Step, deep int) {
	switch {
	case t.If != nil:
		r.query(t.If.Cond, path, deep+1)
		chosen := extended(path, Step{Kind: Selected, Name: t.If.Cond.String()})
		r.query(t.If.Then, chosen, deep+1)
		for _, e := range t.If.Elif {
			r.query(e.Cond, path, deep+1)
			r.query(e.Then, chosen, deep+1)
		}
		r.query(t.If.Else, chosen, deep+1)
	case t.Try != nil:
		r.query(t.Try.Body, path, deep+1)
	case t.Array != nil:
		r.query(t.Array.Query, path, deep+1)
	case t.Object != nil:
		for _, kv := range t.Object.KeyVals {
			r.query(kv.Val, path, deep+1)
		}
	case t.Reduce != nil:
		r.query(t.Reduce.Query, path, deep+1)
		r.query(t.Reduce.Update, path, deep+1)
	case t.Foreach != nil:
		r.query(t.Foreach.Query, path, deep+1)
		r.query(t.Foreach.Update, path, deep+1)
	case t.Unary != nil:
		r.term(t.Unary.Term, path, deep+1)
	}
}

// function reads a call. A select keeps the path, and says that a condition chose the entries.
func (r *jqReader) function(f *gojq.Func, path []Step, deep int) []Step {
	switch f.Name {
	case "select", "first", "last":
		if len(f.Args) == 1 && f.Name == "select" {
			r.query(f.Args[0], path, deep+1)
			return extended(path, Step{Kind: Selected, Name: f.Args[0].String()})
		}
	case "map", "map_values":
		if len(f.Args) == 1 {
			r.query(f.Args[0], extended(path, Step{Kind: Each}), deep+1)
			return path
		}
	case "del", "delpaths":
		for _, a := range f.Args {
			for _, target := range r.targets(a, path, deep+1) {
				r.add(target, Delete, "")
			}
		}
		return path
	case "walk", "with_entries", "setpath", "empty", "to_entries", "not":
		for _, a := range f.Args {
			r.query(a, nil, deep+1)
		}
		return path
	}
	for _, a := range f.Args {
		r.query(a, path, deep+1)
	}
	return nil
}

// targets returns the paths that a list of paths names.
func (r *jqReader) targets(q *gojq.Query, path []Step, deep int) [][]Step {
	if q.Op == gojq.OpComma {
		return append(r.targets(q.Left, path, deep+1), r.targets(q.Right, path, deep+1)...)
	}
	if target := r.query(q, path, deep); len(target) > 0 {
		return [][]Step{target}
	}
	return nil
}

func (r *jqReader) index(i *gojq.Index, path []Step, deep int) []Step {
	switch {
	case i.Name != "":
		return extended(path, Step{Name: i.Name})
	case i.Str != nil:
		return extended(path, Step{Name: strings.Trim(i.Str.String(), `"`)})
	case i.IsSlice:
		return extended(path, Step{Kind: Indexed, Name: ":"})
	}
	t := i.Start.String()
	if strings.Trim(t, "-0123456789") == "" {
		return extended(path, Step{Kind: Indexed, Name: t})
	}
	r.query(i.Start, path, deep+1)
	if strings.HasPrefix(t, "$") || strings.Contains(t, "index") || strings.Contains(t, "|") {
		return extended(path, Step{Kind: Selected, Name: t}) // an index that a condition found
	}
	return extended(path, Step{Name: strings.Trim(t, `"`)})
}

func extended(path []Step, s Step) []Step { return append(path[:len(path):len(path)], s) }
