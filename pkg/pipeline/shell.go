package pipeline

import (
	"errors"
	"path"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Bounds of the evaluation of one job.
const (
	mostCalls      = 20_000 // commands
	deepestCall    = 12     // nested functions, scripts and evaluated texts
	mostIterations = 8      // of a loop over known words
)

// shell follows a shell script without running it: what its variables and files hold, and which calls it makes.
type shell struct {
	run   *run
	job   *Job
	vars  map[string]Value
	lists map[string][]Value // arrays, and "@" for the positional parameters
	files map[string]Value   // what the script wrote, by path
	funcs map[string]function
	env   map[string]Value // what echo wrote to $GITHUB_ENV and $GITHUB_OUTPUT

	at     *script
	depth  int
	sure   Confidence
	looped int
	every  *Act
	dir    string // where the script is; unknown if a change of directory could not be resolved
}

type function struct {
	body *syntax.Stmt
	at   *script
	used *bool
}

func newShell(r *run, job *Job) *shell {
	return &shell{
		run: r, job: job, vars: map[string]Value{}, lists: map[string][]Value{}, files: map[string]Value{}, funcs: map[string]function{},
		env: map[string]Value{}, sure: Certain,
	}
}

// branch returns a copy that shares the job and what is defined, for a branch or a subshell.
func (s *shell) branch() *shell {
	b := *s
	b.vars, b.lists, b.files = clone(s.vars), clone(s.lists), clone(s.files)
	return &b
}

func clone[K comparable, V any](m map[K]V) map[K]V {
	c := make(map[K]V, len(m))
	for k, v := range m {
		c[k] = v
	}
	return c
}

// join makes s what it is after one of several branches.
func (s *shell) join(branches ...*shell) {
	vars, files := map[string]Value{}, map[string]Value{}
	for _, b := range branches {
		union(vars, b.vars)
		union(files, b.files)
		for k, v := range b.lists {
			s.lists[k] = v
		}
	}
	s.vars, s.files = vars, files
}

func union(into, from map[string]Value) {
	for k, v := range from {
		old, ok := into[k]
		switch {
		case !ok || old.Text == v.Text && old.Doc == v.Doc:
			into[k] = v
		case old.Text == v.Text:
			old.Doc = merged(old.Doc, v.Doc)
			into[k] = old
		default:
			into[k] = Value{Text: unknown, Shown: "$" + k, Doc: merged(old.Doc, v.Doc)}
		}
	}
}

// source evaluates a script and then each function that nothing in it called, since another file may source this one and call them.
func (s *shell) source(at *script) {
	s.script(at)
	for name, f := range s.funcs {
		if !*f.used && f.at == at {
			*f.used = true
			b := s.branch()
			b.sure = min(b.sure, Likely)
			b.call(f, name, nil, Value{})
		}
	}
}

// script evaluates a text, as far as it is a script.
func (s *shell) script(at *script) Value {
	if s.depth >= deepestCall {
		return Value{}
	}
	t := at.text.String()
	if depth([]byte(t)) > deepest {
		s.run.note(at.at(0), "brackets of the script are nested more than 200 deep; the audit does not read it")
		return Value{}
	}
	outer := s.at
	s.at = at
	s.depth++
	defer func() { s.at, s.depth = outer, s.depth-1 }()
	stmts, err := parseShell(t)
	if err != nil {
		p := at.at(0)
		var failed syntax.ParseError
		if errors.As(err, &failed) {
			p = at.at(int(failed.Pos.Offset()))
		}
		s.run.note(p, "a part of the script that begins here cannot be parsed: "+reason(err))
	}
	s.declare(stmts)
	return s.stmts(stmts, Value{})
}

func reason(err error) string {
	_, r, ok := strings.Cut(err.Error(), ": ")
	if !ok {
		return err.Error()
	}
	return r
}

// mostErrors bounds how often the parser begins again after an error of a script.
const mostErrors = 20

// parseShell returns the statements that can be parsed, and the first error. After an error, it begins again on the next line.
func parseShell(t string) (stmts []*syntax.Stmt, first error) {
	for range mostErrors {
		got, err := parseOnce(t)
		stmts = append(stmts, got...)
		var failed syntax.ParseError
		if err == nil || !errors.As(err, &failed) {
			if first == nil {
				first = err
			}
			return stmts, first
		}
		if first == nil {
			first = err
		}
		at := int(failed.Pos.Offset())
		if len(got) > 0 {
			at = max(at, int(got[len(got)-1].End().Offset()))
		}
		end := strings.IndexByte(t[min(at, len(t)):], '\n')
		if end < 0 {
			break
		}
		t = blank(t[:at+end]) + t[at+end:]
	}
	return stmts, first
}

// blank returns a text of the same length and lines, of spaces.
func blank(t string) string {
	b := []byte(t)
	for i, c := range b {
		if c != '\n' {
			b[i] = ' '
		}
	}
	return string(b)
}

// parseOnce returns the statements up to the first error.
func parseOnce(t string) (stmts []*syntax.Stmt, err error) {
	for _, variant := range []syntax.LangVariant{syntax.LangBash, syntax.LangZsh, syntax.LangMirBSDKorn} {
		var got []*syntax.Stmt
		var failed error
		for stmt, err := range syntax.NewParser(syntax.Variant(variant)).StmtsSeq(strings.NewReader(t)) {
			if err != nil {
				failed = err
				break
			}
			got = append(got, stmt)
		}
		if failed == nil {
			return got, nil
		}
		if err == nil || len(got) > len(stmts) {
			stmts, err = got, failed
		}
	}
	return stmts, err
}

// declare makes functions known that stand at the end of a script and are called before.
func (s *shell) declare(stmts []*syntax.Stmt) {
	for _, stmt := range stmts {
		if f, ok := stmt.Cmd.(*syntax.FuncDecl); ok && f.Name != nil {
			s.funcs[f.Name.Value] = function{f.Body, s.at, new(bool)}
		}
	}
}

func (s *shell) stmts(stmts []*syntax.Stmt, in Value) Value {
	var out Value
	for i, stmt := range stmts {
		o := s.stmt(stmt, in)
		if i == 0 {
			out = o
			continue
		}
		out = joined(out, o)
	}
	return out
}

// joined returns the outputs of two commands in a row.
func joined(a, b Value) Value {
	sep := ""
	if a.Text != "" && b.Text != "" {
		sep = "\n"
	}
	return Value{Text: a.Text + sep + b.Text, Shown: a.Shown + sep + b.Shown, Doc: merged(a.Doc, b.Doc)}
}

func (s *shell) stmt(stmt *syntax.Stmt, in Value) Value {
	if s.run.calls++; s.run.calls > mostCalls {
		return Value{}
	}
	in = s.input(stmt.Redirs, in)
	out := s.command(stmt.Cmd, in)
	return s.output(stmt.Redirs, out)
}

// input returns what a command reads, after its redirections.
func (s *shell) input(redirs []*syntax.Redirect, in Value) Value {
	for _, r := range redirs {
		switch r.Op {
		case syntax.RdrIn:
			in = s.file(s.word(r.Word))
		case syntax.WordHdoc:
			in = s.word(r.Word)
		case syntax.Hdoc, syntax.DashHdoc:
			if r.Hdoc == nil {
				continue
			}
			in = s.word(r.Hdoc)
			at := s.at.at(int(r.Hdoc.Pos().Offset()))
			in.From = &at
			if strings.Contains(in.Text, "{") {
				in.Doc = merged(in.Doc, &Document{Kept: []string{"a text in the script"}})
			}
		}
	}
	return in
}

// output puts what a command prints where its redirections say, and returns what remains.
func (s *shell) output(redirs []*syntax.Redirect, out Value) Value {
	for _, r := range redirs {
		if r.N != nil && r.N.Value != "1" {
			continue
		}
		switch r.Op {
		case syntax.RdrOut, syntax.RdrClob, syntax.RdrAll:
			s.write(s.word(r.Word), out, false)
			out = Value{}
		case syntax.AppOut, syntax.AppAll:
			s.write(s.word(r.Word), out, true)
			out = Value{}
		}
	}
	return out
}

func (s *shell) command(cmd syntax.Command, in Value) Value {
	switch c := cmd.(type) {
	case *syntax.CallExpr:
		return s.simple(c, in)
	case *syntax.BinaryCmd:
		return s.binary(c, in)
	case *syntax.Block:
		return s.stmts(c.Stmts, in)
	case *syntax.Subshell:
		b := s.branch()
		out := b.stmts(c.Stmts, in)
		s.files = b.files
		return out
	case *syntax.IfClause:
		return s.alternatives(c, in)
	case *syntax.WhileClause:
		return s.while(c, in)
	case *syntax.ForClause:
		return s.loop(c, in)
	case *syntax.CaseClause:
		return s.cases(c, in)
	case *syntax.FuncDecl:
		if c.Name != nil {
			if f, ok := s.funcs[c.Name.Value]; !ok || f.body != c.Body {
				s.funcs[c.Name.Value] = function{c.Body, s.at, new(bool)}
			}
		}
	case *syntax.DeclClause:
		for _, a := range c.Args {
			s.assign(a)
		}
	case *syntax.TimeClause:
		if c.Stmt != nil {
			return s.stmt(c.Stmt, in)
		}
	case *syntax.CoprocClause:
		return s.stmt(c.Stmt, in)
	case *syntax.TestClause:
		s.substitutions(c)
	}
	return Value{}
}

// substitutions evaluates the commands that stand in a node as substitutions.
func (s *shell) substitutions(n syntax.Node) {
	syntax.Walk(n, func(n syntax.Node) bool {
		if c, ok := n.(*syntax.CmdSubst); ok {
			s.branch().stmts(c.Stmts, Value{})
			return false
		}
		return true
	})
}

func (s *shell) binary(c *syntax.BinaryCmd, in Value) Value {
	switch c.Op {
	case syntax.Pipe, syntax.PipeAll:
		return s.stmt(c.Y, s.stmt(c.X, in))
	default: // of "a && b || c" any may run
		out := s.stmt(c.X, in)
		return joined(out, s.stmt(c.Y, in))
	}
}

func (s *shell) alternatives(c *syntax.IfClause, in Value) Value {
	var branches []*shell
	var out Value
	whole := false
	for clause := c; clause != nil; clause = clause.Else {
		never := len(clause.Cond) == 1 && isCall(clause.Cond[0], "false")
		s.stmts(clause.Cond, in)
		whole = len(clause.Cond) == 0
		if never {
			continue
		}
		b := s.branch()
		out = joined(out, b.stmts(clause.Then, in))
		branches = append(branches, b)
	}
	if !whole {
		branches = append(branches, s.branch())
	}
	s.join(branches...)
	return out
}

func isCall(stmt *syntax.Stmt, name string) bool {
	c, ok := stmt.Cmd.(*syntax.CallExpr)
	return ok && len(c.Args) == 1 && c.Args[0].Lit() == name && !stmt.Negated
}

func (s *shell) while(c *syntax.WhileClause, in Value) Value {
	s.looped++
	defer func() { s.looped-- }()
	outer := s.every
	if list := listed(in.Doc); list != nil {
		s.every = list
	}
	defer func() { s.every = outer }()
	out := s.stmts(c.Cond, in)
	return joined(out, s.stmts(c.Do, in))
}

// listed returns the call that lists what a document holds.
func listed(d *Document) *Act {
	if d == nil {
		return nil
	}
	for _, r := range d.Reads {
		if strings.HasPrefix(r.Operation, "list-") || strings.HasPrefix(r.Operation, "get-resource-share") || strings.HasPrefix(r.Operation, "describe-") {
			return r
		}
	}
	return nil
}

func (s *shell) loop(c *syntax.ForClause, in Value) Value {
	iter, ok := c.Loop.(*syntax.WordIter)
	if !ok || iter.Name == nil {
		s.looped++
		defer func() { s.looped-- }()
		return s.stmts(c.Do, in)
	}
	var items []Value
	for _, w := range iter.Items {
		items = append(items, s.fields(w)...)
	}
	if !iter.InPos.IsValid() {
		items = s.lists["@"]
	}
	var all *Document
	resolved := len(items) > 0 && len(items) <= mostIterations
	for _, i := range items {
		resolved = resolved && i.Known()
		all = merged(all, i.Doc)
	}
	outer, looped := s.every, s.looped
	if list := listed(all); list != nil {
		s.every = list
	}
	if ends(c.Do) {
		s.looped++
	}
	defer func() { s.every, s.looped = outer, looped }()
	if !resolved {
		s.vars[iter.Name.Value] = Value{Text: unknown, Shown: "$" + iter.Name.Value, Doc: all}
		return s.stmts(c.Do, in)
	}
	var out Value
	for _, i := range items {
		s.vars[iter.Name.Value] = i
		out = joined(out, s.stmts(c.Do, in))
	}
	return out
}

// ends reports whether a loop may end before its last item, as loops do that try again.
func ends(stmts []*syntax.Stmt) bool {
	found := false
	for _, stmt := range stmts {
		syntax.Walk(stmt, func(n syntax.Node) bool {
			if c, ok := n.(*syntax.CallExpr); ok && len(c.Args) > 0 {
				word := c.Args[0].Lit()
				found = found || word == "break" || word == "return" || word == "exit"
			}
			return !found
		})
	}
	return found
}

func (s *shell) cases(c *syntax.CaseClause, in Value) Value {
	word := s.word(c.Word)
	var branches []*shell
	var out Value
	for _, item := range c.Items {
		if word.Known() && !s.mayMatch(word.Text, item.Patterns) {
			continue
		}
		b := s.branch()
		out = joined(out, b.stmts(item.Stmts, in))
		branches = append(branches, b)
	}
	branches = append(branches, s.branch())
	s.join(branches...)
	return out
}

// mayMatch reports whether a word may match one of some patterns.
func (s *shell) mayMatch(word string, patterns []*syntax.Word) bool {
	for _, p := range patterns {
		v := s.word(p)
		if ok, err := path.Match(v.Text, word); !v.Known() || ok || err != nil || strings.Contains(v.Text, "*") {
			return true
		}
	}
	return false
}
