package pipeline

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
)

// code reads a program in Python, JavaScript or TypeScript.
func (r *run) code(file, kind, content string) {
	r.seen++
	if len(content) > 1<<20 {
		r.note(Position{file, 1, 1}, "the program is larger than 1 MiB; the audit does not read it")
		return
	}
	r.program(file, readCode(lines(file, content, 1, 1), kind))
}

func (r *run) program(file string, c code) {
	r.decls = append(r.decls, c.decls...)
	if len(c.acts) > 0 {
		job := r.job(file)
		job.Acts = c.acts
	}
	s := newShell(r, r.job(file))
	for _, t := range c.commands {
		s.script(t)
		s.programWrites(c)
	}
}

// programWrites makes known what a program that runs commands writes to its files: it is made of what the commands answered.
func (s *shell) programWrites(c code) {
	doc := &Document{Opaque: true, Edits: c.edits}
	for _, a := range s.job.Acts {
		if a.Operation == "get-distribution" || a.Operation == "get-distribution-config" {
			doc.Reads = append(doc.Reads, a)
		}
	}
	if len(doc.Reads) == 0 {
		return
	}
	for _, name := range c.written {
		s.write(text(name), Value{Text: unknown, Shown: "…", Doc: doc}, false)
	}
}

// groovy reads the sh steps of a Jenkinsfile.
//
//	sh 'aws …'    sh "aws … ${id}"    sh """…"""    sh(script: '…', returnStdout: true)
func (r *run) groovy(file, content string) {
	r.seen++
	c := &codeReader{at: lines(file, content, 1, 1), clients: map[string]string{}, uses: map[string]bool{}, alias: map[string][]Step{}}
	c.tokens = lex(content, "groovy")
	s := newShell(r, r.job(file))
	for i := range c.tokens {
		if c.is(i, 'i', "") && c.is(i+1, 'p', "=") && c.is(i+2, 's', "") && c.tokens[i+2].raw {
			s.vars[c.tokens[i].text] = text(c.tokens[i+2].text)
		}
		if !c.is(i, 'i', "sh") && !c.is(i, 'i', "bash") {
			continue
		}
		k := i + 1
		for k < min(len(c.tokens), i+12) && !c.is(k, 's', "") {
			k++
		}
		if c.is(i+1, 's', "") || c.is(i+1, 'p', "(") && c.is(k, 's', "") && (k == i+2 || c.is(k-1, 'p', ":")) || c.is(i+1, 'i', "script") && c.is(k, 's', "") {
			b := s.branch()
			b.source(c.textOf(k))
			s.files = b.files
		}
	}
}

// goReader reads a program in Go.
type goReader struct {
	code
	file     string
	set      *token.FileSet
	services map[string]string // by the name of the package in this file
	cdk      string
}

func (r *run) goCode(file string, raw []byte) {
	r.seen++
	g := &goReader{file: file, set: token.NewFileSet(), services: map[string]string{}}
	f, err := parser.ParseFile(g.set, file, raw, parser.SkipObjectResolution)
	if f == nil || err != nil {
		r.note(Position{file, 1, 1}, "the file cannot be parsed as Go: "+err.Error())
		return
	}
	for _, i := range f.Imports {
		p, _ := strconv.Unquote(i.Path.Value)
		name := path.Base(p)
		if i.Name != nil {
			name = i.Name.Name
		}
		switch {
		case strings.HasPrefix(p, "github.com/aws/aws-sdk-go") && (strings.HasSuffix(p, "/service/cloudfront") || strings.HasSuffix(p, "/service/ram")):
			g.services[path.Base(p)] = name
		case strings.HasPrefix(p, "github.com/aws/aws-cdk-go") && strings.HasSuffix(p, "awscloudfront"):
			g.cdk = name
		}
	}
	if len(g.services) == 0 && g.cdk == "" {
		return
	}
	for _, d := range f.Decls {
		g.acts, g.edits = nil, nil
		g.function(d, strings.Contains(string(raw), "PreconditionFailed"))
		r.program(file, g.code)
		g.decls = nil
	}
}

// function reads one declaration: what one function reads and writes belongs together.
func (g *goReader) function(d ast.Decl, retries bool) {
	ast.Inspect(d, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			g.call(n)
		case *ast.AssignStmt:
			for i, left := range n.Lhs {
				if i < len(n.Rhs) && n.Tok == token.ASSIGN {
					g.assign(left, n.Rhs[i])
				}
			}
		}
		return true
	})
	connect(&g.code, retries)
}

func (g *goReader) place(p token.Pos) Position {
	at := g.set.Position(p)
	return Position{g.file, at.Line, at.Column}
}

func (g *goReader) call(c *ast.CallExpr) {
	selector, ok := c.Fun.(*ast.SelectorExpr)
	if !ok {
		return
	}
	if from, ok := selector.X.(*ast.Ident); ok && from.Name == g.cdk && slices.Contains([]string{"NewDistribution", "NewCfnDistribution", "NewCloudFrontWebDistribution"}, selector.Sel.Name) {
		g.decls = append(g.decls, Declaration{At: g.place(selector.Sel.Pos()), Type: "AWS::CloudFront::Distribution", Language: "cdk"})
		return
	}
	if selector.Sel.Name == "SetEnabled" && len(c.Args) == 1 {
		g.assign(&ast.SelectorExpr{X: selector.X, Sel: &ast.Ident{Name: "Enabled", NamePos: selector.Sel.Pos()}}, c.Args[0])
	}
	operation := operationOf(selector.Sel.Name)
	for service, name := range g.services {
		if from, ok := selector.X.(*ast.Ident); !slices.Contains(audited[service], operation) || ok && from.Name == name {
			continue
		}
		sure := Likely
		if len(c.Args) > 0 && g.isInput(c.Args[min(1, len(c.Args)-1)], name, selector.Sel.Name) {
			sure = Certain
		}
		act := &Act{Service: service, Operation: operation, Options: map[string]Value{}, At: g.place(selector.Sel.Pos()), Sure: sure, Program: true}
		g.literals(c, act)
		g.acts = append(g.acts, act)
	}
}

// isInput reports whether an argument is the input of an operation, such as &cloudfront.DeleteDistributionInput{…}.
func (g *goReader) isInput(e ast.Expr, name, method string) bool {
	if u, ok := e.(*ast.UnaryExpr); ok {
		e = u.X
	}
	lit, ok := e.(*ast.CompositeLit)
	if !ok {
		return false
	}
	t, ok := lit.Type.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	from, ok := t.X.(*ast.Ident)
	return ok && from.Name == name && t.Sel.Name == method+"Input"
}

// literals takes the fields of the input that are literals.
func (g *goReader) literals(c *ast.CallExpr, act *Act) {
	for _, a := range c.Args {
		ast.Inspect(a, func(n ast.Node) bool {
			kv, ok := n.(*ast.KeyValueExpr)
			if !ok {
				return true
			}
			if key, ok := kv.Key.(*ast.Ident); ok {
				name := key.Name
				if name == "ResourceShareArn" || name == "ResourceArns" || name == "Principals" {
					name = strings.ToLower(name[:1]) + name[1:]
				}
				if option, ok := optionNames[name]; ok {
					act.Options[option] = goLiteral(kv.Value)
				}
			}
			return true
		})
	}
}

// goLiteral returns the value of an expression, if a string literal is in it.
func goLiteral(e ast.Expr) Value {
	v := Value{Text: unknown, Shown: "(a variable)"}
	ast.Inspect(e, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, err := strconv.Unquote(lit.Value); err == nil {
				v = text(s)
			}
		}
		return true
	})
	return v
}

func (g *goReader) assign(left, right ast.Expr) {
	path := goPath(left)
	if len(path) == 0 || !relevantPath(path) {
		return
	}
	e := Edit{At: g.place(left.Pos()), Path: path, Op: Assign}
	if c, ok := right.(*ast.CallExpr); ok {
		if f, ok := c.Fun.(*ast.Ident); ok && f.Name == "append" {
			e.Op = Change
		} else if len(c.Args) == 1 {
			right = c.Args[0]
		}
	}
	if id, ok := right.(*ast.Ident); ok {
		e.Value = id.Name
	}
	g.edits = append(g.edits, e)
}

// goPath returns the path of an expression such as config.CacheBehaviors.Items[0].
func goPath(e ast.Expr) []Step {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		return extended(goPath(e.X), Step{Name: e.Sel.Name})
	case *ast.IndexExpr:
		inner := goPath(e.X)
		if lit, ok := e.Index.(*ast.BasicLit); ok {
			return extended(inner, Step{Kind: Indexed, Name: lit.Value})
		}
		return extended(inner, Step{Kind: Selected})
	case *ast.StarExpr:
		return goPath(e.X)
	case *ast.ParenExpr:
		return goPath(e.X)
	}
	return nil
}
