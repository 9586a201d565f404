package pipeline

import (
	"path"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// piece is a part of an expanded word.
type piece struct {
	Value
	split bool    // unquoted: white space in it separates words
	list  []Value // an array or the positional parameters, each a word of its own
	many  bool    // list counts, even if it is empty
}

// word returns a word as one value, without splitting it.
func (s *shell) word(w *syntax.Word) Value {
	if w == nil {
		return Value{}
	}
	return concatenated(s.pieces(w.Parts, false))
}

func concatenated(pieces []piece) Value {
	if len(pieces) == 1 && !pieces[0].many {
		return pieces[0].Value
	}
	var out Value
	for _, p := range pieces {
		v := p.Value
		for i, item := range p.list {
			if i > 0 {
				v.Text, v.Shown = v.Text+" ", v.Shown+" "
			}
			v = Value{Text: v.Text + item.Text, Shown: v.Shown + item.Shown, Doc: merged(v.Doc, item.Doc)}
		}
		out = Value{Text: out.Text + v.Text, Shown: out.Shown + v.Shown, Doc: merged(out.Doc, v.Doc)}
	}
	return out
}

// fields returns the words that a word expands to.
func (s *shell) fields(w *syntax.Word) []Value {
	if w == nil {
		return nil
	}
	var done []Value
	var now []piece
	open := false // a word has begun
	end := func() {
		if open {
			done = append(done, concatenated(now))
		}
		now, open = nil, false
	}
	for _, p := range s.pieces(w.Parts, false) {
		if !p.many && (!p.split || !p.Known()) {
			now, open = append(now, p), true
			continue
		}
		for i, field := range p.separate() {
			if i > 0 {
				end()
			}
			if field.Text != "" || p.many {
				now, open = append(now, piece{Value: field}), true
			}
		}
	}
	end()
	return done
}

// separate returns the words of a piece: the elements of an array, or what white space separates.
func (p piece) separate() []Value {
	if p.many {
		return p.list
	}
	var words []Value
	for field := range strings.SplitSeq(p.Text, " ") {
		words = append(words, Value{Text: field, Shown: field, Doc: p.Doc})
	}
	return words
}

func (s *shell) pieces(parts []syntax.WordPart, quoted bool) (pieces []piece) {
	for _, part := range parts {
		switch p := part.(type) {
		case *syntax.Lit:
			pieces = append(pieces, piece{Value: text(unescaped(p.Value, quoted))})
		case *syntax.SglQuoted:
			pieces = append(pieces, piece{Value: text(p.Value)})
		case *syntax.DblQuoted:
			inner := s.pieces(p.Parts, true)
			if len(inner) == 0 {
				inner = []piece{{}}
			}
			pieces = append(pieces, inner...)
		case *syntax.ParamExp:
			pieces = append(pieces, s.parameter(p, quoted))
		case *syntax.CmdSubst:
			v := s.branch().stmts(p.Stmts, Value{})
			v.Text, v.Shown = strings.TrimRight(v.Text, "\n"), strings.TrimRight(v.Shown, "\n")
			if v.Text == "" {
				v.Text, v.Shown = unknown, "$(…)"
			}
			v.Text = strings.ReplaceAll(v.Text, "\n", " ")
			pieces = append(pieces, piece{Value: v, split: !quoted})
		case *syntax.ProcSubst:
			pieces = append(pieces, s.process(p))
		default:
			s.substitutions(p)
			pieces = append(pieces, piece{Value: Value{Text: unknown, Shown: "…"}})
		}
	}
	return pieces
}

// process returns the name of a file that stands for what commands print.
func (s *shell) process(p *syntax.ProcSubst) piece {
	v := s.branch().stmts(p.Stmts, Value{})
	s.run.calls++
	name := "/dev/fd/" + strconv.Itoa(s.run.calls)
	s.files[name] = v
	return piece{Value: text(name)}
}

// unescaped returns what a literal part of a word means.
func unescaped(lit string, quoted bool) string {
	if !strings.Contains(lit, `\`) {
		return lit
	}
	var b strings.Builder
	for i := 0; i < len(lit); i++ {
		if lit[i] != '\\' || i+1 == len(lit) {
			b.WriteByte(lit[i])
			continue
		}
		i++
		switch next := lit[i]; {
		case next == '\n': // continues the line
		case quoted && !strings.ContainsRune("$`\"\\", rune(next)):
			b.WriteString(lit[i-1 : i+1])
		default:
			b.WriteByte(next)
		}
	}
	return b.String()
}

// parameter returns what $name and its forms expand to.
func (s *shell) parameter(p *syntax.ParamExp, quoted bool) piece {
	if p.Param == nil {
		return piece{Value: Value{Text: unknown, Shown: "$…"}}
	}
	name := p.Param.Value
	if list, ok := s.array(name, p); ok {
		return piece{list: list, many: true}
	}
	v, set := s.variable(name, p)
	if v.Shown == "" && !v.Known() {
		v.Shown = "$" + name
	}
	switch {
	case p.Length || p.Excl || p.Slice != nil || p.Names != 0:
		v.Text = unknown
	case p.Repl != nil:
		v = s.replaced(v, p.Repl)
	case p.Exp != nil:
		v = s.expansion(v, set, p.Exp)
	}
	return piece{Value: v, split: !quoted}
}

// array returns the elements of ${name[@]}, $@ and $*.
func (s *shell) array(name string, p *syntax.ParamExp) ([]Value, bool) {
	if name == "*" {
		name = "@"
	}
	all := name == "@"
	if w, ok := p.Index.(*syntax.Word); ok && (w.Lit() == "@" || w.Lit() == "*") {
		all = true
	}
	if !all || p.Length {
		return nil, false
	}
	list, ok := s.lists[name]
	if !ok {
		return []Value{{Text: unknown, Shown: "$" + name}}, true
	}
	if p.Slice != nil { // ${@:2}
		if w, ok := p.Slice.Offset.(*syntax.Word); ok {
			if n, err := strconv.Atoi(w.Lit()); err == nil && name == "@" && n >= 1 {
				return list[min(n-1, len(list)):], true
			}
		}
	}
	return list, true
}

func (s *shell) variable(name string, p *syntax.ParamExp) (v Value, set bool) {
	if n, err := strconv.Atoi(name); err == nil && n > 0 {
		if list := s.lists["@"]; n <= len(list) {
			return list[n-1], true
		}
		return Value{Text: unknown, Shown: "$" + name}, false
	}
	if p.Index != nil {
		if w, ok := p.Index.(*syntax.Word); ok {
			if n, err := strconv.Atoi(w.Lit()); err == nil && n >= 0 && n < len(s.lists[name]) {
				return s.lists[name][n], true
			}
		}
		var doc *Document
		for _, item := range s.lists[name] {
			doc = merged(doc, item.Doc)
		}
		return Value{Text: unknown, Shown: "${" + name + "[…]}", Doc: doc}, false
	}
	if v, ok := s.vars[name]; ok {
		return v, true
	}
	if list := s.lists[name]; len(list) > 0 {
		return list[0], true
	}
	return Value{Text: unknown, Shown: "$" + name}, false
}

func (s *shell) replaced(v Value, r *syntax.Replace) Value {
	old, with := s.word(r.Orig), s.word(r.With)
	if !v.Known() || !old.Known() || !with.Known() || strings.ContainsAny(old.Text, "*?[#%") || old.Text == "" {
		return Value{Text: unknown, Shown: v.Shown, Doc: merged(v.Doc, with.Doc)}
	}
	n := 1
	if r.All {
		n = -1
	}
	t := strings.Replace(v.Text, old.Text, with.Text, n)
	return Value{Text: t, Shown: t, Doc: v.Doc}
}

func (s *shell) expansion(v Value, set bool, e *syntax.Expansion) Value {
	switch e.Op {
	case syntax.DefaultUnset, syntax.DefaultUnsetOrNull, syntax.AssignUnset, syntax.AssignUnsetOrNull:
		if alternative := s.word(e.Word); !set || v.Text == "" {
			return alternative
		}
	case syntax.AlternateUnset, syntax.AlternateUnsetOrNull:
		return s.word(e.Word)
	case syntax.ErrorUnset, syntax.ErrorUnsetOrNull:
	default: // removes a part, or changes case
		s.word(e.Word)
		return Value{Text: unknown, Shown: v.Shown, Doc: v.Doc}
	}
	return v
}

func (s *shell) assign(a *syntax.Assign) {
	if a.Name == nil {
		return
	}
	name := a.Name.Value
	if a.Array != nil {
		var list []Value
		if a.Append {
			list = append(list, s.lists[name]...)
		}
		for _, e := range a.Array.Elems {
			list = append(list, s.fields(e.Value)...)
		}
		s.lists[name] = list
		return
	}
	if a.Naked {
		return
	}
	v := s.word(a.Value)
	if a.Append {
		v = concatenated([]piece{{Value: s.vars[name]}, {Value: v}})
	}
	if a.Index != nil {
		s.lists[name] = append(s.lists[name], v)
		return
	}
	s.vars[name] = v
}

// filename returns the name under which a file is known.
func filename(v Value) string { return path.Clean(v.Shown) }

// file returns what is known of the content of a file.
func (s *shell) file(name Value) Value {
	key := filename(name)
	if v, ok := s.files[key]; ok {
		return v
	}
	if name.Text == "-" || strings.HasPrefix(key, "/dev/") {
		return Value{}
	}
	kept := name.Shown
	if name.Doc != nil { // a name that was computed, such as that of mktemp
		return Value{Text: unknown, Shown: "…", Doc: &Document{Opaque: true}}
	}
	return Value{Text: unknown, Shown: "…", Doc: &Document{Kept: []string{kept}}}
}

// write puts a value into a file.
func (s *shell) write(name, v Value, add bool) {
	key := filename(name)
	if key == "$GITHUB_ENV" || key == "$GITHUB_OUTPUT" {
		s.export(key, v)
		return
	}
	if v.Text == "" {
		v.Text, v.Shown = unknown, "…"
	}
	if add {
		v = joined(s.files[key], v)
	}
	s.files[key] = v
}

// export takes what a step writes for the steps after it.
func (s *shell) export(key string, v Value) {
	for line := range strings.SplitSeq(v.Text, "\n") {
		if name, value, ok := strings.Cut(line, "="); ok {
			name = strings.TrimSpace(name)
			s.env[key+" "+name] = Value{Text: value, Shown: strings.ReplaceAll(value, unknown, "$"+name), Doc: v.Doc}
		}
	}
}
